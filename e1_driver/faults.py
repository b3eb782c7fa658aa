"""Faults of a line, on purpose and repeatable."""

from dataclasses import dataclass, field
from random import Random


@dataclass(slots=True)
class Faults:
    """What the line does wrong when asked to; nothing unless a test or the URL says so."""

    d_loss: float = 0.0                           # share of D-channel frames, each way, with one bit inverted
    d_cut: bool = False                           # timeslot 16 is all ones, both ways
    los: bool = False                             # this end sends nothing
    random: Random = field(default_factory=lambda: Random(0))

    def damage(self, bits: int) -> int | None:
        """The bit to invert in a frame of `bits` with its FCS, or None."""
        return self.random.randrange(bits) if self.d_loss and self.random.random() < self.d_loss else None
