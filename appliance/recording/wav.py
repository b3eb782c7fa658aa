"""The head of a recording's WAV file: octets <-> Header. No I/O.

A-law, 8000 Hz, two channels, caller left and agent right. The head has a fixed length and says at any moment
how much audio lies behind it, so any player opens the file while it grows. A chunk of our own, which players
skip, makes the file its own journal: the tick that comes next is first_tick + ticks.
Ref: RIFF/WAVE 1.0 (1991), "fact" and WAVE_FORMAT_ALAW as RFC 2361 registers them (0x0006).
"""

import struct
from dataclasses import dataclass, replace

from e1_driver import BLOCK, IDLE

SAMPLES_PER_S = 8000
CHANNELS = 2
TICK_OCTETS = CHANNELS * BLOCK                    # one tick of both channels, interleaved
TICKS_PER_S = SAMPLES_PER_S // BLOCK
SILENCE = bytes([IDLE])
VERSION = 1

_ALAW = 0x0006
_FINISHED = 0x0001                                # flags
_LAYOUT = struct.Struct(
    "<4sI4s"                                      # RIFF, octets that follow, WAVE
    "4sIHHIIHHH"                                  # fmt: format, channels, samples/s, octets/s, frame, bits, 0
    "4sII"                                        # fact: samples per channel
    "4sIHH16sqqII18x"                             # blrc: version, flags, then Header's fields
    "4sI")                                        # data: octets
HEAD_OCTETS = _LAYOUT.size
_FMT_OCTETS, _FACT_OCTETS, _OURS_OCTETS = 18, 4, 62

MAX_TICKS = (0xFFFFFFFF - HEAD_OCTETS) // TICK_OCTETS                # RIFF counts octets in 32 bits: 74 hours


@dataclass(frozen=True, slots=True)
class Header:
    """What the head says. `gap_ticks` are missing: silence stands for them, up to ten minutes each time."""

    recording: str                                # 16 octets as 32 hexadecimal digits
    first_tick: int                               # of the record ring
    ticks: int = 0                                # of audio in the file
    gap_ticks: int = 0
    finished: bool = False
    hole_at: int = 0                              # of the silence being written: ticks in front of it
    hole_ticks: int = 0                           # and its length; not yet in gap_ticks

    @property
    def next_tick(self) -> int:
        return self.first_tick + self.ticks

    @property
    def duration_s(self) -> float:
        return self.ticks / TICKS_PER_S

    @property
    def gap_s(self) -> float:
        return self.gap_ticks / TICKS_PER_S

    def write(self) -> bytes:
        """The HEAD_OCTETS in front of the audio."""
        data_octets = self.ticks * TICK_OCTETS
        return _LAYOUT.pack(
            b"RIFF", HEAD_OCTETS - 8 + data_octets, b"WAVE",
            b"fmt ", _FMT_OCTETS, _ALAW, CHANNELS, SAMPLES_PER_S, SAMPLES_PER_S * CHANNELS, CHANNELS, 8, 0,
            b"fact", _FACT_OCTETS, self.ticks * BLOCK,
            b"blrc", _OURS_OCTETS, VERSION, _FINISHED if self.finished else 0, bytes.fromhex(self.recording),
            self.first_tick, self.gap_ticks, self.hole_at, self.hole_ticks,
            b"data", data_octets)

    @classmethod
    def read(cls, head: bytes) -> "Header":
        """ValueError when these are not the first octets of a recording of ours."""
        if len(head) < HEAD_OCTETS:
            raise ValueError(f"{len(head)} octets are no recording: its head alone has {HEAD_OCTETS}")
        (riff, _, wave, fmt, _, coding, channels, rate, _, _, _, _, fact, _, _,
         ours, _, version, flags, recording, first_tick, gap_ticks, hole_at, hole_ticks,
         data, octets) = _LAYOUT.unpack_from(head)
        if (riff, wave, fmt, fact, ours, data) != (b"RIFF", b"WAVE", b"fmt ", b"fact", b"blrc", b"data"):
            raise ValueError("not the head of a recording")
        if (coding, channels, rate, version) != (_ALAW, CHANNELS, SAMPLES_PER_S, VERSION):
            raise ValueError(f"format {coding}, version {version}: this box reads version {VERSION}")
        return cls(recording.hex(), first_tick, octets // TICK_OCTETS, gap_ticks, bool(flags & _FINISHED),
                   hole_at, hole_ticks)

    def with_ticks(self, ticks: int) -> "Header":
        """The same recording when the file turns out to hold so much: its writer was cut off."""
        silent = min(max(ticks - self.hole_at, 0), self.hole_ticks)
        return replace(self, ticks=ticks, gap_ticks=self.gap_ticks + silent,
                       finished=False, hole_at=0, hole_ticks=0)


def ticks_in(file_octets: int) -> int:
    """Whole ticks of audio in a file of this size; what is left over is a torn write."""
    return max(0, file_octets - HEAD_OCTETS) // TICK_OCTETS
