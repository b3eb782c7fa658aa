"""Both directions of a timeslot as a WAV file: A-law, 8000 Hz, received left, sent right.

Ref: RIFF/WAVE 1.0 (1991), "fact" and WAVE_FORMAT_ALAW as RFC 2361 registers them (0x0006).
"""

import struct
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

SAMPLES_PER_S = 8000
CHANNELS = 2
FLUSH_SAMPLES = SAMPLES_PER_S                     # the head is right at least once a second

_ALAW = 0x0006
_HEAD = struct.Struct("<4sI4s" "4sIHHIIHHH" "4sII" "4sI")            # RIFF, fmt, fact, data
_FMT_OCTETS, _FACT_OCTETS = 18, 4
_MAX_SAMPLES = (0xFFFFFFFF - _HEAD.size) // CHANNELS


class TimeslotWav:
    """Writes to `file`, which can seek. Killed at any moment it leaves a file that plays all but a second."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.samples = self._told = 0
        self._file.write(_head(0))

    def add(self, received: npt.NDArray[np.uint8], sent: npt.NDArray[np.uint8]) -> None:
        """Rows of the timeslot, both of the same length. What is beyond 74 hours is left out."""
        octets = np.stack((received, sent), axis=1)[:_MAX_SAMPLES - self.samples]
        self._file.write(octets.tobytes())
        self.samples += len(octets)
        if self.samples - self._told >= FLUSH_SAMPLES:
            self.finish()

    def finish(self) -> None:
        """The head says what is in the file; adding may go on."""
        self._file.seek(0)
        self._file.write(_head(self.samples))
        self._file.seek(0, 2)
        self._file.flush()
        self._told = self.samples


def _head(samples: int) -> bytes:
    octets = samples * CHANNELS
    return _HEAD.pack(b"RIFF", _HEAD.size - 8 + octets, b"WAVE",
                      b"fmt ", _FMT_OCTETS,
                      _ALAW, CHANNELS, SAMPLES_PER_S, SAMPLES_PER_S * CHANNELS, CHANNELS, 8, 0,
                      b"fact", _FACT_OCTETS, samples,
                      b"data", octets)
