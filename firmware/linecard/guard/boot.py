"""The first that the card runs, built in and never updated: it chooses the firmware and goes on as that.

An image is mounted where it lies; its modules take the place of the built-in ones.
"""

import sys

from firmware.control import BUILT_IN, RESETS
from firmware.linecard.guard.crash import Crash, words_of
from firmware.linecard.guard.kept import Files, Memory
from firmware.linecard.guard.slots import PAYLOAD_AT, Record, choose, image

try:
    from firmware.linecard.hal import Storage
except ImportError:                               # MicroPython: annotations are not looked at
    pass

BUILT_IN_VERSION = (0, 0, 0)
START_MS = 8_000                                  # an image that does not start by then never will
EARLY_S = 60                                      # a crash or the watchdog before that is an early end
EARLY_ENDS = 5                                    # in a row: the built-in firmware starts

_PLACE = "/firmware"


class Started:
    """Which firmware runs: of `slot`, or BUILT_IN; `reset`: why it was started, of RESETS."""

    def __init__(self, slot: int = BUILT_IN, version: "tuple[int, int, int]" = BUILT_IN_VERSION,
                 reset: str = RESETS[0]) -> None:
        self.slot, self.version, self.reset = slot, version, reset

    @property
    def version_text(self) -> str:
        return ".".join([str(part) for part in self.version])


def chosen(storage: "Storage") -> Started:
    """What to start now. A record that cannot be written is as it was: the card starts all the same."""
    memory, files = Memory(storage.retained), Files(storage.folder)
    reset, uptime_s = memory.begin()
    if reset == "watchdog":
        Crash(files).note(reset, uptime_s, "the program stood still")
    early = reset in ("watchdog", "crash") and uptime_s < EARLY_S
    memory.early_ends = memory.early_ends + 1 if early else 0
    images = [image(slot, storage.modulus) for slot in storage.slots]
    slot, fell = choose(Record(files), (images[0] is not None, images[1] is not None))
    if fell:
        memory.early_ends = 0                     # those were the trial's
    elif slot < BUILT_IN and memory.early_ends >= EARLY_ENDS:
        slot, fell = BUILT_IN, True
    memory.save()
    head = images[slot] if slot < BUILT_IN else None
    version = head.version if head is not None else BUILT_IN_VERSION
    return Started(slot, version, "fallback" if fell else reset)


def main(words: "list[str]") -> None:
    """`words`: what the unix port is started with."""
    if sys.platform == "rp2":
        from firmware.linecard.hal.rp2 import Storage as Kept
    else:
        from firmware.linecard.hal.unix import Storage as Kept
    storage = Kept(words)
    storage.watchdog(START_MS)                    # until the firmware starts its own
    started = chosen(storage)
    try:
        if started.slot != BUILT_IN:
            _mount(storage.slots[started.slot].view())
        from firmware.linecard.main import main as go_on

        go_on(words, started)
    except Exception as error:                    # of an image that is none, too
        memory = Memory(storage.retained)
        memory.reset = RESETS.index("crash")
        memory.save()
        Crash(Files(storage.folder)).note("crash", 0, words_of(error))
        storage.reset()


def _mount(view: memoryview) -> None:
    import vfs

    vfs.mount(vfs.VfsRom(view[PAYLOAD_AT:]), _PLACE)
    for name in [name for name in sys.modules if name.split(".")[0] == "firmware"]:
        del sys.modules[name]
    sys.path.insert(0, _PLACE)


if __name__ == "__main__":
    main(sys.argv[1:])
