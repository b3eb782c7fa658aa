"""One command on fifty boxes, by `branchline fleet` and by Ansible's raw; and on five hundred.

The boxes are boxd's own SSH servers in processes beside, one for each core, whose CPU is counted apart. Both
tools begin with pinned host keys and one key, connect to each box anew, and end when every box has answered.
The boxes' disks are in memory: fifty boxes do not share one that they wait for.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench.figures import Kind, Say, Theme
from tests.bench.processes import cpu_s
from tests.fleet.boxes import Spec, Where
from tests.fleet.fleets import Fleet, fleet

FEW, MANY = 50, 500
LINE = "show version"

ITS_OWN_FORKS = 5                                 # of Ansible, when nobody says another number
MEMORY = Path("/dev/shm")

OURS_S, OURS_CPU_S = "fleet show version, 50 boxes", "fleet show version, 50 boxes, CPU"
RAW_S, RAW_CPU_S = "ansible raw, 50 boxes, 50 forks", "ansible raw, 50 boxes, 50 forks, CPU"
USUAL_S, USUAL_CPU_S = "ansible raw, 50 boxes, its own 5 forks", "ansible raw, 50 boxes, its own 5 forks, CPU"
LESS_S, LESS_CPU = "ansible's time / fleet's, 50 forks", "ansible's CPU / fleet's, 50 forks"
LESS_USUAL_S, LESS_USUAL_CPU = "ansible's time / fleet's, 5 forks", "ansible's CPU / fleet's, 5 forks"
BOXES_OURS_S, BOXES_RAW_S = "the 50 boxes' own CPU, for fleet", "the 50 boxes' own CPU, for ansible"
MANY_S = "fleet show version, 500 boxes"


class Took(NamedTuple):
    """Seconds of the wall clock, of CPU of a tool with what it starts, of CPU of the boxes."""

    wall: float
    cpu: float
    boxes: float


def once(say: Say) -> dict[str, float]:
    memory = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="bench-", dir=memory) as name, fleet(Path(name)) as boxes:
        # An address each: a box lets one address begin only so many connections at once.
        _start(boxes, [boxes.spec(number, older_clients=True) for number in range(1, FEW + 1)])
        for command, env in (_ours(boxes), {}), _ansible(boxes, FEW):
            _timed(boxes, command, env, FEW)      # what either reads from the disk is read before
        ours = _timed(boxes, _ours(boxes), {}, FEW)
        say(f"{FEW} boxes: fleet {_said(ours)}")
        raw = _timed(boxes, *_ansible(boxes, FEW), FEW)
        say(f"{FEW} boxes: ansible with {FEW} forks {_said(raw)}")
        usual = _timed(boxes, *_ansible(boxes, ITS_OWN_FORKS), FEW)
        say(f"{FEW} boxes: ansible with {ITS_OWN_FORKS} forks {_said(usual)}")
        _start(boxes, [
            boxes.spec(number, name=f"more{number}", address=f"127.0.{2 + number // 250}.{1 + number % 250}")
            for number in range(MANY - FEW)])
        many = _timed(boxes, _ours(boxes), {}, MANY)
        return {OURS_S: ours.wall, OURS_CPU_S: ours.cpu, RAW_S: raw.wall, RAW_CPU_S: raw.cpu,
                USUAL_S: usual.wall, USUAL_CPU_S: usual.cpu,
                LESS_S: raw.wall / ours.wall, LESS_CPU: raw.cpu / ours.cpu,
                LESS_USUAL_S: usual.wall / ours.wall, LESS_USUAL_CPU: usual.cpu / ours.cpu,
                BOXES_OURS_S: ours.boxes, BOXES_RAW_S: raw.boxes, MANY_S: many.wall}


def _said(took: Took) -> str:
    return f"{took.wall:.2f} s, CPU {took.cpu:.2f} s, the boxes' {took.boxes:.2f} s"


def _start(boxes: Fleet, specs: Sequence[Spec]) -> None:
    cores = os.cpu_count() or 1
    for core in range(cores):
        boxes.start(specs[core::cores])
    boxes.enrolled()
    boxes.does("show", "--all", "version")        # what a box reads for its first command is read before


def _ours(boxes: Fleet) -> list[str]:
    return [sys.executable, "-m", "appliance.launch", "fleet",
            "--inventory", str(boxes.folder / "fleet.sqlite"),
            "show", "--all", "--key", str(boxes.key), "--parallel", str(FEW), "version"]


def _ansible(boxes: Fleet, forks: int) -> tuple[list[str], Mapping[str, str]]:
    """raw takes no shell on the other side. Each ssh is waited for, so that its CPU is counted."""
    inventory, known = boxes.folder / "hosts.json", boxes.folder / "known_hosts"
    hosts = {one.name: {"ansible_host": one.address, "ansible_port": one.port}
             for one in boxes.where.values()}
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    known.write_text("".join(_known(one) for one in boxes.where.values()))
    command = [str(Path(sys.executable).with_name("ansible")), "all", "-i", str(inventory), "-f", str(forks),
               "-u", "noc", "--private-key", str(boxes.key), "-m", "raw", "-a", LINE]
    return command, {
        "ANSIBLE_SSH_ARGS": f"-F none -o ControlMaster=no -o UserKnownHostsFile={known} "
                            "-o IdentitiesOnly=yes -o KexAlgorithms=curve25519-sha256",
        "ANSIBLE_SSH_USETTY": "False", "ANSIBLE_HOME": str(boxes.folder / "ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "False", "LC_ALL": "C.UTF-8"}


def _known(one: Where) -> str:
    return f"[{one.address}]:{one.port} {one.host_key}\n"


def _timed(boxes: Fleet, command: Sequence[str], env: Mapping[str, str], many: int) -> Took:
    """RuntimeError: not every box answered."""
    with tempfile.TemporaryFile() as out:
        before = sum(cpu_s(one.pid) for one in boxes.processes)
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **env})
        _, status, used = os.wait4(process.pid, 0)
        took_s = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read().decode(errors="replace")
    if process.returncode or said.count("light") < many:            # each box says that this is its board
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {said[-2000:]}")
    after = sum(cpu_s(one.pid) for one in boxes.processes)
    return Took(took_s, used.ru_utime + used.ru_stime, after - before)


FLEET = Theme(
    "fleet", f"`{LINE}` on boxes that are boxd's SSH server each, on loopback addresses, in a process for "
    "each of the same cores, their disks in memory; their CPU is counted apart, their time is in the tools'. "
    "Each box is connected to anew. Ansible's `raw` beside it, with OpenSSH and X25519, the key exchange "
    "that costs the boxes least with OpenSSH: with as many forks as boxes, and with the five that it has "
    "when nobody says another number.",
    (Kind(OURS_S, "s"), Kind(OURS_CPU_S, "s"), Kind(RAW_S, "s"), Kind(RAW_CPU_S, "s"), Kind(USUAL_S, "s"),
     Kind(USUAL_CPU_S, "s"), Kind(LESS_S, "times", "at least 5"), Kind(LESS_CPU, "times", "at least 5"),
     Kind(LESS_USUAL_S, "times", "at least 5"), Kind(LESS_USUAL_CPU, "times", "at least 5"),
     Kind(BOXES_OURS_S, "s"), Kind(BOXES_RAW_S, "s"), Kind(MANY_S, "s", "below 30")), once)
