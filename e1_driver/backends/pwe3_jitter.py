"""The jitter buffer of an emulated circuit: packets in as they come, frames out as time goes. Pure.

Ref: RFC 4553 6.2.2 (the same as RFC 5086 6.2.2): the CE-bound direction. Thresholds of the packet loss state:
RFC 5604, pwTDMCfgConsecMissPktsOutSynch and pwTDMCfgConsecPktsInSynch.

All distances are in frames of 125 us. A packet's number is its sequence number without the wrap; packet p
carries the frames from p * frames_per_packet on. The level is what waits behind the block that is about to be
played, seen from the instant when that block was due; time that the caller lost does not count as level.
"""

import numpy as np

from e1_driver import BLOCK
from e1_driver.backends.pwe3_wire import SEQUENCES, Marks, Numbers, Octets

MISSING_PACKETS = 10                              # in a row: packet loss state
GOOD_PACKETS = 2                                  # in a row: out of it
STALL_FRAMES = 25 * BLOCK                         # what may come in while the caller does not play
FORGET_FRAMES = 100 * BLOCK                       # played without one packet: the next begins anew
RESTART_PACKETS = 4                               # in a row, far from all others: the sender began anew
SETTLE_BLOCKS = 8                                 # from the first packet to what is played of it
SHIFT_FRAMES = 16                                 # a CRC-4 multiframe: alignment (G.704) outlives a slip
LEVEL_SHARE = 1 / 16                              # of each new level in the mean


class JitterBuffer:
    """Holds at most `bound_frames`, and half of that in the mean; plays `filler` [width] for what is missing.

    `taken` packets came in time, `late` ones after their turn, a second time, or far from all others; `lost`
    counts the turns that came without a packet. When the level's mean leaves the buffer's inner three
    quarters, the filler is played for longer or frames are left out, and `slips` is one more. A sender that
    began anew is a slip, too. `loss` is the packet loss state; it stands until packets are played, and after
    a second of it (FORGET_FRAMES) nothing is counted as lost. As long as neither `slips` nor that happens,
    filler is played for the packets of `lost` and for what is not valid, and the delay stays the same.
    """

    def __init__(self, frames_per_packet: int, filler: Octets, bound_frames: int) -> None:
        self.taken = self.lost = self.late = self.slips = 0
        self.loss = True
        self.mean_level = bound_frames / 2
        self._target = bound_frames / 2
        self._low, self._high = bound_frames / 8, bound_frames * 7 / 8
        self._per_packet, self._filler = frames_per_packet, filler
        self._window = -(-(bound_frames + STALL_FRAMES + 2 * BLOCK) // frames_per_packet)
        self._packets = self._window + 1          # one may be half played
        self._line = np.empty((self._packets * frames_per_packet, len(filler)), np.uint8)
        self._line[:] = filler
        self._slots = self._line.reshape(self._packets, -1)
        self._there = np.zeros(self._packets, bool)
        self._missing_run = self._good_run = 0
        self._forget()

    def _forget(self) -> None:
        self._begun = False                       # whether the numbers below mean anything
        self._settling = 0                        # blocks until the level is set
        self._settled_sum = 0                     # of the levels meanwhile
        self._at = 0                              # the frame to be played next
        self._end = 0                             # the number after the newest packet's
        self._advanced = False                    # ... came since the last level
        self._hold = 0                            # frames of filler to be played before it
        self._silent = 0                          # frames played since a packet came
        self._stray, self._stray_run = 0, 0       # the next sequence number of a sender that began anew
        self._line[:] = self._filler
        self._there[:] = False

    @property
    def offset(self) -> float:
        """Frames of the mean level above the middle: the far end's clock is ahead. 0 while nothing comes."""
        return 0.0 if self.loss else self.mean_level - self._target

    def put(self, sequences: Numbers, payloads: Octets, valid: Marks) -> None:
        """Take in packets in the order in which they came. Not `valid`: in time, but the filler is played."""
        if self._put_run(sequences, payloads, valid):
            return
        for sequence, payload, filled in zip(sequences.tolist(), payloads, valid.tolist(), strict=True):
            self._put(sequence, payload if filled else None)

    def _put_run(self, sequences: Numbers, payloads: Octets, valid: Marks) -> bool:
        """Take in all at once what is as it should be: in order, in time, in one piece of the ring."""
        count = len(sequences)
        if not self._begun or not count:
            return False
        first = self._first()
        ahead = _distance(int(sequences[0]), first)
        slot = (first + ahead) % self._packets
        slots = slice(slot, slot + count)
        if (ahead < 0 or ahead + count > self._window or slot + count > self._packets
                or np.count_nonzero(sequences[1:] - sequences[:-1] == 1) < count - 1
                or np.count_nonzero(valid) < count or np.count_nonzero(self._there[slots])):
            return False
        self._slots[slots] = payloads
        self._there[slots] = True
        self.taken += count
        self._came(first + ahead + count - 1)
        return True

    def _put(self, sequence: int, payload: Octets | None) -> None:
        if not self._begun:
            self._begin(sequence)
        first = self._first()
        ahead = _distance(sequence, first)
        if not -self._window <= ahead < self._window:
            self._stray_run = self._stray_run + 1 if sequence == self._stray else 1
            self._stray = (sequence + 1) % SEQUENCES
            if self._stray_run < RESTART_PACKETS:
                self.late += 1
                return
            self.slips += 1                       # what waits is thrown away, and the filler played meanwhile
            self._lose()
            self._begin(sequence)
            first, ahead = sequence, 0
        slot = (first + ahead) % self._packets
        if ahead < 0 or self._there[slot]:
            self.late += 1
        else:
            self.taken += 1
            self._there[slot] = True
            if payload is not None:
                self._slots[slot] = payload
        self._came(first + ahead)

    def _came(self, number: int) -> None:
        self._silent = self._stray_run = 0
        if number >= self._end:
            self._end, self._advanced = number + 1, True

    def _begin(self, sequence: int) -> None:
        self._forget()
        self._begun, self._settling = True, SETTLE_BLOCKS
        self._at, self._end = sequence * self._per_packet, sequence
        self._hold = SETTLE_BLOCKS * BLOCK

    def _first(self) -> int:
        """Number of the first packet of which nothing was played."""
        return -(-self._at // self._per_packet)

    def play(self, late_frames: int) -> Octets:
        """The next BLOCK frames, uint8[BLOCK, width]; `late_frames`: how long ago they were due."""
        if self._settling or self._advanced:
            self._advanced = False
            level = self._end * self._per_packet - self._at + self._hold - BLOCK - late_frames
            if self._settling:
                self._settle(level)
            else:
                self._adjust(level)
        block = np.empty((BLOCK, len(self._filler)), np.uint8)
        held = min(self._hold, BLOCK) if self._begun else BLOCK
        block[:held] = self._filler
        self._hold -= min(self._hold, held)
        done = held
        while done < BLOCK:                       # twice when the ring ends within the block
            at = self._at % len(self._line)
            count = min(BLOCK - done, len(self._line) - at)
            block[done:done + count] = self._line[at:at + count]
            self._pass(count)
            done += count
        if self._silent >= FORGET_FRAMES:
            self._forget()
        return block

    def skip(self, frames: int) -> None:
        """Leave out frames that nobody was there to play."""
        if frames >= STALL_FRAMES:
            self._forget()
            self._lose()
        elif self._begun:
            self._leave_out(frames)

    def _lose(self) -> None:
        """Into the packet loss state, until packets are played."""
        self._missing_run, self._good_run, self.loss = MISSING_PACKETS, 0, True

    def _settle(self, level: int) -> None:
        """See how packets come before the first of them is played: one alone may have been quick, or slow."""
        self._settled_sum += level
        self._settling -= 1
        if not self._settling:
            self._shift(round(self._target - self._settled_sum / SETTLE_BLOCKS))
            self.mean_level = self._target

    def _adjust(self, level: int) -> None:
        limited = max(-self._target, min(level, 3 * self._target))        # one packet alone is no slip
        self.mean_level += (limited - self.mean_level) * LEVEL_SHARE
        if self.mean_level < self._low:
            shift = self._target - min(level, self.mean_level)
            self._slip(max(1, round(shift / SHIFT_FRAMES)))
        elif self.mean_level > self._high:
            shift = max(level, self.mean_level) - self._target
            self._slip(-max(1, round(shift / SHIFT_FRAMES)))

    def _slip(self, shifts: int) -> None:
        self.slips += 1
        self._shift(shifts * SHIFT_FRAMES)
        self.mean_level = self._target

    def _shift(self, frames: int) -> None:
        """More delay by so many frames; less when negative."""
        if frames > 0:
            back = min(frames, max(0, self._at - self._end * self._per_packet))      # nothing came of these
            self._at -= back
            self._hold += frames - back
        else:
            self._leave_out(-frames)

    def _leave_out(self, frames: int) -> None:
        held = min(self._hold, frames)
        self._hold -= held
        frames -= held
        while frames:
            count = min(frames, len(self._line) - self._at % len(self._line))
            self._pass(count)
            frames -= count

    def _pass(self, frames: int) -> None:
        """So many frames, which lie in one piece, have had their turn."""
        at = self._at % len(self._line)
        self._line[at:at + frames] = self._filler
        self._at += frames
        self._silent += frames
        there = self._there[at // self._per_packet:(at + frames) // self._per_packet]
        if not len(there):                        # no packet is over yet
            return
        if np.count_nonzero(there) == len(there):
            self._good_run, self._missing_run = self._good_run + len(there), 0
        else:
            self._count(there)
        there[:] = False
        if self._missing_run >= MISSING_PACKETS:
            self.loss = True
        elif self._good_run >= GOOD_PACKETS:
            self.loss = False

    def _count(self, there: Marks) -> None:
        for one in there.tolist():
            if one:
                self._good_run, self._missing_run = self._good_run + 1, 0
            else:
                self._good_run, self._missing_run = 0, self._missing_run + 1
                self.lost += 1


def _distance(sequence: int, number: int) -> int:
    """How far after packet `number` the nearest with this sequence number is; negative: before."""
    return (sequence - number + SEQUENCES // 2) % SEQUENCES - SEQUENCES // 2
