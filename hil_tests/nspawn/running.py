"""The package on a plain Debian 12: it starts, calls come through, and whatever is killed comes back.

Left out, for want of rights in a container: real-time priority, locked memory, devices.
"""

import json
import os
import re
import sys
from fnmatch import fnmatch
from pathlib import Path

from appliance.bus.messages import DAEMONS
from hil_tests.instruments.exchange import SoftwareExchange
from hil_tests.nspawn import restoring
from hil_tests.nspawn.container import LINE, Container, debian
from hil_tests.vm.debian import BenchError, run

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/nspawn"
UP_S = 60.0
MOST_EXPOSED = 3.0                                # systemd-analyze security: "OK" ends at 5
MOST_MB = 400.0
CALLED = "5001"
SECRETS = (                                       # who must not read what
    ("webui", "/run/branchline/bus/boxd.json"), ("webui", "/run/branchline/ring"),
    ("webui", "/var/lib/branchline/acd.sqlite"), ("webui", "/var/lib/branchline/recordings/keys"),
    ("acdd", "/var/lib/branchline/session-key"), ("recordd", "/run/branchline/dchan/telco1.sock"),
    ("trunkd", "/run/branchline/root.sock"))


def run_all(deb: Path | None = None) -> None:
    """Of this package, or of one that is built, twice. BenchError: what did not do as it should."""
    BUILD.mkdir(parents=True, exist_ok=True)
    line = BUILD / "line"
    line.mkdir(exist_ok=True)
    tree = debian(deb or _same_twice(), BUILD)
    configuration = tree / "etc/branchline/branchline.yaml"
    example = (tree / "usr/share/branchline/example/branchline.yaml").read_text()
    url = re.compile(r"virtual:[^\"]*/b")
    os.umask(0o000)                               # spand, as another user, has to reach the far end's socket
    with SoftwareExchange(f"virtual:{line}/telco1/a") as far_end:
        os.umask(0o022)
        configuration.write_text(restoring.lay(tree, url.sub(f"virtual:{LINE}/telco1/b", example)))
        with Container(tree, line, BUILD / "console.log") as box:
            _starts(box, far_end)
            _is_confined(box)
            _is_small(box)
            _comes_back(box, far_end)
            _says_what_is_wrong(box, tree)
            _asks_root(box)
            restoring.restores(box, lambda: _call(far_end), lambda: _is_up(box))


def _same_twice() -> Path:
    """The package as `make deb` makes it, and once more. BenchError: the octets differ."""
    packages = []
    for folder in (ROOT / "build/deb", BUILD / "again"):          # the first has the prompts already
        built = run(sys.executable, "-m", "images.packages", "--out", str(folder), cwd=ROOT)
        packages.append(Path(built.strip()))
    if packages[0].read_bytes() != packages[1].read_bytes():
        raise BenchError(f"{packages[0]} and {packages[1]} differ: the same source gives the same package")
    return packages[0]


def _starts(box: Container, far_end: SoftwareExchange) -> None:
    box.until(lambda: _up(box), UP_S, "branchline status says that all is up")
    _call(far_end)
    if failed := box.run("systemctl", "--failed", "--plain", "--no-legend"):
        raise BenchError(f"units failed: {failed}")
    if cycle := box.run("sh", "-c", "journalctl --boot --output=cat | grep 'ordering cycle' || true"):
        raise BenchError(cycle)
    print(box.run("systemd-analyze", "time").strip())
    print(f"D-channel asked for {_asked_after_s(box):.1f} s after systemd")


def _is_confined(box: Container) -> None:
    """Exposure of each unit; every file's owner."""
    box.run("systemd-analyze", "verify", "branchline.target", "branchline-root.socket")
    for name in ("bus", *DAEMONS):
        said = box.run("systemd-analyze", "security", f"branchline-{name}.service")
        exposure = float(re.findall(r"exposure level.*: ([0-9.]+)", said)[0])
        print(f"branchline-{name}: exposure {exposure}")
        if exposure >= MOST_EXPOSED:
            raise BenchError(f"branchline-{name}: exposure {exposure}, below {MOST_EXPOSED} is wanted")
    whose = [line.split()[1:4:2] for line in box.run("cat", "/usr/share/branchline/owners.conf").splitlines()
             if line[:1] in ("z", "Z")]
    for line in box.run("sh", "-c", "stat -c '%U %n' /var/lib/branchline/*").splitlines():
        owner, _, path = line.partition(" ")
        if not any(fnmatch(path, pattern) and owner == of for pattern, of in whose):
            raise BenchError(f"{path} of {owner}: owners.conf lacks it: a restore by root would keep it")
    for reader, path in SECRETS:
        user = f"branchline-{reader}"
        if box.said("setpriv", "--reuid", user, "--regid", user, "--init-groups", "test", "-r", path) == "":
            raise BenchError(f"{user} can read {path}")


def _is_small(box: Container) -> None:
    """Memory of all processes, shared pages counted once."""
    said = box.run("sh", "-c", "for p in /proc/[0-9]*; do awk -v n=\"$(cat $p/comm)\" "
                   "'/^Pss:/ {print n, $2}' $p/smaps_rollup; done 2>/dev/null; true")
    kib = [int(one.rpartition(" ")[2]) for one in said.splitlines()]
    print(f"memory of {len(kib)} processes: {sum(kib) / 1000:.0f} MB")
    if sum(kib) / 1000 > MOST_MB:
        raise BenchError(f"more than {MOST_MB:g} MB:\n{said}")


def _comes_back(box: Container, far_end: SoftwareExchange) -> None:
    """Killed, then hung: each is started anew, and nobody else."""
    for name in ("bus", *DAEMONS):
        before = _pids(box)
        _replaced(box, name, "KILL")
        box.until(lambda: _up(box), UP_S, "all is up again")
        if anew := [one for one, pid in _pids(box).items() if pid != before[one] and one != name]:
            raise BenchError(f"{name} was killed, and {', '.join(anew)} started anew, too")
        print(f"{name}: killed, back")
    for name in ("spand", "trunkd"):
        _replaced(box, name, "STOP")
        said = box.run("journalctl", "--unit", f"branchline-{name}.service", "--output=cat")
        if "Watchdog timeout" not in said:
            raise BenchError(f"{name}: was started anew, but not by its watchdog")
        print(f"{name}: hung, back")
    box.until(lambda: _up(box), UP_S, "all is up again")
    _call(far_end)


def _replaced(box: Container, name: str, signal: str) -> None:
    unit = f"branchline-{name}.service"
    before = box.show(unit, "MainPID")
    box.run("sh", "-c", f"kill -{signal} {before}")
    box.until(lambda: box.show(unit, "MainPID") not in ("0", before)        # first: one just killed is active
              and box.show(unit, "ActiveState") == "active", UP_S, f"{name} is back")


def _pids(box: Container) -> dict[str, str]:
    return {name: box.show(f"branchline-{name}.service", "MainPID") for name in ("bus", *DAEMONS)}


def _says_what_is_wrong(box: Container, tree: Path) -> None:
    """A configuration that cannot be used: the daemon stays down, says why, and is up when it is mended."""
    path, unit = tree / "etc/branchline/branchline.yaml", "branchline-acdd.service"
    good = path.read_text()
    path.write_text(good + "colour: blue\n")
    box.said("systemctl", "restart", unit)
    box.until(lambda: box.show(unit, "ActiveState") == "failed", UP_S, "acdd stays down")
    if (code := box.show(unit, "ExecMainStatus")) != "78":
        raise BenchError(f"acdd ended with {code}, not 78")
    if "colour" not in box.run("journalctl", "--unit", unit, "--output=cat", "--lines=20"):
        raise BenchError("acdd does not say what is wrong with the configuration")
    path.write_text(good)
    box.run("systemctl", "start", unit)
    box.until(lambda: _up(box), UP_S, "all is up again")
    print("acdd: stays down with a wrong configuration, and says why")


def _asks_root(box: Container) -> None:
    """boxd may have the machine renamed, webui may not."""
    order = json.dumps({"verb": "set-hostname", "arguments": {"name": "renamed"}})
    ask = ("import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect('/run/branchline/root.sock'); "
           f"s.sendall({order!r}.encode()+b'\\n'); print(s.makefile().read())")
    for user, what in (("webui", "Permission denied"), ("boxd", '"refused":""')):
        name = f"branchline-{user}"
        said = box.said("setpriv", "--reuid", name, "--regid", name, "--init-groups", "python3.11", "-c", ask)
        if what not in said:
            raise BenchError(f"{user} asked root: {said}")
    if box.run("hostname") != "renamed\n":
        raise BenchError("set-hostname said yes and did nothing")
    print("root: a verb for boxd, none for webui")


def _up(box: Container) -> bool:
    """The command's exit code says so, too."""
    said = box.said("branchline", "status")
    return sum(line.split()[1:2] == ["up"] for line in said.splitlines()) == len(DAEMONS)


def _is_up(box: Container) -> None:
    box.until(lambda: _up(box), UP_S, "all is up again")


def _call(far_end: SoftwareExchange) -> None:
    far_end.wait_up(UP_S)
    call = far_end.place_call(CALLED, "13800138000")
    call.wait_for("CONNECT", UP_S)
    call.hang_up()
    far_end.wait_idle(UP_S)
    print("a call was answered")


def _asked_after_s(box: Container) -> float:
    """From systemd's start to trunkd's."""
    started = box.run("systemctl", "show", "--value", "--property", "UserspaceTimestampMonotonic")
    ready = box.show("branchline-trunkd.service", "ActiveEnterTimestampMonotonic")
    return (int(ready) - int(started)) / 1e6
