"""The pages of upkeep in Debian's Chromium: lines come, an entry is written, a day is played."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from appliance.bus.messages import AddMaintenance, Checked, MaintenanceEntry, Reply, Request
from tests.webui.browser import chromium_running, clean_page, set_up
from tests.webui.facts import Branch, busy_branch
from tests.webui.running import branch_on_bus, webui_at
from tests.webui.system.conftest import Upkeep, day_record, line
from tests.webui.system.test_what_if import NAME, Player

pytestmark = pytest.mark.usefixtures("catalogues")


class Kept(Branch):
    """A branch whose boxd keeps logs, a maintenance log, and plays days."""

    upkeep: Upkeep
    player: Player

    def reply(self, request: Request[Any]) -> Reply:
        return self.upkeep.answer(request) or self.player.answer(request) or super().reply(request)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@contextlib.contextmanager
def desk(run_dir: Path, browser: Browser, upkeep: Upkeep,
         complaints: list[str]) -> Iterator[tuple[Page, str]]:
    branch = busy_branch()
    branch.__class__ = Kept
    branch.upkeep, branch.player = upkeep, Player()                   # type: ignore[attr-defined]
    with branch_on_bus(branch, run_dir), webui_at(run_dir) as (web, url):
        page = clean_page(browser, complaints, locale="en", viewport={"width": 1366, "height": 768})
        set_up(page, web.setup_code(), url)
        yield page, url


def test_a_day_of_upkeep(bus_server: Path, browser: Browser) -> None:
    complaints: list[str] = []
    upkeep = Upkeep(lines=[line(1, "INFO up")])
    with desk(bus_server, browser, upkeep, complaints) as (page, url):
        page.goto(f"{url}box/logs/?program=spand")
        expect(page.locator("#live")).to_have_attribute("data-now", "live")
        upkeep.lines.insert(0, line(2, "WARNING span telco: LOS <i>failure</i>", level="warning"))
        expect(page.locator(".lines tbody tr").first).to_contain_text("LOS <i>failure</i>")
        page.get_by_role("link", name="Storage").click()
        expect(page.locator(".bar rect").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("link", name="Maintenance", exact=True).click()
        page.get_by_text("What was done: repair").click()
        page.get_by_label("What was done", exact=True).fill("Fan replaced")
        with page.expect_response("**/box/maintenance/add"):
            page.get_by_role("button", name="Write it with my name").press("Enter")
        assert [one.text for one in upkeep.asked if isinstance(one, AddMaintenance)] == ["Fan replaced"]
        page.goto(f"{url}reports/what-if/")
        page.get_by_label("2026-03-02").check()
        page.get_by_label("Agents, more or fewer").first.fill("2")
        page.get_by_role("button", name="Play them").click()
        expect(page.locator(".what-if-chart")).to_have_count(4)
        assert page.url.endswith(NAME)
    assert complaints == [], complaints


def test_the_sheet_is_printed_on_white(bus_server: Path, browser: Browser) -> None:
    complaints: list[str] = []
    entry = MaintenanceEntry(number=1, at=time.time(), kind="record", by="", record=day_record())
    upkeep = Upkeep(entries=[entry])
    with desk(bus_server, browser, upkeep, complaints) as (page, url):
        page.goto(f"{url}box/maintenance/sheet")
        page.emulate_media(media="print", color_scheme="dark")
        expect(page.locator(".top")).to_be_hidden()
        expect(page.locator(".sign-here")).to_be_visible()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate("getComputedStyle(document.querySelector('td')).color") == "rgb(0, 0, 0)"
    assert complaints == [], complaints


BEYOND = """() => [...document.querySelectorAll("main td, main input[type=text], main .month a")].map(one =>
    [one.getBoundingClientRect(), one]).filter(([at]) => at.width && (at.right > innerWidth || at.left < 0))
    .map(([at, one]) => `${Math.round(at.right)}: ${one.outerHTML.slice(0, 80)}`)"""


def test_no_entry_is_cut_on_a_screen_or_a_telephone(bus_server: Path, browser: Browser) -> None:
    complaints: list[str] = []
    text = "The supply of the second line card was replaced after the telephone company had measured. " * 3
    checked = [Checked(item=name, result="bad", box="since yesterday", remark="the company was told of it")
               for name in ("lines", "clock", "disk")]
    upkeep = Upkeep(entries=[
        MaintenanceEntry(number=3, at=time.time(), kind="record", by="", record=day_record()),
        MaintenanceEntry(number=2, at=time.time(), kind="weekly", by="wang", text=text, checked=checked),
        MaintenanceEntry(number=1, at=time.time(), kind="repair", by="li", text=text, note="0123456789" * 9)])
    with desk(bus_server, browser, upkeep, complaints) as (page, url):
        for path in ("box/maintenance/", "box/maintenance/sheet"):
            page.goto(url + path)
            expect(page.locator("td", has_text="wang").first).to_be_visible()
            page.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true; })")
            for width in (1366, 390):
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                assert page.evaluate(BEYOND) == []
    assert complaints == [], complaints
