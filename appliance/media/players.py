"""The players' rows of the table: where each is in its sound, and a soft end for a sound that is cut.

A sound that begins, or ends by itself, is played as it is: prompts and tones are made to begin and end
softly. One that is cut while a port hears it, alone or in a mix, dies away there over what comes next, and
one that was held swells again, both in FADE samples; else it would click. Bridges are switched hard: bit for
bit from the first sample on.
"""

from collections.abc import Mapping

import numpy as np

from appliance.media import g711
from appliance.media.g711 import Octets
from appliance.media.plan import Floats, Playing
from e1_driver import BLOCK, IDLE

FADE = 40                                         # samples, 5 ms

_SILENCE = bytes([IDLE]) * BLOCK
_SWELLING = (np.arange(FADE) + 0.5) / FADE
_DYING = _SWELLING[::-1].copy()


class Players:
    """Players by their rows of `table`, uint8[rows, BLOCK]."""

    def __init__(self, table: Octets) -> None:
        self._octets = table.reshape(-1).data     # cheaper for single rows
        self._table = table
        self._at = [0] * len(table)               # next sample of the sound
        self.running: Mapping[int, Playing] = {}  # the row of one that stops is to be silenced
        self._swelling: set[int] = set()

    def begin(self, row: int) -> None:
        self._at[row] = 0
        self._swelling.discard(row)

    def resume(self, row: int) -> None:
        if self._at[row] and row not in self.running:
            self._swelling.add(row)

    def dying(self, row: int) -> tuple[Playing, Floats] | None:
        """Who sounds there, and what would come next, dying away: float64[FADE]; None: nobody."""
        one, start = self.running.get(row), self._at[row]
        if one is None or start == 0 or (start >= len(one.octets) and not one.repeat):
            return None
        samples: Floats = np.trunc(g711.decode(_block(one, start)[:FADE]) * _DYING)
        return one, samples

    def fill(self) -> list[int]:
        """Play one block; the tags of those whose sound is over with it."""
        octets, positions = self._octets, self._at
        ended: list[int] = []
        for row, tag, sound, repeat in self.running.values():
            start = positions[row]
            end = start + BLOCK
            first = row * BLOCK
            if end < len(sound):
                octets[first:first + BLOCK] = sound[start:end]
                positions[row] = end
            elif repeat:
                self._table[row] = _block(self.running[row], start)
                positions[row] = end % len(sound)
            elif start < len(sound):
                octets[first:first + BLOCK] = bytes(sound[start:]) + _SILENCE[:end - len(sound)]
                positions[row] = end
                ended.append(tag)
            else:
                octets[first:first + BLOCK] = _SILENCE
        for row in self._swelling & self.running.keys():
            fade = self._table[row, :FADE]
            fade[:] = g711.encode((g711.decode(fade) * _SWELLING).astype(np.int16))
        self._swelling -= self.running.keys()
        return ended


def _block(one: Playing, start: int) -> Octets:
    """From `start` on; after the sound's end it begins again, or silence."""
    octets = np.frombuffer(one.octets, np.uint8)
    index = start + np.arange(BLOCK)
    if one.repeat:
        return octets.take(index, mode="wrap")
    block = octets.take(index, mode="clip")
    block[index >= len(octets)] = IDLE
    return block


def add(octets: Octets, samples: Floats) -> None:
    """Add linear samples to A-law ones in place, saturated."""
    total = g711.decode(octets) + samples
    octets[:] = g711.encode(total.clip(-32767, 32767).astype(np.int16))
