"""Register signals against Q.455, every signal at every place of a block at once; spandsp as the far end."""

import itertools

import numpy as np
import pytest

from appliance.media.detect import DETECTORS
from appliance.media.detect.r2 import OFF, R1, R2Backward, R2Forward, TwoOfSix
from e1_driver import BLOCK
from tests.media import spandsp
from tests.media.detect.receivers import MS, register_signal, register_times, said

KINDS = [R2Forward, R2Backward, R1]
CASES = list(itertools.product(range(15), range(0, BLOCK, 5)))
PLACES, STARTS = zip(*CASES, strict=True)

Pair = tuple[float, float]


def times(
    kind: type[TwoOfSix], on: int = 60 * MS, dbm0: Pair = (-11, -11), off_hz: Pair = (0, 0), gap: int = 0,
) -> list[Pair | None]:
    lines = [register_signal(kind, place, on, start=start, dbm0=dbm0, off_hz=off_hz, gap=gap, seed=case)
             for case, (place, start) in enumerate(CASES)]
    return register_times(kind, lines, PLACES, STARTS, on)


def share_silent(
    kind: type[TwoOfSix], on: int = 60 * MS, dbm0: Pair = (-11, -11), off_hz: Pair = (0, 0),
) -> float:
    lines = [register_signal(kind, place, on, start=start, dbm0=dbm0, off_hz=off_hz, seed=case)
             for case, (place, start) in enumerate(CASES)]
    return said(kind(len(lines)), lines).count([]) / len(lines)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dbm0", [(-5, -5), (-35, -35), (-20, -27), (-35, -28)])
@pytest.mark.parametrize("off_hz", [0, 14, -14])
def test_signals_that_pass_and_how_fast(kind: type[TwoOfSix], dbm0: Pair, off_hz: float) -> None:
    """Levels and 7 dB of difference, 10 Hz and the sender's 4; operate and release time together 80 ms."""
    measured = times(kind, dbm0=dbm0, off_hz=(off_hz, -off_hz))
    assert all(one is not None and sum(one) <= 80 for one in measured)


@pytest.mark.parametrize("kind", KINDS)
def test_an_interruption_of_7_ms_is_bridged(kind: type[TwoOfSix]) -> None:
    assert None not in times(kind, on=120 * MS, gap=7 * MS)


@pytest.mark.parametrize("kind", KINDS)
def test_signals_that_do_not_pass(kind: type[TwoOfSix]) -> None:
    assert share_silent(kind, on=7 * MS, dbm0=(-5, -5)) == 1
    assert share_silent(kind, dbm0=(-5, -25)) == 1
    assert share_silent(kind, dbm0=(-42, -42)) == 1
    assert share_silent(kind, off_hz=(60, 0)) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_one_frequency_or_three_are_no_signal(kind: type[TwoOfSix]) -> None:
    one = [register_signal(kind, place, dbm0=(-11, -99)) for place in range(15)]
    three = [first // 2 + second // 2 for first, second in itertools.pairwise(
        [register_signal(kind, place) for place in (0, 2, 5, 9, 14)])]
    assert said(kind(19), one + three) == [[]] * 19


def test_a_backward_signal_under_the_echo_of_a_forward_one() -> None:
    """The other direction's signal comes back 1 dB stronger."""
    lines = [register_signal(R2Backward, place, seed=place) // 2 + register_signal(
        R2Forward, 14 - place, dbm0=(-10, -10), seed=99 + place) // 2 for place in range(15)]
    assert [[what for _, what in heard] for heard in said(R2Backward(15), lines)] == [
        [signal, OFF] for signal in R2Backward.SIGNALS]


@pytest.mark.parametrize("kind", [R2Forward, R2Backward])
def test_ours_by_spandsp_and_its_by_us(kind: type[TwoOfSix]) -> None:
    forward, rest = kind is R2Forward, np.zeros(50 * MS, np.int16)
    sent = [register_signal(kind, place, seed=place) for place in range(15)]
    assert [max(spandsp.r2_signals(line, forward)) for line in sent] == list(range(1, 16))
    theirs = [np.concatenate([rest, spandsp.r2(signal, 60 * MS, forward), rest]) for signal in range(1, 16)]
    assert [[what for _, what in heard] for heard in said(kind(15), theirs)] == [
        [signal, OFF] for signal in kind.SIGNALS]


def test_r1_digits_of_spandsp() -> None:
    heard = said(R1(1), [spandsp.bell_mf("*1234567890ABC#")])[0]
    assert [what for _, what in heard if what != OFF] == [
        "KP", *"1234567890", "STP", "ST2P", "ST3P", "ST"]


def test_r1_digits_by_spandsp() -> None:
    sent = [register_signal(R1, place, dbm0=(-7, -7), seed=place) for place in range(15)]
    assert spandsp.bell_mf_digits(np.concatenate(sent)) == "1234567890CA*B#"


def test_signals_that_follow_without_a_pause() -> None:
    whole = np.concatenate([register_signal(R2Forward, place)[30 * MS:-50 * MS] for place in (0, 7, 3)])
    heard = said(R2Forward(1), [np.concatenate([whole, np.zeros(50 * MS, np.int16)])])[0]
    assert [what for _, what in heard] == ["1", OFF, "8", OFF, "4", OFF]


def test_a_row_begins_anew() -> None:
    detector, line = R2Forward(2), register_signal(R2Forward, 4)
    said(detector, [line[:60 * MS], line[:60 * MS]])
    detector.reset(0)
    after = said(detector, 2 * [np.zeros(50 * MS, np.int16)])
    assert [[what for _, what in heard] for heard in after] == [[], [OFF]]


def test_the_table_has_all_directions() -> None:
    assert [DETECTORS[kind] for kind in ("r2-forward", "r2-backward", "r1")] == KINDS
