"""The box's own rounds as boxd runs them: by themselves, each step kept, over kills; real measurements."""

import asyncio
import contextlib
import os
import sqlite3
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance.box.backup.format import BackupError
from appliance.box.maintenance import area as area_module
from appliance.box.maintenance import findings, probes
from appliance.box.maintenance import rounds as rounds_module
from appliance.box.maintenance.area import Maintenance
from appliance.box.maintenance.book import FILE, Book
from appliance.box.maintenance.findings import DiskProbe, Served, of_round
from appliance.box.maintenance.lists import asked
from appliance.box.maintenance.rounds import Rounds
from appliance.box.maintenance.routine import CALM_S, PATIENCE_S, Round
from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    AddMaintenance,
    BackupInfo,
    BackupReply,
    BeginSelfCheck,
    CallTested,
    ChainChecked,
    ChannelInfo,
    ChannelList,
    ChannelStates,
    CheckRecordings,
    DaemonHealth,
    Event,
    Fitness,
    GetChannels,
    GetMaintenance,
    GetRoutine,
    GetUpdate,
    Health,
    MaintenanceEntry,
    MaintenanceReply,
    MaintenanceWritten,
    PlaceTestCall,
    RecordingChecks,
    Reply,
    Request,
    RoutineReply,
    SelfCheckState,
    SpanState,
    UpdateReply,
    UpdateState,
    VerifyChain,
    WallClock,
)
from appliance.bus.runner import Context
from appliance.config.schema import Config
from tests.box.maintenance.test_maintenance import at

CONFIG = Config.model_validate({
    "spans": [{"name": "e1", "url": "virtual:/tmp/none/a", "side": "user", "trunk": "telco"}],
    "maintenance": {"test_call": {"trunk": "telco", "number": "12117"}}})
SUNDAY = at("2026-03-08T03:00:00")
MADE = BackupInfo(kind="weekly", at=1.0, path="/media/usb/a.backup", verified=True)


@dataclass
class Others:
    """trunkd, acdd, recordd and boxd's other subjects, as the rounds ask them."""

    busy: int = 0
    call: dict[str, Any] = field(default_factory=dict)
    asked: list[Request[Any]] = field(default_factory=list)
    backup_error: str = ""
    begun: bool = True                            # whether a restore can be tried out

    async def answer(self, request: Request[Any]) -> Reply:
        self.asked.append(request)
        match request:
            case GetChannels():
                return ChannelList(spans=[channels(self.busy)])
            case PlaceTestCall():
                told: dict[str, Any] = {"error": "", "answer_s": 1.0, "level_dbm0": -13.0}
                return CallTested(trunk=request.trunk, number=request.number, **told | self.call)
            case CheckRecordings():
                return RecordingChecks(checks=[])
            case VerifyChain():
                return ChainChecked(entries=3, link="", broken_seq=None, why="", head_seq=3, head_at=0.0)
            case GetUpdate():
                return UpdateReply(state=UpdateState(at=0.0, version="1.0", slot="A"), history=[])
        raise Refused("no")

    async def trial(self) -> BackupInfo | None:
        if not self.begun:
            raise BackupError("there is no passphrase")
        return BackupInfo(kind="weekly", at=1.0, path=MADE.path, trial_error=self.backup_error, tried_at=2.0)


def channels(busy: int) -> ChannelStates:
    return ChannelStates(span="e1", trunk="telco", link_up=True, channels=[
        ChannelInfo(timeslot=slot, state="busy" if slot <= busy else "idle") for slot in range(1, 16)])


class Box:
    """boxd's subjects of upkeep at a time that the test sets."""

    def __init__(self, context: Context, others: Others, now: float) -> None:
        self.now = now
        self.maintenance = Maintenance(context, lambda: {}, lambda: BackupReply(
            path="/media/usb", passphrase=True, running="", overdue=False, next_at=0.0, backups=[MADE]),
            lambda: self.now)
        self.rounds = Rounds(context, self.maintenance, others.trial, lambda: self.now,
                             context.state_dir / "bundles")
        self.context = context

    async def hear(self, event: Event) -> None:
        await self.maintenance.hear(event)
        await self.rounds.hear(event)

    async def well(self) -> None:
        for event in (Health(at=0.0, daemons=[DaemonHealth(daemon="acdd", state="up")]),
                      Fitness(at=0.0, state="ok", since=0.0, fit=True, reasons=[]),
                      SpanState(span="e1", up=True, alarms=[], counters={}, at=0.0),
                      WallClock(at=0.0, source="ntp", since=0.0)):
            await self.hear(event)

    async def routine(self) -> RoutineReply:
        reply = await self.rounds.answers[GetRoutine](GetRoutine())
        assert isinstance(reply, RoutineReply)
        return reply

    async def entries(self) -> list[MaintenanceEntry]:
        reply = await self.maintenance.answers[GetMaintenance](GetMaintenance())
        assert isinstance(reply, MaintenanceReply)
        return [one for one in reply.entries if one.check is not None]

    def killed(self) -> None:
        """What kill -9 leaves: nothing more is said or kept."""
        self.maintenance.book.close()


@pytest.fixture
async def others(bus_server: Path) -> AsyncIterator[Others]:
    others = Others()
    buses = [await Bus.connect(bus_server, name) for name in ("trunkd", "acdd", "recordd", "boxd")]
    for bus in buses:
        await bus.answer(others.answer)
    yield others
    for bus in buses:
        await bus.close()


@pytest.fixture
async def context(bus_server: Path, tmp_path: Path, others: Others) -> AsyncIterator[Context]:
    boxd = await Bus.connect(bus_server, "boxd")
    yield Context("boxd", CONFIG, tmp_path, bus_server, boxd, asyncio.Event())
    await boxd.close()


async def turn(box: Box, most: int = 50) -> int:
    """All that can be done at this time. How many steps that took."""
    for steps in range(most):
        if await box.rounds._turn() > 0:
            return steps
    raise AssertionError("it does not end")


async def calm(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.rounds._calm.told({"e1": 0}, 0, 0.0)
    monkeypatch.setattr(box.rounds._calm, "_since", -CALM_S)


def known(box: Box, now: float) -> None:
    """The box was watched for a while."""
    box.maintenance.book.add(MaintenanceEntry(number=0, at=now - 6 * 86_400, kind="change", by="li"))


async def test_a_round_waits_for_calls_and_is_written_once(
        context: Context, others: Others, monkeypatch: pytest.MonkeyPatch, bus_server: Path) -> None:
    said: asyncio.Queue[Event] = asyncio.Queue()
    webui = await Bus.connect(bus_server, "webui")
    await webui.hear("boxd", said.put)
    spoken = await asyncio.start_server(lambda _, writer: writer.write(b"no TLS\n"), "127.0.0.1", 0)
    (bus_server / probes.WEB_URL).write_text(f"https://127.0.0.1:{spoken.sockets[0].getsockname()[1]}/")
    box = Box(context, others, SUNDAY - 60)
    known(box, SUNDAY)
    await box.well()
    others.busy = 3
    await turn(box)
    assert (await box.routine()).rounds[0].state == "planned"
    box.now = SUNDAY + 1
    await turn(box)
    box.rounds._news.clear()
    for busy, wakes in ((4, False), (0, True), (0, False), (1, True), (2, False)):
        await box.hear(channels(busy))            # a busy box is not woken by each call
        assert box.rounds._news.is_set() is wakes
        box.rounds._news.clear()
    weekly = (await box.routine()).rounds[0]
    assert weekly.state == "waiting" and weekly.left == ["call", "disk", "recordings"]
    assert [one.item for one in weekly.results] == of_round("weekly")[:8]
    assert not any(isinstance(one, PlaceTestCall) for one in others.asked) and await box.entries() == []
    box.now = SUNDAY + 86_400 + 10                # another night, and fewer calls
    await calm(box, monkeypatch)
    await turn(box)
    (entry,) = await box.entries()
    assert entry.kind == "weekly-check" and entry.check is not None and entry.by == ""
    results = {one.item: one.result for one in entry.check.results}
    assert results["call"] == results["disk"] == results["recordings"] == "good"
    assert entry.check.due == SUNDAY and sorted(results) == sorted(of_round("weekly"))
    call = next(one for one in others.asked if isinstance(one, PlaceTestCall))
    assert (call.number, call.spare) == ("12117", 1)
    async with asyncio.timeout(10):
        while not isinstance(event := await said.get(), MaintenanceWritten):
            pass
        assert event.number == entry.number
        while not isinstance(event := await said.get(), SelfCheckState):
            pass
        assert event.failed == ["certificate"]    # a reason of the box: what is served is no TLS
    spoken.close()
    for later in (0, 3600, 86_400, 5 * 86_400):
        box.now = SUNDAY + 86_400 + 20 + later
        await turn(box)
    assert len(await box.entries()) == 1
    assert (await box.routine()).rounds[0].last == entry
    box.killed()
    await webui.close()


async def test_it_goes_on_after_a_kill_at_every_step(
        context: Context, others: Others, monkeypatch: pytest.MonkeyPatch) -> None:
    """boxd is killed before and after each item: every item is there once in the end, in one entry."""
    box = Box(context, others, at("2026-03-01T03:00:01"))
    known(box, box.now)
    for _ in range(len(of_round("monthly"))):
        await box.well()
        await calm(box, monkeypatch)
        await box.rounds._turn()                  # one item
        box.killed()
        box = Box(context, others, box.now + 30)
    await box.well()
    await calm(box, monkeypatch)
    assert await turn(box) == 1                   # only to write it
    (entry,) = await box.entries()
    assert entry.kind == "monthly-check" and entry.check is not None
    assert [one.item for one in entry.check.results] == of_round("monthly")
    assert len([one for one in others.asked if isinstance(one, PlaceTestCall)]) == 1
    assert box.maintenance.book.rounds() == []
    kept = box.maintenance.book.packets("monthly")
    assert kept is not None and kept.boot == probes.boot() != "" and kept.cards
    assert box.maintenance.book.packets("weekly") is None            # each is judged from its own last one
    box.killed()


async def test_an_item_that_takes_the_box_along_is_given_up(
        context: Context, others: Others, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Box(context, others, SUNDAY + 1)
    known(box, box.now)
    monkeypatch.setattr(findings, "programs", None)    # before it nothing is asked
    lives = 0
    while lives < 4:
        dying = asyncio.create_task(box.rounds._turn())
        began = asyncio.Event()

        async def hang(*_: Any, began: asyncio.Event = began) -> Any:
            began.set()
            await asyncio.Event().wait()
        with monkeypatch.context() as here:
            here.setitem(rounds_module._LOOKS, "programs", hang)
            waits = asyncio.create_task(began.wait())
            await asyncio.wait([dying, waits], return_when=asyncio.FIRST_COMPLETED, timeout=10)
            waits.cancel()
        if dying.done():
            break
        lives += 1
        dying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await dying
        box.killed()
        box = Box(context, others, box.now + 60)
    assert lives == 2
    (one,) = box.maintenance.book.rounds()
    assert [(found.item, found.result) for found in one.done] == [("programs", "undone")]
    assert "more than once" in one.done[0].text["en"]
    box.killed()


async def test_calls_that_never_end_leave_it_undone_in_the_end(context: Context, others: Others) -> None:
    box = Box(context, others, SUNDAY + 1)
    known(box, box.now)
    await box.well()
    others.busy = 9
    await turn(box)
    box.now = SUNDAY + PATIENCE_S + 2
    await turn(box)
    (entry,) = await box.entries()
    assert entry.check is not None
    undone = {one.item: one.text["en"] for one in entry.check.results if one.result == "undone"}
    assert {"call", "disk", "recordings"} <= set(undone) and "calls did not let it" in undone["call"]
    assert not any(isinstance(one, PlaceTestCall) for one in others.asked)
    box.killed()


async def test_people_begin_one_and_sign_what_they_saw(context: Context, others: Others) -> None:
    others.busy, others.call, others.backup_error = 9, {"error": "ended with cause 1", "cause": 1}, "damaged"
    box = Box(context, others, at("2026-03-10T14:00:00"))
    await box.well()
    begin = box.rounds.answers[BeginSelfCheck]
    await begin(BeginSelfCheck(kind="monthly", by="li"))
    with pytest.raises(Refused, match="goes on"):
        await begin(BeginSelfCheck(kind="weekly", by="li"))
    with pytest.raises(Refused, match="who did it"):
        await begin(BeginSelfCheck(kind="weekly", by="li\n"))
    await turn(box)
    (entry,) = await box.entries()
    assert entry.by == "li" and entry.check is not None and entry.check.due == 0
    found = {one.item: one for one in entry.check.results}
    assert found["call"].result == found["restore"].result == "failed" and found["call"].next["zh"]
    lists = asked("monthly", await box.maintenance.facts())
    told = {one.item: one.found for one in lists}
    assert told["call-out"] == told["restore"] == "bad" and told["call-in"] == ""
    add = box.maintenance.answers[AddMaintenance]
    await add(AddMaintenance(kind="signature", by="wang", text="", signs=entry.number))
    for wrong, why in (({"signs": entry.number}, "your name already"), ({"signs": 99}, "no entry 99"),
                       ({"signs": entry.number + 1}, "a signature itself"), ({}, "names the entry")):
        with pytest.raises(Refused, match=why):
            await add(AddMaintenance(kind="signature", by="wang", text="", **wrong))     # type: ignore[arg-type]
    reply = await box.routine()
    assert [one.by for one in reply.signed[str(entry.number)]] == ["wang"]
    monthly = next(one for one in reply.rounds if one.kind == "monthly")
    assert monthly.last == entry and monthly.state == "planned"
    box.now -= 90 * 86_400                        # the clock was ahead: who has signed has signed
    with pytest.raises(Refused, match="your name already"):
        await add(AddMaintenance(kind="signature", by="wang", text="", signs=entry.number))
    await add(AddMaintenance(kind="signature", by="zhao", text="", signs=entry.number))
    assert [one.by for one in (await box.routine()).signed[str(entry.number)]] == ["wang", "zhao"]
    box.killed()


async def test_what_failed_is_no_reason_when_nobody_wants_it_any_more(
        context: Context, others: Others, bus_server: Path) -> None:
    said: asyncio.Queue[Event] = asyncio.Queue()
    webui = await Bus.connect(bus_server, "webui")
    await webui.hear("boxd", said.put)
    others.call, others.begun = {"error": "was not answered in 30 s"}, False
    box = Box(context, others, at("2026-03-10T14:00:00"))
    await box.well()

    async def failed() -> list[str]:
        async with asyncio.timeout(10):
            while not isinstance(event := await said.get(), SelfCheckState):
                pass
            return event.failed
    await box.rounds.answers[BeginSelfCheck](BeginSelfCheck(kind="monthly", by="li"))
    await turn(box)
    assert await failed() == ["call"]
    (entry,) = await box.entries()
    assert entry.check is not None
    restore = next(one for one in entry.check.results if one.item == "restore")
    assert restore.result == "undone" and "no passphrase" in restore.text["en"]
    box.maintenance.config = box.maintenance.config.model_copy(update={"test_call": None})
    await box.rounds._say()
    assert await failed() == []
    box.killed()
    await webui.close()


async def test_boxd_runs_it_and_ends_in_order_in_the_middle(
        context: Context, others: Others, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds_module, "SETTLE_S", 0.0)
    monkeypatch.setattr(area_module, "SETTLE_S", 3600.0)
    box = Box(context, others, SUNDAY + 1)
    known(box, box.now)
    (context.state_dir / probes.FILE).write_bytes(b"of a power cut")
    reached = asyncio.Event()

    async def look(*_: Any) -> Any:
        reached.set()
        await asyncio.Event().wait()
    monkeypatch.setitem(rounds_module._LOOKS, "lines", look)
    area = asyncio.create_task(box.maintenance.run(context.stop))
    running = asyncio.create_task(box.rounds.run(context.stop))
    async with asyncio.timeout(10):
        await reached.wait()
        assert next(one for one in (await box.routine()).rounds if one.kind == "weekly").doing == "lines"
        context.stop.set()
        await asyncio.gather(running, area)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):    # by the last of the two
        box.maintenance.book.rounds()
    book = Book(context.state_dir / FILE)
    (one,) = book.rounds()
    assert (one.doing, one.tries) == ("", 0)      # in order: no try that failed
    assert not (context.state_dir / probes.FILE).exists()
    book.close()


async def test_a_disk_that_refuses_begins_nothing(context: Context, others: Others) -> None:
    box = Box(context, others, SUNDAY + 1)
    known(box, box.now)
    await box.well()
    box.maintenance.book._base.execute("PRAGMA query_only = ON")
    assert await box.rounds._turn() > 0 and others.asked == []
    box.maintenance.book._base.execute("PRAGMA query_only = OFF")
    assert await box.rounds._turn() == 0
    box.maintenance.book._base.execute("PRAGMA query_only = ON")
    assert [await box.rounds._turn() > 0 for _ in range(4)] == [True] * 4
    box.maintenance.book._base.execute("PRAGMA query_only = OFF")
    assert await box.rounds._turn() == 0
    (one,) = box.maintenance.book.rounds()
    assert [found.result for found in one.done] == ["good", "good"]  # what was not tried is not given up
    box.maintenance.book._base.execute("PRAGMA query_only = ON")
    with pytest.raises(Refused, match="not begun"):
        await box.rounds.answers[BeginSelfCheck](BeginSelfCheck(kind="weekly", by="li"))
    assert (await box.routine()).rounds[0].state == "waiting"        # as before
    box.killed()


def test_an_older_version_reads_what_a_newer_one_wrote(tmp_path: Path) -> None:
    """Gone back to, it knows neither rounds nor signatures."""
    book = Book(tmp_path / FILE)
    book.add(MaintenanceEntry(number=0, at=1.0, kind="weekly-check", by=""))
    book.keep_round(Round(kind="weekly", due=1.0, began_at=1.0))
    assert b'"kind":"record"' in book._base.execute("SELECT entry FROM entries").fetchone()[0].encode()
    assert [one.kind for one in book.entries(0, 0, 9)] == ["weekly-check"]
    assert book.last("record") == []
    book.add(MaintenanceEntry(number=0, at=0.5, kind="weekly-check", by=""))     # the clock was ahead before
    assert [one.number for one in book.last("weekly-check", 9)] == [2, 1]
    book._base.execute("DROP TABLE rounds")       # and the other way round
    book.close()
    book = Book(tmp_path / FILE)
    assert book.rounds() == []
    book.close()


# --- what is measured


def test_the_disk_is_written_and_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = probes.disk(tmp_path)
    assert found.error == "" and len(found.syncs_s) == probes.BLOCKS and found.octets_s > 0
    assert list(tmp_path.iterdir()) == []
    with monkeypatch.context() as lying:
        lying.setattr(os, "pread", lambda fd, octets, at: bytes(octets))
        assert "something else" in probes.disk(tmp_path).error
    with monkeypatch.context() as full:
        full.setattr(probes, "ROOM", 2 ** 62)
        assert probes.disk(tmp_path) == DiskProbe()
    assert "No such file" in probes.disk(tmp_path / "gone").error


def certificate(folder: Path, days: float) -> Path:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "box")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    made = builder.public_key(key.public_key()).not_valid_before(now - timedelta(days=400)).not_valid_after(
        now + timedelta(days=days)).sign(key, hashes.SHA256())
    path = folder / "box.pem"
    path.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize("days", [100.0, -2.0])
async def test_the_certificate_is_the_one_that_is_served(tmp_path: Path, days: float) -> None:
    """Also one that is over, which a browser refuses."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path, days))
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    (tmp_path / probes.WEB_URL).write_text(f"https://127.0.0.1:{port}/\n")
    found = await asyncio.to_thread(probes.served, tmp_path)
    assert found.tls and found.own and found.error == ""
    assert abs(found.until - (datetime.now(UTC).timestamp() + days * 86_400)) < 120
    server.close()
    await server.wait_closed()
    found = await asyncio.to_thread(probes.served, tmp_path)
    assert found.away and "refused" in found.error.lower()
    (tmp_path / probes.WEB_URL).write_text("http://127.0.0.1:8080/\n")
    assert not probes.served(tmp_path).tls
    (tmp_path / probes.WEB_URL).unlink()
    assert probes.served(tmp_path) == Served(tls=True, error="webui does not serve", away=True)


def test_updates_that_lie_in_the_box(tmp_path: Path) -> None:
    (tmp_path / "b.raucb").touch()
    (tmp_path / "b.part").touch()
    assert probes.bundles(tmp_path) == ["b.raucb"] and probes.bundles(tmp_path / "none") == []
