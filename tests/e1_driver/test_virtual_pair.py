"""A line inside one process: paced by the caller, the same framing, faults and loops."""

import select
import time

import numpy as np
import pytest

from e1_driver import BEARERS, BLOCK, IDLE, Alarm, Block, Loop
from e1_driver.backends import virtual
from e1_driver.backends.virtual_pair import WAITING_BLOCKS
from e1_driver.soft import idle_block
from tests.e1_driver.ends import End

FRAMED = "framing=g704"
SETTLED_BLOCKS = 10
CRC4_BIT_1 = 0x80


class Ends:
    def __init__(self, options_a: str = "", options_b: str = "") -> None:
        self.line = virtual.pair(options_a, options_b)
        self.a, self.b = End(self.line.a, 0), End(self.line.b, 1)

    def step(self, blocks: int = SETTLED_BLOCKS) -> None:
        for _ in range(blocks):
            self.line.step()
            assert [end.turn(0.0) for end in (self.a, self.b)] == [True, True]

    def alarms(self) -> tuple[set[Alarm], set[Alarm]]:
        return set(self.line.a.status().alarms), set(self.line.b.status().alarms)


def bearers(blocks: list[Block]) -> bytes:
    return np.array(blocks)[:, BEARERS].tobytes()


def test_nothing_happens_but_by_step() -> None:
    ends, poll = Ends(), select.poll()
    poll.register(ends.line.b.fileno(), select.POLLIN)
    assert ends.line.b.read(0.0) is None
    assert not poll.poll(0)
    ends.line.step(3)
    assert poll.poll(0)
    assert [ends.line.b.read(0.0) is not None for _ in range(4)] == [True, True, True, False]
    assert not poll.poll(0)


def test_several_blocks_at_once_arrive_in_order() -> None:
    ends = Ends()
    for _ in range(20):
        ends.line.step(5)
        for end in (ends.a, ends.b):
            while end.turn(0.0):
                pass
    assert bearers(ends.a.sent[:95]) == bearers(ends.b.received[5:])
    assert bearers(ends.b.sent[:95]) == bearers(ends.a.received[5:])


@pytest.mark.parametrize("options", ["", FRAMED])
def test_an_end_that_does_not_write_is_los_at_the_other(options: str) -> None:
    ends = Ends(options, options)
    assert ends.alarms() == ({Alarm.LOS}, {Alarm.LOS})
    ends.step()
    assert ends.alarms() == (set(), set())
    ends.line.step()
    ends.line.a.read(0.0)                         # and no write
    ends.b.turn(0.0)
    ends.line.step()
    ends.b.turn(0.0)
    assert ends.alarms()[1] == {Alarm.LOS}
    assert (ends.b.received[-1][BEARERS, -40:] == IDLE).all()
    ends.step()
    assert ends.alarms() == (set(), set())


def test_what_waits_is_bounded_and_counted() -> None:
    line = virtual.pair()
    for _ in range(WAITING_BLOCKS + 5):
        line.a.write(idle_block())
    assert line.a.counters().slips == 5
    line.step(WAITING_BLOCKS + 7)
    assert line.b.counters().slips == 7
    read = 0
    while line.b.read(0.0) is not None:
        read += 1
    assert read == WAITING_BLOCKS


@pytest.mark.parametrize(("fault", "there", "back"), [
    ("los", Alarm.LOS, set()), ("ais", Alarm.AIS, {Alarm.RAI}), ("rai", Alarm.RAI, set()),
])
def test_alarms_of_an_unframed_line_by_url_and_live(fault: str, there: Alarm, back: set[Alarm]) -> None:
    ends = Ends(f"{fault}=on")
    ends.step()
    assert ends.alarms() == (back, {there})
    setattr(ends.line.a.faults, fault, False)
    ends.step()
    assert ends.alarms() == (set(), set())
    assert {Alarm.LOS, Alarm.AIS, Alarm.RAI} == ends.line.a.abilities.alarms


def test_ais_of_an_unframed_line_survives_bit_errors_and_bit_errors_make_no_alarm() -> None:
    ends = Ends("ais=on&ber=0.001")
    for _ in range(100):
        ends.step(1)
        assert len(ends.b.received) < 3 or ends.alarms()[1] == {Alarm.AIS}
    ends.line.a.faults.ais = False
    ends.step(2)
    for _ in range(100):
        ends.step(1)
        assert ends.alarms()[1] == set()


def test_a_framed_and_an_unframed_end_understand_each_other() -> None:
    ends = Ends(FRAMED, "")
    ends.step(100)
    assert ends.alarms() == (set(), set())
    assert bearers(ends.a.sent[10:50]) == bearers(ends.b.received[11:51])
    assert bearers(ends.b.sent[10:50]) == bearers(ends.a.received[11:51])
    assert ends.line.a.status().crc4 is False
    ends.line.a.faults.ais = True
    ends.step()
    assert ends.alarms() == ({Alarm.RAI}, {Alarm.AIS})


def test_a_slipped_frame_moves_an_unframed_line_by_a_frame_and_is_no_alarm() -> None:
    ends = Ends()
    ends.step()
    ends.line.a.faults.slip()
    ends.step()
    assert ends.alarms() == (set(), set())
    assert ends.line.a.counters().slips == 1
    sent, received = (b"".join(block[1] for block in blocks) for blocks in (ends.a.sent, ends.b.received))
    assert sent[15 * BLOCK:17 * BLOCK] == received[16 * BLOCK + 1:18 * BLOCK + 1]


@pytest.mark.parametrize(("loop", "as_it_came"), [(Loop.LINE, True), (Loop.PAYLOAD, False)])
def test_line_loop_brings_timeslot_0_back_as_it_came_and_payload_loop_makes_it_anew(
        loop: Loop, as_it_came: bool) -> None:
    ends = Ends(FRAMED, f"{FRAMED}&crc4=off")
    ends.line.b.loop(loop)
    ends.step(30)
    row = ends.a.received[-1][0]
    assert ends.line.a.abilities.whole_line
    assert bool((row & CRC4_BIT_1 == 0).any()) is as_it_came              # without CRC-4 all are ones
    assert bearers(ends.a.sent[10:20]) == bearers(ends.a.received[12:22])
    ends.line.b.loop(Loop.NONE)
    ends.step(30)
    assert ends.alarms() == (set(), set())
    assert bearers(ends.b.sent[40:50]) == bearers(ends.a.received[41:51])


def test_a_line_loop_that_is_read_and_not_written_is_bounded() -> None:
    ends = Ends(FRAMED, FRAMED)
    ends.line.b.loop(Loop.LINE)
    ends.step()
    before = ends.line.b.counters().slips
    ends.line.step(50)
    while ends.line.b.read(0.0) is not None:
        pass
    assert ends.line.b.counters().slips - before == 50 - 20


def test_a_closed_end_leaves_silence_and_a_line_closes_twice() -> None:
    ends = Ends()
    ends.step()
    ends.line.a.close()
    ends.line.step(3)
    while ends.b.turn(0.0):
        pass
    assert ends.alarms()[1] == {Alarm.LOS}
    ends.line.close()
    ends.line.close()


def test_sa_bits_are_told_while_there_are_frames() -> None:
    ends = Ends(f"{FRAMED}&sa=4", FRAMED)
    ends.step(5)
    assert [end.status().sa_bits for end in (ends.line.a, ends.line.b)] == [31, 4]
    ends.line.a.faults.lof = True                 # live, and with bits that look most like the word inverted
    ends.step(5)
    assert ends.alarms()[1] == {Alarm.LOF}
    assert ends.line.b.status().sa_bits is None


@pytest.mark.parametrize(("options", "said"), [
    ("clock=own", "unknown option 'clock'"), ("ppm=3", "unknown option 'ppm'"),
    ("framing=x", "framing=x: write one of blocks, g704"), ("crc4=on", "crc4=on: needs framing=g704"),
    ("lof=on", "lof=on: needs framing=g704"), ("sa=4", "sa=4: needs framing=g704"),
    (f"{FRAMED}&sa=32", "sa=32: write a whole number, 0 to 31"),
    (f"{FRAMED}&lof=1", "lof=1: write one of on, off"),
])
def test_options_of_time_and_wrong_ones_are_refused(options: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"virtual pair, end b.{options}: {said}"):
        virtual.pair("", options)


def test_many_times_faster_than_life() -> None:
    ends = Ends()
    block, blocks = idle_block(), 1000
    took_s = []
    for _ in range(3):
        began = time.process_time()
        for _ in range(blocks):
            ends.line.step()
            for span in (ends.line.a, ends.line.b):
                span.read(0.0)
                span.write(block)
        took_s.append(time.process_time() - began)
    assert min(took_s) < blocks * 0.01 / 20       # what it really is says make bench
