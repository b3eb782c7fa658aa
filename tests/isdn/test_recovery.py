"""Messages that the data link lost: what is said again, what a STATUS reveals (5.8.8-5.8.11)."""
import logging

import pytest

from appliance.isdn.call.call import Snapshot
from appliance.isdn.call.states import NUMBERS, State
from appliance.isdn.dss1 import Signalling
from appliance.isdn.elements import CallState, Cause, ChannelId
from appliance.isdn.events import Alerting, Answered, By, LinkChanged, Released
from appliance.isdn.lapd import Side
from appliance.isdn.q931 import Message, MessageType
from tests.isdn.heard import short
from tests.isdn.line import REF, Bench, Line, reach, reachable

M, S = MessageType, State
ALIVE = [state for state in State if state not in (S.NULL, S.DISCONNECTED, S.DISCONNECTING, S.RELEASING)]
BOTH = [(side, state) for side in Side for state in reachable(side)]


def lose_by_reset(bench: Bench) -> list[Message]:
    """A message of ours is on its way when the far end sets the link up anew; what we say then."""
    bench.ours.restart(31, bench.now)             # whatever it is
    bench.ours.take_frames()
    bench.reset_link()
    said = bench.hear()
    assert said.pop(0).type is M.RESTART          # before all other messages
    return said


# --- what a reset lost is said again

AT_A_RESET: dict[State, list[tuple[MessageType, int | None]]] = {
    S.INITIATED: [(M.SETUP, None)],
    S.OVERLAP_SENDING: [(M.DISCONNECT, 41)], S.OVERLAP_RECEIVING: [(M.DISCONNECT, 41)],         # 5.8.8 a)
    S.DISCONNECTING: [(M.DISCONNECT, 16)], S.RELEASING: [(M.RELEASE, 16)],
    S.DISCONNECTED: [],                           # T306 sees to it
}


@pytest.mark.parametrize(("side", "state"), BOTH)
def test_what_the_reset_may_have_lost_is_said_again_or_asked_for(side: Side, state: State) -> None:
    bench, _ = reach(side, state)
    assert short(lose_by_reset(bench)) == AT_A_RESET.get(state, [(M.STATUS_ENQUIRY, None)])


@pytest.mark.parametrize(("side", "state"), [
    (side, state) for side, state in BOTH if state in (S.INITIATED, S.DISCONNECTING, S.RELEASING)])
def test_resets_do_not_make_a_timer_longer(side: Side, state: State) -> None:
    bench, _ = reach(side, state)
    for _ in range(70):                           # every second: T303 and T308 are 4 s, T305 is 30 s
        bench.run(1.0)
        lose_by_reset(bench) if bench.ours.channels.is_idle(31) else bench.reset_link()
    assert len(bench.ours) == 0


@pytest.mark.parametrize("side", list(Side))
def test_a_far_end_that_was_started_anew_is_asked_for_its_calls_and_has_none(side: Side) -> None:
    bench, ours = reach(side, S.ACTIVE)
    bench.reset_link()                            # nothing was on the way
    assert short(bench.hear()) == [(M.STATUS_ENQUIRY, None)]
    assert bench.ours.counts["link_resets"] == 1
    bench.send(M.STATUS, Cause(30), CallState(0), call_ref=REF, to_originator=ours)
    assert bench.events(Released) == [Released("k1", 41, By.LINE)]


@pytest.mark.parametrize("answer", [M.RELEASE, M.RELEASE_COMPLETE])          # 5.8.3.2 a)
def test_nobody_hung_up_when_the_far_end_knows_no_such_call(answer: MessageType) -> None:
    bench, ours = reach(Side.USER, S.ACTIVE)
    bench.reset_link()
    assert short(bench.hear()) == [(M.STATUS_ENQUIRY, None)]
    bench.send(answer, Cause(81), call_ref=REF, to_originator=ours)
    assert bench.events(Released) == [Released("k1", 81, By.LINE)]


# --- STATUS

@pytest.mark.parametrize(("side", "state"), BOTH)
@pytest.mark.parametrize("far", [11, 12, 19, 22])
def test_a_far_end_that_clears_is_followed(side: Side, state: State, far: int) -> None:
    bench, ours = reach(side, state)
    said = bench.send(M.STATUS, Cause(30), CallState(far), call_ref=REF, to_originator=ours)
    announces = state is S.DISCONNECTED and far in (11, 12)      # it clears, and we listen
    if announces or state in (S.DISCONNECTING, S.RELEASING):     # 5.8.11 b); T305 and T308 see to it
        assert said == []
        return
    assert short(said) == [(M.RELEASE, 101)]
    bench.send(M.RELEASE_COMPLETE, call_ref=REF, to_originator=ours)
    because = 17 if state is S.DISCONNECTED else 31
    assert bench.events(Released) == [Released("k1", because, By.FAR)]
    assert bench.ours.channels.idle() == 30


@pytest.mark.parametrize(("side", "state"), [(side, state) for side, state in BOTH if state in ALIVE])
def test_a_status_that_nobody_asked_for_does_no_harm_to_a_call_that_lives(side: Side, state: State) -> None:
    bench, ours = reach(side, state)
    for far in (*range(1, 11), 15, 17, 25, 63):
        for cause in (30, 96, 97, 99, 101):
            elements = (Cause(cause), CallState(far))
            assert bench.send(M.STATUS, *elements, call_ref=REF, to_originator=ours) == []
    assert bench.ours.take_events() == []
    assert bench.ours.snapshot("k1") is not None


U, N = Side.USER, Side.NETWORK
CHANNEL = ChannelId(1)


@pytest.mark.parametrize("cause", [30, 97, 98])   # 97, 98: it knows no STATUS ENQUIRY, and says its state
@pytest.mark.parametrize(("side", "state", "far", "said", "told"), [
    # we placed it, the far end is ahead: its messages were lost
    (U, S.PROCEEDING_OUT, 4, [], [Alerting("k1", False)]),
    (N, S.PROCEEDING_OUT, 7, [], [Alerting("k1", False)]),
    (U, S.PROCEEDING_OUT, 10, [(M.CONNECT_ACKNOWLEDGE, None)], [Answered("k1")]),
    (N, S.DELIVERED, 8, [(M.CONNECT_ACKNOWLEDGE, None)], [Answered("k1")]),
    (U, S.DELIVERED, 4, [], []), (N, S.PROCEEDING_OUT, 9, [], []),
    # our CONNECT ACKNOWLEDGE was lost; one that never answered and one that talks cannot both be right
    (N, S.ACTIVE, 8, [(M.CONNECT_ACKNOWLEDGE, None)], []),
    (U, S.ACTIVE, 10, [], []), (U, S.ACTIVE, 3, [(M.DISCONNECT, 101)], []),
    # it was offered to us, the far end is behind: our message was lost
    (U, S.PROCEEDING_IN, 6, [(M.CALL_PROCEEDING, None)], []), (N, S.PROCEEDING_IN, 3, [], []),
    (U, S.RECEIVED, 9, [(M.ALERTING, None)], []), (N, S.RECEIVED, 1, [(M.ALERTING, None)], []),
    (U, S.CONNECT_REQUEST, 7, [(M.CONNECT, None)], []),
    (U, S.CONNECT_REQUEST, 10, [], [Answered("k1")]),
    (U, S.RECEIVED, 10, [(M.DISCONNECT, 101)], []), (U, S.PROCEEDING_IN, 7, [], []),
])
def test_the_answer_to_our_enquiry_brings_both_sides_together(
        side: Side, state: State, far: int, said: list[tuple[MessageType, int | None]],
        told: list[object], cause: int) -> None:
    bench, ours = reach(side, state)
    lose_by_reset(bench)
    bench.ours.take_events()
    answer = bench.send(M.STATUS, Cause(cause), CallState(far), call_ref=REF, to_originator=ours)
    assert short(answer) == said
    events = bench.ours.take_events()
    assert [event for event in events if isinstance(event, (Alerting, Answered, Released))] == told
    enquiries = [message for message in bench.run(10.0) if message.type is M.STATUS_ENQUIRY]
    assert enquiries == []                        # T322 has stopped


@pytest.mark.parametrize(("far", "enquired"), [(10, False), (8, True)])
def test_a_status_of_another_cause_is_an_answer_too_when_the_states_agree(far: int, enquired: bool) -> None:
    bench, ours = reach(U, S.ACTIVE)
    lose_by_reset(bench)
    assert bench.send(M.STATUS, Cause(100), CallState(far), call_ref=REF, to_originator=ours) == []
    assert any(message.type is M.STATUS_ENQUIRY for message in bench.run(10.0)) is enquired


def test_the_connect_of_the_network_is_said_again_to_a_caller_who_did_not_hear_it() -> None:
    bench = Bench(N)
    bench.offer()
    bench.ours.answer("k1", bench.now)
    bench.ours.take_frames()                      # CONNECT is lost
    bench.reset_link()
    assert short(bench.hear()) == [(M.STATUS_ENQUIRY, None)]
    [connect] = bench.send(M.STATUS, Cause(30), CallState(3), call_ref=REF, to_originator=False)
    assert (connect.type, connect.first(ChannelId)) == (M.CONNECT, CHANNEL)


def test_a_connect_said_again_runs_t313_again_and_no_longer() -> None:
    bench, ours = reach(U, S.CONNECT_REQUEST)
    bench.run(3.0)
    lose_by_reset(bench)
    bench.send(M.STATUS, Cause(30), CallState(7), call_ref=REF, to_originator=ours)
    assert short(bench.run(3.9)) == []
    assert short(bench.run(0.2)) == [(M.DISCONNECT, 102)]


def test_the_release_after_t305_has_the_cause_of_the_disconnect() -> None:
    bench, _ = reach(U, S.DELIVERED)
    assert short(bench.run(181.0)) == [(M.DISCONNECT, 102)]      # T301
    assert short(bench.run(30.0)) == [(M.RELEASE, 102)]


# --- a new process

def test_a_hang_up_while_the_new_process_sets_the_link_up_is_not_lost() -> None:
    """The far end sends SABME, too: the first messages after the new process' own one are lost."""
    for who in ("user", "network"):
        line = Line()
        line.network.setup("n", "5001", line.now)
        line.run(0.1)
        line.user.answer("u1", line.now)
        line.run(0.1)
        line.user = Signalling(U, str, cold=False)
        line.events[line.user] = []
        line.user.restore([Snapshot("u1", 1, False, 1, S.ACTIVE)], line.now)
        line.user.line_up(True, line.now)
        while not line.user.link_up:
            line.run(0.001)
        side, key = (line.user, "u1") if who == "user" else (line.network, "n")
        side.hang_up(key, 16, line.now)
        line.reset()
        line.run(1.0)
        assert [event for event in line.take(line.user) if isinstance(event, Released)], who
        assert line.busy() == ([], [])


def test_a_call_that_was_being_cleared_is_cleared_by_the_next_process_with_the_same_cause() -> None:
    bench = Bench(N, first_call_ref=7)
    ours = Signalling(N, str, cold=False)
    ours.restore([Snapshot("k1", 7, True, 1, S.DISCONNECTING, 17)], bench.now)
    assert ours.take_events() == [Released("k1", 17, By.NEAR)]
    bench.ours = ours
    ours.line_up(True, bench.now)
    bench.reset_link()
    [release] = bench.hear()
    assert (release.type, release.call_ref, release.first(Cause)) == (M.RELEASE, 7, Cause(17, 1))
    assert short(lose_by_reset(bench)) == [(M.RELEASE, 17)]
    bench.send(M.RELEASE_COMPLETE, call_ref=7, to_originator=True)
    assert len(ours) == 0


def test_a_table_with_nonsense_costs_no_more_than_those_calls() -> None:
    ours = Signalling(U, str, cold=False)
    ours.restore([Snapshot("none", 0, True, 1, S.ACTIVE), Snapshot("good", 5, True, 2, S.ACTIVE),
                  Snapshot("twice", 5, True, 3, S.ACTIVE),
                  Snapshot("big", 0x8000, True, 4, S.ACTIVE)], 0.0)
    released = [event for event in ours.take_events() if isinstance(event, Released)]
    assert released == [Released(key, 41, By.LINE) for key in ("none", "twice", "big")]
    assert len(ours) == 1 and ours.snapshot("good") == Snapshot("good", 5, True, 2, S.ACTIVE)


def test_a_snapshot_says_why_we_were_clearing() -> None:
    causes = []
    for state in (S.DISCONNECTING, S.RELEASING):  # by us; the far end hung up
        snapshot = reach(U, state)[0].ours.snapshot("k1")
        assert snapshot is not None and snapshot.state is state
        causes.append(snapshot.cause)
    assert causes == [16, None]


# --- what the log says

def test_layer_2_troubles_are_said_in_words_and_a_start_is_no_trouble(
        caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bench = Bench(U, name="telco1")
    bench.reset_link()                            # both ends sent SABME
    assert [record.getMessage() for record in caplog.records] == ["telco1: layer 2 is up"]
    caplog.clear()
    bench.run(60.0)
    for _ in range(3):
        bench.reset_link()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "telco1: layer 2: the peer set the link up once more (MDL-ERROR F)")]


def test_numbers_of_both_sides_of_a_call_are_the_same_in_the_same_state() -> None:
    mirror = {S.INITIATED: 6, S.OVERLAP_SENDING: 25, S.PROCEEDING_OUT: 9, S.DELIVERED: 7}
    for state, number in mirror.items():
        assert NUMBERS[state][N] == number
    for placed, offered in ((S.OVERLAP_SENDING, S.OVERLAP_RECEIVING), (S.PROCEEDING_OUT, S.PROCEEDING_IN),
                            (S.DELIVERED, S.RECEIVED)):
        for side in Side:
            assert NUMBERS[placed][side] == NUMBERS[offered][side.peer]


def test_the_link_says_so_when_it_comes_up_again() -> None:
    bench = Bench(U)
    bench.ours.line_up(False, bench.now)
    bench.ours.line_up(True, bench.now)
    bench.reset_link()
    assert bench.events(LinkChanged) == [LinkChanged(False), LinkChanged(True)]
