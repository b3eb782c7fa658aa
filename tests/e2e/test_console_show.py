"""Every show command by OpenSSH on a whole box while calls go on; how long one takes."""

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from appliance.box.commands.every import table
from appliance.box.commands.reference import schema
from appliance.box.commands.table import Command
from appliance.bus.messages import CommandRan, OfferCommands, RunCommand
from tests.e2e.calls import talk
from tests.e2e.rig import CONFIG, Rig
from tests.e2e.test_console_acts import PUBLIC, Ssh

GIVEN = {"show span": " telco1"}


@pytest.fixture(scope="module")
def rig_options() -> dict[str, Any]:
    people = [{"name": "li", "role": "admin", "language": "en", "keys": [PUBLIC]}]
    return {"config": {**CONFIG, "console": {"port": 0, "older_clients": True, "people": people}}}


class OneConnection(Ssh):
    """All lines over one connection, as by who asks so many: a box sends away who begins too many."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        super().__init__(rig, folder)
        self._options += ["-o", f"ControlPath={folder}/%C"]
        self._master("-o", "ControlMaster=yes", "-f", "-N")          # returns when it is signed in

    def close(self) -> None:
        super().close()
        self._master("-O", "exit")

    def _master(self, *options: str) -> None:
        subprocess.run([*self._command(), *options, "li@127.0.0.1"], check=True, timeout=60.0,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def ssh(box: Rig) -> Iterator[Ssh]:
    with tempfile.TemporaryDirectory() as folder:                    # a socket's path has 108 octets
        ssh = OneConnection(box, Path(folder))
        yield ssh
        ssh.close()


def shows() -> list[Command]:
    return [one for one in table().commands if one.words.startswith("show ") and one.known_in("")]


@pytest.mark.usefixtures("left_idle")
def test_every_show_command_answers_for_people_and_programs(box: Rig, ssh: Ssh) -> None:
    talk(box)
    for one in shows():
        line = one.words + GIVEN.get(one.words, "")
        said = ssh(line).decode()
        print(f"$ {line}\n{said}")
        assert "fault of the box" not in said
        jsonschema_rs.validator_for(schema(one.answer)).validate(json.loads(ssh(f"{line} --json")))
    [call] = [one for one in ssh.json("show calls trunk telco")["calls"] if one["way"] == "in"]
    assert (call["called"], call["state"]) == ("5001", "answered")
    assert any(one["state"] == "busy" and one["call"] == call["call"]
               for one in ssh.json("show channels span 1")["channels"])
    assert [one for one in ssh.json("show agents")["agents"] if one["state"] == "talking"]
    routed = ssh.json("test route 5001")
    assert routed["kind"] == "in" and "main.yaml" in " ".join(routed["steps"])
    keys = ssh.json("show certificates")["keys"]
    assert [one["what"] for one in keys] == ["pages", "console", "recordings"]
    assert keys[1]["fingerprint"].startswith("SHA256:") and len(keys[2]["fingerprint"]) == 64
    assert ssh.json("show span telco1")["history"]


def test_the_pages_run_lines_over_the_bus_quickly(box: Rig) -> None:
    def run(line: str) -> CommandRan:
        return box.bus.ask(RunCommand(line=line, who="wang", role="watch"))
    took: list[float] = []
    for _ in range(40):
        began = time.monotonic()
        assert run("show spans").status == 0
        took.append(time.monotonic() - began)
    assert sorted(took)[38] < 0.5                 # far below on a machine with nothing else to do
    assert run("show configuration").status == 77
    assert "telco1" in run("show spans | match telco").text
    offered = box.bus.ask(OfferCommands(line="show span ", role="watch"))
    assert [one.word for one in offered.offers][:2] == ["pbx1", "telco1"]
