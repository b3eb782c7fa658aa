"""Supervisory tones by country and DTMF, as A-law octets.

Ref: ITU-T E.180 (03/98) for the tones' kinds and levels, its Supplement 2 (04/98) for the countries'
frequencies and cadences and for their notation, Q.23 (11/88) for push-button signals. North American levels
are those of its precise tone plan.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from appliance.media import g711

SAMPLE_RATE_HZ = 8000

LOW_HZ = (697, 770, 852, 941)                     # Q.23 clause 2, rows and columns of the keypad
HIGH_HZ = (1209, 1336, 1477, 1633)
DIGITS = "123A456B789C*0#D"                       # row by row

TOTAL_DBM0 = -10.0                                # E.180 clause 2: all frequencies of a tone together
EDGE_MS = 3                                       # a burst swells and fades, so that it does not click

_FULL_MODULATION = 1.5                            # power of a carrier and both sides, to that of the carrier


@dataclass(frozen=True, slots=True)
class Tone:
    """Frequencies sounding together, each of `level_dbm0`; `cadence_ms` is on, off, ...; () sounds always.

    `by_turns`: not together, but one in each part that is on. `modulated_hz`: their amplitude swings so often
    between nothing and twice its mean.
    """

    hz: tuple[int, ...]
    level_dbm0: float
    cadence_ms: tuple[int, ...] = ()
    by_turns: bool = False
    modulated_hz: int = 0


_NOTATION = re.compile(r"(?P<hz>[\d+/]+)(x(?P<by>\d+))?(@(?P<dbm0>-?\d+))?( (?P<cadence>[\d.]+(-[\d.]+)+))?")


def _tone(text: str) -> Tone:
    """Supplement 2's notation: f1+f2 together, f1/f2 by turns, f1xf2 modulated, then seconds on-off-on-off.

    Ours: @ before the level of each frequency in dBm0. ValueError for anything else.
    """
    read = _NOTATION.fullmatch(text)
    if read is None:
        raise ValueError(f"{text!r} is no tone: write e.g. 400+450 0.4-0.2-0.4-2.0")
    hz = tuple(int(one) for one in re.split(r"[+/]", read["hz"]))
    by_turns, modulated_hz = "/" in read["hz"], int(read["by"] or 0)
    power = (1 if by_turns else len(hz)) * (_FULL_MODULATION if modulated_hz else 1)
    level_dbm0 = float(read["dbm0"] or round(TOTAL_DBM0 - 10 * np.log10(power), 1))
    cadence_ms = tuple(round(1000 * float(part)) for part in (read["cadence"] or "").split("-") if part)
    return Tone(hz, level_dbm0, cadence_ms, by_turns, modulated_hz)


_SIT = "950/1400/1800 0.33-0-0.33-0-0.33-1.0"     # E.180's own
_EUROPE = {"dial": "425", "ringback": "425 1.0-4.0", "busy": "425 0.5-0.5", "congestion": "425 0.25-0.25"}
_BRITAIN = {
    "dial": "350+440", "ringback": "400+450 0.4-0.2-0.4-2.0", "busy": "400 0.375-0.375",
    "congestion": "400 0.4-0.35-0.225-0.525", "call-waiting": "400 0.1-4.0"}
_AMERICA = {
    "dial": "350+440@-13", "ringback": "440+480@-19 2.0-4.0", "busy": "480+620@-24 0.5-0.5",
    "congestion": "480+620@-24 0.25-0.25", "call-waiting": "440@-13 0.3-10.0",
    "confirmation": "350+440@-13 0.1-0.1-0.1-0.1-0.1-0.1"}
_PRECISE = {                                      # the frequencies of the precise tone plan, E.180's levels
    "dial": "350+440", "busy": "480+620 0.5-0.5", "congestion": "480+620 0.25-0.25",
    "call-waiting": "440 0.3-10.0"}

_TABLE: dict[str, dict[str, str]] = {             # by the code of ISO 3166-1
    "ae": _BRITAIN,
    "ar": _EUROPE | {"ringback": "425 1.0-4.5", "busy": "425 0.3-0.3", "congestion": "425 0.2-0.3",
                     "call-waiting": "425 0.4-0.2-0.4-4.0"},
    "at": {"dial": "420", "ringback": "420 1.0-5.0", "busy": "420 0.4-0.4", "congestion": "420 0.2-0.2",
           "call-waiting": "420 0.04-1.96", "sit": "950/1450/1850 0.33-0-0.33-0-0.33-1.0"},
    "au": {"dial": "413+438", "ringback": "413+438 0.4-0.2-0.4-2.0", "busy": "425 0.375-0.375",
           "congestion": "425 0.375-0.375", "call-waiting": "425 0.2-0.2-0.2-4.4",
           "sit": "425 2.5-0.5"},
    "be": _EUROPE | {"ringback": "425 1.0-3.0", "congestion": "425 0.167-0.167",
                     "call-waiting": "1400 0.175-0.175-0.175-3.5",
                     "sit": "900/1400/1800 0.33-0-0.33-0-0.33-1.0"},
    "br": _EUROPE | {"busy": "425 0.25-0.25", "congestion": "425 0.25-0.25-0.75-0.25",
                     "call-waiting": "425 0.05-1.0"},
    "ca": _AMERICA,
    "ch": _EUROPE | {"congestion": "425 0.2-0.2", "call-waiting": "425 0.2-0.2-0.2-4.0",
                     "second-dial": "340+425 1.1-1.1"},
    "cl": {"dial": "400", "ringback": "400 1.0-3.0", "busy": "400 0.5-0.5", "congestion": "400 0.2-0.2",
           "call-waiting": "400 0.25-8.75"},
    "cn": {"dial": "450", "ringback": "450 1.0-4.0", "busy": "450 0.35-0.35", "congestion": "450 0.7-0.7",
           "call-waiting": "450@-20 0.4-4.0", "sit": "450 0.1-0.1-0.1-0.1-0.1-0.1-0.4-0.4",
           "record-warning": "1400@-20 0.4-10.0", "howler": "950@0"},
    "cz": _EUROPE | {"dial": "425 0.33-0.33-0.66-0.66", "busy": "425 0.33-0.33",
                     "congestion": "425 0.165-0.165", "call-waiting": "425 0.33-9.0"},
    "de": _EUROPE | {"busy": "425 0.48-0.48", "congestion": "425 0.24-0.24",
                     "call-waiting": "425 0.2-0.2-0.2-5.0", "second-dial": "400+425"},
    "dk": _EUROPE | {"congestion": "425 0.2-0.2", "call-waiting": "425 0.2-0.6-0.2-3.0"},
    "eg": {"dial": "425x50", "ringback": "425x50 2.0-1.0", "busy": "450 1.0-4.0",
           "congestion": "450 0.5-0.5"},
    "es": _EUROPE | {"ringback": "425 1.5-3.0", "busy": "425 0.2-0.2",
                     "congestion": "425 0.2-0.2-0.2-0.2-0.2-0.6",
                     "call-waiting": "425 0.175-0.175-0.175-3.5"},
    "fi": _EUROPE | {"busy": "425 0.3-0.3", "congestion": "425 0.2-0.2",
                     "call-waiting": "425 0.15-0.15-0.15-8.0"},
    "fr": {"dial": "440", "ringback": "440 1.5-3.5", "busy": "440 0.5-0.5", "congestion": "440 0.25-0.25",
           "call-waiting": "440 0.3-10.0"},
    "gb": _BRITAIN | {"second-dial": "350+440", "confirmation": "1400"},
    "gr": _EUROPE | {"dial": "425 0.2-0.3-0.7-0.8", "busy": "425 0.3-0.3", "congestion": "425 0.2-0.2",
                     "call-waiting": "425 0.15-0.15-0.15-8.0"},
    "hk": _PRECISE | {"ringback": "440+480 0.4-0.2-0.4-3.0"},
    "hu": _EUROPE | {"ringback": "425 1.25-3.75", "busy": "425 0.3-0.3", "congestion": "425 0.3-0.3",
                     "call-waiting": "425 0.04-1.96", "second-dial": "425+450"},
    "id": _EUROPE,
    "ie": _BRITAIN | {"dial": "425", "busy": "425 0.5-0.5", "congestion": "425 0.375-0.375",
                      "call-waiting": "425 0.2-0.2-0.2-4.0"},
    "il": {"dial": "414", "ringback": "414 1.0-3.0", "busy": "414 0.5-0.5", "congestion": "414 0.25-0.25",
           "call-waiting": "414 0.1-0.1-0.1-0.1-0.6-3.0", "sit": "1000/1400/1800 0.33-0-0.33-0-0.33-1.0"},
    "in": {"dial": "400x25", "ringback": "400x25 0.4-0.2-0.4-2.0", "busy": "400 0.75-0.75",
           "congestion": "400 0.25-0.25", "call-waiting": "400 0.2-0.1-0.2-7.5"},
    "it": _EUROPE | {"dial": "425 0.2-0.2-0.6-1.0", "congestion": "425 0.2-0.2",
                     "call-waiting": "425 0.4-0.1-0.25-0.1-0.15-14.0", "second-dial": "470/425 0.4-0-0.4-0"},
    "jp": {"dial": "400", "ringback": "400x16 1.0-2.0", "busy": "400 0.5-0.5", "congestion": "400 0.5-0.5",
           "call-waiting": "400x16 0.5-8.0"},
    "kr": _PRECISE | {"ringback": "440+480 1.0-2.0", "congestion": "480+620 0.3-0.2",
                      "call-waiting": "350+440 0.25-0.25-0.25-3.25"},
    "mo": _EUROPE | {"call-waiting": "425 0.2-0.6"},
    "mx": _EUROPE | {"busy": "425 0.25-0.25", "call-waiting": "425 0.2-0.6-0.2-10.0"},
    "my": _EUROPE | {"ringback": "425 0.4-0.2-0.4-2.0", "congestion": "425 0.5-0.5",
                     "call-waiting": "425 0.1-4.0"},
    "nl": _EUROPE | {"call-waiting": "425 0.5-9.5"},
    "no": _EUROPE | {"congestion": "425 0.2-0.2", "call-waiting": "425 0.2-0.6-0.2-10.0",
                     "second-dial": "470/425 0.4-0-0.4-0"},
    "nz": {"dial": "400", "ringback": "400+450 0.4-0.2-0.4-2.0", "busy": "400 0.5-0.5",
           "congestion": "400 0.25-0.25", "call-waiting": "400 0.2-3.0",
           "sit": "400 0.75-0.1-0.75-0.1-0.75-0.1-0.75-0.4"},
    "ph": _PRECISE | {"dial": "425", "ringback": "425+480 1.0-4.0"},
    "pl": _EUROPE | {"congestion": "425 0.5-0.5", "call-waiting": "425 0.15-0.15-0.15-4.0"},
    "pt": _EUROPE | {"ringback": "425 1.0-5.0", "congestion": "425 0.2-0.2", "call-waiting": "425 0.3-10.0"},
    "ru": _EUROPE | {"ringback": "425 0.8-3.2", "busy": "425 0.35-0.35", "congestion": "425 0.175-0.175",
                     "call-waiting": "425 0.2-5.0"},
    "sa": _EUROPE | {"ringback": "425 1.2-4.6", "call-waiting": "425 0.15-0.2-0.15-10.0"},
    "se": _EUROPE | {"ringback": "425 1.0-5.0", "busy": "425 0.25-0.25", "congestion": "425 0.25-0.75",
                     "call-waiting": "425 0.2-0.5-0.2-9.1"},
    "sg": {"dial": "425", "ringback": "425x24 0.4-0.2-0.4-2.0", "busy": "425 0.75-0.75",
           "congestion": "425 0.25-0.25", "call-waiting": "425x24 0.3-0.2-0.3-3.2",
           "confirmation": "425 0.125-0.125"},
    "th": {"dial": "400x50", "ringback": "400 1.0-4.0", "busy": "400 0.5-0.5", "congestion": "400 0.3-0.3",
           "second-dial": "400x50 0.4-0.1"},
    "tr": {"dial": "450", "ringback": "450 2.0-4.0", "busy": "450 0.5-0.5",
           "congestion": "450 0.2-0.2-0.2-0.2-0.2-0.2-0.6-0.2", "call-waiting": "450 0.2-0.6-0.2-8.0"},
    "tw": _PRECISE | {"ringback": "440+480 1.0-2.0", "call-waiting": "350+440 0.25-0.25-0.25-3.25"},
    "us": _AMERICA,
    "za": {"dial": "400x33", "ringback": "400x33 0.4-0.2-0.4-2.0", "busy": "400 0.5-0.5",
           "congestion": "400 0.25-0.25", "call-waiting": "400x33 0.25-0.25"},
}


def _plan(own: Mapping[str, str]) -> dict[str, Tone]:
    """A country's tones; those that it does not set are E.180's, or made of its dial tone's frequencies."""
    frequencies = own["dial"].partition(" ")[0]
    general = {
        "call-waiting": f"{frequencies} 0.3-10.0", "sit": _SIT, "record-warning": "1400@-20 0.5-15.0",
        "confirmation": f"{frequencies} 0.1-0.1-0.1-0.1-0.1-0.1", "second-dial": own["dial"],
        "howler": "1400+2060+2450+2600@-12 0.1-0.1"}
    return {name: _tone(text) for name, text in (general | dict(own)).items()}


COUNTRIES: dict[str, dict[str, Tone]] = {country: _plan(own) for country, own in _TABLE.items()}


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
    if not tone.cadence_ms:                       # one second holds whole cycles of every whole frequency
        return _alaw(_sounding(tone, tone.hz, SAMPLE_RATE_HZ))
    parts = []
    for index, ms in enumerate(tone.cadence_ms):
        if index % 2:
            parts.append(np.zeros(_samples(ms)))
        else:
            hz = tone.hz[index // 2 % len(tone.hz):][:1] if tone.by_turns else tone.hz
            parts.append(_swelling(_sounding(tone, hz, _samples(ms))))
    return _alaw(np.concatenate(parts))


def cut(octets: g711.Octets, samples: int) -> g711.Octets:
    """So much of a loop, round and round, with a soft end."""
    octets = np.resize(octets, samples)
    edge = min(_samples(EDGE_MS), samples)
    octets[samples - edge:] = _alaw(g711.decode_float(octets[samples - edge:]) * _swell(edge)[::-1])
    return octets


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


def _sounding(tone: Tone, hz: tuple[int, ...], samples: int) -> npt.NDArray[np.float64]:
    linear = sines(hz, (tone.level_dbm0,) * len(hz), samples)
    if tone.modulated_hz:
        linear *= 1 - np.cos(2 * np.pi * tone.modulated_hz * np.arange(samples) / SAMPLE_RATE_HZ)
    return linear


def _swelling(burst: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The same burst with soft edges."""
    edge = min(_samples(EDGE_MS), burst.size // 2)
    ramp = _swell(edge)
    burst[:edge] *= ramp
    burst[burst.size - edge:] *= ramp[::-1]
    return burst


def _swell(samples: int) -> npt.NDArray[np.float64]:
    """A rise from 0 to 1 that is not heard as a click."""
    rise: npt.NDArray[np.float64] = np.sin(np.pi / 2 * (np.arange(samples) + 0.5) / samples) ** 2
    return rise


def _samples(ms: int) -> int:
    return ms * SAMPLE_RATE_HZ // 1000


def _alaw(linear: npt.NDArray[np.float64]) -> g711.Octets:
    return g711.encode(np.rint(np.clip(linear, -32768, 32767)).astype(np.int16))
