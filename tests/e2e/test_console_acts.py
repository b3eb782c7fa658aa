"""The console's acts by OpenSSH on a whole box with calls on it; clients that are killed in the middle."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from appliance.box.ssh.host_key import new_key
from appliance.box.ssh.place import PORT_FILE
from appliance.bus.messages import (
    DocumentState,
    GetBoard,
    GetChannels,
    GetDocument,
    GetLineTests,
    GetSpans,
    LineTestState,
)
from tests.e2e.calls import talk
from tests.e2e.rig import CONFIG, Rig
from tests.e2e.talk import SOON_S

LATER_S = 30.0
PRIVATE, PUBLIC = new_key()


@pytest.fixture(scope="module")
def rig_options() -> dict[str, Any]:
    people = [{"name": "li", "role": "admin", "language": "en", "keys": [PUBLIC]}]
    return {"config": {**CONFIG, "console": {"port": 0, "older_clients": True, "people": people}}}


class Client:
    """OpenSSH's ssh at a terminal, under pexpect: what it prints, as it comes."""

    def __init__(self, command: list[str]) -> None:
        self._child: pexpect.spawn[str] = pexpect.spawn(
            command[0], command[1:], encoding="utf-8", codec_errors="replace", dimensions=(50, 200),
            echo=False, timeout=LATER_S, env={**os.environ, "TERM": "xterm"})
        self.said = ""

    def types(self, line: str) -> None:
        self._child.send(f"{line}\r")

    def until(self, text: str) -> str:
        """What it printed up to now, once it has printed `text`."""
        if text not in self.said:
            self._child.expect_exact(text)
            before, after = self._child.before, self._child.after
            assert isinstance(before, str) and isinstance(after, str)
            self.said += before + after
        return self.said

    def kill(self) -> None:
        self._child.kill(signal.SIGKILL)
        self._child.wait()

    def close(self) -> None:
        self._child.close(force=True)


class Ssh:
    def __init__(self, rig: Rig, folder: Path) -> None:
        key = folder / "key"
        key.write_bytes(PRIVATE)
        key.chmod(0o600)
        self._clients: list[Client] = []
        self._port = rig.run_dir / PORT_FILE
        self._options = [
            "-F", "none", "-i", str(key), "-o", "StrictHostKeyChecking=no", "-o",
            f"UserKnownHostsFile={folder / 'known'}", "-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes"]

    def _command(self) -> list[str]:
        """A boxd that began anew has another port."""
        return ["ssh", *self._options, "-p", self._port.read_text().strip()]

    def __call__(self, line: str, status: int = 0) -> bytes:
        """What one line says."""
        done = subprocess.run([*self._command(), "li@127.0.0.1", line], capture_output=True, check=False,
                              timeout=60.0, stdin=subprocess.DEVNULL)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def json(self, line: str) -> Any:
        return json.loads(self(f"{line} | json"))

    def begin(self, line: str = "") -> Client:
        """At a terminal; without a line a whole session."""
        client = Client([*self._command(), "-t", "li@127.0.0.1", *([line] if line else [])])
        self._clients.append(client)
        return client

    def close(self) -> None:
        for client in self._clients:
            client.close()


@pytest.fixture
def ssh(box: Rig, tmp_path: Path) -> Iterator[Ssh]:
    ssh = Ssh(box, tmp_path)
    yield ssh
    ssh.close()


def test_who_is_killed_after_commit_confirmed_loses_the_change_and_not_the_box(box: Rig, ssh: Ssh) -> None:
    before = box.config_path.read_text()
    mark = box.bus.mark()
    client = ssh.begin()
    client.types("configure")
    client.until("(configure)")
    client.types("set centre.queues.sales.ring_s 7.5")
    client.until("compare, check")
    client.types("commit confirmed 0.17 comment a faster queue")
    client.until("or it goes back by itself")
    assert "ring_s: 7.5" in box.config_path.read_text()
    client.kill()
    box.kill("boxd")
    box.start("boxd")
    box.bus.wait_event(DocumentState, lambda state: state.head is not None and state.head.kind == "expired",
                       LATER_S, mark)
    assert box.config_path.read_text() == before
    assert b"no version waits" in ssh("confirm", 1)


def test_programs_change_it_line_by_line_and_confirm(box: Rig, ssh: Ssh) -> None:
    ssh("configure set centre.queues.sales.ring_s 6.5")
    [changed] = ssh.json("configure compare")["keys"]
    assert (changed["key"], changed["old"], changed["new"]) == ("centre.queues.sales.ring_s", "4.0", "6.5")
    done = ssh.json("configure commit confirmed 5 comment from a program")
    assert done["in_force"] and done["until"] > time.time() and done["keys"] == ["centre.queues.sales.ring_s"]
    ssh("confirm")
    state = box.bus.ask(GetDocument()).state
    assert state.waiting == 0 and state.head is not None and state.head.by == "li"
    assert ssh.json(f"configure rollback {done['version'] - 1}")["version"] == done["version"] + 1
    assert b"nothing differs" in ssh(f"configure rollback {done['version'] - 1}", 1)


@pytest.mark.usefixtures("left_idle")
def test_a_call_is_watched_traced_captured_and_cleared(box: Rig, ssh: Ssh) -> None:
    debug = ssh.begin("debug isdn span 1 layer 3")
    debug.until("far end")
    monitor = ssh.begin("monitor calls")
    monitor.until("\n")
    caller, agent = talk(box)
    assert "called 5001" in debug.until("CONNECT ACKNOWLEDGE")
    monitor.until("5001")
    [contact] = box.bus.ask(GetBoard()).board.contacts
    found = ssh.json("trace call last")
    assert {one["called"] for one in found["calls"]} >= {"5001"}
    assert ssh("capture span 1")[:4] in (b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1")
    assert b"saved: d.pcap" in ssh("capture span telco1 last 1m | save d.pcap")
    assert (box.state_dir / "saved" / "d.pcap").read_bytes()[:4] in (b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1")
    assert b"2 legs were hung up, with cause 16" in ssh(f"clear call {contact.contact}")
    caller.wait_for("RELEASED", SOON_S)
    agent.wait_for("RELEASED", SOON_S)
    assert "RELEASE" in debug.until("RELEASE")


@pytest.mark.usefixtures("left_idle")
def test_who_is_killed_in_a_test_of_a_line_leaves_it_to_calls(box: Rig, ssh: Ssh) -> None:
    client = ssh.begin("test span 1 bert for 10m itself")
    client.until("600 s")
    assert any(one.span == "telco1" and one.lent for one in box.bus.ask(GetSpans()).spans)
    mark = box.bus.mark()
    client.kill()
    box.bus.wait_event(LineTestState, lambda said: said.test.state == "ended", LATER_S, mark)
    assert box.bus.ask(GetLineTests(span="telco1")).tests[0].outcome in ("clean", "stopped", "no-pattern")
    box.bus.ask_until(GetSpans(), lambda reply: all(one.up and not one.lent for one in reply.spans), LATER_S)
    box.wait_links_up(LATER_S)


def test_channels_leave_the_traffic_and_come_back(box: Rig, ssh: Ssh) -> None:
    def blocked() -> int:
        return sum(one.blocked for span in box.bus.ask(GetChannels()).spans for one in span.channels)
    assert b"telco1:1-5 takes no calls" in ssh("busy-out span telco1 timeslots 1-5")
    assert blocked() == 5
    ssh("return trunk telco")
    assert blocked() == 0


def test_the_rest_says_what_it_did(box: Rig, ssh: Ssh) -> None:
    assert b"zhang is " in ssh("agent zhang not-ready")
    assert b"zhang is ready" in ssh("agent zhang ready")
    assert b"main" in ssh("test route 5001 trunk telco")
    assert b"version" in ssh("show update")
    assert b"made: /saved/support/branchline-support-" in ssh("support")
    assert b"all daemons have version" in ssh("reload")
    assert b"apt" in ssh("update install usb", 1)
    for what, seen in (("calls", "none"), ("queues", "sales"), ("agents", "zhang"), ("spans", "telco1"),
                       ("alarms", "\n")):
        client = ssh.begin(f"monitor {what}")
        client.until(seen)
        client.types("\x03")
        client.close()
