"""A call judged by keys alone in Debian's Chromium, and the pages of quality as they look."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from appliance.bus.messages import (
    BeginCalibration,
    BeginEvaluation,
    GetEvaluation,
    PublishQualityForm,
    QualityRemark,
    SaveEvaluation,
)
from appliance.recording.quality import worklists
from tests.recording.quality.box import MONDAY, Box, make_box, said
from tests.webui.browser import SHOTS, chromium_running, clean_page
from tests.webui.conftest import NAME, PASSWORD, FakeExchange
from tests.webui.quality import PEOPLE, answering
from webui.server import Server
from webui.users import Users

DAY_S = 86400.0
PAGES = {
    "worklist": "", "results": "results", "judging": "evaluations/1", "result": "evaluations/2",
    "calibration": "calibrations/1", "report": "report?of=item&per=week&since=2026-09-01&until=2026-10-31",
    "appraisal": "appraisal?since=2026-09-01&until=2026-10-31", "forms": "forms",
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture
def box(tmp_path: Path, exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """A week of calls, drawn, one begun, one judged, one calibrated."""
    (tmp_path / "box").mkdir()
    made = make_box(tmp_path / "box", PEOPLE)
    made.clock[0] = MONDAY + 13.9 * DAY_S
    made.ask(PublishQualityForm(name="service", by="sun"))
    recordings = [made.record(number, began_at=MONDAY + number * DAY_S / 3, agent=("li", "zhao")[number % 2])
                  for number in range(30)]
    for number, listens in enumerate([None, 3, 5, 2], 1):
        begun = made.ask(BeginEvaluation(recording=recordings[number], form="service", by=NAME))
        if listens is not None:
            made.ask(SaveEvaluation(
                evaluation=begun.info.evaluation, by=NAME, answers=said(listens=listens), submit=True,
                remarks=[QualityRemark(item="listens", text="interrupts", tick=4200)]))
    made.ask(BeginCalibration(recording=recordings[9], form="service", scorers=["sun", NAME], by="sun"))
    for evaluation, by, listens in ((5, "sun", 1), (6, NAME, 4)):
        made.ask(SaveEvaluation(evaluation=evaluation, by=by, answers=said(listens=listens), remarks=[],
                                submit=True))
    worklists.tend(made.parts, made.clock[0])
    monkeypatch.setattr(exchange, "ask", answering(exchange, made))
    yield made
    made.parts.database.close()


@pytest.fixture
def url(app: Flask, users: Users, exchange: FakeExchange, box: Box) -> Iterator[str]:
    users.create_first(NAME, PASSWORD)
    server = Server(app, "127.0.0.1", 0)
    server.start()
    yield server.url
    exchange.mirror.close()                       # else it waits for its streams
    server.stop()


def test_a_call_is_judged_by_keys_alone(chromium: Browser, url: str, box: Box) -> None:
    complaints: list[str] = []
    page = clean_page(chromium, complaints)
    page.goto(url)
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_be_visible()
    for language in ("English", "中文"):
        page.goto(f"{url}quality/")
        page.get_by_role("button", name=language).click()
        for name, path in PAGES.items():
            page.goto(f"{url}quality/{path}")
            expect(page.locator(".quality-nav")).to_be_visible()
            page.screenshot(path=SHOTS / f"quality-{name}-{'en' if language == 'English' else 'zh'}.png",
                            full_page=True)
    page.goto(f"{url}quality/evaluations/1")
    page.locator("fieldset[data-item=greeting] input").first.focus()
    for key in ("y", "ArrowDown", "y", "ArrowDown", "4", "m", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator("fieldset[data-item=solves] select")).to_be_focused()
    page.keyboard.press("7")
    assert page.locator("[name=tick-listens]").input_value() == "0"
    page.locator("[name=remark-listens]").fill("from the first word on")
    page.keyboard.press("Enter")                  # the first button: a draft is kept
    expect(page.locator("[name=remark-listens]")).to_have_count(2)
    draft = box.ask(GetEvaluation(evaluation=1, by=NAME))
    assert {one.item: one.value for one in draft.answers} == {
        "greeting": 1.0, "verified": 1.0, "listens": 4.0, "solves": 7.0}
    assert draft.remarks == [QualityRemark(item="listens", text="from the first word on", tick=0)]
    page.get_by_role("button", name="提交").click()
    expect(page.locator("h1 .score")).to_have_text("80.0")
    assert not [one for one in complaints if "CSP" in one]
