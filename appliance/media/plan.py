"""What the engine's graph and its engine share: the rows of the table, sounds, and the plan.

One tick's audio is a table uint8[rows, BLOCK] of A-law: every port's received audio, one row of silence, the
players, the mixes. Whatever can be heard is a row of it, and what a port hears is one row's number. A port is
a timeslot (span index * 32 + timeslot) or, after all of those, an RTP leg.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.media.g711 import Octets

Numbers = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]

ID_OCTETS = 16                                    # of a tap's name, as in the record ring


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Sound:
    """A-law octets to play, once or for ever; never empty. `music`: who hears it again, hears it go on."""

    octets: Octets
    repeat: bool = False
    music: bool = False

    def __post_init__(self) -> None:
        if not self.octets.size:
            raise ValueError("a sound without octets")
        if self.octets.dtype != np.uint8 or self.octets.ndim != 1:
            raise ValueError(f"a sound of {self.octets.dtype}{[*self.octets.shape]}: octets in a row are one")


class Rows:
    """Where things are in the table of a box with so many ports.

    Two players a port: a held one's music waits while the leg hears something else. One mix a port.
    """

    def __init__(self, ports: int) -> None:
        self.ports = ports
        self.silence = ports
        self.players = range(ports + 1, 3 * ports + 1)
        self.mixes = range(3 * ports + 1, 4 * ports + 1)
        self.count = 4 * ports + 1


class Playing(NamedTuple):
    """A player that runs in this plan."""

    row: int
    tag: int
    octets: memoryview
    repeat: bool


_NONE = np.zeros(0, np.intp)


class Watch(NamedTuple):
    """Rows of one detector: `ports` is whose audio each gets (the silent row: nobody's), `tags` whose it is.

    A tag of None: fed for the sake of masking only, what it hears is not said.
    """

    kind: str
    ports: Numbers
    tags: tuple[str | None, ...]


class Masks(NamedTuple):
    """Ports whose digits nobody may hear, and the row of the digit detector that says when."""

    ports: Numbers = _NONE
    watched: Numbers = _NONE


class Gains(NamedTuple):
    """Ports with a gain of their own, in steps of levels.STEP_DB."""

    ports: Numbers = _NONE
    steps: Numbers = _NONE


class Agcs(NamedTuple):
    """Rows of the automatic gain control: whose (the silent row: nobody's) and the level to hold."""

    ports: Numbers = _NONE
    targets_dbm0: Floats = np.zeros(0)


class Layer(NamedTuple):
    """The next term of each of the first mixes: rows of [decoded inputs | totals], and factors [n, 1]."""

    terms: Numbers
    factors: Floats


class Mixing(NamedTuple):
    """Two levels of sums. The first of `inputs` are the conferences' members, conference by conference."""

    inputs: Numbers                               # rows of the table
    factors: Floats                               # [members, 1]
    starts: Numbers                               # [totals]: of each conference's members
    layers: tuple[Layer, ...]                     # the first has all mixes, none has more than the one before
    rows: Numbers                                 # [mixes]: of the table
    players: Mapping[int, Mapping[int, float]]    # row of a mix -> row of a player in it -> factor


class Taps(NamedTuple):
    """Pairs of rows to give out each tick, each in the row that it keeps for life. A name of zeros: free.

    A number after the table's rows is what a port is sent: Graph.sent().
    """

    names: Octets = np.zeros((0, ID_OCTETS), np.uint8)           # [taps, ID_OCTETS]
    sides: Numbers = np.zeros((0, 2), np.intp)                   # [taps, 2]


class Meters(NamedTuple):
    """Rows whose level is measured over so many ticks, again and again. An empty tag: a free row."""

    rows: Numbers = _NONE
    ticks: Numbers = _NONE
    tags: tuple[str, ...] = ()


class Plan(NamedTuple):
    """What is connected from tick `at_tick` on. Made by Graph.take_plan(), never changed afterwards.

    Parts that did not change are the same objects as in the plan before.
    """

    at_tick: int
    source: Numbers                               # [ports]: the row that the port hears
    playing: Mapping[int, Playing] = MappingProxyType({})        # by row
    watches: tuple[Watch, ...] = ()
    masks: Masks = Masks()
    echo: Numbers = _NONE                         # row of the canceller -> port, or silence
    received: Gains = Gains()
    sent: Gains = Gains()
    agcs: Agcs = Agcs()
    mixing: Mixing | None = None
    taps: Taps = Taps()                           # to the record ring
    live: Taps = Taps()                           # to who listens now
    meters: Meters = Meters()
    fresh: tuple[tuple[str, int], ...] = ()       # what begins anew with this plan: (part, row)

    def players(self, port: int) -> Mapping[int, float]:
        """Rows of the players that the port hears, by themselves or in a mix, and their factors."""
        row = int(self.source[port])
        if row in self.playing:
            return {row: 1.0}
        return {} if self.mixing is None else self.mixing.players.get(row, {})
