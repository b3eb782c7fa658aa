"""The trunks' calls: from the spans' events to the bus and the table, from the bus' requests to the spans.

Nothing here waits: a span's event is written to the table, then said; who is to be told gets it from `say`.
"""
import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.bus.client import Refused
from appliance.bus.messages import (
    Alert,
    Answer,
    CallAlerting,
    CallAnswered,
    CallDigits,
    CallIncoming,
    CallInfo,
    CallProceeding,
    CallReleased,
    CallTable,
    ChannelInfo,
    ChannelList,
    ChannelStates,
    Dial,
    Done,
    Event,
    GetCalls,
    GetChannels,
    GetTrace,
    Hangup,
    LinkState,
    Proceed,
    Reply,
    Request,
    Trace,
)
from appliance.config.schema import SpanConfig
from appliance.errors import StateError
from appliance.isdn import events as isdn
from appliance.isdn.call.call import Snapshot
from appliance.isdn.call.states import Timers
from appliance.isdn.causes import TEMPORARY_FAILURE
from appliance.isdn.lapd import Side
from appliance.trunk.binding import Bindings
from appliance.trunk.groups import Unavailable, choose
from appliance.trunk.legs import Leg, LegTable
from appliance.trunk.span import TrunkSpan

CLAIM_WITHIN_S = 10.0                             # an offered call that nobody looks after ends then
ATTEMPTS = 3                                      # of a call whose channel the far end refuses

log = logging.getLogger(__name__)


class TrunkService:
    """`say` takes the bus' events in order; `dchan` is the folder of spand's D-channel sockets."""

    def __init__(self, spans: list[SpanConfig], dchan: Path, table: LegTable, bindings: Bindings,
                 say: Callable[[Event], None], *, timers: Timers | None = None,
                 claim_within_s: float = CLAIM_WITHIN_S) -> None:
        self._table, self._bindings, self._say, self._claim_within_s = table, bindings, say, claim_within_s
        self.changed = asyncio.Event()            # the channels of a span in `_dirty`
        self._dirty: set[str] = set()
        self._legs: dict[str, Leg] = {}
        self.spans = {
            config.name: TrunkSpan(config, dchan / f"{config.name}.sock", table.fresh, self._on_event, timers)
            for config in spans}

    def restore(self) -> None:
        """Take over the calls of the last process: those that talk go on, the others are cleared and told."""
        snapshots: dict[str, list[Snapshot]] = {name: [] for name in self.spans}
        for leg in self._table.load():
            info = leg.info
            self._legs[info.leg] = leg
            active = info.state == "answered"
            if info.span not in self.spans:
                self._released(leg, TEMPORARY_FAILURE, "line")
                continue
            snapshots[info.span].append(
                Snapshot(info.leg, leg.call_ref, not info.inbound, info.timeslot or None, active,
                         info.cause if info.state == "clearing" else None))
            if info.timeslot:                     # also of a call that ends now: spand is to forget it
                self._bindings.bind(info.leg, info.span, info.timeslot)
        for name, span in self.spans.items():
            span.signalling.restore(snapshots[name], span.now())
            span.flush()
        self.repeat_states()
        log.info("%d calls go on", len(self._legs))

    def facts(self) -> dict[str, float]:
        """Figures for the heartbeat."""
        figures: dict[str, float] = {
            "calls": len(self._legs),
            "links": len(self.spans),
            "links_up": sum(span.signalling.link_up for span in self.spans.values()),
            "frames_not_taken": sum(span.frames_not_taken for span in self.spans.values()),
        }
        for span in self.spans.values():
            for name, count in span.signalling.figures().items():
                figures[name] = figures.get(name, 0) + count
        return figures

    def take_channel_states(self) -> list[ChannelStates]:
        """Of the spans that changed since the last time."""
        dirty, self._dirty = self._dirty, set()
        self.changed.clear()
        return [self._channel_states(self.spans[name]) for name in self.spans if name in dirty]

    def repeat_states(self) -> None:
        """Say all that is said on change: at the start, and when the bus was away."""
        for span in self.spans.values():
            self._say_link(span)
            self._mark(span)

    # --- requests

    async def answer(self, request: Request[Any]) -> Reply:
        match request:
            case Proceed(leg=leg):
                self._ask_span(leg, lambda span: span.signalling.proceed(leg, span.now()), "proceeding")
            case Alert(leg=leg):
                self._ask_span(leg, lambda span: self._alert(span, leg), "alerting")
            case Answer(leg=leg):
                self._ask_span(leg, lambda span: span.signalling.answer(leg, span.now()))
            case Hangup(leg=leg, cause=cause):
                if leg in self._legs:
                    self._hang_up(self._legs[leg], cause)
            case Dial():
                self._dial(request)
            case GetCalls():
                return CallTable(calls=[leg.info for leg in self._legs.values()],
                                 released=self._table.released())
            case GetChannels():
                return ChannelList(spans=[self._channel_states(span) for span in self.spans.values()])
            case GetTrace(span=name, frames=frames):
                if name not in self.spans:
                    raise Refused(f"no span {name!r}, there are {', '.join(self.spans)}")
                return Trace(pcap=self.spans[name].trace(frames))
            case _:
                raise Refused(f"{type(request).__name__}: not a request to trunkd")
        return Done()

    def _ask_span(self, name: str, ask: Callable[[TrunkSpan], None], state: str = "") -> None:
        leg = self._legs.get(name)
        if leg is None:
            raise Refused(f"no leg {name}: it ended")
        span = self.spans[leg.info.span]
        try:
            ask(span)
        except StateError as error:
            raise Refused(str(error)) from None
        leg.claimed = True
        leg.change(complete=True)                 # whatever is asked for, no more digits are wanted
        if state and leg.info.inbound and leg.info.state in ("offered", "overlap", "proceeding"):
            self._enter(leg, state)
        span.flush()

    def _alert(self, span: TrunkSpan, leg: str) -> None:
        """Toward a PBX we are the network, whose tones the caller hears."""
        span.signalling.alert(leg, span.now(), in_band=span.signalling.side is Side.NETWORK)

    def _hang_up(self, leg: Leg, cause: int) -> None:
        span = self.spans[leg.info.span]
        leg.claimed = True
        if leg.info.state != "clearing":
            leg.change(cause=cause, by="near")
            self._enter(leg, "clearing")
        span.signalling.hang_up(leg.info.leg, cause, span.now())
        span.flush()

    def _dial(self, request: Dial) -> None:
        if request.leg in self._legs:
            raise Refused(f"leg {request.leg} is there already")
        if not any(span.config.trunk == request.trunk for span in self.spans.values()):
            trunks = sorted({span.config.trunk for span in self.spans.values()})
            raise Refused(f"no trunk {request.trunk!r}, there are {', '.join(trunks)}")
        leg = Leg(CallInfo(
            leg=request.leg, trunk=request.trunk, span="", timeslot=0, inbound=False, state="offered",
            called=request.called, calling=request.calling, calling_name=request.calling_name, complete=True,
            since=(now := time.time()), began_at=now), claimed=True)
        self._legs[request.leg] = leg
        try:
            self._set_up(leg)
        except ValueError as error:
            del self._legs[request.leg]
            raise Refused(f"called {request.called!r}, calling {request.calling!r}: {error}") from None

    def _set_up(self, leg: Leg) -> None:
        info = leg.info
        spans = [span for span in self.spans.values() if span.config.trunk == info.trunk]
        try:
            span = spans[choose([span.signalling for span in spans])]
        except Unavailable as unavailable:
            self._released(leg, unavailable.cause, "line")
            return
        span.signalling.setup(info.leg, info.called, span.now(), calling=info.calling, name=info.calling_name)
        snapshot = span.signalling.snapshot(info.leg)
        leg.call_ref = snapshot.call_ref if snapshot else 0
        leg.change(span=span.config.name)
        self._table.save(leg)
        span.flush()

    # --- a span's events

    def _on_event(self, span: TrunkSpan, event: isdn.Event) -> None:
        match event:
            case isdn.LinkChanged():
                span.link_since = time.time()
                self._say_link(span)
                self._mark(span)
            case isdn.ChannelChanged():
                self._mark(span)
            case isdn.Incoming():
                self._incoming(span, event)
            case _ if event.key in self._legs:
                self._on_call_event(span, self._legs[event.key], event)

    def _on_call_event(self, span: TrunkSpan, leg: Leg, event: isdn.Event) -> None:
        name = leg.info.leg
        match event:
            case isdn.Digits(called=called, complete=complete):
                leg.change(called=called, complete=complete)
                self._enter(leg, "offered" if complete and leg.info.state == "overlap" else leg.info.state)
                self._say(CallDigits(leg=name, called=called, complete=complete))
                if complete:
                    self._expect_claim(leg)
            case isdn.ChannelChosen(timeslot=timeslot):
                leg.change(timeslot=timeslot)
                self._table.save(leg)
                self._bindings.bind(name, span.config.name, timeslot)
            case isdn.Proceeding():
                self._enter(leg, "proceeding")
                self._say(CallProceeding(leg=name))
            case isdn.Alerting():
                self._enter(leg, "alerting")
                self._say(CallAlerting(leg=name))
            case isdn.Answered():
                leg.change(answered=True)
                self._enter(leg, "answered")
                self._say(CallAnswered(leg=name, at=leg.info.since))
            case isdn.Released(cause=cause, by=by, channel_refused=refused):
                if refused and leg.info.state == "offered" and leg.attempts < ATTEMPTS:
                    leg.attempts += 1
                    self._set_up(leg)
                else:
                    self._released(leg, cause, by.value)

    def _incoming(self, span: TrunkSpan, event: isdn.Incoming) -> None:
        snapshot = span.signalling.snapshot(event.key)
        leg = self._legs[event.key] = Leg(CallInfo(
            leg=event.key, trunk=span.config.trunk, span=span.config.name, timeslot=event.timeslot,
            inbound=True, state="offered" if event.complete else "overlap", called=event.called,
            calling=event.calling, calling_name=event.name, complete=event.complete,
            since=(now := time.time()), began_at=now),
            call_ref=snapshot.call_ref if snapshot else 0)
        self._table.save(leg)
        self._bindings.bind(event.key, span.config.name, event.timeslot)
        self._say(CallIncoming(
            leg=event.key, trunk=span.config.trunk, called=event.called, calling=event.calling,
            calling_name=event.name, complete=event.complete, at=leg.info.since))
        if event.complete:
            self._expect_claim(leg)

    def _expect_claim(self, leg: Leg) -> None:
        def check() -> None:
            if not leg.claimed and self._legs.get(leg.info.leg) is leg:
                log.warning("nobody took the call to %s in %g s", leg.info.called, self._claim_within_s)
                self._hang_up(leg, TEMPORARY_FAILURE)
        asyncio.get_running_loop().call_later(self._claim_within_s, check)

    def _enter(self, leg: Leg, state: str) -> None:
        if state != leg.info.state:
            leg.change(state=state, since=time.time())
        self._table.save(leg)

    def _released(self, leg: Leg, cause: int, by: str) -> None:
        info = leg.info
        del self._legs[info.leg]
        leg.change(state="released", since=time.time(), cause=cause, by=by)
        self._bindings.unbind(info.leg)
        self._table.release(leg.info)
        self._say(CallReleased(leg=info.leg, cause=cause, by=by, at=leg.info.since))

    # --- states

    def _mark(self, span: TrunkSpan) -> None:
        self._dirty.add(span.config.name)
        self.changed.set()

    def _say_link(self, span: TrunkSpan) -> None:
        self._say(LinkState(span=span.config.name, up=span.signalling.link_up, since=span.link_since))

    def _channel_states(self, span: TrunkSpan) -> ChannelStates:
        channels = [ChannelInfo(timeslot=channel.timeslot, state=channel.state.value, leg=channel.key)
                    for channel in span.signalling.channels.all()]
        return ChannelStates(span=span.config.name, trunk=span.config.trunk, link_up=span.signalling.link_up,
                             channels=channels)
