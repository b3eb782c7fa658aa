"""The software framer of one E1 end: the octets of a line <-> blocks of 32 timeslots. No I/O, no clock.

Ref: ITU-T G.704 (10/98) 2.3. Receiving is in g706.py, what timeslot 0 holds in crc4.py.
"""

import numpy as np
import numpy.typing as npt

from e1_driver import TIMESLOTS, Alarm, Block
from e1_driver.framing.crc4 import (
    A_BIT,
    BIT_1,
    E_FRAMES,
    FAS,
    LAST_MFAS_FRAME,
    MFAS,
    MULTIFRAME,
    NFAS,
    SMF_FRAMES,
    SMF_OCTETS,
    Octets,
    crc4_of,
)
from e1_driver.framing.g706 import Receiver
from e1_driver.framing.timeslot_0 import SA_BITS, Crc4

__all__ = ["Crc4", "Framer", "Octets"]

_FAS_FRAMES = np.arange(0, MULTIFRAME, 2)
_C_BITS = np.array([[BIT_1 * (crc >> bit & 1) for bit in (3, 2, 1, 0)] for crc in range(16)], np.uint8)


def _bits_1(mode: Crc4) -> Octets:
    """Bit 1 of each frame of a multiframe, C and E bits not filled in."""
    if mode is Crc4.OFF:
        return np.full(MULTIFRAME, BIT_1, np.uint8)
    bits = np.zeros(MULTIFRAME, np.uint8)
    for frame in range(LAST_MFAS_FRAME, 0, -2):
        bits[frame] = BIT_1 * (MFAS >> (LAST_MFAS_FRAME - frame) // 2 & 1)
    return bits


class Framer:
    """Both ways of one end.

    `alarms` (LOS, AIS and LOF each alone, since the first that applies explains the rest; RAI, LOMF), `crc4`
    (the far end sends multiframes; None: not known, or OFF) and `sa_received` (Sa4 to Sa8, Sa4 the 16's bit,
    three times equal; None: not known, or no frames) are as of the last receive(). The counters are totals:
    `fas_errors` frame alignment signals with a wrong bit while aligned, `crc_errors` sub-multiframes that do
    not agree with their CRC-4, `e_bits` those that the far end says it received wrong.

    Where frames are lost and found again in another phase, less than a frame is lost; columns without frames
    are IDLE, timeslot 16 ones. A frame is handed out as soon as it is whole: the delay is less than one.
    """

    def __init__(self, crc4: Crc4 = Crc4.AUTO) -> None:
        self.rai: bool | None = None              # A bit to send; None: one without frames and in LOMF
        self._receiver = Receiver(crc4)
        self._mode = crc4
        self._bits_1 = _bits_1(crc4)
        self._sa = SA_BITS
        self._number = 0                          # of the next frame to send in its multiframe
        self._smf = np.zeros((0, TIMESLOTS), np.uint8)        # frames sent of the unfinished sub-multiframe
        self._crc = 0                             # of the one before it

    @property
    def fas_errors(self) -> int:
        return self._receiver.fas_errors

    @property
    def crc_errors(self) -> int:
        return self._receiver.crc_errors

    @property
    def e_bits(self) -> int:
        return self._receiver.e_bits

    @property
    def alarms(self) -> frozenset[Alarm]:
        return self._receiver.alarms

    @property
    def crc4(self) -> bool | None:
        return self._receiver.crc4

    @property
    def sa_received(self) -> int | None:
        return self._receiver.sa if self._receiver.aligned else None

    @property
    def sa(self) -> int:
        """Sa4 to Sa8 to send, Sa4 the 16's bit. Setting: ValueError when not 0 to 31."""
        return self._sa

    @sa.setter
    def sa(self, sa: int) -> None:
        if not 0 <= sa <= SA_BITS:
            raise ValueError(f"sa={sa}: five bits, 0 to {SA_BITS}")
        self._sa = sa

    def receive(self, line: Octets) -> Block:
        """uint8[32 * n] of the line, in any phase, to uint8[32, n]; row 0 as it came. Any octets will do.

        ValueError: not a whole number of frames.
        """
        if len(line) % TIMESLOTS:
            raise ValueError(f"{len(line)} octets of a line: give a multiple of {TIMESLOTS}")
        return self._receiver.receive(line)

    def send(self, block: Block) -> Octets:
        """uint8[32, n] to uint8[32 * n]; row 0 is made here."""
        n = block.shape[1]
        numbers = (self._number + np.arange(n)) % MULTIFRAME
        frames = np.array(block.T, np.uint8, order="C")
        frames[:, 0] = self._timeslot_0().take(numbers)
        self._number = (self._number + n) % MULTIFRAME
        if self._mode is Crc4.OFF:
            return frames.reshape(-1)
        if self._receiver.multiframes:
            self._tell_errors(frames, numbers)
        smfs = np.concatenate((self._smf, frames)) if len(self._smf) else frames
        whole = len(smfs) // SMF_FRAMES
        crcs = crc4_of(smfs[:whole * SMF_FRAMES].reshape(whole, SMF_OCTETS))
        c_bits = _C_BITS[np.concatenate(([self._crc], crcs))].reshape(-1)
        smfs[::2, 0] |= c_bits[:(len(smfs) + 1) // 2]
        if whole:
            self._crc = int(crcs[-1])
        frames = smfs[len(self._smf):]
        self._smf = smfs[whole * SMF_FRAMES:].copy()
        return frames.reshape(-1)

    def _timeslot_0(self) -> Octets:
        """Of a multiframe, C and E bits zero; the E bits stay so until multiframes are received (2.3.3.4)."""
        receiver = self._receiver
        a_bit = not receiver.aligned or receiver.lomf if self.rai is None else self.rai
        octets: Octets = self._bits_1 | np.uint8(NFAS | A_BIT * a_bit | self._sa)
        octets[_FAS_FRAMES] = self._bits_1[_FAS_FRAMES] | FAS
        return octets

    def _tell_errors(self, frames: Octets, numbers: npt.NDArray[np.int_]) -> None:
        """Set the E bits to one but for as many as there are wrong blocks to tell of."""
        e_bits = np.flatnonzero((numbers == E_FRAMES[0]) | (numbers == E_FRAMES[1]))
        wrong = min(len(e_bits), self._receiver.errors_to_tell)
        frames[e_bits[wrong:], 0] |= BIT_1
        self._receiver.errors_to_tell -= wrong
