"""What the kernel is asked for so that ticks are in time: a real-time priority, and memory that stays.

Memory is locked as it is touched (MCL_ONFAULT), not all that is mapped: with the whole of libraries and
stacks a spand of one span, 72 MB, has 223 MB. The record ring is in no address space of ours.
"""

import ctypes
import os
import resource
from pathlib import Path

# Of SCHED_RR: above ordinary work, below the kernel's own. The other thread may hold the interpreter's lock
# while the line's wants it: it must not wait for a processor then.
LINE_PRIORITY, OTHER_PRIORITY = 20, 10

_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4                    # mlockall(2)
_CAP_IPC_LOCK = 14                                # capabilities(7)


def ask_for_priority(priority: int) -> str:
    """For the calling thread, not for those it starts. Why not, empty: it has it."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError as error:
        return (f"no real-time priority ({error.strerror}): audio may break up when the box is busy; "
                "give CAP_SYS_NICE or set media.realtime: false")
    return ""


def lock_memory() -> str:
    """For the whole process, now and later. Why not, empty: it is locked.

    Not tried within a limit: a later allocation would fail where it is reached.
    """
    advice = "audio may break up when memory is short; give CAP_IPC_LOCK or LimitMEMLOCK=infinity"
    limit_octets, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if limit_octets != resource.RLIM_INFINITY and not _effective(_CAP_IPC_LOCK):
        return f"memory is not locked (the limit is {limit_octets} octets): {advice}"
    if ctypes.CDLL(None, use_errno=True).mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT):
        return f"memory is not locked ({os.strerror(ctypes.get_errno())}): {advice}"
    return ""


def _effective(capability: int) -> bool:
    for line in Path("/proc/self/status").read_text(errors="replace").splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> capability & 1)
    return False
