"""What is listened for on a port: a table of detectors. Adding one is one class and one row."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from appliance.media.detect.dtmf import Dtmf
from appliance.media.detect.fax import Fax
from appliance.media.detect.machine import Machine, Settings
from appliance.media.detect.progress import Progress
from appliance.media.detect.r2 import R1, R2Backward, R2Forward
from appliance.media.detect.speech import Speech
from appliance.media.g711 import Linear


class Detector(Protocol):
    """Rows are independent; a row's state begins anew with reset().

    One that can say at once which blocks should not be passed on has also `suspects`, bool[rows].
    """

    def __init__(self, rows: int) -> None: ...

    def reset(self, row: int) -> None: ...

    def feed(self, samples: Linear) -> Sequence[tuple[int, str]]:
        """One block int16[n, BLOCK] of rows 0 to n-1: (row, what) for each thing that it made certain."""


DETECTORS: dict[str, type[Detector]] = {          # kind -> class; the kind is what the bus calls it
    "dtmf": Dtmf,
    "fax": Fax,
    "machine": Machine,
    "progress": Progress,
    "r1": R1,
    "r2-backward": R2Backward,
    "r2-forward": R2Forward,
    "speech": Speech,
}

# Those of compelled signalling: the other end goes on with a tone until it is answered. The others may wait.
AT_ONCE = frozenset({"r1", "r2-backward", "r2-forward"})


def configured(country: str, machine: Settings) -> dict[str, Callable[[int], Detector]]:
    """The table, with call progress by the tones of `country`, one of tones.COUNTRIES."""
    return {**DETECTORS, "progress": partial(Progress, country=country),
            "machine": partial(Machine, settings=machine)}
