"""A timeslot of any octets to the search for a pattern; see tests/e1_driver/test_prbs.py."""

import numpy as np

from e1_driver.testing.prbs import pattern
from tests.e1_driver.test_prbs import fuzz

__all__ = ["MOST_OCTETS", "corpus", "fuzz"]

MOST_OCTETS = 200


def corpus() -> list[bytes]:
    lines = [pattern(name).take(np.array([phase]), 60).tobytes()
             for name in ("prbs11", "prbs15", "qrss") for phase in (0, 99)]
    return [*lines, lines[0][:30] + lines[2][30:], bytes(60), b"\xff" * 60]
