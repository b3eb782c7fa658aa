"""Bins of 15 minutes and days, and the ten seconds of G.826 Annex A, against the definition written out."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e1_driver import Alarm
from e1_driver.watch.bins import DAY_S, QUARTER_S, TURN_S, Bin, End, History, slip_rates, total
from e1_driver.watch.clock import HOLD_OVER, SlipRate
from e1_driver.watch.performance import Errored, Second, far, near
from tests.e1_driver.lines import LETTERS, line

MIDNIGHT = 1_700_006_400                          # 2023-11-15 00:00 UTC
NOON = MIDNIGHT + DAY_S // 2


def kept(seconds: Sequence[Second], source: str | None = "t") -> History:
    history = History()
    for second in seconds:
        history.observe(second, source)
    return history


def by_definition(seconds: Sequence[Second], judge: Callable[[Second], Errored | None],
                  length_s: int) -> dict[int, End]:
    """G.826 A.1 as it is worded, looking ahead: a state begins at the onset of ten consecutive seconds."""
    known = [(second.at, errored) for second in seconds if (errored := judge(second)) is not None]
    ses_at = {at: errored.ses for at, errored in known}
    ends: dict[int, End] = {}
    unavailable = False
    for at, errored in known:
        ahead = [ses_at.get(at + offset) for offset in range(10)]
        if ahead == [not unavailable] * 10:
            unavailable = not unavailable
        end = ends.setdefault(at // length_s * length_s, End(es=0, ses=0, bbe=0, eb=0, uas=0))
        assert None not in (end.es, end.ses, end.bbe, end.eb, end.uas)
        blocks = errored.eb or 0
        ends[at // length_s * length_s] = End(
            end.measured_s + 1,
            (end.es or 0) + (not unavailable and bool(errored.es)),
            (end.ses or 0) + (not unavailable and errored.ses),
            (end.bbe or 0) + (0 if unavailable or errored.ses else blocks),
            (end.eb or 0) + blocks,
            (end.uas or 0) + unavailable)
    return ends


WORKED = [                                        # letters, near: ES SES BBE EB UAS
    ("." * 30, (0, 0, 0, 0, 0)),
    ("..e..e..", (2, 0, 6, 6, 0)),
    ("..s.e..", (2, 1, 3, 403, 0)),
    ("." * 5 + "s" * 9 + "." * 5, (9, 9, 0, 3600, 0)),            # nine are not ten
    ("." * 5 + "s" * 10 + "." * 5, (0, 0, 0, 4000, 15)),          # five good ones do not end it
    ("." * 5 + "s" * 10 + "." * 9 + "s" + "." * 9, (0, 0, 0, 4400, 29)),
    ("." * 5 + "s" * 10 + "." * 10, (0, 0, 0, 4000, 10)),         # ten do, and belong to available time
    ("s" * 10 + "e" * 10, (10, 0, 30, 4030, 10)),                 # errored, not severely: that ends it too
    ("l" * 12 + "." * 3 + "e" + "." * 7, (1, 0, 3, 3, 12)),
    ("s" * 5 + "l" * 5 + "." * 10, (0, 0, 0, 2000, 10)),
    ("s" * 9 + "x" + "s" * 9, (18, 18, 0, 7200, 0)),              # ten in a row have no gap
    ("s" * 10 + "." * 9 + "x" + "." * 9, (0, 0, 0, 4000, 28)),
    ("r" * 30, (0, 0, 0, 0, 0)),
]


@pytest.mark.parametrize(("letters", "expected"), WORKED)
def test_near_end_figures(letters: str, expected: tuple[int, ...]) -> None:
    measured_s = len(letters.replace("x", ""))
    assert [each.near for each in kept(line(NOON, letters)).quarters(NOON)] == [End(measured_s, *expected)]


@pytest.mark.parametrize(("letters", "expected"), [
    ("..E..S..", (8, 2, 1, 2, 902, 0)),
    ("r" * 10 + "." * 10, (20, 0, 0, 0, 0, 10)),
    ("..l..", (4, 0, 0, 0, 0, 0)),                # nothing is heard of the far end in a loss of signal
    ("rrrrrlrrrrr", (10, 10, 10, 0, 0, 0)),       # nor are these ten in a row
])
def test_far_end_figures(letters: str, expected: tuple[int, ...]) -> None:
    assert [each.far for each in kept(line(NOON, letters)).quarters(NOON)] == [End(*expected)]


def test_ten_seconds_over_the_end_of_a_bin_are_corrected_in_both_bins_and_both_days() -> None:
    seconds = line(MIDNIGHT - 6, "s" * 9)
    history = kept(seconds)
    assert [(each.near.ses, each.near.uas) for each in history.quarters(MIDNIGHT)] == [(6, 0), (3, 0)]
    history.observe(line(MIDNIGHT + 3, "s")[0], "t")
    assert [(each.near.ses, each.near.uas) for each in history.quarters(MIDNIGHT)] == [(0, 6), (0, 4)]
    assert [(each.near.ses, each.near.uas) for each in history.days(MIDNIGHT)] == [(0, 6), (0, 4)]
    assert history.standing.near.unavailable and not history.standing.far.unavailable


def long_runs() -> st.SearchStrategy[str]:
    run = st.builds(lambda letter, count: letter * count, st.sampled_from(LETTERS), st.integers(1, 14))
    return st.lists(run, min_size=1, max_size=40).map("".join)


@given(long_runs(), st.integers(0, 200))
def test_counted_second_by_second_it_is_what_the_definition_says_of_the_whole(
        letters: str, before: int) -> None:
    seconds = line(MIDNIGHT - before, letters)
    history = kept(seconds)
    now = MIDNIGHT + 900
    for length_s, bins in ((QUARTER_S, history.quarters(now)), (DAY_S, history.days(now))):
        near_ends, far_ends = (by_definition(seconds, judge, length_s) for judge in (near, far))
        assert {each.at: each.near for each in bins if each.near.measured_s} == near_ends
        assert {each.at: each.far for each in bins if each.far.measured_s} == far_ends
        for each in bins:
            for end in (each.near, each.far):
                assert (end.ses or 0) <= (end.es or 0) <= end.measured_s - (end.uas or 0)
                assert (end.bbe or 0) <= (end.eb or 0)
                assert end.measured_s <= each.measured_s <= length_s
    assert total(history.quarters(MIDNIGHT + 900)).near == total(history.days(MIDNIGHT + 900)).near


def test_what_an_interface_cannot_tell_is_unknown_and_never_nought() -> None:
    second = Second(at=NOON, told=frozenset({Alarm.LOS}))
    assert kept([second]).quarters(NOON) == [
        Bin(NOON, QUARTER_S, 1, End(1, None, 0, None, None, 0), End(), {Alarm.LOS: 0}, {}, {}, {})]
    assert kept([Second(at=NOON)]).quarters(NOON) == [Bin(NOON, QUARTER_S, 1)]


def test_alarms_counts_and_slips_by_clock_source() -> None:
    history = History()
    told = replace(line(NOON, "l")[0], slips=2, fcs_errors=3)
    history.observe(told, "t")
    history.observe(replace(told, at=NOON + 1, slips=1), None)
    history.observe(replace(told, at=NOON + 2, slips=0), None)
    history.observe(replace(told, at=NOON + 3, slips=None), None)
    found = history.quarters(NOON)[0]
    assert found.alarm_s == {Alarm.LOS: 4, Alarm.LOF: 0, Alarm.AIS: 0, Alarm.RAI: 0}
    assert found.counts == {"fas_errors": 0, "crc_errors": 0, "e_bits": 0, "fcs_errors": 12}
    assert slip_rates([found]) == [SlipRate(HOLD_OVER, 1, 2), SlipRate("t", 2, 1)]


def test_ninety_six_bins_and_thirty_days_and_the_running_ones_are_kept() -> None:
    history = kept([Second(at=at) for at in range(MIDNIGHT, MIDNIGHT + 40 * DAY_S, QUARTER_S)])
    now = MIDNIGHT + 40 * DAY_S - 1
    assert [each.at for each in history.quarters(now)] == list(range(
        MIDNIGHT + 39 * DAY_S - QUARTER_S, MIDNIGHT + 40 * DAY_S, QUARTER_S))
    assert [each.at for each in history.days(now)] == list(range(MIDNIGHT + 9 * DAY_S, now, DAY_S))
    assert history.quarters(now + 3 * DAY_S) == []
    assert len(history.days(now + 3 * DAY_S)) == 28


def test_a_clock_that_was_wrong_for_a_while_costs_one_bin() -> None:
    history = kept([Second(at=NOON + at) for at in range(-96 * QUARTER_S, 0, QUARTER_S)])
    history.observe(Second(at=NOON + 10 * 365 * DAY_S), "t")
    history.observe(Second(at=NOON), "t")
    assert len(history.quarters(NOON)) == 96 + 1 - 1
    assert len(history.quarters(NOON + 10 * 365 * DAY_S)) == 1


def test_a_clock_set_back_counts_a_time_twice_and_says_so() -> None:
    history = kept(line(NOON, "e" * 900) + line(NOON, "s" * 5))
    found = history.quarters(NOON)[0]
    assert (found.measured_s, found.near.es, found.near.ses) == (905, 905, 5)
    assert history.newest == NOON + 4


def test_seconds_over_a_step_of_the_clock_are_not_in_a_row() -> None:
    assert not kept(line(NOON, "s" * 5) + line(NOON + 7200, "s" * 5)).standing.near.unavailable
    assert not kept(line(NOON, "s" * 5) + line(NOON - 7200, "s" * 5)).standing.near.unavailable
    assert kept(line(NOON, "s" * TURN_S)).standing.near.unavailable


def test_bins_given_out_are_the_callers() -> None:
    history = kept(line(NOON, "e"))
    history.quarters(NOON)[0].near.es = 99
    assert history.quarters(NOON)[0].near.es == 1


def test_total_of_nothing_and_of_unknowns() -> None:
    assert total([]) == Bin(0, 0)
    bins = [Bin(0, 900, 900, End(900, es=None, uas=1)), Bin(900, 900, 10, End(10, es=4, uas=2))]
    assert total(bins).near == End(910, es=4, uas=3)
