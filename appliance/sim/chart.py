"""Studies of one day as a picture, SVG. Pure: text comes out."""

import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from appliance.sim.figures import ALL
from appliance.sim.study import Estimate, Study

WIDTH, HEIGHT = 960, 560
_LEFT, _RIGHT, _TOP, _BOTTOM, _GAP = 60, 20, 50, 60, 50
_COLOURS = ("#1f5fa8", "#c0392b", "#1e8449", "#8e44ad", "#b9770e", "#117a8b")
_ANSWERED, _ABANDONED, _BLOCKED, _INK, _GRID = "#7fb3d8", "#e08e79", "#888888", "#222222", "#dddddd"


def svg(studies: Sequence[Study], target: float | None = None) -> str:
    """Two panels over the day: calls of the first study, and the service level of all, with what is sure."""
    first = studies[0]
    numbers = list(first.days[0].intervals[ALL])
    panel = (HEIGHT - _TOP - _BOTTOM - _GAP) / 2
    parts = [_title(first), *_calls(first, numbers, _TOP, panel),
             *_levels(studies, numbers, _TOP + panel + _GAP, panel, target),
             *_hours(first, numbers, HEIGHT - _BOTTOM)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
            f'height="{HEIGHT}" font-family="sans-serif" font-size="12" fill="{_INK}">\n'
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n")


def clock(study: Study, number: int) -> str:
    """When an interval begins."""
    minutes = number * study.branch.scenario.interval_min
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _title(study: Study) -> str:
    scenario = study.branch.scenario
    return _text(_LEFT, 24, f"{scenario.day.isoformat()}, mean of {scenario.replications} replications, "
                            f"by {scenario.interval_min} min", size=15)


def _calls(study: Study, numbers: Sequence[int], top: float, height: float) -> Iterator[str]:
    """Stacked: answered, abandoned, blocked; what is left white of the bar was in no queue."""
    kinds = (("answered", _ANSWERED), ("abandoned", _ABANDONED), ("blocked", _BLOCKED))
    most = max(1.0, *(study.estimate("calls", interval=number).mean for number in numbers))
    yield from _axis(top, height, most, "calls", "{:.0f}")
    for place, number in enumerate(numbers):
        left, right = _x(place, numbers), _x(place + 1, numbers)
        bottom = top + height
        for metric, colour in kinds:
            tall = study.estimate(metric, interval=number).mean / most * height
            bottom -= tall
            yield _box(left, bottom, max(0.5, right - left - 1), tall, colour)
    for place, (metric, colour) in enumerate(kinds):
        yield _box(WIDTH - 290 + 95 * place, top - 14, 10, 10, colour)
        yield _text(WIDTH - 276 + 95 * place, top - 5, metric)


def _levels(studies: Sequence[Study], numbers: Sequence[int], top: float, height: float,
            target: float | None) -> Iterator[str]:
    yield from _axis(top, height, 100.0, "service level", "{:.0f} %")
    if target is not None:
        y = top + height * (1 - target)
        yield f'<path d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}" stroke="{_INK}" stroke-dasharray="4 4"/>'
    for place, study in enumerate(studies):
        found = [(column, study.estimate("service_level", interval=number))
                 for column, number in enumerate(numbers)]
        middle, upper, lower = [
            [((_x(column, numbers) + _x(column + 1, numbers)) / 2,
              top + height * (1 - min(1.0, max(0.0, one.mean + side * _sure(one))))) for column, one in found
             if not math.isnan(one.mean)] for side in (0, 1, -1)]
        colour, x = _colour(place), 160 + place * (WIDTH - 160 - _RIGHT) / max(4, len(studies))
        yield _box(x, top - 14, 10, 10, colour)
        yield _text(x + 14, top - 5, study.title)
        yield f'<polygon points="{_points([*upper, *reversed(lower)])}" fill="{colour}" fill-opacity="0.15"/>'
        yield f'<polyline points="{_points(middle)}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _axis(top: float, height: float, most: float, label: str, form: str) -> Iterator[str]:
    for part in range(5):
        y = top + height * (1 - part / 4)
        yield f'<path d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}" stroke="{_GRID}"/>'
        yield _text(_LEFT - 6, y + 4, form.format(most * part / 4), anchor="end")
    yield _text(_LEFT, top - 5, label)


def _hours(study: Study, numbers: Sequence[int], y: float) -> Iterator[str]:
    step = max(1, math.ceil(len(numbers) / 12))
    for place, number in enumerate(numbers):
        if place % step == 0:
            yield _text(_x(place, numbers), y + 18, clock(study, number), anchor="middle")


def _x(place: int, numbers: Sequence[int]) -> float:
    return _LEFT + place * (WIDTH - _LEFT - _RIGHT) / len(numbers)


def _sure(estimate: Estimate) -> float:
    return 0.0 if math.isnan(estimate.half) else estimate.half


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _text(x: float, y: float, text: str, size: int = 12, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{escape(text)}</text>'


def _colour(place: int) -> str:
    return _COLOURS[place % len(_COLOURS)]
