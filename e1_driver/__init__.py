"""An E1 span as an object; backends by URL. Knows nothing of calls.

The span is the media clock: read() gives what the line has carried, and the caller writes one block for each
that it read. Nothing here blocks: wait on fileno().
"""

import abc
import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, cast

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Block: TypeAlias = npt.NDArray[np.uint8]      # [32, BLOCK], row = timeslot, A-law octets as on the line
else:                                             # most daemons touch no sample: 9 MB less each
    Block = Any

BLOCK = 80                                        # samples per timeslot per block: 10 ms at 8 kHz
BLOCK_S = 0.01
TIMESLOTS = 32
D_TIMESLOT = 16                                   # TS0 frames the line, TS16 is the D-channel
WEAK_DB = -12                                     # what a short haul input is made for; lower is weak
BEARERS = (*range(1, 16), *range(17, 32))
IDLE = 0xD5                                       # A-law silence, G.711 with even bits inverted


class LineError(Exception):
    """The world's fault: the line, its device or its daemon. Names the URL and what to look at."""


class Alarm(StrEnum):
    """Defects as G.775, G.706 and I.431 name them."""

    LOS = "los"                                   # loss of signal: nothing comes in
    LOF = "lof"                                   # loss of frame alignment (G.706 4.1.1)
    LOMF = "lomf"                                 # framed, but the CRC-4 multiframe is not found (G.706 4.2)
    AIS = "ais"                                   # all ones: the far side's equipment lost its own input
    RAI = "rai"                                   # the far end does not hear us


class Loop(StrEnum):
    """Where a test sends the signal back."""

    NONE = "none"
    LOCAL = "local"                               # to us: what we send is what we receive; the line is apart
    LINE = "line"                                 # to the far end: the line as it came, timeslot 0 and all
    PAYLOAD = "payload"                           # to the far end: timeslots 1-31; timeslot 0 is made here


class LiuFault(StrEnum):
    """What a line interface finds of the pair on which it sends."""

    OPEN = "open"                                 # no current flows: a plug is out, a wire off
    SHORT = "short"                               # too much of it: wires touch


class Clock(StrEnum):
    """Whose clock the span's blocks come by."""

    LINE = "line"                                 # the far end's, recovered here: may be the box's source
    OWN = "own"                                   # this end's (or its host's); the far end is to follow


@dataclass(slots=True)
class Counters:
    """Totals since open. A figure that the backend cannot tell stays 0 and is not in Abilities.counters."""

    blocks_in: int = 0
    blocks_out: int = 0
    slips: int = 0                                # blocks or frames repeated or left out, both ways
    frames_in: int = 0                            # D-channel frames that were good
    frames_out: int = 0
    fcs_errors: int = 0
    aborts: int = 0
    runts: int = 0                                # shorter than address + control + FCS
    giants: int = 0                               # longer than N201 allows
    code_violations: int = 0                      # HDB3 (G.703 A.2)
    fas_errors: int = 0                           # frame alignment words with a wrong bit (G.706 4.1)
    crc_errors: int = 0                           # CRC-4 blocks, 1 ms each, received wrong (G.704 2.3.3)
    e_bits: int = 0                               # CRC-4 blocks that the far end says it received wrong
    packets_in: int = 0                           # of an emulated circuit: taken in time
    packets_lost: int = 0                         # never came, or too late to be played: filled with idle
    packets_late: int = 0                         # came after their turn, or a second time
    packets_bad: int = 0                          # not of this circuit, of a wrong length or shape
    framer_repairs: int = 0                       # registers, one or all, that the framer chip had lost


@dataclass(frozen=True, slots=True)
class LineStatus:
    """What the line says of itself now."""

    alarms: frozenset[Alarm] = field(default_factory=frozenset)
    loop: Loop = Loop.NONE                        # the one that this end has switched
    crc4: bool | None = None                      # the far end sends CRC-4 multiframes; None: cannot tell yet
    sa_bits: int | None = None                    # received Sa4 to Sa8, Sa4 the 16's bit; None: cannot tell
    level_db: int | None = None                   # of what comes in, 0 as it was sent; None: cannot tell
    liu_faults: frozenset[LiuFault] | None = None        # None: cannot tell

    @property
    def up(self) -> bool:
        """True when octets of the far end arrive: LOS, LOF and AIS take it down, LOMF and RAI do not."""
        return not self.alarms & {Alarm.LOS, Alarm.LOF, Alarm.AIS}


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a span can tell and do. What it cannot is shown as unknown, never as zero or as good."""

    alarms: frozenset[Alarm]
    counters: frozenset[str]                      # names of the fields of Counters that mean something
    loops: frozenset[Loop] = frozenset()          # besides NONE
    clock: Clock = Clock.LINE
    whole_line: bool = False                      # row 0 of a received block is what was on the line
    timeslot_16: bool = True                      # ... and row 16; False: it is always ones


class Span(abc.ABC):
    """One E1 circuit. Every method returns at once; LineError when the device is gone for good."""

    @property
    @abc.abstractmethod
    def abilities(self) -> Abilities: ...

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
    def loop(self, loop: Loop) -> None:
        """Switch a loop, or NONE: back to traffic. ValueError: not among abilities.loops."""

    @abc.abstractmethod
    def close(self) -> None:
        """Give the device back; a second time does nothing. Loops end with it."""


@dataclass(frozen=True, slots=True)
class Backend:
    """`module:name`s below e1_driver.backends, imported on first use. Who only reads a configuration pays for
    `url` alone: numpy, which every span needs, takes 7 MB of each process that has it."""

    span: str                                     # the class; made from what follows the scheme
    url: str                                      # takes that, too; ValueError: what is wrong


BACKENDS = {                                      # by scheme
    # virtual:/run/x/telco/a and .../b are the two ends
    "virtual": Backend("virtual:VirtualSpan", "virtual_url:parts"),
    # e1d:/tmp/osmo-e1d.ctl?intf=0&line=0
    "e1d": Backend("e1d:E1dSpan", "e1d_url:parts"),
    # dahdi:1
    "dahdi": Backend("dahdi:DahdiSpan", "dahdi_url:parts"),
    # satop:192.0.2.7:2142?port=2142
    "satop": Backend("pwe3:SatopSpan", "pwe3_url:satop_circuit"),
    # cesop:192.0.2.7:2142?port=2142
    "cesop": Backend("pwe3:CesopSpan", "pwe3_url:cesop_circuit"),
    # tdmoe:eth1/02:00:00:00:00:01/0
    "tdmoe": Backend("tdmoe:TdmoeSpan", "tdmoe_url:parts"),
    # card:/dev/linecard?span=0
    "card": Backend("card:CardSpan", "card_url:parts"),
}


def check_url(url: str) -> str:
    """`url` itself. ValueError: the part of it that is wrong, and what is allowed there. Opens nothing."""
    backend, rest = _backend(url)
    _named(backend.url)(rest)
    return url


def open_span(url: str) -> Span:
    """Open the span that `url` names. ValueError as of check_url(); LineError: it cannot be opened."""
    backend, rest = _backend(url)
    return cast(Span, _named(backend.span)(rest))


def _backend(url: str) -> tuple[Backend, str]:
    scheme, _, rest = url.partition(":")
    if scheme not in BACKENDS or not rest:
        known = ", ".join(f"{name}:..." for name in BACKENDS)
        raise ValueError(f"unknown span URL {url!r}: write one of {known}")
    return BACKENDS[scheme], rest


def _named(what: str) -> Callable[[str], object]:
    module, _, name = what.partition(":")
    found = getattr(importlib.import_module(f"e1_driver.backends.{module}"), name)
    return cast(Callable[[str], object], found)
