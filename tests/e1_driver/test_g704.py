"""The framer: timeslot 0 as G.704 says, on octets of another framer; alignment and interworking by G.706."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e1_driver import BLOCK, D_TIMESLOT, IDLE, TIMESLOTS, Alarm, Block
from e1_driver.framing.g704 import Crc4, Framer, Octets

FRAME_BITS = 256
MS = 8                                            # frames
LOS, LOF, AIS = (frozenset({alarm}) for alarm in (Alarm.LOS, Alarm.LOF, Alarm.AIS))
RAI, LOMF = frozenset({Alarm.RAI}), frozenset({Alarm.LOMF})
NONE: frozenset[Alarm] = frozenset()

FRAMES_TO_FIND = 4                                # FAS, bit 2, FAS, after a frame without FAS (G.706 4.1.2)
FRAMES_TO_FIND_MULTIFRAME = FRAMES_TO_FIND + 8 * MS           # both within 8 ms (4.2)
INTERWORKING_FRAMES = 400 * MS                    # B.2.3
FALSE_FRAMES = 915                                # 4.3.2
SMFS = BLOCK // 8                                 # CRC-4 blocks of a tick
MILLION = 1_000_000


# The timeslots 0 that the no2e1 gateware (rtl/e1_tx_framer.v, under Icarus Verilog) sends around a payload in
# which timeslot t of frame f of multiframe m is 101 m + 37 f + 11 t, multiframes counted from 1. Of the first
# sub-multiframe the C bits are of nothing.
NO2E1 = bytes.fromhex(                            # E bits m odd, m & 2 == 0; A bit m & 4
    "9b5f1b5f9bdf9b5f9bdf1bdf1bdf9bdf" "1b5f9b5f9bdf9b5f1bdf9bdf1b5f9b5f"
    "1b5f9b5f9bdf9b5f9bdf9bdf9b5f1bdf" "9b7f1b7f9bff9b7f1bff1bff9bff9b7f"
    "9b7f9b7f9bff1b7f1bff9bff1bff9bff" "9b7f9b7f9bff1b7f9bff9bff9b7f9b7f"
    "9b7f1b7f9bff1b7f9bff9bff9b7f1bff" "1b5f1b5f9bdf1b5f1bdf1bdf1bdf1b5f")
NO2E1_UNALIGNED = bytes.fromhex(                  # E bits zero, A bit one
    "9b7f1b7f9bff9b7f1bff9bff9b7f9b7f" "1b7f9b7f9bff1b7f9bff1bff9b7f9b7f"
    "9b7f1b7f1bff9b7f1bff1bff1b7f1b7f" "1b7f9b7f9bff1b7f1bff1bff9b7f9b7f")


def no2e1_block(timeslots_0: bytes) -> Block:
    frames = np.arange(len(timeslots_0))
    payload = 101 * (frames // 16 + 1) + 37 * (frames % 16) + 11 * np.arange(TIMESLOTS)[:, np.newaxis]
    block = (payload % 256).astype(np.uint8)
    block[0] = np.frombuffer(timeslots_0, np.uint8)
    return block


def line_of(block: Block) -> Octets:
    return np.ascontiguousarray(block.T).reshape(-1)


@dataclass
class Source:
    """A sender of random payload that hears well."""

    framer: Framer = field(default_factory=Framer)
    seed: int = 1
    sent: list[Block] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.framer.rai = False
        self._random = np.random.default_rng(self.seed)

    def frames(self, n: int) -> Octets:
        block = self._random.integers(0, 256, (TIMESLOTS, n), dtype=np.uint8)
        self.sent.append(block)
        return self.framer.send(block)


def delayed(octets: Octets, bits: int) -> Octets:
    """`octets` behind so many random bits, cut to whole frames."""
    lead = np.random.default_rng(bits).integers(0, 2, bits, dtype=np.uint8)
    line = np.concatenate((lead, np.unpackbits(octets)))
    return np.packbits(line[:len(line) // FRAME_BITS * FRAME_BITS])


def frames_until(framer: Framer, line: Octets, true: Callable[[Framer], bool]) -> int:
    """How many frames of `line` it takes."""
    for n, at in enumerate(range(0, len(line), TIMESLOTS), start=1):
        framer.receive(line[at:at + TIMESLOTS])
        if true(framer):
            return n
    raise AssertionError(f"not within {len(line) // TIMESLOTS} frames: {framer.alarms}, CRC-4 {framer.crc4}")


def aligned(framer: Framer) -> bool:
    return not framer.alarms & {Alarm.LOS, Alarm.LOF, Alarm.AIS}


def up(mode: Crc4 = Crc4.AUTO, far: Crc4 = Crc4.AUTO) -> tuple[Framer, Source]:
    """A framer that has long received what the source sends."""
    framer, source = Framer(mode), Source(Framer(far))
    framer.receive(source.frames(500 * MS))
    return framer, source


# The format


def test_we_send_what_another_framer_sends() -> None:
    block = no2e1_block(NO2E1_UNALIGNED)
    line = Framer().send(block).reshape(-1, TIMESLOTS).T
    assert line[:, 8:].tobytes() == block[:, 8:].tobytes()


def test_we_read_what_another_framer_sends() -> None:
    framer = Framer(Crc4.ON)
    block = no2e1_block(NO2E1)
    received = framer.receive(line_of(block))
    assert received[:, 2:].tobytes() == block[:, 2:].tobytes()
    assert (framer.alarms, framer.crc4, framer.sa_received) == (NONE, True, 31)
    assert (framer.fas_errors, framer.crc_errors) == (0, 0)
    counted_from = 48                             # the multiframe after the two that it was found by
    e_bits = [word for frame, word in enumerate(NO2E1) if frame >= counted_from and frame % 16 in (13, 15)]
    assert framer.e_bits == sum(word < 0x80 for word in e_bits) == 5


def test_one_wrong_bit_of_another_framer_is_one_wrong_block() -> None:
    line = line_of(no2e1_block(NO2E1))
    for octet in (49 * TIMESLOTS + 5, 60 * TIMESLOTS + 31, 71 * TIMESLOTS + 16):
        line[octet] ^= 0x10
    framer = Framer(Crc4.ON)
    framer.receive(line)
    assert framer.crc_errors == 3


def test_timeslot_0_without_crc4() -> None:
    framer = Framer(Crc4.OFF)
    framer.rai, framer.sa = False, 0b10110
    block = np.full((TIMESLOTS, 5), IDLE, np.uint8)
    assert framer.send(block).reshape(5, TIMESLOTS)[:, 0].tobytes().hex() == "9bd69bd69b"
    framer.rai = True
    assert framer.send(block[:, :2]).reshape(2, TIMESLOTS)[:, 0].tobytes().hex() == "f69b"
    assert (block[0] == IDLE).all()               # the caller's is not written to


@pytest.mark.parametrize("sizes", [(80,), (1,), (3, 80, 16, 7, 256, 8)])
def test_a_multiframe_may_be_sent_in_any_pieces(sizes: tuple[int, ...]) -> None:
    blocks = np.random.default_rng(4).integers(0, 256, (TIMESLOTS, 960), dtype=np.uint8)
    framer, at, line = Framer(), 0, []
    while at < 960:
        for size in sizes:
            line.append(framer.send(blocks[:, at:at + size]))
            at = min(at + size, 960)
    assert (np.concatenate(line) == Framer().send(blocks)).all()


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="33 octets"):
        Framer().receive(np.zeros(33, np.uint8))
    with pytest.raises(ValueError, match="0 to 31"):
        Framer().sa = 32


# Alignment


@pytest.mark.parametrize("bits", [0, 1, 7, 8, 77, 255, 256, 300, 511])
def test_frames_are_found_in_any_phase_and_come_out_whole(bits: int) -> None:
    source, framer = Source(), Framer()
    line = delayed(source.frames(100 * MS), bits)
    found = frames_until(framer, line[:(FRAMES_TO_FIND + 2) * TIMESLOTS], aligned)
    line = line[found * TIMESLOTS:]
    received = np.concatenate(
        [framer.receive(line[at:at + 5 * TIMESLOTS]) for at in range(0, len(line), 5 * TIMESLOTS)], axis=1)
    first = found - -(-bits // FRAME_BITS)
    sent, = source.sent
    n = min(received.shape[1], sent.shape[1] - first)
    assert (received[1:, :n] == sent[1:, first:first + n]).all()
    assert (framer.crc4, framer.fas_errors, framer.crc_errors) == (True, 0, 0)


@pytest.mark.parametrize("bits", [0, 77, 300])
def test_realignment_after_a_cut_of_a_second(bits: int) -> None:
    framer, source = up()
    cut = framer.receive(np.zeros(1000 * MS * TIMESLOTS, np.uint8))
    assert framer.alarms == LOS
    assert (cut[1:16, 8:] == IDLE).all() and (cut[D_TIMESLOT, 8:] == 0xFF).all()
    line = delayed(source.frames(100 * MS), bits)
    needed = frames_until(framer, line, aligned)
    assert needed <= FRAMES_TO_FIND + 1 + -(-bits // FRAME_BITS)
    assert needed + frames_until(framer, line[needed * TIMESLOTS:], lambda framer: framer.crc4 is True) <= (
        FRAMES_TO_FIND_MULTIFRAME + 2)
    assert framer.alarms == NONE


def words(source: Source, n: int) -> Octets:
    """Frames of the source as [n, 32], to damage; the first one has a FAS."""
    return source.frames(n).reshape(n, TIMESLOTS)


@pytest.mark.parametrize("first", [0, 1], ids=["FAS", "bit 2"])
def test_frames_are_lost_with_the_third_wrong_word_in_a_row(first: int) -> None:
    framer, source = up()
    frames = words(source, 40)
    frames[first:first + 4:2, 0] ^= 0x40
    frames[first + 6:first + 12:2, 0] ^= 0x40
    framer.receive(frames[:first + 10].reshape(-1))
    assert aligned(framer)
    framer.receive(frames[first + 10:first + 11].reshape(-1))
    assert framer.alarms == LOF
    assert framer.fas_errors == (5 if first == 0 else 0)
    framer.receive(frames[first + 11:].reshape(-1))
    assert aligned(framer)


def test_all_ones_are_ais_and_noise_is_lof() -> None:
    framer, source = up()
    ones = np.full(10 * TIMESLOTS, 0xFF, np.uint8)
    assert frames_until(framer, ones, lambda framer: framer.alarms == AIS) <= 6       # with the third FAS
    framer.receive(source.frames(20))
    assert framer.alarms == NONE
    framer.receive(np.tile(np.frombuffer(b"\x55\x33", np.uint8), 100 * TIMESLOTS))
    assert framer.alarms == LOF


def test_frames_imitated_in_a_timeslot_are_left_for_those_with_multiframes() -> None:
    """4.2: no multiframe within 8 ms, so others are tried; what was found first carries calls meanwhile."""
    framer, source = Framer(), Source()
    block = np.random.default_rng(5).integers(0, 256, (TIMESLOTS, 100 * MS), dtype=np.uint8)
    block[7] = np.resize((0x1B, 0xDF), 100 * MS)
    line = source.framer.send(block)[TIMESLOTS // 8:]         # the imitation is first
    line = line[:len(line) // TIMESLOTS * TIMESLOTS]
    needed = frames_until(framer, line, lambda framer: framer.alarms == NONE)
    received = framer.receive(line[needed * TIMESLOTS:(needed + 10) * TIMESLOTS])
    assert set(received[0].tolist()) == {0x1B, 0xDF}
    needed += 10
    needed += frames_until(framer, line[needed * TIMESLOTS:], lambda framer: framer.crc4 is True)
    assert needed <= 2 * FRAMES_TO_FIND_MULTIFRAME + 2
    received = framer.receive(line[needed * TIMESLOTS:])
    at = block.shape[1] - 1 - received.shape[1]
    assert (received[1:] == block[1:, at:at + received.shape[1]]).all()
    assert (framer.alarms, framer.fas_errors, framer.crc_errors) == (NONE, 0, 0)


# CRC-4, and equipment without it


def test_a_far_end_without_crc4_is_done_without_after_400_ms() -> None:
    framer, source = Framer(Crc4.AUTO), Source(Framer(Crc4.OFF))
    line = source.frames(500 * MS)
    found = frames_until(framer, line, aligned)
    needed = frames_until(framer, line[found * TIMESLOTS:], lambda framer: framer.crc4 is False)
    assert needed == INTERWORKING_FRAMES - 1      # the frame that it was found by is the first of them
    framer.receive(source.frames(3000 * MS))
    assert (framer.alarms, framer.crc4) == (NONE, False)
    sent = framer.send(np.full((TIMESLOTS, 32), IDLE, np.uint8)).reshape(32, TIMESLOTS)[:, 0]
    assert not (sent[[13, 15, 29, 31]] & 0x80).any()          # B.2.3: still with CRC-4, E bits zero
    assert not (sent[1::2] & 0x20).any()


def test_crc4_that_was_wanted_and_does_not_come_is_lomf_after_400_ms() -> None:
    framer, source = Framer(Crc4.ON), Source(Framer(Crc4.OFF))
    line = source.frames(450 * MS)
    found = frames_until(framer, line, aligned)
    needed = frames_until(framer, line[found * TIMESLOTS:], lambda framer: framer.alarms == LOMF)
    assert needed == INTERWORKING_FRAMES - 1      # the frame that it was found by is the first of them
    source.framer.receive(framer.send(source.sent[0][:, :BLOCK]))
    assert source.framer.alarms == RAI            # 4.2: as when frames are not found
    with_crc4 = Source(seed=3).frames(100 * MS)
    frames_until(framer, with_crc4, lambda framer: framer.alarms == NONE and framer.crc4 is True)


def test_without_crc4_here_bit_1_means_nothing() -> None:
    framer, _ = up(Crc4.OFF, Crc4.AUTO)
    assert (framer.alarms, framer.crc4, framer.e_bits) == (NONE, None, 0)


@pytest.mark.parametrize("wrong, falls", [(914, False), (915, True)])
def test_915_wrong_blocks_of_1000_say_that_these_are_not_the_frames(wrong: int, falls: bool) -> None:
    framer, source = Framer(), Source()
    framer.receive(source.frames(48 + 8 * 1000))  # monitored, by thousands, from frame 48 on
    for block in range(1000):
        assert framer.crc4
        frames = words(source, 8)
        frames[3, 9] ^= block < wrong             # counted with the CRC in the next block
        framer.receive(frames.reshape(-1))
        if framer.crc_errors == FALSE_FRAMES:
            break
    assert framer.crc_errors == wrong
    assert (framer.crc4 is None) == falls
    framer.receive(source.frames(100 * MS))
    assert (framer.alarms, framer.crc4) == (NONE, True)


# Counters


def damage(line: Octets, random: np.random.Generator) -> list[int]:
    """Invert bits of a tick's line: how many FAS are hit, CRC-4 blocks, E bits made zero, made one.

    In every third block a burst of up to 4 bits, half of them in timeslot 0. The two blocks between keep a C
    bit, which speaks of the block before, from hiding an error.
    """
    fas, blocks, e_bits = set(), set(), [0, 0]
    for block in range(0, SMFS - 1, 3):
        frame = int(random.integers(0, 8))
        first = int(random.integers(0, 8 if random.random() < 0.5 else FRAME_BITS))
        burst = [True, *(random.random(3) < 0.5)]
        for bit in (first + n for n in range(4) if burst[n] and first + n < FRAME_BITS):
            octet, mask = (block * 8 + frame) * TIMESLOTS + bit // 8, 0x80 >> bit % 8
            blocks.add(block - (frame % 2 == 0 and bit == 0))
            if frame % 2 == 0 and 1 <= bit < 8:
                fas.add((block, frame))
            if block % 2 == 1 and frame in (5, 7) and bit == 0:
                e_bits[0 if line[octet] & mask else 1] += 1
            line[octet] ^= mask
    return [len(fas), len(blocks), *e_bits]


def test_a_million_frames_with_errors_everywhere_are_counted_exactly() -> None:
    """What is expected comes of the places of the errors alone, and of what the E bits were."""
    near, far = Framer(Crc4.ON), Framer(Crc4.ON)
    random = np.random.default_rng(6)
    payload = [random.integers(0, 256, (TIMESLOTS, BLOCK), dtype=np.uint8) for _ in range(10)]

    def tick(number: int, good: bool) -> None:
        for way, (sender, receiver) in enumerate(((near, far), (far, near))):
            line = sender.send(payload[number % 10])
            if not good:
                hit[way] += damage(line, random)
            receiver.receive(line)

    def counted() -> list[tuple[int, int, int]]:
        return [(framer.fas_errors, framer.crc_errors, framer.e_bits) for framer in (far, near)]

    hit = np.zeros((2, 4), int)                   # on the way to the far end, and to the near one
    for number in range(10):
        tick(number, good=True)
    before = counted()
    for number in range(MILLION // BLOCK):
        tick(number, good=False)
    for number in range(2):                       # what was still to be told
        tick(number, good=True)
    for way, (fas, crc, told, hidden) in enumerate(hit.tolist()):
        told_of_other_way = hit[1 - way, 1]
        assert np.subtract(counted(), before)[way].tolist() == [fas, crc, told_of_other_way + told - hidden]
    assert hit.min() > 50                         # there were many of each kind


# What timeslot 0 carries


def test_the_a_bit_is_believed_the_third_time() -> None:
    framer, source = up()
    for rai, alarms in ((True, RAI), (False, NONE)):
        source.framer.rai = rai
        framer.receive(source.frames(4))
        assert framer.alarms == RAI ^ alarms
        framer.receive(source.frames(2))
        assert framer.alarms == alarms


def test_the_a_bit_tells_the_far_end_that_nothing_is_heard() -> None:
    deaf, far = Framer(), Framer()
    block = np.full((TIMESLOTS, BLOCK), IDLE, np.uint8)
    far.receive(deaf.send(block))
    assert far.alarms == RAI
    deaf.receive(far.send(block))
    far.receive(deaf.send(block))
    assert (deaf.alarms, far.alarms) == (NONE, NONE)


def test_sa_bits_are_believed_the_third_time() -> None:
    framer, source = up()
    assert framer.sa_received == 31
    source.framer.sa = 5
    framer.receive(source.frames(4))
    assert framer.sa_received == 31
    framer.receive(source.frames(2))
    assert framer.sa_received == 5
    for sa in (1, 2, 1, 2, 3):
        source.framer.sa = sa
        framer.receive(source.frames(4))
    assert framer.sa_received == 5


# Any octets


PIECES = st.lists(st.tuples(st.sampled_from(["frames", "damaged", "zeros", "ones", "noise", "other"]),
                            st.integers(1, 700), st.integers(0, 300)), min_size=1, max_size=6)


def made(pieces: list[tuple[str, int, int]]) -> Iterator[Octets]:
    """Bits of a line that had a life: frames with and without CRC-4, cut anywhere, errors, noise, silence."""
    source, other, random = Source(), Source(Framer(Crc4.OFF), seed=2), np.random.default_rng(3)
    for kind, n, skipped in pieces:
        if kind in ("frames", "damaged", "other"):
            bits = np.unpackbits((other if kind == "other" else source).frames(n))
            if kind == "damaged":
                bits ^= (random.random(len(bits)) < 0.01).astype(np.uint8)
        elif kind == "noise":
            bits = random.integers(0, 2, n * FRAME_BITS, dtype=np.uint8)
        else:
            bits = np.full(n * FRAME_BITS, kind == "ones", np.uint8)
        yield bits[skipped % len(bits):]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(Crc4), PIECES, st.lists(st.integers(0, 4000), max_size=12))
def test_it_does_not_matter_how_the_line_is_cut(
        mode: Crc4, pieces: list[tuple[str, int, int]], cuts: list[int]) -> None:
    bits = np.concatenate(list(made(pieces)))
    line = np.packbits(bits[:len(bits) // FRAME_BITS * FRAME_BITS])
    whole, parts = Framer(mode), Framer(mode)
    at_once = whole.receive(line)
    places = sorted(TIMESLOTS * cut for cut in cuts if TIMESLOTS * cut < len(line))
    in_parts = np.concatenate([parts.receive(part) for part in np.split(line, places)], axis=1)
    assert (at_once == in_parts).all()
    for name in ("alarms", "crc4", "sa_received", "fas_errors", "crc_errors", "e_bits"):
        assert getattr(whole, name) == getattr(parts, name), name


def fuzz(data: bytes) -> None:
    """The first octet chooses, the rest is a line, or errors on one that is good."""
    choice, line = data[0] if data else 0, np.frombuffer(data[1:], np.uint8)
    n = -(-len(line) // TIMESLOTS)
    line = np.resize(line, n * TIMESLOTS) if n else line
    framer = Framer(list(Crc4)[choice % 3])
    if choice & 0x80:
        good = Source()
        framer.receive(good.frames(100))
        line = good.frames(n) ^ line
    for part in np.split(line, n or 1) if choice & 0x40 else [line]:
        block = framer.receive(part)
        assert block.shape == (TIMESLOTS, len(part) // TIMESLOTS)
        assert len(framer.send(block)) == len(part)
        assert framer.alarms <= set(Alarm)


@given(st.binary(max_size=2000))
def test_any_octets_will_do(data: bytes) -> None:
    fuzz(data)
