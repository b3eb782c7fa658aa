"""A restore in Debian's Chromium: the page waits for the box; pictures go to build/screenshots."""

import itertools
from collections.abc import Iterator
from typing import Literal
from urllib.parse import urljoin

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from appliance.bus.messages import RestoreCount
from tests.webui.browser import SHOTS, chromium_running, serving, signed_in
from tests.webui.conftest import FakeExchange
from tests.webui.system.test_restore import AT, OUTCOME, Boxd, boxd, seen
from webui.users import Users

__all__ = ["boxd"]                                # a fixture
COUNTS = [RestoreCount("contacts", 1200, 1000, 217), RestoreCount("recordings", 1100, 930, 170),
          RestoreCount("people", 4, 3, -1), RestoreCount("versions", 12, 11, 1),
          RestoreCount("acts", 90, 70, 20)]


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


def pictures(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for language, scheme in itertools.product(("zh", "en"), schemes):
        page.context.add_cookies([{"name": "language", "value": language, "url": urljoin(page.url, "/")}])
        page.emulate_media(color_scheme=scheme)
        page.goto(AT)
        page.screenshot(path=SHOTS / f"restore-{name}-{language}-{scheme}.png", full_page=True)


def test_the_page_waits_for_a_box_that_starts_anew(
        app: Flask, exchange: FakeExchange, users: Users, boxd: Boxd, chromium: Browser) -> None:
    complaints: list[str] = []
    with serving(app, exchange, users) as url:
        page = signed_in(chromium, url, AT, complaints)
        boxd.says = {"prepared": seen(counts=COUNTS)}
        pictures(page, "preview")
        boxd.says = {"running": "3 calls are left: the box starts anew after them"}
        page.goto(AT)
        expect(page.get_by_role("status")).to_contain_text("3")
        boxd.says = {"wished": True, "outcome": OUTCOME}
        expect(page.get_by_role("status")).to_contain_text("This page waits for it")
        pictures(page, "waiting")
        expect(page.get_by_role("status")).to_be_visible()
        page.route("**/restore/", lambda route: route.abort())       # the box is away
        page.wait_for_event("requestfailed")
        assert [one for one in complaints if "ERR_FAILED" not in one] == []
        complaints.clear()
        page.unroute("**/restore/")
        boxd.says = {"outcome": OUTCOME, "back": True, "back_until": 2e9}
        expect(page.locator("#back")).to_be_visible()
        expect(page.locator("main")).to_contain_text("This box was restored")
        for way in page.locator("#back details").all():
            way.locator("summary").click()
        pictures(page, "done")
        page.context.close()
    assert [one for one in complaints if "ERR_FAILED" not in one] == []
