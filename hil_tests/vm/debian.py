"""What Debian publishes, fetched by apt and unpacked, never installed: a kernel, headers, tools of guests."""

import lzma
import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import IO

XZ = b"\xfd7zXZ\0"


class BenchError(Exception):
    """The bench cannot be set up: says what is missing and what to do."""


def kernel_release() -> str:
    """The release that linux-image-amd64 stands for today."""
    depends = run("apt-cache", "depends", "linux-image-amd64")
    if (found := re.search(r"Depends: linux-image-(\S+-amd64)\b", depends)) is None:
        raise BenchError("apt offers no linux-image-amd64: use Debian 12 on amd64, or run apt-get update")
    return found[1]


def kernel_packages(kernel: str) -> list[str]:
    """The kernel, and what modules for it are built with."""
    headers = f"linux-headers-{kernel}"
    depends = run("apt-cache", "depends", headers)
    parts = re.findall(r"Depends: (linux-(?:headers|kbuild)-\S+)", depends)
    return [f"linux-image-{kernel}", headers, *parts]


def versions(names: list[str]) -> dict[str, str]:
    """What apt would install of each."""
    policy = run("apt-cache", "policy", *names)
    found = dict(re.findall(r"^(\S+):\n  Installed: .*\n  Candidate: (\S+)", policy, re.MULTILINE))
    if missing := [name for name in names if found.get(name, "(none)") == "(none)"]:
        raise BenchError(f"apt offers no {', '.join(missing)}: run apt-get update, or use Debian 12")
    return {name: found[name] for name in names}


def fetch(wanted: dict[str, str], folder: Path) -> list[Path]:
    """The packages of these versions, those that `folder` lacks downloaded."""
    folder.mkdir(parents=True, exist_ok=True)

    def there(name: str) -> list[Path]:
        return list(folder.glob(f"{name}_{wanted[name].replace(':', '%3a')}_*.deb"))

    if lacks := [f"{name}={version}" for name, version in wanted.items() if not there(name)]:
        run("apt-get", "-qq", "download", *lacks, cwd=folder)
    return [there(name)[0] for name in wanted]


def unpack(packages: list[Path], kernel: str, modules: Iterable[str], root: Path) -> None:
    """Whole packages, but of the kernel's 400 MB its image and these modules (below kernel/)."""
    root.mkdir(parents=True)
    for package in packages:
        if package.name.startswith("linux-image"):
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as tar:
                run("tar", "-x", "-C", str(root), f"./boot/vmlinuz-{kernel}",
                    *(f"./lib/modules/{kernel}/{name}" for name in modules), stdin=tar.stdout)
        else:
            run("dpkg-deb", "-x", str(package), str(root))


def build_modules(kernel: str, root: Path, source: Path, *settings: str) -> None:
    """Modules for the kernel unpacked in `root`, as the Kbuild file in `source` says."""
    headers = root / f"usr/src/linux-headers-{kernel}"
    makefile = headers / "Makefile"               # names its common part by where it would be installed
    makefile.write_text(re.sub(r"(?m)^include /(?=usr)", f"include {root}/", makefile.read_text()))
    run("make", "-C", str(headers), f"-j{os.cpu_count()}", f"M={source}", *settings, "modules")


def vmlinux(vmlinuz: bytes) -> bytes:
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


def run(*command: str, cwd: Path | None = None, stdin: IO[bytes] | None = None) -> str:
    """What it says. BenchError: it is missing, or failed."""
    try:
        done = subprocess.run(command, cwd=cwd, stdin=stdin, capture_output=True,
                              env={**os.environ, "LC_ALL": "C"})
    except FileNotFoundError:
        raise BenchError(
            f"{command[0]} is missing: `make hil` and `make hil-dahdi` install it") from None
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace")
        raise BenchError(f"{' '.join(command[:4])} ...: {said[-2000:]}")
    return done.stdout.decode(errors="replace")
