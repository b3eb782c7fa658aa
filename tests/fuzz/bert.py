"""Lines of any octets to the bit error test; see tests/e1_driver/test_bert.py."""

from tests.e1_driver.test_bert import fuzz
from tests.fuzz.prbs import corpus

__all__ = ["MOST_OCTETS", "SHARE", "corpus", "fuzz"]

MOST_OCTETS = 64                                  # each a block of the line, for two tests
SHARE = 0.02
