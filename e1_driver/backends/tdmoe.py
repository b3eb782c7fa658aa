"""The tdmoe backend: a span over Ethernet to a DAHDI host or a TDMoE gateway, one frame each millisecond."""

import select
import time
from collections import deque
from dataclasses import replace

from e1_driver import Abilities, Alarm, Block, Clock, Counters, LineStatus
from e1_driver.backends.tdmoe_playout import PlayOut
from e1_driver.backends.tdmoe_ports import InterfacePort, Port, StreamPort
from e1_driver.backends.tdmoe_url import SOCKET, parts
from e1_driver.backends.tdmoe_wire import FRAMES, Sender, decode
from e1_driver.soft import BLOCK_LOOPS, HDLC_COUNTERS, SoftSpan, idle_block
from e1_driver.timerfd import Timer

LOS_S = 0.5                                       # without a frame of the far end's
FRAME_S = 0.001
GAP_S = 0.000_25                                  # between frames that make up for lost time
STEADY_FRAMES = 2 * FRAMES                        # more than these wait to be sent: time was lost
CATCH_UP_BLOCKS = 10                              # the clock makes up for so many; more are slips
BLOCKS_PER_S = 100

_ABILITIES = Abilities(
    alarms=frozenset({Alarm.LOS, Alarm.RAI}),
    counters=HDLC_COUNTERS | {"packets_in", "packets_lost", "packets_late", "packets_bad"},
    loops=BLOCK_LOOPS,
    clock=Clock.OWN,
)


class TdmoeSpan(SoftSpan):
    """`INTERFACE/MAC/SUBADDRESS`, the far end's station and the number of the span; option `buffer_ms=20`.

    INTERFACE `unix:PATH` is a socket that carries frames as QEMU's `-netdev stream` does: ours connects, or
    with `listen=yes` waits for the far end; our station there is `own=02:00:00:00:00:01`.

    Guaranteed: a block at each multiple of 10 ms of time.monotonic(), and one frame sent each millisecond
    by that clock whatever comes in: a DAHDI host whose only clock is this span sends one frame for each that
    it receives, loses some of its own when they come in a bunch, and would make a storm with a peer that
    answers. Frames that are late are sent a quarter of a millisecond apart. What comes in waits `buffer_ms`
    so that it is even; the far end's clock is its own, so now and then a block is repeated or left out, a
    slip (see PlayOut). After 500 ms without a frame of the far end's it is LOS: idle blocks go on, and our
    frames say that we hear nothing, which the far end shows as RAI or yellow. Frames from another station,
    subaddress or shape are `packets_bad`; on an interface the kernel keeps other stations' and subaddresses'
    frames from us, uncounted. An interface that is switched off, or a far end that hangs up, is LOS and
    returns by itself; when the interface is taken away read() or write() raises LineError.

    Row 0 of a block is not known and all ones. Signalling bits (CAS) are taken and not read, and zero in
    what we send. Alarms of the far end's own line other than yellow do not come over.
    """

    def __init__(self, rest: str) -> None:
        super().__init__(_ABILITIES)
        self._url = f"tdmoe:{rest}"
        far, subaddress, own = (where := parts(rest)).station, where.subaddress, where.own
        self._play_out = PlayOut(where.buffer_ms)
        self._port: Port
        if where.interface.startswith(SOCKET):
            self._port = StreamPort(self._url, where.interface.removeprefix(SOCKET), where.listen)
        else:
            self._port = InterfacePort(self._url, where.interface, far, subaddress)
            own = self._port.station
        self._circuit = far, own, subaddress
        self._sender = Sender(far, own, subaddress)
        self._alarms: frozenset[Alarm] = frozenset({Alarm.LOS})
        self._yellow = False                      # in the far end's last frame
        self._heard_at = float("-inf")
        self._to_send: deque[bytes] = deque()
        self._send_at = 0.0
        self._tick = int(time.monotonic() * BLOCKS_PER_S) + 1
        self._timer = Timer()
        self._epoll = select.epoll()
        self._epoll.register(self._timer, select.EPOLLIN)
        self._arm()

    def fileno(self) -> int:
        return self._epoll.fileno()

    def close(self) -> None:
        if not self._epoll.closed:
            self._epoll.close()
            self._timer.close()
            self._port.close()

    def counters(self) -> Counters:
        heard = self._play_out
        return replace(super().counters(), slips=self._counters.slips + heard.slips, packets_in=heard.taken,
                       packets_lost=heard.lost, packets_late=heard.late)

    def _receive(self, now: float) -> Block | None:
        self._send(now)
        due = int(now * BLOCKS_PER_S) - self._tick
        if due < 0:
            self._arm()
            return None
        self._hear(now)
        if due > CATCH_UP_BLOCKS:
            self._counters.slips += due - CATCH_UP_BLOCKS
            self._tick += due - CATCH_UP_BLOCKS
            due = CATCH_UP_BLOCKS
        self._tick += 1
        self._arm()
        block = self._play_out.take(due)
        if block is None:
            return idle_block()
        self._counters.blocks_in += 1
        return block

    def _transmit(self, block: Block) -> None:
        if len(self._to_send) > CATCH_UP_BLOCKS * FRAMES:
            self._counters.slips += 1
            return
        self._counters.blocks_out += 1
        now = time.monotonic()
        if not self._to_send:
            self._send_at = max(self._send_at, now)
        self._to_send.extend(self._sender.frames(block, yellow=Alarm.LOS in self._alarms))
        self._send(now)
        self._arm()

    def _status(self) -> LineStatus:
        return LineStatus(self._alarms)

    def _send(self, now: float) -> None:
        """One frame, if its time has come."""
        if not self._to_send or now < self._send_at:
            return
        late = len(self._to_send) > STEADY_FRAMES
        self._port.send(self._to_send.popleft())
        self._send_at = now + GAP_S if late else max(self._send_at + FRAME_S, now + GAP_S)

    def _hear(self, now: float) -> None:
        for octets in self._port.receive():
            try:
                frame = decode(octets)
            except ValueError:
                self._counters.packets_bad += 1
                continue
            if (frame.source, frame.destination, frame.subaddress) != self._circuit:
                self._counters.packets_bad += 1
                continue
            self._heard_at, self._yellow = now, frame.yellow
            self._play_out.put(frame.counter, frame.samples)
        if now - self._heard_at > LOS_S:
            self._alarms = frozenset({Alarm.LOS})
            self._play_out.clear()
        else:
            self._alarms = frozenset({Alarm.RAI}) if self._yellow else frozenset()

    def _arm(self) -> None:
        at = self._tick / BLOCKS_PER_S
        self._timer.arm(min(at, self._send_at) if self._to_send else at)
