"""Results -> figures: how many, how good, where to; and the appraisal that blends them with others. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from appliance.config.quality import AppraisalConfig


@dataclass(frozen=True, slots=True)
class Point:
    """One result under one name."""

    name: str
    period: str
    score: float                                  # of 100
    passed: bool
    fatal: bool


@dataclass(frozen=True, slots=True)
class Summary:
    count: int
    mean: float | None
    passed: int
    fatal: int


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    whole: Summary
    periods: dict[str, Summary]                   # those with a result
    trend: float | None


def rows(points: Iterable[Point], periods: Sequence[str]) -> list[Row]:
    """The worst first; the best have the same order every time."""
    named: dict[str, list[Point]] = defaultdict(list)
    for point in points:
        named[point.name].append(point)
    found = [row(name, of, periods) for name, of in named.items()]
    return sorted(found, key=lambda one: (one.whole.mean or 0.0, one.name))


def row(name: str, points: Sequence[Point], periods: Sequence[str]) -> Row:
    by_period: dict[str, list[Point]] = defaultdict(list)
    for point in points:
        by_period[point.period].append(point)
    summaries = {period: summary(of) for period, of in by_period.items()}
    means = [(place, one.mean) for place, period in enumerate(periods)
             if (one := summaries.get(period)) is not None and one.mean is not None]
    return Row(name, summary(points), summaries, trend(means))


def summary(points: Sequence[Point]) -> Summary:
    mean = sum(point.score for point in points) / len(points) if points else None
    return Summary(len(points), mean, sum(point.passed for point in points),
                   sum(point.fatal for point in points))


def trend(means: Sequence[tuple[int, float]]) -> float | None:
    """Points a period of the line of least squares; None: fewer than two periods."""
    if len(means) < 2:
        return None
    middle = sum(x for x, _ in means) / len(means)
    level = sum(y for _, y in means) / len(means)
    return sum((x - middle) * (y - level) for x, y in means) / sum((x - middle) ** 2 for x, _ in means)


@dataclass(frozen=True, slots=True)
class Part:
    config: AppraisalConfig
    value: float | None
    points: float | None
    formula: str


@dataclass(frozen=True, slots=True)
class Appraisal:
    points: float | None
    formula: str
    parts: list[Part]


def appraise(configs: Sequence[AppraisalConfig], values: Sequence[float | None]) -> Appraisal:
    """The weighted mean of the parts whose value is known; each with how it came."""
    parts = [_part(config, value) for config, value in zip(configs, values, strict=True)]
    known = [(part.config.weight, part.points) for part in parts if part.points is not None]
    whole = sum(weight for weight, _ in known)
    if not known:
        return Appraisal(None, "", parts)
    points = sum(weight * of for weight, of in known) / whole
    above = " + ".join(f"{weight:g} x {of:.1f}" for weight, of in known)
    return Appraisal(points, f"({above}) / {whole:g} = {points:.1f}", parts)


def _part(config: AppraisalConfig, value: float | None) -> Part:
    if value is None:
        return Part(config, None, None, "")
    share = (value - config.worst) / (config.best - config.worst)
    points = 100.0 * min(1.0, max(0.0, share))
    line = f"100 x ({value:g} - {config.worst:g}) / ({config.best:g} - {config.worst:g})"
    cut = f"min(100, {line})" if share > 1.0 else f"max(0, {line})" if share < 0.0 else line
    return Part(config, value, points, f"{cut} = {points:.1f}")


def series(points: Mapping[str, Summary], periods: Sequence[str]) -> list[Summary]:
    """One of each period, also where nothing was judged."""
    return [points.get(period, Summary(0, None, 0, 0)) for period in periods]
