"""One command on fifty boxes, by `branchline fleet` and by Ansible's raw; and on five hundred.

The boxes are boxd's own SSH servers in processes beside, one for each core, whose CPU is not counted. Both
tools begin with pinned host keys and one key, have as many boxes at a time, and end when every box has
answered.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.figures import Kind, Say, Theme
from tests.fleet.boxes import Spec, Where
from tests.fleet.fleets import Fleet, fleet

FEW, MANY = 50, 500
LINE = "show version"

OURS_S, OURS_CPU_S = "fleet show version, 50 boxes", "fleet show version, 50 boxes, CPU"
RAW_S, RAW_CPU_S = "ansible raw show version, 50 boxes", "ansible raw show version, 50 boxes, CPU"
LESS_S, LESS_CPU = "ansible's time / fleet's", "ansible's CPU / fleet's"
MANY_S = "fleet show version, 500 boxes"


def once(say: Say) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name, fleet(Path(name)) as boxes:
        # An address each: a box lets one address begin only so many connections at once.
        _start(boxes, [boxes.spec(number, older_clients=True) for number in range(1, FEW + 1)])
        ours_s, ours_cpu_s = _timed(_ours(boxes), {}, FEW)
        say(f"{FEW} boxes: fleet {ours_s:.1f} s, CPU {ours_cpu_s:.1f} s")
        raw_s, raw_cpu_s = _timed(*_ansible(boxes), FEW)
        say(f"{FEW} boxes: ansible {raw_s:.1f} s, CPU {raw_cpu_s:.1f} s")
        _start(boxes, [
            boxes.spec(number, name=f"more{number}", address=f"127.0.{2 + number // 250}.{1 + number % 250}")
            for number in range(MANY - FEW)])
        many_s, _ = _timed(_ours(boxes), {}, MANY)
        return {OURS_S: ours_s, OURS_CPU_S: ours_cpu_s, RAW_S: raw_s, RAW_CPU_S: raw_cpu_s,
                LESS_S: raw_s / ours_s, LESS_CPU: raw_cpu_s / ours_cpu_s, MANY_S: many_s}


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


def _ansible(boxes: Fleet) -> tuple[list[str], Mapping[str, str]]:
    """raw takes no shell on the other side. Each ssh is waited for, so that its CPU is counted."""
    inventory, known = boxes.folder / "hosts.json", boxes.folder / "known_hosts"
    hosts = {one.name: {"ansible_host": one.address, "ansible_port": one.port}
             for one in boxes.where.values()}
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    known.write_text("".join(_known(one) for one in boxes.where.values()))
    command = [str(Path(sys.executable).with_name("ansible")), "all", "-i", str(inventory), "-f", str(FEW),
               "-u", "noc", "--private-key", str(boxes.key), "-m", "raw", "-a", LINE]
    return command, {
        "ANSIBLE_SSH_ARGS": f"-F none -o ControlMaster=no -o UserKnownHostsFile={known} "
                            "-o IdentitiesOnly=yes -o KexAlgorithms=curve25519-sha256",
        "ANSIBLE_SSH_USETTY": "False", "ANSIBLE_HOME": str(boxes.folder / "ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "False", "LC_ALL": "C.UTF-8"}


def _known(one: Where) -> str:
    return f"[{one.address}]:{one.port} {one.host_key}\n"


def _timed(command: Sequence[str], env: Mapping[str, str], boxes: int) -> tuple[float, float]:
    """Seconds, and seconds of CPU with what the command starts. RuntimeError: not every box answered."""
    with tempfile.TemporaryFile() as out:
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **env})
        _, status, used = os.wait4(process.pid, 0)
        took_s = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read().decode(errors="replace")
    if process.returncode or said.count("light") < boxes:            # each box says that this is its board
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {said[-2000:]}")
    return took_s, used.ru_utime + used.ru_stime


FLEET = Theme(
    "fleet", f"`{LINE}` on boxes that are boxd's SSH server each, on loopback addresses, in a process for "
    "each of the same cores; their CPU is not counted, their time is. Ansible's `raw` beside it, with "
    "OpenSSH, as many forks as boxes, and X25519, the key exchange that costs the boxes least with OpenSSH.",
    (Kind(OURS_S, "s"), Kind(OURS_CPU_S, "s"), Kind(RAW_S, "s"), Kind(RAW_CPU_S, "s"),
     Kind(LESS_S, "times", "at least 5"), Kind(LESS_CPU, "times", "at least 5"),
     Kind(MANY_S, "s", "below 30")), once)
