"""Transfer: two calls with one far end become one of its own, and their two channels here are free.

Public networks: the user asks for a link identity of one call and executes the transfer on the other with it;
the network joins them and clears both (EN 300 369-1, 9.2.2). Private networks: each far end is told who is
there now, this exchange switches between the two and passes on the path replacement that they agree upon;
then they clear both calls. A refusal leaves both as they were.

Ref: ETSI EN 300 369-1; ECMA-178 (transfer by join), ECMA-176 (path replacement).
"""
from dataclasses import replace
from itertools import count
from typing import Any

from appliance.errors import StateError
from appliance.isdn.profile import Transfer
from appliance.isdn.supplementary.events import TransferAsked, TransferDone, Transferred, TransferRefused
from appliance.isdn.supplementary.invocations import Invocations, Owed
from appliance.isdn.supplementary.operations import (
    INVALID_CALL_STATE,
    LINK_ID_NOT_ASSIGNED,
    NOT_AVAILABLE,
    TEMPORARILY_UNAVAILABLE,
    UNRECOGNIZED_CALL_IDENTITY,
)
from appliance.isdn.supplementary.parties import presented, shown_name, to_presented

# --- asked by us


def request(services: Invocations, key: str, other: str, now: float) -> None:
    if services.profile.transfer is Transfer.NONE:
        raise StateError(f"{services.profile.title}: calls cannot be transferred")
    if key == other:
        raise StateError(f"call {key} with itself")
    for each in (key, other):
        facts = services.facts(each)
        if facts is None or not facts.answered:
            raise StateError(f"call {each} is not answered")
        if each in services.joined:
            raise StateError(f"call {each} is being transferred already")
    if services.profile.transfer is Transfer.PATH_REPLACEMENT:
        _join(services, key, other)
    else:
        _link(services, key, other, now)


def _link(services: Invocations, key: str, other: str, now: float) -> None:
    def refused(why: str) -> None:
        services.tell(TransferRefused(key, other, why))

    def linked(link_id: Any, now: float) -> None:
        services.ask(key, "explicitTransfer", link_id,
                     lambda value, now: services.tell(TransferDone(key, other)), refused, now)

    services.ask(other, "linkIdRequest", None, linked, refused, now)


def _join(services: Invocations, key: str, other: str) -> None:
    """From here on the two ends are one call for private networks, and talk to each other through us."""
    for each, end, whom in ((key, "primaryEnd", other), (other, "secondaryEnd", key)):
        services.send(each, services.inform("transferComplete", {
            "endDesignation": end, "redirectionNumber": to_presented(services.far_end(whom), screened=True)}))
    services.joined |= {key: other, other: key}


# --- told by the far end: somebody else is there now


def inform(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    to = value.get("redirectionNumber")
    services.tell(Transferred(owed.key, value["status"] == "active", to and presented(to)))


def complete(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    by = value.get("redirectionName")
    services.tell(Transferred(owed.key, value.get("callStatus") != "alerting",
                              presented(value["redirectionNumber"]), shown_name(by)))


def active(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    by = value.get("connectedName")
    services.tell(Transferred(owed.key, True, presented(value["connectedAddress"]), shown_name(by)))


# --- asked by the far end


def give_link_id(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    """One of each call, however often it is asked for."""
    given = {key: link_id for link_id, key in services.links.items()}
    link_id = given.get(owed.key) or next(free for free in count(1) if free not in services.links)
    services.links[link_id] = owed.key
    services.grant(owed, link_id)


def asked(services: Invocations, owed: Owed, link_id: Any, now: float) -> None:
    other = services.links.get(link_id)
    if other is None or other == owed.key:
        services.refuse(owed, LINK_ID_NOT_ASSIGNED)
        return
    both = [services.facts(key) for key in (owed.key, other)]
    if not all(facts is not None and facts.answered for facts in both):
        services.refuse(owed, INVALID_CALL_STATE)
        return
    services.owe(replace(owed, other=other), TransferAsked(owed.key, other))


def of_held_call(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    """No call is ever on hold here."""
    services.refuse(owed, INVALID_CALL_STATE)


def answer(services: Invocations, key: str, granted: bool) -> str:
    """The other call."""
    owed = services.owing(key, "explicitTransfer")
    if granted:
        services.grant(owed)
    else:
        services.refuse(owed, NOT_AVAILABLE)
    return owed.other


def loop_test(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    """The network looks for calls that were joined into a ring."""
    services.grant(owed, "insufficientInformation")


def pass_by(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    """Subaddresses: there are none here."""


def propose(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    """A better path for a call that ends here: it stays on the one that it has."""
    services.refuse(owed, TEMPORARILY_UNAVAILABLE)


def replace_path(services: Invocations, owed: Owed, value: Any, now: float) -> None:
    """The new path of a call: this exchange never proposed one."""
    services.refuse(owed, UNRECOGNIZED_CALL_IDENTITY)
