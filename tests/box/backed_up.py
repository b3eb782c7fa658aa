"""A box's state folder and configuration with something in every part, for tests of backups."""

import os
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.box.backup import passphrase
from appliance.box.backup.format import BackupError
from appliance.box.backup.opening import Backup, opened
from appliance.box.backup.tending import FOLDER, Backups
from appliance.bus.messages import BackupInfo, BackupKind
from appliance.centre.projector import ContactProjector
from appliance.config.backup import BackupConfig, MonthlyConfig, WeeklyConfig
from appliance.store.events import Entry, EventLog
from appliance.store.sealed import DerivedWrapper
from tests.conftest import ROOT
from tests.recording.vault.box import NOON, make_box

PASSPHRASE = "one safe of many words"
SEALING = DerivedWrapper.of(PASSPHRASE)           # a quarter of a second
DATABASE_HEAD_OCTETS = 100
DOCUMENT = """\
spans: [{name: telco1, url: "virtual:run/telco/b", side: user, trunk: telco}]
centre: {regions: {tables: [tables/regions.csv]}}
"""


@contextmanager
def another_disk(folder: Path) -> Iterator[Path]:
    """An empty folder on a file system that `folder` is not on."""
    own = folder.stat().st_dev
    there = [one for one in (Path("/dev/shm"), ROOT, Path("/var/tmp")) if one.is_dir()]
    elsewhere = next(one for one in there if one.stat().st_dev != own)
    with tempfile.TemporaryDirectory(prefix="disk-", dir=elsewhere) as disk:
        yield Path(disk)


@dataclass
class BackedUp:
    """`now`: of the next backup; a week later each time."""

    state_dir: Path
    document: Path
    stick: Path
    now: float = NOON

    @classmethod
    def make(cls, folder: Path) -> "BackedUp":
        state_dir, document, stick = folder / "state", folder / "box" / "branchline.yaml", folder / "stick"
        for one in (state_dir / FOLDER, state_dir / "flows", document.parent / "tables"):
            one.mkdir(parents=True)
        document.write_text(DOCUMENT)
        (document.parent / "tables" / "regions.csv").write_text("prefix,region\n021,Shanghai\n")
        (document.parent / "notes.txt").write_text("of the same folder, and nothing of the box's")
        recordings = make_box(state_dir / "recordings")
        recordings.record(1, b"audio of one")
        recordings.parts.database.close()
        log = EventLog(state_dir / "acd.sqlite", ContactProjector())
        log.append([Entry(at=1.0, contact="c1", kind="Noted", data=f'{{"n": {n}}}') for n in range(50)])
        log.close()
        (state_dir / "session-key").write_text("a secret of the box's\n")
        (state_dir / "session-key").chmod(0o600)
        (state_dir / "flows" / "1.json").write_text("{}")
        for name in ("lock", "acd.sqlite.lock", "new.new", "said/words.wav", "recordings/journal/1.seg"):
            path = state_dir / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("not of a backup")
        key = state_dir / FOLDER / passphrase.FILE
        key.write_bytes(b"branchline backup key 1\n" + SEALING.key + SEALING.head)
        key.chmod(0o600)
        return cls(state_dir, document, stick)

    def backups(self, **settings: Any) -> Backups:
        return Backups(self.state_dir, self.document, BackupConfig(**{
            "path": str(self.stick), "mounted": False, "weekly": WeeklyConfig(keep=2),
            "monthly": MonthlyConfig(), "most_mebibytes_s": 10_000.0, "box": "branch", **settings}))

    def back_up(self, kind: BackupKind = "now", **settings: Any) -> BackupInfo:
        """What became of it."""
        backups = self.backups(**settings)
        made = backups._made(kind, self.now)
        backups._history.add(made)
        self.now += 7 * 86_400
        return made


def open_backup(path: Path, act: Callable[[Backup], None] = lambda _: None) -> Backup:
    """Proven, and closed again. BackupError."""
    with path.open("rb") as file, opened(file, SEALING, path.name) as backup:
        backup.prove()
        act(backup)
        return backup


def refused(path: Path) -> str:
    """What is said of a file that is none, or no good one."""
    try:
        open_backup(path)
    except BackupError as error:
        return str(error)
    raise AssertionError(f"{path} was taken for a backup")


def tree(folder: Path) -> dict[str, bytes]:
    """What every file below holds; of a database without its head, which counts its changes."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.endswith(("-wal", "-shm")):
            head = DATABASE_HEAD_OCTETS if path.suffix == ".sqlite" else 0
            found[str(path.relative_to(folder))] = path.read_bytes()[head:]
    return found


def die_at(count: int, act: Callable[[Callable[[], None]], object]) -> bool:
    """Run `act` in a process that kills itself when it calls what it is given for the `count`th time.

    False: it came to its end before.
    """
    child = os.fork()
    if child == 0:
        left = [count]

        def tick() -> None:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), 9)
        try:
            act(tick)
        except BaseException:
            traceback.print_exc()
            os._exit(2)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)
