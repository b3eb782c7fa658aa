"""A flow drawn in the browser, published, and called: the caller hears the new prompt."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.calls import new_number
from tests.e2e.rig import CONFIG, PROMPT_HZ, Rig
from tests.webui.browser import chromium_running, clean_page, set_up

URL = "web.url"


@pytest.fixture(scope="module")
def rig_options() -> dict[str, Any]:
    return {"config": {**CONFIG, "web": {"port": 0, "language": "en"}}}


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.mark.need(4)
def test_what_is_drawn_and_published_is_what_the_next_caller_hears(rig: Rig, chromium: Browser) -> None:
    caller = rig.telco.place_call(called="5001", calling=new_number()).answered()
    caller.wait_to_hear(hz=PROMPT_HZ["greeting"])
    complaints: list[str] = []
    page = clean_page(chromium, complaints, viewport={"width": 1366, "height": 768})
    url = (rig.run_dir / URL).read_text().strip()
    set_up(page, (rig.state_dir / "setup-code").read_text().strip(), url)
    page.goto(f"{url}flows/edit/main.yaml")
    greeting = page.locator('.flow-node[data-name="greeting"]')
    expect(greeting).to_be_visible()

    box = page.locator("#picture").bounding_box()
    kind = page.locator("[data-put=play]").bounding_box()
    assert box and kind
    page.mouse.move(kind["x"] + 30, kind["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 400, steps=5)
    page.mouse.up()
    added = page.locator('.flow-node[data-name="play"]')
    expect(added).to_be_visible()
    added.click()
    page.locator("#f-prompt-0").fill("busy")
    page.locator("#f-prompt-0").press("Enter")
    expect(added.locator(".about")).to_contain_text("busy")
    page.locator("#w-next").select_option("menu")
    expect(page.locator('.wire[data-from="play"][data-to="menu"]')).to_be_attached()
    grip = greeting.locator(".way").first.locator(".grip").bounding_box()
    target = added.locator(".body").bounding_box()
    assert grip and target
    page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
    page.mouse.down()
    page.mouse.move(target["x"] + 40, target["y"] + 15, steps=5)
    page.mouse.up()
    expect(page.locator('.wire[data-from="greeting"][data-to="play"]')).to_be_attached()
    expect(page.locator("#marks")).to_contain_text("No mistakes")

    page.locator("[data-act=try]").click()
    expect(page.locator("#awaits")).to_have_text("Waits for a key.")
    expect(added).to_have_attribute("data-lit", "")
    page.locator("[data-key='1']").click()
    expect(page.locator("#awaits")).to_contain_text("queue sales")
    page.locator("[data-act=publish]").click()
    page.get_by_label("Why, in a few words").fill("a word before the menu")
    page.get_by_role("button", name="Publish it now").click()
    expect(page.locator("#flow-standing")).to_contain_text("Version 2 of admin")

    new = rig.telco.place_call(called="5001", calling=new_number()).answered()
    new.wait_to_hear(hz=PROMPT_HZ["greeting"])
    new.wait_to_hear(hz=PROMPT_HZ["busy"])        # the new prompt, in the audio
    new.wait_to_hear(hz=PROMPT_HZ["menu"])
    new.hang_up()
    page.locator("[data-trial=close]").click()
    page.get_by_label("Callers of").select_option("today")
    expect(greeting.locator(".counted text")).to_have_text("2")
    caller.hang_up()
    assert complaints == []
