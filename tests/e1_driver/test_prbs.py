"""Test patterns: the registers of O.150 stage by stage, another program's sequences, phases from noise."""

import ctypes
import itertools
from collections import deque
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from e1_driver import IDLE
from e1_driver.testing.prbs import NAMES, Octets, Pattern, pattern

# O.150 (05/96) table 1 and 5.5: stages, tap, inverted, longest run of zeros of the signal
TABLE = [
    ("prbs11", 11, 9, False, 10),
    ("prbs15", 15, 14, True, 15),
    ("qrss", 20, 17, False, 14),
]
SPANDSP = {"prbs11": 11, "prbs15": 10}            # its numbers; its 2^20-1 is inverted, unlike O.150's


def register(stages: int, tap: int, inverted: bool, suppress: bool) -> Iterator[int]:
    """O.150's figures one clock at a time: stage 1 is the left end, the last stage is the output."""
    state = deque([1] * stages, maxlen=stages)
    while True:
        output = state[-1]
        if suppress and not any(itertools.islice(state, 5, 19)):      # stages 6 to 19, the next 14 bits
            output = 1
        yield output ^ inverted
        state.appendleft(state[tap - 1] ^ state[stages - 1])


def bits_of(name: str) -> Octets:
    one = pattern(name)
    return np.unpackbits(one.octets)[:one.period]


def spandsp(name: str, n_octets: int) -> Octets:
    """Octets of libspandsp's generator, whose license lets nobody copy and everybody compare."""
    library = ctypes.CDLL("libspandsp.so.2")
    library.bert_init.restype = ctypes.c_void_p
    library.bert_get_bit.argtypes = [ctypes.c_void_p]
    state = library.bert_init(None, 0, SPANDSP[name], 0, 0)
    return np.packbits([library.bert_get_bit(state) for _ in range(8 * n_octets)])


@pytest.mark.parametrize(("name", "stages", "tap", "inverted", "zeros"), TABLE)
def test_sequence_is_the_register_s(name: str, stages: int, tap: int, inverted: bool, zeros: int) -> None:
    bits = bits_of(name)
    assert len(bits) == 2 ** stages - 1
    expected = list(itertools.islice(register(stages, tap, inverted, name == "qrss"), len(bits)))
    assert bits.tolist() == expected


@pytest.mark.parametrize(("name", "stages", "tap", "inverted", "zeros"), TABLE)
def test_runs_are_the_recommendation_s(name: str, stages: int, tap: int, inverted: bool, zeros: int) -> None:
    twice = np.tile(bits_of(name), 2)
    runs = [(bit, len(list(run))) for bit, run in itertools.groupby(twice.tolist())]
    assert max(length for bit, length in runs if bit == 0) == zeros
    if name != "qrss":
        ones = int(bits_of(name).sum())
        assert ones == 2 ** (stages - 1) - inverted            # one more of the register's ones than zeros


@pytest.mark.parametrize("name", SPANDSP)
def test_another_program_s_sequence(name: str) -> None:
    one = pattern(name)
    line = spandsp(name, 2 * one.period)
    assert (line[:one.period] == line[one.period:]).all()
    assert any((one.take(np.array([phase]), len(line)) == line).all() for phase in one.phases(line[:80]))


@pytest.mark.parametrize("name", NAMES)
def test_octets_repeat_after_a_period(name: str) -> None:
    one = pattern(name)
    first, second = one.take(np.array([3, 3 + one.period]), 500)
    assert (first == second).all()


@given(name=st.sampled_from([row[0] for row in TABLE]), start=st.integers(0, 2 ** 20),
       shift=st.integers(0, 7), seed=st.integers(0, 99), ratio=st.sampled_from([0, 1e-3, 0.05]))
def test_phase_is_found_at_any_bit_and_through_errors(
    name: str, start: int, shift: int, seed: int, ratio: float,
) -> None:
    one = pattern(name)
    bits = np.unpackbits(one.take(np.array([start]), 161)[0])[shift:shift + 1280]
    noise = np.random.default_rng(seed).random(1280) < ratio
    found = next(one.phases(np.packbits(bits ^ noise)))
    assert (np.unpackbits(one.take(np.array([found]), 160)[0]) == bits).all()


@pytest.mark.parametrize("name", [row[0] for row in TABLE])
@pytest.mark.parametrize("octets", [b"\x00", b"\xff", bytes((IDLE,)), b"\x54", b"\x7e", b"\x9b\xdf"])
def test_what_a_line_says_when_idle_is_no_pattern(name: str, octets: bytes) -> None:
    line = np.frombuffer(octets * 80, np.uint8)
    assert not near(pattern(name), line)


@given(name=st.sampled_from([row[0] for row in TABLE]), line=st.binary(max_size=300))
def test_anything_may_come(name: str, line: bytes) -> None:
    assert len(list(pattern(name).phases(np.frombuffer(line, np.uint8)))) <= 4


def test_a_user_s_word() -> None:
    one = pattern("octets:7e81")
    assert one.take(np.array([1]), 3).tobytes() == bytes.fromhex("817e81")


@pytest.mark.parametrize("name", ["", "prbs23", "octets:", "octets:7", "octets:zz", "QRSS"])
def test_a_wrong_name_says_what_is_right(name: str) -> None:
    with pytest.raises(ValueError, match="prbs11, prbs15, qrss, ones, alternating, or octets:7e81"):
        pattern(name)


def near(one: Pattern, line: Octets) -> bool:
    """Whether a phase explains `line` but for one bit in five."""
    return any(np.bitwise_count(one.take(np.array([phase]), len(line))[0] ^ line).sum() < 8 * len(line) / 5
               for phase in one.phases(line))


def fuzz(data: bytes) -> None:
    """Any octets, to every pattern."""
    for name in NAMES:
        list(pattern(name).phases(np.frombuffer(data, np.uint8)))
