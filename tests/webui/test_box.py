"""The pages of the box over what boxd says: a laptop, a board, an update, a new box, acts and reasons."""

import asyncio
import html
import json
import os
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from appliance.box.update import fetching
from appliance.box.update.driving import UpdateError
from appliance.box.update.hands import BoxHands
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    ChangeProvision,
    ConfirmNetwork,
    Done,
    GetProvision,
    GetSupport,
    GoBack,
    HurryUpdate,
    InstallUpdate,
    MakeSupport,
    Provide,
    ProvisionReply,
    Reply,
    Request,
    ResetBox,
    SupportReply,
    TryNetwork,
    UpdateReply,
)
from tests.webui.boxes import RELEASE, installed, rehearsed, unfit
from tests.webui.conftest import NAME, PASSWORD, FakeExchange, token
from tests.webui.facts import Branch
from webui import box_views
from webui.parts import Settings

PAGES = ("/box/", "/box/update/", "/box/support", "/box/settings/")
CHINESE = re.compile("[\u4e00-\u9fff]")
REASONED = {"why": "ticket 4711", "sure": "yes"}
DOCUMENT = """hostname: box-7
time_zone: Asia/Shanghai
network:
- {port: enp1s0, ipv4: 192.0.2.10/24, gateway4: 192.0.2.1, ipv6: auto, dns: [192.0.2.53], search: []}
- {port: enp2s0, ipv4: 'off', ipv6: '2001:db8::10/64', dns: [], search: []}
time: {ntp: [], ptp: {port: enp1s0, domain: 0}}
admin_keys: [ssh-ed25519 AAAA anna]
"""


class Root:
    """What boxd's root says of the box's own settings, and what was asked of boxd."""

    def __init__(self) -> None:
        self.provisioned, self.trial_left_s, self.refusal = True, 0.0, ""
        self.bundle = Path("none")
        self.did: list[Request[Any]] = []

    def answer(self, request: Request[Any]) -> Reply | None:
        match request:
            case GetProvision():
                return ProvisionReply(provisioned=self.provisioned, source="stick", at=1.9e9, told="",
                                      document=DOCUMENT, trial_left_s=self.trial_left_s, serial="BL-0001")
            case GetSupport():
                return SupportReply(running=False, saying="", path=str(self.bundle), octets=4, at=1.9e9,
                                    missing=["slots: no"], error="")
        if request.reply_type() is not Done:
            return None
        if self.refusal:
            raise Refused(self.refusal)
        self.did.append(request)
        return Done()


@pytest.fixture
def root(exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> Root:
    root, other = Root(), exchange.ask
    monkeypatch.setattr(exchange, "ask", lambda request, timeout_s=2.0: (
        root.answer(request) or other(request, timeout_s)))
    return root


def words(client: FlaskClient, path: str) -> str:
    """What a person reads there."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2])).split())


def send(client: FlaskClient, path: str, **form: str) -> Any:
    return client.post(path, data=form | {"csrf_token": token(client, "/box/")})


def test_a_laptop_says_of_each_part_that_it_has_none_and_offers_nothing(client: FlaskClient) -> None:
    said = " ".join(words(client, path) for path in PAGES)
    for words_ in ("Nothing is wrong with it", "no known board", "No line card is set up",
                   "packages are updated with apt. Nothing can be updated", "no installed box"):
        assert words_ in said, words_
    for path in ("/box/update/", "/box/settings/"):
        acts = re.findall(r'action="(/box[^"]*)"', client.get(path).text)
        assert acts == [], path
    assert not re.search(r'action="/box/identify', client.get("/box/").text)


def test_a_box_whose_boxd_is_away_is_not_taken_for_a_laptop(
        client: FlaskClient, exchange: FakeExchange) -> None:
    exchange.silent.add("boxd")
    for path in ("/box/support", "/box/settings/"):
        assert "boxd, which knows it, cannot be reached" in words(client, path)
    exchange.mirror.check(1e9)
    assert words(client, "/box/").count("not current") == 4


def test_a_board_its_card_its_clocks_and_its_slots(
        client: FlaskClient, exchange: FakeExchange, branch: Branch, settings: Settings,
        tmp_path: Path) -> None:
    installed(branch)
    branch.update = rehearsed(tmp_path / "esp")[-1]
    settings.release.write_text(RELEASE)
    exchange.tell()
    said = words(client, "/box/")
    for part in ("board is warm look at the fan", "degraded", "BL-0001", "62 °C", "4200 rpm", "5.02 V",
                 "The line is with the box", "fit and says so", "the battery's clock", "+12 s", "A 1.0",
                 "B 2.0 runs now", "2026-03-02", "older than 90 days", "test key", "Let card card1 blink",
                 "spand Lines and audio"):
        assert part in said, part
    unfit(branch)
    exchange.tell()
    said = words(client, "/box/")
    for part in ("unfit for calls", "The line is with the old PBX", "trunkd is down",
                 "journalctl -u branchline-trunkd", "relay fell back by itself", "too hot",
                 "has crashed 1 time"):
        assert part in said, part


@pytest.mark.parametrize("new", ["good", "no D-channel", "nothing heard", "does not start", "hangs"])
def test_an_update_in_true_words_from_its_beginning_to_its_end(
        client: FlaskClient, exchange: FakeExchange, tmp_path: Path, new: str) -> None:
    said = rehearsed(tmp_path / "esp", new)
    assert {"fetching", "draining", "rebooting"} <= {one.state.phase for one in said}
    client.set_cookie("language", "zh")
    for reply in said:
        exchange.mirror.load(reply)
        page = client.get("/box/update/").text
        standing = re.search(r'class="standing".*?</div>', page, re.DOTALL)
        assert bool(standing) == (reply.state.phase != "idle")
        for part in re.findall(r"<li[^>]*>(.*?)</li>", standing[0] if standing else ""):
            assert CHINESE.search(part), part
    assert reply.state.phase == "idle"
    past = re.search(r'id="past".*?</section>', client.get("/box/update/").text, re.DOTALL)
    assert past
    assert ("已确认" if new == "good" else "已回退") in past[0]
    assert CHINESE.search(re.findall(r'class="said">(.*?)</td>', past[0])[0])
    assert ("业务中断" in past[0], re.search(r">\d+:\d\d<", past[0]) is not None) == (True, True)


def test_each_state_offers_what_the_box_would_do_then(tmp_path: Path) -> None:
    offered = {(one.state.phase, box_views.update(floor(one)).acts)
               for new in ("good", "no D-channel") for one in rehearsed(tmp_path / new.replace(" ", ""), new)
               if one.state.slot}
    assert offered >= {
        ("fetching", ("cancel",)), ("checking", ("cancel",)), ("installing", ("cancel",)),
        ("draining", ("hurry", "cancel")), ("rebooting", ()), ("on trial", ("confirm", "back")),
        ("returning", ()), ("idle", ("begin", "back"))}
    steps = [[step.state for step in box_views.update(floor(one)).steps]
             for one in rehearsed(tmp_path / "steps", "no D-channel")]
    assert ["done"] * 5 + ["bad", "now"] in steps
    assert ["now"] + ["ahead"] * 6 in steps


def floor(reply: UpdateReply) -> Any:
    exchange = FakeExchange(Branch())
    exchange.mirror.load(reply)
    return exchange.mirror.floor


def test_acts_need_a_reason_and_a_word_and_are_kept_with_what_came_of_them(
        client: FlaskClient, root: Root) -> None:
    for form in ({"why": "ticket"}, {"sure": "yes"}, {"why": "  ", "sure": "yes"}):
        assert send(client, "/box/update/hurry", **form).status_code == 409
    assert send(client, "/box/update/install", **REASONED, **{"from": "address", "address": "http://x/b.raucb"}
                ).status_code == 409
    assert send(client, "/box/update/install", **REASONED, begin="at once").status_code == 400
    assert root.did == []
    address = "https://anna:secret@hub.example/b.raucb?token=secret"
    for path, form in (("install", {"from": "address", "address": address, "begin": "quiet"}),
                       ("install", {"from": "usb", "begin": "now"}), ("hurry", {}),
                       ("back", {"begin": "now"})):
        assert send(client, f"/box/update/{path}", **REASONED, **form).location == "/box/update/"
    assert root.did == [InstallUpdate(source=address, begin="quiet", by=NAME),
                        InstallUpdate(source="usb", begin="now", by=NAME), HurryUpdate(by=NAME),
                        GoBack(begin="now", by=NAME)]
    root.refusal = "no update goes on"
    refused = send(client, "/box/update/cancel", **REASONED)
    assert refused.status_code == 409
    assert "no update goes on" in refused.text
    kept = words(client, "/box/")
    assert "Update cancelled ticket 4711 turned down: no update goes on" in kept
    assert kept.count("ticket 4711") == 5
    assert "Update begun https://hub.example/b.raucb, quiet ticket 4711 done" in kept
    assert "secret" not in kept


def test_a_bundle_comes_in_pieces_and_boxd_takes_a_copy(
        client: FlaskClient, root: Root, settings: Settings, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    octets, uploads, bundles = os.urandom(130_000), settings.state / "uploads", tmp_path / "bundles"
    csrf = {"X-CSRFToken": token(client, "/box/")}

    def piece(offset: int, name: str = "v2.raucb", total: int = len(octets)) -> Any:
        return client.post(f"/box/update/pieces?name={name}&offset={offset}&total={total}", headers=csrf,
                           data=octets[offset:offset + 60_000])

    for name, offset, total in (("../v2.raucb", 0, 9), ("v2.zip", 0, 9), ("v2.raucb", 60_000, 130_000),
                                ("v2.raucb", 0, 2 << 30), ("v2.raucb", 0, 10)):
        assert piece(offset, name, total).status_code == 409
    assert piece(0).text == "60000"
    assert piece(60_000).text == "120000"
    assert piece(60_000).status_code == 409       # again: something is lost
    form = {"from": "upload", "upload": "v2.raucb", **REASONED}
    assert send(client, "/box/update/install", **form).status_code == 409
    assert piece(120_000).text == "130000"
    assert send(client, "/box/update/install", **form).status_code == 303
    [asked] = root.did
    assert asked == InstallUpdate(source="upload:v2.raucb", begin="drained", by=NAME)
    bundles.mkdir()
    hands = BoxHands(tmp_path, settings.state, bundles)
    monkeypatch.setattr(fetching, "SPARE_OCTETS", 0)
    said: list[float] = []
    taken = asyncio.run(hands.fetch(asked.source, lambda share, words: said.append(share)))
    assert (taken.read_bytes() == octets, taken.parent, said[-1]) == (True, bundles, 1.0)
    (uploads / "link.raucb").symlink_to("/etc/passwd")
    for name in ("link.raucb", "../users.sqlite", "none.raucb"):
        with pytest.raises(UpdateError, match=re.escape(name)):
            asyncio.run(hands.fetch(f"upload:{name}", lambda share, words: None))
    assert piece(0, "v3.raucb").status_code == 200
    assert sorted(path.name for path in uploads.iterdir()) == ["v3.raucb.part"]


def test_what_boxd_does_not_answer_is_not_known_to_be_done(
        client: FlaskClient, exchange: FakeExchange, root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(request: Request[Any], timeout_s: float = 2.0) -> Reply:
        raise BusError("no answer")
    csrf = token(client, "/box/")
    monkeypatch.setattr(exchange, "ask", silent)
    assert client.post("/box/update/back", data=REASONED | {"csrf_token": csrf}).status_code == 503
    assert "Sent back to the version before drained ticket 4711 not known" in words(client, "/box/")


def test_the_bundle_is_masked_unless_somebody_wants_it_otherwise_and_only_it_is_sent(
        client: FlaskClient, root: Root, settings: Settings, tmp_path: Path) -> None:
    assert "checked" in client.get("/box/support").text
    send(client, "/box/support", mask="yes")
    send(client, "/box/support")
    assert root.did == [MakeSupport(numbers=False), MakeSupport(numbers=True)]
    secret = tmp_path / "users.sqlite"
    assert secret.exists()
    root.bundle = secret
    assert client.get("/box/support.zip").status_code == 404
    settings.support.mkdir()
    root.bundle = settings.support / "branchline-support-box-7.zip"
    root.bundle.write_bytes(b"PK00")
    with client.get("/box/support.zip") as answer:
        assert (answer.data, answer.headers["Content-Disposition"].split("=")[1]) == (
            b"PK00", root.bundle.name)


def test_only_what_was_changed_of_the_settings_is_changed(client: FlaskClient, root: Root) -> None:
    same = {"hostname": "box-7", "time_zone": "Asia/Shanghai", "ntp": "", "hub": "",
            "admin_keys": "ssh-ed25519 AAAA anna", "why": "moved"}
    assert send(client, "/box/settings/own", **same).status_code == 303
    assert root.did == []                         # PTP, which the form has not, stays
    send(client, "/box/settings/own", **same | {
        "hub": "hub.example:7000", "admin_keys": "ssh-ed25519 AAAA anna\n\nssh-ed25519 BBBB bert"})
    assert root.did == [ChangeProvision(by="web", keys={
        "hub": "hub.example:7000", "admin_keys": ["ssh-ed25519 AAAA anna", "ssh-ed25519 BBBB bert"]})]


def test_a_network_is_shown_first_then_tried_then_kept_from_the_new_address(
        client: FlaskClient, root: Root) -> None:
    form = {"port-0": "enp1s0", "ipv4-0": "192.0.2.20/24", "gateway4-0": "192.0.2.1",
            "port-1": "enp2s0", "gone-1": "yes", "port-2": "enp1s0", "vlan-2": "7",
            "ipv6-2": "2001:db8::7/64", "dns-2": "2001:db8::53, 2001:db8::54"}
    assert send(client, "/box/settings/network", **form).status_code == 409        # without a reason
    shown = send(client, "/box/settings/network", **form, why="new cabling").text
    assert root.did == []
    for link in ("http://192.0.2.20/box/settings/", "http://[2001:db8::7]/box/settings/"):
        assert f'href="{link}"' in shown
    kept = html.unescape(re.search(r'name="kept" value="([^"]*)"', shown)[1])      # type: ignore[index]
    assert send(client, "/box/settings/network", kept=kept, why="new cabling").status_code == 303
    [tried] = root.did
    assert tried == TryNetwork(by="web", for_s=300.0, network=[
        {"port": "enp1s0", "ipv4": "192.0.2.20/24", "gateway4": "192.0.2.1"},
        {"port": "enp1s0", "vlan": 7, "ipv6": "2001:db8::7/64", "dns": ["2001:db8::53", "2001:db8::54"]}])
    root.trial_left_s = 250.0
    assert "undone in 4:10" in words(client, "/box/settings/")
    csrf = token(client, "/box/")
    client.post("/box/settings/keep", data={"csrf_token": csrf},
                environ_base={"branchline.address": "::ffff:192.0.2.20"})
    assert root.did[-1] == ConfirmNetwork(through="192.0.2.20", by="web")
    for broken in ("{", "{}", "[1]"):
        assert send(client, "/box/settings/network", kept=broken, why="x").status_code == 400


def test_a_new_box_is_checked_then_provisioned_by_who_has_its_code(client: FlaskClient, root: Root) -> None:
    root.provisioned = False
    form = {"claim": "ABCD", "hostname": "box-8", "ntp": "ntp1.example ntp2.example",
            "ipv4-0": "192.0.2.10/24"}
    root.refusal = "this is not the box's claim code: it is on the label and the console"
    refused = send(client, "/box/settings/first", **form)
    assert (refused.status_code, 'value="box-8"' in refused.text) == (409, True)
    root.refusal = ""
    shown = send(client, "/box/settings/first", **form).text
    kept = html.unescape(re.search(r'name="kept" value="([^"]*)"', shown)[1])      # type: ignore[index]
    assert send(client, "/box/settings/first", kept=kept, claim="ABCD").status_code == 303
    assert [(one.check, one.claim) for one in root.did if isinstance(one, Provide)] == [
        (True, "ABCD"), (False, "ABCD")]
    assert json.loads(kept) == {"hostname": "box-8", "time": {"ntp": ["ntp1.example", "ntp2.example"]},
                                "network": [{"ipv4": "192.0.2.10/24"}]}
    assert "ABCD" not in words(client, "/box/")


def test_what_was_typed_is_there_again_when_the_second_step_is_refused(
        client: FlaskClient, root: Root) -> None:
    root.refusal = "the port is not there"
    ways = json.dumps([{"port": "enp9s0", "vlan": 7, "ipv4": "192.0.2.20/24", "dns": ["192.0.2.54"]}])
    refused = send(client, "/box/settings/network", kept=ways, why="new cabling")
    assert refused.status_code == 409
    for part in ("enp9s0", "7", "192.0.2.20/24", "192.0.2.54"):
        assert f'value="{part}"' in refused.text, part
    root.provisioned = False
    document = {"hostname": "box-8", "time_zone": "Asia/Shanghai", "hub": "hub.example:7000",
                "time": {"ntp": ["a.example", "b.example"]}, "admin_keys": ["ssh-ed25519 AAAA anna"],
                "network": [{"ipv4": "192.0.2.30/24"}]}
    refused = send(client, "/box/settings/first", kept=json.dumps(document), claim="ABCD")
    for part in ("ABCD", "box-8", "Asia/Shanghai", "hub.example:7000", "a.example b.example",
                 "192.0.2.30/24"):
        assert f'value="{part}"' in refused.text, part
    assert "ssh-ed25519 AAAA anna</textarea>" in refused.text
    for broken in ("{", "[" * 20_000, "7", "[1]", '{"time": 1, "network": {"a": 1}}',
                   '{"hostname": [], "time": {"ntp": [1]}, "network": [{"dns": 1, "port": {}, "x": 1}]}'):
        assert send(client, "/box/settings/first", kept=broken, claim="ABCD").status_code == 409, broken


def test_a_factory_reset_needs_name_reason_password_and_word(client: FlaskClient, root: Root) -> None:
    name = socket.gethostname()
    whole = {"name": name, "why": "sold", "sure": "yes", "password": PASSWORD}
    for lacks in ("why", "sure", "password"):
        form = {key: value for key, value in whole.items() if key != lacks}
        assert send(client, "/box/settings/reset", **form).status_code == 409
    others = send(client, "/box/settings/reset", **whole | {"password": "of another"})
    assert others.status_code == 409 and "not your password" in others.text
    assert root.did == []
    assert "erases itself" in send(client, "/box/settings/reset", **whole).text
    assert root.did == [ResetBox(name=name, by="web")]
