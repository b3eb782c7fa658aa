"""Recorded voices over a hybrid, both at once: what the far end hears of the near one, and of itself.

`python -m tests.media.echo.g168` writes the table of docs/echo.md.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from appliance.media import g711
from appliance.media.g711 import Linear
from e1_driver import BLOCK
from hil_tests.instruments import audio
from tests.bench.hearing import mos, voices
from tests.media.echo import signals
from tests.media.echo.signals import Samples

DELAY_MS = 20


@dataclass(frozen=True, slots=True)
class Pair:
    """A caller's voice, the voice at the hybrid, the hybrid."""

    far: int
    near: int
    model: int
    erl_db: float


PAIRS = (
    Pair(0, 0, 1, 10), Pair(1, 1, 1, 10), Pair(2, 2, 1, 10), Pair(3, 3, 1, 10), Pair(4, 4, 1, 10),
    Pair(0, 1, 4, 6), Pair(1, 2, 6, 6), Pair(2, 3, 8, 6), Pair(3, 4, 4, 12), Pair(4, 0, 6, 18),
    Pair(0, 2, 8, 12), Pair(1, 3, 4, 10))


class DoubleTalk:
    """The far end talks for 8 s, alone or not, then both do for 8 s; a row for each pair."""

    def __init__(self, pairs: tuple[Pair, ...], *, near_db: float = 0, alone: bool = True) -> None:
        callers, others = voices("caller"), voices("agent", "answerer")
        sent, received = [], []
        self._said: list[Samples] = []
        for pair in pairs:
            far = g711.decode(np.tile(callers[pair.far].octets, 2))
            said = audio.expand(others[pair.near].octets) * 10 ** (near_db / 20)
            echo = signals.echoed(far.astype(float), signals.path(pair.model, pair.erl_db, DELAY_MS))
            near = np.concatenate([np.zeros_like(said) if alone else said, said])
            sent.append(far)
            received.append(signals.coded(near + echo))
            self._said.append(said)
        self.sent, self.received = np.stack(sent), np.stack(received)
        self._second = slice(self.sent.shape[1] // 2, None)

    def cancelled(self, feed: Callable[[Linear, Linear], Linear]) -> Linear:
        starts = range(0, self.sent.shape[1], BLOCK)
        return np.concatenate([
            feed(self.sent[:, at:at + BLOCK], self.received[:, at:at + BLOCK]) for at in starts], axis=1)

    def heard_mos(self, out: Linear) -> list[float]:
        """PESQ of the near end in the second 8 s."""
        second = out[:, self._second].astype(float)
        return [mos(said, row) for said, row in zip(self._said, second, strict=True)]

    def echo_dbm0(self, out: Linear) -> list[float]:
        """What is left of the far end alone in the second half of its 8 s."""
        size = self.sent.shape[1]
        return [signals.mean_dbm0(row[size // 4:size // 2]) for row in out]
