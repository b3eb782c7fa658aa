"""Supervisory tones by country and DTMF, as A-law octets.

Ref: ITU-T E.180 (03/98) for levels, Supplement 2 to the E.100 series (01/94) for the countries' frequencies
and cadences, Q.23 (11/88) for push-button signals. North American levels are those of its precise tone plan.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from appliance.media import g711

SAMPLE_RATE_HZ = 8000

LOW_HZ = (697, 770, 852, 941)                     # Q.23 clause 2, rows and columns of the keypad
HIGH_HZ = (1209, 1336, 1477, 1633)
DIGITS = "123A456B789C*0#D"                       # row by row


@dataclass(frozen=True, slots=True)
class Tone:
    """Frequencies sounding together, each of `level_dbm0`; `cadence_ms` is on, off, ...; () sounds always."""

    hz: tuple[int, ...]
    level_dbm0: float
    cadence_ms: tuple[int, ...] = ()


def _plan(dial: Tone, ringback: Tone, busy: Tone, congestion: Tone) -> dict[str, Tone]:
    return {"dial": dial, "ringback": ringback, "busy": busy, "congestion": congestion}


COUNTRIES: dict[str, dict[str, Tone]] = {
    "cn": _plan(Tone((450,), -10), Tone((450,), -10, (1000, 4000)),
                Tone((450,), -10, (350, 350)), Tone((450,), -10, (700, 700))),
    "gb": _plan(Tone((350, 440), -13), Tone((400, 450), -13, (400, 200, 400, 2000)),
                Tone((400,), -10, (375, 375)), Tone((400,), -10, (400, 350, 225, 525))),
    "de": _plan(Tone((425,), -10), Tone((425,), -10, (1000, 4000)),
                Tone((425,), -10, (480, 480)), Tone((425,), -10, (240, 240))),
    "us": _plan(Tone((350, 440), -13), Tone((440, 480), -19, (2000, 4000)),
                Tone((480, 620), -24, (500, 500)), Tone((480, 620), -24, (250, 250))),
}


def sines(hz: tuple[float, ...], levels_dbm0: tuple[float, ...], samples: int) -> npt.NDArray[np.float64]:
    """The sum of sines that begin at phase 0, in linear steps."""
    at_s = np.arange(samples) / SAMPLE_RATE_HZ
    peaks = [g711.PEAK_0DBM0 * 10 ** (level / 20) for level in levels_dbm0]
    parts = [peak * np.sin(2 * np.pi * one * at_s) for one, peak in zip(hz, peaks, strict=True)]
    mixed: npt.NDArray[np.float64] = np.sum(parts, axis=0, dtype=np.float64)
    return mixed


def loop(country: str, name: str) -> g711.Octets:
    """The tone's octets: repeated end to end they sound without a seam. KeyError for what no table has."""
    tone = COUNTRIES[country][name]
    levels_dbm0 = (tone.level_dbm0,) * len(tone.hz)
    if not tone.cadence_ms:                       # one second holds whole cycles of every whole frequency
        return _alaw(sines(tone.hz, levels_dbm0, SAMPLE_RATE_HZ))
    return _alaw(np.concatenate([
        sines(tone.hz, levels_dbm0, _samples(ms)) if index % 2 == 0 else np.zeros(_samples(ms))
        for index, ms in enumerate(tone.cadence_ms)]))


def dtmf(digits: str, on_ms: int = 70, off_ms: int = 70, level_dbm0: float = -9) -> g711.Octets:
    """Octets of `digits`, each frequency at `level_dbm0`, each followed by a pause. ValueError: no digit."""
    parts = []
    for digit in digits.upper():
        if digit not in DIGITS:
            raise ValueError(f"{digit!r} is no DTMF digit, they are {DIGITS}")
        row, column = divmod(DIGITS.index(digit), 4)
        parts += [sines((LOW_HZ[row], HIGH_HZ[column]), (level_dbm0, level_dbm0), _samples(on_ms)),
                  np.zeros(_samples(off_ms))]
    return _alaw(np.concatenate(parts)) if parts else np.empty(0, np.uint8)


def _samples(ms: int) -> int:
    return ms * SAMPLE_RATE_HZ // 1000


def _alaw(linear: npt.NDArray[np.float64]) -> g711.Octets:
    return g711.encode(np.rint(np.clip(linear, -32768, 32767)).astype(np.int16))
