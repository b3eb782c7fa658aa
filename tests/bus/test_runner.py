"""What all daemons' mains do: parts that must live, a bus that is lost, one line for one message."""

import asyncio
import logging
import os
import subprocess
from pathlib import Path

import pytest

from appliance.bus import runner, server
from appliance.bus.client import BusAway
from appliance.bus.runner import LINE_CHARACTERS, UMASK, Context, OneLine, main
from appliance.config.schema import Config, SpanConfig
from tests.conftest import free_port

CONFIG = Config(spans=[SpanConfig(name="a", url="virtual:x/b", side="user", trunk="a")])


async def until_stopped(context: Context) -> None:
    await context.up()
    await context.stop.wait()


async def test_a_part_that_dies_ends_the_daemon(bus_server: Path, tmp_path: Path) -> None:
    async def broken() -> None:
        raise RuntimeError("on purpose")

    async def serve(context: Context) -> None:
        context.keep(broken())
        await until_stopped(context)

    with pytest.raises(RuntimeError, match="on purpose"):
        await asyncio.wait_for(runner._run("boxd", serve, CONFIG, tmp_path, bus_server), 10)


async def test_what_fails_while_a_daemon_ends_is_in_the_log_and_hides_nothing(
        bus_server: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise RuntimeError("on purpose")

    async def serve(context: Context) -> None:
        context.keep(broken())
        await until_stopped(context)
        raise LookupError("at the end")

    with pytest.raises(RuntimeError, match="on purpose"):
        await asyncio.wait_for(runner._run("boxd", serve, CONFIG, tmp_path, bus_server), 10)
    assert "LookupError('at the end')" in caplog.text
    assert "in serve" in caplog.text              # the traceback


async def test_a_heartbeat_that_fails_is_not_passed_over(
        bus_server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_descriptor_left() -> int:
        raise OSError("too many open files")

    monkeypatch.setattr(runner, "_rss_octets", no_descriptor_left)
    with pytest.raises(OSError, match="too many open files"):
        await asyncio.wait_for(runner._run("boxd", until_stopped, CONFIG, tmp_path, bus_server), 10)


async def test_a_bus_with_other_passwords_ends_the_daemon(tmp_path: Path) -> None:
    """It would be deaf for ever: the client closes itself for good when it is refused."""
    port = free_port()
    command = [server.program(), "-c", str(server.write(tmp_path, port))]
    first = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
    server.wait_until_serving(port, 10)
    up = asyncio.Event()

    async def serve(context: Context) -> None:
        up.set()
        await until_stopped(context)

    daemon = asyncio.create_task(runner._run("boxd", serve, CONFIG, tmp_path, tmp_path))
    await asyncio.wait_for(up.wait(), 10)
    first.kill()
    await first.wait()
    server.write(tmp_path, port)
    second = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
    with pytest.raises(BusAway, match="has to be started anew"):
        await asyncio.wait_for(daemon, 20)
    second.terminate()
    await second.wait()


@pytest.mark.parametrize(("said", "line"), [
    ("from 5001\nINFO all is well", "WARNING from 5001\\x0aINFO all is well"),
    ("\x1b[2Jgone\r\x00\u202e", "WARNING \\x1b[2Jgone\\x0d\\x00\\x202e"),
    ("张三 \xe9", "WARNING 张三 \xe9"),
    ("x" * 1_000_000, "WARNING " + "x" * (LINE_CHARACTERS - 8)),
])
def test_a_message_is_one_line_whatever_it_says(said: str, line: str) -> None:
    record = logging.LogRecord("x", logging.WARNING, "x", 1, "%s", (said,), None)
    assert OneLine("%(levelname)s %(message)s").format(record) == line


def test_what_a_daemon_makes_is_not_for_strangers(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        code = main("boxd", until_stopped, [
            "--check", "--config", str(tmp_path / "none"), "--state-dir", "x", "--run-dir", "x"])
    finally:
        assert (code, os.umask(before)) == (78, UMASK)
