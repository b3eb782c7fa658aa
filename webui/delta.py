"""What of a fragment's text is new: lines that its page has are named by their place, not sent again. Pure.

Most of a table's rows are as they were. The browser's half is in static/live.js.
"""

import json

LEAST_OCTETS = 1000                               # a shorter text is sent whole
STEP = 64                                         # lines that are compared at once


def said(old: str | None, new: str) -> str:
    """JSON: the text; or a list of texts and of [place, how many] lines of the old one, whose lines, put
    together, are the new one's."""
    if old is None or len(new) < LEAST_OCTETS:
        return json.dumps(new, ensure_ascii=False)
    return json.dumps(parts(old.split("\n"), new.split("\n")), ensure_ascii=False)


def parts(old: list[str], new: list[str]) -> list[str | tuple[int, int]]:
    """The new lines as texts and stretches of the old ones."""
    places: dict[str, int] = {}                   # of the first such line; wanted when there is a new one
    found: list[str | tuple[int, int]] = []
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


def whole(old: str, some: list[str | tuple[int, int]]) -> str:
    """What live.js makes of it."""
    lines = old.split("\n")
    return "\n".join(one if isinstance(one, str) else "\n".join(lines[one[0]:one[0] + one[1]])
                     for one in some)
