"""The receiver against ITU-T Q.24 (11/88), every digit at every place of a block at once."""

import itertools
import subprocess
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from appliance.media import g711, tones
from appliance.media.dtmf import Receiver
from e1_driver import BLOCK

MS = 8                                            # samples
STARTS = range(0, BLOCK, 5)
CASES = list(itertools.product(tones.DIGITS, STARTS))
SILENCE = 30 * MS

Samples = npt.NDArray[np.float64]


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
    """What a receiver with a row for each signal says, the digits of a row in one string."""
    longest = -(-max(one.size for one in signals) // BLOCK) * BLOCK
    lines = np.zeros((len(signals), longest))
    for row, one in enumerate(signals):
        lines[row, :one.size] = one
    samples = g711.decode(g711.encode(np.rint(lines.clip(-32768, 32767)).astype(np.int16)))
    receiver, digits = Receiver(len(signals)), [""] * len(signals)
    for at in range(0, longest, BLOCK):
        for row, digit in receiver.feed(samples[:, at:at + BLOCK]):
            digits[row] += digit
    return digits


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


@pytest.mark.parametrize("level_dbm0", [0, -3, -15, -25])
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
    receiver, tone = Receiver(1), g711.decode(tones.dtmf("7", on_ms=200, off_ms=0))
    at = next(at for at in range(0, 1600, BLOCK) if receiver.feed(tone[None, at:at + BLOCK]))
    assert at + BLOCK <= 50 * MS


def test_rows_are_independent_and_few_rows_may_be_fed() -> None:
    random = np.random.default_rng(5)
    receiver, lines = Receiver(200), random.normal(0, 3000, (200, 4000))
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


def talk(voice: str, text: str) -> Samples:
    wav = subprocess.run(["espeak-ng", "-v", voice, "--stdout", text], check=True, capture_output=True).stdout
    raw = subprocess.run(["sox", "-t", "wav", "-", "-r", "8000", "-c", "1", "-t", "s16", "-"],
                         input=wav, check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.int16).astype(np.float64)


ENGLISH = """Thank you for calling. All our agents are busy at the moment, please hold the line, you are
number four in the queue. Your call may be recorded. Did you see the new invoice? We sent it on the thirty
first of May, for two hundred and fifty six pounds. Who knows why it never came? Let me look it up for you."""
CHINESE = """您好，欢迎致电。请您稍等，您前面还有三位客户。如需查询账单请按一，
如需人工服务请按零。谢谢您的耐心等待，我们马上为您服务。"""


@pytest.mark.parametrize("voice", ["en", "en-us+f3", "en+m3", "en+f4", "cmn", "cmn+f3"])
def test_speech_is_no_digit(voice: str) -> None:
    speech = talk(voice, 2 * (CHINESE if voice.startswith("cmn") else ENGLISH))
    said = heard([gain * speech[start:] for start in range(0, BLOCK, 10) for gain in (0.3, 1.0)])
    assert said == [""] * len(said)


def test_music_is_no_digit() -> None:
    """Chords and runs of plucked strings over four octaves, 50 s at each of eight places of a block."""
    random = np.random.default_rng(7)
    music = np.zeros(50 * 8000)
    for at in range(0, music.size - 4000, 1000):
        for note in random.integers(40, 88, 3):
            hz = 440 * 2 ** ((note - 69) / 12)
            t = np.arange(4000) / 8000
            partials = np.arange(1, int(3800 / hz) + 1)[:, None]
            string = (np.sin(2 * np.pi * hz * partials * t) / partials).sum(axis=0)
            music[at:at + 4000] += string * np.exp(-6 * t)
    said = heard([4000 * music[start:] for start in range(0, BLOCK, 10)])
    assert said == [""] * len(said)


@pytest.mark.parametrize("country", list(tones.COUNTRIES))
def test_supervisory_tones_are_no_digits(country: str) -> None:
    loops = [g711.decode(tones.loop(country, name)).astype(np.float64) for name in tones.COUNTRIES[country]]
    assert heard(loops) == [""] * len(loops)
