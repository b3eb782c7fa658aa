"""What processes cost: CPU time and memory, as the kernel counts them."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from appliance.bus.messages import DAEMONS

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


def besides_main_s(pid: int) -> float:
    """Of all threads but the main one, as far as they live: to 10 ms each."""
    ticks = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        if task.name != str(pid):
            fields = (task / "stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])           # utime, stime: proc(5)
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> Memory:
    fields = dict(line.split(":", 1) for line in
                  Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    rss, pss = (int(fields[name].removesuffix("kB")) * 1024 for name in ("Rss", "Pss"))
    return Memory(rss, pss)


class Box(Protocol):
    def pid(self, name: str) -> int: ...


class Meter:
    """CPU time of the box's processes from now on."""

    def __init__(self, box: Box, names: Iterable[str] = NAMES) -> None:
        self._pids = {name: box.pid(name) for name in names}
        self._began_at = time.monotonic()
        self._before = {name: cpu_s(pid) for name, pid in self._pids.items()}
        self._besides = {name: besides_main_s(pid) for name, pid in self._pids.items()}

    def read(self) -> tuple[dict[str, float], float]:
        """CPU seconds of each process, and how many seconds have passed."""
        spent = {name: cpu_s(pid) - self._before[name] for name, pid in self._pids.items()}
        return spent, time.monotonic() - self._began_at

    def shares(self) -> dict[str, float]:
        """Of each process, in percent of a core."""
        spent, seconds = self.read()
        return {name: 100 * cpu / seconds for name, cpu in spent.items()}

    def share_besides_main(self, name: str) -> float:
        """Of the threads that a process has besides its main one, in percent of a core."""
        spent_s = besides_main_s(self._pids[name]) - self._besides[name]
        return 100 * spent_s / (time.monotonic() - self._began_at)
