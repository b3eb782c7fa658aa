"""What Debian publishes, unpacked and built: a kernel image, DAHDI's modules for it, the tools of the guest.

Nothing is installed: packages are fetched by apt and unpacked below build/dahdi, and what is built is kept
there under the versions it was built from.
"""

import hashlib
import lzma
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MODULES = ("dahdi", "dahdi_dynamic", "dahdi_dynamic_loc", "dahdi_dynamic_eth", "dahdi_dummy")
CONFIG = ("CONFIG_DAHDI", "CONFIG_DAHDI_DYNAMIC", "CONFIG_DAHDI_DYNAMIC_LOC", "CONFIG_DAHDI_DYNAMIC_ETH")
KERNEL_MODULES = (                                # of the kernel's own; they need no other module
    "kernel/drivers/net/ethernet/intel/e1000/e1000.ko", "kernel/net/sched/sch_netem.ko")
XZ = b"\xfd7zXZ\0"


class BenchError(Exception):
    """The bench cannot be set up: says what is missing and what to do."""


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
    kernel = _kernel()
    versions = _versions(_names(kernel))
    key = hashlib.sha256(repr((sorted(versions.items()), MODULES, KERNEL_MODULES)).encode()).hexdigest()[:12]
    folder = build / f"{kernel}-{key}"
    root, ready = folder / "root", folder / "ready"
    source = folder / "dahdi"
    if not ready.exists():
        for old in build.glob("*-amd64-*"):
            shutil.rmtree(old)
        _unpack(_fetch(versions, build / "debs"), kernel, root)
        _build(kernel, root, source)
        (folder / "vmlinux").write_bytes(_vmlinux((root / f"boot/vmlinuz-{kernel}").read_bytes()))
        ready.touch()
    built = [source / f"drivers/dahdi/{name}.ko" for name in MODULES]
    own = [root / f"lib/modules/{kernel}/{name}" for name in KERNEL_MODULES]
    return Parts(folder, kernel, folder / "vmlinux", root, (*built, *own),
                 source / "include/dahdi/user.h")


def _kernel() -> str:
    """The release that linux-image-amd64 stands for today."""
    depends = _run("apt-cache", "depends", "linux-image-amd64")
    if (found := re.search(r"Depends: linux-image-(\S+-amd64)\b", depends)) is None:
        raise BenchError("apt offers no linux-image-amd64: use Debian 12 on amd64, or run apt-get update")
    return found[1]


def _names(kernel: str) -> list[str]:
    headers = f"linux-headers-{kernel}"
    depends = _run("apt-cache", "depends", headers)
    parts = re.findall(r"Depends: (linux-(?:headers|kbuild)-\S+)", depends)
    return [f"linux-image-{kernel}", headers, *parts, "dahdi-dkms", "dahdi", "libtonezone2.0",
            "busybox-static"]


def _versions(names: list[str]) -> dict[str, str]:
    policy = _run("apt-cache", "policy", *names)
    found = dict(re.findall(r"^(\S+):\n  Installed: .*\n  Candidate: (\S+)", policy, re.MULTILINE))
    if missing := [name for name in names if found.get(name, "(none)") == "(none)"]:
        raise BenchError(f"apt offers no {', '.join(missing)}: run apt-get update, or use Debian 12")
    return {name: found[name] for name in names}


def _fetch(versions: dict[str, str], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)

    def there(name: str) -> list[Path]:
        return list(folder.glob(f"{name}_{versions[name].replace(':', '%3a')}_*.deb"))

    if wanted := [f"{name}={version}" for name, version in versions.items() if not there(name)]:
        _run("apt-get", "-qq", "download", *wanted, cwd=folder)
    return [there(name)[0] for name in versions]


def _unpack(packages: list[Path], kernel: str, root: Path) -> None:
    root.mkdir(parents=True)
    for package in packages:
        if package.name.startswith("linux-image"):               # of its 400 MB three files
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as tar:
                _run("tar", "-x", "-C", str(root), f"./boot/vmlinuz-{kernel}",
                     *(f"./lib/modules/{kernel}/{name}" for name in KERNEL_MODULES), stdin=tar.stdout)
        else:
            _run("dpkg-deb", "-x", str(package), str(root))


def _build(kernel: str, root: Path, source: Path) -> None:
    """DAHDI's core and dynamic spans; the card drivers take two minutes more and have no card here."""
    shutil.copytree(next((root / "usr/src").glob("dahdi-*")), source)
    (source / "include/dahdi/version.h").write_text('#define DAHDI_VERSION "bench"\n')
    headers = root / f"usr/src/linux-headers-{kernel}"
    makefile = headers / "Makefile"               # names its common part by where it would be installed
    makefile.write_text(re.sub(r"(?m)^include /", f"include {root}/", makefile.read_text()))
    _run("make", "-C", str(headers), f"-j{os.cpu_count()}", f"M={source}/drivers/dahdi",
         f"DAHDI_INCLUDE={source}/include", "HOTPLUG_FIRMWARE=no", "DAHDI_BUILD_ALL=",
         "DAHDI_MODULES_EXTRA=dahdi_dummy.o", *(f"{option}=m" for option in CONFIG), "modules")


def _vmlinux(vmlinuz: bytes) -> bytes:
    """The kernel inside the boot image: QEMU starts it by its PVH note, and it need not unpack itself."""
    at = vmlinuz.find(XZ)
    while at >= 0:
        try:
            kernel = lzma.LZMADecompressor().decompress(vmlinuz[at:])
        except lzma.LZMAError:
            kernel = b""
        if kernel.startswith(b"\x7fELF"):
            return kernel
        at = vmlinuz.find(XZ, at + 1)
    raise BenchError("no xz-compressed ELF kernel in vmlinuz: does Debian compress it otherwise now?")


def _run(*command: str, cwd: Path | None = None, stdin: IO[bytes] | None = None) -> str:
    try:
        done = subprocess.run(command, cwd=cwd, stdin=stdin, capture_output=True,
                              env={**os.environ, "LC_ALL": "C"})
    except FileNotFoundError:
        raise BenchError(f"{command[0]} is missing: make hil-dahdi installs it") from None
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace")
        raise BenchError(f"{' '.join(command[:4])} ...: {said[-2000:]}")
    return done.stdout.decode(errors="replace")
