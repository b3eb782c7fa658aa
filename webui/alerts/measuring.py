"""What a rule looks at, read from the floor as far as its owner sees it. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from appliance.bus.messages import AgentInfo, Board, FigureValue
from webui.alerts.judging import Limits, Reading
from webui.alerts.rules import Rule
from webui.mirror import Floor

DAY_S = 86400.0
FREE = "idle"
SHOWN = 5                                         # names that an alert tells

Figures = Callable[[Rule], Mapping[str, FigureValue] | None]         # by queue or agent; None: nobody knows


@dataclass(frozen=True, slots=True)
class View:
    """`floor`: narrowed to the range of the rule. `crew`: agent -> queues; asked for only when it matters."""

    floor: Floor
    groups: Mapping[str, frozenset[str]]
    crew: Callable[[], Mapping[str, tuple[str, ...]]]
    figures: Figures
    certificate_until: float | None = None


UNKNOWN = Reading()


def limits(rule: Rule) -> Limits:
    if rule.measure.unit == "yes":
        return Limits(False, 0.0, 0.0, rule.hold_s, rule.clear_s)
    level = rule.threshold if rule.clear is None else rule.clear
    return Limits(rule.compare == "below", rule.threshold, level, rule.hold_s, rule.clear_s)


def read(rule: Rule, view: View, now: float) -> Reading:
    return _READ[rule.measure.of](rule, view, now)


def _queue(rule: Rule, view: View, now: float) -> Reading:
    board = _board(view)
    queues = [one for one in board.queues if not rule.which or one.name in rule.which] if board else []
    if board is None or not queues:
        return UNKNOWN
    if rule.what == "waiting":
        counts = {one.name: float(len(one.waiting)) for one in queues}
        return Reading(sum(counts.values()), who=_worst(counts))
    if rule.what == "longest_wait":
        waits = {one.name: one.oldest_since for one in queues if one.oldest_since}
        return _oldest(waits)
    if rule.what == "ready":
        names, crew = {one.name for one in queues}, view.crew()
        if not crew:                              # acdd did not say yet who serves what
            return UNKNOWN
        ready = [one for one in board.agents if one.state == "ready" and names & set(crew.get(one.name, ()))]
        return Reading(float(len(ready)), who=tuple(sorted(names))[:SHOWN])
    return _figure(rule, view.figures(rule), [one.name for one in queues])


def _agent(rule: Rule, view: View, now: float) -> Reading:
    board = _board(view)
    if board is None:
        return UNKNOWN
    named = set(rule.which).union(*(view.groups.get(group, frozenset()) for group in rule.groups))
    agents = [one for one in board.agents if one.name in named or not (rule.which or rule.groups)]
    if not agents:
        return UNKNOWN
    if rule.what == "agents_ready":
        return Reading(float(sum(one.state == "ready" for one in agents)))
    if rule.what in ("not_ready", "wrap_up"):
        return _oldest(_in_state(agents, "not-ready" if rule.what == "not_ready" else "wrap-up"))
    return _figure(rule, view.figures(rule), [one.name for one in agents])


def _span(rule: Rule, view: View, now: float) -> Reading:
    floor = view.floor
    if rule.what == "dchannel_down":
        down = {name: not one.link_up for name, one in floor.channels.items() if one.channels}
        return _bad(rule, down, "trunkd" in floor.away)      # one without channels was taken away
    lines = {name: not one.up or bool(one.alarms) for name, one in floor.spans.items() if not one.lent}
    return _bad(rule, lines, "spand" in floor.away)


def _trunk(rule: Rule, view: View, now: float) -> Reading:
    free: dict[str, float] = {}
    for span in view.floor.channels.values():
        if span.channels and (not rule.which or span.trunk in rule.which):
            usable = sum(one.state == FREE and not one.blocked
                         for one in span.channels) if span.link_up else 0
            free[span.trunk] = free.get(span.trunk, 0.0) + usable
    if not free or "trunkd" in view.floor.away:
        return UNKNOWN
    least = min(free, key=lambda name: (free[name], name))
    return Reading(free[least], who=(least,))


def _box(rule: Rule, view: View, now: float) -> Reading:
    floor = view.floor
    if rule.what == "daemon_away":
        return Reading(float(len(floor.away)), who=tuple(sorted(floor.away))[:SHOWN])
    if rule.what == "certificate":
        return UNKNOWN if view.certificate_until is None else Reading((view.certificate_until - now) / DAY_S)
    if rule.what == "recording":
        warned = [one.kind for one in floor.recorder.warnings] if floor.recorder else None
        return _many(warned, "recordd" in floor.away)
    reasons = None
    if floor.fitness is not None:
        worse = ("unfit",) if rule.what == "unfit" else ("degraded", "unfit")
        reasons = [" ".join(part for part in (one.code, one.about) if part)
                   for one in floor.fitness.reasons if one.state in worse]
    return _many(reasons, "boxd" in floor.away)


_READ: dict[str, Callable[[Rule, View, float], Reading]] = {
    "queue": _queue, "agent": _agent, "span": _span, "trunk": _trunk, "box": _box}


def _board(view: View) -> Board | None:
    return None if "acdd" in view.floor.away else view.floor.board


def _figure(rule: Rule, values: Mapping[str, FigureValue] | None, names: Iterable[str]) -> Reading:
    """Of several together: what is above and below the line of each, added up."""
    rows = {name: values[name] for name in names if name in values} if values is not None else None
    if rows is None:
        return UNKNOWN
    top = sum(one.top for one in rows.values())
    if rule.measure.unit == "count":
        return Reading(top, who=_worst({name: one.top for name, one in rows.items()}))
    bottom = sum(one.bottom for one in rows.values())
    if not bottom:                                # nothing to divide by, as before the first call of a day
        return UNKNOWN
    return Reading(100.0 * top / bottom, who=tuple(sorted(rows))[:SHOWN])


def _in_state(agents: Iterable[AgentInfo], state: str) -> dict[str, float]:
    return {one.name: one.since for one in agents if one.state == state}


def _oldest(since: Mapping[str, float]) -> Reading:
    if not since:
        return Reading(0.0)
    order = sorted(since, key=lambda name: (since[name], name))
    return Reading(since=since[order[0]], who=tuple(order)[:SHOWN])


def _worst(counts: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(sorted((name for name in counts if counts[name]), key=lambda name: (-counts[name],
        name)))[:SHOWN]


def _bad(rule: Rule, bad: Mapping[str, bool], away: bool) -> Reading:
    """`bad`: by name."""
    looked_at = {name: one for name, one in bad.items() if not rule.which or name in rule.which}
    return _many(sorted(name for name, one in looked_at.items() if one) if looked_at else None, away)


def _many(found: list[str] | None, away: bool) -> Reading:
    return UNKNOWN if found is None or away else Reading(float(len(found)), who=tuple(found)[:SHOWN])
