"""A line of any octets to the framer; see tests/e1_driver/test_g704.py."""

import numpy as np

from e1_driver import TIMESLOTS
from e1_driver.framing.g704 import Framer
from e1_driver.framing.timeslot_0 import Crc4
from tests.e1_driver.test_g704 import fuzz

__all__ = ["MOST_OCTETS", "corpus", "fuzz"]

MOST_OCTETS = 2_600                               # five CRC-4 multiframes


def corpus() -> list[bytes]:
    noise = np.random.default_rng(1)
    lines = [Framer(mode).send(noise.integers(0, 256, (TIMESLOTS, 64), np.uint8))
             for mode in (Crc4.ON, Crc4.OFF)]
    lines.append(np.packbits(np.roll(np.unpackbits(lines[0]), 13)))
    octets = [line.tobytes() for line in lines] + [b"\xff" * 512, bytes(512)]
    return [bytes((choice,)) + line for choice in (0, 1, 0x42, 0xC0) for line in octets]
