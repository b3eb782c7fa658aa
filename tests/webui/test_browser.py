"""A supervisor's morning in Debian's Chromium: set the box up, watch a call come, listen to another.

Screenshots of every page, light and dark, in both languages and two sizes, go to build/screenshots.
"""

import itertools
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, expect

from e1_driver.watch import pcap
from tests.webui.browser import SHOTS, chromium_running, clean_page, playing, set_up, until
from tests.webui.facts import RECORDING, Branch, contact, live
from tests.webui.running import BranchOnBus, WebUi, branch_on_bus, webui_at
from tests.webui.shelf import Shelf, shelf_in, talk

WHEN_SEEN = """number => ({at: new Promise(seen => new MutationObserver(() => {
    if (document.body.innerText.includes(number)) seen(Date.now() / 1000);
}).observe(document.body, {childList: true, subtree: true, characterData: true}))})"""

PAGES = [                                         # name, path, what is there when it is drawn
    ("board", "", ".channels"), ("contacts", "contacts/", "#rows tbody tr"), ("live", "contacts/c1", ".bar"),
    ("contact", "contacts/e1", "branchline-player path"), ("missing", "nowhere", ".gate"),
    ("span", "spans/telco", ".chart .bar"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture
def box(bus_server: Path, branch: Branch) -> Iterator[tuple[BranchOnBus, WebUi, str]]:
    """A branch at work with a recording of six seconds, its webui and the URL."""
    with shelf_in(bus_server.parent / "shelf") as shelf:
        shelf.finish(RECORDING, talk(6.0))
        branch.shelf = shelf
        with branch_on_bus(branch, bus_server) as others, webui_at(bus_server) as (web, url):
            yield others, web, url


def shelf_of(branch: Branch) -> Shelf:
    assert branch.shelf is not None
    return branch.shelf


def test_a_supervisors_morning(
        chromium: Browser, box: tuple[BranchOnBus, WebUi, str], branch: Branch) -> None:
    others, web, url = box
    complaints: list[str] = []
    page = clean_page(chromium, complaints)
    set_up(page, web.setup_code(), url)
    expect(page.locator("#contacts tbody tr")).to_have_count(7)
    expect(page.locator(".channels li[data-state=busy]")).to_have_count(9)

    # A call comes: it is on the page without loading it again, and its time runs.
    page.evaluate("window.notLoadedAgain = true")
    branch.contacts["new"] = live("new", "flow", 2.0, calling="17700001111")
    branch.busy["telco", 20] = "leg-new"
    others.say("trunkd", branch.channels("telco"))
    others.say("acdd", branch.board())
    row = page.locator("#contacts tbody tr", has_text="17700001111")
    expect(row.locator(".state")).to_have_text("In menu")
    expect(page.locator("#span-telco li[data-key='20']")).to_have_attribute("data-state", "busy")
    running = row.locator("time.running").last
    shown = running.inner_text()
    until(page, lambda: running.inner_text() != shown)
    assert page.evaluate("window.notLoadedAgain")

    # The other language, and back.
    page.get_by_role("button", name="中文").click()
    expect(row.locator(".state")).to_have_text("语音菜单")
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    page.get_by_role("button", name="English").click()

    # A finished contact plays: the sound moves on, to the end of what was recorded.
    page.get_by_role("link", name="Contacts").click()
    page.locator("#rows tr", has=page.get_by_title("Recording")).locator("a").click()
    expect(page.locator(".timeline .bar")).to_have_count(4)
    expect(page.locator("branchline-player path")).to_have_count(4)
    assert shelf_of(branch).entries(RECORDING) == []                     # nobody has heard it yet
    page.get_by_role("button", name="Play").click()
    until(page, lambda: playing(page, "readyState") >= 1)
    assert playing(page, "duration") == pytest.approx(6.0, abs=0.01)
    until(page, lambda: playing(page, "currentTime") > 0.5)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("slider").focus()
    page.keyboard.press("Space")
    until(page, lambda: playing(page, "paused"))
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert playing(page, "currentTime") == pytest.approx(5.0, abs=0.01)
    slider = page.get_by_role("slider").bounding_box()
    assert slider
    page.mouse.click(slider["x"] + slider["width"] / 3, slider["y"] + 20)
    assert playing(page, "currentTime") == pytest.approx(2.0, abs=0.05)
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "0:02 / 0:06"
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Name")).to_be_visible()
    assert complaints == []
    page.context.close()


def test_notices_of_counters_are_put_away_with_the_keyboard(
        chromium: Browser, box: tuple[BranchOnBus, WebUi, str], branch: Branch) -> None:
    others, web, url = box
    branch.figures = {"spand": {"failures": 2, "ring_refused": 7}, "recordd": {"lost_s": 0.0}}
    shelf_of(branch).warn("disk-refuses", "the disk refuses recordings: free it, or replace it")
    complaints: list[str] = []
    page = clean_page(chromium, complaints)
    set_up(page, web.setup_code(), url)
    notices = page.locator("#health .notice")
    others.say("boxd", branch.health())
    expect(notices).to_have_count(3)
    for language in ("zh", "en"):
        page.context.add_cookies([{"name": "language", "value": language, "url": url}])
        page.goto(url)
        expect(notices).to_have_count(3)
        shoot(page, "notices", language)
    buttons = page.get_by_role("button", name="Seen")
    expect(buttons).to_have_count(2)              # a disk that refuses goes on refusing
    failures = page.locator("#health [data-key=failures]").get_by_role("button")
    expect(failures).to_have_accessible_description(re.compile("audio engine failed"))
    failures.focus()
    page.keyboard.press("Enter")
    expect(buttons).to_have_count(1)
    expect(page.locator("#health [data-key=failures]")).to_have_count(0)
    branch.figures["spand"]["failures"] = 3
    others.say("boxd", branch.health())
    expect(buttons).to_have_count(2)              # it is there again, without loading the page
    assert complaints == []
    page.context.close()


def test_an_event_is_on_the_page_within_200_ms(
        chromium: Browser, box: tuple[BranchOnBus, WebUi, str], branch: Branch) -> None:
    others, web, url = box
    page = clean_page(chromium, [])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    set_up(page, web.setup_code(), url)
    delays_s = []
    for order in range(7):                        # the best one: this machine does other things as well
        number = f"1770000{order:04d}"
        seen = page.evaluate_handle(WHEN_SEEN, number)
        branch.contacts[number] = live(number, "flow", 1.0, calling=number)
        said_at = time.time()
        others.say("acdd", branch.board())
        delays_s.append(page.evaluate("seen => seen.at", seen) - said_at)
    assert min(delays_s) < 0.2, delays_s
    assert f"{url}events?lines=1" in asked        # new lines, not whole texts
    page.context.close()


def test_a_call_is_followed_from_ring_to_recording(
        chromium: Browser, box: tuple[BranchOnBus, WebUi, str], branch: Branch) -> None:
    others, web, url = box
    complaints: list[str] = []
    page = clean_page(chromium, complaints)
    set_up(page, web.setup_code(), url)
    page.goto(f"{url}contacts/c3")
    expect(page.locator("h1 .state")).to_have_text("Ringing")
    page.evaluate("window.notLoadedAgain = true")
    began = branch.contacts["c3"].began_at
    branch.contacts["c3"] = contact("c3", began_at=began, ended_at=time.time())
    others.say("acdd", branch.board())
    expect(page.locator("h1 .state")).to_have_text("Answered")
    expect(page.locator("branchline-player path")).to_have_count(4)
    expect(page.locator("#live")).to_have_count(0)                       # nothing more will happen
    assert page.evaluate("window.notLoadedAgain")
    assert complaints == []
    page.context.close()


def test_a_recording_that_grows_is_played_on(
        chromium: Browser, box: tuple[BranchOnBus, WebUi, str], branch: Branch) -> None:
    _, web, url = box
    shelf, growing = shelf_of(branch), "ab" * 16
    shelf.grow(growing, 1.0)
    talked = branch.contacts["e1"].segments[-1]
    branch.contacts["e1"] = contact("e1", segments=[replace(talked, recording=growing)])
    complaints: list[str] = []
    page = clean_page(chromium, complaints)
    set_up(page, web.setup_code(), url)
    page.goto(f"{url}contacts/e1")
    expect(page.get_by_text("still recording")).to_be_visible()
    expect(page.locator("branchline-player path")).to_have_count(4)
    shelf.grow(growing, 2.0)
    shelf.end(growing)
    page.get_by_role("button", name="Play").click()
    until(page, lambda: playing(page, "ended"))                          # of one second, then of three
    until(page, lambda: playing(page, "ended") and playing(page, "currentTime") > 2.9)
    expect(page.get_by_text("still recording")).to_have_count(0)
    assert complaints == []
    page.context.close()


def test_a_ladder_is_switched_filtered_and_opened_by_mouse_and_keyboard(
        chromium: Browser, box: tuple[BranchOnBus, WebUi, str], branch: Branch) -> None:
    _, web, url = box
    [kept] = branch.traces["l1"]
    branch.traces["l1"] = [replace(kept, call=replace(kept.call, state="clearing"), frames=kept.frames[:-2])]
    complaints: list[str] = []
    page = clean_page(chromium, complaints)
    set_up(page, web.setup_code(), url)
    page.goto(f"{url}contacts/e1")
    ladder = page.locator("#signalling")
    rows = ladder.locator("tbody tr:visible")
    every = rows.count()
    ladder.get_by_label("Layer 2").uncheck()
    assert 0 < rows.count() < every
    assert all(layer == "3" for layer in rows.evaluate_all("rows => rows.map(row => row.dataset.layer)"))
    ladder.get_by_label("Filter").fill("anna disconnect")
    expect(rows).to_have_count(1)
    ladder.get_by_label("Filter").fill("")
    summary = ladder.locator("summary", has_text="calling 13800138000").first
    summary.focus()
    page.keyboard.press("Enter")
    details = ladder.locator("details[open]")
    expect(details).to_contain_text("network provided")
    shoot(page, "ladder", "en")
    ladder.get_by_label("Filter").fill("E.164")   # what is folded away is found, too

    # The call goes on: what a person has chosen stays.
    branch.traces["l1"] = [kept]
    expect(page.locator("#live")).to_have_count(0)
    expect(details).to_have_count(1)
    assert all(rows.evaluate_all("rows => rows.map(row => row.textContent.includes('E.164'))"))
    with page.expect_download() as download:
        ladder.get_by_role("link", name="Capture file").click()
    assert Path(download.value.path()).read_bytes().startswith(pcap.FILE_HEADER)
    assert complaints == []
    page.context.close()


def shoot(page: Page, name: str, language: str) -> None:
    """A picture in both schemes and sizes; nothing may be wider than the screen."""
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme, (width, height) in itertools.product(schemes, ((1366, 768), (1920, 1080))):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": height})
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, f"{name}: {wider} px wider than {width}"
        page.screenshot(path=SHOTS / f"{name}-{language}-{scheme}-{width}.png",
                        full_page=name in ("contact", "ladder", "span"))


def test_every_page_fits_the_laptop_and_the_wall(
        chromium: Browser, box: tuple[BranchOnBus, WebUi, str], branch: Branch) -> None:
    others, web, url = box
    complaints: list[str] = []
    page = clean_page(chromium, complaints)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.goto(url)
    shoot(page, "setup", "en")
    set_up(page, web.setup_code(), url)
    for language in ("zh", "en"):
        page.context.add_cookies([{"name": "language", "value": language, "url": url}])
        for name, path, sign in PAGES:
            page.goto(url + path)
            page.wait_for_selector(sign)
            shoot(page, name, language)
    branch.contacts.clear()
    branch.queues, branch.agents, branch.busy, branch.alarms = [], [], {}, {"telco": ["los"], "pbx": ["rai"]}
    page.goto(url)
    for span in branch.spans:
        others.say("trunkd", branch.channels(span))
        others.say("spand", branch.span(span))
    others.say("acdd", branch.board())
    expect(page.locator(".lamp abbr")).to_have_count(2)
    expect(page.locator(".empty")).to_have_count(3)
    shoot(page, "quiet", "en")
    others.close()
    expect(page.locator(".notice b")).to_have_count(5)
    shoot(page, "away", "en")
    assert [said for said in complaints if "404" not in said] == []      # of the page that is not there
    page.context.close()
