"""The line from its pages: channels out of use, tests on a lent line that goes back whatever dies.

Pictures of what was seen go to build/screenshots/e2e-line-*.png.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from appliance.bus.messages import (
    BeginLineTest,
    GetChannels,
    GetLineTest,
    GetSpans,
    LineTestOrder,
    LineTestState,
    SpanState,
    SteerLineTest,
)
from e1_driver import Loop
from tests.e2e.calls import exchange_sequences, talk
from tests.e2e.rig import CONFIG, Rig
from tests.e2e.talk import SOON_S
from tests.webui.browser import SHOTS, chromium_running, clean_page, set_up

LATER_S = 30.0


@pytest.fixture(scope="module")
def rig_options() -> dict[str, object]:
    return {"config": {**CONFIG, "web": {"port": 0, "language": "en"}}}


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


def shoot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"e2e-line-{name}.png", full_page=True)


def call_and_end(box: Rig, seed: int) -> int:
    """A call that is heard both ways; the timeslot on which the agent's telephone rang."""
    caller, agent = talk(box)
    exchange_sequences(caller, agent, seed=seed, seconds=0.5)
    timeslot = agent.timeslot
    caller.hang_up()
    agent.wait_for("RELEASED", SOON_S)
    free(box)
    return timeslot


def free(box: Rig) -> None:
    """No channel has a call; some may be out of use."""
    box.bus.ask_until(GetChannels(), lambda reply: all(
        one.state in ("idle", "blocked") for span in reply.spans for one in span.channels), SOON_S)


def begin(box: Rig, span: str, **order: object) -> str:
    """A test by the bus; its name, when it runs."""
    asked = LineTestOrder(**{"kind": "bert", "for_s": 600.0, **order})       # type: ignore[arg-type]
    name = box.bus.ask(BeginLineTest(span=span, order=asked, by="admin")).test.test
    box.bus.wait_latest(
        LineTestState, lambda said: said.test.test == name and said.test.passed_s > 0, LATER_S)
    return name


def in_service(box: Rig, span: str) -> None:
    box.bus.ask_until(GetSpans(), lambda reply: any(
        one.span == span and one.up and not one.lent for one in reply.spans), LATER_S)
    box.wait_links_up(LATER_S)


def process_testing(span: str, folder: Path) -> int:
    """The process that tests a line of this rig."""
    found = subprocess.run(["pgrep", "-f", f"e1_driver.ctl.steered.*{folder}.*{span}"],
                           capture_output=True, text=True, check=True).stdout.split()
    [pid] = found
    return int(pid)


@pytest.mark.need(12)
def test_an_installer_takes_channels_out_and_tests_the_line_on_its_pages(box: Rig, chromium: Browser) -> None:
    complaints: list[str] = []
    page = clean_page(chromium, complaints, viewport={"width": 1366, "height": 768})
    url = (box.run_dir / "web.url").read_text().strip().rstrip("/")
    set_up(page, (box.state_dir / "setup-code").read_text().strip(), url)
    usual = call_and_end(box, seed=1)

    # One channel out of use while a call is on it: the call goes on, the next takes another.
    page.goto(f"{url}/spans/pbx1")
    caller, agent = talk(box)
    slot = page.locator(f"#channels li[data-key='{agent.timeslot}']")
    assert agent.timeslot == usual
    expect(slot).to_contain_text("Talking")
    expect(slot.get_by_role("link")).to_have_text(caller.calling)
    slot.get_by_role("checkbox").check()
    page.get_by_role("button", name="Take out of use").click()
    expect(slot).to_contain_text("then out of use")
    expect(page.locator("#channels [data-key=draining]")).to_contain_text("1 call still")
    shoot(page, "draining")
    exchange_sequences(caller, agent, seed=2, seconds=0.5)
    caller.hang_up()
    agent.wait_for("RELEASED", SOON_S)
    expect(slot).to_contain_text("taken out of use")
    expect(slot).to_contain_text("by admin")
    assert call_and_end(box, seed=3) != usual
    slot.get_by_role("checkbox").check()
    page.get_by_role("button", name="Bring back", exact=True).click()
    expect(slot).to_contain_text("idle")
    assert call_and_end(box, seed=4) == usual

    # What would happen to a call, by acdd's own rules, and the trunk that takes it.
    page.goto(f"{url}/lines/?trunk=telco&called=5001&calling=13800138000")
    expect(page.locator(".explained .goes")).to_contain_text("flow main.yaml: centre.inbound: 5001")
    page.goto(f"{url}/lines/?trunk=pbx&called=913800138000")
    expect(page.locator(".explained .goes")).to_contain_text("goes out: 13800138000 by trunk telco")
    expect(page.locator(".explained [data-takes]")).to_contain_text("takes it now, 30 channels are free")
    shoot(page, "explained")

    # No test while a call is on the line.
    caller, agent = talk(box)
    page.goto(f"{url}/lines/telco1/tests/")
    expect(page.locator("#hinders")).to_contain_text("1 call is on this line")
    page.get_by_role("button", name="Begin").first.click()
    expect(page.get_by_role("alert")).to_contain_text("carries 1 call")
    caller.hang_up()
    agent.wait_for("RELEASED", SOON_S)
    free(box)

    # Bit errors over a loop at the far end, left to itself and come back to.
    box.telco.line.span.loop(Loop.PAYLOAD)
    page.goto(f"{url}/lines/telco1/tests/")
    expect(page.locator("#hinders")).to_contain_text("a test can begin")
    page.get_by_label("How long").first.select_option("60")
    page.get_by_role("button", name="Begin").first.click()
    expect(page.locator("#test .facts")).to_contain_text("in step")
    shoot(page, "bert-runs")
    here = page.url
    page.goto(f"{url}/lines/")
    expect(page.locator("#trunk-telco")).to_contain_text("under test")
    page.goto(here)
    page.get_by_role("button", name="Stop the test").click()
    expect(page.locator("#test .headline")).to_contain_text("No error in")
    expect(page.locator("#test header .lamp")).to_have_text("no error")
    shoot(page, "bert-result")
    box.telco.line.span.loop(Loop.NONE)
    in_service(box, "telco1")
    call_and_end(box, seed=5)
    assert not [one for one in complaints if "409" not in one], complaints


@pytest.mark.need(12)
def test_a_verdict_asks_who_is_at_the_line_and_is_kept_with_its_papers(box: Rig) -> None:
    box.telco.faults.los = True
    name = begin(box, "telco1", kind="verdict", for_s=1.0, plugs=True, site="cellar")
    asked: set[str] = set()
    while True:
        said = box.bus.wait_latest(
            LineTestState, lambda said: said.test.test == name and said.test.state in ("asking", "ended"),
            LATER_S)
        if said.test.state == "ended":
            break
        assert said.test.ask["zh"]
        asked.add(said.test.ask["en"])
        box.bus.ask(SteerLineTest(test=name, word="skip"))       # nobody is at the line
    assert any("loop plug" in text for text in asked)
    reply = box.bus.ask(GetLineTest(test=name))
    assert reply.test.outcome == reply.facts["fault"] != "nothing wrong"
    for language in ("en", "zh"):
        assert reply.facts["texts"][language]["headline"]
        text = subprocess.run(["pdftotext", reply.test.papers[language], "-"], capture_output=True, text=True,
                              check=True).stdout
        assert "cellar" in text
    box.telco.faults.los = False
    in_service(box, "telco1")
    call_and_end(box, seed=6)


@pytest.mark.parametrize("killed", ["tester", "boxd"])
def test_the_line_goes_back_to_service_whatever_is_killed(box: Rig, killed: str) -> None:
    name = begin(box, "telco1")
    assert box.bus.latest(SpanState, lambda state: state.span == "telco1").lent      # type: ignore[union-attr]
    if killed == "tester":
        os.kill(process_testing("telco1", box.folder), signal.SIGKILL)
        ended = box.bus.wait_latest(
            LineTestState, lambda said: said.test.test == name and said.test.state == "ended", LATER_S)
        assert ended.test.outcome == "failed"
    else:
        box.kill("boxd")
    in_service(box, "telco1")
    if killed == "boxd":
        box.start("boxd")
        assert box.bus.ask_until(GetLineTest(test=name), lambda reply: reply.test.state == "ended",
                                 SOON_S).test.outcome == "broken-off"
    call_and_end(box, seed=7)
    assert all(channel.state == "idle" for span in box.bus.ask(GetChannels()).spans
               for channel in span.channels)
    with pytest.raises(subprocess.CalledProcessError):
        process_testing("telco1", box.folder)


