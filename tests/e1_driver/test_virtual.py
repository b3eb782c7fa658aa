"""The virtual line: bit-exact, faults on demand, and every way in which an end comes and goes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from e1_driver import BEARERS, BLOCK, D_TIMESLOT, IDLE, TIMESLOTS, Alarm, LineError, Loop
from e1_driver.backends.virtual import VirtualSpan
from tests.e1_driver.ends import End, check_carried, run

ROOT = Path(__file__).parents[2]
BLOCK_S = 0.01

Open = Callable[[str], End]
Spawn = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def line(tmp_path: Path) -> Path:
    return tmp_path / "line.sock"


@pytest.fixture
def opened(line: Path) -> Iterator[Open]:
    """Open an end of the line: `opened("a?clock=step")`."""
    with ExitStack() as stack:
        def open_end(end: str) -> End:
            span = VirtualSpan(f"{line}/{end}")
            stack.callback(span.close)
            return End(span, seed=ord(end[0]))
        yield open_end


def step(a: End, b: End, blocks: int) -> None:
    """Carry `blocks` each way; a's clock is stepped."""
    for _ in range(blocks):
        while not a.turn(0.0):
            pass
        while not b.turn(0.0):
            pass


def virtual(end: End) -> VirtualSpan:
    assert isinstance(end.span, VirtualSpan)
    return end.span


def is_los(end: End) -> bool:
    return end.span.status().alarms == {Alarm.LOS}


def test_two_thousand_blocks_bit_for_bit(opened: Open) -> None:
    a, b = opened("a?clock=step"), opened("b")
    step(a, b, 2000)
    assert (a.received[0][BEARERS, :] == IDLE).all()                  # nobody had sent yet
    for sent, received in ((a.sent, b.received), (b.sent[:-1], a.received[1:])):
        assert len(sent) == len(received)
        assert (np.array(sent)[:, BEARERS] == np.array(received)[:, BEARERS]).all()
    assert (b.received[0][0, :4] == (0x9B, 0xDF, 0x9B, 0xDF)).all()
    for end in (a, b):
        counters = end.span.counters()
        assert (counters.blocks_out, counters.slips) == (2000, 0)


def test_saturated_d_channel_loses_no_frame(opened: Open) -> None:
    a, b = opened("a?clock=step"), opened("b")
    step(a, b, 1)
    sent: list[bytes] = []
    for number in range(300):                     # 3 s of line at 64 kbit/s
        while a.span.send_frame(frame := number.to_bytes(2, "big") * 20):
            sent.append(frame)
        step(a, b, 1)
    step(a, b, 120)
    assert b.frames == sent
    assert len(sent) * 45 > 300 * BLOCK           # octets of the line that the frames need at least


@pytest.mark.parametrize("faulty", ["a", "b"])
def test_d_loss_fails_the_fcs_of_a_share_of_frames_both_ways(opened: Open, faulty: str) -> None:
    options = {faulty: "&d_loss=0.2&seed=5"}
    a, b = opened("a?clock=step" + options.get("a", "")), opened("b?" + options.get("b", "")[1:])
    sent = [number.to_bytes(2, "big") * 10 for number in range(400)]
    for at in range(0, 400, 10):
        for frame in sent[at:at + 10]:
            assert a.span.send_frame(frame)
            assert b.span.send_frame(frame)
        step(a, b, 4)
    step(a, b, 5)
    for end in (a, b):
        lost = len(sent) - len(end.frames)
        assert 40 < lost < 120
        assert end.span.counters().fcs_errors == lost
        assert end.frames == [frame for frame in sent if frame in set(end.frames)]


def test_d_cut_is_all_ones_both_ways_and_bearers_go_on(opened: Open) -> None:
    a, b = opened("a?clock=step"), opened("b")
    step(a, b, 2)
    virtual(a).faults.d_cut = True
    for end in (a, b):
        end.span.send_frame(b"lost")
    step(a, b, 10)
    assert (b.received[-1][D_TIMESLOT] == 0xFF).all()
    assert (a.received[-1][D_TIMESLOT] == 0xFF).all()
    virtual(a).faults.d_cut = False
    step(a, b, 1)                                 # a flag goes first
    for end in (a, b):
        end.span.send_frame(b"carried")
    step(a, b, 10)
    assert (a.frames, b.frames) == ([b"carried"], [b"carried"])
    check_carried(a.sent, b.received)


def test_late_answer_stops_the_clock_and_loses_nothing(opened: Open) -> None:
    a, b, now = opened("a"), opened("b"), 1000.0
    turns = 0
    for _ in range(200):
        now += BLOCK_S
        while a.turn(now):
            turns += 1
            if len(a.sent) % 20:                  # else b is late for this one
                b.turn(now)
        if not len(a.sent) % 20:
            now += 0.06
            assert not a.turn(now)
            assert not is_los(a) or len(a.sent) < 2
            b.turn(now)
    check_carried(a.sent[1:-1], b.received)
    check_carried(b.sent[:-1], a.received)
    assert a.span.counters().slips == 0
    assert turns > 200                            # it made up for the time lost


def test_los_after_200_ms_of_silence_and_back(opened: Open) -> None:
    a, b, now = opened("a"), opened("b"), 1000.0
    for _ in range(5):
        now += BLOCK_S
        a.turn(now)
        b.turn(now)
    assert not is_los(a)
    assert not is_los(b)
    a.turn(now := now + BLOCK_S)                  # its block is the last that b should answer
    sent_at, blocks = now, len(a.received)
    assert not a.turn(sent_at + 0.199)
    assert not is_los(a)
    assert a.turn(sent_at + 0.201)
    assert is_los(a)
    now = sent_at + 0.201
    assert (a.received[-1][BEARERS, :] == IDLE).all()
    for _ in range(50):                           # on its own clock
        a.turn(now := now + BLOCK_S)
    assert 50 <= len(a.received) - blocks <= 52
    heard = len(b.received)
    while b.turn(now):                            # b wakes up: it has one block to catch up with
        pass
    assert len(b.received) - heard == 1
    a.turn(now := now + BLOCK_S)
    assert not is_los(a)
    b.turn(now)
    assert not is_los(b)


def test_b_sees_a_silent_a_and_one_that_goes(opened: Open) -> None:
    a, b, now = opened("a"), opened("b"), time.monotonic()
    for _ in range(5):
        a.turn(now := now + BLOCK_S)
        b.turn(now)
    assert not b.turn(now + 0.199)
    assert not is_los(b)
    assert not b.turn(now + 0.201)
    assert is_los(b)
    a.span.close()
    assert not b.turn(now + 0.3)
    a = opened("a")
    assert not b.turn(now + 0.4)                  # tries every 0.25 s
    assert is_los(b)
    now += 0.6
    assert not b.turn(now)
    a.turn(now)
    assert b.turn(now)
    assert not is_los(b)


def test_stall_of_the_clock_is_made_up_for_by_ten_blocks_at_most(opened: Open) -> None:
    a, now = opened("a"), 1000.0
    a.turn(now)
    for _ in range(3):
        now += BLOCK_S
        assert a.turn(now)
    blocks = len(a.received)
    now += 0.055                                  # five instants have passed: all are made up for
    while a.turn(now):
        pass
    assert len(a.received) - blocks == 5
    assert a.span.counters().slips == 0
    blocks, now = len(a.received), now + 5.0
    while a.turn(now):
        pass
    assert 1 <= len(a.received) - blocks <= 11
    assert 485 <= a.span.counters().slips <= 500


def test_los_fault_silences_this_end_and_comes_back(opened: Open) -> None:
    a, b = opened("a"), opened("b")
    for faulty in (a, b):
        run(a, b, until=lambda: not is_los(a) and not is_los(b))
        virtual(faulty).faults.los = True
        run(a, b, until=lambda: is_los(a) and is_los(b))
        virtual(faulty).faults.los = False
    run(a, b, until=lambda: not is_los(a) and not is_los(b))


def test_los_fault_of_a_framed_line_is_one_way_and_the_other_end_says_so(opened: Open) -> None:
    a, b = opened("a?framing=g704"), opened("b?framing=g704")

    def alarms() -> list[set[Alarm]]:
        return [set(end.span.status().alarms) for end in (a, b)]

    run(a, b, until=lambda: alarms() == [set(), set()])
    virtual(a).faults.los = True
    run(a, b, until=lambda: alarms() == [{Alarm.RAI}, {Alarm.LOS}])
    virtual(a).faults.los, virtual(b).faults.los = False, True
    run(a, b, until=lambda: alarms() == [{Alarm.LOS}, {Alarm.RAI}])
    virtual(b).faults.los = False
    run(a, b, until=lambda: alarms() == [set(), set()])


@pytest.mark.parametrize("end", ["a", "b"])
@pytest.mark.parametrize("framing", ["blocks", "g704"])
def test_a_local_loop_needs_no_far_end(opened: Open, end: str, framing: str) -> None:
    alone = opened(f"{end}?framing={framing}")
    alone.span.loop(Loop.LOCAL)
    run(alone, until=lambda: len(alone.received) > 20)
    assert alone.span.send_frame(b"to ourselves")
    run(alone, until=lambda: alone.frames == [b"to ourselves"])
    check_carried(alone.sent[5:15], alone.received)
    assert is_los(alone)


def test_clock_of_end_a_is_off_by_its_ppm_and_a_change_of_it_moves_no_tick(opened: Open) -> None:
    a, now = opened("a?ppm=1000"), 1000.0

    def blocks_of(seconds: int) -> int:
        nonlocal now
        before = len(a.received)
        for _ in range(100 * seconds):
            now += BLOCK_S
            while a.turn(now):
                pass
        return len(a.received) - before

    assert 2000 <= blocks_of(20) <= 2003
    virtual(a).faults.ppm = -1000.0
    assert 1997 <= blocks_of(20) <= 1999
    virtual(a).faults.ppm = 0.0
    assert 1999 <= blocks_of(20) <= 2001
    assert a.span.counters().slips == 0


def test_block_written_twice_is_a_slip(opened: Open) -> None:
    a, b = opened("a?clock=step"), opened("b")
    step(a, b, 3)
    assert a.turn(0.0)
    a.span.write(a.sent[0])
    assert b.turn(0.0)
    b.span.write(b.sent[0])
    step(a, b, 3)
    check_carried(a.sent, b.received)
    assert [end.span.counters().slips for end in (a, b)] == [1, 1]


@pytest.fixture
def spawned(line: Path) -> Iterator[Spawn]:
    """Run an end in another process that echoes: `spawned("b")`."""
    with ExitStack() as stack:
        def spawn(end: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "tests.e1_driver.echo_end", f"virtual:{line}/{end}"]
            process = stack.enter_context(subprocess.Popen(command, cwd=ROOT))
            stack.callback(process.kill)
            return process
        yield spawn


def echoes(end: End, frame: bytes) -> Callable[[], bool]:
    """Whether `frame`, sent again and again, comes back."""
    def done() -> bool:
        end.span.send_frame(frame)
        return frame in end.frames

    return done


@pytest.mark.parametrize(("near", "far"), ["ab", "ba"])
def test_other_process_killed_stopped_and_back(opened: Open, spawned: Spawn, near: str, far: str) -> None:
    process = spawned(far)
    end = opened(near)
    run(end, until=echoes(end, b"first"))
    start = len(end.sent)
    run(end, until=lambda: len(end.sent) > start + 60)
    check_carried(end.sent[start:start + 50], end.received)

    process.send_signal(signal.SIGSTOP)
    run(end, until=lambda: is_los(end))
    process.send_signal(signal.SIGCONT)
    run(end, until=echoes(end, b"continued"))

    process.kill()
    run(end, until=lambda: is_los(end))
    process.wait()
    spawned(far)
    run(end, until=echoes(end, b"restarted"))


def test_second_a_is_refused_and_a_stale_socket_replaced(opened: Open, line: Path) -> None:
    opened("a")
    with pytest.raises(LineError, match=f"another end a listens at {line}"):
        opened("a")
    opened("b")                                   # the first is as it was
    stale = line.with_name("stale.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(stale))
    VirtualSpan(f"{stale}/a").close()
    assert not stale.exists()


def test_folder_is_made_and_a_file_in_the_way_is_kept(tmp_path: Path) -> None:
    VirtualSpan(f"{tmp_path}/new/folder/line/a").close()
    file = tmp_path / "file"
    file.write_text("precious")
    with pytest.raises(LineError, match=f"{file} is there and is no socket"):
        VirtualSpan(f"{file}/a")
    assert file.read_text() == "precious"
    with pytest.raises(LineError, match=f"cannot listen at {file}/line"):
        VirtualSpan(f"{file}/line/a")


def test_path_longer_than_a_socket_address(tmp_path: Path) -> None:
    with pytest.raises(LineError, match="at most 107 octets"):
        VirtualSpan(f"{tmp_path}/{'x' * 108}/b")


@pytest.mark.parametrize("rest", [
    "line", "line/c", "/a", "line/a?clock=fast", "line/a?speed=2", "line/b?d_loss=much", "line/b?d_loss=5",
    "line/a?framing=e1", "line/a?crc4=on", "line/a?framing=g704&crc4=yes", "line/b?ppm=5",
    "line/a?clock=step&ppm=5", "line/a?los=1",
])
def test_url_that_nobody_understands(rest: str) -> None:
    with pytest.raises(ValueError, match=f"virtual:{rest.replace('?', '.')}"):
        VirtualSpan(rest)


@pytest.mark.parametrize("junk", [b"x", b"E1v2", os.urandom(8 + TIMESLOTS * BLOCK), bytes(9000)])
def test_who_speaks_otherwise_is_counted_and_let_go(opened: Open, line: Path, junk: bytes) -> None:
    a = opened("a")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger:
        stranger.connect(str(line))
        stranger.send(junk)
        run(a, until=lambda: a.span.counters().slips == 1)
        stranger.settimeout(10)
        with pytest.raises(OSError):
            while True:
                stranger.send(junk)
        assert is_los(a)
    b = opened("b")
    run(a, b, until=lambda: not is_los(a) and not is_los(b))


@pytest.mark.parametrize("clock", ["own", "step"])
def test_who_says_nothing_gives_its_place_to_b(opened: Open, line: Path, clock: str) -> None:
    a = opened(f"a?clock={clock}")
    with ExitStack() as strangers:
        for _ in range(3):                        # as many as fit, with b behind them
            strangers.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)).connect(str(line))
            a.turn(time.monotonic())
        b = opened("b")
        run(a, b, until=lambda: not is_los(a) and not is_los(b) and len(b.received) > 30)
        late = strangers.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        late.connect(str(line))                   # who answers keeps the place
        blocks = len(b.received)
        run(a, b, until=lambda: len(b.received) > blocks + 60)
        assert not is_los(a)


def test_a_flood_delays_no_read(opened: Open, line: Path) -> None:
    """Of what comes one packet is looked at in a turn: who reads serves other spans, too."""
    a, unasked = opened("a"), b"E1v2" + bytes(4) + b"\xff" * 4 + bytes(TIMESLOTS * BLOCK)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger:
        stranger.connect(str(line))
        stranger.setblocking(False)
        a.turn(time.monotonic())
        with pytest.raises(BlockingIOError):
            while True:
                stranger.send(unasked)
        for slips in range(1, 4):
            a.turn(time.monotonic())
            assert a.span.counters().slips == slips
