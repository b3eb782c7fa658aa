"""A box in QEMU, held from outside only: power, console, network, USB stick, and its disk when it is off.

TCG with one processor and -icount: the KVM of CI machines may be one that firmware does not start on, and a
second processor that is starved of time lets OVMF wait for ever.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from hil_tests.vm.debian import BenchError

FIRMWARE = Path("/usr/share/OVMF")
SLOW = float(os.environ.get("SLOW", "1"))          # every limit times this: a machine that is busy
MEMORY_MIB = 1024
CLOCK = "shift=1"                                 # 500 million instructions are a second of the guest
ESP, SLOT_A, SLOT_B, DATA = 1, 2, 3, 4            # partitions
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_LOOK_S = 0.2
_SAY_S = 15.0                                     # that we still wait, and what the console says


class Disk:
    """What the box has been written to: a layer over the image, which stays as it is."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def made(cls, path: Path, image: Path, gib: int = 4) -> "Disk":
        """Larger than the image, as real disks are."""
        tool("qemu-img", "create", "-q", "-f", "qcow2", "-b", image.resolve(), "-F", "raw", path, f"{gib}G")
        return cls(path)

    def raw(self, to: Path) -> Path:
        """All of it as one sparse file. The box must be off."""
        tool("qemu-img", "convert", "-f", "qcow2", "-O", "raw", self.path, to)
        return to


class Machine:
    """One box: `with Machine(...) as box`. Leaving kills it. `direct`: QEMU's -kernel and so on."""

    def __init__(self, folder: Path, disk: Disk, *, stick: Path | None = None, memory_mib: int = MEMORY_MIB,
                 forward: Sequence[tuple[str, int]] = (("tcp", 2222),), devices: Sequence[str] = (),
                 drive: Sequence[str] | None = None, watchdog: bool = False,
                 direct: Sequence[str] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._disk = folder, disk
        self.log = folder / "console.log"
        self.ports = {guest: free_port(kind) for kind, guest in forward}
        self._forward, self._stick = forward, stick
        # QEMU answers no datagrams of a guest that is kept in: with a line there is no other way.
        self._restrict = "off" if any(kind == "udp" for kind, _ in forward) else "on"
        self._drive = drive or ["-drive", f"if=none,id=disk,format=qcow2,file={disk.path},cache=writeback",
                                "-device", "virtio-blk-pci,drive=disk,bootindex=1"]
        self._devices = [*devices, *(["-device", "i6300esb"] if watchdog else [])]
        self._memory_mib, self._direct = memory_mib, direct
        self._qemu: subprocess.Popen[bytes] | None = None
        self._console: socket.socket | None = None
        self._read_to = 0
        self._in = "stick"
        self.began = 0.0

    def __enter__(self) -> "Machine":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.kill()

    def start(self) -> None:
        """Power on."""
        variables = self.folder / "vars.fd"
        if not variables.exists():
            shutil.copy(FIRMWARE / "OVMF_VARS_4M.fd", variables)
        control = self.folder / "control"
        for path in (control, self.folder / "qmp"):
            path.unlink(missing_ok=True)
        self.log.unlink(missing_ok=True)
        self._read_to = 0
        forwards = "".join(f",hostfwd={kind}:127.0.0.1:{self.ports[guest]}-:{guest}"
                           for kind, guest in self._forward)
        stick = ["-device", "qemu-xhci", "-drive", f"if=none,id=stick,format=raw,file={self._stick}",
                 "-device", "usb-storage,id=stick,drive=stick,removable=on"] if self._stick else []
        command = [
            "qemu-system-x86_64", "-machine", "q35,accel=tcg", "-cpu", "Nehalem", "-smp", "1",
            "-icount", CLOCK, "-m", str(self._memory_mib), "-display", "none", "-nodefaults",
            "-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE}/OVMF_CODE_4M.fd",
            "-drive", f"if=pflash,format=raw,file={variables}",
            "-chardev", f"socket,id=console,path={control},server=on,wait=off,logfile={self.log}",
            "-serial", "chardev:console", "-qmp", f"unix:{self.folder}/qmp,server=on,wait=off",
            "-netdev", f"user,id=net,restrict={self._restrict}{forwards}",
            "-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci",
            *self._drive, *stick, *self._devices, *self._direct]
        with (self.folder / "qemu.log").open("wb") as log:
            try:
                self._qemu = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                              stdout=log, stderr=log)
            except FileNotFoundError:
                raise BenchError("qemu-system-x86_64 is missing: make hil BENCH=qemu installs it") from None
        self.began = time.monotonic()
        while self._console is None:
            with contextlib.suppress(OSError):
                console = socket.socket(socket.AF_UNIX)
                console.connect(str(control))
                self._console = console
                threading.Thread(target=_drain, args=(console,), daemon=True).start()
            self._check()
            time.sleep(0.05)

    def kill(self) -> None:
        """The plug is pulled."""
        if self._console is not None:
            with contextlib.suppress(OSError):
                self._console.shutdown(socket.SHUT_RDWR)
            self._console.close()
            self._console = None
        if self._qemu is not None:
            self._qemu.send_signal(signal.SIGKILL)
            self._qemu.wait()
            self._qemu = None

    def power_off(self, within_s: float = 120.0) -> None:
        """The button: the box ends what it does. BenchError: it does not."""
        self.qmp("system_powerdown")
        self.wait_off(within_s)

    def wait_off(self, within_s: float) -> None:
        """Until it switches itself off. BenchError: it does not."""
        if self._qemu is not None:
            try:
                self._qemu.wait(within_s * SLOW)
            except subprocess.TimeoutExpired:
                raise BenchError(f"still on {within_s * SLOW:.0f} s later\n"
                                 f"{self.tail()}") from None
        self.kill()

    def qmp(self, command: str, **arguments: object) -> object:
        """Ask QEMU itself."""
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.folder / "qmp"))
            stream = link.makefile("rw")
            stream.readline()
            for one in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                stream.write(json.dumps(one) + "\n")
                stream.flush()
                while "return" not in (said := json.loads(stream.readline())):
                    if "error" in said:
                        raise BenchError(f"{command}: {said['error']}")
            return said["return"]

    def pull_stick(self) -> None:
        self.qmp("device_del", id=self._in)

    def change_stick(self, stick: Path) -> None:
        """Another one in place of the one that it was started with."""
        self.pull_stick()
        self._in = f"stick-{stick.stem}"
        self.qmp("blockdev-add", **{"driver": "raw", "node-name": self._in,
                                    "file": {"driver": "file", "filename": str(stick)}})
        self.qmp("device_add", driver="usb-storage", id=self._in, drive=self._in, removable=True)

    def type(self, text: str) -> None:
        """At the serial console."""
        if self._console is None:
            raise BenchError("the box is off")
        self._console.sendall(text.encode())

    def wait_for(self, *words: str, within_s: float) -> tuple[str, float]:
        """The first of `words` on the console since the last that was waited for; seconds since power on."""
        began = said = time.monotonic()
        while True:
            new = self._said()[self._read_to:]
            found = min((place, word) for word in words if (place := new.find(word)) >= 0) if any(
                word in new for word in words) else None
            now = time.monotonic()
            if found:
                self._read_to += found[0] + len(found[1])
                return found[1], now - self.began
            if now - began > within_s * SLOW:
                raise BenchError(f"no {' or '.join(map(repr, words))} within {within_s * SLOW:.0f} s\n"
                                 f"{self.tail()}")
            if now - said > _SAY_S:
                said = now
                last = (new.strip().splitlines() or [""])[-1][-100:]
                print(f"    {now - self.began:5.0f} s: {last}", file=sys.stderr, flush=True)
            self._check()
            time.sleep(_LOOK_S)

    def tail(self, lines: int = 25) -> str:
        """The end of what the console says."""
        return "\n".join(f"  | {line}" for line in self._said().splitlines()[-lines:])

    def cpu_s(self) -> float:
        """What QEMU has used of a processor."""
        if self._qemu is None:
            return 0.0
        fields = Path(f"/proc/{self._qemu.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _check(self) -> None:
        if self._qemu is not None and (code := self._qemu.poll()) is not None:
            self._qemu = None
            said = (self.folder / "qemu.log").read_text(errors="replace")
            raise BenchError(f"QEMU ended, exit {code}: {said[-1000:]}\n{self.tail()}")


def _drain(console: socket.socket) -> None:
    """A thread: QEMU writes the log; a guest whose console nobody reads stands still after 300 signs."""
    with contextlib.suppress(OSError):
        while console.recv(65536):
            pass


@contextlib.contextmanager
def mounted(raw: Path, number: int, *, write: bool = False) -> Iterator[Path]:
    """Partition `number` (from 1) of a disk's file, as a folder. Root only."""
    start, octets = partition(raw, number)
    how = "rw" if write else "ro,noload" if number == DATA else "ro"
    with tempfile.TemporaryDirectory(prefix="branchline-disk-") as folder:
        tool("mount", "-o", f"{how},loop,offset={start},sizelimit={octets}", raw, folder)
        try:
            yield Path(folder)
        finally:
            tool("umount", folder)


def partition(raw: Path, number: int) -> tuple[int, int]:
    """Where it begins, and how long it is, in octets."""
    table = json.loads(tool("sfdisk", "--json", raw))["partitiontable"]
    row = table["partitions"][number - 1]
    return row["start"] * table["sectorsize"], row["size"] * table["sectorsize"]


def free_port(kind: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def tool(*command: str | Path) -> str:
    """Standard output. BenchError: it failed."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              env={**os.environ, "PATH": PATH, "LC_ALL": "C.UTF-8"})
    except FileNotFoundError:
        raise BenchError(f"{command[0]} is missing: make hil BENCH=qemu installs it") from None
    if done.returncode:
        raise BenchError(f"{' '.join(map(str, command))}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout
