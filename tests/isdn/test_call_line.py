"""Two ends of a span in simulated time: calls, glare, RESTART, loss, link failure, a new process."""
import msgspec
import pytest

from appliance.isdn.call.call import Snapshot
from appliance.isdn.call.states import State, Timers
from appliance.isdn.dss1 import Signalling
from appliance.isdn.elements import Cause, ChannelId, ConnectedNumber, RestartIndicator
from appliance.isdn.events import (
    Answered,
    By,
    ChannelChanged,
    ChannelChosen,
    ChannelState,
    Digits,
    Event,
    Incoming,
    LinkChanged,
    Proceeding,
    Released,
)
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from appliance.isdn.q931 import MessageType
from tests.isdn.line import CALLED, Bench, Faults, Line

M = MessageType


def talk(line: Line, caller: Signalling, key: str = "out") -> str:
    """A call from `caller`, answered; the key that the other side knows it by."""
    other = line.network if caller is line.user else line.user
    caller.setup(key, CALLED, line.now)
    line.run(0.1)
    incoming = next(event for event in line.take(other) if isinstance(event, Incoming))
    other.answer(incoming.key, line.now)
    line.run(0.1)
    assert Answered(key) in line.take(caller)
    line.take(other)
    return incoming.key


def answer_all(line: Line, side: Signalling, *, then_hang_up: bool = False) -> None:
    """From now on `side` answers every call by itself."""
    def on_event(event: Event) -> None:
        if isinstance(event, Incoming):
            side.answer(event.key, line.now)
        elif isinstance(event, Answered) and then_hang_up:
            side.hang_up(event.key, 16, line.now)
    line.on_event[side.side] = on_event


# --- calls


@pytest.mark.parametrize("caller", ["user", "network"])
@pytest.mark.parametrize("hangs_up", ["user", "network", "both"])
def test_a_call_from_either_side_ended_by_either_or_both(caller: str, hangs_up: str) -> None:
    line = Line()
    names = {caller: "out"}
    names["network" if caller == "user" else "user"] = talk(line, getattr(line, caller))
    assert line.busy() == ([1], [1])
    enders = ["user", "network"] if hangs_up == "both" else [hangs_up]
    for name in enders:
        getattr(line, name).hang_up(names[name], 16, line.now)
    line.run(0.1)
    for name in ("user", "network"):
        by = By.NEAR if name in enders else By.FAR
        assert line.take(getattr(line, name)) == [Released(names[name], 16, by)]
    assert line.busy() == ([], [])


def test_hunting_from_both_ends_fills_the_span_and_the_next_call_finds_no_channel() -> None:
    line = Line(user={"hunt": "up"}, network={"hunt": "down"})
    for number in range(15):
        line.user.setup(f"by u{number}", CALLED, line.now)
        line.network.setup(f"by n{number}", CALLED, line.now)
    line.run(1.0)
    chosen = [event.timeslot for event in line.take(line.user) if isinstance(event, ChannelChosen)]
    assert chosen == list(range(1, 16))
    assert len(line.busy()[0]) == len(line.busy()[1]) == 30
    line.user.setup("one too many", CALLED, line.now)
    assert line.take(line.user) == [Released("one too many", 34, By.LINE)]


def test_overlap_digits_reach_the_other_side() -> None:
    line = Line(network={"overlap": True})
    line.user.setup("out", "50", line.now, complete=False)
    line.run(0.1)
    for digit in "01":
        line.user.more_digits("out", digit, line.now)
        line.run(1.0)
    line.run(20.0)
    digits = [event for event in line.take(line.network) if isinstance(event, Digits)]
    assert digits == [Digits("n1", "500", False), Digits("n1", "5001", False), Digits("n1", "5001", True)]
    assert line.take(line.user) == [ChannelChosen("out", 1), Proceeding("out")]


# --- channels: 5.1.2, 5.2.3, 5.7


def test_a_second_setup_on_a_busy_channel() -> None:
    bench = Bench(Side.USER)
    bench.offer(1, 1)
    [preferred] = bench.offer(2, 1, exclusive=False)
    assert (preferred.type, preferred.first(ChannelId)) == (M.CALL_PROCEEDING, ChannelId(2))
    [exclusive] = bench.offer(3, 1)
    assert (exclusive.type, exclusive.call_ref) == (M.RELEASE_COMPLETE, 3)
    assert exclusive.first(Cause) == Cause(44)
    assert [event.key for event in bench.events(Incoming)] == ["k1", "k2"]
    assert bench.offer(1, 1) == []                # the same SETUP again is ignored, 5.8.3.2 e)


P, X = "preferred", "exclusive"
GLARE: dict[tuple[str, str, str], tuple[int, int]] = {    # timeslots that user's and network's call get;
    ("etsi", P, P): (2, 1),                       # or the cause that refuses the call
    ("etsi", X, P): (44, 2),                      # each side gives the other's call the benefit
    ("etsi", P, X): (2, 1),
    ("etsi", X, X): (44, 1),
    ("qsig", P, P): (2, 1),                       # Annex D.3
    ("qsig", X, P): (1, 2),
    ("qsig", P, X): (2, 1),
    ("qsig", X, X): (34, 1),
}


@pytest.mark.parametrize(("profile", "user", "network"), GLARE)
def test_glare_gives_one_call_the_channel_and_the_other_another_or_the_cause_to_try_again(
        profile: str, user: str, network: str) -> None:
    line = Line(user={"selection": user, "profile": PROFILES[profile]},
                network={"selection": network, "profile": PROFILES[profile]})
    line.user.setup("from user", CALLED, line.now)
    line.network.setup("from network", CALLED, line.now)
    line.run(0.5)
    got = {}
    for side in (line.user, line.network):
        for event in line.take(side):
            if isinstance(event, ChannelChosen):
                got[event.key] = event.timeslot
            elif isinstance(event, Released):
                got[event.key] = event.cause
    assert (got["from user"], got["from network"]) == GLARE[profile, user, network]
    assert line.busy() == ([slot for slot in (1, 2) if slot in got.values()],) * 2
    assert line.user.counts["glare"] == line.network.counts["glare"] == 1


def test_a_channel_that_the_far_end_gave_to_another_call_of_ours_is_its_own_then() -> None:
    """Our second SETUP prefers the channel that the far end names in its answer to the first one."""
    bench = Bench(Side.USER)
    bench.ours.setup("first", CALLED, bench.now)
    bench.ours.setup("second", CALLED, bench.now)
    bench.send(M.CALL_PROCEEDING, ChannelId(2), call_ref=1, to_originator=True)
    bench.send(M.CALL_PROCEEDING, ChannelId(1), call_ref=2, to_originator=True)
    assert bench.events(ChannelChosen) == [ChannelChosen("first", 2), ChannelChosen("second", 1)]


@pytest.mark.parametrize("cause", [6, 44, 82])
def test_a_channel_refused_again_and_again_comes_last_and_is_restarted(cause: int) -> None:
    bench = Bench(Side.USER, timeslots=(1,))
    for reference in (1, 2, 3):
        bench.ours.setup(f"out{reference}", CALLED, bench.now)
        answer = bench.send_octets(bytes((8, 2, 0x80, reference, 0x5A, 8, 2, 0x82, 0x80 | cause)))
    assert bench.events(Released) == [
        Released(f"out{reference}", cause, By.FAR, channel_refused=True) for reference in (1, 2, 3)]
    assert [message.type for message in answer] == [M.SETUP, M.RESTART]
    bench = Bench(Side.USER)
    bench.ours.setup("out", CALLED, bench.now)
    bench.send_octets(bytes((8, 2, 0x80, 1, 0x5A, 8, 2, 0x82, 0x80 | cause)))
    bench.ours.setup("again", CALLED, bench.now)
    assert bench.hear()[-1].first(ChannelId) == ChannelId(2, exclusive=False)


def test_a_channel_whose_setups_nobody_answers_comes_last_and_the_third_time_it_is_restarted() -> None:
    bench = Bench(Side.USER)
    wanted = []
    for key in ("silent", "next"):
        bench.ours.setup(key, CALLED, bench.now)
        wanted += [message.first(ChannelId) for message in bench.run(8.1) if message.type is M.SETUP]
    assert wanted == [ChannelId(slot, exclusive=False) for slot in (1, 1, 2, 2)]
    assert bench.ours.channels.idle() == 30       # no RESTART is due for one silence
    bench = Bench(Side.USER, timeslots=(1,))
    for key in ("first", "second"):
        bench.ours.setup(key, CALLED, bench.now)
        assert [message.type for message in bench.run(8.1)] == [M.SETUP, M.SETUP, M.RELEASE_COMPLETE]
    bench.ours.setup("third", CALLED, bench.now)
    assert [message.type for message in bench.run(8.1)][-2:] == [M.RELEASE_COMPLETE, M.RESTART]
    bench.run(10.0)                               # a far end that does no RESTART either
    assert bench.ours.channels.idle() == 1


# --- RESTART, 5.5


@pytest.mark.need(1)
def test_a_restart_that_nobody_answers_is_repeated_and_heals_by_itself() -> None:
    bench = Bench(Side.USER, timers=Timers(t316_s=10.0, n316=2))
    bench.ours.setup("out", CALLED, bench.now)
    bench.ours.hang_up("out", 16, bench.now)
    said = [message.type for message in bench.run(30 + 8 + 9)]
    assert said == [M.SETUP, M.DISCONNECT, M.RELEASE, M.RELEASE, M.RESTART]
    assert bench.ours.channels[1].state is ChannelState.RESTARTING
    assert [message.type for message in bench.run(20)] == [M.RESTART, M.RESTART]
    states = [event.state for event in bench.events(ChannelChanged)]
    assert states[-2:] == [ChannelState.RESTARTING, ChannelState.OUT_OF_SERVICE]
    [proceeding] = bench.offer(7, 1)              # the far end uses it: it is in service again
    assert proceeding.type is M.CALL_PROCEEDING
    assert bench.run(60) == []                    # no RESTART of a channel that talks


@pytest.mark.need(1)
def test_an_exclusive_setup_on_a_channel_we_restart_is_refused_and_the_acknowledgement_frees_it() -> None:
    bench = Bench(Side.NETWORK)
    bench.ours.setup("out", CALLED, bench.now)
    bench.ours.hang_up("out", 16, bench.now)
    bench.run(40)
    assert [message.type for message in bench.offer(7, 1)] == [M.RELEASE_COMPLETE]
    bench.send(M.RESTART_ACKNOWLEDGE, ChannelId(1), RestartIndicator(), call_ref=0, to_originator=True)
    assert [message.type for message in bench.offer(8, 1)] == [M.CALL_PROCEEDING]


@pytest.mark.parametrize(("indicator", "channel", "left"), [
    (RestartIndicator.CHANNELS, (ChannelId(1),), ["k2"]),
    (RestartIndicator.CHANNELS, (ChannelId(1, others=(2, 9)),), []),
    (RestartIndicator.INTERFACE, (), []),
    (RestartIndicator.ALL_INTERFACES, (), []),
], ids=["one", "several", "interface", "all"])
def test_restart_from_the_far_end_clears_its_calls_and_is_acknowledged(
        indicator: int, channel: tuple[ChannelId, ...], left: list[str]) -> None:
    bench = Bench(Side.USER)
    bench.offer(1, 1), bench.offer(2, 2)
    elements = (*channel, RestartIndicator(indicator))
    [acknowledge] = bench.send(M.RESTART, *elements, call_ref=0, to_originator=False)
    assert (acknowledge.type, acknowledge.call_ref) == (M.RESTART_ACKNOWLEDGE, 0)
    assert acknowledge.to_originator
    assert set(acknowledge.elements) == set(elements)
    assert bench.events(Released) == [Released(key, 41, By.LINE) for key in ("k1", "k2") if key not in left]
    assert bench.ours.channels.idle() == 30 - len(left)


def test_restart_of_channels_without_naming_them_is_cause_96() -> None:
    bench = Bench(Side.USER)
    [status] = bench.send(M.RESTART, RestartIndicator(), call_ref=0, to_originator=False)
    assert (status.type, status.first(Cause)) == (M.STATUS, Cause(96, diagnostic=b"\x18"))


def test_a_cold_start_restarts_the_interface_once_and_a_warm_one_does_not() -> None:
    line = Line()
    assert (line.user.counts["restarts_received"], line.network.counts["restarts_received"]) == (1, 1)
    line.connect(False)
    line.connect()
    line.run(1.0)
    assert line.user.counts["restarts_received"] == 1
    warm = Line(user={"cold": False}, network={"cold": False})
    assert warm.user.counts["restarts_received"] == 0


# --- loss and link failure, 5.8.8 and 5.8.9


def test_two_hundred_calls_over_a_line_that_loses_every_twentieth_frame() -> None:
    line = Line(faults=Faults(loss=0.05), user={"hunt": "up"}, network={"hunt": "down"})
    answer_all(line, line.network, then_hang_up=True)
    answer_all(line, line.user, then_hang_up=True)
    for number in range(100):
        line.user.setup(f"by u{number}", CALLED, line.now)
        line.network.setup(f"by n{number}", CALLED, line.now)
        line.run(0.5)
    line.run(60.0)
    for side, prefix in ((line.user, "by u"), (line.network, "by n")):
        events = line.take(side)
        answered = {event.key for event in events if isinstance(event, Answered)}
        released = {event.key: event.cause for event in events if isinstance(event, Released)}
        placed = {f"{prefix}{number}" for number in range(100)}
        assert placed <= released.keys()
        assert len(placed & answered) >= 98, {key: released[key] for key in placed - answered}
    assert line.busy() == ([], [])
    assert len(line.user) == len(line.network) == 0


def test_a_cut_of_five_seconds_keeps_the_talking_and_ends_the_ringing() -> None:
    line = Line()
    talking = talk(line, line.user)
    line.network.setup("rings", CALLED, line.now)
    line.run(0.1)
    line.take(line.user), line.take(line.network)
    line.connect(False)
    assert line.take(line.network) == [LinkChanged(False), Released("rings", 41, By.LINE)]
    line.run(5.0)
    line.connect()
    line.run(2.0)
    assert [event for event in line.take(line.user) if isinstance(event, Released)] == [
        Released("u1", 41, By.LINE)]
    line.run(200.0)                               # neither T309 nor T322 runs on
    assert line.take(line.network) == [LinkChanged(True)]
    assert line.busy() == ([1], [1])
    line.user.hang_up("out", 16, line.now)
    line.run(0.1)
    assert line.take(line.network) == [Released(talking, 16, By.FAR)]
    assert line.busy() == ([], [])


def test_a_line_that_is_deaf_is_noticed_by_layer_2_and_talking_calls_end_by_t309() -> None:
    line = Line()
    talking = talk(line, line.user)
    line.deaf = True
    line.run(30.0)
    assert line.take(line.user) == [LinkChanged(False)]
    line.run(90.0)
    assert line.take(line.user) == [Released("out", 27, By.LINE)]
    assert Released(talking, 27, By.LINE) in line.take(line.network)
    assert line.busy() == ([], [])
    line.deaf = False
    line.run(10.0)
    assert line.take(line.user) == [LinkChanged(True)]
    line.run(60.0)
    assert (len(line.user), len(line.network)) == (0, 0)
    assert line.busy() == ([], [])


def test_hanging_up_while_the_link_is_away_is_told_the_far_end_later() -> None:
    line = Line()
    talking = talk(line, line.user)
    line.connect(False)
    line.user.hang_up("out", 16, line.now)
    assert line.take(line.user) == [LinkChanged(False), Released("out", 16, By.NEAR)]
    line.run(1.0)
    line.connect()
    line.run(1.0)
    assert Released(talking, 16, By.FAR) in line.take(line.network)
    assert line.busy() == ([], [])


def test_a_link_reset_asks_for_the_state_and_clears_only_what_collects_digits() -> None:
    bench = Bench(Side.USER, overlap=True)
    bench.offer(1, 1)
    bench.offer(2, 2, complete=False)
    bench.ours.answer("k1", bench.now)
    bench.send(M.CONNECT_ACKNOWLEDGE, call_ref=1, to_originator=False)
    bench.hear()
    bench.ours.alert("k2", bench.now)             # on its way, not acknowledged, when the far end resets
    bench.ours.take_frames()
    bench.reset_link()
    said = {(message.type, message.call_ref) for message in bench.hear()}
    assert said == {(M.STATUS_ENQUIRY, 1), (M.STATUS_ENQUIRY, 2)}
    bench.send_octets(bytes.fromhex("08 02 00 01 7d 08 02 82 9e 14 01 0a"))         # active
    bench.send_octets(bytes.fromhex("08 02 00 02 7d 08 02 82 9e 14 01 00"))         # null
    assert bench.events(Released) == [Released("k2", 41, By.LINE)]
    assert bench.run(60.0) == []


def test_a_far_end_that_never_answers_our_enquiry_loses_the_call() -> None:
    bench = Bench(Side.USER)
    bench.offer(1, 1)
    bench.ours.answer("k1", bench.now)
    bench.send(M.CONNECT_ACKNOWLEDGE, call_ref=1, to_originator=False)
    bench.hear()
    bench.ours.line_up(False, bench.now)
    bench.ours.line_up(True, bench.now)
    said = [message.type for message in bench.run(13.0)]
    assert said == [M.STATUS_ENQUIRY, M.STATUS_ENQUIRY, M.STATUS_ENQUIRY, M.DISCONNECT]


# --- a new process, same calls


def bring(line: Line, side: Side, state: State) -> tuple[str, str]:
    """A call that is in `state` on `side`, and its keys there and at the other end."""
    ours, far = line.side(side), line.side(side.peer)
    placed = state in (State.INITIATED, State.OVERLAP_SENDING, State.PROCEEDING_OUT, State.DELIVERED)
    caller, called = (ours, far) if placed else (far, ours)
    caller.setup("out", CALLED, line.now, complete=False)
    if state is not State.INITIATED:
        line.run(0.1)
        key = next(event.key for event in line.take(called) if isinstance(event, Incoming))
        if state in (State.PROCEEDING_OUT, State.PROCEEDING_IN):
            called.proceed(key, line.now)
        elif state in (State.DELIVERED, State.RECEIVED):
            called.alert(key, line.now, in_band=True)
        elif state in (State.CONNECT_REQUEST, State.ACTIVE):
            called.answer(key, line.now, elements=[ConnectedNumber("5001")])
        if state is not State.CONNECT_REQUEST:
            line.run(0.1)
    keys = ("out", key) if placed else (key, "out")
    snapshot = ours.snapshot(keys[0])
    assert snapshot is not None and snapshot.state is state
    return keys


KEEPS = [(side, state) for side in Side for state in (
    State.PROCEEDING_OUT, State.DELIVERED, State.PROCEEDING_IN, State.RECEIVED, State.CONNECT_REQUEST,
    State.ACTIVE) if (side, state) != (Side.NETWORK, State.CONNECT_REQUEST)]


@pytest.mark.need(24)
@pytest.mark.parametrize(("side", "state"), KEEPS)
def test_a_new_process_goes_on_with_a_call_that_rings_or_talks(side: Side, state: State) -> None:
    line = Line(user={"overlap": True}, network={"overlap": True})
    ours, theirs = bring(line, side, state)
    after, far = line.new_process(side), line.side(side.peer)
    line.run(2.0)
    called, key, caller = (far, theirs, after) if ours == "out" else (after, ours, far)
    called.answer(key, line.now)
    line.run(300.0)                               # no timer that ran before ends a call that talks
    assert line.busy() == ([1], [1])
    heard = [type(event) for event in line.take(caller) if not isinstance(event, LinkChanged)]
    assert Released not in heard
    assert state is State.ACTIVE or heard[-1] is Answered
    after.hang_up(ours, 16, line.now)
    line.run(1.0)
    ended = [event for event in line.take(far) if isinstance(event, Released)]
    assert [(event.key, event.cause, event.by) for event in ended] == [(theirs, 16, By.FAR)]
    assert line.busy() == ([], [])


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("state", [State.INITIATED, State.OVERLAP_SENDING, State.OVERLAP_RECEIVING])
def test_a_new_process_clears_a_call_whose_number_or_channel_is_not_settled(side: Side, state: State) -> None:
    line = Line(user={"overlap": True}, network={"overlap": True})
    key, _ = bring(line, side, state) if state is not State.INITIATED else ("out", "")
    if state is State.INITIATED:
        line.side(side).setup("out", CALLED, line.now)
    after = line.new_process(side)
    line.run(5.0)
    assert Released(key, 41, By.LINE) in line.take(after)
    assert len(line.user) == len(line.network) == 0
    assert line.busy() == ([], [])


def test_a_snapshot_is_plain_values_that_come_back_from_json() -> None:
    line = Line(network={"overlap": True})
    key, _ = bring(line, Side.NETWORK, State.ACTIVE)
    snapshot = line.network.snapshot(key)
    assert snapshot is not None and snapshot.response
    assert msgspec.json.decode(msgspec.json.encode(snapshot), type=Snapshot) == snapshot


def test_the_no_answer_time_of_a_call_that_rings_runs_on_in_the_new_process() -> None:
    line = Line()
    line.user.setup("out", CALLED, line.now)
    line.run(0.1)
    line.network.alert("n1", line.now)
    line.run(100.0)
    after = line.new_process(Side.USER)
    line.run(79.0)
    assert [event for event in line.take(after) if isinstance(event, Released)] == []
    line.run(2.0)                                 # T301
    assert Released("out", 19, By.LINE) in line.take(after)


def test_a_restored_call_that_the_far_end_no_longer_has_ends() -> None:
    line = Line()
    line.user = Signalling(Side.USER, lambda: "new", cold=False)
    line.events[line.user] = []
    line.user.restore([Snapshot("old", 5, True, 3, State.ACTIVE)], line.now)
    line.user.line_up(True, line.now)
    line.run(1.0)
    assert line.take(line.user) == [LinkChanged(True), Released("old", 41, By.LINE)]
    assert line.busy() == ([], [])


def test_call_references_go_round_and_skip_those_in_use() -> None:
    bench = Bench(Side.USER, first_call_ref=0x7FFF)
    for key in ("last", "first"):
        bench.ours.setup(key, CALLED, bench.now)
    said = bench.offer(2)                         # the far end's own reference 2 is another one
    bench.ours.setup("third", CALLED, bench.now)
    said += bench.hear()
    assert [message.call_ref for message in said if message.type is M.SETUP] == [0x7FFF, 1, 2]
