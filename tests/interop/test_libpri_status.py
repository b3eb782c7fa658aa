"""Status: who asks, who answers, and what happens when the two ends do not agree (5.8.10, 5.8.11)."""
from dataclasses import replace

import pytest

from appliance.isdn.call.states import State
from appliance.isdn.events import By, Incoming, Released
from tests.interop.joined import Joined
from tests.interop.matrix import scenario, unproved

ANSWERED = ["> STATUS ENQUIRY", "< STATUS 30"]

unproved("libpri asks for the state of a call",
         "libpri never sends STATUS ENQUIRY; tests/conformance has it, in every state.")
unproved("SUSPEND and RESUME",
         "libpri has no such messages; tests/conformance has our rejection, in every state.")


@scenario("We ask while our call proceeds, rings, talks: nothing changes")
def test_enquiry_out(line: Joined) -> None:
    setup = line.call()
    for step, state, theirs in ((line.far.proceeding, State.PROCEEDING_OUT, 9),
                                (lambda handle, slot: line.far.alerting(handle, slot, False),
                                 State.DELIVERED, 7),
                                (line.far.connect, State.ACTIVE, 10)):
        step(setup.handle, 1)
        line.turn()
        line.said.clear()
        assert (line.our_state("out"), line.far_state("out")) == (state, theirs)
        assert line.said == ANSWERED
    line.run(60.0)                                # T322 does not run on
    assert line.talks("out")
    line.clear("out")


@scenario("We ask while libpri's call proceeds, rings, talks: nothing changes")
def test_enquiry_in(line: Joined) -> None:
    line.offer()
    key = line.event(Incoming).key
    for step, state, theirs in ((line.ours.proceed, State.PROCEEDING_IN, 3),
                                (line.ours.alert, State.RECEIVED, 4), (line.ours.answer, State.ACTIVE, 10)):
        step(key, line.now)
        line.turn()
        line.said.clear()
        assert (line.our_state(key), line.far_state(key)) == (state, theirs)
        assert line.said == ANSWERED
    line.clear(key)


@scenario("libpri tells its state unasked when layer 2 was set up anew: nothing changes")
def test_unasked(line: Joined) -> None:
    line.far.set_timer("T309", 90_000)
    key, _ = line.call_in()
    line.cut(30.0)
    line.run(3.0)
    assert "< STATUS 31" in line.said and line.talks(key)
    line.clear(key)


@scenario("libpri talks, and the process before us had not yet heard the answer: taken as said")
def test_answer_was_lost(line: Joined) -> None:
    handle = line.call_out(answered=False)
    snapshot = line.ours.snapshot("out")
    assert snapshot is not None and snapshot.state is State.DELIVERED
    line.far.connect(handle, 1)
    line.lose()
    line.replace_us([snapshot])
    assert line.talks("out")
    line.clear("out")


@scenario("libpri talks to a call that, as far as we know, only rings: cause 101")
def test_we_are_behind(line: Joined) -> None:
    key, _ = line.call_in()
    snapshot = line.ours.snapshot(key)
    assert snapshot is not None
    line.replace_us([replace(snapshot, state=State.RECEIVED)])
    line.run(1.0)
    assert line.event(Released) == Released(key, 101, By.LINE)
    assert [event.cause for event in line.hears("DISCONNECT")] == [101]


@scenario("We talk to a call that has only rung for libpri: our CONNECT is said again")
def test_they_are_behind(line: Joined) -> None:
    key, _ = line.call_in(answered=False)
    line.ours.answer(key, line.now)
    snapshot = line.ours.snapshot(key)
    assert snapshot is not None
    line.lose()                                   # CONNECT
    line.heard.clear()
    line.replace_us([snapshot])
    assert line.hears("CONNECT") and line.talks(key)
    line.clear(key)


# --- messages that we do not have


@scenario("libpri sends HOLD: STATUS, cause 97; its T-HOLD runs out and the call goes on")
@pytest.mark.parametrize("answered", [True, False])
def test_hold(line: Joined, answered: bool) -> None:
    key, handle = line.call_in(answered=answered)
    line.forget()
    line.far.hold(handle)
    line.turn()
    assert line.said == ["< HOLD", "> STATUS 97"]
    line.run(5.0)
    assert [event.cause for event in line.hears("HOLD REJECT")] == [97]
    line.ours.answer(key, line.now)
    assert line.talks(key)
    line.clear(key)


unproved("RETRIEVE", "libpri sends it for a call that is on hold, and HOLD is refused.")
