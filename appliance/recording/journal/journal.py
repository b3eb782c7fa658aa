"""The journal on disk: FOLDER/<number>.seg in use, FOLDER/spare-*.seg made in advance. One writer.

append() is durable when it returns. After an error, and at every start, a new segment is begun: nothing that
is durable shares a block, or a key and a place, with what comes later. A segment is free when no recording in
it is wanted any more: its key is destroyed, and it is used again without asking the file system for room.
"""

import contextlib
import errno
import logging
import os
import re
import secrets
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from appliance.errors import BranchlineError
from appliance.media.ring import TICK_NS
from appliance.recording.folders import make_folder, sync_folder
from appliance.recording.journal import segment
from appliance.recording.journal.segment import BLOCK_OCTETS, Entry, Head, Sealer, Slice, Span
from appliance.recording.tap import Run
from appliance.recording.wav import TICK_OCTETS
from appliance.store.sealed import KEY_OCTETS, Tampered, Wrapper

SEGMENT_OCTETS = 32 * 1024 * 1024
SPARES = 2                                        # ready when the file system is full
CARRY_ABOVE = 64                                  # segments in use: then half free ones are emptied
CARRY_OCTETS = 4 * 1024 * 1024                    # with each batch

_COLUMNS = 4                                      # of a Slice
_NUMBERED = re.compile(r"(?:spare-)?([0-9]{10})\.seg")

log = logging.getLogger(__name__)


class Journal:
    """append(), release() from one thread; the others from any."""

    def __init__(self, folder: Path, keys: Wrapper, now_ns: Callable[[], int],
                 segment_octets: int = SEGMENT_OCTETS) -> None:
        self._folder, self._keys, self._now_ns, self._octets = folder, keys, now_ns, segment_octets
        self._lock = threading.Lock()
        self._tracks: dict[str, array[int]] = {}  # recording -> Slices, flat, in the order of time
        self._began_ns: dict[str, int] = {}       # recording -> when, by spand's wall clock
        self._live: dict[int, int] = {}           # segment -> sealed octets in it that are wanted
        self._sealers: dict[int, Sealer] = {}
        self._number = 0                          # the last one given
        self._descriptor: int | None = None       # of the segment that is being written
        self._at = 0
        self._stuck: set[int] = set()             # segments that cannot be read now: not emptied
        self.written_octets = 0
        self.unread: list[str] = []               # at the start: files left alone, and why

    def recover(self) -> Span | None:
        """Read what there is; up to where it has all of the ring, None: it has nothing. OSError."""
        make_folder(self._folder)
        last: Span | None = None
        for path in sorted(self._folder.iterdir()):
            if (named := _NUMBERED.fullmatch(path.name)) is None:
                continue
            # A spare one counts, too: what its last use left behind in it must not look like ours.
            self._number = max(self._number, int(named[1]))
            if path != self._path(int(named[1])):
                continue
            try:
                last = self._read_segment(path) or last
            except (OSError, ValueError, BranchlineError) as error:
                self.unread.append(f"{path}: {error}")
                log.error("%s: left alone: %s", path, error)
        self._free_unwanted()
        return last

    @property
    def recordings(self) -> list[str]:
        with self._lock:
            return list(self._tracks)

    @property
    def segments(self) -> int:
        """In use."""
        return len(self._live)

    def slices(self, recording: str) -> list[Slice]:
        """All there is of it, in order of time; they may overlap after an error."""
        with self._lock:
            flat = self._tracks.get(recording, array("q")).tolist()
        return [Slice(*flat[at:at + _COLUMNS]) for at in range(0, len(flat), _COLUMNS)]

    def last(self, recording: str) -> Slice | None:
        with self._lock:
            track = self._tracks.get(recording)
            return Slice(*track[-_COLUMNS:]) if track else None

    def read(self, recording: str, one: Slice) -> bytes:
        """The audio of a slice. OSError, ValueError: it cannot be read, or is not what was written."""
        with self._lock:
            sealer = self._sealers.get(one.segment)
        if sealer is None:
            raise ValueError(f"segment {one.segment}: is free already")
        descriptor = os.open(self._path(one.segment), os.O_RDONLY | os.O_CLOEXEC)
        try:
            return sealer.open(recording, one.at, os.pread(descriptor, one.sealed_octets, one.at))
        finally:
            os.close(descriptor)

    def began_ns(self, recording: str) -> int:
        """Its first tick, in ns since 1970 by spand's clock."""
        with self._lock:
            return self._began_ns[recording]

    def append(self, first_tick: int, end_tick: int, wall_ns: int, runs: Sequence[tuple[str, Run]]) -> None:
        """Make these durable; the ring's ticks first to end - 1 are done with. OSError: none of it counts.

        `wall_ns`: when the first tick was, since 1970.
        """
        carried = self._to_carry()
        try:
            rest = list(runs)
            while True:
                now, rest = self._that_fits(rest, carried)
                # What a crash leaves of a row of batches is taken from the ring again.
                span = Span(first_tick, first_tick if rest else end_tick, wall_ns)
                written = self._write(now, carried, span)
                with self._lock:
                    for entry in written:
                        self._add(entry, span)
                carried = []
                if not rest:
                    break
        except OSError:
            self._leave()
            raise
        self._free_unwanted()

    def release(self, recording: str) -> None:
        """It is safe elsewhere."""
        with self._lock:
            track = self._tracks.pop(recording, array("q"))
            self._began_ns.pop(recording, None)
            for at in range(0, len(track), _COLUMNS):
                self._live[track[at]] -= Slice(*track[at:at + _COLUMNS]).sealed_octets
        self._free_unwanted()

    def refill(self) -> None:
        """Make a spare segment if one is wanted. OSError: there is no room."""
        if len(self._spares()) < SPARES:
            self._make_spare()

    def close(self) -> None:
        self._leave()

    def wrapped_by(self) -> set[str]:
        """Ids of the box's keys that segments in use still want. OSError: it cannot be known."""
        found = set()
        for path in self._folder.glob("[0-9]*.seg"):                 # those that could not be read, too
            with contextlib.suppress(FileNotFoundError, ValueError, Tampered):       # free since then
                found.add(self._head(path).wrapped.by)
        return found

    def _that_fits(self, runs: list[tuple[str, Run]],
                   carried: list[tuple[str, Run]]) -> tuple[list[tuple[str, Run]], list[tuple[str, Run]]]:
        """As many as one batch takes, in a new segment if it has to be; and the others."""
        most, lengths = self._octets - BLOCK_OCTETS, [_ticks(run) for _, run in carried]
        for count, (_, run) in enumerate(runs):
            lengths.append(_ticks(run))
            if segment.batch_octets(lengths) > most or len(lengths) > segment.MOST_ENTRIES:
                return runs[:count], runs[count:]
        return runs, []

    def _write(self, runs: list[tuple[str, Run]], carried: list[tuple[str, Run]],
               span: Span) -> list[Entry]:
        if not runs and not carried:
            return []
        wanted = segment.batch_octets([_ticks(run) for _, run in (*runs, *carried)])
        descriptor = self._descriptor
        if descriptor is None or self._at + wanted > self._octets:
            self._leave()
            descriptor = self._begin()
        octets, entries = self._sealers[self._number].batch(self._at, span, runs, carried)
        rest, at = memoryview(octets), self._at
        while rest:
            written = os.pwrite(descriptor, rest, at)
            rest, at = rest[written:], at + written
        os.fdatasync(descriptor)
        self._at += len(octets)
        self.written_octets += len(octets)
        return entries

    def _begin(self) -> int:
        """A new segment from a spare one: its head is durable before it has its name. Its descriptor."""
        spares = self._spares() or [self._make_spare()]
        number, key = self._number + 1, secrets.token_bytes(KEY_OCTETS)
        descriptor = os.open(spares[0], os.O_RDWR | os.O_CLOEXEC)
        try:
            _write_all(descriptor, Head(number, self._now_ns(), self._keys.wrap(key)).write(), 0)
            os.fdatasync(descriptor)
            spares[0].rename(self._path(number))
            sync_folder(self._folder)
        except OSError as error:
            os.close(descriptor)
            if error.errno == errno.EIO:          # a bad block of that one file must not stop all the others
                with contextlib.suppress(OSError):
                    spares[0].unlink()
            raise
        self._number, self._descriptor, self._at = number, descriptor, BLOCK_OCTETS
        with self._lock:
            self._sealers[number], self._live[number] = Sealer(number, key), 0
        return descriptor

    def _leave(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self._free_unwanted()

    def _free_unwanted(self) -> None:
        current = self._number if self._descriptor is not None else None
        for number in [one for one, octets in self._live.items() if not octets and one != current]:
            try:
                self._free(number)
            except OSError as error:
                log.warning("%s: cannot be freed now: %s", self._path(number), error.strerror)

    def _free(self, number: int) -> None:
        """Destroy its key, then keep it as a spare, or let the file system have it."""
        path, spare = self._path(number), self._folder / f"spare-{number:010d}.seg"
        keep = len(self._spares()) < SPARES
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            _write_all(descriptor, bytes(BLOCK_OCTETS), 0)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        if keep:
            path.rename(spare)
        else:
            path.unlink()
        with self._lock:
            self._live.pop(number, None)
            self._sealers.pop(number, None)

    def _make_spare(self) -> Path:
        path = self._folder / f"spare-new-{secrets.token_hex(5)}.seg"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        try:
            os.posix_fallocate(descriptor, 0, self._octets)
            os.fsync(descriptor)
        except OSError:
            path.unlink()
            raise
        finally:
            os.close(descriptor)
        return path

    def _spares(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("spare-*.seg")
                      if path.stat().st_size == self._octets)

    def _add(self, entry: Entry, span: Span) -> None:
        """Into the index. A carried one takes the place of the one with its first tick, if that is known."""
        track, one = self._tracks.setdefault(entry.recording, array("q")), entry.slice
        self._began_ns.setdefault(entry.recording, span.wall_ns + (one.tick - span.first_tick) * TICK_NS)
        at = len(track)
        if entry.carried:
            for other in range(0, len(track), _COLUMNS):
                before = Slice(*track[other:other + _COLUMNS])
                if before.tick == one.tick:
                    self._live[before.segment] -= before.sealed_octets
                    del track[other:other + _COLUMNS]
                if before.tick >= one.tick:
                    at = other
                    break
        track[at:at] = array("q", one)
        self._live[one.segment] += one.sealed_octets

    def _to_carry(self) -> list[tuple[str, Run]]:
        """What the emptiest segment holds, when there are many: one long call must not keep them all."""
        if len(self._live) <= CARRY_ABOVE:
            return []
        others = self._live.keys() - self._stuck - {self._number}
        number = min(others, key=self._live.__getitem__, default=None)
        if number is None or self._live[number] > self._octets // 2:
            return []
        carried: list[tuple[str, Run]] = []
        octets = 0
        for recording, one in self._within(number):
            octets += one.sealed_octets
            if octets > min(CARRY_OCTETS, self._octets // 4):
                break
            try:
                carried.append((recording, Run(one.tick, self.read(recording, one))))
            except OSError as error:
                log.error("%s: cannot be emptied: %s", self._path(number), error)
                self._stuck.add(number)
                break
            except ValueError as error:
                log.error("%s: %s: its audio there is lost", recording, error)
                self._drop(recording, one)
        return carried

    def _within(self, number: int) -> list[tuple[str, Slice]]:
        """All that a segment has, among the slices of hours of all calls."""
        found: list[tuple[str, Slice]] = []
        with self._lock:
            for recording, track in self._tracks.items():
                rows = np.array(track, np.int64).reshape(-1, _COLUMNS)
                found += [(recording, Slice(*row)) for row in rows[rows[:, 0] == number].tolist()]
        return found

    def _drop(self, recording: str, one: Slice) -> None:
        with self._lock:
            track = self._tracks[recording]
            for at in range(0, len(track), _COLUMNS):
                if Slice(*track[at:at + _COLUMNS]) == one:
                    del track[at:at + _COLUMNS]
                    self._live[one.segment] -= one.sealed_octets
                    return

    def _read_segment(self, path: Path) -> Span | None:
        """Of its last batch, as far as that can be relied on."""
        number = int(path.stem)
        with path.open("rb") as file:
            block = file.read(BLOCK_OCTETS)
            self._live[number] = 0
            if block == bytes(BLOCK_OCTETS):      # its key was destroyed: a cut came before its new name
                return None
            try:
                head = Head.read(block)
                if head.number != number:
                    raise ValueError(f"its head says {head.number}")
                self._sealers[number] = Sealer(number, self._keys.unwrap(head.wrapped))
            except (ValueError, BranchlineError):
                del self._live[number]
                raise
            last: segment.Batch | None = None
            for batch in self._batches(path, file.fileno(), number):
                if last is not None:
                    self._take(last, last.entries)
                last = batch
        if last is None:
            return None
        # Only the last one can be torn: the others were durable before the next was begun.
        whole = [entry for entry in last.entries if self._is_whole(entry)]
        self._take(last, whole)
        return last.span if len(whole) == len(last.entries) else last.span._replace(
            end_tick=last.span.first_tick)

    def _batches(self, path: Path, descriptor: int, number: int) -> Iterator[segment.Batch]:
        """All of them; a head that is damaged hides what is below it alone."""
        at = end = BLOCK_OCTETS
        size = os.fstat(descriptor).st_size
        while at < size:
            try:
                batch = _batch_at(descriptor, number, at)
            except OSError as error:
                log.error("%s, octet %d: %s", path, at, error.strerror)
                batch = None
            if batch is None:
                at += BLOCK_OCTETS
                continue
            if at > end:
                log.error("%s: octets %d to %d are damaged: audio is missing", path, end, at - 1)
            yield batch
            at = end = batch.end

    def _take(self, batch: segment.Batch, entries: list[Entry]) -> None:
        for entry in entries:
            self._add(entry, batch.span)

    def _is_whole(self, entry: Entry) -> bool:
        try:
            self.read(entry.recording, entry.slice)
        except (OSError, ValueError):
            return False
        return True

    def _head(self, path: Path) -> Head:
        with path.open("rb") as file:
            return Head.read(file.read(BLOCK_OCTETS))

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:010d}.seg"


def _batch_at(descriptor: int, number: int, at: int) -> segment.Batch | None:
    octets = os.pread(descriptor, BLOCK_OCTETS, at)
    count = segment.entries_in(octets)
    if count is not None and segment.head_octets(count) > len(octets):
        octets = os.pread(descriptor, segment.head_octets(count), at)
    return segment.read_batch(number, at, octets)


def _ticks(run: Run) -> int:
    return len(run.octets) // TICK_OCTETS


def _write_all(descriptor: int, octets: bytes, at: int) -> None:
    if os.pwrite(descriptor, octets, at) != len(octets):
        raise OSError(errno.EIO, os.strerror(errno.EIO))
