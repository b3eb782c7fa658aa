"""One recording on disk, and where recordings lie: FOLDER/YYYY/MM/DD/<id>.wav, mode 0640.

A file has its name only once its head and first audio are durable, and its head never says more than is
durable behind it: data, fdatasync, head. A kill or a power cut at any point leaves a file that plays.
"""

import contextlib
import errno
import itertools
import logging
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from appliance.recording.tap import Run
from appliance.recording.wav import (
    HEAD_OCTETS,
    MAX_TICKS,
    SILENCE,
    TICK_OCTETS,
    TICKS_PER_S,
    Header,
    ticks_in,
)

MAX_HOLE_TICKS = 600 * TICKS_PER_S                # a longer one is left out, not filled with silence
RECENT_DAYS = 3                                   # day folders in which an unfinished file is looked for

_ID = re.compile(r"[0-9a-f]{32}")
_UNNAMED = ".new"

log = logging.getLogger(__name__)


class RecordingFile:
    """An unfinished recording. append, sync, commit; after an OSError in any of them revert and try again."""

    def __init__(self, path: Path, header: Header, descriptor: int | None = None) -> None:
        self.path = path
        self.header = header                      # as on disk
        self.heard_until = header.next_tick       # the tick after the last one that the ring had of it
        self._ahead = header                      # as it will be with what was appended
        self._descriptor = descriptor
        self.named = descriptor is not None        # False: nothing on disk yet that anyone may open

    @classmethod
    def new(cls, folder: Path, day: date, recording: str, tick: int) -> "RecordingFile":
        """Touches nothing yet: the file is made by the first append."""
        return cls(folder / f"{day:%Y/%m/%d}" / f"{recording}.wav", Header(recording, tick))

    @classmethod
    def resume(cls, path: Path) -> "RecordingFile":
        """Take up a file again: the torn tail goes, the head says what is there. Else OSError, ValueError."""
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            old = Header.read(os.pread(descriptor, HEAD_OCTETS, 0))
            header = old.with_ticks(ticks_in(os.fstat(descriptor).st_size))
            os.ftruncate(descriptor, HEAD_OCTETS + header.ticks * TICK_OCTETS)
            os.fdatasync(descriptor)
            os.pwrite(descriptor, header.write(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, header, descriptor)

    def append(self, runs: Sequence[Run], newest: int) -> None:
        """Add what the file does not have yet; silence where ticks are missing. `newest` is the ring's.

        A position ahead of the ring says that the ring began to count anew: the file goes on from its end.
        """
        first_tick, ticks, left_out_ticks = self.header.first_tick, self.header.ticks, 0
        if self.header.next_tick > newest + 1:
            first_tick = runs[0].tick - ticks
        pieces: list[bytes] = []
        hole_at = hole_ticks = 0
        for run in runs:
            hole = run.tick - (first_tick + ticks)
            octets = run.octets[-hole * TICK_OCTETS:] if hole < 0 else run.octets
            if not octets:
                continue
            if hole > MAX_HOLE_TICKS:
                first_tick += hole
                left_out_ticks += hole
            elif hole > 0:
                pieces.append(SILENCE * (hole * TICK_OCTETS))
                hole_at, hole_ticks = hole_at if hole_ticks else ticks, hole_ticks + hole
                ticks += hole
            pieces.append(octets)
            ticks += len(octets) // TICK_OCTETS
        self._write(pieces, ticks, replace(
            self.header, first_tick=first_tick, gap_ticks=self.header.gap_ticks + left_out_ticks,
            hole_at=hole_at, hole_ticks=hole_ticks))

    def silence_until(self, tick: int) -> None:
        """Count what is missing at the end: audio that was heard and could not be written in time."""
        missing = min(tick - self.header.next_tick, MAX_HOLE_TICKS)
        if missing > 0:
            self._write([SILENCE * (missing * TICK_OCTETS)], self.header.ticks + missing, replace(
                self.header, hole_at=self.header.ticks, hole_ticks=missing))

    def _write(self, pieces: list[bytes], ticks: int, intent: Header) -> None:
        """Audio behind the declared end, up to `ticks`. The head says beforehand what the audio cannot."""
        if ticks > MAX_TICKS:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        if self._descriptor is None:
            _make_folder(self.path.parent)
            self._descriptor = os.open(
                self._unnamed(), os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
            os.fchmod(self._descriptor, 0o640)
        if intent != self.header:
            os.pwrite(self._descriptor, intent.write(), 0)
        rest, offset = memoryview(b"".join(pieces)), HEAD_OCTETS + self.header.ticks * TICK_OCTETS
        while rest:
            written = os.pwrite(self._descriptor, rest, offset)
            rest, offset = rest[written:], offset + written
        self._ahead = intent.with_ticks(ticks)

    def sync(self) -> None:
        """Make what was appended durable."""
        if self._descriptor is not None:
            os.fdatasync(self._descriptor)

    def commit(self) -> None:
        """Declare what is durable and give a new file its name."""
        if self._descriptor is None:
            return
        os.pwrite(self._descriptor, self._ahead.write(), 0)
        self.header = self._ahead
        if not self.named:
            self._unnamed().rename(self.path)
            _sync_folder(self.path.parent)
            self.named = True

    def revert(self) -> None:
        """Forget what was appended and not committed."""
        self._ahead = self.header

    def finish(self) -> None:
        """The last word: durable, marked as finished, closed."""
        if self._descriptor is not None:
            self._ahead = replace(self.header, finished=True)
            self.commit()
            self.sync()
            self.close()

    def close(self) -> None:
        """Leave the file as it is, to be taken up again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _unnamed(self) -> Path:
        return self.path.with_name(f".{self.path.name}{_UNNAMED}")


def read_header(path: Path) -> Header:
    """The head of a recording. OSError, ValueError: it is none of ours."""
    with path.open("rb") as file:
        return Header.read(file.read(HEAD_OCTETS))


def locate(folder: Path, recording: str, today: date | None = None) -> Path | None:
    """Where that recording lies, looked for in the recent day folders or, without `today`, in all."""
    if _ID.fullmatch(recording):
        for day in _day_folders(folder) if today is None else _recent(folder, today):
            with contextlib.suppress(OSError):    # a folder that is closed to us
                if (path := day / f"{recording}.wav").exists():
                    return path
    return None


def unfinished(folder: Path, today: date) -> Iterator[Path]:
    """Recordings that were cut off, newest days first; ends after RECENT_DAYS day folders without one.

    Files that never got their name are removed: their audio is in the ring, or was in memory and is lost.
    """
    looked: set[Path] = set()
    for days in _day_folders(folder), _days_until(folder, today):
        quiet_days = 0
        for day in days:
            quiet_days += 1
            for path in _unfinished_in(day) if day not in looked else ():
                quiet_days = 0
                yield path
            looked.add(day)
            if quiet_days == RECENT_DAYS:
                break


def _unfinished_in(day: Path) -> Iterator[Path]:
    try:
        paths = sorted(day.iterdir())
    except OSError as error:
        log.warning("%s: left alone: %s", day, error)
        return
    for path in paths:
        if path.name.endswith(_UNNAMED):
            with contextlib.suppress(OSError):
                path.unlink()
        elif path.suffix == ".wav" and path.is_file():
            try:
                header = read_header(path)
            except (OSError, ValueError) as error:
                log.warning("%s: left alone: %s", path, error)
                continue
            if not header.finished:
                yield path


def _recent(folder: Path, today: date) -> Iterator[Path]:
    """The newest day folders, and the newest until today: neither hides the other if a clock was wrong."""
    newest = itertools.islice(_day_folders(folder), RECENT_DAYS)
    until_today = itertools.islice(_days_until(folder, today), RECENT_DAYS)
    yield from dict.fromkeys((*newest, *until_today))


def _days_until(folder: Path, today: date) -> Iterator[Path]:
    return (day for day in _day_folders(folder)
            if tuple(map(int, day.parts[-3:])) <= (today.year, today.month, today.day))


def _day_folders(folder: Path) -> Iterator[Path]:
    """YYYY/MM/DD below `folder`, newest first."""
    for year in _numbered(folder, 4):
        for month in _numbered(year, 2):
            yield from _numbered(month, 2)


def _numbered(folder: Path, digits: int) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted((path for path in folder.iterdir()
                       if len(path.name) == digits and path.name.isdecimal() and path.is_dir()), reverse=True)
    return []


def _make_folder(folder: Path) -> None:
    """Make the folder and those above it, durably."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o750)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
