"""Ring ticks into the journal, a batch at a time. No bus, no clock: whoever calls batch() decides when.

A recording begins when its id appears in the ring and has ended when the id is absent from END_TICKS ticks
that were written: spand's restart adds it again before that. What a full or slow disk does not take stays in
the ring and is tried again; what falls out of the ring is a gap. Ticks that were gone before they were looked
at are losses: there must be none.
"""

import logging
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator

from appliance.media.ring import TICK_NS, Ring
from appliance.recording.journal.journal import Journal
from appliance.recording.journal.segment import Span
from appliance.recording.journal.timeline import Piece, Timeline, goes_on, timeline
from appliance.recording.tap import Losses, Run, read_runs
from appliance.recording.wav import SILENCE, TICK_OCTETS, TICKS_PER_S

END_TICKS = 3 * TICKS_PER_S
ANEW_NS = 5_000_000_000                           # its time and its ticks have parted by so much
CHUNK_TICKS = 150                                 # read from the ring at once: bounds a catch-up's memory

log = logging.getLogger(__name__)


class Taker:
    """All recordings that are not finished. batch() belongs to one thread; the rest may be called from any.

    `finished_until` tells of a finished recording the tick of the ring after its last; None: there is none.
    """

    def __init__(self, journal: Journal, finished_until: Callable[[str], int | None]) -> None:
        self._journal, self._finished_until = journal, finished_until
        self._last = journal.recover()            # until it is known that the ring goes on from there
        # The ring's next tick; None: all that it has.
        self._cursor = None if self._last is None else self._last.end_tick
        self._ends: dict[str, int] = {}           # recording -> the tick after its last
        self._present = 0                         # ticks read so far, each counted once
        self._last_present: dict[str, int] = {}   # recording -> _present when it was last heard
        self._safe: deque[tuple[str, int]] = deque()                 # finished: the journal may forget them
        self._losses = Losses()
        self._losing = False                      # in the batch before this
        self.failing = ""                         # what the disk said
        self._lag_ticks = 0
        self._gap_ticks = 0
        self._taken_ticks = 0
        for recording in journal.recordings:
            self._last_present[recording] = 0
            self._ends[recording] = self.timeline(recording).end_tick
            until = finished_until(recording)
            if until is not None and goes_on(until, self._ends[recording]) and self._ends[recording] <= until:
                self.release(recording, self._ends[recording])       # cut off before the journal let it go

    def batch(self, ring: Ring) -> list[str]:
        """Make everything new in the ring durable; the recordings that ended by it."""
        while self._safe:
            self._forget(*self._safe.popleft())
        newest = ring.newest
        if newest is None:
            return []
        oldest = newest - ring.ticks + 1
        anew = self._last is not None and _counts_anew(ring, newest, self._last)
        self._last = None
        if self._cursor is None or anew or self._cursor > newest + 1:
            self._cursor = oldest
        self._cursor = cursor = max(self._cursor, oldest)
        lost_before = self._losses.ticks
        for first in range(cursor, newest + 1, CHUNK_TICKS):
            end = min(first + CHUNK_TICKS, newest + 1)
            if not self._chunk(ring, first, end):
                break
            self._cursor = end
        self._tell_losses(self._losses.ticks - lost_before)
        self._lag_ticks = newest + 1 - self._cursor
        return [] if self.failing else [
            name for name, last in self._last_present.items() if self._present - last >= END_TICKS]

    def refill(self) -> None:
        """Room in advance, for a disk that gets full. Says nothing when there is none."""
        try:
            self._journal.refill()
        except OSError as error:
            log.debug("no segment in advance: %s", error.strerror)

    def is_open(self, recording: str) -> bool:
        return self._journal.last(recording) is not None

    def timeline(self, recording: str) -> Timeline:
        """ValueError: it is not here (any more)."""
        if not (slices := self._journal.slices(recording)):
            raise ValueError(f"{recording}: not in the journal")
        return timeline(slices)

    def began_at(self, recording: str) -> float:
        """Seconds since 1970, by spand's clock."""
        return self._journal.began_ns(recording) / 1e9

    def audio(self, recording: str, of: Timeline, first: int = 0, ticks: int | None = None,
              ) -> Iterator[bytes]:
        """`ticks` of a recording from `first`, both sides in turn, a piece at a time.

        What is damaged is silence of equal length, and said. OSError: the disk.
        """
        ticks = of.ticks - first if ticks is None else min(ticks, of.ticks - first)
        for at, piece in of.within(first, ticks):
            octets = SILENCE * (piece.silence_ticks * TICK_OCTETS) + self._heard(recording, piece)
            begin, end = max(0, first - at), first + ticks - at
            yield octets[begin * TICK_OCTETS:end * TICK_OCTETS]

    def release(self, recording: str, end_tick: int) -> None:
        """It is finished up to that tick of the ring, and safe: the next batch lets it go."""
        self._safe.append((recording, end_tick))

    def figures(self) -> dict[str, float]:
        """For the heartbeat. lag_ticks: how far the journal is behind the ring; lost_s: must be 0."""
        return {
            "open_recordings": len(self._journal.recordings), "failing": float(bool(self.failing)),
            "lag_ticks": self._lag_ticks, "journal_octets": self._journal.written_octets,
            "taken_octets": self._taken_ticks * TICK_OCTETS, "journal_segments": self._journal.segments,
            "gap_s": self._gap_ticks / TICKS_PER_S,
            "lost_s": self._losses.ticks / TICKS_PER_S}

    def close(self) -> None:
        """Leave all recordings as they are, to be taken up again."""
        self._journal.close()

    def _chunk(self, ring: Ring, first: int, end: int) -> bool:
        """Take the ticks first to end - 1; False: the disk does not."""
        ticks, runs_of = read_runs(ring, first, end)
        new = [(name, run) for name, runs in runs_of.items() for run in self._news(name, runs)]
        try:
            if new:
                self._journal.append(first, end, _wall_ns(ring, ticks, first), new)
        except OSError as error:
            if not self.failing:
                log.error("journal: %s: audio waits in the ring for 30 s: free the disk", error.strerror)
            self.failing = str(error.strerror)
            return False
        if self.failing:
            log.info("the journal is written again")
            self.failing = ""
        for name, run in new:
            end_before = self._ends.get(name, run.tick)
            self._gap_ticks += run.tick - end_before if goes_on(end_before, run.tick) else 0
            self._ends[name] = run.end
            self._taken_ticks += len(run.octets) // TICK_OCTETS
        for name, runs in runs_of.items():
            if name in self._ends:                # else it is finished, and the ring has its end still
                self._last_present[name] = self._present + bisect_left(ticks, runs[-1].end)
        self._losses.read(ring, ticks)
        self._present += len(ticks)
        return True

    def _news(self, recording: str, runs: list[Run]) -> Iterator[Run]:
        """Of these, what is not durable yet."""
        end = self._ends.get(recording)
        if end is None:
            end = self._finished_until(recording)
        for run in runs:
            if end is not None and goes_on(end, run.tick) and run.tick < end:
                if run.end <= end:
                    continue
                run = Run(end, run.octets[(end - run.tick) * TICK_OCTETS:])
            end = run.end
            yield run

    def _heard(self, recording: str, piece: Piece) -> bytes:
        one = piece.slice
        try:
            return self._journal.read(recording, one)[piece.skip_ticks * TICK_OCTETS:]
        except ValueError as error:
            log.error("%s: %.2f s are lost: %s", recording, one.ticks / TICKS_PER_S, error)
            return SILENCE * ((one.ticks - piece.skip_ticks) * TICK_OCTETS)

    def _forget(self, recording: str, end_tick: int) -> None:
        if self._ends.get(recording) == end_tick: # else it has come back: it is finished once more
            del self._ends[recording]
            self._last_present.pop(recording, None)
            self._journal.release(recording)

    def _tell_losses(self, ticks: int) -> None:
        if ticks and not self._losing:
            log.error("%.2f s of all recordings were gone from the record ring before they were read: the "
                      "machine or its disk is too slow, or the ring's memory is full", ticks / TICKS_PER_S)
        self._losing = ticks > 0


def _wall_ns(ring: Ring, ticks: list[int], first: int) -> int:
    """When tick `first` was; `ticks` were there when they were read, the older ones may be gone by now."""
    for tick in (ticks[0], ticks[-1], ring.newest):
        if tick is not None and (stamp := ring.stamp(tick)) is not None:
            return stamp.wall_ns - (tick - first) * TICK_NS
    return 0


def _counts_anew(ring: Ring, newest: int, last: Span) -> bool:
    """The ring is of another boot than what the journal has; or the clock was set, which does no harm."""
    stamp = ring.stamp(newest)
    if stamp is None or stamp.wall_ns <= 0 or last.wall_ns <= 0:
        return False
    moved_ns = (stamp.wall_ns - last.wall_ns) - (newest - last.first_tick) * TICK_NS
    return abs(moved_ns) > ANEW_NS
