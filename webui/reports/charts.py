"""A chart of one figure over intervals: geometry for the SVG of the page and the drawing of the PDF. Pure.

One line is the time asked for, one the weeks before, one the target; the table below it says the same.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from appliance.bus.messages import FigureDefinition
from webui.reports import words
from webui.reports.choice import Times
from webui.reports.tables import Section

WIDTH, HEIGHT = 1080.0, 250.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 14.0, 16.0, 30.0
MOST_MARKS = 12                                   # below the time axis
MOST_HOVERS = 400                                 # places that tell their value when pointed at
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
LINES = 4                                         # across, about


@dataclass(frozen=True, slots=True)
class Hover:
    x: float
    width: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """In a box of WIDTH by HEIGHT, y downward. Lines are pieces: nothing is drawn where nothing is known."""

    now: tuple[str, ...]                          # points of polylines: "x,y x,y"
    before: tuple[str, ...]
    target: float | None                          # its y
    mean: float | None
    peak: tuple[float, float] | None
    peak_text: str
    grid: tuple[tuple[float, str], ...]           # y, what it says
    marks: tuple[tuple[float, str], ...]          # x, what it says
    hovers: tuple[Hover, ...]

    @property
    def bottom(self) -> float:
        return HEIGHT - BOTTOM


def draw(section: Section, place: int, definition: FigureDefinition, times: Times,
         mean: float | None) -> Chart | None:
    """None: there is nothing to be drawn."""
    cells = [line.cells[place] for line in section.lines]
    now = [cell.now.value for cell in cells]
    before = [cell.before.value if cell.before else None for cell in cells]
    target = next((cell.now.target for cell in cells if cell.now.target is not None), None)
    known = [value for value in (*now, *before, target, mean) if value is not None]
    if not any(value is not None for value in now) or len(cells) < 2:
        return None
    low, high, step = scale(min(0.0, *known), max(known), definition.unit)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    wide = (WIDTH - LEFT - RIGHT) / len(cells)
    xs = [round(LEFT + (at + 0.5) * wide, 1) for at in range(len(cells))]
    most = max((at for at, value in enumerate(now) if value is not None), key=lambda at: now[at] or 0.0)
    top = now[most] or 0.0
    labels = [_label(section, at, times) for at in range(len(cells))]
    return Chart(
        now=_pieces(xs, now, y), before=_pieces(xs, before, y),
        target=None if target is None else y(target), mean=None if mean is None else y(mean),
        peak=(xs[most], y(top)), peak_text=f"{labels[most]}: {words.shown(top, definition.unit)}",
        grid=tuple((y(low + at * step), axis(low + at * step, definition.unit))
                   for at in range(round((high - low) / step) + 1)),
        marks=_marks(xs, section, times),
        hovers=tuple(
            Hover(round(x - wide / 2, 1), round(wide, 1), f"{label}: {words.shown(one, definition.unit)} "
                  f"({words.shown(was, definition.unit)})")
            for x, label, one, was in zip(xs, labels, now, before, strict=True))
        if len(cells) <= MOST_HOVERS else ())


def scale(low: float, high: float, unit: str) -> tuple[float, float, float]:
    """Least, most and step of round numbers around these; whole ones of what is counted."""
    if unit == "share" and high <= 1.0:
        high = max(high, 0.1)
    wide = high - low or 1.0
    power = 10.0 ** math.floor(math.log10(wide / LINES))
    step = next(one * power for one in STEPS if one * power * LINES >= wide * 0.999)
    if unit not in ("share", "s", "Erl"):
        step = max(1.0, math.ceil(step))
    return math.floor(low / step) * step, max(math.ceil(high / step - 1e-9), 1) * step, step


def axis(value: float, unit: str) -> str:
    if unit == "share":
        return f"{100 * value:.3g} %"
    if unit == "s":
        return words.shown(value, unit).replace(".0 s", " s")
    return f"{value:,.6g}"


def _pieces(xs: Sequence[float], values: Sequence[float | None],
            y: Callable[[float], float]) -> tuple[str, ...]:
    found: list[list[str]] = [[]]
    for x, value in zip(xs, values, strict=True):
        if value is None:
            found.append([])
        else:
            found[-1].append(f"{x:g},{y(value):g}")
    # One point alone is a dash as wide as nothing: two of them have round ends, and are seen.
    return tuple(" ".join(piece if len(piece) > 1 else piece * 2) for piece in found if piece)


def _label(section: Section, at: int, times: Times) -> str:
    line = section.lines[at]
    return f"{times.local(line.since):%Y-%m-%d %H:%M}"


def _marks(xs: Sequence[float], section: Section, times: Times) -> tuple[tuple[float, str], ...]:
    """Hours within a day, else days: at most MOST_MARKS of them, where they begin."""
    begins = [times.local(line.since) for line in section.lines]
    days = len({one.date() for one in begins})
    if days == 1:
        every = max(1, -(-len(begins) // MOST_MARKS))
        return tuple((xs[at], f"{begins[at]:%H:%M}") for at in range(0, len(begins), every))
    firsts = [at for at, one in enumerate(begins) if at == 0 or one.date() != begins[at - 1].date()]
    every = max(1, -(-len(firsts) // MOST_MARKS))
    return tuple((xs[at], f"{begins[at]:%m-%d}") for at in firsts[::every])
