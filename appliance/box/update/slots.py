"""Which slot starts: what the boot loader reads, as octets, and how it may change. Pure.

Two slots, A and B. The confirmed one starts always, uncounted; one on trial starts three times at most, and
then the confirmed one again. Only if that cannot be loaded the other one starts.

On the EFI system partition, in the folder FOLDER, two files in the form of GRUB's environment block:
SEQ, CONFIRMED=A or B, TRIAL=A, B or empty, UNUSABLE=A, B or empty, END=SEQ. They are written in turn, the
older one each time, and the larger SEQ counts: one that a power cut tears (END is not SEQ) leaves the other.
GRUB counts starts of a trial by its SEQ, in a file of its own; UNUSABLE is for us and RAUC.

Ref: GNU GRUB manual 2.06, 15.2 "The GRUB environment block": 1024 octets, filled with #; images/grub.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from appliance.errors import BranchlineError

NAMES = ("A", "B")
MOST_TRIES = 3                                    # of a slot on trial: grub.cfg counts so far

FOLDER = "branchline"
FILES = ("slots-1.env", "slots-2.env")
TRIES_FILE = "tries.env"                          # GRUB's, which counts in it but cannot make it

BLOCK_OCTETS = 1024
SECTOR_OCTETS = 512                               # what a disk writes whole or not at all
_HEAD = b"# GRUB Environment Block\n"


class SlotsError(BranchlineError):
    """Which slot starts cannot be read or written."""


def other(slot: str) -> str:
    return NAMES[slot == NAMES[0]]


@dataclass(frozen=True, slots=True)
class Slots:
    """What is to start. The slot on trial is never the confirmed one, and never unusable."""

    confirmed: str
    trial: str = ""
    unusable: frozenset[str] = frozenset()

    @property
    def next(self) -> str:
        """That starts next, while tries are left."""
        return self.trial or self.confirmed

    def with_trial(self, slot: str) -> "Slots":
        """The confirmed one is not tried out: it just starts. SlotsError: it is unusable."""
        if slot in self.unusable:
            raise SlotsError(f"slot {slot}: was not written to its end: install an update first")
        return replace(self, trial="" if slot == self.confirmed else slot)

    def without_trial(self) -> "Slots":
        return replace(self, trial="")

    def with_confirmed(self, slot: str) -> "Slots":
        return Slots(slot, "", self.unusable - {slot})

    def marked(self, slot: str, usable: bool) -> "Slots":
        """Before it is written, and when it is whole. SlotsError: the confirmed one is never given up."""
        if usable:
            return replace(self, unusable=self.unusable - {slot})
        if slot == self.confirmed:
            raise SlotsError(f"slot {slot}: is the confirmed one, which nothing is written to")
        return replace(self, trial="" if slot == self.trial else self.trial, unusable=self.unusable | {slot})


def slots_block(seq: int, slots: Slots) -> bytes:
    return block({"SEQ": str(seq), "CONFIRMED": slots.confirmed, "TRIAL": slots.trial,
                  "UNUSABLE": "".join(sorted(slots.unusable)), "END": str(seq)})


def read_slots(octets: bytes) -> tuple[int, Slots]:
    """With its SEQ. SlotsError: torn, or not ours."""
    said = read_block(octets)
    seq, confirmed, trial, unusable = (
        said.get(name, "") for name in ("SEQ", "CONFIRMED", "TRIAL", "UNUSABLE"))
    if not (seq.isascii() and seq.isdecimal()) or said.get("END") != seq:
        raise SlotsError(f"SEQ={seq} END={said.get('END', '')}: it was not written to its end")
    if confirmed not in NAMES or trial not in ("", *NAMES) or not set(unusable) <= set(NAMES):
        raise SlotsError(f"CONFIRMED={confirmed} TRIAL={trial} UNUSABLE={unusable}: cannot be")
    return int(seq), Slots(confirmed, "" if trial == confirmed else trial, frozenset(unusable))


def newest(files: Sequence[bytes | None]) -> tuple[int, int, Slots]:
    """Which of FILES counts, its SEQ and what it says; None: not there. SlotsError: none can be read."""
    found: list[tuple[int, int, Slots]] = []
    wrong: list[str] = []
    for number, (name, octets) in enumerate(zip(FILES, files, strict=True)):
        try:
            if octets is None:
                raise SlotsError("is not there")
            found.append((number, *read_slots(octets)))
        except SlotsError as error:
            wrong.append(f"{name}: {error}")
    if not found:
        raise SlotsError("; ".join(wrong))
    return max(found, key=lambda one: (one[1], -one[0]))


def block(said: Mapping[str, str]) -> bytes:
    """All of it in the first sector."""
    lines = b"".join(f"{name}={_escaped(value)}\n".encode() for name, value in said.items())
    if len(_HEAD) + len(lines) > SECTOR_OCTETS:
        raise SlotsError("too long for a sector")
    return (_HEAD + lines).ljust(BLOCK_OCTETS, b"#")


def read_block(octets: bytes) -> dict[str, str]:
    """SlotsError: it is none."""
    if len(octets) != BLOCK_OCTETS or not octets.startswith(_HEAD):
        raise SlotsError(f"is no GRUB environment block of {BLOCK_OCTETS} octets")
    said: dict[str, str] = {}
    name, value, escaped = "", None, False
    for one in octets[len(_HEAD):].decode("latin-1"):
        if value is None:
            if one == "#" and not name:
                break
            if one == "=":
                value = ""
            elif one == "\n":
                raise SlotsError(f"{name!r} has no value")
            else:
                name += one
        elif escaped:
            value, escaped = value + one, False
        elif one == "\\":
            escaped = True
        elif one == "\n":
            said[name] = value
            name, value = "", None
        else:
            value += one
    if name:
        raise SlotsError(f"{name!r} does not end")
    return said


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\\n")
