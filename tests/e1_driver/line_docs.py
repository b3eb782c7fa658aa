"""The tables of docs/line.md, for the tests that hold it to the truth."""

import re
from collections.abc import Iterable

from tests.conftest import ROOT

TOLD = ""                                         # the head of the table of what each interface can tell


def rows(head: str) -> list[list[str]]:
    """The rows of the one table whose first column is called `head`."""
    text = (ROOT / "docs" / "line.md").read_text()
    found = re.findall(rf"^\| {head and head + ' '}\|.*\n\|[-|]+\|\n((?:\|.*\n?)+)", text, re.M)
    assert len(found) == 1, f"docs/line.md: {len(found)} tables of {head!r}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[0].splitlines()]


def can_tell(column: str) -> set[str]:
    """What the interface of that column can tell and switch, as the first column names it."""
    text = (ROOT / "docs" / "line.md").read_text()
    heads = re.search(r"^\| \|(.*)\|$", text, re.M)
    assert heads
    at = [head.strip() for head in heads[1].split("|")].index(column) + 1
    return {row[0] for row in rows(TOLD) if row[at] == "yes"}


def told(alarms: Iterable[str], counters: Iterable[str], loops: Iterable[str]) -> set[str]:
    """What an interface can tell and switch, named likewise."""
    return {*(alarm.upper() for alarm in alarms), *counters, *(f"loop {loop}" for loop in loops)}
