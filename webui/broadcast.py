"""Live pages that several people see alike: what is new is made, and put into octets, once for all of them.

The streams' own threads do it between them: of those that have nothing to send one watches the mirror for its
group, the others sleep until there is a version. Nobody waits for who reads slowly: when he is ready he gets
what is new since what he has.
"""

import json
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from webui import delta
from webui.mirror import Floor, Mirror
from webui.rendered import Fragment

SETTLE_S = 0.02                                   # what comes of one thing that happens goes together

Make = Callable[[Floor], Iterable[Fragment]]


class Version:
    """What a page shows; it does not change. `mark`: what else a stream looks at when it is another."""

    def __init__(self, texts: Mapping[str, str], mark: object = None) -> None:
        self.texts, self.mark = texts, mark
        self._said: dict[tuple[tuple[str, str | None], ...], bytes] = {}
        self._lock = threading.Lock()

    def news(self, has: dict[str, str], lines: bool = True) -> bytes:
        """What is new in it for a page that has these texts, which become those it will have; b"": nothing.
        Members of a JSON object; put into words once for all who have the same. lines False: whole texts."""
        old = tuple((name, has.get(name) if lines else None)
                    for name, html in self.texts.items() if has.get(name) != html)
        if not old:
            return b""
        has.update(self.texts)
        with self._lock:                          # of many who want it one makes it
            if (said := self._said.get(old)) is None:
                said = self._said[old] = ", ".join(
                    f"{json.dumps(name)}: {delta.said(had, self.texts[name])}" for name, had in old).encode()
            return said


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
    """Streams of the same page to people who see the same. `numbers` as Mirror.wait()."""

    def __init__(self, mirror: Mirror, pace: Pace, numbers: bool = True) -> None:
        self._mirror, self._pace, self._numbers = mirror, pace, numbers
        self._changed = threading.Condition()
        self._making = threading.Lock()
        self._watched = False
        self._version: Version | None = None
        self._of = mirror.floor                   # of which it was made
        self._made_at = float("-inf")

    def newest(self, make: Make) -> Version:
        """For who begins: of the floor as it is."""
        with self._making:
            if self._version is None or self._mirror.wait(self._of, 0.0, self._numbers):
                return self._make(make)
            return self._version

    def after(self, seen: Version, make: Make, until: float) -> Version:
        """The newest when it is another than `seen`: as soon as there is one, or `seen` at `until`, or when
        the mirror is closed."""
        with self._changed:
            while self._version is seen and self._watched and not self._mirror.closed.is_set():
                if (left_s := until - time.monotonic()) <= 0:
                    return seen
                self._changed.wait(left_s)
            if self._mirror.closed.is_set():
                self._changed.notify_all()        # who was woken alone wakes the others
                return self._version or seen
            if self._version is not seen:
                return self._version or seen
            self._watched = True
        try:
            self._watch(seen, make, until)
        finally:
            with self._changed:
                self._watched = False
                if self._mirror.closed.is_set():
                    self._changed.notify_all()
                else:
                    self._changed.notify()        # another one watches
        return self._version or seen

    def _watch(self, seen: Version, make: Make, until: float) -> None:
        changed_at = None
        while self._version is seen and not self._mirror.closed.is_set():
            now = time.monotonic()
            if changed_at is None and self._mirror.wait(self._of, 0.0, self._numbers):
                changed_at = now
            at = self._pace.due(self._made_at, changed_at)
            if at <= now:
                with self._making:
                    self._make(make)
                changed_at = None
            elif changed_at is None:
                self._mirror.wait(self._of, min(at, until) - now, self._numbers)
            else:
                self._mirror.closed.wait(min(at, until) - now)
            if now >= until:
                return

    def _make(self, make: Make) -> Version:
        now, floor, before = time.monotonic(), self._mirror.floor, self._version
        texts, mark = dict(make(floor)), (floor.woken, floor.document)
        version = before
        if version is None or texts != version.texts or mark != version.mark:
            version = Version(texts, mark)
            if before is not None:
                version.news(dict(before.texts))  # what nearly all will be sent, before they come for it
        with self._changed:
            self._of, self._made_at, self._version = floor, now, version
            if version is not before:
                self._changed.notify_all()
            return version


class Groups:
    """Those that somebody looks at, each by all that its fragments depend on."""

    def __init__(self) -> None:
        self._there: dict[Hashable, tuple[Group, int]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._there)

    @contextmanager
    def joined(self, key: Hashable, new: Callable[[], Group]) -> Iterator[Group]:
        """The group of this key, with one stream more."""
        with self._lock:
            group, many = self._there.get(key) or (new(), 0)
            self._there[key] = group, many + 1
        try:
            yield group
        finally:
            with self._lock:
                group, many = self._there.pop(key)
                if many > 1:
                    self._there[key] = group, many - 1
