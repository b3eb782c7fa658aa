"""One run of the guest in QEMU: its console to ours, its results out of a second serial port."""

import io
import os
import selectors
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterable
from pathlib import Path

from hil_tests.vm.debian import BenchError

UP = b"branchline: guest is up"
KVM = Path("/dev/kvm")
KVM_CPU = "host,-arch-capabilities"               # a register that a host which is a guest may not let us set
KVM_UP_S = 8.0                                    # with a KVM that works it is up in two
UP_S = 120.0
RUN_S = 300.0
MEMORY_MIB = 768
APPEND = "console=ttyS0 panic=-1 quiet mitigations=off nokaslr"


class NotUp(BenchError):
    """The guest did not start."""


class Qemu:
    """Runs guests of one kernel, by KVM as long as that works."""

    def __init__(self, vmlinux: Path) -> None:
        self._vmlinux = vmlinux
        self._kvm = os.access(KVM, os.R_OK | os.W_OK)

    def run(self, initrd: Path, folder: Path, devices: Iterable[str] = (), own_time: bool = True
            ) -> dict[str, bytes]:
        """Boot, wait for power off; the files of the guest's /results.

        With `own_time`, and without KVM, the guest's clock counts its instructions: however busy this machine
        is, the guest finds its processor as fast, and waiting takes no time. BenchError: it did not come up,
        or not to its end within RUN_S.
        """
        if self._kvm:
            try:
                return self._run(initrd, folder, ["-accel", "kvm", "-cpu", KVM_CPU, *devices], KVM_UP_S)
            except NotUp:
                self._kvm = False
                print(f"{KVM} does not run our guest: going on without", flush=True)
        clock = ["-icount", "shift=1,sleep=off"] if own_time else []
        return self._run(initrd, folder, ["-accel", "tcg", "-cpu", "max", *clock, *devices], UP_S)

    def _run(self, initrd: Path, folder: Path, options: list[str], up_s: float) -> dict[str, bytes]:
        out = folder / "results.tar"
        out.unlink(missing_ok=True)
        began = time.monotonic()
        command = [
            "qemu-system-x86_64", "-m", str(MEMORY_MIB), "-display", "none", "-monitor", "none", "-no-reboot",
            "-nic", "none", "-serial", "stdio", "-serial", f"file:{out}", "-kernel", str(self._vmlinux),
            "-initrd", str(initrd), "-append", APPEND, *options]
        try:
            with (folder / "qemu.log").open("wb") as log:
                qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        except FileNotFoundError:
            raise BenchError(
                "qemu-system-x86_64 is missing: `make hil` and `make hil-dahdi` install it") from None
        with qemu:
            try:
                _follow(qemu, began + up_s, began + RUN_S)
            finally:
                qemu.kill()
        return _read(out)


def _follow(qemu: "subprocess.Popen[bytes]", up_by: float, over_by: float) -> None:
    """Its console to ours, until power off."""
    if qemu.stdout is None:
        raise ValueError("stdout is to be a pipe")
    console = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(qemu.stdout, selectors.EVENT_READ)
        while True:
            up = UP in console
            if not selector.select(max(0.0, (over_by if up else up_by) - time.monotonic())):
                if up:
                    raise BenchError(f"the guest did not end within {RUN_S:g} s: see above where it stands")
                raise NotUp(f"the guest did not start: {console[-300:].decode(errors='replace')!r}")
            if not (octets := os.read(qemu.stdout.fileno(), 65536)):
                if up:
                    return
                raise NotUp("qemu ended before the guest was up: see qemu.log")
            if up:
                sys.stdout.write(octets.decode(errors="replace"))
                sys.stdout.flush()
            console += octets


def _read(out: Path) -> dict[str, bytes]:
    try:
        with tarfile.open(fileobj=io.BytesIO(out.read_bytes())) as tar:
            return {Path(entry.name).name: file.read() for entry in tar if (file := tar.extractfile(entry))}
    except (OSError, tarfile.TarError) as error:
        raise BenchError(f"the guest gave no results ({error}): see {out.parent}") from None
