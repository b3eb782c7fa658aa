"""Channels: which is next, which way, what our SETUP says of it, taken out of service by either end."""
from dataclasses import replace
from typing import Any

import pytest

from appliance.isdn.channels import Channels
from appliance.isdn.dss1 import Signalling
from appliance.isdn.elements import BearerCapability, Cause, ChangeStatus, ChannelId
from appliance.isdn.events import ChannelChanged, ChannelChosen, ChannelState, Incoming, Released
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from appliance.isdn.q931 import Message, MessageType
from tests.isdn.line import CALLED, Bench, Line, not_idle

M = MessageType
SERVICE_KNOWN = replace(PROFILES["etsi"], service_messages=True)


def dial(bench: Bench, *keys: str, **options: Any) -> list[ChannelId | None]:
    """What our SETUPs say of their channels."""
    for key in keys:
        bench.ours.setup(key, CALLED, bench.now, **options)
    return [message.first(ChannelId) for message in bench.hear() if message.type is M.SETUP]


def state(side: Signalling, timeslot: int) -> ChannelState:
    return side.channels[timeslot].state


def refusal(messages: list[Message]) -> int:
    [message] = messages
    cause = message.first(Cause)
    assert message.type is M.RELEASE_COMPLETE and cause is not None
    return cause.value


# --- which is next


@pytest.mark.parametrize(("hunt", "taken"), [
    ("up", [1, 2, 3, 1]), ("down", [31, 30, 29, 31]), ("longest-idle", [1, 2, 3, 4]),
    ("round-robin", [1, 2, 3, 4])])
def test_hunting_order(hunt: str, taken: list[int]) -> None:
    channels = Channels(range(1, 32), hunt, lambda channel: None)
    got = []
    for count in range(4):
        timeslot = channels.next_idle()
        assert timeslot is not None
        got.append(timeslot)
        channels.take(timeslot, f"k{count}")
        if count == 2:
            for freed in reversed(got):
                channels.free(freed)
    assert got == taken


def test_longest_idle_takes_those_that_were_freed_in_the_order_they_were_freed() -> None:
    channels = Channels((1, 2, 3), "longest-idle", lambda channel: None)
    for timeslot in (1, 2, 3):
        channels.take(timeslot, "k")
    for timeslot in (2, 3, 1):
        channels.free(timeslot)
    assert channels.in_order() == [2, 3, 1]


def test_round_robin_goes_round() -> None:
    channels = Channels((1, 2, 17), "round-robin", lambda channel: None)
    got = []
    for _ in range(5):
        timeslot = channels.next_idle()
        assert timeslot is not None
        got.append(timeslot)
        channels.take(timeslot, "k")
        channels.free(timeslot)
    assert got == [1, 2, 17, 1, 2]


# --- what our SETUP says


@pytest.mark.parametrize(("selection", "said"), [
    ("preferred", ChannelId(1, exclusive=False)), ("exclusive", ChannelId(1)),
    ("any", ChannelId(None, exclusive=False, any_channel=True)), ("none", None)])
def test_our_setup_says_what_the_span_is_set_to_and_takes_what_the_far_end_awards(
        selection: str, said: ChannelId | None) -> None:
    bench = Bench(Side.USER, selection=selection)
    assert dial(bench, "out") == [said]
    assert bench.run(4.1)[0].first(ChannelId) == said         # T303: once more
    awarded = 1 if selection == "exclusive" else 7
    bench.send(M.CALL_PROCEEDING, ChannelId(awarded), call_ref=1, to_originator=True)
    assert bench.events(ChannelChosen) == [ChannelChosen("out", awarded)]
    assert not_idle(bench.ours) == [awarded]


def test_one_call_may_differ_from_the_span() -> None:
    bench = Bench(Side.USER, selection="any")
    assert dial(bench, "a", timeslot=9) == [ChannelId(9, exclusive=False)]
    assert dial(bench, "b", exclusive=True) == [ChannelId(1)]
    bench.ours.change(selection="exclusive")
    assert dial(bench, "c", exclusive=False) == [ChannelId(2, exclusive=False)]
    assert dial(bench, "d") == [ChannelId(3)]


def test_a_far_end_that_awards_no_channel_loses_the_call_with_a_cause_to_try_again() -> None:
    bench = Bench(Side.USER, selection="none")
    dial(bench, "out")
    [release] = bench.send(M.CALL_PROCEEDING, call_ref=1, to_originator=True)
    assert (release.type, release.first(Cause)) == (M.RELEASE, Cause(6))
    bench.send(M.RELEASE_COMPLETE, call_ref=1, to_originator=True)
    [released] = bench.events(Released)
    assert (released.cause, released.channel_refused) == (6, True)


@pytest.mark.parametrize(("side", "channel", "awarded"), [
    (Side.USER, (ChannelId(None, any_channel=True),), 31), (Side.NETWORK, (), 1),
    (Side.NETWORK, (ChannelId(None, any_channel=True),), 1)])
def test_any_channel_is_awarded_from_the_end_where_the_other_side_does_not(
        side: Side, channel: tuple[ChannelId, ...], awarded: int) -> None:
    bench = Bench(side)
    [proceeding] = bench.send(M.SETUP, BearerCapability(), *channel, call_ref=1, to_originator=False)
    assert proceeding.first(ChannelId) == ChannelId(awarded)


@pytest.mark.parametrize("profile", ["etsi", "qsig"])
@pytest.mark.parametrize("selection", ["preferred", "exclusive", "any", "none"])
def test_thirty_calls_from_each_end_at_once_fill_the_span_with_half_of_them(
        profile: str, selection: str) -> None:
    """Both hunt in the same order: every SETUP meets another one, or both award the same channels."""
    options = {"selection": selection, "profile": PROFILES[profile]}
    line = Line(user=options, network=options)
    for number in range(30):
        line.user.setup(f"by user {number}", CALLED, line.now)
        line.network.setup(f"by network {number}", CALLED, line.now)
    line.run(5.0)
    everywhere = list(range(1, 16)) + list(range(17, 32))
    assert line.busy() == (everywhere, everywhere)
    assert line.calls(Side.USER) == line.calls(Side.NETWORK)


# --- directions


def test_channels_of_one_direction() -> None:
    bench = Bench(Side.USER, timeslots=(1, 2, 3))
    bench.ours.reserve({1: "in", 3: "out"})
    assert dial(bench, "a", "b", "c") == [ChannelId(2, exclusive=False), ChannelId(3, exclusive=False)]
    assert [event.cause for event in bench.events(Released)] == [34]
    bench.ours.hang_up("b", 16, bench.now)
    bench.hear()
    bench.send(M.RELEASE, Cause(16), call_ref=2, to_originator=True)
    assert refusal(bench.offer(1, 3)) == 44
    [proceeding] = bench.offer(2, 3, exclusive=False)
    assert proceeding.first(ChannelId) == ChannelId(1)
    assert refusal(bench.offer(3, 3, exclusive=False)) == 34
    bench.ours.reserve({})
    assert bench.offer(4, 3)[0].type is M.CALL_PROCEEDING


def test_what_cannot_be_reserved_or_blocked_is_said_and_changes_nothing() -> None:
    bench = Bench(Side.USER, timeslots=(1, 2), name="telco1")
    with pytest.raises(ValueError, match="timeslot 9 is not a channel of telco1"):
        bench.ours.block((1, 9), bench.now)
    with pytest.raises(ValueError, match="'up' is not a valid Direction"):
        bench.ours.reserve({1: "up"})
    with pytest.raises(ValueError, match="'sideways' is not a valid Hunt"):
        bench.ours.change(hunt="sideways", overlap=True)
    assert dial(bench, "a", "b") == [ChannelId(1, exclusive=False), ChannelId(2, exclusive=False)]


# --- busy-out


def test_a_blocked_channel_takes_no_call_of_either_side_until_it_is_unblocked() -> None:
    bench = Bench(Side.USER, timeslots=(1, 2))
    bench.ours.block([1], bench.now)
    assert bench.events(ChannelChanged) == [ChannelChanged(1, ChannelState.BLOCKED)]
    assert refusal(bench.offer(1, 1)) == 44
    assert bench.offer(2, 1, exclusive=False)[0].first(ChannelId) == ChannelId(2)
    assert dial(bench, "out") == []
    bench.ours.setup("named", CALLED, bench.now, timeslot=1)
    assert [event.cause for event in bench.events(Released)] == [34, 34]
    bench.ours.unblock([1], bench.now)
    assert bench.offer(3, 1)[0].type is M.CALL_PROCEEDING


def test_a_busy_channel_drains() -> None:
    line = Line()
    line.network.setup("out", CALLED, line.now)
    line.run(0.1)
    line.user.block([1], line.now)
    assert state(line.user, 1) is ChannelState.BUSY
    line.user.answer("u1", line.now)
    line.run(600.0)
    line.network.hang_up("out", 16, line.now)
    line.run(0.1)
    assert state(line.user, 1) is ChannelState.BLOCKED
    line.network.setup("next", CALLED, line.now)
    line.run(0.1)
    assert ChannelChosen("next", 2) in line.take(line.network)


def test_a_blocked_channel_is_restarted_all_the_same() -> None:
    bench = Bench(Side.USER)
    bench.ours.restart(5, bench.now)
    bench.ours.block([5], bench.now)
    assert state(bench.ours, 5) is ChannelState.BLOCKED
    bench.ours.unblock([5], bench.now)
    assert state(bench.ours, 5) is ChannelState.RESTARTING


# --- SERVICE


def services(messages: list[Message]) -> list[tuple[MessageType, int | None, int | None]]:
    """Type, timeslot and status."""
    said = []
    for message in messages:
        channel, status = message.first(ChannelId), message.first(ChangeStatus)
        said.append((message.type, channel.timeslot if channel else None, status.status if status else None))
    return said


def test_blocking_says_service_at_once_and_when_the_call_is_over() -> None:
    bench = Bench(Side.USER, profile=SERVICE_KNOWN, timeslots=(1, 2))
    began = services(bench.hear())
    assert began == [(M.SERVICE, slot, ChangeStatus.IN_SERVICE) for slot in (1, 2)]
    bench.offer(1, 1)
    bench.ours.block([1, 2], bench.now)
    assert services(bench.hear()) == [(M.SERVICE, 1, ChangeStatus.MAINTENANCE),
                                      (M.SERVICE, 2, ChangeStatus.OUT_OF_SERVICE)]
    said = bench.send(M.RELEASE_COMPLETE, Cause(16), call_ref=1, to_originator=False)
    assert services(said) == [(M.SERVICE, 1, ChangeStatus.OUT_OF_SERVICE)]
    bench.reset_link()                            # it may be lost
    assert services(bench.hear()) == [(M.SERVICE, slot, ChangeStatus.OUT_OF_SERVICE) for slot in (1, 2)]
    bench.ours.unblock([1, 2], bench.now)
    assert services(bench.hear()) == [(M.SERVICE, slot, ChangeStatus.IN_SERVICE) for slot in (1, 2)]


@pytest.mark.parametrize(("request_", "acknowledge"), [
    (M.SERVICE, M.SERVICE_ACKNOWLEDGE), (M.NI_SERVICE, M.NI_SERVICE_ACKNOWLEDGE)])
def test_the_far_end_takes_a_channel_out_of_service_and_brings_it_back(
        request_: MessageType, acknowledge: MessageType) -> None:
    bench = Bench(Side.USER, profile=SERVICE_KNOWN, timeslots=(1, 2))
    bench.hear()
    out, back = ChangeStatus(ChangeStatus.OUT_OF_SERVICE), ChangeStatus(ChangeStatus.IN_SERVICE)
    said = bench.send(request_, out, ChannelId(1), call_ref=0, to_originator=False)
    assert services(said) == [(acknowledge, 1, ChangeStatus.OUT_OF_SERVICE)] and said[0].to_originator
    assert state(bench.ours, 1) is ChannelState.BLOCKED
    assert dial(bench, "a") == [ChannelId(2, exclusive=False)]
    assert bench.offer(1, 1)[0].type is M.CALL_PROCEEDING     # its own calls are its own affair
    bench.send(M.RELEASE_COMPLETE, Cause(16), call_ref=1, to_originator=False)
    bench.send(request_, back, ChannelId(1), call_ref=0, to_originator=False)
    assert dial(bench, "b") == [ChannelId(1, exclusive=False)]
    bench.ours.block([1], bench.now)              # we say it in the far end's dialect
    assert bench.hear()[0].type is request_


def test_the_far_end_takes_the_whole_interface_out_of_service() -> None:
    bench = Bench(Side.USER, profile=SERVICE_KNOWN)
    bench.send(M.SERVICE, ChangeStatus(ChangeStatus.MAINTENANCE, of_channel=False), call_ref=0,
               to_originator=False)
    assert bench.ours.channels.idle() == 0


def test_a_profile_without_service_neither_says_nor_hears_it() -> None:
    bench = Bench(Side.USER)
    bench.ours.block([1], bench.now)
    said = bench.send(M.SERVICE, ChangeStatus(ChangeStatus.OUT_OF_SERVICE), ChannelId(2), call_ref=0,
                      to_originator=False)
    assert said == []
    assert not_idle(bench.ours) == [1]


# --- settings that change


def test_settings_change_for_new_calls_and_no_call_ends() -> None:
    bench = Bench(Side.USER)
    bench.offer(1, 1)
    dial(bench, "out")
    bench.events(Incoming)
    timers = replace(PROFILES["etsi"].timers[Side.USER], t303_s=9.0)
    bench.ours.change(profile=SERVICE_KNOWN, timers=timers, hunt="down", overlap=True, selection="exclusive",
                      audit_s=60.0)
    assert dial(bench, "next") == [ChannelId(31)]
    assert bench.offer(2, 5, complete=False)[0].type is M.SETUP_ACKNOWLEDGE
    assert [message.type for message in bench.run(4.5)] == [M.SETUP]     # the old call's T303 runs on
    assert [message.call_ref for message in bench.run(4.7) if message.type is M.SETUP] == [2]
    assert bench.events(Released) == []


def test_statistics_tell_of_both_layers_and_of_what_there_is_now() -> None:
    line = Line(user={"timeslots": range(1, 6)}, network={"timeslots": range(1, 6)})
    line.user.block([5], line.now)
    line.user.setup("out", CALLED, line.now)
    line.run(0.1)
    found = line.user.statistics()
    expected = {"sent_setup": 1, "received_call_proceeding": 1, "sent_restart": 1, "restarts_received": 1,
                "received_restart_acknowledge": 1, "calls": 1, "link_up": 1, "channels_idle": 3,
                "channels_busy": 1, "channels_blocked": 1}
    assert {name: found[name] for name in expected} == expected
    assert found["frames_in"] > 5
    before = line.user.figures()["frames_in"]
    line.connect(False)
    line.connect(True)
    line.run(1.0)
    assert line.user.figures()["frames_in"] > before          # totals outlive the link
