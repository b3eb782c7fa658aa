"""The receiving half of a framer: finds frames and CRC-4 multiframes in a line, watches and counts them.

Ref: ITU-T G.706 (04/91) 4.1 (frame alignment), 4.2 (CRC-4 multiframe alignment), 4.3 (CRC-4 monitoring),
annex B (interworking with equipment without CRC-4); bare clause numbers are G.706's. G.775 (10/98) for RAI.

Time is the line's own: positions in bits. What comes of a line does not depend on how it is cut into calls.
Frames without an error take a few comparisons of whole ticks; others are looked at one by one.
"""

from typing import NamedTuple

import numpy as np

from e1_driver import D_TIMESLOT, IDLE, TIMESLOTS, Alarm, Block
from e1_driver.framing.crc4 import (
    A_BIT,
    BIT_1,
    C_OF_BITS_1,
    FAS,
    FAS_MASK,
    FRAME_BITS,
    FRAMES_PER_S,
    LAST_MFAS_FRAME,
    MFAS,
    MFAS_BITS,
    MULTIFRAME,
    NFAS,
    SMF_BITS,
    SMF_FRAMES,
    SMF_OCTETS,
    ZERO_E_BITS,
    Octets,
    crc4_of,
)
from e1_driver.framing.g706_line import DOUBLE_FRAME_BITS, FOUND_AFTER_BITS, Line
from e1_driver.framing.g775 import LOOK_BACK_BITS, Signal
from e1_driver.framing.timeslot_0 import SA_BITS, Crc4

LOST_AFTER = 3                                    # wrong FAS in a row, or wrong bits 2 between them (4.1.1)
SEARCH_DOUBLE_FRAMES = 32                         # 8 ms for two multiframe alignment signals (4.2)
INTERWORKING_BITS = FRAMES_PER_S * 2 // 5 * FRAME_BITS        # 400 ms (B.2.3)
MONITORED_BLOCKS, FALSE_FRAMES = 1000, 915        # so many of them wrong: these are not the frames (4.3.2)
RAI_FRAMES = 3                                    # double frames with the same A bit, of G.775's 2 to 5
SA_FRAMES = 3                                     # with the same Sa bits

_MFAS_PERIOD = MULTIFRAME // 2                    # double frames
_RUN = 256                                        # frames looked at together, at most
_CHECKED = [np.resize(np.array(bits, np.uint8), _RUN) for bits in ((FAS_MASK, NFAS), (NFAS, FAS_MASK))]
_RIGHT = [np.resize(np.array(word, np.uint8), _RUN) for word in ((FAS, NFAS), (NFAS, FAS))]


class _MultiframeSearch:
    """For the multiframe in the frames at `at`; after 8 ms in vain, in those found after them (4.2)."""

    def __init__(self, at: int) -> None:
        self._since = 0                           # where to look for other frames
        self._begin(at)

    def _begin(self, at: int | None) -> None:
        self._at = at                             # frames that are being tried; None: none found yet
        self._seen = 0                            # frames without FAS
        self._last = 0                            # bits 1 of the last six of them
        self._phases = 0                          # one bit for each of 8 in which an alignment signal was

    def advance(self, line: Line, until: int) -> int | None:
        """Read on up to `until`. The end of the frame, number 11, that decided; None: not yet found."""
        while True:
            if self._at is None:
                if (found := line.find(self._since, until)) is None:
                    self._since = max(self._since, until - FOUND_AFTER_BITS + 1)
                    return None
                self._begin(found + DOUBLE_FRAME_BITS)
                continue
            whole = min((until - self._at) // DOUBLE_FRAME_BITS, SEARCH_DOUBLE_FRAMES) - self._seen
            for bit in line.bits(self._at + self._seen * DOUBLE_FRAME_BITS + FRAME_BITS, whole):
                self._last = (self._last << 1 | bit) % (1 << MFAS_BITS)
                self._seen += 1
                if self._last == MFAS and self._seen >= MFAS_BITS:
                    phase = 1 << self._seen % _MFAS_PERIOD
                    if self._phases & phase:
                        return self._at + self._seen * DOUBLE_FRAME_BITS
                    self._phases |= phase
            if self._seen < SEARCH_DOUBLE_FRAMES:
                return None
            self._since = self._at + SEARCH_DOUBLE_FRAMES * DOUBLE_FRAME_BITS + 8
            self._begin(None)


class _Words(NamedTuple):
    """What the timeslots 0 of some frames say of the alignment."""

    kept: int                                     # frames up to the word that ended it, or all
    lost: bool
    fas_errors: int
    wrong: tuple[int, int]                        # in a row at the end: FAS, bits 2


class Receiver:
    """The counters are totals. `errors_to_tell`: wrong blocks that no E bit that was sent has told of yet."""

    def __init__(self, mode: Crc4) -> None:
        self.fas_errors = self.crc_errors = self.e_bits = 0
        self._mode = mode
        self._line = Line()
        self._lose(0)

    def _lose(self, at: int) -> None:
        """From `at` on there are no frames until others are found."""
        self._at: int | None = None               # the next frame
        self._since = at
        self._signal, self._signal_at = Signal(), max(0, (at - LOOK_BACK_BITS) // 8 * 8)
        self._search: _MultiframeSearch | None = None
        self._expires: int | None = None          # the end of the 400 ms
        self._smf_at: int | None = None           # the next sub-multiframe, once multiframes are found
        self.crc4: bool | None = None
        self.lomf = self.rai = False
        self.sa: int | None = None
        self.errors_to_tell = 0

    @property
    def aligned(self) -> bool:
        return self._at is not None

    @property
    def multiframes(self) -> bool:
        """True while the far end's CRC-4 multiframes are found and checked."""
        return self._smf_at is not None

    @property
    def alarms(self) -> frozenset[Alarm]:
        """Without frames only what explains it best: LOS, else AIS, else LOF."""
        if self._at is None:
            signal = self._signal
            return frozenset({Alarm.LOS if signal.los else Alarm.AIS if signal.ais else Alarm.LOF})
        stand = {Alarm.RAI: self.rai, Alarm.LOMF: self.lomf}
        return frozenset(alarm for alarm, stands in stand.items() if stands)

    def receive(self, octets: Octets) -> Block:
        """As many frames as `octets` are long, each in the column in whose place its last bit was."""
        n = len(octets) // TIMESLOTS
        self._line.append(octets)
        self._block, self._filled = np.empty((TIMESLOTS, n), np.uint8), 0
        while self._advance():
            pass
        self._fill(n)
        return self._block

    def _fill(self, until: int) -> None:
        if self._filled < until:
            self._block[:, self._filled:until] = IDLE
            self._block[D_TIMESLOT, self._filled:until] = 0xFF
            self._filled = until

    def _advance(self) -> bool:
        """Go on to the next thing that happens; False when nothing more can be told from the line."""
        if self._at is None:
            return self._hunt()
        n = min((self._line.end - self._at) // FRAME_BITS, _RUN)
        if not n:
            return False
        at, found = self._at, None
        frames = self._line.frames(at, n)
        words = self._judge(frames[:, 0])
        if self._search is not None:
            found = self._look_for_multiframe(self._search, at + (words.kept + words.lost) * FRAME_BITS)
            if found is not None:
                words = self._judge(frames[:(found - at) // FRAME_BITS, 0])
        elif self._smf_at is not None:
            false_at = self._check_blocks(self._smf_at, at + words.kept * FRAME_BITS)
            if false_at is not None:
                words = self._judge(frames[:(false_at - at) // FRAME_BITS, 0])._replace(lost=True)
        self._keep(at, frames[:words.kept], words)
        if found is not None:
            self._align(found, LAST_MFAS_FRAME + 1)
            self._search, self.crc4, self.lomf = None, True, False
            self._smf_at = found + (MULTIFRAME - self._number) * FRAME_BITS
            self._second = False                  # sub-multiframe of its multiframe
            self._crc: int | None = None          # of the one before
            self._monitored = self._wrong_blocks = 0
        elif words.lost:
            checked = self.multiframes
            self._lose(at + words.kept * FRAME_BITS + 8)          # just after the FAS
            self.errors_to_tell = int(checked)    # the block in which it was; E is 0 until others are found
        return True

    def _hunt(self) -> bool:
        line = self._line
        if (found := line.find(self._since, line.end)) is None:
            self._since = max(self._since, line.end - FOUND_AFTER_BITS + 1)
            self._signal.feed(line.octets(self._signal_at))
            self._signal_at = line.end
            return False
        at = found + DOUBLE_FRAME_BITS
        self._align(at, 0)
        self._a_contrary = 0                      # double frames in a row with another A bit than `rai`
        self._sa_next, self._sa_equal = -1, 0     # last Sa bits, how often in a row
        if self._mode is not Crc4.OFF:
            self._search = _MultiframeSearch(at)
            self._expires = at + INTERWORKING_BITS
        return True

    def _align(self, at: int, number: int) -> None:
        self._at, self._number, self._wrong = at, number, (0, 0)

    def _judge(self, words: Octets) -> _Words:
        """`words` are the timeslots 0 of the next frames."""
        n, odd = len(words), self._number % 2
        wrong = (words & _CHECKED[odd][:n]) != _RIGHT[odd][:n]
        if n > 1 and not wrong.any():
            return _Words(n, False, 0, (0, 0))
        in_a_row, fas_errors = list(self._wrong), 0
        for frame, is_wrong in enumerate(wrong.tolist()):
            which = (odd + frame) % 2
            in_a_row[which] = in_a_row[which] + 1 if is_wrong else 0
            fas_errors += is_wrong and which == 0
            if in_a_row[which] == LOST_AFTER:
                return _Words(frame, True, fas_errors, (0, 0))
        return _Words(n, False, fas_errors, (in_a_row[0], in_a_row[1]))

    def _keep(self, at: int, frames: Octets, words: _Words) -> None:
        """Hand out `frames`, those at `at`, and note what timeslot 0 said."""
        n = len(frames)
        self.fas_errors += words.fas_errors
        self._wrong = words.wrong
        if n:
            self._read_spare_bits((frames[1 - self._number % 2::2, 0] & (A_BIT | SA_BITS)).tobytes())
            self._at = after = at + n * FRAME_BITS
            self._number = (self._number + n) % MULTIFRAME
            columns = self._block.shape[1] - (self._line.end - after) // FRAME_BITS
            self._fill(columns - n)
            self._block[:, columns - n:columns] = frames.T
            self._filled = columns

    def _read_spare_bits(self, octets: bytes) -> None:
        """The A and Sa bits of consecutive frames without FAS."""
        if self.sa is not None and octets.count(self.rai << 5 | self.sa) == len(octets):
            if octets:
                self._a_contrary, self._sa_next, self._sa_equal = 0, self.sa, SA_FRAMES
            return
        for octet in octets:
            self._a_contrary = self._a_contrary + 1 if bool(octet & A_BIT) != self.rai else 0
            if self._a_contrary == RAI_FRAMES:
                self.rai, self._a_contrary = not self.rai, 0
            sa = octet & SA_BITS
            self._sa_next, self._sa_equal = sa, self._sa_equal + 1 if sa == self._sa_next else 1
            if self._sa_equal >= SA_FRAMES:
                self.sa = sa

    def _look_for_multiframe(self, search: _MultiframeSearch, until: int) -> int | None:
        """Where the frame after the one that decided begins; it may be in another phase (B.2.3)."""
        if self._expires is not None and self._expires <= until:
            if (found := search.advance(self._line, self._expires)) is not None:
                return found
            self._expires, self.crc4 = None, False
            if self._mode is Crc4.AUTO:
                self._search = None
                return None
            self.lomf = True
        return search.advance(self._line, until)

    def _check_blocks(self, at: int, until: int) -> int | None:
        """Check the whole sub-multiframes from `at` on. The end of the one that says: false frames."""
        n = (until - at) // SMF_BITS
        if n <= 0:
            return None
        frames = self._line.frames(at, n * SMF_FRAMES)
        computed = crc4_of(frames.reshape(n, SMF_OCTETS)).tobytes()
        bits_1 = np.packbits(frames[:, 0] & BIT_1).tobytes()         # an octet for each sub-multiframe
        told = bits_1.translate(C_OF_BITS_1)
        expected = (told[:1] if self._crc is None else bytes((self._crc,))) + computed[:-1]
        false_frames = False
        if told == expected and not self._wrong_blocks:
            self._monitored = (self._monitored + n) % MONITORED_BLOCKS
        else:
            n, false_frames = self._count_errors(told, expected)
        self.e_bits += sum(bits_1[not self._second:n:2].translate(ZERO_E_BITS))
        self._crc = computed[n - 1]
        self._second ^= n % 2 == 1
        self._smf_at = at + n * SMF_BITS
        return self._smf_at if false_frames else None

    def _count_errors(self, told: bytes, expected: bytes) -> tuple[int, bool]:
        """How many blocks were looked at, and whether the last one makes too many wrong (4.3.2)."""
        for block, (c, crc) in enumerate(zip(told, expected, strict=True), start=1):
            wrong = c != crc
            self.crc_errors += wrong
            self.errors_to_tell += wrong
            self._wrong_blocks += wrong
            self._monitored += 1
            if self._wrong_blocks == FALSE_FRAMES:
                return block, True
            if self._monitored == MONITORED_BLOCKS:
                self._monitored = self._wrong_blocks = 0
        return len(told), False
