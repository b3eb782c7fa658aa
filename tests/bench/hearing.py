"""How well a listener hears what was said: where it is in what came, PESQ, levels.

Ref: ITU-T P.862 (02/01), P.862.1 (11/03): MOS-LQO of narrow-band speech, at most 4.55.
"""

from typing import NamedTuple

import numpy as np
from pesq import pesq

from hil_tests.instruments import audio, speech

SECONDS = 8.0                                     # P.862.3: 8 to 12 s with pauses, half of it speech


class Spoken(NamedTuple):
    """One voice for SECONDS: as 16-bit samples, and as A-law."""

    linear: audio.Samples
    octets: audio.Octets


def voices(*who: str) -> list[Spoken]:
    """Of each line that speech.toml has for these people."""
    lines = [text for one in who for text in speech.texts(one)]
    size = round(SECONDS * audio.RATE_HZ)
    return [Spoken(np.resize(speech.samples(text), size), np.resize(speech.said(text), size))
            for text in lines]


def place(said: audio.Samples, heard: audio.Samples) -> int:
    """Where in `heard` it is most likely to begin, by correlation; negative never."""
    size = 1 << (len(said) + len(heard)).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.fft.rfft(said, size).conj()
    likeness = np.fft.irfft(spectrum, size)[:max(1, len(heard) - len(said) // 2)]
    return int(likeness.argmax())


def mos(said: audio.Samples, heard: audio.Samples) -> float:
    """MOS-LQO of the part of `heard` that is `said`."""
    begin = place(said, heard)
    part = heard[begin:begin + len(said)]
    return float(pesq(audio.RATE_HZ, said.astype(np.int16), part.astype(np.int16), "nb"))


def unlike(said: audio.Octets, heard: audio.Octets) -> int:
    """Octets of the part of `heard` that is `said` which are others."""
    begin = place(audio.expand(said), audio.expand(heard))
    part = heard[begin:begin + len(said)]
    return int((part != said[:len(part)]).sum()) + len(said) - len(part)
