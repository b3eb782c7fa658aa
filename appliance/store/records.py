"""What the projections keep of a contact: one row of `contacts` and its rows of `segments`."""

import hashlib
from dataclasses import dataclass


def reference(contact: str) -> str:
    """Nine digits for a contact's name, which can be keyed in; of a box's calls hardly two have the same."""
    return f"{int.from_bytes(hashlib.sha256(contact.encode()).digest()[:8], 'big') % 10 ** 9:09d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRecord:
    """A stretch of a contact. Times are Unix seconds.

    kind: flow, queue, ring, talk, dial, hold, consult, conference, transfer, park, message, callback, survey,
    forward, outside (the network has both parties).
    """

    kind: str
    began_at: float
    ended_at: float = 0.0                         # 0: still going on
    detail: str = ""                              # node, queue, agent or number
    agent: str = ""
    recording: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRecord:
    """Fields are those of the bus's ContactInfo."""

    contact: str
    direction: str                                # in, out
    calling: str
    called: str
    state: str                                    # flow, queue, ringing, talking, dialling, transfer, park,
                                                  # callback, survey, ended
    began_at: float
    ended_at: float = 0.0
    queue: str = ""
    agent: str = ""
    outcome: str = ""
    ended_by: str = ""
    cause: int = 0
    digits: str = ""
    withheld: bool = False
    segments: tuple[SegmentRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """A talk with a customer, or a call to one."""

    contact: str
    direction: str
    calling: str
    called: str
    kind: str                                     # talk, dial
    at: float
    detail: str                                   # of a call: the number that went out
    agent: str
