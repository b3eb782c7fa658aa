"""What is told only when it has lasted: a state that comes and goes within its time is never said. Pure."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Change(Generic[K, V]):
    key: K
    was: V                                        # as it was told last
    now: V


class Steady(Generic[K, V]):
    """Show it every state, whenever one may have changed. `now` is any steady clock, seconds."""

    def __init__(self, hold_s: float) -> None:
        self.hold_s = hold_s
        self._told: dict[K, V] = {}
        self._waiting: dict[K, tuple[V, float]] = {}

    def see(self, key: K, value: V, good: V, now: float) -> None:
        """`good`: what nobody has to be told of something that is new."""
        if self._told.setdefault(key, good) == value:
            self._waiting.pop(key, None)
        elif key not in self._waiting or self._waiting[key][0] != value:
            self._waiting[key] = value, now

    def unknown(self, key: K) -> None:
        """Nobody knows it now: what has not lasted until here never did."""
        self._waiting.pop(key, None)

    def due(self, now: float) -> list[Change[K, V]]:
        """What has lasted, in the order in which it began; now it is told."""
        ripe = sorted((since, number, key) for number, (key, (_, since)) in enumerate(self._waiting.items())
                      if now >= since + self.hold_s)
        changes = []
        for _, _, key in ripe:
            value, _ = self._waiting.pop(key)
            changes.append(Change(key, self._told[key], value))
            self._told[key] = value
        return changes

    def next_deadline(self) -> float | None:
        return min((since + self.hold_s for _, since in self._waiting.values()), default=None)
