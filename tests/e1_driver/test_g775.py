"""LOS and AIS of a line without frames: enter and clear exactly where G.775 says."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from e1_driver.framing.g775 import Signal

PERIOD = 512                                      # bits of a double frame


def bits(*runs: tuple[int, int]) -> list[int]:
    """Runs of (bit, how often)."""
    return [bit for bit, n in runs for _ in range(n)]


def after(line: list[int]) -> Signal:
    """A signal that was fed `line`, made whole octets by alternating bits in front."""
    signal = Signal()
    lead = [1, 0, 1, 0, 1, 0, 1, 0][:-len(line) % 8]
    signal.feed(np.packbits(np.array(lead + line, np.uint8)))
    return signal


def los_after(*runs: tuple[int, int]) -> bool:
    return after(bits(*runs)).los


def test_los_is_255_intervals_without_a_one() -> None:
    assert not los_after((1, 1), (0, 254))
    assert los_after((1, 1), (0, 255))
    assert los_after((1, 1), (0, 300))
    assert not los_after((1, 1), (0, 254), (1, 1), (0, 254), (1, 1))


def test_los_stands_until_255_intervals_in_a_row_have_32_ones() -> None:
    lost = (1, 1), (0, 255)
    assert los_after(*lost, (1, 254))
    assert not los_after(*lost, (1, 255))
    assert not los_after(*lost, (1, 32), (0, 223))
    assert los_after(*lost, (1, 31), (0, 224))
    assert los_after(*lost, (0, 224), (1, 31), (1, 31), (0, 224))     # together, but not in one interval
    assert los_after(*lost, (1, 32), (0, 223), (0, 32))               # 255 since the last one


def ais_after(*zeros: int) -> bool:
    """After periods of 512 bits with so many zeros each."""
    line = [bit for n in zeros for bit in bits((1, PERIOD - n), (0, n))]
    return after(line).ais


def test_ais_is_two_periods_in_a_row_of_two_zeros_or_fewer() -> None:
    assert not ais_after(0)
    assert ais_after(0, 0) and ais_after(2, 2) and ais_after(3, 2, 2)
    assert not ais_after(2, 3, 2) and not ais_after(3, 3)


def test_ais_ends_with_two_periods_in_a_row_of_three_zeros_or_more() -> None:
    assert ais_after(0, 0, 3)
    assert not ais_after(0, 0, 3, 3) and not ais_after(2, 2, 2, 3, 256)
    assert ais_after(0, 0, 3, 2, 3) and ais_after(0, 0, 3, 3, 1, 1)


PIECES = st.lists(st.tuples(st.sampled_from([0, 0, 0xFF, 0xFF, 0x01, 0xFE, 0x55]), st.integers(1, 150)),
                  min_size=1, max_size=12)


@given(PIECES, st.lists(st.integers(0, 1800), max_size=6))
def test_it_does_not_matter_how_the_line_is_cut(pieces: list[tuple[int, int]], cuts: list[int]) -> None:
    line = np.array([octet for octet, n in pieces for _ in range(n)], np.uint8)
    whole, parts = Signal(), Signal()
    whole.feed(line)
    for part in np.split(line, sorted(cut for cut in cuts if cut < len(line))):
        parts.feed(part)
    assert (whole.los, whole.ais) == (parts.los, parts.ais)
