"""The bus over a real nats-server: order, refusals, permissions, coming back."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import nats
import pytest
from nats.aio.msg import Msg

from appliance.bus import messages, server
from appliance.bus.client import Bus, BusAway, BusError, Refused, credentials_file
from appliance.bus.messages import (
    EVENTS,
    MAY_ASK,
    REQUESTS,
    CallReleased,
    CallTable,
    DaemonUp,
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


async def test_bad_octets_are_refused_and_the_daemon_goes_on(bus_server: Path) -> None:
    trunkd = await Bus.connect(bus_server, "trunkd")

    async def answer(request: Request[Any]) -> Reply:
        return CallTable(calls=[], released=[])

    await trunkd.answer(answer)
    acdd = await Bus.connect(bus_server, "acdd")
    raw = acdd._client
    for body in (b"", b"\xff\x00", b"[]", b'{"leg": 3}', b'{"leg": "a", "cause": 16, "v": 99}'):
        reply = await raw.request("req.trunkd.Hangup", body, timeout=2)
        assert reply.headers and reply.headers["Refused"] == "1", body
    assert await acdd.ask(GetCalls()) == CallTable(calls=[], released=[])
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


async def test_comes_back_when_the_server_was_killed(tmp_path: Path) -> None:
    port = free_port()
    path = server.write(tmp_path, port)
    command = ["nats-server", "-c", str(path)]
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


async def test_no_credentials_or_no_server_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BusAway, match=r"bus/acdd\.json: cannot read the bus credentials"):
        await Bus.connect(tmp_path, "acdd")
    server.write(tmp_path, free_port())
    with pytest.raises(BusAway, match=r"nats://127\.0\.0\.1:"):
        await Bus.connect(tmp_path, "acdd", within_s=0.5)


def test_every_message_has_an_owner_who_is_a_daemon() -> None:
    owners = {kind.owner for kind in EVENTS.values()} | {kind.owner for kind in REQUESTS.values()}
    assert owners - {"*"} <= set(messages.DAEMONS)
    assert set(MAY_ASK) == set(messages.DAEMONS)
    assert all(issubclass(kind.reply_type(), Reply) for kind in REQUESTS.values())


def test_credentials_are_for_their_owner_only(tmp_path: Path) -> None:
    path = server.write(tmp_path, 4222)
    assert path.stat().st_mode & 0o777 == 0o600
    assert credentials_file(tmp_path, "acdd").stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def _port(run_dir: Path) -> int:
    card: dict[str, str] = msgspec.json.decode(credentials_file(run_dir, "recordd").read_bytes())
    return int(card["url"].rpartition(":")[2])
