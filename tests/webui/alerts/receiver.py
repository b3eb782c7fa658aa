"""A web server of somebody else, and a mail server that is not ours."""

import contextlib
import http.server
import queue
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Receiver:
    """`answers`: with what it answers next, else 204. `came`: each request as it comes."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    came: "queue.Queue[tuple[dict[str, str], bytes]]" = field(default_factory=queue.Queue)


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append(said)
            receiver.came.put(said)
            self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
            self.send_header("Location", receiver.url)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/alerts?site=7"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class MailBox:
    port: int
    mails: "queue.Queue[Message]" = field(default_factory=queue.Queue)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.put(message_from_bytes(envelope.content))
        return "250 taken"


@contextlib.contextmanager
def mail_box() -> Iterator[MailBox]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        box = MailBox(free.getsockname()[1])
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
