"""The console of a box at ten calls a second: how long a command takes, and what boxd holds in memory."""

import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh

from appliance.box.ssh.place import PORT_FILE
from appliance.bus.messages import GetExposition
from tests.bench.figures import Kind, Say, Theme
from tests.bench.office import ANSWER_FLOW, CALLED, BenchError, config
from tests.bench.processes import MEGA, memory
from tests.box.ssh.rig import key_at
from tests.box.telemetry.victoria import victoria
from tests.conftest import free_port
from tests.e2e.rig import Rig

CALLS, AT_ONCE, PER_S = 200, 30, 10.0             # twenty seconds of them
COMMANDS = ("show version", "show calls", "show spans", "show queues --json", "show sessions",
            "show calls | match 138", "show daemons")
NEW_CONNECTIONS = 15
P95, P50, NEW, IDLE, BUSY = (
    "a command, p95", "a command, p50", "a connection with a command, p50", "RSS of boxd, idle",
    "RSS of boxd, with sessions")
PHRASE = "a pass phrase of the bench"
FILES = {"influx-token": "a-token\n", "snmp-auth": PHRASE, "snmp-privacy": PHRASE}


async def _asked(port: int, key: Path, calls: threading.Thread) -> tuple[list[float], list[float]]:
    """Seconds of each command in an open connection while calls come; of some in one of their own."""
    took: list[float] = []
    alone: list[float] = []

    async def connected() -> asyncssh.SSHClientConnection:
        return await asyncssh.connect("127.0.0.1", port, username="noc", client_keys=[str(key)],
                                      known_hosts=None)
    connection = await connected()
    try:
        while calls.is_alive():
            for command in COMMANDS:
                began = time.perf_counter()
                done = await connection.run(command)
                took.append(time.perf_counter() - began)
                if done.exit_status not in (0, 1):
                    raise BenchError(f"{command}: {done.exit_status}: {done.stderr!r}")
            if len(alone) < NEW_CONNECTIONS:
                began = time.perf_counter()
                async with await connected() as one:
                    await one.run("show version")
                alone.append(time.perf_counter() - began)
    finally:
        connection.close()
    return took, alone


def _watched(influx: str, snmp_port: int, syslog_port: int) -> dict[str, Any]:
    """All that a NOC watches a box by."""
    return {
        "telemetry": {"url": influx, "token_file": "influx-token", "interval_s": 5.0},
        "snmp": {"address": "127.0.0.1", "port": snmp_port, "users": [
            {"name": "noc", "auth_file": "snmp-auth", "privacy_file": "snmp-privacy"}]},
        "syslog": {"servers": [
            {"name": "noc", "host": "127.0.0.1", "port": syslog_port, "transport": "udp"}]}}


def _read(rig: Rig, snmp_port: int) -> None:
    """As Prometheus and a management station do."""
    if "branchline_box_fit" not in rig.bus.ask(GetExposition()).text:
        raise BenchError("no measures for Prometheus")
    done = subprocess.run(
        ["snmpbulkwalk", "-v3", "-l", "authPriv", "-u", "noc", "-a", "SHA-256", "-A", PHRASE, "-x", "AES",
         "-X", PHRASE, "-On", "-t", "10", f"127.0.0.1:{snmp_port}", "1.3.6.1.2.1"],
        capture_output=True, text=True, timeout=120, check=False)
    if done.returncode or len(done.stdout.splitlines()) < 100:
        raise BenchError(f"snmpbulkwalk: {done.stderr or done.stdout[-300:]}")


@contextlib.contextmanager
def _as_packaged(folder: Path) -> Iterator[None]:
    """Daemons as the package has them: without docstrings, already compiled, with its allocator's limit."""
    here = {"PYTHONOPTIMIZE": "2", "PYTHONPYCACHEPREFIX": str(folder), "PYTHONDONTWRITEBYTECODE": "",
            "MALLOC_ARENA_MAX": "2"}
    before = {name: os.environ.get(name) for name in here}
    os.environ.update(here)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def once(say: Say) -> dict[str, float]:
    with (tempfile.TemporaryDirectory(prefix="bench-") as folder, _as_packaged(Path(folder) / "compiled"),
          victoria() as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as logs):
        logs.bind(("127.0.0.1", 0))
        snmp_port = free_port()
        key = key_at(Path(folder) / "noc")
        made = config() | _watched(server.url, snmp_port, logs.getsockname()[1]) | {
            "console": {"port": 0, "people": [
                {"name": "noc", "role": "admin", "language": "en", "keys": [key.public]}]}}
        with Rig(made, ANSWER_FLOW, files=FILES):             # compiles what is imported
            pass
        with Rig(made, ANSWER_FLOW, files=FILES) as rig:
            port = int((rig.run_dir / PORT_FILE).read_text())
            idle = memory(rig.pid("boxd")).rss_octets / MEGA
            say(f"  {CALLS} calls at {PER_S:g} a second, commands meanwhile")
            calls = threading.Thread(target=rig.telco.bulk, args=(CALLS, AT_ONCE, PER_S, CALLED))
            calls.start()
            took, alone = asyncio.run(_asked(port, key.path, calls))
            calls.join()
            _read(rig, snmp_port)
            busy = memory(rig.pid("boxd")).rss_octets / MEGA
    took.sort()
    say(f"  {len(took)} commands")
    return {P95: 1000 * took[int(0.95 * len(took))], P50: 1000 * statistics.median(took),
            NEW: 1000 * statistics.median(alone), IDLE: idle, BUSY: busy}


CONSOLE = Theme(
    "console", f"An asyncssh client gives {len(COMMANDS)} commands in turn, each a channel of its own in one "
    f"connection, while the box answers {PER_S:g} calls a second; now and then a connection of its own, with "
    "its key exchange (ML-KEM with X25519) and signatures. The client's time is in it. Memory is that of a "
    "boxd which also writes series and sends its log, and was read by Prometheus and walked by SNMP; the "
    "daemons are compiled as in the package: without docstrings, and not at their start.",
    (Kind(P95, "ms", "under 100"), Kind(P50, "ms"), Kind(NEW, "ms"), Kind(IDLE, "MB", "under 90"),
     Kind(BUSY, "MB", "under 90")), once)
