"""What the service manager is told, by a real datagram socket; when the watchdog is fed, and when not."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.bus import runner, server
from appliance.bus.client import Bus
from appliance.bus.notify import Manager
from appliance.bus.runner import Context
from tests.bus.test_runner import CONFIG
from tests.conftest import free_port


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.setblocking(False)
        yield line


def said(line: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(line.recv(4096).decode())
        except BlockingIOError:
            return found


@pytest.mark.parametrize(("environment", "watchdog_s"), [
    ({}, 0.0),
    ({"WATCHDOG_USEC": "1500000"}, 1.5),
    ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "7"}, 1.5),
    ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "8"}, 0.0),        # inherited, and another's
    ({"WATCHDOG_USEC": "soon"}, 0.0),
])
def test_within_what_time_the_watchdog_is_to_be_fed(environment: dict[str, str], watchdog_s: float) -> None:
    assert Manager(environment, pid=7).watchdog_s == watchdog_s


def test_each_state_is_a_line_whatever_is_in_it(heard: socket.socket) -> None:
    Manager({"NOTIFY_SOCKET": heard.getsockname()}).tell(READY="1", STATUS="1 of 2\nFAILED=1 spans")
    assert said(heard) == ["READY=1\nSTATUS=1 of 2 FAILED=1 spans"]


def test_an_abstract_address_and_nobody_at_it() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(b"\0branchline-test-%d" % os.getpid())
        line.setblocking(False)
        Manager({"NOTIFY_SOCKET": f"@branchline-test-{os.getpid()}"}).tell(READY="1")
        assert said(line) == ["READY=1"]
    Manager({"NOTIFY_SOCKET": f"@branchline-test-{os.getpid()}"}).tell(READY="1")
    Manager({}).tell(READY="1")


async def test_a_daemon_is_ready_when_it_is_up_fed_while_it_is_well_and_says_that_it_ends(
        bus_server: Path, tmp_path: Path, heard: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", heard.getsockname())
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    asked = asyncio.Semaphore(0)
    well = True

    def is_well() -> bool:
        asked.release()
        return well

    async def asked_again() -> None:
        for _ in range(2):                        # the first may have begun before
            await asyncio.wait_for(asked.acquire(), 10)

    async def serve(context: Context) -> None:
        nonlocal well
        context.is_well = is_well
        assert not [one for one in said(heard) if "READY" in one]
        await context.up()
        assert "READY=1\nSTATUS=up" in said(heard)
        await asked_again()
        assert "WATCHDOG=1" in said(heard)
        well = False
        await asked_again()
        said(heard)
        await asked_again()
        assert said(heard) == []                  # it bites
        context.stop.set()

    await runner._run("boxd", serve, CONFIG, tmp_path, bus_server)
    assert said(heard) == ["STOPPING=1\nSTATUS=ending"]


async def test_a_bus_that_hangs_does_not_answer_and_one_that_is_away_is_no_fault_of_the_daemon(
        tmp_path: Path) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        server.program(), "-c", str(server.write(tmp_path, port)), stderr=subprocess.DEVNULL)
    try:
        server.wait_until_serving(port, 10)
        bus = await Bus.connect(tmp_path, "boxd")
        assert await bus.answers(10)
        process.send_signal(signal.SIGSTOP)
        while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            pass                                  # its threads end what they are at
        assert not await bus.answers(0.05)
        process.kill()
        await process.wait()
        assert await bus.answers(10)              # the client sees it meanwhile
        await bus.close()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def test_who_has_a_password_keeps_it_when_the_bus_is_started_again(tmp_path: Path) -> None:
    server.write(tmp_path, 4229)
    first = server.kept(tmp_path)
    (tmp_path / "bus/webui.json").write_text("{")                    # a cut in the middle
    given: list[str] = []
    server.write(tmp_path, 4229, server.kept(tmp_path), lambda descriptor, who: given.append(who))
    again = server.kept(tmp_path)
    assert [name for name in first if again[name] != first[name]] == ["webui"]
    assert given == [*first, server.SERVER]
