"""Digits that nobody may hear: a block that holds some of one is silence, and so are those beside it.

A digit that begins late in a block is suspected up to two blocks later: a masked port is heard LATE ticks
late.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from appliance.media.g711 import Octets
from appliance.media.plan import Numbers
from e1_driver import BLOCK, IDLE

LATE = 2
DIGITS = "dtmf"                                   # the detector that says where digits are

Flags = npt.NDArray[np.bool_]


class Suspecting(Protocol):
    """What that detector has besides."""

    suspects: Flags                               # by row: the block fed last may hold some of a digit


class Masking:
    """By port; a port's state begins anew with reset()."""

    def __init__(self, ports: int) -> None:
        self._kept = np.full((ports, LATE, BLOCK), IDLE, np.uint8)           # oldest first
        self._suspect = np.zeros((ports, LATE + 1), np.bool_)

    def reset(self, port: int) -> None:
        self._kept[port] = IDLE
        self._suspect[port] = False

    def apply(self, octets: Octets, ports: Numbers, suspect: Flags) -> None:
        """Put into the rows `ports` what they held LATE ticks ago, or silence.

        `suspect`: where a digit is in what they hold now.
        """
        kept, suspects = self._kept[ports], self._suspect[ports]
        silent = suspect | suspects.any(axis=1)
        now = octets[ports]
        octets[ports] = np.where(silent[:, None], np.uint8(IDLE), kept[:, 0])
        self._kept[ports] = np.concatenate([kept[:, 1:], now[:, None]], axis=1)
        self._suspect[ports] = np.concatenate([suspects[:, 1:], suspect[:, None]], axis=1)
