"""Debian's kernel, and modules that Debian does not build: simulated pins and lights, buses with chips."""

import hashlib
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hil_tests.vm import debian

SOURCES = Path(__file__).parent / "modules"       # ours, and how to build all
FROM_KERNEL = ("drivers/gpio/gpio-sim.c", "drivers/gpio/gpiolib.h", "drivers/leds/uleds.c",
               "kernel/irq/irq_sim.c")
BUILT = ("gpio_sim", "i2c-mock", "spi-mock", "uleds")
KERNEL_MODULES = (                                # in the order to load them
    "kernel/fs/configfs/configfs.ko", "kernel/drivers/i2c/i2c-dev.ko", "kernel/drivers/watchdog/watchdog.ko",
    "kernel/drivers/watchdog/i6300esb.ko")
BY_UDEV = "kernel/drivers/watchdog/softdog.ko"


@dataclass(frozen=True, slots=True)
class Parts:
    """Where things lie after prepare()."""

    folder: Path                                  # of this set of versions
    kernel: str
    vmlinux: Path
    root: Path                                    # packages unpacked
    modules: tuple[Path, ...]                     # in the order to load them
    by_udev: Path                                 # the one that a rule loads


def prepare(build: Path) -> Parts:
    """Fetch, unpack and build what is not there yet. BenchError: apt, gcc or make did not."""
    kernel = debian.kernel_release()
    series = ".".join(kernel.split(".")[:2])
    versions = debian.versions([
        *debian.kernel_packages(kernel), f"linux-source-{series}", "busybox-static"])
    ours = [path.read_bytes() for path in sorted(SOURCES.iterdir())]
    made_from = repr((sorted(versions.items()), ours, KERNEL_MODULES, BY_UDEV))
    key = hashlib.sha256(made_from.encode()).hexdigest()[:12]
    folder = build / f"{kernel}-{key}"
    root, source, ready = folder / "root", folder / "modules", folder / "ready"
    if not ready.exists():
        for old in build.glob("*-amd64-*"):
            shutil.rmtree(old)
        debs = debian.fetch(versions, build / "debs")
        (linux,) = [deb for deb in debs if deb.name.startswith("linux-source")]
        debian.unpack([deb for deb in debs if deb != linux], kernel, (*KERNEL_MODULES, BY_UDEV), root)
        shutil.copytree(SOURCES, source)
        _take_sources(linux, series, source)
        debian.build_modules(kernel, root, source)
        vmlinuz = root / f"boot/vmlinuz-{kernel}"
        (folder / "vmlinux").write_bytes(debian.vmlinux(vmlinuz.read_bytes()))
        ready.touch()
    own = [root / f"lib/modules/{kernel}/{name}" for name in KERNEL_MODULES]
    return Parts(folder, kernel, folder / "vmlinux", root,
                 (*own, *(source / f"{name}.ko" for name in BUILT)), root / f"lib/modules/{kernel}/{BY_UDEV}")


def _take_sources(deb: Path, series: str, into: Path) -> None:
    """Out of the kernel's source, made to build outside of it."""
    names = [f"linux-source-{series}/{name}" for name in FROM_KERNEL]
    with (subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as outer,
          subprocess.Popen(["tar", "-xO", f"./usr/src/linux-source-{series}.tar.xz"], stdin=outer.stdout,
                           stdout=subprocess.PIPE) as inner):
        debian.run("tar", "-xJ", "-C", str(into), "--strip-components=3", *names, stdin=inner.stdout)
    irq_sim = into / "irq_sim.c"                  # irq_to_desc() is not for modules
    irq_sim.write_text(re.sub(r"handle_simple_irq\(irq_to_desc\((\w+)\)\)", r"generic_handle_irq(\1)",
                              irq_sim.read_text()))
