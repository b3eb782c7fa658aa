"""Notices in Debian's Chromium: one that is very urgent comes over whatever somebody is doing."""

from collections.abc import Iterator
from typing import Literal

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.webui.browser import SHOTS, chromium_running, serving, signed_in
from tests.webui.conftest import NAME, PASSWORD, FakeExchange
from webui.access.ranges import UNLIMITED
from webui.users import Users

LOOKS: tuple[tuple[str, Literal["light", "dark"]], ...] = (("en", "light"), ("zh", "dark"))


@pytest.fixture
def url(app: Flask, exchange: FakeExchange, users: Users) -> Iterator[str]:
    with serving(app, exchange, users) as url:
        users.add("li", PASSWORD, "agent", UNLIMITED, NAME)
        users.change_password("li", PASSWORD)
        yield url


def send(page: Page, text: str, urgency: str) -> None:
    page.get_by_label("Text").fill(text)
    page.get_by_label("How urgent").select_option(urgency)
    page.get_by_label("To everybody").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("link", name=text)).to_be_visible()


def test_a_very_urgent_one_stands_in_mid_screen_until_it_was_read(url: str) -> None:
    complaints: list[str] = []
    with chromium_running() as browser:
        admin, li = (signed_in(browser, url, "/me/", complaints, name) for name in (NAME, "li"))
        li.goto(f"{url}me/")
        field = li.locator("main input:visible").first
        field.fill("half a word")
        admin.goto(f"{url}notices/")
        send(admin, "Lift 2 is out of order", "normal")
        send(admin, "New price list from Monday", "important")
        expect(li.get_by_text("New price list from Monday")).to_be_visible()
        send(admin, "Fire alarm: leave the building", "urgent")
        urgent = li.get_by_role("dialog")
        expect(urgent).to_contain_text("Fire alarm")
        assert urgent.evaluate("one => one.matches(':modal')")
        li.keyboard.press("Escape")
        expect(urgent).to_be_visible()
        SHOTS.mkdir(parents=True, exist_ok=True)
        li.screenshot(path=SHOTS / "notices-urgent.png")
        urgent.get_by_role("button", name="I have read it").click()
        expect(urgent).to_be_hidden()
        assert field.input_value() == "half a word"
        for language, scheme in LOOKS:
            admin.context.add_cookies([{"name": "language", "value": language, "url": url}])
            admin.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            admin.goto(f"{url}notices/")
            for urgent in admin.get_by_role("dialog").all():
                urgent.get_by_role("button").click()
            admin.screenshot(path=SHOTS / f"notices-{language}-{scheme}.png", full_page=True)
        admin.goto(f"{url}notices/3")
        admin.screenshot(path=SHOTS / "notices-receipts.png", full_page=True)
        assert admin.locator("tr", has_text="li").locator("td").nth(2).inner_text() != "–"
    assert not complaints
