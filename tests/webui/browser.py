"""Debian's Chromium, a page in it, and what every test on a page does first."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import ROOT
from tests.webui.conftest import NAME, PASSWORD, FakeExchange
from tests.webui.running import PATIENCE_S
from webui.server import Server
from webui.users import Users

CHROMIUM = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"]
SHOTS = ROOT / "build" / "screenshots"
LISTEN_FOR_CSP = """addEventListener("securitypolicyviolation",
    event => console.error("CSP", event.violatedDirective, event.blockedURI));"""

expect.set_options(timeout=PATIENCE_S * 1000)


@contextlib.contextmanager
def chromium_running() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield browser
        browser.close()


def clean_page(browser: Browser, complaints: list[str], **options: Any) -> Page:
    """A page in a browser profile of its own; what its console complains of goes to `complaints`."""
    page = browser.new_context(**options).new_page()
    page.add_init_script(LISTEN_FOR_CSP)
    bad = ("error", "warning")
    page.on("console", lambda said: complaints.append(said.text) if said.type in bad else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


@contextlib.contextmanager
def serving(app: Flask, exchange: FakeExchange, users: Users) -> Iterator[str]:
    """The address of the pages; NAME is their administrator."""
    users.create_first(NAME, PASSWORD)
    server = Server(app, "127.0.0.1", 0)
    server.start()
    try:
        yield server.url
    finally:
        exchange.mirror.close()                   # else it waits for its streams
        server.stop()


def signed_in(browser: Browser, url: str, to: str, complaints: list[str], name: str = NAME,
              **options: Any) -> Page:
    """What somebody with PASSWORD sees at `to`."""
    given = {"viewport": {"width": 1366, "height": 768}, "base_url": url} | options
    page = clean_page(browser, complaints, **given)
    page.goto(f"login?next={to}")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda at: "/login" not in at)
    return page


def set_up(page: Page, code: str, url: str) -> None:
    """Make the administrator NAME with PASSWORD."""
    page.goto(url)
    page.get_by_label("Set-up code").fill(code)
    page.get_by_label("Password", exact=False).nth(0).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Make the administrator").click()
    expect(page.locator("#live")).to_have_attribute("data-now", "live")


def playing(page: Page, what: str) -> Any:
    return page.evaluate(f"document.querySelector('branchline-player').audio.{what}")


def until(page: Page, true: Callable[[], Any]) -> Any:
    ends_at = time.monotonic() + PATIENCE_S
    while not (found := true()):
        assert time.monotonic() < ends_at
        page.wait_for_timeout(20)
    return found
