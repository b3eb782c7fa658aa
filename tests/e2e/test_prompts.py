"""Prompts on the pages of a whole box: what is brought or spoken there is what a caller hears."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from appliance.bus.messages import GetContacts
from appliance.media.prompts import Library
from hil_tests.instruments import audio
from tests.e2e.calls import new_number
from tests.e2e.rig import CONFIG, PROMPT_HZ, Rig
from tests.webui.browser import SHOTS, chromium_running, clean_page, set_up
from tests.webui.conftest import NAME, PASSWORD

pytestmark = pytest.mark.usefixtures("left_idle")

OWN = "810"                                       # an extension, no agent's
BROUGHT_HZ, SPOKEN_HZ = 1730, 2270                # as nothing else here sounds


@pytest.fixture(scope="module")
def rig_options() -> dict[str, Any]:
    return {"config": {**CONFIG, "web": {"port": 0, "language": "en"}}}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture
def page(box: Rig, chromium: Browser) -> Iterator[Page]:
    """Signed in; nothing may be left in the console."""
    complaints: list[str] = []
    url = (box.run_dir / "web.url").read_text().strip()
    page = clean_page(chromium, complaints, base_url=url, viewport={"width": 1366, "height": 900})
    code = box.state_dir / "setup-code"
    if code.exists():
        set_up(page, code.read_text().strip(), url)
    else:
        page.goto("/login")
        page.get_by_label("Name").fill(NAME)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#live")).to_have_attribute("data-now", "live")
    yield page
    page.context.close()
    assert [one for one in complaints if "status of 4" not in one] == []             # what was refused


def of_box(box: Rig, name: str) -> audio.Octets:
    return np.array(Library(box.config_path.parent / "prompts").get(name).octets)


def test_a_file_that_is_brought_is_what_the_next_caller_hears(box: Rig, page: Page, tmp_path: Path) -> None:
    file = tmp_path / "spring.mp3"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"sine=frequency={BROUGHT_HZ}:duration=1.5",
                    "-af", "adelay=700|700", "-ac", "2", "-c:a", "libmp3lame", "-b:a", "96k", str(file)],
                   check=True)
    before = box.telco.place_call(called="5001", calling=new_number()).answered()
    before.wait_to_hear(hz=PROMPT_HZ["greeting"])
    before.hang_up()
    page.goto("/prompt/en/greeting")
    expect(page.get_by_text("flow: main.yaml · greeting")).to_be_visible()
    page.locator("#file").set_input_files(file)
    page.get_by_role("button", name="Bring it and hear it").click()
    expect(page.get_by_role("heading", name="New sound, not kept yet")).to_be_visible()
    expect(page.get_by_text("44100 Hz, stereo")).to_be_visible()
    page.get_by_role("button", name="Keep it in place of the old one").click()
    expect(page.get_by_text("It is kept: the next caller hears it.")).to_be_visible()
    kept = of_box(box, "en/greeting")
    assert 1.4 < len(kept) / audio.RATE_HZ < 1.7  # without the silence before it
    after = box.telco.place_call(called="5001", calling=new_number()).answered()
    after.wait_to_hear(hz=BROUGHT_HZ)
    after.wait_to_hear_octets(kept[800:4000])     # octet for octet
    after.hang_up()

    # It is used: nobody takes it away from callers.
    assert page.get_by_role("button", name="Delete").count() == 0
    page.get_by_role("button", name="Have it again").click()
    expect(page.get_by_text("It is as it was before")).to_be_visible()
    again = box.telco.place_call(called="5001", calling=new_number()).answered()
    again.wait_to_hear(hz=PROMPT_HZ["greeting"])
    again.hang_up()


def test_a_prompt_is_spoken_at_a_telephone_that_the_page_lets_ring(box: Rig, page: Page) -> None:
    contacts = box.bus.ask(GetContacts()).total
    page.goto("/prompt/en/spoken-here")
    expect(page.get_by_text("There is none of this name yet")).to_be_visible()
    page.get_by_label("Extension, agent or number that rings").fill("x1")
    page.get_by_role("button", name="Let it ring").click()
    expect(page.get_by_role("alert").first).to_contain_text("x1 is no agent and no extension")
    page.get_by_label("Extension, agent or number that rings").fill(OWN)
    page.get_by_role("button", name="Let it ring").click()
    step = page.locator("#take .step")
    expect(step).to_contain_text("the telephone rings")
    telephone = box.pbx.wait_for_call(called=OWN)
    telephone.alert()
    telephone.answer()
    expect(step).to_contain_text("recording: end with #")
    telephone.tone(700, seconds=0.8)
    telephone.wait_said()
    telephone.dtmf("#")
    expect(step).to_contain_text("it is heard again")
    telephone.wait_to_hear(hz=700, within_s=10.0)
    telephone.dtmf("3")                           # anew
    expect(step).to_contain_text("recording: end with #")
    telephone.tone(SPOKEN_HZ, seconds=1.2)
    telephone.wait_said()
    telephone.dtmf("#")
    telephone.wait_to_hear(hz=SPOKEN_HZ, within_s=10.0)
    page.screenshot(path=SHOTS / "e2e-prompt-telephone.png", full_page=True)
    telephone.dtmf("1")
    telephone.wait_for("RELEASED", 20.0)
    expect(step).to_contain_text("kept")
    sound = page.locator("#now branchline-sound")
    expect(sound).to_be_visible()                 # by itself
    expect(page.locator("#now")).to_contain_text("by telephone")
    kept = of_box(box, "en/spoken-here")
    assert 1.0 < len(kept) / audio.RATE_HZ < 1.5 and audio.dtmf_keys(kept) == ""
    assert box.bus.ask(GetContacts()).total == contacts
    page.goto("/log/")
    expect(page.locator("tbody").get_by_text("Prompt recorded by telephone").first).to_be_visible()

    # Nothing uses it: it can go, and come back.
    page.goto("/prompt/en/spoken-here")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("It was deleted. Its versions are in the history")).to_be_visible()


def test_who_hangs_up_leaves_no_prompt(box: Rig, page: Page) -> None:
    page.goto("/prompt/en/never")
    page.get_by_label("Extension, agent or number that rings").fill(OWN)
    page.get_by_role("button", name="Let it ring").click()
    telephone = box.pbx.wait_for_call(called=OWN)
    telephone.alert()
    telephone.answer()
    step = page.locator("#take .step")
    expect(step).to_contain_text("recording: end with #")
    telephone.hang_up()
    expect(step).to_contain_text("hung up before anything was kept")
    expect(page.get_by_text("There is none of this name yet")).to_be_visible()
