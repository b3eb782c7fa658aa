"""Lists of numbers with what is known of them: exact numbers and beginnings, each until it expires. Pure."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Generic, TypeVar

from appliance.centre.entry.numbers import Numbers
from appliance.centre.entry.tables import read_table
from appliance.config.pattern import LONGEST

T = TypeVar("T")

_SIGNS = str.maketrans("", "", " -()")            # between the digits of a number as people write it
_NUMBER = re.compile(rf"\+?[0-9]{{1,{LONGEST - 1}}}\*?")
LONGEST_GRADE = 32                                # as config.queues has it


@dataclass(slots=True)
class Beginnings(Generic[T]):
    """What the longest known beginning of a number says."""

    _known: dict[str, T] = field(default_factory=dict)
    _lengths: list[int] = field(default_factory=list)                # of them, longest first

    def __len__(self) -> int:
        return len(self._known)

    def add(self, beginning: str, value: T) -> T:
        """What is known of it then: the value that was there before, if there was one."""
        if len(beginning) not in self._lengths:
            self._lengths = sorted([*self._lengths, len(beginning)], reverse=True)
        return self._known.setdefault(beginning, value)

    def find(self, number: str, fits: Callable[[T], bool] = lambda _: True) -> T | None:
        for length in self._lengths:
            found = self._known.get(number[:length]) if length <= len(number) else None
            if found is not None and fits(found):
                return found
        return None


@dataclass(frozen=True, slots=True)
class Listed:
    """What a row says. expires 0: never, else Unix time."""

    grade: str
    note: str
    expires: float

    def holds(self, at: float) -> bool:
        return not self.expires or at < self.expires


@dataclass(slots=True)
class NumberList:
    """Numbers are canonical (numbers.py)."""

    _exact: dict[str, Listed] = field(default_factory=dict)
    _beginnings: Beginnings[Listed] = field(default_factory=Beginnings)

    def __len__(self) -> int:
        return len(self._exact) + len(self._beginnings)

    def add(self, numbers: Numbers, text: str, row: Listed) -> None:
        """`text`: a number, or a beginning with *. ValueError: no number, or another row says otherwise."""
        digits = text.translate(_SIGNS)
        if not _NUMBER.fullmatch(digits):
            raise ValueError(f"number: {text!r}: write a number, or its beginning and *")
        if digits.endswith("*"):
            known = [self._beginnings.add(one, row) for one in numbers.beginnings(digits[:-1])]
        else:
            known = [self._exact.setdefault(numbers.canonical(digits), row)]
        if any(one != row for one in known):
            raise ValueError(f"number: {text}: a row before says something else of it: keep one of them")

    def find(self, number: str, at: float) -> Listed | None:
        """The number itself goes before beginnings, a longer one before a shorter; what expired is gone."""
        found = self._exact.get(number)
        if found is not None and found.holds(at):
            return found
        return self._beginnings.find(number, lambda row: row.holds(at))


def load_list(path: Path, numbers: Numbers, zone: tzinfo) -> NumberList:
    """A CSV file with columns number, grade, note, expires. ConfigError: every mistake with its line."""
    found = NumberList()
    rows: dict[tuple[str, str, str], Listed] = {}            # many rows say the same: they share it

    def take(values: list[str], line: int) -> None:
        number, grade, note, expires = values
        said = (grade, note, expires)
        row = rows.get(said)
        if row is None:
            if len(grade) > LONGEST_GRADE:
                raise ValueError(f"grade: {grade!r}: at most {LONGEST_GRADE} characters")
            row = rows[said] = Listed(sys.intern(grade), note, _expiry(expires, zone))
        found.add(numbers, number, row)

    read_table(path, ["number"], ["grade", "note", "expires"], take)
    return found


def _expiry(text: str, zone: tzinfo) -> float:
    """'2026-12-31' is good until that day ends, '2026-12-31 12:00' until noon."""
    if not text:
        return 0.0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expires: {text!r}: write 2026-12-31, or 2026-12-31 12:00") from None
    if len(text) <= len("2026-12-31"):
        moment = datetime.combine(moment.date(), time()) + timedelta(days=1)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
