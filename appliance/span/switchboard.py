"""Who hears whom: what is asked for legs by name, turned into plans of the engine's graph.

No I/O but the sockets that RTP legs are given, no clock. A wish may come before its leg is bound; it is kept
by the leg's name until the leg is unbound. To ask for the same again changes nothing: who lost touch asks for
all again. What changed is one plan, taken with take_plan(); what is to be said on the bus with take_events().
"""

from appliance.bus.client import Refused
from appliance.bus.messages import Digit, Event, Heard, Levels, RtpTrouble
from appliance.media.detect import DETECTORS
from appliance.media.graph import Graph
from appliance.media.masking import DIGITS
from appliance.media.plan import Plan
from appliance.media.rtp.settings import LegSettings
from appliance.span.rtp import Ports, RtpOrder
from appliance.span.switchboard_legs import Bridged, Leg, Legs, Mode, Supervising, check_name
from appliance.span.switchboard_listening import LONGEST_S, LevelMeters, Listeners
from appliance.span.switchboard_plays import Compile, Plays
from appliance.span.switchboard_recordings import Recordings
from appliance.span.switchboard_rtp import RtpRows
from appliance.span.switchboard_wiring import Wiring, check_gain
from e1_driver import BEARERS, TIMESLOTS

AGC_TARGET_DBM0 = -20.0                           # active speech level: P.830's nominal -26 dBov


class Switchboard:
    """`spans` in order of their ports, then RTP legs, whose sockets come from `rtp_ports`.

    `left`: the last ticks of recordings of a life before this one.
    """

    def __init__(
        self, spans: list[str], compile_sound: Compile, recordings: int, left: dict[bytes, int] | None = None,
        rtp_legs: int = 0, rtp_ports: Ports | None = None,
    ) -> None:
        timeslots = len(spans) * TIMESLOTS
        self.ports = timeslots + rtp_legs
        self._spans = {name: index for index, name in enumerate(spans)}
        self._graph = graph = Graph(self.ports)
        self._legs = legs = Legs(self._drop)
        self._wiring = Wiring(graph, legs)
        self._plays = Plays(graph, legs, compile_sound, self._wiring.changed)
        self._recordings = Recordings(graph, legs, recordings, left or {})
        self._listeners, self._meters = Listeners(graph, legs), LevelMeters(graph, legs)
        self._rtp = RtpRows(timeslots, rtp_legs, rtp_ports)
        self._events: list[Event] = []

    # Legs

    def bind(self, name: str, span: str, timeslot: int) -> None:
        """Refused: no such span or B-channel."""
        port = self._bearer(span, timeslot)
        holder = self._legs.by_port.get(port)
        if holder is None or holder.name != name:
            check_name("leg", name)
            if holder is not None:
                self.unbind(holder.name)
            self._put(self._legs.wish(name), port)

    def open_rtp(self, name: str, local_port: int, settings: LegSettings) -> int:
        """The leg's local UDP port. Refused: no RTP leg is free, or that port is taken."""
        leg = self._legs.get(name)
        if leg is not None and leg.port is not None and leg.port >= len(self._spans) * TIMESLOTS:
            return self.change_rtp(name, settings)
        check_name("leg", name)
        port, local_port = self._rtp.open(name, local_port, settings)
        self._put(self._legs.wish(name), port)
        return local_port

    def change_rtp(self, name: str, settings: LegSettings, relatch: bool = False) -> int:
        """The leg's local UDP port. Refused: it is no RTP leg."""
        leg, port = self._legs.bound(name)
        local_port = self._rtp.change(port, settings, relatch)
        if leg.tells_digits and not self._rtp.tells_digits(port):
            leg.tells_digits = False
            self._graph.detect(port, DIGITS, leg.name)
        return local_port

    def unbind(self, name: str) -> None:
        """Forget all of the leg."""
        self._recordings.forget(name)
        leg = self._legs.get(name)
        if leg is not None:
            self._drop(leg, "")

    def legs_on(self, span: str) -> int:
        """How many legs are bound there. Refused: no such span."""
        first = self._first_port(span)
        return sum(first <= port < first + TIMESLOTS for port in self._legs.by_port)

    def rtp_legs(self) -> list[tuple[int, str]]:
        """Rows of RTP legs and whose they are."""
        return list(self._rtp.legs())

    # What legs hear

    def play(self, name: str, play: str, fragments: list[str], repeat: bool) -> None:
        """What cannot be played at all ends at once."""
        self._plays.play(name, play, fragments, repeat)

    def stop_play(self, name: str) -> None:
        if leg := self._legs.get(name):
            self._plays.stop(leg)
            self._legs.drop_empty(leg)

    def bridge(self, name_a: str, name_b: str) -> None:
        """Refused: a leg with itself."""
        for leg in self._wiring.bridge(name_a, name_b):
            self._plays.stop(leg)

    def unbridge(self, name: str) -> None:
        if leg := self._legs.get(name):
            self._wiring.unbridge(leg)

    def join(self, conference: str, name: str, gain_db: float = 0.0, speaks: bool = True, hears: bool = True,
             ) -> None:
        """Refused: no such name or gain, or too many conferences."""
        for leg in self._wiring.join(conference, name, gain_db, speaks, hears):
            self._plays.stop(leg)

    def leave(self, name: str) -> None:
        if leg := self._legs.get(name):
            self._wiring.leave(leg)

    def supervise(self, name: str, agent: str, mode: Mode) -> None:
        """Refused: itself, who supervises or is supervised."""
        for leg in self._wiring.supervise(name, agent, mode):
            self._plays.stop(leg)

    def stop_supervising(self, name: str) -> None:
        if leg := self._legs.get(name):
            self._wiring.stop_supervising(leg)

    def send_digits(self, name: str, order: str, digits: str, on_ms: int = 100, off_ms: int = 100) -> None:
        """Refused: the leg is not bound, is still sent others, or they are none."""
        _, port = self._legs.bound(name)
        told = self._rtp.tells_digits(port)
        if self._plays.send_digits(name, order, digits, on_ms, off_ms, in_band=not told) and told:
            self._rtp.send_events(port, digits, on_ms, off_ms)

    # Settings

    def set_gain(self, name: str, received_db: float, sent_db: float) -> None:
        """Refused: beyond what the levels can."""
        check_gain(received_db)
        check_gain(sent_db)
        self._set(name, received_db=received_db, sent_db=sent_db)

    def set_agc(self, name: str, on: bool) -> None:
        self._set(name, agc=on)

    def set_echo(self, name: str, on: bool) -> None:
        self._set(name, echo=on)

    def mask_digits(self, name: str, on: bool) -> None:
        self._set(name, mask_digits=on)

    def detect(self, name: str, kinds: list[str]) -> None:
        """Refused: a kind that is not there."""
        unknown = sorted(set(kinds) - DETECTORS.keys())
        if unknown:
            raise Refused(f"nothing detects {unknown[0][:64]!r}, there are {', '.join(DETECTORS)}")
        self._set(name, kinds=frozenset(kinds) - {DIGITS})

    # Recordings, listeners, levels

    def start_recording(self, name: str, caller_leg: str, agent_leg: str, tick: int, paused: bool = False,
                        ) -> None:
        """`tick` is the first that it will have. Refused: no id, or no free row in the ring."""
        self._recordings.start(name, caller_leg, agent_leg, paused, tick)

    def stop_recording(self, name: str) -> None:
        self._recordings.stop(name)

    def pause_recording(self, name: str, paused: bool) -> None:
        """Silence of equal length in place of both sides, or no more. Refused: it does not run."""
        self._recordings.pause(name, paused)

    def listen(
        self, listener: str, who: str, leg: str, span: str, timeslot: int, for_s: float, now: float,
    ) -> int:
        """Row of the listening ring. Refused: no such leg or timeslot, too long, or too many listen."""
        if not 0 < for_s <= LONGEST_S:
            raise Refused(f"for_s {for_s:g}: up to {LONGEST_S:g}, then ask again")
        if bool(leg) == bool(span):
            raise Refused("name what to listen to: a leg, or a span and its timeslot")
        if leg:
            return self._listeners.listen_leg(listener, who, leg, now + for_s)
        port = self._bearer(span, timeslot)
        return self._listeners.listen_port(listener, who, f"timeslot {timeslot} of {span}", port, now + for_s)

    def stop_listening(self, listener: str) -> None:
        self._listeners.stop(listener)

    def levels(self, name: str, now: float) -> Levels:
        """Refused: the leg is not bound."""
        return self._meters.levels(name, now)

    def expire(self, now: float) -> None:
        """End what was asked for until now at the latest."""
        self._listeners.expire(now)
        self._meters.expire(now)

    # What the engine tells

    def player_ended(self, tag: int) -> None:
        """It played the sound to its end."""
        self._plays.ended(tag)

    def heard(self, kind: str, name: str, what: str, at: float) -> None:
        """A detector of the leg made certain of `what`."""
        if self._legs.port(name) is None:
            return                                # it was unbound meanwhile
        if kind == DIGITS:
            self._events.append(Digit(leg=name, digit=what, at=at))
        else:
            self._events.append(Heard(leg=name, kind=kind, what=what, at=at))

    def measured(self, tag: str, rms_dbm0: float, peak_dbm0: float) -> None:
        self._meters.measured(tag, rms_dbm0, peak_dbm0)

    def rtp_heard(self, row: int, kind: str, what: str, at: float) -> None:
        """What an RTP leg was told. A telephone that tells its digits is listened to for them no more."""
        leg = self._legs.get(self._rtp.leg(row))
        if leg is None or leg.port is None:
            return
        if kind == "rtp-trouble":
            self._events.append(RtpTrouble(leg=leg.name, what=what, at=at))
            return
        self._events.append(Digit(leg=leg.name, digit=what, at=at))
        if not leg.tells_digits:
            leg.tells_digits = True
            self._graph.detect(leg.port, DIGITS, None)

    # What is to be done

    def take_plan(self, at_tick: int = 0) -> Plan | None:
        """What is in force from that tick on; None when it is still the last one."""
        self._wiring.apply()
        return self._graph.take_plan(at_tick)

    def take_orders(self) -> list[RtpOrder]:
        orders, self._rtp.orders = self._rtp.orders, []
        return orders

    def take_events(self) -> list[Event]:
        events: list[Event] = []
        for said in (self._events, self._plays.events, self._recordings.events):
            events += said
            said.clear()
        return events

    def take_notes(self) -> list[str]:
        """For the log: who listens to what."""
        notes, self._listeners.notes = self._listeners.notes, []
        return notes

    def figures(self) -> dict[str, float]:
        """What goes on now."""
        bound = self._legs.by_port.values()
        links = [leg.link for leg in bound]
        return {
            "legs": len(bound), "rtp_legs": len(self._rtp),
            "plays": sum(leg.play is not None for leg in bound),
            "bridges": sum(isinstance(link, Bridged) and link.peer.port is not None for link in links) // 2,
            "conferences": len(self._wiring.conferences),
            "supervisors": sum(isinstance(link, Supervising) for link in links),
            "recordings": len(self._recordings), "listeners": len(self._listeners),
        }

    # The rest

    def _put(self, leg: Leg, port: int) -> None:
        """The leg is on that port from now on, with all that was wished for it."""
        self._leave(leg)
        self._legs.put(leg, port)
        self._graph.detect(port, DIGITS, leg.name)
        self._apply(leg, port)
        self._plays.begin(leg)
        self._wiring.changed(leg)
        for taps in (self._recordings, self._listeners, self._meters):
            taps.follow(leg)

    def _drop(self, leg: Leg, error: str) -> None:
        self._plays.forget(leg, error)
        self._wiring.forget(leg)
        self._listeners.forget(leg)
        self._meters.forget(leg)
        self._leave(leg)
        self._legs.drop(leg)

    def _leave(self, leg: Leg) -> None:
        """The port it was on, if any, is free."""
        if leg.port is not None:
            self._wiring.moves(leg)
            self._graph.clear(leg.port)
            self._listeners.cleared(leg.port)
            self._rtp.close(leg.port)
            self._legs.put(leg, None)
            leg.tells_digits = False

    def _set(self, name: str, **settings: object) -> None:
        leg = self._legs.change(name, **settings)
        if leg.port is not None:
            self._apply(leg, leg.port)
        self._legs.drop_empty(leg)

    def _apply(self, leg: Leg, port: int) -> None:
        wanted, graph = leg.settings, self._graph
        graph.set_gain(port, wanted.received_db, wanted.sent_db)
        graph.set_agc(port, AGC_TARGET_DBM0 if wanted.agc else None)
        graph.set_echo(port, wanted.echo)
        graph.mask_digits(port, wanted.mask_digits)
        for kind in DETECTORS.keys() - {DIGITS}:
            graph.detect(port, kind, leg.name if kind in wanted.kinds else None)

    def _bearer(self, span: str, timeslot: int) -> int:
        first = self._first_port(span)
        if timeslot not in BEARERS:
            raise Refused(f"timeslot {timeslot} carries no speech: 1-15 and 17-31 do")
        return first + timeslot

    def _first_port(self, span: str) -> int:
        if span not in self._spans:
            raise Refused(f"no span {span!r}, there are {', '.join(self._spans)}")
        return self._spans[span] * TIMESLOTS
