"""`e1ctl clock`: which of several lines a box would take its clock from, and why."""

from collections.abc import Sequence

from e1_driver import Clock
from e1_driver.ctl.runner import Line
from e1_driver.ctl.status import EVENTS, SETTLING_S, Facts, local, utc
from e1_driver.ctl.table import columns, paragraph
from e1_driver.watch.clock import HOLD_OVER, ClockChange, ClockSelector, Why

WHY = {
    Why.START: "the first usable line of the list",
    Why.FAILED: "the line before it failed for longer than the hold-off time",
    Why.RESTORED: "the first line that came back",
    Why.REVERTED: "a line higher in the list was good for the revert time",
}


class Chooser:
    """Feeds the selector with what the lines say."""

    def __init__(self, lines: Sequence[Line], selector: ClockSelector) -> None:
        self.events: list[Facts] = []
        self.seconds = 0.0
        self._lines, self._selector = lines, selector
        self._began: float | None = None

    def tick(self, now: float) -> None:
        """To be called ten times a second. Lines just opened get a moment to come up."""
        self._began = now if self._began is None else self._began
        self.seconds = now - self._began
        if self.seconds >= SETTLING_S:
            for change in self._selector.update(now, {line.url: not _why_not(line) for line in self._lines}):
                self.events = [*self.events[1 - EVENTS:], _event(change)]

    def facts(self) -> Facts:
        return {"command": "clock", "at": utc(), "seconds": round(self.seconds, 1),
                "source": self._selector.source,
                "lines": [{"url": line.url, "usable": not _why_not(line), "why_not": _why_not(line),
                           "alarms": sorted(line.span.status().alarms),
                           "slips": _slips(line)} for line in self._lines],
                "changes": self.events}


def _why_not(line: Line) -> str:
    """Why a line is of no use as a clock; empty: it is."""
    if line.span.away:
        return "away"
    if line.span.abilities.clock is not Clock.LINE:
        return "own clock"
    status = line.span.status()
    return "" if status.up else " ".join(sorted(status.alarms)).upper()


def _slips(line: Line) -> int | None:
    return line.span.counters().slips if "slips" in line.span.abilities.counters else None


def _event(change: ClockChange) -> Facts:
    return {"at": utc(), "source_before": change.source_before, "source": change.source, "why": change.why}


def table(facts: Facts, width: int) -> list[str]:
    lines = [*paragraph("clock from", facts["source"] or f"{HOLD_OVER}: no line is usable", width), ""]
    rows = [("", "usable", "slips", "line"),
            *(("->" if one["url"] == facts["source"] else "",
               "yes" if one["usable"] else f"no: {one['why_not']}",
               "-" if one["slips"] is None else str(one["slips"]), one["url"]) for one in facts["lines"])]
    lines += columns(rows, right=(2,), width=width)
    changes = [line for event in facts["changes"] for line in _spoken(event, width)]
    return [*lines, "", *changes] if changes else lines


def _spoken(event: Facts, width: int) -> list[str]:
    return paragraph(local(event["at"]), f"clock from {event['source'] or HOLD_OVER}, before "
                     f"{event['source_before'] or HOLD_OVER}: {WHY[event['why']]}", width, indent=10)
