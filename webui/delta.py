"""What of a fragment's text is new: lines that its page has are named by their place, not sent again. Pure.

Most of a table's rows are as they were. The browser's half is in static/live.js.
"""

import json
from functools import lru_cache

LEAST_OCTETS = 1000                               # a shorter text is sent whole
KEPT = 64                                         # of many pages that have the same and get the same


@lru_cache(KEPT)
def said(old: str | None, new: str) -> str:
    """JSON: the text; or a list of texts and of [place, how many] lines of the old one, whose lines, put
    together, are the new one's."""
    if old is None or len(new) < LEAST_OCTETS:
        return json.dumps(new, ensure_ascii=False)
    return json.dumps(parts(old.split("\n"), new.split("\n")), ensure_ascii=False)


def parts(old: list[str], new: list[str]) -> list[str | tuple[int, int]]:
    """The new lines as texts and stretches of the old ones."""
    places = {line: place for place, line in reversed(list(enumerate(old)))}
    found: list[str | tuple[int, int]] = []
    fresh: list[str] = []
    at, first = -1, -1                            # the last line taken, and where its stretch began

    def close_stretch() -> None:
        if first >= 0:
            found.append((first, at - first + 1))

    for line in new:
        if first >= 0 and at + 1 < len(old) and old[at + 1] == line:
            at += 1
            continue
        place = places.get(line, -1)
        if place >= 0:
            if fresh:
                found.append("\n".join(fresh))
                fresh = []
            close_stretch()
            at = first = place
        else:
            close_stretch()
            at = first = -1
            fresh.append(line)
    if fresh:
        found.append("\n".join(fresh))
    close_stretch()
    return found


def whole(old: str, some: list[str | tuple[int, int]]) -> str:
    """What live.js makes of it."""
    lines = old.split("\n")
    return "\n".join(one if isinstance(one, str) else "\n".join(lines[one[0]:one[0] + one[1]])
                     for one in some)
