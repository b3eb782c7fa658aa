"""A D-channel socket of trunkd's as a span without a line: frames only, and at once."""
import contextlib
import os
import select
import socket
from pathlib import Path

from e1_driver import Abilities, Alarm, Block, Counters, LineStatus, Loop, Span
from e1_driver.framing.hdlc import MAX_OCTETS

NO_LINE = Abilities(alarms=frozenset({Alarm.LOS}), counters=frozenset())


class SocketSpan(Span):
    """Listens at `path` as spand does. Up while trunkd is connected."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        self._listener.bind(str(path))
        self._listener.listen()
        self._client: socket.socket | None = None
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)

    @property
    def abilities(self) -> Abilities:
        return NO_LINE

    def fileno(self) -> int:
        return self._epoll.fileno()

    def read(self, now: float) -> Block | None:
        if self._client is None:
            with contextlib.suppress(BlockingIOError):
                self._client, _ = self._listener.accept()
                self._client.setblocking(False)
                self._epoll.register(self._client, select.EPOLLIN)
        return None

    def write(self, block: Block) -> None: ...

    def send_frame(self, frame: bytes) -> bool:
        if self._client is None:
            return False
        self._client.send(frame)
        return True

    def receive_frames(self) -> list[bytes]:
        frames: list[bytes] = []
        with contextlib.suppress(BlockingIOError):
            while self._client is not None:
                frame = self._client.recv(MAX_OCTETS + 1)
                if not frame:
                    self._hang_up()
                    break
                frames.append(frame)
        return frames

    def status(self) -> LineStatus:
        return LineStatus(frozenset() if self._client else frozenset({Alarm.LOS}))

    def counters(self) -> Counters:
        return Counters()

    def loop(self, loop: Loop) -> None:
        if loop is not Loop.NONE:
            raise ValueError("a socket has no loops")

    def close(self) -> None:
        self._hang_up()
        if self._listener.fileno() >= 0:
            os.unlink(self._listener.getsockname())
            self._listener.close()
            self._epoll.close()

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
