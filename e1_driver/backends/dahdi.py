"""The DAHDI backend: one span of a PCIe card, or a dynamic one, by its character devices.

The card is the clock, in both directions at once: while it brings 80 octets of each channel it takes 80.
"""

import contextlib
import logging
import select
import time
from collections import deque
from collections.abc import Iterable
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
    Clock,
    Counters,
    LineError,
    LineStatus,
    Loop,
    Span,
)
from e1_driver.backends import dahdi_wire as wire
from e1_driver.backends.dahdi_device import CONFIGURE, Channel, Control
from e1_driver.backends.dahdi_url import parts
from e1_driver.framing.hdlc import FCS_OCTETS, MAX_OCTETS, MIN_OCTETS
from e1_driver.soft import BLOCK_LOOPS, HDLC_COUNTERS, LOOPED_BLOCKS, check_loop, idle_block
from e1_driver.timerfd import Timer

log = logging.getLogger(__name__)

BLOCK_MS = 10
POLL_S = 0.1                                      # a change of alarms need not give an event
SILENT_S = 0.2                                    # no octets for this long is LOS whatever the driver says
BUFFERS = 32                                      # of a channel each way, the most there are: 320 ms
CATCH_UP_BLOCKS = 10                              # older ones are thrown away
CARD_PREFILL_MS, DYNAMIC_PREFILL_MS = 10, 20      # more than a tick: 1 ms, and 8 ms of the kernel's timer
ALIGN_TRIES = 20
FRAME_OCTETS = 1024                               # of a D-channel buffer; 32 of them are the most allowed
QUEUE_OCTETS = 4000                               # of frames that wait here; DAHDI holds 32 more

_LAST = BEARERS[-1]                               # DAHDI goes by channel: when this one has a block, all have
_IDLE_OCTETS = bytes((IDLE,)) * BLOCK
_UNKNOWN = b"\xff" * BLOCK                        # rows 0 and 16: the card keeps them to itself
_FCS_ROOM = bytes(FCS_OCTETS)                     # DAHDI fills it in
_ALARMS = {wire.Alarms.LOS: Alarm.LOS, wire.Alarms.NOTOPEN: Alarm.LOS, wire.Alarms.LFA: Alarm.LOF,
           wire.Alarms.LMFA: Alarm.LOMF, wire.Alarms.BLUE: Alarm.AIS, wire.Alarms.YELLOW: Alarm.RAI}
_FRAMER_COUNTERS = {"code_violations": "bpv", "crc_errors": "crc4", "e_bits": "ebit", "fas_errors": "fas"}


def alarms_of(bits: int) -> frozenset[Alarm]:
    """What DAHDI's alarm bits say. RED is LOS unless the driver says that it is frame alignment or AIS."""
    alarms = {alarm for bit, alarm in _ALARMS.items() if bits & bit}
    if bits & wire.Alarms.RED and not alarms & {Alarm.LOS, Alarm.LOF, Alarm.LOMF, Alarm.AIS}:
        alarms.add(Alarm.LOS)
    return frozenset(alarms)


def abilities_of(info: wire.SpanInfo, maintenance: bool) -> Abilities:
    """A dynamic span has no framer: it knows that its far end is silent, at most that the far end says so."""
    loops = BLOCK_LOOPS | {Loop.LINE} if maintenance else BLOCK_LOOPS
    if info.kind == "E1":
        follows = info.sync_source == info.span
        return Abilities(frozenset(Alarm), HDLC_COUNTERS | frozenset(_FRAMER_COUNTERS), loops,
                         Clock.LINE if follows else Clock.OWN, timeslot_16=False)
    own = info.name.startswith("DYN/loc")         # paced by this kernel's timer, the others by their packets
    return Abilities(frozenset({Alarm.LOS, Alarm.RAI}), HDLC_COUNTERS, loops,
                     Clock.OWN if own else Clock.LINE, timeslot_16=False)


def counted(before: wire.SpanInfo, now: wire.SpanInfo) -> dict[str, int]:
    """What the card's framer has counted since `before`, by our names."""
    more = {}
    for ours, theirs in _FRAMER_COUNTERS.items():
        was, is_ = getattr(before, theirs), getattr(now, theirs)
        more[ours] = is_ - was if is_ >= was else is_         # smaller: set to zero by dahdi_maint
    return more


class DahdiSpan(Span):
    """`N`, DAHDI's number of the span: 30 B-channels in audio mode as A-law, timeslot 16 in HDLC with FCS.

    Guaranteed: a constant delay of `prefill_ms` (an option; 10 of a card, 20 of a dynamic span) and a block.
    When DAHDI ran out of our blocks, or has more than 10 for us, the delay is made what it was, and what that
    costs is counted as slips. So it is when a bearer is 32 blocks behind: all begin anew. Bearers are
    received in step, and sent so unless this process was held up while it sent the first block. Rows 0 and 16
    of a block are not known here and are ones. Counters are the driver's since open. A PAYLOAD loop is
    DAHDI's own, a LINE loop the card's, LOCAL the card's or, where it has none, made here while the line
    carries idle blocks. When the driver goes, read() and write() raise LineError: close, then open anew.
    """

    def __init__(self, rest: str) -> None:
        self._url = f"dahdi:{rest}"
        self._span, prefill_ms = parts(rest)
        self._control = Control(self._url)
        self._counters = Counters()
        self._frames: list[bytes] = []
        self._queue: deque[bytes] = deque()       # frames that DAHDI has no room for yet
        self._queued_octets = 0
        self._received: dict[int, deque[bytes]] = {timeslot: deque() for timeslot in BEARERS}
        self._align_tries = 0
        self._aligned = False                     # blocks of all bearers begin with the same octet's time
        self._dry = False                         # nothing of ours waits in DAHDI
        self._leave_out = 0                       # blocks still to be left out after it ran dry
        self._backlog = False
        self._loop = Loop.NONE
        self._looped: deque[Block] = deque(maxlen=LOOPED_BLOCKS)
        self._software_loop = False               # LOCAL, by way of _looped
        self._silent = False
        self._heard_at = time.monotonic()
        self._poll_at = 0.0
        self._channels: dict[int, Channel] = {}
        self._timer, self._epoll = Timer(), select.epoll()
        try:
            self._info = self._control.span(self._span)
            usual_ms = CARD_PREFILL_MS if self._info.kind == "E1" else DYNAMIC_PREFILL_MS
            self._prefill_blocks = (prefill_ms or usual_ms) // BLOCK_MS
            self._maintenance = self._control.maintain(self._span, wire.Maint.NONE)
            self._abilities = abilities_of(self._info, self._maintenance)
            self._open_channels()
        except BaseException:
            self.close()
            raise
        self._epoll.register(self._timer, select.EPOLLIN)
        for timeslot in (_LAST, D_TIMESLOT):
            self._epoll.register(self._channels[timeslot].fd, select.EPOLLIN | select.EPOLLPRI)
        self._restart_reading()

    def _open_channels(self) -> None:
        there = self._control.channels(self._span)
        if len(there) != TIMESLOTS - 1:
            raise self._control.error(f"{self._info.description} has {len(there)} channels, an E1 has 31")
        for timeslot, params in there.items():
            d_channel = timeslot == D_TIMESLOT
            wanted = (wire.Sig.CLEAR, wire.Sig.HDLCFCS, wire.Sig.HARDHDLC) if d_channel else (wire.Sig.CLEAR,)
            if params.sig not in (*wanted, wire.Sig.NONE):
                raise self._control.error(
                    f"channel {params.channel} (timeslot {timeslot}) has signalling {params.sig:#x}: "
                    f"{CONFIGURE}")
            octets = FRAME_OCTETS if d_channel else BLOCK
            self._channels[timeslot] = Channel(self._control, params, octets, BUFFERS, self._take_event)
        self._bearers = [self._channels[timeslot] for timeslot in BEARERS]

    @property
    def abilities(self) -> Abilities:
        return self._abilities

    def fileno(self) -> int:
        return self._epoll.fileno()

    def read(self, now: float) -> Block | None:
        if now >= self._poll_at:
            self._poll(now)
        self._drain_frames()
        ready = self._drain_blocks()
        if ready and not self._aligned:
            ready = self._align()
        if ready > CATCH_UP_BLOCKS:
            self._counters.slips += ready - CATCH_UP_BLOCKS
            self._discard(ready - CATCH_UP_BLOCKS)
            ready = CATCH_UP_BLOCKS
        if ready and self._dry and self._loop is not Loop.PAYLOAD:
            self._prime()
            self._leave_out = ready - 1
        self._set_backlog(ready > 1)
        if ready:
            self._heard_at = now
        self._silent = now - self._heard_at > SILENT_S
        if not ready:
            return None
        block = self._take()
        if self._software_loop:
            return self._looped.popleft() if self._looped else idle_block()
        return block

    def write(self, block: Block) -> None:
        if self._loop is Loop.PAYLOAD:
            return                                # DAHDI sends what it receives while it has nothing of ours
        if self._leave_out or not self._aligned:
            self._leave_out = max(0, self._leave_out - 1)
            self._counters.slips += 1
            return
        if self._software_loop:
            self._looped.append(block.copy())
            self._looped[-1][(0, D_TIMESLOT), :] = 0xFF
            self._send([_IDLE_OCTETS] * len(BEARERS))
            return
        octets = memoryview(block.tobytes())
        self._send(octets[timeslot * BLOCK:(timeslot + 1) * BLOCK] for timeslot in BEARERS)

    def send_frame(self, frame: bytes) -> bool:
        if not MIN_OCTETS <= len(frame) <= MAX_OCTETS:
            self._counters.runts += len(frame) < MIN_OCTETS
            self._counters.giants += len(frame) > MAX_OCTETS
            return False
        if self._loop in (Loop.PAYLOAD, Loop.LINE):
            return False
        if self._software_loop:
            self._keep(frame)
        else:
            self._feed()
            if self._queued_octets + len(frame) > QUEUE_OCTETS:
                return False
            self._queue.append(frame)
            self._queued_octets += len(frame)
            self._feed()
        self._counters.frames_out += 1
        return True

    def receive_frames(self) -> list[bytes]:
        frames, self._frames = self._frames, []
        return frames

    def status(self) -> LineStatus:
        alarms = alarms_of(self._info.alarms)
        if self._silent:
            alarms |= {Alarm.LOS}
        told = self._info.kind == "E1" and self._info.line_config & wire.LINECONFIG_CRC4
        crc4 = True if told and alarms <= {Alarm.RAI} else None  # the card looks for it, and is content
        return LineStatus(alarms, self._loop, crc4)

    def counters(self) -> Counters:
        return replace(self._counters)

    def loop(self, loop: Loop) -> None:
        check_loop(loop, self._abilities)
        if loop is self._loop:
            return
        if self._maintenance:
            self._control.maintain(self._span, wire.Maint.NONE)
        if self._loop is Loop.PAYLOAD or loop is Loop.PAYLOAD:
            self._loop_payload(loop is Loop.PAYLOAD)
        self._loop, self._software_loop = Loop.NONE, False
        self._looped.clear()
        self._queue.clear()
        self._queued_octets = 0
        if loop is Loop.LINE and not self._control.maintain(self._span, wire.Maint.NETWORKLINELOOP):
            self._abilities = replace(self._abilities, loops=self._abilities.loops - {Loop.LINE})
            check_loop(loop, self._abilities)
        if loop is Loop.LOCAL:
            by_card = self._maintenance and self._control.maintain(self._span, wire.Maint.LOCALLOOP)
            self._software_loop = not by_card
        self._loop = loop

    def close(self) -> None:
        if self._epoll.closed:
            return
        if self._loop in (Loop.LINE, Loop.LOCAL) and self._maintenance:
            with contextlib.suppress(LineError):
                self._control.maintain(self._span, wire.Maint.NONE)
        self._control.close()
        self._epoll.close()
        self._timer.close()
        for channel in self._channels.values():
            channel.close()

    # --- status -----------------------------------------------------------------------------------------

    def _poll(self, now: float) -> None:
        """Alarms and the framer's counters as they are now."""
        before, self._info = self._info, self._control.span(self._span)
        if before.alarms != self._info.alarms:
            log.warning("%s: alarms %s", self._url, ", ".join(sorted(alarms_of(self._info.alarms))) or "none")
        if self._info.kind == "E1":
            for name, more in counted(before, self._info).items():
                setattr(self._counters, name, getattr(self._counters, name) + more)
        self._poll_at = now + POLL_S
        self._feed()
        self._arm()

    def _take_event(self, timeslot: int, event: int) -> None:
        match event:
            case wire.Event.ALARM | wire.Event.NOALARM:
                self._poll_at = 0.0
            case wire.Event.WRITE_UNDERRUN if self._loop is not Loop.PAYLOAD:
                self._counters.slips += 1
                self._dry = True
            case wire.Event.READ_OVERRUN:
                self._counters.slips += 1
            case wire.Event.BADFCS:
                self._counters.fcs_errors += 1
            case wire.Event.ABORT:
                self._counters.aborts += 1
            case wire.Event.OVERRUN:
                self._counters.giants += 1

    def _set_backlog(self, backlog: bool) -> None:
        """What is left for the next read() keeps the descriptor readable."""
        if backlog is not self._backlog:
            self._backlog = backlog
            self._arm()

    def _arm(self) -> None:
        self._timer.arm(0.0 if self._backlog else self._poll_at)

    # --- bearers ----------------------------------------------------------------------------------------

    def _drain_blocks(self) -> int:
        """Take what DAHDI has; blocks that every bearer has now."""
        last, rows = self._channels[_LAST], self._received[_LAST]
        while octets := last.read():
            rows.append(octets)
        wanted = ready = len(rows)
        if not wanted:
            return 0
        for channel in self._bearers:
            rows = self._received[channel.timeslot]
            while len(rows) < wanted and (octets := channel.read()):
                rows.append(octets)
            ready = min(ready, len(rows))
        if wanted - ready > BUFFERS:              # one channel stands still, or lost what the others have
            self._counters.slips += wanted
            self._aligned, self._align_tries = False, 0
            self._restart_reading()
            return 0
        return ready

    def _align(self) -> int:
        """Begin with a block that all bearers began together: the ticks of the card may fall between two."""
        even = all(len(rows) == len(self._received[_LAST]) for rows in self._received.values())
        self._align_tries += 1
        if not even and self._align_tries < ALIGN_TRIES:
            self._restart_reading()
            return 0
        self._aligned = self._dry = True
        self._discard(len(self._received[_LAST]) - 1)
        self._channels[_LAST].set(wire.BUFFER_EVENTS, 1)         # all bearers run dry together
        return 1

    def _restart_reading(self) -> None:
        for rows in self._received.values():
            rows.clear()
        for channel in self._bearers:
            channel.set(wire.FLUSH, wire.FLUSH_READ)

    def _prime(self) -> None:
        """So much idle and no more, that a tick of the card never finds too little."""
        for channel in self._bearers:
            channel.set(wire.FLUSH, wire.FLUSH_WRITE)
        for _ in range(self._prefill_blocks):
            self._send([_IDLE_OCTETS] * len(BEARERS), count=False)
        self._dry = False

    def _discard(self, blocks: int) -> None:
        for rows in self._received.values():
            for _ in range(min(blocks, len(rows))):
                rows.popleft()

    def _take(self) -> Block:
        rows = [_UNKNOWN] * TIMESLOTS
        for timeslot, received in self._received.items():
            rows[timeslot] = received.popleft()
        self._counters.blocks_in += 1
        return np.frombuffer(bytearray().join(rows), np.uint8).reshape(TIMESLOTS, BLOCK)

    def _send(self, rows: Iterable[bytes | memoryview], count: bool = True) -> None:
        taken = True
        for channel, octets in zip(self._bearers, rows, strict=True):
            taken = channel.write(octets) and taken
        self._counters.blocks_out += count
        if not taken:                             # 300 ms of ours wait: DAHDI takes none, or too slowly
            self._counters.slips += 1
            self._dry = True

    def _loop_payload(self, on: bool) -> None:
        for channel in self._channels.values():
            channel.set(wire.LOOPBACK, int(on))
        for channel in self._bearers:
            channel.set(wire.FLUSH, wire.FLUSH_WRITE)
        self._dry = True

    # --- D-channel --------------------------------------------------------------------------------------

    def _drain_frames(self) -> None:
        self._feed()
        while (octets := self._channels[D_TIMESLOT].read()) is not None:
            length = len(octets) - FCS_OCTETS
            if length < MIN_OCTETS:
                self._counters.runts += 1
            elif length > MAX_OCTETS:
                self._counters.giants += 1
            elif not self._software_loop:
                self._keep(octets[:length])

    def _keep(self, frame: bytes) -> None:
        self._counters.frames_in += 1
        self._frames.append(frame)

    def _feed(self) -> None:
        """Hand over waiting frames as far as DAHDI has room."""
        while self._queue and self._channels[D_TIMESLOT].write(self._queue[0] + _FCS_ROOM):
            self._queued_octets -= len(self._queue.popleft())
