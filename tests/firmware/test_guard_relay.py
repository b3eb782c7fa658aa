"""The fail-to-wire relay in virtual time: when the telco line is the box's, and that it never chatters."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import control
from firmware.linecard.guard.relay import DWELL_MS, LEAST_RESET_MS, RESET_MS, SETTLE_MS
from tests.firmware import guard_cases
from tests.firmware.parts import RelayBench

HOLD_MS = 20_000

pytestmark = pytest.mark.need(14)


def in_service() -> RelayBench:
    """The host holds the relay, which has been still for a while."""
    bench = RelayBench()
    bench.run(DWELL_MS)
    bench.relay.lease(True, False, HOLD_MS)
    bench.run(DWELL_MS)
    assert bench.coil.on
    bench.relay.lease(True, False, HOLD_MS)
    return bench


def why(bench: RelayBench) -> str:
    return control.WHYS[bench.relay.why]


def test_without_a_host_the_line_is_the_pbxs() -> None:
    bench = RelayBench()
    bench.run(10 * HOLD_MS)
    assert (bench.moves, why(bench)) == ([], "no lease")


def test_a_fit_host_gets_the_line_once_the_relay_was_still() -> None:
    bench = RelayBench()
    bench.relay.lease(True, False, HOLD_MS)
    bench.run(DWELL_MS - 100)
    assert (bench.coil.on, why(bench)) == (False, "dwell")
    bench.run(200)
    assert (bench.coil.on, why(bench), bench.operations) == (True, "leased", 1)


@pytest.mark.parametrize(("silent_ms", "moves"), [(1_000, 0), (HOLD_MS - 100, 0), (HOLD_MS + 100, 1)])
def test_a_host_that_starts_anew_in_time_moves_nothing(silent_ms: int, moves: int) -> None:
    bench = in_service()
    bench.moves.clear()
    bench.run(silent_ms)
    bench.relay.lease(True, False, HOLD_MS)
    bench.run(1000)
    assert len(bench.moves) == moves


def test_an_unfit_host_takes_nothing_away_at_once() -> None:
    bench = in_service()
    bench.relay.lease(False, False, HOLD_MS)
    bench.run(HOLD_MS - 100)
    assert bench.coil.on
    bench.relay.lease(False, False, HOLD_MS)
    bench.run(200)
    assert (bench.coil.on, why(bench)) == (False, "no lease")


def test_bypass_is_at_once_and_lasts_until_the_host_says_otherwise() -> None:
    bench = in_service()
    bench.relay.lease(True, True, HOLD_MS)
    bench.run(50)
    assert (bench.coil.on, why(bench)) == (False, "bypass")
    for _ in range(60):
        bench.relay.lease(True, True, HOLD_MS)
        bench.run(1000)
    assert not bench.coil.on
    bench.relay.lease(True, False, HOLD_MS)
    bench.run(50)
    assert bench.coil.on


def test_a_reset_of_the_controller_moves_nothing() -> None:
    bench = in_service()
    bench.moves.clear()
    bench.reset(for_ms=800)
    bench.run(5_000)
    bench.relay.lease(True, False, HOLD_MS)
    bench.run(HOLD_MS - 100)
    assert (bench.moves, bench.coil.on) == ([], True)


def test_a_controller_that_starts_again_and_again_gives_the_line_to_the_pbx() -> None:
    bench = in_service()
    for _ in range(60):
        bench.reset(for_ms=300)
    assert not bench.coil.on


def test_a_power_cut_leaves_nothing_of_a_lease() -> None:
    bench = in_service()
    bench.power_up()
    bench.run(2 * DWELL_MS)
    assert not bench.coil.on


def test_contacts_that_do_not_follow_are_a_trouble() -> None:
    bench = in_service()
    bench.run(1000)
    assert (control.SENSES[bench.relay.sense], bench.relay.disagrees) == ("box", False)
    bench.stuck = True                            # welded, or the sense is broken
    bench.run(SETTLE_MS * 3)
    assert (control.SENSES[bench.relay.sense], bench.relay.disagrees) == ("joined", True)
    bench.stuck = False
    bench.run(100)
    assert not bench.relay.disagrees


EVENTS = st.one_of(
    st.tuples(st.just("run"), st.integers(1, 15_000)),
    st.tuples(st.just("fit"), st.integers(0, 60_000)),
    st.tuples(st.just("unfit"), st.just(HOLD_MS)),
    st.tuples(st.just("bypass"), st.just(HOLD_MS)),
    st.tuples(st.just("reset"), st.integers(LEAST_RESET_MS, RESET_MS)),
    st.tuples(st.just("power"), st.just(0)))


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, max_size=40))
def test_whatever_happens(events: list[tuple[str, int]]) -> None:
    guard_cases.play(events)
