"""A month of the maintenance log on paper: a PDF with a place for signatures; and as a table."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from io import BytesIO, StringIO

from flask_babel import gettext
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, SimpleDocTemplate, Spacer, Table, TableStyle

from appliance.bus.messages import DayRecord, MaintenanceEntry, SelfChecked, Signature
from e1_driver.testing.report_drawing import GREY, LIGHT, PALE
from webui import texts
from webui.box import language
from webui.reports.exports import safe
from webui.reports.paper import BODY, MARGIN, PAGE, ROOM, SMALL, TITLE, text

WIDTHS = (0.05, 0.11, 0.11, 0.09, 0.51, 0.13)     # of ROOM
Signed = Mapping[str, Sequence[Signature]]        # by the number of the entry


def pdf_of(month: str, entries: Sequence[MaintenanceEntry], signed: Signed,
           item_text: Callable[[str], str]) -> BytesIO:
    """`month`: 2026-09; `entries` newest first, on the paper the other way round."""
    file, title = BytesIO(), gettext("Maintenance sheet") + f" {month}"

    def foot(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.saveState()
        line = text(f"{title}  -  {canvas.getPageNumber()}", SMALL)
        line.wrapOn(canvas, ROOM, MARGIN)
        line.drawOn(canvas, MARGIN, 18)
        canvas.restoreState()

    document = SimpleDocTemplate(file, pagesize=PAGE, leftMargin=MARGIN, rightMargin=MARGIN,
                                 topMargin=MARGIN, bottomMargin=MARGIN, title=title, author="Branchline")
    document.build(list(_story(title, entries, signed, item_text)), onFirstPage=foot, onLaterPages=foot)
    file.seek(0)
    return file


def _story(title: str, entries: Sequence[MaintenanceEntry], signed: Signed,
           item_text: Callable[[str], str]) -> Iterator[Flowable]:
    yield text(title, TITLE)
    yield Spacer(0, 8)
    head = [text(one, SMALL) for one in (gettext("No."), gettext("When"), gettext("Kind"), gettext("Who"),
                                         gettext("Content of the entry"), gettext("Signed"))]
    rows = [[str(one.number), datetime.fromtimestamp(one.at).strftime("%Y-%m-%d %H:%M"),
             text(_kind(one), SMALL), text(one.by or gettext("the box"), SMALL),
             [text(line, SMALL) for line in said(one, item_text)],
             [text(line, SMALL) for line in _signatures(one, signed)]] for one in reversed(entries)]
    yield Table([head, *(rows or [["", "", "", "", text(gettext("None in this month."), SMALL), ""]])],
                [share * ROOM for share in WIDTHS], repeatRows=1, style=_STYLE, hAlign="LEFT")
    yield Spacer(0, 40)
    yield KeepTogether(Table(
        [[text(gettext("Done by, date, signature"), BODY), "",
          text(gettext("Seen by, date, signature"), BODY)]],
        [0.4 * ROOM, 0.1 * ROOM, 0.4 * ROOM], style=TableStyle([
            ("LINEABOVE", (0, 0), (0, 0), 0.7, GREY), ("LINEABOVE", (2, 0), (2, 0), 0.7, GREY)]),
        hAlign="LEFT"))


_STYLE = TableStyle([
    ("FONTSIZE", (0, 0), (-1, -1), 7), ("LEADING", (0, 0), (-1, -1), 8.5),
    ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEBELOW", (0, 0), (-1, -1), 0.3, LIGHT),
    ("BACKGROUND", (0, 0), (-1, 0), PALE), ("TOPPADDING", (0, 0), (-1, -1), 2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2)])


def _kind(entry: MaintenanceEntry) -> str:
    about = entry.corrects or entry.signs
    corrected = gettext("of no. %(number)d", number=about) if about else ""
    return f"{texts.word(entry.kind, 'maintenance')} {corrected}".strip()


def _signatures(entry: MaintenanceEntry, signed: Signed) -> list[str]:
    return [f"{one.by} {_minute(one.at)}" for one in signed.get(str(entry.number), ())]


def _minute(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")


def csv_of(entries: Sequence[MaintenanceEntry], signed: Signed, item_text: Callable[[str], str]) -> BytesIO:
    """A line for each item, oldest first; UTF-8 with the mark by which Excel knows it."""
    file = StringIO(newline="")
    rows = csv.writer(file)
    rows.writerow([gettext("No."), gettext("When"), gettext("Kind"), gettext("Who"),
                   gettext("Item looked at"), gettext("Result of the check"), gettext("Figure"),
                   gettext("Limit"), gettext("Content of the entry"), gettext("What to do"),
                   gettext("Signed")])
    for one in reversed(entries):
        begins = [str(one.number), _minute(one.at), _kind(one), one.by or gettext("the box")]
        ends = "; ".join(_signatures(one, signed))
        for cells in _cells(one, item_text):
            rows.writerow([safe(cell) for cell in (*begins, *cells, ends)])
    return BytesIO(file.getvalue().encode("utf-8-sig"))


def _cells(entry: MaintenanceEntry, item_text: Callable[[str], str]) -> Iterator[tuple[str, ...]]:
    """Item, result, figure, limit, content, what to do."""
    if entry.check is not None:
        for one in entry.check.results:
            yield (_in(one.title), texts.word(one.result, "round result"), one.figure, one.limit,
                   _in(one.text), _in(one.next))
        return
    for item in entry.checked:
        yield item_text(item.item), texts.word(item.result, "check result"), item.box, "", item.remark, ""
    rest = [*(_record(entry.record) if entry.record else ()), entry.text, entry.note]
    if not entry.checked or entry.text:
        yield "", "", "", "", "; ".join(part for part in rest if part), ""


def _in(words: Mapping[str, str]) -> str:
    """In the reader's language; "": there are none."""
    return words.get(language(), "")


def said(entry: MaintenanceEntry, item_text: Callable[[str], str]) -> Iterator[str]:
    """An entry in lines."""
    if entry.record is not None:
        yield from _record(entry.record)
    yield from (*entry.text.splitlines(), *entry.note.splitlines())
    if entry.check is not None:
        if entry.check.late:
            yield gettext("late: it was not begun in its hours")
        yield from map(_looked, entry.check.results)
    for one in entry.checked:
        parts = [texts.word(one.result, "check result"), one.remark, one.box]
        yield f"{item_text(one.item)}: {'; '.join(part for part in parts if part)}"


def _looked(one: SelfChecked) -> str:
    """One thing that the box looked at by itself, with its figure, its limit and what to do."""
    measured = f"{one.figure} ({gettext('Limit')}: {one.limit})" if one.figure and one.limit else one.figure
    said = [texts.word(one.result, "round result"), measured, _in(one.text), _in(one.next)]
    return f"{_in(one.title)}: {'; '.join(part for part in said if part)}"


def _record(record: DayRecord) -> Iterator[str]:
    down = [f"{name} ({texts.word(state, 'daemon')})" for name, state in record.daemons.items()
            if state != "up"]
    free = f"{100 * record.disk_free / record.disk_total:.0f} %" if record.disk_total else "-"
    calls = gettext("not known") if record.calls is None else str(record.calls)
    yield "; ".join((
        f"{gettext('Calls')} {calls}", f"{gettext('Programs down')}: {', '.join(down) or gettext('none')}",
        f"{gettext('Started anew')}: {_times(record.restarts)}",
        f"{gettext('Alarms')}: {_times(record.alarms)}", f"{gettext('Disk free')} {free}"))
    for name, span in record.spans.items():
        figures = " ".join(f"{title} {'-' if value is None else value}" for title, value in (
            ("ES", span.es), ("SES", span.ses), ("UAS", span.uas)))
        yield f"{gettext('Line %(name)s', name=name)}: {figures}"
    if record.celsius:
        yield gettext("Hottest") + ": " + ", ".join(
            f"{name} {value:.0f} °C" for name, value in record.celsius.items())


def _times(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} x{times}" for name, times in counts.items()) or gettext("none")
