"""Pages and files of reports: what acdd says is what they say, opened by readers that we did not write."""

import csv
import io
import re
import subprocess
from html import unescape
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from msgspec.structs import replace
from openpyxl import load_workbook

from appliance.bus.client import BusError
from appliance.bus.messages import GetFigureCounts, GetFigures, Request
from tests.webui.conftest import FakeExchange
from tests.webui.reports.month import DAY_S, Month
from webui.access.audit import Asked
from webui.access.ranges import Range
from webui.reports import exports
from webui.users import Users


def week(month: Month) -> str:
    return f"period=dates&since={month.day(14):%Y-%m-%d}&until={month.day(20):%Y-%m-%d}"


def told(month: Month, request: Request[Any]) -> Any:
    return month.answer(request)


def asked(month: Month, of: str, name: str, figure: str, first: int = 14, days: int = 7) -> float | None:
    found = told(month, GetFigures(of=of, since=month.first + first * DAY_S, names=[name], figures=[figure],
                                    until=month.first + (first + days) * DAY_S))
    value: float | None = found.rows[0].values[0].value
    return value


@pytest.mark.need(4)
def test_a_number_is_acdds_and_opens_the_contacts_that_it_counts(client: FlaskClient, month: Month) -> None:
    page = client.get(f"/reports/?kind=queue&{week(month)}")
    assert page.status_code == 200
    assert len(month.asked) == 2                  # now, and the week before
    rows = re.findall(r'<tr[^>]*><th scope="row">([^<]*)</th>(.*?)</tr>', page.text)
    assert [name for name, _ in rows] == ["all together", "sales", "service"]
    level = asked(month, "queue", "sales", "service_level")
    assert level is not None and f">{100 * level:.1f} %</a><abbr" in rows[1][1]
    links = [unescape(link) for link in re.findall(r'<a href="(behind[^"]*)"', rows[1][1])]
    shown = client.get("/reports/" + next(link for link in links if link.endswith("figure=abandoned")))
    behind = told(month, GetFigureCounts(of="queue", name="sales", figure="abandoned", limit=500,
                                          since=month.first + 14 * DAY_S, until=month.first + 21 * DAY_S))
    contacts = re.findall(r'href="/contacts/([^"]+)"', shown.text)
    assert f"Numerator ({behind.tops})" in shown.text
    assert contacts == [one.contact for one in behind.top][:100]
    assert 'data-kept="no"' in rows[0][1] and 'data-kept="yes"' in rows[0][1]


def test_every_kind_and_interval_opens(client: FlaskClient, month: Month) -> None:
    for kind, interval in product(("queue", "agent", "trunk", "flow"), ("whole", "hour", "day", "week")):
        month.asked.clear()
        name = "&name=menu: greeting" if kind == "flow" and interval != "whole" else ""
        page = client.get(f"/reports/?kind={kind}&interval={interval}&{week(month)}{name}")
        assert page.status_code == 200, page.text
        assert len(month.asked) <= 4
        assert ('<polyline class="now"' in page.text) == (interval in ("hour", "day"))


def test_a_year_stands_alone_and_asks_once(client: FlaskClient, month: Month) -> None:
    year = f"period=dates&since={month.day(-300):%Y-%m-%d}&until={month.day(20):%Y-%m-%d}"
    page = client.get(f"/reports/?kind=queue&{year}")
    [asked] = month.asked
    assert isinstance(asked, GetFigures) and {"fcr", "asa_s"} <= set(asked.figures)
    assert "without FCR" in page.text and f">{376 * 21:,}</a>" in page.text
    for form in ("csv", "xlsx", "pdf"):
        assert client.get(f"/reports/report.{form}?kind=queue&interval=week&{year}").status_code == 200


def test_hours_of_a_day_have_their_peak_and_its_total_is_not_their_mean(
        client: FlaskClient, month: Month) -> None:
    day = f"period=dates&since={month.day(14):%Y-%m-%d}&until={month.day(14):%Y-%m-%d}"
    page = client.get(f"/reports/?kind=queue&interval=hour&chart=offered&{day}").text
    hours = told(month, GetFigures(of="queue", since=month.first + 14 * DAY_S, names=[""],
                                   figures=["offered"], until=month.first + 15 * DAY_S, interval_s=3600.0))
    most = max(hours.rows, key=lambda row: row.values[0].top)
    [peak] = re.findall(r"<tbody><tr><th scope=\"row\">[-\d]+</th><td>[-\d]+ (\d\d):00</td>"
                        r'<td class="number">(\d+)</td><td class="number">([\d.]+)</td>', page)
    total = sum(row.values[0].top for row in hours.rows)
    assert peak == (f"{(most.since - month.first - 14 * DAY_S) / 3600:02.0f}", f"{most.values[0].top:.0f}",
                    f"{total / 24:.1f}")
    level = asked(month, "queue", "", "service_level", 14, 1)
    assert level is not None
    [whole] = re.findall(r'<tr class="whole"><th scope="row">whole time</th>(.*?)</tr>', page)
    assert f">{100 * level:.1f} %</a>" in whole


ASKED = (
    ("kind=weather", 422), ("kind=queue&period=dates&since=yesterday", 422),
    ("kind=flow&interval=hour", 422), ("kind=queue&set=nonsense&chart=nonsense&page=-5", 200),
    ("kind=queue&name=nobody", 200), ("kind=queue&name=%00%F0%9F%98%80<script>", 200))
NO_FIGURES = (
    "", "kind=queue", "kind=queue&figure=offered&since=1&until=2",
    "kind=queue&figure=weather&since=900&until=1800",
    "kind=queue&figure=offered&since=0&until=900", "kind=queue&figure=offered&since=900&until=99999999900",
    "kind=queue&figure=offered&since=900&until=1800&part=middle",
    "kind=queue&figure=offered&since=900&until=1800&page=0")


def test_what_cannot_be_asked_is_said_beside_the_form(client: FlaskClient, month: Month) -> None:
    for query, status in ASKED:
        page = client.get(f"/reports/?{query}")
        assert page.status_code == status, query
        assert "<script>" not in page.text
        assert 'name="period"' in page.text


def test_nothing_is_behind_what_is_no_figure(client: FlaskClient, month: Month) -> None:
    for query in NO_FIGURES:
        assert client.get(f"/reports/behind?{query}").status_code == 404, query


def test_of_very_many_a_part_is_chosen_first(
        client: FlaskClient, month: Month, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webui.reports.pages.MOST_LISTED", 1000)
    since, until = month.first + 14 * DAY_S, month.first + 21 * DAY_S
    times = f"since={since:.0f}&until={until:.0f}"
    page = client.get(f"/reports/behind?kind=queue&name=&figure=offered&{times}").text
    assert not any(isinstance(request, GetFigureCounts) for request in month.asked)
    days = [unescape(link) for link in re.findall(r'class="row" href="(/reports/behind[^"]*)"', page)]
    assert len(days) == 7
    assert "/contacts/" in client.get(days[0]).text


def test_who_has_a_range_sees_his_queues_and_no_sum(
        client: FlaskClient, month: Month, users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webui.access.doors._range_of", lambda person: Range(queues=frozenset({"sales"})))
    rows = re.findall(r'<th scope="row">([^<]*)</th>', client.get(f"/reports/?kind=queue&{week(month)}").text)
    assert rows == ["sales"]
    assert client.get(f"/reports/?kind=queue&name=service&{week(month)}").status_code == 404
    assert client.get(f"/reports/report.csv?kind=queue&name=service&{week(month)}").status_code == 404
    times = f"since={month.first:.0f}&until={month.first + DAY_S:.0f}"
    for name, status in (("service", 404), ("", 404), ("sales", 200)):
        page = client.get(f"/reports/behind?kind=queue&name={name}&figure=offered&{times}")
        assert page.status_code == status
    for query in ("kind=flow", "kind=queue&interval=day"):
        page = client.get(f"/reports/?{query}&{week(month)}")
        assert page.status_code == 200 and 'scope="row">all together' not in page.text
    monkeypatch.setattr("webui.access.doors._range_of", lambda person: Range(queues=frozenset()))
    for query in ("kind=flow", "kind=queue", "kind=queue&interval=day"):
        page = client.get(f"/reports/?{query}&{week(month)}")
        assert page.status_code == 200 and '<th scope="row">' not in page.text
        assert client.get(f"/reports/report.pdf?{query}&{week(month)}").status_code == 200
    assert client.get("/reports/saved").status_code == 403


def test_when_acdd_is_away_the_page_says_so(
        client: FlaskClient, month: Month, exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(asked: Request[Any], timeout_s: float = 2.0) -> Any:
        raise BusError("GetFigures: no answer")
    monkeypatch.setattr(exchange, "ask", away)
    assert client.get("/reports/").status_code == 503


# --- files


def test_csv_is_read_by_excel_and_by_csv(app: Flask, client: FlaskClient, month: Month) -> None:
    file = client.get(f"/reports/report.csv?kind=queue&interval=day&{week(month)}&name=sales")
    assert file.data.startswith(b"\xef\xbb\xbf") and file.mimetype == "text/csv"
    head, *rows = csv.reader(io.StringIO(file.data.decode("utf-8-sig")))
    assert head[:8] == ["Whose", "Begins at", "Ends at", "Offered", "Offered: numerator",
                        "Offered: denominator", "Offered: target", "Offered: last week"]
    assert [row[0] for row in rows] == ["sales"] * 8
    [noted] = app.extensions["branchline"].audit.entries(Asked(acts=("report",)), 5)
    assert noted.what.startswith("csv kind=queue&name=sales&period=dates") and noted.outcome == ""
    at = head.index("Service level")
    assert float(rows[0][at]) == pytest.approx(asked(month, "queue", "sales", "service_level"), abs=1e-6)
    assert float(rows[0][at + 1]) / float(rows[0][at + 2]) == pytest.approx(float(rows[0][at]), abs=1e-6)
    assert rows[1][1:3] == [f"{month.day(14):%Y-%m-%d} 00:00", f"{month.day(15):%Y-%m-%d} 00:00"]


def test_xlsx_has_typed_cells_and_its_definitions(client: FlaskClient, month: Month) -> None:
    file = client.get(f"/reports/report.xlsx?kind=queue&{week(month)}")
    book = load_workbook(io.BytesIO(file.data))
    sheet, definitions = book.worksheets
    head = [cell.value for cell in sheet[1]]
    total = dict(zip(head, sheet[2], strict=True))
    assert total["Whose"].value == "all together" and total["Begins at"].is_date
    assert total["Service level"].number_format == "0.0%"
    assert total["Service level"].value == pytest.approx(asked(month, "queue", "", "service_level"))
    assert total["ASA"].number_format == "[h]:mm:ss"
    asa = asked(month, "queue", "", "asa_s")
    assert asa is not None
    seconds = total["ASA"].value.total_seconds() if hasattr(total["ASA"].value, "total_seconds") else None
    assert seconds == pytest.approx(asa, abs=0.51)
    assert [row[1].value for row in definitions.iter_rows(min_row=2)][:2] == ["offered", "answered"]


def test_pdf_has_the_numbers_and_chinese(client: FlaskClient, month: Month, tmp_path: Path) -> None:
    client.set_cookie("language", "zh")
    address = f"/reports/report.pdf?kind=queue&interval=hour&chart=service_level&{week(month)}"
    (tmp_path / "report.pdf").write_bytes(client.get(address).data)
    text = subprocess.run(["pdftotext", "-layout", tmp_path / "report.pdf", "-"], capture_output=True,
                          text=True, check=True).stdout
    level = asked(month, "queue", "", "service_level")
    assert level is not None and f"{100 * level:.1f} %" in text
    assert "服务水平" in text and "队列" in text and "指标定义" in text


HOSTILE = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "汉字,\"q\"\n", "</w:t>&<b>", "a" * 100]


def test_no_name_is_a_formula_or_breaks_a_file(
        client: FlaskClient, month: Month, monkeypatch: pytest.MonkeyPatch) -> None:
    address, plain = f"kind=queue&{week(month)}", month.answer
    for name in HOSTILE:
        def renamed(request: Request[Any], name: str = name) -> Any:
            found = plain(request)
            return _with_name(found, name) if isinstance(request, GetFigures) else found
        monkeypatch.setattr(month, "answer", renamed)
        page = client.get(f"/reports/?{address}")
        assert page.status_code == 200 and "<b>" not in page.text.split("<tbody>")[1]
        file = client.get(f"/reports/report.csv?{address}").data.decode("utf-8-sig")
        _, _, row, *_ = csv.reader(io.StringIO(file, newline=""))
        assert not row[0].startswith(exports.BEGINS_A_FORMULA) and name in row[0]
        sheet = load_workbook(io.BytesIO(client.get(f"/reports/report.xlsx?{address}").data)).worksheets[0]
        cell = sheet.cell(3, 1)
        assert cell.data_type == "s" and cell.value.strip() == name.strip()
        assert cell.quotePrefix == name.startswith(exports.BEGINS_A_FORMULA)
        assert client.get(f"/reports/report.pdf?{address}").data.startswith(b"%PDF-")


def _with_name(found: Any, name: str) -> Any:
    rows, whole = ([replace(row, name=name if row.name == "sales" else row.name) for row in some]
                   for some in (found.rows, found.whole))
    return replace(found, rows=rows, whole=whole)
