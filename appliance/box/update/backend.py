"""branchline-slots: how RAUC, with `bootloader=custom`, asks and says which slot starts.

`set-primary` puts a slot on trial: RAUC never confirms one. `set-state SLOT bad`, which it says before it
writes one, makes that slot unusable until it is whole again.

Ref: RAUC 1.8, "Custom bootloader backend interface".
"""

import sys
from contextlib import AbstractContextManager
from typing import Protocol

from appliance.box.update.esp import BootFiles, boot_files
from appliance.box.update.slots import NAMES, SlotsError

USAGE = "branchline-slots get-primary | set-primary SLOT | get-state SLOT | set-state SLOT good|bad"
EX_USAGE = 64


class Opened(Protocol):
    def __call__(self, *, write: bool) -> AbstractContextManager[BootFiles]: ...


def answer(words: list[str], opened: Opened) -> str:
    """What is printed. SlotsError: it cannot be; ValueError: no such words."""
    match words:
        case ["get-primary"]:
            with opened(write=False) as files:
                return files.slots().next
        case ["get-state", slot] if slot in NAMES:
            with opened(write=False) as files:
                return "bad" if slot in files.slots().unusable else "good"
        case ["set-primary", slot] if slot in NAMES:
            with opened(write=True) as files:
                files.write(files.slots().with_trial(slot))
        case ["set-state", slot, "good" | "bad" as state] if slot in NAMES:
            with opened(write=True) as files:
                files.write(files.slots().marked(slot, state == "good"))
        case _:
            raise ValueError(USAGE)
    return ""


def main() -> int:
    try:
        said = answer(sys.argv[1:], boot_files)
    except ValueError as error:
        print(error, file=sys.stderr)
        return EX_USAGE
    except (SlotsError, OSError) as error:
        print(f"branchline-slots: {error}", file=sys.stderr)
        return 1
    if said:
        print(said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
