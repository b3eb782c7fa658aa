"""The verdict on paper: a PDF for the telco, in English or Chinese, made in memory.

Latin is Helvetica, everything else STSong-Light: fonts that every reader has, so that none is in the file.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from html import escape
from io import BytesIO

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from e1_driver import Alarm, Counters
from e1_driver.testing.bert import Result
from e1_driver.testing.d_channel import frame_name
from e1_driver.testing.report_drawing import CHINESE, LIGHT, PALE, Chain, History
from e1_driver.testing.verdict import Verdict
from e1_driver.testing.verdict_texts import TEXTS, Language, headline, ranges, text, what_to_do, why
from e1_driver.watch.bins import Bin
from e1_driver.watch.capture import Frame

FRAMES = 40                                       # the last ones
FRAME_OCTETS = 28                                 # shown of each

_MARGIN = 16 * mm
_PADDING = 6                                      # of platypus's frame
_WIDTH = A4[0] - 2 * (_MARGIN + _PADDING)
_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=9, leading=12.5)
_SMALL = ParagraphStyle("small", parent=_BODY, fontSize=7.5, leading=9.5)
_FIXED = ParagraphStyle("fixed", parent=_SMALL, fontName="Courier", wordWrap="CJK")
_HEADING = ParagraphStyle("heading", parent=_BODY, fontSize=11, leading=15, spaceBefore=9, spaceAfter=3)
_TITLE = ParagraphStyle("title", parent=_HEADING, fontSize=17, leading=22, spaceBefore=0)
_FINDING = ParagraphStyle("finding", parent=_BODY, fontSize=13, leading=18)
_LIST = ParagraphStyle("list", parent=_BODY, leftIndent=10, bulletIndent=0, spaceAfter=2)
_OTHERS = re.compile("[^\x20-\x7e\xa0-\xff]+")    # Helvetica has not got them

pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What goes on it besides the verdict."""

    verdict: Verdict
    box: str
    site: str
    span: str                                     # its name, the URL of its interface
    began_unix_s: float
    ended_unix_s: float
    counters: Counters                            # since the span was opened
    quarters: Sequence[Bin] = ()                  # of 15 minutes, oldest first; () where nobody keeps them
    frames: Sequence[Frame] = ()                  # of the D-channel, oldest first


def pdf(report: Report, language: Language, zone: tzinfo | None = None) -> bytes:
    """The file's octets. Times are in `zone`, None: this machine's, and say which."""
    file = BytesIO()
    title = f"{text('report', 'title', language)}: {report.site} {report.span}"
    footer = f"{report.box}  {report.span}  {_time(report.ended_unix_s, zone)}"

    def foot(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.saveState()
        line = Paragraph(_marked(f"{footer}  -  {canvas.getPageNumber()}"), _SMALL)
        line.wrapOn(canvas, _WIDTH, _MARGIN)
        line.drawOn(canvas, _MARGIN + _PADDING, 8 * mm)
        canvas.restoreState()

    document = SimpleDocTemplate(
        file, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN, bottomMargin=_MARGIN,
        title=title, author=report.box, lang=language)
    document.build(_story(report, language, zone), onFirstPage=foot, onLaterPages=foot)
    return file.getvalue()


def _story(report: Report, language: Language, zone: tzinfo | None) -> list[Flowable]:
    verdict = report.verdict
    words = {key: entry[language] for key, entry in TEXTS["report"].items()}
    story: list[Flowable] = [
        _heading(words["title"], _TITLE),
        _table([[words["box"], report.box], [words["site"], report.site], [words["span"], report.span],
                [words["time"], f"{_time(report.began_unix_s, zone)} - {_time(report.ended_unix_s, zone)}"]],
               (0.14, 0.86), head=False),
        Spacer(0, 8),
        _heading(headline(verdict, language), _FINDING),
        Spacer(0, 4),
        Chain(verdict, language, _WIDTH),
        *_section(words["why"], _bullets(why(verdict, language))),
        *_section(words["do"], _bullets(what_to_do(verdict, language))),
        *_section(words["alarms"], [_alarms(report, language, words)]),
    ]
    if verdict.evidence.loops or verdict.evidence.far_loop:
        story += _section(words["tests"], [_tests(verdict, language, words)])
    if report.quarters:
        story += _section(words["history"], [History(report.quarters, words, _WIDTH, zone)])
    frames = _frames(report.frames[-FRAMES:], words, zone)
    return story + _section(words["frames"], frames)


def _section(heading: str, content: Sequence[Flowable]) -> list[Flowable]:
    """A heading is never alone at the foot of a page."""
    return [KeepTogether([_heading(heading, _HEADING), content[0]]), *content[1:]]


def _heading(words: str, style: ParagraphStyle) -> Paragraph:
    """Bold if all of it is Latin: beside Chinese, which has no bold here, bold figures stick out."""
    font = "Helvetica-Bold" if words.isascii() else "Helvetica"
    return Paragraph(_marked(words), ParagraphStyle(font, parent=style, fontName=font))


def _bullets(sentences: Iterable[str]) -> list[Flowable]:
    return [Paragraph(_marked(sentence), _LIST, bulletText="\u2022") for sentence in sentences]


def _alarms(report: Report, language: Language, words: dict[str, str]) -> Table:
    evidence, seen = report.verdict.evidence, report.verdict.evidence.line
    rows = [["", words["test"], words["total"]]]
    for alarm in Alarm:
        if alarm not in evidence.abilities.alarms:
            rows.append([alarm.upper(), words["cannot tell"], ""])
        else:
            stood = seen.alarms.get(alarm, 0.0)
            shown = f"{stood:.1f} s / {seen.seconds:.0f} s" if stood else words["clear"]
            rows.append([alarm.upper(), shown, ""])
    for name, entry in TEXTS["counter"].items():
        if evidence.tells(name):
            both = (getattr(counters, name) for counters in (seen.counted, report.counters))
            rows.append([entry[language], *map(str, both)])
        elif not name.startswith("packets"):
            rows.append([entry[language], words["cannot tell"], words["cannot tell"]])
    return _table(rows, (0.4, 0.3, 0.3))


def _tests(verdict: Verdict, language: Language, words: dict[str, str]) -> Table:
    rows = [[words[key] for key in ("loop", "pattern", "bits", "errors", "limit", "seconds", "delay")]]
    for key, bert in verdict.evidence.loops.items():
        rows.append([text("loop", key, language), *_of_bert(bert, words)])
    if echo := verdict.evidence.far_loop:
        found = words["looped"].format(timeslots=ranges(echo.looped)) if echo.looped else words["not looped"]
        delay = "" if echo.delay_ms is None else f"{echo.delay_ms:.1f} ms"
        rows.append([text("loop", "far loop", language), found, "", "", "", "", delay])
    return _table(rows, (0.25, 0.19, 0.13, 0.1, 0.13, 0.1, 0.1))


def _of_bert(bert: Result, words: dict[str, str]) -> list[str]:
    limit = bert.ber_limit()
    if limit is None:
        return [f"{bert.pattern}: {words['no pattern']}", "0", "", "", "", ""]
    return [f"{bert.pattern}, {ranges(bert.timeslots)}", f"{bert.bits:,}", f"{bert.errors:,}",
            f"< {limit:.1e}", f"{bert.errored_s} / {bert.severely_errored_s}",
            "" if bert.delay_ms is None else f"{bert.delay_ms:.1f} ms"]


def _frames(frames: Sequence[Frame], words: dict[str, str], zone: tzinfo | None) -> list[Flowable]:
    if not frames:
        return [Paragraph(_marked(words["no frames"]), _BODY)]
    rows: list[list[str | Paragraph]] = [[words["at"], "", words["frame"], words["octets"]]]
    for at_unix_s, sent, octets in frames:
        shown = octets[:FRAME_OCTETS].hex(" ") + (" ..." if len(octets) > FRAME_OCTETS else "")
        clock = datetime.fromtimestamp(at_unix_s, zone).strftime("%H:%M:%S.%f")[:-3]
        direction = words["sent" if sent else "received"]
        rows.append([clock, direction, frame_name(octets), Paragraph(shown, _FIXED)])
    return [_table(rows, (0.13, 0.1, 0.2, 0.57))]


def _table(rows: Sequence[Sequence[str | Paragraph]], shares: Sequence[float], head: bool = True) -> Table:
    cells = [[Paragraph(_marked(cell), _SMALL) if isinstance(cell, str) else cell for cell in row]
             for row in rows]
    style = TableStyle([
        ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEBELOW", (0, 0), (-1, -1), 0.4, LIGHT),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ("BACKGROUND", (0, 0), (-1, 0) if head else (0, -1), PALE),
    ])
    return Table(cells, [share * _WIDTH for share in shares], repeatRows=int(head), style=style)


def _marked(plain: str) -> str:
    """Text for a Paragraph: nothing in it is markup, and each run of it is in a font that has it."""
    return _OTHERS.sub(lambda run: f'<font name="{CHINESE}">{run[0]}</font>', escape(plain))


def _time(unix_s: float, zone: tzinfo | None) -> str:
    return datetime.fromtimestamp(unix_s, zone).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %z")
