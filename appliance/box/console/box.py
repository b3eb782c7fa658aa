"""What the menu asks of the box: daemons by the bus, root by its verbs, the kernel. Each may be away."""

import asyncio
import shutil
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import msgspec

from appliance.box.privileged.asking import ask
from appliance.box.privileged.verb import Value
from appliance.box.provision import stick, verbs
from appliance.box.support import making
from appliance.box.support.sources import Places
from appliance.bus.client import Bus, BusError
from appliance.bus.messages import (
    CallTested,
    Identify,
    InstallUpdate,
    PlaceTestCall,
    Reply,
    Request,
    UpdateReply,
)
from appliance.config.load import load
from appliance.errors import BranchlineError, Unavailable

ASKED_S, TEST_CALL_S, ROOT_S, BUNDLE_S = 5.0, 90.0, 90.0, 600.0
NET = Path("/sys/class/net")

R = TypeVar("R", bound=Reply)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Port:
    name: str
    mac: str
    carrier: bool


class Box:
    """BranchlineError: one line, why it was not done or is not known."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.version = version("branchline")

    @property
    def name(self) -> str:
        return socket.gethostname()

    def ask(self, request: Request[R], within_s: float = ASKED_S) -> R:
        return self._on_bus(lambda bus: bus.ask(request), within_s)

    def root(self, verb: str, arguments: msgspec.Struct | None = None) -> dict[str, Value]:
        return _waited(ask(self._places.run_dir, verb, arguments), ROOT_S)

    def ports(self) -> list[Port]:
        return [Port(one.name, (one / "address").read_text().strip(), _text(one / "carrier") == "1")
                for one in sorted(NET.iterdir()) if (one / "device").exists()]

    def trunk(self) -> str:
        return load(self._places.config).spans[0].trunk

    def identify(self, for_s: float) -> None:
        self.ask(Identify(for_s=for_s))

    def test_call(self, trunk: str, number: str) -> CallTested:
        return self.ask(PlaceTestCall(trunk=trunk, number=number), TEST_CALL_S)

    def update_from_stick(self) -> None:
        self.ask(InstallUpdate(source="usb", by="console"))

    def support_to_stick(self) -> tuple[str, int, dict[str, str]]:
        """Name, octets, what is missing in it and why."""
        name = making.name(self.name, time.time())
        with tempfile.TemporaryDirectory(prefix="branchline-support-") as folder:
            path = Path(folder) / name
            try:
                missing = self._on_bus(lambda bus: making.make(path, self._places, bus), BUNDLE_S)
            except (BusError, Unavailable) as error:
                missing = _waited(making.make(path, self._places, None, str(error)), BUNDLE_S)
            octets = path.stat().st_size
            for device in stick.devices():
                try:
                    with stick.mounted(device, write=True) as there:
                        shutil.copyfile(path, there / name)
                except (Unavailable, OSError):
                    continue
                return name, octets, missing
        raise Unavailable("")

    def reset(self) -> None:
        self.root("factory-reset", verbs.Reset("console"))
        self.root("reboot")

    def _on_bus(self, what: Callable[[Bus], Awaitable[T]], within_s: float) -> T:
        async def connected() -> T:
            bus = await Bus.connect(self._places.run_dir, "boxd")
            try:
                return await what(bus)
            finally:
                await bus.close()
        return _waited(connected(), within_s)


def progress(reply: UpdateReply) -> dict[str, object]:
    return {"phase": reply.state.phase, "percent": reply.state.percent, "saying": reply.state.saying}


def _waited(what: Awaitable[T], within_s: float) -> T:
    async def limited() -> T:
        return await asyncio.wait_for(what, within_s)
    try:
        return asyncio.run(limited())
    except TimeoutError:
        raise Unavailable(f"no answer within {within_s:g} s") from None
    except OSError as error:
        raise Unavailable(str(error)) from None
    except BusError as error:
        raise BranchlineError(str(error)) from None


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
