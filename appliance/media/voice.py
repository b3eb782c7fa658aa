"""Speech of an engine as A-law that joins well: no silence around it, soft edges, one level.

All texts of a language are one run of espeak-ng, with long pauses between them at which its sound is cut.
"""

import math
import struct
from collections.abc import Sequence
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from appliance.errors import BranchlineError
from appliance.media import g711

VOICES = {"zh": ("cmn", "240"), "en": ("en", "160")}                 # espeak-ng's voice, words a minute
LEVEL_DBM0 = -16.0                                # while it speaks
BEFORE_MS, AFTER_MS = 10, 40                      # of silence: what is between words that are joined
FOLDER = "said"                                   # of spoken texts, below the state folder: "said:NAME"
LONGEST_S = 600.0                                 # of one run's sound

_PAUSE_MS, _CUT_MS = 2000, 1500                   # nothing inside a text is silent for so long
_SILENT = 1                                       # amplitude
_FRAME = 40                                       # samples of 8000 Hz, 5 ms
_TRIM_DB, _SPEAKS_DB = -40.0, -20.0               # from the loudest frame
_EDGE = 40                                        # samples that swell and fade
_TAPER_HZ = (3500, 3900)                          # where the telephone band ends
_PCM, _EXTENSIBLE = 1, 0xFFFE                     # RIFF format tags, RFC 2361

_Floats = npt.NDArray[np.float64]


class CannotSpeak(BranchlineError):
    """Which program failed, and how."""


def command(language: str) -> tuple[str, ...]:
    """espeak-ng, which takes document() on its standard input and gives a WAV on its standard output."""
    voice, words_per_minute = VOICES[language]
    return ("espeak-ng", "-m", "-v", voice, "-s", words_per_minute, "--stdin", "--stdout")


def document(texts: Sequence[str]) -> bytes:
    pause = f'<break time="{_PAUSE_MS}ms"/>'
    return f"<speak>{''.join(f'<p>{escape(text)}</p>{pause}' for text in texts)}</speak>".encode()


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
    samples = _at_8000_hz(sound, rate_hz)
    samples = np.pad(samples, (0, -samples.size % _FRAME))
    power = np.mean(samples.reshape(-1, _FRAME) ** 2, axis=1)
    power_db = 10 * np.log10(np.maximum(power, 1e-9) / power.max())
    heard = np.flatnonzero(power_db > _TRIM_DB)
    samples = samples[heard[0] * _FRAME:(heard[-1] + 1) * _FRAME]
    ramp = (np.arange(_EDGE) + 0.5) / _EDGE
    samples[:_EDGE] *= ramp
    samples[-_EDGE:] *= ramp[::-1]
    speaking = power[power_db > _SPEAKS_DB].mean()
    wanted = g711.PEAK_0DBM0 / np.sqrt(2) * 10 ** (LEVEL_DBM0 / 20)
    samples *= min(wanted / np.sqrt(speaking), 32000 / np.abs(samples).max())
    return g711.encode(np.rint(np.pad(samples, (8 * BEFORE_MS, 8 * AFTER_MS))).astype(np.int16))


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
