"""The HTTP server against clients that are slow, silent, many, or say what no browser says."""

import contextlib
import socket
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webui import server
from webui.server import MAX_BODY_OCTETS, MAX_HEAD_OCTETS, Server, judge

PATIENCE_S = 20.0
GET = b"GET / HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(("said", "verdict"), [
    (b"", None),
    (GET, None),
    (GET + b"\r\n", ""),
    (b"\r\n\r\n", ""),
    (GET + b"Content-Length: 3\r\n\r\nab", None),
    (GET + b"content-length:3\r\n\r\nabc", ""),
    (GET + b"Content-Length : 3\r\n\r\nab", None),
    (GET + b"Content-Length: 0\r\nContent-Length: 9\r\n\r\n", "400 Bad Request"),
    (GET + b"Content-Length:\r\n 9\r\n\r\n", "400 Bad Request"),
    (GET + b"Content-Length: -1\r\n\r\n", "400 Bad Request"),
    (GET + b"Content-Length: 9, 9\r\n\r\n", "400 Bad Request"),
    (GET + b"Content-Length: %d\r\n\r\n" % (MAX_BODY_OCTETS + 1), "413 Content Too Large"),
    (GET + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", "413 Content Too Large"),
    (GET + b"transfer-encoding: chunked\r\n\r\n", "411 Length Required"),
    (b"X" * (MAX_HEAD_OCTETS + 1), "431 Request Header Fields Too Large"),
])
def test_when_a_request_is_heard_out(said: bytes, verdict: str | None) -> None:
    assert judge(said) == verdict


@given(st.binary(max_size=300))
def test_any_octets_are_judged(said: bytes) -> None:
    assert judge(GET + said + b"\r\n\r\n") in (
        None, "", "400 Bad Request", "411 Length Required", "413 Content Too Large")


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    said: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Length", str(len(said)))])
    return [said]


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """A server of two threads that keeps eight silent clients."""
    monkeypatch.setattr(server, "PAGE_THREADS", 2)
    monkeypatch.setattr(server, "STREAMS", 0)
    monkeypatch.setattr(server, "MOST_WAITING", 8)
    running = Server(echo, "127.0.0.1", 0)
    running.start()
    where = urllib.parse.urlsplit(running.url)
    assert where.hostname and where.port
    yield where.hostname, where.port
    running.stop()


def answer(line: socket.socket, body: bytes) -> bytes:
    """Octets up to and with `body`."""
    octets = b""
    while not octets.endswith(b"\r\n\r\n" + body):
        more = line.recv(65536)
        assert more, octets
        octets += more
    return octets


def test_who_drips_a_request_out_holds_no_thread(address: tuple[str, int]) -> None:
    with contextlib.ExitStack() as slow:
        for said in (b"G", GET, GET + b"Content-Length: 5\r\n\r\nab", b"\r\n" + GET) * 2:
            line = slow.enter_context(socket.create_connection(address, PATIENCE_S))
            line.sendall(said)
        with socket.create_connection(address, PATIENCE_S) as quick:
            quick.sendall(GET + b"\r\n")
            assert answer(quick, b"").startswith(b"HTTP/1.1 200 OK")


def test_a_request_in_pieces_and_the_next_ones_behind_it(address: tuple[str, int]) -> None:
    with socket.create_connection(address, PATIENCE_S) as line:
        for _ in range(3):
            for piece in (b"POST / HT", b"TP/1.1\r\nHost: x\r\nContent-", b"Length: 10000\r\n\r\n",
                          b"a" * 4000, b"a" * 6000):
                line.sendall(piece)
            assert answer(line, b"a" * 10000)
        line.sendall((b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" * 3) + GET)
        assert answer(line, b"abc").count(b"200 OK") in (1, 2, 3)
        line.sendall(b"\r\n")
        assert answer(line, b"")


def test_the_silent_make_room_for_who_comes_next(address: tuple[str, int]) -> None:
    with contextlib.ExitStack() as silent:
        lines = [silent.enter_context(socket.create_connection(address, PATIENCE_S)) for _ in range(40)]
        for line in lines[-4:]:
            line.sendall(GET + b"\r\n")
            assert answer(line, b"")
        assert lines[0].recv(1) == b""


@pytest.mark.parametrize(("said", "status"), [
    (GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"), (b"a" * 20_000, b"431"),
    (GET + b"Content-Length: 99999999\r\n\r\n", b"413"), (b"\x16\x03\x01\r\n\r\n", b"400")])
def test_what_is_refused_is_refused_at_once(address: tuple[str, int], said: bytes, status: bytes) -> None:
    with socket.create_connection(address, PATIENCE_S) as line:
        line.sendall(said)
        assert line.recv(65536).split()[1] == status
