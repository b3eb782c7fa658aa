"""What GRUB starts, for every state that the slots can be in: real GRUB, on the image's own ESP."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from appliance.box.update.slots import FILES, FOLDER, Slots, block, slots_block
from hil_tests.qemu.machine import ESP, SLOT_A, SLOT_B, Disk, Machine, partition, tool
from hil_tests.vm.debian import BenchError

TRIES = "tries.env"
_NONE = block({})
_TORN = slots_block(9, Slots("B"))[:60].ljust(1024, b"\0")
_WORDS = ("slot A, confirmed", "slot B, confirmed", "slot A, trial-", "slot B, trial-", "slot A, fallback",
          "slot B, fallback", "no slot starts")


def _tries(tries: int, seq: int) -> bytes:
    return block({"TRIES": str(tries), "TRIES_SEQ": str(seq)})


@dataclass(frozen=True, slots=True)
class Case:
    """`broken`: slots that hold no kernel. `counted`: what is in tries.env afterwards."""

    name: str
    starts: str
    files: Mapping[str, bytes]
    broken: frozenset[int] = field(default_factory=frozenset)
    counted: int | None = None


_TRIAL = {FILES[0]: slots_block(4, Slots("A", "B")), FILES[1]: slots_block(3, Slots("A"))}
CASES = (
    Case("confirmed A", "slot A, confirmed",
         {FILES[0]: slots_block(1, Slots("A")), FILES[1]: _NONE, TRIES: _NONE}),
    Case("confirmed B in the second copy", "slot B, confirmed",
         {FILES[0]: slots_block(9, Slots("A")), FILES[1]: slots_block(10, Slots("B")), TRIES: _NONE}),
    Case("the newer copy is torn", "slot A, confirmed",
         {FILES[0]: slots_block(8, Slots("A")), FILES[1]: _TORN, TRIES: _NONE}),
    Case("a new trial", "slot B, trial-", {**_TRIAL, TRIES: _tries(3, 2)}, counted=1),
    Case("a trial's third start", "slot B, trial-", {**_TRIAL, TRIES: _tries(2, 4)}, counted=3),
    Case("a trial without tries left", "slot A, confirmed", {**_TRIAL, TRIES: _tries(3, 4)}, counted=3),
    Case("a trial that cannot be counted", "slot A, confirmed", {**_TRIAL, TRIES: b"\0" * 1024}),
    Case("a trial without a kernel", "slot A, confirmed",
         {**_TRIAL, TRIES: _tries(1, 4)}, frozenset({SLOT_B}), 2),
    Case("the confirmed slot is garbage", "slot B, fallback",
         {FILES[0]: slots_block(1, Slots("A")), FILES[1]: _NONE, TRIES: _NONE}, frozenset({SLOT_A})),
    Case("garbage, and the other was never written to its end", "no slot starts",
         {FILES[0]: slots_block(1, Slots("A", unusable=frozenset("B"))), FILES[1]: _NONE, TRIES: _NONE},
         frozenset({SLOT_A})),
)


def run(image: Path, squashfs: Path, folder: Path) -> Iterator[str]:
    """A line for every case. BenchError: GRUB does something else."""
    disk = folder / "disk.raw"
    tool("cp", "--sparse=always", image, disk)
    copy(squashfs, disk, SLOT_B)
    for case in CASES:
        start, _ = partition(disk, ESP)
        for name, octets in case.files.items():
            _put(disk, start, name, octets)
        for slot in case.broken:
            _write(disk, partition(disk, slot)[0], b"\xa5" * 4096)
        with Machine(folder / "vm", Disk(disk), forward=(), drive=(
                "-drive", f"if=none,id=disk,format=raw,file={disk}", "-device",
                "virtio-blk-pci,drive=disk,bootindex=1")) as box:
            word, at_s = box.wait_for(*_WORDS, within_s=60)
        if word != case.starts:
            raise BenchError(f"{case.name}: {word!r}, not {case.starts!r}\n{box.tail()}")
        if case.counted is not None and f"TRIES={case.counted}\n" not in _get(disk, start, TRIES):
            raise BenchError(f"{case.name}: {_get(disk, start, TRIES)[:80]!r}, not {case.counted} tries")
        for slot in case.broken:
            copy(squashfs, disk, slot)
        yield f"{case.name}: {word.rstrip('-')} ({at_s:.0f} s)"


def copy(squashfs: Path, disk: Path, slot: int) -> None:
    """Into a slot, as an installation does."""
    tool("dd", f"if={squashfs}", f"of={disk}", "bs=1M", f"seek={partition(disk, slot)[0] >> 20}",
         "conv=notrunc", "status=none")


def _write(disk: Path, at: int, octets: bytes) -> None:
    with disk.open("r+b") as file:
        file.seek(at)
        file.write(octets)


def _put(disk: Path, start: int, name: str, octets: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(octets)
        file.flush()
        tool("mcopy", "-o", "-i", f"{disk}@@{start}", file.name, f"::{FOLDER}/{name}")


def _get(disk: Path, start: int, name: str) -> str:
    return tool("mtype", "-i", f"{disk}@@{start}", f"::{FOLDER}/{name}")
