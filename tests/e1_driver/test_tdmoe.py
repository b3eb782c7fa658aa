"""TDMoE spans over a socket and over a veth pair: alarms, strangers, clocks, interfaces that go."""

import ctypes
import itertools
import os
import re
import select
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from e1_driver import Alarm, LineError
from e1_driver.backends.tdmoe import CATCH_UP_BLOCKS, GAP_S, TdmoeSpan
from e1_driver.backends.tdmoe_ports import AT_ONCE_FRAMES
from e1_driver.backends.tdmoe_wire import FRAMES, LENGTH_OCTETS, Frame, StreamReader, decode, encode
from tests.e1_driver.ends import End, check_carried, run

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
OWN, FAR = bytes.fromhex(A.replace(":", "")), bytes.fromhex(B.replace(":", ""))
CLONE_NEWNET = 0x40000000

Ends = tuple[End, End]


class FarEnd:
    """The other end of a TDMoE socket, frame by frame and in its own time."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.socket.setblocking(False)
        self.frames: list[Frame] = []
        self._reader = StreamReader()
        self._counter = 0

    def send(self, yellow: bool = False, **other: int | bytes) -> None:
        fields = {"destination": OWN, "source": FAR, "subaddress": 5, "counter": self._counter, **other}
        frame = encode(Frame(yellow=yellow, samples=b"\x55" * 248, **fields))      # type: ignore[arg-type]
        self._counter = (self._counter + 1) % 0x10000
        self.raw(frame)

    def raw(self, octets: bytes) -> None:
        self.socket.send(len(octets).to_bytes(4, "big") + octets)

    def hear(self) -> None:
        try:
            octets = self.socket.recv(1 << 20)
        except BlockingIOError:
            return
        self.frames += [decode(frame) for frame in self._reader.feed(octets)]


@pytest.fixture
def near(tmp_path: Path) -> Iterator[End]:
    span = TdmoeSpan(f"unix:{tmp_path}/line.sock/{B}/5?own={A}&listen=yes")
    yield End(span, 0)
    span.close()


@pytest.fixture
def far(near: End, tmp_path: Path) -> Iterator[FarEnd]:
    end = FarEnd(tmp_path / "line.sock")
    yield end
    end.socket.close()


def feed(near: End, far: FarEnd, until: Callable[[], bool], yellow: bool = False) -> None:
    """The far end sends ten frames whenever the near end gave a block."""
    answered = len(near.received)

    def answer() -> bool:
        nonlocal answered
        far.hear()
        for _ in range((len(near.received) - answered) * FRAMES):
            far.send(yellow)
        answered = len(near.received)
        return until()

    run(near, until=answer)


@pytest.mark.parametrize(("rest", "text"), [
    ("eth1", "write tdmoe:INTERFACE/MAC/SUBADDRESS"),
    ("eth1/02:00:00:00:00:01", "write tdmoe:INTERFACE/MAC/SUBADDRESS"),
    ("unix:/02:00:00:00:00:01/0", "write tdmoe:INTERFACE/MAC/SUBADDRESS"),
    ("eth1/02-00-00-00-00-01/0", "MAC '02-00-00-00-00-01': write six octets such as"),
    ("eth1/ff:ff:ff:ff:ff:ff/0", "is a group's address: write one station's"),
    ("eth1/02:00:00:00:00:01/65536", "SUBADDRESS '65536': write 0 to 65535"),
    ("eth1/02:00:00:00:00:01/x", "SUBADDRESS 'x': write 0 to 65535"),
    ("eth1/02:00:00:00:00:01/0?buffer_ms=5", "buffer_ms '5': write 10 to 400"),
    ("eth1/02:00:00:00:00:01/0?own=02:00:00:00:00:02", "own and listen are for unix:PATH only"),
    ("unix:/run/x/02:00:00:00:00:01/0?own=1", "own '1': write six octets"),
    ("unix:/run/x/02:00:00:00:00:01/0?listen=1", "listen is yes or no"),
    ("eth1/02:00:00:00:00:01/0?subaddress=1", "unknown option 'subaddress', one of buffer_ms, own, listen"),
])
def test_url_that_nobody_understands(rest: str, text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)) as caught:
        TdmoeSpan(rest)
    assert f"tdmoe:{rest}" in str(caught.value)


def test_nobody_listens_and_a_path_that_is_taken(tmp_path: Path) -> None:
    with pytest.raises(LineError, match=f"nobody listens at {tmp_path}/x .*: start the far end first"):
        TdmoeSpan(f"unix:{tmp_path}/x/{B}/0")
    (tmp_path / "x").touch()
    with pytest.raises(LineError, match=f"cannot listen at {tmp_path}/x: .*: remove it"):
        TdmoeSpan(f"unix:{tmp_path}/x/{B}/0?listen=yes")
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(tmp_path / "left"))
    TdmoeSpan(f"unix:{tmp_path}/left/{B}/0?listen=yes").close()


def test_silence_is_los_and_our_frames_say_so(near: End, far: FarEnd) -> None:
    assert near.span.status().alarms == {Alarm.LOS}
    run(near, until=lambda: len(near.received) > 3)
    far.hear()
    assert far.frames
    assert all(frame.yellow for frame in far.frames)
    feed(near, far, until=lambda: near.span.status().up and near.span.counters().blocks_in > 10)
    far.frames.clear()
    feed(near, far, until=lambda: len(far.frames) > 100)
    assert not any(frame.yellow for frame in far.frames[-50:])
    run(near, until=lambda: not near.span.status().up)
    assert (near.received[-1][5] == 0xD5).all()


def test_yellow_is_rai_while_it_lasts(near: End, far: FarEnd) -> None:
    feed(near, far, until=lambda: near.span.status().alarms == {Alarm.RAI}, yellow=True)
    assert near.span.status().up
    feed(near, far, until=lambda: not near.span.status().alarms)


def test_strangers_are_counted_and_not_heard(near: End, far: FarEnd) -> None:
    far.send(subaddress=6)
    far.send(source=OWN)
    far.send(destination=FAR)
    far.raw(bytes(60))
    far.raw(b"")
    far.raw(encode(Frame(OWN, FAR, 5, False, 0, bytes(248)))[:-1])
    run(near, until=lambda: near.span.counters().packets_bad == 6)
    assert near.span.counters().packets_in == 0
    assert near.span.status().alarms == {Alarm.LOS}


def test_flood_of_noise_takes_no_frame_and_no_time(near: End, far: FarEnd) -> None:
    noise = Random(5)
    sent = 0
    for _ in range(400):
        try:
            far.raw(noise.randbytes(noise.randrange(300)))
            sent += 1
        except BlockingIOError:
            break
    run(near, until=lambda: near.span.counters().packets_bad == sent)


def test_a_flood_of_empty_frames_is_taken_in_turns(near: End, far: FarEnd) -> None:
    sent = far.socket.send(bytes(LENGTH_OCTETS * 5 * AT_ONCE_FRAMES)) // LENGTH_OCTETS
    assert sent > 2 * AT_ONCE_FRAMES
    counts = [0]
    while counts[-1] < sent:
        run(near, until=lambda: near.span.counters().packets_bad > counts[-1])
        counts.append(near.span.counters().packets_bad)
    assert all(after - before <= AT_ONCE_FRAMES for before, after in itertools.pairwise(counts))


def test_frames_that_come_do_not_hurry_those_that_go(near: End, far: FarEnd) -> None:
    """A DAHDI host answers each frame with one: a peer that did the same would make a storm."""
    feed(near, far, until=lambda: near.span.status().up)
    run(near, until=lambda: len(near.received) > 5)
    out = near.span.counters().blocks_out
    ticks = len(near.received)
    for _ in range(15 * FRAMES):
        far.send()
    run(near, until=lambda: len(near.received) > ticks + 20)
    assert near.span.counters().blocks_out - out == len(near.received) - ticks


def test_frames_leave_one_at_a_time(near: End, far: FarEnd) -> None:
    run(near, until=lambda: len(near.received) > 1)
    far.hear()
    before = len(far.frames)
    now = time.monotonic() + 0.005                # a time that stands still brings no second frame
    for _ in range(5):
        near.span.read(now)
    far.hear()
    assert len(far.frames) <= before + 1
    near.span.read(now + GAP_S / 2)
    far.hear()
    assert len(far.frames) <= before + 1


def test_stall_of_ours_makes_up_for_ten_blocks(near: End, far: FarEnd) -> None:
    run(near, until=lambda: len(near.received) > 3)
    before = len(near.received)
    slips = near.span.counters().slips
    late = time.monotonic() + 1.0
    while near.turn(late):
        pass
    assert len(near.received) - before == CATCH_UP_BLOCKS + 1
    assert near.span.counters().slips - slips >= 85


def test_who_hangs_up_may_connect_again(near: End, far: FarEnd, tmp_path: Path) -> None:
    feed(near, far, until=lambda: near.span.status().up)
    far.raw(b"x")
    far.socket.close()
    run(near, until=lambda: not near.span.status().up)
    again = FarEnd(tmp_path / "line.sock")
    feed(near, again, until=lambda: near.span.status().up)
    again.socket.send(b"\xff" * 100)              # no length: the connection is of no more use
    run(near, until=lambda: not near.span.status().up)
    again.socket.close()


def test_far_end_that_goes_is_called_again(near: End, tmp_path: Path) -> None:
    caller = End(TdmoeSpan(f"unix:{tmp_path}/line.sock/{A}/5?own={B}"), 1)
    run(near, caller, until=lambda: caller.span.status().up and near.span.status().up)
    near.span.close()
    run(caller, until=lambda: caller.span.status().alarms == {Alarm.LOS})
    again = End(TdmoeSpan(f"unix:{tmp_path}/line.sock/{B}/5?own={A}&listen=yes"), 0)
    run(again, caller, until=lambda: caller.span.status().up and again.span.status().up)
    for end in (again, caller):
        end.span.close()


def in_namespace(act: Callable[[], None]) -> None:
    """Run `act` in a network of its own with a veth pair near and far; skipped without the right to do it."""
    raised: list[BaseException] = []

    def enter() -> None:
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
                pytest.skip(f"a network namespace needs root: {os.strerror(ctypes.get_errno())}")
            ip(f"link add near address {A} type veth peer name far address {B}")
            ip("link set near up")
            ip("link set far up")
            act()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], check=True)


def test_veth_pair_carries_everything_and_other_spans_are_not_heard() -> None:
    def act() -> None:
        urls = (f"near/{B}/0", f"far/{A}/0", f"near/{B}/1", f"far/{A}/1")
        ends = [End(TdmoeSpan(f"{url}?buffer_ms=200"), seed) for seed, url in enumerate(urls)]
        run(*ends, until=lambda: all(end.span.counters().blocks_in > 3 for end in ends))
        start = [len(end.sent) for end in ends]
        assert ends[0].span.send_frame(b"\x02\x01\x7f")
        run(*ends, until=lambda: all(len(end.sent) > at + 100 for end, at in zip(ends, start, strict=True)))
        for near, far in ((0, 1), (1, 0), (2, 3), (3, 2)):
            check_carried(ends[near].sent[start[near]:start[near] + 60], ends[far].received)
        assert [end.frames for end in ends] == [[], [b"\x02\x01\x7f"], [], []]
        for end in ends:
            counters = end.span.counters()
            assert (counters.packets_bad, counters.packets_late, counters.packets_lost) == (0, 0, 0)
            end.span.close()
    in_namespace(act)


def test_interface_that_is_switched_off_is_los_and_returns_and_one_taken_away_is_an_error() -> None:
    def act() -> None:
        near, far = End(TdmoeSpan(f"near/{B}/0"), 0), End(TdmoeSpan(f"far/{A}/0"), 1)
        run(near, far, until=lambda: near.span.status().up and far.span.status().up)
        ip("link set near down")
        run(near, far, until=lambda: not near.span.status().up and not far.span.status().up)
        ip("link set near up")
        run(near, far, until=lambda: near.span.status().up and far.span.status().up)
        ip("link delete near")
        for end in (near, far):
            with pytest.raises(LineError, match=r"interface (near|far) is gone: plug its adapter in"):
                run(end, until=lambda: False)
            end.span.close()
    in_namespace(act)


def test_interface_that_is_not_there() -> None:
    def act() -> None:
        with pytest.raises(LineError, match="interface eth9: No such device: `ip link` names those there"):
            TdmoeSpan(f"eth9/{B}/0")
        with pytest.raises(LineError, match="lo is no Ethernet interface"):
            TdmoeSpan(f"lo/{B}/0")
    in_namespace(act)


def test_without_the_right_to_use_an_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("e1_driver.backends.tdmoe_ports.socket.socket", refuse)
    with pytest.raises(LineError, match="no right to use eth1: run as root or give CAP_NET_RAW"):
        TdmoeSpan(f"eth1/{B}/0")


def test_descriptor_wakes_for_each_frame_and_no_oftener(near: End) -> None:
    run(near, until=lambda: len(near.received) > 3)
    poll = select.poll()
    poll.register(near.span.fileno(), select.POLLIN)
    turns = blocks = 0
    while blocks < 20:
        assert poll.poll(1000)
        blocks += near.turn(time.monotonic())
        turns += 1
    assert turns <= 20 * (FRAMES + 2)
