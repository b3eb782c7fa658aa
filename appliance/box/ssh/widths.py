"""Where a text breaks on a terminal that is so wide. Pure."""

from collections.abc import Iterator
from functools import lru_cache

from appliance.box.commands.screen import width

width_of = lru_cache(4096)(width)                 # of a character; asked for each key of a long line


def places(text: str, width: int) -> list[tuple[int, int]]:
    """Row and column of each character when written from a row's begin, and of the cursor behind the last.

    A wide character that does not fit at a row's end goes to the next row, as terminals do it.
    """
    found = []
    row = column = 0
    for one in text:
        taken = width_of(one)
        if column + taken > width:
            row, column = row + 1, 0
        found.append((row, column))
        column += taken
    if column >= width:
        row, column = row + 1, 0
    return [*found, (row, column)]


def rows_of(line: str, width: int) -> Iterator[str]:
    """A line cut into pieces that fit a row; an empty line is one row."""
    begin = taken = 0
    for at, one in enumerate(line):
        wide = width_of(one)
        if taken + wide > width:
            yield line[begin:at]
            begin, taken = at, 0
        taken += wide
    yield line[begin:]
