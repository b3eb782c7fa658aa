"""A supervisor's page on the whole box: a real call seen as it happens, then found again and played.

Pictures of what was seen go to build/screenshots/e2e-*.png.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.calls import call_in, contact_of, new_number, recorded, wait_recording
from tests.e2e.rig import CONFIG, Rig
from tests.webui.browser import SHOTS, chromium_running, clean_page, playing, set_up, until
from tests.webui.conftest import NAME, PASSWORD

COURSE = ["SETUP", "CONNECT", "CONNECT ACKNOWLEDGE", "DISCONNECT", "RELEASE", "RELEASE COMPLETE"]
CALLER_HZ, CALLER_DBM0 = 450, -10.0
TALK_S = 3.0
LOUD, QUIET = 5.0, 2.0                            # half the height of a lane's bar, in the drawing's units
HEARD = """async player => {
    const sound = await (await fetch(player.audio.src)).arrayBuffer();
    const {numberOfChannels, duration} = await new OfflineAudioContext(2, 1, 8000).decodeAudioData(sound);
    return [numberOfChannels, duration];
}"""


@pytest.fixture(scope="module")
def rig_options() -> dict[str, Any]:
    return {"config": {**CONFIG, "web": {"port": 0, "language": "en"}}}


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


def channel(page: Page, span: str, timeslot: int) -> Locator:
    return page.locator(f"#span-{span} li[data-key='{timeslot}']")


def shoot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"e2e-{name}.png", full_page=True)


def heights(page: Page, lane: str) -> list[float]:
    """Of the bars that the player has drawn for one party."""
    path = page.locator(f"branchline-player path.{lane}:not(.played)").get_attribute("d") or ""
    return [float(height) / 2 for height in re.findall(r"v([0-9.]+)h", path)]


def test_a_call_is_seen_as_it_happens_and_its_recording_is_played(
        rig: Rig, chromium: Browser, tmp_path: Path) -> None:
    complaints: list[str] = []
    page = clean_page(chromium, complaints, viewport={"width": 1366, "height": 900})
    url = (rig.run_dir / "web.url").read_text().strip()
    set_up(page, (rig.state_dir / "setup-code").read_text().strip(), url)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("No calls at this moment.")).to_be_visible()
    expect(page.locator(".channels li[data-state=idle]")).to_have_count(60)
    page.evaluate("window.notLoadedAgain = true")

    # It comes, rings and is answered: the page follows.
    caller = call_in(rig, "1", new_number())
    row = page.locator("#contacts tbody tr", has_text=caller.calling)
    expect(channel(page, "telco1", caller.timeslot)).to_have_attribute("data-state", "busy")
    agent = rig.pbx.wait_for_call()
    agent.alert()
    expect(row.locator(".state")).to_have_text("Ringing")
    expect(channel(page, "pbx1", agent.timeslot)).to_have_attribute("data-state", "busy")
    caller.tone(CALLER_HZ, CALLER_DBM0)
    agent.answer()
    expect(row.locator(".state")).to_have_text("Talking")
    person = page.locator("#agents li", has_text=agent.called)
    expect(person.locator(".state")).to_have_text("Talking")
    person_name = {"801": "zhang", "802": "li"}[agent.called]
    expect(person.locator(".party")).to_have_text(caller.calling)
    expect(page.locator(".channels li[data-state=busy]")).to_have_count(2)
    shoot(page, "board-en")

    # In the other language, at once, with the call still running.
    page.get_by_role("button", name="中文").click()
    expect(row.locator(".state")).to_have_text("通话中")
    shoot(page, "board-zh")
    page.get_by_role("button", name="English").click()
    expect(row.locator(".state")).to_have_text("Talking")
    page.evaluate("window.notLoadedAgain = true")

    # It ends: both channels and the agent are free, still without loading the page.
    wait_recording(rig, caller.calling)
    agent.wait_to_have_heard(agent.heard_s + TALK_S, within_s=20)
    caller.hang_up()
    expect(row).to_have_count(0)
    expect(channel(page, "telco1", caller.timeslot)).to_have_attribute("data-state", "idle")
    expect(channel(page, "pbx1", agent.timeslot)).to_have_attribute("data-state", "idle")
    expect(person.locator(".state")).to_have_text("Ready")
    assert page.evaluate("window.notLoadedAgain")

    # It is found among the contacts, and its recording plays from beginning to end.
    info = recorded(rig, contact_of(rig, caller.calling), tmp_path).info
    page.get_by_role("link", name="Contacts").click()
    page.locator("#rows tr", has_text=caller.calling).locator("a").click()
    expect(page.locator("h1 .state")).to_have_text("Answered")
    expect(page.locator("branchline-player path")).to_have_count(4)
    assert max(heights(page, "caller")) > LOUD and max(heights(page, "agent")) < QUIET
    assert info.duration_s > TALK_S
    page.get_by_role("button", name="Play").click()
    until(page, lambda: playing(page, "readyState") >= 1)
    assert playing(page, "duration") == pytest.approx(info.duration_s, abs=0.01)
    until(page, lambda: playing(page, "currentTime") > 1.0)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    shoot(page, "contact-en")
    until(page, lambda: playing(page, "ended"))
    assert playing(page, "currentTime") == pytest.approx(info.duration_s, abs=0.01)
    channels, duration_s = page.locator("branchline-player").evaluate(HEARD)
    assert (channels, duration_s) == (2, pytest.approx(info.duration_s, abs=0.01))

    # What the telephone company and the agent's telephone said with the box is there, too.
    for party in ("Caller", person_name):
        said = page.locator("#signalling tbody tr", has=page.locator(".who", has_text=party))
        titles = said.locator("[data-to] b").all_inner_texts()
        assert [title for title in titles if title in COURSE] == COURSE, titles
    expect(page.locator("#signalling tbody tr", has_text=f"calling {caller.calling}")).to_have_count(2)
    expect(page.locator("#signalling [data-wrong]")).to_have_count(0)

    # What can be taken home is the file as it is kept, and the chain says who took it.
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).stat().st_size == info.octets
    assert person_name in download.value.suggested_filename
    page.get_by_role("link", name="All of it").click()
    expect(page.locator(".entries tbody tr", has_not_text="facts fixed")).to_have_text(
        [re.compile(f"downloaded{NAME}"), re.compile(f"listened{NAME}"), re.compile("listened"),
         re.compile("recorded")])
    page.go_back()
    page.get_by_role("button", name="中文").click()
    expect(page.locator("h1 .state")).to_have_text("已接听")
    expect(page.locator("branchline-player path")).to_have_count(4)
    shoot(page, "contact-zh")
    assert complaints == []
    page.context.close()
