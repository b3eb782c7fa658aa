"""Figures as bus messages."""

from appliance.bus.messages import (
    FigureCount,
    FigureCounts,
    FigureDefinition,
    FigureRow,
    Figures,
    FigureSum,
    FigureValue,
    GetFigureCounts,
    GetFigures,
)
from appliance.centre.figures.definitions import Figure
from appliance.centre.figures.report import Aims, Row, Wanted, behind, rows_and_whole
from appliance.centre.figures.words import formula
from appliance.errors import StateError
from appliance.store.counts import Count, Ledger

MOST_ROWS = 2500                                  # of a reply: a message has an end
MOST_COUNTS = 2000
SAME = 1e-9


def figures(ledger: Ledger, asked: GetFigures, aims: Aims, now: float) -> Figures:
    """StateError: there are none of that, or too many."""
    wanted = Wanted(asked.of, asked.since, asked.until, tuple(asked.names), asked.interval_s,
                    tuple(asked.figures), asked.whole)
    found, whole = rows_and_whole(ledger, wanted, aims, now)
    if len(found) > MOST_ROWS:
        raise StateError(f"{len(found)} rows: name fewer, or ask for longer intervals: {MOST_ROWS} at most")
    return Figures(at=now, definitions=[_definition(one) for one in wanted.chosen],
                   rows=[_row(row, wanted.chosen) for row in found],
                   whole=[_row(row, wanted.chosen) for row in whole])


def figure_counts(ledger: Ledger, asked: GetFigureCounts, aims: Aims, now: float) -> FigureCounts:
    """StateError: there is no such figure."""
    if asked.offset < 0 or not 1 <= asked.limit <= MOST_COUNTS:
        raise StateError(f"offset from 0, limit from 1 to {MOST_COUNTS}")
    wanted = Wanted(asked.of, asked.since, asked.until)
    found, top, bottom = behind(ledger, wanted, asked.name, asked.figure, aims, now)
    part = slice(asked.offset, asked.offset + asked.limit)
    return FigureCounts(definition=_definition(found), top=[_count(one) for one in top[part]],
                        bottom=[_count(one) for one in bottom[part]], tops=len(top), bottoms=len(bottom))


def _definition(one: Figure) -> FigureDefinition:
    return FigureDefinition(name=one.name, zh=one.zh, en=one.en, unit=one.unit, formula=formula(one),
                            note=one.note)


def _row(row: Row, chosen: list[Figure]) -> FigureRow:
    return FigureRow(name=row.name, since=row.since, until=row.until,
                     values=[_value(row, one) for one in chosen],
                     sums=[FigureSum(what=what, count=count, seconds=seconds)
                           for what, (count, seconds) in row.sums.items()])


def _value(row: Row, one: Figure) -> FigureValue:
    ratio, target = row.ratios[one.name], row.targets.get(one.name)
    kept = None
    if ratio.value is not None and target is not None:
        kept = ratio.value >= target - SAME if one.least else ratio.value <= target + SAME
    return FigureValue(value=ratio.value, top=ratio.top, bottom=ratio.bottom, target=target, kept=kept)


def _count(count: Count) -> FigureCount:
    return FigureCount(contact=count.contact, name=count.name, what=count.what, at=count.at_ms / 1000,
                       for_s=count.for_ms / 1000, other=count.other)
