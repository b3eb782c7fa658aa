"""What a far end may say in a test of the D-channel; see tests/e1_driver/test_d_channel.py."""

from tests.e1_driver.test_d_channel import fuzz
from tests.fuzz.lapd import corpus

__all__ = ["corpus", "fuzz"]
