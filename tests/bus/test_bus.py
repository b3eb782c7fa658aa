"""The bus over a real nats-server: order, refusals, permissions, coming back."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import nats
import pytest
from nats.aio.msg import Msg

from appliance.bus import client as client_module
from appliance.bus import messages, server
from appliance.bus.client import Bus, BusAway, BusError, Refused
from appliance.bus.credentials import credentials_file
from appliance.bus.messages import (
    EVENTS,
    MAY_ASK,
    REQUESTS,
    Answer,
    CallReleased,
    CallTable,
    DaemonUp,
    Dial,
    Done,
    Event,
    GetCalls,
    Hangup,
    Reply,
    Request,
)
from tests.conftest import free_port


def released(cause: int) -> CallReleased:
    return CallReleased(leg="x", cause=cause, by="far", at=1.5)


async def test_events_of_an_owner_arrive_in_order(bus_server: Path) -> None:
    trunkd, acdd = await Bus.connect(bus_server, "trunkd"), await Bus.connect(bus_server, "acdd")
    heard: list[Event] = []
    complete = asyncio.Event()

    async def hear(event: Event) -> None:
        heard.append(event)
        if isinstance(event, DaemonUp):
            complete.set()

    await acdd.hear("trunkd", hear)
    said: list[Event] = [released(cause) for cause in range(1, 101)]
    said.append(DaemonUp(daemon="trunkd", pid=1, started_at=0.0))
    for event in said:
        await trunkd.say(event)
    await asyncio.wait_for(complete.wait(), 5)
    assert heard == said
    await trunkd.close()
    await acdd.close()


async def test_request_is_answered_refused_or_nobody_is_there(bus_server: Path) -> None:
    trunkd, acdd = await Bus.connect(bus_server, "trunkd"), await Bus.connect(bus_server, "acdd")
    with pytest.raises(BusError, match=r"trunkd is not there"):
        await acdd.ask(GetCalls())

    async def answer(request: Request[Any]) -> Reply:
        match request:
            case GetCalls():
                return CallTable(calls=[], released=[])
            case Hangup(leg="broken"):
                raise RuntimeError("no such thing")
            case Hangup():
                raise Refused("leg unknown")
        return Done()

    await trunkd.answer(answer)
    assert await acdd.ask(GetCalls()) == CallTable(calls=[], released=[])
    with pytest.raises(Refused, match=r"^leg unknown$"):
        await acdd.ask(Hangup(leg="x"))
    with pytest.raises(Refused, match=r"trunkd: Hangup: no such thing"):
        await acdd.ask(Hangup(leg="broken"))
    await trunkd.close()
    await acdd.close()


async def test_who_asks_for_something_long_keeps_nobody_waiting(bus_server: Path) -> None:
    trunkd, acdd = await Bus.connect(bus_server, "trunkd"), await Bus.connect(bus_server, "acdd")
    begun, may_end = asyncio.Event(), asyncio.Event()
    at_once, most = 0, 0

    async def handle(request: Request[Any]) -> Reply:
        nonlocal at_once, most
        if isinstance(request, GetCalls):
            at_once += 1
            most = max(most, at_once)
            begun.set()
            await may_end.wait()
            at_once -= 1
            return CallTable(calls=[], released=[])
        return Done()

    await trunkd.answer(handle, beside=(GetCalls,))
    long_ones = [asyncio.create_task(acdd.ask(GetCalls())) for _ in range(2)]
    await asyncio.wait_for(begun.wait(), 5)
    assert await acdd.ask(Hangup(leg="x")) == Done()
    may_end.set()
    assert await asyncio.gather(*long_ones) == [CallTable(calls=[], released=[])] * 2
    assert most == 1, "they take their turns"
    await trunkd.close()
    await acdd.close()


async def test_who_is_cancelled_just_when_the_answer_comes_ends_even_so(bus_server: Path) -> None:
    trunkd, acdd = await Bus.connect(bus_server, "trunkd"), await Bus.connect(bus_server, "acdd")

    async def answer(request: Request[Any]) -> Reply:
        for answered in acdd._client._resp_map.values():
            answered.add_done_callback(lambda _: asking.cancel())
        return CallTable(calls=[], released=[])

    async def ask_on() -> None:
        while True:
            await acdd.ask(GetCalls())

    await trunkd.answer(answer)
    asking = asyncio.create_task(ask_on())
    await asyncio.wait({asking}, timeout=5)
    assert asking.cancelled()
    await trunkd.close()
    await acdd.close()


async def test_bad_octets_are_refused_and_the_daemon_goes_on(bus_server: Path) -> None:
    trunkd = await Bus.connect(bus_server, "trunkd")

    async def answer(request: Request[Any]) -> Reply:
        return CallTable(calls=[], released=[])

    await trunkd.answer(answer)
    acdd = await Bus.connect(bus_server, "acdd")
    raw = acdd._client
    deep = b'{"leg": "a", "more": ' + b"[" * 100_000
    for body in (b"", b"\xff\x00", b"[]", b'{"leg": 3}', b'{"leg": "a", "cause": 16, "v": 99}', deep,
                 b'{"leg": "\xed\xa0\x80"}', b'{"leg": "a", "cause": ' + b"9" * 5000 + b"}"):
        reply = await raw.request("req.trunkd.Hangup", body, timeout=2)
        assert reply.headers and reply.headers["Refused"] == "1", body
    assert await acdd.ask(GetCalls()) == CallTable(calls=[], released=[])
    await trunkd.close()
    await acdd.close()


@pytest.mark.parametrize("answer", [
    b"[" * 100_000, b'{"calls": [], "released": [], "more": ' + b"[" * 9999, b"\xff"])
async def test_an_answer_that_nobody_can_read_is_no_answer(bus_server: Path, answer: bytes) -> None:
    trunkd, acdd = await Bus.connect(bus_server, "trunkd"), await Bus.connect(bus_server, "acdd")

    async def respond(msg: Msg) -> None:
        await msg.respond(answer)

    await trunkd._client.subscribe("req.trunkd.GetCalls", cb=respond)
    await trunkd.flush()
    with pytest.raises(BusError, match="answered what nobody can read"):
        await acdd.ask(GetCalls())
    await trunkd.close()
    await acdd.close()


async def test_octets_that_are_no_event_are_passed_over(
        bus_server: Path, caplog: pytest.LogCaptureFixture) -> None:
    trunkd, acdd = await Bus.connect(bus_server, "trunkd"), await Bus.connect(bus_server, "acdd")
    heard: asyncio.Queue[Event] = asyncio.Queue()
    await acdd.hear("trunkd", heard.put)
    for body in (b"", b"\xff", b"[" * 100_000, b'{"leg": "x", "cause": "much"}'):
        await trunkd._client.publish("evt.trunkd.CallReleased", body)
    await trunkd.say(released(17))
    assert await asyncio.wait_for(heard.get(), 5) == released(17)
    assert len([line for line in caplog.records if line.levelname == "WARNING"]) == 4
    assert not [line for line in caplog.records if line.exc_info]
    await trunkd.close()
    await acdd.close()


async def test_nobody_has_an_owner_answer_in_its_place(bus_server: Path) -> None:
    """webui may ask for the table, and names trunkd's own event as the place for the answer."""
    trunkd, acdd, webui = [await Bus.connect(bus_server, name) for name in ("trunkd", "acdd", "webui")]
    done: asyncio.Queue[Request[Any]] = asyncio.Queue()
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def answer(request: Request[Any]) -> Reply:
        done.put_nowait(request)
        return CallTable(calls=[], released=[])

    async def hear(msg: Msg) -> None:
        heard.put_nowait(msg.subject)

    await trunkd.answer(answer)
    await acdd._client.subscribe("evt.>", cb=hear)
    await acdd.flush()
    await webui._client.publish("req.trunkd.GetCalls", b"{}", reply="evt.trunkd.CallReleased")
    await webui.ask(GetCalls())
    await trunkd.say(released(16))
    assert await asyncio.wait_for(heard.get(), 5) == "evt.trunkd.CallReleased"
    assert (heard.qsize(), done.qsize()) == (0, 1)
    for bus in (trunkd, acdd, webui):
        await bus.close()


async def test_what_a_flood_drowns_is_asked_for_anew(
        bus_server: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(client_module, "PENDING_MESSAGES", 100)
    monkeypatch.setattr(client_module, "CATCH_UP_S", 0.0)
    trunkd, acdd = await Bus.connect(bus_server, "trunkd"), await Bus.connect(bus_server, "acdd")
    go_on, back, over, heard = asyncio.Event(), asyncio.Event(), asyncio.Event(), 0

    async def hear(event: Event) -> None:
        nonlocal heard
        heard += isinstance(event, CallReleased)
        await go_on.wait()
        if isinstance(event, DaemonUp):
            over.set()

    async def on_back() -> None:
        back.set()

    await acdd.hear("trunkd", hear)
    acdd.on_back(on_back)
    for _ in range(1000):
        await trunkd.say(released(16))
    await asyncio.wait_for(back.wait(), 5)
    await trunkd.flush()
    await acdd.flush()                            # all of them have come
    go_on.set()
    while not over.is_set():                      # until there is room again
        await trunkd.say(DaemonUp(daemon="trunkd", pid=1, started_at=0.0))
        await acdd.flush()
    assert 100 <= heard <= 102
    assert "some of it is lost" in caplog.text
    await trunkd.close()
    await acdd.close()


async def test_a_daemon_has_no_more_rights_than_its_row(bus_server: Path) -> None:
    """recordd may neither speak as trunkd, nor ask it, nor read another's replies."""
    denied: asyncio.Queue[str] = asyncio.Queue()

    async def on_error(error: Exception) -> None:
        denied.put_nowait(str(error).lower())

    url = f"nats://127.0.0.1:{_port(bus_server)}"
    card = msgspec.json.decode(credentials_file(bus_server, "recordd").read_bytes())
    client = await nats.connect(
        url, user=card["user"], password=card["password"], error_cb=on_error, inbox_prefix=b"_INBOX.recordd")

    async def ignore(msg: Msg) -> None:
        raise AssertionError(msg.subject)

    await client.publish("evt.trunkd.CallReleased", msgspec.json.encode(released(16)))
    await client.publish("req.trunkd.Hangup", b"{}")
    await client.subscribe("_INBOX.acdd.>", cb=ignore)
    for what in ("publish to", "publish to", "subscription to"):
        assert f"permissions violation for {what}" in await asyncio.wait_for(denied.get(), 5)
    await client.close()


def test_the_server_is_found_with_the_path_of_an_ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/local/bin:/usr/bin:/bin")
    assert Path(server.program()).is_file()


async def test_comes_back_when_the_server_was_killed(tmp_path: Path) -> None:
    port = free_port()
    path = server.write(tmp_path, port)
    command = [server.program(), "-c", str(path)]
    first = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
    server.wait_until_serving(port, 10)
    bus = await Bus.connect(tmp_path, "boxd")
    back = asyncio.Event()

    async def on_back() -> None:
        back.set()

    bus.on_back(on_back)
    first.kill()
    await first.wait()
    second = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
    await asyncio.wait_for(back.wait(), 15)
    await bus.close()
    second.terminate()
    await second.wait()


async def test_an_answer_to_a_question_of_the_servers_last_life_is_no_error(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    command = [server.program(), "-c", str(server.write(tmp_path, port))]
    first = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
    server.wait_until_serving(port, 10)
    trunkd, webui = await Bus.connect(tmp_path, "trunkd"), await Bus.connect(tmp_path, "webui")
    back, asked = asyncio.Event(), asyncio.Event()

    async def on_back() -> None:
        back.set()

    async def answer(request: Request[Any]) -> Reply:
        if not asked.is_set():
            asked.set()
            await back.wait()
        return CallTable(calls=[], released=[])

    trunkd.on_back(on_back)
    await trunkd.answer(answer)
    asking = asyncio.create_task(webui.ask(GetCalls(), 60.0))
    await asyncio.wait_for(asked.wait(), 15)
    first.kill()
    await first.wait()
    second = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
    await asyncio.wait_for(back.wait(), 15)
    await trunkd.flush()                          # what the server says to the answer comes before its PONG
    asking.cancel()
    await trunkd.close()
    await webui.close()
    assert ["waits no more" in one.message for one in caplog.records if "violation" in one.message] == [True]
    assert not [one for one in caplog.records if one.levelname == "ERROR"]
    second.terminate()
    await second.wait()


async def test_no_credentials_or_no_server_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BusAway, match=r"bus/acdd\.json: cannot read the bus credentials"):
        await Bus.connect(tmp_path, "acdd")
    server.write(tmp_path, free_port())
    with pytest.raises(BusAway, match=r"nats://127\.0\.0\.1:"):
        await Bus.connect(tmp_path, "acdd", within_s=0.5)


async def test_webui_may_only_read(bus_server: Path) -> None:
    """A dial of its own would cost money: the server itself refuses, whatever webui has become."""
    trunkd, webui = await Bus.connect(bus_server, "trunkd"), await Bus.connect(bus_server, "webui")
    asked: list[Request[Any]] = []

    async def answer(request: Request[Any]) -> Reply:
        asked.append(request)
        return CallTable(calls=[], released=[])

    await trunkd.answer(answer)
    for request in (Dial(leg="a", trunk="telco", called="00900"), Hangup(leg="a"), Answer(leg="a")):
        with pytest.raises(BusError):
            await webui.ask(request, timeout_s=0.2)
    await webui.ask(GetCalls())
    assert asked == [GetCalls()]
    await trunkd.close()
    await webui.close()


@pytest.mark.parametrize("card", [
    b"{}", b'{"user": "acdd", "pass": "guess"}', b'{"user": "nobody", "pass": ""}'])
async def test_without_a_password_there_is_nothing(bus_server: Path, card: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", _port(bus_server))
    writer.write(b"CONNECT " + card + b"\r\nSUB evt.> 1\r\nPING\r\n")
    said = await asyncio.wait_for(reader.read(), 10)
    assert said.startswith(b"INFO") and said.endswith(b"-ERR 'Authorization Violation'\r\n")
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("card", ["", "[]", '{"url": 3}', '{"user": "acdd", "password": "x"}', "\udcff"])
async def test_broken_credentials_are_one_clear_error(tmp_path: Path, card: str) -> None:
    path = credentials_file(tmp_path, "acdd")
    path.parent.mkdir()
    path.write_text(card, errors="surrogateescape")
    with pytest.raises(BusAway, match=r"bus/acdd\.json: cannot read the bus credentials"):
        await Bus.connect(tmp_path, "acdd")


def test_every_message_has_an_owner_who_is_a_daemon() -> None:
    owners = {kind.owner for kind in EVENTS.values()} | {kind.owner for kind in REQUESTS.values()}
    assert owners - {"*"} <= set(messages.DAEMONS)
    assert set(MAY_ASK) == set(messages.DAEMONS)
    assert all(issubclass(kind.reply_type(), Reply) for kind in REQUESTS.values())


def test_the_pages_change_nothing_but_what_they_have_behind_their_login() -> None:
    names = {kind if isinstance(kind, str) else kind.__name__ for kind in MAY_ASK["webui"]}
    assert {name for name in names if name[:3] != "Get"} == {
        "TraceCaller",
        # The floor: at an agent whom the supervisor may steer.
        "ExplainAgent", "ExplainContact", "SetPriority", "AssignAgents", "TryAssignment",
        "SetReady", "SetNotReady", "LogOut", "FindTelephone",
        "Monitor", "StopMonitor", "TakeOver", "EndTalk", "CallBack", "CloseAbandoned", "CancelCallback",
        "InstallUpdate", "CancelUpdate", "HurryUpdate", "ConfirmUpdate", "GoBack", "Identify",
        "IdentifyCard", "MakeSupport", "Provide", "ChangeProvision", "TryNetwork", "ConfirmNetwork",
        "RevertNetwork", "ResetBox", "SetWallClock",
        # Lines: channels taken out of use, tests on a lent line; what would happen to a call.
        "BusyOut", "BringBack", "BeginLineTest", "SteerLineTest", "ExplainRoute", "PlaceTestCall",
        # The configuration: boxd checks it as the box's start does, keeps every version, and can go back.
        "CompareDocuments", "EditDocument", "SetDocumentKey", "DiscardDocument", "CheckDocument",
        "CommitDocument", "RollBackDocument", "ConfirmDocument", "RevertDocument",
        "ChangeDocument", "TryKeys",
        # Flow files: drafts, and versions that acdd takes over or that go back.
        "CompareFlow", "EditFlow", "WriteFlow", "StepFlow", "DiscardFlow", "PublishFlow", "RollBackFlow",
        "TryFlow",
        # Calendars: opened or closed by hand; what one says of a moment.
        "ForceCalendar", "LookAtCalendar",
        # Prompts: recordd keeps what was there before; a telephone that speaks one is rung by acdd.
        "UploadPrompt", "DraftPrompt", "KeepPrompt", "CopyPrompt", "RestorePrompt", "DeletePrompt",
        "TakePrompt", "StopTake",
        # The maintenance log, which only grows; a day played again in a process of its own; backups.
        "BackUp", "TryBackup", "SetBackupPassphrase", "PrepareRestore", "BeginRestore", "TakeRestoreBack",
        "CancelRestore", "ForgetReplaced", "AddMaintenance", "BeginSelfCheck", "BeginRehearsal",
        "StopRehearsal",
        # Lines of the console, by the role of who has signed in.
        "RunCommand", "OfferCommands",
        # Recordings: what is heard is kept in the chain before it is.
        "OpenRecording", "ReadRecording", "SearchRecordings", "DescribeRecording", "CheckRecordings",
        "VerifyChain", "HoldRecordings", "ReleaseHold", "EraseRecording", "ExportRecordings",
        # Quality: recordd decides by the name that has signed in.
        "BeginEvaluation", "SaveEvaluation", "StepEvaluation", "ChangeEvaluation", "BeginCalibration",
        "PublishQualityForm", "WriteCoachingNote", "ReadCoachingNote"}


def test_credentials_are_for_their_owner_only(tmp_path: Path) -> None:
    path = server.write(tmp_path, 4222)
    assert path.stat().st_mode & 0o777 == 0o600
    assert credentials_file(tmp_path, "acdd").stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_the_server_listens_on_loopback_and_has_no_second_door(tmp_path: Path) -> None:
    config = msgspec.json.decode(server.write(tmp_path, 4222).read_bytes())
    assert config["listen"] == "127.0.0.1:4222"
    assert not config.keys() & {
        "http", "http_port", "https_port", "monitor_port", "cluster", "leafnodes", "websocket", "mqtt"}


def _port(run_dir: Path) -> int:
    card: dict[str, str] = msgspec.json.decode(credentials_file(run_dir, "recordd").read_bytes())
    return int(card["url"].rpartition(":")[2])
