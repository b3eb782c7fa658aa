"""What the lines told of a contact: parties, charges, traced callers, out of the log."""

from collections.abc import Iterable

import msgspec

from appliance.bus.messages import (
    CallerTrace,
    Charge,
    ContactCharge,
    ContactFacts,
    ContactLeg,
    ContactOffer,
    ContactParty,
    Disposition,
    Diversion,
)
from appliance.centre import events
from appliance.centre.events import decode
from appliance.centre.legs import legs
from appliance.centre.state import HIDDEN
from appliance.centre.story import story
from appliance.store.events import Entry
from appliance.store.records import reference

MOST_VARIABLES, LONGEST_VALUE = 100, 200


def facts(entries: Iterable[Entry]) -> ContactFacts:
    """Out of the events of store.schema.GIVES_LEG and TELLS of one contact, in order."""
    entries = list(entries)
    of = {leg.leg: leg for leg in legs(entries)}
    name, diversion = "", None
    parties: list[ContactParty] = []
    charges: dict[str, ContactCharge] = {}
    traces: list[CallerTrace] = []
    offers: list[ContactOffer] = []
    tags: list[str] = []
    dispositions: list[Disposition] = []
    routed = events.Routed(rule="", why="")
    variables: dict[str, str] = {}
    for entry in entries:
        match event := decode(entry):
            case events.Began() as began:
                name = began.calling_name
                if began.redirecting is not None:
                    diversion = Diversion(number=began.redirecting, reason=began.redirected_why)
            case events.Offered(agent=agent, why=why):
                offers.append(ContactOffer(at=entry.at, agent=agent, why=why))
            case events.Routed():
                routed = event
            case events.PartyKnown(of_leg=leg) as known:
                party = ContactParty(leg=of.get(leg) or _unknown(leg), at=entry.at, why=known.why,
                                     number=known.number, name=known.name, answered=known.answered)
                if not any(msgspec.structs.replace(other, at=entry.at) == party for other in parties[-1:]):
                    parties.append(party)
            case events.Charged(of_leg=leg):
                before = charges[leg].charge if leg in charges else None
                charges[leg] = ContactCharge(leg=of.get(leg) or _unknown(leg), at=entry.at,
                                             charge=add(before, _charge(event)))
            case events.TraceAsked(by=by):
                traces.append(CallerTrace(at=entry.at, by=by))
            case events.Tagged():
                tags = event.tags
            case events.Disposed():
                dispositions.append(Disposition(at=entry.at, by=event.by, code=event.code, note=event.note))
            case events.VariablesSet(values=values):
                variables |= {key: str(value)[:LONGEST_VALUE] for key, value in values.items()}
            case events.TraceOver(done=done, why=why):
                _answer(traces, done, why)
    return ContactFacts(calling_name=name, diversion=diversion, parties=parties,
                        charges=list(charges.values()), traces=traces, tags=tags, dispositions=dispositions,
                        rule=routed.rule, why=routed.why, reasons=routed.reasons, note=routed.note,
                        reference=reference(entries[0].contact) if entries else "", recordings=story(entries),
                        variables=dict(list(_open(variables).items())[:MOST_VARIABLES]), offers=offers)


def _open(variables: dict[str, str]) -> dict[str, str]:
    """Those that are no secrets: in the log one has HIDDEN for each of its digits."""
    return {name: value for name, value in variables.items() if HIDDEN not in value}


def add(before: Charge | None, now: Charge) -> Charge:
    """All of it, after one more advice. One that tells nothing changes nothing."""
    if before is None:
        return msgspec.structs.replace(now, total=True)
    if now.units is None and now.amount_thousandths is None and not now.free:
        return before
    if now.total:
        return now
    units = _sum(before.units, now.units)
    amount = _sum(before.amount_thousandths, now.amount_thousandths)
    return msgspec.structs.replace(now, units=units, amount_thousandths=amount, total=True,
                                   free=before.free and now.free, currency=now.currency or before.currency)


def _charge(event: events.Charged) -> Charge:
    fields = msgspec.structs.asdict(event)
    del fields["of_leg"]
    return Charge(**fields)


def _sum(before: int | None, now: int | None) -> int | None:
    return before if now is None else now + (before or 0)


def _answer(traces: list[CallerTrace], done: bool, why: str) -> None:
    """To the one that waits for it: the last."""
    if traces and traces[-1].done is None:
        traces[-1] = msgspec.structs.replace(traces[-1], done=done, why=why)


def _unknown(leg: str) -> ContactLeg:
    return ContactLeg(leg=leg, party="", at=0.0)
