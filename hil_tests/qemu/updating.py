"""Updates of the shipped image with a line and callers; one that is no good; a factory reset.

Callers call all the time: the box serves them, refuses them while it drains, and serves them again.
"""

import re
import threading
import time
from collections import Counter
from pathlib import Path

from hil_tests.instruments import audio
from hil_tests.instruments.answering import Answering
from hil_tests.instruments.call import NotSeen
from hil_tests.instruments.exchange import SoftwareExchange
from hil_tests.qemu.box import LINE_PORT, Site, until
from hil_tests.qemu.calling import (
    CALLER,
    CONFIGURATION,
    FORWARD,
    NUMBER,
    UP_S,
    Say,
    call,
    site,
)
from hil_tests.qemu.following import exchange
from hil_tests.qemu.machine import DATA, SLOW, Disk, Machine, mounted, tool
from hil_tests.vm.debian import BenchError
from images import bundle, disk, pki, recipe

SPEAKING_CLOCK = "12117"
GATE_S = 240.0                                    # of the guest's, which takes two of ours for one
CONGESTION, NORMAL = 42, 16
INSTALL_S, TRIAL_S = 900.0, 1800.0
MOST_OCTETS = 64 << 20                            # of a file that is looked into
DAEMON = "opt/branchline/lib/python3.11/site-packages/appliance/trunk/daemon.py"
BROKEN = "9.0.0"
UPDATED = CONFIGURATION + f"""\
update:
  drain_wait_s: 120
  gate_s: {GATE_S:g}
  test_call: {{{{trunk: telco, number: "{SPEAKING_CLOCK}"}}}}
"""


class Callers(threading.Thread):
    """One after the other, whatever happens to them."""

    def __init__(self, far_end: SoftwareExchange) -> None:
        super().__init__(name="callers", daemon=True)
        self._far_end, self._over = far_end, threading.Event()
        self.ends: Counter[tuple[bool, int | None]] = Counter()      # answered, cause
        self.served_at = 0.0                      # the last one's end, and the first one's answer after it
        self.again_at = 0.0

    def run(self) -> None:
        while not self._over.is_set():
            try:
                self._far_end.wait_up(1.0)
                one = self._far_end.place_call(NUMBER, CALLER)
                ended = one.wait_for("RELEASED", UP_S * SLOW)
            except NotSeen:                       # the line went: the exchange says so, or nobody does
                continue
            answer = one.event("CONNECT")
            self.ends[answer is not None, ended.cause] += 1
            if answer is None:
                time.sleep(1.0)
            elif (False, CONGESTION) in self.ends:
                self.again_at = self.again_at or answer.at
            else:
                self.served_at = ended.at

    def stop(self) -> None:
        self._over.set()
        self.join()


def run(folder: Path, image: Path, bundle_file: Path, say: Say) -> dict[str, float]:
    """To a version that is good: drained, on trial, heard, confirmed; it starts from then on."""
    branch, own = site(folder, UPDATED, (bundle_file,)), Disk.made(folder / "disk.qcow2", image)
    with Machine(folder, own, stick=branch.stick, forward=FORWARD) as box:
        with exchange(box.ports[LINE_PORT], branch.far_port) as far_end:
            history, callers = updated(branch, box, far_end, say)
            if "confirmed" not in history or "heard at" not in history:
                raise BenchError("the update is not confirmed by its test call")
            call(far_end, say)
        box.power_off()
    with Machine(folder, own, forward=()) as box:
        box.wait_for("Branchline: slot B, confirmed", within_s=120)
    figures = {name: float(value) for name, value in re.findall(r"(\w+_s) ([0-9.]+)", history)}
    return figures | {"away_s": callers.again_at - callers.served_at,
                      "answered": callers.ends[True, NORMAL], "refused": callers.ends[False, CONGESTION]}


def run_broken(folder: Path, image: Path, root: Path, signer: pki.Signer, say: Say) -> dict[str, float]:
    """To a version whose trunkd does not start: the box goes back by itself, says why, and takes calls."""
    bad = folder / "bundle.raucb"
    broken(root, bad, signer)
    branch, own = site(folder, UPDATED, (bad,)), Disk.made(folder / "disk.qcow2", image)
    with Machine(folder, own, stick=branch.stick, forward=FORWARD) as box:
        with exchange(box.ports[LINE_PORT], branch.far_port) as far_end:
            history, callers = updated(branch, box, far_end, say)
            if "rolled back" not in history or "trunkd" not in history:
                raise BenchError("it did not go back, or does not say why")
            call(far_end, say)
            if "in slot A" not in (stands := branch.branchline(box, "update")):
                raise BenchError(stands)
        box.power_off()
    return {"away_s": callers.again_at - callers.served_at}


def run_reset(folder: Path, image: Path, say: Say) -> dict[str, float]:
    """A box with a call in its records goes back to the factory: nothing of it is left, nobody's key."""
    branch, own = site(folder), Disk.made(folder / "disk.qcow2", image)
    with Machine(folder, own, stick=branch.stick, forward=FORWARD) as box:
        with exchange(box.ports[LINE_PORT], branch.far_port) as far_end:
            far_end.wait_up(UP_S * SLOW)
            branch.wait_up(box, UP_S)
            call(far_end, say)
        box.pull_stick()
        began = time.monotonic()
        branch.ssh(box, "sudo", "branchline", "factory-reset", "--name", "bench")   # its end is not seen
        box.wait_for("Branchline: slot A", within_s=INSTALL_S)
        box.wait_for("THIS BOX IS NEW", within_s=INSTALL_S)
        figures = {"reset_s": time.monotonic() - began}
        say(f"new again {figures['reset_s']:.0f} s later")
        branch.wait_started(box, UP_S)
        if (said := branch.ssh(box, "true")).returncode == 0 or "Permission denied" not in said.stderr:
            raise BenchError(f"the key of before: exit {said.returncode}: {said.stderr}")
        box.power_off()
    with mounted(own.raw(folder / "disk.raw"), DATA) as data:
        left = [path for path in data.rglob("*") if path.is_file() and path.stat().st_size < MOST_OCTETS
                and any(word in path.read_bytes() for word in (CALLER.encode(), b"noc"))]
    if left:
        raise BenchError(f"left of the box before: {', '.join(map(str, left))}")
    return figures


def updated(branch: Site, box: Machine, far_end: SoftwareExchange, say: Say) -> tuple[str, Callers]:
    """Installed from the stick while people call; the history's line about it, when it is over."""
    far_end.answering({SPEAKING_CLOCK: Answering(says=audio.tone(1000.0, -10.0, 1.0))})
    far_end.wait_up(UP_S * SLOW)
    say(f"up at {branch.wait_up(box, UP_S):.0f} s")
    callers = Callers(far_end)
    callers.start()
    began = time.monotonic()
    try:
        say(branch.branchline(box, "update", "install", "usb", within_s=300))
        box.wait_for("Branchline: slot B, trial-1", within_s=INSTALL_S)
        say(f"installed, drained, on trial {time.monotonic() - began:.0f} s later: {dict(callers.ends)}")
        until(lambda: callers.again_at > 0, TRIAL_S, "no call is answered again")
        say(f"{callers.again_at - callers.served_at:.0f} s without a call answered")
        until(lambda: bool(past(branch, box)), TRIAL_S, "the update is not over")
    finally:
        callers.stop()
    if any(answered and cause != NORMAL for answered, cause in callers.ends):
        raise BenchError(f"a call was cut: {dict(callers.ends)}")
    if (False, CONGESTION) not in callers.ends:
        raise BenchError(f"no call was refused: {dict(callers.ends)}")
    history = past(branch, box)
    say(f"{history}; {time.monotonic() - began:.0f} s in all; calls: {dict(callers.ends)}")
    return history, callers


def past(branch: Site, box: Machine) -> str:
    """What the history says of the update; "": it goes on, or the box is starting."""
    said = branch.ssh(box, "sudo", "branchline", "update").stdout
    return next((line for line in said.splitlines() if re.match(r"\d{4}-.* to ", line)), "")


def broken(root: Path, to: Path, signer: pki.Signer) -> None:
    """The same version with a mistake that every test would have found, signed by whom the box trusts."""
    tree, image = to.parent / "tree", to.parent / "root.squashfs"
    tool("unsquashfs", "-q", "-n", "-d", tree, root)
    (tree / DAEMON).write_text("raise SystemExit(1)\n")
    for compiled in (tree / DAEMON).parent.glob("__pycache__/daemon.*"):
        compiled.unlink()
    what = recipe.load()
    disk.squash(tree, what, image, 0)
    tool("rm", "-rf", tree)
    bundle.build(what, image, BROKEN, signer, to, 0)
