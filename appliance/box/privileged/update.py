"""Verbs of updates: RAUC writes the other slot, files on the EFI system partition say which one starts."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from appliance.box.privileged.verb import Nothing, Tell, Value, Verb, VerbError
from appliance.box.provision import stick
from appliance.box.update.esp import COMMAND_LINE, boot_files, booted_slot
from appliance.box.update.slots import other
from appliance.errors import Unavailable

# On the data partition, boxd's
BUNDLES, STATE = Path("/data/update/bundles"), Path("/data/update/state")
CONFIRMED = Path("/run/branchline-confirmed")     # the trial's watchdog looks for it
UNDECIDED = Path("/data/update/undecided")        # and leaves that
COPY_OCTETS = 4 << 20
SPARE_OCTETS = 256 << 20                          # of the data partition stay free: calls are kept there
RAUC = "/usr/bin/rauc"

Slot = Literal["A", "B"]
BundleName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}\.raucb$")]

_PERCENT = re.compile(r"\s*(\d{1,3})% (.*)")


class Install(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bundle: BundleName                            # in BUNDLES


class OfSlot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    slot: Slot


def standing(asked: Nothing, tell: Tell) -> dict[str, Value]:
    """Where the machine came up and what it starts next; booted "": it has no slots."""
    booted = booted_slot(COMMAND_LINE.read_text())
    if not booted:
        return {"booted": ""}
    with boot_files(write=False) as files:
        slots = files.slots()
    return {"booted": booted, "confirmed": slots.confirmed, "trial": slots.trial,
            "unusable": "".join(sorted(slots.unusable)), "undecided": UNDECIDED.exists()}


def install(asked: Install, tell: Tell) -> dict[str, Value]:
    """Into the slot that does not run; until it is whole it is unusable, over any power cut."""
    bundle = BUNDLES / asked.bundle
    _take(bundle)
    with subprocess.Popen([RAUC, "install", str(bundle)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace",
                          env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"}) as rauc:
        why = follow(rauc.stdout or (), tell)
    if rauc.returncode:
        raise VerbError(why or f"rauc ended with {rauc.returncode}")
    os.sync()
    with boot_files(write=True) as files:
        files.write(files.slots().marked(other(booted_slot(COMMAND_LINE.read_text())), usable=True))
    return {}


def try_out(asked: OfSlot, tell: Tell) -> dict[str, Value]:
    """The slot starts next, and only MOST_TRIES times unless it is confirmed."""
    UNDECIDED.unlink(missing_ok=True)
    with boot_files(write=True) as files:
        files.write(files.slots().with_trial(asked.slot))
    return {}


def confirm(asked: OfSlot, tell: Tell) -> dict[str, Value]:
    """The slot that runs starts from now on. VerbError: another one runs."""
    if asked.slot != booted_slot(COMMAND_LINE.read_text()):
        raise VerbError(f"slot {asked.slot}: does not run")
    with boot_files(write=True) as files:
        files.write(files.slots().with_confirmed(asked.slot))
    CONFIRMED.touch()
    UNDECIDED.unlink(missing_ok=True)
    return {}


def give_up(asked: Nothing, tell: Tell) -> dict[str, Value]:
    """No slot is on trial: the confirmed one starts next."""
    with boot_files(write=True) as files:
        files.write(files.slots().without_trial())
    UNDECIDED.unlink(missing_ok=True)
    return {}


def from_stick(asked: Nothing, tell: Tell) -> dict[str, Value]:
    """Copy the one bundle that lies on a USB stick to BUNDLES. VerbError: none, or several."""
    looked: list[str] = []
    for device in stick.devices():
        try:
            with stick.mounted(device) as folder:
                found = sorted(one for one in folder.glob("*.raucb") if one.name[0] != ".")
                if len(found) > 1:
                    names = ", ".join(one.name for one in found)
                    raise VerbError(f"{device}: has several bundles ({names}): leave the one that is meant")
                if found:
                    return {"bundle": _copied(found[0], tell)}
            looked.append(f"{device}: no bundle (*.raucb) in its first folder")
        except Unavailable as error:
            looked.append(str(error))
    raise VerbError("; ".join(looked) or "no USB stick is there")


def follow(lines: Iterable[str], tell: Tell) -> str:
    """Tell what `rauc install` says of its progress; its last error."""
    why = ""
    for line in lines:
        if found := _PERCENT.match(line):
            tell(found[2].strip(), int(found[1]) / 100)
        elif line.startswith("LastError: "):
            why = line.removeprefix("LastError: ").strip()
    return why


def _take(bundle: Path) -> None:
    """It is a file, and root's from now on."""
    try:
        descriptor = os.open(bundle, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise VerbError(f"{bundle}: {error.strerror}") from None
    try:
        os.fchown(descriptor, 0, 0)
        os.fchmod(descriptor, 0o644)
    finally:
        os.close(descriptor)


def _copied(found: Path, tell: Tell) -> str:
    name = re.sub(r"[^A-Za-z0-9._+-]", "-", found.name).lstrip("._+-")[-100:]
    octets, done = found.stat().st_size, 0
    if octets > shutil.disk_usage(BUNDLES).free - SPARE_OCTETS:
        raise VerbError(f"{BUNDLES}: has no room for {octets >> 20} MiB")
    part = BUNDLES / f"{name}.part"
    owner = BUNDLES.stat()
    try:
        part.unlink(missing_ok=True)              # the folder is boxd's: a link there leads nowhere
        with found.open("rb") as source, part.open("xb") as to:
            while piece := source.read(COPY_OCTETS):
                to.write(piece)
                done += len(piece)
                tell(f"copies {found.name}", done / octets)
            to.flush()
            os.fsync(to.fileno())
            os.fchown(to.fileno(), owner.st_uid, owner.st_gid)
        part.replace(BUNDLES / name)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise VerbError(f"{found.name}: cannot be copied: {error.strerror}") from None
    return name


VERBS = {
    "bundle-from-usb": Verb(Nothing, from_stick),
    "confirm": Verb(OfSlot, confirm),
    "give-up": Verb(Nothing, give_up),
    "install": Verb(Install, install),
    "slots": Verb(Nothing, standing),
    "try-out": Verb(OfSlot, try_out),
}
