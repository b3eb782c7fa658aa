"""A data link as its owner sees it."""
from appliance.errors import DecodeError
from appliance.isdn.lapd import I_FRAME, FrameError, FrameKind, Side, decode, encode
from appliance.isdn.q921.entity import NEVER, Entity
from appliance.isdn.q921.events import LinkEvent
from appliance.isdn.q921.states import UP, On, Parameters, State
from appliance.isdn.q921.statistics import LinkCounters, LinkStatistics, by_name
from appliance.isdn.q921.table import TABLE

INPUTS = {kind: On[kind.name] for kind in FrameKind}
MAY_CARRY_A_MESSAGE = {I_FRAME, FrameKind.UI, FrameKind.XID}    # N201 holds for them, 5.9.3
PRIMARY_RATE = Parameters()


class Link:
    """A point-to-point link: SAPI 0, TEI 0.

    Feed it with establish, release, send, set_busy, deactivate, receive and expire; after each turn act on
    take_events, send what take_frames gives, and call expire at next_deadline. `now` is any monotonic time in
    seconds.
    """

    def __init__(self, side: Side, parameters: Parameters = PRIMARY_RATE) -> None:
        self.side, self.parameters = side, parameters
        self._entity = Entity(parameters)
        self._peer = side.peer

    @property
    def state(self) -> State:
        return self._entity.state

    @property
    def counters(self) -> LinkCounters:
        return self._entity.counters

    # --- inputs

    def establish(self, now: float) -> None:
        """DL-ESTABLISH request. Ends in Established or Released; messages not acknowledged are dropped."""
        self._turn(On.ESTABLISH, now)

    def release(self, now: float) -> None:
        """DL-RELEASE request. Ends in Released; messages not acknowledged are dropped."""
        self._turn(On.RELEASE, now)

    def send(self, info: bytes, now: float) -> None:
        """DL-DATA request: queue one message. StateError when the link is down or the queue is full."""
        self._ask(On.DATA, info, now)

    def send_unit(self, info: bytes, now: float) -> None:
        """DL-UNIT DATA request: a UI frame, in any state, not acknowledged."""
        self._ask(On.UNIT_DATA, info, now)

    def set_busy(self, busy: bool, now: float) -> None:
        """Refuse I frames for now, or accept them again (5.6.6)."""
        self._turn(On.BUSY if busy else On.READY, now)

    def deactivate(self, now: float) -> None:
        """Layer 1 is down for good: Released, unless the link was not up. No frame is sent."""
        self._turn(On.DEACTIVATED, now)

    def receive(self, octets: bytes, now: float) -> None:
        """One frame without flags and FCS, whatever it holds."""
        entity = self._entity
        counters = entity.counters
        counters.octets_in += len(octets)
        try:
            frame = decode(octets, self._peer)
            if len(frame.info) > self.parameters.n201_octets and frame.kind in MAY_CARRY_A_MESSAGE:
                raise FrameError("O", "3.6.11", "longer than N201", sapi=frame.sapi, tei=frame.tei)
        except FrameError as error:
            if error.sapi or error.tei:
                counters.foreign += 1
                return
            counters.rejected += 1
            entity.letter = error.letter
            self._turn(On.BAD, now)
        except DecodeError:
            counters.invalid += 1
        else:
            if frame.sapi or frame.tei:
                counters.foreign += 1
                return
            counters.received[frame.kind] += 1
            entity.frame = frame
            self._turn(INPUTS[frame.kind], now)

    def expire(self, now: float) -> None:
        """Let the timers whose deadline is not after `now` run out."""
        entity = self._entity
        if entity.t200_at <= now:
            entity.t200_at = NEVER
            entity.counters.t200_expired += 1
            self._turn(On.T200, now)
        if entity.t203_at <= now:
            entity.t203_at = NEVER
            self._turn(On.T203, now)

    # --- outputs

    def next_deadline(self) -> float | None:
        """When to call expire, None when no timer runs."""
        deadline = min(self._entity.t200_at, self._entity.t203_at)
        return None if deadline == NEVER else deadline

    def take_frames(self) -> list[bytes]:
        """The frames to send now. What came in since the last time is acknowledged here, once: by an I frame
        where one goes out, else by RR (5.6.3.1)."""
        entity = self._entity
        if entity.ack_pending:
            TABLE[entity.state][On.ACKNOWLEDGE](entity)
        frames = [encode(frame, self.side) for frame in entity.frames]
        entity.frames.clear()
        entity.counters.octets_out += sum(map(len, frames))
        return frames

    def take_events(self) -> list[LinkEvent]:
        """What happened since the last time."""
        entity = self._entity
        events, entity.events = entity.events, []
        return events

    def statistics(self, now: float) -> LinkStatistics:
        """The figures of this link."""
        entity, counters = self._entity, self._entity.counters
        return LinkStatistics(
            state=entity.state.name,
            up_s=entity.up_s + (now - entity.up_since if entity.state in UP else 0.0),
            established=counters.established, queued=len(entity.queue), longest_queue=counters.longest_queue,
            frames_in=counters.frames_in, frames_out=counters.frames_out,
            octets_in=counters.octets_in, octets_out=counters.octets_out,
            received=by_name(counters.received), sent=by_name(counters.sent),
            retransmitted=counters.retransmitted, t200_expired=counters.t200_expired,
            rejected=counters.rejected, foreign=counters.foreign, invalid=counters.invalid,
            troubles=dict(counters.troubles))

    # --- one turn

    def _ask(self, on: On, info: bytes, now: float) -> None:
        if not 0 < len(info) <= self.parameters.n201_octets:
            raise ValueError(f"{len(info)} octets of information, N201 is {self.parameters.n201_octets}")
        self._entity.info = info
        self._turn(on, now)

    def _turn(self, on: On, now: float) -> None:
        entity = self._entity
        entity.now, before = now, entity.state
        TABLE[before][on](entity)
        if entity.saved is not None and entity.state is not before:
            saved, entity.saved = entity.saved, None
            TABLE[entity.state][saved](entity)
        if entity.queue:
            TABLE[entity.state][On.QUEUED](entity)
