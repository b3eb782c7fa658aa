"""Of every page: nothing that axe calls serious, all of it by keyboard, headers, no script inside."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from flask import Flask
from playwright.sync_api import Browser, Page

from tests.webui.browser import chromium_running
from tests.webui.conftest import NAME, PASSWORD, post
from tests.webui.every_page.walk import THEMES, pages, signed_in, site
from webui import HEADERS
from webui.parts import LANGUAGES

GRAVE = ("serious", "critical")
FEWEST = 40                                       # pages that there are at least: the walk sees them
TABS = 400                                        # of one page at most

FOCUS = """() => {
    const on = document.activeElement;
    if (!on || on === document.body) return null;
    const style = getComputedStyle(on), place = on.getBoundingClientRect();
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    const row = on.closest("tr, li"), ofRow = row && getComputedStyle(row);
    const ring = outlined || style.boxShadow !== "none" || ofRow && ofRow.outlineStyle !== "none";
    on.dataset.tabbed = (Number(on.dataset.tabbed) || 0) + 1;
    return {what: on.outerHTML.slice(0, 120), ring, times: Number(on.dataset.tabbed),
            seen: place.width > 0 && place.height > 0};
}"""


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


@pytest.mark.parametrize(("language", "theme"), list(zip(LANGUAGES, THEMES, strict=True)))
def test_axe_finds_nothing_serious_and_no_console_complains(
        chromium: Browser, walked: tuple[Flask, str, dict[str, str]], language: str, theme: str) -> None:
    app, url, there = walked
    complaints: list[str] = []
    context = signed_in(app, chromium, url, language, complaints, color_scheme=theme)
    page, axe, found = context.pages[0], Axe(), []
    for endpoint, path in there.items():
        page.goto(url + path.lstrip("/"))
        for one in axe.run(page).response["violations"]:
            if one["impact"] in GRAVE:
                found += [f"{endpoint}: {one['id']}: {node['html'][:160]} {node['failureSummary'][-160:]!r}"
                          for node in one["nodes"][:3]]
    context.close()
    assert not found, "\n".join(found)
    assert not complaints, "\n".join(complaints)


def test_every_page_is_walked_by_keyboard(
        chromium: Browser, walked: tuple[Flask, str, dict[str, str]]) -> None:
    """Tab comes by everything that can be used, shows where it is, and comes out again; the first is the way
    past the navigation."""
    app, url, there = walked
    context = signed_in(app, chromium, url, "en", [])
    page, wrong = context.pages[0], []
    for endpoint, path in there.items():
        page.goto(url + path.lstrip("/"))
        wrong += [f"{endpoint}: {one}" for one in _tabbed(page)]
    context.close()
    assert not wrong, "\n".join(wrong)


def _tabbed(page: Page) -> Iterator[str]:
    """What is wrong with it."""
    past = page.locator("nav").count() and not page.locator("[autofocus]").count()
    page.evaluate("document.activeElement.blur()")
    for place in range(TABS):
        page.keyboard.press("Tab")
        on = page.evaluate(FOCUS)
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
