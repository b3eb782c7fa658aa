"""Alerts in Debian's Chromium: a rule written by hand, the banner and the tone at somebody else's page."""

import time
from collections.abc import Iterator
from typing import Literal

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.webui.alerts.conftest import nobody_waits
from tests.webui.browser import SHOTS, chromium_running, clean_page, serving, signed_in
from tests.webui.conftest import NAME, PASSWORD, FakeExchange
from tests.webui.floor.facts import FloorBranch
from webui.access.ranges import UNLIMITED
from webui.alerts.pages import start_alerts
from webui.api.live.door import EXTENSION
from webui.users import Users

LOOKS: tuple[tuple[str, Literal["light", "dark"], int, int], ...] = (
    ("en", "light", 1366, 768), ("zh", "dark", 1920, 1080))


@pytest.fixture
def url(app: Flask, exchange: FakeExchange, users: Users) -> Iterator[str]:
    with serving(app, exchange, users) as url:
        users.add("li", PASSWORD, "supervisor", UNLIMITED, NAME)
        users.change_password("li", PASSWORD)
        alerts = start_alerts(app)
        yield url
        exchange.mirror.close()
        alerts.stop()


def test_a_rule_by_hand_and_what_it_does_at_somebody_elses_page(
        url: str, branch: FloorBranch, exchange: FakeExchange) -> None:
    complaints: list[str] = []
    SHOTS.mkdir(parents=True, exist_ok=True)
    with chromium_running() as browser:
        admin = signed_in(browser, url, "/alerts/", complaints)
        li = signed_in(browser, url, "/floor/wall", complaints, "li")
        sound = li.locator("#alert-sound")
        expect(sound).to_have_accessible_name("Alert sound: off")
        sound.click()
        expect(sound).to_have_attribute("aria-pressed", "true")
        expect(sound).to_have_attribute("data-played", "1")      # so it sounds
        li.goto(f"{url}contacts/")
        li.locator("h1").click()                                 # a page of its own wants a click of its own
        expect(sound).to_have_attribute("data-now", "on")

        admin.get_by_role("link", name="New rule").click()
        admin.get_by_role("link", name="callers waiting").click()
        admin.get_by_label("Name of the rule").fill("Sales is full")
        admin.get_by_label("sales", exact=True).check()
        admin.get_by_label("More than").fill("1")
        admin.get_by_label("It holds for so many seconds").fill("0")
        admin.get_by_label("Over when so for so many seconds").fill("5")
        admin.get_by_role("group", name="To people").get_by_label("li", exact=True).check()
        expect(admin.locator("#sentence")).to_contain_text(
            "When callers waiting (sales) is more than 1: attention")
        expect(admin.locator("#sentence")).to_contain_text("banner and sound for admin, li")
        admin.screenshot(path=SHOTS / "alerts-form-en-light.png", full_page=True)
        admin.get_by_role("button", name="Save").click()

        expect(li.locator("#notice-bar")).to_contain_text("Sales is full: callers waiting 2")
        expect(sound).to_have_attribute("data-played", "1")
        li.screenshot(path=SHOTS / "alerts-banner.png")
        li.goto(f"{url}floor/wall")
        expect(sound).to_be_visible()
        li.screenshot(path=SHOTS / "alerts-wall.png")
        raised = admin.locator("#raised li")
        expect(raised).to_contain_text("Sales is full: callers waiting 2, limit: more than 1 (sales)")
        raised.get_by_role("button", name="I see to it").click()
        expect(raised).to_contain_text("admin sees to it")
        admin.get_by_role("button", name="Try out").click()
        expect(admin.locator("table")).to_contain_text("Test: Sales is full")
        for language, scheme, width, height in LOOKS:
            admin.context.add_cookies([{"name": "language", "value": language, "url": url}])
            admin.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            admin.set_viewport_size({"width": width, "height": height})
            for name, path in (("index", ""), ("new", "new"), ("form", "1"), ("occupancy",
                "new?what=occupancy")):
                admin.goto(f"{url}alerts/{path}")
                admin.screenshot(path=SHOTS / f"alerts-{name}-{language}-{scheme}.png", full_page=True)
        admin.context.clear_cookies(name="language")
        admin.goto(f"{url}alerts/")
        nobody_waits(branch, exchange)
        expect(admin.locator("#raised")).to_contain_text("Nothing is raised.")
        expect(li.locator("#notice-bar > div").filter(has_text="limit: more than 1").filter(
            has_not_text="Test")).to_have_count(0)
    assert [one for one in complaints if "AudioContext was not allowed" not in one] == []


def test_a_script_in_a_browser_hears_the_live_stream(url: str, app: Flask) -> None:
    """Chromium's own WebSocket, as a page of somebody's wallboard would use it."""
    token = app.extensions["branchline"].tokens.make("wall", frozenset({"watch"}), UNLIMITED, NAME,
                                                     time.time(), 1.0)
    complaints: list[str] = []
    with chromium_running() as browser:
        page = clean_page(browser, complaints)
        page.goto(f"{url}login")
        said = page.evaluate("""([url, token]) => new Promise((resolve, reject) => {
            const socket = new WebSocket(url, ["branchline.v1", `bearer.${token}`]);
            socket.onopen = () => socket.send(JSON.stringify({subscribe: ["board"]}));
            socket.onmessage = event => { resolve(JSON.parse(event.data)); socket.close(); };
            socket.onclose = event => reject(new Error(`${event.code} ${event.reason}`));
        })""", [f"{url.replace('http', 'ws', 1)}api/v1/live", token])
        assert (said["topic"], said["kind"]) == ("board", "snapshot")
    app.extensions[EXTENSION].stop()
    assert not complaints
