"""Who hears whom: legs, plays, bridges and recordings by name, turned into plans of the matrix.

No I/O, no clock. A wish may come before its leg is bound; it is kept by the leg's name. Every change is one
plan, taken with take_plan(); what must be said on the bus is taken with take_events().
"""

from collections.abc import Callable
from dataclasses import dataclass

from appliance.bus.client import Refused
from appliance.bus.messages import Event, PlayEnded, RecordingGap
from appliance.media.engine import Plan, Player, Sound, plan
from appliance.media.ring import FREE, ID_OCTETS
from e1_driver import BEARERS, TIMESLOTS

MAX_UNBOUND = 1000                                # legs that have wishes and were not bound yet
TICK_S = 0.01

Compile = Callable[[list[str], bool], tuple[Sound | None, str]]


@dataclass(slots=True)
class _Play:
    name: str
    tag: int
    sound: Sound
    wrong: str                                    # fragments that could not be played


@dataclass(slots=True)
class _Leg:
    name: str
    port: int | None = None
    listener: int | None = None
    play: _Play | None = None
    peer: "_Leg | None" = None

    @property
    def empty(self) -> bool:
        return self.port is None and self.play is None and self.peer is None


@dataclass(frozen=True, slots=True)
class _Recording:
    name: bytes
    caller_leg: str
    agent_leg: str


class Switchboard:
    """`spans` in order of their ports; `left`: the last ticks of recordings of a life before this one."""

    def __init__(
        self, spans: list[str], compile_sound: Compile, recordings: int, left: dict[bytes, int] | None = None,
    ) -> None:
        self.ports = len(spans) * TIMESLOTS
        self._spans = {name: index for index, name in enumerate(spans)}
        self._compile = compile_sound
        self._legs: dict[str, _Leg] = {}          # in order of their first wish
        self._by_port: dict[int, _Leg] = {}
        self._by_tag: dict[int, _Leg] = {}
        self._listeners: list[_Leg | None] = []
        self._recordings: list[_Recording | None] = [None] * recordings
        self._left = left or {}
        self._next_tag = 0
        self._changed = False
        self._begun: set[int] = set()
        self._fresh: set[int] = set()
        self._events: list[Event] = []

    def bind(self, name: str, span: str, timeslot: int) -> None:
        """Refused: no such span or B-channel."""
        first = self._first_port(span)
        if timeslot not in BEARERS:
            raise Refused(f"timeslot {timeslot} carries no speech: 1-15 and 17-31 do")
        port = first + timeslot
        holder = self._by_port.get(port)
        if holder is not None and holder.name == name:
            return
        if holder is not None:
            self.unbind(holder.name)
        leg = self._leg(name)
        if leg.port is not None:
            del self._by_port[leg.port]
        if leg.listener is None:
            leg.listener = self._free_listener(leg)
        leg.port = port
        self._by_port[port] = leg
        self._fresh.add(leg.listener)
        if leg.play is not None:
            self._begun.add(port)
        self._changed = True

    def unbind(self, name: str) -> None:
        """Forget all of the leg."""
        leg = self._legs.get(name)
        if leg is not None:
            self._drop(leg, "")
        for row, recording in enumerate(self._recordings):
            if recording is not None and name in (recording.caller_leg, recording.agent_leg):
                self._recordings[row] = None
                self._changed = True

    def legs_on(self, span: str) -> int:
        """How many legs are bound there. Refused: no such span."""
        first = self._first_port(span)
        return sum(first <= port < first + TIMESLOTS for port in self._by_port)

    def play(self, name: str, play: str, fragments: list[str], repeat: bool) -> None:
        """What cannot be played at all ends at once."""
        leg = self._leg(name)
        if leg.play is not None and leg.play.name == play:
            return
        self._end_play(leg)
        sound, wrong = self._compile(fragments, repeat)
        if sound is None:
            self._events.append(PlayEnded(leg=name, play=play, finished=False, error=wrong))
            self._forget_empty(leg)
            return
        self._next_tag += 1
        leg.play = _Play(play, self._next_tag, sound, wrong)
        self._by_tag[self._next_tag] = leg
        if leg.port is not None:
            self._begun.add(leg.port)
        self._changed = True

    def stop_play(self, name: str) -> None:
        leg = self._legs.get(name)
        if leg is not None:
            self._end_play(leg)
            self._forget_empty(leg)

    def player_ended(self, tag: int) -> None:
        """The matrix played the sound to its end."""
        leg = self._by_tag.get(tag)
        if leg is not None:
            self._end_play(leg, finished=True)
            self._forget_empty(leg)

    def bridge(self, name_a: str, name_b: str) -> None:
        """Refused: a leg with itself."""
        if name_a == name_b:
            raise Refused(f"leg {name_a!r} cannot be bridged with itself")
        pair = self._leg(name_a), self._leg(name_b)
        for leg, peer in (pair, pair[::-1]):
            if leg.peer is not peer:
                self._end_bridge(leg)
            self._end_play(leg)
        pair[0].peer, pair[1].peer = pair[1], pair[0]
        self._legs |= {leg.name: leg for leg in pair}                # one may have ended with its old bridge
        self._changed = True

    def unbridge(self, name: str) -> None:
        leg = self._legs.get(name)
        if leg is not None:
            self._end_bridge(leg)
            self._forget_empty(leg)

    def start_recording(self, name: str, caller_leg: str, agent_leg: str, tick: int) -> None:
        """`tick` is the first that it will have. Refused: no id, or no free row in the ring."""
        try:
            octets = bytes.fromhex(name)
        except ValueError:
            octets = b""
        if len(octets) != ID_OCTETS or octets == FREE:
            raise Refused(f"recording {name!r}: its id is {2 * ID_OCTETS} hexadecimal digits, not all 0")
        if any(recording is not None and recording.name == octets for recording in self._recordings):
            return
        if None not in self._recordings:
            raise Refused(f"{len(self._recordings)} recordings run already, the ring has no room for more")
        self._recordings[self._recordings.index(None)] = _Recording(octets, caller_leg, agent_leg)
        last = self._left.pop(octets, None)
        if last is not None and tick > last + 1:
            missing_s = (tick - last - 1) * TICK_S
            self._events.append(RecordingGap(recording=name, missing_s=round(missing_s, 2)))
        self._changed = True

    def stop_recording(self, name: str) -> None:
        for row, recording in enumerate(self._recordings):
            if recording is not None and recording.name.hex() == name.lower():
                self._recordings[row] = None
                self._changed = True

    def take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def take_plan(self) -> Plan | None:
        """The plan in force from now on; None when it is still the last one."""
        if not self._changed:
            return None
        made = plan(
            self.ports,
            bridges={port: leg.peer.port for port, leg in self._by_port.items()
                     if leg.peer is not None and leg.peer.port is not None},
            players=[Player(leg.play.tag, port, leg.play.sound) for port, leg in self._by_port.items()
                     if leg.play is not None],
            listeners=[(None, "") if leg is None else (leg.port, leg.name) for leg in self._listeners],
            recordings=[
                (FREE, None, None) if recording is None else
                (recording.name, self._port(recording.caller_leg), self._port(recording.agent_leg))
                for recording in self._used_rows()],
            begun=self._begun, fresh=self._fresh)
        self._begun, self._fresh, self._changed = set(), set(), False
        return made

    def figures(self) -> dict[str, float]:
        """What goes on now."""
        return {
            "legs": len(self._by_port),
            "plays": sum(leg.play is not None for leg in self._by_port.values()),
            "bridges": sum(leg.peer is not None and leg.peer.port is not None
                           for leg in self._by_port.values()) // 2,
            "recordings": sum(recording is not None for recording in self._recordings),
        }

    def _leg(self, name: str) -> _Leg:
        leg = self._legs.get(name)
        if leg is None:
            self._make_room()
            leg = self._legs[name] = _Leg(name)
        return leg

    def _make_room(self) -> None:
        if len(self._legs) - len(self._by_port) >= MAX_UNBOUND:
            oldest = next(leg for leg in self._legs.values() if leg.port is None)
            self._drop(oldest, f"{MAX_UNBOUND} legs wait to be bound, this one waited longest")

    def _drop(self, leg: _Leg, error: str) -> None:
        self._end_play(leg, error=error)
        self._end_bridge(leg)
        if leg.port is not None:
            del self._by_port[leg.port]
            leg.port = None
        if leg.listener is not None:
            self._listeners[leg.listener] = None
            while self._listeners and self._listeners[-1] is None:
                self._listeners.pop()
            leg.listener = None
        self._legs.pop(leg.name, None)
        self._changed = True

    def _forget_empty(self, leg: _Leg) -> None:
        if leg.empty:
            self._legs.pop(leg.name, None)

    def _end_play(self, leg: _Leg, finished: bool = False, error: str = "") -> None:
        if leg.play is not None:
            play, leg.play = leg.play, None
            del self._by_tag[play.tag]
            self._events.append(
                PlayEnded(leg=leg.name, play=play.name, finished=finished, error=error or play.wrong))
            self._changed = True

    def _end_bridge(self, leg: _Leg) -> None:
        if leg.peer is not None:
            peer, leg.peer = leg.peer, None
            peer.peer = None
            self._forget_empty(peer)
            self._changed = True

    def _free_listener(self, leg: _Leg) -> int:
        if None in self._listeners:
            free = self._listeners.index(None)
            self._listeners[free] = leg
        else:
            free = len(self._listeners)
            self._listeners.append(leg)
        return free

    def _used_rows(self) -> list[_Recording | None]:
        used = len(self._recordings)
        while used and self._recordings[used - 1] is None:
            used -= 1
        return self._recordings[:used]

    def _first_port(self, span: str) -> int:
        if span not in self._spans:
            raise Refused(f"no span {span!r}, there are {', '.join(self._spans)}")
        return self._spans[span] * TIMESLOTS

    def _port(self, leg: str) -> int | None:
        found = self._legs.get(leg)
        return None if found is None else found.port
