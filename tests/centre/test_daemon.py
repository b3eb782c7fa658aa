"""acdd on a real bus; small players stand in for trunkd and spand under their own credentials."""

import asyncio
import contextlib
import copy
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from appliance.bus.client import Bus, BusError, Refused
from appliance.bus.messages import (
    Answer,
    Board,
    Bridge,
    CallAnswered,
    CallCharged,
    CallIncoming,
    CallInfo,
    CallReleased,
    CallTable,
    Charge,
    ContactFacts,
    DaemonUp,
    Dial,
    Digit,
    Done,
    Event,
    GetBoard,
    GetCalls,
    GetContact,
    GetContactFacts,
    GetContacts,
    GetPromptTakes,
    Hangup,
    LogIn,
    LookAtCalendar,
    MaliciousCallTraced,
    Play,
    PromptTakeState,
    ReloadCentre,
    Reloaded,
    Reply,
    Request,
    SetNotReady,
    SetReady,
    StartRecording,
    StopRecording,
    TakePrompt,
    TraceCaller,
    TraceMalicious,
    Within,
)
from appliance.bus.runner import Context
from appliance.centre import daemon
from appliance.centre.rebuild import rebuild
from appliance.config.load import load
from appliance.config.schema import Config
from appliance.errors import ConfigError
from appliance.store.events import FILE, Entry, EventLog, StoreError

CONFIG: dict[str, Any] = {
    "spans": [{"name": "t1", "url": "virtual:t/b", "side": "user", "trunk": "telco"},
              {"name": "p1", "url": "virtual:p/b", "side": "network", "trunk": "pbx"}],
    "centre": {
        "inbound": [{"trunk": "telco", "called": "5000", "flow": "flow.yaml"}],
        "queues": [{"name": "sales", "agents": ["ann"]}],
        "agents": [{"name": "ann", "extension": "8001", "trunk": "pbx"}]}}
FLOW: dict[str, Any] = {"start": "menu", "nodes": {
    "menu": {"kind": "menu", "prompt": "menu", "digits": {"1": "sales"}, "default": "sales"},
    "sales": {"kind": "queue", "queue": "sales"}}}

OTHER_FLOW: dict[str, Any] = {"start": "welcome", "nodes": {
    "welcome": {"kind": "menu", "prompt": "welcome", "digits": {"2": "sales"}, "default": "sales"},
    "sales": {"kind": "queue", "queue": "sales"}}}


def write(folder: Path, flow: dict[str, Any] = FLOW, config: dict[str, Any] = CONFIG) -> Path:
    (folder / "flow.yaml").write_text(yaml.safe_dump(flow))
    (folder / "box.yaml").write_text(yaml.safe_dump(config))
    return folder / "box.yaml"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load(write(tmp_path))


class Player:
    """A daemon that says yes to everything and remembers it; a test waits until it has seen something."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.asked: list[Request[Any]] = []
        self.heard: list[Event] = []
        self.calls: dict[str, CallInfo] = {}
        self.released: list[CallInfo] = []
        self.refuse: dict[type[Request[Any]], str] = {}
        self._news = asyncio.Condition()

    @classmethod
    @contextlib.asynccontextmanager
    async def on(cls, run_dir: Path, name: str) -> "AsyncIterator[Player]":
        player = cls(await Bus.connect(run_dir, name))
        await player.bus.answer(player._answer)
        await player.bus.hear("acdd", player._hear)
        try:
            yield player
        finally:
            await player.bus.close()

    async def until(self, sees: Callable[[], Any]) -> Any:
        """What `sees` returns as soon as it is true."""
        async with asyncio.timeout(10), self._news:
            while not (found := sees()):
                await self._news.wait()
            return found

    async def until_asked(self, kind: type[Any], since: int = 0) -> Any:
        return await self.until(
            lambda: next((one for one in self.asked[since:] if isinstance(one, kind)), None))

    def boards(self) -> list[Board]:
        return [event for event in self.heard if isinstance(event, Board)]

    async def say(self, *events: Event) -> None:
        for event in events:
            await self.bus.say(event)

    async def offer(self, leg: str, called: str = "5000") -> None:
        self._call(leg, "telco", called, inbound=True)
        await self.say(CallIncoming(leg=leg, trunk="telco", called=called, calling="139", calling_name="",
                                    complete=True, at=10.0))

    def end(self, leg: str, cause: int, at: float) -> None:
        """Into the table only: nobody hears of it."""
        self.released.append(msgspec.structs.replace(
            self.calls.pop(leg), state="released", cause=cause, by="far", since=at))

    async def _answer(self, request: Request[Any]) -> Reply:
        self.asked.append(request)
        async with self._news:
            self._news.notify_all()
        if text := self.refuse.get(type(request)):
            raise Refused(text)
        match request:
            case GetCalls():
                return CallTable(calls=list(self.calls.values()), released=self.released)
            case Dial(leg=leg, trunk=trunk, called=called):
                self._call(leg, trunk, called, inbound=False)
            case Answer(leg=leg):
                self.calls[leg] = msgspec.structs.replace(self.calls[leg], state="answered")
            case Hangup(leg=leg) if leg in self.calls:
                del self.calls[leg]
                await self.say(CallReleased(leg=leg, cause=16, by="near", at=20.0))
        return Done()

    async def _hear(self, event: Event) -> None:
        self.heard.append(event)
        async with self._news:
            self._news.notify_all()

    def _call(self, leg: str, trunk: str, called: str, inbound: bool) -> None:
        self.calls[leg] = CallInfo(
            leg=leg, trunk=trunk, span="s", timeslot=1, inbound=inbound, state="offered", called=called,
            calling="139", calling_name="", complete=True, since=10.0)


@contextlib.asynccontextmanager
async def acdd(run_dir: Path, state_dir: Path, config: Config) -> AsyncIterator[Context]:
    context = Context("acdd", config, state_dir, run_dir, await Bus.connect(run_dir, "acdd"), asyncio.Event(),
                      config_path=state_dir / "box.yaml")
    serving = asyncio.create_task(daemon.serve(context))
    try:
        yield context
        context.stop.set()
        await asyncio.wait_for(serving, 10)
    finally:
        serving.cancel()
        await context.bus.close()


async def talk(trunkd: Player, spand: Player, leg: str) -> tuple[str, StartRecording]:
    """A call up to the talk; the agent's leg and the recording."""
    trunks, media = len(trunkd.asked), len(spand.asked)
    await trunkd.offer(leg)
    await spand.until_asked(Play, media)
    await spand.say(Digit(leg=leg, digit="1", at=11.0))
    dial = await trunkd.until_asked(Dial, trunks)
    trunkd.calls[dial.leg] = msgspec.structs.replace(trunkd.calls[dial.leg], state="answered")
    await trunkd.say(CallAnswered(leg=dial.leg, at=12.0))
    recording = await spand.until_asked(StartRecording, media)
    return dial.leg, recording


async def test_a_call_over_the_bus_is_logged_shown_and_listed(
        bus_server: Path, tmp_path: Path, config: Config) -> None:
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand") as spand, \
            Player.on(bus_server, "webui") as webui, acdd(bus_server, tmp_path, config) as context:
        agent_leg, recording = await talk(trunkd, spand, "c1")
        assert Bridge(leg_a="c1", leg_b=agent_leg) in spand.asked
        board = await webui.until(lambda: next((
            one for one in webui.boards() if one.agents[0].state == "talking"), None))
        assert (board.contacts[0].state, board.agents[0].contact) == ("talking", board.contacts[0].contact)
        del trunkd.calls["c1"]
        await trunkd.say(CallReleased(leg="c1", cause=16, by="far", at=30.0))
        assert (await trunkd.until_asked(Hangup)).leg == agent_leg
        await spand.until_asked(StopRecording)
        listed = await webui.bus.ask(GetContacts())
        assert (listed.total, listed.contacts[0].outcome) == (1, "answered")
        assert listed.contacts[0].segments[-1].recording == recording.recording
        queue, agent = listed.contacts[0].queue, listed.contacts[0].agent
        for within, there in (
                (Within(), 1), (Within(queues=[queue]), 1), (Within(queues=[queue], agents=[agent]), 1),
                (Within(queues=[queue], agents=["nobody"]), 0), (Within(agents=[]), 0),
                (Within(trunks=["telco"]), 0)):
            assert (await webui.bus.ask(GetContacts(within=within))).total == there, within
        with pytest.raises(Refused, match="at most 500 names"):
            await webui.bus.ask(GetContacts(within=Within(agents=["x"] * 501)))
        one = await webui.bus.ask(GetContact(contact=board.contacts[0].contact))
        assert one.contact == listed.contacts[0]
        assert (await webui.bus.ask(GetContact(contact="nobody"))).contact is None
        await webui.until(lambda: webui.boards()[-1].agents[0].state == "wrap-up")  # her leg ended
        assert (await webui.bus.ask(GetBoard())).board.agents[0].state == "wrap-up"
        with pytest.raises(Refused, match="limit from 1 to 500"):
            await webui.bus.ask(GetContacts(limit=501))
        with pytest.raises(ConfigError, match="another program has it open"):
            rebuild(tmp_path)
        assert {"contacts", "waiting", "log_seq", "turn_ms"} <= context.facts.keys()
        assert "faults" not in context.facts
    counts = rebuild(tmp_path)
    assert (counts["contacts"], counts["segments"]) == (1, 4)    # menu, queue, ring, talk


@pytest.mark.need(16)
async def test_settings_change_without_a_caller_losing_his_place(
        bus_server: Path, tmp_path: Path, config: Config) -> None:
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand") as spand, \
            Player.on(bus_server, "boxd") as boxd, acdd(bus_server, tmp_path, config):
        await talk(trunkd, spand, "c1")
        await trunkd.offer("c2")
        await spand.until(lambda: any(isinstance(one, Play) and one.leg == "c2" for one in spand.asked))
        new = copy.deepcopy(CONFIG)
        new["centre"]["agents"].append({"name": "bo", "extension": "8002", "trunk": "pbx"})
        new["centre"]["queues"][0]["agents"].append("bo")
        write(tmp_path, config=new)
        wanted = ReloadCentre(check=True)
        changed = ["centre.queues.sales.agents", "centre.agents.bo"]
        assert (await boxd.bus.ask(wanted)).changed == changed
        assert (await boxd.bus.ask(wanted)).changed == changed       # that was only a question
        assert (await boxd.bus.ask(ReloadCentre())) == Reloaded(
            document=str(tmp_path / "box.yaml"), changed=changed)
        await spand.say(Digit(leg="c2", digit="1", at=13.0))
        await trunkd.until(lambda: [one for one in trunkd.asked
                                    if isinstance(one, Dial) and one.called == "8002"])
        await trunkd.offer("c3")
        await spand.until(lambda: any(isinstance(one, Play) and one.leg == "c3" for one in spand.asked))
        later = copy.deepcopy(new)
        later["centre"]["agents"].append({"name": "cy", "extension": "8003", "trunk": "pbx"})
        write(tmp_path, OTHER_FLOW, later)        # of the document nobody has decided yet that it is in force
        for asked in (ReloadCentre(check=True, flows=True), ReloadCentre(flows=True)):
            assert (await boxd.bus.ask(asked)).changed == [f"flow {tmp_path / 'flow.yaml'}"]
        await spand.say(Digit(leg="c3", digit="1", at=13.0))         # of the menu that it hears
        await spand.until(lambda: any(
            isinstance(one, Play) and one.leg == "c3" and "position" in str(one) for one in spand.asked))
        await trunkd.offer("c4")
        await spand.until(lambda: any(
            isinstance(one, Play) and one.leg == "c4" and "welcome" in str(one) for one in spand.asked))
        new["centre"]["queues"] = [{"name": "other", "agents": ["ann"]}]
        sales = {**OTHER_FLOW["nodes"]["sales"], "queue": "other"}
        write(tmp_path, {**OTHER_FLOW, "nodes": {**OTHER_FLOW["nodes"], "sales": sales}}, new)
        with pytest.raises(Refused, match=r"callers are where the new document has nothing.*yaml sales"):
            await boxd.bus.ask(ReloadCentre())
        write(tmp_path, {"start": "nowhere", "nodes": {}}, new)
        with pytest.raises(Refused, match=r"flow\.yaml:.*: no node is called 'nowhere'"):
            await boxd.bus.ask(ReloadCentre())
        assert {call.leg for call in trunkd.calls.values()} >= {"c1", "c2", "c3"}


async def test_a_restart_keeps_the_flow_that_a_caller_began_with(
        bus_server: Path, tmp_path: Path, config: Config) -> None:
    def versions() -> set[str]:
        return {file.name for file in (tmp_path / "flows").iterdir()}

    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand") as spand:
        async with acdd(bus_server, tmp_path, config):
            await trunkd.offer("c1")
            await spand.until_asked(Play)
        path, began_with = write(tmp_path, OTHER_FLOW), versions()
        async with acdd(bus_server, tmp_path, load(path)):
            await spand.until_asked(Play, len(spand.asked))          # what c1 hears is told again
            await spand.say(Digit(leg="c1", digit="1", at=13.0))
            await spand.until(lambda: any("position" in str(one) for one in spand.asked))
            assert versions() > began_with
        trunkd.end("c1", cause=16, at=4e9)
        for leg in ("c2", "c3"):                  # the first start hears that c1 has ended
            async with acdd(bus_server, tmp_path, load(path)):
                media = len(spand.asked)
                await trunkd.offer(leg)
                await spand.until_asked(Play, media)
        assert len(versions()) == 1 and not versions() & began_with


async def test_acdd_away_during_a_talk_that_ends(bus_server: Path, tmp_path: Path, config: Config) -> None:
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand") as spand:
        async with acdd(bus_server, tmp_path, config):
            await talk(trunkd, spand, "c1")
            await trunkd.offer("c2")
            await spand.until(lambda: any(isinstance(one, Play) and one.leg == "c2" for one in spand.asked))
        trunkd.end("c1", cause=31, at=4e9)
        media = len(spand.asked)
        async with acdd(bus_server, tmp_path, config):
            again = await spand.until_asked(Play, media)
            assert again.leg == "c2"
            async with Player.on(bus_server, "webui") as webui:
                records = (await webui.bus.ask(GetContacts())).contacts
                ended, = (one for one in records if one.state == "ended")
                assert (ended.cause, ended.ended_at, ended.ended_by) == (31, 4e9, "caller")


async def test_a_spand_that_comes_back_is_told_everything(
        bus_server: Path, tmp_path: Path, config: Config) -> None:
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand") as spand, \
            acdd(bus_server, tmp_path, config):
        agent_leg, recording = await talk(trunkd, spand, "c1")
        media = len(spand.asked)
        await spand.say(DaemonUp(daemon="spand", pid=1, started_at=1.0))
        assert await spand.until_asked(StartRecording, media) == recording
        assert spand.asked[media] == Bridge(leg_a="c1", leg_b=agent_leg)


async def test_a_trunkd_that_comes_back_is_asked(bus_server: Path, tmp_path: Path, config: Config) -> None:
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand") as spand, \
            acdd(bus_server, tmp_path, config) as context:
        agent_leg, _ = await talk(trunkd, spand, "c1")
        trunks = len(trunkd.asked)
        del trunkd.calls[agent_leg]               # its table lost the agent's leg
        await trunkd.say(DaemonUp(daemon="trunkd", pid=1, started_at=1.0))
        assert await trunkd.until_asked(Hangup, trunks) == Hangup(leg="c1", cause=16)
        assert isinstance(trunkd.asked[trunks], GetCalls)
        assert "faults" not in context.facts


async def test_acdd_waits_for_trunkd(bus_server: Path, tmp_path: Path, config: Config) -> None:
    async with acdd(bus_server, tmp_path, config) as context, Player.on(bus_server, "webui") as webui:
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(BusError):
                    board = (await webui.bus.ask(GetBoard())).board
                    break
        assert board.agents[0].name == "ann"
        async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand"):
            trunkd._call("c1", "telco", "5000", inbound=True)        # offered before anybody listened
            await trunkd.until_asked(Answer)
        assert not context.stop.is_set()


async def test_a_calendar_that_may_come_is_looked_at(
        bus_server: Path, tmp_path: Path, config: Config) -> None:
    draft = ('{"name": "office", "hours": {"mon-sun": ["00:00-24:00"]}, "holidays": "cn", "days": '
             '[{"date": "2026-11-23", "hours": [], "note": "moving"}]}')
    moving, after = 1795428000.0, 1795600000.0    # 2026-11-23 and -25, wherever the box stands
    async with Player.on(bus_server, "trunkd"), Player.on(bus_server, "spand"), \
            Player.on(bus_server, "webui") as webui, acdd(bus_server, tmp_path, config):
        await webui.until(webui.boards)           # it answers by then
        said = [(await webui.bus.ask(LookAtCalendar(calendar="office", at=at, years=[2099], instead=draft)))
                for at in (moving, after)]
        assert [one.open for one in said] == [False, True] and said[0].unknown == [2099]
        for wrong in (LookAtCalendar(calendar="office", at=moving, instead="{}"),
                      LookAtCalendar(calendar="office", at=moving)):
            with pytest.raises(Refused):
                await webui.bus.ask(wrong)


async def test_a_refused_dial_fails_the_ring(bus_server: Path, tmp_path: Path, config: Config) -> None:
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand") as spand, \
            Player.on(bus_server, "webui") as webui, acdd(bus_server, tmp_path, config):
        trunkd.refuse[Dial] = "no trunk 'pbx'"
        await trunkd.offer("c1")
        await spand.until_asked(Play)
        await spand.say(Digit(leg="c1", digit="1", at=11.0))
        board = await webui.until(lambda: next((
            one for one in webui.boards() if one.agents[0].state == "unreachable"), None))
        assert (board.agents[0].reason, board.contacts[0].state) == ("cause 41", "queue")


async def test_a_refused_answer_asks_for_the_truth(bus_server: Path, tmp_path: Path, config: Config) -> None:
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand"), \
            Player.on(bus_server, "webui") as webui, acdd(bus_server, tmp_path, config):
        trunkd.refuse[Answer] = "no leg c1: it ended"
        await trunkd.until_asked(GetCalls)
        await trunkd.offer("c1")
        await trunkd.until_asked(Answer)
        trunkd.end("c1", cause=16, at=13.0)
        await webui.until(lambda: any(board.contacts for board in webui.boards()))
        await webui.until(lambda: not webui.boards()[-1].contacts)
        assert (await webui.bus.ask(GetContacts())).contacts[0].outcome == "abandoned"


async def test_a_caller_is_traced_and_the_lines_facts_are_told(
        bus_server: Path, tmp_path: Path, config: Config) -> None:
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand") as spand, \
            Player.on(bus_server, "webui") as webui, acdd(bus_server, tmp_path, config):
        agent_leg, _ = await talk(trunkd, spand, "c1")
        begun = await webui.bus.ask(TraceCaller(name=agent_leg, by="anna"))
        assert await trunkd.until_asked(TraceMalicious) == TraceMalicious(leg="c1")
        await trunkd.say(MaliciousCallTraced(leg="c1", done=True),
                         CallCharged(leg="c1", charge=Charge(units=3)))

        async def told(known: Callable[[ContactFacts], bool]) -> ContactFacts:
            async with asyncio.timeout(10):
                while not known(found := await webui.bus.ask(GetContactFacts(contact=begun.contact))):
                    pass                          # to ask gives acdd time
                return found
        assert [one.charge.units for one in (await told(lambda facts: bool(facts.charges))).charges] == [3]
        trunkd.refuse[TraceMalicious] = "no such service"
        await webui.bus.ask(TraceCaller(name=begun.contact))
        found = await told(lambda facts: facts.traces[-1].done is not None and len(facts.traces) == 2)
        assert [(one.by, one.done) for one in found.traces] == [("anna", True), ("", False)]
        with pytest.raises(Refused, match="nobody: no contact or leg of this name is there"):
            await webui.bus.ask(TraceCaller(name="nobody"))
        assert await webui.bus.ask(GetContactFacts(contact="nobody")) == ContactFacts()


async def test_an_emergency_number_that_trunkd_reloads_gets_out(
        bus_server: Path, tmp_path: Path, config: Config) -> None:
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand"), \
            Player.on(bus_server, "boxd") as boxd, acdd(bus_server, tmp_path, config):
        await trunkd.until_asked(GetCalls)
        write(tmp_path, config=CONFIG | {"trunks": [{"name": "telco", "emergency": ["122"]}]})
        await boxd.bus.ask(ReloadCentre())
        for leg, called in (("e1", "110"), ("e2", "122")):
            trunkd._call(leg, "pbx", called, inbound=True)
            await trunkd.say(CallIncoming(leg=leg, trunk="pbx", called=called, calling="8009",
                                          calling_name="", complete=True, at=10.0))
        dialled = await trunkd.until(lambda: (
            found := [one for one in trunkd.asked if isinstance(one, Dial)]) and len(found) == 2 and found)
        assert [(one.trunk, one.called) for one in dialled] == [("telco", "110"), ("telco", "122")]


async def test_who_speaks_a_prompt_is_not_ready_until_it_is_over(
        bus_server: Path, tmp_path: Path, config: Config) -> None:
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand"), \
            Player.on(bus_server, "webui") as webui, Player.on(bus_server, "boxd") as boxd, \
            acdd(bus_server, tmp_path, config) as context:
        await webui.until(webui.boards)
        await webui.bus.ask(SetNotReady(agent="ann"))
        await webui.bus.ask(TakePrompt(by="ann", at="ann", name="zh/hello", language="zh"))
        await trunkd.until_asked(Dial)
        said = "ann: a prompt is being spoken at 8001: end that call first"
        for request in (SetReady(agent="ann"), LogIn(agent="ann", ready=True)):
            with pytest.raises(Refused, match=said):
                await boxd.bus.ask(request)
        assert (await boxd.bus.ask(LogIn(agent="ann"))).agent.state == "not-ready"
        await context.bus._tell_back()            # what happened while the bus was away nobody says again
        await webui.until(lambda: [one for one in webui.heard if isinstance(one, PromptTakeState)
                                   and one.take.step == "failed"])
        [take] = (await webui.bus.ask(GetPromptTakes())).takes
        assert take.error == "what came of the call was lost inside the box"
        assert not trunkd.calls
        assert (await webui.bus.ask(SetReady(agent="ann"))).agent.state == "ready"


async def test_a_full_disk_stops_decisions_and_says_so(
        bus_server: Path, tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture) -> None:
    full = asyncio.Event()
    tried = asyncio.Event()
    loop = asyncio.get_running_loop()
    append = EventLog.append

    def on_a_full_disk(log: EventLog, batch: Sequence[Entry]) -> int:
        if full.is_set():
            loop.call_soon_threadsafe(tried.set)
            raise StoreError("acd.sqlite: cannot be written (disk full)")
        return append(log, batch)

    monkeypatch.setattr(EventLog, "append", on_a_full_disk)
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand") as spand, \
            Player.on(bus_server, "webui") as webui, acdd(bus_server, tmp_path, config):
        await trunkd.until_asked(GetCalls)
        full.set()
        await trunkd.offer("c1")
        await asyncio.wait_for(tried.wait(), 10)
        assert (await webui.bus.ask(GetBoard())).board.contacts == []
        assert [type(one) for one in trunkd.asked] == [GetCalls] and spand.asked == []
        assert "acd.sqlite: cannot be written (disk full)" in caplog.text
        full.clear()
        await trunkd.until_asked(Answer)
        assert len((await webui.bus.ask(GetBoard())).board.contacts) == 1


async def test_garbage_in_an_event_harms_nothing(bus_server: Path, tmp_path: Path, config: Config) -> None:
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand") as spand, \
            acdd(bus_server, tmp_path, config) as context:
        await trunkd.until_asked(GetCalls)
        await trunkd.bus._client.publish("evt.trunkd.CallIncoming", b"{not json")
        await trunkd.say(CallReleased(leg="nobody's", cause=999, by="?", at=-1.0),
                         CallIncoming(leg="", trunk="", called="\x00" * 99, calling="", calling_name="",
                                      complete=False, at=0.0))
        await talk(trunkd, spand, "c1")
        assert "faults" not in context.facts


@pytest.mark.parametrize(("damage", "text"), [
    ("state", "acd.sqlite: is not a database"),
    ("flow", "flow.yaml:5: nodes.menu.digits.1.next: no node is called 'sold'"),
])
def test_what_cannot_be_used_ends_with_78_and_one_line(
        bus_server: Path, tmp_path: Path, damage: str, text: str) -> None:
    path = write(tmp_path)
    if damage == "state":
        (tmp_path / FILE).write_bytes(b"garbage" * 1000)
    else:
        flow = (tmp_path / "flow.yaml").read_text()
        (tmp_path / "flow.yaml").write_text(flow.replace("'1': sales", "'1': sold"))
    ended = subprocess.run(
        [sys.executable, "-m", "appliance.centre.daemon", "--config", path, "--state-dir", tmp_path,
         "--run-dir", bus_server], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 78
    assert text in ended.stderr and len(ended.stderr.splitlines()) == 1
