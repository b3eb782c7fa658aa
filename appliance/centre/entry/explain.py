"""Where a call would go and why, in sentences, by the same code as a real call: `branchline route`."""

from collections.abc import Mapping

from appliance.centre.dialplan import DialPlan, Reject, ToEntry, ToTrunk, Verdict
from appliance.centre.entry.calendar import Forced
from appliance.centre.entry.reason import Reason, together
from appliance.centre.entry.rules import Arrival, Decision, Entrance
from appliance.config.entry import Destination


def explain(plan: DialPlan, entrance: Entrance, arrival: Arrival,
            forced: Mapping[str, Forced]) -> list[Reason]:
    """The last line says where it goes."""
    return explained(plan.judge(arrival.trunk, arrival.called, complete=True), entrance, arrival, forced)


def explained(verdict: Verdict, entrance: Entrance, arrival: Arrival,
              forced: Mapping[str, Forced]) -> list[Reason]:
    """The same, of what the dial plan said."""
    match verdict:
        case ToEntry(route):
            decision = entrance.decide(arrival, route, forced)
            return [*decision.looked_at, *_noted(decision), _taken(decision)]
        case ToTrunk(route=way, digits=digits):
            return [Reason("goes out: {digits} by trunk {trunk} (centre.outbound {pattern})",
                           digits=digits, trunk=way.to, pattern=way.called)]
        case Reject(cause=cause):
            return [Reason("refused with cause {cause}: no rule and no route has {number} on trunk {trunk}",
                           cause=str(cause), number=arrival.called or Reason("this number"),
                           trunk=arrival.trunk)]
        case _:
            raise AssertionError("a whole number is waited for")


def _noted(decision: Decision) -> list[Reason]:
    skills = ", ".join(f"{skill} {level}" for skill, level in decision.skills.items())
    noted = [
        *([Reason("priority {priority}", priority=str(decision.priority))]
          if decision.priority is not None else []),
        *([Reason("grade {grade}", grade=decision.grade)] if decision.grade else []),
        *([Reason("language {language}", language=decision.language)] if decision.language else []),
        *([Reason("skills {skills}", skills=skills)] if skills else []),
        *([Reason("region {region}", region=decision.region)] if decision.region else []),
        *([Reason("note {note}", note=decision.note)] if decision.note else [])]
    return [Reason("noted: {noted}", noted=together(noted))] if noted else []


def _taken(decision: Decision) -> Reason:
    why = together(decision.reasons)
    if decision.destination is None:
        return Reason("refused: {why}", why=why)
    place = where(decision.destination)
    if decision.rule:
        return Reason("rule {rule}: {place}", rule=decision.rule, place=place)
    return Reason("no rule: {place}: {why}", place=place, why=why)


def where(destination: Destination) -> Reason:
    """In words."""
    if (forward := destination.forward) is not None:
        trunk = Reason(" by trunk {trunk}", trunk=forward.trunk) if forward.trunk else ""
        after = Reason("; unanswered: flow {flow}", flow=forward.unanswered) if forward.unanswered else ""
        return Reason("forwarded to {number}{trunk}{after}", number=forward.number, trunk=trunk, after=after)
    if destination.flow is not None:
        return Reason("flow {flow}", flow=destination.flow)
    if destination.voicemail is not None:
        return Reason("voicemail box {box}", box=destination.voicemail)
    if destination.announce:
        return Reason("hears {prompts}, then the end", prompts=", ".join(destination.announce))
    return Reason("refused with cause {cause}", cause=str(destination.reject))
