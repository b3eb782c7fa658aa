"""acdd itself asks a web service and a speech engine for a caller, and nothing of a PIN is left behind."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from appliance.bus.messages import Digit, MaskDigits, Play, PlayEnded
from appliance.config.load import load
from appliance.media.prompts import Library
from tests.centre.test_daemon import CONFIG, Player, acdd, write

FLOW: dict[str, Any] = {"language": "en", "start": "who", "variables": {"name": ""}, "nodes": {
    "who": {"kind": "lookup", "source": "crm", "send": {"phone": "{caller}"}, "results": {"name": "name"},
            "timeout_s": 2.0, "next": "hello", "error": "hello"},
    "hello": {"kind": "say", "text": {"en": "Hello {name}"}, "timeout_s": 20.0, "next": "proof"},
    "proof": {"kind": "authenticate", "source": "bills", "pin": {"prompt": "pin", "least": 4, "most": 4},
              "to": "name", "results": {"owes": {"path": "owes", "type": "amount"}}, "next": "bill",
              "failed": "sales", "error": "sales"},
    "bill": {"kind": "play", "prompt": "amount:{owes}", "next": "sales"},
    "sales": {"kind": "queue", "queue": "sales"}}}


async def service(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if head.startswith(b"POST"):
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        right = json.loads(await reader.readexactly(length)) == {"customer": "Li", "pin": "8642"}
        answer, status = {"owes": "12.50"}, "200 OK" if right else "404 Not Found"
    else:
        answer, status = {"name": "Li"}, "200 OK"
    body = json.dumps(answer).encode()
    writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    writer.close()


async def test_a_caller_is_looked_up_greeted_and_proved(
        bus_server: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    web = await asyncio.start_server(service, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{web.sockets[0].getsockname()[1]}"
    sources = [{"name": "crm", "url": url + "/{phone}"}, {"name": "bills", "url": url, "method": "POST"}]
    path = write(tmp_path, FLOW, {**CONFIG, "centre": {**CONFIG["centre"], "sources": sources}})
    async with Player.on(bus_server, "trunkd") as trunkd, Player.on(bus_server, "spand") as spand, \
            acdd(bus_server, tmp_path, load(path)):
        await trunkd.offer("c1")
        hello = await spand.until_asked(Play)
        fragment, = hello.fragments
        assert fragment.startswith("said:")
        assert Library(tmp_path / "said").get(fragment.removeprefix("said:")).octets.size > 4000
        await spand.say(PlayEnded(leg="c1", play=hello.play, finished=True))
        assert await spand.until_asked(MaskDigits) == MaskDigits(leg="c1", on=True)
        for digit in "8642":
            await spand.say(Digit(leg="c1", digit=digit, at=12.0))
        await spand.until(lambda: any(
            isinstance(one, Play) and one.fragments == ["amount/en:12.5"] for one in spand.asked))
        assert MaskDigits(leg="c1", on=False) in spand.asked
    web.close()
    files = [file for file in tmp_path.rglob("*") if file.is_file() and "said" not in file.parts]
    kept = b"".join(file.read_bytes() for file in files)
    assert b"HiddenDigit" in kept and b"8642" not in kept and b'"digit":"8"' not in kept
    assert "8642" not in caplog.text
