"""Where a call would go and why, in sentences, by the same code as a real call: `branchline route`."""

from collections.abc import Mapping

from appliance.centre.dialplan import DialPlan, Reject, ToEntry, ToTrunk
from appliance.centre.entry.calendar import Forced
from appliance.centre.entry.rules import Arrival, Decision, Entrance
from appliance.config.entry import Destination


def explain(plan: DialPlan, entrance: Entrance, arrival: Arrival,
            forced: Mapping[str, Forced]) -> list[str]:
    """The last line says where it goes."""
    match plan.judge(arrival.trunk, arrival.called, complete=True):
        case ToEntry(route):
            decision = entrance.decide(arrival, route, forced)
            return [*decision.looked_at, *_noted(decision), _taken(decision)]
        case ToTrunk(route=way, digits=digits):
            return [f"goes out: {digits} by trunk {way.to} (centre.outbound {way.called})"]
        case Reject(cause=cause):
            return [f"refused with cause {cause}: no rule and no route has {arrival.called or 'this number'} "
                    f"on trunk {arrival.trunk}"]
        case _:
            raise AssertionError("a whole number is waited for")


def _noted(decision: Decision) -> list[str]:
    skills = ", ".join(f"{skill} {level}" for skill, level in decision.skills.items())
    said = {"priority": decision.priority, "grade": decision.grade, "language": decision.language,
            "skills": skills, "region": decision.region, "note": decision.note}
    noted = ", ".join(f"{key} {value}" for key, value in said.items() if value not in (None, ""))
    return [f"noted: {noted}"] if noted else []


def _taken(decision: Decision) -> str:
    if decision.destination is None:
        return f"refused: {decision.why}"
    if decision.rule:
        return f"rule {decision.rule}: {where(decision.destination)}"
    return f"no rule: {where(decision.destination)}: {decision.why}"


def where(destination: Destination) -> str:
    """In words."""
    if (forward := destination.forward) is not None:
        trunk = f" by trunk {forward.trunk}" if forward.trunk else ""
        after = f"; unanswered: flow {forward.unanswered}" if forward.unanswered else ""
        return f"forwarded to {forward.number}{trunk}{after}"
    if destination.flow is not None:
        return f"flow {destination.flow}"
    if destination.voicemail is not None:
        return f"voicemail box {destination.voicemail}"
    if destination.announce:
        return f"hears {', '.join(destination.announce)}, then the end"
    return f"refused with cause {destination.reject}"
