"""Samples on the disk until the server has them. Bounded in size and age; what is kept survives power cuts.

A frame is kept when append() returns: not before it is on the disk. Which frames were sent is written without
waiting for the disk: a power cut may have some of them sent again, the same points with the same values.
Age is what passed from frame to frame, not what the clock says now: a clock that is far ahead for a while, or
years behind until it is set, has nothing dropped.
Every method may wait for the disk, none is for two threads at a time.
"""

import contextlib
import errno
import logging
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

from appliance.box.backup.durable import make_folder, sync_folder
from appliance.box.telemetry.frames import Frame, encode, frame_at, frames

SEGMENTS = 16                                     # files that a full spool has, about; as many by age
LEAST_SEGMENT, MOST_SEGMENT = 64 << 10, 4 << 20   # octets
SENT_FILE = "sent"
STAMPS = 1_000_000                                # nanoseconds below the millisecond: the frame's number
MOST_STEP_S = 7200.0                              # longer between two: the clock was set, or the box was off

_SUFFIX = ".frames"
_SENT_OCTETS = 12                                 # a number and its CRC

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Segment:
    path: Path
    octets: int = 0                               # of the file
    skip: int = 0                                 # of them, frames that were sent or dropped
    points: int = 0                               # after those
    oldest_ns: int = 0                            # of the first of those
    newest: int = -1                              # the last frame's number
    from_ns: int = 0                              # the spool's own time at its first frame, and at its last
    to_ns: int = 0


class Spool:
    """OSError: the folder cannot be read or made."""

    def __init__(self, folder: Path, most_octets: int, most_age_s: float) -> None:
        self.dropped_points = 0                   # since it was opened
        self._folder, self._most, self._age_ns = folder, most_octets, int(most_age_s * 1e9)
        self._segment_octets = max(LEAST_SEGMENT, min(MOST_SEGMENT, most_octets // SEGMENTS))
        self._segments: list[_Segment] = []       # oldest first
        self._descriptor: int | None = None       # of the last one, to append to
        self._ran_ns = 0                          # the spool's own time: what passed since its first frame
        self._last_ns: int | None = None          # the newest frame's time by the clock
        make_folder(folder, 0o750)
        self._sent_file = os.open(folder / SENT_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            octets = os.pread(self._sent_file, _SENT_OCTETS, 0)
            if len(octets) < _SENT_OCTETS:        # it has its room, also when the disk is full one day
                os.pwrite(self._sent_file, bytes(_SENT_OCTETS), 0)
            sent = _number(octets)
            for path in sorted(folder.glob(f"*{_SUFFIX}")):
                self._take_up(path, sent)
        except OSError:
            os.close(self._sent_file)
            raise
        self._next = max([sent + 1, *(segment.newest + 1 for segment in self._segments)])

    @property
    def points(self) -> int:
        """That wait."""
        return sum(segment.points for segment in self._segments)

    @property
    def octets(self) -> int:
        """Of what waits."""
        return sum(segment.octets - segment.skip for segment in self._segments)

    @property
    def oldest_at(self) -> float:
        """Unix time of the oldest point that waits; 0: none does."""
        return next((segment.oldest_ns / 1e9 for segment in self._segments if segment.points), 0.0)

    def stamp(self, at: float) -> int:
        """The nanosecond of Unix time for the next frame's points: no other frame has it.

        It is the millisecond of `at`, and below it the frame's number: also when a clock is set back the same
        time never comes twice.
        """
        return int(at * 1000) * STAMPS + self._next % STAMPS

    def append(self, at_ns: int, points: int, member: bytes) -> Frame:
        """Keep it. OSError: the disk did not take it, and nothing is kept."""
        frame = Frame(self._next, at_ns, points, member)
        self._next += 1
        octets = encode(frame)
        if self._descriptor is None or self._segments[-1].octets + len(octets) > self._segment_octets or (
                self._ran_ns - self._segments[-1].from_ns > self._age_ns // SEGMENTS):
            self._begin(frame.number)
        segment, descriptor = self._segments[-1], self._descriptor
        try:
            if descriptor is None or os.write(descriptor, octets) != len(octets):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(segment.path))
            os.fdatasync(descriptor)
        except OSError:
            self._close()                         # what is on the disk now nobody knows: another file goes on
            with contextlib.suppress(OSError):
                os.truncate(segment.path, segment.octets)
            raise
        if not segment.points:
            segment.oldest_ns = at_ns
        self._pass_time(segment, at_ns)
        segment.octets += len(octets)
        segment.points += points
        segment.newest = frame.number
        return frame

    def batch(self, most_octets: int) -> list[Frame]:
        """The oldest frames that wait, one at least; [] when none does. OSError."""
        while (segment := next((one for one in self._segments if one.points), None)) is not None:
            found = self._read(segment, most_octets)
            if found:
                return found
            log.error("%s: damaged: %d points are lost", segment.path, segment.points)
            self._drop(segment)
        return []

    def done(self, number: int) -> int:
        """All frames up to this number need not be kept. How many points that were. OSError: all are."""
        packed = number.to_bytes(8, "big")
        os.pwrite(self._sent_file, packed + zlib.crc32(packed).to_bytes(4, "big"), 0)
        gone = 0
        for segment in list(self._segments):
            if segment.newest <= number:
                gone += segment.points
                segment.points, segment.skip = 0, segment.octets
                if segment is not self._segments[-1] or self._descriptor is None:
                    self._remove(segment)
            elif segment.points:
                gone += self._pass(segment, number)
                break
        return gone

    def trim(self) -> int:
        """Drop files of which all is too old, the oldest of too much; how many points that were. OSError."""
        before = self.dropped_points
        while len(self._segments) > 1 and (
                sum(one.octets for one in self._segments) > self._most
                or self._segments[0].to_ns < self._ran_ns - self._age_ns):
            self._drop(self._segments[0])
        return self.dropped_points - before

    def close(self) -> None:
        """Call nothing else afterwards."""
        self._close()
        os.close(self._sent_file)

    def _take_up(self, path: Path, sent: int) -> None:
        octets = path.read_bytes()
        segment = _Segment(path)
        for frame in frames(octets):
            self._pass_time(segment, frame.at_ns)
            segment.octets += frame.octets
            segment.newest = frame.number
            if frame.number <= sent:
                segment.skip = segment.octets
            else:
                if not segment.points:
                    segment.oldest_ns = frame.at_ns
                segment.points += frame.points
        if segment.octets < len(octets):
            log.warning("%s: its last %d octets are no whole sample: left out", path,
                        len(octets) - segment.octets)
            os.truncate(path, segment.octets)
        self._segments.append(segment)
        if not segment.points:
            self._remove(segment)

    def _begin(self, number: int) -> None:
        self._close()
        for segment in [one for one in self._segments if not one.points]:
            self._remove(segment)
        path = self._folder / f"{number:016x}{_SUFFIX}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            sync_folder(self._folder)
        except OSError:                           # after a power cut it might not be there
            os.close(descriptor)
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        self._descriptor = descriptor
        self._segments.append(_Segment(path, from_ns=self._ran_ns, to_ns=self._ran_ns))

    def _pass_time(self, segment: _Segment, at_ns: int) -> None:
        """A frame of this time by the clock comes next in the segment."""
        if self._last_ns is not None:
            self._ran_ns += min(max(0, at_ns - self._last_ns), int(MOST_STEP_S * 1e9))
        self._last_ns = at_ns
        if segment.newest < 0:
            segment.from_ns = self._ran_ns
        segment.to_ns = self._ran_ns

    def _read(self, segment: _Segment, most_octets: int) -> list[Frame]:
        with segment.path.open("rb") as file:
            file.seek(segment.skip)
            octets = file.read(min(most_octets, segment.octets - segment.skip))
            found = list(frames(octets))
            if not found and len(octets) < segment.octets - segment.skip:   # larger than asked for
                file.seek(segment.skip)
                one = frame_at(file.read(segment.octets - segment.skip))
                found = [] if one is None else [one]
        return found

    def _pass(self, segment: _Segment, number: int) -> int:
        """Those of its frames up to `number`; their points."""
        gone = 0
        for frame in self._read(segment, segment.octets):
            if frame.number > number:
                segment.oldest_ns = frame.at_ns
                break
            gone += frame.points
            segment.skip += frame.octets
            segment.points -= frame.points
        return gone

    def _drop(self, segment: _Segment) -> None:
        self.dropped_points += segment.points
        if segment is self._segments[-1]:
            self._close()
        self._remove(segment)

    def _remove(self, segment: _Segment) -> None:
        self._segments.remove(segment)
        segment.path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)


def _number(octets: bytes) -> int:
    """What a SENT_FILE says; -1: nothing."""
    if len(octets) == _SENT_OCTETS and zlib.crc32(octets[:8]).to_bytes(4, "big") == octets[8:]:
        return int.from_bytes(octets[:8], "big")
    return -1
