"""The card backend: a span of our own line card over USB serial, as firmware/wire.py has it."""

import errno
import os
import select
import time
from collections import deque
from dataclasses import replace

import numpy as np
import serial

from e1_driver import (
    BLOCK,
    TIMESLOTS,
    Abilities,
    Alarm,
    Block,
    Clock,
    Counters,
    LineError,
    LineStatus,
    LiuFault,
    Loop,
)
from e1_driver.backends.card_url import SETTINGS, parts
from e1_driver.soft import HDLC_COUNTERS, SoftSpan, check_loop
from e1_driver.timerfd import Timer
from firmware import wire

ANSWER_S = 2.0
ASK_AGAIN_S = 0.5                                 # what came before may have spoilt the first
SET_AGAIN_S = 0.5                                 # unanswered for so long, a SET was lost
SILENT_S = 0.2                                    # no block for this long is LOS whatever the card said
GONE_S = 3.0                                      # ... and for this long: it has lost its mind, begin anew
CATCH_UP_BLOCKS = 10                              # older ones are thrown away
UNSENT_OCTETS = 4 * wire.TDM_OCTETS               # when more than this waits a block is left out

_RECEIVE_OCTETS = 65_536
_READS = 64                                       # in a row; a terminal gives 4 KiB at a time
_OF_THE_LIU = ("code", "haul", "ohms")            # older firmware knows only the first of each
_CRC4 = {"off": False, "on": True, "auto": None}
_OF_THE_CARD = ("code_violations", "fas_errors", "crc_errors", "e_bits")
_TO_THE_FAR_END = (Loop.LINE, Loop.PAYLOAD)
_HINTS = {
    errno.ENOENT: "plug the line card in",
    errno.EACCES: "put the user into the group of the device, dialout",
    errno.EWOULDBLOCK: "another program uses it: stop that",
}


class CardSpan(SoftSpan):
    """`DEVICE?span=0&clock=line&crc4=auto&code=hdb3&haul=short&ohms=120`: one span of the card at DEVICE.

    No other program may use it.

    Guaranteed: blocks and status are the card's, 32 timeslots as on the line; D-channel HDLC is done here, on
    timeslot 16. Loops are the card's too: one that it does not confirm is asked for every 0.5 s, and from
    then on status() tells what the card does. After a stall of ours at most 10 blocks of what came in
    meanwhile are delivered. A packet damaged on the way is thrown away; a block that it held is a slip. A
    card that falls silent is LOS after 200 ms; after 3 s, or when it is unplugged, read() raises LineError.
    """

    def __init__(self, rest: str) -> None:
        self._url = f"card:{rest}"
        self._device, options = parts(rest)
        super().__init__(Abilities(
            alarms=frozenset(Alarm),
            counters=HDLC_COUNTERS | set(_OF_THE_CARD),
            loops=frozenset(Loop) - {Loop.NONE},
            clock=Clock(options["clock"]),
            whole_line=True,
        ))
        self._span = int(options["span"])
        self._orders = bytes((
            wire.CLOCKS.index(options["clock"]), wire.CRC4.index(options["crc4"]),
            *(SETTINGS[name].index(options[name]) for name in _OF_THE_LIU)))
        self._writer, self._reader = wire.Writer(), wire.Reader(self._hear)
        self._unsent = b""
        self._sequence = self._set_sequence = 0   # of our last block and our last SET
        self._answers = -1                        # the SET that the card goes by
        self._wanted = self._own = Loop.NONE      # as we asked for, and as the card says
        self._set_at, self._lost_set = 0.0, False
        self._answer: tuple[int, int, str] | None = None
        self._running = False
        self._blocks: deque[Block] = deque()
        self._backlog = False
        self._expected: int | None = None         # sequence of the card's next block
        self._card = LineStatus()
        self._card_slips = 0
        self._tells_liu = False                   # and takes orders for it
        self._silent = False
        self._port = self._open()
        self._epoll = select.epoll()
        self._epoll.register(self._port.fileno(), select.EPOLLIN)
        self._more = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)  # readable while there is a backlog
        self._epoll.register(self._more, select.EPOLLIN)
        self._silence = Timer()
        self._epoll.register(self._silence, select.EPOLLIN)
        try:
            self._greet()
            self._set(Loop.NONE)
            self._await_status(options)
            self._send(wire.RUN, 0, b"\x01")
        except LineError:
            self.close()
            raise
        self._running = True
        self._heard_at = time.monotonic()
        self._silence.arm(self._heard_at + SILENT_S)

    def fileno(self) -> int:
        return self._epoll.fileno()

    def send_frame(self, frame: bytes) -> bool:
        return self._wanted not in _TO_THE_FAR_END and super().send_frame(frame)

    def status(self) -> LineStatus:
        return self._status()

    def counters(self) -> Counters:
        return replace(super().counters(), slips=self._counters.slips + self._card_slips)

    def loop(self, loop: Loop) -> None:
        check_loop(loop, self._abilities)
        if loop in _TO_THE_FAR_END:
            self._encoder.clear()
        self._set(loop)

    def close(self) -> None:
        if not self._epoll.closed:
            self._epoll.close()
            os.close(self._more)
            self._silence.close()
            self._port.close()

    def _receive(self, now: float) -> Block | None:
        self._flush()
        self._drain()
        if self._blocks:
            self._heard_at = now
        elif now - self._heard_at > GONE_S:
            raise self._error(f"the line card says nothing for {GONE_S:.0f} s: it is opened anew")
        if self._answers != self._set_sequence and now - self._set_at > SET_AGAIN_S:
            self._lost_set = True
            self._card = replace(self._card, loop=self._own)
            self._send_set(now)
        self._silent = now - self._heard_at >= SILENT_S
        self._silence.arm(now + SILENT_S)
        block = self._blocks.popleft() if self._blocks else None
        if self._backlog != bool(self._blocks):
            self._backlog = not self._backlog
            if self._backlog:
                os.eventfd_write(self._more, 1)
            else:
                os.eventfd_read(self._more)
        self._counters.blocks_in += block is not None
        return block

    def _transmit(self, block: Block) -> None:
        self._sequence += 1
        if len(self._unsent) > UNSENT_OCTETS:
            self._counters.slips += 1
            return
        self._counters.blocks_out += 1
        self._send(wire.TDM, self._sequence, block.tobytes())

    def _status(self) -> LineStatus:
        if self._silent:
            return LineStatus(frozenset({Alarm.LOS}), self._card.loop, self._card.crc4)
        return self._card

    def _error(self, text: str) -> LineError:
        return LineError(f"{self._url}: {text}")

    def _open(self) -> serial.Serial:
        try:
            return serial.Serial(self._device, 115_200, timeout=0, write_timeout=0, exclusive=True)
        except (OSError, ValueError) as error:    # a SerialException is an OSError, with or without a number
            number = error.errno if isinstance(error, OSError) else None
            hint = _HINTS.get(number or 0, "is it the serial port of a line card?")
            why = os.strerror(number) if number else str(error)
            raise self._error(f"cannot open {self._device} ({why}): {hint}") from None

    def _greet(self) -> None:
        until = time.monotonic() + ANSWER_S
        while self._answer is None:
            if time.monotonic() > until:
                raise self._error(f"no line card answers at {self._device} within {ANSWER_S} s: is it another"
                                  " device? unplug it and plug it in again")
            self._send(wire.HELLO, 0, bytes((wire.VERSION, wire.VERSION)))
            again_at = time.monotonic() + ASK_AGAIN_S
            while self._answer is None and (left_s := again_at - time.monotonic()) > 0:
                self._epoll.poll(left_s)
                self._drain()
                self._flush()
        version, spans, name = self._answer
        if version != wire.VERSION:
            raise self._error(f"the line card ({name}) does not speak version {wire.VERSION} of the protocol:"
                              " update its firmware or this program")
        if self._span >= spans:
            raise self._error(f"the line card ({name}) has {spans} spans, the first is span=0")

    def _await_status(self, options: dict[str, str]) -> None:
        """Of the first SET: the card's shape tells what it knows."""
        until = time.monotonic() + ANSWER_S
        while self._answers != self._set_sequence:
            now = time.monotonic()
            if now > until:
                raise self._error(f"the line card at {self._device} does not do as it is told within"
                                  f" {ANSWER_S} s: unplug it and plug it in again")
            if now - self._set_at > SET_AGAIN_S:
                self._send_set(now)
            self._epoll.poll(SET_AGAIN_S)
            self._drain()
            self._flush()
        if self._tells_liu:
            self._abilities = replace(
                self._abilities, counters=self._abilities.counters | {"framer_repairs"})
        elif unknown := [f"{name}={options[name]}" for name in _OF_THE_LIU
                         if options[name] != SETTINGS[name][0]]:
            raise self._error(f"the line card's firmware is too old for {', '.join(unknown)}: update it")

    def _set(self, loop: Loop) -> None:
        self._set_sequence = (self._set_sequence + 1) & 0xFFFF
        self._wanted, self._lost_set = loop, False
        self._card = replace(self._card, loop=loop)
        self._send_set(time.monotonic())

    def _send_set(self, now: float) -> None:
        self._set_at = now
        self._send(wire.SET, self._set_sequence, bytes((wire.LOOPS.index(self._wanted),)) + self._orders)

    def _send(self, kind: int, sequence: int, body: bytes) -> None:
        self._unsent += self._writer.pack(kind, self._span, sequence, body)
        self._flush()

    def _flush(self) -> None:
        """Hand over what the port takes. Not by way of Serial.write(), which waits when the port is full."""
        if self._unsent:
            try:
                self._unsent = self._unsent[os.write(self._port.fileno(), self._unsent):]
            except OSError:                       # full, or gone: read() tells
                return

    def _drain(self) -> None:
        """Take in what the port has. One that is readable and has nothing is gone."""
        port = self._port.fileno()
        if port not in (descriptor for descriptor, _ in self._epoll.poll(0)):
            return
        for turn in range(_READS):
            try:
                octets = os.read(port, _RECEIVE_OCTETS)
            except BlockingIOError:
                return
            except OSError:
                octets = b""
            if not octets:
                if turn:
                    return
                raise self._error(f"the line card at {self._device} is gone: plug it in again")
            self._reader.feed(octets)

    def _hear(self, kind: int, span: int, sequence: int, body: memoryview) -> None:
        """A packet of the card's. What we do not know is a later version's."""
        try:
            if kind == wire.HELLO_ANSWER:
                self._answer = wire.read_hello_answer(body)
            elif span != self._span or self._answer is None:
                return
            elif kind == wire.STATUS:
                self._take_status(wire.read_status(body), wire.read_liu(body))
            elif kind == wire.TDM and len(body) == wire.TDM_OCTETS and self._running:
                self._take_block(sequence, body)
        except ValueError:                        # of a wrong shape, and yet its CRC is right: so it was sent
            self._reader.bad += 1

    def _take_block(self, sequence: int, body: memoryview) -> None:
        if self._expected is not None:
            self._counters.slips += (sequence - self._expected) & 0xFFFF
        self._expected = sequence + 1
        if len(self._blocks) == CATCH_UP_BLOCKS:
            self._blocks.popleft()
            self._counters.slips += 1
        self._blocks.append(np.frombuffer(bytearray(body), np.uint8).reshape(TIMESLOTS, BLOCK))

    def _take_status(self, figures: tuple[int, ...], liu: tuple[int, int, int, int] | None) -> None:
        self._answers, alarms, loop, _, crc4, *counts, self._card_slips = figures
        standing = frozenset(Alarm(name) for bit, name in enumerate(wire.ALARMS) if alarms >> bit & 1)
        self._own = Loop(wire.LOOPS[loop])
        told = self._answers == self._set_sequence or self._lost_set
        level_db = liu_faults = sa_bits = None
        if liu:
            level, faults, sa, self._counters.framer_repairs = liu
            level_db = None if level == wire.LEVEL_UNKNOWN else level
            sa_bits = None if sa == wire.SA_UNKNOWN else sa
            if faults != wire.FAULTS_UNKNOWN:
                liu_faults = frozenset(
                    LiuFault(name) for bit, name in enumerate(wire.LIU_FAULTS) if faults >> bit & 1)
        self._tells_liu = liu is not None
        self._card = LineStatus(standing, self._own if told else self._wanted, _CRC4[wire.CRC4[crc4]],
                                sa_bits, level_db, liu_faults)
        for name, count in zip(_OF_THE_CARD, counts, strict=True):
            setattr(self._counters, name, count)
