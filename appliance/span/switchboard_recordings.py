"""Taps: recordings to the record ring, and what somebody listens to now."""

from dataclasses import dataclass

from appliance.bus.client import Refused
from appliance.bus.messages import Event, RecordingGap
from appliance.media.graph import Graph
from appliance.media.plan import ID_OCTETS
from appliance.span.switchboard_legs import Leg, Legs, check_name

TICK_S = 0.01


@dataclass(slots=True)
class _Recording:
    caller_leg: str
    agent_leg: str                                # "": what the caller hears is the right side
    paused: bool


class Recordings:
    """At most `limit` run; `left`: the last ticks of recordings of a life before this one."""

    def __init__(self, graph: Graph, legs: Legs, limit: int, left: dict[bytes, int]) -> None:
        self._graph, self._legs, self._limit, self._left = graph, legs, limit, left
        self._running: dict[bytes, _Recording] = {}
        self.events: list[Event] = []

    def __len__(self) -> int:
        return len(self._running)

    def start(self, name: str, caller_leg: str, agent_leg: str, paused: bool, tick: int) -> None:
        """`tick` is the first that it will have. Refused: no id, no leg's name, or no room in the ring."""
        octets = id_octets("recording", name)
        check_name("leg", caller_leg)
        if agent_leg:
            check_name("leg", agent_leg)
        if octets in self._running:
            return
        if len(self._running) == self._limit:
            raise Refused(f"{self._limit} recordings run already, the ring has no room for more")
        self._running[octets] = _Recording(caller_leg, agent_leg, paused)
        self._tap(octets)
        if paused:
            self._graph.pause_tap(octets, True)
        last = self._left.pop(octets, None)
        if last is not None and tick > last + 1:
            missing_s = (tick - last - 1) * TICK_S
            self.events.append(RecordingGap(recording=name, missing_s=round(missing_s, 2)))

    def stop(self, name: str) -> None:
        octets = id_octets("recording", name)
        if octets in self._running:
            self._end(octets)

    def pause(self, name: str, paused: bool) -> None:
        """Refused: no such recording runs."""
        octets = id_octets("recording", name)
        recording = self._running.get(octets)
        if recording is None:
            raise Refused(f"recording {name} does not run: start it first")
        if recording.paused != paused:
            recording.paused = paused
            self._graph.pause_tap(octets, paused)

    def follow(self, leg: Leg) -> None:
        """The leg has another port."""
        for octets, recording in self._running.items():
            if leg.name in (recording.caller_leg, recording.agent_leg):
                self._tap(octets)

    def forget(self, leg_name: str) -> None:
        for octets, recording in list(self._running.items()):
            if leg_name in (recording.caller_leg, recording.agent_leg):
                self._end(octets)

    def _tap(self, octets: bytes) -> None:
        recording = self._running[octets]
        left, right = self._legs.port(recording.caller_leg), self._legs.port(recording.agent_leg)
        if not recording.agent_leg and left is not None:
            right = self._graph.sent(left)
        self._graph.tap(octets, left, right)

    def _end(self, octets: bytes) -> None:
        del self._running[octets]
        self._graph.end_tap(octets)


def id_octets(what: str, name: str) -> bytes:
    """Refused: it is not 16 octets as hexadecimal digits, or all 0."""
    try:
        octets = bytes.fromhex(name)
    except ValueError:
        octets = b""
    if len(name) != 2 * ID_OCTETS or len(octets) != ID_OCTETS or octets == bytes(ID_OCTETS):
        raise Refused(f"{what} {name[:64]!r}: its id is {2 * ID_OCTETS} hexadecimal digits, not all 0")
    return octets
