"""Lines of any octets to the search for a far loop; see tests/e1_driver/test_probe.py."""

from tests.e1_driver.test_probe import fuzz
from tests.fuzz.prbs import corpus

__all__ = ["SHARE", "corpus", "fuzz"]

SHARE = 0.05                                      # an input is many blocks of the line
