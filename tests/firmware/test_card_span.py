"""One span of the card against a host in memory, in virtual time: who may say what, and what comes of it."""

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import wire
from firmware.linecard.clock import Clock
from firmware.linecard.framer.framer import AMI, HDB3, LOS, OPEN, SHORT, Framer
from firmware.linecard.hal import BLOCK_OCTETS
from firmware.linecard.span import STATUS_MS, WAITING_PACKETS, Span
from firmware.linecard.tdm import STORE_BLOCKS

WRAP_MS = 1 << 30
NONE, PAYLOAD = wire.LOOPS.index("none"), wire.LOOPS.index("payload")
SET = bytes((PAYLOAD, wire.CLOCKS.index("own"), wire.CRC4.index("on")))        # as older hosts send it
LIU = bytes((wire.LINE_CODES.index("ami"), wire.HAULS.index("long"), wire.OHMS.index(75)))

Packet = tuple[int, int, bytes]


def block(number: int) -> bytes:
    return bytes((number % 251 + 1,)) * BLOCK_OCTETS


class Chip(Framer):
    """A framer that does what it is told and says what the test sets."""

    def __init__(self) -> None:
        super().__init__(None, 0)                 # type: ignore[arg-type]  # no register is read
        self.ready, self.alarms = True, 0
        self.told: dict[str, object] = {}

    def configure(self, crc4: int, own_clock: bool, line_code: int = HDB3, long_haul: bool = False,
                  ohms: int = 120) -> None:
        self.told.update(crc4=crc4, own_clock=own_clock, liu=(line_code, long_haul, ohms))

    def set_loop(self, loop: int) -> None:
        self.told["loop"] = loop

    def set_ais(self, on: bool) -> None:
        self.told["ais"] = on

    def poll(self, now_ms: int) -> int:
        return self.alarms

    def _fill(self) -> None:
        """It has no registers."""


class Bus:
    def __init__(self) -> None:
        self.missed = 0
        self.due = 0
        self.ready: list[bool] = []               # what it was told at each block
        self.given: list[bytes] = []
        self.taken = 0

    def poll(self, now_ms: int, ready: bool) -> bool:
        if not self.due:
            return False
        self.due -= 1
        self.ready.append(ready)
        self.taken += 1
        return True

    def take(self, out: bytearray, at: int) -> None:
        out[at:at + BLOCK_OCTETS] = block(self.taken)

    def give(self, octets: bytearray, at: int) -> None:
        self.given.append(bytes(octets[at:at + BLOCK_OCTETS]))


class Port:
    def __init__(self) -> None:
        self.open = True
        self.to_card: deque[bytes] = deque()
        self.room = 1 << 20
        self.out = b""

    def is_open(self) -> bool:
        return self.open

    def readinto(self, buffer: bytearray) -> int:
        if not self.to_card:
            return 0
        octets = self.to_card.popleft()
        buffer[:len(octets)] = octets
        return len(octets)

    def write(self, buffer: bytearray, at: int, length: int) -> int:
        taken = min(length, self.room)
        self.out += buffer[at:at + taken]
        self.room -= taken
        return taken


class Rig:
    def __init__(self, now_ms: int = 0) -> None:
        self.chip, self.bus, self.port = Chip(), Bus(), Port()
        self.references: list[int] = []
        self.clock = Clock([self.chip], self.references.append)
        self.now_ms = now_ms
        self.span = Span(0, 1, "bench", self.port, self.bus, self.chip, self.clock, now_ms)
        self.writer = wire.Writer()
        self.heard: list[Packet] = []
        self.reader = wire.Reader(lambda kind, span, sequence, body: self.heard.append(
            (kind, sequence, bytes(body))))

    def say(self, kind: int, body: bytes, sequence: int = 0, span: int = 0) -> None:
        octets = bytes(self.writer.pack(kind, span, sequence, body))
        self.port.to_card.extend(octets[at:at + 4096] for at in range(0, len(octets), 4096))

    def turn(self, ms: int = 1, blocks: int = 0) -> list[Packet]:
        """What the card said meanwhile."""
        self.bus.due += blocks
        for _ in range(ms):
            self.now_ms = (self.now_ms + 1) % WRAP_MS
            self.span.poll(self.now_ms)
            self.clock.poll(self.now_ms)
        self.heard = []
        self.reader.feed(self.port.out)
        self.port.out = b""
        assert self.reader.bad == 0
        return self.heard

    def greet(self, running: bool = True) -> None:
        self.say(wire.HELLO, b"\x01\x01")
        self.turn()
        self.say(wire.RUN, bytes((running,)))
        self.turn()

    def status(self, ms: int = STATUS_MS) -> tuple[int, ...]:
        return wire.read_status(self._body(ms))

    def liu(self) -> tuple[int, int, int, int] | None:
        return wire.read_liu(self._body(STATUS_MS))

    def _body(self, ms: int) -> bytes:
        return [body for kind, _, body in self.turn(ms) if kind == wire.STATUS][-1]


@pytest.mark.parametrize(("lowest", "highest", "version"), [(1, 1, 1), (0, 9, 1), (2, 9, 0), (0, 0, 0)])
def test_the_version_that_both_speak(lowest: int, highest: int, version: int) -> None:
    rig = Rig()
    rig.say(wire.RUN, b"\x01")                    # void before HELLO
    rig.say(wire.HELLO, bytes((lowest, highest)))
    kind, _, body = rig.turn()[0]
    assert (kind, wire.read_hello_answer(body)) == (wire.HELLO_ANSWER, (version, 1, "bench"))
    rig.say(wire.RUN, b"\x01")
    rig.turn()
    assert rig.span.tdm.running is bool(version)
    assert rig.chip.told["ais"] is not bool(version)


def test_orders_are_carried_out_and_named_and_nonsense_is_not() -> None:
    rig = Rig()
    rig.greet()
    for number, body in enumerate((
            b"", b"\x01\x01", b"\x04\0\0", b"\0\x02\0", b"\0\0\x03",
            SET + b"\x02\0\0", SET + b"\0\x02\0", SET + b"\0\0\x02"), 1):
        rig.say(wire.SET, body, number)
    rig.say(wire.SET, SET, 18, span=1)            # of another span
    assert rig.status()[0] == 0
    rig.say(wire.SET, SET + LIU + b"later", 9)
    answers, _, loop, clock, *_ = rig.status()
    assert (answers, loop, clock) == (9, PAYLOAD, wire.CLOCKS.index("own"))
    assert rig.chip.told == {
        "crc4": 1, "own_clock": True, "loop": PAYLOAD, "ais": False, "liu": (AMI, True, 75)}
    rig.say(wire.HELLO, b"\x01\x01")
    rig.turn()
    assert rig.chip.told["loop"] == NONE
    assert rig.chip.told["liu"] == (AMI, True, 75), "AIS goes out at rest, too"


def test_a_host_that_knows_nothing_of_the_line_interface_has_what_it_always_had() -> None:
    rig = Rig()
    rig.greet()
    for number, body in enumerate((SET, SET + b"\x01", SET + b"\x01\x01"), 1):
        rig.say(wire.SET, SET + LIU, 10)
        rig.say(wire.SET, body, number)
        assert rig.status()[0] == number
        assert rig.chip.told["liu"] == (HDB3, False, 120)


def test_the_line_interface_is_told_and_what_is_not_known_is_not_made_up() -> None:
    rig = Rig()
    chip = rig.chip
    chip.restarts, chip.repairs = 3, 4            # of a host before
    rig.greet()
    chip.level_db, chip.sa_bits, chip.repairs = -12, 0b10011, 6
    assert rig.liu() == (-12, 0, 0b10011, 2)
    chip.level_db, chip.alarms, chip.sa_bits = -43, LOS, -1
    assert rig.liu() == (wire.LEVEL_UNKNOWN, 0, wire.SA_UNKNOWN, 2)
    chip.ready = False
    assert rig.liu() == (wire.LEVEL_UNKNOWN, wire.FAULTS_UNKNOWN, wire.SA_UNKNOWN, 2)
    chip.ready = True
    for fault in (OPEN, SHORT, OPEN | SHORT, 0):
        rig.status()
        chip.liu_fault = fault
        [told] = [wire.read_liu(body) for kind, _, body in rig.turn(2) if kind == wire.STATUS]
        assert told and told[1] == fault, "at once"


@pytest.mark.parametrize("now_ms", [0, WRAP_MS - 500, WRAP_MS // 2 - 500, WRAP_MS // 2 + 500])
def test_status_comes_ten_times_a_second_and_on_change(now_ms: int) -> None:
    rig = Rig(now_ms)
    rig.greet()
    rig.status()
    assert len([kind for kind, *_ in rig.turn(1000) if kind == wire.STATUS]) == 10
    rig.chip.crc4 = wire.CRC4.index("on")
    assert [wire.read_status(body)[4] for _, _, body in rig.turn(2)] == [wire.CRC4.index("on")]
    rig.chip.code_violations, rig.chip.fas_errors, rig.chip.crc_errors, rig.chip.e_bits = 1, 2, 3, 4
    rig.bus.missed, rig.chip.slips = 5, 6
    assert rig.status()[5:] == (1, 2, 3, 4, 11)


def test_each_block_goes_on_in_order_and_idle_fills_what_is_late() -> None:
    rig = Rig()
    rig.greet()
    assert [kind for kind, *_ in rig.turn(1, blocks=1)] == [wire.TDM]
    idle = rig.bus.given[-1]
    assert set(idle[80:1280]) == {0xD5}
    assert rig.status()[9] == 0                   # a host that has not begun owes nothing
    for number in range(3):
        rig.say(wire.TDM, block(50 + number), number)
    rig.turn()
    heard = rig.turn(1, blocks=4)
    assert rig.bus.given[-4:] == [block(50), block(51), block(52), idle]
    assert rig.bus.ready[-4:] == [True, True, True, False]
    assert [(sequence, body) for kind, sequence, body in heard if kind == wire.TDM] == [
        (number, block(number + 1)) for number in range(1, 5)]
    assert rig.status()[9] == 1


def test_a_host_that_says_too_much_loses_the_oldest() -> None:
    rig = Rig()
    rig.greet()
    for number in range(STORE_BLOCKS + 3):
        rig.say(wire.TDM, block(number), number)
    rig.turn(5)
    rig.turn(1, blocks=STORE_BLOCKS)
    assert rig.bus.given[-STORE_BLOCKS:] == [block(3 + number) for number in range(STORE_BLOCKS)]
    assert rig.status()[9] == 3


def test_a_host_that_reads_nothing_loses_blocks_and_is_told() -> None:
    rig = Rig()
    rig.greet()
    rig.port.room = 0
    for _ in range(WAITING_PACKETS + 4):
        rig.turn(1, blocks=1)
    rig.port.room = 1 << 20
    sequences = [sequence for kind, sequence, _ in rig.turn(1) if kind == wire.TDM]
    assert sequences == list(range(len(sequences)))
    lost = WAITING_PACKETS + 4 - len(sequences)
    assert lost > 0
    [following] = [sequence for kind, sequence, _ in rig.turn(1, blocks=1) if kind == wire.TDM]
    assert following == WAITING_PACKETS + 4
    assert rig.status()[9] == lost


def test_an_unplugged_host_leaves_the_span_at_rest() -> None:
    rig = Rig()
    rig.greet()
    rig.say(wire.SET, SET, 1)
    rig.say(wire.TDM, block(1), 0)
    rig.turn()
    rig.port.open = False
    assert rig.turn(500, blocks=50) == []
    assert (rig.span.version, rig.span.tdm.running) == (0, False)
    assert (rig.chip.told["ais"], rig.chip.told["loop"]) == (True, NONE)
    rig.port.open = True
    assert rig.turn(500, blocks=50) == []         # not a word to a stranger
    rig.greet()
    assert rig.status()[9] == 0
    assert [kind for kind, *_ in rig.turn(1, blocks=1)] == [wire.TDM]


packets = st.tuples(st.sampled_from([wire.HELLO, wire.SET, wire.RUN, wire.TDM, wire.STATUS, 0x55]),
                    st.integers(0, 2), st.binary(max_size=30) | st.just(block(1)))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.binary(max_size=300) | packets, max_size=12))
def test_whatever_a_host_says_the_card_lives(said: list[bytes | tuple[int, int, bytes]]) -> None:
    rig = Rig()
    rig.greet()
    for each in said:
        if isinstance(each, bytes):
            rig.port.to_card.append(each)
        else:
            rig.say(each[0], each[2], 1, each[1])
        rig.turn(2, blocks=1)
    rig.port.to_card.append(b"\0")
    rig.greet()
    assert wire.TDM in [kind for kind, *_ in rig.turn(1, blocks=1)]
