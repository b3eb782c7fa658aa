"""The far ends' streams, one a leg: which packets belong to it, their order, what is lost, the jitter.

Ref: RFC 3550 6.4.1, appendices A.1 (sequence numbers, probation), A.3 (loss), A.8 (jitter).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from appliance.media.rtp.packet import HEADER_OCTETS, MARKER, Headers, Marks, Numbers, Rows

MOST_LEAP = 3000                                  # MAX_DROPOUT: further away is a sender that began anew
SEEN = 64                                         # packets back that a duplicate is known by
JITTER_SHARE = 1 / 16
MOST_DIFFERENCE = 8000                            # samples between two transits; more is another clock

_NO_SOURCE = -1
_ONE = np.uint64(1)
_PLAIN = 2 << 6                                   # no padding, no extension, no contributing sources
_NO_MARKER = np.array([~MARKER, -1, -1, -1])

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Arrivals:
    """Of n packets, each [n]. `timestamp` is without the wrap."""

    good: Marks                                   # of the row's stream, and not heard before
    begun: Marks                                  # the first of a new stream
    timestamp: Numbers


class Streams:
    """Of each row the stream that it hears. Another one takes over with its second packet in a row (A.1).

    Of what nearly every packet changes a row is one stretch of a matrix: it is read and written at once.
    """

    def __init__(self, rows: int) -> None:
        state = self._state = np.zeros((rows, 8), np.int64)
        self._next = state[:, :4]                 # heads() of the packet that goes on with the last one
        self.newest: Numbers = state[:, 4]        # sequence number without the wrap
        self.received: Numbers = state[:, 5]
        self._counted: Numbers = state[:, 6]      # of this stream, each number once
        self._timestamp: Numbers = state[:, 7]    # of the last packet, without the wrap
        self._step: Numbers = np.zeros((rows, 8), np.int64)      # ... which changes so much
        self.ssrc: Numbers = np.full(rows, _NO_SOURCE, np.int64)
        self.duplicates: Numbers = np.zeros(rows, np.int64)
        self.reordered: Numbers = np.zeros(rows, np.int64)
        timing = self._timing = np.zeros((rows, 2))
        self.jitter: Floats = timing[:, 0]        # samples
        self._transit: Floats = timing[:, 1]
        self._oldest: Numbers = np.zeros(rows, np.int64)
        self._lost_before: Numbers = np.zeros(rows, np.int64)    # of the streams before this one
        self._seen = np.zeros(rows, np.uint64)                   # bit b: newest - b came
        self._seen_at: Numbers = np.zeros(rows, np.int64)        # ... when so many were received
        self._probed: dict[int, tuple[int, int]] = {}            # row: SSRC, next sequence of a newcomer

    def reset(self, row: int) -> None:
        self.ssrc[row] = _NO_SOURCE
        for count in (self.newest, self.received, self.duplicates, self.reordered, self._oldest,
                       self._counted, self._lost_before, self._timestamp, self._seen_at):
            count[row] = 0
        self.jitter[row], self._transit[row], self._seen[row] = 0, 0, 0
        self._probed.pop(row, None)
        self.doubt(row)

    def forget(self, row: int) -> None:
        """The next packet begins a stream, whatever it is; the counts go on."""
        self._lost_before[row] += self.lost(row)
        self.ssrc[row] = _NO_SOURCE
        self.doubt(row)

    def doubt(self, row: int) -> None:
        """The next packet has to be looked at, whatever it is."""
        self._next[row] = _NO_SOURCE

    def trust(self, rows: Rows, found: Numbers, sequence: Numbers, timestamps: Numbers) -> None:
        """After take() of packets with these heads: what goes on with a newest and plain one is alike."""
        step = np.zeros((len(rows), 8), np.int64)
        step[:, [0, 4, 5, 6]] = 1
        step[:, 1] = step[:, 7] = found[:, 3] - HEADER_OCTETS
        goes_on = ((found[:, 0] >> 24 == _PLAIN) & (sequence == self.newest[rows] & 0xFFFF)
                   & (sequence < 0xFFFF) & (timestamps == self._timestamp[rows]))
        self._step[rows] = step
        self._next[rows] = np.where(goes_on[:, None], (found & _NO_MARKER) + step[:, :4], _NO_SOURCE)

    def plain(self, rows: Rows, found: Numbers) -> Marks | Literal[True]:
        """Which of heads() are of packets that were trusted to come: those are for follow(). True: all."""
        expected = self._next.take(rows, 0)
        if expected.tobytes() == found.tobytes():
            return True
        alike: Marks = (expected == found).all(axis=1)
        return alike

    def follow(self, rows: Rows, arrived: Floats) -> Numbers:
        """take() of plain() packets; their time stamps."""
        state = self._state.take(rows, 0)
        state += self._step.take(rows, 0)
        if not (state[:, 0] & 0xFFFF).all():      # the sequence begins anew: that is no sum
            state[state[:, 0] & 0xFFFF == 0, 0] = _NO_SOURCE
        self._state[rows] = state
        timestamp = state[:, 7]
        timing = self._timing.take(rows, 0)
        transit = arrived - timestamp
        difference = np.abs(transit - timing[:, 1])
        timing[:, 0] += (difference - timing[:, 0]) * (JITTER_SHARE * (difference < MOST_DIFFERENCE))
        timing[:, 1] = transit
        self._timing[rows] = timing
        return timestamp

    def known(self, row: int) -> bool:
        return bool(self.ssrc[row] != _NO_SOURCE)

    def expected(self, row: int) -> int:
        """Packets of the present stream that there should be (A.3)."""
        return int(self.newest[row] - self._oldest[row]) + 1 if self.known(row) else 0

    def lost(self, row: int) -> int:
        """Of the present stream (A.3)."""
        return max(0, self.expected(row) - int(self._counted[row]))

    def lost_ever(self, row: int) -> int:
        return int(self._lost_before[row]) + self.lost(row)

    def take(self, rows: Rows, headers: Headers, arrived: Floats, timed: Marks) -> Arrivals:
        """Valid packets of different rows. `arrived` is in samples of any clock; `timed`: not an event."""
        leap = (headers.sequence - self.newest[rows] + 0x8000 & 0xFFFF) - 0x8000
        same = headers.ssrc == self.ssrc[rows]
        good, begun = self._sort(rows, headers, same, leap)
        self._next[rows] = _NO_SOURCE
        before = self._timestamp[rows]
        timestamp = before + (headers.timestamp - before + (1 << 31) & 0xFFFFFFFF) - (1 << 31)
        self._timestamp[rows] = np.where(good, timestamp, before)
        self._time(rows, arrived - timestamp, good & timed, begun)
        return Arrivals(good, begun, timestamp)

    def _sort(self, rows: Rows, headers: Headers, same: Marks, leap: Numbers) -> tuple[Marks, Marks]:
        """Arrivals.good and begun of packets `leap` after the newest one, of the `same` stream or not."""
        followed = np.minimum(self.received[rows] - self._seen_at[rows], SEEN - 1).astype(np.uint64)
        self._seen[rows] = self._seen[rows] << followed | (_ONE << followed) - _ONE
        strange = ~same | (np.abs(leap) > MOST_LEAP)
        begun = np.zeros(len(rows), bool)
        if strange.any():
            for at in strange.nonzero()[0].tolist():
                begun[at] = self._newcomer(int(rows[at]), int(headers.ssrc[at]), int(headers.sequence[at]),
                                           int(headers.timestamp[at]))
            leap[begun] = 0
        back = np.clip(-leap, 0, SEEN - 1).astype(np.uint64)
        seen = self._seen[rows] << np.clip(leap, 0, SEEN - 1).astype(np.uint64)
        bit = _ONE << back
        heard = (seen & bit != 0) & (leap <= 0)
        mine = ~strange | begun
        good = mine & ~heard
        backward = leap < 0
        if backward.any() or heard.any():
            self.duplicates[rows] += mine & heard
            self.reordered[rows] += good & backward
        self.newest[rows] += np.where(good, np.maximum(leap, 0), 0)
        self._seen[rows] = np.where(good, seen | bit, self._seen[rows])
        self.received[rows] += mine
        self._seen_at[rows] = self.received[rows]
        self._counted[rows] += good
        return good, begun

    def _time(self, rows: Rows, transit: Floats, timed: Marks, begun: Marks) -> None:
        difference = np.abs(transit - self._transit[rows])
        jitter = self.jitter[rows]
        counts = timed & ~begun & (difference < MOST_DIFFERENCE)
        self.jitter[rows] = np.where(counts, jitter + (difference - jitter) * JITTER_SHARE, jitter)
        self._transit[rows] = np.where(timed, transit, self._transit[rows])

    def _newcomer(self, row: int, ssrc: int, sequence: int, timestamp: int) -> bool:
        """Whether this packet begins a stream: the row's first, or the second in a row of another."""
        if self.known(row):
            if self._probed.get(row) != (ssrc, sequence):
                self._probed[row] = ssrc, sequence + 1 & 0xFFFF
                return False
            self._lost_before[row] += self.lost(row)
        self._probed.pop(row, None)
        self.ssrc[row], self.newest[row], self._oldest[row] = ssrc, sequence, sequence
        self._seen[row], self._counted[row], self._timestamp[row] = 0, 0, timestamp
        return True
