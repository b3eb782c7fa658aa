"""Test purposes as data: the text form of a row, read from the .txt files of this folder.

A file is plain text; `#` begins a comment line, `== title` begins a group. One purpose is a line at the
margin of five fields divided by `|`, and below it, indented, its steps divided by `;` and line ends:

    L2_7_V_001 | 5.5.3 | both | 7 | DISC with P = 1 is answered UA with F = 1; the link is released
        !DISC P ; ?UA F ; ?DL-REL ; state 4

The fields: id; clause of the Recommendation; side of the implementation under test (user, network, or both:
the row is run once for each); the state that the preamble brings it to; title, which may hold `;`. The steps
are the tester's: `!` sends, `?` expects, a bare word is a request or time passing; layer2.py and layer3.py
say which there are.
"""
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.isdn.lapd import Side

FOLDER = Path(__file__).parent
SIDES = {"user": (Side.USER,), "network": (Side.NETWORK,), "both": (Side.USER, Side.NETWORK)}


class Failed(Exception):
    """The implementation under test did not do what the purpose expects; the text says where."""


class BadRow(Exception):
    """The row cannot be read: a fault of the suite."""


@dataclass(frozen=True, slots=True)
class Purpose:
    id: str
    clause: str
    sides: tuple[Side, ...]
    state: str
    title: str
    group: str                                    # heading that the row stands below
    steps: tuple[str, ...]


def read(text: str, where: str) -> Iterator[Purpose]:
    """The purposes of one file's text; BadRow names `where` and the line."""
    group, head, steps, begun_at = "", "", "", 0
    for number, line in enumerate([*text.splitlines(), "== end"], start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace():
            steps += ";" + line
            continue
        if head:
            yield _purpose(head, steps, group, f"{where}:{begun_at}")
        head, steps, begun_at = "", "", number
        if line.startswith("== "):
            group = line[3:].strip()
        else:
            head = line


def _purpose(head: str, steps: str, group: str, where: str) -> Purpose:
    fields = [field.strip() for field in head.split("|", 4)]
    if len(fields) != 5 or not all(fields) or fields[2] not in SIDES:
        raise BadRow(f"{where}: a row is id | clause | user, network or both | state | title")
    if not steps.strip():
        raise BadRow(f"{where}: {fields[0]} has no steps")
    id_, clause, sides, state, title = fields
    return Purpose(id_, clause, SIDES[sides], state, title, group,
                   tuple(step.strip() for step in steps.split(";") if step.strip()))


def load(pattern: str) -> list[Purpose]:
    """All purposes of the files that match, by file name; an id that comes twice is a BadRow."""
    purposes: dict[str, Purpose] = {}
    for path in sorted(FOLDER.glob(pattern)):
        for purpose in read(path.read_text(encoding="utf-8"), path.name):
            if purpose.id in purposes:
                raise BadRow(f"{path.name}: {purpose.id} is there twice")
            purposes[purpose.id] = purpose
    return list(purposes.values())
