"""A report on paper: a PDF in landscape, with the chart of each name and the definitions at the end.

Latin is Helvetica, Chinese STSong-Light, as in the verdict of a line: fonts that every reader has.
"""

import re
from collections.abc import Iterator, Sequence
from html import escape
from io import BytesIO
from typing import Any

from flask_babel import gettext
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from e1_driver.testing.report_drawing import AMBER, CHINESE, GREY, LIGHT, PALE, RED
from webui.reports import charts, shown, tables, words
from webui.reports.charts import HEIGHT, LEFT, RIGHT, WIDTH, Chart
from webui.reports.tables import Report, Section

COLUMNS = 10                                      # figures beside each other
ROWS = 300                                        # of one table: a longer one takes long to be cut to pages
PAGE, MARGIN, PADDING = landscape(A4), 36.0, 12.0
ROOM = PAGE[0] - 2 * MARGIN - PADDING
BLUE = HexColor("#0b6e99")
BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=8, leading=10.5)
SMALL = ParagraphStyle("small", parent=BODY, fontSize=7, leading=8.5)
HEAD = ParagraphStyle("head", parent=SMALL, alignment=2)
TITLE = ParagraphStyle("title", parent=BODY, fontSize=16, leading=21)
HEADING = ParagraphStyle("heading", parent=BODY, fontSize=11, leading=15, spaceBefore=10, spaceAfter=3)
_OTHERS = re.compile("[^\x20-\x7e\xa0-\xff]+")    # Helvetica has not got them

pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))


def pdf_of(report: Report) -> bytes:
    """The file's octets."""
    file = BytesIO()
    title = f"{shown.title(report.choice)}  {shown.when(report.times)}"

    def foot(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.saveState()
        line = _text(f"{title}  -  {canvas.getPageNumber()}", SMALL)
        line.wrapOn(canvas, ROOM, MARGIN)
        line.drawOn(canvas, MARGIN, 18)
        canvas.restoreState()

    document = SimpleDocTemplate(file, pagesize=PAGE, leftMargin=MARGIN, rightMargin=MARGIN,
                                 topMargin=MARGIN, bottomMargin=MARGIN, title=title, author="Branchline")
    document.build(list(_story(report)), onFirstPage=foot, onLaterPages=foot)
    return file.getvalue()


def _story(report: Report) -> Iterator[Flowable]:
    yield _text(shown.title(report.choice), TITLE)
    yield _text(gettext("%(time)s, by %(interval)s", time=shown.when(report.times),
                        interval=words.chosen(report.choice.interval)), BODY)
    if not report.times.long:
        yield _text(gettext("small: %(before)s", before=shown.compared(report.times)), BODY)
    yield Spacer(0, 8)
    for section in report.sections:
        if report.choice.by_time:
            yield _text(shown.name_of(section), HEADING)
            yield from _chart(report, section)
        yield from _tables(report, section)
    yield _text(gettext("Definitions"), HEADING)
    for one in shown.heads(report.definitions):
        yield _text(f"{one.title} = {one.formula}" + (f". {one.note}" if one.note else ""), BODY)


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    """Nothing in it is markup, and each run of it is in a font that has it."""
    marked = _OTHERS.sub(lambda run: f'<font name="{CHINESE}">{run[0]}</font>', escape(text))
    return Paragraph(marked, style)


def text(said: str, style: ParagraphStyle) -> Paragraph:
    """Of other papers."""
    return _text(said, style)


def _tables(report: Report, section: Section) -> Iterator[Flowable]:
    """Figures that have no room beside each other come in tables below."""
    columns = shown.heads(report.definitions)
    every = list(shown.lines(report, section, "", page=None))
    for first in range(0, len(columns), COLUMNS):
        part = slice(first, first + COLUMNS)
        head = ["", *(_text(one.title, HEAD) for one in columns[part])]
        share = 0.86 * ROOM / max(6, len(columns[part]))
        for begin in range(0, max(1, len(every)), ROWS):
            some = every[begin:begin + ROWS]
            rows = [[_label(line.label), *map(_cell, line.cells[part])] for line in some]
            missed = [(1 + column, 1 + row) for row, line in enumerate(some)
                      for column, cell in enumerate(line.cells[part]) if cell.kept == "no"]
            yield Table([head, *rows], [0.14 * ROOM, *[share] * len(columns[part])], repeatRows=1,
                        style=_style(missed), hAlign="LEFT")
        yield Spacer(0, 8)


def _style(missed: Sequence[tuple[int, int]]) -> TableStyle:
    style = TableStyle([
        ("FONTSIZE", (0, 0), (-1, -1), 7), ("LEADING", (0, 0), (-1, -1), 8.5),
        ("ALIGN", (1, 0), (-1, -1), "RIGHT"), ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.3, LIGHT), ("BACKGROUND", (0, 0), (-1, 0), PALE),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 2)])
    for place in missed:
        style.add("TEXTCOLOR", place, place, RED)
    return style


def _label(name: str) -> str | Paragraph:
    return name if name.isascii() and len(name) < 18 else _text(name, SMALL)


def _cell(cell: shown.Shown) -> str:
    """The star of `branchline figures`: the target is not kept."""
    now, before = (text.replace("–", "-") for text in (cell.text, cell.before))
    return f"{now}{'*' if cell.kept == 'no' else ''}" + (f"\n{before}" if before else "")


def _chart(report: Report, section: Section) -> Iterator[Flowable]:
    place = report.place(report.choice.chart)
    definition = report.definitions[place]
    peaks = tables.peaks(section, place, definition, report.times)
    drawn = charts.draw(section, place, definition, report.times, peaks[-1].mean if peaks else None)
    if drawn is not None:
        yield _text(words.title(definition), BODY)
        yield Drawn(drawn)


class Drawn(Flowable):
    """The chart of the page, as wide as the paper."""

    def __init__(self, chart: Chart) -> None:
        super().__init__()
        self._chart, self._scale = chart, ROOM / WIDTH
        self.width, self.height = ROOM, HEIGHT * self._scale

    def draw(self) -> None:
        canvas: Any = self.canv
        chart = self._chart
        canvas.saveState()
        canvas.scale(self._scale, self._scale)
        canvas.setFont("Helvetica", 11)
        canvas.setLineWidth(0.7)
        canvas.setStrokeColor(LIGHT)
        canvas.setFillColor(GREY)
        for y, says in chart.grid:
            canvas.line(LEFT, HEIGHT - y, WIDTH - RIGHT, HEIGHT - y)
            canvas.drawRightString(LEFT - 6, HEIGHT - y - 4, says)
        for x, says in chart.marks:
            canvas.drawCentredString(x, 8, says)
        canvas.setLineWidth(1.6)
        _stroke(canvas, chart.before, GREY, (5, 4))
        if chart.target is not None:
            _stroke(canvas, (f"{LEFT},{chart.target} {WIDTH - RIGHT},{chart.target}",), AMBER, (9, 5))
        canvas.setLineWidth(2.4)
        _stroke(canvas, chart.now, BLUE, ())
        if chart.peak is not None:
            canvas.setFillColor(BLUE)
            canvas.circle(chart.peak[0], HEIGHT - chart.peak[1], 4.5, stroke=0, fill=1)
        canvas.restoreState()


def _stroke(canvas: Any, pieces: Sequence[str], colour: Color, dash: tuple[int, ...]) -> None:
    canvas.setStrokeColor(colour)
    canvas.setDash(*dash or ([],))
    for piece in pieces:
        path = canvas.beginPath()
        for at, point in enumerate(piece.split()):
            x, y = map(float, point.split(","))
            (path.lineTo if at else path.moveTo)(x, HEIGHT - y)
        canvas.drawPath(path)
    canvas.setDash([])
