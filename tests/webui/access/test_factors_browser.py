"""Second factors in Chromium, with its virtual security keys: set up, signed in with, removed; pictures."""

import re
import sqlite3
from collections.abc import Iterator
from typing import Any, Literal

import pyotp
import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.conftest import free_port
from tests.webui.browser import SHOTS, chromium_running, clean_page
from tests.webui.conftest import NAME, PASSWORD, FakeExchange
from webui import create_app
from webui.parts import Settings
from webui.seen import Seen
from webui.server import Server
from webui.users import Users

USB_KEY = {"protocol": "ctap2", "transport": "usb", "automaticPresenceSimulation": True}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture
def site(exchange: FakeExchange, users: Users, seen: Seen, settings: Settings) -> Iterator[str]:
    """The pages under a name: keys are bound to one."""
    users.create_first(NAME, PASSWORD)
    server = Server(create_app(exchange, users, seen, settings), "127.0.0.1", free_port())
    server.start()
    yield server.url.replace("127.0.0.1", "localhost")
    exchange.mirror.close()
    server.stop()


class Keys:
    """The USB port of a page's browser."""

    def __init__(self, page: Page) -> None:
        self._cdp: CDPSession = page.context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable")

    def plug(self) -> str:
        added: dict[str, str] = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": USB_KEY})
        return added["authenticatorId"]

    def unplug(self, which: str) -> None:
        self._cdp.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": which})

    def copy(self, which: str) -> list[dict[str, Any]]:
        """All that is in a key: its private keys and counts."""
        found = self._cdp.send("WebAuthn.getCredentials", {"authenticatorId": which})
        credentials: list[dict[str, Any]] = found["credentials"]
        return credentials

    def put(self, which: str, credentials: list[dict[str, Any]]) -> None:
        for credential in credentials:
            self._cdp.send("WebAuthn.addCredential", {"authenticatorId": which, "credential": credential})


def give_password(page: Page, url: str) -> None:
    page.goto(f"{url}login")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_navigation(url=re.compile(r"/(login/second)?$")):
        page.keyboard.press("Enter")


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()


def shoot(page: Page, url: str, name: str) -> None:
    """Both languages, both themes, three sizes; nothing is wider than the screen, every field has a name."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    looks: tuple[tuple[str, Literal["light", "dark"]], ...] = (("zh", "dark"), ("en", "light"))
    for language, scheme in looks:
        page.context.add_cookies([{"name": "language", "value": language, "url": url}])
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.reload()
        for width, height in ((800, 768), (1920, 1080), (1366, 768)):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (name, width)
        for field in page.locator("input:visible:not([type=hidden]), button:visible").element_handles():
            assert field.evaluate("one => one.labels?.length || one.textContent.trim() || one.ariaLabel")
        page.screenshot(path=SHOTS / f"account-{name}-{language}-{scheme}.png", full_page=True)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    complaints: list[str] = []
    page = clean_page(chromium, complaints, viewport={"width": 1366, "height": 768})
    yield page
    assert [one for one in complaints if " 422 " not in one] == []
    page.context.close()


def test_a_security_key_is_added_asked_for_and_removed(page: Page, site: str, settings: Settings) -> None:
    keys = Keys(page)
    key = keys.plug()
    give_password(page, site)
    page.get_by_role("link", name=NAME).click()
    shoot(page, site, "bare")

    # Added: recovery codes come with it, once.
    page.get_by_label("Name of the key").fill("the blue one")
    page.get_by_role("button", name="Add a key").click()
    expect(page.locator(".recovery li")).to_have_count(10)
    code = page.locator(".recovery li").first.inner_text()
    page.screenshot(path=SHOTS / "account-codes-en-light.png")
    page.get_by_role("link", name="I have them").click()
    expect(page.locator(".one-key")).to_contain_text("the blue one")
    expect(page.locator(".one-key")).to_contain_text("for localhost")
    assert code not in page.content()

    # The same key once more is none: the browser says so and nothing is sent.
    page.get_by_label("Name of the key").fill("again")
    page.get_by_role("button", name="Add a key").click()
    expect(page.get_by_text("did not answer, or is known already")).to_be_visible()

    # Asked for after the password; its copy, which signs with an older count, is refused.
    old = keys.copy(key)
    sign_out(page)
    give_password(page, site)
    shoot(page, site, "second-key")
    page.get_by_role("button", name="Use a security key").click()
    expect(page.locator(".channels").first).to_be_visible()
    with sqlite3.connect(settings.state / "factors.sqlite") as base:
        count, used_at = base.execute("SELECT count, used_at FROM keys").fetchone()
    assert count > old[0]["signCount"]
    assert used_at
    keys.unplug(key)
    keys.put(keys.plug(), [credential | {"signCount": 0} for credential in old])
    sign_out(page)
    give_password(page, site)
    page.get_by_role("button", name="Use a security key").click()
    expect(page.get_by_role("alert")).to_have_text("The security key was not accepted. Try again.")

    # Lost: a recovery code instead, and away with it.
    page.get_by_text("Use a recovery code instead").click()
    page.get_by_label("Recovery code").fill(code.lower())
    page.locator("details").get_by_role("button", name="Sign in").click()
    expect(page.locator(".channels").first).to_be_visible()
    page.goto(f"{site}me/")
    expect(page.get_by_text("9 are left.")).to_be_visible()
    page.locator(".one-key summary").click()
    page.locator(".one-key").get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Remove this key").click()
    expect(page.get_by_role("status")).to_have_text("The security key is removed.")
    expect(page.locator(".one-key")).to_have_count(0)


def test_an_app_is_set_up_with_the_keyboard(page: Page, site: str) -> None:
    Keys(page).plug()
    give_password(page, site)
    page.goto(f"{site}me/")
    page.get_by_role("button", name="Set it up").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_alt_text("The key as a QR code")).to_be_visible()
    page.locator(".qr").evaluate("picture => picture.decode()")
    expect(page.locator(".qr")).not_to_have_js_property("naturalWidth", 0)
    shoot(page, site, "app")
    app = pyotp.TOTP(re.sub(r"\s", "", page.locator(".key-groups").inner_text()))
    page.get_by_label("The code that it shows now").fill(app.now())
    page.keyboard.press("Enter")
    expect(page.locator(".recovery li")).to_have_count(10)
    page.get_by_role("link", name="I have them").click()
    page.get_by_label("Name of the key").fill("the blue one")
    expect(page.get_by_role("button", name="Add a key")).to_be_enabled()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("The security key is added.")
    shoot(page, site, "full")
    sign_out(page)
    give_password(page, site)
    shoot(page, site, "second")
    page.get_by_label("Code of your app").fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This code is wrong")
    expect(page.get_by_label("Code of your app")).to_be_focused()
    page.get_by_role("button", name="Use a security key").click()
    expect(page.locator(".channels").first).to_be_visible()
