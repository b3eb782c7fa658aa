"""The HTTP server against clients that are slow, silent, many, or say what no browser says."""

import contextlib
import select
import socket
import ssl
import struct
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webui import server
from webui.certificate import Certificates
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
def running(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of two threads that keeps eight silent clients; with TLS where there is `certificates`."""
    monkeypatch.setattr(server, "PAGE_THREADS", 2)
    monkeypatch.setattr(server, "STREAMS", 0)
    monkeypatch.setattr(server, "MOST_WAITING", 8)
    tls = None
    if "certificates" in request.fixturenames:
        tls = request.getfixturevalue("certificates").context()
    running = Server(echo, "127.0.0.1", 0, tls)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def address(running: Server) -> tuple[str, int]:
    where = urllib.parse.urlsplit(running.url)
    assert where.hostname and where.port
    return where.hostname, where.port


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    certificates = Certificates(tmp_path / "tls", ("box", "localhost", "127.0.0.1"))
    certificates.ready(0.0)
    return certificates


@contextlib.contextmanager
def spoken(address: tuple[str, int], certificates: Certificates) -> Iterator[ssl.SSLSocket]:
    """A client that trusts this certificate and no other."""
    trusts = ssl.create_default_context(cafile=str(certificates.path))
    with socket.create_connection(address, PATIENCE_S) as line, trusts.wrap_socket(
            line, server_hostname="box") as secured:
        yield secured


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


def test_requests_by_tls_in_pieces_and_behind_each_other(
        certificates: Certificates, address: tuple[str, int]) -> None:
    with spoken(address, certificates) as line:
        for _ in range(3):
            for piece in (b"POST / HT", b"TP/1.1\r\nHost: x\r\nContent-", b"Length: 40000\r\n\r\n",
                          b"a" * 30000, b"a" * 10000):
                line.sendall(piece)
            assert answer(line, b"a" * 40000)
        line.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" * 3)
        said = b""
        while said.count(b"abc") < 3:
            said += line.recv(65536)


def test_who_drips_a_handshake_out_holds_no_thread(
        certificates: Certificates, address: tuple[str, int]) -> None:
    with contextlib.ExitStack() as slow:
        for said in (b"\x16", b"\x16\x03\x01\x02\x00\x01", b"", b"\x16\x03") * 2:
            line = slow.enter_context(socket.create_connection(address, PATIENCE_S))
            line.sendall(said)
        with spoken(address, certificates) as quick:
            quick.sendall(GET + b"\r\n")
            assert answer(quick, b"").startswith(b"HTTP/1.1 200 OK")


RESET = struct.pack("ii", 1, 0)                   # SO_LINGER: close() is a reset


def test_who_goes_while_tls_begins_leaves_no_trace(
        certificates: Certificates, address: tuple[str, int], caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(100):
        with socket.create_connection(address, PATIENCE_S) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            line.sendall(b"\x16\x03\x01\x00")
    with spoken(address, certificates) as after:
        after.sendall(GET + b"\r\n")
        assert answer(after, b"")
    assert not [one.getMessage() for one in caplog.records if one.exc_info]


class Late(ssl.SSLContext):
    """Begins TLS with those only who have gone meanwhile."""

    begins: threading.Event

    def wrap_socket(self, sock: socket.socket, *args: Any, **named: Any) -> ssl.SSLSocket:
        gone = select.poll()
        gone.register(sock, 0)                    # a reset is told without being asked for
        self.begins.set()
        assert gone.poll(PATIENCE_S * 1000)
        return super().wrap_socket(sock, *args, **named)


def test_who_goes_at_the_last_moment_before_tls_leaves_no_trace(
        certificates: Certificates, running: Server, address: tuple[str, int],
        caplog: pytest.LogCaptureFixture) -> None:
    late = Late(ssl.PROTOCOL_TLS_SERVER)
    late.begins = threading.Event()
    running.secure(late)
    with socket.create_connection(address, PATIENCE_S) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        line.sendall(b"\x16\x03\x01\x00")
        assert late.begins.wait(PATIENCE_S)
    running.secure(certificates.context())
    with spoken(address, certificates) as after:
        after.sendall(GET + b"\r\n")
        assert answer(after, b"")
    assert not [one.getMessage() for one in caplog.records if one.exc_info]


@pytest.mark.parametrize(("said", "answered"), [
    (b"GET /contacts?page=2 HTTP/1.1\r\nHost: box:8080\r\n\r\n",
     b"HTTP/1.1 308 Permanent Redirect\r\nLocation: https://box:8080/contacts?page=2\r\n"),
    (b"GET / HTTP/1.1\r\nhost:[::1]:80\r\n\r\n",
     b"HTTP/1.1 308 Permanent Redirect\r\nLocation: https://[::1]:80/\r\n"),
    (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n"),
    (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n"),
    (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n"),
])
@pytest.mark.usefixtures("certificates")
def test_who_speaks_http_is_sent_to_https(address: tuple[str, int], said: bytes, answered: bytes) -> None:
    with socket.create_connection(address, PATIENCE_S) as line:
        line.sendall(said)
        octets = b""
        while more := line.recv(65536):
            octets += more
        assert octets.startswith(answered)


def test_the_next_connection_gets_the_new_certificate(
        certificates: Certificates, running: Server, address: tuple[str, int]) -> None:
    with spoken(address, certificates) as before:
        certificates.own(1.0)
        running.secure(certificates.context())
        with spoken(address, certificates) as after:
            assert before.getpeercert(True) != after.getpeercert(True)
        before.sendall(GET + b"\r\n")
        assert answer(before, b"")


@pytest.mark.parametrize(("option", "good"), [("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)])
def test_openssl_gets_tls_1_2_or_later(
        certificates: Certificates, address: tuple[str, int], option: str, good: bool) -> None:
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{address[0]}:{address[1]}", option, "-servername", "box",
         "-verify_return_error", "-ign_eof", "-CAfile", str(certificates.path)],
        input=GET + b"Connection: close\r\n\r\n", capture_output=True, timeout=PATIENCE_S, check=False)
    assert (b"HTTP/1.1 200 OK" in done.stdout) is good
