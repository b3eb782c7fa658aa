"""The disk refuses: full, read-only, broken. Calls go on, and all is finished when it is well again."""

import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.config.schema import Config
from appliance.recording.journal.journal import SPARES
from tests.recording.power.subject import BEGIN_TICK, build, running
from tests.recording.power.whole import AFTER, BATCHES, ROWS, examine, turn
from tests.recording.rings import Feeder

pytestmark = pytest.mark.need(5)

ROOM_OCTETS = 12 * 1024 * 1024


@pytest.fixture(scope="session")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("faults") / "faults.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(library),
                    str(Path(__file__).with_name("faults.c")), "-ldl"], check=True)
    return library


@pytest.mark.parametrize(("error", "calls", "every"), [
    (errno.EIO, 1, 19), (errno.EIO, 25, 61), (errno.ENOSPC, 60, 61), (errno.EROFS, 1 << 30, 61)])
def test_any_change_of_the_disk_may_be_refused(faults: Path, error: int, calls: int, every: int) -> None:
    """From the n-th on so many; SQLite's, too. `every` 1 is for a machine that has the minutes."""
    memory = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tests.recording.power.faulted", folder, *map(str, (error, calls, every))],
            env={**os.environ, "LD_PRELOAD": str(faults)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of ROOM_OCTETS of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM_OCTETS}", "none", str(folder)],
                          capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for octets in (64 * 1024, 1):             # to the last one
            try:
                while True:
                    file.write(bytes(octets))
            except OSError as refused:
                assert refused.errno == errno.ENOSPC


def test_a_full_disk_stops_nothing_while_there_are_segments_in_advance_and_all_is_finished_later(
        small_disk: Path, tmp_path: Path) -> None:
    config = Config.model_validate({"spans": [{"name": "a", "url": "virtual:/tmp/a", "side": "user",
                                               "trunk": "a"}]})
    parts, feeder = build(small_disk, config), Feeder(tmp_path / "ring", rows=ROWS)
    feeder.tick = BEGIN_TICK
    for batch in range(BATCHES):
        if batch == SPARES + 1:
            fill(small_disk / "filler")
        turn(parts, feeder, *running(batch, ROWS))
        assert (parts.taker.figures()["failing"], parts.taker.figures()["lag_ticks"]) == (0, 0)
    with parts.database.read() as connection:
        assert not connection.exec_driver_sql("SELECT count(*) FROM recordings").scalar()
    (small_disk / "filler").unlink()
    for _ in range(AFTER):
        turn(parts, feeder)
    examine(parts)
    parts.database.close()
    again = build(small_disk, config)
    examine(again)
    again.database.close()
