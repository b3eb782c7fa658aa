"""What people ask about the way of a call: the tables in force, and what would become of one."""

from pathlib import Path

from appliance.bus.messages import (
    EntryInfo,
    ExplainRoute,
    NumberInfo,
    RouteExplained,
    RoutePlan,
    Sentence,
    WayInfo,
)
from appliance.centre.dialplan import Reject, ToTrunk
from appliance.centre.entry.explain import explained, where
from appliance.centre.entry.rules import Arrival
from appliance.centre.turn import Turn
from appliance.config.pattern import NUMBER
from appliance.errors import StateError


def explain_route(turn: Turn, asked: ExplainRoute) -> RouteExplained:
    """StateError: a trunk that no number and no way of the box has, or no number."""
    trunks = _trunks(turn)
    if asked.trunk not in trunks:
        raise StateError(f"no number and no way of this box is on a trunk {asked.trunk!r}, they are on "
                         f"{', '.join(sorted(trunks)) or 'none'}")
    if not NUMBER.fullmatch(asked.called):
        raise StateError(f"called {asked.called!r}: no number")
    if asked.calling and not NUMBER.fullmatch(asked.calling):
        raise StateError(f"calling {asked.calling!r}: no number")
    at = asked.at or turn.now
    verdict = turn.setup.plan.judge(asked.trunk, asked.called, complete=True)
    arrival = Arrival(asked.trunk, asked.called, asked.calling, asked.withheld, at)
    steps = [_short(one.sentence)
             for one in explained(verdict, turn.setup.entrance, arrival, turn.state.forced)]
    if isinstance(verdict, ToTrunk):
        return RouteExplained(at=at, steps=steps, kind="out", trunk=verdict.route.to, digits=verdict.digits)
    return RouteExplained(at=at, steps=steps, kind="refused" if isinstance(verdict, Reject) else "in")


def route_plan(turn: Turn) -> RoutePlan:
    """The rows of the document in force, in its order."""
    centre = turn.setup.entrance.centre
    return RoutePlan(
        entry=[EntryInfo(name=rule.name, trunks=list(rule.trunks), called=list(rule.called),
                         goes=_short(where(rule).sentence) if rule.given else None) for rule in centre.entry],
        inbound=[NumberInfo(trunk=one.trunk, called=one.called, flow=Path(one.flow).name,
                            calendar=one.calendar or "",
                            closed=_short(where(one.closed).sentence) if one.closed else None)
                 for one in centre.inbound],
        outbound=[WayInfo(trunk=one.trunk, called=one.called, to=one.to, calling=one.calling or "")
                  for one in centre.outbound])


def _short(told: Sentence) -> Sentence:
    """Flows by the names of their files: who looks at a page knows no folders of the box."""
    return Sentence(told.words, {
        name: _short(value) if isinstance(value, Sentence)
        else Path(value).name if name == "flow" else value for name, value in told.values.items()})


def _trunks(turn: Turn) -> set[str]:
    centre = turn.setup.entrance.centre
    named = {one.trunk for one in centre.inbound} | {one.trunk for one in centre.outbound}
    return named | {trunk for rule in centre.entry for trunk in rule.trunks} | {
        agent.trunk for agent in centre.agents if agent.trunk}
