"""The trunks' calls: from the spans' events to the bus and the table, from the bus' requests to the spans.

Nothing here waits: what becomes of a call is in the table before frames leave and before it is said; who is
to be told gets it from `say`. span_events.py has what spans tell, outgoing.py what is dialled,
channel_board.py the channels, reload.py new settings.
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
    BringBack,
    BusyOut,
    CallTable,
    CallTraces,
    ChannelList,
    ChannelStates,
    Deflect,
    Dial,
    Done,
    Drained,
    DrainTrunks,
    Event,
    GetCalls,
    GetCallTrace,
    GetChannels,
    GetSpanTrace,
    GetTrace,
    GetTrunks,
    GrantDeflection,
    GrantJoin,
    Hangup,
    JoinOutside,
    LinkState,
    Notify,
    Proceed,
    Progress,
    Reloaded,
    ReloadTrunks,
    Reply,
    Request,
    Trace,
    TraceMalicious,
    TrunkTable,
)
from appliance.config.lines import SpanConfig
from appliance.config.schema import Config
from appliance.errors import ConfigError, StateError
from appliance.isdn import events as isdn
from appliance.isdn.call.call import Snapshot
from appliance.isdn.causes import TEMPORARY_FAILURE
from appliance.isdn.elements import Element, ProgressIndicator
from appliance.isdn.events import ChannelState
from appliance.isdn.lapd import Side
from appliance.trunk.binding import Bindings
from appliance.trunk.busy_out import BusyOutFile
from appliance.trunk.calls import Calls
from appliance.trunk.channel_board import ChannelBoard
from appliance.trunk.draining import Draining
from appliance.trunk.legs import Leg, LegTable
from appliance.trunk.outgoing import Outgoing
from appliance.trunk.reload import check_reload, needs_a_new_link
from appliance.trunk.span import TrunkSpan
from appliance.trunk.span_events import SpanEvents
from appliance.trunk.supplementary import Supplementary
from appliance.trunk.told import trunk_info
from appliance.trunk.trace_journal import Journal
from appliance.trunk.trace_store import TraceStore
from appliance.trunk.traces import SpanTraces, Traces
from appliance.trunk.trunk import Trunk, user_user

CLAIM_WITHIN_S = 10.0                             # an offered call that nobody looks after ends then
IN_BAND = 8                                       # progress description: in-band information is available

log = logging.getLogger(__name__)


class TrunkService:
    """`say` takes the bus' events in order; `dchan` is the folder of spand's D-channel sockets. `read` reads
    the configuration, `document`, again, or its candidate; ConfigError."""

    def __init__(self, config: Config, dchan: Path, table: LegTable, busy_out: BusyOutFile,
                 bindings: Bindings, say: Callable[[Event], None], *,
                 read: Callable[[bool], Config] | None = None, document: Path = Path(),
                 claim_within_s: float = CLAIM_WITHIN_S, trace_store: TraceStore | None = None,
                 journal: Journal | None = None) -> None:
        self.config = config
        self._dchan, self._say = dchan, say
        self._read, self._document = read or (lambda candidate: config), document
        self._cold, self._bindings = table.fresh, bindings
        self.changed = asyncio.Event()            # the channels of a span in `_dirty`
        self._dirty: set[str] = set()
        self.spans: dict[str, TrunkSpan] = {}
        self.trunks: dict[str, Trunk] = {}
        self._idle_since: dict[tuple[str, int], float] = {}
        self._span_traces: dict[str, SpanTraces] = {}
        self._running: asyncio.TaskGroup | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.traces = Traces(self._span_traces, trace_store or TraceStore(None), journal)
        self.traces.keep(config.trace.days, config.trace.mebibytes << 20)
        self.calls = Calls(table, bindings, self.traces, say, self._snapshot)
        self._outgoing = Outgoing(self.calls, self.spans, self.trunks, self._hang_up, self._later)
        self._supplementary = Supplementary(self.calls, self.spans, self._hang_up)
        self._draining = Draining(config)
        self._events = SpanEvents(self.calls, self._outgoing, self.trunks, self._hang_up, claim_within_s,
                                  self._supplementary, self._draining)
        self._board = ChannelBoard(self.spans, busy_out, self.calls, self._hang_up, self._is_emergency)
        for span in config.spans:
            self._add_span(span)
        self._make_trunks()

    async def run(self) -> None:
        """The spans, until cancelled."""
        async with asyncio.TaskGroup() as running:
            self._running = running
            for name, span in self.spans.items():
                self._tasks[name] = running.create_task(span.run())
            await asyncio.Event().wait()

    def restore(self) -> None:
        """Take over the calls of the last process; those that the far end cannot go on with are told."""
        snapshots: dict[str, list[Snapshot]] = {name: [] for name in self.spans}
        for leg in self.calls.load():
            info = leg.info
            leg.dialled = "" if info.inbound else info.trunk
            if info.span not in self.spans or leg.snapshot is None or (
                    leg.dialled and leg.dialled not in self.trunks):
                self.calls.release(leg, TEMPORARY_FAILURE, "line")
                continue
            snapshots[info.span].append(leg.snapshot)
            self.traces.begin(info, leg.call_ref, restored=True)
            if info.timeslot:                     # also of a call that ends now: spand is to forget it
                self._bindings.bind(info.leg, info.span, info.timeslot)
        for name, span in self.spans.items():
            span.signalling.restore(snapshots[name], span.now())
            self._board.begin(span)               # after the calls have their channels again
            span.flush()
        self.calls.settle()
        self.repeat_states()
        log.info("%d calls go on", len(self.calls))

    def facts(self) -> dict[str, float]:
        """Figures for the heartbeat."""
        figures: dict[str, float] = {
            "calls": len(self.calls),
            "calls_pre_empted": self._outgoing.pre_empted,
            "calls_refused_draining": self._events.refused_draining,
            "calls_refused_reserved": self._events.refused_reserved,
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
        return [self._board.states(self.spans[name]) for name in self.spans if name in dirty]

    def repeat_states(self) -> None:
        """Say all that is said on change: at the start, and when the bus was away."""
        for span in self.spans.values():
            self._say_link(span)
            self._mark(span)

    # --- requests

    async def answer(self, request: Request[Any]) -> Reply:
        match request:
            case GetCalls():
                return CallTable(calls=[leg.info for leg in self.calls], released=self.calls.released())
            case GetChannels():
                return ChannelList(spans=[self._board.states(span) for span in self.spans.values()])
            case GetTrunks():
                return TrunkTable(trunks=[trunk_info(trunk, self.calls) for trunk in self.trunks.values()])
            case GetTrace(span=name, frames=frames):
                return Trace(pcap=self._span(name).trace(frames))
            case GetSpanTrace(span=name, since=since, frames=most):
                return self._span(name).newest(since, most)
            case GetCallTrace(leg=name):
                running = self.calls.get(name)
                return CallTraces(calls=await self.traces.of(name, running.info if running else None))
            case ReloadTrunks():
                return self._reload(request)
            case DrainTrunks():
                return self._drain(request)
            case _:
                try:
                    self._do(request)
                finally:
                    self.calls.settle()
        return Done()

    def _do(self, request: Request[Any]) -> None:
        match request:
            case Proceed(leg=leg):
                self._ask_span(leg, lambda span: span.signalling.proceed(leg, span.now()), "proceeding")
            case Progress(leg=leg):
                self._ask_span(leg, lambda span: self._progress(span, leg))
            case Alert(leg=leg):
                self._ask_span(leg, lambda span: self._alert(span, leg), "alerting")
            case Answer(leg=leg, connected=connected):
                self._ask_span(leg, lambda span: self._pick_up(span, leg, connected))
            case Notify(leg=leg, notification=notification):
                self._ask_span(leg, lambda span: span.signalling.notify(leg, notification, span.now()))
            case Hangup(leg=name, cause=cause):
                if (found := self.calls.get(name)) is not None:
                    self._hang_up(found, cause, self._user_data(found, request))
            case Dial():
                self._outgoing.dial(request)
            case JoinOutside() | Deflect() | TraceMalicious() | GrantDeflection() | GrantJoin():
                self._supplementary.ask(request)
            case BusyOut(span=name, timeslots=timeslots, now=now):
                self._board.busy_out(name, timeslots, now)
                self._mark_all()
            case BringBack(span=name, timeslots=timeslots):
                self._board.bring_back(name, timeslots)
                self._mark_all()
            case _:
                raise Refused(f"{type(request).__name__}: not a request to trunkd")

    def _drain(self, request: DrainTrunks) -> Drained:
        now = asyncio.get_running_loop().time()
        if self._draining.on(now) != (request.for_s > 0):
            log.warning("calls are drained: no new ones are taken" if request.for_s > 0
                        else "new calls are taken again")
        self._draining.ask(now, request.for_s, request.cause)
        for leg in list(self.calls) if request.end else ():
            if not self._is_emergency(leg) and leg.info.state != "clearing":
                self._hang_up(leg, TEMPORARY_FAILURE)
        self.calls.settle()
        return Drained(calls=len(self.calls), emergency=sum(map(self._is_emergency, self.calls)))

    def _is_emergency(self, leg: Leg) -> bool:
        """Either leg of one."""
        info = leg.info
        return info.emergency or (info.inbound and self._draining.is_emergency(info.trunk, info.called))

    def _ask_span(self, name: str, ask: Callable[[TrunkSpan], None], state: str = "") -> None:
        leg = self.calls.get(name)
        if leg is None:
            raise Refused(f"no leg {name}: it ended")
        span = self.spans.get(leg.info.span)
        if span is None:
            raise Refused(f"leg {name} waits for a channel: it cannot do that")
        try:
            ask(span)
        except (StateError, ValueError) as error:
            raise Refused(str(error)) from None
        leg.claimed = True
        leg.change(complete=True)                 # whatever is asked for, no more digits are wanted
        self.calls.touch(leg)
        if state and leg.info.inbound and leg.info.state in ("offered", "overlap", "proceeding"):
            self.calls.enter(leg, state)
        span.flush()

    def _progress(self, span: TrunkSpan, leg: str) -> None:
        signalling = span.signalling
        location = signalling.profile.locations[signalling.side]
        signalling.progress(leg, span.now(), ProgressIndicator(IN_BAND, location))

    def _alert(self, span: TrunkSpan, leg: str) -> None:
        """Toward a PBX we are the network, whose tones the caller hears."""
        span.signalling.alert(leg, span.now(), in_band=span.signalling.side is Side.NETWORK)

    def _pick_up(self, span: TrunkSpan, leg: str, connected: str) -> None:
        signalling = span.signalling
        elements = self.trunks[span.config.trunk].connected(connected, signalling.profile, signalling.side)
        signalling.answer(leg, span.now(), elements=elements)

    def _user_data(self, leg: Leg, request: Hangup) -> tuple[Element, ...]:
        span = self.spans.get(leg.info.span)
        if request.user_data is None or span is None:
            return ()
        try:
            return user_user(request.user_data, span.signalling.profile)
        except ValueError as error:               # the call ends all the same
            log.warning("leg %s: %s: not sent", leg.info.leg, error)
            return ()

    def _hang_up(self, leg: Leg, cause: int, elements: tuple[Element, ...] = ()) -> None:
        span = self.spans.get(leg.info.span)
        leg.claimed = True
        if span is None:                          # it has no channel yet
            self._outgoing.over(leg)
            self.calls.release(leg, cause, "near")
            return
        if leg.info.state != "clearing":
            leg.change(cause=cause, by="near")
            self.calls.enter(leg, "clearing")
        span.signalling.hang_up(leg.info.leg, cause, span.now(), elements=elements)
        span.flush()

    def _span(self, name: str) -> TrunkSpan:
        if name not in self.spans:
            raise Refused(f"no span {name!r}, there are {', '.join(self.spans)}")
        return self.spans[name]

    # --- a span's events

    def _on_event(self, span: TrunkSpan, event: isdn.Event) -> None:
        match event:
            case isdn.LinkChanged(up=up):
                span.link_since = time.time()
                self._say_link(span)
                self._mark(span)
                if up:
                    self._outgoing.channel_freed()
            case isdn.ChannelChanged(timeslot=timeslot, state=state):
                self._board.changed(span, timeslot)
                self._mark(span)
                if state is ChannelState.IDLE:
                    self._idle_since[span.config.name, timeslot] = span.now()
                    self._outgoing.channel_freed()
                elif state is ChannelState.BUSY:
                    self._outgoing.channel_taken()
            case _:
                self._events.handle(span, event)

    def _snapshot(self, leg: Leg) -> Snapshot | None:
        span = self.spans.get(leg.info.span)
        return None if span is None else span.signalling.snapshot(leg.info.leg)

    def _later(self, delay_s: float, act: Callable[[], None]) -> None:
        def acted() -> None:
            act()
            self.calls.settle()
        asyncio.get_running_loop().call_later(delay_s, acted)

    # --- states

    def _mark(self, span: TrunkSpan) -> None:
        self._dirty.add(span.config.name)
        self.changed.set()

    def _mark_all(self) -> None:
        for span in self.spans.values():
            self._mark(span)

    def _say_link(self, span: TrunkSpan) -> None:
        self._say(LinkState(span=span.config.name, up=span.signalling.link_up, since=span.link_since))

    # --- settings

    def _reload(self, asked: ReloadTrunks) -> Reloaded:
        """Nothing is changed when the document is in error, or asks for what needs a new start."""
        try:
            new = self._read(asked.candidate)
        except ConfigError as error:
            raise Refused(str(error)) from None
        busy = {leg.info.span for leg in self.calls}
        changed = check_reload(self.config, new, busy, lambda name: (self._dchan / f"{name}.sock").exists())
        if changed and not asked.check:
            self._apply(new)
            log.info("new settings: %s", ", ".join(changed))
        return Reloaded(document=str(self._document), changed=changed)

    def _apply(self, new: Config) -> None:
        self.config = new
        self.traces.keep(new.trace.days, new.trace.mebibytes << 20)
        self._draining.configure(new)
        there = {span.name: span for span in new.spans}
        for name, before in [(name, span.config) for name, span in self.spans.items()]:
            if name not in there:
                self._remove_span(name)
                self._say(ChannelStates(span=name, trunk=before.trunk, link_up=False, channels=[]))
            elif needs_a_new_link(before, there[name]):
                self._remove_span(name)
        for config in new.spans:
            if (span := self.spans.pop(config.name, None)) is not None:
                span.change(config)
                self.spans[config.name] = span    # in the document's order, as they are shown
            else:
                self._board.begin(self._add_span(config))
        self._make_trunks()
        self._mark_all()

    def _remove_span(self, name: str) -> None:
        del self.spans[name], self._span_traces[name]
        self._say(LinkState(span=name, up=False, since=time.time()))
        if (task := self._tasks.pop(name, None)) is not None:
            task.cancel()

    def _add_span(self, config: SpanConfig) -> TrunkSpan:
        span = TrunkSpan(config, self._dchan / f"{config.name}.sock", self._cold, self._on_event,
                         self.calls.settle)
        self.spans[config.name] = span
        self._span_traces[config.name] = span.traces
        if self._running is not None:
            self._tasks[config.name] = self._running.create_task(span.run())
        return span

    def _make_trunks(self) -> None:
        signalling = {name: span.signalling for name, span in self.spans.items()}
        members: dict[str, list[SpanConfig]] = {}
        for span in self.config.spans:
            members.setdefault(span.trunk, []).append(span)
        country = self.config.media.country.upper()
        self.trunks.clear()
        for name, spans in members.items():
            self.trunks[name] = Trunk(self.config.trunk(name), country, spans, signalling, self._idle_since)
