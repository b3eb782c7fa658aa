"""The jitter buffer alone: a frame says which it is, so what is played can be compared with what was sent."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from e1_driver import BLOCK
from e1_driver.backends.pwe3_jitter import FORGET_FRAMES, SETTLE_BLOCKS, SHIFT_FRAMES, JitterBuffer
from e1_driver.backends.pwe3_url import Form
from e1_driver.backends.pwe3_wire import SEQUENCES, L, R, decode, encode

PER_PACKET = 8
BOUND = 160                                       # 20 ms
FILLER = np.zeros(3, np.uint8)
PACKETS = BLOCK // PER_PACKET                     # of a block
WARM = SETTLE_BLOCKS + 5                          # blocks until frames are played, and a bit


class Rig:
    """A sender of packets numbered from `first` on, and the buffer; what is played, None for the filler."""

    def __init__(self, first: int = 0, per_packet: int = PER_PACKET, bound: int = BOUND) -> None:
        self.buffer = JitterBuffer(per_packet, FILLER, bound)
        self.next = first
        self._per_packet = per_packet
        self.played: list[int | None] = []

    def put(self, numbers: Iterable[int], valid: bool = True) -> None:
        numbers = list(numbers)
        frames = np.add.outer(np.array(numbers, np.int64) * self._per_packet, np.arange(self._per_packet))
        payloads = np.stack((np.ones_like(frames), frames >> 8 & 0xFF, frames & 0xFF), axis=2)
        self.buffer.put(np.array(numbers, np.int64) % SEQUENCES,
                        payloads.astype(np.uint8).reshape(len(numbers), 3 * self._per_packet),
                        np.full(len(numbers), valid))

    def take(self, count: int) -> list[int]:
        """The sender's next packets, not sent yet."""
        self.next += count
        return list(range(self.next - count, self.next))

    def play(self, late_frames: int = 0) -> list[int | None]:
        block = [int(high) << 8 | int(low) if mark else None
                 for mark, high, low in self.buffer.play(late_frames).tolist()]
        self.played += block
        return block

    def run(self, blocks: int, packets: int = PACKETS) -> None:
        """So many blocks, of which each came in time."""
        for _ in range(blocks):
            self.put(self.take(packets))
            self.play()

    def heard(self) -> tuple[list[int | None], list[int | None]]:
        """What was played from the first frame on, and what the sender sent there."""
        began = next(place for place, frame in enumerate(self.played) if frame is not None)
        played = self.played[began:]
        sent: list[int | None] = list(frames_of(range(self.next), self._per_packet))
        first = sent.index(played[0])
        return played, sent[first:first + len(played)]

    def check_all_played(self) -> None:
        played, sent = self.heard()
        assert played == sent
        assert len(played) > BLOCK

    def counts(self) -> tuple[int, int, int, int]:
        buffer = self.buffer
        return buffer.taken, buffer.lost, buffer.late, buffer.slips


def frames_of(numbers: Sequence[int], per_packet: int = PER_PACKET) -> list[int]:
    return [(number * per_packet + frame) % 65536 for number in numbers for frame in range(per_packet)]


@pytest.mark.parametrize("per_packet", [8, 13, 40, 80])
@pytest.mark.parametrize("first", [0, SEQUENCES - 3])
def test_frames_come_out_in_order_half_the_bound_later(first: int, per_packet: int) -> None:
    rig, sent_frames = Rig(first, per_packet), 0
    for block in range(100):
        while sent_frames < (block + 1) * BLOCK:
            rig.put(rig.take(1))
            sent_frames += per_packet
        rig.play()
    sent = frames_of(range(first, rig.next), per_packet)
    heard = rig.played[SETTLE_BLOCKS * BLOCK:]
    assert heard[-1] is not None
    delay = len(sent) - 1 - sent.index(heard[-1])
    assert abs(delay - BOUND // 2) <= per_packet
    assert heard == sent[-delay - len(heard):-delay]
    assert rig.counts()[1:] == (0, 0, 0)
    assert not rig.buffer.loss


def test_reordered_packets_are_played_in_order_and_duplicates_once() -> None:
    rig = Rig()
    rig.run(WARM)
    early, late = rig.take(PACKETS), rig.take(PACKETS)
    rig.put([*late[::-1], *early])
    rig.put([late[0], early[3], 2])               # 2 was played long ago
    rig.play()
    rig.play()
    rig.run(WARM)
    rig.check_all_played()
    assert rig.counts() == (rig.next, 0, 3, 0)


def test_what_is_lost_is_filled_in_its_place_and_counted() -> None:
    rig = Rig()
    rig.run(100)                                  # more than the ring holds: what it held is gone
    numbers = rig.take(4 * PACKETS)
    missing = numbers[7], numbers[8], numbers[21]
    for begin in range(0, len(numbers), PACKETS):
        rig.put(number for number in numbers[begin:begin + PACKETS] if number not in missing)
        rig.play()
    rig.run(WARM)
    played, sent = rig.heard()
    filled = set(frames_of(missing))
    assert played == [None if frame in filled else frame for frame in sent]
    assert rig.counts() == (rig.next - 3, 3, 0, 0)
    assert not rig.buffer.loss


def test_ten_missing_packets_are_loss_and_two_good_ones_end_it() -> None:
    rig = Rig(per_packet=BLOCK, bound=2 * BLOCK)  # a packet is a block: what is counted can be followed
    rig.run(WARM, packets=1)
    assert not rig.buffer.loss
    waiting = 1                                   # in the buffer, half of the bound
    rig.take(10)
    seen = []
    for _ in range(waiting + 10):
        rig.play()
        seen.append(rig.buffer.loss)
    assert seen == [False] * (waiting + 9) + [True]
    assert rig.buffer.lost == 10
    seen = []
    rig.put(rig.take(1))                          # the one that fills the buffer to its half
    for _ in range(3):
        rig.put(rig.take(1))
        rig.play()
        seen.append(rig.buffer.loss)
    assert seen == [True, False, False]
    assert rig.buffer.lost == 10


def test_a_packet_after_its_turn_is_lost_and_late() -> None:
    rig = Rig()
    rig.run(WARM)
    held = rig.take(1)
    rig.put(rig.take(PACKETS - 1))
    rig.play()
    rig.run(WARM)
    assert rig.buffer.lost == 1
    rig.put(held)
    rig.run(WARM)
    assert rig.counts() == (rig.next - 1, 1, 1, 0)


def test_not_valid_is_in_time_but_filled() -> None:
    rig = Rig()
    rig.run(WARM)
    rig.put(rig.take(PACKETS), valid=False)
    rig.play()
    rig.run(WARM)
    assert rig.heard()[0].count(None) == BLOCK
    assert rig.counts() == (rig.next, 0, 0, 0)


def test_stray_packets_among_ours_change_nothing() -> None:
    rig = Rig()
    rig.run(WARM)
    for number in range(40_000, 40_010):          # they follow each other, but ours come between them
        rig.put([number])
        rig.run(1)
    rig.run(WARM)
    rig.check_all_played()
    assert rig.counts() == (rig.next, 0, 10, 0)


def test_one_packet_from_the_future_changes_nothing_but_itself() -> None:
    rig = Rig()
    rig.run(WARM)
    future = rig.next + 150
    rig.put([future])
    rig.run(40)
    rig.check_all_played()
    assert rig.counts() == (rig.next, 0, 1, 0)    # the real one came a second time


def test_packets_from_the_future_leave_alone_what_is_half_played() -> None:
    rig = Rig(per_packet=32)
    for packets in (2, 3) * WARM:
        rig.run(1, packets)
    for _ in range(10):                           # the sender stops; a packet that is lost may be half played
        rig.put(range(rig.next + 80, rig.next + 60, -1))
        rig.play()
    assert rig.played[-8 * BLOCK:] == [None] * (8 * BLOCK)


@pytest.mark.parametrize("first", [30_000, 100, SEQUENCES - 2])
def test_a_sender_that_was_started_again_is_followed(first: int) -> None:
    rig = Rig(1000)
    rig.run(20)
    rig.next = first
    rig.run(20)
    tail = rig.played[-10 * BLOCK:]
    assert tail[0] is not None
    assert tail == [(tail[0] + frame) % 65536 for frame in range(len(tail))]
    assert tail[-1] is not None
    assert (rig.next * PER_PACKET - tail[-1] - 1) % 65536 == BOUND // 2
    assert not rig.buffer.loss


def test_after_a_second_of_silence_nothing_is_counted_and_any_number_is_the_first() -> None:
    rig = Rig()
    rig.run(WARM)
    for _ in range(FORGET_FRAMES // BLOCK):
        rig.play()
    lost = rig.buffer.lost
    assert 0 < lost <= FORGET_FRAMES // PER_PACKET
    assert rig.buffer.offset == 0
    for _ in range(1000):
        rig.play()
    assert rig.buffer.lost == lost and rig.buffer.loss
    rig.next += 200
    rig.run(WARM)
    assert rig.buffer.lost == lost and not rig.buffer.loss and not rig.buffer.slips


@pytest.mark.parametrize(("packets", "way"), [(PACKETS + 1, 1), (PACKETS - 1, -1)])
def test_a_far_clock_that_differs_makes_slips_not_losses(packets: int, way: int) -> None:
    rig = Rig(bound=2 * BOUND)
    offsets = []
    for block in range(1000):                     # every 20th block the far end is a packet ahead, or behind
        rig.run(1, PACKETS if block % 20 else packets)
        offsets.append(rig.buffer.offset)
    surplus = 1000 // 20 * PER_PACKET
    assert rig.counts()[1:3] == (0, 0)
    assert 1 < rig.buffer.slips <= surplus // (BOUND // 2)
    assert max(map(abs, offsets)) <= 2 * BOUND / 2
    played = [frame for frame in rig.played if frame is not None]
    jumps = {(after - before) % 65536 for before, after in pairwise(played)} - {1}
    if way > 0:                                   # frames left out
        assert jumps and all(jump % SHIFT_FRAMES == 1 for jump in jumps)
    else:                                         # filler for longer
        assert not jumps
        assert rig.heard()[0].count(None) % SHIFT_FRAMES == 0


def test_a_path_that_became_longer_is_one_slip() -> None:
    rig = Rig()
    rig.run(WARM)
    for _ in range(4):                            # 40 ms longer: four blocks late
        rig.play()
    rig.run(100)
    assert rig.buffer.slips == 1
    assert rig.buffer.late <= 8 * PACKETS
    assert rig.played[-50 * BLOCK:] == frames_of(range(rig.next))[-50 * BLOCK - BOUND // 2:-BOUND // 2]


def test_a_caller_that_was_held_up_makes_up_for_it_without_a_slip() -> None:
    rig = Rig()
    rig.run(WARM)
    rig.put(rig.take(20 * PACKETS))               # which waited for us
    for _ in range(20):
        rig.put(rig.take(PACKETS))                # while we are no faster than the line
        rig.play(late_frames=20 * BLOCK)
    for behind in range(20, 0, -1):
        rig.play(late_frames=behind * BLOCK)
    rig.run(WARM)
    rig.check_all_played()
    assert rig.counts()[1:] == (0, 0, 0)


def test_what_nobody_was_there_to_play_is_left_out() -> None:
    rig = Rig()
    rig.run(WARM)
    rig.put(rig.take(3 * PACKETS))
    rig.buffer.skip(3 * BLOCK)
    rig.run(WARM)
    assert rig.counts()[1:] == (0, 0, 0)
    assert rig.played[-1] == rig.next * PER_PACKET - BOUND // 2 - 1
    rig.buffer.skip(10 ** 9)                      # an hour's sleep: begin anew
    assert rig.buffer.loss
    rig.next += 5000
    rig.run(WARM)
    assert not rig.buffer.loss and rig.buffer.lost == 0


steps = st.lists(st.one_of(
    st.tuples(st.just("play"), st.integers(0, 30 * BLOCK)),
    st.tuples(st.just("skip"), st.integers(0, 300 * BLOCK)),
    st.tuples(st.just("put"), st.lists(st.integers(0, 40) | st.integers(0, SEQUENCES - 1), max_size=12)),
    st.tuples(st.just("run"), st.integers(0, SEQUENCES - 1)),
), max_size=60)


@given(steps, st.sampled_from([8, 13, 40]), st.booleans())
def test_packets_in_batches_and_one_by_one_are_the_same_and_each_is_counted_once(
        done: list[tuple[str, int | list[int]]], per_packet: int, valid: bool) -> None:
    together, apart = Rig(0, per_packet), Rig(0, per_packet)
    put = 0
    for step, given_ in done:
        if isinstance(given_, list) or step == "run":
            numbers = given_ if isinstance(given_, list) else range(given_, given_ + 10)
            together.put(numbers, valid)
            for number in numbers:
                apart.put([number], valid)
            put += len(numbers)
        elif step == "skip":
            together.buffer.skip(given_)
            apart.buffer.skip(given_)
        else:
            assert together.play(given_) == apart.play(given_)
        assert together.counts() == apart.counts()
    taken, _, late, _ = together.counts()
    assert taken + late == put


# --- octets from anywhere, through the decoder and the buffer ---------------------------------------------

FORMS = (Form(8, structured=True), Form(32), Form(24, rtp=True))
MOST_OCTETS = 500
PLAY = 255


def corpus() -> list[bytes]:
    """Of each form: packets of which some are lost, late and doubled, and 10 ms between them."""
    examples = []
    for kind, form in enumerate(FORMS):
        said = [kind]
        for block, order in enumerate(((0, 1, 2), (4, 3, 3), (6, 7, 0), (40_000, 40_001))):
            for sequence in order:
                payload = np.full((1, form.payload_octets), block, np.uint8)
                packet = encode(form, (0, L, R, 0)[block], sequence, 0, payload, 8).tobytes()
                said += [len(packet), *packet]
            said += [PLAY, 0]
        examples.append(bytes(said))
    return examples


def fuzz(data: bytes) -> None:
    """Each packet is counted once, and nothing raises. The first octet chooses the form; then come packets,
    each after an octet of its length, and for PLAY 10 ms, played as many frames late as the next octet says.
    """
    form = FORMS[data[0] % len(FORMS)] if data else FORMS[0]
    width = form.payload_octets // PER_PACKET
    buffer = JitterBuffer(PER_PACKET, np.zeros(width, np.uint8), 80)
    packets = bad = 0
    place = 1
    while place < len(data):
        length, place = data[place], place + 1
        if length == PLAY:
            assert buffer.play(sum(data[place:place + 1])).shape == (BLOCK, width)
            place += 1
            continue
        packet, place = data[place:place + length], place + length
        row = np.zeros((1, max(len(packet), form.packet_octets) + 1), np.uint8)
        row[0, :len(packet)] = np.frombuffer(packet, np.uint8)
        good, sequences, flags = decode(form, row, np.array([len(packet)]))
        packets, bad = packets + 1, bad + int(not good[0])
        buffer.put(sequences[good], row[good, form.header_octets:form.packet_octets], flags[good] & L == 0)
    assert buffer.taken + buffer.late + bad == packets


@given(st.binary(max_size=100), st.sampled_from(corpus()))
def test_nothing_that_comes_raises(data: bytes, before: bytes) -> None:
    fuzz(before + data)
