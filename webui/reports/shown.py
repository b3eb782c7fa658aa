"""A report as its page shows it: what each cell says and where it leads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from flask_babel import gettext, ngettext

from appliance.bus.messages import FigureDefinition
from webui.reports import words
from webui.reports.choice import ALL, Choice, Times
from webui.reports.tables import Cell, Line, Report, Section

CELLS = 1200                                      # of one page: a page is for eyes, files are for all
MOST, LEAST = 100, 12                             # intervals of one page


@dataclass(frozen=True, slots=True)
class Head:
    """Of a column."""

    name: str
    title: str
    unit: str
    formula: str
    note: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell. `kept`: yes, no, or "" where there is no target."""

    text: str
    kept: str
    target: str
    before: str
    change: str
    made_of: str
    link: str


@dataclass(frozen=True, slots=True)
class ShownLine:
    label: str
    cells: tuple[Shown, ...]
    whole: bool = False


def heads(definitions: Sequence[FigureDefinition]) -> list[Head]:
    return [Head(one.name, words.title(one), one.unit, words.formula(one.formula), words.note(one.note))
            for one in definitions]


def lines(report: Report, section: Section, behind: str, page: int | None = 1) -> Iterator[ShownLine]:
    """The total, then those of the page, None: all. `behind`: the address that lists what a figure is of."""
    columns = heads(report.definitions)
    if section.total is not None:
        label = gettext("whole time") if report.choice.by_time else gettext("all together")
        yield ShownLine(label, _cells(report, section.total, columns, behind), whole=True)
    whole = page is None or not report.choice.by_time
    most = page_of(report)
    first = 0 if page is None else (page - 1) * most
    counted = told(section)
    for line in counted if whole else counted[first:first + most]:
        yield ShownLine(label_of(report, line), _cells(report, line, columns, behind))


def told(section: Section) -> list[Line]:
    """Hours of a night in which nothing was are no lines of a table."""
    return [line for line in section.lines if line.counted]


def page_of(report: Report) -> int:
    """Intervals that one page has of each name."""
    across = len(report.definitions) * len(report.sections)
    return max(LEAST, min(MOST, CELLS // max(1, across)))


def label_of(report: Report, line: Line) -> str:
    """Its name, or when it began."""
    if not report.choice.by_time:
        return line.name or gettext("all together")
    local = report.times.local(line.since)
    return local.strftime("%Y-%m-%d") if report.choice.interval in ("day", "week") else \
        local.strftime("%Y-%m-%d %H:%M")


def _cells(report: Report, line: Line, columns: Sequence[Head], behind: str) -> tuple[Shown, ...]:
    address = f"{behind}?" + urlencode({
        "kind": report.choice.kind, "name": line.name, "since": f"{line.since:.0f}",
        "until": f"{line.until:.0f}"})
    return tuple(_cell(cell, head, address, report.choice.by_time)
                 for cell, head in zip(line.cells, columns, strict=True))


def _cell(cell: Cell, head: Head, address: str, by_time: bool) -> Shown:
    """A column of a hundred intervals says its formula once, at its head."""
    now, was = cell.now, cell.before.value if cell.before else None
    text = words.shown(now.value, head.unit)
    ratio = words.plain(now.top) if now.bottom == 1.0 and head.unit != "share" else \
        f"{words.plain(now.top)} / {words.plain(now.bottom)}"
    return Shown(
        text, "" if now.kept is None else "yes" if now.kept else "no",
        "" if now.target is None else words.shown(now.target, head.unit),
        "" if was is None else words.shown(was, head.unit), words.change(cell.change(head.unit), head.unit),
        ratio if by_time else f"{head.title} = {head.formula} = {ratio}", f"{address}&figure={head.name}")


def name_of(section: Section) -> str:
    return section.name or gettext("all together")


def when(times: Times) -> str:
    """From and to, as people write it."""
    since, until = times.local(times.since), times.local(times.until)
    if until.time() == since.time() and until - since == timedelta(days=1):
        return f"{since:%Y-%m-%d}"
    if not (until.hour or until.minute):
        return f"{since:%Y-%m-%d} – {until - timedelta(days=1):%Y-%m-%d}"
    if until.date() == since.date():
        return f"{since:%Y-%m-%d %H:%M} – {until:%H:%M}"
    return f"{since:%Y-%m-%d %H:%M} – {until:%Y-%m-%d %H:%M}"


def compared(times: Times) -> str:
    """What stands beside it."""
    weeks = times.shift_days // 7
    if weeks <= 1:
        return str(gettext("last week")) if weeks else ""
    return str(ngettext("%(num)d week before", "%(num)d weeks before", weeks))


def title(choice: Choice) -> str:
    names = ", ".join(choice.names) if choice.names != (ALL,) else ""
    return words.chosen(choice.kind) + (f": {names}" if names else "")
