"""The HTTP server: cheroot in threads of its own, a bounded number of them; TLS where it has a certificate.

One port for both: who speaks HTTP where HTTPS is wanted is sent there. A TLS handshake takes no thread, as a
request that is not heard out takes none.
"""

import contextlib
import errno
import ipaddress
import logging
import re
import selectors
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from cheroot import wsgi
from cheroot.makefile import MakeFile, StreamReader
from cheroot.server import HTTPConnection

from appliance.errors import Unavailable
from webui.parts import STREAMS

PAGE_THREADS = 24                                 # beside one for each live page
SILENCE_S = 10                                    # a client that takes longer to ask or to read is let go
SHUTDOWN_S = 2
BACKLOG = 128                                     # connections that wait to be accepted
MOST_WAITING = 256                                # that are not heard out; the longest waiting makes room
MOST_QUEUED = 64                                  # that wait for a thread; the next ones get 503
MAX_HEAD_OCTETS = 16 * 1024
MAX_BODY_OCTETS = 64 * 1024                       # no form is larger
READ_OCTETS = 64 * 1024
HERE = "branchline.address"                       # in a request's environ: the box's address it came to
TAKE = "branchline.take"                          # likewise: who is given the socket when it is answered

Taker = Callable[[socket.socket, bytes], None]    # with what came behind the request

_HANDSHAKE = b"\x16"                              # the first octet of every TLS connection: RFC 8446 5.1
_HOST = re.compile(rb"^host:[ \t]*([A-Za-z0-9.:\[\]-]{1,255})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_TARGET = re.compile(rb"^[A-Z]{1,16} (/[!-~]{0,8000}) HTTP/1")

log = logging.getLogger(__name__)


def judge(said: bytes) -> str | None:
    """Of what a client has said so far: None, more must come; "", a whole request; else the refusal."""
    head, end, body = said.partition(b"\r\n\r\n")
    if not end:
        return None if len(said) <= MAX_HEAD_OCTETS else "431 Request Header Fields Too Large"
    lengths = []
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if line.startswith((b" ", b"\t")):        # folded: RFC 9112 5.2
            return "400 Bad Request"
        if name.strip().lower() == b"transfer-encoding":
            return "411 Length Required"
        if name.strip().lower() == b"content-length":
            lengths.append(value.strip())
    if not lengths:
        return ""
    if len(lengths) > 1 or not lengths[0].isdigit():
        return "400 Bad Request"
    if len(lengths[0]) > 9 or int(lengths[0]) > MAX_BODY_OCTETS:
        return "413 Content Too Large"
    return "" if len(body) >= int(lengths[0]) else None


class _Line(socket.SocketIO):
    """What a client says: first what had come before a thread was given to it."""

    said = b""

    def __init__(self, sock: Any) -> None:
        super().__init__(sock, "rb")
        self._tls = sock if isinstance(sock, ssl.SSLSocket) else None

    def readinto(self, buffer: Any) -> int | None:
        if not self.said:
            return super().readinto(buffer)
        octets, self.said = self.said[:len(buffer)], self.said[len(buffer):]
        buffer[:len(octets)] = octets
        return len(octets)

    def decrypted(self) -> int:
        """Octets that lie in the TLS layer, of which the selector does not know."""
        return self._tls.pending() if self._tls else 0


class _Reader(StreamReader):
    def __init__(self, sock: Any, mode: str, size: int) -> None:
        self.line = _Line(sock)
        super(StreamReader, self).__init__(self.line, size)
        self.bytes_read = 0

    def has_data(self) -> bool:
        return bool(self.line.said or self.line.decrypted() or super().has_data())  # type: ignore[no-untyped-call]

    def unread(self) -> None:
        """Give back to the line what was read ahead of it."""
        if super().has_data():                    # type: ignore[no-untyped-call]
            self.line.said = super(StreamReader, self).read(len(self.peek(1))) + self.line.said


class _Connection(HTTPConnection):
    refusal = ""
    taker: Taker | None = None
    taken = False                                 # the socket is no longer ours

    def __init__(self, server: Any, sock: Any, makefile: Any = MakeFile) -> None:
        super().__init__(server, sock, lambda *file: (_Reader if file[1] == "rb" else makefile)(*file))
        self._context: ssl.SSLContext | None = server.tls
        self._shaking = False
        self.elsewhere = False                    # he speaks HTTP, and is to come again with HTTPS

    @property
    def secured(self) -> bool:
        return isinstance(self.socket, ssl.SSLSocket)

    def is_heard(self) -> bool:
        """Take in what has come; True when it is time for an answer."""
        self.rfile.unread()
        while (verdict := judge(self.rfile.line.said)) is None:
            if (octets := self._arrived()) is None:
                return False
            if not octets:                        # no more will come
                return True
            self.rfile.line.said += octets
        self.refusal = verdict
        return True

    def _arrived(self) -> bytes | None:
        """What has come; b"": the end; None: nothing yet."""
        self.socket.settimeout(0.0)
        try:
            if self._context is not None and not self.elsewhere:
                self._begin(self._context)
            if self._shaking:
                self.socket.do_handshake()
                self._shaking = False
            octets: bytes = self.socket.recv(READ_OCTETS)
            return octets
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError:
            return b""
        finally:
            self.socket.settimeout(SILENCE_S)

    def _begin(self, context: ssl.SSLContext) -> None:
        """By his first octet: TLS, or a browser that does not know of it yet."""
        self.elsewhere = (first := self.socket.recv(1, socket.MSG_PEEK)) != _HANDSHAKE
        if first == _HANDSHAKE:
            self._shaking = True                  # whatever comes of it: there is no request yet
            # Of who has gone it loses the socket: this one stays, to be closed as any other.
            secured = context.wrap_socket(
                self.socket.dup(), server_side=True, do_handshake_on_connect=False)
            self.socket.close()
            self.socket = secured
            self.rfile, self.wfile = _Reader(self.socket, "rb", self.rbufsize), MakeFile(
                self.socket, "wb", self.wbufsize)
            self._context = None

    def communicate(self) -> bool:
        if self.elsewhere:
            self._send_elsewhere()
            return False
        if self.refusal:
            self.RequestHandlerClass(self.server, self).simple_response(self.refusal)
            return False
        if self._shaking:                         # it never came to a request
            return False
        try:
            return bool(super().communicate())    # type: ignore[no-untyped-call]
        finally:
            if self.taker is not None:
                self.taken = True
                self.rfile.unread()
                self.taker(self.socket, self.rfile.line.said)

    def take(self, taker: Taker) -> None:
        """Give the socket away when this request is answered; no thread of this server looks at it then."""
        self.taker = taker

    def close(self) -> None:
        if not self.taken:
            super().close()

    def _send_elsewhere(self) -> None:
        said = self.rfile.line.said
        host, target = _HOST.search(said), _TARGET.match(said.lstrip(b"\r\n"))
        if host is None or target is None:
            answer = b"HTTP/1.1 400 Bad Request\r\n"
        else:
            answer = b"HTTP/1.1 308 Permanent Redirect\r\nLocation: https://%s%s\r\n" % (host[1], target[1])
        with contextlib.suppress(OSError):
            self.wfile.write(answer + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
            self.wfile.flush()


class _Gateway(wsgi.Gateway_10):
    def get_environ(self) -> dict[str, Any]:      # type: ignore[override]  # the stubs have None
        """Also to which address of this machine the browser came, and whether by TLS."""
        environ: dict[str, Any] = super().get_environ()              # type: ignore[no-untyped-call]
        if self.req.conn.secured:
            environ |= {"wsgi.url_scheme": "https", "HTTPS": "on"}
        return environ | {HERE: self.req.conn.socket.getsockname()[0], TAKE: self.req.conn.take}

    def respond(self) -> None:
        super().respond()
        if self.req.conn.taker is not None:       # what follows is somebody else's to say
            self.req.chunked_write, self.req.close_connection = False, True


class _Server(wsgi.Server):
    ConnectionClass = _Connection
    tls: ssl.SSLContext | None = None
    refused: OSError | None = None                # why the last address could not be had

    def bind(self, *where: Any) -> Any:
        """As cheroot's, but keeps the error, of which prepare() tells only the text."""
        try:
            return super().bind(*where)
        except OSError as error:
            self.refused = error
            raise

    def process_conn(self, conn: Any) -> None:
        """Give a thread only to a client that has said all it wants: the others wait in the selector."""
        connections = self._connections           # type: ignore[attr-defined]  # the stubs leave it out
        waiting = connections._selector
        if conn.last_used is None:
            if len(waiting) > MOST_WAITING:
                descriptor, longest = next(pair for pair in list(waiting.connections) if pair[1] is not self)
                waiting.unregister(descriptor)
                longest.close()
            connections.put(conn)
        elif conn.is_heard():
            super().process_conn(conn)
        else:                                     # not put(): its time goes on
            waiting.register(conn.socket.fileno(), selectors.EVENT_READ, data=conn)

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            log.error("no descriptor is left for another browser")
            time.sleep(1.0)                       # accept() would fail again at once
            return
        log.log(min(level, logging.WARNING), "%s", msg.strip(), exc_info=traceback)


class Server:
    """Listens from construction on; `url` says where. Unavailable when it cannot."""

    def __init__(self, application: Any, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._server = _Server(
            (host, port), application, numthreads=PAGE_THREADS + STREAMS, server_name="Branchline",
            request_queue_size=BACKLOG, timeout=SILENCE_S, shutdown_timeout=SHUTDOWN_S,
            accepted_queue_size=MOST_QUEUED, accepted_queue_timeout=0)
        self._server.gateway, self._server.tls = _Gateway, tls
        self._server.max_request_header_size = MAX_HEAD_OCTETS
        self._server.max_request_body_size = MAX_BODY_OCTETS
        try:
            self._server.prepare()
        except OSError as error:
            raise Unavailable(_why(host, port, self._server.refused or error)) from None
        host, port = self._server.bind_addr
        address = ipaddress.ip_address(host)
        if address.is_unspecified:                # it listens everywhere, also here
            address = ipaddress.ip_address("127.0.0.1")
        scheme, where = "https" if tls else "http", f"[{address}]" if address.version == 6 else str(address)
        self.url = f"{scheme}://{where}:{port}/"
        self._thread = threading.Thread(target=self._server.serve, name="web server")

    def start(self) -> None:
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def secure(self, tls: ssl.SSLContext) -> None:
        """New connections get this certificate."""
        self._server.tls = tls

    def stop(self) -> None:
        """End it; returns when every thread has."""
        self._server.stop()
        self._thread.join()


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"web: {host}:{port} is in use: end the program that has it, or set web.port to another or 0"
    if error.errno == errno.EACCES:
        return f"web: {host}:{port}: not permitted: set web.port to 1024 or above"
    return f"web: cannot listen on {host}:{port} ({error}): set web.host to an address of this machine"
