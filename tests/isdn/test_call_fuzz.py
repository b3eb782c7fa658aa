"""Whatever the far end sends: nothing is raised, and no channel stays stuck once all timers have run out."""
import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import StateError
from appliance.isdn.call.states import State
from appliance.isdn.dss1 import Signalling
from appliance.isdn.elements import (
    BearerCapability,
    CalledNumber,
    CallState,
    Cause,
    ChannelId,
    Display,
    Element,
    KeypadFacility,
    ProgressIndicator,
    RestartIndicator,
    SendingComplete,
)
from appliance.isdn.events import ChannelState, Incoming
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from appliance.isdn.q931 import Message, MessageType, encode
from tests.isdn.line import CALLED, Bench, reach, reachable

timeslots = st.sampled_from([1, 2, 3, 17])        # few, so that they meet
elements: list[st.SearchStrategy[Element]] = [
    st.just(BearerCapability()), st.builds(CalledNumber, st.text("0123456789", max_size=40)),
    st.builds(CallState, st.integers(0, 31)), st.builds(Cause, st.integers(0, 127), st.integers(0, 15)),
    st.builds(ChannelId, st.none() | timeslots, st.booleans()), st.just(Display("x")),
    st.builds(KeypadFacility, st.text("0123456789", max_size=3)), st.just(ProgressIndicator(8)),
    st.builds(RestartIndicator, st.sampled_from([0, 6, 7])), st.just(SendingComplete())]
messages = st.builds(
    Message, st.sampled_from(MessageType), st.integers(0, 4), st.booleans(),
    st.lists(st.one_of(elements), max_size=6, unique_by=type).map(tuple))
setups = st.builds(
    lambda call_ref, channel, complete: Message(
        MessageType.SETUP, call_ref, False, (BearerCapability(), CalledNumber(CALLED), channel, *complete)),
    st.integers(1, 4), st.builds(ChannelId, timeslots, st.booleans()),
    st.sampled_from([(), (SendingComplete(),)]))
replies = st.builds(
    lambda kind, call_ref, ours: Message(
        kind, call_ref, ours, (Cause(16), CallState(10), ProgressIndicator(8), CalledNumber("1"))),
    st.sampled_from(MessageType), st.sampled_from([1, 1, 1, 2, 3]), st.booleans())
steps = st.one_of(
    setups.map(encode), replies.map(encode),
    messages.map(encode),
    st.binary(min_size=1, max_size=40),
    st.binary(max_size=30).map(lambda rest: b"\x08\x02\x00\x01" + rest),
    st.sampled_from(["dial", "alert", "answer", "proceed", "want digits", "progress", "notify", "enquire",
                     "more digits", "hang up", "announce", "line down", "line up", "reset"]),
    st.floats(0.0, 100.0))


def ask(ours: Signalling, what: str, key: str, now: float) -> None:
    match what:
        case "hang up":
            ours.hang_up(key, 16, now)
        case "announce":
            ours.hang_up(key, 1, now, elements=[ProgressIndicator(8)])
        case "notify":
            ours.notify(key, 0, now)
        case "more digits":
            ours.more_digits(key, "1", now)
        case "alert" | "answer" | "proceed" | "want digits" | "progress" | "enquire":
            getattr(ours, what.replace(" ", "_"))(key, now)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([(side, state) for side in Side for state in reachable(side)]),
       st.sampled_from(sorted(PROFILES)), st.lists(steps, max_size=40))
def test_nothing_is_raised_and_no_channel_stays_stuck(
        start: tuple[Side, State], profile: str, story: list[object]) -> None:
    bench, _ = reach(*start, profile=PROFILES[profile])
    keys = ["k1"]
    placed = 0
    up = True
    for step in story:
        if isinstance(step, bytes):
            if up:
                bench.send_octets(step)
        elif isinstance(step, float):
            bench.run(step)
        elif step == "dial":
            placed += 1
            keys.append(f"out{placed}")
            bench.ours.setup(keys[-1], CALLED, bench.now)
        elif step in ("line down", "line up"):
            up = step == "line up"
            bench.ours.line_up(up, bench.now)
            if up:
                bench.reset_link()
        elif step == "reset" and up:
            bench.reset_link()
        keys += [event.key for event in bench.events(Incoming)]
        for key in keys:
            if isinstance(step, str):
                with contextlib.suppress(StateError):            # too late, or gone
                    ask(bench.ours, step, key, bench.now)
    bench.ours.line_up(True, bench.now)
    bench.reset_link()
    for key in keys:
        bench.ours.hang_up(key, 16, bench.now)
    bench.run(200.0)
    assert len(bench.ours) == 0
    stuck = [channel for channel in bench.ours.channels.all() if channel.state is ChannelState.BUSY]
    assert stuck == []


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(Side), st.lists(st.binary(max_size=300), max_size=20))
def test_any_octets_as_frames_do_no_harm(side: Side, frames: list[bytes]) -> None:
    bench = Bench(side)
    for frame in frames:
        bench.ours.receive_frame(frame, bench.now)
        bench.ours.take_frames()
    bench.reset_link()
    assert [message.type for message in bench.offer()] == [MessageType.CALL_PROCEEDING]
