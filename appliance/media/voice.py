"""Speech of an engine as A-law that joins well: no silence around it, soft edges, one level.

All texts of a language are one run of espeak-ng, with long pauses between them at which its sound is cut.
"""

import math
import struct

import numpy as np
import numpy.typing as npt

from appliance.media import g711
from appliance.media.speaking import LEVEL_DBM0 as LEVEL_DBM0
from appliance.media.speaking import VOICES as VOICES
from appliance.media.speaking import CannotSpeak as CannotSpeak
from appliance.media.speaking import command as command
from appliance.media.speaking import document as document

BEFORE_MS, AFTER_MS = 10, 40                      # of silence: what is between words that are joined
SILENT_DBM0 = -99.0                               # of what is no sound at all
LONGEST_S = 600.0                                 # of one run's sound

_CUT_MS = 1500                                    # of a pause's PAUSE_MS
_SILENT = 1                                       # amplitude
_FRAME = 40                                       # samples of 8000 Hz, 5 ms
_TRIM_DB, _SPEAKS_DB = -40.0, -20.0               # from the loudest frame
_EDGE = 40                                        # samples that swell and fade
_TAPER_HZ = (3500, 3900)                          # where the telephone band ends
_PEAK = 32000.0                                   # that no sample is made louder than
_POWER_0DBM0 = g711.PEAK_0DBM0 ** 2 / 2           # mean square of a sine of 0 dBm0
_PCM, _EXTENSIBLE = 1, 0xFFFE                     # RIFF format tags, RFC 2361

_Floats = npt.NDArray[np.float64]


def recordings(wav: bytes) -> list[g711.Octets]:
    """What was spoken between the long pauses. CannotSpeak: not a WAV of 16 bit PCM."""
    sound, rate_hz = _samples(wav)
    return [_tidy(part, rate_hz) for part in _cut(sound, rate_hz)]


def recording(wav: bytes) -> g711.Octets:
    """All of it as one. CannotSpeak: not a WAV of 16 bit PCM, or silent."""
    sound, rate_hz = _samples(wav)
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > _SILENT)
    if not loud.size:
        raise CannotSpeak("the speech engine gave no sound: write another text")
    return _tidy(sound[loud[0]:loud[-1] + 1].astype(np.float64), rate_hz)


def _samples(wav: bytes) -> tuple[npt.NDArray[np.int16], int]:
    """Of the first channel, and samples a second. Lengths in what comes through a pipe are not true."""
    at, rate_hz, channels = 12, 0, 1
    while wav[:4] == b"RIFF" and at + 8 <= len(wav):
        kind, length = wav[at:at + 4], int.from_bytes(wav[at + 4:at + 8], "little")
        body = wav[at + 8:at + 8 + length]
        if kind == b"fmt " and len(body) >= 16:
            tag, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", body)
            if tag not in (_PCM, _EXTENSIBLE) or bits != 16 or not channels or not 4000 <= rate_hz <= 96000:
                break
        elif kind == b"data" and rate_hz:
            found = np.frombuffer(body[:len(body) // (2 * channels) * 2 * channels], np.int16)[::channels]
            if found.size > LONGEST_S * rate_hz:
                raise CannotSpeak(f"the speech engine spoke longer than {LONGEST_S:g} s: shorten the text")
            return found, rate_hz
        at += 8 + length + length % 2
    raise CannotSpeak("the speech engine gave no WAV of 16 bit PCM, 4000 to 96000 Hz")


def _cut(sound: npt.NDArray[np.int16], rate_hz: int) -> list[_Floats]:
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > _SILENT)
    breaks = np.flatnonzero(np.diff(loud) > _CUT_MS * rate_hz // 1000) + 1
    return [sound[part[0]:part[-1] + 1].astype(np.float64) for part in np.split(loud, breaks) if part.size]


def _tidy(sound: _Floats, rate_hz: int) -> g711.Octets:
    """At 8000 Hz, without what is silent at the ends, at LEVEL_DBM0."""
    return octets_of(tidy(_at_8000_hz(sound, rate_hz)))


def tidy(samples: _Floats) -> _Floats:
    """Linear samples of 8000 Hz without what is silent at their ends, soft there, at LEVEL_DBM0."""
    samples = soft(at_level(heard(samples), LEVEL_DBM0))
    return np.pad(samples, (8 * BEFORE_MS, 8 * AFTER_MS))


def heard(samples: _Floats) -> _Floats:
    """From the first frame that is heard to the last."""
    samples = np.pad(samples, (0, -samples.size % _FRAME))
    frames = np.flatnonzero(_power_db(samples) > _TRIM_DB)
    return samples[frames[0] * _FRAME:(frames[-1] + 1) * _FRAME]


def soft(samples: _Floats) -> _Floats:
    """Swelling and dying away, so that neither end clicks."""
    samples, edge = samples.copy(), min(_EDGE, samples.size // 2)
    ramp = (np.arange(edge) + 0.5) / edge if edge else np.empty(0)
    samples[:edge] *= ramp
    samples[samples.size - edge:] *= ramp[::-1]
    return samples


def speaking_dbm0(samples: _Floats) -> float:
    """The level of linear samples while they speak; SILENT_DBM0: they do not."""
    samples = np.pad(samples, (0, -samples.size % _FRAME))
    if not samples.size or not samples.any():
        return SILENT_DBM0
    power = np.mean(samples.reshape(-1, _FRAME) ** 2, axis=1)
    speaking = float(power[_power_db(samples) > _SPEAKS_DB].mean())
    return max(SILENT_DBM0, 10 * math.log10(speaking / _POWER_0DBM0))


def at_level(samples: _Floats, dbm0: float) -> _Floats:
    """So loud while they speak, or as loud as they can be without saturation. Silence stays silence."""
    if not samples.any():
        return samples
    gain = 10 ** ((dbm0 - speaking_dbm0(samples)) / 20)
    louder: _Floats = samples * min(gain, _PEAK / np.abs(samples).max())
    return louder


def octets_of(samples: _Floats) -> g711.Octets:
    return g711.encode(np.rint(samples).clip(-32767, 32767).astype(np.int16))


def _power_db(samples: _Floats) -> _Floats:
    """Of each frame of whole frames, from the loudest."""
    power = np.mean(samples.reshape(-1, _FRAME) ** 2, axis=1)
    below: _Floats = 10 * np.log10(np.maximum(power, 1e-9) / max(power.max(), 1e-9))
    return below


def _at_8000_hz(sound: _Floats, rate_hz: int) -> _Floats:
    """Resampled in the frequency domain, the telephone band kept."""
    unit = math.gcd(8000, rate_hz)
    sound = np.pad(sound, (0, -sound.size % (rate_hz // unit)))
    size = sound.size // (rate_hz // unit) * (8000 // unit)
    hz = np.arange(size // 2 + 1) * 8000 / size
    spectrum = np.fft.rfft(sound)[:hz.size]
    spectrum *= np.interp(hz[:spectrum.size], _TAPER_HZ, (1.0, 0.0))
    resampled: _Floats = np.fft.irfft(spectrum, size) * (8000 / rate_hz)
    return resampled
