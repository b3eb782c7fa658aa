"""A supervisor at the floor's pages of a whole box: what is clicked in Chromium is heard at the telephones.

Each party says a tone of its own, so that a set of tones tells whom somebody hears.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.calls import branchline, call_in, contact_of, pick_up, ring, wait_agent
from tests.e2e.rig import CONFIG, Rig
from tests.e2e.test_desk import AGENT, CUSTOMER, THIRD, answer, talking, wait_to_hear_just
from tests.webui.browser import SHOTS, chromium_running, clean_page, set_up
from tests.webui.conftest import NAME, PASSWORD

pytestmark = pytest.mark.usefixtures("left_idle")

OWN = "810"                                       # the supervisor's extension, no agent's


@pytest.fixture(scope="module")
def rig_options() -> dict[str, Any]:
    return {"config": {**CONFIG, "web": {"port": 0, "language": "en"}}}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture
def page(box: Rig, chromium: Browser) -> Iterator[Page]:
    """Signed in, with a telephone of his own; nothing may be left in the console."""
    complaints: list[str] = []
    url = (box.run_dir / "web.url").read_text().strip()
    page = clean_page(chromium, complaints, base_url=url, viewport={"width": 1366, "height": 900})
    if (code := box.state_dir / "setup-code").exists():
        set_up(page, code.read_text().strip(), url)
    else:
        page.goto(url)
        page.get_by_label("Name").fill(NAME)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#live")).to_have_attribute("data-now", "live")
    yield page
    page.context.close()
    assert [one for one in complaints if "status of 422" not in one] == []    # the telephone that is none


def test_a_supervisor_hears_whispers_barges_in_ends_a_talk_and_sets_states(box: Rig, page: Page) -> None:
    caller, agent, name = talking(box)
    page.goto("/floor/")
    row = page.locator("#calls tbody tr", has_text=caller.calling)
    expect(row.locator(".state")).to_have_text("Talking")

    # The telephone is asked for first, and has to be one.
    page.get_by_role("button", name=f"Listen to {name}").click()
    expect(page.get_by_text("First say at which telephone")).to_be_visible()
    page.get_by_label("Extension, number or agent's name").fill("x99")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("#wrong")).to_contain_text("x99 is no agent and no extension")
    page.get_by_label("Extension, number or agent's name").fill(OWN)
    page.get_by_role("button", name="Keep").click()

    page.get_by_role("button", name=f"Listen to {name}").click()
    expect(row.locator(".hearing")).to_have_text(f"{OWN} · listens · is rung")
    boss = answer(box, OWN)
    expect(row.locator(".hearing")).to_have_text(f"{OWN} · listens")
    wait_to_hear_just(boss, CUSTOMER, AGENT)
    wait_to_hear_just(agent, CUSTOMER)
    wait_to_hear_just(caller, AGENT)
    page.screenshot(path=SHOTS / "e2e-floor.png")

    # The agent hears who whispers, the customer does not.
    row.locator("a.row").click()
    expect(page.locator(".call-path")).to_contain_text(f"Why {name}")
    page.get_by_role("button", name="Whisper").click()
    expect(page.get_by_role("button", name="Whisper")).to_have_attribute("aria-pressed", "true")
    wait_to_hear_just(agent, CUSTOMER, THIRD)
    wait_to_hear_just(caller, AGENT)
    wait_to_hear_just(boss, CUSTOMER, AGENT)

    # All three hear each other.
    page.get_by_role("button", name="Barge in").click()
    wait_to_hear_just(caller, AGENT, THIRD)
    wait_to_hear_just(agent, CUSTOMER, THIRD)
    wait_to_hear_just(boss, CUSTOMER, AGENT)
    page.screenshot(path=SHOTS / "e2e-floor-call.png")

    # Both are cut off, and so is who heard them.
    page.get_by_role("link", name="End the talk").click()
    page.get_by_role("button", name="End the talk").click()
    for call in (caller, agent, boss):
        call.wait_for("RELEASED")
    expect(page.get_by_text(f"The talk of {name} was ended.")).to_be_visible()
    contact = contact_of(box, caller.calling)
    assert (contact.outcome, contact.ended_by) == ("answered", "box")

    # Who is made not ready is not rung, the other one is.
    wait_agent(box, name, "ready")
    page.get_by_label("Reason").fill("training")
    page.get_by_role("button", name="Make not ready").click()
    expect(page.locator("#agent h1 .state")).to_have_text("Not ready")
    other = {"zhang": "802", "li": "801"}[name]
    second, rung = ring(box)
    assert rung.called == other
    second.hang_up()
    rung.wait_for("RELEASED")
    page.get_by_role("button", name="Make ready").click()
    expect(page.locator("#agent h1 .state")).to_have_text("Ready")

    # Who went before anybody talked to him is in the list, with what became of it.
    page.goto("/floor/missed")
    missed = page.locator("#lists tbody tr", has_text=second.calling)
    expect(missed).to_contain_text("an agent's telephone rang")
    missed.get_by_text("Write off").click()
    missed.get_by_label("What came of it, in a word").fill("wrote a mail")
    missed.get_by_role("button", name="Note it").click()
    expect(page.get_by_text("It is noted: wrote a mail.")).to_be_visible()
    expect(missed).to_have_count(0)


def test_who_waits_is_served_by_an_agent_who_is_moved_there_and_the_effect_is_told_before(
        box: Rig, page: Page) -> None:
    """Nobody of sales is there; wang, who serves service, is put there until the log-out."""
    for name in ("zhang", "li"):
        page.goto(f"/floor/agent/{name}")
        page.get_by_role("button", name="Sign the agent out").click()
        wait_agent(box, name, "logged-out")
    caller = call_in(box, "1")
    page.goto("/floor/")
    expect(page.locator("#calls tbody tr", has_text=caller.calling).locator(".state")).to_have_text("Waiting")

    page.get_by_role("link", name="Who serves what").click()
    page.get_by_label("wang").press("Space")
    page.get_by_role("group", name="also serve").get_by_label("sales").press("Space")
    page.get_by_role("button", name="Show the effect").press("Enter")
    effect = page.locator("#effect tbody tr", has_text="sales")
    expect(effect).to_contain_text("0 → 1")
    expect(effect).to_contain_text("nobody is there →")
    page.screenshot(path=SHOTS / "e2e-floor-crew.png", full_page=True)
    assert caller.calling in branchline(box, "queues")   # nothing was done yet

    page.get_by_role("button", name="Do it now").press("Enter")
    agent = box.pbx.wait_for_call()
    assert agent.called == "803"
    agent.alert()
    pick_up(caller, agent)
    expect(page.locator("table.crew tr", has_text="wang")).to_contain_text("added")
    caller.hang_up()
    agent.wait_for("RELEASED")

    # The console sees the same, says what it would do, and takes it back.
    assert [line.split() for line in branchline(box, "agents", "crew").splitlines()] == [
        ["sales", "service"], ["zhang", "yes", "-"], ["li", "yes", "-"],
        ["wang", "yes", "yes", "by", "admin"]]
    told = branchline(box, "agents", "assign", "wang", "--as-configured", "--dry-run").splitlines()
    assert told[0].startswith("sales           agents 3 -> 2, logged in 1 -> 0, wait ")
    branchline(box, "agents", "assign", "wang", "--as-configured")
    page.reload()
    expect(page.locator("table.crew tr", has_text="wang")).not_to_contain_text("added")
    for name in ("zhang", "li"):
        branchline(box, "agents", "log-in", name, "--ready")
        wait_agent(box, name, "ready")
