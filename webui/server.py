"""The HTTP server: cheroot in threads of its own, a bounded number of them."""

import errno
import ipaddress
import logging
import os
import selectors
import socket
import sys
import threading
import time
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

    def readinto(self, buffer: Any) -> int | None:
        if not self.said:
            return super().readinto(buffer)
        octets, self.said = self.said[:len(buffer)], self.said[len(buffer):]
        buffer[:len(octets)] = octets
        return len(octets)


class _Reader(StreamReader):
    def __init__(self, sock: Any, mode: str, size: int) -> None:
        self.line = _Line(sock, "rb")
        super(StreamReader, self).__init__(self.line, size)
        self.bytes_read = 0

    def has_data(self) -> bool:
        return bool(self.line.said or super().has_data())            # type: ignore[no-untyped-call]

    def unread(self) -> None:
        """Give back to the line what was read ahead of it."""
        if super().has_data():                    # type: ignore[no-untyped-call]
            self.line.said = super(StreamReader, self).read(len(self.peek(1))) + self.line.said


class _Connection(HTTPConnection):
    refusal = ""

    def __init__(self, server: Any, sock: Any, makefile: Any = MakeFile) -> None:
        super().__init__(server, sock, lambda *file: (_Reader if file[1] == "rb" else makefile)(*file))

    def is_heard(self) -> bool:
        """Take in what has come; True when it is time for an answer."""
        self.rfile.unread()
        line = self.rfile.line
        if (verdict := judge(line.said)) is None:
            try:
                octets = os.read(self.socket.fileno(), READ_OCTETS)
            except BlockingIOError:
                return False
            except OSError:
                octets = b""
            if not octets:                        # no more will come
                return True
            line.said += octets
            verdict = judge(line.said)
        self.refusal = verdict or ""
        return verdict is not None

    def communicate(self) -> bool:
        if self.refusal:
            self.RequestHandlerClass(self.server, self).simple_response(self.refusal)
            return False
        return bool(super().communicate())        # type: ignore[no-untyped-call]


class _Gateway(wsgi.Gateway_10):
    def get_environ(self) -> dict[str, Any]:      # type: ignore[override]  # the stubs have None
        """Also to which address of this machine the browser came."""
        environ: dict[str, Any] = super().get_environ()              # type: ignore[no-untyped-call]
        return environ | {HERE: self.req.conn.socket.getsockname()[0]}


class _Server(wsgi.Server):
    ConnectionClass = _Connection
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

    def __init__(self, application: Any, host: str, port: int) -> None:
        self._server = _Server(
            (host, port), application, numthreads=PAGE_THREADS + STREAMS, server_name="Branchline",
            request_queue_size=BACKLOG, timeout=SILENCE_S, shutdown_timeout=SHUTDOWN_S,
            accepted_queue_size=MOST_QUEUED, accepted_queue_timeout=0)
        self._server.gateway = _Gateway
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
        self.url = f"http://{f'[{address}]' if address.version == 6 else address}:{port}/"
        self._thread = threading.Thread(target=self._server.serve, name="web server")

    def start(self) -> None:
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

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
