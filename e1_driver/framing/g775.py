"""Loss of signal and AIS on a line that has no frame alignment.

Ref: ITU-T G.775 (10/98): LOS and AIS at 2048 kbit/s. A line whose frames are found has a signal and is not
all ones, so both are looked for only without frame alignment, and end when it is found.
"""

from bisect import bisect_right

import numpy as np

from e1_driver.framing.crc4 import FRAME_BITS, Octets

LOS_BITS = 255                                    # N of 10 to 255 intervals; here an interval without a one
SIGNAL_ONES = 32                                  # of LOS_BITS: an eighth
AIS_BITS = 2 * FRAME_BITS                         # a double frame
AIS_ZEROS = 2                                     # at most
AIS_PERIODS = 2

LOOK_BACK_BITS = AIS_PERIODS * AIS_BITS           # what may belong to a defect before the frames are lost

_AIS_OCTETS = AIS_BITS // 8


class Signal:
    """`los`: since 255 bits without a one, until 255 in a row have 32 ones or more.

    `ais`: since two consecutive periods of 512 bits had two zeros or fewer each, until two consecutive ones
    had three or more each.
    """

    def __init__(self) -> None:
        self.los = self.ais = False
        self._zeros = 0                           # since the last one
        self._window = np.zeros(0, np.uint8)      # bits toward the next LOS_BITS, while los
        self._period = np.zeros(0, np.uint8)      # octets toward the next double frame
        self._contrary = 0                        # periods in a row that speak against `ais` as it is

    def feed(self, octets: Octets) -> None:
        """The next octets of the line."""
        self._feed_los(np.unpackbits(octets))
        self._feed_ais(octets)

    def _feed_los(self, bits: Octets) -> None:
        """Whatever the line carries: one look at its bits, and little for each change of `los`."""
        bits = np.concatenate((self._window, bits))
        edges = np.concatenate(([-1 - self._zeros], np.flatnonzero(bits), [len(bits)]))
        silent = edges[:-1][np.diff(edges) > LOS_BITS]
        onsets: list[int] = (silent + 1 + LOS_BITS).tolist()        # bits up to where a silence is LOS
        signal = np.zeros(0, np.bool_)            # whether from each bit on LOS_BITS have enough ones
        if self.los or len(onsets):
            ones = np.concatenate(([0], np.cumsum(bits, dtype=np.intp)))
            signal = ones[LOS_BITS:] - ones[:-LOS_BITS] >= SIGNAL_ONES
        at = 0
        while True:
            if not self.los:
                next_onset = bisect_right(onsets, at)
                if next_onset == len(onsets):
                    self._zeros, self._window = int(edges[-1] - edges[-2]) - 1, bits[:0]
                    return
                self.los, at = True, onsets[next_onset]
            enough = signal[at::LOS_BITS]
            first = int(enough.argmax()) if len(enough) else 0
            if not enough[first:first + 1].any():
                self._zeros, self._window = 0, bits[at + (len(bits) - at) // LOS_BITS * LOS_BITS:]
                return
            self.los, at = False, at + (first + 1) * LOS_BITS

    def _feed_ais(self, octets: Octets) -> None:
        octets = np.concatenate((self._period, octets))
        whole = len(octets) // _AIS_OCTETS
        self._period = octets[whole * _AIS_OCTETS:]
        periods = octets[:whole * _AIS_OCTETS].reshape(whole, _AIS_OCTETS)
        zeros = AIS_BITS - np.bitwise_count(periods).sum(axis=1, dtype=np.intp)
        for all_ones in (zeros <= AIS_ZEROS).tolist():
            self._contrary = self._contrary + 1 if all_ones != self.ais else 0
            if self._contrary == AIS_PERIODS:
                self.ais, self._contrary = all_ones, 0
