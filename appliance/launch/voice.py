"""Texts spoken by espeak-ng as A-law that joins well: no silence around it, soft edges, one level.

All texts of a language are one run of espeak-ng, with long pauses between them at which its sound is cut.
"""

import subprocess
from collections.abc import Sequence
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from appliance.errors import BranchlineError
from appliance.media import g711

VOICES = {"zh": ("cmn", "240"), "en": ("en", "160")}                 # espeak-ng's voice, words a minute
LEVEL_DBM0 = -16.0                                # while it speaks
BEFORE_MS, AFTER_MS = 10, 40                      # of silence: what is between words that are joined
PROGRAM_S = 60.0                                  # the longest that one run may take

_RATE_HZ = 22050                                  # espeak-ng's
_HEADER_OCTETS = 44                               # of the WAV that it writes; lengths in it are not true
_PAUSE_MS, _CUT_MS = 2000, 1500                   # nothing inside a text is silent for so long
_SILENT = 1                                       # amplitude
_FRAME = 40                                       # samples of 8000 Hz, 5 ms
_TRIM_DB, _SPEAKS_DB = -40.0, -20.0               # from the loudest frame
_EDGE = 40                                        # samples that swell and fade
_TAPER_HZ = (3500, 3900)                          # where the telephone band ends

_Floats = npt.NDArray[np.float64]


class CannotSpeak(BranchlineError):
    """Which program failed, and how."""


def speak(language: str, texts: Sequence[str]) -> list[g711.Octets]:
    """A recording for each text. CannotSpeak: espeak-ng is away, fails, or has no sound for one of them."""
    sounds = _cut(_said(language, texts))
    if len(sounds) == len(texts):
        return [_tidy(sound) for sound in sounds]
    if len(texts) == 1:
        raise CannotSpeak(f"espeak-ng says nothing for {texts[0]!r}: write another text")
    return [octets for text in texts for octets in speak(language, [text])]


def _said(language: str, texts: Sequence[str]) -> npt.NDArray[np.int16]:
    voice, words_per_minute = VOICES[language]
    pause = f'<break time="{_PAUSE_MS}ms"/>'
    document = "".join(f"<p>{escape(text)}</p>{pause}" for text in texts)
    command = ("espeak-ng", "-m", "-v", voice, "-s", words_per_minute, "--stdin", "--stdout")
    try:
        wav = subprocess.run(command, input=f"<speak>{document}</speak>".encode(), capture_output=True,
                             check=True, timeout=PROGRAM_S).stdout
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise CannotSpeak(f"espeak-ng: {said[-1] if said else f'exit code {error.returncode}'}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotSpeak(f"espeak-ng: {error}") from None
    return np.frombuffer(wav[_HEADER_OCTETS:len(wav) // 2 * 2], np.int16)


def _cut(sound: npt.NDArray[np.int16]) -> list[_Floats]:
    """What is between the pauses."""
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > _SILENT)
    breaks = np.flatnonzero(np.diff(loud) > _CUT_MS * _RATE_HZ // 1000) + 1
    return [sound[part[0]:part[-1] + 1].astype(np.float64) for part in np.split(loud, breaks) if part.size]


def _tidy(sound: _Floats) -> g711.Octets:
    """At 8000 Hz, without what is silent at the ends, at LEVEL_DBM0."""
    samples = _at_8000_hz(sound)
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


def _at_8000_hz(sound: _Floats) -> _Floats:
    """Resampled in the frequency domain, the telephone band kept."""
    sound = np.pad(sound, (0, -sound.size % 441))                    # 8000 / 22050 is 160 / 441
    size = sound.size // 441 * 160
    hz = np.arange(size // 2 + 1) * 8000 / size
    spectrum = np.fft.rfft(sound)[:hz.size] * np.interp(hz, _TAPER_HZ, (1.0, 0.0))
    resampled: _Floats = np.fft.irfft(spectrum, size) * (160 / 441)
    return resampled
