"""What the wall clock is worth, in virtual time; and that the kernel is really asked."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from appliance.box.clock import kernel
from appliance.box.clock.state import Facts, WallClock

AT = datetime(2031, 5, 24, 12, 0, tzinfo=UTC).timestamp()
NTP = Facts(now=100.0, at=AT, synchronised=True, error_s=0.02, offset_s=0.001, ptp=False, rtc_offset_s=0.3)


@pytest.mark.parametrize(("facts", "source", "said"), [
    (NTP, "ntp", ""),
    (replace(NTP, ptp=True), "ptp", ""),
    (replace(NTP, synchronised=False), "rtc", "runs on from its battery's"),
    (replace(NTP, synchronised=False, ptp=True), "rtc", "runs on from its battery's"),
    (replace(NTP, synchronised=False, rtc_offset_s=None), "unknown", "nothing is known to set"),
    (replace(NTP, synchronised=False, rtc_offset_s=3600.0), "unknown", "nothing is known to set"),
    (replace(NTP, at=86_400.0), "unknown", "nothing is known to set"),
])
def test_where_the_time_comes_from(facts: Facts, source: str, said: str) -> None:
    state = WallClock().look(facts)
    assert (state.source, state.error_s) == (source, 0.02 if source in ("ntp", "ptp") else None)
    assert said in state.sentence and bool(state.sentence) == bool(said)


def test_since_when_survives_a_jump_and_a_jump_is_counted() -> None:
    clock = WallClock()
    clock.look(NTP)
    state = clock.look(replace(NTP, now=105.0, at=AT + 5.5))
    assert (state.since, state.steps) == (AT, 0), "half a second is slewing"
    state = clock.look(replace(NTP, now=110.0, at=AT + 3610.0))
    assert state.steps == 1 and state.step_s == pytest.approx(3599.5)
    assert state.since == pytest.approx(AT + 3599.5), "ten seconds ago by the clock that is right now"
    state = clock.look(replace(NTP, now=120.0, at=AT + 3620.0, synchronised=False))
    assert (state.source, state.since) == ("rtc", AT + 3620.0)


def test_the_exchange_warns_and_never_sets() -> None:
    clock = WallClock()
    clock.look(replace(NTP, synchronised=False))
    clock.heard_of_line("31-05-24 13:10", AT, UTC)
    assert clock.state.line_offset_s == pytest.approx(4230.0)
    assert "+4230 s from the box's" in clock.state.sentence
    clock.heard_of_line("31-05-24 12:00", AT, UTC)
    assert "exchange" not in clock.state.sentence
    clock.heard_of_line("31-13-24 12:00", AT, UTC)
    assert clock.state.line_offset_s == pytest.approx(30.0), "what is no date is not heard"
    clock.heard_of_line("31-05-24 23:00", AT, UTC)
    assert clock.look(NTP).sentence == "", "NTP knows better"


def test_the_kernel_says() -> None:
    found = kernel.look()
    assert 0.0 <= found.error_s <= 16.0 and abs(found.drift_ppm) <= 500.0
