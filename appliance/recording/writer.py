"""Ring ticks into files, a batch at a time. Knows no bus and no clock: whoever calls batch() decides when.

A recording begins when its id appears in the ring and ends when the id is absent from END_TICKS ticks that
were written: spand's restart adds it again before that. What a full or slow disk does not take stays in the
ring and is tried again; what falls out of the ring is a gap, counted and filled with silence. Ticks that were
gone before they were looked at are losses: there must be none.
"""

import logging
from bisect import bisect_left
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path

from appliance.bus.messages import RecordingInfo
from appliance.media.ring import Ring
from appliance.recording import disk
from appliance.recording.disk import RecordingFile
from appliance.recording.tap import Losses, Run, read_runs
from appliance.recording.wav import TICK_OCTETS, TICKS_PER_S, Header

END_TICKS = 3 * TICKS_PER_S
CHUNK_TICKS = 150                                 # read from the ring at once: bounds a catch-up's memory
SYNCS_AT_ONCE = 8                                 # one commit of the file system's journal serves many files

_BEFORE_ALL = -1 << 63

log = logging.getLogger(__name__)


class Writer:
    """All recordings of one folder. info() and figures() may be called while another thread is in batch()."""

    def __init__(self, folder: Path, today: Callable[[], date] = date.today) -> None:
        self._folder, self._today = folder, today
        self._open: dict[str, RecordingFile] = {}
        self._last_present: dict[str, int] = {}   # recording -> _present when it was last heard
        self._failing: dict[str, str] = {}        # recording -> what the disk said
        self._present = 0                         # ticks read so far, each counted once
        self._stalled: set[str] = set()           # recordings that failed in this batch
        self._cursor = _BEFORE_ALL                # the ring's next tick
        self._losses = Losses()
        self._losing = False                      # in the batch before this
        self._lag_ticks = 0
        self._written_octets = 0
        self._gap_ticks = 0
        self._pool = ThreadPoolExecutor(SYNCS_AT_ONCE, "sync")

    def recover(self) -> None:
        """Take up the files that were cut off. They end by themselves when the ring no longer has them."""
        for path in disk.unfinished(self._folder, self._today()):
            try:
                recording = RecordingFile.resume(path)
            except (OSError, ValueError) as error:
                log.error("%s: cannot be taken up: %s", path, error)
                continue
            self._adopt(recording)
            log.info("%s: taken up at %.2f s", path.name, recording.header.duration_s)

    def batch(self, ring: Ring) -> list[RecordingInfo]:
        """Write everything new in the ring; the recordings that ended by it."""
        newest = ring.newest
        if newest is None:
            return []
        oldest = newest - ring.ticks + 1
        if self._cursor > newest + 1:             # it began to count anew
            self._cursor = oldest
        self._cursor = max(self._cursor, oldest)
        self._stalled.clear()
        lost_before = self._losses.ticks
        again = max(oldest, min([self._cursor, *self._behind()]))
        for first in range(again, newest + 1, CHUNK_TICKS):
            self._chunk(ring, first, min(first + CHUNK_TICKS, newest + 1), newest)
        self._tell_losses(self._losses.ticks - lost_before)
        self._lag_ticks = (ring.newest or newest) + 1 - min([self._cursor, *self._behind()])
        return [self._finish(name) for name in self._absent()]

    def info(self, recording: str) -> RecordingInfo:
        """What is known of a recording, live or finished; file "" and nothing else when there is none (yet).

        May run beside a batch in another thread.
        """
        if (live := self._open.get(recording)) is not None and live.named:
            return _info(live.path, live.header)
        path = disk.locate(self._folder, recording)
        try:
            if path is not None:
                return _info(path, disk.read_header(path))
        except (OSError, ValueError) as error:
            log.warning("%s: %s", path, error)
        return RecordingInfo(recording=recording, file="", duration_s=0.0, gap_s=0.0, finished=False)

    def figures(self) -> dict[str, float]:
        """For the heartbeat. lag_ticks: how far the worst recording is behind the ring; lost_s: must be 0."""
        return {
            "open_recordings": len(self._open), "failing": len(self._failing), "lag_ticks": self._lag_ticks,
            "written_octets": self._written_octets, "gap_s": self._gap_ticks / TICKS_PER_S,
            "lost_s": self._losses.ticks / TICKS_PER_S}

    def close(self) -> None:
        """Leave all files as they are, to be taken up again."""
        for recording in self._open.values():
            recording.close()
        self._open.clear()
        self._pool.shutdown()

    def _tell_losses(self, ticks: int) -> None:
        if ticks and not self._losing:
            log.error("%.2f s of all recordings were gone from the record ring before they were read: the "
                      "machine or its disk is too slow, or the ring's memory is full", ticks / TICKS_PER_S)
        self._losing = ticks > 0

    def _behind(self) -> list[int]:
        return [self._open[name].header.next_tick for name in self._failing if name in self._open]

    def _chunk(self, ring: Ring, first: int, end: int, newest: int) -> None:
        ticks, runs_of = read_runs(ring, first, end)
        fresh = [tick for tick in ticks if tick >= self._cursor]
        appended = []
        for name, runs in runs_of.items():
            recording = self._open.get(name) or self._begin(name, runs, newest)
            if recording is None:
                continue
            if runs[-1].end > recording.heard_until or recording.heard_until > newest + 1:
                recording.heard_until = runs[-1].end
                self._last_present[name] = self._present + bisect_left(fresh, runs[-1].end)
            if name in self._stalled or runs[-1].end <= recording.header.next_tick <= newest + 1:
                continue                          # no audio may overtake; or read again for another's sake
            if self._done(recording, partial(recording.append, runs, newest)):
                appended.append(recording)
        shares = [appended[share::SYNCS_AT_ONCE] for share in range(min(SYNCS_AT_ONCE, len(appended)))]
        for durable in list(self._pool.map(self._synced, shares)):
            for recording in durable:
                self._commit(recording)
        self._losses.read(ring, fresh)
        self._present += len(fresh)
        self._cursor = max(self._cursor, end)

    def _synced(self, recordings: list[RecordingFile]) -> list[RecordingFile]:
        """Those of them that are durable now. For a thread of the pool."""
        return [recording for recording in recordings if self._done(recording, recording.sync)]

    def _begin(self, name: str, runs: list[Run], newest: int) -> RecordingFile | None:
        """The file for an id that is new in the ring; None: it has all of this already, or is over."""
        if runs[-1].end <= self._cursor:
            return None
        path = disk.locate(self._folder, name, self._today())
        if path is None:
            return self._adopt(RecordingFile.new(self._folder, self._today(), name, runs[0].tick))
        try:
            if runs[-1].end <= disk.read_header(path).next_tick <= newest + 1:
                return None
            return self._adopt(RecordingFile.resume(path))
        except (OSError, ValueError) as error:
            log.error("%s: cannot be taken up: %s", path, error)
            return None

    def _adopt(self, recording: RecordingFile) -> RecordingFile:
        name = recording.header.recording
        self._last_present[name] = self._present
        self._open[name] = recording
        return recording

    def _commit(self, recording: RecordingFile) -> None:
        before = recording.header
        done = self._done(recording, recording.commit)
        self._written_octets += (recording.header.ticks - before.ticks) * TICK_OCTETS
        self._gap_ticks += recording.header.gap_ticks - before.gap_ticks
        if done and self._failing.pop(recording.header.recording, "") and not self._failing:
            log.info("recordings are written again")

    def _done(self, recording: RecordingFile, act: Callable[[], object]) -> bool:
        """True when the disk did it. What it refuses is tried again in the next batch, and said once."""
        try:
            act()
        except OSError as error:
            recording.revert()
            if not self._failing:
                log.error("%s: %s: its audio waits in the ring for 30 s: free the disk",
                          recording.path, error.strerror)
            self._failing[recording.header.recording] = str(error.strerror)
            self._stalled.add(recording.header.recording)
            return False
        return True

    def _absent(self) -> list[str]:
        return [name for name, last in self._last_present.items() if self._present - last >= END_TICKS]

    def _finish(self, name: str) -> RecordingInfo:
        recording = self._open.pop(name)
        del self._last_present[name]
        if self._done(recording, partial(recording.silence_until, recording.heard_until)):
            self._done(recording, recording.sync)
            self._commit(recording)
        if not self._done(recording, recording.finish):
            recording.close()                     # taken up again at the next start
        self._failing.pop(name, None)
        log.info("%s: ended, %.2f s, gaps %.2f s", name, recording.header.duration_s, recording.header.gap_s)
        return _info(recording.path if recording.named else None, recording.header)


def _info(path: Path | None, header: Header) -> RecordingInfo:
    return RecordingInfo(recording=header.recording, file=str(path or ""), duration_s=header.duration_s,
                         gap_s=header.gap_s, finished=header.finished)
