"""Fixtures for every package: a real bus, the repository's root."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.bus import server

ROOT = Path(__file__).resolve().parent.parent


def files(*patterns: str) -> frozenset[Path]:
    """Test files below tests/, and those of folders. ValueError: a pattern finds none."""
    found = {pattern: set((ROOT / "tests").glob(pattern)) for pattern in patterns}
    if missing := [pattern for pattern, paths in found.items() if not paths]:
        raise ValueError(f"no tests are called {', '.join(missing)}")
    return frozenset(
        path for paths in found.values() for one in paths
        for path in (one.rglob("test_*.py") if one.is_dir() else [one]))


# How late something is, sound in real time, ports that a test cannot choose: one after the other, and nothing
# beside it.
ALONE = files(
    "e1_driver/test_detection_libpri.py", "e1_driver/test_pwe3_network.py", "e2e/test_line_card.py",
    "interop/test_rtp.py", "launch/test_listen.py", "span/test_quality.py", "span/test_spand.py",
    "span/test_survival.py")
# Lines at life's pace, a block every 10 ms, on a machine that may be away for longer. They wait for three
# quarters of their time, so some at once leave a core free.
LINE = files(
    "box/line_tests/test_steered.py", "e1_driver/test_card.py", "e1_driver/test_contract.py",
    "e1_driver/test_ctl.py", "e1_driver/test_e1d.py", "e1_driver/test_faults.py", "e1_driver/test_kept.py",
    "e1_driver/test_tdmoe.py", "e1_driver/test_virtual.py", "firmware/test_card_line.py",
    "hil_tests/test_demo.py", "hil_tests/test_exchange.py")
# Whole boxes with folders and ports of their own, and what has devices, servers or a terminal.
WHOLE = files(
    "box/provision/test_sources.py", "box/test_console.py", "box/test_update_rauc.py",
    "centre/test_databases.py", "e2e", "launch/test_supervisor.py", "launch/test_trace.py")
# What takes longest comes first: no worker is left with it at the end.
FIRST = files(
    "e2e/test_first_run.py", "e2e/test_kill_*.py", "e2e/test_launch.py", "e2e/test_line_*.py",
    "e2e/test_promises.py", "e2e/test_recording_policy.py", "e2e/test_restore.py", "e2e/test_upkeep.py",
    "recording/power", "webui/every_page", "webui/**/test_*browser.py")
# Each file has one lane: the last that names it.
LANES = {path: lane for lane, paths in (("whole", WHOLE), ("line", LINE), ("alone", ALONE)) for path in paths}
# What the Makefile asks for: files of other lanes are not even read.
ASKED = {"alone": "alone", "line": "line", "whole": "whole", "not alone and not line and not whole": None}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if (asked := config.option.markexpr) in ASKED and collection_path.is_file():
        return True if LANES.get(collection_path) != ASKED[asked] else None
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path not in FIRST)
    for item in items:
        if lane := LANES.get(item.path):
            item.add_marker(lane)


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
