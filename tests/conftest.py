"""Fixtures for every package: a real bus, the repository's root."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.bus import server

ROOT = Path(__file__).resolve().parent.parent

# The box in real time: octet-exact audio every 10 ms, on a machine that may be away for longer; database
# servers; browsers. One that fails is tried once more by itself; how often stands in the closing line, why in
# the output.
REAL_TIME = [ROOT / "tests" / name for name in (
    "bench", "e2e", "hil_tests", "span", "centre/test_databases.py")]
# These, and what has lines, ports or processes of its own, run one after the other.
ALONE = [*REAL_TIME, *(ROOT / "tests" / name for name in (
    "box", "e1_driver", "firmware", "interop/test_rtp.py", "launch"))]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        drives_browser = "page" in getattr(item, "fixturenames", ())
        if drives_browser or any(item.path.is_relative_to(folder) for folder in REAL_TIME):
            item.add_marker(pytest.mark.flaky(reruns=1))
        if any(item.path.is_relative_to(folder) for folder in ALONE):
            item.add_marker(pytest.mark.alone)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def bus_server_at(run_dir: Path) -> Iterator[Path]:
    """A nats-server with every daemon's user; credentials lie below `run_dir`."""
    port = free_port()
    log = run_dir / "nats.log"
    path = server.write(run_dir, port)
    with log.open("wb") as output:
        process = subprocess.Popen([server.program(), "-c", str(path)], stdout=output, stderr=output)
    try:
        server.wait_until_serving(port, within_s=10.0)
        yield run_dir
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def bus_server(tmp_path: Path) -> Iterator[Path]:
    """The run folder of a real bus: Bus.connect(bus_server, "trunkd") works."""
    with bus_server_at(tmp_path / "run") as run_dir:
        yield run_dir
