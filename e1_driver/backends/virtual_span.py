"""A virtual line's span: framing, faults and loops around the end that carries its octets."""

import logging
from collections import deque

import numpy as np

from e1_driver import BLOCK, D_TIMESLOT, TIMESLOTS, Abilities, Alarm, Block, Clock, Counters, LineStatus, Loop
from e1_driver.backends.faults import Cable, Faults
from e1_driver.backends.virtual_ends import End, Octets, silence
from e1_driver.framing.g704 import Framer
from e1_driver.soft import ALL_ONES, BLOCK_LOOPS, HDLC_COUNTERS, LOOPED_BLOCKS, SoftSpan, idle_block

log = logging.getLogger(__name__)

_FAS, _NFAS, _RAI = 0x9B, 0xDF, 0x20              # G.704 2.3.2: FAS, NFAS, spare bits one; the A bit
_NFAS_MARK = 0x40                                 # ... is one in NFAS alone
_MOST = 0.9                                       # of a block's frames, so that bit errors hide no alarm
_LOST = LineStatus(frozenset({Alarm.LOS}))

BLOCK_ALARMS = frozenset({Alarm.LOS, Alarm.AIS, Alarm.RAI})
LINE_COUNTERS = HDLC_COUNTERS | {"fas_errors", "crc_errors", "e_bits"}


class Places:
    """Framing for a line that keeps its octets in their places: timeslot 0 carries alarms, nobody looks for
    alignment. Has the attributes and methods of a Framer that a span needs."""

    def __init__(self) -> None:
        self.alarms: frozenset[Alarm] = frozenset()
        self.rai: bool | None = None
        self.crc4: bool | None = None
        self.sa_received: int | None = None

    def send(self, block: Block) -> Octets:
        """`block` is ours to change."""
        rai = Alarm.AIS in self.alarms if self.rai is None and self.alarms else self.rai
        block[0] = _ALARMED if rai else _HEALTHY
        return block.T.reshape(-1)

    def receive(self, octets: Octets) -> Block:
        block = np.ascontiguousarray(octets.reshape(-1, TIMESLOTS).T)
        if block[0].tobytes() == _HEALTHY_OCTETS:
            self.alarms = frozenset()
            return block
        self.alarms = _seen(block[0])
        return block if Alarm.LOS not in self.alarms else idle_block()


_HEALTHY, _ALARMED = (np.array((_FAS, nfas) * (BLOCK // 2), np.uint8) for nfas in (_NFAS, _NFAS | _RAI))
_HEALTHY_OCTETS = _HEALTHY.tobytes()


def _seen(row: Octets) -> frozenset[Alarm]:
    if (row == 0).mean() > _MOST:
        return frozenset({Alarm.LOS})
    if (row == ALL_ONES).mean() > _MOST:
        return frozenset({Alarm.AIS})
    nfas = row[row & _NFAS_MARK != 0]
    return frozenset({Alarm.RAI} if len(nfas) and (nfas & _RAI != 0).mean() > _MOST else ())


class LineSpan(SoftSpan):
    """A SoftSpan whose octets go through `framing`, then the cable with its faults, to `end`."""

    def __init__(self, name: str, framing: Framer | Places, faults: Faults, clock: Clock) -> None:
        if isinstance(framing, Framer):
            abilities = Abilities(frozenset(Alarm), LINE_COUNTERS, BLOCK_LOOPS | {Loop.LINE}, clock, True)
        else:
            abilities = Abilities(BLOCK_ALARMS, HDLC_COUNTERS, BLOCK_LOOPS, clock)
        super().__init__(abilities, faults.damage_sent, faults.damage_received)
        self.faults = faults
        self._name = name
        self._framing = framing
        self._framed = framing if isinstance(framing, Framer) else None
        self._cable = Cable(faults)
        self._line: deque[Octets] = deque(maxlen=LOOPED_BLOCKS)       # as it came, while the LINE loop stands
        self._was_los = True
        self._told = LineStatus()                 # what _status() said last of a line that is there
        self._end: End                            # the subclass opens it

    def fileno(self) -> int:
        return self._end.fileno()

    def _receive(self, now: float) -> Block | None:
        octets = self._end.read(now)
        block = None
        if octets is not None:
            if self._loop is Loop.LINE:
                self._counters.slips += len(self._line) == LOOPED_BLOCKS
                self._line.append(octets)
            block = self._framing.receive(octets)
            if self.faults.d_cut:
                block[D_TIMESLOT] = ALL_ONES
        alarms = self._framing.alarms
        if (los := self._end.los or (bool(alarms) and Alarm.LOS in alarms)) != self._was_los:
            self._turn(los)
        return block

    def _turn(self, los: bool) -> None:
        self._was_los = los
        if los:
            log.warning("%s: loss of signal", self._name)
            self._encoder.clear()
        else:
            log.info("%s: the far end is there", self._name)

    def _transmit(self, block: Block) -> None:
        faults, framing = self.faults, self._framing
        if faults.d_cut:
            block[D_TIMESLOT] = ALL_ONES
        framing.rai = True if faults.rai else None
        octets = framing.send(block)
        if self._line:
            octets = self._line.popleft()
        octets = self._cable.carry(octets.reshape(BLOCK, TIMESLOTS)).reshape(-1)
        if not faults.los:
            self._end.write(octets)
        else:
            self._end.write(silence() if self._framed else None)

    def _status(self) -> LineStatus:
        if self._end.los:
            return _LOST
        framing, told = self._framing, self._told
        if (told.alarms is not framing.alarms or told.crc4 is not framing.crc4
                or told.sa_bits != framing.sa_received):
            self._told = told = LineStatus(framing.alarms, crc4=framing.crc4, sa_bits=framing.sa_received)
        return told

    def counters(self) -> Counters:
        counters = super().counters()
        counters.slips += self._cable.slips
        if line := self._framed:
            counters.fas_errors, counters.crc_errors = line.fas_errors, line.crc_errors
            counters.e_bits = line.e_bits
        return counters

    def loop(self, loop: Loop) -> None:
        super().loop(loop)
        self._line.clear()
        self._end.free_running = loop is Loop.LOCAL

    def close(self) -> None:
        self._end.close()
