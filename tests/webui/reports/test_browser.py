"""Reports in Debian's Chromium: chosen, drawn, opened to their contacts; in both languages and themes."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from tests.webui.browser import SHOTS, chromium_running, serving, signed_in
from tests.webui.conftest import FakeExchange
from tests.webui.reports.month import Month
from webui.users import Users


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture
def url(month: Month, app: Flask, exchange: FakeExchange, users: Users) -> Iterator[str]:
    with serving(app, exchange, users) as url:
        yield url


@pytest.mark.parametrize(("language", "theme", "size"), [
    ("English", "light", (1366, 768)), ("中文", "dark", (1920, 1080))])
def test_a_report_is_chosen_read_and_opened_to_its_contacts(
        chromium: Browser, url: str, month: Month, language: str, theme: str, size: tuple[int, int]) -> None:
    complaints: list[str] = []
    page = signed_in(chromium, url, "/reports/", complaints, color_scheme=theme,
                     viewport={"width": size[0], "height": size[1]})
    page.get_by_role("button", name=language).click()
    days = f"period=dates&since={month.day(14):%Y-%m-%d}&until={month.day(20):%Y-%m-%d}"
    mark = "en" if language == "English" else "zh"

    def shoot(name: str) -> None:
        page.screenshot(path=SHOTS / f"reports-{name}-{mark}-{theme}.png", full_page=True)

    page.goto(f"{url}reports/?kind=queue&{days}")
    expect(page.locator("tbody tr")).to_have_count(3)
    shoot("table")
    page.locator("select[name=interval]").select_option("hour")
    page.locator("form.report-ask button").click()
    expect(page.locator("svg[role=img] .now")).to_be_visible()
    page.locator("select[name=chart]").select_option("service_level")
    page.locator("form.report-ask button").click()
    expect(page).to_have_url(re.compile("chart=service_level"))
    expect(page.locator(".chart line.target")).to_have_count(1)
    shoot("chart")
    for kind in ("agent", "trunk", "flow"):
        page.goto(f"{url}reports/?kind={kind}&set=all&{days}")
        expect(page.locator("tbody tr").first).to_be_visible()
        shoot(kind)
    page.goto(f"{url}reports/?kind=queue&interval=day&chart=offered&{days}")
    shoot("days")
    page.locator("tbody .whole a").nth(4).press("Enter")          # by the keyboard
    expect(page.locator("dl.facts")).to_be_visible()
    expect(page.locator("tbody tr a[href*='/contacts/']").first).to_be_visible()
    shoot("behind")
    page.goto(f"{url}reports/?kind=queue&{days}")
    page.locator("a[href*='/reports/saved?']").click()
    page.locator("[name=name]").fill("Sales =1+1" if mark == "en" else "每周服务报表")
    page.locator("[name=every]").select_option("weekly")
    page.locator("[name=mail]").fill("boss@example.com")
    page.locator(".saved-form button").click()
    expect(page.locator(".saved tbody tr")).to_have_count(1)
    page.goto(f"{url}reports/saved?kind=queue&{days}")
    expect(page.locator(".saved-form")).to_be_visible()
    shoot("saved")
    assert complaints == []
