"""The fleet's commands as a person gives them, on boxes whose SSH server is boxd's own."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncssh
import msgspec
import pytest

from appliance.fleet import pushing
from tests.fleet.boxes import BUNDLE, DOCUMENT
from tests.fleet.fleets import Fleet, fleet

BOXES = 50
HANGS, REFUSES, LOCKED, LIES, DIES, BACK = 7, 8, 9, 10, 3, 4
FAULTS: dict[int, dict[str, Any]] = {
    HANGS: {"hangs": True}, LOCKED: {"keys": []}, DIES: {"after": "dies"}, BACK: {"after": "rolled back"},
    51: {"document": True}, 52: {"document": True}, 53: {"document": True, "cut_off": True},
    54: {"document": True}, 55: {"document": True}}
NOBODY = 9                                        # a port at which nobody listens


@pytest.fixture(scope="module")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with fleet(tmp_path_factory.mktemp("fleet")) as made:
        made.start([made.spec(number, **FAULTS.get(number, {})) for number in range(1, 56)
                    if number != REFUSES])
        yield made


Take = Callable[..., Fleet]


@pytest.fixture
def take(everybody: Fleet, tmp_path: Path) -> Take:
    """These boxes, by number, and an inventory of one's own."""
    def some(*numbers: int) -> Fleet:
        found = everybody.with_inventory(tmp_path)
        found.where = {f"box{number}": everybody.where[f"box{number}"] for number in numbers}
        return found
    return some


@pytest.mark.need(19)
def test_the_report_of_fifty_boxes_of_which_some_are_bad_is_true(take: Take) -> None:
    boxes = take(*(number for number in range(1, BOXES + 1) if number != REFUSES))
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode()
    boxes.where[f"box{LIES}"] = msgspec.structs.replace(
        boxes.where[f"box{LIES}"], host_key=" ".join(other.split()[:2]))
    boxes.enrolled({"name": f"box{REFUSES}", "address": f"127.0.1.{REFUSES}", "port": NOBODY, "user": "noc",
                    "host_key": boxes.where["box1"].host_key})

    # Version is asked of all of them at once; who hangs takes nobody else's time.
    answers = boxes.json("show", "--all", "version", "--connect-timeout", "3", status=1)
    found = {one["box"]: one for one in answers}
    bad = {f"box{HANGS}": "unreachable", f"box{REFUSES}": "unreachable", f"box{LOCKED}": "refused",
           f"box{LIES}": "wrong host key"}
    assert {box: one["state"] for box, one in found.items() if one["state"] != "done"} == bad
    assert found[f"box{REFUSES}"]["why"] == "Connection refused"
    assert found[f"box{HANGS}"]["why"] == "no answer in 3 s"
    assert "shows another host key than the pinned one" in found[f"box{LIES}"]["why"]
    assert {one["answer"]["version"] for one in found.values() if one["answer"]} == {"1.0"}

    # One of the first wave dies in the middle, one goes back: the others are what they say they are.
    healthy = [f"box{number}" for number in (1, 2, DIES, BACK, 5, 6, 11, 12)]
    picked = [word for box in healthy for word in ("-b", box)]
    told = boxes.json("update", "https://updates/2.raucb", "--version", "2.0", "--waves", "6",
                      "--soak", "0", "--within", "10", "--every", "0.05", *picked, status=75)
    states = {one["box"]: one["state"] for one in told["boxes"]}
    assert states == {**dict.fromkeys(healthy, "done"), f"box{DIES}": "unknown", f"box{BACK}": "failed",
                      "box11": "not begun", "box12": "not begun"}
    why = {one["box"]: one["why"] for one in told["boxes"]}
    assert why[f"box{DIES}"].startswith("given up after 10 s; last seen: ")
    assert why[f"box{BACK}"] == "rolled back: span telco1: its line did not come up"
    assert told["stopped"] == "wave 1 of 2: 2 of 6 boxes did not do it, at most 0 may"
    assert not told["good"]
    versions = {one["box"]: one["answer"] and one["answer"]["version"] for one in
                boxes.json("show", "version", *picked, "--connect-timeout", "2", status=1)}
    new = dict.fromkeys(("box1", "box2", "box5", "box6"), "2.0")
    assert versions == {**dict.fromkeys(healthy, "1.0"), **new, f"box{DIES}": None}
    assert boxes.json("report", status=75)["boxes"] == told["boxes"]


def test_who_is_enrolled_has_shown_the_right_code_and_nothing_goes_to_anybody_else(
        take: Take, tmp_path: Path) -> None:
    boxes = take(13, 14)
    where = boxes.where["box13"]
    for at in boxes.where.values():
        added = boxes.does("add", at.name, at.address, "--port", str(at.port), "--user", "noc")
        assert added.exit_code == 0
    refused = boxes.does("run", "--all", "show version")
    assert refused.exit_code == 1 and "is not enrolled: branchline fleet enrol box13" in refused.output
    wrong = boxes.does("enrol", "box13", "--code", boxes.code("box14"))
    assert wrong.exit_code == 78 and "the code does not fit" in wrong.output
    typed = boxes.code("box13").lower().replace("-", " ") + "\n"
    assert boxes.does("enrol", "box13", stdin=typed).exit_code == 0
    assert f"host_key: {where.host_key}" in boxes.does("export").output
    assert boxes.json("show", "-b", "box13", "version")[0]["state"] == "done"
    Path(tmp_path / "host.pub").write_text(where.host_key)
    Path(tmp_path / "key.pub").write_text(boxes.public)
    assert boxes.does("code", str(tmp_path / "host.pub"), str(tmp_path / "key.pub")).output.strip() == \
        boxes.code("box13")
    shown = boxes.json("show", "-b", "box13", "enrolment")[0]["answer"]
    assert [one["code"] for one in shown["codes"]] == [boxes.code("box13")]


def template(boxes: Fleet, extra: str = "") -> Path:
    """What LightBox has, with a port of the pages that is a value of the box."""
    path = boxes.folder / "template.yaml"
    path.write_text(DOCUMENT + 'console: {address: {{ box.address }}, port: 0, people: '
                    f'[{{name: noc, role: admin, keys: {json.dumps([boxes.public])}}}]}}\n'
                    'web: {port: {{ web_port }}}\n' + extra)
    return path


def test_a_configuration_is_shown_then_pushed_and_a_box_that_it_cuts_off_is_not_done(
        take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "GRACE_S", 3.0 - 30.0)              # it is given up soon
    boxes = take(51, 52, 53, 20)
    ports = {name: {"web_port": 8000 + int(name[3:])} for name in boxes.where}
    boxes.enrolled(**{**ports, "box52": {}})
    at = str(template(boxes))
    missing = boxes.does("push", "config", at, "--all", "--yes")
    assert missing.exit_code == 78
    assert "box52: " in missing.output and "'web_port' is undefined" in missing.output
    boxes.enrolled(**ports)

    # What the person is at work on there is left alone.
    assert boxes.does("run", "-b", "box51", "--", "configure set web.port 8001").exit_code == 0
    [looked] = boxes.json("push", "config", at, "-b", "box51", "--dry-run", status=1)
    assert looked["state"] == "refused" and "noc has a candidate there" in looked["why"]
    mine = boxes.does("run", "-b", "box51", "--", "configure compare")
    assert "8001" in mine.output
    assert boxes.does("run", "-b", "box51", "--", "configure discard").exit_code == 0

    looked = boxes.json("push", "config", at, "--all", "--dry-run", status=1)
    assert [(one["box"], one.get("keys")) for one in looked] == [
        ("box51", ["web.port"]), ("box52", ["web.port"]), ("box53", ["web.port"]), ("box20", None)]
    shown = boxes.does("push", "config", at, "-b", "box5[12]", "--dry-run")
    assert "+web: {port: 8051}" in shown.output and "+web: {port: 8052}" in shown.output

    told = boxes.json("push", "config", at, "--all", "--yes", "--confirm-within", "0.5",
                      "--connect-timeout", "1", "--comment", "ports", "--failures", "4",
                      "--every", "0.2", status=1)
    states = {one["box"]: (one["state"], one["why"]) for one in told["boxes"]}
    assert states["box51"][0] == states["box52"][0] == "done"
    assert states["box53"][0] == "unknown"
    assert "not confirmed, so it goes back by itself" in states["box53"][1]
    assert states["box20"][0] == "unknown"        # nobody answers for its document
    history = boxes.json("show", "history", "-b", "box51")[0]["answer"]
    assert (history["waiting"], history["versions"][0]["state"]) == (0, "confirmed")
    assert history["versions"][0]["comment"].startswith("ports (fleet 2")

    assert boxes.does("compare", "--template", at, "-b", "box51").exit_code == 0
    drift = boxes.json("compare", "--with", "box51", "-b", "box52", status=1)
    assert {one["key"] for one in drift[0]["keys"]} == {"console.address", "web.port"}
    again = boxes.does("push", "config", at, "-b", "box51", "--yes")
    assert again.exit_code == 0 and "every box is like that already" in again.output
    again = boxes.json("push", "config", at, "-b", "box51", "--yes")
    assert again["good"] and again["boxes"][0]["why"] == "is like that already"


def test_files_are_collected_and_a_box_is_replaced_by_another(take: Take, tmp_path: Path) -> None:
    boxes = take(54)
    boxes.enrolled(box54={"floor": 2})
    into = tmp_path / "collected"
    dry = ("collect", "configuration", "captures", "support", "--all", "--into", str(into), "--dry-run")
    assert boxes.json(*dry) == [{"box": "box54", "state": "done", "why": "", "files": [
        {"what": "configuration", "file": "branchline.yaml", "octets": None, "here": False},
        {"what": "support", "file": "", "octets": None, "here": False}]}]
    assert "box54/(support, which it makes then)" in boxes.does(*dry).output
    assert not into.exists() and boxes.json("runs") == []
    told = boxes.json("collect", "configuration", "captures", "--all", "--into", str(into))
    assert told["boxes"][0]["facts"]["files"] == ["box54/branchline.yaml"]
    kept = into / "box54" / "branchline.yaml"
    assert "console: {address: 127.0.1.54" in kept.read_text() and kept.stat().st_mode & 0o077 == 0
    told = boxes.json("collect", "support", "log", "--all", "--into", str(into))
    assert told["boxes"][0]["facts"]["files"] == ["box54/box.zip", "box54/log.txt"]
    assert (into / "box54" / "box.zip").read_bytes() == BUNDLE
    assert "trunkd" in (log := (into / "box54" / "log.txt").read_text()) and "a word of it" in log
    changed = tmp_path / "old.yaml"
    changed.write_text(kept.read_text() + "web: {port: 8099}\n")
    boxes.where |= take(55).where
    new = boxes.where["box55"]
    words = ("replace", "box54", new.address, "--port", str(new.port), "--from", str(changed), "--yes")
    assert boxes.does(*words, "--code", boxes.code("box54")).exit_code == 78
    assert boxes.json(*words, "--code", boxes.code("box55"))["good"]
    [box] = boxes.json("boxes")
    assert (box["address"], box["host_key"], box["values"]) == (new.address, new.host_key, {"floor": 2})
    assert boxes.json("compare", "--with", "box54", "--all")[0]["keys"] == []


def test_a_run_that_was_cut_off_goes_on_with_what_is_left(take: Take, tmp_path: Path) -> None:
    boxes = take(15)
    boxes.enrolled({"name": "box16", "address": "127.0.1.16", "port": NOBODY, "user": "noc",
                    "host_key": boxes.where["box15"].host_key})
    told = boxes.json("run", "--all", "show version", status=1)
    assert {one["box"]: one["state"] for one in told["boxes"]} == {"box15": "done", "box16": "unreachable"}
    path = tmp_path / "fleet-runs" / f"{told['run']}.sqlite"
    with sqlite3.connect(path) as book:       # as when the process was killed in the middle of it
        before = book.execute("SELECT at FROM steps WHERE box = 'box15'").fetchone()
        book.execute("UPDATE run SET ended_at = 0")
    book.close()
    boxes.where |= take(16).where
    boxes.enrolled()
    assert boxes.json("resume")["good"]
    with sqlite3.connect(path) as book:
        assert book.execute("SELECT at FROM steps WHERE box = 'box15'").fetchone() == before
    book.close()
    assert [one["good"] for one in boxes.json("runs")] == [True]
