"""/api/v1/live with clients that are not ours: the websockets library, plain HTTP, over TLS, in crowds."""

import gzip
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as altered
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from appliance.bus.messages import BoardReply
from tests.webui.conftest import FakeExchange
from webui import throttle
from webui.access.audit import Asked
from webui.access.ranges import UNLIMITED, Range
from webui.alerts.rules import Rule
from webui.api.live import described, listeners, strangers, topics
from webui.api.live.door import EXTENSION
from webui.api.live.listeners import Listeners
from webui.api.live.speaking import MESSAGE_MOST, EventStream, WebSocket
from webui.api.operations import TITLE
from webui.api.tokens import SCOPES, Tokens
from webui.certificate import Certificates
from webui.notices.audience import Audience
from webui.server import Server

PATIENCE_S = 20.0
ALL = ["board", "contacts", "lines", "notices", "alerts"]


@dataclass
class Box:
    """Its pages at `url`; `token` makes one."""

    url: str
    app: Flask
    tls: ssl.SSLContext | None

    @property
    def host(self) -> tuple[str, int]:
        name, port = self.url.split("/")[2].rsplit(":", 1)
        return name, int(port)

    @property
    def listeners(self) -> Listeners:
        found: Listeners = self.app.extensions[EXTENSION]
        return found

    def token(self, scopes: frozenset[str] = frozenset(SCOPES), within: Range = UNLIMITED) -> str:
        tokens: Tokens = self.app.extensions["branchline"].tokens
        return tokens.make("crm", scopes, within, "admin", time.time(), 1.0)

    @contextmanager
    def open(self, token: str, *topics: str, **options: Any) -> Iterator[ClientConnection]:
        with connect(
                self.url.replace("http", "ws", 1) + "api/v1/live", ssl=self.tls,
                server_hostname="box" if self.tls else None,
                additional_headers={"Authorization": f"Bearer {token}"} if token else {}, proxy=None,
                open_timeout=PATIENCE_S, **options) as client:
            if topics:
                client.send(json.dumps({"subscribe": topics}))
            yield client


@pytest.fixture(params=["http", "https"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def box_in(app: Flask, exchange: FakeExchange, tmp_path: Path, kind: str) -> Iterator[Box]:
    server_tls = client_tls = None
    if kind == "https":
        certificates = Certificates(tmp_path / "tls", ("box", "localhost", "127.0.0.1"))
        certificates.ready(0.0)
        server_tls = certificates.context()
        client_tls = ssl.create_default_context(cafile=str(certificates.path))
    server = Server(app, "127.0.0.1", 0, server_tls)
    server.start()
    box = Box(server.url, app, client_tls)
    yield box
    exchange.mirror.close()
    box.listeners.stop()
    server.stop()


@pytest.fixture
def box(app: Flask, visitor: FlaskClient, exchange: FakeExchange, tmp_path: Path) -> Iterator[Box]:
    yield from box_in(app, exchange, tmp_path, "http")


@pytest.fixture
def any_box(app: Flask, visitor: FlaskClient, exchange: FakeExchange, tmp_path: Path,
            kind: str) -> Iterator[Box]:
    yield from box_in(app, exchange, tmp_path, kind)


def heard(client: ClientConnection) -> Any:
    return json.loads(client.recv(PATIENCE_S))


def closed(client: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as found:
        while True:
            client.recv(PATIENCE_S)
    assert found.value.rcvd
    return found.value.rcvd.code, found.value.rcvd.reason


def until(true: Callable[[], Any]) -> None:
    ends_at = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < ends_at
        time.sleep(0.005)


def test_a_snapshot_then_each_change_with_its_number(any_box: Box, exchange: FakeExchange) -> None:
    box, token = any_box, any_box.token()
    parts = box.app.extensions["branchline"]
    with box.open(token, *ALL) as client:
        first = {said["topic"]: said for said in (heard(client) for _ in ALL)}
        assert sorted(first) == sorted(ALL) and {one["kind"] for one in first.values()} == {"snapshot"}
        board = exchange.mirror.floor.board
        assert board
        assert [one["name"] for one in first["board"]["queues"]] == [one.name for one in board.queues]
        assert len(first["contacts"]["contacts"]) == len([one for one in board.contacts
                                                          if one.state != "ended"])
        gone = first["contacts"]["contacts"][0]["contact"]
        exchange.mirror.load(BoardReply(board=altered(
            board, at=board.at + 1, contacts=[one for one in board.contacts if one.contact != gone])))
        change = heard(client)
        assert (change["topic"], change["kind"], change["gone"], change["contacts"]) == (
            "contacts", "change", [gone], [])
        assert change["seq"] == first["contacts"]["seq"] + 1
        now = time.time()
        parts.notices.add("admin", "Lunch", "normal", "blue", Audience(True), now, now + 60.0, now)
        exchange.mirror.wake()
        assert [one["text"] for one in heard(client)["notices"]] == ["Lunch"]
        parts.alerts.add(Rule(name="Many", what="waiting"), "admin", "en", UNLIMITED, now)
        parts.alerts.rise(parts.alerts.rules[0], "Many: 9", 9.0, now, told=True)
        exchange.mirror.wake()
        assert [one["text"] for one in heard(client)["alerts"]] == ["Many: 9"]
        parts.alerts.clear(1, now)
        exchange.mirror.wake()
        assert heard(client)["gone"] == [1]


def test_the_same_as_events_without_a_websocket(any_box: Box, exchange: FakeExchange) -> None:
    box = any_box
    host, port = box.host
    line = (http.client.HTTPSConnection(host, port, timeout=PATIENCE_S, context=box.tls) if box.tls
            else http.client.HTTPConnection(host, port, timeout=PATIENCE_S))
    line.request("GET", "/api/v1/live?subscribe=board,notices", headers={
        "Authorization": f"Bearer {box.token()}", "Accept": "text/event-stream"})
    answer = line.getresponse()
    assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (200, "text/event-stream")

    def event() -> tuple[str, Any]:
        name = answer.readline().decode().removeprefix("event: ").strip()
        said = json.loads(answer.readline().decode().removeprefix("data: "))
        assert answer.readline() == b"\n"
        return name, said

    assert [event()[0] for _ in range(2)] == ["board", "notices"]
    now = time.time()
    box.app.extensions["branchline"].notices.add("admin", "Lunch", "normal", "blue", Audience(True), now,
                                                 now + 60.0, now)
    exchange.mirror.wake()
    assert event()[1]["notices"][0]["text"] == "Lunch"
    exchange.mirror.close()                       # the box goes away
    assert event() == ("end", {"code": 1001, "reason": "the box goes away: come again"})
    assert answer.read() == b""
    line.close()


def test_scopes_and_ranges_are_those_of_the_token(box: Box) -> None:
    with box.open(box.token(frozenset({"watch"}), Range(queues=frozenset({"sales"}))), "board") as client:
        assert [one["name"] for one in heard(client)["queues"]] == ["sales"]
        client.send(json.dumps({"subscribe": ["lines"]}))
        assert closed(client) == (1008, "the token's scopes lack line")
    with pytest.raises(InvalidStatus) as refused, box.open("blt_x"):
        pass
    assert refused.value.response.status_code == 401
    client_of_pages = box.app.test_client()       # whose cookie opens nothing here
    for headers in ({"Accept": "text/event-stream"}, {"Upgrade": "websocket", "Authorization": "Basic eA=="},
                    {"Upgrade": "websocket", "Sec-WebSocket-Protocol": "bearer.blt_x"}):
        assert client_of_pages.get("/api/v1/live?subscribe=board", headers=headers).status_code == 401


def test_a_script_in_a_browser_says_the_token_as_a_subprotocol(box: Box) -> None:
    with box.open("", "alerts", subprotocols=["branchline.v1", f"bearer.{box.token()}"]) as client:
        assert client.subprotocol == "branchline.v1" and heard(client)["topic"] == "alerts"


def test_a_token_may_be_the_first_message_and_nothing_is_told_before(
        any_box: Box, exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    box, token = any_box, any_box.token(frozenset({"watch"}), Range(queues=frozenset({"sales"})))
    with box.open("") as client, box.open("") as quiet:
        exchange.mirror.wake()
        with pytest.raises(TimeoutError):
            quiet.recv(0.3)
        client.send(json.dumps({"token": token}))
        client.send(json.dumps({"subscribe": ["board"]}))        # at once: nothing answers a token
        assert [one["name"] for one in heard(client)["queues"]] == ["sales"]
        assert {one.place for one in box.listeners._peers} == {1, "127.0.0.1"}
        client.send(json.dumps({"subscribe": ["lines"]}))
        assert closed(client) == (1008, "the token's scopes lack line")
        with monkeypatch.context() as at_once:
            at_once.setattr(strangers, "TOKEN_S", 0.0)
            exchange.mirror.wake()
            assert closed(quiet) == (4401, "say the token first")
    with box.open("", "board") as client:         # it wants to hear, and has not said who it is
        assert closed(client)[0] == 4401
    until(lambda: not box.listeners._places)


def test_a_token_that_was_said_first_is_as_every_other(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "LOOK_S", 0.05)
    token = box.token()
    with box.open("") as client:
        client.send(json.dumps({"token": token}))
        client.send('{"subscribe": ["alerts"]}')
        heard(client)
        with ExitStack() as others:
            for _ in range(listeners.MOST_OF_TOKEN - 1):
                heard(others.enter_context(box.open(token, "alerts")))
            one_more = others.enter_context(box.open(""))
            one_more.send(json.dumps({"token": token}))
            assert closed(one_more) == (1008, f"this token has {listeners.MOST_OF_TOKEN} live connections")
        box.app.extensions["branchline"].tokens.revoke(1, "admin", time.time())
        assert closed(client) == (1008, "the token is over, or may something else now")
    with box.open("") as client:
        client.send(json.dumps({"token": token}))
        assert closed(client) == (4401, "there is no such token, or it is over")


def test_who_guesses_waits_and_strangers_are_few(box: Box) -> None:
    parts, wrong = box.app.extensions["branchline"], 0
    with ExitStack() as crowd:
        early = [crowd.enter_context(box.open("")) for _ in range(strangers.MOST_OF_ADDRESS)]
        with pytest.raises(InvalidStatus) as refused, box.open(""):
            pass
        assert refused.value.response.status_code == 429
        with box.open(box.token(), "alerts") as known:           # who says it in the request is none of them
            heard(known)
        for client in early:
            client.send('{"token": "blt_guessed"}')
            code, why = closed(client)
            assert code == 4401
            wrong += "too many" not in why
    assert wrong == throttle.FREE
    locked = parts.audit.entries(Asked(acts=("locked-out",)), 50)
    assert [(one.by, one.address, one.outcome) for one in locked] == [("", "127.0.0.1", "wrong tokens")]
    until(lambda: not box.listeners._places)
    with pytest.raises(InvalidStatus) as refused, box.open(""):
        pass
    assert refused.value.response.status_code == 429
    assert 1 <= int(refused.value.response.headers["Retry-After"]) <= strangers.FIRST_WAIT_S
    with box.open(box.token(), "alerts") as known:
        heard(known)


def test_what_makes_no_sense_ends_it_and_why(box: Box) -> None:
    nonsense: list[tuple[str | bytes, int, str]] = [
        ("{", 1008, "truncated"), ("[]", 1008, "Expected `object`"), ('{"subscribe": []}', 1008, "length"),
        ('{"subscribe": ["wether"]}', 1008, "Invalid enum"),
        ('{"subscribe": ["board"], "x": 1}', 1008, "unknown field"),
        ("x" * (MESSAGE_MOST + 1), 1009, "at most"), (b"octets", 1003, "text")]
    for said, code, why in nonsense:
        with box.open(box.token()) as client:
            client.send(said)
            found = closed(client)
            assert found[0] == code and why in found[1]


def test_limits_of_messages_silence_and_connections(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    token = box.token()
    with box.open(token) as client:
        for _ in range(listeners.MOST_SAID + 1):
            client.send('{"subscribe": ["alerts"]}')
        assert closed(client)[1].startswith("more than")
    with ExitStack() as others:
        for _ in range(listeners.MOST_OF_TOKEN):
            heard(others.enter_context(box.open(token, "alerts")))
        with pytest.raises(InvalidStatus) as refused, box.open(token):
            pass
        assert refused.value.response.status_code == 429
        monkeypatch.setattr(listeners, "MOST", listeners.MOST_OF_TOKEN)
        with pytest.raises(InvalidStatus) as refused, box.open(box.token()):
            pass
        assert refused.value.response.status_code == 503
    monkeypatch.setattr(listeners, "FIRST_S", 0.0)
    monkeypatch.setattr(listeners, "LOOK_S", 0.05)
    with box.open(box.token()) as client:
        assert closed(client) == (1008, "say what to subscribe to")


def test_who_answers_no_ping_is_let_go_and_who_does_stays(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "LOOK_S", 0.05)
    monkeypatch.setattr(listeners, "PING_S", 0.1)
    monkeypatch.setattr(listeners, "SILENT_S", 0.5)
    with box.open(box.token(), "alerts") as well, socket.create_connection(box.host, PATIENCE_S) as dumb:
        heard(well)
        dumb.sendall(_request(box.token()))
        dumb.sendall(_frame(b'{"subscribe": ["alerts"]}'))
        octets = b""
        while more := dumb.recv(4096):
            octets += more
        assert octets.startswith(b"HTTP/1.1 101 ") and b"no ping was answered" in octets
        well.send('{"subscribe": ["notices"]}')
        assert heard(well)["topic"] == "notices"


def _request(token: str) -> bytes:
    return (b"GET /api/v1/live HTTP/1.1\r\nHost: box\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Authorization: Bearer " + token.encode() + b"\r\n\r\n")


def _frame(text: bytes) -> bytes:
    assert len(text) < 126
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text


def test_what_came_with_the_request_is_heard(box: Box) -> None:
    with socket.create_connection(box.host, PATIENCE_S) as line:
        line.sendall(_request(box.token()) + _frame(b'{"subscribe": ["alerts"]}'))
        octets = b""
        while b'"topic":"alerts"' not in octets:
            more = line.recv(4096)
            assert more, octets
            octets += more
        assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in octets       # of RFC 6455 1.3


def test_a_token_that_is_withdrawn_ends_what_it_opened(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "LOOK_S", 0.05)
    with box.open(box.token(), "alerts") as client:
        heard(client)
        box.app.extensions["branchline"].tokens.revoke(1, "admin", time.time())
        assert closed(client) == (1008, "the token is over, or may something else now")


def test_a_hundred_that_are_silent_take_no_thread_and_who_is_slow_is_let_go(
        box: Box, exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "MOST_BEHIND", 100_000)
    tokens = [box.token() for _ in range(13)]
    with ExitStack() as crowd:
        before = threading.active_count()
        for number in range(listeners.MOST - 2):
            line = crowd.enter_context(socket.create_connection(box.host, PATIENCE_S))
            line.sendall(_request(tokens[number // listeners.MOST_OF_TOKEN]))
            line.sendall(_frame(b'{"subscribe": ["alerts"]}'))
            assert line.recv(12) == b"HTTP/1.1 101"
        assert threading.active_count() <= before + 2
        with box.open(box.token(), "board") as quick, socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.settimeout(PATIENCE_S)
            slow.connect(box.host)
            slow.sendall(_request(box.token()) + _frame(b'{"subscribe": ["board"]}'))
            assert slow.recv(12) == b"HTTP/1.1 101"              # and nothing more
            assert heard(quick)["kind"] == "snapshot"
            board = exchange.mirror.floor.board
            assert board
            turns, everybody = 0, listeners.MOST
            while len(box.listeners._peers) >= everybody and turns < 500:
                turns += 1
                exchange.mirror.load(BoardReply(board=altered(board, at=board.at + turns, agents=[
                    altered(board.agents[0], reason=f"{turns}{'x' * 100_000}"), *board.agents[1:]])))
                assert heard(quick)["seq"] == turns + 1          # he is told all of it
            assert turns < 500
            page = http.client.HTTPConnection(*box.host, timeout=PATIENCE_S)
            page.request("GET", "/healthz")
            assert page.getresponse().read() == b"ok\n"
            page.close()


def test_who_pings_and_never_reads_is_let_go(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "MOST_BEHIND", 100_000)
    monkeypatch.setattr(listeners, "LAST_S", 0.1)
    pings = (bytes([0x89, 0x80 | 125, 0, 0, 0, 0]) + b"x" * 125) * 500
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.settimeout(PATIENCE_S)
        deaf.connect(box.host)
        deaf.sendall(_request(box.token()) + _frame(b'{"subscribe": ["alerts"]}'))
        assert deaf.recv(12) == b"HTTP/1.1 101"
        with pytest.raises(ConnectionError):
            for _ in range(1000):                 # more than the sockets hold
                deaf.sendall(pings)


def test_frames_without_text_are_not_kept_and_short_ones_are_counted() -> None:
    speaker = WebSocket()
    begin, more, last = (bytes([first, 0x80, 0, 0, 0, 0]) for first in (0x01, 0x00, 0x80))
    letter = bytes([0x00, 0x81, 0, 0, 0, 0]) + b"x"
    assert speaker.receive(begin + more * 5000) == ([], b"")
    assert not speaker._begun
    said, _ = speaker.receive(letter * MESSAGE_MOST + last)
    assert [one.text for one in said] == ["x" * MESSAGE_MOST]
    said, _ = speaker.receive(begin + letter * (MESSAGE_MOST + 1))
    assert [one.refused for one in said] == [1009]


def test_what_cannot_be_told_keeps_nothing_else_from_anybody(
        box: Box, exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    parts, read, broken = box.app.extensions["branchline"], topics.read, {"board"}

    def read_or_not(topic: str, now: Any) -> Any:
        if topic in broken:
            raise ValueError(topic)
        return read(topic, now)

    with box.open(box.token(), "board", "alerts") as client:
        assert {heard(client)["topic"] for _ in range(2)} == {"alerts", "board"}
        monkeypatch.setattr(topics, "read", read_or_not)
        now = time.time()
        parts.alerts.add(Rule(name="Many", what="waiting"), "admin", "en", UNLIMITED, now)
        parts.alerts.rise(parts.alerts.rules[0], "Many: 9", 9.0, now, told=True)
        exchange.mirror.wake()
        assert heard(client)["topic"] == "alerts"
        with box.open(box.token(within=Range(queues=frozenset({"sales"}))), "board", "alerts") as other:
            assert heard(other)["topic"] == "alerts"
            broken.clear()                        # the moment is over
            board = exchange.mirror.floor.board
            assert board
            exchange.mirror.load(BoardReply(board=altered(board, at=board.at + 1, agents=[])))
            change, snapshot = heard(client), heard(other)
            assert (change["topic"], change["kind"], change["seq"]) == ("board", "change", 2)
            assert (snapshot["topic"], snapshot["kind"]) == ("board", "snapshot")


def test_one_who_cannot_be_told_goes_and_the_others_stay(
        box: Box, exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(topic: str, message: bytes) -> bytes:
        raise ValueError(topic)

    parts = box.app.extensions["branchline"]
    with box.open(box.token(), "alerts") as bad:
        heard(bad)
        peer, = box.listeners._peers
        monkeypatch.setattr(peer.speaker, "tell", fails)
        with box.open(box.token(), "alerts") as good:
            heard(good)
            now = time.time()
            parts.alerts.add(Rule(name="Many", what="waiting"), "admin", "en", UNLIMITED, now)
            parts.alerts.rise(parts.alerts.rules[0], "Many: 9", 9.0, now, told=True)
            exchange.mirror.wake()
            assert heard(good)["kind"] == "change"
            with pytest.raises(ConnectionClosed):
                bad.recv(PATIENCE_S)


def test_what_a_muted_rule_raises_is_told_by_neither_door(box: Box, exchange: FakeExchange) -> None:
    alerts, token, now = box.app.extensions["branchline"].alerts, box.token(), time.time()
    alerts.add(Rule(name="Many", what="waiting"), "admin", "en", UNLIMITED, now)
    alerts.rise(alerts.rules[0], "Many: 9", 9.0, now, told=False)

    def listed() -> Any:
        asked = box.app.test_client().get("/api/v1/alerts", headers={"Authorization": f"Bearer {token}"})
        return json.loads(asked.data)["alerts"]

    with box.open(token, "alerts") as client:
        assert listed() == heard(client)["alerts"] == []
        alerts.tell(alerts.raised[0], now)        # it still stands when it is muted no longer
        exchange.mirror.wake()
        found = listed()
        assert found == heard(client)["alerts"] and [one["text"] for one in found] == ["Many: 9"]


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_any_octets_are_frames_or_the_end(octets: list[bytes]) -> None:
    speaker = WebSocket()
    for some in octets:
        said, answer = speaker.receive(some)
        assert all(one.text or one.refused or one.over or one.text == "" for one in said)
        assert isinstance(answer, bytes)
    assert isinstance(speaker.tell("board", b"{}") + speaker.close(1001, "x" * 500), bytes)
    assert speaker.close(1001, "again") == b""


def test_an_event_stream_is_chunks_and_ends_once() -> None:
    speaker = EventStream()
    assert speaker.tell("lines", b"{}") == b"17\r\nevent: lines\ndata: {}\n\n\r\n"
    assert speaker.close(1013, 'too "slow"').endswith(b'"too \\"slow\\""}\n\n\r\n0\r\n\r\n')
    assert speaker.ping() == speaker.close(1013, "") == b""


def test_what_it_cannot_answer(box: Box) -> None:
    events, upgrade = {"Accept": "text/event-stream"}, {"Upgrade": "websocket", "Connection": "Upgrade"}
    old = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "8"}
    token = box.token(frozenset({"watch"}))
    for headers, query, status in (
            ({}, "", 406), (events, "", 400), (events, "?subscribe=x", 400), (upgrade, "", 400),
            (events, "?subscribe=board&x=1", 400), (upgrade | old, "", 426), (events, "?subscribe=lines",
                403)):
        line = http.client.HTTPConnection(*box.host, timeout=PATIENCE_S)
        line.request("GET", f"/api/v1/live{query}", headers={"Authorization": f"Bearer {token}"} | headers)
        assert line.getresponse().status == status
        line.close()
    assert not box.listeners._places


def test_the_document_is_one_and_is_kept(visitor: FlaskClient) -> None:
    """docs/asyncapi.json is what people read; it is what AsyncAPI's own schema wants."""
    folder = Path(__file__).parent
    schema = json.loads(gzip.decompress((folder / "asyncapi-3.0.0.json.gz").read_bytes()))
    now = json.loads(visitor.get("/api/v1/asyncapi.json").data)
    jsonschema_rs.validator_for(schema).validate(now)
    assert now == described.document(TITLE, version("branchline"))
    kept = json.loads((folder.parents[2] / "docs/asyncapi.json").read_text())
    assert now == kept, "python -m webui.api --async > docs/asyncapi.json"


def test_what_is_said_is_as_the_document_says(box: Box) -> None:
    document = described.document(TITLE, "1")
    with box.open(box.token(), *ALL) as client:
        for _ in ALL:
            said = heard(client)
            name = f"{said['topic'].capitalize()}Told"
            jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", **document}).validate(said)

