"""Who listens to what now, and whose level is measured. Both end when nobody asks for them any more."""

from dataclasses import dataclass, field

from appliance.bus.client import Refused
from appliance.bus.messages import Level, Levels
from appliance.media.graph import Graph
from appliance.span.switchboard_legs import Leg, Legs, check_name
from appliance.span.switchboard_recordings import id_octets

MAX_LISTENERS = 16                                # rows of the listening ring
LONGEST_S = 60.0                                  # who listens longer asks again
METER_TICKS = 25                                  # a level is that of a quarter of a second
METERED_S = 10.0                                  # from when it was last asked for


@dataclass(frozen=True, slots=True)
class _Listener:
    who: str
    what: str                                     # for the log
    leg: Leg | None                               # None: a timeslot, whoever has it
    port: int
    until: float


class Listeners:
    """Live taps by the listener's id. `notes` are for the log."""

    def __init__(self, graph: Graph, legs: Legs) -> None:
        self._graph, self._legs = graph, legs
        self._listening: dict[bytes, _Listener] = {}
        self.notes: list[str] = []

    def __len__(self) -> int:
        return len(self._listening)

    def listen_leg(self, name: str, who: str, leg_name: str, until: float) -> int:
        """Row of the listening ring. Refused: the leg is not bound, or too many listen."""
        leg, port = self._legs.bound(leg_name)
        return self._listen(name, _Listener(who, f"leg {leg_name}", leg, port, until))

    def listen_port(self, name: str, who: str, what: str, port: int, until: float) -> int:
        """The same of a port, whatever leg it is."""
        return self._listen(name, _Listener(who, what, None, port, until))

    def stop(self, name: str) -> None:
        octets = id_octets("listener", name)
        if octets in self._listening:
            self._end(octets)

    def follow(self, leg: Leg) -> None:
        """The leg has another port."""
        for octets, listener in self._listening.items():
            if listener.leg is leg and leg.port is not None:
                self._tap(octets, leg.port)

    def cleared(self, port: int) -> None:
        """Nothing is connected with the port any more; who listens to it as a timeslot goes on."""
        for octets, listener in self._listening.items():
            if listener.leg is None and listener.port == port:
                self._tap(octets, port)

    def forget(self, leg: Leg) -> None:
        for octets, listener in list(self._listening.items()):
            if listener.leg is leg:
                self._end(octets)

    def expire(self, now: float) -> None:
        for octets, listener in list(self._listening.items()):
            if listener.until <= now:
                self._end(octets)

    def _listen(self, name: str, wanted: _Listener) -> int:
        octets = id_octets("listener", name)
        check_name("who", wanted.who)
        before = self._listening.get(octets)
        if before is None and len(self._listening) == MAX_LISTENERS:
            raise Refused(f"{MAX_LISTENERS} listen already: wait until one of them has ended")
        if before is None or (before.who, before.what) != (wanted.who, wanted.what):
            self.notes.append(f"{wanted.who} listens to {wanted.what}")
        self._listening[octets] = wanted
        return self._tap(octets, wanted.port)

    def _tap(self, octets: bytes, port: int) -> int:
        return self._graph.tap(octets, port, self._graph.sent(port), live=True)

    def _end(self, octets: bytes) -> None:
        listener = self._listening.pop(octets)
        self._graph.end_tap(octets, live=True)
        self.notes.append(f"{listener.who} listens to {listener.what} no more")


@dataclass(slots=True)
class _Meter:
    until: float
    levels: dict[str, Level] = field(default_factory=dict)       # by tag


class LevelMeters:
    """Of legs that were asked for."""

    def __init__(self, graph: Graph, legs: Legs) -> None:
        self._graph, self._legs = graph, legs
        self._meters: dict[Leg, _Meter] = {}

    def levels(self, name: str, now: float) -> Levels:
        """Refused: the leg is not bound."""
        leg, _ = self._legs.bound(name)
        meter = self._meters.setdefault(leg, _Meter(now))
        meter.until = now + METERED_S
        self.follow(leg)
        received, sent = _tags(leg)
        return Levels(received=meter.levels.get(received), sent=meter.levels.get(sent))

    def measured(self, tag: str, rms_dbm0: float, peak_dbm0: float) -> None:
        """By the engine."""
        leg = self._legs.get(tag.partition(" ")[2])
        meter = None if leg is None else self._meters.get(leg)
        if meter is not None:
            meter.levels[tag] = Level(rms_dbm0=round(rms_dbm0, 1), peak_dbm0=round(peak_dbm0, 1))

    def follow(self, leg: Leg) -> None:
        """The leg has another port."""
        if leg in self._meters and leg.port is not None:
            for tag, row in zip(_tags(leg), (leg.port, self._graph.sent(leg.port)), strict=True):
                self._graph.meter(tag, row, METER_TICKS)

    def forget(self, leg: Leg) -> None:
        if self._meters.pop(leg, None) is not None:
            for tag in _tags(leg):
                self._graph.end_meter(tag)

    def expire(self, now: float) -> None:
        for leg, meter in list(self._meters.items()):
            if meter.until <= now:
                self.forget(leg)


def _tags(leg: Leg) -> tuple[str, str]:
    return f"received {leg.name}", f"sent {leg.name}"
