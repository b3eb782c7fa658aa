"""A line's history as a drawing: one small row of bars for each figure, all over one axis of time. Pure.

Heights are logarithmic: one errored second is to be seen beside nine hundred.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from e1_driver.watch.bins import DAY_S, KEPT, QUARTER_S, Bin, End

FIGURES = ("uas", "ses", "es", "bbe")             # worst first
MOST_BBE = 100_000                                # at the top; of the others the seconds of a bin
LEFT, RIGHT, ROW, GAP = 62.0, 970.0, 34.0, 8.0    # in the drawing's units


@dataclass(frozen=True, slots=True)
class Bar:
    at: int
    x: float
    width: float
    y: float
    height: float
    value: int


@dataclass(frozen=True, slots=True)
class Row:
    """`untold`: the interface cannot tell this figure."""

    figure: str
    base: float                                   # y of its axis
    bars: tuple[Bar, ...]
    most: int
    untold: bool


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    at: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Not measured."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Chart:
    rows: tuple[Row, ...]
    gaps: tuple[Gap, ...]
    ticks: tuple[Tick, ...]
    height: float
    length_s: int                                 # of a bin

    @property
    def clean(self) -> bool:
        return not any(row.most for row in self.rows)


def quarters(bins: Sequence[Bin], near: bool, now_unix_s: float) -> Chart:
    """The running quarter and the 96 before it."""
    return _chart(bins, near, now_unix_s, QUARTER_S, tick_every=3 * 3600)


def days(bins: Sequence[Bin], near: bool, now_unix_s: float) -> Chart:
    """The running day (of UTC) and the 30 before it."""
    return _chart(bins, near, now_unix_s, DAY_S, tick_every=5 * DAY_S)


def _chart(bins: Sequence[Bin], near: bool, now_unix_s: float, length_s: int, tick_every: int) -> Chart:
    newest = int(now_unix_s) // length_s * length_s
    starts = [newest - length_s * back for back in reversed(range(KEPT[length_s] + 1))]
    by_start = {one.at: one.near if near else one.far for one in bins}
    step = (RIGHT - LEFT) / len(starts)
    places = {at: LEFT + step * order for order, at in enumerate(starts)}
    rows = tuple(_row(figure, order, by_start, places, step, length_s)
                 for order, figure in enumerate(FIGURES))
    gaps = tuple(Gap(round(x, 2), round(step, 2)) for at, x in places.items()
                 if (end := by_start.get(at)) is None or not end.measured_s)
    ticks = tuple(Tick(round(x, 2), at) for at, x in places.items() if at % tick_every == 0)
    return Chart(rows, gaps, ticks, len(FIGURES) * (ROW + GAP) + GAP, length_s)


def _row(figure: str, order: int, by_start: Mapping[int, End], places: Mapping[int, float], step: float,
         length_s: int) -> Row:
    base = (order + 1) * (ROW + GAP)
    top = MOST_BBE if figure == "bbe" else length_s
    values = {at: getattr(by_start[at], figure) for at in places
              if at in by_start and by_start[at].measured_s}
    bars = tuple(
        Bar(at, round(places[at] + step * 0.1, 2), round(step * 0.8, 2), round(base - height, 2),
            round(height, 2), value)
        for at, value in values.items() if value
        for height in (max(2.0, ROW * min(1.0, math.log1p(value) / math.log1p(top))),))
    told = [value for value in values.values() if value is not None]
    return Row(figure, base, bars, max(told, default=0), bool(values) and not told)
