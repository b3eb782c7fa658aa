"""Frames of TDM over Ethernet as DAHDI's dynamic spans speak it: octets <-> fields, a block <-> ten frames.

A frame has 1 ms of 31 timeslots: destination and source address, ethertype 0xD00D, subaddress, samples per
timeslot (8), flags, counter, timeslots (31), four signalling bits for each timeslot when the flags say so
(CAS; read by nobody here), then timeslot by timeslot its 8 octets. All fields are big-endian. On a stream, as
QEMU's `-netdev stream` has it, each frame comes after its length in four octets. Pure: no socket here.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from e1_driver import BLOCK, D_TIMESLOT, IDLE, TIMESLOTS, Block

ETHERTYPE = 0xD00D
SAMPLES = 8                                       # of a timeslot in a frame
FRAMES = BLOCK // SAMPLES                         # of a block
SLOTS = TIMESLOTS - 1                             # timeslot 0 stays at home
SAMPLE_OCTETS = SLOTS * SAMPLES
SIGNALLING_OCTETS = (SLOTS + 3) // 4 * 2
YELLOW, SIGNALLING = 1, 2                         # flags
MAC_OCTETS = 6
LENGTH_OCTETS = 4

_HEADER = struct.Struct(">6s6sHHBBHH")
FRAME_OCTETS = _HEADER.size + SIGNALLING_OCTETS + SAMPLE_OCTETS
MAX_STREAM_OCTETS = 69_632                        # no frame of QEMU's is longer

Octets = npt.NDArray[np.uint8]

IDLE_SAMPLES: Octets = np.full(SAMPLE_OCTETS, IDLE, np.uint8)
IDLE_SAMPLES[(D_TIMESLOT - 1) * SAMPLES:D_TIMESLOT * SAMPLES] = 0xFF
IDLE_SAMPLES.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Frame:
    destination: bytes
    source: bytes
    subaddress: int
    yellow: bool                                  # the sender hears nothing
    counter: int                                  # modulo 65,536
    samples: bytes                                # SAMPLE_OCTETS, timeslot 1 first


def encode(frame: Frame) -> bytes:
    flags = frame.yellow * YELLOW | SIGNALLING
    head = _HEADER.pack(frame.destination, frame.source, ETHERTYPE, frame.subaddress, SAMPLES, flags,
                        frame.counter, SLOTS)
    return head + bytes(SIGNALLING_OCTETS) + frame.samples


def decode(octets: bytes) -> Frame:
    """ValueError when `octets` are no frame of 31 timeslots of 8 samples."""
    if len(octets) < _HEADER.size:
        raise ValueError(f"TDMoE frame of {len(octets)} octets, its header has {_HEADER.size}")
    destination, source, ethertype, subaddress, samples, flags, counter, slots = _HEADER.unpack_from(octets)
    if (ethertype, samples, slots) != (ETHERTYPE, SAMPLES, SLOTS):
        raise ValueError(f"TDMoE frame: ethertype {ethertype:#06x}, {samples} samples of {slots} timeslots, "
                         f"wanted {ETHERTYPE:#06x}, {SAMPLES} of {SLOTS}")
    wanted = _HEADER.size + bool(flags & SIGNALLING) * SIGNALLING_OCTETS + SAMPLE_OCTETS
    if len(octets) != wanted:
        raise ValueError(f"TDMoE frame of {len(octets)} octets, wanted {wanted}")
    return Frame(destination, source, subaddress, bool(flags & YELLOW), counter, octets[-SAMPLE_OCTETS:])


def block_of(samples: Octets) -> Block:
    """uint8[FRAMES, SAMPLE_OCTETS] of ten frames in order -> a block; row 0 is ones."""
    block = np.full((TIMESLOTS, BLOCK), 0xFF, np.uint8)
    block[1:] = samples.reshape(FRAMES, SLOTS, SAMPLES).transpose(1, 0, 2).reshape(SLOTS, BLOCK)
    return block


class Sender:
    """Blocks to frames with a running counter."""

    def __init__(self, destination: bytes, source: bytes, subaddress: int) -> None:
        head = encode(Frame(destination, source, subaddress, False, 0, IDLE_SAMPLES.tobytes()))
        row = FRAME_OCTETS.to_bytes(LENGTH_OCTETS, "big") + head
        self._rows = np.tile(np.frombuffer(row, np.uint8), (FRAMES, 1))
        self._flags = LENGTH_OCTETS + _HEADER.size - 5
        self._counters = np.arange(FRAMES, dtype=np.uint16)

    def frames(self, block: Block, yellow: bool) -> list[bytes]:
        """The block's ten frames, each after its length as a stream wants it."""
        self._rows[:, self._flags] = yellow * YELLOW | SIGNALLING
        self._rows[:, self._flags + 1] = self._counters >> 8
        self._rows[:, self._flags + 2] = self._counters & 0xFF
        self._rows[:, -SAMPLE_OCTETS:] = block[1:].reshape(SLOTS, FRAMES, SAMPLES).transpose(1, 0, 2).reshape(
            FRAMES, SAMPLE_OCTETS)
        self._counters += FRAMES                  # goes round by itself
        return [row.tobytes() for row in self._rows]


class StreamReader:
    """A stream, cut anywhere, to the frames in it."""

    def __init__(self) -> None:
        self._octets = bytearray()

    def feed(self, octets: bytes) -> Iterator[bytes]:
        """Frames that end in `octets`. ValueError: a length that no frame has; what follows is not sure."""
        self._octets += octets
        at = 0
        try:
            while len(self._octets) - at >= LENGTH_OCTETS:
                length = int.from_bytes(self._octets[at:at + LENGTH_OCTETS], "big")
                if length > MAX_STREAM_OCTETS:
                    raise ValueError(f"a frame of {length} octets, {MAX_STREAM_OCTETS} is the longest")
                if len(self._octets) - at < LENGTH_OCTETS + length:
                    break
                at += LENGTH_OCTETS + length
                yield bytes(self._octets[at - length:at])
        finally:
            del self._octets[:at]
