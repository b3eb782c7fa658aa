"""Diversion: calls that were for somebody else first, and calls that shall go elsewhere.

A primary-rate line is one for a PBX, and what the network offers there is rerouting of a call that it
presents (EN 300 207-1, 10); deflection is what a terminal asks for, and some networks take that instead.

Ref: ETSI EN 300 207-1; ECMA-174.
"""
from typing import Any

from appliance.errors import StateError
from appliance.isdn.elements import IDENTIFIERS, BearerCapability
from appliance.isdn.supplementary.events import (
    DeflectionAsked,
    DeflectionDone,
    DeflectionRefused,
    Diverted,
    Diverting,
    Reason,
)
from appliance.isdn.supplementary.invocations import CallFacts, Invocations, Owed
from appliance.isdn.supplementary.operations import INVALID_CALL_STATE, NOT_AVAILABLE
from appliance.isdn.supplementary.parties import (
    Party,
    number,
    presented,
    shown_name,
    to_number,
    to_presented,
)

REASONS = {"unknown": Reason.UNKNOWN, "cfu": Reason.ALWAYS, "cfb": Reason.BUSY, "cfnr": Reason.NO_REPLY,
           "cdAlerting": Reason.DEFLECTED, "cdImmediate": Reason.DEFLECTED}
MOST_DIVERSIONS = 5                               # DiversionCounter


# --- told by the far end


def of_call_in(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    """Diverting leg information 2, in a SETUP."""
    last, original, by = value.get("divertingNr"), value.get("originalCalledNr"), value.get("redirectingName")
    services.diversions[owed.key] = value["diversionCounter"]
    services.tell(Diverted(
        owed.key, REASONS[value["diversionReason"]], value["diversionCounter"], last and presented(last),
        original and presented(original), shown_name(by)))


def of_call_out(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    """Diverting leg information 1: a call of ours goes elsewhere."""
    to = value.get("divertedToNumber")
    nominated = value.get("nominatedNr")
    party = presented(to) if to else number(nominated) if nominated else None
    services.tell(Diverting(owed.key, REASONS[value["diversionReason"]], party))


def shown_to(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    """Diverting leg information 3: whether the number it goes to may be shown, and in private networks whose
    name that is. Shown is what an element of the message says; so only a name is news."""
    if isinstance(value, dict) and (to := value.get("redirectionName")) and value["presentationAllowed"]:
        services.tell(Diverting(owed.key, Reason.UNKNOWN, name=shown_name(to)))


# --- asked by us


def request(services: Invocations, key: str, to: Party, *, deflection: bool, now: float) -> None:
    facts = services.facts(key)
    if not services.profile.deflection:
        raise StateError(f"{services.profile.title}: calls cannot be deflected")
    if facts is None or facts.ours or facts.answered:
        raise StateError(f"call {key} is not one that came in and is not answered")
    count = services.diversions.get(key, 0) + 1
    if count > MOST_DIVERSIONS:
        raise StateError(f"call {key} was diverted {count - 1} times already")
    operation, argument = ("callDeflection", {"deflectionAddress": {"partyNumber": to_number(to)}})
    if not deflection:
        operation, argument = "callRerouting", _rerouting(services, key, facts, to, count)
    services.ask(key, operation, argument,
                 lambda value, now: services.tell(DeflectionDone(key)),
                 lambda why: services.tell(DeflectionRefused(key, why)), now)


def _rerouting(services: Invocations, key: str, facts: CallFacts, to: Party, count: int) -> dict[str, Any]:
    bearer = (services.offered(key, BearerCapability) or BearerCapability()).write()
    argument: dict[str, Any] = {
        "calledAddress": {"partyNumber": to_number(to)},
        "q931Elements": bytes((IDENTIFIERS[BearerCapability], len(bearer))) + bearer,
        "lastReroutingNr": to_presented(Party(facts.called), screened=False),
    }
    if services.profile.symmetric:
        return argument | {
            "reroutingReason": "cfnr" if facts.alerting else "cfu", "diversionCounter": count,
            "subscriptionOption": "noNotification",
            "callingNumber": to_presented(services.far_end(key), screened=True)}
    return argument | {"reroutingReason": "cdAlerting" if facts.alerting else "cdImmediate",
                       "reroutingCounter": count}


# --- asked by a PBX


def asked(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    facts = services.facts(owed.key)
    if facts is None or not facts.ours or facts.answered:
        services.refuse(owed, INVALID_CALL_STATE)
        return
    address = value.get("deflectionAddress") or value["calledAddress"]
    services.owe(owed, DeflectionAsked(owed.key, number(address["partyNumber"]),
                                       REASONS[value.get("reroutingReason", "cdAlerting")]))


def answer(services: Invocations, key: str, granted: bool) -> None:
    owed = services.owing(key, "callDeflection", "callRerouting")
    if granted:
        services.grant(owed)
    else:
        services.refuse(owed, NOT_AVAILABLE)
