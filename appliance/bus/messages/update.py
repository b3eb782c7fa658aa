"""Updates of the box: how one stands, what people may ask, and what boxd asks of the others for it."""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Done, Event, Reloaded, Reply, Request

Beginning = Literal["drained", "now", "quiet"]


class UpdatePast(msgspec.Struct, frozen=True, kw_only=True):
    """An update that is over."""

    outcome: str                                  # confirmed, rolled back, failed, cancelled
    why: str
    at: float                                     # of its end
    began_at: float
    version_from: str
    version_to: str                               # "": it was never known
    slot: str                                     # it was written to; "": none was
    trials: int                                   # how often the new version was started
    figures: dict[str, float] = msgspec.field(default_factory=dict)  # measured, units in names


class UpdateState(Event, frozen=True):
    """How the update stands. Said on change, while one goes on at most once a second."""

    owner: ClassVar[str] = "boxd"
    at: float
    version: str                                  # that runs
    slot: str = ""                                # that runs; "": this machine has none
    confirmed: str = ""                           # slot that is started after a failure
    trial: str = ""                               # slot that is tried out next, or now
    unusable: list[str] = msgspec.field(default_factory=list)        # slots that nobody may start
    phase: str = "idle"                           # appliance.box.update.state.Phase
    since: float = 0.0                            # of the phase
    percent: int = 0                              # of the whole update
    saying: str = ""                              # what is being done, waited for, or was the matter
    version_to: str = ""
    calls_left: int | None = None                 # while calls are drained
    next_at: float = 0.0                          # when it goes on by itself; 0: at once, or not at all
    trials: int = 0
    source: str = ""                              # as InstallUpdate has it; "the other slot": back to it
    begin: str = ""
    by: str = ""
    began_at: float = 0.0


class UpdateReply(Reply, frozen=True):
    state: UpdateState
    history: list[UpdatePast]                     # newest first


class GetUpdate(Request[UpdateReply], frozen=True):
    owner: ClassVar[str] = "boxd"


class InstallUpdate(Request[Done], frozen=True):
    """Begin an update. Refused: one is going on, or this machine has no slots.

    `source`: https://..., usb, upload:NAME (that webui has), or a file's name in the box's folder of bundles.
    `begin`: "drained", when calls are over or have had update.drain_wait_s; "now", they are ended; "quiet",
    drained in update.quiet.
    """

    owner: ClassVar[str] = "boxd"
    source: str
    begin: Beginning = "drained"
    by: str = ""


class CancelUpdate(Request[Done], frozen=True):
    """Nothing of it stays. Refused: none goes on, or the new version is started already."""

    owner: ClassVar[str] = "boxd"
    by: str = ""


class HurryUpdate(Request[Done], frozen=True):
    """Go on without waiting, for calls, a quiet hour or the next try. Refused: nothing is waited for."""

    owner: ClassVar[str] = "boxd"
    by: str = ""


class ConfirmUpdate(Request[Done], frozen=True):
    """The version that runs stays, whatever its trial says. Refused: it is not on trial."""

    owner: ClassVar[str] = "boxd"
    by: str = ""


class GoBack(Request[Done], frozen=True):
    """To the version in the other slot: at once while the one that runs is on trial, else as an update."""

    owner: ClassVar[str] = "boxd"
    begin: Beginning = "drained"
    by: str = ""


class ReloadUpdate(Request[Reloaded], frozen=True):
    """Read the section `update` of the document again; `check`: only say what would change."""

    owner: ClassVar[str] = "boxd"
    check: bool = False
    candidate: bool = False                       # with `check`: in its place


# --- what boxd asks of the others


class Drained(Reply, frozen=True):
    calls: int                                    # that are left
    emergency: int = 0                            # of these


class DrainTrunks(Request[Drained], frozen=True):
    """Take no new calls for `for_s` from now on; 0: take them again. Asked again, it lasts longer.

    Calls in progress go on. A call that comes in is refused with `cause`; emergency numbers are let through.
    `end`: the calls that are left are ended, emergency calls are not.
    """

    owner: ClassVar[str] = "trunkd"
    for_s: float
    cause: int = 42                               # Q.850
    end: bool = False


class DrainCentre(Request[Done], frozen=True):
    """Begin no call for `for_s` from now on, promised or asked for by people; 0: begin them again."""

    owner: ClassVar[str] = "acdd"
    for_s: float


class CallTested(Reply, frozen=True):
    """What came of a test call."""

    trunk: str
    number: str
    error: str                                    # "": it was answered and heard
    answer_s: float | None = None                 # from SETUP to CONNECT
    heard_s: float | None = None                  # from CONNECT until it was loud enough
    level_dbm0: float | None = None               # the loudest that was received
    cause: int = 0                                # Q.850, of a call that ended before it was heard


class PlaceTestCall(Request[CallTested], frozen=True):
    """Call a number by a trunk, and hear whether somebody answers and is heard. It is in no record."""

    owner: ClassVar[str] = "acdd"
    trunk: str
    number: str
    calling: str = ""
    answer_within_s: float = 30.0
    hear_within_s: float = 10.0
    level_dbm0: float = -45.0                     # as loud as this, or louder
    play: list[str] = msgspec.field(default_factory=list)            # to who answers, fragments as of Play
    hold_s: float = 0.0                           # goes on for so long when it was heard, unless they hang up
    spare: int = 0                                # as in Dial
