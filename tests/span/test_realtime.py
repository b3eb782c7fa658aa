"""What the kernel grants, and what is said when it does not: in processes of their own."""

import subprocess
import sys

from appliance.span import realtime

ASK = """
from appliance.span import realtime
print(realtime.ask_for_priority(realtime.LINE_PRIORITY))
print(realtime.lock_memory())
print("".join(line for line in open("/proc/self/status") if line.startswith(("VmLck", "VmRSS"))))
"""


def asked(*before: str) -> list[str]:
    done = subprocess.run([*before, sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_without_permission_both_are_refused_in_words_and_nothing_is_changed() -> None:
    priority, memory, locked, *_ = asked(
        "prlimit", "--rtprio=0", "--memlock=65536", "setpriv", "--bounding-set=-sys_nice,-ipc_lock", "--")
    assert priority.startswith("no real-time priority (Operation not permitted): audio may break up")
    assert memory.startswith("memory is not locked (the limit is 65536 octets): audio may break up")
    assert locked.split()[-2:] == ["0", "kB"]


def test_what_is_locked_is_what_is_used_and_not_all_that_is_mapped() -> None:
    _, memory, locked, used, *_ = asked()
    if not memory:                                # permitted here
        assert int(locked.split()[1]) > int(used.split()[1])     # of VmLck all mappings count, used or not
        assert int(used.split()[1]) < 40_000
    assert realtime.LINE_PRIORITY > realtime.OTHER_PRIORITY
