"""A report: what acdd counted, beside its targets and the weeks before. All sums are acdd's."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import msgspec
from flask_babel import gettext

from appliance.bus.messages import FigureDefinition, FigureRow, Figures, FigureValue, GetFigures, Request
from webui.reports.choice import ALL, ON_THE_BUS, Ask, Choice, Times

Asking = Callable[[Request[Any]], Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """`before`: the figure in the time it is compared to; None: there is none."""

    now: FigureValue
    before: FigureValue | None

    def change(self, unit: str) -> float | None:
        """Of a share in percentage points, else a share of what it was."""
        was = self.before.value if self.before else None
        if self.now.value is None or was is None:
            return None
        if unit == "share":
            return 100 * (self.now.value - was)
        return (self.now.value - was) / was if was else None


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    since: float
    until: float
    cells: tuple[Cell, ...]
    counted: bool = True                          # something was, in this time or in the one before


@dataclass(frozen=True, slots=True)
class Section:
    """Lines are names, or the intervals of `name`. `total`: all together, or the whole time."""

    name: str
    lines: tuple[Line, ...]
    total: Line | None


@dataclass(frozen=True, slots=True)
class Report:
    choice: Choice
    times: Times
    at: float                                     # what went on then is in it
    definitions: tuple[FigureDefinition, ...]
    sections: tuple[Section, ...]

    def place(self, figure: str) -> int:
        """Of a figure among the definitions; the first where it is not among them."""
        return next((place for place, one in enumerate(self.definitions) if one.name == figure), 0)


def make(choice: Choice, times: Times, ask: Asking, only: Sequence[str] | None = None) -> Report:
    """`only`: the names that may be seen, None: all. ValueError, Refused, BusError."""
    names = choice.names or (tuple(only) if only is not None else ())
    if only is not None and not names:            # he sees nobody: nothing is asked
        return Report(choice, times, times.until, (), ())
    if choice.by_time and not names:
        if choice.kind == "flow":
            raise ValueError(gettext("Choose nodes: there is no sum of nodes to be shown by intervals."))
        names = (ALL,)
    before = None if times.long else times.before()
    now, earlier = _ask(choice, names, times, ask), _ask(choice, names, before, ask)
    definitions = tuple(now.definitions)
    whole = _by_name(now.whole), _by_name(earlier.whole)
    if not choice.by_time:
        lines = [_line(name, row, whole[1].get(name), definitions) for name, row in whole[0].items()]
        total = next((line for line in lines if line.name == ALL), None)
        section = Section(ALL, tuple(line for line in lines if line.name != ALL), total)
        return Report(choice, times, now.at, definitions, (section,))
    sections = [_by_time(name, times, choice.interval, now.rows, earlier.rows, whole, definitions)
                for name in names]
    return Report(choice, times, now.at, definitions, tuple(sections))


def _ask(choice: Choice, names: Sequence[str], times: Times | None, ask: Asking) -> Figures:
    """By the choice's intervals, and of the whole time; of no time nothing."""
    if times is None:
        return Figures(at=0.0, definitions=[], rows=[])

    def asked(one: Ask, whole: bool) -> Figures:
        found: Figures = ask(GetFigures(
            of=ON_THE_BUS[choice.kind], since=one.since, until=one.until, names=list(names),
            figures=list(choice.figures()), interval_s=one.interval_s, whole=whole))
        return found

    pieces = times.asks(choice.interval)
    if len(pieces) == 1:
        return asked(pieces[0], whole=True)
    found = asked(Ask(times.since, times.until, 0.0), whole=True)
    return msgspec.structs.replace(
        found, rows=[row for one in pieces for row in asked(one, whole=False).rows])


def _by_name(rows: Iterable[FigureRow]) -> dict[str, FigureRow]:
    return {row.name: row for row in rows}


def _by_time(name: str, times: Times, interval: str, now: Sequence[FigureRow], earlier: Sequence[FigureRow],
             whole: tuple[dict[str, FigureRow], dict[str, FigureRow]],
             definitions: Sequence[FigureDefinition]) -> Section:
    """Intervals meet those of the same time of the wall clock, whatever was done to clocks between.

    Where there is a time before, an interval of it without a row is one in which nothing was counted.
    """
    back = timedelta(days=times.shift_days)
    were = {times.local(row.since) + back: row for row in earlier if row.name == name}
    there = {row.since: row for row in now if row.name == name}
    lines = []
    for since, until in times.spans(interval):
        row, was = there.get(since), were.get(times.local(since))
        nothing = _nothing(name, since, until, definitions)
        line = _line(name, row or nothing, was or (nothing if name in whole[1] else None), definitions)
        lines.append(replace(line, counted=bool(row or was)))
    all_of_it = whole[0].get(name) or _nothing(name, times.since, times.until, definitions)
    return Section(name, tuple(lines), _line(name, all_of_it, whole[1].get(name), definitions))


def _nothing(name: str, since: float, until: float, definitions: Iterable[FigureDefinition]) -> FigureRow:
    """acdd has no row where nothing was counted: numbers are 0, there is nothing to divide by."""
    values = [FigureValue(value=0.0 if counts(one) else None, top=0.0, bottom=1.0 if counts(one) else 0.0)
              for one in definitions]
    return FigureRow(name=name, since=since, until=until, values=values, sums=[])


def counts(definition: FigureDefinition) -> bool:
    """It is a number of something: it can have a peak and a mean over intervals."""
    return definition.unit not in ("share", "s", "Erl")


def _line(name: str, row: FigureRow, before: FigureRow | None,
          definitions: Sequence[FigureDefinition]) -> Line:
    were: Sequence[FigureValue | None] = before.values if before else [None] * len(definitions)
    return Line(name, row.since, row.until, tuple(map(Cell, row.values, were)))


@dataclass(frozen=True, slots=True)
class Peak:
    """Of a day, or of the whole time (day ""): the interval with most of it, and the mean of an interval."""

    day: str
    line: Line
    value: float
    mean: float | None                            # None: the figure is none that can be added up
    intervals: int


def peaks(section: Section, place: int, definition: FigureDefinition, times: Times) -> list[Peak]:
    """One for each day, and for the whole time where there are several. Unknown values are left out."""
    by_day: dict[str, list[Line]] = {}
    for line in section.lines:
        if line.cells[place].now.value is not None:
            by_day.setdefault(times.local(line.since).strftime("%Y-%m-%d"), []).append(line)
    every = [line for lines in by_day.values() for line in lines]
    found = [_peak(day, lines, place, definition) for day, lines in by_day.items()
             if len(lines) > 1 or len(by_day) == 1]
    return [*found, _peak("", every, place, definition)] if len(by_day) > 1 else found


def _peak(day: str, lines: Sequence[Line], place: int, definition: FigureDefinition) -> Peak:
    values = [line.cells[place].now.value or 0.0 for line in lines]
    most = max(range(len(values)), key=values.__getitem__)
    mean = sum(values) / len(values) if counts(definition) and definition.name != "peak" else None
    return Peak(day, lines[most], values[most], mean, len(lines))
