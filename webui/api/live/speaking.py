"""The two ways to be told: WebSocket frames (RFC 6455, by wsproto) and server-sent events in HTTP chunks.

No I/O, no clock: octets go in, what was said comes out; a message goes in, octets come out.
"""

from dataclasses import dataclass
from typing import Protocol

import msgspec
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import (
    BytesMessage,
    CloseConnection,
    Ping,
    TextMessage,
)
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

MESSAGE_MOST = 4096                               # characters that a program says at once
REASON_MOST = 120                                 # octets: RFC 6455 5.5

# RFC 6455 7.4.1, and 1013 of IANA's registry
GOING_AWAY, UNSUPPORTED, POLICY, TOO_BIG, AGAIN = 1001, 1003, 1008, 1009, 1013
NO_TOKEN = 4401                                   # of our own (RFC 6455 7.4.2), as HTTP's 401


@dataclass(frozen=True, slots=True)
class Said:
    """`text`: a whole message; `refused`: a code to close with, and `why`; `over`: he has gone."""

    text: str = ""
    refused: int = 0
    why: str = ""
    over: bool = False


class Speaker(Protocol):
    answers: bool                                 # a ping is answered

    def receive(self, octets: bytes) -> tuple[list[Said], bytes]:
        """What he said, and octets that are to be answered at once."""

    def tell(self, topic: str, message: bytes) -> bytes: ...

    def ping(self) -> bytes: ...

    def close(self, code: int, why: str) -> bytes:
        """The last octets; b"" when it was said already."""


class WebSocket:
    answers = True

    def __init__(self) -> None:
        self._frames = Connection(ConnectionType.SERVER)
        self._begun: list[str] = []
        self._length = 0                          # characters in it

    def receive(self, octets: bytes) -> tuple[list[Said], bytes]:
        said: list[Said] = []
        answer = b""
        try:
            self._frames.receive_data(octets)
            for event in self._frames.events():
                if isinstance(event, TextMessage):
                    said += self._text(event)
                elif isinstance(event, BytesMessage):
                    said.append(Said(refused=UNSUPPORTED, why="say text"))
                elif isinstance(event, Ping):
                    answer += self._frames.send(event.response())
                elif isinstance(event, CloseConnection):
                    if self._frames.state is ConnectionState.REMOTE_CLOSING:
                        answer += self._frames.send(event.response())
                    elif self._frames.state is ConnectionState.OPEN:  # frames that are none: 7.1.7
                        answer += self._frames.send(CloseConnection(event.code, event.reason))
                    said.append(Said(over=True))
        except (LocalProtocolError, RemoteProtocolError):             # more after the end
            said.append(Said(over=True))
        return said, answer

    def _text(self, event: TextMessage) -> list[Said]:
        if event.data:                            # frames may be empty, as many as one likes
            self._begun.append(event.data)
            self._length += len(event.data)
        if self._length > MESSAGE_MOST:
            self._begun, self._length = [], 0
            return [Said(refused=TOO_BIG, why=f"at most {MESSAGE_MOST} characters")]
        if not event.message_finished:
            return []
        text = "".join(self._begun)
        self._begun, self._length = [], 0
        return [Said(text)]

    def tell(self, topic: str, message: bytes) -> bytes:
        return self._send(TextMessage(message.decode()))

    def ping(self) -> bytes:
        return self._send(Ping())

    def close(self, code: int, why: str) -> bytes:
        return self._send(CloseConnection(code, why.encode()[:REASON_MOST].decode(errors="ignore")))

    def _send(self, event: TextMessage | Ping | CloseConnection) -> bytes:
        try:
            return bytes(self._frames.send(event))
        except LocalProtocolError:                # it is closing
            return b""


class EventStream:
    """`event` is the topic, or end with a code and why."""

    answers = False

    def __init__(self) -> None:
        self._over = False

    def receive(self, octets: bytes) -> tuple[list[Said], bytes]:
        """It was said in the address what he wants; there is nothing more to say."""
        return [Said(refused=POLICY, why="nothing is said on a stream of events")], b""

    def tell(self, topic: str, message: bytes) -> bytes:
        return self._chunk(b"event: %s\ndata: %s\n\n" % (topic.encode(), message))

    def ping(self) -> bytes:
        return self._chunk(b": still here\n\n")

    def close(self, code: int, why: str) -> bytes:
        last = self._chunk(b"event: end\ndata: %s\n\n" % msgspec.json.encode({"code": code, "reason": why}))
        if not self._over:
            last += b"0\r\n\r\n"
        self._over = True
        return last

    def _chunk(self, octets: bytes) -> bytes:
        return b"" if self._over else b"%x\r\n%s\r\n" % (len(octets), octets)
