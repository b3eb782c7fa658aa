"""Alarms as they are told: after they have lasted, and until they have been away."""

from hypothesis import given
from hypothesis import strategies as st

from firmware.linecard.alarms import LASTS, Alarms
from firmware.linecard.framer.framer import AIS, LOF, LOMF, LOS, RAI

SIGNAL = LOS | LOF | AIS
ROUND_MS = 1 << 30
TURN_MS = 10


def told(*phases: tuple[int, int], at_ms: int = 0) -> list[tuple[int, int]]:
    """`phases`: what is detected, for how many ms. When what is told changes, and to what."""
    alarms, changes, passed_ms = Alarms(), [], 0
    for detected, lasts_ms in phases:
        for _ in range(lasts_ms // TURN_MS):
            before = alarms.value
            if alarms.poll(detected, (at_ms + passed_ms) % ROUND_MS) != before:
                changes.append((passed_ms, alarms.value))
            passed_ms += TURN_MS
    return changes


def test_times_of_each() -> None:
    for bit, set_ms, clear_ms in LASTS:
        assert told((bit, 1000), (0, 1000)) == [(set_ms, bit), (1000 + clear_ms, 0)]
        assert told((0, 1000), (bit, set_ms), (0, 500)) == []
        assert told((bit, 1000), (0, clear_ms), (bit, 500)) == [(set_ms, bit)]


def test_one_follows_another_as_a_cut_far_away_is_repaired() -> None:
    """Noise, AIS of the far side's equipment, then the line is back and the far end does not hear us yet."""
    assert told((LOF, 30), (AIS, 400), (RAI, 400), (0, 200)) == [(80, AIS), (530, RAI), (930, 0)]


def test_of_a_signal_there_is_one_alarm() -> None:
    """The one that explains the others, and nothing in between."""
    assert told((0, 100), (LOS, 300), (LOF, 300), (0, 300)) == [(150, LOS), (450, LOF), (800, 0)]
    assert told((LOF, 300), (LOS, 300)) == [(50, LOF), (350, LOS)]


@given(st.integers(0, ROUND_MS - 1))
def test_the_clock_may_go_round(at_ms: int) -> None:
    phases = ((LOS, 200), (0, 200), (RAI, 300))
    assert told(*phases, at_ms=at_ms) == told(*phases)


DETECTED = st.sampled_from([0, LOS, LOF, AIS, RAI, LOMF, RAI | LOMF])


@given(st.lists(st.tuples(DETECTED, st.integers(1, 60)), max_size=20))
def test_what_is_told_has_stood(phases: list[tuple[int, int]]) -> None:
    """Nothing is told that was not detected for its whole time before, and nothing taken back sooner."""
    alarms, passed_ms, history = Alarms(), 0, []
    for detected, turns in phases:
        for _ in range(turns):
            before = alarms.value
            history.append(detected)
            alarms.poll(detected, passed_ms)
            for bit, set_ms, clear_ms in LASTS:
                replaced = before & bit and not before & alarms.value & SIGNAL and alarms.value & SIGNAL
                if (before ^ alarms.value) & bit and not replaced:
                    lasted = history[-((set_ms if alarms.value & bit else clear_ms) // TURN_MS) - 1:]
                    assert alarms.value & SIGNAL in (0, LOS, LOF, AIS)
                    assert all(bool(value & bit) == bool(alarms.value & bit) for value in lasted)
            passed_ms += TURN_MS
