"""The CRC-4 against the division of G.704 2.3.3.5 done bit by bit."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from e1_driver.framing.crc4 import SMF_BITS, SMF_OCTETS, Octets, crc4_of

C_BITS = [frame * 256 for frame in (0, 2, 4, 6)]  # bit 1 of the frames with FAS


def divided(bits: list[int]) -> int:
    """Remainder of the block times x^4 by x^4 + x + 1, its first bit the highest power; C bits as zeros."""
    register = [0, 0, 0, 0]                       # x^3 first
    for place, bit in enumerate(bits):
        feedback = register[0] ^ (0 if place in C_BITS else bit)
        register = [register[1], register[2], register[3] ^ feedback, feedback]
    return int("".join(map(str, register)), 2)


def blocks(seed: int, n: int) -> Octets:
    return np.random.default_rng(seed).integers(0, 256, (n, SMF_OCTETS), dtype=np.uint8)


def test_it_is_the_remainder_of_the_polynomial() -> None:
    made = blocks(1, 40)
    assert crc4_of(made).tolist() == [divided(np.unpackbits(block).tolist()) for block in made]


@given(st.integers(0, SMF_BITS - 4), st.integers(1, 15))
def test_every_burst_of_up_to_four_bits_shows(at: int, burst: int) -> None:
    block = blocks(2, 1)
    bits = np.unpackbits(block)
    error = np.zeros_like(bits)
    error[at:at + 4] = [burst >> 3, burst >> 2 & 1, burst >> 1 & 1, burst & 1]
    counts = error.any() and not set(np.flatnonzero(error).tolist()) <= set(C_BITS)
    damaged = np.packbits(bits ^ error).reshape(1, -1)
    assert bool(crc4_of(damaged) != crc4_of(block)) == bool(counts)


def test_the_c_bits_are_not_of_the_block() -> None:
    block = blocks(3, 1)
    bits = np.unpackbits(block)
    bits[C_BITS] ^= 1
    assert crc4_of(np.packbits(bits).reshape(1, -1)) == crc4_of(block)
