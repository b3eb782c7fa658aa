"""The HTTP server: cheroot in threads of its own, a bounded number of them."""

import errno
import ipaddress
import logging
import threading
from typing import Any

from cheroot import wsgi

from appliance.errors import Unavailable
from webui.parts import STREAMS

PAGE_THREADS = 24                                 # beside one for each live page
SILENCE_S = 10                                    # a client that neither reads nor writes is let go
SHUTDOWN_S = 2
BACKLOG = 128                                     # connections that wait to be accepted
MAX_HEAD_OCTETS = 16 * 1024
MAX_BODY_OCTETS = 1024 * 1024                     # refused unread; the application's own limit is lower

log = logging.getLogger(__name__)


class _Server(wsgi.Server):
    refused: OSError | None = None                # why the last address could not be had

    def bind(self, *where: Any) -> Any:
        """As cheroot's, but keeps the error, of which prepare() tells only the text."""
        try:
            return super().bind(*where)
        except OSError as error:
            self.refused = error
            raise

    def process_conn(self, conn: Any) -> None:
        """Give a thread only to a client that has said something: silent ones wait in the selector."""
        if conn.last_used is None:
            self._connections.put(conn)           # type: ignore[attr-defined]  # the stubs leave it out
        else:
            super().process_conn(conn)

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        log.log(min(level, logging.WARNING), "%s", msg.strip(), exc_info=traceback)


class Server:
    """Listens from construction on; `url` says where. Unavailable when it cannot."""

    def __init__(self, application: Any, host: str, port: int) -> None:
        self._server = _Server(
            (host, port), application, numthreads=PAGE_THREADS + STREAMS, server_name="Branchline",
            request_queue_size=BACKLOG, timeout=SILENCE_S, shutdown_timeout=SHUTDOWN_S)
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
