"""One span: its signalling, fed by spand's D-channel socket, spand's word about the line and the clock."""
import asyncio
import logging
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from appliance.bus.messages import SpanTrace
from appliance.config.schema import SpanConfig
from appliance.isdn.dss1 import CALL_REFERENCES, Signalling
from appliance.isdn.events import Event
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES, override
from appliance.trunk.line_watch import LineWatch
from appliance.trunk.traces import SpanTraces, span_trace
from e1_driver.watch.capture import Capture

FRAME_MAX_OCTETS = 512
FRAMES_AT_ONCE = 16                               # in one turn; then the others have theirs
RECONNECT_S = 0.2

log = logging.getLogger(__name__)


def new_leg() -> str:
    return secrets.token_hex(8)


class TrunkSpan:
    """`handle(span, event)` is called for each event, `settle()` when all of a turn are handled, before the
    frames that go with them are sent."""

    def __init__(self, config: SpanConfig, socket_path: Path, cold: bool,
                 handle: Callable[["TrunkSpan", Event], None], settle: Callable[[], None]) -> None:
        side, profile = Side(config.side), PROFILES[config.profile]
        self.config, self.link_since = config, time.time()
        self.signalling = Signalling(
            side, new_leg, profile=profile, timers=override(profile.timers[side], config.timers),
            timeslots=config.bearers, hunt=config.channels, overlap=config.overlap,
            selection=config.selection, cold=cold, audit_s=config.audit_s,
            first_call_ref=secrets.randbelow(CALL_REFERENCES) + 1, name=config.name)
        self.signalling.reserve(config.directions)
        self.frames_not_taken = 0                 # by spand
        self._path, self._handle, self._settle = socket_path, handle, settle
        self._capture = Capture()
        self.traces = SpanTraces(side is Side.NETWORK)
        self._socket: socket.socket | None = None
        self._watch, self._line_up = LineWatch(), False
        self._failure: asyncio.Future[None] | None = None        # of a turn; None: run() is not there
        self._alarm: asyncio.TimerHandle | None = None
        self._flushing = False

    def change(self, config: SpanConfig) -> None:
        """Other settings from now on; url, side and timeslots stay."""
        self.config = config
        profile, side = PROFILES[config.profile], self.signalling.side
        self.signalling.change(
            profile=profile, timers=override(profile.timers[side], config.timers), hunt=config.channels,
            overlap=config.overlap, audit_s=config.audit_s,
            selection=config.selection or profile.selection)
        self.signalling.reserve(config.directions)

    @property
    def names_channel(self) -> bool:
        """Our SETUP says which channel it wants."""
        return self.config.selection not in ("any", "none")

    def trace(self, frames: int) -> bytes:
        """The newest `frames` D-channel frames as a capture file."""
        return self._capture.pcap(self.signalling.side is Side.NETWORK, newest=max(frames, 0))

    def newest(self, since_unix_s: float, most: int) -> SpanTrace:
        """The newest frames of those that are kept, at most so many."""
        found = list(self._capture.frames(since_unix_s, max(most, 0)))
        return span_trace(self.traces.network_side, found, most)

    def _keep(self, sent: bool, frame: bytes) -> None:
        at_unix_s = time.time()
        self._capture.add(self.now(), at_unix_s, sent, self.traces.see(at_unix_s, sent, frame))

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def line_state(self, up: bool) -> None:
        """spand says whether the line is up."""
        self._watch.alarm(not up, self.now())
        self._turn()

    async def run(self) -> None:
        """Until cancelled. The calls stay as they are."""
        self._failure = asyncio.get_running_loop().create_future()
        connecting = asyncio.create_task(self._keep_connected())
        try:
            self._turn()
            await self._failure
        finally:
            connecting.cancel()
            self._failure = None
            if self._alarm is not None:
                self._alarm.cancel()
                self._alarm = None

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
        self._settle()
        for frame in self.signalling.take_frames():
            self._keep(True, frame)
            self._send(frame)
        self._set_alarm()

    def _next_deadline(self) -> float | None:
        deadlines = (self.signalling.next_deadline(), self._watch.next_deadline(self.now()))
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def _set_alarm(self) -> None:
        """One that rings too early costs a turn, to set it anew for every frame costs more."""
        due = self._next_deadline()
        if due is None or (self._alarm is not None and self._alarm.when() <= due):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = asyncio.get_running_loop().call_at(due, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._turn()

    def _turn(self, frames: Sequence[bytes] = ()) -> None:
        """Something has happened, or time has come to the deadline. run() raises what goes wrong."""
        if self._failure is None or self._failure.done():
            return
        try:
            now = self.now()
            if frames:
                self._watch.frame()
            self._tell_line(now)
            for frame in frames:
                self._keep(False, frame)
                self.signalling.receive_frame(frame, now)
            self.signalling.expire(now)
            self.flush()
        except Exception as error:
            self._failure.set_exception(error)

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

    async def _keep_connected(self) -> None:
        """The socket to spand."""
        loop, said = asyncio.get_running_loop(), False
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
                self._connected(True)
                lost = loop.create_future()
                loop.add_reader(connection, self._read, connection, lost)
                try:
                    await lost
                finally:
                    loop.remove_reader(connection)
                    self._socket = None
                log.warning("%s: D-channel lost, connecting again", self.config.name)
                self._connected(False)

    def _read(self, connection: socket.socket, lost: "asyncio.Future[None]") -> None:
        """What waits there."""
        frames: list[bytes] = []
        try:
            while len(frames) < FRAMES_AT_ONCE:
                frame = connection.recv(FRAME_MAX_OCTETS)
                if not frame:
                    raise ConnectionResetError
                frames.append(frame)
        except BlockingIOError:
            pass
        except OSError:
            asyncio.get_running_loop().remove_reader(connection)
            lost.set_result(None)
        if frames:
            self._turn(frames)

    def _connected(self, there: bool) -> None:
        self._watch.connected(there, self.now())
        self._turn()
