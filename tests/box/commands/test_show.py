"""What a NOC asks first, on a made-up branch: every show command answers, in both languages and as JSON."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from appliance.box.area import Area
from appliance.box.commands.box import Box
from appliance.box.commands.chinese import word
from appliance.box.commands.every import table
from appliance.box.commands.offers import offers
from appliance.box.commands.reference import schema
from appliance.box.commands.render import fields
from appliance.box.commands.run import save
from appliance.box.commands.show_network import interface, name_servers
from appliance.box.commands.table import Role, Text
from appliance.box.ssh.area import Console
from appliance.box.ssh.door import Door
from appliance.box.ssh.host_key import HostKey, new_key
from appliance.box.telemetry.area import Telemetry
from appliance.box.telemetry.gathering import Gathering
from appliance.box.telemetry.seen import OwnCounts, Seen
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    REQUESTS,
    BackupInfo,
    BackupReply,
    BoxKey,
    CallInfo,
    CardList,
    CardRelay,
    CardState,
    DocumentCandidate,
    DocumentHistory,
    DocumentReply,
    DocumentState,
    DocumentVersion,
    EntryInfo,
    ExplainRoute,
    Fitness,
    FitnessReason,
    FlowFile,
    FlowList,
    FlowVersion,
    GetBackups,
    GetBoxKey,
    GetCards,
    GetDocument,
    GetDocumentHistory,
    GetFlows,
    GetLineHistory,
    GetLogs,
    GetMaintenance,
    GetRecorder,
    GetRetention,
    GetRoutePlan,
    GetRoutine,
    GetSpace,
    GetStorage,
    GetTrunks,
    Hardware,
    LogLine,
    LogLines,
    MaintenanceEntry,
    MaintenanceReply,
    NumberInfo,
    Reading,
    RecorderState,
    RecorderWarning,
    RecordingRow,
    RecordingsFound,
    Reply,
    Request,
    RetentionInfo,
    RouteExplained,
    RoutePlan,
    RoutineReply,
    RoutineState,
    SearchRecordings,
    SelfCheck,
    SelfChecked,
    Sentence,
    SetDocumentKey,
    SpaceInfo,
    StorageDevice,
    StorageState,
    TrunkInfo,
    TrunkTable,
)
from appliance.config import enrolment
from appliance.config.console import ConsoleConfig, ConsolePersonConfig
from appliance.config.telemetry import TelemetryConfig
from appliance.store.audit import Audit, Did
from tests.box.commands.acting import Bus, Person, box
from tests.webui.facts import busy_branch

DOCUMENT = "# the branch\nweb:\n  port: 443\nmail:\n  password: <hidden>\n\nspans: []\n"


class Noc:
    """A branch of which the NOC asks more than its pages."""

    def __init__(self) -> None:
        self.branch = busy_branch()
        self.gone: set[str] = set()               # daemons that do not answer
        self.unknown: set[str] = set()            # spans that boxd does not keep

    def reply(self, request: Request[Any]) -> Reply:
        if request.owner in self.gone:
            raise BusError(f"{type(request).__name__}: {request.owner} is not there")
        if isinstance(request, GetLineHistory) and request.span in self.unknown:
            raise Refused(f"no span {request.span!r}")
        return self.more(request) or self.branch.reply(request)

    def more(self, request: Request[Any]) -> Reply | None:
        match request:
            case GetTrunks():
                return TrunkTable(trunks=[TrunkInfo(
                    trunk="telco", spans=["telco"], hunting="balanced", overflow=["office"], reserved=[],
                    emergency=["110"], calling="", country="cn", area="10", calls_in=2, calls_out=1)])
            case GetRoutePlan():
                return RoutePlan(outbound=[], inbound=[NumberInfo(
                    trunk="telco", called="5001", flow="main.yaml", calendar="", closed=None)], entry=[
                        EntryInfo(name="vip", trunks=["telco"], called=["5009"], goes=None)])
            case ExplainRoute(trunk="nowhere"):
                raise Refused("no trunk is called 'nowhere'")
            case ExplainRoute(called=called, at=at):
                return RouteExplained(at=at, kind="in", steps=[Sentence(
                    "{number} goes to {what}", {"number": called, "what": Sentence("flow {file}",
                                                                                   {"file": "main"})})])
            case GetStorage():
                return StorageState(
                    at=1.0, total=8 * 10**9, free=2 * 10**9, uses={"recordings": 5 * 10**9}, read_only=False,
                    trouble="", errors=0, written_octets=None, growth_octets_day=1e6, days=9, full_at=0.0,
                    devices=[StorageDevice(name="mmcblk0", kind="eMMC", wear="worn", used_share=0.7)])
            case GetBackups():
                return BackupReply(path="/b", passphrase=True, running="", overdue=True, next_at=0.0,
                                   backups=[
                    BackupInfo(kind="now", at=1.7e9, octets=12_000_000, verified=True, path="/b/1")])
            case GetLogs():
                lines = [LogLine(at=1.7e9 - place, program="trunkd", level="info", text=f"line {place}",
                                 place=str(place)) for place in range(request.most)]
                return LogLines(lines=lines, more=True, place="x", newest="0", programs=["trunkd"],
                                source="files", since=0.0)
            case GetMaintenance():
                return MaintenanceReply(more=False, entries=[MaintenanceEntry(
                    number=7, at=1.7e9, kind="repair", by="wang", text="a new  cable")])
            case GetRoutine():
                found = SelfChecked(item="disk", title={"en": "disk", "zh": "磁盘"}, result="failed",
                                    figure="93 %", limit="above 90 %")
                last = MaintenanceEntry(number=8, at=1.7e9, kind="weekly-check", by="", check=SelfCheck(
                    due=1.7e9, began_at=1.7e9, results=[found]))
                return RoutineReply(at=1.7e9, record_at=1.8e9, record=last, rounds=[
                    RoutineState(kind="weekly", state="planned", next_at=1.8e9, last=last),
                    RoutineState(kind="monthly", state="off", next_at=0.0)])
            case GetDocument(number=number):
                if number > 2:
                    raise Refused(f"there is no version {number}")
                return DocumentReply(state=DocumentState(at=0.0), version=None, text=DOCUMENT, hidden=True)
            case GetDocumentHistory():
                version = DocumentVersion(number=2, at=1.7e9, by="", comment="", kind="commit",
                                          keys=["web.port"])
                return DocumentHistory(older=False, versions=[version], state=DocumentState(
                    at=0.0, head=version, waiting=2, back_to=1, until=1.7e9,
                    candidate=DocumentCandidate(by="li", base=2, at=1.0, sha256="")))
            case GetFlows():
                head = FlowVersion(number=3, at=1.7e9, by="li", kind="published")
                return FlowList(flows=[FlowFile(file="main.yaml", head=head, draft=None, nodes=5,
                                                used_by=["centre.inbound"])])
            case GetSpace():
                return SpaceInfo(level="ok", total=1, free=10**9, recordings=5 * 10**9, journal=10**8,
                                 outbox=0,
                                 quota=0, held=0, unarchived=0, unarchived_recordings=1,
                                 archived_recordings=2)
            case GetRetention():
                return RetentionInfo(rules=[], least_days=30.0, next_run_at=1.8e9, grace_until=0.0)
            case SearchRecordings():
                row = RecordingRow(recording="r1", began_at=1.7e9, ended_at=1.7e9, duration_s=65, gap_s=0,
                                   format="opus", file_octets=1, state="kept", queue="sales")
                return RecordingsFound(rows=[row], after=0, total=10_001, since=0, until=0)
            case GetRecorder():
                return RecorderState(warnings=[RecorderWarning(kind="slow-disk", text="slow", since=1.7e9)])
            case GetBoxKey():
                return BoxKey(public_key="", fingerprint="ab" * 32, ring=[])
            case GetCards():
                relay = CardRelay(energised=False, sense="joined", why="no lease", lease_s=0.0, operations=3)
                return CardList(cards=[CardState(
                    at=1.0, card="1", device="tty", relay=relay, version="1.2.0", reset="power-up",
                    uptime_s=120, temperature_celsius=44.5, supplies_mv={"3V3": 3301}, troubles=["supply"]),
                    CardState(at=1.0, card="2", device="tty2", trouble="nothing is heard of it")])
        return None


class Boxd(Area):
    def __init__(self, noc: Noc) -> None:
        async def answer(request: Request[Any]) -> Reply:
            return noc.reply(request)
        self.answers = {kind: answer for kind in REQUESTS.values() if kind.owner == "boxd"}


@pytest.fixture
def noc() -> Noc:
    noc = Noc()
    noc.branch.alarms["pbx"] = ["los"]
    noc.branch.fitness = Fitness(at=1.0, state="degraded", since=1.7e9, fit=True, reasons=[FitnessReason(
        code="clock", about="", state="degraded", since=1.7e9, text={"en": "The clock is off.",
                                                                     "zh": "时钟不准。"},
        action={"en": "Set it.", "zh": "请校时。"})])
    noc.branch.hardware = Hardware(at=1.0, board="duo", name="Exchange Duo", serial="X1", readings=[
        Reading(name="board", unit="celsius", value=41.23, low=70, high=85)])
    return noc


class Writes(Telemetry):
    """As it is while its server is away."""

    def __init__(self) -> None:
        self.config = TelemetryConfig(url="https://influx:8086", org="noc", token="x")


class Gathers(Gathering):
    def __init__(self) -> None:
        self.seen = Seen(own=OwnCounts(
            spooled_points=1200, spooled_octets=2_000_000, sent_points=9, away=True))


@pytest.fixture
def made(tmp_path: Path, noc: Noc) -> Box:
    return box(tmp_path, Bus(noc.reply), [Boxd(noc), Writes(), Gathers()])


SAME = ("", "telco", "clock", "wang", "eMMC", "nothing is heard of it")     # names, own words

SHOWN = {                                         # what a person must be able to read there
    "show version": ["Exchange Duo", "X1", "1.4.0", "box started at"],
    "show box": ["degraded", "The clock is off.", "Set it.", "41.2", "3.301", "44.5"],
    "show daemons": ["spand", "up", "2 h 1 min", "MB"],
    "show storage": ["8.0 GB", "recordings", "worn", "70.0 %", "25.0 %"],
    "show clock": ["ntp", "12 ms", "telco"],
    "show network": ["gateways", "name servers"],
    "show cards": ["joined", "no lease", "1.2.0", "2 min", "44.5", "supply"],
    "show telemetry": ["away", "influx:8086", "1 200", "2.0 MB"],
    "show update": ["version 1.4.0", "no update goes on"],
    "show alarms": ["los", "span pbx", "no signal comes in", "clock", "slow-disk"],
    "show spans": ["telco", "office", "down", "los", "19", "60"],
    "show span telco": ["frames_in", "812", "slips", "12", "60"],
    "show span 2 by days most 1": ["pbx", "los", "19"],
    "show channels": ["timeslot", "idle", "busy"],
    "show channels span 1": ["telco"],
    "show calls": ["trunk", "from"],
    "show trunks": ["telco", "balanced", "110"],
    "test route 5001": ["5001 goes to flow main", "in"],
    "test route 5009 from 13800138000 trunk telco in 2h": ["13800138000"],
    "show queues": ["sales", "waiting"],
    "show agents": ["anna", "wrap-up", "no answer"],
    "show flows": ["main.yaml", "3", "centre.inbound"],
    "show recordings": ["10 000", "yes", "r1", "1 min 5 s", "slow-disk"],
    "show log": ["line 49", "line 0", "trunkd"],
    "show log program spand level error text x since 1h most 3": ["line 2"],
    "show configuration": ["# the branch", "password: <hidden>"],
    "show configuration version 1": ["web:"],
    "show configuration web": ["web:", "  port: 443"],
    "show history": ["web.port", "commit", "box", "li"],
    "show backups": ["12.0 MB", "yes", "/b/1"],
    "show maintenance": ["a new cable", "wang", "repair"],
    "show routine": ["weekly", "planned", "disk", "failed", "93 %", "above 90 %", "2023-11-14"],
    "show sessions": [],
    "show certificates": ["ab" * 32, "pages"],
    "show saved": [],
    "help": ["show spans", "watch"],
    "help show span": ["show span SPAN [by WORD] [most N]"],
}


@pytest.mark.parametrize("line", SHOWN)
async def test_shown(made: Box, line: str) -> None:
    told = await Person(made).does(line)
    for one in SHOWN[line]:
        assert one in told, told
    chinese = await Person(made, language="zh").does(line)
    assert (chinese and chinese != told) or "configuration" in line
    answer = await Person(made).json(line)
    command = next(one for one in table().commands if line.startswith(one.words) and one.known_in("")
                   and not any(line.startswith(other.words) for other in table().commands
                               if len(other.words) > len(one.words)))
    jsonschema_rs.validator_for(schema(command.answer)).validate(answer)
    assert (await Person(made, language="zh").json(line)).keys() == answer.keys()
    read = msgspec.convert(answer, command.answer)
    assert [one for one in states(read) if word(one[0], one[1], "zh") == one[0]] == []


def states(answer: msgspec.Struct) -> Iterator[tuple[str, str]]:
    """The words in it that people see in their language, each with its kind."""
    for one in fields(type(answer)):
        value = getattr(answer, one.name)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, msgspec.Struct):
                yield from states(each)
            elif one.words and isinstance(each, str) and each not in SAME:
                yield each, one.words


def test_every_show_command_is_among_them() -> None:
    own = ("plain", "show_box", "show_floor", "show_kept", "show_lines", "show_network", "show_routine")
    words = {one.words for one in table().commands if one.does.__module__.rpartition(".")[2] in own}
    assert words - {"exit", "quit", "delete saved"} == {
        next(one for one in sorted(words, key=len, reverse=True) if line.startswith(one))
        for line in SHOWN if not line.startswith("test ")}


@pytest.mark.parametrize(("line", "said"), [
    ("show span pbx3", "there is no span 'pbx3'\nthere are: telco, pbx\n"),
    ("show span 3", "there is no span '3'"),
    ("show channels span x", "there is no span 'x'"),
    ("show calls trunk x", "there is no trunk 'x'\nthere are: telco\n"),
    ("show queues x", "there is no queue 'x'"),
    ("show agents x", "there is no agent 'x'"),
    ("test route 5001 trunk nowhere", "no trunk is called 'nowhere'\n"),
    ("show configuration version 9", "there is no version 9\n"),
    ("show configuration version x", "'x' is no version's number\nshow history\n"),
    ("show configuration wob", "the document has no section 'wob'\nit has: mail, spans, web\n"),
    ("delete saved x", "there is no file x\nshow saved\n"),
])
async def test_what_is_not_there(made: Box, line: str, said: str) -> None:
    assert said in await Person(made).does(line, 1)


async def test_a_refusal_is_said_in_the_persons_language(made: Box) -> None:
    assert await Person(made, language="zh").does("show configuration version 9", 1) == "没有版本 9\n"


async def test_what_still_answers_is_shown_while_others_are_away(made: Box, noc: Noc) -> None:
    noc.gone = {"spand", "recordd"}
    told = await Person(made).json("show alarms")
    assert [one["alarm"] for one in told["alarms"]] == ["clock"]
    assert told["unknown"] == ["GetSpans: spand is not there", "GetRecorder: recordd is not there"]
    assert (await Person(made).json("show clock"))["line_source"] == "unknown"
    assert "spand is not there" in await Person(made).does("show spans", 69)
    assert await Person(made, language="zh").does("show spans", 69) == "spand 未运行\n"
    noc.gone = {"trunkd"}
    assert [(one["line"], one["d_channel"], one["idle"])
            for one in (await Person(made).json("show spans"))["spans"]] == [
        ("up", "", None), ("down", "", None)]
    assert (await Person(made).json("show span telco"))["d_channel"] == ""
    noc.gone = {"acdd"}
    assert await Person(made).does("show calls")
    assert await Person(made).does("show queues", 69) == "GetBoard: acdd is not there\n"


async def test_a_line_that_has_just_been_added_is_shown_without_its_history(made: Box, noc: Noc) -> None:
    noc.unknown = {"pbx"}
    rows = (await Person(made).json("show spans"))["spans"]
    assert [(one["span"], one["es_24h"], one["slips_24h"]) for one in rows] == [
        ("telco", 19, 9), ("pbx", None, None)]
    assert (await Person(made).json("show span pbx"))["history"] == []
    assert "los" in await Person(made).does("show alarms")


async def test_files_are_kept_shown_and_deleted(made: Box) -> None:
    person = Person(made)
    await person.does("show spans | json | save spans.json")
    assert [one["file"] for one in (await person.json("show saved"))["files"]] == ["spans.json"]
    assert "spans.json" in [one.word for one in (await offers("delete saved ", person.session, made)).offers]
    assert await person.does("delete saved spans.json") == "deleted: spans.json\n"
    assert (await person.json("show saved"))["files"] == []


async def test_what_an_admin_saved_is_not_for_others(made: Box) -> None:
    person = Person(made)
    await asyncio.to_thread(save, made.saved, "secrets.yaml", b"x", True)
    await person.does("show spans | save spans.txt")
    assert [one["file"] for one in (await person.json("show saved"))["files"]] == [
        "secrets.yaml", "spans.txt"]
    other = Person(made, Role.OPERATE, name="sun")
    assert [one["file"] for one in (await other.json("show saved"))["files"]] == ["spans.txt"]
    assert "there is no file secrets.yaml" in await other.does("delete saved secrets.yaml", 1)
    assert await person.does("delete saved secrets.yaml") == "deleted: secrets.yaml\n"


async def test_names_are_offered(made: Box) -> None:
    session = Person(made).session
    for line, name in (("show span ", "telco"), ("show queues ", "sales"), ("show agents ", "anna"),
                       ("show calls trunk ", "telco"), ("show log program ", "trunkd"),
                       ("show configuration version ", "2"), ("show configuration ", "web")):
        assert name in [one.word for one in (await offers(line, session, made)).offers], line
    found = {one.word: one.help for one in (await offers("show agents ", session, made)).offers}
    assert found["anna"] == Text("talking", "通话中")


async def test_calls_by_number_span_and_those_that_ended(made: Box, noc: Noc) -> None:
    noc.branch.calls = [CallInfo(
        leg=f"leg-{place}", trunk="telco", span="telco", timeslot=place, inbound=place == 1, state="answered",
        called="5001", calling=f"138{place}", calling_name="", complete=True, since=time.time() - 65)
        for place in (1, 2)]
    person = Person(made)
    assert [one["calling"] for one in (await person.json("show calls number 1382 span telco"))["calls"]] == [
        "1382"]
    assert (await person.json("show calls span pbx"))["calls"] == []
    assert (await person.json("show calls ended"))["calls"] == []
    assert "1 min 5 s" in await person.does("show calls")


async def test_roles(made: Box) -> None:
    watching = Person(made, Role.WATCH)
    assert "role operate" in await watching.does("show configuration", 77)
    assert "show log" not in await watching.does("help")
    assert (await watching.json("show spans | match telco | count"))["count"] == 1


async def test_help_of_some_commands(made: Box) -> None:
    person = Person(made)
    assert [one["command"] for one in (await person.json("help sh sp"))["commands"]] == [
        "show span", "show spans"]
    assert "begins so" in await person.does("help nonsense", 1)
    assert "begins so" in await Person(made, Role.WATCH).does("help configure", 1)


async def test_a_session_sees_itself(made: Box) -> None:
    person = Person(made)
    made.sessions.append(person.session)
    shown = (await person.json("show sessions"))["sessions"]
    assert [(one["name"], one["line"]) for one in shown] == [("li", "show sessions | json")]


async def test_a_session_does_not_show_others_passwords(made: Box, noc: Noc) -> None:
    setting, asked = Person(made), asyncio.Event()

    async def set_key(request: Request[Any]) -> Reply:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError
    made._answers = {**made._answers, SetDocumentKey: set_key}
    made.sessions.append(setting.session)
    working = asyncio.create_task(setting.does("configure set mail.password hunter2"))
    await asked.wait()
    [row] = (await Person(made, Role.OPERATE).json("show sessions"))["sessions"]
    assert row["line"] == "configure set mail.password (not shown)"
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_codes_by_which_a_fleet_tool_knows_the_box(tmp_path: Path) -> None:
    console = Opened()
    made = box(tmp_path, Bus(Noc().reply), [console])
    assert "the console is not open by SSH" in await Person(made).does("show enrolment", 1)
    person = ConsolePersonConfig(name="li", keys=[f"{new_key()[1]} li at the noc", new_key()[1]])
    console.config = ConsoleConfig(people=[person])
    console.door = Door(console.config, made, None, time.time, time.monotonic, admin_keys=[new_key()[1]])
    said = await Person(made).json("show enrolment")
    host = console.key
    assert said["host_key"] == host.fingerprint
    assert [(one["person"], one["key"]) for one in said["codes"]] == [
        ("li", "li at the noc"), ("li", "ssh-ed25519"), ("admin", "ssh-ed25519")]
    for one, key in zip(said["codes"], [*person.keys, *console.door.admin_keys], strict=True):
        assert one["code"] == enrolment.code(enrolment.octets(host.public), enrolment.octets(key))


async def test_what_people_did_by_the_console(tmp_path: Path) -> None:
    console = Opened()
    made = box(tmp_path, Bus(Noc().reply), [console])
    assert "there is no log" in await Person(made).does("show audit", 1)
    log = Audit(tmp_path / "audit.sqlite")
    console.door = Door(ConsoleConfig(), made, log, time.time, time.monotonic)
    log.note(Did("", "", "192.0.2.9", "sign-in", "root\x1b[2J"), "wrong key", 100.0)
    number = log.begin(Did("li", "admin", "ssh 192.0.2.7", "command", "clear call 7"), 200.0)
    said = await Person(made).json("show audit")
    assert [(one["by"], one["what"], one["outcome"]) for one in said["entries"]] == [
        ("", "root\x1b[2J", "wrong key"), ("li", "clear call 7", "?")]
    log.end(number, "", 201.0)
    said = await Person(made).json("show audit by li text CALL most 1")
    assert [(one["what"], one["outcome"]) for one in said["entries"]] == [("clear call 7", "")]
    assert (said["kept"], said["broken_at"]) == (3, None)
    assert "\x1b" not in await Person(made).does("show audit")
    with closing(sqlite3.connect(tmp_path / "audit.sqlite")) as base, base:
        base.execute("DROP TRIGGER entries_stay")
        base.execute("UPDATE entries SET what = 'show calls' WHERE number = 2")
    assert (await Person(made).json("show audit"))["broken_at"] == 2
    await Person(made, Role.OPERATE).does("show audit", 77)


class Opened(Console):
    """Whose door a test makes."""

    def __init__(self) -> None:
        private, public = new_key()
        self.door, self.wrong, self._key = None, "", HostKey(private, public)


def test_interfaces_as_ip_tells_them() -> None:
    row = interface({
        "ifname": "enp1s0", "operstate": "UP", "address": "02:00:00:00:00:01", "mtu": 1500, "addr_info": [
            {"local": "192.0.2.2", "prefixlen": 24, "scope": "global"},
            {"local": "fe80::1", "prefixlen": 64, "scope": "link"}],
        "stats64": {"rx": {"bytes": 10, "errors": 1, "dropped": 2}, "tx": {"bytes": 20, "errors": 3,
                                                                           "dropped": 4}}})
    assert msgspec.structs.astuple(row) == ("enp1s0", "up", ["192.0.2.2/24"], "02:00:00:00:00:01", 1500, 10,
                                            20, 1, 3, 6)
    bare = interface({"ifname": "wwan0"})
    assert (bare.addresses, bare.rx_octets, bare.dropped) == ([], None, None)


def test_name_servers(tmp_path: Path) -> None:
    (tmp_path / "resolv").write_text("# made\nnameserver 192.0.2.53\nsearch x\nnameserver 2001:db8::53\n")
    assert name_servers(tmp_path / "resolv") == ["192.0.2.53", "2001:db8::53"]
    assert name_servers(tmp_path / "none") == []
