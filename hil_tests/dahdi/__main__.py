"""`python -m hil_tests.dahdi [loc] [tick] [eth]`: real DAHDI in a guest of QEMU, our drivers on it."""

import subprocess
import tempfile
import time
from pathlib import Path

import click

from e1_driver import LineError
from hil_tests.dahdi import header, image
from hil_tests.dahdi.far_end import GUEST, FarEnd
from hil_tests.dahdi.packages import Parts, prepare
from hil_tests.instruments import libpri
from hil_tests.vm import machine
from hil_tests.vm.debian import BenchError

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/dahdi"
LOC_TESTS = ("test_contract.py", "test_call.py", "test_span.py")         # the last one pulls span 2
TICK_TESTS = ("test_contract.py",)
ETH_TESTS = ("test_eth.py",)
NETEM_TESTS = ("test_netem.py",)
TRACES = ("ours.pcap", "libpri.pcap")
CALL = ("SETUP", "ALERTING", "CONNECT", "DISCONNECT", "RELEASE", "RELEASE COMPLETE")


def run_loc(bench: "Bench") -> None:
    """Two cross-connected spans: the contract, alarms, a stall, calls with libpri; traces read by tshark."""
    bench.run("loc", LOC_TESTS, own_time=True)
    for name in TRACES:
        print(f"{name}: {check_trace(bench.results / 'loc' / name)} frames, none malformed")


def run_tick(bench: "Bench") -> None:
    """The contract again, with the tick of 1 ms that cards have, and a card's delay."""
    bench.run("tick", TICK_TESTS, own_time=True)


def run_eth(bench: "Bench") -> None:
    """One span over Ethernet, its far end our tdmoe: out here."""
    with tempfile.TemporaryDirectory() as folder:
        far = FarEnd(Path(folder) / "line")
        try:
            far.start()
            bench.run("eth", ETH_TESTS, own_time=False, devices=(
                "-netdev", f"stream,id=line,server=off,addr.type=unix,addr.path={folder}/line",
                "-device", f"e1000,netdev=line,mac={GUEST},romfile="))
        finally:
            far.stop()
            print(*far.story, sep="\n")
        if far.error:
            raise BenchError(f"tdmoe: {far.error!r}")


def run_netem(bench: "Bench") -> None:
    """Emulated circuits over a network that delays, loses, doubles and reorders, by the kernel's netem."""
    bench.run("netem", NETEM_TESTS, own_time=True)


SCENARIOS = {"loc": run_loc, "tick": run_tick, "eth": run_eth, "netem": run_netem}


class Bench:
    """The parts, and one run of the guest after the other."""

    def __init__(self, parts: Parts) -> None:
        self.results = BUILD / "results"
        self._parts = parts
        self._qemu = machine.Qemu(parts.vmlinux)
        libpri.library()                          # compiled here: the guest has no compiler
        self._base = image.base(parts).read_bytes()

    def run(self, name: str, tests: tuple[str, ...], own_time: bool, devices: tuple[str, ...] = ()) -> None:
        """BenchError when a test failed or none ran."""
        folder = self.results / name
        folder.mkdir(parents=True, exist_ok=True)
        initrd = self._parts.folder / f"{name}.cpio"
        initrd.write_bytes(self._base + image.ours(ROOT, name, tests, libpri.CACHE.glob("*.so")))
        files = self._qemu.run(initrd, folder, devices, own_time)
        initrd.unlink()
        for file, octets in files.items():
            (folder / file).write_bytes(octets)
        if files.get("exit") != b"0\n":           # pytest's; when DAHDI was not configured there is none
            raise BenchError(f"{name}: not every test passed: see above, and {folder}")


def check_trace(path: Path) -> int:
    """Frames in it. BenchError: tshark finds one malformed, or not a whole call."""
    def tshark(*arguments: str) -> list[str]:
        done = subprocess.run(["tshark", "-n", "-r", path, *arguments], capture_output=True, text=True)
        if done.returncode:
            raise BenchError(f"tshark: {done.stderr}")
        return done.stdout.splitlines()

    if bad := tshark("-Y", "_ws.malformed"):
        raise BenchError(f"{path}: malformed for tshark: {bad}")
    said = " | ".join(tshark("-Y", "q931", "-T", "fields", "-e", "_ws.col.Info"))
    if missing := [name for name in CALL if name not in said]:
        raise BenchError(f"{path}: tshark sees no {', '.join(missing)}: {said}")
    return len(tshark())


@click.command(help=__doc__)
@click.argument("scenarios", nargs=-1, type=click.Choice(list(SCENARIOS)))
def main(scenarios: tuple[str, ...]) -> None:
    began = time.monotonic()
    try:
        parts = prepare(BUILD)
        print(f"DAHDI for {parts.kernel} is there; {header.check(parts)} figures of dahdi_wire.py agree with "
              f"its user.h ({time.monotonic() - began:.0f} s)", flush=True)
        bench = Bench(parts)
        for name in scenarios or SCENARIOS:
            SCENARIOS[name](bench)
            print(f"{name}: good ({time.monotonic() - began:.0f} s)", flush=True)
    except (BenchError, LineError, libpri.LibpriError) as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main(prog_name="python -m hil_tests.dahdi")
