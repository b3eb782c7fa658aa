"""What recordd does with calls on a disk that refuses: the n-th change of it, for every n, each in its child.

LD_PRELOAD=faults.so python -m tests.recording.power.faulted FOLDER ERRNO CALLS EVERY; it says which n failed.
"""

import ctypes
import logging
import os
import shutil
import sys
import traceback
from pathlib import Path

from appliance.config.schema import Config
from appliance.recording.journal.taker import END_TICKS
from tests.recording.power.subject import BEGIN_TICK, build, running
from tests.recording.power.whole import AFTER, BATCHES, REFUSED, ROWS, TICKS, examine, turn
from tests.recording.rings import Feeder

NEVER = 1 << 40

faults = ctypes.CDLL(None).faults
faults.argtypes, faults.restype = (ctypes.c_char_p, ctypes.c_long, ctypes.c_long, ctypes.c_int), ctypes.c_long


def run(folder: Path, config: Config, first: int, last: int, error: int) -> int:
    """Record with calls `first` to `last` refused, then on a disk that is well; how many calls there were."""
    feeder, parts = Feeder(folder / "ring", rows=ROWS), None
    state = folder / "state"
    faults(bytes(state), first, last, error)
    feeder.tick = BEGIN_TICK
    for batch in range(BATCHES):
        if parts is None:
            try:
                parts = build(state, config)
            except REFUSED:                       # its supervisor starts it anew
                feeder.write(TICKS, *running(batch, ROWS))
                continue
        turn(parts, feeder, *running(batch, ROWS))
    calls = int(faults(bytes(state), NEVER, NEVER, error))
    parts = parts or build(state, config)
    for _ in range(AFTER):
        turn(parts, feeder)
    examine(parts)
    parts.database.close()
    again = build(state, config)                  # what is on the disk is the same
    examine(again)
    return calls


def in_child(folder: Path, config: Config, first: int, last: int, error: int) -> str:
    """What went wrong, "" nothing; the number of calls lies in folder/calls."""
    folder.mkdir()
    child = os.fork()
    if not child:
        try:
            (folder / "calls").write_text(str(run(folder, config, first, last, error)))
        except BaseException:
            (folder / "problem").write_text(traceback.format_exc())
        os._exit(0)
    os.waitpid(child, 0)
    problem = folder / "problem"
    return problem.read_text() if problem.exists() else ""


def main(folder: Path, error: int, lasting: int, every: int) -> int:
    assert TICKS * AFTER >= END_TICKS + TICKS
    logging.disable()
    config = Config.model_validate({"spans": [{"name": "a", "url": "virtual:/tmp/a", "side": "user",
                                               "trunk": "a"}]})
    problem = in_child(folder / "0", config, NEVER, NEVER, error)
    calls = 0 if problem else int((folder / "0" / "calls").read_text())
    done = 1
    for first in range(1, calls + 1, every):
        if problem:
            break
        problem = in_child(folder / str(first), config, first, first + lasting - 1, error)
        if problem:
            print(f"calls {first} to {first + lasting - 1} of {calls} refused with {os.strerror(error)}:")
        shutil.rmtree(folder / str(first))
        done += 1
    print(problem or f"{done} of {calls}")
    return 1 if problem or not calls else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *map(int, sys.argv[2:5])))
