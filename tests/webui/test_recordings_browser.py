"""Recordings in Debian's Chromium: found and played by keys, marks, silence, one side; how pages look."""

import json
import re
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from appliance.media import g711
from appliance.recording.audio import Format
from tests.webui.browser import SHOTS, chromium_running, clean_page, playing, until
from tests.webui.conftest import NAME, PASSWORD, FakeExchange
from tests.webui.facts import RECORDING
from tests.webui.shelf import Shelf, talk
from webui.server import Server
from webui.users import Users

LONG, FLAC = "cd" * 16, "ef" * 16
QUIET = g711.encode(np.zeros((20 * 8000, 2), np.int16)).tobytes()
PAGES = {"search": "recordings/", "recording": f"recordings/{LONG}", "store": "recordings/store/retention"}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture
def url(app: Flask, users: Users, exchange: FakeExchange, shelf: Shelf) -> Iterator[str]:
    """Two recordings more: one of a minute with a long silence and marks, one of every octet."""
    marks = (("key", 3.0, "5"), ("hold", 10.0, ""), ("talk", 30.0, ""), ("paused", 40.0, ""),
             ("resumed", 46.0, ""), ("tag", 50.0, "vip"))
    shelf.finish(LONG, talk(20.0) + QUIET + talk(20.0), marks=marks, tags=["vip"], disposition="complaint",
                 note="客户投诉退款 wants his money back", ago_s=90.0)
    shelf.finish(FLAC, talk(3.0), Format.FLAC, ago_s=120.0, direction="out", calling="8003",
                 called="01088886666")
    users.create_first(NAME, PASSWORD)
    server = Server(app, "127.0.0.1", 0)
    server.start()
    yield server.url
    exchange.mirror.close()                       # else it waits for its streams
    server.stop()


@pytest.fixture
def page(chromium: Browser, url: str) -> Iterator[Page]:
    complaints: list[str] = []
    page = clean_page(chromium, complaints, viewport={"width": 1366, "height": 900})
    page.goto(url)
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_be_visible()
    yield page
    assert complaints == []
    page.context.close()


def entries(shelf: Shelf, recording: str) -> list[str]:
    return [one.kind for one in shelf.entries(recording)]


def test_it_is_found_and_played_in_the_list_without_a_mouse(page: Page, url: str, shelf: Shelf) -> None:
    page.goto(f"{url}recordings/")
    expect(page.locator("tbody tr")).to_have_count(3)
    page.keyboard.press("/")
    page.keyboard.type("投诉")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.wait_for_load_state()
    assert re.search(r"\?preset=today&text=[^&]+$", page.url)            # and nothing that is empty
    page.keyboard.press("ArrowDown")
    page.keyboard.press("p")
    until(page, lambda: playing(page, "currentTime") > 0.2)
    assert "form=stored" in playing(page, "currentSrc")
    assert (entries(shelf, LONG), entries(shelf, RECORDING)) == (["listened"], [])
    page.keyboard.press("p")
    expect(page.locator("branchline-player")).to_have_count(0)
    page.get_by_text("Yesterday").click()
    expect(page.locator(".empty")).to_be_visible()


def test_several_are_ticked_by_keys_and_held(page: Page, url: str, shelf: Shelf) -> None:
    page.goto(f"{url}recordings/")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(page.locator("[data-chosen]")).to_have_text("2")
    expect(page.locator("[data-all]")).to_be_visible()
    page.get_by_text("Hold or export several").click()
    page.get_by_label("Why").fill("claim 7")
    page.get_by_label("Case", exact=True).fill("court 7")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / "recordings-several.png", full_page=True)
    page.get_by_role("button", name="Hold", exact=True).click()
    expect(page.locator(".told-once")).to_contain_text("2 recordings are held for court 7")
    assert [entries(shelf, one) for one in (RECORDING, LONG, FLAC)] == [["held"], ["held"], []]
    page.locator("[data-all]").check()
    expect(page.locator("[data-chosen]")).to_have_text("3")


def test_places_marks_silence_and_sides(page: Page, url: str, shelf: Shelf) -> None:
    page.goto(f"{url}recordings/{LONG}#t=12")
    expect(page.locator(".position")).to_have_text("0:12 / 1:00")
    expect(page.locator("svg .mark")).to_have_count(6)
    expect(page.locator("svg .pause")).to_have_count(1)
    assert entries(shelf, LONG) == []             # all that was seen so far is free
    page.get_by_role("button", name="Play").click()
    until(page, lambda: playing(page, "currentTime") > 12.1)
    page.locator(".marks button", has_text="Tag vip").click()
    until(page, lambda: playing(page, "currentTime") > 50.1)
    page.get_by_role("button", name="Skip silence").click()
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    page.keyboard.press(">")
    assert playing(page, "playbackRate") == 1.25
    page.evaluate("document.querySelector('branchline-player').seek(20.8)")
    page.keyboard.press("Space")
    until(page, lambda: 39.5 < playing(page, "currentTime") < 45.0)
    page.get_by_label("Who is heard").select_option("caller")
    gains = page.evaluate("document.querySelector('branchline-player').ways.map(way => way.gain.value)")
    assert gains == [1, 1, 0, 0]
    page.get_by_role("button", name="Pause", exact=True).click()
    until(page, lambda: re.search(r"#t=(39|4\d)$", page.url))
    assert entries(shelf, LONG) == ["listened"]


@pytest.mark.parametrize("format", ["stored", "wav"])
def test_what_cannot_be_read_is_taken_as_wav(page: Page, url: str, shelf: Shelf, format: str) -> None:
    page.add_init_script("" if format == "stored" else
                         "HTMLMediaElement.prototype.canPlayType = () => ''")
    page.goto(f"{url}recordings/{FLAC}")
    expect(page.locator("branchline-player path")).to_have_count(4)
    page.get_by_role("button", name="Play").click()
    until(page, lambda: playing(page, "currentTime") > 0.2)
    assert playing(page, "duration") == pytest.approx(3.0, abs=0.01)
    assert json.loads(shelf.entries(FLAC)[0].data)["form"] == format


def test_the_pages_in_both_languages_and_schemes(
        page: Page, url: str, shelf: Shelf, exchange: FakeExchange) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    shelf.warn("slow-disk", "the disk is slow: it took 3.1 s to keep a second of audio: replace it")
    exchange.tell()
    page.goto(f"{url}recordings/{LONG}")
    page.get_by_text("Hold for a case").click()
    page.get_by_label("Case").fill("court 7")
    page.locator("form[action$=hold]").get_by_label("Why").fill("claim of a customer")
    page.get_by_role("button", name="Hold", exact=True).click()
    expect(page.get_by_text("Held: court 7")).to_be_visible()
    looks: tuple[tuple[str, Literal["light", "dark"]], ...] = (("en", "light"), ("zh", "dark"))
    for language, scheme in looks:
        page.context.add_cookies([{"name": "language", "value": language, "url": url}])
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for name, path in {**PAGES, "warned": ""}.items():
            page.goto(url + path)
            if name == "search":
                page.locator("[data-hear]").nth(1).focus()
                page.locator("[data-hear]").nth(1).click()
            if name in ("search", "recording"):
                expect(page.locator("branchline-player path")).to_have_count(4)
            expect(page.locator("main h1")).to_have_count(1)
            for width in (1366, 800):
                page.set_viewport_size({"width": width, "height": 900})
                wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wider <= 0, f"{name}: {wider} px wider than {width}"
                unnamed = page.locator("input:visible:not([type=hidden]), select:visible, button:visible")
                for element in unnamed.element_handles():
                    assert element.evaluate("""one => (one.labels?.length && one.labels[0].textContent.trim())
                        || one.textContent.trim() || one.ariaLabel || one.title"""), element.inner_text()
                page.screenshot(path=SHOTS / f"recordings-{name}-{language}-{width}.png", full_page=True)


def test_playback_begins_at_once(page: Page, url: str, shelf: Shelf) -> None:
    """Ten minutes as they are kept; the figure is of `python -m pytest -s -k begins_at_once`."""
    shelf.finish("12" * 16, talk(60.0) * 10)
    page.goto(f"{url}recordings/{'12' * 16}")
    expect(page.locator("branchline-player path")).to_have_count(4)
    began_ms = page.evaluate("""() => new Promise(done => {
        const player = document.querySelector("branchline-player");
        const from = performance.now();
        const look = () => player.audio.currentTime > 0
            ? done(performance.now() - from) : requestAnimationFrame(look);
        player.button.click();
        look();
    })""")
    print(f"click to sound: {began_ms:.0f} ms")
    assert playing(page, "duration") == pytest.approx(600.0, abs=0.02)
    page.evaluate("document.querySelector('branchline-player').seek(580)")
    until(page, lambda: playing(page, "currentTime") > 580.1)
    assert entries(shelf, "12" * 16) == ["listened"]
