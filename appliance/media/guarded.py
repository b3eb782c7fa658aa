"""Parts of the engine whose failure is not the tick's: what one port says must not silence all others."""

from collections.abc import Callable
from typing import Generic, NamedTuple, ParamSpec, Protocol, TypeVar

AWAY_TICKS = 100                                  # 1 s: to fail for ever costs next to nothing


class Part(Protocol):
    def reset(self, row: int) -> None: ...


class Failed(NamedTuple):
    """A part raised `error`. It is made anew and is away for AWAY_TICKS."""

    part: str
    error: Exception


P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", bound=Part)


class Guarded(Generic[T]):
    """A part of that name; what it raises is put into `failed`."""

    def __init__(self, name: str, make: Callable[[], T], failed: list[Failed]) -> None:
        self._name, self._make, self._failed = name, make, failed
        self._away_until = 0
        self.part = make()

    def reset(self, row: int) -> None:
        self.part.reset(row)

    def run(self, tick: int, work: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R | None:
        """What `work`, of the part, gives; None when it raises, and while the part is away."""
        if tick < self._away_until:
            return None
        try:
            return work(*arguments, **named)
        except Exception as error:
            self._failed.append(Failed(self._name, error))
            self._away_until = tick + AWAY_TICKS
            self.part = self._make()              # what it left behind may be half done
            return None
