"""A branch at work: what the daemons say, for the tests of the pages."""

import time
from typing import Any

from appliance.bus.client import Refused
from appliance.bus.messages import (
    AgentInfo,
    Board,
    BoardReply,
    CalendarList,
    CallInfo,
    CallTable,
    CallTrace,
    CallTraces,
    CardList,
    CardState,
    ChannelInfo,
    ChannelList,
    ChannelStates,
    ClockState,
    ContactFacts,
    ContactInfo,
    ContactLeg,
    ContactLegs,
    ContactList,
    ContactReply,
    DaemonHealth,
    DocumentHistory,
    DocumentState,
    Done,
    Exposition,
    Fitness,
    FitnessReply,
    FlowList,
    FlowNotice,
    GetBoard,
    GetCalendars,
    GetCalls,
    GetCallTrace,
    GetCards,
    GetChannels,
    GetContact,
    GetContactFacts,
    GetContactLegs,
    GetContacts,
    GetDocumentHistory,
    GetExposition,
    GetFitness,
    GetFlows,
    GetHardware,
    GetHealth,
    GetLegContacts,
    GetLineHistory,
    GetLineTests,
    GetPromptTakes,
    GetProvision,
    GetRecorder,
    GetSpans,
    GetSpanTrace,
    GetSupport,
    GetUpdate,
    GetWallClock,
    Hardware,
    HardwareReply,
    Health,
    HealthReply,
    InstallUpdate,
    LegContacts,
    LineHistory,
    LineTests,
    PromptTakes,
    QueueInfo,
    RecorderState,
    Reply,
    Request,
    SegmentInfo,
    SpanList,
    SpanState,
    SpanTrace,
    SupportReply,
    TraceBegun,
    TraceCaller,
    TraceFrame,
    UpdateReply,
    UpdateState,
    WallClock,
    WallClockReply,
)
from appliance.isdn.elements import (
    BearerCapability,
    CalledNumber,
    CallingNumber,
    Cause,
    ChannelId,
    ConnectedNumber,
    Display,
    Element,
    ProgressIndicator,
    SendingComplete,
)
from appliance.isdn.ladder import Frame
from appliance.isdn.lapd import Side
from appliance.isdn.q931 import Message, MessageType
from e1_driver import BEARERS
from e1_driver.watch.bins import Bin, End
from tests.isdn.captured import Said, captured
from tests.webui.shelf import Shelf

RECORDING = "00112233445566778899aabbccddeeff"
UNTOLD = ["code_violations", "crc_errors", "e_bits", "fas_errors", "lomf"]
U, N = Side.USER, Side.NETWORK


def contact(name: str, **changes: Any) -> ContactInfo:
    """An answered call of ten seconds ago, or what `changes` make of it."""
    began = time.time() - 90.0
    facts: dict[str, Any] = {
        "contact": name, "direction": "in", "calling": "13800138000", "called": "5001", "state": "ended",
        "began_at": began, "ended_at": began + 61.0, "queue": "sales", "agent": "anna", "outcome": "answered",
        "ended_by": "caller", "cause": 16, "digits": "1",
        "segments": [
            SegmentInfo(kind="flow", began_at=began, ended_at=began + 9.0, detail="welcome"),
            SegmentInfo(kind="queue", began_at=began + 9.0, ended_at=began + 31.5, detail="sales"),
            SegmentInfo(
                kind="ring", began_at=began + 24.0, ended_at=began + 31.5, detail="anna", agent="anna"),
            SegmentInfo(
                kind="talk", began_at=began + 31.5, ended_at=began + 61.0, detail="anna", agent="anna",
                recording=RECORDING),
        ]}
    return ContactInfo(**(facts | changes))


def live(name: str, state: str, ago_s: float, **changes: Any) -> ContactInfo:
    """A contact that goes on, in its state for a third of the time."""
    began = time.time() - ago_s
    kind = {"flow": "flow", "queue": "queue", "ringing": "ring", "talking": "talk", "dialling": "dial"}[state]
    facts: dict[str, Any] = {
        "state": state, "began_at": began, "ended_at": 0.0, "outcome": "", "ended_by": "", "cause": 0,
        "agent": "", "queue": "", "digits": "",
        "segments": [
            SegmentInfo(kind="flow", began_at=began, ended_at=began + ago_s * 0.66, detail="welcome"),
            SegmentInfo(kind=kind, began_at=began + ago_s * 0.66)],
    }
    return contact(name, **(facts | changes))


def message(kind: MessageType, *elements: Element, ref: int, answer: bool = False) -> Message:
    return Message(kind, ref, answer, elements)


T = MessageType
CALLER = [                                        # from the telephone company, on its span
    (N, message(T.SETUP, BearerCapability(), ChannelId(17), CallingNumber("13800138000", 2, 1, 0, 3),
                CalledNumber("5001", 4), SendingComplete(), ref=0x1A05)),
    (U, message(T.CALL_PROCEEDING, ChannelId(17), ref=0x1A05, answer=True)),
    (U, message(T.ALERTING, ProgressIndicator(8, 1), ref=0x1A05, answer=True)),
    (U, message(T.CONNECT, ConnectedNumber("8001", screening=1), ref=0x1A05, answer=True)),
    (N, message(T.CONNECT_ACKNOWLEDGE, ref=0x1A05)),
    (N, message(T.DISCONNECT, Cause(16, 2), ref=0x1A05)),
    (U, message(T.RELEASE, ref=0x1A05, answer=True)),
    (N, message(T.RELEASE_COMPLETE, ref=0x1A05)),
]
AGENT = [                                         # to the agent's telephone behind the PBX
    (N, message(T.SETUP, BearerCapability(), ChannelId(3), CallingNumber("13800138000"),
                CalledNumber("8001"), Display("Anna <b>"), SendingComplete(), ref=7)),
    (U, message(T.CALL_PROCEEDING, ChannelId(3), ref=7, answer=True)),
    (U, message(T.ALERTING, ref=7, answer=True)),
    (U, message(T.CONNECT, ref=7, answer=True)),
    (N, message(T.CONNECT_ACKNOWLEDGE, ref=7)),
    (N, message(T.DISCONNECT, Cause(16, 1), ref=7)),
    (U, message(T.RELEASE, ref=7, answer=True)),
    (N, message(T.RELEASE_COMPLETE, ref=7)),
]


def trace_frames(frames: list[Frame]) -> list[TraceFrame]:
    return [TraceFrame(*frame) for frame in frames]


def call_trace(leg: str, script: list[Said], box: Side, at: float, **call: Any) -> CallTrace:
    """As trunkd would keep it: without upkeep, once said again by layer 2."""
    every = captured(script, box, at, gap_s=0.7)
    kept = trace_frames([frame for frame in every if len(frame[2]) != 4])
    again = next(place for place, one in enumerate(kept) if not one.octets[2] & 1)
    kept.insert(again + 1, TraceFrame(kept[again].at + 0.6, kept[again].sent, kept[again].octets, True))
    facts: dict[str, Any] = {
        "trunk": "telco", "span": "telco", "timeslot": 17, "inbound": True, "state": "released",
        "called": "5001", "calling": "13800138000", "calling_name": "", "complete": True,
        "since": at + 9.0, "began_at": at, "cause": 16}
    return CallTrace(call=CallInfo(leg=leg, **(facts | call)), part=0, call_ref=script[0][1].call_ref,
                     network_side=box is Side.NETWORK, frames=kept)


class Branch:
    """Every daemon's state; reply() is what its owner would answer."""

    def __init__(self) -> None:
        self.contacts: dict[str, ContactInfo] = {}
        self.queues: list[QueueInfo] = []
        self.agents: list[AgentInfo] = []
        self.notices: list[FlowNotice] = []                      # of flows
        self.busy: dict[tuple[str, int], str] = {}               # span, timeslot -> leg
        self.calls: list[CallInfo] = []
        self.spans = {"telco": "telco", "pbx": "office"}
        self.alarms: dict[str, list[str]] = {}
        self.liu: dict[str, tuple[int | None, list[str]]] = {}   # level, faults; not there: cannot tell
        self.shelf: Shelf | None = None                          # recordd's, when it has recordings
        self.asked: list[Request[Any]] = []
        self.legs: dict[str, list[ContactLeg]] = {}
        self.traces: dict[str, list[CallTrace]] = {}
        self.facts: dict[str, ContactFacts] = {}
        self.figures: dict[str, dict[str, float]] = {}           # of heartbeats, by daemon
        self.began_at = time.time() - 7265.0
        # boxd's of a laptop: no board, no card, no slots, no root
        self.fitness = Fitness(at=self.began_at, state="ok", since=self.began_at, fit=True, reasons=[])
        self.hardware = Hardware(at=self.began_at, board="")
        self.cards: list[CardState] = []
        self.update = UpdateReply(state=UpdateState(at=self.began_at, version="1.4.0"), history=[])
        self.clock = WallClock(at=self.began_at, source="ntp", since=self.began_at, error_s=0.012)

    def board(self) -> Board:
        going_on = [one for one in self.contacts.values() if one.state != "ended"]
        return Board(at=time.time(), contacts=going_on, queues=self.queues, agents=self.agents,
                     notices=self.notices)

    def channels(self, span: str) -> ChannelStates:
        return ChannelStates(span=span, trunk=self.spans[span], link_up=True, channels=[
            ChannelInfo(timeslot=slot, state="busy" if (span, slot) in self.busy else "idle",
                        leg=self.busy.get((span, slot), "")) for slot in BEARERS])

    def span(self, name: str) -> SpanState:
        alarms = self.alarms.get(name, [])
        level_db, liu_faults = self.liu.get(name, (None, None))
        return SpanState(
            span=name, up=not set(alarms) - {"rai"}, alarms=alarms, at=time.time(),
            counters={"blocks_in": 360_000, "frames_in": 812, "slips": 3}, untold=UNTOLD,
            level_db=level_db, liu_faults=liu_faults)

    def history(self) -> LineHistory:
        """Three quarters: one good, one with errored seconds, one in which the line was away for a minute."""
        running = int(time.time()) // 900 * 900
        bins = [Bin(at=running - 900 * back, length_s=900, measured_s=900 if back else 60,
                    near=End(measured_s=900, es=es, ses=ses, bbe=es, eb=es, uas=uas),
                    far=End(measured_s=900), slips={"telco": 3},
                    clock_s={"telco": 900 if back else 60})
                for back, (es, ses, uas) in enumerate([(0, 0, 0), (7, 0, 0), (12, 2, 60)])]
        day = Bin(at=running // 86_400 * 86_400, length_s=86_400, measured_s=1860,
                  near=End(measured_s=1860, es=19, ses=2, bbe=19, eb=19, uas=60), far=End(measured_s=1860),
                  slips={"telco": 9}, clock_s={"telco": 1860})
        return LineHistory(quarters=bins[::-1], days=[day], failures=[])

    def health(self) -> Health:
        return Health(at=time.time(), daemons=[
            DaemonHealth(daemon=name, state="up", pid=100 + order, started_at=self.began_at, starts=1,
                         rss_octets=(31 + 4 * order) << 20, facts=self.figures.get(name, {}))
            for order, name in enumerate(("spand", "trunkd", "acdd", "recordd", "boxd", "webui"))])

    def reply(self, request: Request[Any]) -> Reply:
        self.asked.append(request)
        if self.shelf is not None and request.owner == "recordd":
            return self.shelf.answer(request)
        match request:
            case GetBoard():
                return BoardReply(board=self.board())
            case GetChannels():
                return ChannelList(spans=[self.channels(name) for name in self.spans])
            case GetSpans():
                clock = ClockState(source="telco", why="start", at=time.time())
                return SpanList(spans=[self.span(name) for name in self.spans], clock=clock)
            case GetLineHistory():
                return self.history()
            case GetRecorder():
                return RecorderState(warnings=[])
            case GetHealth():
                return HealthReply(health=self.health())
            case GetFitness():
                return FitnessReply(fitness=self.fitness)
            case GetExposition():
                return Exposition(text="# TYPE branchline_box_fit gauge\nbranchline_box_fit 1\n")
            case GetHardware():
                return HardwareReply(hardware=self.hardware)
            case GetCards():
                return CardList(cards=self.cards)
            case GetUpdate():
                return self.update
            case GetWallClock():
                return WallClockReply(clock=self.clock)
            case GetDocumentHistory():
                return DocumentHistory(state=DocumentState(at=0.0), versions=[], older=False)
            case GetPromptTakes():
                return PromptTakes(takes=[])
            case GetLineTests():
                return LineTests(tests=[])
            case GetFlows():
                return FlowList(flows=[])
            case GetLegContacts():
                return LegContacts(contacts={leg: leg.removeprefix("leg-") for leg in self.busy.values()})
            case GetSupport():
                return SupportReply(running=False, saying="", path="", octets=0, at=0.0, missing=[], error="")
            case InstallUpdate():
                return Done()
            case GetProvision():
                raise Refused("this machine does not let Branchline do that: it is no installed box")
            case GetCalls():
                return CallTable(calls=self.calls, released=[])
            case GetContacts(offset=offset, limit=limit, within=within, since=since, until=until,
                             after=after):
                newest = sorted((one for one in self.contacts.values()
                                 if (within is None or within.holds(one.queue, one.agent))
                                 and since <= one.began_at and (not until or one.began_at < until)),
                                key=lambda one: (one.began_at, one.contact), reverse=True)
                rest = [one for one in newest if after is None or (one.began_at, one.contact) < after]
                return ContactList(contacts=rest[offset:offset + limit], total=len(newest))
            case GetContact(contact=name):
                return ContactReply(contact=self.contacts.get(name))
            case GetContactFacts(contact=name):
                return self.facts.get(name, ContactFacts())
            case TraceCaller(name=name):
                if (one := self.contacts.get(name)) is None or one.state == "ended":
                    raise Refused(f"{name}: no contact")
                return TraceBegun(contact=name)
            case GetCalendars():
                return CalendarList(calendars=[])
            case GetContactLegs(contact=name):
                return ContactLegs(legs=self.legs.get(name, []))
            case GetCallTrace(leg=name):
                return CallTraces(calls=self.traces.get(name, []))
            case GetSpanTrace(since=since):
                frames = trace_frames(captured(CALLER, Side.USER, time.time() - 60.0))
                return SpanTrace(network_side=False, frames=[one for one in frames if one.at >= since],
                                 cut=False)
        raise AssertionError(f"nobody should ask {request}")


def busy_branch() -> Branch:
    """An ordinary moment of an ordinary morning."""
    branch = Branch()
    now = time.time()
    for one in [
        live("c1", "talking", 312.0, calling="13800138000", queue="sales", agent="anna"),
        live("c2", "talking", 95.0, calling="02164301234", called="5002", queue="service", agent="chen"),
        live("c3", "ringing", 41.0, calling="18621554433", queue="sales", agent="bert"),
        live("c4", "queue", 63.0, calling="13911112222", queue="sales"),
        live("c5", "queue", 18.0, calling="", queue="sales"),
        live("c6", "flow", 7.0, calling="+8675522334455"),
        live("c7", "dialling", 4.0, direction="out", calling="8003", called="01088886666", agent="dora"),
        contact("e1"),
        contact(
            "e2", calling="", outcome="abandoned", agent="",
            began_at=now - 600, ended_at=now - 540, segments=[
                SegmentInfo(kind="flow", began_at=now - 600, ended_at=now - 580, detail="welcome"),
                SegmentInfo(kind="queue", began_at=now - 580, ended_at=now - 540, detail="sales")]),
        contact(
            "e3", direction="out", calling="8003", called="01088886666", outcome="failed", queue="", cause=17,
            began_at=now - 4000, ended_at=now - 3980, segments=[]),
    ]:
        branch.contacts[one.contact] = one
    branch.legs["e1"] = [ContactLeg(leg="l1", party="caller", at=now - 90.0),
                         ContactLeg(leg="l2", party="agent", at=now - 66.0, agent="anna")]
    branch.traces["l1"] = [call_trace("l1", CALLER, Side.USER, now - 90.0)]
    branch.traces["l2"] = [call_trace("l2", AGENT, Side.NETWORK, now - 88.0, span="pbx", trunk="office",
                                      timeslot=3, inbound=False, called="8001")]
    branch.queues = [QueueInfo(name="sales", waiting=["c4", "c5"], oldest_since=now - 63.0),
                     QueueInfo(name="service", waiting=[])]
    branch.agents = [
        AgentInfo(name="anna", extension="8001", state="talking", since=now - 103.0, contact="c1"),
        AgentInfo(name="bert", extension="8002", state="ringing", since=now - 6.0, contact="c3"),
        AgentInfo(name="chen", extension="8004", state="talking", since=now - 32.0, contact="c2",
                  wish="not-ready", wish_reason="lunch"),
        AgentInfo(name="dora", extension="8003", state="wrap-up", since=now - 3.0),
        AgentInfo(name="emil", extension="8005", state="ready", since=now - 421.0),
        AgentInfo(name="fang", extension="8006", state="unreachable", since=now - 25.0,
                  reason="no answer")]
    for order, name in enumerate(("c1", "c2", "c3", "c4", "c5", "c6")):
        branch.busy["telco", order + 1] = f"leg-{name}"
        branch.calls.append(CallInfo(
            leg=f"leg-{name}", trunk="telco", span="telco", timeslot=order + 1, inbound=True,
            state="answered", called="5001", calling=branch.contacts[name].calling, calling_name="",
            complete=True, since=now))
    branch.busy["pbx", 1], branch.busy["pbx", 2] = "leg-a1", "leg-a2"
    branch.busy["telco", 31] = "leg-c7"
    return branch

