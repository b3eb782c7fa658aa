"""A report as a file: CSV for any program, XLSX with typed cells and definitions, PDF for paper.

Names come from configuration and callers' data: a cell of text never begins as a formula does.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from flask_babel import gettext

from webui.reports import shown, words
from webui.reports.tables import Cell, Line, Report

BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
MEDIA = {"csv": "text/csv", "pdf": "application/pdf",
         "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
DAY_S = 86400.0
LONGEST_SHEET = 31                                # Excel's


def safe(text: str) -> str:
    """As a cell that no spreadsheet computes."""
    return f"'{text}" if text.startswith(BEGINS_A_FORMULA) else text


def file_name(report: Report, form: str) -> str:
    since, until = (report.times.local(at) for at in (report.times.since, report.times.until - 1))
    return f"{report.choice.kind}-{report.choice.set}-{since:%Y%m%d}-{until:%Y%m%d}.{form}"


def csv_of(report: Report) -> bytes:
    """UTF-8 with the mark by which Excel knows it. Shares are 0 to 1, times are in seconds."""
    file = io.StringIO(newline="")
    rows = csv.writer(file)
    rows.writerow(map(safe, [*_first_columns(), *_columns(report)]))
    for name, line in _lines(report):
        rows.writerow([safe(name), _moment(report, line.since), _moment(report, line.until),
                       *("" if value is None else round(value, 6)
                         for cell in line.cells for value in _values(cell))])
    return file.getvalue().encode("utf-8-sig")


def _first_columns() -> tuple[str, str, str]:
    return gettext("Whose"), gettext("Begins at"), gettext("Ends at")


def _columns(report: Report) -> Iterator[str]:
    """Five of each figure: _values."""
    said = (gettext("numerator"), gettext("denominator"), gettext("target"),
            shown.compared(report.times) or gettext("weeks before"))
    for one in report.definitions:
        title = words.title(one)
        yield title
        yield from (f"{title}: {what}" for what in said)


def _values(cell: Cell) -> tuple[float | None, ...]:
    before = cell.before.value if cell.before else None
    return cell.now.value, cell.now.top, cell.now.bottom, cell.now.target, before


def _lines(report: Report) -> Iterator[tuple[str, Line]]:
    """With whose it is; the total of a section comes first."""
    for section in report.sections:
        if section.total is not None:
            yield section.total.name or gettext("all together"), section.total
        for line in section.lines:
            yield line.name or gettext("all together"), line


def _moment(report: Report, at: float) -> str:
    return report.times.local(at).strftime("%Y-%m-%d %H:%M")


def xlsx_of(report: Report) -> bytes:
    """Written row by row, so that a year by hours takes no more memory than a day."""
    import xlsxwriter  # 3 MB that only who fetches such a file need have

    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False,
                                      "strings_to_urls": False, "strings_to_numbers": False})
    made = {name: book.add_format(kind) for name, kind in {
        "head": {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1},
        "text": {"quote_prefix": True}, "wrapped": {"text_wrap": True, "valign": "top"},
        "date": {"num_format": "yyyy-mm-dd hh:mm"}, "share": {"num_format": "0.0%"},
        "s": {"num_format": "[h]:mm:ss"}, "seconds": {"num_format": '0.0 "s"'},
        "Erl": {"num_format": "0.00"}, "number": {"num_format": "#,##0"},
        "plain": {"num_format": "#,##0.0##"}}.items()}
    _table(book.add_worksheet(_sheet(gettext("Report"))), report, made)
    _definitions(book.add_worksheet(_sheet(gettext("Definitions"))), report, made)
    book.set_properties({"title": shown.title(report.choice), "author": "Branchline",
                         "created": datetime.fromtimestamp(report.at)})
    book.close()
    return file.getvalue()


def _sheet(name: str) -> str:
    return re.sub(r"[\[\]:*?/\\]", " ", name)[:LONGEST_SHEET]


def _table(sheet: Any, report: Report, made: dict[str, Any]) -> None:
    sheet.freeze_panes(1, 3)
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 2, 16)
    sheet.set_column(3, 3 + 5 * len(report.definitions), 13)
    for column, head in enumerate((*_first_columns(), *_columns(report))):
        sheet.write_string(0, column, head, made["head"])
    for row, (name, line) in enumerate(_lines(report), 1):
        _text(sheet, row, 0, name, made)
        for column, at in ((1, line.since), (2, line.until)):
            sheet.write_datetime(row, column, report.times.local(at), made["date"])
        for place, (cell, one) in enumerate(zip(line.cells, report.definitions, strict=True)):
            for at, value in enumerate(_values(cell)):
                if value is not None:
                    unit = one.unit if at in (0, 3, 4) else "plain"
                    _number(sheet, row, 3 + 5 * place + at, value, unit, made)


def _text(sheet: Any, row: int, column: int, text: str, made: dict[str, Any]) -> None:
    """A string whatever it looks like; one like a formula stays text when the cell is edited."""
    if text.startswith(BEGINS_A_FORMULA):
        sheet.write_string(row, column, text, made["text"])
    else:
        sheet.write_string(row, column, text)


def _number(sheet: Any, row: int, column: int, value: float, unit: str, made: dict[str, Any]) -> None:
    if unit == "s" and value >= 0:
        sheet.write_number(row, column, value / DAY_S, made["s"])
    elif unit == "s":                             # a spreadsheet knows no time below nought
        sheet.write_number(row, column, value, made["seconds"])
    else:
        sheet.write_number(row, column, value, made.get(unit, made["number"]))


def _definitions(sheet: Any, report: Report, made: dict[str, Any]) -> None:
    sheet.set_column(0, 1, 24)
    sheet.set_column(2, 2, 12)
    sheet.set_column(3, 4, 60)
    for column, head in enumerate((gettext("Figure"), gettext("Name in the API"), gettext("Unit"),
                                   gettext("Formula"), gettext("What counts"))):
        sheet.write_string(0, column, head, made["head"])
    for row, one in enumerate(shown.heads(report.definitions), 1):
        for column, text in enumerate((one.title, one.name, words.unit(one.unit), one.formula, one.note)):
            sheet.write_string(row, column, text, made["wrapped"])


def pdf_of(report: Report) -> bytes:
    """reportlab's memory is only for who prints."""
    from webui.reports import paper

    return paper.pdf_of(report)


FORMS: dict[str, Callable[[Report], bytes]] = {"csv": csv_of, "xlsx": xlsx_of, "pdf": pdf_of}
