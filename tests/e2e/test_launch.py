"""branchline up as a person starts it: the demonstration lives, heals itself, ends clean, and comes back."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.bus.messages import (
    Board,
    ContactInfo,
    DaemonUp,
    GetContact,
    GetContacts,
    GetHealth,
    GetRecording,
    RecordingInfo,
)
from tests.e2e.observer import Observer
from tests.e2e.talk import SOON_S, wav_of

BRANCHLINE = Path(sys.executable).with_name("branchline")
READY_S = 40.0                                    # the first time all prompts and all speech are made
END_S = 30.0
PATIENCE_S = 60.0                                 # callers come by themselves, five seconds apart or so
EX_CONFIG = 78
PAGE_OCTETS = 4096                                # of SQLite


class Up:
    """branchline up --demo in a folder of its own, and what it prints."""

    def __init__(self, folder: Path) -> None:
        self.run_dir, self.state_dir = folder / "run", folder / "state"
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        self.process = subprocess.Popen(
            [BRANCHLINE, "up", "--demo", "--state-dir", self.state_dir, "--run-dir", self.run_dir,
             "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line.rstrip())
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_line(self, part: str, within_s: float = SOON_S) -> str:
        """The first line with `part` in it, maybe from before."""
        def there() -> str | None:
            return next((line for line in self.lines if part in line), None)
        with self._changed:
            self._changed.wait_for(lambda: there() or self._ended, within_s)
            line = there()
        assert line is not None, "\n".join([f"nobody said {part!r}:", *self.lines])
        return line

    def wait_ready(self) -> None:
        self.wait_line("Ctrl-C", READY_S)

    def wait_end(self) -> int:
        """The exit code."""
        code = self.process.wait(END_S)
        self._reader.join(END_S)
        return code

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.wait_end()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    # pytest's own folders have paths too long for a socket
    with tempfile.TemporaryDirectory(prefix="up-") as folder:
        yield Path(folder)


@pytest.fixture
def boxes() -> Iterator[list[Up]]:
    boxes: list[Up] = []
    yield boxes
    for box in boxes:
        box.close()


def processes_of(folder: Path) -> list[str]:
    """Whatever runs with this folder in its command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:                           # it has just ended
            continue
        if str(folder) in words:
            found.append(words)
    return found


def first_talk(bus: Observer) -> ContactInfo:
    """The first contact that talks to an agent, fresh."""
    def talking(board: Board) -> list[ContactInfo]:
        return [contact for contact in board.contacts if contact.state == "talking"]
    return talking(bus.wait_event(Board, talking, PATIENCE_S))[0]


def recorded(bus: Observer, contact: ContactInfo, longer_than_s: float) -> RecordingInfo:
    """The recording of its talk, once more than that is on the disk."""
    request = GetRecording(recording=contact.segments[-1].recording)
    return bus.ask_until(request, lambda info: info.duration_s > longer_than_s, SOON_S)


def sox_duration_s(bus: Observer, info: RecordingInfo, folder: Path) -> float:
    """Of its audio as it is now, which must be A-law in two channels."""
    path = wav_of(bus, info.recording, folder)

    def told(flag: str) -> str:
        done = subprocess.run(["soxi", flag, path], check=True, capture_output=True, text=True)
        return done.stdout.strip()
    assert (told("-c"), told("-r"), told("-e")) == ("2", "8000", "A-law")
    return float(told("-D"))


def kill_trunkd(box: Up, bus: Observer) -> None:
    """kill -9; returns when the next one is there."""
    killed = next(one.pid for one in bus.ask(GetHealth()).health.daemons if one.daemon == "trunkd")
    mark = bus.mark()
    os.kill(killed, signal.SIGKILL)
    again = bus.wait_event(DaemonUp, lambda up: up.daemon == "trunkd", SOON_S, mark)
    assert again.pid != killed
    box.wait_line("killed by SIGKILL; starts again in 0.2 s")


def wait_new_contact(bus: Observer) -> None:
    """Somebody who was not there yet calls, and is answered by the flow."""
    known = {contact.contact for board in bus.said(Board) for contact in board.contacts}
    bus.wait_event(Board, lambda board: any(
        contact.contact not in known and contact.segments for contact in board.contacts), PATIENCE_S)


def test_the_demonstration_lives_heals_itself_ends_and_comes_back(folder: Path, boxes: list[Up]) -> None:
    boxes.append(box := Up(folder))
    box.wait_ready()
    with Observer(box.run_dir) as bus:
        talk = first_talk(bus)
        assert sox_duration_s(bus, recorded(bus, talk, 0.5), folder) > 0.5
        kill_trunkd(box, bus)
        before_s = recorded(bus, talk, 0.0).duration_s
        recorded(bus, talk, before_s + 1.0)
        now = bus.ask(GetContact(contact=talk.contact)).contact
        assert now is not None and now.state == "talking"
        wait_new_contact(bus)
    assert len(processes_of(folder)) == 10        # the launcher, the bus, six daemons, two exchanges
    assert box.stop() == 0
    assert processes_of(folder) == []
    assert not [line for line in box.lines if "Traceback" in line or "does not stop" in line]

    boxes.append(box := Up(folder))
    box.wait_ready()
    with Observer(box.run_dir) as bus:
        contacts = bus.ask(GetContacts(limit=500)).contacts
        assert talk.contact in [contact.contact for contact in contacts if contact.ended_at]
        recordings = [segment.recording for contact in contacts for segment in contact.segments
                      if contact.ended_at and segment.recording]
        assert talk.segments[-1].recording in recordings
        for recording in recordings:
            info = bus.ask_until(GetRecording(recording=recording), lambda info: info.finished, SOON_S)
            assert sox_duration_s(bus, info, folder) == pytest.approx(info.duration_s, abs=0.01)
    assert box.stop() == 0


def test_a_box_told_to_end_while_it_starts_ends(folder: Path, boxes: list[Up]) -> None:
    boxes.append(box := Up(folder))
    box.wait_line("boxd is up", READY_S)
    assert box.stop() == 0
    assert processes_of(folder) == []


def test_a_damaged_event_log_is_named_and_left_alone_and_nothing_runs(folder: Path, boxes: list[Up]) -> None:
    boxes.append(box := Up(folder))
    box.wait_ready()
    assert box.stop() == 0
    path = box.state_dir / "acd.sqlite"
    whole = path.read_bytes()
    damaged = whole[:PAGE_OCTETS] + b"\xa5" * (len(whole) - PAGE_OCTETS)
    path.write_bytes(damaged)
    boxes.append(box := Up(folder))
    assert box.wait_end() == EX_CONFIG
    assert box.lines[-2] == "acdd cannot start:"
    told = box.lines[-1]
    assert told.startswith(f"{path}: ") and "restore it from a backup, or move it away" in told
    assert sum(str(path) in line for line in box.lines) == 2         # when it happened, and last
    assert path.read_bytes() == damaged
    assert processes_of(folder) == []
