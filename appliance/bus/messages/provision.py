"""What people ask boxd about the box's own settings: name, network, clock, keys, a factory reset."""

from typing import Any, ClassVar, Literal

from appliance.bus.messages.base import Done, Event, Reply, Request

ClockSource = Literal["ptp", "ntp", "rtc", "unknown"]
By = Literal["web", "console", "command", "button"]


class ProvisionReply(Reply, frozen=True):
    provisioned: bool
    source: str                                   # stick, dhcp, web, console, command; "": it is not
    at: float
    document: str                                 # YAML, without what is secret
    told: str                                     # of the last attempt from a stick or DHCP; "": none
    trial_left_s: float                           # a network is on trial; 0: none is
    serial: str                                   # "": the box has none


class GetProvision(Request[ProvisionReply], frozen=True):
    """Refused: this machine is no installed box."""

    owner: ClassVar[str] = "boxd"


class Provide(Request[Done], frozen=True):
    """Make a new box what the YAML document says. Refused: a line for each mistake, or it has one already.

    `claim`: the box's claim code; a wrong one is refused after a while.
    """

    owner: ClassVar[str] = "boxd"
    document: str
    claim: str
    by: By
    check: bool = False                           # only say what is wrong with it


class ChangeProvision(Request[Done], frozen=True):
    """New values of some keys of the document, all but `network`, in force at once."""

    owner: ClassVar[str] = "boxd"
    keys: dict[str, Any]
    by: By


class TryNetwork(Request[Done], frozen=True):
    """The section `network` in force at once, and undone after `for_s` unless it is confirmed."""

    owner: ClassVar[str] = "boxd"
    network: list[dict[str, Any]]
    by: By
    for_s: float = 300.0


class ConfirmNetwork(Request[Done], frozen=True):
    """`through`: the address of the box at which the person's browser or shell is. Refused: the old one."""

    owner: ClassVar[str] = "boxd"
    through: str
    by: By


class RevertNetwork(Request[Done], frozen=True):
    owner: ClassVar[str] = "boxd"


class ResetBox(Request[Done], frozen=True):
    """To the state from the factory, with a new start. `name`: the box's hostname, typed by the person.

    Refused: another name, so that nobody erases the box of another branch.
    """

    owner: ClassVar[str] = "boxd"
    name: str
    by: By
    audit: bool = True                            # a line about it stays on the box


class WallClock(Event, frozen=True):
    """What the time of day is worth. Said on change, and every 60 s."""

    owner: ClassVar[str] = "boxd"
    at: float
    source: ClockSource
    since: float
    error_s: float | None = None                  # at most so far off; None: nobody knows
    offset_s: float = 0.0                         # being slewed away
    rtc_offset_s: float | None = None             # the battery's clock is ahead; None: there is none
    steps: int = 0                                # since boxd's start: how often it jumped
    step_s: float = 0.0                           # the last jump
    line_offset_s: float | None = None            # the exchange's clock less ours; None: it says none
    sentence: str = ""                            # what is wrong and what to do; "": nothing


class WallClockReply(Reply, frozen=True):
    clock: WallClock


class GetWallClock(Request[WallClockReply], frozen=True):
    owner: ClassVar[str] = "boxd"


class SetWallClock(Request[Done], frozen=True):
    """Refused: NTP or PTP sets it, or this machine is no installed box."""

    owner: ClassVar[str] = "boxd"
    to: float                                     # Unix time
