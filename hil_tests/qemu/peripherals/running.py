"""One run of the guest with simulated peripherals."""

from pathlib import Path

import board
from hil_tests.qemu.peripherals import parts
from hil_tests.vm import archive, machine
from hil_tests.vm.debian import BenchError

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).parent
BUILD = ROOT / "build/peripherals"
OURS = ("board", "firmware", "e1_driver", "appliance", "hil_tests")
LIBRARIES = (*archive.PYTEST, "pytest_asyncio", "annotated_types", "click", "msgspec", "nats", "numpy",
             "numpy.libs", "periphery", "phonenumbers", "pydantic", "pydantic_core", "typing_extensions",
             "typing_inspection", "yaml")
UDEV = Path("/usr/bin/udevadm")                   # as it is installed here; by another name it is the daemon
TESTS = ("test_parts.py", "test_tended.py", "test_names.py",
         "test_watchdog.py")                      # the last one lets a watchdog expire
DEVICES = ("-device", "i6300esb", "-action", "watchdog=debug")       # QEMU says so, and goes on
EXPIRED = "watchdog: timer fired"


def run() -> None:
    """BenchError: a test failed, or the watchdog that nobody fed did not expire, or one that was fed did."""
    built = parts.prepare(BUILD)
    results = BUILD / "results"
    results.mkdir(parents=True, exist_ok=True)
    files = {"bin/busybox": built.root / "bin/busybox", "sbin/udevadm": UDEV, "sbin/systemd-udevd": UDEV,
             **{f"modules/{module.name}": module for module in (*built.modules, built.by_udev)}}
    base = archive.base(built.folder, LIBRARIES, files, (UDEV,)).read_bytes()
    initrd = built.folder / "peripherals.cpio"
    initrd.write_bytes(base + _ours(built))
    said = machine.Qemu(built.vmlinux).run(initrd, results, DEVICES)
    initrd.unlink()
    for name, octets in said.items():
        (results / name).write_bytes(octets)
    if said.get("exit") != b"0\n":
        raise BenchError(f"not every test passed: see above, and {results}")
    if (times := (results / "qemu.log").read_text().count(EXPIRED)) != 1:
        raise BenchError(f"the watchdog was to expire once, QEMU saw it {times} times")


def _ours(built: parts.Parts) -> bytes:
    """Our code as it is now, and what to run."""
    packed = archive.Archive()
    packed.copy(HERE / "guest/init", "init")
    packed.copy(HERE / "guest/pytest.ini", "guest/pytest.ini")
    modules = " ".join(module.name for module in built.modules)
    tests = " ".join(f"hil_tests/qemu/peripherals/guest/{test}" for test in TESTS)
    packed.file("guest/run", f"python={archive.python()}\nmodules='{modules}'\ntests='{tests}'\n".encode())
    for name in OURS:
        packed.tree(ROOT / name, f"branchline/{name}", {"__pycache__"})
    packed.tree(HERE / "bench", "branchline/board/bench")
    for rules in (board.RULES, *board.FOLDER.glob("*/*.rules"), *(HERE / "bench").glob("*.rules")):
        packed.copy(rules, f"etc/udev/rules.d/{rules.name}")
    return packed.close()
