"""Timeslot 0 of G.704: its octets, the CRC-4 multiframe in bit 1, and the arithmetic of the CRC-4.

Ref: ITU-T G.704 (10/98) 2.3.2 (timeslot 0), 2.3.3 (CRC-4). A sub-multiframe, 8 frames, is the block that a
CRC-4 covers; its four bits travel in the next one. The CRC is linear, so it is the XOR of what each octet at
its place contributes: one table look-up for all octets at once.
"""

import numpy as np
import numpy.typing as npt

from e1_driver import TIMESLOTS

Octets = npt.NDArray[np.uint8]                    # as on the line, the most significant bit first

FRAME_BITS = 8 * TIMESLOTS
FRAMES_PER_S = 8000
FAS = 0x1B                                        # frame alignment signal: bits 2 to 8, 0011011
FAS_MASK = 0x7F
BIT_1 = 0x80                                      # the CRC-4 multiframe's; 1 where it is not used
NFAS = 0x40                                       # bit 2 of frames without FAS
A_BIT = 0x20                                      # remote alarm indication

MULTIFRAME = 16                                   # frames
MFAS = 0b001011                                   # bit 1 of frames 1, 3, 5, 7, 9 and 11
MFAS_BITS = 6
LAST_MFAS_FRAME = 11
E_FRAMES = (13, 15)                               # bit 1 is 0: a sub-multiframe came with an error (E bit)

SMF_FRAMES = 8
SMF_OCTETS = SMF_FRAMES * TIMESLOTS
SMF_BITS = 8 * SMF_OCTETS

_POLYNOMIAL = 0b10011                             # x^4 + x + 1

# Bits 1 of the 8 frames of a sub-multiframe, the first one the 128's -> a figure, for bytes.translate()
C_OF_BITS_1 = bytes(bits >> 4 & 8 | bits >> 3 & 4 | bits >> 2 & 2 | bits >> 1 & 1 for bits in range(256))
ZERO_E_BITS = bytes(2 - (bits & 0b0101).bit_count() for bits in range(256))      # of the second one


def _contributions() -> Octets:
    """[256 * 256]: the CRC-4 of a sub-multiframe of zeros but for one octet, place after place.

    C bits count as zero: bit 1 at the places of timeslot 0 of the frames with FAS.
    """
    remainders = []                               # of each bit alone
    remainder = 1 << 4                            # times x^4 first
    for _ in range(SMF_BITS):                     # from the block's last one
        if remainder & 1 << 4:
            remainder ^= _POLYNOMIAL
        remainders.append(remainder)
        remainder <<= 1
    of_bits = np.array(remainders, np.uint8).reshape(SMF_OCTETS, 8)[::-1].copy()
    of_bits[::2 * TIMESLOTS, 7] = 0
    table = np.zeros((SMF_OCTETS, 256), np.uint8)
    for bit in range(8):
        weight = 1 << bit
        table[:, weight:2 * weight] = table[:, :weight] ^ of_bits[:, bit, None]
    return table.reshape(-1)


_CONTRIBUTIONS = _contributions()
_PLACES = np.arange(SMF_OCTETS, dtype=np.intp) * 256


def crc4_of(blocks: Octets) -> Octets:
    """The CRC-4 of each sub-multiframe of `blocks`, [k, 256] to [k]: C1 is the 8's bit, C4 the 1's."""
    parts = _CONTRIBUTIONS.take(blocks + _PLACES)
    crcs: Octets = np.bitwise_xor.reduce(parts, axis=1)
    return crcs
