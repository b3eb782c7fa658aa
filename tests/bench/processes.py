"""What processes cost: CPU time and memory, as the kernel counts them."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from appliance.bus.messages import DAEMONS
from tests.e2e.rig import Rig

NAMES = (*DAEMONS, "bus")                         # all that runs on a box
MEGA = 1e6


@dataclass(frozen=True, slots=True)
class Memory:
    """`pss`: pages that several processes have are shared out among them, so that sums are true."""

    rss_octets: int
    pss_octets: int


def cpu_s(pid: int) -> float:
    """User and system time of all the process's threads so far."""
    return time.clock_gettime(~pid << 3 | 2)      # its clock, as clock_getcpuclockid(3) makes it


def memory(pid: int) -> Memory:
    fields = dict(line.split(":", 1) for line in
                  Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    rss, pss = (int(fields[name].removesuffix("kB")) * 1024 for name in ("Rss", "Pss"))
    return Memory(rss, pss)


class Meter:
    """CPU time of the rig's processes from now on."""

    def __init__(self, rig: Rig, names: Iterable[str] = NAMES) -> None:
        self._pids = {name: rig.pid(name) for name in names}
        self._began_at = time.monotonic()
        self._before = {name: cpu_s(pid) for name, pid in self._pids.items()}

    def read(self) -> tuple[dict[str, float], float]:
        """CPU seconds of each process, and how many seconds have passed."""
        spent = {name: cpu_s(pid) - self._before[name] for name, pid in self._pids.items()}
        return spent, time.monotonic() - self._began_at
