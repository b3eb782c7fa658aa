"""What is recorded and why; recordings lent to the telephone, and prompts that are spoken into one."""

from typing import ClassVar

import msgspec

from appliance.bus.messages.base import Done, Reply, Request
from appliance.bus.messages.control import ContactNamed


class RecordingPause(msgspec.Struct, frozen=True, kw_only=True):
    """Silence of equal length in a recording. Ticks are of the record ring; 0: spand has not said."""

    at: float
    by: str                                       # a person, flow, "": the command line
    ended_at: float = 0.0                         # 0: it goes on, or went on to the end
    ended_by: str = ""                            # "": its time was over, or the command line
    tick: int = 0
    end_tick: int = 0


class RecordingStory(msgspec.Struct, frozen=True, kw_only=True):
    """Why a talk was recorded, or was not (`recording` ""), and what people did to that."""

    recording: str
    at: float
    record: str                                   # always, never, on-demand
    why: str                                      # a sentence
    rule: str = ""                                # of recording.rules; "": none took it
    format: str = "small"
    begun_by: str | None = None                   # who asked for it; None: the policy
    begun_at: float = 0.0                         # by that one
    kept_by: str | None = None                    # of one that would have been erased at its end
    kept_at: float = 0.0
    stopped_by: str | None = None
    stopped_at: float = 0.0
    unless_kept: bool = False                     # it is to be erased at its end, unless kept_by says who not
    pauses: list[RecordingPause] = msgspec.field(default_factory=list)

    @property
    def unwanted(self) -> bool:
        """To be erased when it has ended."""
        return self.unless_kept and self.kept_by is None


class RecordTalk(Request[ContactNamed], frozen=True):
    """Have the talk of `agent` recorded from now on, or kept where it is recorded unless nobody keeps it.

    Refused: it is recorded already, or the policy lets nobody.
    """

    owner: ClassVar[str] = "acdd"
    agent: str
    by: str = ""


class StopRecordingTalk(Request[ContactNamed], frozen=True):
    """Record it no more. Refused: it is not recorded, or the policy wants it to be."""

    owner: ClassVar[str] = "acdd"
    agent: str
    by: str = ""


class LentRecording(Reply, frozen=True):
    fragment: str                                 # of a play, good for as long as it was lent
    duration_s: float


class LendRecording(Request[LentRecording], frozen=True):
    """Both sides of a recording as a sound for the telephone. Who hears it is in the chain before the answer.

    Refused: as OpenRecording; or too long for a play.
    """

    owner: ClassVar[str] = "recordd"
    recording: str
    by: str                                       # the person whose PIN let him
    for_s: float                                  # 1 to 3600
    from_s: float = 0.0                           # of the recording


class KeepAsPrompt(Request[Done], frozen=True):
    """The caller's side of a recording becomes a prompt, in place of one of that name.

    Refused: no such recording, it has not ended, or a name that no prompt can have.
    """

    owner: ClassVar[str] = "recordd"
    recording: str
    name: str                                     # e.g. zh/greeting
    by: str
