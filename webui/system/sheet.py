"""A month of the maintenance log on paper: a PDF with a place for signatures."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from io import BytesIO

from flask_babel import gettext
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, SimpleDocTemplate, Spacer, Table, TableStyle

from appliance.bus.messages import DayRecord, MaintenanceEntry
from e1_driver.testing.report_drawing import GREY, LIGHT, PALE
from webui import texts
from webui.reports.paper import BODY, MARGIN, PAGE, ROOM, SMALL, TITLE, text

WIDTHS = (0.05, 0.11, 0.11, 0.1, 0.63)            # of ROOM


def pdf_of(month: str, entries: Sequence[MaintenanceEntry], item_text: Callable[[str], str]) -> BytesIO:
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
    document.build(list(_story(title, entries, item_text)), onFirstPage=foot, onLaterPages=foot)
    file.seek(0)
    return file


def _story(title: str, entries: Sequence[MaintenanceEntry],
           item_text: Callable[[str], str]) -> Iterator[Flowable]:
    yield text(title, TITLE)
    yield Spacer(0, 8)
    head = [text(one, SMALL) for one in (gettext("No."), gettext("When"), gettext("Kind"), gettext("Who"),
                                         gettext("Content of the entry"))]
    rows = [[str(one.number), datetime.fromtimestamp(one.at).strftime("%Y-%m-%d %H:%M"),
             text(_kind(one), SMALL), text(one.by or gettext("the box"), SMALL),
             [text(line, SMALL) for line in said(one, item_text)]] for one in reversed(entries)]
    yield Table([head, *(rows or [["", "", "", "", text(gettext("None in this month."), SMALL)]])],
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
    corrected = gettext("of no. %(number)d", number=entry.corrects) if entry.corrects else ""
    return f"{texts.word(entry.kind, 'maintenance')} {corrected}".strip()


def said(entry: MaintenanceEntry, item_text: Callable[[str], str]) -> Iterator[str]:
    """An entry in lines."""
    if entry.record is not None:
        yield from _record(entry.record)
    yield from (*entry.text.splitlines(), *entry.note.splitlines())
    for one in entry.checked:
        parts = [texts.word(one.result, "check result"), one.remark, one.box]
        yield f"{item_text(one.item)}: {'; '.join(part for part in parts if part)}"


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
