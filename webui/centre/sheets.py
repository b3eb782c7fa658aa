"""Tables of agents, queues and skills as CSV, out and in again. Pure.

What other programs write is taken: UTF-8 with or without a mark, UTF-16 with one, GB18030; commas, semicolons
or tabs. A cell that a spreadsheet would take for a formula goes out with an apostrophe before it, which is
taken off again.
"""

import copy
import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from appliance.errors import BranchlineError

MOST_OCTETS = 1024 * 1024
MOST_ROWS = 5000
MOST_CELL = 4000                                  # characters
MOST_COLUMNS = 500

State = Literal["new", "changed", "same", "wrong", "gone"]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SKILL = re.compile(r"([a-z][a-z0-9-]{0,31}):([0-9]{1,3}(?:\.[0-9]{1,4})?)")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_YES, _NO = {"true", "yes", "1", "是"}, {"false", "no", "0", "否"}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a file. `why`: a word of SHEET in labels.py and what it is about, when it is wrong."""

    line: int
    name: str
    state: State
    why: str = ""
    about: str = ""
    keys: tuple[str, ...] = ()                    # columns that are others than before


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file: the names of its columns, and its lines by their numbers."""

    columns: list[str]
    lines: list[tuple[int, dict[str, str]]]


class SheetError(BranchlineError):
    """A file cannot be taken; the text is a word of SHEET in labels.py."""


class _Bad(Exception):
    def __init__(self, why: str, about: str) -> None:
        super().__init__(why)
        self.why, self.about = why, about


# --- out and in

def write(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> bytes:
    """UTF-8 with the mark by which spreadsheets know it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([guarded(one) for one in columns])
    writer.writerows([guarded(row.get(column, "")) for column in columns] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def read(octets: bytes) -> Sheet:
    """SheetError: it is no such file."""
    if len(octets) > MOST_OCTETS:
        raise SheetError("too large")
    text = _text(octets)
    if "\0" in text:
        raise SheetError("no text")
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        found = list(_numbered(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)))
    except csv.Error:
        raise SheetError("no table") from None
    if not found:
        raise SheetError("empty")
    columns = [bare(cell).strip().lower() for cell in found[0][1]]
    while columns and not columns[-1]:
        columns.pop()
    if "name" not in columns or len(set(columns)) < len(columns) or "" in columns \
            or len(columns) > MOST_COLUMNS:
        raise SheetError("columns")
    if len(found) - 1 > MOST_ROWS:
        raise SheetError("too many")
    return Sheet(columns, [(line, {column: bare(cell).strip() for column, cell in
                                   zip(columns, [*cells, *[""] * len(columns)], strict=False)})
                           for line, cells in found[1:] if any(cell.strip() for cell in cells)])


def _numbered(reader: Any) -> Any:
    before = 1
    for cells in reader:
        if any(len(cell) > MOST_CELL for cell in cells) or len(cells) > MOST_COLUMNS:
            raise csv.Error("a cell without an end")
        yield before, cells
        before = reader.line_num + 1


def _text(octets: bytes) -> str:
    encodings = ["utf-16"] if octets[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            return octets.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SheetError("no text")


def guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) or bare(cell) != cell else cell


def bare(cell: str) -> str:
    """As it was before guarded()."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith((*_FORMULA, "'")) else cell


# --- values

def levels(skills: Mapping[str, float]) -> str:
    """sales:5 service:2"""
    return " ".join(f"{name}:{level:g}" for name, level in skills.items())


def read_levels(text: str) -> dict[str, int | float]:
    """ValueError names the word that is none."""
    found: dict[str, int | float] = {}
    for one in re.split(r"[\s,;，；]+", text.strip()):
        if not one:
            continue
        match = _SKILL.fullmatch(one.replace("：", ":"))
        if match is None or match[1] in found:
            raise ValueError(one)
        found[match[1]] = float(match[2]) if "." in match[2] else int(match[2])
    return found


def read_names(text: str) -> list[str]:
    """As they are: whether there are such is not looked at."""
    return [one for one in re.split(r"[\s,;，；]+", text.strip()) if one]


def _levels(text: str) -> Any:
    try:
        found = read_levels(text)
    except ValueError as error:
        raise _Bad("level", str(error)) from None
    if wrong := next((name for name, level in found.items() if level != int(level) or not 1 <= level <= 10),
                     ""):
        raise _Bad("level", f"{wrong}:{found[wrong]:g}")
    return found


def _number(text: str) -> Any:
    try:
        value = float(text)
    except ValueError:
        raise _Bad("number", text) from None
    if not abs(value) < 1e9:
        raise _Bad("number", text)
    return int(value) if value == int(value) and "." not in text else value


def _truth(text: str) -> Any:
    if (word := text.lower()) in _YES | _NO:
        return word in _YES
    raise _Bad("truth", text)


Read = Callable[[str], Any]
AGENTS: dict[str, Read] = {"extension": str, "trunk": str, "groups": read_names, "skills": _levels,
                           "starts": str}
QUEUES: dict[str, Read] = {
    "agents": read_names, "skills": _levels, "preferred": _levels, "strategy": str, "priority": _number,
    "ring_s": _number, "wrap_up_s": _number, "max_wait_s": _number, "service_level.within_s": _number,
    "service_level.percent": _number, "music": str, "no_answer": str, "record": _truth}


# --- what a file makes of a document's plain data

def take(kind: str, sheet: Sheet, plain: dict[str, Any]) -> tuple[dict[str, Any], list[Row]]:
    """The plain data with the file's rows, but for those that are wrong, and what each row is."""
    draft = copy.deepcopy(plain)
    if kind == "matrix":
        unknown = [one for one in sheet.columns if one != "name" and not _NAME.fullmatch(one)]
    else:
        unknown = [one for one in sheet.columns if one != "name" and one not in
                   (AGENTS if kind == "agents" else QUEUES)]
    if unknown:
        raise SheetError("columns")
    centre = draft.setdefault("centre", {})
    place = "queues" if kind == "queues" else "agents"
    if centre.get(place) is None:
        centre[place] = []
    by_name = {str(one.get("name")): one for one in centre[place] if isinstance(one, dict)}
    seen: dict[str, int] = {}
    rows: list[Row] = []
    for line, cells in sheet.lines:
        name = cells["name"]
        try:
            if not _NAME.fullmatch(name):
                raise _Bad("name", name)
            if name in seen:
                raise _Bad("twice", str(seen[name]))
            seen[name] = line
            if kind == "matrix" and name not in by_name:
                raise _Bad("no agent", name)
            old = by_name.get(name)
            new = copy.deepcopy(old) if old else {"name": name}
            groups = None
            if kind == "matrix":
                new["skills"] = _of_matrix(new, sheet, cells)
                _tidy(new, old, "skills")
            else:
                for column, read_cell in (AGENTS if kind == "agents" else QUEUES).items():
                    if column == "groups" and column in cells:
                        groups = read_cell(cells[column])
                    elif column in cells:
                        _set(new, old, column, cells[column], read_cell)
            changed = tuple(key for key in new if old is None or new.get(key) != old.get(key))
            changed += tuple(key for key in old or () if key not in new)
            regrouped = groups is not None and regroup(draft, name, groups)
        except _Bad as bad:
            rows.append(Row(line, name, "wrong", bad.why, bad.about))
            continue
        if old is None:
            centre[place].append(new)
            by_name[name] = new
        else:
            old.clear()
            old.update(new)
        keys = (*changed, "groups") if regrouped else changed
        rows.append(Row(line, name, "new" if old is None else "changed" if keys else "same",
                        keys=() if old is None else keys))
    return draft, rows


def _set(part: dict[str, Any], old: Mapping[str, Any] | None, column: str, cell: str,
         read_cell: Read) -> None:
    outer, _, key = column.rpartition(".")
    inner = part.setdefault(outer, {}) if outer else part
    before = ((old or {}).get(outer) or {}) if outer else (old or {})
    if cell:
        value = read_cell(cell)
        if value or value is False or key in before or not isinstance(value, list | dict):
            inner[key] = value
    elif before.get(key) != "":
        inner.pop(key, None)
    if outer and not inner and outer not in (old or {}):
        del part[outer]


def _tidy(part: dict[str, Any], old: Mapping[str, Any] | None, key: str) -> None:
    if not part[key] and key not in (old or {}):
        del part[key]


def _of_matrix(part: Mapping[str, Any], sheet: Sheet, cells: Mapping[str, str]) -> dict[str, Any]:
    skills = dict(part.get("skills") or {})
    for skill in sheet.columns:
        if skill == "name":
            continue
        cell = cells[skill] or "0"
        if not re.fullmatch(r"[0-9]|10", cell):
            raise _Bad("level", f"{skill}: {cell}")
        if cell == "0":
            skills.pop(skill, None)
        else:
            skills[skill] = int(cell)
    return skills


def regroup(draft: dict[str, Any], agent: str, wanted: Sequence[str]) -> bool:
    """In these groups and no others; whether that is something new. _Bad: there is no such group."""
    groups = (draft.get("quality") or {}).get("groups") or []
    known = {one.get("name") for one in groups}
    if wrong := next((name for name in wanted if name not in known), ""):
        raise _Bad("no group", wrong)
    changed = False
    for group in groups:
        is_in, should = agent in group["agents"], group["name"] in wanted
        if is_in != should:
            changed = True
            group["agents"] = ([*group["agents"], agent] if should
                               else [one for one in group["agents"] if one != agent])
    return changed
