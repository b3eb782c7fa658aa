"""The real RAUC writes the other slot, or refuses: signature, octets, kind of box. Slots are files here.

The rehearsal at the end is a whole update: boxd's side asks root's over its socket, root's runs RAUC.

Bundles are `plain`: their whole is signed, and no device mapper is needed, as `verity` on a box does.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.box.privileged import update
from appliance.box.privileged.serving import serve
from appliance.box.privileged.verb import SOCKET, Nothing, Tell, Value, Verb, VerbError
from appliance.box.update import hands as hands_module
from appliance.box.update.backend import answer
from appliance.box.update.driving import Driving
from appliance.box.update.esp import BootFiles
from appliance.box.update.hands import BoxHands
from appliance.box.update.slots import FILES, Slots, slots_block
from appliance.box.update.store import BookFile
from tests.box.updating import Box, Starts

ROOT = Path(__file__).resolve().parents[2]
SLOT_OCTETS = 1 << 20
BACKEND = """#!{python}
import sys
from contextlib import contextmanager
from pathlib import Path
from appliance.box.update.backend import answer
from appliance.box.update.esp import BootFiles

@contextmanager
def opened(*, write):
    yield BootFiles(Path({folder!r}))

if said := answer(sys.argv[1:], opened):
    print(said)
"""
SYSTEM = """[system]
compatible=branchline-pc
bootloader=custom
activate-installed=false
bundle-formats=plain
mountprefix={folder}/mounted
statusfile={folder}/status
[handlers]
bootloader-custom-backend={folder}/branchline-slots
[keyring]
path={folder}/ours.pem
[slot.rootfs.0]
device={folder}/a.img
type=raw
bootname=A
[slot.rootfs.1]
device={folder}/b.img
type=raw
bootname=B
"""
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={folder}/bus</listen><servicedir>{folder}</servicedir>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>
"""


@dataclass
class Rauc:
    """A box's RAUC. `files`: what GRUB reads."""

    folder: Path
    files: BootFiles

    def bundle(self, name: str, *, signer: str = "ours", compatible: str = "branchline-pc") -> bytes:
        """Made in the folder of bundles; what it writes."""
        content = self.folder / "content"
        shutil.rmtree(content, ignore_errors=True)
        content.mkdir()
        image = name.encode().ljust(300_000, b"\xa5")
        (content / "rootfs.img").write_bytes(image)
        (content / "manifest.raucm").write_text(
            f"[update]\ncompatible={compatible}\nversion=2.0\n[bundle]\nformat=plain\n"
            "[image.rootfs]\nfilename=rootfs.img\n")
        path = update.BUNDLES / name
        path.unlink(missing_ok=True)
        signs = [f"--cert={self.folder / signer}.pem", f"--key={self.folder / signer}.key"]
        subprocess.run(["rauc", *signs, "bundle", content, path], check=True, capture_output=True)
        return image

    def other_slot(self) -> bytes:
        return (self.folder / "b.img").read_bytes()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rauc]:
    folder = tmp_path_factory.mktemp("rauc")
    for name in ("ours", "theirs"):
        make_pki(folder, name)
    for name in ("a.img", "b.img"):
        (folder / name).write_bytes(bytes(SLOT_OCTETS))
    (folder / "mounted").mkdir()
    (folder / "bundles").mkdir()
    (folder / "branchline-slots").write_text(BACKEND.format(python=sys.executable, folder=str(folder)))
    (folder / "branchline-slots").chmod(0o755)
    (folder / "system.conf").write_text(SYSTEM.format(folder=folder))
    (folder / "bus.conf").write_text(BUS.format(folder=folder))
    (folder / "de.pengutronix.rauc.service").write_text(
        "[D-BUS Service]\nName=de.pengutronix.rauc\n"
        f"Exec=/usr/bin/rauc --conf={folder}/system.conf --override-boot-slot=A service\n")
    (folder / "rauc").write_text(
        f"#!/bin/sh\nDBUS_SESSION_BUS_ADDRESS=unix:path={folder}/bus DBUS_STARTER_BUS_TYPE=session "
        f'exec /usr/bin/rauc --conf={folder}/system.conf "$@"\n')
    (folder / "rauc").chmod(0o755)
    (folder / "cmdline").write_text("boot=branchline rauc.slot=A branchline.start=confirmed\n")
    bus = subprocess.Popen(
        ["dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork", "--print-address"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert bus.stdout is not None
        bus.stdout.readline()                     # it listens
        yield Rauc(folder, BootFiles(folder))
    finally:
        bus.terminate()
        bus.communicate()


@pytest.fixture
def rauc(machine: Rauc, monkeypatch: pytest.MonkeyPatch) -> Rauc:
    @contextmanager
    def opened(*, write: bool) -> Iterator[BootFiles]:
        yield machine.files

    monkeypatch.setattr(update, "boot_files", opened)
    monkeypatch.setattr(update, "RAUC", str(machine.folder / "rauc"))
    for name, file in (("BUNDLES", "bundles"), ("COMMAND_LINE", "cmdline"), ("UNDECIDED", "undecided"),
                       ("CONFIRMED", "confirmed")):
        monkeypatch.setattr(update, name, machine.folder / file)
    (machine.folder / FILES[0]).write_bytes(slots_block(1, Slots("A")))
    (machine.folder / FILES[1]).unlink(missing_ok=True)
    return machine


def make_pki(folder: Path, name: str) -> None:
    """An authority that signs itself, and bundles."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (x509.CertificateBuilder().subject_name(called).issuer_name(called)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - timedelta(days=1))
                   .not_valid_after(now + timedelta(days=1))
                   .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
                   .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
                   .sign(key, hashes.SHA256()))
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def installed(name: str) -> list[tuple[str, float]]:
    told: list[tuple[str, float]] = []
    update.install(update.Install(bundle=name), lambda text, share: told.append((text, share)))
    return told


@pytest.mark.need(19)
def test_a_good_bundle_is_written_and_starts_only_when_it_is_told_to(rauc: Rauc) -> None:
    image = rauc.bundle("good.raucb")
    told = installed("good.raucb")
    assert rauc.other_slot()[:len(image)] == image
    assert rauc.files.slots() == Slots("A"), "whole, and not on trial yet"
    shares = [share for _, share in told]
    assert shares == sorted(shares) and shares[-1] == 1.0 and len(shares) > 5
    update.try_out(update.OfSlot(slot="B"), print)
    assert rauc.files.slots() == Slots("A", "B")
    found = update.standing(Nothing(), print)
    assert found == {"booted": "A", "confirmed": "A", "trial": "B", "unusable": "", "undecided": False}
    with pytest.raises(VerbError, match="does not run"):
        update.confirm(update.OfSlot(slot="B"), print)


@pytest.mark.need(19)
@pytest.mark.parametrize(("signer", "compatible", "why"), [
    ("theirs", "branchline-pc", "signature verification failed"),
    ("ours", "branchline-cm", "[Cc]ompatible mismatch")])
def test_what_is_not_for_this_box_is_refused_before_anything_is_written(
        rauc: Rauc, signer: str, compatible: str, why: str) -> None:
    before = rauc.other_slot()
    rauc.bundle("wrong.raucb", signer=signer, compatible=compatible)
    with pytest.raises(VerbError, match=why):
        installed("wrong.raucb")
    assert (rauc.other_slot(), rauc.files.slots()) == (before, Slots("A"))


@pytest.mark.need(19)
def test_an_octet_that_was_changed_is_refused(rauc: Rauc) -> None:
    before = rauc.other_slot()
    rauc.bundle("changed.raucb")
    path = update.BUNDLES / "changed.raucb"
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.write_bytes(octets)
    with pytest.raises(VerbError, match="signature verification failed"):
        installed("changed.raucb")
    assert (rauc.other_slot(), rauc.files.slots()) == (before, Slots("A"))


@pytest.mark.need(19)
def test_a_write_that_fails_leaves_the_slot_unusable_until_one_is_whole(rauc: Rauc) -> None:
    slot = rauc.folder / "b.img"
    image = rauc.bundle("good.raucb")
    slot.rename(slot.with_suffix(".away"))
    slot.symlink_to("/dev/full")
    with pytest.raises(VerbError):
        installed("good.raucb")
    assert rauc.files.slots() == Slots("A", "", frozenset("B"))
    with pytest.raises(Exception, match="install an update first"):
        update.try_out(update.OfSlot(slot="B"), print)
    slot.unlink()
    slot.with_suffix(".away").rename(slot)
    installed("good.raucb")
    assert (rauc.other_slot()[:len(image)], rauc.files.slots()) == (image, Slots("A"))


def test_names_that_are_no_bundle_never_reach_rauc(rauc: Rauc, tmp_path: Path) -> None:
    (update.BUNDLES / "link.raucb").symlink_to(tmp_path / "elsewhere")
    for name in ("absent.raucb", "link.raucb"):
        with pytest.raises(VerbError, match=name):
            installed(name)


def test_what_rauc_may_ask_is_answered_and_nothing_else(rauc: Rauc) -> None:
    @contextmanager
    def opened(*, write: bool) -> Iterator[BootFiles]:
        yield rauc.files

    def ask(words: str) -> str:
        return answer(words.split(), opened)

    assert (ask("get-primary"), ask("get-state B")) == ("A", "good")
    ask("set-state B bad")
    assert (ask("get-state B"), ask("get-primary")) == ("bad", "A")
    ask("set-state B good")
    ask("set-primary B")
    assert ask("get-primary") == "B"
    ask("set-primary A")
    assert ask("get-primary") == "A"
    for words in ("", "get-state C", "set-state B perhaps", "get-primary A"):
        with pytest.raises(ValueError, match="branchline-slots get-primary"):
            ask(words)
    with pytest.raises(Exception, match="the confirmed one"):
        ask("set-state A bad")


class Rehearsed(Box):
    """A box with the real hands: root's end of the socket is a thread, a start is read of GRUB's files."""

    def __init__(self, rauc: Rauc, folder: Path, new: str) -> None:
        self.rauc, self.rebooted = rauc, False
        super().__init__(folder, new)
        self.line = socket.create_server(str(folder / SOCKET), family=socket.AF_UNIX)
        threading.Thread(target=self._root, daemon=True).start()

    def _boxd(self) -> Driving:
        hands = BoxHands(self.folder, self.folder, update.BUNDLES)
        return Driving(BookFile(self.folder), hands, self, self, self.config, self.contents[self.booted],
                       lambda: None)

    def _root(self) -> None:
        def reboot(asked: Nothing, tell: Tell) -> dict[str, Value]:
            self.rebooted = True
            return {}

        verbs = {**update.VERBS, "reboot": Verb(Nothing, reboot, beside=True)}
        with contextlib.suppress(OSError):
            while True:
                with self.line.accept()[0] as asked:
                    serve(asked, verbs, [os.getuid()], self.folder / "lock")

    async def wait(self, for_s: float, woken: asyncio.Event) -> None:
        if self.rebooted:
            raise Starts
        await super().wait(for_s, woken)

    def _start(self) -> None:
        self.starts, self.rebooted = self.starts + 1, False
        self.booted = self.rauc.files.slots().next
        self.contents["B"] = "2.0"
        (self.rauc.folder / "cmdline").write_text(f"rauc.slot={self.booted}\n")
        hands_module.BOOT_ID.write_text(f"start {self.starts}\n")
        self.driving = self._boxd()


@pytest.mark.need(19)
@pytest.mark.parametrize(("new", "ends"), [
    ("good", ("confirmed", "the test call to 12117 on trunk telco was answered", "B")),
    ("no D-channel", ("rolled back", "the D-channel of span telco1 is down", "A"))])
def test_a_whole_update(rauc: Rauc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new: str,
                        ends: tuple[str, str, str]) -> None:
    monkeypatch.setattr(hands_module, "RAUC_CONFIG", rauc.folder / "system.conf")
    monkeypatch.setattr(hands_module, "BOOT_ID", tmp_path / "boot_id")
    (tmp_path / "boot_id").write_text("start 0\n")
    (rauc.folder / "cmdline").write_text("rauc.slot=A\n")
    image = rauc.bundle("v2.raucb")
    box = Rehearsed(rauc, tmp_path, new)
    with box.line:
        box.live("v2.raucb")
    outcome, why, slot = ends
    past = box.driving.book.history[0]
    assert (past.outcome, past.why[:len(why)], past.version_to, past.slot) == (outcome, why, "2.0", "B")
    assert (rauc.files.slots(), box.booted) == (Slots(slot), slot)
    assert rauc.other_slot()[:len(image)] == image
    assert not list(update.BUNDLES.glob("v2*"))


@pytest.mark.need(19)
def test_a_bundle_of_others_is_refused_before_a_call_is_drained(
        rauc: Rauc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hands_module, "RAUC_CONFIG", rauc.folder / "system.conf")
    (rauc.folder / "cmdline").write_text("rauc.slot=A\n")
    rauc.bundle("v2.raucb", signer="theirs")
    box = Rehearsed(rauc, tmp_path, "good")
    with box.line:
        box.live("v2.raucb")
    past = box.driving.book.history[0]
    assert past.outcome == "failed" and "signature verification failed" in past.why
    assert box.starts == 0 and "drain" not in box.done and rauc.files.slots() == Slots("A")
