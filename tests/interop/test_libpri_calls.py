"""Basic calls: en bloc and digit by digit, both ways, and the timers of a call that gets stuck."""
import pytest

from appliance.isdn.call.states import State
from appliance.isdn.elements import CalledNumber, SendingComplete
from appliance.isdn.events import (
    Alerting,
    Answered,
    By,
    ChannelChosen,
    Digits,
    Incoming,
    Proceeding,
    Released,
)
from appliance.isdn.q931 import MessageType
from tests.interop.joined import CALLER, Joined, element
from tests.interop.matrix import scenario
from tests.isdn.line import CALLED

IN = ["< SETUP", "> CALL PROCEEDING", "> ALERTING", "> CONNECT", "< CONNECT ACKNOWLEDGE"]
OUT = ["> SETUP", "< CALL PROCEEDING", "< ALERTING", "< CONNECT", "> CONNECT ACKNOWLEDGE"]
WE_CLEAR = ["> DISCONNECT 16", "< RELEASE 16", "> RELEASE COMPLETE"]
FAR_CLEARS = ["< DISCONNECT 16", "> RELEASE", "< RELEASE COMPLETE"]


@scenario("libpri calls, en bloc; either end hangs up")
@pytest.mark.parametrize("we_hang_up", [True, False])
def test_in(line: Joined, we_hang_up: bool) -> None:
    handle = line.offer(3)
    incoming = line.event(Incoming)
    key = incoming.key
    assert (incoming.called, incoming.calling) == (CALLED, CALLER)
    assert (incoming.complete, incoming.timeslot) == (True, 3)
    assert (line.our_state(key), line.far_state(key)) == (State.PROCEEDING_IN, 3)
    line.ours.alert(key, line.now)
    assert (line.our_state(key), line.far_state(key)) == (State.RECEIVED, 4)
    line.ours.answer(key, line.now)
    assert line.event(Answered).key == key
    assert line.talks(key)
    assert [event.timeslot for event in line.heard] == [3, 3, 3]
    said = [words for words in line.said if "STATUS" not in words]
    line.said.clear()
    if we_hang_up:
        line.clear(key)
    else:
        line.clear_far(handle)
    assert said == IN and line.said == (WE_CLEAR if we_hang_up else FAR_CLEARS)
    assert line.events == [Released(key, 16, By.NEAR if we_hang_up else By.FAR)]


@scenario("We call, en bloc; either end hangs up")
@pytest.mark.parametrize("we_hang_up", [True, False])
def test_out(line: Joined, we_hang_up: bool) -> None:
    setup = line.call(calling="100")
    assert (setup.called, setup.calling, setup.complete, setup.timeslot) == (CALLED, "100", True, 1)
    line.far.proceeding(setup.handle, 1)
    line.turn()
    assert (line.our_state("out"), line.far_state("out")) == (State.PROCEEDING_OUT, 9)
    line.far.alerting(setup.handle, 1, False)
    line.turn()
    assert (line.our_state("out"), line.far_state("out")) == (State.DELIVERED, 7)
    line.far.connect(setup.handle, 1)
    line.turn()
    assert line.talks("out")
    assert line.events == [
        ChannelChosen("out", 1), Proceeding("out"), Alerting("out", False), Answered("out")]
    said = [words for words in line.said if "STATUS" not in words]
    line.forget()
    if we_hang_up:
        line.clear("out")
    else:
        line.clear_far(setup.handle)
    assert said == OUT and line.said == (WE_CLEAR if we_hang_up else FAR_CLEARS)
    assert line.events == [Released("out", 16, By.NEAR if we_hang_up else By.FAR)]


@scenario("libpri answers at once: CONNECT is its first response")
def test_answered_at_once(line: Joined) -> None:
    setup = line.call()
    line.far.connect(setup.handle, 1)
    line.turn()
    assert line.events == [ChannelChosen("out", 1), Answered("out")] and line.talks("out")
    line.clear("out")


@scenario("We answer at once: CONNECT is our first response", auto_proceed=False)
def test_we_answer_at_once(line: Joined) -> None:
    line.offer()
    key = line.event(Incoming).key
    line.ours.answer(key, line.now)
    assert line.event(Answered).key == key and line.talks(key)
    assert line.said[:3] == ["< SETUP", "> CONNECT", "< CONNECT ACKNOWLEDGE"]
    line.clear(key)


# --- digits


@scenario("libpri sends digits one by one until we have enough", overlap=True)
def test_overlap_in(line: Joined) -> None:
    handle = line.offer(called="5", complete=False)
    incoming = line.event(Incoming)
    key = incoming.key
    assert (incoming.called, incoming.complete) == ("5", False)
    assert (line.our_state(key), line.far_state(key)) == (State.OVERLAP_RECEIVING, 2)
    line.far.information(handle, "0")
    line.far.information(handle, "1")
    line.turn()
    assert line.events == [Digits(key, "50", False), Digits(key, "501", False)]
    line.ours.proceed(key, line.now)
    line.turn()
    assert line.far_state(key) == 3
    line.ours.answer(key, line.now)
    line.turn()
    assert line.talks(key)
    line.clear(key)


@scenario("libpri sends no more digits: T302, what came is the number", overlap=True)
def test_overlap_in_t302(line: Joined) -> None:
    handle = line.offer(called="5", complete=False)
    key = line.event(Incoming).key
    line.run(10.0)
    line.far.information(handle, "0")             # T302 begins anew
    line.run(10.0)
    assert line.events == [Digits(key, "50", False)]
    line.run(6.0)
    assert line.events[1:] == [Digits(key, "50", True)]
    assert line.said[-1] == "> CALL PROCEEDING" and line.hears("PROCEEDING")
    line.clear(key)


@scenario("libpri sends no digit at all: T302, cause 28", overlap=True)
def test_overlap_in_without_digits(line: Joined) -> None:
    line.offer(called="", complete=False)
    key = line.event(Incoming).key
    line.run(16.0)
    assert line.events == [Released(key, 28, By.LINE)]
    assert line.said == [
        "< SETUP", "> SETUP ACKNOWLEDGE", "> DISCONNECT 28", "< RELEASE 28", "> RELEASE COMPLETE"]


@scenario("libpri gives up while it dials", overlap=True)
def test_overlap_in_given_up(line: Joined) -> None:
    handle = line.offer(called="5", complete=False)
    key = line.event(Incoming).key
    line.clear_far(handle)
    assert line.events == [Released(key, 16, By.FAR)] and line.said[2:] == FAR_CLEARS


@scenario("A number that is whole is not asked for more", overlap=True)
def test_whole_number_where_overlap_is_on(line: Joined) -> None:
    line.offer()
    incoming = line.event(Incoming)
    assert incoming.complete and line.said == ["< SETUP", "> CALL PROCEEDING"]
    line.clear(incoming.key)


@scenario("We send digits one by one until libpri has enough", overlap=True)
def test_overlap_out(line: Joined) -> None:
    setup = line.call(called="5", complete=False)
    assert (setup.called, setup.complete) == ("5", False)
    line.ours.more_digits("out", "0", line.now)   # waits for SETUP ACKNOWLEDGE
    line.turn()
    assert line.said == ["> SETUP"]
    line.far.setup_acknowledge(setup.handle, 1)
    line.turn()
    assert (line.our_state("out"), line.far_state("out")) == (State.OVERLAP_SENDING, 25)
    line.ours.more_digits("out", "1", line.now)
    line.ours.more_digits("out", "2", line.now, complete=True)
    line.turn()
    assert [event.called for event in line.hears("INFORMATION")] == ["0", "1", "2"]
    assert [event.complete for event in line.hears("INFORMATION")] == [False, False, True]
    first, last = (element(line.sent, kind, CalledNumber)
                   for kind in (MessageType.SETUP, MessageType.INFORMATION))
    assert (first.type, first.plan) == (last.type, last.plan)
    line.far.proceeding(setup.handle, 1)
    line.turn()
    assert line.events == [ChannelChosen("out", 1), Proceeding("out")]
    line.far.connect(setup.handle, 1)
    line.turn()
    assert line.talks("out")
    line.clear("out")


@scenario("libpri asks for more of a number that was whole: we say once more that it is", overlap=True)
def test_overlap_out_of_a_whole_number(line: Joined) -> None:
    setup = line.call()
    line.far.setup_acknowledge(setup.handle, 1)
    line.turn()
    assert line.far_event("INFORMATION").complete
    assert element(line.sent, MessageType.INFORMATION, SendingComplete) is not None
    line.far.proceeding(setup.handle, 1)
    line.turn()
    assert line.our_state("out") is State.PROCEEDING_OUT
    line.clear("out")


@scenario("libpri asks for digits and goes silent: T304, cause 102", overlap=True)
def test_overlap_out_t304(line: Joined) -> None:
    setup = line.call(called="5", complete=False)
    line.far.setup_acknowledge(setup.handle, 1)
    line.run(15.0)
    line.ours.more_digits("out", "0", line.now)   # T304 begins anew
    line.run(15.0)
    assert line.our_state("out") is State.OVERLAP_SENDING
    line.run(16.0)
    assert line.events[-1] == Released("out", 102, By.LINE)
    assert line.said[-3:] == ["> DISCONNECT 102", "< RELEASE 102", "> RELEASE COMPLETE"]


# --- who does not go on


@scenario("libpri does not respond to SETUP: T303, once more, cause 102")
def test_t303(line: Joined) -> None:
    line.call()
    line.run(9.0)
    assert line.said == ["> SETUP", "> SETUP", "> RELEASE COMPLETE 102"]
    assert len(line.hears("SETUP")) == 1          # the second one is no second call
    assert line.events == [Released("out", 102, By.LINE)]


@scenario("libpri proceeds and goes silent: T310, cause 102")
def test_t310(line: Joined) -> None:
    setup = line.call()
    line.far.proceeding(setup.handle, 1)
    line.run(39.0)                                # as long as a PBX takes that forwards to a mobile
    assert line.our_state("out") is State.PROCEEDING_OUT
    line.run(82.0)
    assert line.events[-1] == Released("out", 102, By.LINE)
    assert line.said[-3:] == ["> DISCONNECT 102", "< RELEASE 102", "> RELEASE COMPLETE"]


@scenario("libpri rings and nobody answers: T301, cause 102; for us it is 19")
def test_t301(line: Joined) -> None:
    line.call_out(answered=False)
    line.run(181.0)
    assert line.events[-1] == Released("out", 19, By.LINE)
    assert line.said[-3:] == ["> DISCONNECT 102", "< RELEASE 102", "> RELEASE COMPLETE"]


@scenario("We respond when libpri has given the call up: cause 81", auto_proceed=False)
def test_too_late(line: Joined) -> None:
    line.offer()
    key = line.event(Incoming).key
    line.run(9.0)                                 # libpri's T303, twice
    assert line.said == ["< SETUP", "< SETUP"] and line.far_event("RELEASE").cause == 18
    line.ours.alert(key, line.now)
    line.turn()
    assert line.events == [Released(key, 81, By.LINE)]
    assert line.said[2:] == ["> ALERTING", "< RELEASE COMPLETE 81"]


@scenario("Thirty calls at once, in and out; the next one of either end: cause 34")
def test_full(line: Joined) -> None:
    channels = list(line.ours.channels.timeslots)
    keys = [line.call_in(timeslot)[0] for timeslot in channels[::2]]
    outs = [f"out {number}" for number in range(15)]
    for key in outs:
        line.call_out(key)
    assert all(line.talks(key) for key in (*keys, *outs))
    line.forget()
    line.ours.setup("one more", CALLED, line.now)
    line.turn()
    assert line.events == [Released("one more", 34, By.LINE)]
    line.offer(1)
    assert line.said == ["< SETUP", "> RELEASE COMPLETE 34"]
    line.clear(*keys, *outs)
