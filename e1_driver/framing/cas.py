"""Channel associated signalling in timeslot 16: what a line carries there that is no PRI. No I/O, no clock.

Ref: ITU-T G.704 (10/98) 5.1.3 and table 9 (multiframe of timeslot 16), G.732 5.2 (its loss and recovery).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from e1_driver.framing.crc4 import Octets

MULTIFRAME = 16                                   # octets of timeslot 16: frame 0 aligns, 1 to 15 signal
CHANNELS = 30                                     # frame n: a b c d of channel n, then of channel n + 15
FIRST_HALF = CHANNELS // 2                        # their 0000 would look like the alignment signal
REMOTE_ALARM = 0x04                               # y of 0000 xyxx; spare bits x are one
SPARE = 0x0B
SURE_MULTIFRAMES = 20                             # 40 ms: longer than the longest frame of HDLC
_LOST_SIGNALS = 2

_Rows = npt.NDArray[np.uint8]                     # [n, MULTIFRAME]


class Cas:
    """Receives timeslot 16, cut anywhere. Any octets will do.

    `aligned`; `abcd`, uint8[30] of 0 to 15 for channels 1 to 30, a the 8's bit, of the last multiframe, None
    while not aligned; `remote_alarm`, the far end has lost our multiframe, False while not aligned. A
    multiframe whose alignment signal is wrong changes none of them.

    Lost as G.732 5.2 has it: two alignment signals in a row wrong, or a multiframe of zeros. Found not as
    there, with the first signal behind an octet that is not zero, since it is not known that this is CAS at
    all: SURE_MULTIFRAMES in a row must have the signal, and 0000 nowhere else in the first half of an octet,
    where table 9 asks channels 1 to 15 to keep away from it. Chance does so once in more than 10^20 years.
    """

    def __init__(self) -> None:
        self._octets = np.zeros(0, np.uint8)      # of the unfinished row
        self._rows: _Rows = np.zeros((0, MULTIFRAME), np.uint8)
        self._lose()

    @property
    def aligned(self) -> bool:
        return self.abcd is not None

    def _lose(self) -> None:
        self.abcd: Octets | None = None
        self.remote_alarm = False
        self._start = 0                           # where in a row a multiframe begins
        self._wrong_signals = 0

    def feed(self, row16: Octets) -> None:
        """Take uint8[n] of timeslot 16."""
        octets = np.concatenate((self._octets, row16))
        whole = len(octets) - len(octets) % MULTIFRAME
        self._octets = octets[whole:]
        for row in octets[:whole].reshape(-1, MULTIFRAME):
            self._rows = np.concatenate((self._rows[-(SURE_MULTIFRAMES - 1):], row[None]))
            if not self.aligned:
                self._search()
            else:
                self._take(self._rows[-2:].reshape(-1)[self._start:][:MULTIFRAME])

    def _search(self) -> None:
        signals = self._rows < 0x10               # 0000 in bits 1 to 4
        if len(signals) < SURE_MULTIFRAMES or signals.sum() != SURE_MULTIFRAMES:
            return
        if (always := signals.all(axis=0)).any():
            self._start = int(always.argmax())
            self._read(self._rows.reshape(-1)[self._start - 2 * MULTIFRAME:][:MULTIFRAME])

    def _take(self, multiframe: Octets) -> None:
        if multiframe[0] < 0x10:
            self._wrong_signals = 0
            self._read(multiframe)
        else:
            self._wrong_signals += 1
        if self._wrong_signals == _LOST_SIGNALS or not multiframe.any():
            self._lose()
            self._rows = self._rows[:0]

    def _read(self, multiframe: Octets) -> None:
        self.abcd = np.concatenate((multiframe[1:] >> 4, multiframe[1:] & 0x0F))
        self.remote_alarm = bool(multiframe[0] & REMOTE_ALARM)


def frames(abcd: Sequence[int] | Octets, multiframes: int, remote_alarm: bool = False) -> Octets:
    """Timeslot 16 of so many multiframes, uint8[16 * multiframes]; `abcd` as Cas has it.

    ValueError: not 30 values of 0 to 15, or 0 in channels 1 to 15, which looks like the alignment signal.
    """
    values = np.asarray(abcd)
    if values.shape != (CHANNELS,) or values.min() < 0 or values.max() > 15 or not values[:FIRST_HALF].all():
        raise ValueError(f"abcd={values.tolist()}: {CHANNELS} of 0 to 15, the first {FIRST_HALF} not 0")
    multiframe = np.empty(MULTIFRAME, np.uint8)
    multiframe[0] = SPARE | REMOTE_ALARM * remote_alarm
    multiframe[1:] = values[:FIRST_HALF] << 4 | values[FIRST_HALF:]
    return np.tile(multiframe, multiframes)
