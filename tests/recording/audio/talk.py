"""A call to be recorded: a caller and an agent who speak in turn, on a line with its own noise."""

import itertools

import numpy as np

from hil_tests.instruments import audio
from tests.bench.hearing import SECONDS, Spoken, voices

LINE_DBM0 = -65.0                                 # G.712: the most that an idle channel may have


def talk(turns: int, noise_dbm0: float | None = LINE_DBM0, together: bool = False
         ) -> tuple[audio.Octets, list[tuple[int, Spoken]]]:
    """[sample, side]; and who says what in each SECONDS: side, words. `together`: both always speak."""
    said = itertools.cycle(voices("caller", "agent"))
    turn = round(SECONDS * audio.RATE_HZ)
    sides = np.zeros((turns * turn, 2))
    spoken = []
    for number in range(turns):
        spoken.append((number % 2, next(said)))
        sides[number * turn:(number + 1) * turn, number % 2] = spoken[-1][1].linear
        if together:
            sides[number * turn:(number + 1) * turn, 1 - number % 2] = next(said).linear
    if noise_dbm0 is not None:
        rms = audio.amplitude(noise_dbm0) / np.sqrt(2)
        sides += np.random.default_rng(1).normal(0, rms, sides.shape)
    return audio.compress(sides), spoken
