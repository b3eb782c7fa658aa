"""Memory and processors of the whole machine, as the kernel tells them.

Ref: proc_meminfo(5), proc_stat(5).
"""

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_IDLE = (3, 4)                                    # of the fields of cpu: idle, iowait
_FIELDS = 8                                       # those behind are in user and nice already


@dataclass(frozen=True, slots=True)
class Machine:
    memory_octets: int
    available_octets: int                         # without that anything is swapped
    busy_s: float                                 # of all processors together, since the start


def machine(root: Path = PROC) -> Machine | None:
    """None: the kernel does not tell it."""
    try:
        memory = {}
        for line in (root / "meminfo").read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(":")
            memory[name] = value
        first = (root / "stat").read_text(encoding="ascii").partition("\n")[0].split()
        spent = [int(ticks) for ticks in first[1:1 + _FIELDS]]
        return Machine(
            _octets(memory["MemTotal"]), _octets(memory["MemAvailable"]),
            sum(ticks for field, ticks in enumerate(spent) if field not in _IDLE) / _TICKS_A_SECOND)
    except (OSError, ValueError, KeyError):
        return None


def _octets(value: str) -> int:
    """Of e.g. "  396120 kB". ValueError: it is none."""
    return int(value.removesuffix("kB")) * 1024
