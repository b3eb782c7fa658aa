"""Of every page: nothing that axe calls serious, all of it by keyboard, headers, no script inside."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from flask import Flask
from playwright.sync_api import Browser, Page

from tests.webui.browser import chromium_running
from tests.webui.conftest import NAME, PASSWORD, post
from tests.webui.every_page.walk import pages, signed_in, site
from tests.webui.every_page.words import READ, not_translated
from webui import HEADERS
from webui.access.navigation import NAVIGATION

GRAVE = ("serious", "critical")
FEWEST = 90                                       # pages that there are at least: the walk sees them
TABS = 400                                        # of one page at most
PATIENCE_S = 400.0                                # of all pages, on a machine that is busy

FOCUS = """() => {
    const on = document.activeElement;
    if (!on || on === document.body) return null;
    const style = getComputedStyle(on), place = on.getBoundingClientRect();
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    const row = on.closest("tr, li"), ofRow = row && getComputedStyle(row);
    const drawn = on.querySelector(":scope > .body");              // of a flow's node: the edge of its body
    const ring = outlined || style.boxShadow !== "none" || ofRow && ofRow.outlineStyle !== "none"
        || drawn && parseFloat(getComputedStyle(drawn).strokeWidth) >= 4;
    on.dataset.tabbed = (Number(on.dataset.tabbed) || 0) + 1;
    return {what: on.outerHTML.slice(0, 120), ring, times: Number(on.dataset.tabbed),
            seen: place.width > 0 && place.height > 0};
}"""
WATCH = f"""() => {{
    window.walked = [];
    addEventListener("keyup", () => walked.push(({FOCUS})()), true);
}}"""
AT_ONCE = 10                                      # keys before the page is asked where they led


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, str, dict[str, str]]]:
    with site(tmp_path_factory.mktemp("site")) as (app, url):
        there = pages(app)
        assert len(there) >= FEWEST, sorted(there)
        yield app, url, there


@dataclass
class Visit:
    """To every page in one language: what axe finds, what the console complains of, what there is to read,
    what is wrong for who has no mouse."""

    grave: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    unreached: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def chinese(chromium: Browser, walked: tuple[Flask, str, dict[str, str]]) -> Visit:
    return visit(chromium, *walked, "zh", "light", by_keyboard=False)


@pytest.fixture(scope="module")
def english(chromium: Browser, walked: tuple[Flask, str, dict[str, str]]) -> Visit:
    return visit(chromium, *walked, "en", "dark", by_keyboard=True)


def visit(chromium: Browser, app: Flask, url: str, there: dict[str, str], language: str, theme: str, *,
          by_keyboard: bool) -> Visit:
    found, axe = Visit(), Axe()
    context = signed_in(app, chromium, url, language, found.complaints, color_scheme=theme)
    page = context.pages[0]
    for endpoint, path in there.items():
        page.goto(url + path.lstrip("/"))
        found.texts[endpoint] = page.evaluate(READ)
        for one in axe.run(page).response["violations"]:
            if one["impact"] in GRAVE:
                found.grave += [
                    f"{endpoint}: {one['id']}: {node['html'][:160]} {node['failureSummary'][-160:]!r}"
                    for node in one["nodes"][:3]]
        if by_keyboard:
            found.unreached += [f"{endpoint}: {one}" for one in _tabbed(page)]
    context.close()
    return found


def well(found: Visit) -> None:
    """Axe found nothing serious, and no console complained."""
    assert not found.grave, "\n".join(found.grave)
    assert not found.complaints, "\n".join(found.complaints)


@pytest.mark.timeout(PATIENCE_S)
def test_every_page_is_well_in_chinese_and_light(chinese: Visit) -> None:
    well(chinese)


@pytest.mark.timeout(PATIENCE_S)
def test_every_page_is_well_in_english_and_dark(english: Visit) -> None:
    well(english)


def test_the_top_of_every_page_says_where_it_is(walked: tuple[Flask, str, dict[str, str]]) -> None:
    """But those of who comes in, of a person's own account, and of the first run, which has steps."""
    somewhere = {name for entry in NAVIGATION for name in entry.blueprints}
    assert {name.partition(".")[0] for name in walked[2]} - somewhere == {"account", "first", "me"}


def test_reports_are_of_a_time_with_figures(walked: tuple[Flask, str, dict[str, str]]) -> None:
    app, _, there = walked
    client = app.test_client()
    post(client, "/login", name=NAME, password=PASSWORD)
    client.set_cookie("language", "en")
    for kind in ("queue", "agent", "trunk", "flow"):
        page = client.get(there[f"reports.index.{kind}"]).text
        assert "Nothing was counted" not in page and page.count('href="behind') > 3, kind
    assert "Numerator (" in client.get(there["reports.behind"]).text


@pytest.mark.timeout(PATIENCE_S)
def test_in_chinese_nothing_is_said_in_english(chinese: Visit) -> None:
    found = {f"{endpoint}: {text}" for endpoint, texts in chinese.texts.items()
             for text in not_translated(texts)}
    assert not found, "\n".join(sorted(found))


def test_words_that_are_not_translated_are_found() -> None:
    assert list(not_translated(["队列 sales，3 s", "CRC-4 · 25 MiB", "Waiting callers", "坐席 anna is ready",
                                "centre.queues", "spand", "abandoned"])) == [
                                    "Waiting callers", "坐席 anna is ready", "abandoned"]


@pytest.mark.timeout(PATIENCE_S)
def test_every_page_is_walked_by_keyboard(english: Visit) -> None:
    """Tab comes by everything that can be used, shows where it is, and comes out again; the first is the way
    past the navigation."""
    assert not english.unreached, "\n".join(english.unreached)


def _tabbed(page: Page) -> Iterator[str]:
    """What is wrong with it."""
    past = page.locator("nav").count() and not page.locator("[autofocus]").count()
    page.evaluate("document.activeElement.blur()")
    for place, on in enumerate(_stops(page)):
        if on is None:                            # past the last one
            return
        if place == 0 and past and "skip" not in on["what"]:
            yield f"begins at {on['what']}"
        if on["times"] > 2:
            yield f"does not come away from {on['what']}"
            return
        if on["times"] == 2:                      # around, and at the first one again
            return
        if not on["ring"]:
            yield f"does not show where it is: {on['what']}"
        if not on["seen"]:
            yield f"is at something that nobody sees: {on['what']}"
    yield f"is not through after {TABS} steps"


def _stops(page: Page) -> Iterator[dict[str, Any] | None]:
    """Where each Tab leads, TABS of them at most; None: to nothing of the page."""
    page.evaluate(WATCH)
    for _ in range(0, TABS, AT_ONCE):
        for _ in range(AT_ONCE):
            page.keyboard.press("Tab")
        yield from page.evaluate("walked.splice(0)")


def test_every_answer_has_its_headers(walked: tuple[Flask, str, dict[str, str]]) -> None:
    app, _, there = walked
    client = app.test_client()
    post(client, "/login", name=NAME, password=PASSWORD)
    for path in (*there.values(), "/nowhere", "/static/branchline.css", "/healthz"):
        answer = client.get(path, headers={"Accept": "text/html"}, buffered=False)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, (path, name)
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers or "HttpOnly" in answer.headers["Set-Cookie"], path
        answer.close()


def test_no_page_has_a_script_or_style_in_it(walked: tuple[Flask, str, dict[str, str]]) -> None:
    """Which the policy would refuse."""
    app, _, there = walked
    client = app.test_client()
    post(client, "/login", name=NAME, password=PASSWORD)
    for path in there.values():
        text = client.get(path, headers={"Accept": "text/html"}).text
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")", text), path
        assert not re.search(r"<style|\sstyle=|\son(click|load|change|submit|input)=", text), path
