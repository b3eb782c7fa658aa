"""What recordd says and is asked: recordings and their audio."""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Event, Reloaded, Reply, Request

# "stored": the file as it is kept. "wav": A-law WAV of both sides, for players that cannot read that one.
Form = Literal["stored", "wav"]
Purpose = Literal["listen", "download", "share", "replay"]


class RecordingInfo(Reply, frozen=True):
    """`known` False: no such recording. It plays while it is made (`finished` False)."""

    recording: str
    known: bool = False
    finished: bool = False
    duration_s: float = 0.0                       # on disk
    gap_s: float = 0.0                            # silence stands for what is missing
    format: str = ""                              # opus, flac, wav; "": not written yet
    octets: int = 0                               # of the finished file's audio
    held: bool = False
    erased: str = ""                              # why its audio is no more; "": it is there


class RecordingFinished(Event, frozen=True):
    owner: ClassVar[str] = "recordd"
    info: RecordingInfo


class GetRecording(Request[RecordingInfo], frozen=True):
    owner: ClassVar[str] = "recordd"
    recording: str


class RecordingOpened(Reply, frozen=True):
    """`ticket` is good for an hour or until recordd starts anew: open it again then."""

    ticket: str
    media_type: str
    octets: int                                   # of the whole
    info: RecordingInfo


class OpenRecording(Request[RecordingOpened], frozen=True):
    """Who takes the audio of a recording, and why, is kept before the answer.

    Refused: unknown, erased, damaged, not to be read at this moment; "stored" while it is made.
    """

    owner: ClassVar[str] = "recordd"
    recording: str
    by: str                                       # the person
    purpose: Purpose
    form: Form = "wav"
    ticks: int = 0                                # of a recording that grows: as far as this; 0: as it is now
    why: str = ""                                 # kept with it


class RecordingPart(Reply, frozen=True):
    octets: bytes                                 # shorter than asked at the end only


class ReadRecording(Request[RecordingPart], frozen=True):
    """Octets of what was opened. Refused: no such ticket (any more)."""

    owner: ClassVar[str] = "recordd"
    ticket: str
    at: int
    most_octets: int                              # up to 1 MiB


class RecordingPeaks(Reply, frozen=True):
    """The waveform: the loudest sample of each part of equal length, 0 to 255, of either side."""

    info: RecordingInfo
    caller: list[int]
    agent: list[int]


class GetPeaks(Request[RecordingPeaks], frozen=True):
    owner: ClassVar[str] = "recordd"
    recording: str


class RecorderWarning(msgspec.Struct, frozen=True, kw_only=True):
    """Something that somebody has to see to; `kind` is a row of the board's words."""

    kind: str                                     # slow-disk, disk-full, low-space, missing ...
    text: str
    since: float


class RecorderState(Reply, frozen=True):
    warnings: list[RecorderWarning]


class RecorderChanged(Event, frozen=True):
    """Its warnings have changed."""

    owner: ClassVar[str] = "recordd"
    state: RecorderState


class GetRecorder(Request[RecorderState], frozen=True):
    owner: ClassVar[str] = "recordd"


class ReloadRecorder(Request[Reloaded], frozen=True):
    """As ReloadTrunks, for the settings of recordings: policy, retention, archive, quality."""

    owner: ClassVar[str] = "recordd"
    check: bool = False
    candidate: bool = False                       # with `check`: in its place
