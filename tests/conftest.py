"""Fixtures for every package: a real bus, the repository's root."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.bus import server

ROOT = Path(__file__).resolve().parent.parent

# The box in real time (octet-exact audio every 10 ms, on a machine that may be away for longer), and what has
# lines, ports, devices or a terminal of its own or measures how long something takes: one after the other.
# Whole boxes (e2e) have folders and ports of their own: one for each core.
ALONE = {path for pattern in (
    "box/line_tests", "box/provision/test_sources.py", "box/rehearsal", "box/test_card*.py",
    "box/test_console.py", "box/test_judging.py", "box/test_lines.py", "box/test_update_rauc.py",
    "centre/test_databases.py",
    "e1_driver/test_ca[pr]*.py", "e1_driver/test_contract.py", "e1_driver/test_ctl.py",
    "e1_driver/test_dahdi.py", "e1_driver/test_detection_libpri.py", "e1_driver/test_e1d.py",
    "e1_driver/test_faults.py", "e1_driver/test_history.py", "e1_driver/test_kept.py",
    "e1_driver/test_pwe3*.py", "e1_driver/test_tdmoe.py", "e1_driver/test_virtual.py",
    "e2e/test_line_card.py", "firmware", "hil_tests", "interop/test_rtp.py",
    "launch/test_console.py", "launch/test_listen.py", "launch/test_supervisor.py", "launch/test_trace.py",
    "span") for path in (ROOT / "tests").glob(pattern)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not ALONE.isdisjoint((item.path, *item.path.parents)):
            item.add_marker(pytest.mark.alone)
        elif item.path.parent.name == "e2e":
            item.add_marker(pytest.mark.whole)


LIMIT = pytest.StashKey[object]()


def pytest_timeout_set_timer(item: pytest.Item, settings: object) -> None:
    item.stash[LIMIT] = settings


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """A failure ends pytest-timeout's timer: what clears up after it has one, too."""
    if (settings := item.stash.get(LIMIT, None)) is not None:
        item.ihook.pytest_timeout_set_timer(item=item, settings=settings)


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
