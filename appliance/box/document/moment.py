"""A time that neither a wrong clock nor a new start of the box makes longer."""

import time
from dataclasses import dataclass
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Moment:
    at: float                                     # Unix time, as the clock shows it
    boot: str                                     # which start of the kernel
    up_s: float                                   # since then, on a clock that nobody sets


@dataclass(frozen=True, slots=True)
class Deadline:
    within_s: float                               # what was asked for
    at: float                                     # Unix time
    boot: str
    up_s: float

    @classmethod
    def after(cls, now: Moment, within_s: float) -> "Deadline":
        return cls(within_s, now.at + within_s, now.boot, now.up_s + within_s)

    def left_s(self, now: Moment) -> float:
        """Until it is over; at most what was asked for.

        In the same start of the kernel the clock of Unix time, which people and servers set, does not matter.
        """
        left_s = self.up_s - now.up_s if now.boot == self.boot else self.at - now.at
        return min(max(left_s, 0.0), self.within_s)

    def seen(self, now: Moment) -> "Deadline":
        """The same, in the start of the kernel that `now` is of."""
        left_s = self.left_s(now)
        return Deadline(self.within_s, now.at + left_s, now.boot, now.up_s + left_s)


def this_moment() -> Moment:
    try:
        boot = BOOT_ID.read_text().strip()
    except OSError:                               # then times are compared by the clock
        boot = ""
    return Moment(time.time(), boot, time.clock_gettime(time.CLOCK_BOOTTIME))
