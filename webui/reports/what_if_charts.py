"""A figure over the day, as it was and changed, each with what is sure of it: geometry for SVG. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webui.reports import words
from webui.reports.charts import BOTTOM, HEIGHT, LEFT, MOST_MARKS, RIGHT, TOP, WIDTH, axis, scale

Pair = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """Pieces: nothing is drawn where nothing is known."""

    lines: tuple[str, ...]
    bands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hover:
    x: float
    width: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    metric: str
    base: Line
    changed: Line
    target: float | None                          # its y
    grid: tuple[tuple[float, str], ...]
    marks: tuple[tuple[float, str], ...]
    hovers: tuple[Hover, ...]

    @property
    def bottom(self) -> float:
        return HEIGHT - BOTTOM


def draw(metric: str, unit: str, intervals: Sequence[Mapping[str, Any]],
         target: float | None) -> Chart | None:
    """`intervals` as appliance.sim.replayed has them. None: there is nothing to be drawn."""
    both = {title: [_pair(one[title].get(metric)) for one in intervals] for title in ("base", "changed")}
    known = [value + side * (half or 0.0) for pairs in both.values() for value, half in pairs
             if value is not None for side in (0, 1)]
    if len(intervals) < 2 or not known:
        return None
    most = min(1.0, max(known)) if unit == "share" else max(known)
    low, high, step = scale(0.0, max(most, target or 0.0), unit)
    wide = (WIDTH - LEFT - RIGHT) / len(intervals)
    xs = [round(LEFT + (at + 0.5) * wide, 1) for at in range(len(intervals))]

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - (min(max(value, low), high) - low) / (high - low)
                     * (HEIGHT - TOP - BOTTOM), 1)

    def line(title: str) -> Line:
        runs = list(_runs(xs, both[title]))
        points = [[(x, y(value)) for x, value, _ in run] for run in runs]
        bands = [" ".join([*(f"{x:g},{y(value + half):g}" for x, value, half in run),
                           *(f"{x:g},{y(value - half):g}" for x, value, half in reversed(run))])
                 for run in runs if len(run) > 1]
        return Line(tuple(" ".join(f"{x:g},{top:g}" for x, top in (run if len(run) > 1 else run * 2))
                          for run in points), tuple(bands))

    every = max(1, -(-len(intervals) // MOST_MARKS))
    return Chart(
        metric, line("base"), line("changed"), None if target is None else y(target),
        tuple((y(low + at * step), axis(low + at * step, unit))
              for at in range(round((high - low) / step) + 1)),
        tuple((xs[at], str(intervals[at]["at"])) for at in range(0, len(intervals), every)),
        tuple(Hover(round(x - wide / 2, 1), round(wide, 1),
                    f"{one['at']}: {words.shown(was, unit)} → {words.shown(now, unit)}")
              for x, one, (was, _), (now, _) in zip(
                  xs, intervals, both["base"], both["changed"], strict=True)))


def _runs(xs: Sequence[float], pairs: Sequence[Pair]) -> Iterator[list[tuple[float, float, float]]]:
    run: list[tuple[float, float, float]] = []
    for x, (value, half) in zip(xs, pairs, strict=True):
        if value is None:
            if run:
                yield run
            run = []
        else:
            run.append((x, value, half or 0.0))
    if run:
        yield run


def _pair(found: Any) -> Pair:
    return (found[0], found[1]) if isinstance(found, list) and len(found) == 2 else (None, None)
