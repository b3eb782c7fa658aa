"""Samples become frames of the spool, frames are written to the server. Time is an argument; it blocks."""

import logging
import threading
from collections.abc import Mapping
from typing import Any

from appliance.box.telemetry.client import Refused, Write, WriteError
from appliance.box.telemetry.frames import Frame
from appliance.box.telemetry.points import Sample, joined, member
from appliance.box.telemetry.seen import OwnCounts
from appliance.box.telemetry.spool import Spool

BATCH_OCTETS = 128 << 10                          # compressed; some thousand points, 2 MB of text
MOST_FRAMES = 512                                 # in a batch
UNSET = 1_700_000_000.0                           # a clock before it was never set: such a time is none

log = logging.getLogger(__name__)


class Series:
    """One thread may keep samples while another one writes; a third may close it under both."""

    def __init__(self, spool: Spool, tags: Mapping[str, str], point: Any, counts: OwnCounts) -> None:
        self.counts = counts
        self._spool, self._tags, self._point = spool, tags, point
        self._spool_lock = threading.Lock()
        self._closed = False
        self._lost = 0                            # points that the disk did not take, or the server refused
        self._frames = MOST_FRAMES                # in the next batch: fewer after one that was not taken
        self._newest: Frame | None = None         # of those kept since it was opened
        self._given_up = 0                        # points, since the last that the server took
        self._note()

    def keep(self, found: Sample, now: float) -> None:
        """To the disk, all points with one time; then whatever is too much or too old goes. Never raises."""
        if not found or now < UNSET:
            return
        with self._spool_lock:
            if self._closed:
                return
            stamp = self._spool.stamp(now)
            octets = member(found, self._tags, stamp, self._point)
            try:
                self._newest = self._spool.append(stamp, len(found), octets)
            except OSError as error:
                self._lost += len(found)
                log.warning("telemetry: %d points are lost: the disk did not take them: %s",
                            len(found), error)
            try:
                if dropped := self._spool.trim():
                    log.warning("telemetry: %d points dropped, the oldest: the server was away for too long",
                                dropped)
            except OSError as error:
                log.warning("telemetry: %s", error)
            self._note()

    def send(self, write: Write) -> bool:
        """The oldest that wait. True: there are more to send now; False: none, or the server does not take
        them: later."""
        try:
            with self._spool_lock:
                frames = [] if self._closed else self._spool.batch(BATCH_OCTETS)[:self._frames]
            if not frames:
                return False
            try:
                write(joined([frame.member for frame in frames]))
            except Refused as error:
                self._refused(frames, write, error)
                return True
            except WriteError:
                self._frames = max(1, len(frames) // 2)              # a slow line has no time for many
                raise
            self._done(frames[-1])
        except (WriteError, OSError) as error:
            self.counts.failures += 1
            if not self.counts.away:
                log.warning("telemetry: %s: points are kept and written later", error)
            self.counts.away = True
            return False
        self._frames = min(MOST_FRAMES, self._frames + 1)
        if self._given_up:
            log.error("telemetry: %d points are given up: the server refused them alone", self._given_up)
            self._given_up = 0
        if self.counts.away:
            log.info("telemetry: written again, %d points wait", self.counts.spooled_points)
        self.counts.away = False
        return self.counts.spooled_points > 0

    def close(self) -> None:
        """What is being written at this moment is written again by the next one, as the same points."""
        with self._spool_lock:
            self._closed = True
            self._spool.close()

    def _refused(self, frames: list[Frame], write: Write, error: Refused) -> None:
        """Of many fewer are tried next; one is given up when the newest of all is taken.

        WriteError: the newest is refused, too: it is not the points that are wrong.
        """
        if len(frames) > 1:
            self._frames = len(frames) // 2
            return
        (frame,) = frames
        newest = self._newest
        if newest is None or newest.number <= frame.number:
            raise WriteError(str(error)) from None
        try:
            write(newest.member)
        except Refused:
            raise WriteError(str(error)) from None
        if not self._given_up:
            log.error("telemetry: points that the server refuses alone are given up: %s", error)
        self._given_up += frame.points
        self._done(frame, given_up=True)

    def _done(self, last: Frame, given_up: bool = False) -> None:
        """All frames up to `last` need not be kept."""
        with self._spool_lock:
            if self._closed:
                return
            gone = self._spool.done(last.number)
            if given_up:
                self._lost += gone
            else:
                self.counts.sent_points += gone
            self._note()

    def _note(self) -> None:
        spool, counts = self._spool, self.counts
        counts.spooled_points, counts.spooled_octets = spool.points, spool.octets
        counts.oldest_at = spool.oldest_at
        counts.dropped_points = spool.dropped_points + self._lost
