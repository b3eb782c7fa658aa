"""An answer as people read it: single values as a paragraph, lists as tables, in their language.

Titles and how a value is shown stand beside the type (table.column). JSON is the answer itself: nothing here
changes what programs read.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
import msgspec.inspect

from appliance.box.commands.chinese import word
from appliance.box.commands.screen import cut, padded, shown, width
from appliance.box.commands.table import Answer, Language, Text, same

APART = 2                                         # blanks between columns
LEAST_COLUMN = 8                                  # a column is not made narrower by parting its words
NONE = Text("none", "无")
NOTHING: tuple[Any, ...] = (None, "", 0, [], {})  # what a spare column is not shown for
YES, NOT = Text("yes", "是"), Text("no", "否")


@dataclass(frozen=True, slots=True)
class Field:
    """Of an answer, or of a row."""

    name: str
    title: Text
    shown: str
    words: str                                    # a kind of chinese.WORDS; "": of none
    spare: bool
    row: type[msgspec.Struct] | None              # of a list of records, or of one record
    many: bool
    is_text: bool                                 # a list of plain values: a line each


@cache
def fields(kind: type[msgspec.Struct]) -> tuple[Field, ...]:
    """The fields that people see."""
    info = msgspec.inspect.type_info(kind)
    found = info.fields if isinstance(info, msgspec.inspect.StructType) else ()
    return tuple(one for one in map(_field, found) if one.shown != "json")


def _field(field: msgspec.inspect.Field) -> Field:
    kind: msgspec.inspect.Type = field.type
    title, how, words, spare, titled = same(field.name.replace("_", " ")), "", "", False, False
    while isinstance(kind, msgspec.inspect.Metadata):
        extra = kind.extra or {}
        if "zh" in extra:
            title = Text((kind.extra_json_schema or {}).get("title", field.name), extra["zh"])
            how, words, spare, titled = extra["shown"], extra["words"], extra["spare"], True
        kind = kind.type
    if isinstance(kind, msgspec.inspect.UnionType):
        kind = next((one for one in kind.types if not isinstance(one, msgspec.inspect.NoneType)), kind)
    many = isinstance(kind, msgspec.inspect.ListType)
    if isinstance(kind, msgspec.inspect.ListType):
        kind = kind.item_type
    row = kind.cls if isinstance(kind, msgspec.inspect.StructType) else None
    return Field(field.name, title, how, words, spare, row, many,
                 row is None and (how == "heading" or not titled))


@dataclass(frozen=True, slots=True)
class Table:
    """A list of an answer, as cells of text."""

    field: Field
    titles: tuple[str, ...]                       # (): a list of plain values
    right: tuple[bool, ...]                       # columns of figures
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """An answer before it is laid out."""

    values: tuple[tuple[str, str], ...]           # title, value
    tables: tuple[Table, ...]
    bare: bool                                    # values without their titles


def page(answer: Answer, language: Language) -> Page:
    values, tables = list[tuple[str, str]](), list[Table]()
    for one in fields(type(answer)):
        value = getattr(answer, one.name)
        if one.many and value is not None and (one.row is not None or one.is_text or not type(answer).headed):
            tables.append(_table(one, value, language))
        elif one.row is not None and value is not None:
            values += [(f"{one.title.of(language)} {title}".strip(), text)
                       for title, text in _single(value, one.row, language)]
        elif not one.spare or value not in NOTHING:
            parts = value.splitlines() if isinstance(value, str) and not type(answer).headed else [value]
            values += [(one.title.of(language), cell(part, one.shown, language, one.words)) for part in parts]
    return Page(tuple(values), tuple(tables), not type(answer).headed)


def _single(value: msgspec.Struct, kind: type[msgspec.Struct], language: Language) -> list[tuple[str, str]]:
    return [(one.title.of(language), cell(getattr(value, one.name), one.shown, language, one.words))
            for one in fields(kind) if not (one.spare and getattr(value, one.name) in NOTHING)]


def _table(field: Field, values: Sequence[Any], language: Language) -> Table:
    if field.row is None:
        return Table(field, (), (False,), tuple(
            (cell(one, field.shown, language, field.words),) for one in values))
    columns = fields(field.row)
    rows = [tuple(cell(getattr(row, one.name), one.shown, language, one.words) for one in columns)
            for row in values]
    seen = [place for place, one in enumerate(columns)
            if not one.spare or any(getattr(row, one.name) not in NOTHING for row in values)]
    right = tuple(_is_figure(columns[place], [getattr(row, columns[place].name) for row in values])
                  for place in seen)
    return Table(field, tuple(columns[place].title.of(language) for place in seen), right,
                 tuple(tuple(row[place] for place in seen) for row in rows))


def _is_figure(column: Field, values: Sequence[Any]) -> bool:
    return column.shown not in ("clock", "moment") and any(
        isinstance(one, int | float) and not isinstance(one, bool) for one in values)


def text(page: Page, language: Language, columns: int | None) -> str:
    """The page on lines, of `columns` where there is a terminal. Each ends in a line break."""
    lines: list[str] = []
    wide = max((width(title) for title, _ in page.values), default=0)
    for title, value in page.values:
        head = "" if page.bare else padded(f"{title}:", wide + 1 + APART)
        lines += _beside(head, value if value or page.bare else "-", columns)
    for table in page.tables:
        if lines and not page.bare:
            lines.append("")
        if (len(page.tables) > 1 or table.field.shown == "heading") and not page.bare:
            lines.append(f"{table.field.title.of(language)}:")
        if table.rows:
            lines += grid(table, columns)
        elif not page.bare:
            lines.append(NONE.of(language))
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _beside(head: str, value: str, columns: int | None) -> list[str]:
    indent = width(head)
    if columns is None or indent + width(value) <= columns:
        return [head + value]
    first, *others = cut(value, columns - indent)
    return [head + first, *(" " * indent + one for one in others)]


def grid(table: Table, columns: int | None) -> list[str]:
    """Rows under their titles; where a terminal is too narrow, columns of words get several lines."""
    if not table.titles:
        return [row[0] for row in table.rows]
    cells = [max(width(row[place]) for row in table.rows) for place in range(len(table.titles))]
    wide = [max(width(title), one) for title, one in zip(table.titles, cells, strict=True)]
    if columns is not None:
        words = [max(max(map(width, one.split()), default=0) for one in (title, *column))
                 for title, column in zip(table.titles, zip(*table.rows, strict=True), strict=True)]
        at_blanks = [max(word, one) if figure else min(word, columns)
                     for word, one, figure in zip(words, cells, table.right, strict=True)]
        within = [one if figure else min(one, LEAST_COLUMN)
                  for one, figure in zip(at_blanks, table.right, strict=True)]
        wide = [min(one, columns) for one in wide]
        wide = _narrowed(_narrowed(wide, at_blanks, columns), within, columns)
    lines = _row(table.titles, wide, table.right)
    for row in table.rows:
        lines += _row(row, wide, table.right)
    return lines


def _narrowed(wide: list[int], least: Sequence[int], columns: int) -> list[int]:
    """Columns are taken from the widest one that has some to spare: of figures those of its title alone."""
    while sum(wide) + APART * (len(wide) - 1) > columns:
        spare = [(one, -place) for place, one in enumerate(wide) if one > least[place]]
        if not spare:
            break
        wide[-max(spare)[1]] -= 1
    return wide


def _row(cells: Sequence[str], wide: Sequence[int], right: Sequence[bool]) -> list[str]:
    parts = [list(cut(one, columns)) if width(one) > columns else [one]
             for one, columns in zip(cells, wide, strict=True)]
    blank = " " * APART
    return [blank.join(padded(part[line] if line < len(part) else "", columns, figure)
                       for part, columns, figure in zip(parts, wide, right, strict=True)).rstrip()
            for line in range(max(map(len, parts)))]


def cell(value: Any, how: str, language: Language, words: str = "") -> str:
    """One value in words; what is not known is empty."""
    match value:
        case None:
            return ""
        case bool():
            return (YES if value else NOT).of(language)
        case int() | float():
            return _figure(value, how, language)
        case str():
            return shown(word(value, words, language).replace("\n", " "))
        case dict():
            return ", ".join(f"{shown(word(str(name), words, language))} {cell(one, '', language)}"
                             for name, one in value.items())
        case list() | tuple():
            return ", ".join(cell(one, how, language, words) for one in value)
        case msgspec.Struct():
            return " ".join(text for _, text in _single(value, type(value), language) if text)
        case bytes():
            return size(len(value))
    return shown(str(value))


def _figure(value: float, how: str, language: Language) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    match how:
        case "octets":
            return size(value)
        case "duration":
            return duration(value, language)
        case "clock" | "moment":
            return moment(value, how == "clock")
        case "percent":
            return f"{100 * value:.1f} %"
        case "number":
            return f"{value:,.{0 if float(value).is_integer() else 2}f}".replace(",", " ")
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def size(octets: float) -> str:
    """In units of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(octets) < 1000:
            return f"{octets:.0f} {unit}" if unit == "B" else f"{octets:.1f} {unit}"
        octets /= 1000
    return f"{octets:.1f} TB"


_UNITS = (("d", "天", 86400), ("h", "小时", 3600), ("min", "分", 60), ("s", "秒", 1))


def duration(seconds: float, language: Language) -> str:
    """The two greatest units: 3 d 2 h, 12 min 5 s, 40 s; below one second ms."""
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    if 0.0005 <= seconds < 1:
        return f"{sign}{seconds * 1000:.0f} {'毫秒' if language == 'zh' else 'ms'}"
    left = round(seconds)
    if left > 100 * 365 * 86400:
        return f"{sign}{left} s"
    for place, (_, _, unit) in enumerate(_UNITS):
        if left >= unit:
            parts = [(left // unit, place)]
            if place + 1 < len(_UNITS) and (rest := left % unit // _UNITS[place + 1][2]):
                parts.append((rest, place + 1))
            return sign + " ".join(f"{count} {_UNITS[at][language == 'zh']}" for count, at in parts)
    return "0 秒" if language == "zh" else "0 s"


def moment(at: float, short: bool = False) -> str:
    """In the box's own time of day; what never was is empty."""
    if at <= 0 or at > 1e11:
        return ""
    return time.strftime("%H:%M:%S" if short else "%Y-%m-%d %H:%M:%S", time.localtime(at))


def line_of(row: tuple[str, ...]) -> str:
    """A row as `| match` sees it."""
    return "  ".join(row).replace("\n", " ")


def only(answer: Answer, name: str, keep: Sequence[int]) -> Answer:
    """The answer with these rows of one of its lists."""
    rows = getattr(answer, name)
    return msgspec.structs.replace(answer, **{name: [rows[place] for place in keep]})
