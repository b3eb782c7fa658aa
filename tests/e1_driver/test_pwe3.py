"""Emulated circuits: alarms and counters against octets written by hand.

A far end by hand goes through the loopback interface, which has delivered a packet when send returns; the
spans are told the time, so none passes.
"""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from e1_driver import BEARERS, BLOCK, D_TIMESLOT, IDLE, TIMESLOTS, Alarm, Block, Loop, open_span
from e1_driver.backends.pwe3 import CATCH_UP_BLOCKS, MAX_PACKETS, MAX_STRANGERS
from e1_driver.backends.pwe3_jitter import SETTLE_BLOCKS
from e1_driver.framing.g704 import Framer
from e1_driver.soft import LOOPED_BLOCKS
from tests.e1_driver.circuits import HOST, FarEnd, free_ports, pair_urls
from tests.e1_driver.ends import End, run

WARM = SETTLE_BLOCKS + 5                          # blocks until what is sent is what is played
PACKETS = 10                                      # of a block, 1 ms each
L, R, RDI = 0x0800, 0x0400, 0x0200                # as in the first half of a control word


class Near:
    """A span whose time is ours."""

    def __init__(self, url: str) -> None:
        self.span = open_span(url)
        self.now = 1000.0
        self.block: Block = np.full((TIMESLOTS, BLOCK), IDLE, np.uint8)

    def tick(self) -> Block:
        """10 ms."""
        block = self.span.read(self.now)
        assert block is not None
        self.span.write(self.block)
        self.now += 0.01
        return block

    @property
    def alarms(self) -> set[Alarm]:
        return set(self.span.status().alarms)


class Sender:
    """Ten packets of 1 ms for a tick, numbered, with these flags; `frames` makes the payload of a block."""

    def __init__(self, far: FarEnd, near: Near, frames: Callable[[], bytes]) -> None:
        self.far, self.near, self.sequence = far, near, 65_530
        self._frames = frames

    def tick(self, flags: int = 0, packets: int = PACKETS) -> Block:
        octets = self._frames()
        size = len(octets) // PACKETS
        for number in range(packets):
            payload = octets[number * size:(number + 1) * size]
            self.far.send(struct.pack(">HH", flags, self.sequence) + payload)
            self.sequence = (self.sequence + 1) % 65536
        return self.near.tick()

    def run(self, blocks: int, flags: int = 0) -> Block:
        block = self.tick(flags)
        for _ in range(blocks - 1):
            block = self.tick(flags)
        return block


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def opened(stack: ExitStack, scheme: str, options: str, frames: Callable[[], bytes]) -> Sender:
    far = stack.enter_context(FarEnd(scheme, options))
    near = Near(far.url)
    stack.callback(near.span.close)
    return Sender(far, near, frames)


def cesop(stack: ExitStack, options: str = "") -> Sender:
    """Each timeslot says its number."""
    return opened(stack, "cesop", options, lambda: bytes(range(1, 32)) * BLOCK)


def satop(stack: ExitStack, options: str = "") -> Sender:
    """... in G.704 frames that begin somewhere in an octet."""
    framer = Framer()
    framer.rai = False
    block = np.repeat(np.arange(32, dtype=np.uint8)[:, None], BLOCK, axis=1)
    before = np.zeros(1, np.uint8)

    def frames() -> bytes:
        nonlocal before
        line = np.concatenate((before, framer.send(block)))
        before = line[-1:]
        return np.packbits(np.unpackbits(line)[5:-3]).tobytes()
    return opened(stack, "satop", options, frames)


def words(far: FarEnd) -> list[int]:
    """First halves of the control words that have come."""
    return [int.from_bytes(packet[:2]) for packet in far.received()]


# --- alarms and flags -------------------------------------------------------------------------------------

CESOP_FLAGS: list[tuple[int, set[Alarm], int]] = [            # received, what they mean, sent because of it
    (RDI, {Alarm.RAI}, 0),
    (R, {Alarm.RAI}, 0),
    (L, {Alarm.AIS}, RDI),
    (L | R, {Alarm.AIS, Alarm.RAI}, RDI),
    (0, set(), 0),
]


def test_cesop_flags_are_alarms_both_ways(stack: ExitStack) -> None:
    sender = cesop(stack)
    near, far = sender.near, sender.far
    near.tick()
    assert near.alarms == {Alarm.LOS}
    assert set(words(far)) == {R | RDI}
    block = sender.run(WARM)
    assert near.alarms == set()
    assert (block[1:] == np.arange(1, 32)[:, None]).all()
    far.received()
    sender.run(2)
    assert set(words(far)) == {0}
    for flags, alarms, told in CESOP_FLAGS:
        block = sender.run(3, flags)
        assert near.alarms == alarms
        assert (block[BEARERS[0]] == (IDLE if flags & L else 1)).all()
        assert words(far)[-1] == told


def test_satop_alarms_are_the_framings_and_the_flags(stack: ExitStack) -> None:
    sender = satop(stack)
    near, far = sender.near, sender.far
    near.tick()
    assert near.alarms == {Alarm.LOS}
    assert set(words(far)) == {R}
    block = sender.run(100)                       # 400 ms and more: G.706 annex B's limit for CRC-4
    assert near.alarms == set()
    assert (near.span.status().crc4, near.span.status().sa_bits) == (True, 31)
    assert (block[list(BEARERS)] == np.array(BEARERS)[:, None]).all()
    assert set(words(far)) == {0, R}
    sender.run(3, L)
    assert near.alarms == {Alarm.AIS}
    sender.run(100, R)
    assert near.alarms == {Alarm.RAI}
    told = near.span.counters()
    assert told.packets_in == 203 * PACKETS
    assert (told.packets_lost, told.packets_late, told.packets_bad, told.slips) == (0, 0, 0, 0)


def test_a_payload_that_was_left_out_is_filled(stack: ExitStack) -> None:
    sender = cesop(stack)
    sender.run(WARM)
    for number in range(3 * PACKETS):
        sender.far.send(struct.pack(">HH", L | 4, (sender.sequence + number) % 65536))
    sender.near.tick()
    assert sender.near.alarms == {Alarm.AIS}
    block = sender.near.tick()
    assert (block[list(BEARERS)] == IDLE).all()
    assert (block[D_TIMESLOT] == 0xFF).all()
    assert sender.near.span.counters().packets_bad == 0


def test_ten_lost_packets_are_los_and_filled_and_two_end_it(stack: ExitStack) -> None:
    sender = cesop(stack)
    sender.run(WARM)
    before = sender.near.span.counters()
    sender.sequence += 10
    sender.near.tick()
    block = sender.near.tick()
    assert sender.near.alarms == {Alarm.LOS}
    assert (block[1] == IDLE).all()
    assert set(words(sender.far)[-PACKETS:]) == {R | RDI}
    sender.run(4)
    assert sender.near.alarms == set()
    assert sender.near.span.counters().packets_lost - before.packets_lost >= 10


# --- what else may come -----------------------------------------------------------------------------------

def test_only_the_peers_address_counts_and_every_packet_is_counted_once(stack: ExitStack) -> None:
    sender = cesop(stack)
    sender.run(WARM)
    before = sender.near.span.counters()
    packet = struct.pack(">HH", 0, sender.sequence) + bytes(248)
    stranger = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    stranger.bind(("127.0.0.2", 0))
    for wrong in (packet, b""):
        stranger.sendto(wrong, (HOST, sender.far.near_port))
    for wrong in (b"", packet[:-1], packet + b"\0", b"\x10" + packet[1:], bytes(1400), b"\xff" * 252):
        sender.far.send(wrong)
    sender.far.send(struct.pack(">HH", 0, (sender.sequence - 300) % 65536) + bytes(248))
    sender.run(3)
    counters = sender.near.span.counters()
    assert counters.packets_bad - before.packets_bad == 6         # the strangers' the kernel keeps
    assert counters.packets_late - before.packets_late == 1
    assert counters.packets_in - before.packets_in == 3 * PACKETS
    assert counters.packets_lost == before.packets_lost
    other_port = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    other_port.bind((HOST, 0))                    # some gateways put the circuit's number there
    other_port.sendto(struct.pack(">HH", 0, sender.sequence) + bytes(248), (HOST, sender.far.near_port))
    sender.near.tick()
    assert sender.near.span.counters().packets_in == counters.packets_in + 1


def test_a_strangers_flood_takes_no_place_of_the_peers(stack: ExitStack) -> None:
    sender = cesop(stack)
    sender.run(WARM)
    before = sender.near.span.counters()
    stranger = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    stranger.bind(("127.0.0.2", 0))
    for _ in range(20 * MAX_PACKETS):             # more than the socket holds
        stranger.sendto(bytes(252), (HOST, sender.far.near_port))
    sender.run(3)
    counters = sender.near.span.counters()
    assert counters.packets_in - before.packets_in == 3 * PACKETS
    assert (counters.packets_bad, counters.packets_lost) == (before.packets_bad, before.packets_lost)


def test_strangers_that_the_kernel_lets_through_end_the_turn(
        stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_filter(*_: object) -> None:
        raise OSError("this kernel has none")

    monkeypatch.setattr("e1_driver.backends.pwe3_udp.attach", no_filter)
    sender = cesop(stack)
    sender.run(WARM)
    before = sender.near.span.counters().packets_bad
    stranger = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    stranger.bind(("127.0.0.2", 0))
    for _ in range(2 * MAX_STRANGERS):
        stranger.sendto(bytes(252), (HOST, sender.far.near_port))
    sender.near.tick()
    assert sender.near.span.counters().packets_bad - before == MAX_STRANGERS
    sender.near.tick()
    assert sender.near.span.counters().packets_bad - before == 2 * MAX_STRANGERS


def test_a_flood_takes_a_bounded_part_of_a_turn(stack: ExitStack) -> None:
    sender = cesop(stack)
    sender.run(WARM)
    before = sender.near.span.counters()
    for _ in range(2 * MAX_PACKETS):
        sender.far.send(b"flood")
    seen = []
    for _ in range(4):
        sender.near.tick()
        seen.append(sender.near.span.counters().packets_bad - before.packets_bad)
    assert 0 < seen[0] <= MAX_PACKETS
    assert seen[-1] == seen[-2]                   # over, and all was looked at that the kernel kept
    sender.run(2 * WARM)
    assert sender.near.alarms == set()


def test_a_stall_is_made_up_for_or_told_and_the_numbers_sent_follow_the_time(stack: ExitStack) -> None:
    sender = cesop(stack, "&rtp=on")
    near, far = sender.near, sender.far
    near.tick()
    last = far.received()[-1]
    near.now += 9.99                              # 1000 blocks are due
    blocks = 0
    while near.span.read(near.now) is not None:
        near.span.write(near.block)
        blocks += 1
    first = far.received()[0]
    assert blocks == CATCH_UP_BLOCKS + 1
    assert near.span.counters().slips == 1000 - blocks
    left_out = (1000 - blocks) * PACKETS
    assert (int.from_bytes(first[2:4]) - int.from_bytes(last[2:4])) % 65536 == left_out + 1
    assert (int.from_bytes(first[4:8]) - int.from_bytes(last[4:8])) % 2 ** 32 == (left_out + 1) * 8
    assert first[2:4] == first[14:16]             # RTP's and the control word's


def test_frames_that_fill_no_packet_are_not_forgotten_when_blocks_are_left_out(stack: ExitStack) -> None:
    sender = cesop(stack, "&frames=24")
    near, far = sender.near, sender.far
    sent: list[int] = []
    near.now += 0.005                             # between two blocks
    for stalls in range(6):                       # 80 frames are three packets and a third
        while near.span.read(near.now) is not None:
            near.span.write(near.block)
            sent += [int.from_bytes(packet[2:4]) for packet in far.received()]
        assert (sent[-1] - sent[0]) % 65536 + 1 == (1 + 102 * stalls) * BLOCK // 24
        near.now += 1.02
    assert near.span.counters().slips == 5 * (102 - CATCH_UP_BLOCKS - 1)


def test_a_network_that_cannot_be_reached_is_los_and_returns_by_itself(stack: ExitStack) -> None:
    near_port, far_port = free_ports(2)
    nowhere = Near(f"satop:192.0.2.7:{far_port}?port={near_port}&listen={HOST}")     # no way from there
    for _ in range(3):
        nowhere.tick()
    assert nowhere.alarms == {Alarm.LOS}
    nowhere.span.close()
    near = End(open_span(f"cesop:{HOST}:{far_port}?port={near_port}&clock=own"), seed=1)
    stack.callback(near.span.close)
    run(near, until=lambda: len(near.received) > 5)      # each packet is answered: port unreachable
    assert near.span.status().alarms == {Alarm.LOS}
    for seed in (2, 3):                           # ... and a far end that is started again
        far = open_span(f"cesop:{HOST}:{near_port}?port={far_port}")
        run(near, End(far, seed), until=lambda: near.span.status().up)
        far.close()
        run(near, until=lambda: not near.span.status().up)


# --- loops and circuits of other kinds --------------------------------------------------------------------

def test_the_line_loop_sends_the_octets_back_as_they_came(stack: ExitStack) -> None:
    noise = np.random.default_rng(5)
    sent: list[bytes] = []

    def frames() -> bytes:
        sent.append(noise.bytes(TIMESLOTS * BLOCK))
        return sent[-1]
    sender = opened(stack, "satop", "", frames)
    sender.near.span.loop(Loop.LINE)
    sender.near.tick()
    lost = sender.far.received()
    assert {packet[:2] for packet in lost} == {bytes((0x0C, 0))}     # L and R
    assert set(b"".join(packet[4:] for packet in lost)) == {0xFF}
    sender.run(WARM + 5)
    sender.far.received()
    sender.run(5)
    back = sender.far.received()
    assert b"".join(packet[4:] for packet in back) in b"".join(sent)
    assert {packet[:2] for packet in back} == {bytes(2)}
    sender.run(3, L)
    assert words(sender.far)[-1] == L


def test_what_a_line_loop_cannot_hold_is_a_slip(stack: ExitStack) -> None:
    sender = satop(stack)
    near = sender.near.span
    near.loop(Loop.LINE)
    for _ in range(LOOPED_BLOCKS + 3):            # read, and not answered
        assert near.read(sender.near.now) is not None
        sender.near.now += 0.01
    assert near.counters().slips == 3


def test_a_circuit_without_timeslot_16_takes_no_frame(stack: ExitStack) -> None:
    near = Near(stack.enter_context(FarEnd("cesop", "&timeslots=1-15")).url)
    stack.callback(near.span.close)
    assert not near.span.send_frame(b"\x02\x01\x7f")
    assert not near.span.abilities.timeslot_16
    assert near.span.counters().frames_out == 0
    assert (near.tick()[D_TIMESLOT] == 0xFF).all()


@pytest.mark.parametrize(("scheme", "options", "host"), [
    ("cesop", "&timeslots=1-3,5,16,31&jitter_ms=100", HOST),
    ("cesop", "&frames=24&jitter_ms=100", HOST),
    ("satop", "&jitter_ms=100", "::1"),
])
def test_pairs_of_other_kinds_carry_what_they_have(
        stack: ExitStack, scheme: str, options: str, host: str) -> None:
    ends = []
    for seed, url in enumerate(pair_urls(scheme, options, host)):
        ends.append(End(open_span(url), seed))
        stack.callback(ends[-1].span.close)
    run(*ends, until=lambda: all(end.span.status().up for end in ends))
    start = len(ends[0].sent)
    assert ends[0].span.send_frame(b"\x02\x01\x7f")
    run(*ends, until=lambda: len(ends[0].sent) > start + 40 and bool(ends[1].frames))
    assert ends[1].frames == [b"\x02\x01\x7f"]
    timeslots = (1, 2, 3, 5, 31) if "timeslots" in options else BEARERS
    for timeslot in timeslots:
        sent, received = (b"".join(block[timeslot].tobytes() for block in blocks)
                          for blocks in (ends[0].sent[start:start + 10], ends[1].received))
        assert sent in received
    if scheme == "cesop" and "timeslots" in options:
        assert (ends[1].received[-1][4] == IDLE).all()
