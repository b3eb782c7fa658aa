"""HDLC framing with the 16-bit FCS of a D-channel timeslot: frames in, timeslot octets out, and back.

Ref: ITU-T Q.921 2.2 to 2.10 (flags, transparency, FCS, order of bits, invalid frames, abort). Bits are kept
as text of "0" and "1" in the order they have on the line, so that stuffing, flags and aborts are string
searches at C speed. The line's first bit is the most significant of a timeslot octet but the least
significant of a frame octet: one mirrored octet is the whole difference, and in line order the FCS is the
plain CRC of binascii.
"""

from binascii import crc_hqx
from collections import deque
from collections.abc import Callable

FLAG = "01111110"                                 # 2.2
QUEUE_BITS = 64_000                               # one second of the line
MIN_OCTETS = 3                                    # 2.9 b: address and control, the FCS not counted
MAX_OCTETS = 264                                  # address, control and N201 = 260 of information (5.9.3)
FCS_OCTETS = 2

Damage = Callable[[int], int | None]              # bits of a frame with its FCS -> which one the line inverts

_MIRROR = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))
_GOOD_FCS = 0x1D0F                                # 2.7: what remains of a frame with a right FCS
_SIX_ONES = "0111111"                             # a flag when "0" follows (two may share it), or an abort
_IDLE = [int((FLAG * 2)[8 - held:16 - held], 2) for held in range(8)]     # flags, the rest of one first
_MAX_STUFFED_BITS = (MAX_OCTETS + FCS_OCTETS) * 8 * 6 // 5
_NOT_YET = len("011111")                          # what a flag may show of itself before it is known as one


def fcs(frame: bytes) -> bytes:
    """The two octets that follow `frame`, Q.921 2.7 (CRC-16/X.25, low octet first)."""
    return _fcs_line(frame.translate(_MIRROR)).to_bytes(FCS_OCTETS, "big").translate(_MIRROR)


def _fcs_line(line_octets: bytes) -> int:
    return crc_hqx(line_octets, 0xFFFF) ^ 0xFFFF


def _bits(octets: bytes) -> str:
    return f"{int.from_bytes(octets, 'big'):0{8 * len(octets)}b}" if octets else ""


class Encoder:
    """Frames to timeslot octets. Flags between frames, a single one when the next frame waits."""

    def __init__(self, damage: Damage | None = None) -> None:
        self._damage = damage
        self._queue: deque[str] = deque()         # stuffed frames, each with its closing flag
        self._queued_bits = 0
        self._under_way = FLAG                    # begun, not yet on the line; fewer than 8 bits when idle

    def send(self, frame: bytes) -> bool:
        """Queue `frame` (without FCS). False, not taken: a second of line waits, or a runt or a giant."""
        if not MIN_OCTETS <= len(frame) <= MAX_OCTETS or self._queued_bits >= QUEUE_BITS:
            return False
        mirrored = frame.translate(_MIRROR)
        octets = mirrored + _fcs_line(mirrored).to_bytes(FCS_OCTETS, "big")
        if self._damage and (bit := self._damage(8 * len(octets))) is not None:
            octets = _inverted(octets, bit)
        stuffed = _bits(octets).replace("11111", "111110") + FLAG            # 2.6
        self._queue.append(stuffed)
        self._queued_bits += len(stuffed)
        return True

    def pull(self, n_octets: int) -> bytes:
        """The next `n_octets` of the timeslot."""
        if not self._queue and (held := len(self._under_way)) < 8:
            return bytes((_IDLE[held],)) * n_octets
        wanted = 8 * n_octets
        parts, have = [self._under_way], len(self._under_way)
        while have < wanted and self._queue:
            parts.append(self._queue.popleft())
            have += len(parts[-1])
            self._queued_bits -= len(parts[-1])
        if have < wanted:
            parts.append(FLAG * -((have - wanted) // 8))
        line = "".join(parts)
        self._under_way = line[wanted:]
        return int(line[:wanted] or "0", 2).to_bytes(n_octets, "big")

    def clear(self) -> None:
        """Forget the frames that wait; the one under way is finished."""
        self._queue.clear()
        self._queued_bits = 0


class Decoder:
    """Timeslot octets, cut anywhere, to good frames. Nothing in them raises: bad frames are counted.

    `fcs_errors` counts wrong check sequences and frames that are not whole octets (2.9 c, d), `aborts` frames
    ended by seven ones (2.10), `runts` and `giants` those shorter or longer than a link layer may send.
    """

    def __init__(self, damage: Damage | None = None) -> None:
        self.fcs_errors = self.aborts = self.runts = self.giants = 0
        self._damage = damage
        self._bits = ""                           # unread; begins with _SIX_ONES when a frame is open
        self._still: bytes | None = None          # a block that changes nothing: most are flags

    def feed(self, octets: bytes) -> list[bytes]:
        """Frames that end in `octets`, without FCS, in order."""
        if octets == self._still:
            return []
        before = self._bits
        pieces = (before + _bits(octets)).split(_SIX_ONES)
        undecided = ""
        if len(pieces) > 1 and not pieces[-1]:
            undecided = _SIX_ONES                 # the next bit says which
            pieces.pop()
        frames: list[bytes] = []
        frame: str | None = None                  # what came since a flag
        quiet = True
        for piece in pieces[1:]:
            quiet = quiet and not frame
            if piece.startswith("1"):
                self.aborts += bool(frame)
                frame = None
            else:
                if frame and (good := self._check(frame)) is not None:
                    frames.append(good)
                frame = piece[1:]
        if frame is not None and len(frame) > _MAX_STUFFED_BITS + _NOT_YET:
            self.giants += 1
            frame = None
        rest = _SIX_ONES + pieces[-1] if frame is not None else pieces[-1][-_NOT_YET:]
        self._bits = rest + undecided
        self._still = bytes(octets) if quiet and self._bits == before else None
        return frames

    def _check(self, stuffed: str) -> bytes | None:
        bits = stuffed.replace("111110", "11111")
        octets, odd_bits = divmod(len(bits), 8)
        if octets > MAX_OCTETS + FCS_OCTETS:
            self.giants += 1
        elif octets < MIN_OCTETS + FCS_OCTETS:
            self.runts += 1
        elif odd_bits:
            self.fcs_errors += 1
        else:
            line_octets = int(bits, 2).to_bytes(octets, "big")
            if self._damage and (bit := self._damage(len(bits))) is not None:
                line_octets = _inverted(line_octets, bit)
            if crc_hqx(line_octets, 0xFFFF) == _GOOD_FCS:
                return line_octets[:-FCS_OCTETS].translate(_MIRROR)
            self.fcs_errors += 1
        return None


def _inverted(octets: bytes, bit: int) -> bytes:
    return (int.from_bytes(octets, "big") ^ 1 << bit).to_bytes(len(octets), "big")
