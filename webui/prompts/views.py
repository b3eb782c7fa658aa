"""The table of prompts: one row a name, a cell for each language. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from appliance.bus.messages import PromptInfo, PromptUse

LANGUAGES = ("zh", "en")
LOUD_DBM0, FAINT_DBM0 = -10.0, -24.0              # outside of them a level is worth a look
METER_DBM0 = (-40.0, 0.0)                         # ends of a meter
SHOWS = ("all", "missing", "unused")


@dataclass(frozen=True, slots=True)
class Cell:
    """`info` None: there is none; `needed`: somebody asks for it in this language."""

    name: str
    info: PromptInfo | None
    needed: bool


@dataclass(frozen=True, slots=True)
class Row:
    base: str                                     # the name without its language
    cells: tuple[Cell, ...]                       # of LANGUAGES; one for all when it has no language
    text: str                                     # what it says in the first language that says it
    uses: tuple[PromptUse, ...]
    plain: bool                                   # of no language: music

    @property
    def missing(self) -> bool:
        return any(cell.needed and cell.info is None for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Words:
    """Of one language: what values such as numbers and dates need."""

    language: str
    there: int
    missing: tuple[tuple[str, str], ...]          # name, what it says


@dataclass(frozen=True, slots=True)
class Table:
    rows: tuple[Row, ...]
    words: tuple[Words, ...]
    counts: Mapping[str, int] = field(default_factory=dict)          # of each of SHOWS


def split(name: str) -> tuple[str, str]:
    """Language, "" for none; and the rest of it."""
    language, _, base = name.partition("/")
    return (language, base) if language in LANGUAGES and base else ("", name)


def table(prompts: Iterable[PromptInfo], needed: Mapping[str, str], uses: Mapping[str, list[PromptUse]],
          show: str = "all", text: str = "", words: bool = False) -> Table:
    """`words`: those of values in place of the others; `text`: in a name or in what it says."""
    found = {one.name: one for one in prompts}
    named: dict[tuple[bool, str], None] = {}
    for name in sorted({*found, *uses, *(needed if words else ())}):
        if (name in needed) == words:
            language, base = split(name)
            named[not language, base] = None
    rows = [_row(base, plain, found, uses, needed) for plain, base in sorted(named)]
    asked = text.strip().lower()
    if asked:
        rows = [row for row in rows if asked in row.base or asked in " ".join(
            cell.info.text for cell in row.cells if cell.info).lower()]
    picked = {"all": rows, "missing": [row for row in rows if row.missing],
              "unused": [row for row in rows if not row.uses]}
    return Table(tuple(picked.get(show, rows)), tuple(_words(one, found, needed) for one in LANGUAGES),
                 {name: len(some) for name, some in picked.items()})


def _row(base: str, plain: bool, found: Mapping[str, PromptInfo], uses: Mapping[str, list[PromptUse]],
         needed: Mapping[str, str]) -> Row:
    names = [base] if plain else [f"{language}/{base}" for language in LANGUAGES]
    cells = tuple(Cell(name, found.get(name), name in uses) for name in names)
    by = tuple(dict.fromkeys(use for name in names for use in uses.get(name, ())))
    said = next((cell.info.text for cell in cells if cell.info and cell.info.text), "")
    return Row(base, cells, said or next((needed[name] for name in names if name in needed), ""), by, plain)


def _words(language: str, found: Mapping[str, PromptInfo], needed: Mapping[str, str]) -> Words:
    own = {name: text for name, text in needed.items() if name.startswith(f"{language}/")}
    missing = tuple((name, text) for name, text in own.items() if name not in found or found[name].wrong)
    return Words(language, len(own) - len(missing), missing)


def tone(level_dbm0: float) -> str:
    """Whether a level is one that callers hear well."""
    return "warn" if level_dbm0 > LOUD_DBM0 or level_dbm0 < FAINT_DBM0 else "good"


def meter(level_dbm0: float) -> int:
    """0 to 100."""
    least, most = METER_DBM0
    return round(100 * min(max((level_dbm0 - least) / (most - least), 0.0), 1.0))
