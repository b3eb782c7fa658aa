"""A real browser: an administrator adds a team leader with a range; she signs in and sees hers."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from tests.webui.access.people import OWN
from tests.webui.browser import SHOTS, chromium_running, clean_page
from tests.webui.conftest import NAME, PASSWORD, FakeExchange
from tests.webui.facts import RECORDING
from tests.webui.shelf import Shelf
from webui.server import Server
from webui.users import Users

PAGES = {"people": "people/", "new": "people/new", "person": "people/li", "log": "log/"}
LOOKS = {"light": (1366, 768), "dark": (1920, 1080)}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture
def url(app: Flask, users: Users, exchange: FakeExchange, shelf: Shelf) -> Iterator[str]:
    users.create_first(NAME, PASSWORD)
    server = Server(app, "127.0.0.1", 0)
    server.start()
    yield server.url
    exchange.mirror.close()                       # else it waits for its streams
    server.stop()


def sign_in(page: object, url: str, name: str, password: str) -> None:
    page.goto(f"{url}login")                      # type: ignore[attr-defined]
    page.get_by_label("Name").fill(name)          # type: ignore[attr-defined]
    page.get_by_label("Password").fill(password)  # type: ignore[attr-defined]
    page.keyboard.press("Enter")                  # type: ignore[attr-defined]
    page.wait_for_url(re.compile(r"(?<!login)$")) # type: ignore[attr-defined]


def test_a_team_leader_is_added_and_sees_hers(chromium: Browser, url: str, users: Users) -> None:
    complaints: list[str] = []
    admin = clean_page(chromium, complaints, viewport={"width": 1366, "height": 768})
    sign_in(admin, url, NAME, PASSWORD)
    admin.get_by_text("Administration").click()
    admin.get_by_role("link", name="People").click()
    admin.get_by_role("link", name="Add somebody").click()
    expect(admin.get_by_label("Name", exact=False).first).to_be_focused()
    admin.keyboard.type("li")
    admin.get_by_role("radio", name=re.compile("^Team leader")).focus()
    admin.keyboard.press("Space")
    for kind, name in (("Queues", "sales"), ("Agents", "anna")):
        limit = admin.get_by_role("group", name=kind, exact=True).first
        limit.get_by_label("only these").focus()
        admin.keyboard.press("Space")
        limit.get_by_label(name, exact=True).focus()
        admin.keyboard.press("Space")
    admin.get_by_label("Why").fill("leads the early shift")
    admin.screenshot(path=SHOTS / "access-new-filled.png", full_page=True)
    admin.keyboard.press("Enter")
    once = admin.get_by_label("A password for once").input_value()
    admin.screenshot(path=SHOTS / "access-once.png", full_page=True)

    leader = clean_page(chromium, complaints, viewport={"width": 1366, "height": 768})
    sign_in(leader, url, "li", once)
    expect(leader.get_by_role("heading", name="Your own password")).to_be_visible()
    leader.screenshot(path=SHOTS / "access-password.png")
    leader.get_by_label("Password", exact=False).nth(0).fill(OWN)
    leader.get_by_label("Password again").fill(OWN)
    leader.keyboard.press("Enter")
    expect(leader.locator("#live")).to_have_attribute("data-now", "live")
    expect(leader.locator("#agents")).to_contain_text("anna")
    expect(leader.locator("#agents")).not_to_contain_text("chen")
    expect(leader.locator("#queues")).not_to_contain_text("service")
    leader.screenshot(path=SHOTS / "access-her-board.png", full_page=True)
    expect(leader.get_by_role("navigation", name="Pages")).not_to_contain_text("Box")
    leader.get_by_role("link", name="Recordings").click()
    expect(leader.locator(f"a[href='/recordings/{RECORDING}']")).to_have_count(1)
    assert leader.goto(f"{url}contacts/c2").status == 404                        # type: ignore[union-attr]
    assert leader.goto(f"{url}box/").status == 403                               # type: ignore[union-attr]
    expect(leader.get_by_text(f"Ask {NAME}.")).to_be_visible()
    leader.screenshot(path=SHOTS / "access-closed.png")

    for look, (width, height) in LOOKS.items():
        admin.set_viewport_size({"width": width, "height": height})
        admin.emulate_media(color_scheme=look)                                   # type: ignore[arg-type]
        for language, button in (("en", "English"), ("zh", "中文")):
            admin.goto(f"{url}people/")
            admin.get_by_role("button", name=button).click()
            for name, path in PAGES.items():
                admin.goto(f"{url}{path}")
                expect(admin.locator("h1")).to_be_visible()
                admin.screenshot(path=SHOTS / f"access-{name}-{language}-{look}.png", full_page=True)
    # What she has open ends with her role: her board asks for the sign-in by itself.
    leader.goto(url)
    expect(leader.locator("#live")).to_have_attribute("data-now", "live")
    users.disable("li")
    leader.reload()
    expect(leader.get_by_role("heading", name="Sign in")).to_be_visible()
    assert not [one for one in complaints if "CSP" in one]
