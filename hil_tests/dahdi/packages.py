"""What Debian publishes, unpacked and built: a kernel image, DAHDI's modules for it, the tools of the guest.

Nothing is installed: packages are fetched by apt and unpacked below build/dahdi, and what is built is kept
there under the versions it was built from.
"""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from hil_tests.vm import debian

MODULES = ("dahdi", "dahdi_dynamic", "dahdi_dynamic_loc", "dahdi_dynamic_eth", "dahdi_dummy")
CONFIG = ("CONFIG_DAHDI", "CONFIG_DAHDI_DYNAMIC", "CONFIG_DAHDI_DYNAMIC_LOC", "CONFIG_DAHDI_DYNAMIC_ETH")
KERNEL_MODULES = (                                # of the kernel's own; they need no other module
    "kernel/drivers/net/ethernet/intel/e1000/e1000.ko", "kernel/net/sched/sch_netem.ko")


@dataclass(frozen=True, slots=True)
class Parts:
    """Where things lie after prepare()."""

    folder: Path                                  # of this set of versions
    kernel: str                                   # its release, as uname says
    vmlinux: Path
    root: Path                                    # packages unpacked
    modules: tuple[Path, ...]                     # in the order to load them
    user_h: Path                                  # DAHDI's ioctls and structures


def prepare(build: Path) -> Parts:
    """Fetch, unpack and build what is not there yet. BenchError: apt, gcc or make did not."""
    kernel = debian.kernel_release()
    versions = debian.versions([
        *debian.kernel_packages(kernel), "dahdi-dkms", "dahdi", "libtonezone2.0", "busybox-static"])
    key = hashlib.sha256(repr((sorted(versions.items()), MODULES, KERNEL_MODULES)).encode()).hexdigest()[:12]
    folder = build / f"{kernel}-{key}"
    root, ready = folder / "root", folder / "ready"
    source = folder / "dahdi"
    if not ready.exists():
        for old in build.glob("*-amd64-*"):
            shutil.rmtree(old)
        debian.unpack(debian.fetch(versions, build / "debs"), kernel, KERNEL_MODULES, root)
        _build(kernel, root, source)
        vmlinuz = root / f"boot/vmlinuz-{kernel}"
        (folder / "vmlinux").write_bytes(debian.vmlinux(vmlinuz.read_bytes()))
        ready.touch()
    built = [source / f"drivers/dahdi/{name}.ko" for name in MODULES]
    own = [root / f"lib/modules/{kernel}/{name}" for name in KERNEL_MODULES]
    return Parts(folder, kernel, folder / "vmlinux", root, (*built, *own),
                 source / "include/dahdi/user.h")


def _build(kernel: str, root: Path, source: Path) -> None:
    """DAHDI's core and dynamic spans; the card drivers take two minutes more and have no card here."""
    shutil.copytree(next((root / "usr/src").glob("dahdi-*")), source)
    (source / "include/dahdi/version.h").write_text('#define DAHDI_VERSION "bench"\n')
    debian.build_modules(
        kernel, root, source / "drivers/dahdi", f"DAHDI_INCLUDE={source}/include", "HOTPLUG_FIRMWARE=no",
        "DAHDI_BUILD_ALL=", "DAHDI_MODULES_EXTRA=dahdi_dummy.o", *(f"{option}=m" for option in CONFIG))
