"""The supervisor's floor in Debian's Chromium; pictures of every page go to build/screenshots."""

import itertools
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, expect

from tests.conftest import bus_server_at
from tests.webui.browser import SHOTS, chromium_running, clean_page, set_up
from tests.webui.facts import live
from tests.webui.floor.facts import FloorBranch, floor_branch
from tests.webui.running import PATIENCE_S, BranchOnBus, branch_on_bus, webui_at
from tests.webui.test_browser import WHEN_SEEN

SMALL, LARGE = (1366, 768), (1920, 1080)
PAGES = [                                         # name, path, what is there when it is drawn, window
    ("floor", "", "#agents li", SMALL), ("floor-large", "", "#agents li", LARGE),
    ("call", "call/c1", ".call-path li", SMALL), ("wait", "call/c5", ".call-path li", SMALL),
    ("agent", "agent/anna", ".hear-mode", SMALL), ("end", "agent/anna/end", ".risk", SMALL),
    ("telephone", "telephone", ".gate input[name=at]", SMALL),
    ("crew", "crew", "table.crew tbody tr", SMALL),
    ("missed", "missed?every=1&days=1", "#lists tbody tr", SMALL),
    ("wall", "wall", ".tile", LARGE), ("arrange", "wall/arrange", "[data-order=tiles] li", SMALL),
    ("arrange-floor", "arrange", "[data-order=middle] li", SMALL),
]


WHOLE = ("floor", "call", "wall", "missed", "crew")       # in every language and theme


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture(scope="module")
def branch() -> FloorBranch:
    return floor_branch()


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with bus_server_at(tmp_path_factory.mktemp("floor") / "run") as run_dir:
        yield run_dir


@pytest.fixture(scope="module")
def bus(branch: FloorBranch, run_dir: Path) -> Iterator[BranchOnBus]:
    with branch_on_bus(branch, run_dir) as bus:
        yield bus


@pytest.fixture(scope="module")
def page(bus: BranchOnBus, run_dir: Path, chromium: Browser) -> Iterator[Page]:
    """Signed in, in English; nothing may be left in the console."""
    complaints: list[str] = []
    with webui_at(run_dir) as (web, url):
        page = clean_page(chromium, complaints, base_url=url, viewport={"width": 1366, "height": 768})
        set_up(page, web.setup_code(), url)
        yield page
        page.context.close()
    assert complaints == []


def pictures(page: Page, name: str, path: str, drawn: str, window: tuple[int, int]) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    page.set_viewport_size({"width": window[0], "height": window[1]})
    looks = list(itertools.product(("zh", "en"), schemes))
    for language, scheme in looks if name in WHOLE else looks[::3]:
        page.context.add_cookies([{"name": "language", "value": language, "url": urljoin(page.url, "/")}])
        page.emulate_media(color_scheme=scheme)
        page.goto(f"/floor/{path}")
        expect(page.locator(drawn).first).to_be_visible()
        page.screenshot(path=SHOTS / f"floor-{name}-{language}-{scheme}.png", full_page=name != "wall")
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, f"{name} is {wider} px wider than the window"


def test_every_page_is_drawn_in_both_languages_and_themes(page: Page) -> None:
    page.goto("/floor/telephone")
    page.get_by_label("Extension, number or agent's name").fill("8100")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("You will be rung at 8100.")).to_be_visible()
    page.get_by_role("button", name="Listen to anna").click()
    expect(page.locator("#agents .hearing")).to_have_text("8100 · listens")
    for name, path, drawn, window in PAGES:
        pictures(page, name, path, drawn, window)


def test_the_wall_is_arranged_with_keys_and_by_dragging(page: Page) -> None:
    page.goto("/floor/wall/arrange?tiles=waiting,longest,ready")
    order = page.locator("[data-order=tiles] li")
    page.get_by_role("link", name="Waiting: one place back").focus()
    page.keyboard.press("Enter")
    expect(order).to_have_text([re.compile("Longest"), re.compile("Waiting"), re.compile("Agents ready")])
    order.nth(2).drag_to(order.nth(0))
    expect(order).to_have_text([re.compile("Agents ready"), re.compile("Longest"), re.compile("Waiting")])
    page.get_by_role("link", name="Show the wall").click()
    expect(page.locator(".tile h2")).to_have_text(
        [re.compile("Agents ready"), re.compile("Longest"), re.compile("Waiting")])
    assert "tiles=ready" in page.url


def test_the_floor_is_arranged_by_dragging_and_kept(page: Page) -> None:
    page.goto("/floor/arrange")
    calls, right = page.locator("[data-tile=calls]"), page.locator("[data-order=right]")
    calls.drag_to(right.locator("li"))
    expect(right.locator("li")).to_have_text([re.compile("Calls"), re.compile("Agents")])
    page.get_by_role("link", name="What is shown: take away").click()
    page.get_by_role("link", name="+ Service level today").click()
    page.get_by_role("button", name="Keep it so").click()
    expect(page.locator(".floor-column")).to_have_count(2)
    expect(page.locator("#strip dt").last).to_have_text("Service level today")
    expect(page.locator("#tree")).to_have_count(0)
    expect(page.locator("#live")).to_have_attribute("data-now", "live")
    page.screenshot(path=SHOTS / "floor-arranged.png")
    page.goto("/floor/arrange")
    page.get_by_role("link", name="As it came").click()
    page.get_by_role("button", name="Keep it so").click()
    expect(page.locator("#tree")).to_be_visible()


def test_the_floor_and_the_wall_follow_what_happens(
        page: Page, branch: FloorBranch, bus: BranchOnBus) -> None:
    page.goto("/floor/?queue=sales")
    expect(page.locator("#live")).to_have_attribute("data-now", "live")
    page.evaluate("window.notLoadedAgain = true")
    branch.contacts["new"] = live("new", "queue", 1.0, calling="17700001111", queue="sales")
    branch.queues[0] = replace(branch.queues[0], waiting=[*branch.queues[0].waiting, "new"])
    seen = page.evaluate_handle(WHEN_SEEN, "17700001111")
    said_at = time.time()
    bus.say("acdd", branch.board())
    seen_at = page.evaluate("async seen => await seen.at", seen)
    print(f"from the event to the page: {(seen_at - said_at) * 1000:.0f} ms")
    assert 0 <= seen_at - said_at < PATIENCE_S
    expect(page.locator("#lines tbody .waits")).to_have_text("3")

    # The keyboard goes where the eye goes: from the tree into the call.
    page.locator("#tree .branch > a", has_text="sales").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#tree [aria-current]")).to_have_text("sales")
    page.get_by_role("link", name="17700001111").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#call h1")).to_contain_text("17700001111")
    expect(page.locator("#call")).to_contain_text("Position in the queue")
