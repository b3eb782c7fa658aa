"""One span: its signalling, fed by spand's D-channel socket, spand's word about the line and the clock."""
import asyncio
import contextlib
import logging
import secrets
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.config.schema import SpanConfig
from appliance.isdn.call.states import TIMERS, Timers
from appliance.isdn.dss1 import CALL_REFERENCES, Signalling
from appliance.isdn.events import Event
from appliance.isdn.lapd import Side
from appliance.trunk.line_watch import LineWatch
from e1_driver.watch.capture import Capture

FRAME_MAX_OCTETS = 512
RECONNECT_S = 0.2

log = logging.getLogger(__name__)


def new_leg() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class _Connected:
    there: bool


@dataclass(frozen=True, slots=True)
class _LineState:
    up: bool


class TrunkSpan:
    """`handle(span, event)` is called for each event, before the frames that go with it are sent."""

    def __init__(self, config: SpanConfig, socket_path: Path, cold: bool,
                 handle: Callable[["TrunkSpan", Event], None], timers: Timers | None = None) -> None:
        side = Side(config.side)
        self.config, self.link_since = config, time.time()
        self.signalling = Signalling(
            side, new_leg, timers=timers or TIMERS[side], hunt=config.channels, overlap=config.overlap,
            cold=cold, first_call_ref=secrets.randbelow(CALL_REFERENCES) + 1, name=config.name)
        self.frames_not_taken = 0                 # by spand
        self._path, self._handle = socket_path, handle
        self._capture = Capture()
        self._socket: socket.socket | None = None
        self._inbox: deque[bytes | _Connected | _LineState] = deque()
        self._watch, self._line_up = LineWatch(), False
        self._wake = asyncio.Event()
        self._flushing = False

    def trace(self, frames: int) -> bytes:
        """The newest `frames` D-channel frames as a capture file."""
        return self._capture.pcap(self.signalling.side is Side.NETWORK, newest=max(frames, 0))

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def line_state(self, up: bool) -> None:
        """spand says whether the line is up."""
        self._put(_LineState(up))

    async def run(self) -> None:
        """Until cancelled. The calls stay as they are."""
        reader = asyncio.create_task(self._read())
        try:
            while True:
                self._turn()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(self._next_deadline()):
                        await self._wake.wait()
                self._wake.clear()
        finally:
            reader.cancel()

    def flush(self) -> None:
        """Hand out events, then frames: call it after every request to the signalling."""
        if self._flushing:                        # a handler asked for something: the loop below sees to it
            return
        self._flushing = True
        try:
            while events := self.signalling.take_events():
                for event in events:
                    self._handle(self, event)
        finally:
            self._flushing = False
        for frame in self.signalling.take_frames():
            self._capture.add(self.now(), time.time(), True, frame)
            self._send(frame)
        self._wake.set()                          # the deadline may be another one now

    def _next_deadline(self) -> float | None:
        deadlines = (self.signalling.next_deadline(), self._watch.next_deadline(self.now()))
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def _turn(self) -> None:
        now = self.now()
        while self._inbox:
            match self._inbox.popleft():
                case _Connected(there):
                    self._watch.connected(there, now)
                    self._tell_line(now)
                case _LineState(up):
                    self._watch.alarm(not up, now)
                    self._tell_line(now)
                case bytes() as frame:
                    self._watch.frame()
                    self._tell_line(now)
                    self._capture.add(now, time.time(), False, frame)
                    self.signalling.receive_frame(frame, now)
        self._tell_line(now)
        self.signalling.expire(now)
        self.flush()
        self._wake.clear()

    def _tell_line(self, now: float) -> None:
        up = self._watch.is_up(now)
        if up != self._line_up:
            self._line_up = up
            log.log(logging.INFO if up else logging.WARNING, "%s: the line is %s", self.config.name,
                    "up" if up else "down: no call is placed on it, calls that talk have T309 left")
            self.signalling.line_up(up, now)

    def _send(self, frame: bytes) -> None:
        try:
            if self._socket is None:
                raise BrokenPipeError
            self._socket.send(frame)
        except OSError:                           # gone, full or closing: layer 2 sends it again
            self.frames_not_taken += 1

    async def _read(self) -> None:
        """Keep the socket to spand; what comes in goes to the inbox."""
        loop = asyncio.get_running_loop()
        said = False
        while True:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
                connection.setblocking(False)
                try:
                    await loop.sock_connect(connection, str(self._path))
                except OSError as error:
                    if not said:
                        log.info("%s: %s: waiting for spand", self._path, error.strerror)
                        said = True
                    await asyncio.sleep(RECONNECT_S)
                    continue
                log.info("%s: D-channel connected", self.config.name)
                said = False
                self._socket = connection
                self._put(_Connected(True))
                try:
                    while frame := await loop.sock_recv(connection, FRAME_MAX_OCTETS):
                        self._put(frame)
                        await asyncio.sleep(0)    # however fast they come, the others have their turn
                except OSError as error:
                    log.info("%s: D-channel: %s", self.config.name, error)
                finally:
                    self._socket = None
                log.warning("%s: D-channel lost, connecting again", self.config.name)
                self._put(_Connected(False))

    def _put(self, item: bytes | _Connected | _LineState) -> None:
        self._inbox.append(item)
        self._wake.set()
