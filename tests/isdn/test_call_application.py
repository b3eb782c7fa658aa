"""What the application decides of a call: its first response, elements of messages; what it is told."""
import pytest

from appliance.errors import StateError
from appliance.isdn.call.states import State
from appliance.isdn.elements import (
    BearerCapability,
    CalledNumber,
    CallingNumber,
    CallState,
    Cause,
    ChannelId,
    ConnectedNumber,
    Display,
    Element,
    ProgressIndicator,
    RedirectingNumber,
    SendingComplete,
    UserUser,
)
from appliance.isdn.events import Alerting, Answered, By, Digits, Incoming, Proceeding, Released
from appliance.isdn.lapd import Side
from appliance.isdn.q931 import MessageType
from tests.isdn.heard import cause, kinds, say, short
from tests.isdn.line import CALLED, Bench, Line, reach

M, S = MessageType, State
U, N = Side.USER, Side.NETWORK
TEXT = UserUser(4, b"order 17")


# --- the first response


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(("ask", "expected"), [
    ("want_digits", M.SETUP_ACKNOWLEDGE), ("proceed", M.CALL_PROCEEDING), ("alert", M.ALERTING),
    ("answer", M.CONNECT)])
def test_any_response_may_be_the_first_and_only_the_first_names_the_channel(
        side: Side, ask: str, expected: MessageType) -> None:
    bench = Bench(side, auto_proceed=False)
    assert bench.offer(1, 7) == []
    assert bench.events(Incoming) == [Incoming("k1", CALLED, "", "", 0, True, 7)]
    getattr(bench.ours, ask)("k1", bench.now)
    [first] = bench.hear()
    assert (first.type, first.first(ChannelId)) == (expected, ChannelId(7))
    bench.ours.answer("k1", bench.now)
    assert all(later.first(ChannelId) is None for later in bench.hear())


@pytest.mark.parametrize("side", list(Side))
def test_a_refusal_as_first_response_is_release_complete(side: Side) -> None:
    bench = Bench(side, auto_proceed=False)
    bench.offer(1, 7)
    bench.ours.hang_up("k1", 17, bench.now, elements=[TEXT])
    [complete] = bench.hear()
    assert (complete.type, cause(complete), complete.first(UserUser)) == (M.RELEASE_COMPLETE, 17, TEXT)
    assert bench.events(Released) == [Released("k1", 17, By.NEAR)]
    assert (len(bench.ours), bench.ours.channels.idle()) == (0, 30)


def test_a_refusal_that_is_to_be_heard_names_the_channel_first() -> None:
    bench = Bench(N, auto_proceed=False)
    bench.offer(1, 7)
    bench.ours.hang_up("k1", 1, bench.now, elements=[ProgressIndicator(8, 1)])
    proceeding, disconnect = bench.hear()
    assert (proceeding.type, proceeding.first(ChannelId)) == (M.CALL_PROCEEDING, ChannelId(7))
    assert (disconnect.type, cause(disconnect)) == (M.DISCONNECT, 1)
    bench, _ = reach(U, S.PRESENT)                # a user has nothing to be heard
    bench.ours.hang_up("k1", 1, bench.now, elements=[ProgressIndicator(8, 0)])
    assert kinds(bench.hear()) == [M.RELEASE_COMPLETE]


def test_nothing_but_a_response_is_said_of_a_call_that_has_none() -> None:
    for state in (S.PRESENT, S.INITIATED):
        bench, _ = reach(U, state)
        with pytest.raises(StateError):
            bench.ours.notify("k1", 0, bench.now)
        bench.ours.enquire("k1", bench.now)       # the far end does not know it, or asks itself
        assert bench.hear() == []
    bench, _ = reach(U, S.PRESENT)
    with pytest.raises(StateError):
        bench.ours.progress("k1", bench.now)


def test_the_application_asks_for_digits_and_says_when_they_are_enough() -> None:
    bench = Bench(N, auto_proceed=False, overlap=True)
    bench.offer(1, 7, complete=False, called="5")
    [incoming] = bench.events(Incoming)
    assert not incoming.complete
    bench.ours.want_digits("k1", bench.now, ProgressIndicator(8, 1))
    [acknowledge] = bench.hear()
    assert acknowledge.elements == (ChannelId(7), ProgressIndicator(8, 1))
    say(bench, M.INFORMATION, False, CalledNumber("0"))
    assert bench.events(Digits) == [Digits("k1", "50", False)]
    bench.ours.proceed("k1", bench.now)
    assert kinds(bench.run(20.0)) == [M.CALL_PROCEEDING]              # no T302


def test_what_went_into_one_message_is_not_in_the_next_one_that_nobody_asked_for() -> None:
    bench, _ = reach(N, S.OVERLAP_RECEIVING)
    bench.ours.progress("k1", bench.now, ProgressIndicator(1, 1))
    bench.hear()
    [proceeding] = say(bench, M.INFORMATION, False, CalledNumber("0"), SendingComplete())
    assert (proceeding.type, proceeding.elements) == (M.CALL_PROCEEDING, ())


# --- elements out


def test_the_elements_of_a_request_are_in_its_message() -> None:
    connected = ConnectedNumber("5001", screening=3)
    bench, _ = reach(N, S.PROCEEDING_IN)
    bench.ours.alert("k1", bench.now, elements=[TEXT])
    bench.ours.answer("k1", bench.now, elements=[connected, TEXT])
    bench.ours.hang_up("k1", 21, bench.now, elements=[TEXT])
    alerting, connect, disconnect = bench.hear()
    assert (alerting.type, alerting.elements) == (M.ALERTING, (TEXT,))
    assert (connect.type, set(connect.elements)) == (M.CONNECT, {connected, TEXT})
    assert (disconnect.type, disconnect.elements) == (M.DISCONNECT, (Cause(21, 1), TEXT))
    bench, _ = reach(N, S.PRESENT)
    bench.ours.proceed("k1", bench.now, Display("queue 1"))
    assert bench.hear()[0].first(Display) == Display("queue 1")


def test_an_element_that_no_message_can_carry_is_refused_at_once_and_changes_nothing() -> None:
    bench, _ = reach(N, S.ACTIVE)
    long = UserUser(4, b"x" * 129)
    with pytest.raises(ValueError, match="UserUser: 130 octets, at most 129"):
        bench.ours.setup("out", CALLED, bench.now, elements=[long])
    with pytest.raises(ValueError, match="UserUser"):
        bench.ours.hang_up("k1", 16, bench.now, elements=[long])
    assert (bench.hear(), list(bench.ours), bench.ours.channels.idle()) == ([], ["k1"], 29)


def test_messages_that_are_said_again_say_all_again() -> None:
    """SETUP by T303, DISCONNECT and CONNECT after a link reset: what the users say is in them, too."""
    bench = Bench(U)
    bench.ours.setup("out", CALLED, bench.now, elements=[TEXT, RedirectingNumber("600")])
    first = bench.hear()
    assert bench.run(4.1) == first and TEXT in first[0].elements
    bench, _ = reach(U, S.ACTIVE)
    bench.ours.hang_up("k1", 16, bench.now, elements=[TEXT])
    first = bench.hear()
    bench.reset_link()
    assert bench.hear() == first and TEXT in first[0].elements
    bench = Bench(N)
    bench.offer()
    bench.ours.answer("k1", bench.now, elements=[TEXT])
    bench.reset_link()
    bench.hear()
    [again] = bench.send(M.STATUS, Cause(30), CallState(3), call_ref=1, to_originator=False)
    assert (again.type, set(again.elements)) == (M.CONNECT, {ChannelId(1), TEXT})


def test_digits_sent_later_are_of_the_type_and_plan_of_the_first_ones() -> None:
    bench = Bench(U)
    bench.ours.setup("out", "50", bench.now, complete=False, elements=[CalledNumber("50", 4, 9)])
    bench.hear()
    say(bench, M.SETUP_ACKNOWLEDGE, True)
    bench.ours.more_digits("out", "01", bench.now, complete=True)
    [information] = bench.hear()
    assert information.elements == (SendingComplete(), CalledNumber("01", 4, 9))


def test_a_channel_that_was_insisted_on_is_not_changed() -> None:
    for exclusive, expected in ((True, [(M.RELEASE, 6)]), (False, [])):
        bench = Bench(U)
        bench.ours.setup("out", CALLED, bench.now, timeslot=3, exclusive=exclusive)
        bench.hear()
        assert short(say(bench, M.ALERTING, True, ChannelId(4))) == expected


# --- elements in


def test_events_have_the_elements_of_their_message() -> None:
    bench = Bench(U)
    bench.ours.setup("out", CALLED, bench.now)
    bench.hear()
    steps: list[tuple[MessageType, type[Proceeding | Alerting | Answered], tuple[Element, ...]]] = [
        (M.CALL_PROCEEDING, Proceeding, (ChannelId(1), Display("wait"))),
        (M.ALERTING, Alerting, (Display("rings"), TEXT)),
        (M.CONNECT, Answered, (ConnectedNumber("5001"), TEXT))]
    for kind, event, elements in steps:
        say(bench, kind, True, *elements)
        assert [set(told.elements) for told in bench.events(event)] == [set(elements)]
    say(bench, M.DISCONNECT, True, Cause(16), TEXT)
    say(bench, M.RELEASE_COMPLETE, True, Display("bye"))
    [released] = bench.events(Released)
    assert released.elements == (Cause(16), TEXT, Display("bye"))


def test_what_the_users_say_goes_through_two_of_us() -> None:
    line = Line(user={"auto_proceed": False})
    line.network.setup("n", CALLED, line.now, calling="600", elements=[TEXT])
    line.run(0.1)
    [incoming] = line.take(line.user)
    assert isinstance(incoming, Incoming) and TEXT in incoming.elements
    line.user.answer("u1", line.now, elements=[ConnectedNumber("5001"), UserUser(4, b"yes")])
    line.run(0.1)
    answered = [event for event in line.take(line.network) if isinstance(event, Answered)]
    assert [UserUser(4, b"yes") in event.elements for event in answered] == [True]
    line.user.hang_up("u1", 16, line.now, elements=[UserUser(4, b"bye")])
    line.run(1.0)
    [released] = line.take(line.network)
    assert isinstance(released, Released) and UserUser(4, b"bye") in released.elements
    assert line.busy() == ([], [])


def test_a_bearer_and_numbers_are_read_even_when_the_caller_withholds_his() -> None:
    bench = Bench(U)
    say(bench, M.SETUP, False, BearerCapability(), ChannelId(1), CallingNumber("600", presentation=1))
    [incoming] = bench.events(Incoming)
    assert incoming.calling == "" and CallingNumber("600", presentation=1) in incoming.elements
