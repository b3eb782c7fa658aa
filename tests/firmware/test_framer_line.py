"""The models' line against the software framer of the host's side, which shares no code with them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e1_driver import Alarm, Block
from e1_driver.framing.g704 import Crc4, Framer
from firmware import wire
from firmware.linecard.framer import CHIPS, open_framer
from firmware.linecard.framer.framer import LOF, RAI, RAI_OFF
from firmware.linecard.model import open_model

FRAMES = 80
CRC4 = [(0, Crc4.OFF), (1, Crc4.ON), (2, Crc4.AUTO), (2, Crc4.OFF), (0, Crc4.AUTO)]


SIGNALS = (None, bytearray(2560), bytearray(b"\xff" * 2560))
PIECES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 20479)), max_size=12)


class Line:
    """A card's framer, driver and model, and the software framer at the far end."""

    def __init__(self, chip: str, crc4: int, far: Crc4, late_bits: int = 0) -> None:
        self.model = open_model(chip)
        self.framer = open_framer(chip, self.model)
        self.framer.configure(crc4, False)
        self.far = Framer(far)
        self.now_ms = 0
        self.random = np.random.default_rng(4)
        self._under_way = np.zeros(late_bits, np.uint8)

    def slip(self, bits: int) -> None:
        """The line falls behind by so many."""
        self._under_way = np.concatenate((self._under_way, np.zeros(bits, np.uint8)))

    def turn(self, turns: int = 1, errors: int = 0) -> tuple[Block, Block, Block, Block]:
        """10 ms each; what we and the far end sent in the last, what we and the far end got."""
        for _ in range(turns):
            self.now_ms += 10
            self.framer.poll(self.now_ms)
            ours, theirs = (self.random.integers(0, 256, (32, FRAMES), np.uint8) for _ in range(2))
            to_far = self.model.send(bytearray(ours.tobytes())) or bytes(32 * FRAMES)
            at_far = self.far.receive(np.frombuffer(bytes(to_far), np.uint8))
            bits = np.concatenate((self._under_way, np.unpackbits(self.far.send(theirs))))
            bits, self._under_way = bits[:256 * FRAMES], bits[256 * FRAMES:]
            bits[self.random.integers(0, len(bits), errors)] ^= 1
            received = bytes(self.model.receive(bytearray(np.packbits(bits).tobytes())))
            at_us = np.frombuffer(received, np.uint8).reshape(32, FRAMES)
        return ours, theirs, at_us, at_far


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize(("crc4", "far"), CRC4)
@pytest.mark.parametrize("late_bits", [0, 259])
def test_every_octet_crosses_both_ways(chip: str, crc4: int, far: Crc4, late_bits: int) -> None:
    """In any phase of bits; what is in timeslot 0 is right in the eyes of the other side."""
    line = Line(chip, crc4, far, late_bits)
    line.turn(60)
    fas_errors, crc_errors, e_bits = line.far.fas_errors, line.far.crc_errors, line.far.e_bits
    our_e_bits = line.framer.e_bits
    sent, got = np.zeros((2, 32, 0), np.uint8)
    for _ in range(10):
        ours, theirs, at_us, at_far = line.turn()
        sent, got = np.hstack((sent, theirs)), np.hstack((got, at_us))
        assert (at_far[1:] == ours[1:]).all()
    late = -(-late_bits // 256)                   # a frame is handed out when it is whole
    assert (got[1:, late:] == sent[1:, :sent.shape[1] - late]).all()
    assert (line.far.fas_errors, line.far.crc_errors, line.far.e_bits) == (fas_errors, crc_errors, e_bits)
    assert (line.framer.fas_errors, line.framer.crc_errors) == (0, 0)
    assert line.framer.e_bits == our_e_bits
    assert (line.framer.alarms, line.far.alarms) == (0, frozenset())
    assert line.far.crc4 is (None if far is Crc4.OFF else crc4 != 0)
    assert wire.CRC4[line.framer.crc4] == ("auto" if crc4 == 0 else "off" if far is Crc4.OFF else "on")


@pytest.mark.parametrize("chip", CHIPS)
def test_timeslot_0_is_the_same_bit_by_bit(chip: str) -> None:
    for crc4, far in ((0, Crc4.OFF), (1, Crc4.ON)):
        line = Line(chip, crc4, far)
        line.framer.set_rai(RAI_OFF)
        line.far.rai = False
        line.framer.set_sa(0b10011)
        line.far.sa = 0b10011
        for now_ms in range(0, 40, 10):
            line.framer.poll(now_ms)
        for turn in range(3):
            block = line.random.integers(0, 256, (32, FRAMES), np.uint8)
            sent = line.model.send(bytearray(block.tobytes()))
            assert sent is not None and bytes(sent) == line.far.send(block).tobytes(), (crc4, turn)


@pytest.mark.parametrize("chip", CHIPS)
def test_errors_are_counted_alike(chip: str) -> None:
    """What the far end's E bits say that it got wrong is what it counted; the same the other way."""
    line = Line(chip, 1, Crc4.ON)
    line.turn(30)
    line.framer.clear_counters()
    fas_errors, e_bits = line.far.fas_errors, line.far.e_bits
    line.turn(40, errors=9)
    line.turn(4)
    assert line.framer.crc_errors == line.far.e_bits - e_bits > 80
    assert line.framer.fas_errors > 0 and line.far.fas_errors == fas_errors
    assert line.framer.alarms == 0


@pytest.mark.parametrize("chip", CHIPS)
def test_alarms_of_both_ends_fit(chip: str) -> None:
    line = Line(chip, 2, Crc4.AUTO)
    line.turn(30)
    line.model.faults.lof = True
    line.turn(4)
    assert line.framer.alarms == LOF
    assert line.far.alarms == {Alarm.RAI}
    line.model.faults.lof = False
    line.far.rai = True
    line.turn(30)
    assert line.framer.alarms == RAI
    assert line.far.alarms == frozenset()
    line.framer.set_ais(True)
    line.turn(4)
    assert line.far.alarms == {Alarm.AIS}


@settings(deadline=None, max_examples=15)
@given(st.sampled_from(CHIPS), PIECES)
def test_frames_are_found_after_whatever_it_was(chip: str, pieces: list[tuple[int, int]]) -> None:
    """Bits that slip, silence, ones, noise, a line that is cut: then it is back, and so are its frames."""
    line = Line(chip, 2, Crc4.AUTO)
    for kind, amount in pieces:
        if kind == 0:
            line.slip(amount)
        elif kind < 4:
            line.model.receive(SIGNALS[kind - 1])
        elif kind == 4:
            line.model.receive(bytearray(line.random.bytes(2560)))
        line.turn(1, errors=amount if kind == 5 else 0)
    line.turn(8)
    assert line.framer.alarms & ~RAI == 0
    assert (line.turn()[2] != 0xFF).any()
