"""The configuration in Debian's Chromium: edited, checked, committed on trial, confirmed, compared."""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from appliance.bus.messages import GetDocument
from tests.webui.browser import SHOTS, chromium_running, serving, signed_in
from tests.webui.configuration.kept import DOCUMENT, Kept
from tests.webui.conftest import FakeExchange
from webui.users import Users


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser, kept: Kept, app: Flask, exchange: FakeExchange, users: Users) -> Iterator[Page]:
    complaints: list[str] = []
    with serving(app, exchange, users) as url:
        page = signed_in(chromium, url, "/configuration/", complaints)
        expect(page.locator("#history")).to_be_visible()
        yield page
        assert [one for one in complaints if not {"422", "409", "413"} & set(re.findall(r"\d+", one))] == []
        page.context.close()


def shoot(page: Page, name: str) -> None:
    """In both languages, light and dark; nothing is wider than the screen, every field has a name."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    schemes: dict[str, Literal["light", "dark"]] = {"en": "light", "zh": "dark"}
    for language, scheme in schemes.items():
        page.context.add_cookies([{"name": "language", "value": language, "url": page.url}])
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.reload()
        for width in (1920, 1366, 800):
            page.set_viewport_size({"width": width, "height": 768})
            wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wider <= 0, f"{name}: {wider} px wider than {width}"
        page.set_viewport_size({"width": 1366, "height": 768})
        for element in page.locator("input:visible:not([type=hidden]), select:visible, textarea, "
                                    "button:visible").element_handles():
            assert element.evaluate("""one => (one.labels?.length && one.labels[0].textContent.trim())
                || one.textContent.trim() || one.ariaLabel"""), element.evaluate("one => one.outerHTML")
        page.screenshot(path=SHOTS / f"configuration-{name}-{language}.png", full_page=True)
    page.context.add_cookies([{"name": "language", "value": "en", "url": page.url}])
    page.emulate_media(color_scheme="light")
    page.reload()


@pytest.mark.need(16)
def test_a_change_is_tried_out_confirmed_and_compared(page: Page, kept: Kept) -> None:
    page.get_by_role("link", name="Change the configuration").focus()
    page.keyboard.press("Enter")
    editor = page.get_by_label("Text of the configuration")
    expect(page.locator("branchline-lines pre")).to_contain_text("19")
    editor.fill(DOCUMENT.replace("ring_s: 12.0", "ring_z: 12.0").replace("8080", "eighty"))
    page.get_by_role("button", name="Check and go on").click()
    expect(page.get_by_role("heading", name="2 mistakes")).to_be_visible()
    page.get_by_role("link", name="Line 8").focus()
    page.keyboard.press("Enter")
    marked = editor.evaluate("one => one.value.slice(one.selectionStart, one.selectionEnd)")
    assert marked == "      ring_z: 12.0       # agents asked for it"
    page.screenshot(path=SHOTS / "configuration-mistakes-en.png", full_page=True)
    editor.fill(DOCUMENT.replace("12.0", "7.5"))
    page.get_by_role("button", name="Check and go on").click()
    expect(page.get_by_text("without dropping a call")).to_be_visible()
    shoot(page, "candidate")
    page.get_by_label("Why").fill("agents asked for it")
    page.get_by_label("Goes back by itself").select_option("5")
    page.get_by_role("button", name="Commit").click()
    waits = page.get_by_role("region", name="Configuration on trial")
    expect(waits).to_contain_text("Version 2 of the configuration waits to be confirmed")
    first = page.locator("time.remaining").inner_text()
    expect(page.locator("time.remaining")).not_to_have_text(first)   # it counts down
    assert "ring_s: 7.5" in kept.document.read_text()
    shoot(page, "trial")
    page.goto("box/")
    expect(waits).to_be_visible()
    other = page.context.new_page()               # somebody else confirms it, and every page knows
    other.goto("configuration/")
    other.get_by_role("button", name="Confirm").click()
    expect(waits).not_to_be_visible()
    other.close()
    page.goto("configuration/")
    expect(page.locator("#history")).to_contain_text("confirmed")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator(".difference [data-sign='~']")).to_have_count(1)
    shoot(page, "compare")
    page.get_by_role("link", name="one below the other").click()
    expect(page.locator(".difference [data-sign='+']")).to_have_count(1)
    shoot(page, "unified")
    page.goto("configuration/versions/1")
    shoot(page, "version")
    page.goto("configuration/edit")
    shoot(page, "edit")
    page.goto("configuration/")
    section = page.locator(".document-text summary", has_text="queues")
    expect(page.locator(".document-text code", has_text="agents: [zhang]")).to_be_visible()
    section.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".document-text code", has_text="agents: [zhang]")).not_to_be_visible()


def test_a_document_longer_than_a_form_is_typed_and_brought_as_a_file(page: Page, kept: Kept) -> None:
    long = DOCUMENT + ("# " + "座席" * 200 + "\n") * 80
    assert len(long.encode()) > 90_000
    page.goto("configuration/edit")
    page.get_by_label("Text of the configuration").fill(long)
    page.get_by_role("button", name="Check and go on").click()
    page.wait_for_url("**/configuration/candidate")
    assert kept.ask(GetDocument(candidate=True, secrets=True)).text == long
    page.goto("configuration/edit")               # the text of the page is not sent along with the file
    expect(page.get_by_label("Text of the configuration")).to_have_value(long)
    page.get_by_text("From a file instead").click()
    for text in (long + "# and a line\n", DOCUMENT + "# short\n"):
        page.get_by_label("File of a configuration").set_input_files(
            {"name": "box.yaml", "mimeType": "application/yaml", "buffer": text.encode()})
        page.get_by_role("button", name="Take the file").click()
        page.wait_for_url("**/configuration/candidate")
        assert kept.ask(GetDocument(candidate=True, secrets=True)).text == text
        page.goto("configuration/edit")
        page.get_by_text("From a file instead").click()
    page.get_by_label("File of a configuration").set_input_files(
        {"name": "box.yaml", "mimeType": "application/yaml", "buffer": b"#" * 600_000})
    page.get_by_role("button", name="Take the file").click()
    expect(page.get_by_text("It is larger than 512 KiB.")).to_be_visible()
