"""What several people see alike: made, compared and put into octets once for all who have the same.

No socket, no thread: who waits for it is in live.py, for a page of one's own, and in onlookers.py.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from webui import delta
from webui.mirror import Floor, Mirror
from webui.rendered import Fragment

SETTLE_S = 0.02                                   # what comes of one thing that happens goes together

Make = Callable[[Floor], Iterable[Fragment]]


@dataclass(frozen=True, slots=True, eq=False)
class Has:
    """What a page has. Who have the same have the same object, as far as that can be told cheaply."""

    texts: Mapping[str, str] = field(default_factory=dict)


NOTHING = Has()


class Version:
    """What a page shows; it does not change. `mark`: what else a stream looks at when it is another."""

    def __init__(self, texts: Mapping[str, str], mark: object = None) -> None:
        self.texts, self.mark = texts, mark
        self._told: dict[tuple[Has, bool], tuple[bytes, Has]] = {}

    def news(self, has: Has, lines: bool = True) -> tuple[bytes, Has]:
        """What is new in it for a page that has this: members of a JSON object, b"" for nothing; and what the
        page has then. lines False: whole texts."""
        if (told := self._told.get((has, lines))) is None:
            told = self._told[has, lines] = self._news(has, lines)
        return told

    def _news(self, has: Has, lines: bool) -> tuple[bytes, Has]:
        old = has.texts
        said = [b"%b: %b" % (msgspec.json.encode(name), delta.said(old.get(name) if lines else None, html))
                for name, html in self.texts.items() if old.get(name) != html]
        if not said:
            return b"", has
        then = {**old, **self.texts}
        same = next((other for _, other in self._told.values() if other.texts == then), None)
        return b", ".join(said), same or Has(then)


@dataclass(frozen=True, slots=True)
class Pace:
    """At most one version in `gap_s`, at least one look in `turn_s`."""

    gap_s: float
    turn_s: float

    def due(self, made_at: float, changed_at: float | None) -> float:
        """When the next one is to be made; changed_at None: nothing has happened since."""
        if changed_at is None:
            return made_at + self.turn_s
        return max(made_at + self.gap_s, changed_at + SETTLE_S)


class Group:
    """One page as those see it who see the same. One thread at a time. `numbers` as Mirror.wait()."""

    def __init__(self, mirror: Mirror, pace: Pace, numbers: bool = True) -> None:
        self.numbers = numbers
        self.version = Version({})                # the newest
        self.changed_at: float | None = None      # something has happened since
        self._mirror, self._pace = mirror, pace
        self._of = mirror.floor                   # of which it was made
        self._made_at = float("-inf")

    @property
    def due(self) -> float:
        """When the next one is to be made."""
        return self._pace.due(self._made_at, self.changed_at)

    def look(self, now: float) -> None:
        """See whether something has happened."""
        if self.changed_at is None and self._mirror.changed(self._of, self.numbers):
            self.changed_at = now

    def make(self, make: Make, now: float) -> Version:
        """Of the floor as it is; the one that there is when it shows the same."""
        floor = self._mirror.floor
        texts, mark = dict(make(floor)), (floor.woken, floor.document)
        if texts != self.version.texts or mark != self.version.mark:
            self.version = Version(texts, mark)
        self._of, self._made_at, self.changed_at = floor, now, None
        return self.version

    def after(self, make: Make, until: float) -> Version:
        """The next one as soon as there is one; the one that there is at `until`, or when the mirror is
        closed."""
        seen = self.version
        while self.version is seen and not self._mirror.closed.is_set() and (now := time.monotonic()) < until:
            self.look(now)
            if (at := self.due) <= now:
                self.make(make, now)
            elif self.changed_at is None:
                self._mirror.wait(self._of, min(at, until) - now, self.numbers)
            else:
                self._mirror.closed.wait(min(at, until) - now)
        return self.version
