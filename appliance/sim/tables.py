"""Studies as lines for a terminal: one table side by side, the day in blocks, the day in rows. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from appliance.sim.chart import clock
from appliance.sim.figures import ALL, METRICS, Metric
from appliance.sim.study import Study

MOST_COLUMNS = 96                                 # of the day in blocks
LABEL, COLUMN = 18, 20
OF_THE_BOX = ("calls", "blocked", "occupancy")    # not of a queue alone
OF_AN_INTERVAL = ("calls", "blocked", "offered", "answered", "abandoned", "service_level", "asa_s",
                  "occupancy")


@dataclass(frozen=True, slots=True)
class Pen:
    """What blocks and signs are made of."""

    blocks: str = " ▁▂▃▄▅▆▇█"
    plus_minus: str = "±"


UNICODE, ASCII = Pen(), Pen(" .:-=+*#@", "+-")


def pen_for(encoding: str | None) -> Pen:
    """Blocks where the terminal's character set has them."""
    try:
        (UNICODE.blocks + UNICODE.plus_minus).encode(encoding or "ascii")
    except (UnicodeError, LookupError):
        return ASCII
    return UNICODE


def side_by_side(studies: Sequence[Study], pen: Pen, queue: str = ALL) -> Iterator[str]:
    """A row a figure, a column a study. A star: surely another value than in the first one."""
    titles = [f"{study.title[:COLUMN - 4]}  " for study in studies]
    yield f"{queue or 'all queues':{LABEL}}" + "".join(f"{title:>{COLUMN}}" for title in titles)
    for metric in METRICS.values():
        if queue == ALL or metric.name not in OF_THE_BOX:
            cells = [_cell(metric, study, queue, pen) + _star(metric, study, queue, studies[0])
                     for study in studies]
            yield f"{metric.label:{LABEL}}" + "".join(f"{cell:>{COLUMN}}" for cell in cells)


def over_the_day(study: Study, pen: Pen) -> Iterator[str]:
    """A character an interval, or for several in a long day: the most calls, the worst level and wait."""
    numbers = list(study.days[0].intervals[ALL])
    step = math.ceil(len(numbers) / MOST_COLUMNS)
    groups = [numbers[at:at + step] for at in range(0, len(numbers), step)]
    begins, ends = clock(study, numbers[0]), clock(study, numbers[-1] + 1)
    yield f"{'':{LABEL}}{begins}{ends:>{max(6, len(groups) - len(begins))}}"
    for name, choose in (("calls", max), ("service_level", min), ("asa_s", max)):
        metric = METRICS[name]
        values = [choose(known, default=math.nan) for group in groups
                  if (known := [value for number in group if not math.isnan(
                      value := study.estimate(name, interval=number).mean)]) is not None]
        there = [value for value in values if not math.isnan(value)]
        if there:
            worst = choose(there)
            most = 1.0 if metric.share else max(there)
            yield (f"{metric.label:{LABEL}}{''.join(_block(value, most, pen) for value in values)}  "
                   f"{'most' if choose is max else 'least'} {_shown(metric, worst)} "
                   f"at {clock(study, groups[values.index(worst)][0])}")


def in_rows(study: Study, pen: Pen, queue: str = ALL) -> Iterator[str]:
    """A row an interval."""
    metrics = [METRICS[name] for name in OF_AN_INTERVAL if queue == ALL or name not in OF_THE_BOX]
    yield f"{queue or 'all queues':{LABEL}}" + "".join(f"{metric.label:>15}" for metric in metrics)
    for number in study.days[0].intervals[queue]:
        cells = [_shown(metric, study.estimate(metric.name, queue, number).mean) for metric in metrics]
        yield f"{clock(study, number):{LABEL}}" + "".join(f"{cell:>15}" for cell in cells)


def _cell(metric: Metric, study: Study, queue: str, pen: Pen) -> str:
    found = study.estimate(metric.name, queue)
    sure = "" if math.isnan(found.half) else f" {pen.plus_minus}{_number(metric, found.half)}"
    return _shown(metric, found.mean) + sure


def _star(metric: Metric, study: Study, queue: str, first: Study) -> str:
    if study is first:
        return "  "
    change = study.change(metric.name, first, queue)
    return " *" if not math.isnan(change.half) and 0.0 not in change else "  "


def _shown(metric: Metric, value: float) -> str:
    if math.isnan(value):
        return "-"
    unit = "%" if metric.share else metric.unit
    return f"{_number(metric, value)} {unit}".rstrip()


def _number(metric: Metric, value: float) -> str:
    return f"{100 * value:.1f}" if metric.share else f"{value:.1f}"


def _block(value: float, most: float, pen: Pen) -> str:
    if math.isnan(value) or not most:
        return pen.blocks[0]
    highest = len(pen.blocks) - 1
    return pen.blocks[max(1, min(highest, round(value / most * highest)))]
