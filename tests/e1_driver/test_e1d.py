"""The osmo-e1d client against a server of the daemon's protocol: refusals, alarms, stalls, lost timeslots."""

import errno
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from e1_driver import BEARERS, BLOCK, IDLE, Alarm, LineError, Loop
from e1_driver.backends.e1d import CATCH_UP_BLOCKS, STEADY_BLOCKS, E1dSpan
from tests.e1_driver.e1d_server import E1dServer
from tests.e1_driver.ends import End, check_carried, run

Ends = tuple[End, End]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[E1dServer]:
    with E1dServer(tmp_path / "e1d.ctl") as serving:
        yield serving


@pytest.fixture
def ends(server: E1dServer) -> Iterator[Ends]:
    spans = [E1dSpan(f"{server.path}?intf={intf}") for intf in (0, 1)]
    yield End(spans[0], 0), End(spans[1], 1)
    for span in spans:
        span.close()


def refusal(rest: str) -> str:
    with pytest.raises(LineError) as caught:
        E1dSpan(rest)
    return str(caught.value)


def test_no_daemon(tmp_path: Path) -> None:
    text = refusal(f"{tmp_path}/absent.ctl?intf=0")
    assert f"no osmo-e1d at {tmp_path}/absent.ctl" in text
    assert "start it" in text


def test_unknown_interface_and_line_are_answered_with_those_there(server: E1dServer) -> None:
    assert "no interface 7, it has 0 (1 lines), 1 (1 lines)" in refusal(f"{server.path}?intf=7")
    assert "has no line 3, it has 0" in refusal(f"{server.path}?intf=1&line=3")


def test_line_in_another_mode(tmp_path: Path) -> None:
    with E1dServer(tmp_path / "e1d.ctl", line_mode=0x21) as server:
        assert "mode 0x21: set channelized" in refusal(str(server.path))


def test_timeslots_of_another_program_are_named_and_nothing_is_kept(server: E1dServer) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as other:
        other.connect(str(server.path))
        kept = []
        for timeslot in (5, 16):
            other.send(bytes.fromhex(f"e1010c00 04 00 00 {timeslot:02x} 10 00 5000"))
            kept += socket.recv_fds(other, 4096, 1)[1]
        assert "timeslots 5, 16 are open in another program" in refusal(str(server.path))
        for descriptor in kept:
            socket.socket(fileno=descriptor).close()
        E1dSpan(str(server.path)).close()         # within the time that the daemon needs to free them


@pytest.mark.parametrize("rest", ["{}?intf=first", "{}?interface=0"])
def test_url_that_nobody_understands(rest: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(str(tmp_path))):
        E1dSpan(rest.format(tmp_path))


def test_alarms_are_the_daemons_events(server: E1dServer, ends: Ends) -> None:
    a, b = ends
    run(a, b, until=lambda: len(a.received) > 1)
    for on, alarm in ((0x40, Alarm.LOS), (0x42, Alarm.AIS), (0x44, Alarm.RAI), (0x46, Alarm.LOF)):
        server.event(on, intf=0)
        server.event(0x7F, intf=0)
        run(a, b, until=lambda: bool(a.span.status().alarms))
        assert a.span.status().alarms == {alarm}
        assert not b.span.status().alarms
        assert a.span.status().up == (alarm is Alarm.RAI)
        server.event(on + 1, intf=0)
        run(a, b, until=lambda: not a.span.status().alarms)


def test_what_the_daemon_cannot_tell_is_not_among_the_abilities(ends: Ends) -> None:
    abilities = ends[0].span.abilities
    assert abilities.alarms == {Alarm.LOS, Alarm.LOF, Alarm.AIS, Alarm.RAI}
    assert {"slips", "frames_in", "runts", "giants"} <= abilities.counters
    assert not abilities.counters & {"fcs_errors", "aborts", "crc_errors", "e_bits", "fas_errors"}
    assert not abilities.whole_line


def test_local_loop_brings_back_blocks_and_frames_and_the_line_is_idle(ends: Ends) -> None:
    a, b = ends
    run(a, b, until=lambda: all(len(end.received) > 5 for end in ends))
    a.span.loop(Loop.LOCAL)
    start = len(a.sent)
    assert a.span.send_frame(b"\x02\x01\x7f")
    assert b.span.send_frame(b"\x00\x01\x7f")
    run(a, b, until=lambda: len(a.sent) > start + 30 and bool(a.frames))
    assert a.span.status().loop is Loop.LOCAL
    check_carried(a.sent[start:start + 20], a.received)
    assert a.frames == [b"\x02\x01\x7f"]
    assert not b.frames
    assert (b.received[-1][list(BEARERS)] == IDLE).all()
    a.span.loop(Loop.NONE)
    start = len(b.sent)
    run(a, b, until=lambda: len(b.sent) > start + 30)
    check_carried(b.sent[start:start + 20], a.received, BLOCK)


def test_payload_loop_sends_blocks_and_frames_back(ends: Ends) -> None:
    a, b = ends
    run(a, b, until=lambda: all(len(end.received) > 5 for end in ends))
    a.span.loop(Loop.PAYLOAD)
    start = len(b.sent) + 5
    assert not a.span.send_frame(b"\x00\x01\x7f")
    assert b.span.send_frame(b"\x02\x01\x7f")
    run(a, b, until=lambda: len(b.sent) > start + 40 and bool(b.frames))
    check_carried(b.sent[start:start + 20], b.received, 2 * BLOCK)
    assert b.frames == [b"\x02\x01\x7f"]


def test_line_loop_is_not_to_be_had(ends: Ends) -> None:
    with pytest.raises(ValueError, match=r"cannot switch it, it can: local, payload"):
        ends[0].span.loop(Loop.LINE)


def test_263_octets_are_not_taken(ends: Ends) -> None:
    a, _ = ends
    assert not a.span.send_frame(bytes(263))
    assert a.span.counters().giants == 1


def test_stall_keeps_the_delay_and_delivers_ten_blocks_at_most(server: E1dServer, ends: Ends) -> None:
    a, b = ends
    run(a, b, until=lambda: len(a.received) > 10 and len(b.received) > 10)
    blocks = len(b.received)
    server.patient = False
    run(b, until=lambda: len(b.received) > blocks + 40)               # a stands still for 400 ms
    with server.lock:                             # the clock stands while we look
        before = len(a.received)
        while a.turn(time.monotonic()):
            pass
        assert len(a.received) - before == CATCH_UP_BLOCKS
    assert a.span.counters().slips >= 30 + CATCH_UP_BLOCKS - STEADY_BLOCKS
    server.patient = True
    slips = a.span.counters().slips
    start = len(a.sent)
    run(a, b, until=lambda: len(a.sent) > start + 40)
    assert a.span.counters().slips <= slips + STEADY_BLOCKS
    check_carried(a.sent[start + STEADY_BLOCKS:start + 30], b.received, BLOCK)


def test_bearer_that_stops_is_silence_and_the_others_go_on(server: E1dServer, ends: Ends) -> None:
    a, b = ends
    run(a, b, until=lambda: all(len(end.received) > 5 for end in ends))
    server.patient = False
    server.silent.add(7)
    run(a, b, until=lambda: all((end.received[-1][7] == IDLE).all() for end in ends))
    server.patient = True
    start = len(b.sent) + 10                      # after what was left out for waiting
    run(a, b, until=lambda: len(b.sent) > start + 40)
    for timeslot in (6, 8):
        line = b"".join(block[timeslot] for block in a.received)
        assert b"".join(block[timeslot] for block in b.sent[start:start + 25]) in line
    server.silent.clear()
    run(a, b, until=lambda: not (a.received[-1][7] == IDLE).any())


def test_daemon_that_stands_still_is_los(server: E1dServer, ends: Ends) -> None:
    a, b = ends
    run(a, b, until=lambda: len(a.received) > 1)
    with server.lock:
        run(a, until=lambda: a.span.status().alarms == {Alarm.LOS})   # its descriptor wakes us for it
    run(a, b, until=lambda: not a.span.status().alarms)


def test_timeslot_taken_by_another_program(server: E1dServer, ends: Ends) -> None:
    a, b = ends
    run(a, b, until=lambda: len(a.received) > 1)
    server.hand_over(0, 9)
    with pytest.raises(LineError, match="closed timeslot 9: another program took it"):
        run(a, b, until=lambda: False)


def test_daemon_that_goes_while_open(tmp_path: Path) -> None:
    with E1dServer(tmp_path / "e1d.ctl") as server:
        a = End(E1dSpan(str(server.path)), 0)
        run(a, until=lambda: len(a.received) > 1)
    with pytest.raises(LineError, match="osmo-e1d has gone: start it again"):
        run(a, until=lambda: False)
    assert not a.span.send_frame(b"\x02\x01\x7f")
    a.span.close()


def test_a_control_socket_that_fails_otherwise_is_an_error_of_the_line(
        server: E1dServer, ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(socket.socket):
        def recv(self, *_: object) -> bytes:
            raise OSError(errno.ENOBUFS, "No buffer space available")

    span = ends[0].span
    assert isinstance(span, E1dSpan)
    with Broken(socket.AF_UNIX) as broken, monkeypatch.context() as patched:
        patched.setattr(span, "_control", broken)
        with pytest.raises(LineError, match="control socket of osmo-e1d is of no more use: No buffer space"):
            span._drain_control()


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(str(tmp_path / "e1d.ctl"))
        listening.listen()
        yield listening


def test_daemon_that_does_not_answer(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("e1_driver.backends.e1d.ANSWER_S", 0.05)
    assert "does not answer within 0.05 s: is it stopped?" in refusal(listener.getsockname())


@pytest.mark.parametrize(("answer", "text"), [
    (b"nonsense", "magic 0x6f6e"),
    (bytes.fromhex("e1010800c1ffffff"), "answers INTF_QUERY with error 0xc1"),
    (b"", "hung up on INTF_QUERY"),
])
def test_daemon_that_answers_nonsense(listener: socket.socket, answer: bytes, text: str) -> None:
    def serve() -> None:
        with listener.accept()[0] as connection:
            connection.recv(100)
            connection.send(answer)

    peer = threading.Thread(target=serve)
    peer.start()
    assert text in refusal(listener.getsockname())
    peer.join()
