"""`python -m hil_tests.qemu [SCENARIO ...]`: the shipped image in QEMU; a board's devices in a small guest.

Root, for disks.
"""

import contextlib
import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import click

from hil_tests.qemu import calling, choice, cuts, following, linecard, updating
from hil_tests.qemu.box import LINE_PORT, SHELL_PORT, STICK_LABEL, Site, kept, until
from hil_tests.qemu.machine import DATA, ESP, SLOT_A, SLOT_B, SLOW, Disk, Machine, mounted, partition, tool
from hil_tests.qemu.peripherals import running as peripherals
from hil_tests.vm.debian import BenchError
from images import bundle, esp, pki, recipe

ROOT = Path(__file__).resolve().parents[2]
IMAGES, PACKAGES = ROOT / "build/image", ROOT / "build/deb"
PKI = IMAGES / "test-pki"
BUILD = ROOT / "build/qemu"
FIGURES = BUILD / "figures.json"
FORWARD = (("tcp", SHELL_PORT), ("tcp", 8080), ("udp", LINE_PORT))
UP_S = 420.0                                      # a boot costs 110 CPU seconds, and what Python imports
CUTS = 30
MASKED = ("branchline.target", "branchline-console@ttyS0.service", "branchline-console@tty1.service",
          "branchline-provision.service", "branchline-provision-wait.service", "branchline-root.socket")


class Bench:
    """The images, and a folder for each scenario."""

    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = old, new

    def file(self, version: str, kind: str) -> Path:
        """Made of this tree if it is not there. BenchError: it cannot be."""
        path = IMAGES / f"branchline-{version}.{kind}"
        if not path.exists():
            say(f"makes {path.name}")
            if not any(PACKAGES.glob("*.deb")):
                tool(sys.executable, "-m", "images.packages")
            tool(sys.executable, "-m", "images", "--version", version)
        return path

    def folder(self, name: str) -> Path:
        folder = BUILD / name
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        return folder

    def provisioned(self, name: str, bundles: tuple[Path, ...]) -> tuple[Path, Site, Disk]:
        folder = self.folder(name)
        disk = Disk.made(folder / "disk.qcow2", self.file(self.old, "img"))
        return folder, calling.site(folder, bundles=bundles), disk


def run_choice(bench: Bench) -> None:
    """GRUB alone, for every state of the slots."""
    for words in choice.run(bench.file(bench.old, "img"), bench.file(bench.old, "squashfs"),
                            bench.folder("choice")):
        say(words)


def run_boot(bench: Bench) -> None:
    """A new box is provisioned by a stick; it starts again with a line; beside it a bare Debian."""
    folder = bench.folder("boot")
    site, disk = calling.site(folder), Disk.made(folder / "disk.qcow2", bench.file(bench.old, "img"))
    with Machine(folder, disk, stick=site.stick, forward=FORWARD) as box:
        with following.exchange(box.ports[LINE_PORT], site.far_port) as far_end:
            _, grub_s = box.wait_for("Branchline: slot A", within_s=120)
            far_end.wait_up(UP_S * SLOW)
            up_s = time.monotonic() - box.began
            say(f"new box: GRUB chooses at {grub_s:.0f} s, D-channel up at {up_s:.0f} s")
            site.wait_up(box, UP_S)
        box.power_off()
    with Machine(folder, disk, forward=FORWARD) as box:
        with following.exchange(box.ports[LINE_PORT], site.far_port) as far_end:
            far_end.wait_up(UP_S * SLOW)
            channel_s, cpu_s = time.monotonic() - box.began, box.cpu_s()
            say(f"second start: D-channel up at {channel_s:.0f} s, {cpu_s:.0f} CPU s")
            site.wait_up(box, UP_S)
            say(site.ssh(box, "systemd-analyze", "time").stdout)
            say(site.ssh(box, "systemd-analyze", "critical-chain", "branchline.target").stdout)
        box.power_off()
    bare_s, bare_cpu_s = bare(bench, folder)
    say(f"bare Debian, the same root file system: {bare_s:.0f} s, {bare_cpu_s:.0f} CPU s; "
        f"ratio {channel_s / bare_s:.2f}, of CPU {cpu_s / bare_cpu_s:.2f}")
    kept(FIGURES, boot_s=channel_s, boot_cpu_s=cpu_s, bare_s=bare_s, bare_cpu_s=bare_cpu_s)


def bare(bench: Bench, folder: Path) -> tuple[float, float]:
    """Seconds until SSH listens, without anything of ours running, and CPU seconds."""
    with Machine(folder, Disk(folder / "disk.qcow2"), direct=without_daemons(bench, folder)) as box:
        _, up_s = box.wait_for("Started \x1b[0;1;39mssh.service", within_s=UP_S)
        return up_s, box.cpu_s()


def without_daemons(bench: Bench, folder: Path, *words: str) -> tuple[str, ...]:
    """For QEMU: the image's kernel, told to start slot A without anything of ours; `words` beside."""
    boot = folder / "kernel"
    tool("unsquashfs", "-q", "-n", "-d", boot, bench.file(bench.old, "squashfs"), "boot")
    partitions = recipe.load().partitions
    line = " ".join([
        "boot=branchline", f"root=PARTUUID={partitions.a}", f"branchline.data=PARTUUID={partitions.data}",
        f"branchline.esp=PARTUUID={partitions.esp}", "rauc.slot=A", *esp.ARGUMENTS,
        *(f"systemd.mask={unit}" for unit in MASKED), *words])
    return ("-kernel", str(boot / "boot/vmlinuz"), "-initrd", str(boot / "boot/initrd.img"), "-append", line)


def run_update(bench: Bench) -> None:
    """The new version from a stick, while people call: drained, on trial, confirmed."""
    figures = updating.run(bench.folder("update"), bench.file(bench.old, "img"),
                           bench.file(bench.new, "raucb"), say)
    kept(FIGURES, **{f"update_{name}": figure for name, figure in figures.items()})


def run_broken(bench: Bench) -> None:
    """A version that does not work takes itself back."""
    figures = updating.run_broken(bench.folder("broken"), bench.file(bench.old, "img"),
                                  bench.file(bench.new, "squashfs"), pki.test(PKI), say)
    kept(FIGURES, **{f"broken_{name}": figure for name, figure in figures.items()})


def run_reset(bench: Bench) -> None:
    """Back to the factory, from the console of the NOC."""
    figures = updating.run_reset(bench.folder("reset"), bench.file(bench.old, "img"), say)
    kept(FIGURES, **figures)


def run_refuse(bench: Bench) -> None:
    """A bundle signed by a stranger changes nothing."""
    stranger = bench.folder("refuse") / "bundle.raucb"
    strange(bench.file(bench.new, "squashfs"), stranger)
    folder, site, disk = bench.provisioned("refused", (stranger,))
    with Machine(folder, disk, stick=site.stick, forward=FORWARD) as box:
        site.wait_up(box, UP_S)
        said: list[subprocess.CompletedProcess[str]] = []

        def answered() -> bool:                   # a box that was just provisioned starts its daemons anew
            said.append(site.ssh(box, "sudo", "branchline", "update", "install", "usb", "--watch",
                                 within_s=300))
            return said[-1].returncode != os.EX_UNAVAILABLE
        until(answered, UP_S, "boxd cannot be asked")
        done = said[-1]
        if done.returncode == 0 or "signature" not in (done.stdout + done.stderr).lower():
            raise BenchError(f"a stranger's bundle: exit {done.returncode}: {done.stdout}{done.stderr}")
        say(f"refused: {(done.stdout + done.stderr).strip().splitlines()[-1]}")
        box.power_off()
    raw = disk.raw(folder / "disk.raw")
    root = bench.file(bench.old, "squashfs")
    if slot_hash(raw, SLOT_A, root) != hashed(root):
        raise BenchError("slot A is not what it was")


def strange(root: Path, to: Path) -> None:
    """The same content with a key that no box knows."""
    bundle.build(recipe.load(), root, "9.9.9", pki.test(to.parent / "stranger"), to, 0)


def run_cuts(bench: Bench) -> None:
    """One installation, each write logged; the disk as of CUTS moments: what GRUB starts, what is there.

    RAUC, our boot loader back end and the writes are the box's own; its daemons, which would take longer to
    start than all the rest, stay off: the kernel's command line says so.
    """
    folder, bundle_file = bench.folder("cuts"), bench.file(bench.new, "raucb")
    site = calling.site(folder, bundles=(bundle_file,))
    before, now, log = folder / "before.raw", folder / "now.raw", folder / "writes.log"
    tool("cp", "--sparse=always", bench.file(bench.old, "img"), before)
    tool("truncate", "--size=4G", before)
    tool("cp", "--sparse=always", before, now)
    log.touch()
    drive = ["-blockdev", f"driver=file,filename={now},node-name=now",
             "-blockdev", f"driver=file,filename={log},node-name=log",
             "-blockdev", "driver=blklogwrites,node-name=disk,file=now,log=log",
             "-device", "virtio-blk-pci,drive=disk,bootindex=1"]
    install = (f"mount -o ro /dev/disk/by-label/{STICK_LABEL} /mnt; systemctl start dbus rauc; "
               f"rauc install /mnt/{bundle_file.name} >/dev/console 2>&1 && "
               "branchline-slots set-state B good && branchline-slots set-primary B")
    direct = without_daemons(bench, folder, f"systemd.run=\"/bin/sh -c '{install}'\"",
                             "systemd.run_success_action=poweroff", "systemd.run_failure_action=poweroff")
    with Machine(folder, Disk(now), stick=site.stick, drive=drive, direct=direct) as box:
        box.wait_for("succeeded", within_s=900)
        box.wait_off(within_s=300)
    check_cuts(bench, folder, before, log)


def check_cuts(bench: Bench, folder: Path, before: Path, log: Path, seed: int = 8) -> None:
    """BenchError: a cut after which the box would not start what it should, or has lost something."""
    writes, chance = cuts.read(log), random.Random(seed)
    start, octets = partition(before, SLOT_B)
    first = next(place for place, write in enumerate(writes) if start <= write.offset < start + octets)
    say(f"{len(writes)} writes, {sum(write.octets for write in writes) / 1e6:.0f} MB, "
        f"the update's from {first} on")
    files = {version: bench.file(version, "squashfs") for version in (bench.old, bench.new)}
    hashes = {version: hashed(file) for version, file in files.items()}
    counted: Counter[str] = Counter()
    disk = folder / "cut.raw"
    for place in _places(writes, first, partition(before, ESP), chance):
        tool("cp", "--sparse=always", before, disk)
        cuts.replay(log, cuts.survivors(writes, place, chance), disk)
        check_data(disk)
        with Machine(folder / "cut", Disk(disk), forward=(), drive=(
                "-drive", f"if=none,id=disk,format=raw,file={disk}", "-device",
                "virtio-blk-pci,drive=disk,bootindex=1")) as box:
            word, _ = box.wait_for("slot A, ", "slot B, ", "no slot starts", within_s=120)
        slot = {"slot A, ": SLOT_A, "slot B, ": SLOT_B}.get(word)
        whole = [version for version, file in files.items()
                 if slot and slot_hash(disk, slot, file) == hashes[version]]
        if not whole:
            raise BenchError(f"cut {place}: {word!r}, where no version is whole")
        counted[f"{word}{whole[0]}"] += 1
        if place == len(writes) and whole[0] != bench.new:
            raise BenchError(f"after the whole update: {word!r} {whole[0]}")
    say(f"{counted.total()} cuts: each starts a whole version, its data are whole: {dict(counted)}")


def _places(writes: list[cuts.Write], first: int, esp_at: tuple[int, int],
            chance: random.Random) -> list[int]:
    """CUTS of them: half anywhere in the update, half where the boot loader's files are written; its end."""
    begin, end = esp_at[0], sum(esp_at)
    near = sorted({place + after for place, write in enumerate(writes) for after in (0, 1, 2)
                   if begin <= write.offset < end and first - 20 <= place < len(writes) - after})
    switching = chance.sample(near, min(len(near), CUTS // 2))
    anywhere = chance.sample(range(max(0, first - 20), len(writes)), CUTS - len(switching))
    return [*sorted({*switching, *anywhere}), len(writes)]


def check_data(raw: Path) -> None:
    """As the box does at a start: the journal replayed, nothing else to repair; its databases whole."""
    start, octets = partition(raw, DATA)
    device = tool("losetup", "--find", "--show", f"--offset={start}", f"--sizelimit={octets}", raw).strip()
    try:
        tool("e2fsck", "-p", "-E", "journal_only", device)
        tool("e2fsck", "-f", "-n", device)
    finally:
        tool("losetup", "--detach", device)
    with mounted(raw, DATA) as folder, tempfile.TemporaryDirectory() as copies:
        for path in sorted(folder.glob("branchline/state/*.sqlite*")):
            shutil.copy(path, copies)             # with its write-ahead log, which opening it reads
        for path in sorted(Path(copies).glob("*.sqlite")):
            with contextlib.closing(sqlite3.connect(path)) as database:
                if (said := database.execute("pragma integrity_check").fetchone()[0]) != "ok":
                    raise BenchError(f"{path.name}: {said}")


def slot_hash(raw: Path, number: int, like: Path) -> str:
    """Of as much of the slot as `like` is long."""
    start, _ = partition(raw, number)
    return hashed(raw, start, like.stat().st_size)


def hashed(path: Path, start: int = 0, octets: int | None = None) -> str:
    total = hashlib.sha256()
    left = path.stat().st_size if octets is None else octets
    with path.open("rb") as file:
        file.seek(start)
        while left and (piece := file.read(min(left, 1 << 20))):
            total.update(piece)
            left -= len(piece)
    return total.hexdigest()


def say(words: str) -> None:
    print(words, flush=True)


def run_peripherals(bench: Bench) -> None:
    """The board's devices as the kernel simulates them, seen by boxd's own parts; no image is needed."""
    peripherals.run()


def run_call(bench: Bench) -> None:
    """A call through the shipped image, its line an emulated circuit; spand killed; memory."""
    figures = calling.run(bench.folder("call"), bench.file(bench.old, "img"), say)
    kept(FIGURES, **{f"call_{name}": figure for name, figure in figures.items()})


def run_card(bench: Bench) -> None:
    """A call through a line card; its relay when the box dies."""
    figures = linecard.run(bench.folder("card"), bench.file(bench.old, "img"), say)
    kept(FIGURES, **{f"card_{name}": figure for name, figure in figures.items()})


SCENARIOS = {"choice": run_choice, "boot": run_boot, "update": run_update, "broken": run_broken,
             "refuse": run_refuse, "cuts": run_cuts, "reset": run_reset,
             "call": run_call, "card": run_card, "peripherals": run_peripherals}


@click.command(help=__doc__)
@click.argument("scenarios", nargs=-1, type=click.Choice(list(SCENARIOS)))
@click.option("--old", default="0.1.0", show_default=True, help="Version of the image that boxes start with.")
@click.option("--new", default="0.2.0", show_default=True, help="Version that they are updated to.")
def main(scenarios: tuple[str, ...], old: str, new: str) -> None:
    began = time.monotonic()
    try:
        bench = Bench(old, new)
        for name in scenarios or SCENARIOS:
            SCENARIOS[name](bench)
            say(f"{name}: good ({time.monotonic() - began:.0f} s)")
    except BenchError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main(prog_name="python -m hil_tests.qemu")
