"""How texts and their differences are shown: folded sections, rows of two columns or of one. Pure."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

CONTEXT = 3                                       # lines around what differs
MOST_ROWS = 4000                                  # of a page
DEEPEST = 2                                       # sections in sections

_KEY = re.compile(r"( *)([A-Za-z_][\w-]*):(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Section:
    """A key's line and those below it."""

    key: str
    head: "Line"
    parts: "tuple[Section | Line, ...]"


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """`sign`: + is new, - is gone, ~ is another one, " " is as it was, "…" leaves lines out."""

    sign: str
    old: Line | None = None
    new: Line | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    rows: list[Row] = field(default_factory=list)
    cut: bool = False                             # there are more

    @property
    def count(self) -> int:
        return sum(row.sign in "+-~" for row in self.rows)


def sections(text: str) -> tuple[Section | Line, ...]:
    """The text by its keys; comments and blank lines before a key go with it."""
    return _parts([Line(number, one) for number, one in enumerate(text.splitlines(), 1)], 0, 1)


def _parts(lines: list[Line], indent: int, depth: int) -> tuple[Section | Line, ...]:
    starts = [index for index, line in enumerate(lines)
              if (found := _KEY.match(line.text)) and len(found[1]) == indent]
    if not starts or depth > DEEPEST:
        return tuple(lines)
    found_parts: list[Section | Line] = []
    begins = [_with_comments(lines, index) for index in starts]
    found_parts += lines[:begins[0]]
    for start, begin, end in zip(starts, begins, [*begins[1:], len(lines)], strict=True):
        if end - start <= 1:                      # one line is no section
            found_parts += lines[begin:end]
            continue
        inner = lines[start + 1:end]
        deeper = next((len(one[1]) for line in inner if (one := _KEY.match(line.text))), 0)
        parts = _parts(inner, deeper, depth + 1) if deeper > indent else tuple(inner)
        key = _KEY.match(lines[start].text)
        found_parts += lines[begin:start]
        found_parts.append(Section(key[2] if key else "", lines[start], parts))
    return tuple(found_parts)


def _with_comments(lines: list[Line], index: int) -> int:
    while index and (lines[index - 1].text.lstrip().startswith("#") or not lines[index - 1].text.strip()):
        index -= 1
    return index


def difference(old: str, new: str) -> Difference:
    """Of two texts, line by line, with CONTEXT around what differs."""
    before, after = old.splitlines(), new.splitlines()
    rows: list[Row] = []
    for group in difflib.SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(CONTEXT):
        if rows or group[0][1] or group[0][3]:
            rows.append(Row("…"))
        for tag, old_begin, old_end, new_begin, new_end in group:
            rows += _rows(tag, [Line(one + 1, before[one]) for one in range(old_begin, old_end)],
                          [Line(one + 1, after[one]) for one in range(new_begin, new_end)])
    return Difference(rows[:MOST_ROWS], len(rows) > MOST_ROWS)


def _rows(tag: str, old: list[Line], new: list[Line]) -> Iterator[Row]:
    both = min(len(old), len(new))
    for before, after in zip(old[:both], new[:both], strict=True):
        yield Row(" " if tag == "equal" else "~", before, after)
    yield from (Row("-", old=line) for line in old[both:])
    yield from (Row("+", new=line) for line in new[both:])


def unified(found: Difference) -> Iterator[Row]:
    """The same in one column: of lines that are other ones, all old, then all new."""
    gone: list[Row] = []
    come: list[Row] = []
    for row in found.rows:
        if row.sign in "~-+":
            gone += [Row("-", old=row.old)] if row.old else []
            come += [Row("+", new=row.new)] if row.new else []
            continue
        yield from (*gone, *come, row)
        gone, come = [], []
    yield from (*gone, *come)
