"""An E1 span as an object; backends by URL. Knows nothing of calls.

The span is the media clock: read() gives what the line has carried, and the caller writes one block for each
that it read. Nothing here blocks: wait on fileno().
"""

import abc
import importlib
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

BLOCK = 80                                        # samples per timeslot per block: 10 ms at 8 kHz
TIMESLOTS = 32
D_TIMESLOT = 16                                   # TS0 frames the line, TS16 is the D-channel
BEARERS = (*range(1, 16), *range(17, 32))
IDLE = 0xD5                                       # A-law silence, G.711 with even bits inverted

Block = npt.NDArray[np.uint8]                     # [32, BLOCK], row = timeslot, A-law octets as on the line


class LineError(Exception):
    """The world's fault: the line, its device or its daemon. Names the URL and what to look at."""


class Alarm(StrEnum):
    """Defects as G.775 and I.431 name them."""

    LOS = "los"                                   # nothing comes in
    LOF = "lof"                                   # loss of frame alignment
    AIS = "ais"                                   # all ones: the far side's equipment lost its own input
    RAI = "rai"                                   # the far end does not hear us


@dataclass(slots=True)
class Counters:
    """Totals since open. HDLC figures count frames, the others blocks or octets as named."""

    blocks_in: int = 0
    blocks_out: int = 0
    slips: int = 0                                # blocks repeated, left out or thrown away, either direction
    frames_in: int = 0
    frames_out: int = 0
    fcs_errors: int = 0
    aborts: int = 0
    runts: int = 0                                # shorter than address + control + FCS
    giants: int = 0                               # longer than N201 allows


@dataclass(frozen=True, slots=True)
class LineStatus:
    """What the line says of itself now."""

    alarms: frozenset[Alarm] = field(default_factory=frozenset)

    @property
    def up(self) -> bool:
        """True when octets of the far end arrive: LOS, LOF and AIS take the span down, RAI alone does not."""
        return not self.alarms & {Alarm.LOS, Alarm.LOF, Alarm.AIS}


class Span(abc.ABC):
    """One E1 circuit. Every method returns at once; LineError when the device is gone for good."""

    @abc.abstractmethod
    def fileno(self) -> int:
        """A descriptor, the same for the object's life, that polls readable when there is something."""

    @abc.abstractmethod
    def read(self, now: float) -> Block | None:
        """The next block the line carried, uint8[32, BLOCK] (caller may keep it), or None: nothing yet.

        `now` is the caller's time.monotonic(), for reconnects and clocks. Row 16 is what was on the timeslot.
        """

    @abc.abstractmethod
    def write(self, block: Block) -> None:
        """Hand over the next block to send. Rows 0 and 16 are the backend's own and ignored."""

    @abc.abstractmethod
    def send_frame(self, frame: bytes) -> bool:
        """Queue one D-channel frame (no flags, no FCS). False: not taken, the queue (about 1 s) is full."""

    @abc.abstractmethod
    def receive_frames(self) -> list[bytes]:
        """Good D-channel frames since the last call, in order, without FCS; bad ones are only counted."""

    @abc.abstractmethod
    def status(self) -> LineStatus: ...

    @abc.abstractmethod
    def counters(self) -> Counters: ...

    @abc.abstractmethod
    def close(self) -> None: ...


BACKENDS = {                                      # scheme -> module:class, imported on first use
    "virtual": "e1_driver.virtual:VirtualSpan",   # virtual:/run/x/telco/a and .../b are the two ends
    "e1d": "e1_driver.e1d:E1dSpan",               # e1d:/tmp/osmo-e1d.ctl?intf=0&line=0
}


def check_url(url: str) -> str:
    """`url` itself when its scheme is known; ValueError naming the known ones otherwise. Opens nothing."""
    scheme, _, rest = url.partition(":")
    if scheme not in BACKENDS or not rest:
        known = ", ".join(f"{name}:..." for name in BACKENDS)
        raise ValueError(f"unknown span URL {url!r}: write one of {known}")
    return url


def open_span(url: str) -> Span:
    """Open the span that `url` names. ValueError: a URL nobody knows; LineError: it cannot be opened."""
    scheme, _, rest = check_url(url).partition(":")
    module, _, name = BACKENDS[scheme].partition(":")
    span: Span = getattr(importlib.import_module(module), name)(rest)
    return span
