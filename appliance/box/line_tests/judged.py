"""What may be ordered, and what a test's facts come to. Pure."""

from typing import Any

from appliance.bus.messages import LineTestOrder
from appliance.bus.messages.line_tests import KINDS, LONGEST_S, LOOPS, MOST_INJECTED, PATTERNS
from appliance.config.timeslots import timeslots

SHORTEST_S = 1.0
MOST_SITE = 200                                   # characters
LONGEST_STEP_S = 3600.0                           # of a verdict


def mistake(order: LineTestOrder) -> str:
    """Why it cannot be; "": it can."""
    longest_s = LONGEST_STEP_S if order.kind == "verdict" else LONGEST_S
    if order.kind not in KINDS:
        return f"kind {order.kind!r}: one of {', '.join(KINDS)}"
    if not SHORTEST_S <= order.for_s <= longest_s:
        return f"for_s {order.for_s:g}: from {SHORTEST_S:g} to {longest_s:g} s"
    if order.pattern not in PATTERNS:
        return f"pattern {order.pattern!r}: one of {', '.join(PATTERNS)}"
    if order.loop not in LOOPS:
        return f"loop {order.loop!r}: one of {', '.join(LOOPS)}"
    if not 0 <= order.inject <= MOST_INJECTED:
        return f"inject {order.inject}: from 0 to {MOST_INJECTED}"
    if len(order.site) > MOST_SITE or not order.site.isprintable():
        return f"site: one line of at most {MOST_SITE} characters"
    try:
        found = timeslots(order.timeslots)
    except ValueError as error:
        return f"timeslots: {error}"
    return "" if found else "timeslots: none: write 1-15,17-31"


def outcome(kind: str, facts: dict[str, Any], stopped: bool) -> str:
    """A word of LineTest.outcome. Without facts nothing was found."""
    if kind == "verdict":
        return str(facts["fault"]) if facts else "stopped"
    if not facts:
        return "stopped"
    if kind == "loop":
        return "done"
    if kind == "detect":
        return _detected(facts)
    if not facts["bits"]:
        return "stopped" if stopped else "no-pattern"
    return "clean" if facts["clean"] else "errors"


def _detected(facts: dict[str, Any]) -> str:
    if not facts["up"]:
        return "line-down"
    if facts["looped"]:
        return "looped"
    found = {one["what"]: one["sure"] for one in facts["findings"]}
    return "found" if found.get("side") in ("seen", "tried") else "silent"
