"""A queue asks for less, by the page, while a caller waits: somebody else is rung at once; calls go on."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from appliance.bus.messages import GetCrew, GetDocumentHistory
from appliance.config.load import load
from tests.e2e.calls import call_in, contact_of, exchange_sequences, pick_up, talk, wait_agent
from tests.e2e.rig import CONFIG, MUSIC_HZ, Rig
from tests.webui.browser import chromium_running, clean_page, set_up
from webui.centre.effect import serves


@pytest.fixture(scope="module")
def rig_options() -> dict[str, Any]:
    centre = CONFIG["centre"]
    queue = {**centre["queues"][0], "skills": {"sales": 5}, "ring_s": 30.0}
    del queue["agents"]
    levels = {"zhang": 5, "li": 3, "wang": 1}
    return {"config": {**CONFIG, "web": {"port": 0, "language": "en"}, "centre": {
        **centre, "queues": [queue, centre["queues"][1]],
        "agents": [{**one, "skills": {"sales": levels[one["name"]]}} for one in centre["agents"]]}}}


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.mark.need(16)
def test_a_skill_is_lowered_while_somebody_waits_and_rolled_back(rig: Rig, chromium: Browser) -> None:
    first = talk(rig)                             # zhang, the only one who may
    assert first.agent.called == "801"
    waits = call_in(rig)
    waits.wait_to_hear(hz=MUSIC_HZ)
    assert contact_of(rig, waits.calling, "queue").queue == "sales"

    complaints: list[str] = []
    page = clean_page(chromium, complaints, viewport={"width": 1366, "height": 900})
    url = (rig.run_dir / "web.url").read_text().strip().rstrip("/")
    set_up(page, (rig.state_dir / "setup-code").read_text().strip(), url)
    page.goto(f"{url}/centre/queues/of/sales")
    page.get_by_label("Required skills").fill("sales:3")
    page.get_by_role("button", name="What would change?").click()
    row = page.locator("#effect tbody tr", has_text="sales")
    expect(row).to_contain_text(re.compile(r"1 → 2\s*1 → 2\s*–\s*li"))
    page.get_by_label("Why").fill("nobody else is there")
    page.get_by_role("button", name="Change it now").click()

    second = rig.pbx.wait_for_call()              # the caller who waits is offered to li at once
    assert (second.called, second.calling) == ("802", waits.calling)
    expect(page.locator(".things .chip", has_text="sales 3")).to_be_visible()
    second.alert()
    pick_up(waits, second)
    served = {one.agent.name: one.serves for one in rig.bus.ask(GetCrew()).agents}
    assert served == {"zhang": {"sales": 0}, "li": {"sales": 0}, "wang": {"service": 0}}
    centre = load(rig.config_path).centre         # what the preview goes by is what acdd does
    assert served == {one.name: serves(one, centre.queues) for one in centre.agents}

    page.goto(f"{url}/configuration/versions/1")
    page.get_by_label("Why").fill("it was for an hour")
    page.get_by_role("button", name="Roll back").click()
    expect(page.locator("#history")).to_contain_text("it was for an hour")
    newest = rig.bus.ask(GetDocumentHistory()).versions
    key = "centre.queues.sales.skills.sales"
    assert [(one.number, one.kind, one.keys) for one in newest[:2]] == [
        (3, "rollback", [key]), (2, "commit", [key])]
    served = {one.agent.name: one.serves for one in rig.bus.ask(GetCrew()).agents}
    assert served["li"] == {}
    for one in (first, (waits, second)):          # both have gone on through all of it
        exchange_sequences(*one, seed=7)
    for calling in (first.caller.calling, waits.calling):
        assert contact_of(rig, calling, "talking").agent in ("zhang", "li")
    waits.hang_up()
    first.caller.hang_up()
    wait_agent(rig, "li", "ready")

    assert complaints == [] and rig.complaints() == []
