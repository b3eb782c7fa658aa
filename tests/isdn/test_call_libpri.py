"""Calls with libpri at the other end of the line, on either side: a stack that we did not write."""
import itertools
import time
from typing import Any

import pytest

from appliance.isdn.call.call import Snapshot
from appliance.isdn.dss1 import Signalling
from appliance.isdn.events import Answered, By, ChannelChosen, Event, Incoming, Released
from appliance.isdn.lapd import Side
from hil_tests.instruments.libpri import Controller
from hil_tests.instruments.libpri import Event as FarEvent
from tests.isdn.line import CALLED

SIDES = pytest.mark.parametrize("side", list(Side), ids=lambda side: f"we are the {side.value}")


class Joined:
    """Our signalling and libpri, frame by frame. libpri reads the system's clock, so time is real here."""

    def __init__(self, side: Side, connected: bool = True, **options: Any) -> None:
        numbers = itertools.count(1)
        self.ours = Signalling(side, lambda: f"k{next(numbers)}", **options)
        self._from_far: list[bytes] = []
        self.far = Controller(
            side.peer.value, "euroisdn", bool(options.get("overlap")), self._from_far.append,
            lambda words: None)
        self.far_events: list[FarEvent] = []
        if connected:
            self.connect()

    def connect(self) -> None:
        self.ours.line_up(True, time.monotonic())
        self.until(lambda: self.ours.link_up and self.heard("LINK UP"))
        self.turn()
        self.far_events.clear()
        self.ours.take_events()

    def replace(self, snapshots: list[Snapshot]) -> None:
        """A new process takes our side over."""
        self.ours = Signalling(self.ours.side, lambda: "new", cold=False)
        self.ours.restore(snapshots, time.monotonic())
        self.ours.line_up(True, time.monotonic())
        self.until(lambda: self.ours.link_up)

    def lose(self) -> None:
        """What libpri has just sent."""
        self._from_far.clear()

    def heard(self, name: str) -> list[FarEvent]:
        return [event for event in self.far_events if event.name == name]

    def turn(self) -> None:
        """Until nobody has anything to say now."""
        while True:
            self.far_events += self.far.run_timers()
            now = time.monotonic()
            self.ours.expire(now)
            frames, self._from_far[:] = list(self._from_far), []
            for frame in frames:
                self.ours.receive_frame(frame, now)
            ours = self.ours.take_frames()
            self.far_events += self.far.receive(ours)
            if not frames and not ours and not self._from_far:
                return

    def until(self, done: Any, within_s: float = 10.0) -> None:
        deadline = time.monotonic() + within_s
        while not done():
            assert time.monotonic() < deadline, (self.far_events, self.ours.take_events())
            self.turn()

    def events(self) -> list[Event]:
        self.turn()
        return [event for event in self.ours.take_events() if type(event).__name__ != "ChannelChanged"]


def receive_call(line: Joined) -> str:
    """A call that libpri places and we answer; our key."""
    line.far.setup(CALLED, "13800138000", "", 3, True, True)
    [incoming] = line.events()
    assert isinstance(incoming, Incoming)
    assert (incoming.called, incoming.calling, incoming.complete, incoming.timeslot) == (
        CALLED, "13800138000", True, 3)
    line.ours.alert(incoming.key, time.monotonic())
    line.ours.answer(incoming.key, time.monotonic())
    assert line.events() == [Answered(incoming.key)]
    assert [event.name for event in line.far_events] == ["PROCEEDING", "ALERTING", "CONNECT"]
    return incoming.key


def hang_up_far(line: Joined, cause: int) -> None:
    """libpri's application hangs up, and once more when our RELEASE has come: that is how libpri wants it."""
    line.far.hang_up(line.heard("CONNECT")[0].handle, cause)
    line.turn()
    line.far.hang_up(line.heard("RELEASE")[0].handle, cause)


@SIDES
@pytest.mark.parametrize("we_hang_up", [True, False])
def test_libpri_calls_us(side: Side, we_hang_up: bool) -> None:
    line = Joined(side)
    key = receive_call(line)
    if we_hang_up:
        line.ours.hang_up(key, 16, time.monotonic())
        line.turn()
        [disconnect] = line.heard("DISCONNECT")
        assert disconnect.cause == 16
        line.far.hang_up(disconnect.handle, 16)
    else:
        hang_up_far(line, 17)
    assert line.events() == [Released(key, *((16, By.NEAR) if we_hang_up else (17, By.FAR)))]
    assert len(line.ours) == 0


@SIDES
def test_we_call_libpri(side: Side) -> None:
    line = Joined(side)
    line.ours.setup("out", CALLED, time.monotonic(), calling="100", name="Wang")
    line.turn()
    [setup] = line.heard("SETUP")
    assert (setup.called, setup.calling, setup.timeslot) == (CALLED, "100", 1)
    line.far.proceeding(setup.handle, 1)
    line.far.alerting(setup.handle, 1, True)
    line.far.connect(setup.handle, 1)
    events = line.events()
    assert events[0] == ChannelChosen("out", 1) and events[-1] == Answered("out")
    line.ours.hang_up("out", 16, time.monotonic())
    line.turn()
    line.far.hang_up(setup.handle, 16)
    assert line.events() == [Released("out", 16, By.NEAR)]


@SIDES
def test_libpri_sends_digits_one_by_one(side: Side) -> None:
    line = Joined(side, overlap=True)
    handle = line.far.setup("5", "", "", 1, True, False)
    [incoming] = line.events()
    assert isinstance(incoming, Incoming) and not incoming.complete
    line.far.information(handle, "0")
    line.far.information(handle, "1")
    assert [getattr(event, "called", "") for event in line.events()] == ["50", "501"]
    line.ours.proceed(incoming.key, time.monotonic())
    line.turn()
    assert line.heard("PROCEEDING")


@SIDES
def test_restart_from_libpri_and_to_libpri(side: Side) -> None:
    line = Joined(side)
    key = receive_call(line)
    line.far.restart(3)
    line.turn()
    assert [event.timeslot for event in line.heard("RESTART ACK")] == [3]
    assert line.events() == [Released(key, 41, By.LINE)]
    line.ours.restart(5, time.monotonic())
    line.turn()
    assert [event.timeslot for event in line.heard("RESTART")][-1] == 5
    assert line.ours.channels.is_idle(5)


@SIDES
def test_a_new_process_keeps_the_call_that_libpri_still_has(side: Side) -> None:
    line = Joined(side)
    key = receive_call(line)
    snapshot = line.ours.snapshot(key)
    assert snapshot is not None
    line.replace([snapshot])
    line.turn()
    assert line.ours.snapshot(key) == snapshot
    hang_up_far(line, 16)
    assert Released(key, 16, By.FAR) in line.events()


@SIDES
@pytest.mark.need(1)
def test_the_restart_of_a_cold_start_reaches_a_libpri_that_was_there_before(side: Side) -> None:
    """libpri's first SABME found nobody. It answers ours, waits on and drops our first messages."""
    line = Joined(side, connected=False)
    line.lose()
    line.connect()
    line.until(lambda: line.ours.channels.idle() == 30, within_s=3.0)
    assert line.ours.counts["link_resets"] == 1
    assert line.ours.counts["restarts_sent"] == 2


@SIDES
def test_libpris_hang_up_that_is_lost_while_we_set_the_link_up_is_found_out(side: Side) -> None:
    line = Joined(side)
    key = receive_call(line)
    snapshot = line.ours.snapshot(key)
    assert snapshot is not None
    line.far.hang_up(line.heard("CONNECT")[0].handle, 16)
    line.lose()                                   # DISCONNECT
    line.replace([snapshot])
    line.until(lambda: line.heard("RELEASE"), within_s=3.0)      # not after libpri's T305, 30 s
    line.far.hang_up(line.heard("RELEASE")[0].handle, 16)
    assert Released(key, 31, By.FAR) in line.events()
    assert len(line.ours) == 0


@SIDES
def test_our_hang_up_that_was_lost_is_said_again_by_the_next_process(side: Side) -> None:
    line = Joined(side)
    key = receive_call(line)
    line.ours.hang_up(key, 17, time.monotonic())
    line.ours.take_frames()                       # lost
    snapshot = line.ours.snapshot(key)
    assert snapshot is not None
    line.replace([snapshot])
    assert Released(key, 17, By.NEAR) in line.events()
    line.until(lambda: line.heard("RELEASE"), within_s=3.0)
    [release] = line.heard("RELEASE")
    assert release.cause == 17
    line.far.hang_up(release.handle, 17)
    line.turn()
    assert len(line.ours) == 0
