"""A provisioned box on the bench: its stick, its line, its NOC."""

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hil_tests.qemu.machine import SLOW, Machine, free_port, tool
from hil_tests.vm.debian import BenchError

LINE_PORT = 2142                                  # of the box; QEMU hands it what comes to a port of ours
CONSOLE_PORT, SHELL_PORT = 22, 2222
HOST = "10.0.2.2"                                 # how the guest of QEMU's user network calls us
STICK_MIB, STICK_LABEL = 512, "NOC"
_LAST_STARTED = "Branchline: pages.\n"           # systemd, at the serial port; "..." before it has started

_PROVISION = """\
hostname: bench
admin_keys:
  - {key}
configuration: true
"""


@dataclass(frozen=True, slots=True)
class Site:
    """What a branch brings: a stick with the document, the NOC's key, and the port of the line's far end."""

    folder: Path
    stick: Path
    key: Path
    far_port: int

    @classmethod
    def made(cls, folder: Path, flow: str, configuration: str, prompts: Mapping[str, Path],
             bundles: tuple[Path, ...]) -> "Site":
        """`flow`: main.yaml. `bundles` lie on the stick beside the document.

        `configuration` may name {host}, {peer} and {port} of the line; `prompts` are English ones by name.
        """
        folder.mkdir(parents=True, exist_ok=True)
        key, stick, far_port = folder / "noc", folder / "stick.img", free_port("udp")
        for path in (key, key.with_suffix(".pub"), stick):
            path.unlink(missing_ok=True)
        tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "noc", "-f", key)
        public = key.with_suffix(".pub").read_text().strip()
        files = {"branchline-provision.yaml": _PROVISION.format(key=public),
                 "branchline-config/branchline.yaml": configuration.format(
                     host=HOST, peer=far_port, port=LINE_PORT),
                 "branchline-config/main.yaml": flow}
        with stick.open("wb") as file:
            file.truncate(STICK_MIB << 20)
        tool("mkfs.vfat", "-F", "32", "-n", STICK_LABEL, stick)
        tool("mmd", "-i", stick, "::branchline-config")
        for name, text in files.items():
            path = folder / Path(name).name
            path.write_text(text)
            tool("mcopy", "-i", stick, path, f"::{name}")
        tool("mmd", "-i", stick, "::branchline-config/prompts", "::branchline-config/prompts/en")
        for name, path in prompts.items():
            tool("mcopy", "-i", stick, path, f"::branchline-config/prompts/en/{name}.wav")
        for bundle in bundles:
            tool("mcopy", "-i", stick, bundle, f"::{bundle.name}")
        return cls(folder, stick, key, far_port)

    def ssh(self, box: Machine, *command: str, within_s: float = 60.0,
            port: int = SHELL_PORT) -> subprocess.CompletedProcess[str]:
        """As the NOC does. The exit code is ssh's 255 when the box does not answer."""
        try:
            return subprocess.run(
                ["ssh", "-i", self.key, "-p", str(box.ports[port]), "-o", "IdentitiesOnly=yes",
                 "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
                 "-o", f"UserKnownHostsFile={self.folder}/known", "-o", f"ConnectTimeout={20 * SLOW:.0f}",
                 "admin@127.0.0.1", *command],
                capture_output=True, text=True, timeout=within_s * SLOW, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 255, "", "no end")

    def branchline(self, box: Machine, *words: str, within_s: float = 120.0) -> str:
        """What the command says. BenchError: it fails."""
        done = self.ssh(box, "sudo", "branchline", *words, within_s=within_s)
        if done.returncode:
            raise BenchError(f"branchline {' '.join(words)}: exit {done.returncode}: "
                             f"{done.stdout}{done.stderr}")
        return done.stdout

    def wait_started(self, box: Machine, within_s: float) -> None:
        box.wait_for(_LAST_STARTED, within_s=within_s)

    def wait_up(self, box: Machine, within_s: float) -> float:
        """Until all daemons are up; seconds since power on.

        Asked for when the last one has started: a question costs a slow box seconds.
        """
        deadline = time.monotonic() + within_s * SLOW
        self.wait_started(box, within_s)
        said = ""
        while time.monotonic() < deadline:
            done = self.ssh(box, "sudo", "branchline", "status")
            if done.returncode == 0:
                return time.monotonic() - box.began
            said = f"{done.stdout}{done.stderr}"
            time.sleep(5.0)
        raise BenchError(f"not all daemons up within {within_s * SLOW:.0f} s\n{said}\n{box.tail()}")


def kept(path: Path, **figures: object) -> None:
    """Figures of a run, for docs/benchmarks.md."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**before, **figures}, indent=1) + "\n")


def until(there: Callable[[], bool], within_s: float, what: str) -> None:
    deadline = time.monotonic() + within_s * SLOW
    while not there():
        if time.monotonic() > deadline:
            raise BenchError(f"{what} within {within_s * SLOW:.0f} s")
        time.sleep(1.0)
