"""The framer of the models: the octets of a line <-> blocks of 32 timeslots, 10 ms at a time. No registers.

Ref: ITU-T G.704 (10/98) 2.3; G.706 (04/91) 4.1 to 4.3; G.775 (10/98). Bare clause numbers are G.706's.

A block is 32 rows of 80 octets, a line is as it is sent, the most significant bit first. Coarser than in a
chip: LOS and AIS are judged once for each 10 ms, and a search for multiframes stays with its frames.
"""

from firmware.linecard.octets import turn

try:
    from typing import TypeVar

    Function = TypeVar("Function")
except ImportError:                               # MicroPython: annotations are not looked at
    pass


class micropython:
    """For CPython: to MicroPython's compiler `@micropython.viper` and `ptr8` are its own."""

    @staticmethod
    def viper(function: "Function") -> "Function":
        return function


ptr8 = bytearray

FRAMES, TIMESLOTS = 80, 32
BLOCK_OCTETS = FRAMES * TIMESLOTS
CRC4_OFF, CRC4_ON, CRC4_AUTO = 0, 1, 2

_FAS, _FAS_MASK, _NFAS, _A, _SA, _BIT_1 = 0x1B, 0x7F, 0x40, 0x20, 0x1F, 0x80
_MULTIFRAME, _SMF_OCTETS = 16, 256
_MFAS, _MFAS_BITS, _AFTER_MFAS = 0b001011, 6, 12
_BITS_1 = (0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0)       # of a multiframe: MFAS; C and E zero
_E_FRAMES = (13, 15)
_LOST_AFTER = 3                                   # wrong FAS in a row, or wrong bits 2 (4.1.1)
_RAI_FRAMES = 3
_SEARCH = 32                                      # frames without FAS: 8 ms (4.2)
_INTERWORKING_FRAMES = 3200                       # 400 ms (B.2.3)
_MONITORED, _FALSE = 1000, 915                    # wrong blocks: these are not the frames (4.3.2)
_FOUND_BITS = 2 * 256 + 8                         # FAS, bit 2, FAS
_SILENCE = bytes(32)                              # 255 bits without a one (G.775)
_AIS_OCTETS = BLOCK_OCTETS - 40                   # with a one in each bit; 2 zeros in 512 bits (G.775)
_ONES = b"\xff"


def _crc_table() -> bytearray:
    """CRC-4 of an octet: x^4 + x + 1."""
    table = bytearray(256)
    for octet in range(256):
        remainder = octet << 4
        for bit in range(11, 3, -1):
            if remainder >> bit & 1:
                remainder ^= 0b10011 << bit - 4
        table[octet] = remainder
    return table


_CRC_TABLE = _crc_table()


@micropython.viper
def crc4(frames: ptr8, at: int, table: ptr8) -> int:
    """Of the sub-multiframe at frames[at:], its C bits taken as zero: C1 is the 8's bit."""
    crc = 0
    i = 0
    while i < 256:
        octet = frames[at + i]
        if i & 63 == 0:
            octet = octet & 0x7F
        crc = table[(crc << 4) ^ octet]
        i += 1
    return crc


@micropython.viper
def told(frames: ptr8, at: int) -> int:
    """The CRC-4 in the C bits of the sub-multiframe at frames[at:]."""
    crc = 0
    i = 0
    while i < 256:
        crc = (crc << 1) | (frames[at + i] >> 7)
        i += 64
    return crc


@micropython.viper
def tell(frames: ptr8, at: int, crc: int) -> int:
    """`crc` into the C bits, zero so far, of the sub-multiframe at frames[at:]."""
    i = 0
    while i < 4:
        if (crc >> (3 - i)) & 1:
            frames[at + 64 * i] = frames[at + 64 * i] | 0x80
        i += 1
    return crc


@micropython.viper
def take_words(frames: ptr8, n: int, out: ptr8) -> int:
    """The timeslots 0 of `n` frames."""
    i = 0
    while i < n:
        out[i] = frames[32 * i]
        i += 1
    return n


@micropython.viper
def put_words(frames: ptr8, n: int, multiframe: ptr8) -> int:
    """The timeslots 0 of `n` frames, as `multiframe` has them again and again."""
    i = 0
    while i < n:
        frames[32 * i] = multiframe[i & 15]
        i += 1
    return n


@micropython.viper
def steady(words: ptr8, n: int, odd: int, spare: int) -> int:
    """1: timeslots 0, the first one without FAS when `odd`, are right, their A and Sa bits all `spare`."""
    i = 0
    while i < n:
        word = words[i]
        if (i + odd) & 1:
            if word & 0x7F != 0x40 | spare:
                return 0
        elif word & 0x7F != 0x1B:
            return 0
        i += 1
    return 1


class Receiver:
    """What it says, as of the last receive(): `los`, `ais`, `aligned`, `lost` (alignment, meanwhile), `rai`,
    `sa`, `multiframes` found, `missed` (none in 400 ms of frames), `given_up` the search for them (AUTO).

    What was counted: `fas_errors`, `crc_errors`, `e_bits`: whoever takes them sets them to 0.
    `errors_to_tell`: wrong blocks that no E bit has told of.
    """

    def __init__(self) -> None:
        self._mode = CRC4_OFF
        self.los, self.ais, self.lost = True, False, False
        self.fas_errors = self.crc_errors = self.e_bits = 0
        self._words = bytearray(FRAMES + 1)
        self._raw = bytearray()                   # of the line, not yet taken
        self._bit = 0                             # in it: the next frame, or where to look for one
        self.restart()

    def restart(self) -> None:
        """Look for frames anew."""
        self.aligned = self.rai = False
        self.sa = _SA
        self.errors_to_tell = 0
        self._number = 0                          # of the next frame in its multiframe
        self._wrong = [0, 0]                      # in a row: FAS, bits 2
        self._contrary = 0                        # A bits in a row that are not as `rai`
        self._search_anew()

    def _search_anew(self) -> None:
        """For multiframes in the frames that there are."""
        self.multiframes = self.given_up = self.missed = False
        self._searched = self._last = self._phases = 0
        self._skip = 0                            # frames before the first whole sub-multiframe
        self._smf = bytearray()
        self._second = False
        self._crc = -1                            # of the sub-multiframe before; -1: there was none
        self._monitored = self._wrong_blocks = 0

    @property
    def mode(self) -> int:
        """CRC4_OFF, CRC4_ON, CRC4_AUTO."""
        return self._mode

    @mode.setter
    def mode(self, mode: int) -> None:
        if mode != self._mode:
            self._mode = mode
            self._search_anew()

    def receive(self, line: "bytearray | None") -> bytearray:
        """10 ms of the line, None: no signal; a block, ones where no frames are. ValueError: not 10 ms."""
        if line is not None and len(line) != BLOCK_OCTETS:
            raise ValueError("model: 10 ms of a line are 2560 octets")
        self.los = line is None or line.find(_SILENCE) >= 0
        self.ais = line is not None and line.count(_ONES) >= _AIS_OCTETS
        self.lost = False
        self._raw = self._raw + (bytes(BLOCK_OCTETS) if line is None else line)
        frames = bytearray()
        while self.aligned or self._find():
            data = self._shifted()
            n = len(data) // TIMESLOTS
            kept = self._take(data, n)
            self._bit += kept * 8 * TIMESLOTS
            frames = frames + data[:kept * TIMESLOTS] if frames or kept < n else data
            if _LOST_AFTER not in self._wrong:
                break
            checked, self.lost = self.multiframes, True
            self.restart()
            self.errors_to_tell = int(checked)
            self._bit += 8                        # just after the FAS
        self._raw = self._raw[self._bit // 8:]
        self._bit %= 8
        return self._rows(frames)

    def _find(self) -> bool:
        """Frames from `_bit` on (4.1.2): True when there are, with `_bit` at the second FAS."""
        total = 8 * len(self._raw)
        best = -1
        for shift in range(8):
            start = self._bit + shift
            if start + _FOUND_BITS > total:
                break
            data = self._shifted(start)
            at = -1
            while True:
                first, other = data.find(b"\x1b", at + 1), data.find(b"\x9b", at + 1)
                at = first if other < 0 or 0 <= first < other else other
                if at < 0 or at + 64 >= len(data):
                    break
                if data[at + 32] & _NFAS and data[at + 64] & _FAS_MASK == _FAS:
                    if best < 0 or start + 8 * at < best:
                        best = start + 8 * at
                    break
        if best < 0:
            self._bit = max(self._bit, total - _FOUND_BITS + 1)
            return False
        self.restart()
        self._bit, self.aligned = best + 2 * 8 * TIMESLOTS, True
        return True

    def _shifted(self, bit: int = -1) -> bytearray:
        """The line from a bit on, whole octets."""
        bit = self._bit if bit < 0 else bit
        raw, shift = self._raw[bit // 8:], bit % 8
        if not shift or not raw:
            return raw
        whole = int.from_bytes(raw, "big") >> (8 - shift)
        return bytearray((whole & (1 << 8 * (len(raw) - 1)) - 1).to_bytes(len(raw) - 1, "big"))

    def _judge(self, n: int) -> int:
        """How many of the frames are kept: all, or those before the word that ends the alignment."""
        words, odd = self._words, self._number & 1
        for frame in range(n):
            which = (odd + frame) & 1
            wrong = not words[frame] & _NFAS if which else words[frame] & _FAS_MASK != _FAS
            self._wrong[which] = self._wrong[which] + 1 if wrong else 0
            self.fas_errors += wrong and not which
            if self._wrong[which] == _LOST_AFTER:
                return frame
        return n

    def _take(self, data: bytearray, n: int) -> int:
        """The next `n` frames: how many of them are kept, and what they say."""
        take_words(data, n, self._words)
        searches = self._mode != CRC4_OFF and not self.multiframes and not self.given_up
        calm = (not searches and not self._contrary and self._wrong == [0, 0]
                and steady(self._words, n, self._number & 1, self.rai << 5 | self.sa))
        if calm:
            kept = n
            self._number = (self._number + n) % _MULTIFRAME
        else:
            kept = self._judge(n)
            self._read(kept)
        if self.multiframes:
            skipped, self._skip = min(self._skip, kept), max(0, self._skip - kept)
            if not self._check(data[skipped * TIMESLOTS:kept * TIMESLOTS]):
                self._wrong[0] = _LOST_AFTER
        return kept

    def _read(self, n: int) -> None:
        """A and Sa bits, and where multiframes are."""
        for frame in range(n):
            if self._number & 1:
                word = self._words[frame]
                self._contrary = self._contrary + 1 if bool(word & _A) != self.rai else 0
                if self._contrary == _RAI_FRAMES:
                    self.rai, self._contrary = not self.rai, 0
                self.sa = word & _SA
                if self._mode != CRC4_OFF and not self.multiframes and self._look_for_multiframe(word):
                    self._number = _AFTER_MFAS - 1
                    self._skip = frame + 1 + _MULTIFRAME - _AFTER_MFAS
            self._number = (self._number + 1) % _MULTIFRAME

    def _look_for_multiframe(self, word: int) -> bool:
        self._searched += 1
        self._last = (self._last << 1 | word >> 7) % (1 << _MFAS_BITS)
        self.missed = self._searched >= _INTERWORKING_FRAMES // 2
        self.given_up = self.missed and self._mode == CRC4_AUTO
        if self.given_up:
            return False
        if self._searched % _SEARCH == 0:
            self._phases = 0
        if self._last == _MFAS and self._searched >= _MFAS_BITS:
            phase = 1 << self._searched % 8
            if self._phases & phase:
                self._search_anew()
                self.multiframes = True
                return True
            self._phases |= phase
        return False

    def _check(self, frames: bytearray) -> bool:
        """False: so many blocks are wrong that these cannot be the frames."""
        smfs = self._smf + frames if self._smf else frames
        at = 0
        while len(smfs) - at >= _SMF_OCTETS:
            wrong = self._crc >= 0 and told(smfs, at) != self._crc
            self.crc_errors += wrong
            self.errors_to_tell += wrong
            self._wrong_blocks += wrong
            self._monitored += 1
            if self._second:
                self.e_bits += (not smfs[at + 160] & _BIT_1) + (not smfs[at + 224] & _BIT_1)
            self._second = not self._second
            if self._wrong_blocks == _FALSE:
                return False
            if self._monitored == _MONITORED:
                self._monitored = self._wrong_blocks = 0
            self._crc = crc4(smfs, at, _CRC_TABLE)
            at += _SMF_OCTETS
        self._smf = smfs[at:]
        return True

    def _rows(self, frames: bytearray) -> bytearray:
        """Frames to a block, at its end."""
        n = len(frames) // TIMESLOTS
        if n < FRAMES:
            frames = bytearray(_ONES * (BLOCK_OCTETS - n * TIMESLOTS)) + frames
        rows = bytearray(BLOCK_OCTETS)
        turn(frames, 0, TIMESLOTS, FRAMES, rows, 0)
        return rows


class Sender:
    """`crc4`: multiframes are sent; `si`, `sa`, `a`: these bits of timeslot 0."""

    def __init__(self) -> None:
        self.crc4, self.a = False, False
        self.sa = _SA
        self.si = True
        self._words = bytearray(_MULTIFRAME)
        self._crc = 0                             # of the last sub-multiframe of the block before

    def send(self, block: bytearray, receiver: Receiver) -> bytearray:
        """A block to 10 ms of the line; its row 0 is made here. 5 multiframes are a block."""
        line = bytearray(BLOCK_OCTETS)
        turn(block, 0, FRAMES, TIMESLOTS, line, 0)
        without_fas = _NFAS | (_A if self.a else 0) | self.sa
        for frame in range(_MULTIFRAME):
            self._words[frame] = ((without_fas if frame & 1 else _FAS)
                                  | _BIT_1 * (_BITS_1[frame] if self.crc4 else self.si))
        put_words(line, FRAMES, self._words)
        if self.crc4:
            self._tell_errors(line, receiver)
            for at in range(0, BLOCK_OCTETS, _SMF_OCTETS):
                crc = crc4(line, at, _CRC_TABLE)
                tell(line, at, self._crc)
                self._crc = crc
        return line

    def _tell_errors(self, line: bytearray, receiver: Receiver) -> None:
        """E bits: zero while no multiframes are received, else for each wrong block (G.704 2.3.3.4)."""
        if not receiver.multiframes:
            return
        for multiframe in range(0, BLOCK_OCTETS, _MULTIFRAME * TIMESLOTS):
            for frame in _E_FRAMES:
                if receiver.errors_to_tell:
                    receiver.errors_to_tell -= 1
                else:
                    line[multiframe + frame * TIMESLOTS] |= _BIT_1
