"""The pages of the box in Debian's Chromium: an update watched over the box's start, an installed box set up.

The second is served by a real boxd over a real bus, with root's own verbs below a folder of the test's.
"""

import itertools
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from appliance.bus.messages import InstallUpdate
from tests.box.provision.rooted import Root
from tests.box.provision.test_applying import Bench
from tests.conftest import ROOT, free_port
from tests.webui.boxes import RELEASE, installed, rehearsed, unfit
from tests.webui.browser import SHOTS, chromium_running, clean_page, until
from tests.webui.conftest import NAME, PASSWORD, FakeExchange
from tests.webui.facts import Branch
from tests.webui.running import PATIENCE_S, webui_at
from webui import create_app
from webui.parts import Settings
from webui.seen import Seen
from webui.server import Server
from webui.users import Users


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


def shoot(page: Page, name: str, language: str) -> None:
    """A picture; nothing may be wider than the screen, everything that is filled in has a name."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.wait_for_load_state()
    for width in (1366, 800):
        page.set_viewport_size({"width": width, "height": 768})
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, f"{name}: {wider} px wider than {width}"
    page.set_viewport_size({"width": 1366, "height": 768})
    fields = page.locator("input:visible:not([type=hidden]), select:visible, button:visible")
    for element in fields.element_handles():
        assert element.evaluate("""one => (one.labels?.length && one.labels[0].textContent.trim())
            || one.textContent.trim() || one.ariaLabel"""), element.evaluate("one => one.outerHTML")
    page.screenshot(path=SHOTS / f"box-{name}-{language}.png", full_page=True)


def speak(page: Page, url: str, language: str, scheme: Literal["light", "dark"] = "light") -> None:
    page.context.add_cookies([{"name": "language", "value": language, "url": url}])
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")


class Site:
    """The pages of a box whose webui can start anew."""

    def __init__(self, exchange: FakeExchange, users: Users, seen: Seen, settings: Settings) -> None:
        self.exchange, self._rest, self._port = exchange, (users, seen, settings), free_port()
        self.start()

    def start(self) -> None:
        self._server = Server(create_app(self.exchange, *self._rest), "127.0.0.1", self._port)
        self.url = self._server.url
        self._server.start()

    def stop(self) -> None:
        self.exchange.mirror.close()
        self._server.stop()


@pytest.fixture
def site(exchange: FakeExchange, users: Users, seen: Seen, settings: Settings) -> Iterator[Site]:
    users.create_first(NAME, PASSWORD)
    site = Site(exchange, users, seen, settings)
    yield site
    site.stop()


@pytest.fixture
def served(site: Site) -> str:
    return site.url


@pytest.fixture
def page(chromium: Browser, served: str) -> Iterator[Page]:
    complaints: list[str] = []
    page = clean_page(chromium, complaints, viewport={"width": 1366, "height": 768})
    page.goto(f"{served}login?next=/box/")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#condition")).to_be_visible()
    yield page
    assert [one for one in complaints if "ERR_" not in one and "409" not in one] == []
    page.context.close()


def test_a_laptop_and_a_box_in_both_languages(
        page: Page, served: str, exchange: FakeExchange, branch: Branch, settings: Settings,
        tmp_path: Path) -> None:
    for language, path in itertools.product(("en", "zh"), ("", "update/", "support", "settings/")):
        speak(page, served, language)
        page.goto(f"{served}box/{path}")
        shoot(page, f"laptop-{path.strip('/') or 'overview'}", language)
    installed(branch)
    branch.update = rehearsed(tmp_path / "esp")[-1]
    settings.release.write_text(RELEASE)
    page.goto(f"{served}box/")
    exchange.tell()                               # without a reload
    for language, scheme in (("en", "light"), ("zh", "dark")):
        speak(page, served, language, scheme)     # type: ignore[arg-type]
        page.goto(f"{served}box/")
        expect(page.locator("#parts .lamp").first).to_be_visible()
        shoot(page, "degraded", language)
    unfit(branch)
    exchange.tell()
    expect(page.locator("#condition")).to_have_attribute("data-state", "unfit")
    shoot(page, "unfit", "zh")


@pytest.mark.need(19)
def test_an_update_is_begun_by_keys_and_watched_over_the_start_of_the_box(
        page: Page, site: Site, branch: Branch, settings: Settings, tmp_path: Path) -> None:
    served, exchange = site.url, site.exchange
    said = rehearsed(tmp_path / "esp", "no D-channel")
    branch.update = said[0]
    exchange.tell()
    page.goto(f"{served}box/update/")
    page.get_by_role("radio", name="on a USB stick in the box").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("https://hub.example/branchline-2.0.raucb")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("ticket 4711")
    assert page.get_by_label("Why").first.input_value() == "ticket 4711"
    shoot(page, "update-begin", "en")
    bundle = tmp_path / "branchline-2.0.raucb"
    bundle.write_bytes(os.urandom(200_000))
    page.get_by_role("radio", name="on this computer:").check()
    page.get_by_label("File of the bundle").set_input_files(bundle)
    page.get_by_label("The box will start anew.").first.check()
    page.get_by_role("button", name="Begin the update").click()
    until(page, lambda: branch.asked[-1:] == [
        InstallUpdate(source="upload:branchline-2.0.raucb", begin="quiet", by=NAME)])
    assert (settings.state / "uploads" / bundle.name).read_bytes() == bundle.read_bytes()
    page.wait_for_url(f"{served}box/update/")
    seen: set[str] = set()
    for reply in said[1:]:
        phase = reply.state.phase
        exchange.mirror.load(reply)
        if phase in seen or phase == "idle" or (phase == "on trial" and not reply.state.saying):
            continue
        seen.add(phase)
        expect(page.locator("#going progress")).to_have_attribute("value", str(reply.state.percent))
        if phase == "draining":
            page.get_by_text("Do not wait any longer").click()
            expect(page.get_by_role("button", name="Go on now")).to_be_visible()
        if phase == "rebooting":
            site.stop()
            expect(page.locator("#live")).to_have_attribute("data-now", "lost")
            expect(page.locator("#going")).to_contain_text("The box starts anew.")
            exchange = site.exchange = FakeExchange(branch)
            exchange.mirror.load(reply)
            site.start()
            expect(page.locator("#live")).to_have_attribute("data-now", "live")
        if phase in ("draining", "rebooting", "on trial", "returning"):
            shoot(page, f"update-{phase.replace(' ', '-')}", "en")
    assert {"fetching", "draining", "rebooting", "on trial", "returning"} <= seen
    expect(page.locator("#past")).to_contain_text("rolled back")
    expect(page.locator("#past")).to_contain_text("the D-channel of span telco1 is down")
    speak(page, served, "zh", "dark")
    for reply in said:
        if reply.state.phase == "on trial" and reply.state.saying:
            exchange.mirror.load(reply)
            page.goto(f"{served}box/update/")
            shoot(page, f"update-{reply.state.phase.replace(' ', '-')}", "zh")
            break
    exchange.mirror.load(said[-1])
    page.goto(f"{served}box/update/")
    shoot(page, "update-over", "zh")


@pytest.mark.need(14)
def test_an_installed_box_is_set_up_moved_and_erased(
        chromium: Browser, bus_server: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path / "root")
    bench.kept.boot()
    (bench.kept.root / "data").mkdir(exist_ok=True)
    root = Root(bus_server, bench)
    complaints: list[str] = []
    with webui_at(bus_server) as (web, url), (bus_server / "boxd.log").open("wb") as log:
        boxd = subprocess.Popen(
            [sys.executable, "-m", "appliance.box.daemon", "--config", bus_server / "box.yaml", "--state-dir",
             web.state_dir, "--run-dir", bus_server], cwd=ROOT, stdout=log, stderr=log, env=os.environ)
        try:
            page = clean_page(chromium, complaints, viewport={"width": 1366, "height": 768})
            page.goto(url)
            until(page, lambda: "boxd is up" in Path(log.name).read_text())
            page.get_by_label("Set-up code").fill(web.setup_code())
            page.get_by_label("Password", exact=False).nth(0).fill(PASSWORD)
            page.get_by_label("Password again").fill(PASSWORD)
            page.keyboard.press("Enter")
            drive(page, url, bench)
            page.get_by_text("Erase everything").click()
            page.get_by_label("To do it type").fill(socket.gethostname())
            page.locator("#reset").get_by_label("Your password").fill(PASSWORD)
            page.locator("#reset").get_by_label("Why").fill("sold")
            page.get_by_label("All of it").check()
            page.get_by_role("button", name="Erase and start anew").click()
            expect(page.get_by_role("heading", name="The box erases itself")).to_be_visible()
            assert ((bench.kept.root / "data/factory-reset").exists(), root.reboots) == (True, 1)
            assert [one for one in complaints if "409" not in one] == []
            page.context.close()
        finally:
            boxd.terminate()
            boxd.wait(PATIENCE_S)
            root.close()


def drive(page: Page, url: str, bench: Bench) -> None:
    """From a new box to one whose network was changed and kept."""
    expect(page).to_have_url(f"{url}first/language", timeout=PATIENCE_S * 1000)    # the first run begins
    page.goto(f"{url}first/network")
    expect(page.get_by_label("Claim code")).to_be_visible(timeout=PATIENCE_S * 1000)
    page.goto(f"{url}box/settings/")
    expect(page.get_by_role("heading", name="A new box")).to_be_visible(timeout=PATIENCE_S * 1000)
    for language in ("zh", "en"):
        speak(page, url, language)
        page.goto(f"{url}box/settings/")
        shoot(page, "new", language)
    page.get_by_label("Claim code").fill("AAAA")
    page.get_by_label("Name of the box").fill("box-8")
    page.get_by_label("IPv4", exact=True).fill("dhcp")
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_role("alert")).to_contain_text("not the box's claim code")
    page.get_by_label("Claim code").fill(bench.kept.claim_code())
    page.get_by_label("NTP servers").fill("not_a host")
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_role("alert")).to_contain_text("time.ntp")
    page.get_by_label("NTP servers").fill("ntp1.example")
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_role("heading", name="This is what the box will be")).to_be_visible()
    assert bench.kept.provisioned() is None
    shoot(page, "new-confirm", "en")
    page.get_by_role("button", name="Provision the box").click()
    expect(page.get_by_role("heading", name="Factory reset")).to_be_visible()
    found = bench.kept.provisioned()
    assert (found and found.document["hostname"], found and found.source) == ("box-8", "web")
    shoot(page, "settings", "en")

    network = page.locator("#network")
    network.get_by_label("IPv4", exact=True).first.fill("dhcp")
    network.get_by_label("Name servers").first.fill("192.0.2.53")
    network.get_by_label("Why").fill("new cabling")
    page.get_by_role("button", name="See what changes").click()
    page.get_by_role("button", name="Try it now").click()
    expect(page.locator("#trial [role=timer]")).to_have_text(re.compile(r"4:\d\d|5:00"))
    shoot(page, "trial", "en")
    speak(page, url, "zh", "dark")
    page.reload()
    shoot(page, "trial", "zh")
    speak(page, url, "en")
    page.reload()
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("#trial")).to_be_hidden()
    expect(page.locator(".document")).to_contain_text("192.0.2.53")
    assert bench.kept.candidate() is None
    page.goto(f"{url}box/")
    expect(page.locator("main")).to_contain_text("Network kept")
    shoot(page, "acts", "en")
    page.goto(f"{url}box/settings/")
