"""A Debian with our package, started by its own systemd in a container, commanded from outside.

Ref: systemd-nspawn(1). As root; no network but its own loopback.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from hil_tests.vm.debian import BenchError, run

LINE = Path("/srv/line")                          # of the container: the folder of the far end's sockets
BOOT_S, STOP_S = 120.0, 60.0
ANEW = 133                                        # of systemd-nspawn: its system wants to start anew
_CLONE_NEWNET = 0x40000000                        # setns(2)
_LOOK_S = 0.2
_CLEAN = ("PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=")


def debian(deb: Path, folder: Path) -> Path:
    """A tree with the package on the least Debian that it installs on; Debian's part is made once."""
    base, tree = folder / "debian", folder / "tree"
    depends = [word.split()[0] for word in run("dpkg-deb", "--field", str(deb), "Depends").split(",")]
    if not base.exists():
        making = folder / "debian.making"
        shutil.rmtree(making, ignore_errors=True)
        run("mmdebstrap", "--variant=minbase", f"--include=systemd-sysv,dbus,{','.join(depends)}", "bookworm",
            str(making))
        making.rename(base)
    shutil.rmtree(tree, ignore_errors=True)
    run("cp", "-a", "--reflink=auto", str(base), str(tree))
    shutil.copy(deb, tree / "root")
    run("chroot", str(tree), "dpkg", "--install", f"/root/{deb.name}")
    return tree


class Container:
    """`with Container(tree, line) as box`. Leaving shuts it down. BenchError: it does not start or end."""

    def __init__(self, tree: Path, line: Path, log: Path) -> None:
        self._tree, self._line, self._log = tree, line, log

    def __enter__(self) -> "Container":
        self._log.unlink(missing_ok=True)
        self._start()
        return self

    def starts_anew(self, within_s: float) -> None:
        """The machine does so by itself. BenchError: it does not, or does not come up."""
        try:
            code = self._nspawn.wait(within_s)
        except subprocess.TimeoutExpired:
            raise BenchError(f"it does not start anew within {within_s:g} s") from None
        if code != ANEW:
            raise BenchError(f"systemd-nspawn ended with {code}: see {self._log}")
        self._start()

    def connect(self, port: int) -> socket.socket:
        """To its loopback."""
        with open("/proc/thread-self/ns/net") as here, open(f"/proc/{self._leader}/ns/net") as there:
            _enter(there.fileno())
            try:
                return socket.create_connection(("127.0.0.1", port), BOOT_S)
            finally:
                _enter(here.fileno())

    def _start(self) -> None:
        with self._log.open("ab") as log:
            self._nspawn = subprocess.Popen(
                ["systemd-nspawn", "--register=no", "--keep-unit", "--private-network", "--quiet", "--boot",
                 f"--bind={self._line}:{LINE}", f"--directory={self._tree}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self._leader = self.until(self._first, BOOT_S, "systemd-nspawn starts")
            self.until(lambda: self.said("systemctl", "is-active", "multi-user.target") == "active\n", BOOT_S,
                       "multi-user.target is reached")
        except BaseException:
            self._nspawn.kill()
            self._nspawn.wait()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._signal(signal.SIGRTMIN + 4)         # to its PID 1: power-off, systemd(1)
        try:
            self._nspawn.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()
            if kind is None:
                raise BenchError(f"it does not shut down within {STOP_S:g} s: see {self._log}") from None

    def run(self, *command: str) -> str:
        """Its standard output. BenchError: it failed."""
        return run("nsenter", "-t", self._leader, "-a", "env", "-i", *_CLEAN, *command)

    def said(self, *command: str) -> str:
        """The same, whatever its exit code."""
        try:
            return self.run(*command)
        except BenchError as error:
            return str(error)

    def show(self, unit: str, key: str) -> str:
        return self.run("systemctl", "show", "--value", "--property", key, unit).strip()

    def until(self, there: Callable[[], str | bool], within_s: float, what: str) -> str:
        """What `there` says when it says something. BenchError: not within the time."""
        end = time.monotonic() + within_s
        while not (found := there()):
            if time.monotonic() > end or self._nspawn.poll() is not None:
                raise BenchError(f"not within {within_s:g} s: {what}: see {self._log} and its journal")
            time.sleep(_LOOK_S)
        return str(found)

    def _first(self) -> str:
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        return children[0] if children else ""

    def _signal(self, number: int) -> None:
        subprocess.run(["kill", f"-{number}", self._leader], check=False)


def _enter(network: int) -> None:
    """This thread's next sockets are of that namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(network, _CLONE_NEWNET):
        raise OSError(number := ctypes.get_errno(), os.strerror(number))
