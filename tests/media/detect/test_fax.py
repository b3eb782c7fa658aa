"""Fax and modem tones: spandsp sends, each is said once; talk and music are none of them."""

import numpy as np
import pytest

from appliance.media import tones
from appliance.media.detect.fax import Fax
from tests.media import spandsp
from tests.media.detect import corpus
from tests.media.detect.receivers import MS, Samples, alaw, said

SECOND = 1000 * MS


def words(*lines: Samples) -> list[list[str]]:
    return [[what for _, what in heard] for heard in said(Fax(len(lines)), [alaw(line) for line in lines])]


def sent(
    name: str, seconds: float = 4, *, start: int = 0, gain_db: float = 0, noise_db: float = 40,
) -> Samples:
    signal = spandsp.connect_tone(name, int(seconds * SECOND)).astype(np.float64)
    rms = np.sqrt(np.square(signal[signal != 0]).mean())
    line = np.concatenate([np.zeros(SECOND // 4 + start), signal, np.zeros(SECOND)])
    random = np.random.default_rng(start)
    return (line + random.normal(0, rms * 10 ** (-noise_db / 20), line.size)) * 10 ** (gain_db / 20)


@pytest.mark.parametrize(("name", "heard"), [
    ("cng", ["cng"]), ("ans", ["ced"]), ("ans reversed", ["ced", "reversal"]), ("ansam", ["ansam"]),
    ("ansam reversed", ["ansam", "reversal"]),
])
@pytest.mark.parametrize(("gain_db", "noise_db"), [(0, 40), (-28, 25), (0, 15)])
def test_spandsp_sends(name: str, heard: list[str], gain_db: float, noise_db: float) -> None:
    """Anywhere in a block, loud and quiet, in noise; a calling machine's bursts are one occurrence."""
    lines = [sent(name, 8 if name == "cng" else 4, start=start, gain_db=gain_db, noise_db=noise_db)
             for start in range(0, 80, 13)]
    assert words(*lines) == [heard] * len(lines)


@pytest.mark.parametrize(("name", "what", "at_most_s"), [
    ("cng", "cng", 0.75), ("ans", "ced", 0.45), ("ansam reversed", "reversal", 0.55)])
def test_said_within(name: str, what: str, at_most_s: float) -> None:
    """From the tone's beginning; the first reversal comes after 450 ms (V.8)."""
    line = sent(name)
    begins = np.flatnonzero(np.abs(line) > 300)[0]
    at = next(end for end, heard in said(Fax(1), [alaw(line)])[0] if heard == what)
    assert (at - begins) / SECOND <= at_most_s


def bursts(hz: float, on_ms: int, off_ms: int = 3000) -> Samples:
    burst = tones.sines((hz,), (-12,), on_ms * MS)
    return np.tile(np.concatenate([np.zeros(off_ms * MS), burst]), 3)[off_ms * 6:]


@pytest.mark.parametrize(("hz", "on_ms", "heard"), [
    (1062, 500, ["cng"]), (1138, 500, ["cng"]), (1100, 425, ["cng"]), (1100, 575, ["cng"]),
    (1000, 500, []), (1200, 500, []), (1100, 250, []), (1100, 800, []),
])
def test_cng_limits(hz: float, on_ms: int, heard: list[str]) -> None:
    """T.30: 1100 Hz, 38 more or less, 0.5 s, 15 % more or less."""
    assert words(bursts(hz, on_ms)) == [heard]


@pytest.mark.parametrize(("hz", "heard"), [(2085, ["ced"]), (2115, ["ced"]), (2000, []), (2200, [])])
def test_ced_limits(hz: float, heard: list[str]) -> None:
    assert words(bursts(hz, 3000)) == [heard]


@pytest.mark.parametrize(("turn", "heard"), [(180, True), (155, True), (205, True), (90, False), (0, False)])
def test_phase_reversals(turn: float, heard: bool) -> None:
    """G.168: 180 degrees, 25 more or less, is one; 110 is none. At ten places of a block, 15 Hz off."""
    lines = []
    for place in range(0, 80, 8):
        at = np.arange(2 * SECOND)
        phase = np.where(at >= 900 * MS + place, np.radians(turn), 0)
        lines.append(5000 * np.sin(2 * np.pi * 2115 * at / SECOND + phase))
    assert words(*lines) == [["ced", "reversal"] if heard else ["ced"]] * len(lines)


@pytest.mark.parametrize(("bits", "heard"), [
    ("01111110", ["v21"]), ("1", []), ("0", []), ("01", []), ("0111111001001101000111010010", [])])
@pytest.mark.parametrize("start", [0, 13, 50])
def test_preamble_of_v21(bits: str, heard: list[str], start: int) -> None:
    line = np.concatenate([np.zeros(SECOND // 4 + start), spandsp.v21(bits, SECOND), np.zeros(SECOND // 2)])
    assert words(line, 0.05 * line) == [heard] * 2
    assert bool(spandsp.connect_tones("preamble", alaw(line))) == bool(heard)


def test_a_new_call_is_said_anew() -> None:
    assert words(np.concatenate([sent("cng"), np.zeros(6 * SECOND), sent("cng")])) == [["cng", "cng"]]


def test_rows_are_independent_and_begin_anew() -> None:
    detector, lines = Fax(70), [np.zeros(2 * SECOND, np.int16)] * 70
    lines[2], lines[66] = alaw(sent("ans")[:2 * SECOND]), alaw(sent("cng")[:2 * SECOND])
    first = [[what for _, what in heard] for heard in said(detector, lines)]
    assert {row: heard for row, heard in enumerate(first) if heard} == {2: ["ced"], 66: ["cng"]}
    detector.reset(2)
    assert [what for _, what in said(detector, lines[:3])[2]] == ["ced"]


def test_talk_and_music_are_no_fax() -> None:
    heard = [*(music[:100 * SECOND] for music in corpus.music().values()),
             corpus.speech("fr", corpus.TEXTS["fr"]), corpus.speech("en", corpus.TEXTS["en"])]
    lines = [part.astype(np.float64) for one in heard for part in np.array_split(one, 8)]
    assert words(*lines) == [[]] * len(lines)
