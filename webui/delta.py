"""What of a fragment's text is new: lines that its page has are named by their place, not sent again. Pure.

Most of a table's rows are as they were. The browser's half is in static/live.js.
"""

from collections.abc import Iterable

import msgspec

LEAST_OCTETS = 1000                               # a shorter text is sent whole
STEP = 64                                         # lines that are compared at once

Part = str | tuple[int, int]


class Text(str):
    """With the pieces that it is put together of, whole lines each: those that are the same object in another
    text are found there at a glance."""

    pieces: tuple[str, ...]
    _places: dict[str, tuple[int, int, int]] | None = None

    @classmethod
    def of(cls, pieces: Iterable[str]) -> "Text":
        pieces = tuple(pieces)
        text = cls("\n".join(pieces))
        text.pieces = pieces
        return text

    def places(self) -> dict[str, tuple[int, int, int]]:
        """Of each piece which one it is, its first line, how many it has."""
        if self._places is None:
            self._places, line = {}, 0
            for which, piece in enumerate(self.pieces):
                many = piece.count("\n") + 1
                self._places.setdefault(piece, (which, line, many))
                line += many
        return self._places


def said(old: str | None, new: str) -> bytes:
    """JSON: the text; or a list of texts and of [place, how many] lines of the old one, whose lines, put
    together, are the new one's."""
    if old is None or len(new) < LEAST_OCTETS:
        return msgspec.json.encode(str(new))
    return msgspec.json.encode(new_lines(*(
        one if isinstance(one, Text) else Text.of((one,)) for one in (old, new))))


def new_lines(old: Text, new: Text) -> list[Part]:
    """The new text as texts and stretches of lines of the old one. Pieces that are not there are compared
    line by line with what was in their place."""
    found: list[Part] = []
    fresh: list[str] = []
    places, taken, line = old.places(), 0, 0      # pieces and lines of the old one that are behind
    begun = 0                                     # where the stretch began that ends there

    def close(until: int) -> None:
        """What came behind the stretch; in the old one, pieces up to this one were in its place."""
        if line > begun:
            found.append((begun, line - begun))
        if fresh:
            instead = "\n".join(old.pieces[taken:until]).split("\n") if until > taken else []
            found.extend(one if isinstance(one, str) else (one[0] + line, one[1])
                         for one in parts(instead, "\n".join(fresh).split("\n")))
            fresh.clear()

    for piece in new.pieces:
        if (place := places.get(piece)) is None:
            fresh.append(piece)
            continue
        which, first, many = place
        if fresh or first != line:
            close(which)
            begun = first
        taken, line = which + 1, first + many
    close(len(old.pieces))
    return found


def parts(old: list[str], new: list[str]) -> list[Part]:
    """The new lines as texts and stretches of the old ones."""
    places: dict[str, int] = {}                   # of the first such line; wanted when there is a new one
    found: list[Part] = []
    fresh: list[str] = []
    at = taken = 0                                # in old and new, behind what is the same or was looked at
    while taken < len(new):
        if many := _alike(old, at, new, taken):
            if fresh:
                found.append("\n".join(fresh))
                fresh = []
            found.append((at, many))
            at, taken = at + many, taken + many
            continue
        places = places or dict(zip(reversed(old), range(len(old) - 1, -1, -1), strict=True))
        if (place := places.get(new[taken], -1)) >= 0:
            at = place
        else:
            fresh.append(new[taken])
            taken += 1
            at = -1
    if fresh:
        found.append("\n".join(fresh))
    return found


def _alike(old: list[str], at: int, new: list[str], taken: int) -> int:
    """How many lines from these places on are the same."""
    if at < 0:
        return 0
    most = min(len(old) - at, len(new) - taken)
    many, step = 0, STEP
    while step:
        while many + step <= most and (
                old[at + many:at + many + step] == new[taken + many:taken + many + step]):
            many += step
        step //= 8
    return many


def whole(old: str, some: list[Part]) -> str:
    """What live.js makes of it."""
    lines = old.split("\n")
    return "\n".join(one if isinstance(one, str) else "\n".join(lines[one[0]:one[0] + one[1]])
                     for one in some)
