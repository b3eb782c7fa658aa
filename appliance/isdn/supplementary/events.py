"""What the supplementary services tell the application. `key` is the application's name of the call."""
from dataclasses import dataclass
from enum import Enum

from appliance.isdn.supplementary.parties import Party
from appliance.isdn.supplementary.presentation import ALLOWED


class Advice(Enum):
    """When a charge is told."""

    DURING = "during"                             # AOC-D: so far
    END = "end"                                   # AOC-E: of the whole call


class Reason(Enum):
    """Why a call is diverted."""

    UNKNOWN = "unknown"
    ALWAYS = "always"
    BUSY = "busy"
    NO_REPLY = "no-reply"
    DEFLECTED = "deflected"                       # by the person called, while it rang or at once


class Role(Enum):
    """Whose name it is."""

    CALLING = "calling"
    CALLED = "called"                             # is rung
    CONNECTED = "connected"
    BUSY = "busy"                                 # is called and busy


@dataclass(frozen=True, slots=True)
class Charged:
    """Advice of charge. Units, an amount, free of charge, or none of these: the network cannot tell."""

    key: str
    when: Advice
    units: int | None = None
    amount_thousandths: int | None = None         # of the currency's unit
    currency: str = ""                            # as the network calls it; "": its own
    free: bool = False
    total: bool = True                            # False: since the advice before
    billing: str = ""                             # BillingId of EN 300 182-1, such as reverseCharging
    charged_to: str = ""                          # another number, or the network's identifier of the charge


@dataclass(frozen=True, slots=True)
class Rate:
    """What one thing costs (AOC-S). `kind`: duration, flatRate, volumeRate, specialChargingCode,
    freeOfCharge, notAvailable."""

    item: str                                     # such as basicCommunication
    kind: str
    amount_thousandths: int | None = None         # of the currency's unit
    currency: str = ""
    per_s: float | None = None                    # duration: for that long
    step_s: float | None = None                   # duration: charged in steps of that; None: continuously
    per: str = ""                                 # volume: octet, segment or message
    code: int | None = None                       # agreed between network and subscriber


@dataclass(frozen=True, slots=True)
class RatesTold:
    """At the start or when a rate changes. Without rates: the network cannot tell."""

    key: str
    rates: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """`name` "" with presentation restricted or not available: no name, and why."""

    key: str
    role: Role
    name: str
    presentation: int = ALLOWED                   # as a number's


@dataclass(frozen=True, slots=True)
class Diverted:
    """A call that comes in was first for somebody else."""

    key: str
    reason: Reason
    count: int                                    # of diversions so far
    last: Party | None = None                     # who diverted it
    original: Party | None = None                 # whom the caller dialled
    name: str = ""                                # of who diverted it


@dataclass(frozen=True, slots=True)
class Diverting:
    """A call of ours goes on to somebody else."""

    key: str
    reason: Reason
    to: Party | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class DeflectionDone:
    """The network has taken the call back and offers it elsewhere; it clears ours."""

    key: str


@dataclass(frozen=True, slots=True)
class DeflectionRefused:
    """The call is still ours."""

    key: str
    why: str


@dataclass(frozen=True, slots=True)
class DeflectionAsked:
    """The PBX wants a call that we offer it to go elsewhere: answer_deflection() says whether it does."""

    key: str
    to: Party
    reason: Reason


@dataclass(frozen=True, slots=True)
class TransferDone:
    """The network has joined the far ends of the two calls and clears both, or has done so."""

    key: str
    other: str


@dataclass(frozen=True, slots=True)
class TransferRefused:
    """Both calls are as they were."""

    key: str
    other: str
    why: str


@dataclass(frozen=True, slots=True)
class TransferAsked:
    """The far end wants the other ends of its two calls joined: answer_transfer() says whether they are."""

    key: str
    other: str


@dataclass(frozen=True, slots=True)
class Transferred:
    """At the far end somebody else is on the call now, or is being rung."""

    key: str
    answered: bool
    party: Party | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class MaliciousCallNoted:
    """The network has registered who calls."""

    key: str


@dataclass(frozen=True, slots=True)
class MaliciousCallRefused:
    key: str
    why: str


@dataclass(frozen=True, slots=True)
class MaliciousCallReported:
    """The PBX wants it registered who calls it. It was told that this is done."""

    key: str


ServiceEvent = (Charged | RatesTold | Named | Diverted | Diverting | DeflectionDone
                | DeflectionRefused | DeflectionAsked | TransferDone | TransferRefused | TransferAsked
                | Transferred | MaliciousCallNoted | MaliciousCallRefused | MaliciousCallReported)
