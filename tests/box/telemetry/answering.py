"""A server of writes that says what it was asked, and answers as it is told."""

import http.server
import queue
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Asked:
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Answering:
    """One server; `answers`: status and body of the next ones, then 204."""

    url: str
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    away: bool = False                            # all are answered with 503
    again_s: int = 0                              # Retry-After of all answers; 0: none
    asked: list[Asked] = field(default_factory=list)
    first: threading.Event = field(default_factory=threading.Event)              # it was answered once
    taken: "queue.Queue[Asked]" = field(default_factory=queue.Queue)             # those answered with 204


def serve(tls: ssl.SSLContext | None = None) -> Iterator[Answering]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked = Asked(self.path, dict(self.headers), body)
            found.asked.append(asked)
            status, said = (503, b"") if found.away else found.answers.pop(0) if found.answers else (204, b"")
            if status == 204:
                found.taken.put(asked)
            self.send_response(status)
            if status == 307:
                self.send_header("Location", "http://127.0.0.1:1/")
            if found.again_s:
                self.send_header("Retry-After", str(found.again_s))
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)
            found.first.set()

        def log_message(self, *args: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        found = Answering(f"http{'s' if tls else ''}://localhost:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
