"""What a backend that carries octets and no more has in common: HDLC on timeslot 16, loops, counters."""

from abc import abstractmethod
from collections import deque
from dataclasses import replace

import numpy as np

from e1_driver import BLOCK, D_TIMESLOT, IDLE, TIMESLOTS, Abilities, Block, Counters, LineStatus, Loop, Span
from e1_driver.framing.hdlc import MAX_OCTETS, MIN_OCTETS, Damage, Decoder, Encoder

LOOPED_BLOCKS = 20                                # more than any caller reads before it writes
ALL_ONES = 0xFF                                   # rows 0 and 16 of a block that nobody sent

HDLC_COUNTERS = frozenset({"blocks_in", "blocks_out", "slips", "frames_in", "frames_out", "fcs_errors",
                           "aborts", "runts", "giants"})
BLOCK_LOOPS = frozenset({Loop.LOCAL, Loop.PAYLOAD})
_TO_THE_FAR_END = frozenset({Loop.PAYLOAD, Loop.LINE})


def idle_block() -> Block:
    """Bearers silent, rows 0 and 16 all ones."""
    block = np.full((TIMESLOTS, BLOCK), IDLE, np.uint8)
    block[(0, D_TIMESLOT), :] = ALL_ONES
    return block


class SoftSpan(Span):
    """A backend gives `_abilities`, _receive(), _transmit() and _status(); it counts blocks_in, blocks_out
    and slips in `_counters`.

    LOCAL (the line carries an idle block for each that is written) and PAYLOAD (timeslots 1-31; what the
    caller writes is left out) are switched here, for a caller that writes one block for each that it reads.
    A loop holds at most LOOPED_BLOCKS; the oldest is thrown away and counted as a slip. While PAYLOAD or LINE
    stands send_frame() takes nothing, and what was queued is forgotten. A backend whose abilities name LINE
    sends the line back itself: _transmit() is called with an idle block then.
    """

    def __init__(self, abilities: Abilities, damage_sent: Damage | None = None,
                 damage_received: Damage | None = None) -> None:
        self._abilities = abilities
        self._counters = Counters()
        self._loop = Loop.NONE
        self._encoder, self._decoder = Encoder(damage_sent), Decoder(damage_received)
        self._frames: list[bytes] = []
        self._looped: deque[Block] = deque()

    @abstractmethod
    def _receive(self, now: float) -> Block | None:
        """The next block from the line."""

    @abstractmethod
    def _transmit(self, block: Block) -> None:
        """A block to the line, row 16 filled in; row 0 is the backend's, and so is the array."""

    @abstractmethod
    def _status(self) -> LineStatus:
        """As the line says; the loop is filled in by status()."""

    @property
    def abilities(self) -> Abilities:
        return self._abilities

    def read(self, now: float) -> Block | None:
        block = self._receive(now)
        if block is None:
            return None
        if self._loop is Loop.PAYLOAD:
            self._keep(block.copy())
        elif self._loop is Loop.LOCAL:
            line, block = block, self._take()
            block[0] = line[0]
        if frames := self._decoder.feed(block[D_TIMESLOT].tobytes()):
            self._counters.frames_in += len(frames)
            self._frames += frames
        return block

    def write(self, block: Block) -> None:
        if self._loop is Loop.PAYLOAD:
            self._transmit(self._take())
        elif self._loop is Loop.LINE:
            self._transmit(idle_block())
        else:
            block = block.copy()
            block[D_TIMESLOT] = np.frombuffer(self._encoder.pull(BLOCK), np.uint8)
            if self._loop is Loop.LOCAL:
                self._keep(block)
                block = idle_block()
            self._transmit(block)

    def _keep(self, block: Block) -> None:
        if len(self._looped) == LOOPED_BLOCKS:
            self._looped.popleft()
            self._counters.slips += 1
        self._looped.append(block)

    def _take(self) -> Block:
        return self._looped.popleft() if self._looped else idle_block()

    def send_frame(self, frame: bytes) -> bool:
        taken = self._loop not in _TO_THE_FAR_END and self._encoder.send(frame)
        self._counters.frames_out += taken
        self._counters.runts += len(frame) < MIN_OCTETS
        self._counters.giants += len(frame) > MAX_OCTETS
        return taken

    def receive_frames(self) -> list[bytes]:
        frames, self._frames = self._frames, []
        return frames

    def status(self) -> LineStatus:
        status = self._status()
        return status if self._loop is Loop.NONE else replace(status, loop=self._loop)

    def counters(self) -> Counters:
        bad = self._decoder
        return replace(self._counters, fcs_errors=bad.fcs_errors, aborts=bad.aborts,
                       runts=self._counters.runts + bad.runts, giants=self._counters.giants + bad.giants)

    def loop(self, loop: Loop) -> None:
        check_loop(loop, self._abilities)
        if loop is self._loop:
            return
        self._loop = loop
        self._looped.clear()
        if loop in _TO_THE_FAR_END:
            self._encoder.clear()


def check_loop(loop: Loop, abilities: Abilities) -> None:
    """ValueError when a span of these abilities cannot switch `loop`."""
    if loop is not Loop.NONE and loop not in abilities.loops:
        can = ", ".join(sorted(abilities.loops)) or "none"
        raise ValueError(f"loop {loop}: this interface cannot switch it, it can: {can}")
