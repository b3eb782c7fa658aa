"""A line as DS1-MIB has it: state, loops, 96 quarters of an hour, the day. Pure.

Ref: RFC 4805. What the interface cannot tell is not there (noSuchInstance), never 0. SEFS, CSS, LES,
BES and DM are never there: G.826, by which the box counts, has no such seconds. PCVs are wrong CRC-4 blocks,
without CRC-4 wrong frame alignment words; what the far end counts of us comes by its E bits.
"""

from collections.abc import Callable, Iterator, Sequence, Set
from typing import Literal

from appliance.box.snmp.interfaces import COPPER
from appliance.box.snmp.tree import Oid, Row, Value, gauge, integer, text, ticks, truth
from appliance.bus.messages import ClockState, SpanState
from e1_driver import Alarm, Loop
from e1_driver.watch.bins import KEPT, QUARTER_S, Bin, total

DS1: Oid = (1, 3, 6, 1, 2, 1, 10, 18)
CONFIG, CURRENT, INTERVAL, TOTAL = (*DS1, 6), (*DS1, 7), (*DS1, 8), (*DS1, 9)
FAR_CURRENT, FAR_INTERVAL, FAR_TOTAL = (*DS1, 10), (*DS1, 11), (*DS1, 12)
STATUS, STATUS_CHANGED = (*CONFIG, 1, 10), (*CONFIG, 1, 16)          # columns
STATUS_CHANGE: Oid = (*DS1, 15, 0, 1)             # the notification

NO_ALARM, LOOPED, OTHER_FAILURE = 1, 128, 4096
_BITS = {Alarm.RAI: 2, Alarm.AIS: 8, Alarm.LOF: 32, Alarm.LOS: 64, Alarm.LOMF: OTHER_FAILURE}
_LOOP_STATUS = {Loop.NONE: 1, Loop.PAYLOAD: 2, Loop.LINE: 4, Loop.LOCAL: 16}
_LOOP_CONFIG = {Loop.NONE: 1, Loop.PAYLOAD: 2, Loop.LINE: 3, Loop.LOCAL: 5}
_QUARTERS = KEPT[QUARTER_S]

Quarter = Callable[[int], Bin | None]             # that began at this Unix second
Ended = Sequence[tuple[int, Bin]]
End = Literal["near", "far"]


def status(state: SpanState | None, failures: Set[str]) -> int:
    """dsx1LineStatus: failures, which have lasted (G.7710), not every defect."""
    bits = sum({_BITS[Alarm(alarm)] for alarm in failures})
    if state is not None:
        bits |= LOOPED if state.loop != Loop.NONE else 0
        bits |= OTHER_FAILURE if state.trouble else 0
    return bits or NO_ALARM


def config(index: int, url: str, state: SpanState | None, clock: ClockState | None, failures: Set[str],
           changed_s: float, told: bool, now_unix_s: float, quarter: Quarter) -> Iterator[Row]:
    """The row of dsx1ConfigTable. `changed_s`: since the agent began; `told`: notifications are sent.

    `state` None, spand is away: nobody knows how the line is, so dsx1LineStatus is not there, never noAlarm.
    """
    valid, invalid = _intervals(now_unix_s, quarter)
    columns: dict[int, Value] = {
        1: integer(index),
        3: integer(int(now_unix_s) % QUARTER_S),
        4: integer(valid),
        6: integer(3 if url.partition(":")[0] in COPPER else 6),      # dsx1HDB3, other
        7: integer(1),                                               # dsx1SendNoCode
        8: text(""),
        11: integer(4),                                              # messageOriented: timeslot 16
        13: integer(8),                                              # dsx1FdlNone
        14: integer(invalid),
        15: integer(0),
        16: ticks(changed_s),
        17: integer(1 if told else 2),
        19: integer(0),
        20: integer(1),                                              # disabled: no ifEntry for a timeslot
        22: integer(1), 23: integer(1),                              # notApplicable
    }
    if state is not None:
        loop = Loop(state.loop)
        columns |= {9: integer(_LOOP_CONFIG[loop]), 10: integer(status(state, failures)),
                    18: integer(_LOOP_STATUS[loop])}
        if state.crc4 is not None:
            columns[5] = integer(5 if state.crc4 else 4)             # dsx1E1CRC, dsx1E1
        if clock is not None:                                        # localTiming, loopTiming, throughTiming
            columns[12] = integer(2 if clock.source is None else 1 if clock.source == state.span else 3)
    yield from (((*CONFIG, 1, column, index), value) for column, value in columns.items())


def current(index: int, now_unix_s: float, quarter: Quarter) -> Iterator[Row]:
    """The running quarter, both directions."""
    running = quarter(int(now_unix_s) // QUARTER_S * QUARTER_S)
    for column, value in _figures(running, "near", 2, 3, 5, 7, 11):
        yield (*CURRENT, 1, column, index), value
    valid, invalid = _intervals(now_unix_s, quarter)
    yield (*CURRENT, 1, 1, index), integer(index)
    far = {1: integer(index), 2: integer(int(now_unix_s) % QUARTER_S), 3: integer(valid),
           13: integer(invalid), **dict(_figures(running, "far", 4, 5, 7, 10, None))}
    for column, value in far.items():
        yield (*FAR_CURRENT, 1, column, index), value


def ended(now_unix_s: float, quarter: Quarter) -> Ended:
    """The quarters before, 1 is the last one; none where nothing was measured."""
    running = int(now_unix_s) // QUARTER_S * QUARTER_S
    return [(number, each) for number in range(1, _QUARTERS + 1)
            if (each := quarter(running - number * QUARTER_S)) is not None]


def sign(of: Ended) -> list[tuple[int | None, ...]]:
    """Another one when any figure is: seconds are only added, and turn into unavailable ones and back."""
    return [(number, each.measured_s, each.near.uas, each.far.uas) for number, each in of]


def near_intervals(index: int, of: Ended) -> Iterator[Row]:
    for number, each in of:
        for column, value in (*_figures(each, "near", 3, 4, 6, 8, 12), (1, integer(index)),
                              (2, integer(number)), (13, _valid(each))):
            yield (*INTERVAL, 1, column, index, number), value


def far_intervals(index: int, of: Ended) -> Iterator[Row]:
    for number, each in of:
        for column, value in (*_figures(each, "far", 3, 4, 6, 9, None), (1, integer(index)),
                              (2, integer(number)), (12, _valid(each))):
            yield (*FAR_INTERVAL, 1, column, index, number), value


def near_total(index: int, of: Ended) -> Iterator[Row]:
    """The 24 hours that they make."""
    yield (*TOTAL, 1, 1, index), integer(index)
    for column, value in _figures(total(each for _, each in of), "near", 2, 3, 5, 7, 11):
        yield (*TOTAL, 1, column, index), value


def far_total(index: int, of: Ended) -> Iterator[Row]:
    yield (*FAR_TOTAL, 1, 1, index), integer(index)
    for column, value in _figures(total(each for _, each in of), "far", 2, 3, 5, 8, None):
        yield (*FAR_TOTAL, 1, column, index), value


def _valid(each: Bin) -> Value:
    return truth(each.measured_s >= QUARTER_S)


def _figures(each: Bin | None, end: End, es: int, ses: int, uas: int, pcv: int,
             lcv: int | None) -> Iterator[tuple[int, Value]]:
    """By the columns of this table, those that are known."""
    if each is None:
        return
    of_end = each.near if end == "near" else each.far
    coding = of_end.eb if end == "far" else each.counts.get("crc_errors", each.counts.get("fas_errors"))
    line = each.counts.get("code_violations")
    for column, figure in ((es, of_end.es), (ses, of_end.ses), (uas, of_end.uas), (pcv, coding),
                           (lcv, line)):
        if column is not None and figure is not None:
            yield column, gauge(figure)


def _intervals(now_unix_s: float, quarter: Quarter) -> tuple[int, int]:
    """dsx1ValidIntervals, dsx1InvalidIntervals: back to the oldest, and those of them that are not whole."""
    found = dict(ended(now_unix_s, quarter))
    valid = max(found, default=0)
    return valid, valid - sum(each.measured_s >= QUARTER_S for each in found.values())
