"""What recordd says and is asked: recordings."""

from typing import ClassVar

from appliance.bus.messages.base import Event, Reply, Request


class RecordingInfo(Reply, frozen=True):
    """file "": no such recording. It plays while it is made (`finished` False): `duration_s` is on disk."""

    recording: str
    file: str
    duration_s: float
    gap_s: float
    finished: bool


class RecordingFinished(Event, frozen=True):
    owner: ClassVar[str] = "recordd"
    info: RecordingInfo


class GetRecording(Request[RecordingInfo], frozen=True):
    owner: ClassVar[str] = "recordd"
    recording: str
