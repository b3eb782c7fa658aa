"""Channel associated signalling: octets by hand from table 9 of G.704, and what must not pass for it."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from e1_driver import BLOCK, TIMESLOTS
from e1_driver.framing.cas import CHANNELS, MULTIFRAME, SURE_MULTIFRAMES, Cas, frames
from e1_driver.framing.crc4 import Octets
from e1_driver.framing.hdlc import Encoder

# frame 0: 0000 xyxx; frame n: abcd of channel n, abcd of channel n + 15
TABLE_9 = bytes.fromhex("0b 19 29 39 49 59 69 79 89 99 a9 b9 c9 d9 e9 f0")
ABCD = [*range(1, 16), *[0b1001] * 14, 0]
R2_SEIZED = 0b0001                                # Q.421: a and b, with c = 0 and d = 1
SURE_OCTETS = SURE_MULTIFRAMES * MULTIFRAME


def octets(line: bytes) -> Octets:
    return np.frombuffer(line, np.uint8)


def aligned() -> Cas:
    cas = Cas()
    cas.feed(octets(TABLE_9 * SURE_MULTIFRAMES))
    assert cas.aligned
    return cas


def told(cas: Cas) -> tuple[list[int] | None, bool]:
    return None if cas.abcd is None else cas.abcd.tolist(), cas.remote_alarm


def test_the_table_both_ways() -> None:
    assert frames(ABCD, 2).tobytes() == TABLE_9 * 2
    assert frames(ABCD, 1, remote_alarm=True).tobytes() == b"\x0f" + TABLE_9[1:]
    assert told(aligned()) == (ABCD, False)


@pytest.mark.parametrize("start", range(MULTIFRAME))
def test_found_in_any_phase_and_followed(start: int) -> None:
    cas = Cas()
    line = TABLE_9 * SURE_MULTIFRAMES + (b"\x0f" + b"\x11" * 15) * 3
    cas.feed(octets(line[start:SURE_OCTETS - MULTIFRAME]))
    assert not cas.aligned                        # not sure yet
    cas.feed(octets(line[SURE_OCTETS - MULTIFRAME:]))
    assert told(cas) == ([R2_SEIZED] * CHANNELS, True)


@pytest.mark.parametrize(("damage", "lost"), [
    ([b"\x8b"], False), ([b"\x8b", TABLE_9[:1], b"\x1b"], False), ([b"\x8b", b"\x1b"], True)])
def test_lost_with_two_wrong_signals_in_a_row(damage: list[bytes], lost: bool) -> None:
    cas = aligned()
    for signal in damage:
        cas.feed(octets(signal + b"\x1f" * 15))
    cas.feed(octets(TABLE_9))                     # one behind: a multiframe is whole when the next has begun
    assert cas.aligned is not lost
    cas.feed(octets(TABLE_9 * SURE_MULTIFRAMES))
    assert told(cas) == (ABCD, False)


def test_a_multiframe_of_zeros_is_loss() -> None:
    cas = aligned()
    cas.feed(octets(bytes(MULTIFRAME) + TABLE_9))
    assert told(cas) == (None, False)


def test_a_slip_is_loss_and_found_again() -> None:
    cas = aligned()
    cas.feed(octets(TABLE_9[1:] + TABLE_9 * 3))
    assert not cas.aligned
    cas.feed(octets(TABLE_9 * SURE_MULTIFRAMES))
    assert told(cas) == (ABCD, False)


def hdlc(frames_sent: int) -> bytes:
    encoder, chance = Encoder(), np.random.default_rng(1)
    for number in range(frames_sent):
        encoder.send(bytes(260) if number % 3 == 0 else chance.bytes(3 + number))
    return encoder.pull(8_000)


@pytest.mark.parametrize("line", [
    *(bytes([0x7E << turn & 0xFF | 0x7E >> 8 - turn]) * 1_000 for turn in range(8)),
    hdlc(100), b"\xff" * 1_000, b"\xd5" * 1_000, bytes(1_000), np.random.default_rng(2).bytes(200_000),
    (b"\x0b" + b"\x00" + b"\x99" * 14) * 100,     # two places that might be the signal
    b"".join(TABLE_9[:number % 2 + 15] for number in range(200)),
], ids=[*(f"flags turned by {turn}" for turn in range(8)), "frames", "ones", "idle", "zeros", "noise",
        "two signals", "a slip in every second multiframe"])
def test_what_is_no_cas(line: bytes) -> None:
    cas = Cas()
    for start in range(0, len(line), BLOCK):
        cas.feed(octets(line[start:start + BLOCK]))
        assert not cas.aligned


@pytest.mark.parametrize("abcd", [[9] * 29, [9] * 29 + [16], [0] + [9] * 29, [-1] + [9] * 29])
def test_what_cannot_be_sent(abcd: list[int]) -> None:
    with pytest.raises(ValueError, match="30 of 0 to 15, the first 15 not 0"):
        frames(abcd, 1)


MOST_OCTETS = 1_000


def corpus() -> list[bytes]:
    return [b"\x00" + TABLE_9 * 40, b"\x51" + TABLE_9 * 40, b"\x93" + bytes(64), hdlc(3)[:600]]


def fuzz(data: bytes) -> None:
    """The first octet chooses: after a good multiframe or not, and where it is cut, which changes nothing."""
    choice, line = data[0] if data else 0, data[1:]
    whole, parts = (aligned(), aligned()) if choice & 0x80 else (Cas(), Cas())
    whole.feed(octets(line))
    cuts = [0, *range(choice & 0x7F, len(line), (choice & TIMESLOTS - 1) + 1), len(line)]
    for start, end in pairwise(sorted(set(cuts) & set(range(len(line) + 1)))):
        parts.feed(octets(line[start:end]))
    assert told(whole) == told(parts)
    assert whole.abcd is None or (whole.abcd.shape == (CHANNELS,) and whole.abcd.max() <= 15)


@given(st.binary(max_size=1_000))
def test_any_octets_will_do(data: bytes) -> None:
    fuzz(data)
