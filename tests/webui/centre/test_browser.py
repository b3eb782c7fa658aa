"""Many agents changed by the keyboard alone, the grid of skills, and every page as it looks.

Pictures go to build/screenshots/centre-*.png.
"""

from collections.abc import Iterator
from typing import Literal

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.webui.browser import SHOTS, chromium_running, serving, signed_in
from tests.webui.centre.conftest import these_days
from tests.webui.configuration.kept import Kept
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
        page = signed_in(chromium, url, "/centre/agents/", complaints)
        expect(page.locator("#bulk")).to_be_visible()
        yield page
        assert [one for one in complaints if "422" not in one] == []
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
        for element in page.locator("main input:visible:not([type=hidden]), main select:visible, "
                                    "main button:visible").element_handles():
            assert element.evaluate("""one => (one.labels?.length && one.labels[0].textContent.trim())
                || one.textContent.trim() || one.ariaLabel"""), element.evaluate("one => one.outerHTML")
        page.set_viewport_size({"width": 1920 if language == "zh" else 1366, "height": 768})
        page.screenshot(path=SHOTS / f"centre-{name}-{language}.png", full_page=True)
    page.context.add_cookies([{"name": "language", "value": "en", "url": page.url}])
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1366, "height": 768})
    page.reload()


@pytest.mark.need(16)
def test_many_agents_are_changed_by_the_keyboard_alone_after_a_preview(page: Page, kept: Kept) -> None:
    keys = page.keyboard
    shoot(page, "agents")
    page.get_by_label("Choose chen").focus()
    keys.press("Space")
    keys.press("Tab")
    keys.press("Tab")                             # past the agent's own page
    expect(page.get_by_label("Choose dora")).to_be_focused()
    keys.press("Space")
    expect(page.locator("[data-chosen]")).to_have_text("(2)")
    page.locator("[name=skill_act]").focus()
    keys.type("lower")
    keys.press("Tab")
    keys.type("service")
    keys.press("Tab")
    keys.type("3")
    keys.press("Enter")
    effect = page.locator("#effect tbody tr", has_text="service")
    expect(effect).to_contain_text("2 → 1")
    expect(page.locator(".chip", has_text="service 5 → 2")).to_be_visible()
    shoot(page, "change")


def test_levels_are_set_in_the_grid_with_arrow_keys(page: Page, kept: Kept) -> None:
    page.goto("centre/matrix?skill=fr")
    keys = page.keyboard
    page.get_by_label("anna: en").focus()
    keys.type("7")
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    expect(page.get_by_label("chen: en")).to_be_focused()
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    expect(page.get_by_label("chen: fr")).to_be_focused()
    keys.type("2")
    expect(page.locator("[data-changed]")).to_have_text("2")
    page.screenshot(path=SHOTS / "centre-matrix-changed-en.png", full_page=True)
    page.get_by_role("button", name="What would change?").click()
    expect(page.locator(".chip", has_text="en 3 → 7")).to_be_visible()
    page.get_by_label("Why").fill("a course")
    page.get_by_role("button", name="Change it now").click()
    expect(page.get_by_label("anna: en")).to_have_value("7")
    assert "skills: {service: 8, fr: 2}" in kept.document.read_text()
    shoot(page, "matrix")


def test_a_larger_file_is_brought_in_pieces(page: Page, kept: Kept) -> None:
    page.goto("centre/csv")
    text = "name,extension,trunk,skills\n" + "".join(
        f"agent{n},9{n:04},office,sales:{n % 10 + 1} service:3 english:4\n" for n in range(1500))
    assert len(text) > 64 * 1024
    page.get_by_label("File").set_input_files(
        {"name": "agents.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_text("new: 1500")).to_be_visible()
    page.goto("centre/csv")
    page.get_by_label("File").set_input_files(
        {"name": "agents.csv", "mimeType": "text/csv", "buffer": b"name,skills\nanna,sales\ngao,sales:1\n"})
    page.get_by_role("button", name="Dry run").click()
    expect(page.locator("#dry-run tbody tr").first).to_contain_text("no skill with a level: sales")
    page.screenshot(path=SHOTS / "centre-dry-run-en.png", full_page=True)


def test_holidays_are_pasted_tried_and_taken_over(page: Page, kept: Kept) -> None:
    page.goto("centre/calendars/of/office/days")
    days = page.get_by_label("Days, one a line")
    days.fill("2044-10-01 - 2044-10-07 National Day\n2044-02-30 never")
    page.locator("#list").get_by_role("button", name="What would change?").click()
    expect(page.locator("#dry-run tbody tr").first).to_contain_text("no day, e.g. 2027-10-01: 2044-02-30")
    page.screenshot(path=SHOTS / "centre-days-dry-run-en.png", full_page=True)
    page.get_by_label("Days, one a line").fill(
        f"2044-10-01 - 2044-10-07 National Day\n{these_days()} moving\n2044-09-26 =fri make-up day")
    page.locator("#list").get_by_role("button", name="What would change?").click()
    effect = page.locator("#calendars tbody tr", has_text="office")
    expect(effect).to_contain_text("closes at once")
    expect(effect).to_contain_text("flow main.yaml, node opening")
    shoot(page, "days-change")
    page.get_by_label("Why").fill("the State Council has said so")
    page.get_by_role("button", name="Change it now").click()
    expect(page.locator(".card", has_text="Exceptions").first).to_contain_text("2044-10-07")
    assert "National Day" in kept.document.read_text()


PAGES = {
    "queues": "queues/", "queue": "queues/of/sales", "agent": "agents/of/anna", "calendars": "calendars/",
    "calendar": "calendars/of/office/days?at=2020-12-31T10:00", "calendar-form": "calendars/of/office",
    "common": "common", "recording": "recording/", "rule": "recording/of/few", "survey": "surveys/new",
    "groups": "groups/", "csv": "csv"}


def test_pages_as_they_look(page: Page) -> None:
    for name, path in PAGES.items():
        page.goto(f"centre/{path}")
        shoot(page, name)
