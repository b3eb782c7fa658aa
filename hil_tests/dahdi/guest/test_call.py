"""A whole call through DAHDI: our stack on span 1, libpri on span 2. Its traces go out with the results."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.isdn.dss1 import Signalling
from appliance.isdn.events import Answered, By, ChannelChosen, Event, Incoming, Released
from appliance.isdn.lapd import Side
from e1_driver import Block, open_span
from e1_driver.watch import pcap
from hil_tests.instruments import audio
from hil_tests.instruments.exchange import SoftwareExchange
from hil_tests.instruments.line import Line
from hil_tests.instruments.voice import Voice

RESULTS = Path("/results")
SPEECH_S = 0.5
NORMAL = 16                                       # Q.850


class Subscriber:
    """Our signalling at a line; whoever calls is answered. What it says and hears is one call's."""

    def __init__(self, url: str) -> None:
        numbers = itertools.count(1)
        self.signalling = Signalling(Side.USER, lambda: f"call {next(numbers)}")
        self.events: list[Event] = []
        self.trace: list[tuple[float, bool, bytes]] = []
        self.errors: list[Exception] = []
        self.voice = Voice(keep_s=60.0)
        self.timeslot = 0
        self.changed = threading.Condition()
        self.line = Line(open_span(url), "subscriber")
        self.line.start(self)

    def wait_for(self, kind: type[Event], within_s: float = 10.0) -> Event:
        """The first event of this kind that nobody has waited for."""
        def there() -> Event | None:
            return next((event for event in self.events if isinstance(event, kind)), None)
        with self.changed:
            self.changed.wait_for(lambda: there() or self.errors, within_s)
            event = there()
            assert event is not None, (kind, self.events, self.errors)
            self.events.remove(event)
            return event

    def order(self, order: Callable[[Signalling, float], None]) -> None:
        self.line.ask(lambda: order(self.signalling, time.monotonic()))

    def wait_to_hear(self, octets: audio.Octets, within_s: float = 5.0) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: audio.find(octets, self.voice.heard(0)) >= 0, within_s)

    # --- the line's thread

    def receive(self, frames: list[bytes], now: float) -> None:
        for frame in frames:
            self.trace.append((time.time(), False, frame))
            self.signalling.receive_frame(frame, now)
        self._turn(now)

    def run_timers(self, now: float) -> None:
        self.signalling.line_up(self.line.span.status().up, now)
        self.signalling.expire(now)
        self._turn(now)

    def next_timer_s(self) -> float | None:
        deadline = self.signalling.next_deadline()
        return None if deadline is None else max(0.0, deadline - time.monotonic())

    def exchange(self, heard: Block, said: Block, now: float) -> None:
        if self.timeslot:
            with self.changed:
                self.voice.hear(heard[self.timeslot])
                self.voice.speak(said[self.timeslot])
                self.changed.notify_all()

    def failed(self, error: Exception) -> None:
        with self.changed:
            self.errors.append(error)
            self.changed.notify_all()

    def _turn(self, now: float) -> None:
        for event in self.signalling.take_events():
            match event:
                case Incoming(key=key, timeslot=timeslot):
                    self.timeslot = timeslot
                    self.signalling.alert(key, now)
                    self.signalling.answer(key, now)
                case ChannelChosen(timeslot=timeslot):
                    self.timeslot = timeslot
            with self.changed:
                self.events.append(event)
                self.changed.notify_all()
        for frame in self.signalling.take_frames():
            self.trace.append((time.time(), True, frame))
            self.line.send_frame(frame)


@pytest.fixture(scope="module")
def exchange() -> Iterator[SoftwareExchange]:
    with SoftwareExchange("dahdi:2", "network", capture=RESULTS / "libpri.pcap") as far:
        yield far


@pytest.fixture(scope="module")
def subscriber(exchange: SoftwareExchange) -> Iterator[Subscriber]:
    ours = Subscriber("dahdi:1")
    yield ours
    ours.line.stop()
    (RESULTS / "ours.pcap").write_bytes(pcap.write(ours.trace, network_side=False))
    assert ours.errors == []


def test_libpri_calls_us(exchange: SoftwareExchange, subscriber: Subscriber) -> None:
    exchange.wait_up(within_s=20.0)
    call = exchange.place_call("5001", calling="2155501", name="Alice", timeslot=1)
    offered = subscriber.wait_for(Incoming)
    assert isinstance(offered, Incoming)
    assert (offered.called, offered.calling, offered.timeslot) == ("5001", "2155501", 1)
    call.answered()
    theirs, ours = audio.sequence(1, SPEECH_S), audio.sequence(2, SPEECH_S)
    call.play(theirs)
    subscriber.line.ask(lambda: subscriber.voice.play(ours, repeat=False))
    call.wait_to_hear_octets(ours)
    subscriber.wait_to_hear(theirs)
    call.hang_up(NORMAL)
    released = subscriber.wait_for(Released)
    assert isinstance(released, Released)
    assert (released.cause, released.by) == (NORMAL, By.FAR)
    exchange.wait_idle()
    subscriber.timeslot = 0


def test_we_call_libpri(exchange: SoftwareExchange, subscriber: Subscriber) -> None:
    subscriber.order(lambda signalling, now: signalling.setup(
        "out", "1000", now, calling="5001", timeslot=31))
    call = exchange.wait_for_call(called="1000")
    assert (call.calling, call.timeslot) == ("5001", 31)
    call.proceed()
    call.alert()
    call.answer()
    subscriber.wait_for(Answered)
    theirs, ours = audio.sequence(3, SPEECH_S), audio.sequence(4, SPEECH_S)
    call.play(theirs)
    subscriber.line.ask(lambda: subscriber.voice.play(ours, repeat=False))
    call.wait_to_hear_octets(ours)
    subscriber.wait_to_hear(theirs)
    subscriber.order(lambda signalling, now: signalling.hang_up("out", NORMAL, now))
    exchange.wait_idle()
    assert call.released == NORMAL
