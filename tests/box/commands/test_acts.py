"""What acts on lines, calls, agents and the software: against daemons that are played, line by line."""

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.box.commands.acting import act
from appliance.box.commands.acts_lines import found
from appliance.box.commands.every import table
from appliance.box.commands.table import LANGUAGES, Asked, Role, Table
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    AgentInfo,
    AgentReply,
    BringBack,
    BusyOut,
    CallTable,
    CallTested,
    ChangeProvision,
    ConfirmUpdate,
    ContactLeg,
    Done,
    ExplainRoute,
    GetCalls,
    GetLegContacts,
    GetTrunks,
    Hangup,
    LegContacts,
    LineTest,
    LineTestOrder,
    LineTestReply,
    LineTests,
    LineTestState,
    LogOut,
    PlaceTestCall,
    Reply,
    Request,
    RouteExplained,
    Sentence,
    SetNotReady,
    SupportReply,
    TrunkInfo,
    TrunkTable,
    UpdatePast,
    UpdateReply,
    UpdateState,
)
from tests.box.commands.acting import SOON_S, BoxdAnswers, Bus, Live, Person, box
from tests.webui.facts import busy_branch

ACTS = ("agent", "busy-out", "capture", "clear", "configure", "confirm", "debug", "monitor", "reload",
        "return", "revert", "support", "test", "trace", "update")


class Floor:
    """spand, trunkd and acdd with a busy branch; what changes something is only noted."""

    def __init__(self) -> None:
        self.branch, self.acts = busy_branch(), list[Any]()
        self.emergency: set[str] = set()
        self.refuses = ""                         # a span whose channels nobody takes
        self.contacts: dict[str, str] = {}        # by leg

    def __call__(self, request: Request[Any]) -> Reply:
        match request:
            case GetCalls():
                calls = [msgspec.structs.replace(one, emergency=one.leg in self.emergency)
                         for one in self.branch.calls]
                return CallTable(calls=calls, released=[])
            case GetLegContacts():
                return LegContacts(contacts=self.contacts)
            case GetTrunks():
                return TrunkTable(trunks=[trunk("telco", "telco"), trunk("office", "pbx"),
                                          trunk("both", "telco", "pbx")])
            case BusyOut(span=span) | BringBack(span=span) if span == self.refuses:
                raise Refused(f"{span}: not done, a restart would forget it: no space left")
            case BusyOut() | BringBack() | Hangup():
                self.acts.append(request)
                return Done()
            case SetNotReady(agent="anna", reason=reason):
                self.acts.append(request)
                return AgentReply(agent=AgentInfo(
                    name="anna", extension="8001", state="talking", since=0.0, wish="not-ready",
                    wish_reason=reason))
            case LogOut():
                raise Refused("nobody: no agent is called so")
            case PlaceTestCall(number=number, trunk=name):
                self.acts.append(request)
                error = "" if number == "10000" else "was not answered in 30 s"
                if number == "10034":
                    return CallTested(trunk=name, number=number, cause=34,
                                      error="ended with cause 34 before it was answered")
                return CallTested(trunk=name, number=number, error=error, answer_s=1.5, heard_s=0.4,
                                  level_dbm0=-12.0)
            case ExplainRoute(called=called):
                return RouteExplained(at=0.0, kind="in", steps=[Sentence("rule {rule}: {place}", {
                    "rule": called, "place": Sentence("flow {flow}", {"flow": "main"})})])
        return self.branch.reply(request)


def trunk(name: str, *spans: str) -> TrunkInfo:
    return TrunkInfo(trunk=name, spans=list(spans), hunting="up", overflow=[], reserved=[], emergency=[],
                     calling="", country="", area="", calls_in=0, calls_out=0)


@pytest.fixture
def floor() -> Floor:
    return Floor()


@pytest.fixture
def li(tmp_path: Path, floor: Floor) -> Person:
    return Person(box(tmp_path, Bus(floor)))


# --- channels, calls, agents


async def test_a_span_by_its_number_leaves_the_traffic_and_comes_back(li: Person, floor: Floor) -> None:
    said = await li.does("busy-out span 1 timeslots 1-3,17")
    assert "telco:1-3,17 takes no calls any more; 3 calls on it go on to their end" in said
    assert "return brings it back" in said
    await li.does("busy-out trunk office now")
    await li.does("return span telco")
    assert floor.acts == [BusyOut(span="telco", timeslots=[1, 2, 3, 17]), BusyOut(span="pbx", now=True),
                          BringBack(span="telco")]
    assert "there is no span 'none'" in await li.does("busy-out span none", status=1)
    assert "no trunk is called none" in await li.does("return trunk none", status=1)
    await li.does("busy-out span telco timeslots 40", status=64)


async def test_a_trunk_that_is_only_partly_done_is_said(li: Person, floor: Floor) -> None:
    floor.refuses = "pbx"
    said = await li.does("busy-out trunk both", status=1)
    assert "pbx: pbx: not done" in said and "only telco is done" in said
    assert floor.acts == [BusyOut(span="telco")]
    floor.refuses = "telco"
    assert "only" not in await li.does("return trunk both", status=1)


async def test_now_ends_no_emergency_call(li: Person, floor: Floor) -> None:
    floor.emergency.add("leg-c2")
    assert "an emergency call is on it" in await li.does("busy-out span telco now", status=1)
    assert "an emergency call is on it" in await li.does("busy-out span telco timeslots 1-3 now", status=1)
    assert not floor.acts
    await li.does("busy-out span telco timeslots 3-5 now")
    await li.does("busy-out span telco")
    assert floor.acts == [BusyOut(span="telco", timeslots=[3, 4, 5], now=True), BusyOut(span="telco")]


def talks(floor: Floor, contact: str, *legs: str) -> None:
    """This contact has these legs, both of which show its caller's number."""
    floor.contacts |= dict.fromkeys(legs, contact)
    floor.branch.legs[contact] = [ContactLeg(leg=leg, party="caller", at=0.0) for leg in legs]
    caller = floor.branch.contacts[contact].calling
    floor.branch.calls = [msgspec.structs.replace(one, calling=caller) if one.leg in legs else one
                          for one in floor.branch.calls]


async def test_a_call_is_cleared_by_contact_leg_or_number(li: Person, floor: Floor) -> None:
    await li.does("clear call leg-c2")
    await li.does("clear call 13911112222")
    talks(floor, "c3", "leg-c3", "leg-c5", "leg-gone")
    assert "2 legs were hung up" in await li.does("clear call 18621554433")
    assert "2 legs were hung up" in await li.does("clear call c3")
    assert [one.leg for one in floor.acts] == ["leg-c2", "leg-c4", *["leg-c3", "leg-c5"] * 2]
    assert all(one.cause == 16 for one in floor.acts)
    assert "5 calls: name one" in await li.does("clear call 5001", status=1)
    assert "no such call goes on" in await li.does("clear call e3", status=1)


async def test_no_leg_of_an_emergency_call_is_cleared(li: Person, floor: Floor) -> None:
    talks(floor, "c1", "leg-c1", "leg-c6")
    floor.emergency.add("leg-c6")
    for name in ("leg-c6", "leg-c1", "c1", "13800138000"):
        assert "is an emergency call" in await li.does(f"clear call {name}", status=1)
    floor.emergency.clear()                       # it rings still: only what was dialled says what it is
    floor.branch.calls = [msgspec.structs.replace(one, called="110" if one.leg == "leg-c1" else one.called)
                          for one in floor.branch.calls]
    assert "is an emergency call" in await li.does("clear call c1", status=1)
    assert not floor.acts


async def test_an_agents_state(li: Person, floor: Floor) -> None:
    said = await li.does("agent anna not-ready reason lunch")
    assert "anna is talking, not-ready when that is over" in said
    assert floor.acts == [SetNotReady(agent="anna", reason="lunch", by="li")]
    assert "no agent is called so" in await li.does("agent nobody log-out", status=1)
    assert "a reason goes with not-ready" in await li.does("agent anna ready reason x", status=1)


# --- tests


async def test_a_test_call_needs_a_trunk_and_says_what_came_of_it(li: Person, floor: Floor) -> None:
    assert "trunk telco|office" in await li.does("test call 10000", status=1)
    assert "answered after 1.5 s" in await li.does("test call 10000 trunk telco")
    assert "was not answered" in await li.does("test call 10001 trunk telco", status=1)
    assert "leaves the last free channel" in await li.does("test call 10034 trunk telco", status=1)
    assert [one.spare for one in floor.acts] == [1, 1, 1]
    found = await li.json("test call 10000 trunk office")
    assert found["tested"]["trunk"] == "office" and found["tested"]["heard_s"] == 0.4
    await li.does("test call ten", status=64)


async def test_in_a_chinese_session_owners_speak_chinese(tmp_path: Path, floor: Floor) -> None:
    wang = Person(box(tmp_path, Bus(floor)), language="zh")
    assert "没有名为 nobody 的座席" in await wang.does("agent nobody log-out", status=1)
    assert "anna 当前状态：通话中，结束后转为示忙" in await wang.does("agent anna not-ready reason lunch")
    assert "30 秒内无人应答" in await wang.does("test call 10001 trunk telco", status=1)
    assert "1.5 秒后应答" in await wang.does("test call 10000 trunk telco")
    assert "规则 5001：流程 main" in await wang.does("test route 5001 trunk telco")
    floor.refuses = "telco"
    assert "未执行，重启后会丢失" in await wang.does("busy-out span 1", status=1)


async def test_a_route_is_explained(li: Person) -> None:
    assert "rule 5001: flow main" in await li.does("test route 5001 trunk telco from 13800138000")
    assert (await li.json("test route 5001 trunk telco"))["kind"] == "in"


class LineBench:
    """boxd's line tests: begun, steered; what is said of them is said by the test."""

    def __init__(self) -> None:
        self.test: LineTest | None = None
        self.steered: list[str] = []
        self.begun, self.lent, self.stopped = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.lent.set()

    def area(self) -> BoxdAnswers:
        return BoxdAnswers(BeginLineTest=self.begin, SteerLineTest=self.steer, GetLineTest=self.get,
                           GetLineTests=self.list)

    async def begin(self, request: Any) -> Reply:
        self.test = LineTest(test="t1", span=request.span, order=request.order, by=request.by, began_at=0.0,
                             state="borrowing")
        self.begun.set()
        await self.lent.wait()
        return LineTestReply(test=self.test, facts={})

    async def steer(self, request: Any) -> Reply:
        self.steered.append(request.word)
        self.stopped.set()
        return Done()

    async def get(self, request: Any) -> Reply:
        assert self.test is not None
        return LineTestReply(test=self.test, facts={"bits": 5})

    async def list(self, request: Any) -> Reply:
        return LineTests(tests=[] if self.test is None else [self.test])

    def says(self, **changes: Any) -> LineTestState:
        assert self.test is not None
        self.test = msgspec.structs.replace(self.test, **changes)
        return LineTestState(test=self.test)


@pytest.fixture
def testing() -> LineBench:
    return LineBench()


async def test_a_test_of_a_line_step_by_step(tmp_path: Path, floor: Floor, testing: LineBench) -> None:
    li = Person(box(tmp_path, Bus(floor), [testing.area()]))
    live = Live(li.begin("test span 1 bert for 5m pattern qrss timeslots 1-15 inject 2"))
    assert "telco bert: takes the line" in await live.next()
    assert testing.test is not None and testing.test.order == LineTestOrder(
        kind="bert", for_s=300.0, pattern="qrss", timeslots="1-15", inject=2)
    li.box.hear(testing.says(state="running", passed_s=1.0, of_s=300.0, figures={"bits": 1e6, "errors": 2.0}))
    assert "telco bert: runs, 1/300 s, bits 1000000, errors 2" in await live.next()
    li.box.hear(testing.says(state="ended", outcome="errors"))
    assert "there were errors" in await live.rest() and live.running.status == 0 and not testing.steered


async def test_who_goes_away_ends_the_test_and_the_line_is_given_back(
        tmp_path: Path, floor: Floor, testing: LineBench) -> None:
    li = Person(box(tmp_path, Bus(floor), [testing.area()]))
    live = Live(li.begin("test span telco loop"))
    await live.next()
    await live.cancel()
    assert testing.steered == ["stop"]
    await li.does("test span telco loop background")
    assert testing.steered == ["stop"]
    assert "the test ends" in await li.does("test stop telco")
    assert testing.steered == ["stop", "stop"]
    assert "no test goes on" in await li.does("test done pbx", status=1)
    assert "telco" not in await li.does("test results telco") and "t1" in await li.does("test results")


@pytest.mark.parametrize("background", ["", " background"])
async def test_who_goes_away_while_a_test_begins_leaves_none_behind(
        tmp_path: Path, floor: Floor, testing: LineBench, background: str) -> None:
    li = Person(box(tmp_path, Bus(floor), [testing.area()]))
    testing.lent.clear()
    live = Live(li.begin(f"test span telco bert{background}"))
    async with asyncio.timeout(SOON_S):
        await testing.begun.wait()
        await live.cancel()
        testing.lent.set()
        if not background:
            await testing.stopped.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    assert testing.steered == ([] if background else ["stop"])


async def test_a_test_that_could_not_be_is_no_success(tmp_path: Path, floor: Floor,
                                                      testing: LineBench) -> None:
    li = Person(box(tmp_path, Bus(floor), [testing.area()]), language="zh")
    live = Live(li.begin("test span telco verdict site 南京路"))
    await live.next()
    li.box.hear(testing.says(state="asking", ask={"zh": "请插入环回头", "en": "plug"}))
    assert "请插入环回头" in await live.next()
    li.box.hear(testing.says(state="ended", outcome="failed", trouble="spand does not give the line away"))
    said = await live.rest()
    assert "无法进行, 线路没有交给测试" in said and live.running.status == 1


async def test_a_silent_test_is_given_up(
        tmp_path: Path, floor: Floor, testing: LineBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.box.commands.acts_lines.SILENT_S", 0.01)
    li = Person(box(tmp_path, Bus(floor), [testing.area()]))
    assert "nothing is heard of test t1" in await li.does("test span telco bert", status=1)
    assert testing.steered == ["stop"]


@pytest.mark.parametrize(("facts", "lines"), [
    ({"texts": {"en": {"headline": "the cable", "why": ["no signal"], "do": ["pull it"]}}},
     ["the cable", "- no signal", "> pull it"]),
    ({"findings": [{"what": "crc4", "value": "on", "sure": "seen", "evidence": []}]},
     ["CRC-4: on (seen on the line)"]),
    ({"bits": 7}, [])])
def test_what_a_test_found_is_said_for_people(facts: dict[str, Any], lines: list[str]) -> None:
    assert found(facts, "en") == lines


async def test_a_word_that_was_not_heard_is_asked_for(
        tmp_path: Path, floor: Floor, testing: LineBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.box.commands.acts_lines.SILENT_S", 0.01)
    li = Person(box(tmp_path, Bus(floor), [testing.area()]))
    live = Live(li.begin("test span telco bert"))
    await live.next()
    testing.says(state="ended", outcome="clean")  # nobody hears it
    assert "no error" in await live.rest() and live.running.status == 0 and not testing.steered


# --- software


def state(phase: str = "idle", **more: Any) -> UpdateState:
    return UpdateState(at=0.0, version="1.4.0", slot="a", confirmed="a", phase=phase, **more)


class Updating:
    def __init__(self) -> None:
        self.asked, self.state, self.history = list[Any](), state(), list[UpdatePast]()
        self.begun = asyncio.Event()

    def area(self) -> BoxdAnswers:
        return BoxdAnswers(GetUpdate=self.get, InstallUpdate=self.begin, GoBack=self.begin,
                           ConfirmUpdate=self.done,
                           CancelUpdate=self.done, HurryUpdate=self.done)

    async def get(self, request: Any) -> Reply:
        return UpdateReply(state=self.state, history=self.history)

    async def begin(self, request: Any) -> Reply:
        if self.state.phase != "idle":
            raise Refused("an update goes on")
        self.asked.append(request)
        self.state = state("fetching", percent=1)
        return Done()

    async def done(self, request: Any) -> Reply:
        self.asked.append(request)
        return Done()


async def test_the_box_gets_another_name(tmp_path: Path) -> None:
    asked = list[Any]()

    async def change(request: Any) -> Reply:
        if request.keys["hostname"] != "bj1":
            raise Refused("hostname: write letters")
        asked.append(request)
        return Done()
    li = Person(box(tmp_path, Bus(Floor()), [BoxdAnswers(ChangeProvision=change)]))
    assert "the box is called bj1" in await li.does("hostname bj1")
    assert asked == [ChangeProvision(keys={"hostname": "bj1"}, by="console")]
    await li.does("hostname BJ1", status=1)


@pytest.mark.parametrize(("outcome", "status"), [("confirmed", 0), ("rolled back", 1)])
async def test_an_update_is_watched_to_its_end(tmp_path: Path, outcome: str, status: int) -> None:
    updating = Updating()
    li = Person(box(tmp_path, Bus(Floor()), [updating.area()]))
    live = Live(li.begin("update install box-1.5.raucb begin now"))
    assert "fetching" in await live.next()
    assert updating.asked[0].begin == "now" and updating.asked[0].by == "li"
    updating.state = state("installing", percent=40, version_to="1.5")
    li.box.hear(updating.state)
    assert "40 %" in await live.next()
    updating.state = state()
    updating.history = [UpdatePast(outcome=outcome, why="", at=time.time() + 1, began_at=0.0,
                                   version_from="1.4.0",
                                   version_to="1.5", slot="b", trials=1)]
    li.box.hear(updating.state)
    assert outcome in await live.rest() and live.running.status == status


async def test_the_end_of_an_update_that_was_not_heard_is_asked_for(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.box.commands.acts_upkeep.SILENT_S", 0.01)
    updating = Updating()
    live = Live(Person(box(tmp_path, Bus(Floor()), [updating.area()])).begin("update back"))
    await live.next()
    updating.state = state()
    assert "no update goes on" in await live.rest() and live.running.status == 0


async def test_what_was_said_before_an_update_began_is_not_its_end(tmp_path: Path) -> None:
    updating = Updating()
    li = Person(box(tmp_path, Bus(Floor()), [updating.area()]))

    async def begin(request: Any) -> Reply:
        li.box.hear(state())                      # late: the box as it was
        return await updating.begin(request)
    li.box = box(tmp_path, Bus(Floor()), [BoxdAnswers(GetUpdate=updating.get, InstallUpdate=begin)])
    live = Live(li.begin("update install usb"))
    assert "fetching" in await live.next()
    updating.state = state("installing", percent=40)
    li.box.hear(updating.state)
    assert "40 %" in await live.next()
    await live.cancel()


async def test_who_goes_away_does_not_end_an_update(tmp_path: Path) -> None:
    updating = Updating()
    li = Person(box(tmp_path, Bus(Floor()), [updating.area()]))
    live = Live(li.begin("update install usb"))
    await live.next()
    await live.cancel()
    assert [type(one).__name__ for one in updating.asked] == ["InstallUpdate"]
    assert "an update goes on" in await li.does("update install usb", status=1)
    for word in ("confirm", "cancel", "hurry"):
        await li.does(f"update {word}")
    assert "next: update cancel" in await li.does("show update")
    found = await li.json("show update")
    assert found["state"]["phase"] == "fetching"
    await Person(li.box, Role.OPERATE).does("update install usb", status=77)


async def test_a_bundle_for_who_helps_is_where_sftp_has_it(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.box.commands.acts_upkeep.LOOK_S", 0.0)
    made = tmp_path / "branchline-support-box-1.zip"
    made.write_bytes(b"PK")
    replies: list[SupportReply] = []

    def reply(saying: str = "", at: float = 1.0, error: str = "") -> SupportReply:
        return SupportReply(running=bool(saying), saying=saying, path=str(made), octets=2, at=at,
                            missing=["lines: away"], error=error)

    async def get(request: Any) -> Reply:
        return replies.pop(0)

    async def make(request: Any) -> Reply:
        return Done()
    li = Person(box(tmp_path, Bus(Floor()), [BoxdAnswers(GetSupport=get, MakeSupport=make)]))
    replies += [reply(), reply("spans.json"), reply("logs"), reply(at=2.0)]
    said = await li.does("support")
    place = "made: /saved/support/branchline-support-box-1.zip, 2 octets; what it lacks: 1"
    assert said.index("spans.json") < said.index(place) < said.index("lines: away")
    replies += [reply(), reply("logs"), reply()]  # the one of before is no new one
    assert "none was made" in await li.does("support", status=1)
    replies += [reply(), reply("logs"), reply(error="support: no space")]
    assert "no space" in await li.does("support", status=1)


# --- of all


@pytest.mark.parametrize("why", ["nobody waits any more", "it takes too long"])
async def test_an_act_that_was_begun_goes_to_its_end(tmp_path: Path, why: str) -> None:
    go, done = asyncio.Event(), asyncio.Event()

    async def slowly(request: Any) -> Reply:
        await go.wait()
        done.set()
        return Done()
    li = Person(box(tmp_path, Bus(Floor()), [BoxdAnswers(ConfirmUpdate=slowly)]))
    late = why == "it takes too long"
    within_s = 0.001 if late else SOON_S
    acting = asyncio.create_task(act(Asked(li.box, li.session, 0.0), ConfirmUpdate(), within_s))
    if late:
        with pytest.raises(BusError, match=r"no answer in 0\.001 s"):
            await acting
    else:
        await asyncio.sleep(0)
        acting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await acting
    go.set()
    async with asyncio.timeout(SOON_S):
        await done.wait()


def mine() -> Table:
    return Table([one for one in table().commands if one.words.split()[0] in ACTS])


def test_every_command_has_both_languages_and_an_answer_with_a_schema() -> None:
    for command in mine().commands:
        for text in (command.help, *(one.help for one in command.arguments)):
            assert all(text.of(language) for language in LANGUAGES), command.words
        if command.answer.__struct_fields__:
            assert msgspec.json.schema(command.answer)["$defs"]


async def test_watching_is_all_that_a_watcher_may(tmp_path: Path) -> None:
    watcher = Person(box(tmp_path, Bus(Floor())), Role.WATCH)
    for line in ("clear call x", "busy-out span 1", "return span 1", "test span 1 bert", "test call 1",
                 "support",
                 "capture span 1", "trace call last", "debug isdn span 1", "agent anna ready", "monitor log",
                 "update confirm", "hostname x", "reload"):
        await watcher.does(line, status=77)
