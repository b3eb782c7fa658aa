"""Prompts in Debian's Chromium: cut by keys alone, brought from a file; pictures go to build/screenshots."""

import itertools
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, Page, expect

from appliance.bus.messages import PromptsChanged, PromptTakeState
from appliance.media.prompts import Library
from tests.conftest import bus_server_at
from tests.recording.prompts.desk import hz_of, pcm
from tests.webui.browser import SHOTS, chromium_running, clean_page, set_up, until
from tests.webui.prompts.facts import PromptBranch, prompt_branch, take
from tests.webui.running import BranchOnBus, branch_on_bus, webui_at

SMALL, LARGE = (1366, 768), (1920, 1080)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture(scope="module")
def branch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PromptBranch]:
    branch = prompt_branch(tmp_path_factory.mktemp("prompts") / "box")
    yield branch
    branch.desk.box.parts.database.close()


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with bus_server_at(tmp_path_factory.mktemp("bus") / "run") as run_dir:
        yield run_dir


@pytest.fixture(scope="module")
def bus(branch: PromptBranch, run_dir: Path) -> Iterator[BranchOnBus]:
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
    assert [one for one in complaints if "status of 422" not in one] == []


def sound(page: Page, what: str) -> Any:
    return page.evaluate(f"document.querySelector('#now branchline-sound').{what}")


def pictures(page: Page, name: str, path: str, drawn: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for language, scheme in itertools.product(("zh", "en"), schemes):
        size = LARGE if (language, scheme) == ("zh", "dark") else SMALL
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.context.add_cookies([{"name": "language", "value": language, "url": urljoin(page.url, "/")}])
        page.emulate_media(color_scheme=scheme)
        page.goto(path)
        expect(page.locator(drawn).first).to_be_visible()
        page.screenshot(path=SHOTS / f"prompts-{name}-{language}-{scheme}.png", full_page=True)
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, f"{name} is {wider} px wider than the window"
    page.set_viewport_size({"width": SMALL[0], "height": SMALL[1]})


def test_a_prompt_is_cut_by_keys_alone(page: Page, branch: PromptBranch) -> None:
    page.goto("/prompts/")
    link = page.get_by_role("link", name="zh/greeting, 3.0 s")
    link.focus()
    page.keyboard.press("Enter")
    first = page.get_by_role("slider", name="Begin of the part that stays").first
    last = page.get_by_role("slider", name="End of the part that stays").first
    expect(last).to_have_attribute("aria-valuenow", "3000")
    first.focus()
    for key in ("PageUp", "ArrowRight", "ArrowRight", "Shift+ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.get_by_label("From, ms")).to_have_value("610")
    page.keyboard.press("Tab")
    expect(last).to_be_focused()
    for key in ("End", "PageDown", "PageDown"):
        page.keyboard.press(key)
    expect(last).to_have_attribute("aria-valuetext", "2.00 s")
    expect(page.get_by_label("To, ms")).to_have_value("2000")
    page.keyboard.press("Space")                  # only what stays is heard
    until(page, lambda: sound(page, "audio.currentTime") >= 0.6)
    until(page, lambda: sound(page, "audio.paused"))
    assert 1.9 < sound(page, "audio.currentTime") < 2.3
    page.get_by_role("button", name="Hear it so").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="New sound, not kept yet")).to_be_visible()
    expect(page.locator("#draft")).to_contain_text("1.4 s")
    assert branch.desk.ask_length("zh/greeting") == 24000
    page.get_by_role("button", name="Keep it in place of the old one").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is kept: the next caller hears it.")).to_be_visible()
    assert branch.desk.ask_length("zh/greeting") == 8 * 1390


def test_numbers_and_the_mouse_move_the_ends_too(page: Page) -> None:
    page.goto("/prompt/en/greeting")
    last = page.get_by_role("slider", name="End of the part that stays")
    expect(last).to_have_attribute("aria-valuenow", "2400")
    page.get_by_label("To, ms").fill("1200")
    expect(last).to_have_attribute("aria-valuenow", "1200")
    wave, end = page.locator("#now .wave").bounding_box(), last.bounding_box()
    assert wave and end
    assert abs(end["x"] + end["width"] / 2 - wave["x"] - wave["width"] / 2) < 4
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + 20)
    page.mouse.down()
    page.mouse.move(wave["x"] + wave["width"] / 4, end["y"] + 20, steps=4)
    page.mouse.up()
    assert abs(int(page.get_by_label("To, ms").input_value()) - 600) <= 20


def test_a_file_is_brought_in_pieces_and_a_wrong_one_is_told(
        page: Page, branch: PromptBranch, tmp_path: Path) -> None:
    wrong, right = tmp_path / "song.m4a", tmp_path / "closed.wav"
    wrong.write_bytes(b"\0\0\0\x20ftypM4A " + bytes(5000))
    right.write_bytes(pcm(1200, 8.0))             # five pieces
    page.goto("/prompt/en/closed")
    page.locator("#file").set_input_files(wrong)
    page.get_by_role("button", name="Bring it and hear it").click()
    expect(page.get_by_role("alert").first).to_contain_text("The file is M4A/MP4 (AAC)")
    page.locator("#file").set_input_files(right)
    page.get_by_role("button", name="Bring it and hear it").click()
    expect(page.locator("#draft")).to_contain_text("8.05 s")
    pictures(page, "draft", page.url, "#draft .wave path")
    page.goto(page.url)
    page.get_by_role("button", name="Keep this sound").click()
    expect(page.get_by_text("It is kept: the next caller hears it.")).to_be_visible()
    assert hz_of(Library(branch.desk.folder).get("en/closed").octets) == 1200


@pytest.mark.parametrize("options", ["m4a -c:a aac -ar 44100 -ac 2", "aac -c:a aac -ar 48000",
                                     "webm -c:a libopus", "mp4 -c:a aac -ar 22050"])
def test_what_the_box_does_not_read_the_browser_converts(
        page: Page, branch: PromptBranch, tmp_path: Path, options: str) -> None:
    ending, *coded = options.split()
    file = tmp_path / f"spring {ending}.{ending}"
    encode("sine=frequency=900:duration=3", coded, file)
    page.goto("/prompt/en/converted")
    page.locator("#file").set_input_files(file)
    page.get_by_role("button", name="Bring it and hear it").click()
    draft = page.locator("#draft")
    expect(draft).to_contain_text(f"the box does not read {file.name}: this browser converted it to WAV")
    expect(draft).to_contain_text("3.0 s" if ending != "aac" else " s")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("It is kept: the next caller hears it.")).to_be_visible()
    assert abs(hz_of(Library(branch.desk.folder).get("en/converted").octets) - 900) <= 2


def test_what_neither_reads_is_refused_by_its_name_and_too_much_is_told(page: Page, tmp_path: Path) -> None:
    wma, long = tmp_path / "old.wma", tmp_path / "speech.m4a"
    encode("sine=duration=1", ["-c:a", "wmav2"], wma)
    encode("anullsrc=sample_rate=8000:channel_layout=mono:duration=603", ["-c:a", "aac", "-b:a", "8k"], long)
    page.goto("/prompt/en/converted")
    for file, told in ((wma, "The file is WMA. WAV, AIFF"), (long, "It is longer than 600 s: shorten it.")):
        page.locator("#file").set_input_files(file)
        page.get_by_role("button", name="Bring it and hear it").click()
        expect(page.get_by_role("alert").filter(has_text=told)).to_be_visible()


def encode(source: str, options: list[str], file: Path) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, *options, str(file)], check=True)


def test_the_page_tells_how_a_telephone_speaks_and_shows_what_came_of_it(
        page: Page, bus: BranchOnBus, branch: PromptBranch) -> None:
    page.goto("/prompt/zh/by-voice")
    expect(page.get_by_text("There is none of this name yet")).to_be_visible()
    expect(page.locator("#live")).to_have_attribute("data-now", "live")
    page.get_by_label("Extension, agent or number that rings").fill("810")
    page.get_by_role("button", name="Let it ring").click()
    expect(page.get_by_text("810 rings: lift")).to_be_visible()
    for step, shown in (("ringing", "the telephone rings"), ("recording", "recording: end with #"),
                        ("asking", "1 keep, 2 hear again")):
        bus.say("acdd", PromptTakeState(take=take(name="zh/by-voice", step=step)))
        expect(page.locator("#take")).to_contain_text(shown)
    page.get_by_label("What it says").fill("in the middle of writing")
    branch.desk.put("zh/by-voice", 650)
    bus.say("acdd", PromptTakeState(take=take(name="zh/by-voice", step="kept")))
    bus.say("recordd", PromptsChanged(name="zh/by-voice"))
    expect(page.locator("#now .wave path")).to_be_attached()
    expect(page.get_by_label("What it says")).to_have_value("in the middle of writing")
    page.locator("#now").get_by_role("button", name="Play").click()
    until(page, lambda: sound(page, "audio.currentTime") > 0.2)


def test_every_page_is_drawn_in_both_languages_and_themes(page: Page) -> None:
    pictures(page, "table", "/prompts/", "table")
    pictures(page, "words", "/prompts/?words=yes&text=number/1", "table")
    pictures(page, "one", "/prompt/zh/greeting", "#now .wave path")
    pictures(page, "none", "/prompt/en/nobody", "#now")
