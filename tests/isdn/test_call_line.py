"""Two ends of a span in simulated time: calls, glare, RESTART, loss, link failure, a new process."""
import pytest

from appliance.isdn.call.call import Snapshot
from appliance.isdn.call.states import Timers
from appliance.isdn.dss1 import Signalling
from appliance.isdn.elements import Cause, ChannelId, RestartIndicator
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
from appliance.isdn.q931 import MessageType
from tests.isdn.line import CALLED, Bench, Line

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
    line.on_event[side] = on_event


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
        line.user.setup(f"u{number}", CALLED, line.now)
        line.network.setup(f"n{number}", CALLED, line.now)
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


@pytest.mark.parametrize(("user", "network", "user_keeps"), [
    (False, False, False), (True, False, True), (False, True, False)], ids=[
        "both prefer: the network keeps it", "the user insists", "the network insists"])
def test_glare_gives_one_call_the_channel_and_the_other_another(
        user: bool, network: bool, user_keeps: bool) -> None:
    line = Line(user={"exclusive": user}, network={"exclusive": network})
    line.user.setup("from user", CALLED, line.now)
    line.network.setup("from network", CALLED, line.now)
    line.run(0.5)
    chosen = {event.key: event.timeslot for side in (line.user, line.network)
              for event in line.take(side) if isinstance(event, ChannelChosen)}
    assert chosen == {"from user": 1 if user_keeps else 2, "from network": 2 if user_keeps else 1}
    assert line.busy() == ([1, 2], [1, 2])


def test_glare_of_two_that_insist_refuses_the_users_call() -> None:
    line = Line(user={"exclusive": True}, network={"exclusive": True})
    line.user.setup("from user", CALLED, line.now)
    line.network.setup("from network", CALLED, line.now)
    line.run(0.5)
    assert Released("from user", 34, By.FAR) in line.take(line.user)
    assert ChannelChosen("from network", 1) in line.take(line.network)
    assert line.busy() == ([1], [1])


def test_a_channel_refused_again_and_again_comes_last_and_is_restarted() -> None:
    bench = Bench(Side.USER, timeslots=(1,))
    for reference in (1, 2, 3):
        bench.ours.setup(f"out{reference}", CALLED, bench.now)
        answer = bench.send_octets(bytes((8, 2, 0x80, reference, 0x5A, 8, 2, 0x82, 0x80 | 44)))
    assert bench.events(Released) == [
        Released(f"out{reference}", 44, By.FAR, channel_refused=True) for reference in (1, 2, 3)]
    assert [message.type for message in answer] == [M.SETUP, M.RESTART]
    bench = Bench(Side.USER)
    bench.ours.setup("out", CALLED, bench.now)
    bench.send_octets(bytes((8, 2, 0x80, 1, 0x5A, 8, 2, 0x82, 0x80 | 44)))
    bench.ours.setup("again", CALLED, bench.now)
    assert bench.hear()[-1].first(ChannelId) == ChannelId(2, exclusive=False)


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
    assert (status.type, status.first(Cause)) == (M.STATUS, Cause(96))


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
    line = Line(loss=0.05, user={"hunt": "up"}, network={"hunt": "down"})
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


def test_a_new_process_keeps_what_talks_and_clears_the_rest() -> None:
    line = Line()
    talk(line, line.network, "talks")
    line.network.setup("rings", CALLED, line.now)
    line.run(0.1)
    snapshots = [snapshot for key in ("u1", "u2") if (snapshot := line.user.snapshot(key))]
    assert snapshots == [Snapshot("u1", 1, False, 1, True), Snapshot("u2", 2, False, 2, False)]
    line.take(line.network)

    line.user = Signalling(Side.USER, lambda: "new", cold=False)
    line.events[line.user] = []
    line.user.restore(snapshots, line.now)
    line.user.line_up(True, line.now)
    line.run(2.0)
    assert line.take(line.user) == [Released("u2", 41, By.LINE), LinkChanged(True)]
    assert line.take(line.network) == [Released("rings", 41, By.FAR)]
    assert line.busy() == ([1], [1])
    line.run(200.0)
    line.network.hang_up("talks", 16, line.now)
    line.run(1.0)
    assert line.take(line.user) == [Released("u1", 16, By.FAR)]
    assert line.busy() == ([], [])


def test_a_restored_call_that_the_far_end_no_longer_has_ends() -> None:
    line = Line()
    line.user = Signalling(Side.USER, lambda: "new", cold=False)
    line.events[line.user] = []
    line.user.restore([Snapshot("old", 5, True, 3, True)], line.now)
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
