"""A new box waits for its document: on a stick, or named by DHCP; who comes first. Runs as root."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from appliance.box.provision import offered, stick
from appliance.box.provision.applying import Applying
from appliance.box.provision.kept import Kept
from appliance.box.provision.plan import FILE
from appliance.errors import BranchlineError, Unavailable

AGAIN_S = 60.0                                    # an address of DHCP that gave nothing is asked again


class Waiting:
    """`devices`: the sticks that are there now."""

    def __init__(self, kept: Kept, applying: Applying,
                 devices: Callable[[], list[Path]] = stick.devices,
                 leases: Path = offered.LEASES, key: Path = offered.KEY) -> None:
        self._kept, self._applying, self._devices = kept, applying, devices
        self._leases, self._key = leases, key
        self._seen: set[Path] = set()             # sticks that were read; one that was pulled is read again
        self._asked: dict[str, float] = {}

    def look(self) -> bool:
        """One look round. True: the box is provisioned, by whomever."""
        if self._kept.provisioned() is not None:
            return True
        there = self._devices()
        self._seen &= set(there)
        for device in there:
            if device not in self._seen:
                self._seen.add(device)
                if self._stick(device):
                    return True
        now = time.monotonic()
        named = offered.addresses(self._leases) if self._key.exists() else []
        self._asked = {address: self._asked.get(address, now) for address in named}
        for address in named:
            if now >= self._asked[address]:
                self._asked[address] = now + AGAIN_S
                if self._offered(address):
                    return True
        return False

    def _stick(self, device: Path) -> bool:
        try:
            with stick.mounted(device) as folder:
                path = folder / FILE
                if not path.is_file():
                    self._hint(f"stick {device.name}: there is no {FILE} in its root folder")
                    return False
                try:
                    document = self._applying.provision(path, "stick", time.time())
                    told, done = f"provisioned as {document.hostname}", True
                except (BranchlineError, OSError) as error:
                    told, done = self._refused(error)
                told = told.replace(f"{folder}/", "")
        except (Unavailable, OSError) as error:
            self._hint(f"stick {device.name}: {error}")
            return False
        self._say(f"stick {device.name}: {told}")
        try:
            stamp = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
            stick.report(device, f"{stamp}  box {self._applying.serial or 'without a serial number'}: {told}")
        except Unavailable as error:
            print(f"the stick's log: {error}", file=sys.stderr)
        return done

    def _offered(self, address: str) -> bool:
        try:
            document = self._applying.typed(offered.fetch(address, self._key), "dhcp", time.time())
        except (BranchlineError, OSError) as error:
            told, done = self._refused(error)
            self._say(f"{address}: {told}")
            return done
        self._say(f"{address}: provisioned as {document.hostname}")
        return True

    def _refused(self, error: Exception) -> tuple[str, bool]:
        """What to say, and whether the box is provisioned all the same."""
        if self._kept.provisioned() is not None:
            return f"PROVISIONED, start the box again\n{error}", True
        return f"NOT PROVISIONED, nothing was changed\n{error}", False

    def _hint(self, text: str) -> None:
        """Of a stick that may be anybody's: nothing that was said of a document goes for it."""
        print(text, file=sys.stderr)
        if "PROVISIONED" not in self._kept.told():
            self._kept.tell(text)

    def _say(self, text: str) -> None:
        """To the journal, and to the consoles, which show the last words here."""
        print(text, file=sys.stderr)
        self._kept.tell(text)
