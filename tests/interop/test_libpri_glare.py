"""Glare: both ends send SETUP for one channel at the same moment (5.7, Annex D.3)."""
from collections.abc import Iterator

import pytest

from appliance.isdn.events import Answered, By, ChannelChosen, Incoming, Released
from appliance.isdn.lapd import Side
from hil_tests.instruments.libpri import Handle
from tests.interop.joined import Joined
from tests.interop.matrix import scenario
from tests.isdn.line import CALLED

WE_WIN = {                                        # by our side and who of us both insists on the channel
    (Side.USER, "nobody"): False, (Side.USER, "libpri"): False, (Side.USER, "we"): True,
    (Side.USER, "both"): False, (Side.NETWORK, "nobody"): True, (Side.NETWORK, "libpri"): True,
    (Side.NETWORK, "we"): True, (Side.NETWORK, "both"): True,
}
WE_WIN_BETWEEN_EQUALS = WE_WIN | {(Side.NETWORK, "libpri"): False}       # a private network's

INSIST = pytest.mark.parametrize("insists", ["nobody", "libpri", "we", "both"])


def collide(line: Joined, insists: str) -> tuple[Handle, bool]:
    """libpri's handle of our call, and whether that has the channel."""
    line.far.setup(CALLED, "", "", 1, insists in ("libpri", "both"), True)
    ours = line.call(timeslot=1, exclusive=insists in ("we", "both")).handle
    winners = WE_WIN_BETWEEN_EQUALS if line.profile.symmetric else WE_WIN
    return ours, winners[line.side, insists]


@scenario("Both ask for channel 1, one or both insist on it: one call has it, the other another one or ends")
@INSIST
def test_collision(line: Joined, insists: str) -> None:
    """libpri's application knows its part: it keeps the channel where its call has priority."""
    ours, we_win = collide(line, insists)
    keys = list(_settle_theirs(line, insists, we_win))
    if we_win:
        line.far.proceeding(ours, 1)
        line.far.connect(ours, 1)
        assert line.event(Answered).key == "out" and line.event(ChannelChosen).timeslot == 1
        keys.append("out")
    elif insists in ("we", "both"):
        line.far.hang_up(ours, 44)
        line.turn()
        assert line.event(Released) == Released("out", 44, By.FAR, channel_refused=True)
    else:
        line.far.proceeding(ours, 5)
        line.far.connect(ours, 5)
        assert line.event(Answered).key == "out" and line.event(ChannelChosen).timeslot == 5
        keys.append("out")
    assert keys and all(line.talks(key) for key in keys)
    line.clear(*keys)


def _settle_theirs(line: Joined, insists: str, we_win: bool) -> Iterator[str]:
    """libpri's call is taken or refused."""
    if we_win and insists in ("libpri", "both"):
        cause = 34 if line.profile.symmetric else 44
        assert [event.cause for event in line.hears("RELEASE")] == [cause]
        return
    incoming = line.event(Incoming)
    assert incoming.timeslot == line.far_event("PROCEEDING").timeslot == (2 if we_win else 1)
    line.ours.answer(incoming.key, line.now)
    assert line.event(Answered).key == incoming.key
    yield incoming.key


@scenario("libpri clears our call that lost the channel: another try finds another one")
def test_tried_again(line: Joined) -> None:
    line.far.setup(CALLED, "", "", 1, True, True)
    setup = line.call(timeslot=1)
    if line.side is Side.NETWORK and not line.profile.symmetric:
        assert [event.cause for event in line.hears("RELEASE")] == [44]
    line.far.hang_up(setup.handle, 44)
    line.turn()
    assert line.event(Released) == Released("out", 44, By.FAR, channel_refused=True)
    assert line.call("again", timeslot=2).timeslot == 2
    line.clear("again", *(event.key for event in line.events if isinstance(event, Incoming)))


@scenario("Both ask for all thirty channels at the same moment: thirty calls or fewer, never two on one")
def test_many(line: Joined) -> None:
    slots = list(line.ours.channels.timeslots)
    theirs = [line.far.setup(CALLED, "", "", timeslot, False, True) for timeslot in slots]
    for timeslot in slots:
        line.ours.setup(f"out {timeslot}", CALLED, line.now, timeslot=timeslot)
    line.turn()
    for setup in line.hears("SETUP"):
        line.far.hang_up(setup.handle, 44)        # libpri's application has no other channel
    line.run(1.0)
    released = [event for event in line.events if isinstance(event, Released)]
    incoming = [event for event in line.events if isinstance(event, Incoming)]
    assert {event.cause for event in released} == {44} and len(released) == 30
    assert len({event.timeslot for event in incoming}) == len(incoming)
    assert len(incoming) == (30 if line.side is Side.USER else 0)
    refused = [event for event in line.hears("RELEASE") if event.cause == 34]
    assert len(incoming) + len(refused) == len(theirs)
    line.clear(*(event.key for event in incoming))
