"""What stands in the way of a test of a line, and what the facts of one mean. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.bus.messages import LineTest, LineTestReply
from appliance.config.timeslots import in_words
from webui.mirror import Floor

PROVEN = 1e-6                                     # what a line has to prove before it is in order
GOOD = frozenset({"clean", "done", "nothing wrong", "found"})
UNSURE = frozenset({"stopped", "broken-off", "cannot say", "no-pattern", "silent"})


@dataclass(frozen=True, slots=True)
class Hindrance:
    """`calls` on the span; `lent` for other tests; `away`: a daemon that a test needs."""

    span: str
    calls: int
    lent: bool
    test: str                                     # the one that runs; "": none
    away: tuple[str, ...]

    @property
    def free(self) -> bool:
        return not (self.calls or self.lent or self.test or self.away)


def hindrance(floor: Floor, span: str) -> Hindrance:
    states, line, test = floor.channels.get(span), floor.spans.get(span), floor.tests.get(span)
    going = test.test if test is not None and test.state != "ended" else ""
    return Hindrance(
        span=span, calls=sum(bool(one.leg) for one in states.channels) if states else 0,
        lent=bool(line and line.lent) and not going, test=going,
        away=tuple(sorted(floor.away & {"spand", "boxd"})))


@dataclass(frozen=True, slots=True)
class Bad:
    """A timeslot with errors, or without the pattern."""

    timeslot: int
    in_sync: bool
    bits: int
    errors: int
    ber: float | None
    slips: int


@dataclass(frozen=True, slots=True)
class Result:
    """`tone` of the outcome: good, warn, bad, or "" while it goes on. `facts` as boxd has them."""

    tone: str
    passed: float                                 # 0 to 1; of a step of unknown length 0
    facts: Mapping[str, Any]
    timeslots: str
    bad: tuple[Bad, ...]
    counters: tuple[tuple[str, int], ...]         # that are not 0
    alarms: tuple[str, ...]


def result(reply: LineTestReply) -> Result:
    test, facts = reply.test, reply.facts
    counters = facts.get("counters") or {}
    alarms = facts.get("alarms") or {}
    return Result(
        tone=tone(test), passed=min(1.0, test.passed_s / test.of_s) if test.of_s else 0.0, facts=facts,
        timeslots=in_words(facts.get("timeslots") or []),
        bad=tuple(Bad(one["timeslots"][0], one["in_sync"], one["bits"], one["errors"], one["ber"],
                      one["slips"]) for one in facts.get("each") or []
                  if not one["in_sync"] or one["errors"] or one["slips"]),
        counters=tuple((name, count) for name, count in sorted(counters.items()) if count),
        alarms=tuple(name for name, stands in alarms.items() if stands))


def tone(test: LineTest) -> str:
    if test.state != "ended":
        return ""
    return "good" if test.outcome in GOOD else "warn" if test.outcome in UNSURE else "bad"
