"""Supplementary services, trunkd's: charges, parties that change, calls that go elsewhere or are traced.

A request is Done when it went out; whether the far end did it comes as an event.
"""

from typing import ClassVar

import msgspec

from appliance.bus.messages.base import Done, Event, Request


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """Advice of charge. Units, an amount, free of charge, or none of these: the network cannot tell."""

    units: int | None = None
    amount_thousandths: int | None = None         # of the currency's unit
    currency: str = ""                            # as the network calls it; "": its own
    free: bool = False
    total: bool = True                            # False: since the advice before
    final: bool = False                           # of the whole call
    billing: str = ""                             # by EN 300 182-1, such as reverseCharging
    charged_to: str = ""                          # another number, or the network's identifier of the charge


class CallCharged(Event, frozen=True):
    """While the call goes on, and at its end before CallReleased."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    charge: Charge


class CallParty(Event, frozen=True):
    """Who is at the far end, as it turns out. `why`: named, diverted, transferred."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    why: str
    number: str = ""                              # "": withheld or not given
    name: str = ""
    answered: bool = True                         # transferred: False while it rings there


class CallDeflected(Event, frozen=True):
    """What came of Deflect. done: the leg is cleared by the network; else it is as it was, and `why`."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    done: bool
    why: str = ""


class CallsJoined(Event, frozen=True):
    """What came of JoinOutside. done: the far end clears both legs, or has done so; else both are as they
    were, and `why`."""

    owner: ClassVar[str] = "trunkd"
    leg_a: str
    leg_b: str
    done: bool
    why: str = ""


class MaliciousCallTraced(Event, frozen=True):
    """What came of TraceMalicious."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    done: bool
    why: str = ""


class MaliciousCallReported(Event, frozen=True):
    """A PBX wants it registered who calls it. This event is how that is done."""

    owner: ClassVar[str] = "trunkd"
    leg: str


class DeflectionWanted(Event, frozen=True):
    """A PBX wants a call that is offered to it to go to `to`. Refused without GrantDeflection within 3 s."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    to: str


class JoinWanted(Event, frozen=True):
    """A PBX wants the other ends of its two calls to hear each other without it. Refused without GrantJoin
    within 3 s."""

    owner: ClassVar[str] = "trunkd"
    leg_a: str
    leg_b: str


class Deflect(Request[Done], frozen=True):
    """acdd: have the network offer this leg, not answered yet, to another number. CallDeflected follows."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    to: str


class JoinOutside(Request[Done], frozen=True):
    """acdd: have the far end join these legs, both answered and of one span, so that both channels are free.

    CallsJoined follows: in public networks soon, and not done when the network will not. In private ones only
    once it is done; until then, and for ever when the other exchanges do not do it, both legs stay. So leave
    them bridged until they are released.
    """

    owner: ClassVar[str] = "trunkd"
    leg_a: str
    leg_b: str


class TraceMalicious(Request[Done], frozen=True):
    """acdd: have the network register who calls. MaliciousCallTraced follows."""

    owner: ClassVar[str] = "trunkd"
    leg: str


class GrantDeflection(Request[Done], frozen=True):
    """acdd: the answer to DeflectionWanted. granted: the call goes elsewhere, and trunkd clears the leg."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    granted: bool


class GrantJoin(Request[Done], frozen=True):
    """acdd: the answer to JoinWanted by its `leg_a`. granted: the others are bridged, and trunkd clears both
    legs."""

    owner: ClassVar[str] = "trunkd"
    leg: str
    granted: bool
