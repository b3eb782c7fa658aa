"""What the box's units start as root: `boot` early, `wait` on a new box, `revert` after a trial."""

import sys
import time
from pathlib import Path

from appliance.box.provision.first import lay
from appliance.box.provision.kept import Kept
from board import BoardError

LOOK_S = 2.0


def main(what: str) -> int:
    if what == "boot":
        found = Kept().boot()
        print("no document: DHCP, see the console" if found is None else f"provisioned by {found.source}")
        try:
            if lay():
                print("the first configuration: the lines of the board")
        except (OSError, LookupError, BoardError) as error:          # the box starts all the same
            print(f"no first configuration: {error}", file=sys.stderr)
        return 0
    from appliance.box.provision.applying import Applying  # reads the schema: a boot does not wait for it
    from appliance.box.provision.serial import serial
    applying = Applying(Kept(), serial=serial())
    if what == "revert":
        print("the network is as it was" if applying.revert_network() else "no network was on trial")
        return 0
    if what == "wait":
        from appliance.box.provision.waiting import Waiting
        waiting = Waiting(Kept(), applying)
        while not waiting.look():
            time.sleep(LOOK_S)
        return 0
    print(f"{Path(sys.argv[0]).name}: boot, revert or wait", file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else ""))
