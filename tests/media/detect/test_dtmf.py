"""The receiver against ITU-T Q.24 (11/88), every digit at every place of a block at once."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from appliance.media import g711, tones
from appliance.media.detect.dtmf import Dtmf
from e1_driver import BLOCK
from tests.media import spandsp
from tests.media.detect import mitel
from tests.media.detect.mitel import Pulse
from tests.media.detect.receivers import MS, Samples, alaw, ours, spandsps

STARTS = range(0, BLOCK, 5)
CASES = list(itertools.product(tones.DIGITS, STARTS))
SILENCE = 30 * MS


def signal(
    digit: str, start: int, on: int, *, level_dbm0: float = -9, twist_db: float = 0, low_off: float = 0,
    high_off: float = 0, snr_db: float | None = None, seed: int = 0,
) -> Samples:
    """Digit of `on` samples; the weaker sine is of `level_dbm0`, the high one when `twist_db` is negative."""
    random = np.random.default_rng(seed)
    row, column = divmod(tones.DIGITS.index(digit), 4)
    hz = np.array([tones.LOW_HZ[row] * (1 + low_off), tones.HIGH_HZ[column] * (1 + high_off)])
    levels_dbm0 = np.array([level_dbm0 + max(-twist_db, 0), level_dbm0 + max(twist_db, 0)])
    peaks = g711.PEAK_0DBM0 * 10 ** (levels_dbm0 / 20)
    phases = random.uniform(0, 2 * np.pi, 2)
    sines = peaks[:, None] * np.sin(2 * np.pi * hz[:, None] * np.arange(on) / 8000 + phases[:, None])
    out = np.zeros(start + on + 2 * SILENCE)
    out[SILENCE + start:SILENCE + start + on] = sines.sum(axis=0)
    if snr_db is not None:
        rms = np.sqrt((peaks ** 2).sum() / 2) * 10 ** (-snr_db / 20)
        out += random.normal(0, rms, out.size)
    return out


def heard(signals: list[Samples]) -> list[str]:
    """What a receiver says of each, through A-law."""
    return ours([alaw(one) for one in signals])


def share_right(make: Callable[[str, int, int], Samples]) -> float:
    """The part of all cases in which just the sent digit is heard."""
    said = heard([make(digit, start, case) for case, (digit, start) in enumerate(CASES)])
    return float(np.mean([one == digit for one, (digit, _) in zip(said, CASES, strict=True)]))


def share_silent(make: Callable[[str, int, int], Samples]) -> float:
    said = heard([make(digit, start, case) for case, (digit, start) in enumerate(CASES)])
    return said.count("") / len(said)


def sign(case: int) -> int:
    return 1 if case // 2 % 2 else -1


@pytest.mark.parametrize("on_ms", [40, 50, 70, 500])
def test_every_digit_is_said_once_from_40_ms_on(on_ms: int) -> None:
    assert share_right(lambda digit, start, case: signal(digit, start, on_ms * MS, seed=case)) == 1


@pytest.mark.parametrize("on_ms", [10, 20, 23])
def test_up_to_23_ms_is_no_digit(on_ms: int) -> None:
    assert share_silent(lambda digit, start, case: signal(digit, start, on_ms * MS, seed=case)) == 1


@pytest.mark.parametrize("level_dbm0", [3, 0, -3, -15, -25, -30])
def test_levels_that_pass(level_dbm0: float) -> None:
    assert share_right(lambda digit, start, case: signal(
        digit, start, 40 * MS, level_dbm0=level_dbm0, seed=case)) == 1


@pytest.mark.parametrize("level_dbm0", [-35, -45])
def test_levels_that_do_not(level_dbm0: float) -> None:
    assert share_silent(lambda digit, start, case: signal(
        digit, start, 100 * MS, level_dbm0=level_dbm0, seed=case)) == 1


@pytest.mark.parametrize("twist_db", [-8, -6, 6, 8])
def test_twist_that_passes(twist_db: float) -> None:
    assert share_right(lambda digit, start, case: signal(
        digit, start, 40 * MS, level_dbm0=-20, twist_db=twist_db, seed=case)) == 1


@pytest.mark.parametrize("twist_db", [-12, 12, 20])
def test_twist_that_does_not(twist_db: float) -> None:
    assert share_silent(lambda digit, start, case: signal(
        digit, start, 100 * MS, level_dbm0=-22, twist_db=twist_db, seed=case)) == 1


@pytest.mark.parametrize("off", [0.005, 0.01, 0.015])
def test_frequencies_that_pass(off: float) -> None:
    assert share_right(lambda digit, start, case: signal(
        digit, start, 40 * MS, low_off=off * sign(case), high_off=off * sign(case // 2), seed=case)) == 1


@pytest.mark.parametrize("off", [0.035, 0.045, 0.06])
@pytest.mark.parametrize("which", ["low", "high"])
def test_frequencies_that_do_not(off: float, which: str) -> None:
    assert share_silent(lambda digit, start, case: signal(
        digit, start, 100 * MS, twist_db=(-8, 0, 8)[case % 3], seed=case,
        low_off=off * sign(case) if which == "low" else 0,
        high_off=off * sign(case) if which == "high" else 0)) == 1


def test_all_limits_together() -> None:
    assert share_right(lambda digit, start, case: signal(
        digit, start, 40 * MS, level_dbm0=-25, twist_db=8 * sign(case // 4), low_off=0.015 * sign(case),
        high_off=0.015 * sign(case // 2), seed=case)) == 1


@pytest.mark.parametrize(("snr_db", "least"), [(20, 1), (15, 1), (12, 0.99)])
def test_noise(snr_db: float, least: float) -> None:
    assert share_right(lambda digit, start, case: signal(
        digit, start, 45 * MS, snr_db=snr_db, low_off=0.01 * sign(case), twist_db=4, seed=case)) >= least
    assert share_silent(lambda digit, start, case: signal(
        digit, start, 20 * MS, snr_db=snr_db, seed=case)) >= least


def twice(digit: str, start: int, pause: int, case: int) -> Samples:
    first = signal(digit, start, 50 * MS, seed=case)[:SILENCE + start + 50 * MS]
    second = signal(digit, 0, 50 * MS, seed=case + 1)[SILENCE:]
    return np.concatenate([first, np.zeros(pause), second])


@pytest.mark.parametrize("pause_ms", [1, 5, 9])
def test_an_interruption_is_bridged(pause_ms: int) -> None:
    assert share_right(lambda digit, start, case: twice(digit, start, pause_ms * MS, case)) == 1


@pytest.mark.parametrize("pause_ms", [40, 70])
def test_a_pause_makes_two_digits(pause_ms: int) -> None:
    said = heard([twice(digit, start, pause_ms * MS, case) for case, (digit, start) in enumerate(CASES)])
    assert said == [2 * digit for digit, _ in CASES]


def test_the_fastest_dialling() -> None:
    number = "0123456789*#ABCD" * 2 + "00112233"
    whole = tones.dtmf(number, on_ms=40, off_ms=40)
    assert heard([np.concatenate([np.zeros(start), g711.decode(whole)]) for start in STARTS]) == [
        number] * len(STARTS)


def test_a_digit_is_said_within_50_ms_of_its_beginning() -> None:
    receiver, tone = Dtmf(1), g711.decode(tones.dtmf("7", on_ms=200, off_ms=0))
    at = next(at for at in range(0, 1600, BLOCK) if receiver.feed(tone[None, at:at + BLOCK]))
    assert at + BLOCK <= 50 * MS


def test_rows_are_independent_and_few_rows_may_be_fed() -> None:
    random = np.random.default_rng(5)
    receiver, lines = Dtmf(200), random.normal(0, 3000, (200, 4000))
    tone = g711.decode(tones.dtmf("4", on_ms=100, off_ms=400))
    lines[63], lines[64], lines[150] = tone, np.roll(tone, 37), np.roll(tone, 999)
    said = [row for at in range(0, 4000, BLOCK)
            for row, _ in receiver.feed(lines[:151, at:at + BLOCK].astype(np.int16))]
    assert sorted(said) == [63, 64, 150]


def test_sines_that_trade_places_are_no_digit() -> None:
    """As formants do: the low one falls by 2.5 dB in 10 ms, the high one rises."""
    fall_db = np.linspace(7.5, -7.5, 60 * MS)
    quiet = np.zeros(SILENCE)
    said = heard([np.concatenate([quiet[start:], sum(
        tones.sines((hz,), (-12,), fall_db.size) * 10 ** (sign * fall_db / 20)
        for hz, sign in ((tones.LOW_HZ[row], 1), (tones.HIGH_HZ[column], -1))), quiet])
        for row in range(4) for column in range(4) for start in STARTS])
    assert said == [""] * len(said)


def watched(lines: list[Samples]) -> tuple[list[list[bool]], list[list[int]]]:
    """Of each line's blocks: is it suspected, and the place in DIGITS of what sounds."""
    receiver, rows = Dtmf(len(lines)), np.stack([alaw(line) for line in lines])
    suspects, sounding = [], []
    for at in range(0, rows.shape[1] // BLOCK * BLOCK, BLOCK):
        receiver.feed(rows[:, at:at + BLOCK])
        suspects.append(receiver.suspects.copy())
        sounding.append(receiver.sounding.copy())
    return np.stack(suspects, axis=1).tolist(), np.stack(sounding, axis=1).tolist()


@pytest.mark.parametrize(("on_ms", "level_dbm0", "twist_db", "off"), [
    (40, -9, 0, 0), (70, -25, 8, 0), (200, -9, -8, 0), (70, -12, 4, 0.015), (70, -12, 4, -0.015)])
def test_less_than_20_ms_of_a_digit_is_not_suspected(
    on_ms: int, level_dbm0: float, twist_db: float, off: float,
) -> None:
    lines = [signal(
        digit, start, on_ms * MS, level_dbm0=level_dbm0, twist_db=twist_db, low_off=off, high_off=-off,
        snr_db=20, seed=case)[:2 * SILENCE + on_ms * MS] for case, (digit, start) in enumerate(CASES)]
    for (_, start), suspects in zip(CASES, watched(lines)[0], strict=True):
        begin, end = SILENCE + start, SILENCE + start + on_ms * MS
        audible = sum(max(min(end, at + BLOCK) - max(begin, at), 0)
                      for at, suspected in zip(range(0, end, BLOCK), suspects, strict=False) if not suspected)
        assert audible < 20 * MS


def test_how_long_a_digit_sounds_is_known_to_20_ms() -> None:
    lines = [signal("6", start, 150 * MS)[:2 * SILENCE + 150 * MS] for start in STARTS]
    for sounding in watched(lines)[1]:
        assert set(sounding) == {-1, tones.DIGITS.index("6")}
        assert abs(sum(place >= 0 for place in sounding) - 15) <= 2


@pytest.mark.parametrize("hz", [(350, 440), (400,), (425,), (450,), (400, 450)])
def test_digits_while_a_dial_tone_goes_on(hz: tuple[float, ...]) -> None:
    digits = [Pulse(digit, 50, (-15, -15)) for digit in tones.DIGITS]
    dial = tones.sines(hz, (-10,) * len(hz), tones.SAMPLE_RATE_HZ)
    assert ours([mitel.line(digits, under=dial)]) == [tones.DIGITS]
    assert ours([mitel.line([], under=np.tile(dial, 5))]) == [""]


def test_speech_over_a_dial_tone_that_ended_is_no_reason_to_hear_less_closely() -> None:
    """What stood alone is forgotten when it is gone: a hum beside two sines makes them no digit again."""
    second = tones.SAMPLE_RATE_HZ
    dial, quiet = tones.sines((425,), (-10,), second), np.zeros(second // 2)
    both = tones.sines((425, 697, 1209), (-10, -15, -15), second // 10)
    assert heard([np.concatenate([dial, quiet, both, quiet])]) == [""]


def test_our_digits_by_spandsp_and_its_by_us() -> None:
    number = tones.DIGITS + "00112233"
    sent = [g711.decode(tones.dtmf(number, on_ms=on, off_ms=off, level_dbm0=level))
            for on, off, level in ((70, 70, -9), (50, 50, -4), (45, 45, -25))]
    assert spandsps(sent) == [number] * len(sent)
    theirs = [alaw(spandsp.dtmf(number, on, off, level, twist)) for on, off, level, twist in (
        (50, 55, -4, 0), (40, 40, -10, 4), (100, 100, -20, -8))]
    assert ours(theirs) == [number] * len(theirs)


def test_mitel_s_tape() -> None:
    """At least what spandsp's own test of the tape asks, and Q.24's limits where those are tighter."""
    assert mitel.decode_check(ours) == 1
    assert all(1.5 <= min(pair) and max(pair) < 3.5 for pair in mitel.bandwidth(ours).values())
    assert all(min(pair) >= 8 for pair in mitel.twist(ours).values())
    lowest, highest = mitel.dynamic_range(ours)
    assert lowest <= -30 and highest >= 3
    never, always = mitel.guard_time(ours)
    assert never >= 23 and always <= 40
    assert mitel.noise(ours, (12, 8), pulses=200) == [1, 1]


def test_supervisory_tones_of_all_countries_are_no_digits() -> None:
    names = [(country, name) for country, of_country in tones.COUNTRIES.items() for name in of_country]
    said = ours([g711.decode(tones.loop(country, name)) for country, name in names])
    assert [name for name, digits in zip(names, said, strict=True) if digits] == []
