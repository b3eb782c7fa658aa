"""RESTART of our channels: the cold start's, one at a time, and through every new set-up of the data link."""
import logging

import pytest

from appliance.isdn.call.states import Timers
from appliance.isdn.dss1 import BEARERS, Signalling
from appliance.isdn.elements import Cause, ChannelId, RestartIndicator
from appliance.isdn.events import By, ChannelState, Released
from appliance.isdn.lapd import Frame, FrameKind, Side, decode, encode
from appliance.isdn.q931 import Message, MessageType
from appliance.isdn.q931 import decode as decode_message
from tests.isdn.line import CALLED, Bench

M = MessageType
INTERFACE = RestartIndicator(RestartIndicator.INTERFACE)


def restarts(messages: list[Message]) -> list[int]:
    """Their timeslots; 0 is the interface."""
    assert {message.type for message in messages} <= {M.RESTART}
    return [channel.timeslot or 0 if (channel := message.first(ChannelId)) else 0 for message in messages]


def acknowledge(bench: Bench, *timeslot: int) -> list[Message]:
    elements = [ChannelId(one) for one in timeslot]
    return bench.send(M.RESTART_ACKNOWLEDGE, *elements, RestartIndicator(), call_ref=0, to_originator=True)


@pytest.mark.need(1)
def test_the_restart_of_a_cold_start_outlives_sabmes_that_cross() -> None:
    """Seen with libpri: it answers our SABME while its own has no answer, then drops what we send."""
    ours = Signalling(Side.USER, str)
    ours.line_up(True, 0.0)

    def hear(kind: FrameKind, command: bool) -> list[Frame]:
        ours.receive_frame(encode(Frame(kind, command, True), Side.NETWORK), 0.0)
        return [decode(octets, Side.USER) for octets in ours.take_frames()]

    ours.take_frames()
    [first] = hear(FrameKind.UA, False)
    ua, second = hear(FrameKind.SABME, True)
    assert (ua.kind, second.ns, second.info) == (FrameKind.UA, 0, first.info)
    restart = decode_message(second.info)
    assert (restart.type, restart.first(RestartIndicator)) == (M.RESTART, INTERFACE)


@pytest.mark.parametrize("side", list(Side))
def test_a_cold_start_takes_and_places_no_call_until_the_interface_is_restarted(side: Side) -> None:
    bench = Bench(side, cold=True)
    assert restarts(bench.hear()) == [0]
    bench.ours.setup("out", CALLED, bench.now)
    assert bench.events(Released) == [Released("out", 34, By.LINE)]
    [refused] = bench.offer()
    cause = refused.first(Cause)
    assert (refused.type, cause.value if cause else 0) == (M.RELEASE_COMPLETE, 44)
    bench.reset_link()
    assert restarts(bench.hear()) == [0]          # its answer may be lost, too
    bench.send(M.RESTART_ACKNOWLEDGE, INTERFACE, call_ref=0, to_originator=True)
    assert bench.ours.channels.idle() == len(BEARERS)
    bench.reset_link()
    assert bench.hear() == []
    assert bench.offer()[0].type is M.CALL_PROCEEDING


@pytest.mark.need(1)
def test_an_exchange_that_knows_no_restart_of_an_interface_is_waited_for_10_s(
        caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(Side.USER, cold=True, name="telco1")
    assert restarts(bench.run(9.9)) == [0]
    assert bench.ours.channels.idle() == 0
    assert bench.run(200.0) == []
    assert bench.ours.channels.idle() == len(BEARERS)
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "telco1: no answer to RESTART of the interface in 10 s: its channels are used even so"]


def test_one_restart_at_a_time_waits_for_its_answer() -> None:
    bench = Bench(Side.USER, timers=Timers(t316_s=10.0, n316=1))
    for timeslot in (1, 2, 3):
        bench.ours.restart(timeslot, bench.now)
    assert restarts(bench.hear()) == [1]
    assert restarts(acknowledge(bench, 1)) == [2]
    assert restarts(bench.run(10.1)) == [3]       # T316: 2 has to wait for its next turn
    assert bench.ours.channels[2].state is ChannelState.OUT_OF_SERVICE
    assert restarts(acknowledge(bench)) == [2]    # an answer without its channel is the one we wait for
    assert bench.ours.channels.is_idle(3)
    assert acknowledge(bench, 2) == []
    assert bench.ours.channels.idle() == len(BEARERS)
    assert acknowledge(bench, 2) == []            # nobody asked
    assert bench.run(100.0) == []


def test_a_restart_under_way_is_sent_again_whenever_the_link_was_set_up() -> None:
    bench = Bench(Side.USER, timers=Timers(t316_s=10.0, n316=2))
    bench.ours.restart(5, bench.now)
    assert restarts(bench.hear()) == [5]
    for _ in range(3):                            # these do not count for N316
        bench.reset_link()
        assert restarts(bench.hear()) == [5]
    states = []
    for _ in range(2):
        assert restarts(bench.run(10.1)) == [5]
        states.append(bench.ours.channels[5].state)
    assert states == [ChannelState.RESTARTING, ChannelState.OUT_OF_SERVICE]
    bench.ours.line_up(False, bench.now)
    assert bench.run(30.0) == []
    bench.ours.line_up(True, bench.now)
    bench.reset_link()
    assert set(restarts(bench.hear())) == {5}
