"""Error performance of a line: seconds out of a span's counters, and what each says of either direction.

Ref: ITU-T G.826 (12/02): events 4.5, PDH paths Annex B; ITU-T M.2100: the SES threshold without CRC-4.
Availability (G.826 Annex A) goes over many seconds and is history.py's.
"""

import math
from dataclasses import dataclass
from operator import attrgetter

from e1_driver import Abilities, Alarm, Counters, LineStatus, Loop

SES_BLOCKS = 300                                  # 30 % of the 1000 CRC-4 blocks of a second (G.826 4.5)
SES_FAS = 28                                      # without CRC-4: M.2100, a bit error ratio of 1E-3
SES_PACKETS_PERCENT = 30                          # of an emulated circuit's, as G.826 has it for blocks
NEAR_DEFECTS = frozenset({Alarm.LOS, Alarm.LOF, Alarm.AIS})    # G.826 Annex B


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """What was seen of a line in one second. A count that the interface cannot tell is None, never 0."""

    at: int                                       # unix time of its beginning
    told: frozenset[Alarm] = frozenset()          # alarms that the interface can tell
    defects: frozenset[Alarm] = frozenset()       # those that stood at any moment of it
    slips: int | None = None
    code_violations: int | None = None
    fas_errors: int | None = None
    crc_errors: int | None = None                 # None too while the line carries no CRC-4
    e_bits: int | None = None                     # likewise
    fcs_errors: int | None = None
    aborts: int | None = None
    packets_in: int | None = None
    packets_lost: int | None = None


@dataclass(frozen=True, slots=True)
class Errored:
    """One direction in one second (G.826 4.5). `es` None: the interface does not see single errors."""

    es: bool | None
    ses: bool                                     # an SES is an ES too
    eb: int | None                                # errored blocks; None: without CRC-4 there are no blocks


def near(second: Second) -> Errored | None:
    """What we receive. None: the interface tells nothing of it.

    With CRC-4 it is a path of type 1 in G.826 Annex B, without it type 2 (ES and SES, no blocks). A circuit
    over packets is judged by those lost. An interface that counts nothing gives SES by its defects and no ES.
    """
    defect = not second.defects.isdisjoint(NEAR_DEFECTS)
    fas_errors = second.fas_errors or 0
    if (blocks := second.crc_errors) is not None:
        return Errored(defect or blocks + fas_errors > 0, defect or blocks >= SES_BLOCKS, blocks)
    if second.fas_errors is not None:
        return Errored(defect or fas_errors > 0, defect or fas_errors >= SES_FAS, None)
    if (lost := second.packets_lost) is not None:
        due = lost + (second.packets_in or 0)
        severely = lost > 0 and 100 * lost >= SES_PACKETS_PERCENT * due
        return Errored(defect or lost > 0, defect or severely, None)
    return None if second.told.isdisjoint(NEAR_DEFECTS) else Errored(None, defect, None)


def far(second: Second) -> Errored | None:
    """What the far end receives of us, by its E bits and RAI (G.826 6.2). None: it is not heard."""
    if not second.defects.isdisjoint(NEAR_DEFECTS):
        return None
    rai = Alarm.RAI in second.defects
    if (blocks := second.e_bits) is not None:
        return Errored(rai or blocks > 0, rai or blocks >= SES_BLOCKS, blocks)
    return Errored(None, rai, None) if Alarm.RAI in second.told else None


_COUNTS = ("slips", "code_violations", "fas_errors", "crc_errors", "e_bits", "fcs_errors", "aborts",
           "packets_in", "packets_lost")
_OF_CRC4 = frozenset({"crc_errors", "e_bits"})
_read = attrgetter(*_COUNTS)


class Seconds:
    """Cuts a span's status and counters into seconds of UTC. Call observe() a few times a second.

    Only seconds watched from end to end come out: not the one in which watching begins, nor those of a pause
    or of a step of the clock. Nor does one with a local loop in it: that was not the line.
    """

    def __init__(self, abilities: Abilities) -> None:
        self.abilities = abilities                # to be replaced when the span comes back with others
        self._at: int | None = None
        self._whole = False
        self._defects: set[Alarm] = set()
        self._crc4: bool | None = None            # as last known: a line that is down does not say
        self._last: tuple[int, ...] = ()
        self._sums = [0] * len(_COUNTS)

    def observe(self, now_unix_s: float, status: LineStatus, counters: Counters) -> list[Second]:
        """The second that has ended, or nothing. Counters that fell have begun again from 0."""
        at, values = math.floor(now_unix_s), _read(counters)
        ended: list[Second] = []
        if at == self._at or at - 1 == self._at:
            if values != self._last:
                grown = (now - before if now >= before else now
                         for now, before in zip(values, self._last, strict=True))
                self._sums = [total + more for total, more in zip(self._sums, grown, strict=True)]
            if at != self._at:
                if self._whole:
                    ended.append(self._second(at - 1))
                self._begin(at, whole=True)
        else:
            self._begin(at, whole=now_unix_s == at)
        self._last = values
        self._defects |= status.alarms
        self._whole &= status.loop is not Loop.LOCAL
        if status.crc4 is not None:
            self._crc4 = status.crc4
        return ended

    def _begin(self, at: int, whole: bool) -> None:
        self._at, self._whole = at, whole
        self._defects = set()
        self._sums = [0] * len(_COUNTS)

    def _second(self, at: int) -> Second:
        known = self.abilities.counters
        if not self._crc4 or Alarm.LOMF in self._defects:
            known = known - _OF_CRC4
        counts = {name: total for name, total in zip(_COUNTS, self._sums, strict=True) if name in known}
        return Second(at=at, told=self.abilities.alarms, defects=frozenset(self._defects), **counts)
