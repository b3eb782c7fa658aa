"""A backup restored by what the page asks: the launcher starts everything anew; and it is taken back."""

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from appliance.bus.client import Refused
from appliance.bus.messages import (
    BackUp,
    BeginRestore,
    GetBackups,
    GetRestore,
    PrepareRestore,
    RestoreOutcome,
    TakeRestoreBack,
)
from tests.e2e.observer import Observer
from tests.e2e.rig import CONFIG, FLOW, write_prompts
from webui.access.audit import Asked, Audit
from webui.access.ranges import Range
from webui.users import Users

BRANCHLINE = Path(sys.executable).with_name("branchline")
PASSPHRASE = "one safe of many words"
READY_S, SOON_S = 60.0, 60.0

T = TypeVar("T")


@pytest.fixture
def folder() -> Iterator[Path]:
    # pytest's own folders have paths too long for a socket
    with tempfile.TemporaryDirectory(prefix="up-") as name:
        yield Path(name)


def until(look: Callable[[], T | None], within_s: float = SOON_S) -> T:
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.2)
    return found


def children(pid: int) -> list[int]:
    """Descriptors of the processes that it has started."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [os.pidfd_open(int(child)) for child in found]


def gone(processes: list[int]) -> None:
    """Wait until they are over."""
    for process in processes:
        assert select.select([process], [], [], SOON_S)[0], "it outlives the launcher"
        os.close(process)


class Up:
    """branchline up with a box of its own."""

    def __init__(self, folder: Path) -> None:
        self.run_dir, self.state_dir, config = folder / "run", folder / "state", folder / "box"
        self.document, self.log = config / "branchline.yaml", folder / "log"
        config.mkdir()
        self.state_dir.mkdir()
        spans = [{**span, "url": span["url"].replace("LINES", f"{folder}/lines")} for span in CONFIG["spans"]]
        self.settings: dict[str, Any] = {
            **CONFIG, "spans": spans,
            "backup": {"path": str(folder / "stick"), "mounted": False, "box": "b1"}}
        self.write(self.settings)
        (config / "main.yaml").write_text(yaml.safe_dump(FLOW))
        write_prompts(config / "prompts")
        self.users = Users(self.state_dir / "users.sqlite")
        self.process: subprocess.Popen[bytes] | None = None

    def write(self, settings: dict[str, Any]) -> None:
        self.document.write_text(yaml.safe_dump(settings))

    def set_up(self) -> None:
        """It runs, and can back up."""
        self.users.create_first("admin", "correct horse battery")
        subprocess.run(
            [BRANCHLINE, "backup", "passphrase", "--state-dir", self.state_dir, "--passphrase-file", "-"],
            input=PASSPHRASE + "\n", text=True, check=True, stdout=subprocess.DEVNULL)
        self.start()
        self.ready(1)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [BRANCHLINE, "up", "--config", self.document, "--state-dir", self.state_dir, "--run-dir",
                 self.run_dir, "--port", "0"], stdout=log, stderr=subprocess.STDOUT)

    def ready(self, times: int) -> None:
        """Has been, so often."""
        until(lambda: self.log.read_text().count("Ctrl-C") >= times, READY_S)

    def people(self) -> list[str]:
        return sorted(one.name for one in self.users.people())

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)


@pytest.fixture
def box(folder: Path) -> Iterator[Up]:
    up = Up(folder)
    yield up
    up.stop()


def outcome(box: Up, act: str) -> RestoreOutcome:
    with Observer(box.run_dir) as bus:
        found = until(lambda: bus.ask(GetRestore(), 10.0).outcome)
    assert found.act == act and found.error == "", found
    return found


def test_a_box_becomes_its_backup_and_what_it_was_again(box: Up) -> None:
    box.set_up()
    with Observer(box.run_dir) as bus:
        bus.ask(BackUp())
        made = until(lambda: bus.ask(GetBackups()).backups)[0]
        assert made.error == ""
        box.users.add("later", "correct horse battery", "admin", Range(), "admin")
        box.write({**box.settings, "web": {"port": 0, "language": "en"}})

        # As from another box, with its passphrase.
        uploads = box.state_dir / "uploads"
        uploads.mkdir(exist_ok=True)
        shutil.copyfile(made.path, uploads / "theirs.backup")
        bus.ask(PrepareRestore(source="upload:theirs.backup", passphrase="four other words here"))
        wrong = until(lambda: bus.ask(GetRestore()).error)
        assert "the passphrase does not open it" in wrong
        bus.ask(PrepareRestore(source="upload:theirs.backup", passphrase=PASSPHRASE))
        seen = until(lambda: bus.ask(GetRestore()).prepared)
        assert seen.refused == "" and seen.keys == ["web.language"], seen
        assert {one.what: (one.now, one.held) for one in seen.counts}["people"] == (2, 1)
        name = bus.ask(GetRestore()).name
        asked: dict[str, Any] = {
            "by": "admin", "address": "10.0.0.9", "why": "a wrong import", "begin": "now"}
        with pytest.raises(Refused, match="nothing is restored"):
            bus.ask(BeginRestore(token=seen.token, name="another", **asked))
        bus.ask(BeginRestore(token=seen.token, name=name, **asked))
    box.ready(2)
    done = outcome(box, "restore")
    assert (done.by, done.why, done.box) == ("admin", "a wrong import", "b1")
    assert box.people() == ["admin"]
    assert "language" not in box.document.read_text()
    assert "restored" in subprocess.run(
        [BRANCHLINE, "recordings", "chain", "--run-dir", box.run_dir], capture_output=True, text=True,
        check=True).stdout
    acts = [one.act for one in Audit(box.state_dir / "audit.sqlite").entries(Asked(), 10)]
    assert acts.count("restored") == 1
    assert sorted(path.name for path in (box.state_dir / "restore").iterdir()) == ["undo.json"]
    assert PASSPHRASE not in box.log.read_text()

    with Observer(box.run_dir) as bus:
        assert bus.ask(GetRestore()).back
        bus.ask(TakeRestoreBack(name=name, **asked))
    box.ready(3)
    outcome(box, "take-back")
    assert box.people() == ["admin", "later"]
    assert "language: en" in box.document.read_text()


def test_a_wish_outlives_a_launcher_that_is_killed(box: Up) -> None:
    box.set_up()
    with Observer(box.run_dir) as bus:
        bus.ask(BackUp())
        made = until(lambda: bus.ask(GetBackups()).backups)[0]
        box.users.add("later", "correct horse battery", "admin", Range(), "admin")
        bus.ask(PrepareRestore(source=made.path))
        seen = until(lambda: bus.ask(GetRestore()).prepared)
        assert box.process is not None
        os.kill(box.process.pid, signal.SIGSTOP)  # it sees no wish
        bus.ask(BeginRestore(token=seen.token, name=bus.ask(GetRestore()).name, by="admin", address="",
                             why="x", begin="now"))
        until(lambda: bus.ask(GetRestore()).wished)
        started = children(box.process.pid)
        box.process.kill()
        box.process.wait(10)
        gone(started)                             # the kernel ends what it had started
    box.document.unlink()                         # as a cut between two moves may leave it
    box.start()
    box.ready(2)
    outcome(box, "restore")
    assert box.people() == ["admin"]
