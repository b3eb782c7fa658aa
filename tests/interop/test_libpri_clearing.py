"""Clearing: who clears, when and why; what crosses; who does not answer."""
import pytest

from appliance.isdn.call.states import State, Timers
from appliance.isdn.events import By, Incoming, Released
from tests.interop.joined import Joined
from tests.interop.matrix import scenario
from tests.isdn.line import CALLED

CAUSES = (1, 2, 3, 4, 5, 8, 16, 17, 18, 19, 20, 21, 22, 25, 27, 28, 29, 31, 34, 38, 41, 42, 43, 44, 45, 46,
          47, 49, 50, 55, 57, 58, 63, 65, 66, 69, 70, 79, 87, 88, 91, 95, 99, 101, 102, 111, 127)      # Q.850
AT_ONCE = (1, 34, 44, 82, 88)                     # those that libpri says as first response


@scenario("libpri refuses at once, causes 1, 34, 44, 82, 88: RELEASE COMPLETE")
@pytest.mark.parametrize("cause", AT_ONCE)
def test_far_refuses(line: Joined, cause: int) -> None:
    setup = line.call()
    line.far.hang_up(setup.handle, cause)
    line.turn()
    assert line.said == ["> SETUP", f"< RELEASE COMPLETE {cause}"]
    assert line.events == [Released("out", cause, By.FAR, channel_refused=cause in (44, 82))]


@scenario("libpri refuses after CALL PROCEEDING, every cause (busy 17, no answer 19, rejected 21)")
def test_far_refuses_later(line: Joined) -> None:
    for cause in CAUSES:
        line.forget()
        setup = line.call()
        line.far.proceeding(setup.handle, 1)
        line.turn()
        line.clear_far(setup.handle, cause=cause)
        assert line.said[2:] == [f"< DISCONNECT {cause}", "> RELEASE", "< RELEASE COMPLETE"], cause
        assert line.events[-1] == Released("out", cause, By.FAR)


@scenario("libpri clears a ringing call with RELEASE (6, 7, 26) or RELEASE COMPLETE (81)")
@pytest.mark.parametrize("cause", [6, 7, 26, 81])
def test_far_releases(line: Joined, cause: int) -> None:
    handle = line.call_out(answered=False)
    line.forget()
    line.clear_far(handle, cause=cause)
    assert line.said == (["< RELEASE COMPLETE 81"] if cause == 81 else
                         [f"< RELEASE {cause}", "> RELEASE COMPLETE"])
    assert line.events == [Released("out", cause, By.LINE if cause == 81 else By.FAR)]


@scenario("libpri clears a call that rings at it, every cause")
def test_far_does_not_answer(line: Joined) -> None:
    for cause in CAUSES:
        handle = line.call_out(answered=False)
        line.forget()
        line.clear_far(handle, cause=cause)
        assert line.said == [f"< DISCONNECT {cause}", "> RELEASE", "< RELEASE COMPLETE"], cause
        assert line.events == [Released("out", cause, By.FAR)]


@scenario("We refuse at once, every cause: RELEASE COMPLETE", auto_proceed=False)
def test_we_refuse(line: Joined) -> None:
    for cause in CAUSES:
        line.forget()
        line.offer()
        key = line.event(Incoming).key
        line.clear(key, cause=cause)
        assert line.said == ["< SETUP", f"> RELEASE COMPLETE {cause}"]
        assert line.far_event("RELEASE").cause == cause
        assert line.events == [Released(key, cause, By.NEAR)]


@scenario("We refuse after CALL PROCEEDING or ALERTING, every cause (busy 17, no answer 19, rejected 21)")
@pytest.mark.parametrize("ringing", [False, True])
def test_we_refuse_later(line: Joined, ringing: bool) -> None:
    for cause in CAUSES:
        line.offer()
        key = line.event(Incoming).key
        if ringing:
            line.ours.alert(key, line.now)
        line.turn()
        line.forget()
        line.clear(key, cause=cause)
        assert line.said == [f"> DISCONNECT {cause}", f"< RELEASE {cause}", "> RELEASE COMPLETE"]
        assert line.far_event("DISCONNECT").cause == cause
        assert line.events == [Released(key, cause, By.NEAR)]


@scenario("Either end hangs up a call that talks, every cause")
def test_talking(line: Joined) -> None:
    for cause in CAUSES:
        key, _ = line.call_in()
        line.forget()
        line.clear(key, cause=cause)
        assert line.said == [f"> DISCONNECT {cause}", f"< RELEASE {cause}", "> RELEASE COMPLETE"]
        assert line.events == [Released(key, cause, By.NEAR)]
        handle = line.call_out()
        line.forget()
        line.clear_far(handle, cause=cause)
        assert line.said == [f"< DISCONNECT {cause}", "> RELEASE", "< RELEASE COMPLETE"]
        assert line.events == [Released("out", cause, By.FAR)]


# --- the caller gives up


@scenario("libpri gives up before the answer: while we proceed, while we ring")
@pytest.mark.parametrize("ringing", [False, True])
def test_far_gives_up(line: Joined, ringing: bool) -> None:
    handle = line.offer()
    key = line.event(Incoming).key
    if ringing:
        line.ours.alert(key, line.now)
        line.turn()
    line.forget()
    line.clear_far(handle)
    assert line.said == ["< DISCONNECT 16", "> RELEASE", "< RELEASE COMPLETE"]
    assert line.events == [Released(key, 16, By.FAR)]


@scenario("libpri gives up while our CALL PROCEEDING is on the way")
def test_far_gives_up_at_once(line: Joined) -> None:
    handle = line.far.setup(CALLED, "", "", 1, False, True)
    line.give_us(line.take_theirs())
    line.far.hang_up(handle, 16)
    line.turn()
    key = line.event(Incoming).key
    assert line.events == [Released(key, 16, By.FAR)]
    assert line.said == ["< SETUP", "> CALL PROCEEDING", "< DISCONNECT 16", "> RELEASE", "< STATUS 98",
                         "< RELEASE COMPLETE"]


@scenario("We give up before the answer: after SETUP, CALL PROCEEDING, ALERTING")
@pytest.mark.parametrize("came", [State.INITIATED, State.PROCEEDING_OUT, State.DELIVERED])
def test_we_give_up(line: Joined, came: State) -> None:
    setup = line.call()
    if came is not State.INITIATED:
        line.far.proceeding(setup.handle, 1)
    if came is State.DELIVERED:
        line.far.alerting(setup.handle, 1, False)
    line.turn()
    assert line.our_state("out") is came
    line.forget()
    line.clear("out")
    assert line.said[0] == "> DISCONNECT 16"
    assert line.events[-1] == Released("out", 16, By.NEAR)


# --- what crosses, and who does not answer


@scenario("Both ends send DISCONNECT at once")
def test_disconnects_cross(line: Joined) -> None:
    key, handle = line.call_in()
    line.forget()
    line.ours.hang_up(key, 16, line.now)
    line.far.hang_up(handle, 17)
    line.turn()
    assert line.said[:2] == ["> DISCONNECT 16", "< DISCONNECT 17"]
    assert line.events == [Released(key, 16, By.NEAR)]


@scenario("Both ends send RELEASE at once", timers=Timers(t305_s=5.0))
def test_releases_cross(line: Joined) -> None:
    key, handle = line.call_in()
    line.polite = False
    line.ours.hang_up(key, 16, line.now)
    line.turn()
    line.forget()
    line.now += 5.1
    line.ours.expire(line.now)
    ours = line.take_ours()
    line.far.hang_up(handle, 16)
    line.give_us(line.take_theirs())
    line.polite = True
    line.give_far(ours)
    line.turn()
    assert line.said == ["> RELEASE 16", "< RELEASE 16"]
    assert line.events == [Released(key, 16, By.NEAR)]


@scenario("libpri does not answer our DISCONNECT: T305, RELEASE")
def test_t305(line: Joined) -> None:
    key, handle = line.call_in()
    line.polite = False
    line.forget()
    line.clear(key)
    line.run(29.0)
    assert line.our_state(key) is State.DISCONNECTING
    line.run(2.0)
    line.far.hang_up(handle, 16)
    line.polite = True
    line.turn()
    assert line.said == ["> DISCONNECT 16", "> RELEASE 16", "< RELEASE COMPLETE 16"]
    assert line.events == [Released(key, 16, By.NEAR)]


@scenario("libpri does not answer our RELEASE: T308, once more, then the channel is restarted")
@pytest.mark.need(1)
def test_t308(line: Joined) -> None:
    handle = line.call_out()
    line.polite = False
    line.forget()
    line.clear("out")
    line.run(39.0)
    assert line.said == ["> DISCONNECT 16", "> RELEASE 16", "> RELEASE 16", "> RESTART",
                         "< RESTART ACKNOWLEDGE"]
    assert line.events == [Released("out", 16, By.NEAR)]
    assert line.far_event("RESTART").timeslot == 1
    line.far.forget(handle)                       # as its application does on RESTART
    assert line.ours.channels.is_idle(1)


@scenario("libpri forgets a call that talks: STATUS ENQUIRY finds it out, cause 81")
def test_forgotten(line: Joined) -> None:
    key, handle = line.call_in()
    line.far.forget(handle)
    line.forget()
    line.ours.enquire(key, line.now)
    line.turn()
    assert line.said == ["> STATUS ENQUIRY", "< RELEASE COMPLETE 81"]
    assert line.events == [Released(key, 81, By.LINE)]
