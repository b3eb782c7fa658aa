"""Faults on demand: the cable alone, bit by bit, and what a wrong option is told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from e1_driver import BLOCK, TIMESLOTS
from e1_driver.backends.faults import FRAME_BITS, Cable, Faults, Frames, faults_of
from e1_driver.backends.faults_url import OPTIONS

BLOCK_BITS = BLOCK * FRAME_BITS


def numbered(first: int) -> Frames:
    """A block of frames that each say their number."""
    numbers = np.arange(first, first + BLOCK, dtype=np.uint32)
    return np.ascontiguousarray(np.repeat(numbers.view(np.uint8).reshape(BLOCK, 4), TIMESLOTS // 4, axis=1))


def numbers_of(frames: Frames) -> list[int]:
    return [int.from_bytes(frame[::8].tobytes(), "little") for frame in frames]


def carry(faults: Faults, blocks: int) -> Frames:
    """`blocks` of numbered frames through a cable with `faults`."""
    cable = Cable(faults)
    return np.concatenate([cable.carry(numbered(n * BLOCK)) for n in range(blocks)])


def sent(blocks: int) -> Frames:
    return np.concatenate([numbered(n * BLOCK) for n in range(blocks)])


def wrong_bits(faults: Faults, blocks: int) -> list[int]:
    damage = np.unpackbits(carry(faults, blocks) ^ sent(blocks))
    return np.flatnonzero(damage).tolist()


def test_a_good_cable_gives_the_very_frames() -> None:
    frames = numbered(0)
    assert Cable(Faults()).carry(frames) is frames


@pytest.mark.parametrize("share", [1e-5, 1e-3, 0.1, 0.5])
def test_bit_errors_come_at_their_rate_are_counted_and_spread_over_every_bit_place(share: float) -> None:
    faults, blocks = Faults(ber=share, seed=1), 400
    bits = wrong_bits(faults, blocks)
    expected = share * blocks * BLOCK_BITS
    assert abs(len(bits) - expected) < 5 * expected ** 0.5
    assert faults.bits_inverted == len(bits)
    if share > 1e-4:
        assert len({bit % FRAME_BITS for bit in bits}) == FRAME_BITS


def test_bursts_begin_and_end_wrong_and_cross_blocks() -> None:
    length = 3 * BLOCK_BITS
    faults = Faults(bursts=0.5, burst_bits=length, seed=5)
    bits = wrong_bits(faults, 500)                # 5 s
    gaps = np.diff(bits)
    starts = [bits[0], *(bits[i + 1] for i in np.flatnonzero(gaps > 1000))]
    ends = [*(bits[i] for i in np.flatnonzero(gaps > 1000)), bits[-1]]
    assert 1 <= len(starts) <= 8
    assert {end - start + 1 for start, end in zip(starts, ends, strict=True)} == {length}
    assert abs(len(bits) / (length * len(starts)) - 0.5) < 0.05


def test_known_bits_are_inverted_once_each_wherever_they_lie() -> None:
    faults = Faults()
    asked = [0, 7, 8, BLOCK_BITS - 1, BLOCK_BITS, 10 * BLOCK_BITS + 5, 10 * BLOCK_BITS + 5]
    faults.invert(asked)
    assert wrong_bits(faults, 12) == sorted(set(asked))
    assert wrong_bits(faults, 12) == []


def test_a_slip_repeats_a_frame_and_the_next_leaves_one_out() -> None:
    faults = Faults()
    cable, came = Cable(faults), []
    for n in range(6):
        if n in (1, 3, 4):
            faults.slip()
        came += numbers_of(cable.carry(numbered(n * BLOCK)))
    repeated = [*range(80), 80, *range(80, 239)]
    left_out = [*range(240, 319), 319]
    assert came[:240] == repeated
    assert cable.slips == 3
    assert came[240:320] == left_out
    assert len(came) == 480
    assert sorted({*range(480)} - {*came}) == [239, 479]


def test_slips_come_at_their_rate_and_delay_stays_within_a_frame() -> None:
    faults = Faults(slips=20, seed=2)
    cable = Cable(faults)
    for n in range(1000):
        frames = cable.carry(numbered(n * BLOCK))
        assert frames.shape == (BLOCK, TIMESLOTS)
        last = numbers_of(frames)[-1]
        assert n * BLOCK + BLOCK - 2 <= last <= n * BLOCK + BLOCK - 1
    assert 130 < cable.slips < 270


def test_delay_is_of_so_many_milliseconds_and_may_change() -> None:
    faults = Faults(delay_ms=5)
    cable = Cable(faults)
    first = cable.carry(numbered(0))
    assert not first[:40].any()
    assert (first[40:] == numbered(0)[:40]).all()
    faults.delay_ms = 0
    assert (cable.carry(numbered(80)) == numbered(80)).all()


def test_ais_takes_bit_errors_too() -> None:
    frames = carry(Faults(ais=True, ber=1e-3), 100)
    zeros = 8 * frames.size - int(np.bitwise_count(frames).sum(dtype=np.int64))
    assert 1700 < zeros < 2400


def test_the_same_seed_is_the_same_damage_and_another_is_not() -> None:
    def damage(seed: int) -> bytes:
        return carry(Faults(ber=1e-4, bursts=5, slips=5, delay_ms=3, seed=seed), 300).tobytes()

    assert damage(3) == damage(3)
    assert damage(3) != damage(4)


def test_one_fault_does_not_move_another() -> None:
    bursts = wrong_bits(Faults(bursts=2, seed=6), 300)
    both = wrong_bits(Faults(bursts=2, ber=1e-6, seed=6), 300)
    assert bursts
    assert set(bursts) < set(both)


@given(st.integers(0, 300), st.lists(st.tuples(st.sampled_from(
    ("slip", "delay_ms", "ber", "bursts", "los", "ais", "slips")), st.integers(0, 40))))
def test_whatever_is_asked_a_block_comes_out(seed: int, acts: list[tuple[str, int]]) -> None:
    faults = Faults(seed=seed)
    cable = Cable(faults)
    for name, value in acts:
        if name == "slip":
            faults.slip()
        else:
            setattr(faults, name, value / 100 if name == "ber" else value)
        assert cable.carry(numbered(0)).shape == (BLOCK, TIMESLOTS)


@pytest.mark.parametrize(("option", "said"), [
    ("ber=0.6", "ber=0.6: write a number, 1e-12 to 0.5 .share of bits"),
    ("ber=1e-15", "ber=1e-15: write a number, 1e-12 to 0.5"),
    ("ber=-1", "ber=-1: "), ("ber=nan", "ber=nan: "), ("ber=", "ber=: "), ("ber=much", "ber=much: "),
    ("burst_bits=1", "burst_bits=1: write a whole number, 2 to 100000 .bits"),
    ("burst_bits=2.5", "burst_bits=2.5: "), ("bursts=-1", "bursts=-1: "), ("slips=inf", "slips=inf: "),
    ("d_loss=1.1", "d_loss=1.1: write a number, 0 to 1 .share of D-channel frames"),
    ("delay_ms=10001", "delay_ms=10001: write a whole number, 0 to 10000 .milliseconds"),
    ("ppm=1001", "ppm=1001: write a number, -1000 to 1000"), ("seed=x", "seed=x: write a whole number"),
    ("los=yes", "los=yes: write one of on, off"), ("ais=1", "ais=1: write one of on, off"),
])
def test_a_wrong_option_is_told_with_what_is_allowed(option: str, said: str) -> None:
    name, _, value = option.partition("=")
    with pytest.raises(ValueError, match=f"^virtual:x/a: {said}"):
        faults_of("virtual:x/a", {**OPTIONS, name: value})


def test_every_option_is_a_fault_and_its_default_is_none() -> None:
    assert {name: getattr(faults_of("", OPTIONS), name) for name in OPTIONS} == {
        name: getattr(Faults(), name) for name in OPTIONS}
