"""The box loses its power at any instant: all that was said to be safe is there, and nothing else is broken.

The system calls of a real run are replayed onto a disk that forgets, at random, what was not synced.
"""

import functools
import itertools
import random
import sys
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import select

from appliance.config.schema import Config
from appliance.recording.audio import Format, decode
from appliance.recording.catalogue import rows
from appliance.recording.catalogue.schema import recordings
from appliance.recording.finishing import finish
from appliance.recording.parts import Parts
from appliance.recording.vault.chain import Checked, check
from appliance.recording.wav import TICK_OCTETS
from tests.recording.power.disk import Call, Disk, trace
from tests.recording.power.subject import BEGIN_TICK, build, running
from tests.recording.rings import said


class Run:
    """What the program did, and what it should have recorded."""

    def __init__(self, folder: Path, rows_: int, ticks: int, batches: int) -> None:
        self.state = folder / "state"
        self.calls = trace([sys.executable, "-m", "tests.recording.power.subject", str(folder), str(rows_),
                            str(ticks), str(batches)], folder / "calls")
        self.spoken: dict[str, list[range]] = {}  # recording -> its ticks
        for batch in range(batches):
            begin = BEGIN_TICK + batch * ticks
            for name in running(batch, rows_):
                self.spoken.setdefault(name, []).append(range(begin, begin + ticks))
        self._said = str(folder / "said")

    def is_word(self, call: Call) -> bool:
        return call.name == "write" and call.path == self._said

    def safe_ticks(self, name: str, taken: int) -> int:
        return sum(len(ticks) for ticks in self.spoken[name] if ticks.stop <= taken)


def heard(parts: Parts, name: str) -> bytes:
    """All that there is of it, both sides in turn."""
    with parts.database.read() as connection:
        row = rows.get(connection, name)
    audio = b""
    if row is not None:
        with parts.store.open(row.path) as sealed:
            assert sealed.sha256().hex() == row.sha256
            audio = b"".join(decode(Format(row.format), sealed.stream()))
    elif parts.taker.is_open(name):
        audio = b"".join(parts.taker.audio(name, parts.taker.timeline(name)))
    return audio


@functools.cache
def spoken(name: str, ticks: tuple[range, ...]) -> bytes:
    both = [said(itertools.chain(*ticks), name, side) for side in (0, 1)]
    audio = bytearray(len(both[0]) * 2)
    audio[::2], audio[1::2] = both
    return bytes(audio)


def examine(state: Path, run: Run, config: Config, taken: int, finished: set[str]) -> None:
    """As the box starts again: what is there, then what comes of it."""
    parts = build(state, config)
    with parts.database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        in_catalogue = {row.recording for row in connection.execute(select(recordings.c.recording))}
    assert finished <= in_catalogue
    for name in run.spoken:
        ticks = run.safe_ticks(name, taken)
        if ticks:
            audio = heard(parts, name)
            assert spoken(name, tuple(run.spoken[name])).startswith(audio), name
            assert len(audio) >= ticks * TICK_OCTETS, name
    unfinished = [name for name in run.spoken if parts.taker.is_open(name) and name not in in_catalogue]
    begun = [name for name in unfinished if list(parts.folder.rglob(f"*{name}.blr*"))]
    for name in {*begun, *unfinished[:3]}:
        assert finish(parts, name, 0.0) is not None
    with parts.database.read() as connection:
        paths = {row.path for row in connection.execute(select(recordings.c.path))}
        checked = check(connection, Checked(), 1_000_000)
    assert checked.done
    assert checked.broken_seq is None
    on_disk = {str(path.relative_to(parts.folder)) for path in parts.folder.rglob("*.blr")
               if not path.name.startswith(".")}
    assert on_disk == paths                       # no orphan of either kind
    parts.database.close()


@pytest.mark.need(5)
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("rows_", "ticks", "batches", "cuts"), [(30, 100, 14, 170), (480, 10, 6, 40)])
def test_a_power_cut_at_any_instant_loses_nothing_that_was_safe(
        tmp_path: Path, rows_: int, ticks: int, batches: int, cuts: int) -> None:
    run, chance = Run(tmp_path, rows_, ticks, batches), random.Random(rows_)
    config = Config.model_validate({"spans": [{"name": "a", "url": "virtual:/tmp/a", "side": "user",
                                               "trunk": "a"}]})
    disk, taken, finished = Disk(str(run.state)), 0, set[str]()
    memory = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    instants = set(chance.sample(range(len(run.calls)), cuts)) | {len(run.calls) - 1}
    for number, call in enumerate(run.calls):
        if number in instants:
            with tempfile.TemporaryDirectory(dir=memory) as after:
                disk.cut(chance, Path(after))
                try:
                    examine(Path(after), run, config, taken, finished)
                except BaseException as error:
                    error.add_note(f"cut before call {number} of {len(run.calls)}: {call.name} {call.path}")
                    raise
        if run.is_word(call):
            word, _, what = call.octets.decode().strip().partition(" ")
            if word == "taken":
                taken = int(what)
            else:
                finished.add(what)
        else:
            disk.do(call)
    assert len(finished) > rows_ // 3 or batches * ticks < 300
