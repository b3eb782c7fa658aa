"""The states of a data link, what can happen to it, and its parameters."""
from dataclasses import dataclass
from enum import IntEnum, StrEnum

MODULO = 128                                      # of sequence numbers, 3.5.2.1


class State(IntEnum):
    """B.2. States 1 to 3 wait for a TEI: on primary rate it is 0 for good (Annex A), so a link begins in 4.
    For the same reason MDL-ASSIGN, MDL-REMOVE and the TEI management of 5.3 have no rows in the table."""

    TEI_ASSIGNED = 4
    AWAITING_ESTABLISHMENT = 5
    AWAITING_RELEASE = 6
    MULTIPLE_FRAME = 7
    TIMER_RECOVERY = 8


UP = (State.MULTIPLE_FRAME, State.TIMER_RECOVERY)


class On(StrEnum):                                # strings: their hash is fast, and every frame looks one up
    ESTABLISH = "DL-ESTABLISH request"
    RELEASE = "DL-RELEASE request"
    DATA = "DL-DATA request"
    UNIT_DATA = "DL-UNIT DATA request"
    DEACTIVATED = "persistent deactivation"       # PH-DEACTIVATE indication: layer 1 is gone
    BUSY = "set own receiver busy"
    READY = "clear own receiver busy"
    QUEUED = "I frame queued up"
    ACKNOWLEDGE = "acknowledge pending"
    SABME = "SABME received"
    DISC = "DISC received"
    UA = "UA received"
    DM = "DM received"
    FRMR = "FRMR received"
    INFORMATION = "I received"
    RR = "RR received"
    RNR = "RNR received"
    REJ = "REJ received"
    UI = "UI received"
    XID = "XID received"
    BAD = "frame rejection condition"             # 3.6.11, 5.8.5
    T200 = "T200 expired"
    T203 = "T203 expired"


@dataclass(frozen=True, slots=True)
class Parameters:
    """System parameters (5.9), by default those of SAPI 0 on primary rate. ValueError: they make no link."""

    t200_s: float = 1.0
    t203_s: float = 10.0
    n200: int = 3                                 # how often a frame is sent again
    n201_octets: int = 260                        # of information in a frame, both ways
    k: int = 7                                    # I frames outstanding
    queue_limit: int = 1000                       # messages that wait; ours, not the Recommendation's

    def __post_init__(self) -> None:
        if not 0 < self.t200_s < self.t203_s:
            raise ValueError(f"t200_s={self.t200_s}, t203_s={self.t203_s}: 0 < T200 < T203 (5.9.8)")
        if not 0 < self.k < MODULO:
            raise ValueError(f"k={self.k}: from 1 to {MODULO - 1} (5.9.5)")
        if min(self.n200, self.n201_octets, self.queue_limit) < 1:
            raise ValueError(f"n200={self.n200}, n201_octets={self.n201_octets}, "
                             f"queue_limit={self.queue_limit}: at least 1 each")
