"""Seconds out of counters, and what G.826 says of each."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e1_driver import Abilities, Alarm, Counters, LineStatus, Loop
from e1_driver.watch.performance import Errored, Second, Seconds, far, near

ALL = frozenset(Alarm)
CRC4 = Second(at=0, told=ALL, fas_errors=0, crc_errors=0, e_bits=0)
FAS = Second(at=0, told=ALL, fas_errors=0)                        # framed without CRC-4
PACKETS = Second(at=0, told=frozenset({Alarm.LOS, Alarm.RAI}), packets_in=1000, packets_lost=0)
BLIND = Second(at=0, told=frozenset({Alarm.LOS, Alarm.AIS, Alarm.RAI}))     # alarms and no counter
CLEAN, ES, SES = (False, False), (True, False), (True, True)

NEAR = [
    (CRC4, Errored(*CLEAN, 0)),
    (replace(CRC4, crc_errors=1), Errored(*ES, 1)),
    (replace(CRC4, crc_errors=299), Errored(*ES, 299)),           # G.826 4.5: an SES from 30 % of 1000 blocks
    (replace(CRC4, crc_errors=300), Errored(*SES, 300)),
    (replace(CRC4, fas_errors=1), Errored(*ES, 0)),               # Annex B: an anomaly too, but no block
    (replace(CRC4, defects=frozenset({Alarm.LOS})), Errored(*SES, 0)),
    (replace(CRC4, defects=frozenset({Alarm.AIS})), Errored(*SES, 0)),
    (replace(CRC4, defects=frozenset({Alarm.LOF})), Errored(*SES, 0)),
    (replace(CRC4, defects=frozenset({Alarm.RAI})), Errored(*CLEAN, 0)),
    (replace(FAS, defects=frozenset({Alarm.LOMF})), Errored(*CLEAN, None)),
    (replace(FAS, fas_errors=27), Errored(*ES, None)),            # M.2100: 28 frame alignment words
    (replace(FAS, fas_errors=28), Errored(*SES, None)),
    (replace(PACKETS, packets_lost=1), Errored(*ES, None)),
    (replace(PACKETS, packets_in=701, packets_lost=299), Errored(*ES, None)),
    (replace(PACKETS, packets_in=700, packets_lost=300), Errored(*SES, None)),
    (replace(PACKETS, packets_in=0), Errored(*CLEAN, None)),
    (BLIND, Errored(None, False, None)),
    (replace(BLIND, defects=frozenset({Alarm.LOS})), Errored(None, True, None)),
    (Second(at=0), None),
    (Second(at=0, told=frozenset({Alarm.RAI})), None),
]

FAR = [
    (CRC4, Errored(*CLEAN, 0)),
    (replace(CRC4, e_bits=299), Errored(*ES, 299)),
    (replace(CRC4, e_bits=300), Errored(*SES, 300)),
    (replace(CRC4, crc_errors=1000), Errored(*CLEAN, 0)),
    (replace(CRC4, defects=frozenset({Alarm.RAI})), Errored(*SES, 0)),
    (replace(CRC4, defects=frozenset({Alarm.RAI, Alarm.LOS}), e_bits=1000), None),    # nobody heard it
    (FAS, Errored(None, False, None)),
    (replace(FAS, defects=frozenset({Alarm.RAI})), Errored(None, True, None)),
    (Second(at=0, told=frozenset({Alarm.LOS})), None),
]


@pytest.mark.parametrize(("second", "errored"), NEAR)
def test_near_end(second: Second, errored: Errored | None) -> None:
    assert near(second) == errored


@pytest.mark.parametrize(("second", "errored"), FAR)
def test_far_end(second: Second, errored: Errored | None) -> None:
    assert far(second) == errored


COUNTED = frozenset({"slips", "fas_errors", "crc_errors", "e_bits", "fcs_errors"})
ABLE = Abilities(ALL, COUNTED)
UP = LineStatus(crc4=True)


def run(seconds: Seconds, *steps: tuple[float, LineStatus, Counters]) -> list[Second]:
    return [ended for at, status, counters in steps for ended in seconds.observe(at, status, counters)]


def test_a_second_has_what_grew_in_it_and_not_what_the_interface_cannot_tell() -> None:
    ended = run(Seconds(ABLE), (100.5, UP, Counters(crc_errors=7)), (101.0, UP, Counters(crc_errors=7)),
                (101.5, UP, Counters(crc_errors=9, slips=1)), (102.0, UP, Counters(crc_errors=10, slips=1)))
    assert ended == [Second(at=101, told=ALL, slips=1, fas_errors=0, crc_errors=3, e_bits=0, fcs_errors=0)]


def test_a_defect_between_its_ends_is_seen_and_belongs_to_no_other_second() -> None:
    los = LineStatus(frozenset({Alarm.LOS}))
    ended = run(Seconds(ABLE), *[(at, los if at == 101.3 else UP, Counters()) for at in
                                 (100.0, 100.3, 101.1, 101.3, 101.6, 102.2, 103.1)])
    assert [second.defects for second in ended] == [set(), {Alarm.LOS}, set()]


def test_crc4_is_told_while_the_line_has_it_and_as_last_known_while_it_is_down() -> None:
    plain, los = LineStatus(crc4=False), LineStatus(frozenset({Alarm.LOS}))
    lomf = LineStatus(frozenset({Alarm.LOMF}), crc4=True)
    line = [LineStatus(), plain, plain, UP, los, lomf, UP, UP]
    ended = run(Seconds(ABLE), *[(float(at), status, Counters()) for at, status in enumerate(line)])
    assert [second.crc_errors for second in ended] == [None, None, None, 0, 0, None, 0]
    assert [second.e_bits for second in ended] == [None, None, None, 0, 0, None, 0]
    assert all(second.fas_errors == 0 and second.packets_lost is None for second in ended)


@pytest.mark.parametrize(("times", "whole"), [
    ((100.4, 101.2, 102.2), [101]),                               # the first one was joined midway
    ((100.0, 101.2, 102.2), [100, 101]),
    ((100.0, 101.5, 104.5, 105.5, 106.5), [100, 105]),            # a pause
    ((100.0, 101.5, 40.5, 41.5, 42.5), [100, 41]),                # the clock was set back
    ((100.0, 101.5, 9e9 + 0.5, 9e9 + 1.5, 9e9 + 2.5), [100, 9_000_000_001]),
    ((100.0, 100.9, 101.0, 101.0, 101.0, 102.0), [100, 101]),
])
def test_only_seconds_watched_from_end_to_end_come_out(times: tuple[float, ...], whole: list[int]) -> None:
    seconds = Seconds(ABLE)
    errors = enumerate(times)
    ended = run(seconds, *[(at, UP, Counters(crc_errors=10 * index)) for index, at in errors])
    assert [second.at for second in ended] == whole
    assert all(10 <= (second.crc_errors or 0) <= 40 for second in ended)     # none of a pause is in it


def test_counters_that_begin_again_count_from_nothing() -> None:
    ended = run(Seconds(ABLE), (100.0, UP, Counters(crc_errors=50)), (100.5, UP, Counters(crc_errors=60)),
                (100.7, UP, Counters(crc_errors=2)), (101.0, UP, Counters(crc_errors=3)))
    assert [second.crc_errors for second in ended] == [10 + 2 + 1]


def test_a_second_with_a_local_loop_is_not_the_lines() -> None:
    looped, lined = LineStatus(loop=Loop.LOCAL, crc4=True), LineStatus(loop=Loop.LINE, crc4=True)
    line = [(100.0, UP), (101.0, UP), (101.5, looped), (102.0, UP), (103.0, lined), (104.0, UP)]
    ended = run(Seconds(ABLE), *[(at, status, Counters()) for at, status in line])
    assert [second.at for second in ended] == [100, 102, 103]


def test_a_mutable_counters_object_is_read_at_once() -> None:
    seconds, counters = Seconds(ABLE), Counters()
    seconds.observe(100.0, UP, counters)
    counters.crc_errors += 5
    assert [second.crc_errors for second in seconds.observe(101.0, UP, counters)] == [5]


@given(st.lists(st.tuples(st.integers(1, 90), st.integers(0, 20)), max_size=200))
def test_without_a_pause_no_count_is_lost_nor_doubled(steps: list[tuple[int, int]]) -> None:
    """Steps of 10 to 900 ms, each with some errors; every second from the first on comes out once."""
    seconds, counters, at_ms, found = Seconds(ABLE), Counters(), 0, list[Second]()
    seconds.observe(0.0, UP, counters)
    for step, errors in steps:
        at_ms += step * 10
        counters.fas_errors += errors
        found += seconds.observe(at_ms / 1000, UP, counters)
    counters.fas_errors += 1
    found += seconds.observe(at_ms // 1000 + 1, UP, counters)
    assert [second.at for second in found] == list(range(at_ms // 1000 + 1))
    assert sum(second.fas_errors or 0 for second in found) == counters.fas_errors
