"""A branch with lines to look at: two trunks, a month of history, tests that ran and one that runs."""

import time
from typing import Any

import msgspec

from appliance.bus.client import Refused
from appliance.bus.messages import (
    BeginLineTest,
    BringBack,
    BusyOut,
    ChannelStates,
    Done,
    EntryInfo,
    ExplainRoute,
    GetLineTest,
    GetLineTests,
    GetRoutePlan,
    GetTrunks,
    LineHistory,
    LineTest,
    LineTestOrder,
    LineTestReply,
    LineTests,
    NumberInfo,
    Reply,
    Request,
    ReservedInfo,
    RouteExplained,
    RoutePlan,
    Sentence,
    SteerLineTest,
    TrunkInfo,
    TrunkTable,
    WayInfo,
)
from e1_driver import Alarm
from e1_driver.watch.bins import Bin, End
from tests.webui.facts import Branch, busy_branch

COUNTS = {"crc_errors": 4, "fas_errors": 0}
BERT = {
    "command": "bert", "clean": False, "pattern": "prbs15", "timeslots": [*range(1, 16), *range(17, 32)],
    "seconds": 60.0, "in_sync": True, "bits": 115_200_000, "errors": 7, "injected": 0, "errored_s": 2,
    "severely_errored_s": 0, "sync_losses": 0, "slips": 0, "slipped_frames": 0, "delay_ms": 20.13,
    "ber": 6.1e-8, "ber_limit": 1.1e-7, "proof_s": 0.0, "confidence": 0.95, "loop": "none",
    "counters": COUNTS,
    "each": [{"timeslots": [5], "in_sync": True, "bits": 3_840_000, "errors": 7, "ber": 1.8e-6, "slips": 0},
             {"timeslots": [6], "in_sync": True, "bits": 3_840_000, "errors": 0, "ber": 0.0, "slips": 0}]}
VERDICT = {
    "command": "verdict", "fault": "cable", "texts": {
        "en": {"headline": "The cable is at fault.",
               "why": ["Nothing comes in.", "The box's own loop works."], "do": ["Look at the plug."]},
        "zh": {"headline": "故障在线缆。", "why": ["收不到信号。", "本机自环正常。"], "do": ["检查插头。"]}}}


def line_test(number: int, kind: str, outcome: str, ago_s: float = 4000.0, **changes: Any) -> LineTest:
    began = time.time() - ago_s
    facts: dict[str, Any] = {
        "test": f"17954{number:05d}-0000000{number}", "span": "telco", "by": "admin", "began_at": began,
        "order": LineTestOrder(kind=kind, for_s=60.0), "state": "ended", "outcome": outcome,
        "ended_at": began + 61.0}
    return LineTest(**(facts | changes))


class Lines:
    """In front of an ordinary branch: what daemons say of lines."""

    def __init__(self, branch: Branch) -> None:
        self.branch = branch
        self.blocked: set[tuple[str, int]] = set()
        self.out_of_service: set[tuple[str, int]] = set()
        self.tests: dict[str, tuple[LineTest, dict[str, Any]]] = {}
        self.refuses = ""
        self.explained = RouteExplained(at=time.time(), steps=[
            Sentence("{rule}: no: {why}", {"rule": "night", "why": Sentence(
                "caller {caller} is in list {list}{about}", {"caller": "138", "list": "vip", "about": ""})}),
            Sentence("no rule: {place}: {why}", {
                "place": Sentence("flow {flow}", {"flow": "main.yaml"}),
                "why": Sentence("centre.inbound: {number} on trunk {trunk}",
                                {"number": "5001", "trunk": "telco"})})], kind="in")
        self._channels, self._reply = branch.channels, branch.reply
        branch.channels = self.channels           # type: ignore[method-assign]
        branch.history = self.history             # type: ignore[method-assign]
        branch.reply = self.reply                 # type: ignore[method-assign]

    def add(self, test: LineTest, facts: dict[str, Any]) -> LineTest:
        self.tests[test.test] = test, facts
        return test

    def channels(self, span: str) -> ChannelStates:
        states = self._channels(span)
        return msgspec.structs.replace(states, channels=[
            msgspec.structs.replace(
                one, blocked=(span, one.timeslot) in self.blocked,
                state="out-of-service" if (span, one.timeslot) in self.out_of_service
                else "blocked" if (span, one.timeslot) in self.blocked and one.state == "idle" else one.state)
            for one in states.channels])

    def history(self) -> LineHistory:
        """96 quarters and 30 days with bursts, an outage, and a far end that tells no BBE."""
        now = int(time.time())
        quarters = [self._bin(now // 900 * 900 - 900 * back, 900, back) for back in reversed(range(97))
                    if not 40 <= back < 46]
        days = [self._bin(now // 86_400 * 86_400 - 86_400 * back, 86_400, back)
                for back in reversed(range(31))]
        return LineHistory(quarters=quarters, days=days, failures=[])

    @staticmethod
    def _bin(at: int, length_s: int, back: int) -> Bin:
        es = (0, 0, 3, 0, 1, 0, 0, 60)[back % 8]
        uas = 400 if back == 20 else 0
        return Bin(at=at, length_s=length_s, measured_s=length_s,
                   near=End(measured_s=length_s, es=es, ses=es // 3, bbe=es * 7, eb=es, uas=uas),
                   far=End(measured_s=length_s, es=back % 3, ses=0, uas=0),
                   slips={"telco": int(back % 9 == 0)}, clock_s={"telco": length_s},
                   alarm_s={Alarm.LOS: uas} if uas else {})

    def reply(self, request: Request[Any]) -> Reply:
        match request:
            case GetTrunks():
                return TrunkTable(trunks=[
                    TrunkInfo(trunk="office", spans=["pbx"], hunting="ascending", overflow=[], reserved=[],
                              emergency=[], calling="", country="", area="", calls_in=0, calls_out=2),
                    TrunkInfo(trunk="telco", spans=["telco"], hunting="balanced", overflow=["office"],
                              reserved=[ReservedInfo(name="boss", direction="in", called=["5001"], channels=2,
                                                     most=10, used=1)],
                              emergency=["999"], calling="02161234567", country="CN", area="21",
                              calls_in=6, calls_out=1)])
            case GetRoutePlan():
                return RoutePlan(
                    entry=[EntryInfo(name="night", trunks=["telco"], called=[],
                                     goes=Sentence("voicemail box {box}", {"box": "sales"}))],
                    inbound=[NumberInfo(trunk="telco", called="5001", flow="main.yaml", calendar="office",
                                        closed=Sentence("hears {prompts}, then the end",
                                                        {"prompts": "closed"}))],
                    outbound=[WayInfo(trunk="office", called="9([0-9]{3,})", to="telco", calling="")])
            case ExplainRoute():
                self.branch.asked.append(request)
                if self.refuses:
                    raise Refused(self.refuses)
                return self.explained
            case BusyOut(span=span, timeslots=chosen) | BringBack(span=span, timeslots=chosen):
                self.branch.asked.append(request)
                if self.refuses:
                    raise Refused(self.refuses)
                every = {(span, number) for number in chosen or range(1, 32)}
                self.blocked = (self.blocked | every if isinstance(request, BusyOut)
                                else self.blocked - every)
                return Done()
            case BeginLineTest():
                self.branch.asked.append(request)
                if self.refuses:
                    raise Refused(self.refuses)
                test = line_test(9, request.order.kind, "", 0.0, state="borrowing", ended_at=0.0,
                                 order=request.order, by=request.by)
                return LineTestReply(test=self.add(test, {}), facts={})
            case SteerLineTest():
                self.branch.asked.append(request)
                if self.refuses:
                    raise Refused(self.refuses)
                return Done()
            case GetLineTests(span=span):
                return LineTests(tests=[test for test, _ in self.tests.values()
                                        if (test.span == span if span else test.state != "ended")])
            case GetLineTest(test=name):
                if name not in self.tests:
                    raise Refused(f"no test is called {name!r}")
                test, facts = self.tests[name]
                return LineTestReply(test=test, facts=facts)
        return self._reply(request)


def busy_lines() -> Lines:
    return fill(Lines(busy_branch()))


def fill(lines: Lines) -> Lines:
    """Something of everything."""
    lines.blocked = {("telco", 4), ("telco", 20), ("telco", 21)}
    lines.out_of_service = {("telco", 29)}
    lines.add(line_test(1, "bert", "errors", 90_000.0), BERT)
    lines.add(line_test(2, "verdict", "cable", 50_000.0), VERDICT)
    lines.add(line_test(3, "loop", "failed", 40_000.0, trouble="the line was taken back"), {})
    figures = {"in_sync": 1.0, "bits": 38_400_000, "errors": 0, "slips": 0}
    lines.add(line_test(4, "bert", "", 20.0, state="running", ended_at=0.0, passed_s=20.0, of_s=60.0,
                        figures=figures), {})
    return lines
