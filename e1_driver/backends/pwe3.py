"""The circuit emulation backends: an E1 over UDP, as TDM-over-IP gateways and pluggable E1 ports speak it.

Ref: RFC 4553 (SAToP) 6.2, RFC 5086 (CESoPSN) 6.2. The URL's options are in pwe3_url.py.
"""

import secrets
from abc import abstractmethod
from collections import deque
from dataclasses import replace

import numpy as np

from e1_driver import (
    BLOCK,
    BLOCK_S,
    D_TIMESLOT,
    IDLE,
    TIMESLOTS,
    Abilities,
    Alarm,
    Block,
    Clock,
    Counters,
    LineStatus,
    Loop,
)
from e1_driver.backends.pwe3_clock import PlayClock
from e1_driver.backends.pwe3_jitter import STALL_FRAMES, JitterBuffer
from e1_driver.backends.pwe3_udp import PacketSocket
from e1_driver.backends.pwe3_url import FRAMES_PER_S, Circuit, cesop_circuit, satop_circuit
from e1_driver.backends.pwe3_wire import RDI, SEQUENCES, L, Octets, R, decode, encode
from e1_driver.framing.g704 import Framer
from e1_driver.soft import ALL_ONES, BLOCK_LOOPS, HDLC_COUNTERS, LOOPED_BLOCKS, SoftSpan, idle_block
from e1_driver.timerfd import Timer

MAX_PACKETS = 512                                 # of the peer, looked at in one read(), a flood or not
MAX_STRANGERS = 64                                # ... and of others, that the kernel let through
CATCH_UP_BLOCKS = STALL_FRAMES // BLOCK           # the clock makes up for so many; more are slips

_PACKET_COUNTERS = frozenset({"packets_in", "packets_lost", "packets_late", "packets_bad"})
_FRAMING_COUNTERS = frozenset({"fas_errors", "crc_errors", "e_bits"})
_LOST = frozenset({Alarm.LOS})


class EmulatedSpan(SoftSpan):
    """What SatopSpan and CesopSpan have in common: packets, jitter buffer, clock.

    Guaranteed: with or without a far end a block comes every 10 ms, by this box's clock or, with clock=line,
    by the far end's as its packets let it be known. A stall of the caller is made up for by at most 25
    blocks; more are slips. Every packet of the far end's address is counted once: in, late or bad; a read()
    looks at 512 at most. Those of another address the kernel drops, uncounted; one that slips through is bad.
    Packets go out when a block is written, all of its 10 ms at once: the far end's jitter buffer is to
    hold 20 ms or more. Loss of 10 packets in a row is LOS, and told to the far end by R; two good ones end
    it. Errors of the network are loss: nothing raises once the span is open. With a far end that was started
    again, or was silent for a second, it begins anew.

    Whatever is played otherwise than the far end sent it is counted, at the end where that happened: each
    packet that was not there in its turn (packets_lost; its frames are filled), each change of the delay and
    each beginning anew (a slip), each block that nobody read or sent in time (a slip). Two things are told
    by an alarm instead: filling while LOS has stood for a second, and while the far end says L, AIS. What
    the far end loses of ours only its own counters have. Here R and RDI tell of it, with satop: also RAI and
    E bits; with cesop: fewer than 10 packets in a row are not told at all.

    Two clocks that differ fill or empty the jitter buffer: with clock=own a slip of some ms follows every few
    minutes, counted. One end of a circuit is to be clock=own.
    """

    def __init__(self, circuit: Circuit, abilities: Abilities, filler: Octets) -> None:
        super().__init__(abilities)
        self._circuit = circuit
        self._form = circuit.form
        self._filler = filler
        self._buffer = JitterBuffer(circuit.frames, filler, circuit.bound_frames)
        self._far_flags = 0                       # L, R and M of the newest packet
        self._bad = 0
        self._sequence = secrets.randbelow(SEQUENCES)
        self._timestamp = secrets.randbits(32)
        self._unsent = np.empty((0, len(circuit.timeslots)), np.uint8)      # frames, not a packet yet
        self._clock: PlayClock | None = None      # started by the first read()
        self._socket = PacketSocket(circuit.url, circuit.local, circuit.peer, circuit.form.packet_octets)
        self._timer = Timer()
        self._timer.arm(0)
        self._closed = False

    @abstractmethod
    def _played(self, frames: Octets) -> Block:
        """Of uint8[BLOCK, width] from the jitter buffer."""

    @abstractmethod
    def _to_send(self, block: Block) -> tuple[Octets, int]:
        """uint8[BLOCK, width] for `block`, and L and M of the packets that carry it."""

    def fileno(self) -> int:
        return self._timer.fileno()

    def _receive(self, now: float) -> Block | None:
        if self._clock is None:
            self._clock = PlayClock(now, self._circuit.clock is Clock.LINE)
        clock, late_s = self._clock, self._clock.late_s(now)
        if late_s < 0:
            return None
        self._take_in()
        if (left_out := int(late_s / BLOCK_S) - CATCH_UP_BLOCKS) > 0:
            self._leave_out(left_out)
            clock.skip(left_out)
            late_s = clock.late_s(now)
        block = self._played(self._buffer.play(int(late_s * FRAMES_PER_S)))
        clock.played(self._buffer.offset / FRAMES_PER_S)
        self._timer.arm(clock.at_s)
        self._counters.blocks_in += 1
        return block

    def _leave_out(self, blocks: int) -> None:
        """Nobody was there to play or to send these: the far end's count of time goes on."""
        self._counters.slips += blocks
        self._buffer.skip(blocks * BLOCK)
        packets, unsent = divmod(len(self._unsent) + blocks * BLOCK, self._circuit.frames)
        self._unsent = np.full((unsent, len(self._filler)), self._filler)
        self._sequence = (self._sequence + packets) % SEQUENCES
        self._timestamp += packets * self._circuit.frames

    def _take_in(self) -> None:
        line, more, looked_at = self._socket, True, 0
        strangers_before = line.strangers
        while more and looked_at < MAX_PACKETS and line.strangers - strangers_before < MAX_STRANGERS:
            count, more = line.receive()
            looked_at += count
            if not count:
                continue
            packets = line.packets[:count]
            good, sequences, flags = decode(self._form, packets, line.lengths[:count])
            payloads = packets[:, self._form.header_octets:self._form.packet_octets]
            if np.count_nonzero(good) < count:
                self._bad += count - int(np.count_nonzero(good))
                payloads, sequences, flags = payloads[good], sequences[good], flags[good]
            if len(flags):
                self._buffer.put(sequences, payloads, flags & L == 0)
                self._far_flags = int(flags[-1])

    def _transmit(self, block: Block) -> None:
        frames, flags = self._to_send(block)
        if self._buffer.loss:
            flags |= R
        if len(self._unsent):
            frames = np.concatenate((self._unsent, frames))
        count, per_packet = len(frames) // self._circuit.frames, self._circuit.frames
        self._unsent = frames[count * per_packet:]
        payloads = frames[:count * per_packet].reshape(count, self._form.payload_octets)
        self._socket.send(encode(self._form, flags, self._sequence, self._timestamp, payloads, per_packet))
        self._sequence = (self._sequence + count) % SEQUENCES
        self._timestamp += count * per_packet
        self._counters.blocks_out += 1

    def counters(self) -> Counters:
        buffer, counters = self._buffer, super().counters()
        return replace(
            counters, slips=counters.slips + buffer.slips, packets_in=buffer.taken, packets_lost=buffer.lost,
            packets_late=buffer.late, packets_bad=self._bad + self._socket.strangers)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._socket.close()
            self._timer.close()


class CesopSpan(EmulatedSpan):
    """`cesop:HOST:PORT?...`. What is lost is silence on the bearers and ones on the D-channel.

    The far end's L (its circuit is gone) is AIS, its M = RDI or R is RAI; our LOS and AIS are sent as RDI.
    Row 0 and the rows of timeslots that the circuit does not have are as in soft.idle_block().
    """

    def __init__(self, rest: str) -> None:
        circuit = cesop_circuit(rest)
        timeslots = circuit.timeslots
        self._has_d_channel = D_TIMESLOT in timeslots
        contiguous = timeslots == tuple(range(timeslots[0], timeslots[-1] + 1))
        self._rows = slice(timeslots[0], timeslots[-1] + 1) if contiguous else list(timeslots)
        abilities = Abilities(frozenset({Alarm.LOS, Alarm.AIS, Alarm.RAI}), HDLC_COUNTERS | _PACKET_COUNTERS,
                              BLOCK_LOOPS, circuit.clock, timeslot_16=self._has_d_channel)
        filler = np.array([ALL_ONES if timeslot == D_TIMESLOT else IDLE for timeslot in timeslots], np.uint8)
        self._idle = idle_block()
        super().__init__(circuit, abilities, filler)

    def _played(self, frames: Octets) -> Block:
        block = self._idle.copy()
        block[self._rows] = frames.T
        return block

    def _to_send(self, block: Block) -> tuple[Octets, int]:
        defect = self._buffer.loss or self._far_flags & L
        return block[self._rows].T, RDI if defect else 0

    def send_frame(self, frame: bytes) -> bool:
        return self._has_d_channel and super().send_frame(frame)

    def _status(self) -> LineStatus:
        if self._buffer.loss:
            return LineStatus(_LOST)
        alarms = {Alarm.AIS} if self._far_flags & L else set()
        if self._far_flags & (R | RDI):
            alarms.add(Alarm.RAI)
        return LineStatus(frozenset(alarms))


class SatopSpan(EmulatedSpan):
    """`satop:HOST:PORT?...`. What is lost is ones on the line, which is AIS.

    The far end's L is AIS, its R is RAI; the rest the line's framing says. With the LINE loop the line goes
    back as it came, with L while it is lost or was sent with L.
    """

    def __init__(self, rest: str) -> None:
        circuit = satop_circuit(rest)
        self._framer = Framer(circuit.crc4)
        self._line: deque[Octets] = deque()
        counters = HDLC_COUNTERS | _PACKET_COUNTERS | _FRAMING_COUNTERS
        abilities = Abilities(frozenset(Alarm), counters, BLOCK_LOOPS | {Loop.LINE}, circuit.clock,
                              whole_line=True)
        super().__init__(circuit, abilities, np.full(TIMESLOTS, ALL_ONES, np.uint8))

    def _played(self, frames: Octets) -> Block:
        if self._loop is Loop.LINE:
            if len(self._line) == LOOPED_BLOCKS:
                self._line.popleft()
                self._counters.slips += 1
            self._line.append(frames)
        return self._framer.receive(frames.reshape(-1))

    def _to_send(self, block: Block) -> tuple[Octets, int]:
        if self._loop is not Loop.LINE:
            return self._framer.send(block).reshape(BLOCK, TIMESLOTS), 0
        if not self._line or self._buffer.loss:
            self._line.clear()
            return np.full((BLOCK, TIMESLOTS), ALL_ONES, np.uint8), L
        return self._line.popleft(), self._far_flags & L

    def loop(self, loop: Loop) -> None:
        super().loop(loop)
        self._line.clear()

    def _status(self) -> LineStatus:
        if self._buffer.loss:
            return LineStatus(_LOST)
        alarms = {Alarm.AIS} if self._far_flags & L else set(self._framer.alarms)
        if self._far_flags & R:
            alarms.add(Alarm.RAI)
        return LineStatus(frozenset(alarms), crc4=self._framer.crc4, sa_bits=self._framer.sa_received)

    def counters(self) -> Counters:
        framer = self._framer
        return replace(super().counters(), fas_errors=framer.fas_errors, crc_errors=framer.crc_errors,
                       e_bits=framer.e_bits)
