"""The model check, briefly: it holds, it finds what it is for; and what it and the day of traffic found."""
from dataclasses import replace
from typing import Any

import pytest

from appliance.isdn.call import errors, table
from appliance.isdn.call.call import Call
from appliance.isdn.call.states import On, State
from appliance.isdn.calls import Calls
from appliance.isdn.elements import BearerCapability, CalledNumber, Cause, ChannelId, SendingComplete
from appliance.isdn.events import By, Released
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from appliance.isdn.q931 import MessageType
from tests.isdn.line import CALLED, Bench, Line, not_idle
from tests.isdn.model import MODELS, check
from tests.isdn.world import World

M = MessageType
RUNS = 60
RUNS_TO_FIND = 100


@pytest.mark.parametrize("name", MODELS)
def test_whatever_happens_both_ends_agree_and_nothing_is_stuck(name: str) -> None:
    check(MODELS[name], RUNS)


PLANTED: dict[str, tuple[Any, Any, Any]] = {      # where, what, and what is there instead
    "no enquiry when the link is back": (table.EVENTS, (State.ACTIVE, On.LINK_BACK), errors.ignore),
    "no T308": (table.EVENTS, (State.RELEASING, On.T308), errors.ignore),
    "a deadline is not looked at": (Calls, "touched", lambda calls, call: None),
    "glare leaves both the channel": (Call, "yield_channel", lambda call: None),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_fault_in_the_signalling_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, what, instead = PLANTED[name]
    (monkeypatch.setitem if isinstance(where, dict) else monkeypatch.setattr)(where, what, instead)
    with pytest.raises(AssertionError):
        check(MODELS["in order"], RUNS_TO_FIND, shrink=False)


# --- what it found


def test_a_restart_that_crosses_a_setup_leaves_no_call_behind() -> None:
    """The far end gave the call another channel, its application is slow, and the caller forgot the call."""
    world = World(user={"auto_proceed": False})
    world.restart(Side.USER, 1)
    key = world.place(Side.NETWORK, timeslot=1, run_s=0.1)
    assert world.applications[Side.NETWORK].over[key] == Released(key, 41, By.LINE)
    assert list(world.end(Side.USER)) == []
    world.settle()


def test_a_new_process_says_that_channels_are_in_service_again() -> None:
    """What the one before it said, and what was changed while nobody heard it, is not known to it."""
    known = {"profile": replace(PROFILES["etsi"], service_messages=True), "timeslots": (1, 2)}
    line = Line(user=known, network=known)
    line.user.block([1], line.now)
    line.run(0.1)
    assert not_idle(line.network) == [1]
    line.new_process(Side.USER)
    line.run(2.0)
    assert not_idle(line.network) == []


def test_two_ends_that_join_the_same_two_calls_do_not_talk_for_ever() -> None:
    """What each passes on comes back to it by the other call."""
    world = World(profile=PROFILES["qsig"])
    world.behave(Side.NETWORK, "answer")
    for _ in range(2):
        world.place(Side.USER, run_s=1.0)
    for side in Side:
        world.transfer(side, 0, 1)
    before = world.line.frames
    world.run(600.0)
    assert 300 < world.line.frames - before < 1000
    world.settle()


AWARDS = {                                        # what SETUP says of the channel
    "a busy one, if possible": (ChannelId(1, exclusive=False),),
    "any": (ChannelId(None, exclusive=False, any_channel=True),),
    "nothing": (),
}


@pytest.mark.parametrize("wanted", AWARDS)
def test_a_channel_that_the_far_end_does_not_take_from_us_is_not_given_again_at_once(wanted: str) -> None:
    """Its people have blocked it, and it cannot say so."""
    bench = Bench(Side.NETWORK)
    bench.offer(1, 1)
    given = []
    for call_ref in range(2, 8):
        [proceeding] = bench.send(
            M.SETUP, BearerCapability(), *AWARDS[wanted], CalledNumber(CALLED), SendingComplete(),
            call_ref=call_ref, to_originator=False)
        channel = proceeding.first(ChannelId)
        assert channel is not None
        given.append(channel.timeslot)
        bench.send(M.RELEASE, Cause(6), call_ref=call_ref, to_originator=False)
    assert given == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(("side", "profile", "said"), [
    (Side.NETWORK, "etsi", ChannelId(None, exclusive=False, any_channel=True)), (Side.USER, "etsi", None),
    (Side.NETWORK, "qsig", None)])
def test_a_network_says_something_of_the_channel(side: Side, profile: str, said: ChannelId | None) -> None:
    """Its SETUP must have the element (table 3-15), or users refuse every call with cause 96."""
    bench = Bench(side, profile=PROFILES[profile], selection="none")
    bench.ours.setup("out", CALLED, bench.now)
    [setup] = bench.hear()
    assert setup.first(ChannelId) == said
