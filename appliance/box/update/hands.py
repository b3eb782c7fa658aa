"""What updates do outside of the daemons: root's verbs, RAUC's word on a bundle, bundles from the network."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from appliance.box.privileged.asking import ask
from appliance.box.privileged.update import BUNDLES, SPARE_OCTETS, Install, OfSlot, Slot
from appliance.box.privileged.verb import BUSY, Value, VerbError
from appliance.box.update.driving import Bundle, Progress, UpdateError
from appliance.box.update.fetching import NAME, download, take
from appliance.box.update.state import Standing

RAUC_CONFIG = Path("/etc/rauc/system.conf")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
UPLOADED, UPLOADS = "upload:", "uploads"          # webui's folder in the state folder
BUSY_S, BUSY_TIMES = 2.0, 15                      # root does one thing at a time


class BoxHands:
    """On an appliance. `state_dir`: whose databases a new version may have to copy aside."""

    def __init__(self, run_dir: Path, state_dir: Path, bundles: Path = BUNDLES) -> None:
        self._run_dir, self._state_dir, self._bundles = run_dir, state_dir, bundles

    async def standing(self) -> Standing:
        found = await self._ask("slots")
        return msgspec.convert({**found, "unusable": list(str(found.get("unusable", ""))),
                                "boot": BOOT_ID.read_text().strip()}, Standing)

    async def fetch(self, source: str, progress: Progress) -> Path:
        if source == "usb":
            found = await self._ask("bundle-from-usb", None, lambda text, share: progress(share, text))
            return self._bundles / str(found["bundle"])
        if source.startswith("https://"):
            return await download(source, self._bundles, progress)
        if source.startswith(UPLOADED):
            return await take(
                source.removeprefix(UPLOADED), self._state_dir / UPLOADS, self._bundles, progress)
        if not NAME.fullmatch(source):
            raise UpdateError(f"{source!r}: neither an https:// address, usb, nor a bundle's name (*.raucb)")
        if not (self._bundles / source).is_file():
            raise UpdateError(f"{self._bundles / source}: is not there")
        return self._bundles / source

    async def check(self, bundle: Path) -> Bundle:
        """Signed by whom this box trusts; RAUC looks again, and at the kind of box, when it installs."""
        rauc = await asyncio.create_subprocess_exec(
            "rauc", f"--conf={RAUC_CONFIG}", "info", "--output-format=json", str(bundle),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        said, wrong = await rauc.communicate()
        if rauc.returncode:
            raise UpdateError(f"{bundle.name}: {_last_line(wrong) or f'rauc ended with {rauc.returncode}'}")
        try:
            version = str(json.loads(said)["version"])
        except (ValueError, KeyError, TypeError):
            raise UpdateError(f"{bundle.name}: rauc does not tell its version") from None
        self._refuse_full()
        return Bundle(version=version)

    async def install(self, bundle: Path, progress: Progress) -> None:
        await self._ask("install", Install(bundle=bundle.name), lambda text, share: progress(share, text))

    async def try_out(self, slot: str) -> None:
        await self._ask("try-out", OfSlot(slot=_slot(slot)))

    async def confirm(self, slot: str) -> None:
        await self._ask("confirm", OfSlot(slot=_slot(slot)))

    async def give_up(self) -> None:
        await self._ask("give-up")

    async def reboot(self) -> None:
        await self._ask("reboot")

    def tidy(self) -> None:
        """Bundles that are installed or refused are not wanted any more; what is fetched in part is."""
        for path in self._bundles.glob("*.raucb"):
            with contextlib.suppress(OSError):
                path.unlink()

    async def _ask(self, verb: str, arguments: msgspec.Struct | None = None,
                   hear: Callable[[str, float], None] = lambda text, share: None) -> dict[str, Value]:
        for _ in range(BUSY_TIMES):
            try:
                return await ask(self._run_dir, verb, arguments, hear)
            except VerbError as error:
                why = str(error)
            if not why.endswith(BUSY):
                break
            await asyncio.sleep(BUSY_S)
        raise UpdateError(why)

    def _refuse_full(self) -> None:
        """A new version may copy each database aside before it changes it."""
        needed = SPARE_OCTETS + sum(path.stat().st_size for path in self._state_dir.rglob("*.sqlite"))
        free = shutil.disk_usage(self._state_dir).free
        if free < needed:
            raise UpdateError(f"{self._state_dir}: has {free >> 20} MiB left, an update needs "
                              f"{needed >> 20} MiB: free some space")


def _last_line(octets: bytes) -> str:
    """What a program says last, without who says so."""
    lines = octets.decode(errors="replace").strip().splitlines()
    return lines[-1].rpartition("**: ")[2] if lines else ""


def _slot(name: str) -> Slot:
    """UpdateError: none is called so."""
    if name == "A":
        return "A"
    if name == "B":
        return "B"
    raise UpdateError(f"slot {name!r}: there are A and B")
