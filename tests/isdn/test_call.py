"""One call against a far end played message by message: the tables, clearing, the common course."""
import itertools
import re

import pytest

from appliance.errors import StateError
from appliance.isdn.call.states import NEVER, NUMBERS, UNUSED, On, State, Timers
from appliance.isdn.call.table import CLAUSES, EVENTS, MESSAGES
from appliance.isdn.elements import (
    BearerCapability,
    CalledNumber,
    CallingNumber,
    CallState,
    Cause,
    ChannelId,
    KeypadFacility,
    ProgressIndicator,
    RestartIndicator,
    SendingComplete,
)
from appliance.isdn.events import (
    Alerting,
    Answered,
    By,
    ChannelChanged,
    ChannelChosen,
    ChannelState,
    Digits,
    Incoming,
    Proceeding,
    Progress,
    Released,
)
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from appliance.isdn.q931 import MessageType
from tests.isdn.heard import cause, kinds, say
from tests.isdn.line import CALLED, REF, Bench, reach, reachable

M, S = MessageType, State
LOCATIONS = PROFILES["etsi"].locations
SIDES = pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)


REACHABLE = [(side, state) for side in Side for state in reachable(side)]
IDS = [f"{side.value[0].upper()}{NUMBERS[state][side]}" for side, state in REACHABLE]
IN_EACH_STATE = pytest.mark.parametrize(("side", "state"), REACHABLE, ids=IDS)


# --- the tables


def test_every_cell_is_decided_by_a_clause() -> None:
    assert set(MESSAGES) == set(itertools.product(State, MessageType))
    assert set(EVENTS) == set(itertools.product(State, On))
    assert set(CLAUSES) == set(MESSAGES) | set(EVENTS)
    assert [cell for cell, clause in CLAUSES.items() if not re.match(r"\d+\.\d|Q\.\d|ours: ", clause)] == []


def test_every_state_and_timer_of_the_recommendation_is_there_or_said_to_have_no_place() -> None:
    users = {0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 15, 17, 19, 25}                  # 2.1.1
    for side, recommended in ((Side.USER, users), (Side.NETWORK, users | {22})):     # 2.1.2
        never = {int(name[1:]) for name in NEVER if name[0] == side.name[0]}
        assert {NUMBERS[state][side] for state in State} | never == recommended
    timers = {f"T{number}" for number in (*range(301, 311), 312, 313, 314, *range(316, 323))}    # 9.1, 9.2
    ours = {f"T{name[1:4]}" for name in Timers.__dataclass_fields__ if re.match(r"t3\d\d_s", name)}
    assert (ours | set(UNUSED), ours & set(UNUSED)) == (timers, set())


@IN_EACH_STATE
def test_a_status_enquiry_is_answered_with_the_number_of_the_state(side: Side, state: State) -> None:
    bench, ours = reach(side, state)
    [status] = say(bench, M.STATUS_ENQUIRY, ours)
    assert (status.type, cause(status)) == (M.STATUS, 30)
    assert status.first(CallState) == CallState(NUMBERS[state][side])


# --- clearing, 5.3, in every state


@IN_EACH_STATE
def test_disconnect_is_answered_with_release_and_frees_the_channel(side: Side, state: State) -> None:
    bench, ours = reach(side, state)
    answer = say(bench, M.DISCONNECT, ours, Cause(17))
    assert kinds(answer) == ([] if state is S.RELEASING else [M.RELEASE])
    say(bench, M.RELEASE_COMPLETE, ours)
    by_us = state is S.DISCONNECTING
    expected = Released("k1", 16 if by_us or state is S.RELEASING else 17, By.NEAR if by_us else By.FAR)
    assert bench.events(Released) == [expected]
    assert bench.ours.channels.idle() == 30


@IN_EACH_STATE
def test_release_is_answered_with_release_complete_unless_it_crossed_ours(side: Side, state: State) -> None:
    bench, ours = reach(side, state)
    answer = say(bench, M.RELEASE, ours, Cause(17))
    assert kinds(answer) == ([] if state is S.RELEASING else [M.RELEASE_COMPLETE])
    assert len(bench.events(Released)) == 1
    assert (bench.ours.channels.idle(), len(bench.ours)) == (30, 0)


@IN_EACH_STATE
def test_release_complete_ends_the_call_in_silence(side: Side, state: State) -> None:
    bench, ours = reach(side, state)
    assert say(bench, M.RELEASE_COMPLETE, ours, Cause(17)) == []
    assert len(bench.events(Released)) == 1
    assert (bench.ours.channels.idle(), len(bench.ours)) == (30, 0)


@IN_EACH_STATE
def test_hanging_up_sends_disconnect_with_cause_and_location(side: Side, state: State) -> None:
    bench, ours = reach(side, state)
    bench.ours.hang_up("k1", 21, bench.now)
    said = bench.hear()
    if state in (S.DISCONNECTING, S.RELEASING):
        assert said == []
        return
    [message] = said
    assert message.type is {S.PRESENT: M.RELEASE_COMPLETE, S.DISCONNECTED: M.RELEASE}.get(state, M.DISCONNECT)
    if state is S.PRESENT:
        assert (message.first(Cause), bench.ours.channels.idle()) == (Cause(21, LOCATIONS[side]), 30)
        return
    if state is S.DISCONNECTED:                   # the far end has said why already
        assert (message.first(Cause), kinds(say(bench, M.RELEASE_COMPLETE, ours))) == (None, [])
        assert bench.events(Released) == [Released("k1", 17, By.FAR)]
        return
    assert message.first(Cause) == Cause(21, LOCATIONS[side])
    assert bench.ours.channels.idle() == 29       # until the far end has released it
    assert kinds(say(bench, M.RELEASE, ours)) == [M.RELEASE_COMPLETE]
    assert bench.events(Released) == [Released("k1", 21, By.NEAR)]


@IN_EACH_STATE
def test_a_far_end_that_is_silent_while_we_clear_costs_no_channel_for_good(side: Side, state: State) -> None:
    bench, _ = reach(side, state)
    bench.ours.hang_up("k1", 16, bench.now)
    said = kinds(bench.run(60.0))
    if state is S.PRESENT:
        assert (said, bench.ours.channels.idle()) == ([M.RELEASE_COMPLETE], 30)
        return
    said_before = {S.DISCONNECTING: 1, S.DISCONNECTED: 1, S.RELEASING: 2}.get(state, 0)
    assert said == [M.DISCONNECT, M.RELEASE, M.RELEASE, M.RESTART][said_before:]     # T305, T308, T308
    assert len(bench.events(Released)) == 1
    assert bench.ours.channels[1].state is ChannelState.RESTARTING
    bench.send(M.RESTART_ACKNOWLEDGE, ChannelId(1), RestartIndicator(), call_ref=0, to_originator=True)
    assert bench.ours.channels.is_idle(1)


@IN_EACH_STATE
def test_a_status_of_the_null_state_ends_the_call(side: Side, state: State) -> None:
    bench, ours = reach(side, state)
    assert say(bench, M.STATUS, ours, Cause(30), CallState(0)) == []
    assert len(bench.events(Released)) == 1
    assert (bench.ours.channels.idle(), len(bench.ours)) == (30, 0)


@IN_EACH_STATE
def test_every_message_leaves_a_call_that_can_still_be_cleared(side: Side, state: State) -> None:
    for kind in M:
        bench, ours = reach(side, state)
        elements = (Cause(31), CallState(10), ProgressIndicator(8), BearerCapability(), ChannelId(1))
        say(bench, kind, ours, *elements)
        bench.ours.hang_up("k1", 16, bench.now)
        bench.run(60.0)
        assert len(bench.events(Released)) == 1, kind
        assert len(bench.ours) == 0, kind


# --- requests


def test_what_the_application_may_not_ask_is_refused_and_changes_nothing() -> None:
    bench, _ = reach(Side.USER, S.DELIVERED)
    for ask in (bench.ours.alert, bench.ours.answer, bench.ours.proceed):
        with pytest.raises(StateError):
            ask("k1", bench.now)
        with pytest.raises(StateError):
            ask("unknown", bench.now)
    with pytest.raises(StateError):
        bench.ours.setup("k1", CALLED, bench.now)
    with pytest.raises(ValueError):
        bench.ours.setup("k2", "分機", bench.now)
    bench.ours.hang_up("unknown", 16, bench.now)
    assert (bench.hear(), bench.ours.take_events(), len(bench.ours)) == ([], [], 1)


# --- offered calls


@SIDES
def test_a_complete_call_is_proceeding_at_once_rings_and_is_answered(side: Side) -> None:
    bench = Bench(side)
    [proceeding] = bench.send(
        M.SETUP, BearerCapability(), ChannelId(17), CallingNumber("555"), CalledNumber(CALLED),
        call_ref=300, to_originator=False)
    assert (proceeding.type, proceeding.call_ref, proceeding.to_originator) == (M.CALL_PROCEEDING, 300, True)
    assert proceeding.first(ChannelId) == ChannelId(17)
    assert bench.events(Incoming) == [Incoming("k1", CALLED, "555", "", 0, True, 17)]
    bench.ours.proceed("k1", bench.now)           # harmless
    bench.ours.alert("k1", bench.now, in_band=True)
    [alerting] = bench.hear()
    assert (alerting.type, alerting.first(ProgressIndicator)) == (
        M.ALERTING, ProgressIndicator(8, LOCATIONS[side]))
    bench.ours.answer("k1", bench.now)
    assert kinds(bench.hear()) == [M.CONNECT]
    assert bench.events(Answered) == ([] if side is Side.USER else [Answered("k1")])
    assert bench.send(M.CONNECT_ACKNOWLEDGE, call_ref=300, to_originator=False) == []
    assert bench.events(Answered) == ([Answered("k1")] if side is Side.USER else [])


def test_a_withheld_number_is_not_told() -> None:
    bench = Bench(Side.USER)
    bench.send(M.SETUP, BearerCapability(), ChannelId(1), CallingNumber("555", presentation=1),
               CalledNumber(CALLED), call_ref=3, to_originator=False)
    assert bench.events(Incoming) == [Incoming("k1", CALLED, "", "", 0, True, 1)]


def test_connect_acknowledge_that_never_comes_clears_the_call_by_t313() -> None:
    bench, _ = reach(Side.USER, S.CONNECT_REQUEST)
    bench.run(3.9)
    assert bench.events(Released) == [] and bench.ours.channels.idle() == 29
    assert [(message.type, cause(message)) for message in bench.run(0.2)] == [(M.DISCONNECT, 102)]


@SIDES
def test_digits_come_one_by_one_until_sending_complete(side: Side) -> None:
    bench = Bench(side, overlap=True)
    [acknowledge] = bench.offer(complete=False, called="50")
    assert (acknowledge.type, acknowledge.first(ChannelId)) == (M.SETUP_ACKNOWLEDGE, ChannelId(1))
    assert bench.events(Incoming) == [Incoming("k1", "50", "", "", 0, False, 1)]
    assert bench.send(M.INFORMATION, CalledNumber("0"), call_ref=REF, to_originator=False) == []
    assert bench.send(M.INFORMATION, KeypadFacility("1"), call_ref=REF, to_originator=False) == []
    last = bench.send(M.INFORMATION, SendingComplete(), call_ref=REF, to_originator=False)
    assert kinds(last) == [M.CALL_PROCEEDING]
    assert bench.events(Digits) == [
        Digits("k1", "500", False), Digits("k1", "5001", False), Digits("k1", "5001", True)]


def test_digits_end_when_t302_runs_out_and_no_digit_at_all_is_cause_28() -> None:
    bench = Bench(Side.USER, overlap=True)
    bench.offer(1, 1, complete=False, called="50")
    bench.offer(2, 2, complete=False, called="")
    bench.run(14.0)
    bench.send(M.INFORMATION, CalledNumber("0"), call_ref=1, to_originator=False)    # T302 begins anew
    bench.ours.take_events()
    said = bench.run(14.0)
    assert [(message.type, message.call_ref, cause(message)) for message in said] == [(M.DISCONNECT, 2, 28)]
    assert kinds(bench.run(2.0)) == [M.CALL_PROCEEDING]
    assert bench.events(Digits) == [Digits("k1", "500", True)]


def test_the_application_may_end_the_digits() -> None:
    for ask, expected in (("proceed", M.CALL_PROCEEDING), ("alert", M.ALERTING), ("answer", M.CONNECT)):
        bench, _ = reach(Side.NETWORK, S.OVERLAP_RECEIVING)
        getattr(bench.ours, ask)("k1", bench.now)
        assert kinds(bench.hear()) == [expected]
        assert kinds(bench.run(20.0)) == []       # T302 does not run any more


# --- placed calls


@SIDES
def test_a_placed_call_goes_its_way_to_connect_acknowledge(side: Side) -> None:
    bench = Bench(side)
    bench.ours.setup("out", CALLED, bench.now, calling="100", name="Wang")
    [setup] = bench.hear()
    assert (setup.type, setup.to_originator, setup.first(ChannelId)) == (M.SETUP, False, ChannelId(1, False))
    assert setup.first(SendingComplete) and setup.first(CalledNumber) == CalledNumber(CALLED)
    assert setup.first(CallingNumber) == CallingNumber("100", screening=3 if side is Side.NETWORK else 0)
    assert say(bench, M.CALL_PROCEEDING, True, ChannelId(5)) == []
    assert say(bench, M.PROGRESS, True, ProgressIndicator(8)) == []
    assert say(bench, M.ALERTING, True) == []
    assert kinds(say(bench, M.CONNECT, True)) == [M.CONNECT_ACKNOWLEDGE]
    events = [event for event in bench.ours.take_events() if not isinstance(event, ChannelChanged)]
    assert events == [ChannelChosen("out", 5), Proceeding("out"), Progress("out", True),
                      Alerting("out", False), Answered("out")]
    assert bench.ours.channels.idle() == 29


@SIDES
@pytest.mark.parametrize("first", [M.SETUP_ACKNOWLEDGE, M.CALL_PROCEEDING, M.ALERTING, M.CONNECT])
def test_any_first_response_settles_the_channel(side: Side, first: MessageType) -> None:
    bench = Bench(side)
    bench.ours.setup("out", CALLED, bench.now)
    say(bench, first, True)                       # without a channel: ours is agreed on
    assert bench.events(ChannelChosen) == [ChannelChosen("out", 1)]


def test_a_channel_in_use_as_first_response_is_released_with_cause_6() -> None:
    bench = Bench(Side.USER)
    bench.offer(9, 5)
    bench.ours.setup("out", CALLED, bench.now)
    bench.ours.take_events(), bench.hear()
    [release] = say(bench, M.CALL_PROCEEDING, True, ChannelId(5))
    assert (release.type, cause(release)) == (M.RELEASE, 6)
    say(bench, M.RELEASE_COMPLETE, True)
    assert bench.events(Released) == [Released("out", 6, By.LINE, channel_refused=True)]
    assert bench.ours.channels.idle() == 29


def test_a_setup_without_answer_is_sent_twice_and_then_cleared_with_cause_102() -> None:
    bench = Bench(Side.USER)
    bench.ours.setup("out", CALLED, bench.now)
    first = bench.hear()
    again = bench.run(4.1)
    assert kinds(first) == [M.SETUP] and again == first
    assert [(message.type, cause(message)) for message in bench.run(4.1)] == [(M.RELEASE_COMPLETE, 102)]
    assert bench.events(Released) == [Released("out", 102, By.LINE)]
    assert bench.ours.channels.idle() == 30


@pytest.mark.parametrize(("side", "state", "after_s", "told", "said"), [
    (Side.USER, S.OVERLAP_SENDING, 30, 102, 102), (Side.NETWORK, S.OVERLAP_SENDING, 20, 102, 102),
    (Side.USER, S.PROCEEDING_OUT, 60, 102, 102), (Side.NETWORK, S.PROCEEDING_OUT, 40, 102, 102),
    (Side.USER, S.DELIVERED, 180, 19, 102), (Side.NETWORK, S.DELIVERED, 180, 19, 102),
], ids=["T304 user", "T304 network", "T310 user", "T310 network", "T301 user", "T301 network"])
def test_a_far_end_that_stops_is_waited_for_as_long_as_its_timer_says(
        side: Side, state: State, after_s: float, told: int, said: int) -> None:
    bench, ours = reach(side, state)
    assert bench.run(after_s - 0.5) == []
    assert [(message.type, cause(message)) for message in bench.run(1.0)] == [(M.DISCONNECT, said)]
    say(bench, M.RELEASE, ours)
    assert bench.events(Released) == [Released("k1", told, By.LINE)]


def test_a_far_end_that_asks_for_digits_gets_them() -> None:
    bench = Bench(Side.USER)
    bench.ours.setup("out", "50", bench.now, complete=False)
    bench.ours.more_digits("out", "0", bench.now)
    assert bench.hear()[0].first(SendingComplete) is None
    [first] = say(bench, M.SETUP_ACKNOWLEDGE, True)
    bench.ours.more_digits("out", "1", bench.now)
    [second] = bench.hear()
    assert (first.first(CalledNumber), second.first(CalledNumber)) == (CalledNumber("0"), CalledNumber("1"))


def test_a_far_end_that_asks_for_digits_of_a_complete_number_is_told_so() -> None:
    bench = Bench(Side.USER)
    bench.ours.setup("out", CALLED, bench.now)
    bench.hear()
    [information] = say(bench, M.SETUP_ACKNOWLEDGE, True)
    assert (information.type, information.elements) == (M.INFORMATION, (SendingComplete(),))
