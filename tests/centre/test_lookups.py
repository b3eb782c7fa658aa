"""Sources that answer, are slow, lie, and send junk: real servers, files and engines."""

import asyncio
import json
import re
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import argon2
import pytest
from pydantic import ValidationError

from appliance.centre.effects import Effect, EffectDone, Lookup, Say
from appliance.centre.worker import Worker
from appliance.config.schema import CentreConfig, Config, MediaConfig, SpanConfig
from appliance.config.sources import SourceConfig, SpeechConfig
from appliance.media import g711
from appliance.media.prompts import Library

TIME_S = 0.4                                      # of those that never answer


class Server:
    """One answer for all; remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: bytes = b""
        self.heard: list[bytes] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        self.heard.append(head + (await reader.readexactly(int(length[1])) if length else b""))
        if self.answer == b"trickle":
            while not writer.is_closing():
                writer.write(b"H" if len(self.heard) > 99 else b"X-A: b\r\n")
                await asyncio.sleep(0.05)
        writer.write(self.answer)
        if self.answer != b"hang":
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    yield server
    listening.close()
    for writer in server.writers:
        writer.transport.abort()
    await asyncio.sleep(0)


def http(body: bytes, status: str = "200 OK", extra: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def ask(folder: Path, source: SourceConfig, speech: SpeechConfig | None = None,
              effects: Sequence[Effect] = (), other: Sequence[SourceConfig] = (), timeout_s: float = TIME_S,
              **send: str) -> EffectDone:
    """The first thing that comes of it. `other` sources are there, too."""
    done: asyncio.Queue[EffectDone] = asyncio.Queue()
    config = Config(spans=[SpanConfig(name="s", url="virtual:x/a", side="user", trunk="t")],
                    centre=CentreConfig(sources=[source, *other]),
                    media=MediaConfig(speech=speech or SpeechConfig()))
    worker = Worker(config, folder, done.put_nowait)
    try:
        asked = Lookup(order="1", source=source.name, send=send, timeout_s=timeout_s)
        for effect in effects or [asked]:
            worker.put(effect)
        return await done.get()
    finally:
        await worker.close()


async def test_a_web_service_answers(server: Server, tmp_path: Path) -> None:
    server.answer = http(json.dumps({"name": "李", "bill": {"due": 12.5}}).encode())
    source = SourceConfig(name="crm", url=f"http://localhost:{server.port}/of/{{number}}?v=1",
                          headers={"X-Key": "abc"})
    done = await ask(tmp_path, source, number="13/8", lang="zh")
    assert (done.error, done.answer) == ("", {"name": "李", "bill": {"due": 12.5}})
    assert server.heard[0].startswith(b"GET /of/13%2F8?v=1&lang=zh HTTP/1.1\r\n")
    assert b"X-Key: abc\r\n" in server.heard[0]
    posts = SourceConfig(name="crm", url=f"http://127.0.0.1:{server.port}/", method="POST")
    await ask(tmp_path, posts, customer="7", pin="1234")
    head, _, body = server.heard[1].partition(b"\r\n\r\n")
    assert b"1234" not in head and json.loads(body) == {"customer": "7", "pin": "1234"}


@pytest.mark.parametrize(("answer", "error"), [
    (http(b"", "404 Not Found"), ""),
    (http(b"", "204 No Content"), ""),
    (http(b"oops", "500 Oops"), "HTTP status 500"),
    (http(b"", "302 Found", "Location: http://127.0.0.1/\r\n"), "HTTP status 302"),
    (http(b"<html>"), "no JSON"),
    (http(b"[1]"), "no JSON object"),
    (http(b"[" * 60_000), "no JSON"),
    (http(b"\xff{}"), "no JSON"),
    (http(b'{"a": "' + b"x" * 70_000 + b'"}'), "more than 65536 octets"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "RemoteProtocolError"),
    (b"\x00\x01\x02 junk\r\n\r\n", "RemoteProtocolError"),
    (b"", "RemoteProtocolError"),
    (b"hang", "no answer in 0.4 s"),
    (b"trickle", "no answer in 0.4 s"),
])
async def test_whatever_a_web_service_sends_there_is_an_answer_or_a_reason(
        server: Server, tmp_path: Path, answer: bytes, error: str) -> None:
    server.answer = answer
    done = await ask(tmp_path, SourceConfig(name="crm", url=f"http://127.0.0.1:{server.port}/"), pin="9753")
    assert error in done.error if error else done.error == ""
    assert done.answer is None and "9753" not in done.error


async def test_nobody_listens_and_no_name(tmp_path: Path) -> None:
    done = await ask(tmp_path, SourceConfig(name="crm", url="http://127.0.0.1:1/"))
    assert "ConnectionRefusedError" in done.error
    assert "is asked without number" in (
        await ask(tmp_path, SourceConfig(name="crm", url="http://127.0.0.1:1/{number}"))).error


async def test_one_request_too_many_is_refused_at_once(server: Server, tmp_path: Path) -> None:
    server.answer = b"hang"
    source = SourceConfig(name="crm", url=f"http://127.0.0.1:{server.port}/", at_once=2)
    done = await ask(tmp_path, source, effects=[
        Lookup(order=str(one), source="crm", send={}, timeout_s=5.0) for one in range(3)])
    assert (done.order, done.error) == ("2", "2 requests wait for an answer already")


async def test_a_database_is_read_only_and_stopped_in_time(tmp_path: Path) -> None:
    file = tmp_path / "crm.db"
    with sqlite3.connect(file) as connection:
        connection.execute("create table customers (phone text, name text, owes numeric, since date)")
        connection.execute("insert into customers values ('138', '王', 12.5, '2020-01-02')")
    connection.close()
    url = f"sqlite:///{file}"
    query = "SELECT name, owes FROM customers WHERE phone = :caller"
    found = SourceConfig(name="crm", database=url, query=query)
    assert (await ask(tmp_path, found, caller="138")).answer == {"name": "王", "owes": 12.5}
    none = await ask(tmp_path, found, caller="' or 1=1 --")
    assert (none.answer, none.error) == (None, "")
    endless = SourceConfig(name="crm", database=url, query=(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"))
    assert "no answer" in (await ask(tmp_path, endless)).error       # and its thread ends
    wrong = SourceConfig(name="crm", database=url, query="SELECT * FROM none")
    assert "no such table" in (await ask(tmp_path, wrong)).error
    away = SourceConfig(name="crm", database=f"sqlite:///{tmp_path}/none.db", query="SELECT 1")
    assert "unable to open" in (await ask(tmp_path, away)).error
    assert not (tmp_path / "none.db").exists()


async def test_a_wrong_address_tells_nobody_its_password(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    wrong = SourceConfig(name="crm", database="postgresql://acd:sec:ret@crm:sec/y", query="SELECT 1",
                         headers={"Authorization": "sec"})
    done = await ask(tmp_path, wrong)
    assert "its port is no number" in done.error
    with pytest.raises(ValidationError) as refused:
        SourceConfig(name="crm", url="https://acd:sec@crm.example/")
    refusal = refused.value.errors()[0]["msg"]
    assert "write them as a header" in refusal
    assert not any("sec" in text for text in (done.error, caplog.text, repr(wrong), refusal))


async def test_a_database_that_hangs_keeps_only_its_own_look_ups(tmp_path: Path) -> None:
    """One that waits for a lock, as often as it may."""
    hangs, table = tmp_path / "crm.db", tmp_path / "customers.csv"
    table.write_text("phone,name\n138,王\n")
    with sqlite3.connect(hangs, isolation_level=None) as connection:
        connection.execute("create table customers (phone text)")
        connection.execute("begin exclusive")
        waits = SourceConfig(
            name="crm", database=f"sqlite:///{hangs}", query="SELECT phone FROM customers", at_once=64)
        waiting = [Lookup(order="crm", source="crm", send={}, timeout_s=2.0) for _ in range(32)]
        quick = Lookup(order="table", source="table", send={"phone": "138"}, timeout_s=2.0)
        done = await ask(tmp_path, waits, effects=[*waiting, quick],
                         other=[SourceConfig(name="table", table=str(table))])
    connection.close()
    assert (done.order, done.answer) == ("table", {"phone": "138", "name": "王"})


async def test_a_customer_table_checks_pins_and_is_read_anew_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    hashed = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("2468")
    file.write_text("customer,phone,name,pin\n"
                    f'1001,138,"Li, Na","{hashed}"\n1002,139,Wang,1357\n1003,137,Mo,\n')
    source = SourceConfig(name="crm", table=str(file))
    assert (await ask(tmp_path, source, phone="138")).answer == {
        "customer": "1001", "phone": "138", "name": "Li, Na"}
    for customer, pin, right in [("1001", "2468", True), ("1001", "2469", False), ("1002", "1357", True),
                                 ("1002", "", False), ("1003", "", False), ("1009", "1", False)]:
        done = await ask(tmp_path, source, customer=customer, pin=pin)
        assert (done.answer is not None, done.error) == (right, ""), customer
    assert "no column mobile" in (await ask(tmp_path, source, mobile="1")).error
    file.write_text("phone,name\n138,Zhao\n")
    assert (await ask(tmp_path, source, phone="138")).answer == {"phone": "138", "name": "Zhao"}
    file.unlink()
    assert "No such file" in (await ask(tmp_path, source, phone="138")).error


async def test_a_text_is_spoken_once(tmp_path: Path) -> None:
    def say(order: str, text: str) -> Say:
        return Say(order=order, text=text, language="en", timeout_s=20.0)

    source = SourceConfig(name="x", table="x")
    done = await ask(tmp_path, source, effects=[say("1", "hello <caller> & welcome")])
    assert done.error == ""
    name = done.fragment.removeprefix("said:")
    kept = Library(tmp_path / "said").get(name)
    assert 0.5 < kept.octets.size / 8000 < 4.0
    assert abs(g711.decode(kept.octets)).max() > 4000
    again = await ask(tmp_path, source, effects=[say("2", "hello  <caller> & welcome ")])
    assert again.fragment == done.fragment
    assert Library(tmp_path / "said").get(name).stamp == kept.stamp


@pytest.mark.parametrize(("program", "error"), [
    ("import sys, wave; w = wave.open(sys.stdout.buffer, 'wb'); w.setnchannels(2); w.setsampwidth(2);"
     "w.setframerate(24000); w.writeframes(bytes([0, 0, 0, 0, 0, 40, 0, 0] * 12000))", ""),
    ("print('no wav')", "no WAV"),
    ("import sys; sys.exit(3)", "exit code 3"),
    ("import time; time.sleep(60)", "no answer in 0.4 s"),
])
async def test_another_engine_by_its_command(tmp_path: Path, program: str, error: str) -> None:
    speech = SpeechConfig(command=[sys.executable, "-c", program])
    done = await ask(tmp_path, SourceConfig(name="x", table="x"), speech, [
        Say(order="1", text="anything", language="zh", timeout_s=20.0 if not error else TIME_S)])
    assert error in done.error if error else done.error == ""
    if not error:
        octets = Library(tmp_path / "said").get(done.fragment.removeprefix("said:")).octets
        assert octets.size == pytest.approx(8000 + 400, abs=200)     # a second at 24000 Hz, and its edges


async def test_what_was_not_heard_for_longest_makes_room(tmp_path: Path) -> None:
    program = ("import sys, wave; w = wave.open(sys.stdout.buffer, 'wb'); w.setnchannels(1);"
               "w.setsampwidth(2); w.setframerate(8000); w.writeframes(bytes([0, 40, 0, 216] * 100000))")
    speech = SpeechConfig(command=[sys.executable, "-c", program], cache_mebibytes=1)
    for text in ["a", "b", "a", "c", "a", "d", "e", "f", "g", "h"]:
        effect = Say(order="1", text=text, language="zh", timeout_s=20.0)
        await ask(tmp_path, SourceConfig(name="x", table="x"), speech, [effect])
    files = list((tmp_path / "said").iterdir())
    assert 4 <= len(files) <= 5 and sum(file.stat().st_size for file in files) <= 1024**2
