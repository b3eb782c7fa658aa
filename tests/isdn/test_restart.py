"""RESTART of our channels: the cold start's, one at a time, and through every new set-up of the data link."""
import logging

import pytest

from appliance.isdn.call.states import Timers
from appliance.isdn.dss1 import BEARERS, Signalling
from appliance.isdn.elements import BearerCapability, CallState, Cause, ChannelId, RestartIndicator
from appliance.isdn.events import By, ChannelState, Released
from appliance.isdn.lapd import Frame, FrameKind, Side, decode, encode
from appliance.isdn.profile import PROFILES
from appliance.isdn.q931 import Message, MessageType
from appliance.isdn.q931 import decode as decode_message
from tests.isdn.line import CALLED, Bench, Line, not_idle

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
        "telco1: no answer in 10 s to RESTART of the interface: its channels are used even so"]


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


# --- REST 0-2: the global call reference, 5.5, 5.8.3.2 f)


def status(messages: list[Message]) -> tuple[int, int, bool]:
    """Cause, restart state and call reference flag of the one STATUS."""
    [message] = messages
    cause, state = message.first(Cause), message.first(CallState)
    assert (message.type, message.call_ref) == (M.STATUS, 0) and cause and state
    return cause.value, state.value, message.to_originator


def restart_us(bench: Bench, indicator: int, *channel: ChannelId) -> list[Message]:
    return bench.send(M.RESTART, *channel, RestartIndicator(indicator), call_ref=0, to_originator=False)


@pytest.mark.parametrize("kind", [M.SETUP, M.STATUS_ENQUIRY, M.RELEASE, M.INFORMATION, M.CONNECT])
def test_other_messages_of_the_global_call_reference_get_the_state_of_their_role(kind: MessageType) -> None:
    """REST 0, 1 and 2, each for the side that the call reference flag speaks to."""
    bench = Bench(Side.USER, slow_clearing=True)

    def states() -> list[tuple[int, int, bool]]:
        return [status(bench.send(kind, *elements, call_ref=0, to_originator=flag)) for flag in (False, True)]

    elements = (BearerCapability(),) if kind is M.SETUP else ()
    assert states() == [(81, 0, True), (81, 0, False)]
    bench.ours.restart(5, bench.now)
    bench.hear()
    assert states() == [(81, 0, True), (81, 61, False)]
    bench.offer(1, 1)
    restart_us(bench, RestartIndicator.CHANNELS, ChannelId(1))
    assert states() == [(81, 62, True), (81, 61, False)]


@pytest.mark.parametrize(("octets", "cause", "diagnostic"), [
    ("08 02 00 00 46 18 03 a9 83 81", 96, "79"),              # no restart indicator
    ("08 02 00 00 46 18 03 a9 83 81 79 01 85", 100, "79"),    # a reserved class
    ("08 02 00 00 46 79 01 80", 96, "18"),                    # channels, but none named
    ("08 02 00 00 46 18 03 a9 83 90 79 01 80", 82, "18"),     # timeslot 16
    ("08 02 00 00 46 18 03 a9 83 85 79 01 80", 82, ""),       # not one of ours
    ("08 02 00 00 6d", 81, ""),                               # no message at all
])
def test_a_restart_that_cannot_be_done_is_answered_with_its_cause(
        octets: str, cause: int, diagnostic: str) -> None:
    bench = Bench(Side.USER, timeslots=(1, 2, 3))
    bench.offer(1, 1)
    [said] = bench.send_octets(bytes.fromhex(octets))
    assert (said.type, said.first(CallState)) == (M.STATUS, CallState(0))
    assert said.first(Cause) == Cause(cause, diagnostic=bytes.fromhex(diagnostic))
    assert bench.events(Released) == []


def test_restart_of_channels_of_which_we_have_some_acknowledges_those() -> None:
    bench = Bench(Side.USER, timeslots=(1, 2, 3))
    [said] = restart_us(bench, RestartIndicator.CHANNELS, ChannelId(2, others=(3, 4)))
    assert (said.type, said.first(ChannelId)) == (M.RESTART_ACKNOWLEDGE, ChannelId(2, others=(3,)))


def test_a_channel_named_with_all_interfaces_is_passed_over() -> None:
    bench = Bench(Side.USER)
    bench.offer(1, 1), bench.offer(2, 2)
    [said] = restart_us(bench, RestartIndicator.ALL_INTERFACES, ChannelId(1))
    assert said.elements == (RestartIndicator(RestartIndicator.ALL_INTERFACES),)
    assert len(bench.events(Released)) == 2


def test_an_application_that_needs_time_holds_the_acknowledgement_back() -> None:
    bench = Bench(Side.USER, slow_clearing=True)
    bench.offer(1, 1), bench.offer(2, 2)
    assert restart_us(bench, RestartIndicator.CHANNELS, ChannelId(1, others=(2, 9))) == []
    assert [event.key for event in bench.events(Released)] == ["k1", "k2"]
    assert not_idle(bench.ours) == [1, 2]
    assert [message.type for message in bench.offer(3, 1)] == [M.RELEASE_COMPLETE]
    bench.ours.cleared("k1", bench.now)
    assert bench.hear() == []
    bench.ours.cleared("k2", bench.now)
    [said] = bench.hear()
    assert (said.type, said.first(ChannelId)) == (M.RESTART_ACKNOWLEDGE, ChannelId(1, others=(2, 9)))
    assert not_idle(bench.ours) == []
    bench.ours.cleared("k2", bench.now)
    assert restart_us(bench, RestartIndicator.INTERFACE)[0].type is M.RESTART_ACKNOWLEDGE


def test_a_restart_that_is_said_again_while_we_clear_is_acknowledged_once() -> None:
    bench = Bench(Side.USER, slow_clearing=True)
    bench.offer(1, 1)
    for _ in range(50):
        assert restart_us(bench, RestartIndicator.CHANNELS, ChannelId(1)) == []
    bench.ours.cleared("k1", bench.now)
    assert [message.type for message in bench.hear()] == [M.RESTART_ACKNOWLEDGE]


def test_t317_acknowledges_what_is_cleared_and_says_what_is_not(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(Side.USER, slow_clearing=True, timers=Timers(t317_s=20.0), name="telco1")
    bench.offer(1, 1), bench.offer(2, 2)
    restart_us(bench, RestartIndicator.CHANNELS, ChannelId(1, others=(2,)))
    bench.ours.cleared("k1", bench.now)
    assert bench.run(19.9) == []
    [said] = bench.run(0.2)
    assert (said.type, said.first(ChannelId)) == (M.RESTART_ACKNOWLEDGE, ChannelId(1))
    assert "telco1: RESTART: timeslots 2 are not cleared in 20 s" in caplog.messages
    assert (not_idle(bench.ours), bench.ours.counts["restarts_late"]) == ([2], 1)
    bench.ours.cleared("k2", bench.now)
    assert (not_idle(bench.ours), bench.hear()) == ([], [])


def test_t317_without_anything_cleared_acknowledges_nothing() -> None:
    bench = Bench(Side.USER, slow_clearing=True)
    bench.offer(1, 1)
    restart_us(bench, RestartIndicator.CHANNELS, ChannelId(1))
    assert bench.run(61.0) == []
    assert status(bench.send(M.INFORMATION, call_ref=0, to_originator=False)) == (81, 0, True)


@pytest.mark.parametrize("slow", [False, True])
def test_both_restart_the_same_channel_and_it_is_free_when_both_are_done(slow: bool) -> None:
    bench = Bench(Side.USER, slow_clearing=slow)
    bench.ours.restart(1, bench.now)
    assert restarts(bench.hear()) == [1]
    [said] = restart_us(bench, RestartIndicator.INTERFACE)
    assert said.type is M.RESTART_ACKNOWLEDGE
    assert not_idle(bench.ours) == [1]
    acknowledge(bench, 1)
    assert not_idle(bench.ours) == []


def test_two_ends_that_start_at_once_restart_each_other() -> None:
    line = Line()
    assert line.busy() == ([], [])
    assert [side.counts["restarts_received"] for side in (line.user, line.network)] == [1, 1]


def test_an_acknowledgement_of_a_part_of_the_interface_leaves_the_rest_to_be_restarted_one_by_one() -> None:
    bench = Bench(Side.USER, cold=True, timeslots=(1, 2, 3))
    assert restarts(bench.hear()) == [0]
    assert restarts(acknowledge(bench, 2)) == [1]
    assert not_idle(bench.ours) == [1, 3]
    assert restarts(acknowledge(bench)) == [3]
    assert acknowledge(bench, 3) == []
    assert not_idle(bench.ours) == []


@pytest.mark.parametrize("other", [2, 7])         # of the span, and not
def test_an_acknowledgement_of_another_channel_does_not_end_our_waiting(other: int) -> None:
    bench = Bench(Side.USER, timers=Timers(t316_s=10.0), timeslots=(1, 2, 3))
    bench.ours.restart(1, bench.now)
    bench.hear()
    assert acknowledge(bench, other) == []
    assert not_idle(bench.ours) == [1]
    assert restarts(bench.run(10.1)) == [1]


def refuse(bench: Bench, cause: int) -> list[Message]:
    return bench.send(M.STATUS, Cause(cause), CallState(0), call_ref=0, to_originator=True)


@pytest.mark.need(1)
def test_a_far_end_that_says_that_it_knows_no_restart_does_not_cost_the_channel() -> None:
    bench = Bench(Side.USER, cold=True, timeslots=(1, 2))
    bench.hear()
    refuse(bench, 97)
    assert not_idle(bench.ours) == []
    bench.ours.restart(1, bench.now)
    bench.ours.restart(2, bench.now)
    assert restarts(bench.hear()) == [1]
    assert restarts(refuse(bench, 101)) == []     # no answer to this
    assert restarts(refuse(bench, 81)) == [2]
    assert refuse(bench, 97) == []
    assert not_idle(bench.ours) == []


def test_a_channel_that_does_not_exist_at_the_far_end_is_out_of_service() -> None:
    bench = Bench(Side.USER)
    bench.ours.restart(9, bench.now)
    bench.hear()
    refuse(bench, 82)
    assert bench.ours.channels[9].state is ChannelState.OUT_OF_SERVICE


@pytest.mark.need(1)
def test_half_a_line_is_in_service_at_once_and_the_missing_half_asked_for_one_by_one() -> None:
    """A cold start channel by channel: the exchange has timeslots 17 to 31 and says 82 of the others."""
    bench = Bench(Side.USER, cold=True, profile=PROFILES["china"], timers=Timers(t316_s=10.0))
    heard, sent = bench.hear(), 0
    while heard:
        [timeslot] = restarts(heard)
        heard, sent = refuse(bench, 82) if timeslot < 17 else acknowledge(bench, timeslot), sent + 1
    assert sent == 31                             # after the last one another turn of those that are missing
    assert not_idle(bench.ours) == list(range(1, 16))
    bench.ours.restart(20, bench.now)
    assert restarts(bench.hear()) == [20]         # waits for none of them
    assert len(restarts(acknowledge(bench, 20))) == 1
    assert refuse(bench, 82) == []
    for _ in range(40):
        assert bench.run(9.9) == []
        assert len(restarts(bench.run(0.2))) == 1
        assert refuse(bench, 82) == []
    assert bench.offer(1, 5)[0].type is M.CALL_PROCEEDING


@pytest.mark.need(1)
def test_a_far_end_known_to_do_no_restart_does_not_cost_a_stuck_channel() -> None:
    bench = Bench(Side.USER, timers=Timers(t316_s=10.0, n316=2))
    bench.ours.restart(2, bench.now)
    bench.hear()
    refuse(bench, 97)
    bench.ours.setup("out", CALLED, bench.now, timeslot=1)
    bench.ours.hang_up("out", 16, bench.now)
    assert [message.type for message in bench.run(30 + 4 + 4 + 19)][-2:] == [M.RESTART, M.RESTART]
    assert not_idle(bench.ours) == [1]
    assert bench.run(600.0) == []
    assert not_idle(bench.ours) == []


@pytest.mark.need(1)
def test_a_stuck_channel_is_said_and_counted_and_so_is_its_return(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bench = Bench(Side.USER, name="telco1", timers=Timers(t316_s=10.0, n316=2))
    bench.ours.setup("out", CALLED, bench.now)
    bench.ours.hang_up("out", 16, bench.now)
    bench.run(30 + 4 + 4 + 20)
    acknowledge(bench)
    assert [record.getMessage() for record in caplog.records if "timeslot" in record.getMessage()] == [
        "telco1: timeslot 1 is stuck: its RELEASE had no answer; it is restarted",
        "telco1: timeslot 1: no answer to 2 RESTARTs: out of service, tried every 10 s",
        "telco1: timeslot 1 is in service again"]
    figures = bench.ours.figures()
    assert [figures[f"channels_{name}"] for name in ("stuck", "cleared", "out_of_service")] == [1, 1, 1]


# --- a cold start channel by channel


def test_a_profile_without_restart_of_the_interface_begins_with_each_channel() -> None:
    bench = Bench(Side.USER, cold=True, profile=PROFILES["china"], timeslots=(1, 2, 3))
    assert restarts(bench.hear()) == [1]
    assert restarts(acknowledge(bench, 1)) == [2]
    assert not_idle(bench.ours) == [2, 3]
    assert restarts(acknowledge(bench, 2)) == [3]
    assert restarts(bench.run(121.0)) == [3]      # it does RESTART, so this one is stuck: T316
    acknowledge(bench)
    assert not_idle(bench.ours) == []


def test_and_a_far_end_that_does_no_restart_has_all_channels_after_10_s() -> None:
    bench = Bench(Side.USER, cold=True, profile=PROFILES["china"])
    assert restarts(bench.run(9.9)) == [1]
    assert len(not_idle(bench.ours)) == 30
    assert bench.run(300.0) == []
    assert not_idle(bench.ours) == []
