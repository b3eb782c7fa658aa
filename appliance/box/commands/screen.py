"""Text on a terminal: what must not reach it, and how many columns the rest takes."""

import re
import unicodedata
from collections.abc import Iterator

# Controls, what turns the direction round, line breaks that are none here, halves of characters.
_OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def shown(text: str) -> str:
    """Other people's words without what a terminal would obey, or show the other way round."""
    return _OBEYED.sub(lambda one: f"\\x{at:02x}" if (at := ord(one[0])) < 256 else f"\\u{at:04x}", text)


def escaped(json: str) -> str:
    """The same JSON, in which nothing is left that a terminal would obey."""
    return _OBEYED.sub(lambda one: f"\\u{ord(one[0]):04x}", json)


def width(text: str) -> int:
    """Columns: of East Asian wide characters two (UAX 11), of marks that combine none."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(one: str) -> int:
    if unicodedata.combining(one) or unicodedata.category(one) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(one) in "WF" else 1


def padded(text: str, columns: int, right: bool = False) -> str:
    blanks = " " * max(0, columns - width(text))
    return blanks + text if right else text + blanks


def cut(text: str, columns: int) -> Iterator[str]:
    """The text on lines of at most so many columns (2 at least), parted at blanks where it has some."""
    columns = max(columns, 2)
    line = ""
    for word in text.split(" "):
        both = f"{line} {word}" if line else word
        if width(both) <= columns:
            line = both
            continue
        if line:
            yield line
        line = word
        while (end := _fits(line, columns)) < len(line):
            yield line[:end]
            line = line[end:]
    yield line


def _fits(text: str, columns: int) -> int:
    taken = 0
    for place, one in enumerate(text):
        taken += _columns(one)
        if taken > columns:
            return max(place, 1)
    return len(text)
