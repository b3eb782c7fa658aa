"""Imports go one way: the floors of docs/adr/0001. A new package is one row."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

OURS = {"e1_driver", "appliance", "webui", "board", "hil_tests", "tests", "firmware"}
IO_AND_CLOCKS = {"asyncio", "socket", "time", "threading", "sqlite3", "nats"}

GROUND = {"e1_driver", "board", "firmware.wire", "firmware.control", "firmware.image", "appliance.errors"}
BUS = GROUND | {"appliance.bus", "appliance.config", "appliance.store"}
PURE = BUS | {"appliance.isdn", "appliance.media"}
WORKERS = {f"appliance.{name}" for name in ("centre", "trunk", "span", "recording", "box", "launch", "fleet")}
MAINS = {f"{worker}.daemon" for worker in WORKERS - {"appliance.launch", "appliance.fleet"}}

MAY_IMPORT: dict[str, set[str]] = {               # package -> what of ours it may import besides itself
    "e1_driver": {"firmware.wire"},
    "board": set(),
    "firmware": set(),
    "appliance.errors": set(),
    "appliance.bus": BUS,
    "appliance.config": GROUND,
    "appliance.store": GROUND | {"appliance.config"},
    "appliance.isdn": GROUND,
    "appliance.media": GROUND,
    **{worker: PURE for worker in WORKERS},
    "appliance.sim": PURE | {"appliance.centre"},  # the box's own engine, fed with a rehearsal
    "appliance.launch": PURE | {"appliance.sim"} | {
        f"appliance.centre.{tool}" for tool in ("rebuild", "flow", "heard", "projector", "dialplan", "entry",
                                             "figures.counting")} | {
        # What any machine does with a box's exports, objects and forms.
        f"appliance.recording.{tool}" for tool in ("vault.bundle_check", "archive.key", "archive.objects",
                                                "quality.forms")} | {
        # A backup is opened, tried out and restored without a box, and sent where recordings are archived.
        "appliance.box.backup",
        # boxd's bench of flows, as a process that knows them.
        "appliance.box.flows.orders", "appliance.box.document.editing",
        # One place that speaks to many boxes by SSH.
        "appliance.fleet",
        # In the factory a board's EEPROM is written.
        "appliance.box.board",
        # The menu, the documents and the bundle of who stands before the box, whatever of it is down.
        "appliance.box.console", "appliance.box.provision", "appliance.box.support",
        # Dashboards and alert rules for the tools of who watches boxes.
        "appliance.box.telemetry.grafana",
        # What both the command line and boxd's own console show.
        "appliance.box.traces", "appliance.box.update.words", "appliance.box.commands.screen",
        # Keys of the console, and where it listens.
        "appliance.box.ssh.host_key", "appliance.box.ssh.passwords", "appliance.box.ssh.place"} | {
        f"appliance.recording.{tool}" for tool in (
            "catalogue.schema", "vault.chain", "vault.keys", "archive.pace", "archive.place", "archive.s3",
            "archive.sftp")},
    "webui": PURE | {"appliance.recording.wav"},  # the format of what it plays
    "hil_tests": PURE,
    "hil_tests.dahdi": PURE | {"hil_tests", "tests.e1_driver"},  # the contract of every backend, in a guest
    "hil_tests.qemu": PURE | {"hil_tests", "appliance.box.update.slots"},      # what the boot loader reads
    "hil_tests.qemu.peripherals": PURE | {"hil_tests", "appliance.box.board"},      # in a guest
}


def modules() -> Iterator[tuple[str, Path]]:
    for top in ("e1_driver", "firmware", "appliance", "webui", "board", "hil_tests"):
        for path in sorted((ROOT / top).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


@functools.cache                                  # two tests ask for each
def imports(path: Path) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def package_of(module: str) -> str:
    found = [name for name in MAY_IMPORT if module == name or module.startswith(name + ".")]
    assert found or module == "appliance", f"{module}: give it a row in MAY_IMPORT"
    return max(found, key=len, default="appliance")


def inside(target: str, allowed: set[str]) -> bool:
    return any(target == name or target.startswith(name + ".") for name in allowed)


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: str(value)[-40:])
def test_imports_go_down(module: str, path: Path) -> None:
    package = package_of(module)
    allowed = MAY_IMPORT.get(package, set()) | {package}
    for line, target in imports(path):
        if target.partition(".")[0] in OURS:
            assert inside(target, allowed), f"{path}:{line}: {package} may not import {target}"


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: str(value)[-40:])
def test_nobody_imports_a_main(module: str, path: Path) -> None:
    """A process's parts are built in its daemon.py and nowhere else."""
    for line, target in imports(path):
        assert not inside(target, MAINS | {"webui.daemon"}), f"{path}:{line}: imports {target}"


@pytest.mark.parametrize("package", ["appliance.isdn", "appliance.media", "appliance.sim",
                                     "appliance.box.fitness"])
def test_pure_packages_import_no_io_and_no_clock(package: str) -> None:
    for module, path in modules():
        if module.startswith(package):
            for line, target in imports(path):
                assert target.partition(".")[0] not in IO_AND_CLOCKS, (
                    f"{path}:{line}: {package} is pure and imports {target}")
