"""Progress and tones: what can be heard before the answer, and after the end."""
import pytest

from appliance.isdn.call.states import State, Timers
from appliance.isdn.elements import Cause, ProgressIndicator
from appliance.isdn.events import Alerting, By, Incoming, Progress, Released
from appliance.isdn.q931 import MessageType
from tests.interop.joined import Joined, element
from tests.interop.matrix import NETWORK, PRIVATE, USER, scenario, unproved

IN_BAND = ProgressIndicator(8)
NOT_A_USER = {
    USER - PRIVATE: "A user has no announcement to play (5.4): *We as user clear*."}


@scenario("libpri rings, with its tone in the channel or without")
@pytest.mark.parametrize("in_band", [True, False])
def test_far_rings(line: Joined, in_band: bool) -> None:
    setup = line.call()
    line.far.alerting(setup.handle, 1, in_band)
    line.turn()
    assert line.event(Alerting) == Alerting("out", in_band)
    assert line.said == ["> SETUP", "< CALL PROCEEDING", "< ALERTING"]
    line.clear("out")


@scenario("libpri sends PROGRESS, without a cause and with one: T310 stops")
@pytest.mark.parametrize("cause", [0, 17])
def test_far_progress(line: Joined, cause: int) -> None:
    setup = line.call()
    line.far.proceeding(setup.handle, 1)
    line.far.progress(setup.handle, 1, cause)
    progress = line.event(Progress)
    assert progress.in_band
    assert [part.value for part in progress.elements if isinstance(part, Cause)] == ([cause] if cause else [])
    line.run(200.0)
    assert line.our_state("out") is State.PROCEEDING_OUT
    line.clear("out")


@scenario("libpri's dial tone: SETUP ACKNOWLEDGE says it is in the channel", overlap=True)
def test_far_dial_tone(line: Joined) -> None:
    setup = line.call(called="5", complete=False)
    line.far.setup_acknowledge(setup.handle, 1, in_band=True)
    assert line.event(Progress) == Progress("out", True)
    line.clear("out")


@scenario("We ring, with our tone in the channel or without")
@pytest.mark.parametrize("in_band", [True, False])
def test_we_ring(line: Joined, in_band: bool) -> None:
    line.offer()
    key = line.event(Incoming).key
    line.ours.alert(key, line.now, in_band=in_band)
    assert line.far_event("ALERTING").in_band is in_band
    line.clear(key)


@scenario("We send PROGRESS, and CALL PROCEEDING with a progress indicator", auto_proceed=False)
def test_we_progress(line: Joined) -> None:
    line.offer()
    key = line.event(Incoming).key
    line.ours.proceed(key, line.now, IN_BAND)
    assert line.far_event("PROCEEDING").in_band
    line.ours.progress(key, line.now, IN_BAND, Cause(17))
    progress = line.far_event("PROGRESS")
    assert (progress.in_band, progress.cause) == (True, 17)
    line.clear(key)


@scenario("Our dial tone: SETUP ACKNOWLEDGE says it is in the channel", overlap=True, auto_proceed=False)
def test_we_dial_tone(line: Joined) -> None:
    line.offer(called="", complete=False)
    key = line.event(Incoming).key
    line.ours.want_digits(key, line.now, IN_BAND)
    assert line.far_event("SETUP ACK").in_band
    line.clear(key)


# --- DISCONNECT with an announcement


@scenario("We clear with an announcement, libpri listens: T306, RELEASE", lacks=NOT_A_USER,
          in_band_clearing=True, timers=Timers(t306_s=20.0))
def test_we_announce(line: Joined) -> None:
    key, _ = line.call_in(answered=False)
    line.forget()
    line.ours.hang_up(key, 1, line.now, elements=(IN_BAND,))
    progress = line.far_event("PROGRESS")         # so libpri calls it
    assert (progress.in_band, progress.cause) == (True, 1)
    assert line.our_state(key) is State.DISCONNECTING
    line.run(19.0)
    assert line.said == ["> DISCONNECT 1"]
    line.run(2.0)
    assert line.said == ["> DISCONNECT 1", "> RELEASE 1", "< RELEASE COMPLETE 1"]
    assert line.events == [Released(key, 1, By.NEAR)]


@scenario("We clear with an announcement, libpri's caller hangs up", lacks=NOT_A_USER, in_band_clearing=True)
def test_we_announce_to_nobody(line: Joined) -> None:
    key, handle = line.call_in(answered=False)
    line.ours.hang_up(key, 1, line.now, elements=(IN_BAND,))
    line.run(3.0)
    line.forget()
    line.clear_far(handle)
    assert line.said == ["< RELEASE 16", "> RELEASE COMPLETE"]
    assert line.events == [Released(key, 1, By.NEAR)]


@scenario("We clear with an announcement, libpri does not listen: it releases at once", lacks=NOT_A_USER)
def test_we_announce_in_vain(line: Joined) -> None:
    key, _ = line.call_in(answered=False)
    line.forget()
    line.ours.hang_up(key, 1, line.now, elements=(IN_BAND,))
    line.turn()
    assert line.said == ["> DISCONNECT 1", "< RELEASE 1", "> RELEASE COMPLETE"]


@scenario("We as user clear: a progress indicator is left out", lacks={
    NETWORK | PRIVATE: "A network may announce: *We clear with an announcement*."}, in_band_clearing=True)
def test_user_does_not_announce(line: Joined) -> None:
    key, _ = line.call_in(answered=False)
    line.ours.hang_up(key, 1, line.now, elements=(IN_BAND,))
    line.turn()
    assert element(line.sent, MessageType.DISCONNECT, ProgressIndicator) is None
    assert line.event(Released) == Released(key, 1, By.NEAR)


unproved("libpri clears with an announcement",
         "libpri cannot put a progress indicator into DISCONNECT; tests/isdn/test_call_tones.py has it.")
