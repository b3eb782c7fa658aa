"""The osmo-e1d backend: one line of an interface that the daemon serves, such as an icE1usb adapter.

The daemon is the clock: it hands over 10 ms of each timeslot at a time and takes as many octets as we were
given.
"""

import logging
import os
import select
import socket
import time
from collections import deque
from dataclasses import replace

import numpy as np

from e1_driver import (
    BEARERS,
    BLOCK,
    D_TIMESLOT,
    IDLE,
    TIMESLOTS,
    Abilities,
    Alarm,
    Block,
    Counters,
    LineError,
    LineStatus,
    Loop,
    Span,
)
from e1_driver.backends import e1d_wire as wire
from e1_driver.backends.e1d_url import parts
from e1_driver.framing.hdlc import MIN_OCTETS
from e1_driver.soft import LOOPED_BLOCKS, check_loop, idle_block
from e1_driver.timerfd import Timer

log = logging.getLogger(__name__)

ANSWER_S = 2.0
FREE_S = 0.5                                      # a timeslot just closed is not free for up to a block
SILENT_S = 0.2                                    # no octets for this long is LOS whatever the daemon says
LAG_S = 0.1                                       # a bearer this long behind the others is left out
CATCH_UP_BLOCKS = 10                              # older ones are thrown away
PREFILL_BLOCKS = 1                                # what waits in the daemon before our first: slack
STEADY_BLOCKS = PREFILL_BLOCKS + 1                # what waits there after a write

_IDLE_OCTETS = bytes((IDLE,)) * BLOCK
_UNKNOWN = b"\xff" * BLOCK                        # rows 0 and 16: the daemon keeps them to itself
_RECEIVE_OCTETS = 16_384
_ALARM = {
    wire.Event.LOS_ON: (Alarm.LOS, True), wire.Event.LOS_OFF: (Alarm.LOS, False),
    wire.Event.AIS_ON: (Alarm.AIS, True), wire.Event.AIS_OFF: (Alarm.AIS, False),
    wire.Event.RAI_ON: (Alarm.RAI, True), wire.Event.RAI_OFF: (Alarm.RAI, False),
    wire.Event.LOF_ON: (Alarm.LOF, True), wire.Event.LOF_OFF: (Alarm.LOF, False),
}
_ABILITIES = Abilities(
    alarms=frozenset(alarm for alarm, _ in _ALARM.values()),
    counters=frozenset({"blocks_in", "blocks_out", "slips", "frames_in", "frames_out", "runts", "giants"}),
    loops=frozenset({Loop.LOCAL, Loop.PAYLOAD}),
    timeslot_16=False,
)


class E1dSpan(Span):
    """`PATH?intf=0&line=0`, PATH the daemon's control socket: 30 RAW timeslots, HDLC with FCS on timeslot 16.

    Guaranteed: a constant delay of about 20 ms, on one bearer up to 10 ms more than on another. After a stall
    of ours the octets that the daemon filled in are made up for by leaving out as many of our blocks, and at
    most 10 blocks of what came in meanwhile are delivered; both are slips. Rows 0 and 16 of a block are not
    known here and are ones. The daemon checks the FCS and says nothing of bad frames, so only runts and
    giants are counted; frames longer than 262 octets it would lose, so they are not taken. It has counters of
    CRC-4 and E bits for USB interfaces and no request for them. Its alarms come as events: one that stands
    before the span is opened is not seen until it changes. Loops are made here, of bearers and of D-channel
    frames: in LOCAL the line carries idle blocks, in PAYLOAD our frames are not taken. When the daemon goes
    or another client takes a timeslot, read() raises LineError: close, then open anew.
    """

    def __init__(self, rest: str) -> None:
        self._url = f"e1d:{rest}"
        path, self._intf, self._line = parts(rest)
        self._counters = Counters()
        self._alarms: set[Alarm] = set()          # as the daemon says
        self._silence: set[Alarm] = set()         # as we see
        self._frames: list[bytes] = []
        self._received = {timeslot: bytearray() for timeslot in BEARERS}
        self._missing: set[int] = set()           # bearers that stopped while the others went on
        self._uneven_since: float | None = None
        self._heard_at = time.monotonic()
        self._backlog = 0                         # blocks received and not yet read
        self._level = 0                           # blocks of ours that wait in the daemon
        self._leave_out = 0                       # blocks still to be left out after a stall
        self._primed = False
        self._loop = Loop.NONE
        self._looped: deque[Block] = deque(maxlen=LOOPED_BLOCKS)
        self._sockets: dict[int, socket.socket] = {}
        self._timeslot_of: dict[int, int] = {}    # descriptor -> timeslot
        self._epoll = select.epoll()
        self._more = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)  # readable while there is a backlog
        self._epoll.register(self._more, select.EPOLLIN)
        self._silent = Timer()                    # wakes read() to see that nothing comes
        self._epoll.register(self._silent, select.EPOLLIN)
        self._control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._connect(path)
            self._check_line()
            self._open_timeslots()
        except LineError:
            self.close()
            raise
        except (ValueError, OSError) as error:
            self.close()
            raise self._error(str(error)) from None
        self._control.setblocking(False)
        self._silent.arm(self._heard_at + SILENT_S)
        self._epoll.register(self._control, select.EPOLLIN)

    @property
    def abilities(self) -> Abilities:
        return _ABILITIES

    def fileno(self) -> int:
        return self._epoll.fileno()

    def read(self, now: float) -> Block | None:
        self._drain()
        ready = self._ready(now)
        if not self._primed and ready:
            self._prime()
            ready = 1
        elif (arrived := ready - self._backlog) > 0:
            if ready > CATCH_UP_BLOCKS:
                self._counters.slips += ready - CATCH_UP_BLOCKS
                self._discard(ready - CATCH_UP_BLOCKS)
                ready = CATCH_UP_BLOCKS
            self._level = max(0, self._level - arrived)
            self._leave_out = max(0, self._level + ready - STEADY_BLOCKS)
        self._silence = {Alarm.LOS} if not ready and now - self._heard_at >= SILENT_S else set()
        self._silent.arm(now + SILENT_S)
        self._set_backlog(max(0, ready - 1))
        if not ready:
            return None
        self._heard_at, self._uneven_since = now, None
        block = self._take()
        if self._loop is Loop.PAYLOAD:
            self._looped.append(block.copy())
        elif self._loop is Loop.LOCAL:
            block = self._looped.popleft() if self._looped else idle_block()
        return block

    def _set_backlog(self, blocks: int) -> None:
        """What is left for the next read() keeps the descriptor readable."""
        if blocks and not self._backlog:
            os.eventfd_write(self._more, 1)
        elif self._backlog and not blocks:
            os.eventfd_read(self._more)
        self._backlog = blocks

    def write(self, block: Block) -> None:
        if self._loop is Loop.PAYLOAD:
            block = self._looped.popleft() if self._looped else idle_block()
        elif self._loop is Loop.LOCAL:
            self._looped.append(block.copy())
            self._looped[-1][(0, D_TIMESLOT), :] = 0xFF
            block = idle_block()
        if not self._primed or self._leave_out or self._level >= CATCH_UP_BLOCKS:
            self._leave_out = max(0, self._leave_out - 1)
            self._counters.slips += 1
            return
        self._level += 1
        self._counters.blocks_out += 1
        octets = block.tobytes()
        for timeslot in BEARERS:
            self._send(timeslot, octets[timeslot * BLOCK:(timeslot + 1) * BLOCK])

    def send_frame(self, frame: bytes) -> bool:
        if not MIN_OCTETS <= len(frame) <= wire.MAX_FRAME_OCTETS:
            self._counters.runts += len(frame) < MIN_OCTETS
            self._counters.giants += len(frame) > wire.MAX_FRAME_OCTETS
            return False
        if self._loop is Loop.PAYLOAD:
            return False
        taken = self._loop is Loop.LOCAL or self._send(D_TIMESLOT, frame)
        self._counters.frames_out += taken
        if self._loop is Loop.LOCAL:
            self._keep(frame)
        return taken

    def receive_frames(self) -> list[bytes]:
        frames, self._frames = self._frames, []
        return frames

    def status(self) -> LineStatus:
        return LineStatus(frozenset(self._alarms | self._silence), self._loop)

    def counters(self) -> Counters:
        return replace(self._counters)

    def loop(self, loop: Loop) -> None:
        check_loop(loop, _ABILITIES)
        self._loop = loop
        self._looped.clear()

    def close(self) -> None:
        if not self._epoll.closed:
            self._epoll.close()
            os.close(self._more)
            self._silent.close()
        self._control.close()
        for timeslot in self._sockets.values():
            timeslot.close()

    def _error(self, text: str) -> LineError:
        return LineError(f"{self._url}: {text}")

    def _connect(self, path: str) -> None:
        self._control.settimeout(ANSWER_S)
        try:
            self._control.connect(path)
        except OSError as error:
            why = error.strerror or error
            raise self._error(f"no osmo-e1d at {path} ({why}): start it, or write its socket") from None

    def _check_line(self) -> None:
        interfaces = wire.read_interfaces(self._ask(wire.Request.INTF_QUERY, wire.ANY, wire.ANY)[0].payload)
        if self._intf not in interfaces:
            there = ", ".join(f"{intf} ({lines} lines)" for intf, lines in interfaces.items()) or "none"
            raise self._error(f"osmo-e1d has no interface {self._intf}, it has {there}")
        lines = wire.read_lines(self._ask(wire.Request.LINE_QUERY, self._intf, wire.ANY)[0].payload)
        if self._line not in lines:
            there = ", ".join(map(str, lines)) or "none"
            raise self._error(f"interface {self._intf} of osmo-e1d has no line {self._line}, it has {there}")
        if (mode := lines[self._line]) != wire.LineMode.CHANNELIZED:
            raise self._error(f"line {self._line} has mode {mode:#04x}: set channelized in osmo-e1d.cfg")

    def _open_timeslots(self) -> None:
        until = time.monotonic() + FREE_S
        wanted = [*BEARERS, D_TIMESLOT]
        while wanted := [timeslot for timeslot in wanted if not self._open_timeslot(timeslot)]:
            if time.monotonic() > until:
                taken = ", ".join(map(str, sorted(wanted)))
                raise self._error(f"timeslots {taken} are open in another program: stop it")
            time.sleep(0.01)                      # the daemon does not tell when one becomes free

    def _open_timeslot(self, timeslot: int) -> bool:
        mode = wire.TimeslotMode.HDLC_FCS if timeslot == D_TIMESLOT else wire.TimeslotMode.RAW
        payload = wire.timeslot_open(mode, BLOCK)
        _, fds = self._ask(wire.Request.TS_OPEN, self._intf, self._line, timeslot, payload)
        if not fds:
            return False
        self._sockets[timeslot] = socket.socket(fileno=fds[0])
        self._sockets[timeslot].setblocking(False)
        self._timeslot_of[fds[0]] = timeslot
        self._epoll.register(fds[0], select.EPOLLIN)
        return True

    def _ask(
        self, request: wire.Request, intf: int, line: int, timeslot: int = wire.ANY, payload: bytes = b"",
    ) -> tuple[wire.Message, list[int]]:
        """The answer and the descriptors with it. Events that come before it are taken in."""
        self._control.send(wire.encode(wire.Message(request, intf, line, timeslot, payload)))
        while True:
            try:
                packet, fds, _, _ = socket.recv_fds(
                    self._control, wire.MAX_MESSAGE_OCTETS, 1, socket.MSG_CMSG_CLOEXEC)
            except TimeoutError:
                raise self._error(f"osmo-e1d does not answer within {ANSWER_S} s: is it stopped?") from None
            if not packet:
                raise self._error(f"osmo-e1d hung up on {request.name}: is its version 0.7 or newer?")
            message = wire.decode(packet)
            if message.answers(request):
                return message, fds
            if message.is_error:
                raise self._error(f"osmo-e1d answers {request.name} with error {message.type:#04x}")
            self._take_event(message)

    def _take_event(self, message: wire.Message) -> None:
        if (message.intf, message.line) != (self._intf, self._line) or message.type not in _ALARM:
            return
        alarm, on = _ALARM[wire.Event(message.type)]
        (self._alarms.add if on else self._alarms.discard)(alarm)
        log.warning("%s: %s %s", self._url, alarm.name, "on" if on else "off")

    def _drain(self) -> None:
        """Take in what every socket has."""
        descriptors = [descriptor for descriptor, _ in self._epoll.poll(0)]
        if self._control.fileno() in descriptors:         # first: it knows whether the daemon has gone
            self._drain_control()
        for timeslot in (self._timeslot_of[fd] for fd in descriptors if fd in self._timeslot_of):
            if timeslot == D_TIMESLOT:
                while frame := self._receive(timeslot):
                    self._take_frame(frame)
            elif octets := self._receive(timeslot):
                self._received[timeslot] += octets
                self._missing.discard(timeslot)

    def _drain_control(self) -> None:
        try:
            while packet := self._control.recv(wire.MAX_MESSAGE_OCTETS):
                try:
                    self._take_event(wire.decode(packet))
                except ValueError as error:
                    log.warning("%s: %s", self._url, error)
        except BlockingIOError:
            return
        except ConnectionResetError:              # closed with a question of ours unread
            pass
        except OSError as error:
            raise self._error(f"the control socket of osmo-e1d is of no more use: {error.strerror}") from None
        raise self._error("osmo-e1d has gone: start it again")

    def _receive(self, timeslot: int) -> bytes | None:
        """None when nothing is there."""
        try:
            octets = self._sockets[timeslot].recv(_RECEIVE_OCTETS)
        except BlockingIOError:
            return None
        except OSError:                           # a reset: closed with octets of ours unread
            octets = b""
        if not octets:
            raise self._error(f"osmo-e1d closed timeslot {timeslot}: another program took it, stop that")
        return octets

    def _take_frame(self, frame: bytes) -> None:
        if len(frame) < MIN_OCTETS:
            self._counters.runts += 1
        elif self._loop is not Loop.LOCAL:
            if self._loop is Loop.PAYLOAD:
                self._send(D_TIMESLOT, frame)
            self._keep(frame)

    def _keep(self, frame: bytes) -> None:
        self._counters.frames_in += 1
        self._frames.append(frame)

    def _ready(self, now: float) -> int:
        """Blocks that every bearer has, those apart that stopped."""
        blocks = {timeslot: len(self._received[timeslot]) // BLOCK for timeslot in BEARERS}
        for timeslot in self._missing:
            del blocks[timeslot]
        short = [timeslot for timeslot, count in blocks.items() if not count]
        if not short:
            return min(blocks.values())
        if len(short) < len(blocks):
            if self._uneven_since is None:
                self._uneven_since = now
            elif now - self._uneven_since > LAG_S:
                log.warning("%s: no octets on timeslots %s", self._url, ", ".join(map(str, short)))
                self._missing.update(short)
                return self._ready(now)
        return 0

    def _prime(self) -> None:
        """Start with the newest block of each bearer (they opened one by one), and give the daemon slack."""
        for timeslot in BEARERS:
            del self._received[timeslot][:-BLOCK]
            self._send(timeslot, _IDLE_OCTETS * PREFILL_BLOCKS)
        self._level, self._primed = PREFILL_BLOCKS, True

    def _discard(self, blocks: int) -> None:
        for octets in self._received.values():
            del octets[:blocks * BLOCK]

    def _take(self) -> Block:
        rows = [_UNKNOWN] * TIMESLOTS
        for timeslot in BEARERS:
            octets = self._received[timeslot]
            rows[timeslot] = _IDLE_OCTETS if len(octets) < BLOCK else bytes(octets[:BLOCK])
            del octets[:BLOCK]
        self._counters.slips += bool(self._missing)
        self._counters.blocks_in += 1
        return np.frombuffer(bytearray().join(rows), np.uint8).reshape(TIMESLOTS, BLOCK)

    def _send(self, timeslot: int, octets: bytes) -> bool:
        """False when the daemon's queue is full, or the daemon gone: read() will say so."""
        try:
            return self._sockets[timeslot].send(octets) == len(octets)
        except OSError:
            return False
