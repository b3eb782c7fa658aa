"""Restart: of a channel and of the interface, by either end; lost, refused, crossing; the audit; SERVICE."""
import pytest

from appliance.isdn.elements import ChangeStatus
from appliance.isdn.events import By, ChannelState, Released
from tests.interop.joined import Joined
from tests.interop.matrix import CHINA, EVERYBODY, scenario, unproved


@scenario("libpri restarts an idle channel")
def test_far_restarts_idle(line: Joined) -> None:
    line.far.restart(7)
    line.turn()
    assert line.said == ["< RESTART", "> RESTART ACKNOWLEDGE"]
    assert [event.timeslot for event in line.hears("RESTART ACK")] == [7] and line.events == []


@scenario("libpri restarts a channel with a call: the call ends, cause 41, without a word more")
@pytest.mark.parametrize("answered", [True, False])
def test_far_restarts_busy(line: Joined, answered: bool) -> None:
    key, handle = line.call_in(3, answered=answered)
    line.forget()
    line.far.restart(3)
    line.far.forget(handle)
    line.turn()
    assert line.said == ["< RESTART", "> RESTART ACKNOWLEDGE"]
    assert [event.timeslot for event in line.hears("RESTART ACK")] == [3]
    assert line.events == [Released(key, 41, By.LINE)]


@scenario("libpri restarts a channel with a call: acknowledged when our application lets go of it",
          slow_clearing=True)
def test_far_restarts_busy_slowly(line: Joined) -> None:
    key, handle = line.call_in(3)
    line.far.restart(3)
    line.far.forget(handle)
    line.run(5.0)
    assert line.event(Released) == Released(key, 41, By.LINE) and not line.hears("RESTART ACK")
    line.ours.cleared(key, line.now)
    assert line.far_event("RESTART ACK").timeslot == 3


@scenario("libpri restarts a channel that is none of ours: STATUS, cause 82")
def test_far_restarts_nothing(line: Joined) -> None:
    line.far.restart(16)
    line.turn()
    assert line.said == ["< RESTART", "> STATUS 82"] and not line.hears("RESTART ACK")
    line.forgive()


@scenario("libpri restarts all channels, one after the other")
def test_far_restarts_all(line: Joined) -> None:
    key, handle = line.call_in(5)
    line.forget()
    for timeslot in line.ours.channels.timeslots:
        line.far.restart(timeslot)
    line.far.forget(handle)
    line.turn()
    assert [event.timeslot for event in line.hears("RESTART ACK")] == list(line.ours.channels.timeslots)
    assert line.events == [Released(key, 41, By.LINE)]


@scenario("We restart an idle channel")
def test_we_restart(line: Joined) -> None:
    line.ours.restart(5, line.now)
    assert line.channel_state(5) is ChannelState.RESTARTING
    line.turn()
    assert line.said == ["> RESTART", "< RESTART ACKNOWLEDGE"]
    assert line.far_event("RESTART").timeslot == 5


@scenario("We restart the whole interface after a cold start", connected=False, cold=True, lacks={
    CHINA: "Many exchanges there do not answer it (profile.py): *We restart every channel*."})
def test_we_restart_the_interface(line: Joined) -> None:
    line.ours.line_up(True, line.now)
    line.run(1.0)
    assert line.said == ["> RESTART", "< RESTART ACKNOWLEDGE"]
    assert line.far_event("RESTART").timeslot == 0        # no one channel
    assert line.ours.channels.idle() == 30


@scenario("We restart every channel after a cold start, one by one", connected=False, cold=True, lacks={
    EVERYBODY - CHINA: "One RESTART for all there: *We restart the whole interface*."})
def test_we_restart_each_channel(line: Joined) -> None:
    line.ours.line_up(True, line.now)
    line.run(1.0)
    assert line.said == ["> RESTART", "< RESTART ACKNOWLEDGE"] * 30
    assert [event.timeslot for event in line.hears("RESTART")] == list(line.ours.channels.timeslots)
    assert line.ours.channels.idle() == 30


@scenario("Both ends restart one channel at once")
def test_restarts_cross(line: Joined) -> None:
    line.ours.restart(5, line.now)
    line.far.restart(5)
    line.turn()
    assert sorted(line.said[:2]) == ["< RESTART", "> RESTART"]
    assert sorted(line.said[2:]) == ["< RESTART ACKNOWLEDGE", "> RESTART ACKNOWLEDGE"]
    assert line.hears("RESTART") and line.hears("RESTART ACK")


@scenario("libpri restarts a channel while our SETUP for it is on the way: the call ends, cause 41")
def test_restart_crosses_our_setup(line: Joined) -> None:
    line.ours.setup("out", "5001", line.now, timeslot=5)
    line.far.restart(5)
    line.turn()
    assert line.event(Released) == Released("out", 41, By.LINE)
    line.far.forget(line.far_event("SETUP").handle)


def not_q931(frame: bytes) -> bytes:
    """Its message is of another protocol: for us it is as if libpri did not answer."""
    return frame[:4] + b"\x4f" + frame[5:] if len(frame) > 4 else frame


@scenario("Our RESTART has no answer: T316, N316 times, then out of service; tried on until there is one")
def test_restart_without_answer(line: Joined) -> None:
    line.mutilate = not_q931
    line.ours.restart(5, line.now)
    line.run(239.0)
    assert line.said == ["> RESTART", "< RESTART ACKNOWLEDGE"] * 2
    assert line.channel_state(5) is ChannelState.RESTARTING
    line.run(2.0)
    assert line.channel_state(5) is ChannelState.OUT_OF_SERVICE
    line.mutilate = lambda frame: frame
    line.run(121.0)
    assert line.ours.channels.is_idle(5)
    line.forgive()


@scenario("A channel out of service: a call that libpri offers on it proves that it serves")
def test_call_on_a_channel_out_of_service(line: Joined) -> None:
    line.mutilate = not_q931
    line.ours.restart(5, line.now)
    line.run(241.0)
    assert line.channel_state(5) is ChannelState.OUT_OF_SERVICE
    line.mutilate = lambda frame: frame
    key, _ = line.call_in(5, exclusive=True)
    assert line.talks(key)
    line.clear(key)
    assert line.ours.channels.is_idle(5)
    line.forgive()


unproved("libpri restarts the whole interface",
         "libpri restarts one channel at a time; tests/isdn/test_restart.py has the whole interface.")


# --- the audit


@scenario("The audit proves every idle channel by RESTART, and a call that talks by STATUS ENQUIRY",
          audit_s=60.0)
def test_audit(line: Joined) -> None:
    key, _ = line.call_in(1)
    line.forget()
    line.run(200.0)
    restarted = {event.timeslot for event in line.hears("RESTART")}
    assert restarted == set(line.ours.channels.timeslots) - {1}
    assert "< STATUS 30" in line.said and line.talks(key)
    line.clear(key)


@scenario("The audit finds a call that libpri has forgotten: it ends, cause 81, its channel is restarted",
          audit_s=60.0)
@pytest.mark.need(1)
def test_audit_finds_it(line: Joined) -> None:
    key, handle = line.call_in(1)
    line.far.forget(handle)
    line.until(lambda: any(isinstance(event, Released) for event in line.events), 200.0)
    assert line.event(Released) == Released(key, 81, By.LINE)
    assert 1 in {event.timeslot for event in line.hears("RESTART")}


# --- SERVICE, with the profile's switch on


def confused(line: Joined) -> None:
    """libpri misses a change status that is there, in its own SERVICE as well."""
    assert all("Missing mandatory IE 1 " in words for words in line.complaints)
    line.forgive()


@scenario("SERVICE, where a profile has it: libpri withdraws a channel and gives it back",
          service_messages=True)
def test_far_service(line: Joined) -> None:
    line.far.service(3, ChangeStatus.OUT_OF_SERVICE)
    line.turn()
    assert line.said == ["< SERVICE", "> SERVICE ACKNOWLEDGE"]
    assert line.channel_state(3) is ChannelState.BLOCKED
    assert [event.timeslot for event in line.hears("SERVICE ACK")] == [3]
    line.far.service(3, ChangeStatus.IN_SERVICE)
    line.turn()
    assert line.channel_state(3) is ChannelState.IDLE
    confused(line)


@scenario("SERVICE, where a profile has it: we block a channel (libpri reads which, not the status)",
          service_messages=True)
def test_our_service(line: Joined) -> None:
    line.ours.block([4], line.now)
    line.turn()
    assert line.said == ["> SERVICE", "< SERVICE ACKNOWLEDGE"]
    assert [event.timeslot for event in line.hears("SERVICE")] == [4]
    line.ours.unblock([4], line.now)
    line.turn()
    assert [event.timeslot for event in line.hears("SERVICE")] == [4, 4]
    assert line.ours.channels.is_idle(4)
    confused(line)


@scenario("SERVICE, where the profile has none: passed over")
def test_service_not_known(line: Joined) -> None:
    line.far.service(3, ChangeStatus.OUT_OF_SERVICE)
    line.turn()
    assert line.said == ["< SERVICE"] and line.ours.channels.is_idle(3)
