"""The branchline command as a person types it: real processes, their words and exit codes."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    DaemonHealth,
    GetHealth,
    GetTrace,
    Health,
    HealthReply,
    Reply,
    Request,
    Trace,
)
from appliance.launch.place import lock
from e1_driver.watch.history import Store
from e1_driver.watch.performance import Second
from tests.conftest import ROOT, free_port

CONFIG = """\
spans:
  - {name: telco1, url: "virtual:/tmp/none/b", side: user, trunk: telco}
web: {port: 0}
"""
FLOW = "start: no-such-node\nnodes: {end: {kind: hangup, cause: 400}}\n"

# The launcher with daemons that only live: their arguments, bus, heartbeats and exit codes are the real ones.
WITH_STUBS = """
import sys
from appliance.launch import up
from appliance.launch.cli import main
up.DAEMONS_OF = {name: (("tests.launch.stub", name), stage) for name, (_, stage) in up.DAEMONS_OF.items()}
main(prog_name="branchline")
"""

# The launcher on a machine where Debian's own folder for servers has none.
WITHOUT_SBIN = """
from appliance.bus import server
from appliance.launch.cli import main
server.SBIN = "/nowhere"
main(prog_name="branchline")
"""


def branchline(folder: Path, *arguments: str, launcher: tuple[str, str] = ("-m", "appliance.launch"),
               **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *launcher, *arguments], cwd=folder, capture_output=True, text=True,
        timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT), **environment})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "branchline.yaml").write_text(CONFIG)
    return tmp_path


def test_a_wrong_document_is_a_line_for_each_mistake_and_nothing_is_made(folder: Path) -> None:
    (folder / "branchline.yaml").write_text(
        'spans:\n  - {name: telco1, url: "dahdy:1", side: middle, trunk: telco}\nwebb: {port: 1}\n')
    for command in ("up", "check"):
        done = branchline(folder, command)
        assert (done.returncode, done.stdout) == (78, "")
        lines = done.stderr.splitlines()
        assert len(lines) == 3
        assert [line.split(": ")[1] for line in lines] == ["spans[0].url", "spans[0].side", "webb"]
        assert lines[0].startswith("branchline.yaml:2: ")
        assert "unknown span URL 'dahdy:1'" in lines[0]
    assert [path.name for path in folder.iterdir()] == ["branchline.yaml"]


def test_a_wrong_flow_is_found_before_anything_is_started(folder: Path) -> None:
    (folder / "main.yaml").write_text(FLOW)
    (folder / "branchline.yaml").write_text(
        CONFIG + 'centre: {inbound: [{trunk: telco, called: "5001", flow: main.yaml}]}\n')
    done = branchline(folder, "up")
    assert done.returncode == 78
    assert "main.yaml:2: nodes.end.cause: " in done.stderr
    assert not (folder / "run").exists()


def test_no_configuration_says_what_to_do(tmp_path: Path) -> None:
    done = branchline(tmp_path, "up")
    assert (done.returncode, done.stderr) == (78, "branchline.yaml: No such file or directory\n")


@pytest.mark.parametrize(("program", "package"), [("nats-server", "nats-server"), ("setpriv", "util-linux")])
def test_a_missing_program_is_named_with_its_package(folder: Path, program: str, package: str) -> None:
    programs = folder / "bin"
    programs.mkdir()
    for other in {"nats-server", "setpriv"} - {program}:
        (programs / other).symlink_to("/bin/true")
    done = branchline(folder, "up", launcher=("-c", WITHOUT_SBIN), PATH=str(programs))
    assert done.returncode == 69
    assert done.stderr == f"{program} is not installed: apt-get install {package}\n"
    assert not (folder / "run").exists()


def test_a_bus_that_ends_at_once_is_told_with_its_last_words(folder: Path) -> None:
    programs = folder / "bin"
    programs.mkdir()
    (programs / "nats-server").write_text("#!/bin/sh\necho address already in use\nexit 1\n")
    (programs / "nats-server").chmod(0o755)
    done = branchline(folder, "up", PATH=f"{programs}:{os.environ['PATH']}")
    assert done.returncode == 69
    assert done.stderr == "nats-server ended at once: address already in use\n"


def test_a_port_in_use_is_told_before_anything_is_started(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = branchline(folder, "up", "--port", str(port))
    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr == (f"port {port} of 127.0.0.1: Address already in use: stop what uses it, "
                           "or choose another with --port (0: any free one)\n")


@pytest.mark.parametrize("taken", ["run", "var"])
def test_a_second_box_is_refused_and_names_the_first(folder: Path, taken: str) -> None:
    (folder / taken).mkdir()
    with lock(folder / taken):
        done = branchline(folder, "up")
    assert done.returncode == 69
    assert f"{folder / taken}: a box runs here already (pid {os.getpid()})" in done.stderr


def test_folders_that_cannot_be(folder: Path) -> None:
    done = branchline(folder, "up", "--run-dir", "r" * 68)
    assert done.returncode == 64
    assert "a folder for sockets at most 67: choose a shorter one" in done.stderr
    (folder / "var").write_text("a file")
    done = branchline(folder, "up")
    assert (done.returncode, done.stderr) == (73, f"{folder / 'var'}: File exists\n")
    (folder / "run" / "lock").mkdir(parents=True)
    done = branchline(folder, "up", "--state-dir", "state")
    assert (done.returncode, done.stderr) == (73, f"{folder / 'run' / 'lock'}: Is a directory\n")


def test_check_tells_what_there_is(folder: Path) -> None:
    done = branchline(folder, "check")
    assert (done.returncode, done.stdout) == (0, "branchline.yaml: in order: 1 spans, 0 queues, 0 agents\n")


def test_every_prompt_that_callers_may_hear_is_looked_at(folder: Path) -> None:
    (folder / "branchline.yaml").write_text(
        CONFIG + "centre: {inbound: [{trunk: telco, called: '5001', flow: main.yaml}]}\n")
    (folder / "main.yaml").write_text(
        "start: hello\n"
        "nodes: {hello: {kind: play, prompt: [hello, again], next: end}, end: {kind: hangup}}\n")
    (folder / "prompts" / "zh").mkdir(parents=True)
    (folder / "prompts" / "zh" / "hello.wav").write_bytes(b"ID3\x03no wave file at all")
    for command in ("check", "up"):
        done = branchline(folder, command)
        assert done.returncode == 78
        missing, wrong = done.stderr.splitlines()
        assert missing.endswith(
            "zh/again.wav: No such file or directory: record it or correct the prompt's name")
        assert wrong.endswith(
            "zh/hello.wav: is not a WAV file; convert with: sox IN -r 8000 -c 1 -e a-law hello.wav")
    assert not (folder / "run").exists() and not (folder / "var").exists()


@pytest.mark.parametrize("command", [("status",), ("trace", "telco1", "--out", "x.pcap")])
def test_asking_a_box_that_does_not_run(folder: Path, command: tuple[str, ...]) -> None:
    done = branchline(folder, *command)
    assert done.returncode == 69
    assert "is the box started?" in done.stderr
    assert not (folder / "x.pcap").exists()


def test_the_history_of_a_line_is_read_without_a_box(folder: Path) -> None:
    (folder / "var").mkdir()
    with Store(folder / "var" / "lines.sqlite") as store:
        store.observe("telco1", Second(at=int(time.time())), None)
    done = branchline(folder, "e1ctl", "telco1", "history", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["url"], found["days"][0]["measured_s"]) == ("telco1", 1)
    done = branchline(folder, "e1ctl", "--state-dir", "nowhere", "telco1", "history")
    assert done.returncode == 66 and "nowhere/lines.sqlite" in done.stderr


def test_rebuild_without_a_log(folder: Path) -> None:
    done = branchline(folder, "rebuild", "--state-dir", "nowhere")
    assert done.returncode == 78
    assert "there is no event log" in done.stderr


# --- a box that runs --------------------------------------------------------------------------------------

class Up:
    """branchline up with stub daemons, its output line by line."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WITH_STUBS, "up", *arguments], cwd=folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})
        self.lines: list[str] = []

    def read_until(self, part: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if part in line:
                return line
        raise AssertionError("".join(self.lines))

    def end(self) -> tuple[int, str]:
        """Exit code and what it printed on its last way."""
        out, errors = self.process.communicate(timeout=30)
        return self.process.returncode, out + errors


@pytest.fixture
def started() -> Iterator[list[Up]]:
    boxes: list[Up] = []
    yield boxes
    for box in boxes:
        box.process.kill()
        box.process.communicate()


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_up_is_ready_and_status_sees_it_and_ctrl_c_ends_all(folder: Path, started: list[Up]) -> None:
    port = free_port()
    started.append(box := Up(folder, "--port", str(port), "--color"))
    assert "ready after" in box.read_until("Branchline is ready")
    assert f"http://127.0.0.1:{port}/" in box.read_until("web page")
    box.read_until("Ctrl-C")
    children = children_of(box.process.pid)
    assert len(children) == 7                     # the bus and six daemons
    assert (folder / "run" / "bus" / "webui.json").stat().st_mode & 0o777 == 0o600
    done = branchline(folder, "up")
    assert done.returncode == 69
    assert f"(pid {box.process.pid})" in done.stderr
    box.process.send_signal(signal.SIGINT)
    box.process.send_signal(signal.SIGTERM)       # at once: still the same wish
    code, rest = box.end()
    assert code == 0, rest
    assert rest.count(" ends\n") == 6             # all daemons, none was killed
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_a_deep_folder_does_not_make_the_sockets_paths_long(folder: Path, started: list[Up]) -> None:
    deep = folder / ("d" * 200)
    deep.mkdir()
    (deep / "branchline.yaml").write_text(CONFIG)
    started.append(box := Up(deep))
    box.read_until("Branchline is ready")
    told = [Path(f"/proc/{child}/cmdline").read_bytes() for child in children_of(box.process.pid)]
    assert sum(b"\0--run-dir\0run\0" in line for line in told) == 6     # all daemons


def test_a_free_port_is_chosen_once_for_all_lives_of_webui(folder: Path, started: list[Up]) -> None:
    started.append(box := Up(folder, "--port", "0"))
    told = box.read_until("web page")
    box.read_until("Ctrl-C")
    port = yaml.safe_load((folder / "run" / "branchline.yaml").read_text())["web"]["port"]
    assert port and f"http://127.0.0.1:{port}/" in told
    box.process.send_signal(signal.SIGINT)
    assert box.end()[0] == 0


def test_a_daemon_that_finds_its_configuration_wrong_stops_all(folder: Path, started: list[Up]) -> None:
    (folder / "var").mkdir()
    (folder / "var" / "acdd.wrong").touch()
    started.append(box := Up(folder))
    code, out = box.end()
    assert code == 78
    assert out.endswith("acdd cannot start:\nacdd: line 7: no such thing\n")


async def test_status_and_trace_ask_the_bus(bus_server: Path, tmp_path: Path) -> None:
    boxd, trunkd = await Bus.connect(bus_server, "boxd"), await Bus.connect(bus_server, "trunkd")
    daemons = [DaemonHealth(daemon="spand", state="up", pid=7, starts=2, rss_octets=41_500_000, cpu_s=1.25,
                            facts={"ticks": 12.0}),
               DaemonHealth(daemon="acdd", state="late")]

    async def answer(request: Request[Any]) -> Reply:
        if isinstance(request, GetHealth):
            return HealthReply(health=Health(at=1.0, daemons=daemons))
        if isinstance(request, GetTrace) and request.span == "telco1":
            return Trace(pcap=b"\xd4\xc3\xb2\xa1")
        raise Refused("no span has that name")

    await boxd.answer(answer)
    await trunkd.answer(answer)
    run = "--run-dir", str(bus_server)
    done = await asyncio.to_thread(branchline, tmp_path, "status", *run)
    assert done.returncode == 1                   # not all are up
    assert done.stdout.splitlines()[1].split() == ["spand", "up", "7", "2", "41.5", "1.2", "ticks", "12"]
    done = await asyncio.to_thread(branchline, tmp_path, "trace", "telco1", "--out", "d.pcap", *run)
    assert (done.returncode, (tmp_path / "d.pcap").read_bytes()) == (0, b"\xd4\xc3\xb2\xa1")
    done = await asyncio.to_thread(branchline, tmp_path, "trace", "telco9", "--out", "e.pcap", *run)
    assert (done.returncode, done.stderr) == (69, "no span has that name\n")
    assert not (tmp_path / "e.pcap").exists()
    await boxd.close()
    await trunkd.close()
