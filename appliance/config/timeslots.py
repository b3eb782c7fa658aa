"""B-channels as people write them: "1-5,17"."""

import re
from collections.abc import Collection

BEARERS = (*range(1, 16), *range(17, 32))
_RANGE = re.compile(r"([0-9]{1,2})(?:-([0-9]{1,2}))?")


def timeslots(text: str) -> tuple[int, ...]:
    """The timeslots of "1-5,17", ascending; "" is none; a range may pass over 16. ValueError otherwise."""
    found: set[int] = set()
    for part in filter(None, text.replace(" ", "").split(",")):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r}: write timeslots as 1-5,17")
        first, last = int(match[1]), int(match[2] or match[1])
        if first not in BEARERS or last not in BEARERS or first > last:
            raise ValueError(f"{part!r}: B-channels are timeslots 1 to 15 and 17 to 31")
        found |= set(range(first, last + 1)) & set(BEARERS)
    return tuple(sorted(found))


def in_words(numbers: Collection[int]) -> str:
    """The opposite: 1-5,17."""
    parts: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if parts and BEARERS.index(number) == BEARERS.index(parts[-1][1]) + 1:
            parts[-1] = (parts[-1][0], number)
        else:
            parts.append((number, number))
    return ",".join(f"{first}-{last}" if first != last else f"{first}" for first, last in parts)
