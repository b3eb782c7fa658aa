"""Channels: every way to ask for one, to answer with one, and to refuse it."""
import pytest

from appliance.isdn.events import By, ChannelChosen, ChannelState, Released
from hil_tests.instruments.libpri import ANY
from tests.interop.joined import Joined
from tests.interop.matrix import DSS1, NETWORK, PRIVATE, USER, scenario
from tests.isdn.line import CALLED

NONE = 0                                          # libpri's, when it is exclusive: SETUP without the element
REFUSED = ["< SETUP", "> RELEASE COMPLETE 44"]


@scenario("libpri offers an idle channel, preferred or exclusive")
@pytest.mark.parametrize("exclusive", [True, False])
def test_idle(line: Joined, exclusive: bool) -> None:
    key, _ = line.call_in(17, exclusive=exclusive)
    assert [event.timeslot for event in line.heard] == [17, 17, 17] and line.talks(key)
    line.clear(key)


@scenario("libpri offers a busy channel, preferred: it gets another one")
def test_busy_preferred(line: Joined) -> None:
    first, _ = line.call_in(1)
    line.heard.clear()
    second, _ = line.call_in(1)
    assert [event.timeslot for event in line.heard] == [2, 2, 2]
    assert line.talks(first) and line.talks(second)
    line.clear(first, second)


@scenario("libpri offers a busy channel, exclusive: cause 44")
def test_busy_exclusive(line: Joined) -> None:
    first, _ = line.call_in(1)
    line.forget()
    line.offer(1, exclusive=True)
    assert line.said == REFUSED and line.events == [] and line.talks(first)
    line.clear(first)


@scenario("libpri offers a channel that does not exist, exclusive: cause 82")
@pytest.mark.parametrize("timeslot", [16, 40])
def test_no_such_channel(line: Joined, timeslot: int) -> None:
    line.offer(timeslot, exclusive=True)
    assert line.said == ["< SETUP", "> RELEASE COMPLETE 82"] and line.events == []
    line.forgive()


@scenario("libpri leaves the choice to us: a user takes the last idle channel, a network the first")
@pytest.mark.parametrize("exclusive", [True, False])
def test_any(line: Joined, exclusive: bool) -> None:
    key, _ = line.call_in(ANY, exclusive=exclusive)
    chosen = 31 if line.side.value == "user" else 1
    assert [event.timeslot for event in line.heard] == [chosen] * 3 and line.talks(key)
    line.clear(key)


@scenario("libpri names no channel: we choose", lacks={
    USER & DSS1: "A public network must name a channel (3.1.14): *libpri as network names no channel*."})
def test_none_from_user(line: Joined) -> None:
    key, _ = line.call_in(NONE, exclusive=True)
    chosen = 31 if line.side.value == "user" else 1
    assert [event.timeslot for event in line.heard] == [chosen] * 3 and line.talks(key)
    line.clear(key)


@scenario("libpri as network names no channel: cause 96", lacks={
    NETWORK | PRIVATE: "libpri is no network here: *libpri names no channel*."})
def test_none_from_network(line: Joined) -> None:
    line.offer(NONE, exclusive=True)
    assert line.said == ["< SETUP", "> RELEASE COMPLETE 96"] and line.events == []
    line.forgive()


@scenario("A channel that we blocked, exclusive: cause 44; preferred: another one")
def test_blocked(line: Joined) -> None:
    line.ours.block([1], line.now)
    line.offer(1, exclusive=True)
    assert line.said == REFUSED
    key, _ = line.call_in(1)
    assert line.heard[-1].timeslot == 2
    line.clear(key)
    line.ours.unblock([1], line.now)


@scenario("A channel for our calls only, exclusive: cause 44; one for libpri's only is none of ours")
def test_reserved(line: Joined) -> None:
    line.ours.reserve({timeslot: "in" for timeslot in line.ours.channels.timeslots} | {1: "out", 2: "both"})
    line.offer(1, exclusive=True)
    assert line.said == REFUSED
    line.call_out("first", timeslot=None)
    line.call_out("second", timeslot=None)
    line.ours.setup("third", CALLED, line.now)
    line.turn()
    assert line.events[-1] == Released("third", 34, By.LINE)
    line.clear("first", "second")


# --- our calls


@scenario("We prefer a channel, or insist on it")
@pytest.mark.parametrize("selection", ["preferred", "exclusive"])
def test_we_name_one(line: Joined, selection: str) -> None:
    line.ours.change(selection=selection)
    setup = line.call(timeslot=9)
    assert (setup.timeslot, setup.flexible) == (9, selection == "preferred")
    line.clear("out")


@scenario("We leave the choice to libpri")
def test_we_take_any(line: Joined) -> None:
    line.ours.change(selection="any")
    setup = line.call()
    assert (setup.timeslot, setup.flexible) == (0, True)
    line.far.proceeding(setup.handle, 12)
    line.turn()
    assert line.events[0] == ChannelChosen("out", 12)
    line.far.connect(setup.handle, 12)
    line.turn()
    assert line.talks("out")
    line.clear("out")


@scenario("We name no channel: libpri as network chooses", lacks={
    NETWORK: "A network must say something: ours asks for any. *We leave the choice to libpri*."})
def test_we_name_none_as_user(line: Joined) -> None:
    line.ours.change(selection="none")
    setup = line.call()
    assert setup.timeslot == 0
    line.far.proceeding(setup.handle, 12)
    line.turn()
    assert line.events[0] == ChannelChosen("out", 12)
    line.clear("out")


@scenario("libpri answers with another channel than the one we prefer: we take it")
def test_moved(line: Joined) -> None:
    setup = line.call(timeslot=1)
    line.far.proceeding(setup.handle, 7)
    line.turn()
    assert line.events[0] == ChannelChosen("out", 7)
    assert line.ours.channels.is_idle(1) and line.ours.channels[7].state is ChannelState.BUSY
    line.far.connect(setup.handle, 7)
    line.turn()
    assert line.talks("out")
    line.clear("out")


@scenario("libpri answers with another channel than the one we insist on: RELEASE, cause 6")
def test_moved_from_exclusive(line: Joined) -> None:
    setup = line.call(timeslot=1, exclusive=True)
    line.far.proceeding(setup.handle, 7)
    line.turn()
    assert line.said == ["> SETUP", "< CALL PROCEEDING", "> RELEASE 6", "< RELEASE COMPLETE 6"]
    assert line.events == [Released("out", 6, By.LINE, channel_refused=True)]


@scenario("libpri answers with a channel that is busy: RELEASE, cause 6; with none at all: cause 82")
@pytest.mark.parametrize(("timeslot", "cause"), [(3, 6), (16, 82)])
def test_moved_to_busy(line: Joined, timeslot: int, cause: int) -> None:
    key, _ = line.call_in(3)
    line.forget()
    setup = line.call(timeslot=1)
    line.far.proceeding(setup.handle, timeslot)
    line.turn()
    assert line.said == [
        "> SETUP", "< CALL PROCEEDING", f"> RELEASE {cause}", f"< RELEASE COMPLETE {cause}"]
    assert line.events == [Released("out", 6, By.LINE, channel_refused=True)]
    assert line.talks(key)
    line.forgive()
    line.clear(key)


@scenario("libpri refuses a channel three times, cause 44: we restart it")
@pytest.mark.need(1)
def test_refused_again_and_again(line: Joined) -> None:
    for attempt in range(3):
        setup = line.call(f"out {attempt}", timeslot=1)
        line.far.hang_up(setup.handle, 44)
        line.turn()
        assert line.events == [Released(f"out {attempt}", 44, By.FAR, channel_refused=True)]
        line.events.clear()
    assert line.said[-2:] == ["> RESTART", "< RESTART ACKNOWLEDGE"]
    assert line.far_event("RESTART").timeslot == 1
