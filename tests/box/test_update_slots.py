"""What GRUB reads: as its own tool does, torn anywhere, and changed by the rules."""

import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.box.update import esp
from appliance.box.update.esp import BootFiles, booted_slot, esp_device
from appliance.box.update.slots import (
    FILES,
    TRIES_FILE,
    Slots,
    SlotsError,
    block,
    newest,
    read_block,
    read_slots,
    slots_block,
)

SLOTS = st.sampled_from([Slots("A"), Slots("A", "B"), Slots("B", "", frozenset("A")), Slots("B", "A")])
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


@given(SLOTS, st.integers(0, 10**9))
def test_what_is_written_is_read(slots: Slots, seq: int) -> None:
    assert read_slots(slots_block(seq, slots)) == (seq, slots)


@given(st.dictionaries(st.from_regex(r"[A-Z_]{1,10}", fullmatch=True), TEXTS | st.just("a\\b\nc"),
                       max_size=5))
def test_a_block_keeps_any_words(said: dict[str, str]) -> None:
    assert read_block(block(said)) == said


def test_grubs_tool_reads_what_we_write_and_we_what_it_writes(tmp_path: Path) -> None:
    path = tmp_path / "slots.env"
    path.write_bytes(slots_block(7, Slots("B", "A", frozenset("A"))))
    listed = subprocess.run(["grub-editenv", path, "list"], check=True, capture_output=True, text=True).stdout
    assert listed.split() == ["SEQ=7", "CONFIRMED=B", "TRIAL=A", "UNUSABLE=A", "END=7"]
    subprocess.run(["grub-editenv", path, "set", "NOTE=a\\b\nc", "SEQ=8"], check=True)
    assert read_block(path.read_bytes())["NOTE"] == "a\\b\nc"
    with pytest.raises(SlotsError, match="not written to its end"):
        read_slots(path.read_bytes())


def test_an_empty_block_says_nothing() -> None:
    assert newest([slots_block(1, Slots("A")), block({})]) == (0, 1, Slots("A"))
    with pytest.raises(SlotsError, match="not written to its end"):
        newest([block({}), block({})])


@given(SLOTS, SLOTS, st.integers(0, 1024))
def test_a_write_that_is_cut_leaves_the_one_or_the_other(old: Slots, new: Slots, at: int) -> None:
    torn = (slots_block(6, new)[:at] + slots_block(4, old)[at:])
    found = newest([slots_block(5, old), torn])[2]
    assert found == (new if torn == slots_block(6, new) else old)


@given(st.binary(max_size=1100)
       | st.binary(max_size=999).map(lambda junk: slots_block(1, Slots("A"))[:25] + junk))
def test_anything_is_read_or_refused(octets: bytes) -> None:
    try:
        seq, slots = read_slots(octets.ljust(1024, b"#")[:1024])
    except SlotsError:
        return
    assert seq >= 0 and slots.confirmed in ("A", "B")


def test_files_are_written_in_turn_and_only_when_something_changes(tmp_path: Path) -> None:
    files, (one, two) = BootFiles(tmp_path), (tmp_path / name for name in FILES)
    with pytest.raises(SlotsError, match=r"slots-1\.env: is not there; slots-2\.env: is not there"):
        files.slots()
    one.write_bytes(slots_block(1, Slots("A")))
    files.write(Slots("A"))
    assert not two.exists()
    files.write(Slots("A", "B"))
    files.write(Slots("B"))
    assert read_slots(one.read_bytes()) == (3, Slots("B"))
    assert read_slots(two.read_bytes()) == (2, Slots("A", "B"))


@pytest.mark.parametrize("torn", [None, b"", block({"TRIES": "1"})[:512]], ids=["gone", "empty", "half"])
def test_a_trial_can_be_counted(tmp_path: Path, torn: bytes | None) -> None:
    """GRUB writes the file in its place only, and starts no trial without."""
    files, tries = BootFiles(tmp_path), tmp_path / TRIES_FILE
    (tmp_path / FILES[0]).write_bytes(slots_block(1, Slots("A")))
    if torn is not None:
        tries.write_bytes(torn)
    files.write(Slots("A", "B"))
    assert read_block(tries.read_bytes()) == {}
    counted = block({"TRIES": "2", "TRIES_SEQ": "2"})
    tries.write_bytes(counted)
    files.write(Slots("A", "B"))
    assert tries.read_bytes() == counted


def test_the_partition_is_mounted_by_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RAUC for a support bundle, and the verb that confirms a trial: neither fails for the other."""
    (tmp_path / "cmdline").write_text(f"branchline.esp=PARTUUID={'0' * 36}")
    monkeypatch.setattr(esp, "COMMAND_LINE", tmp_path / "cmdline")
    monkeypatch.setattr(esp, "MOUNTED_AT", tmp_path / "esp")
    monkeypatch.setattr(esp, "LOCK", tmp_path / "lock")
    asked: list[str] = []
    monkeypatch.setattr(esp, "run", lambda command: asked.append(command[0]))

    def other() -> None:
        with esp.boot_files(write=True):
            asked.append("other")

    with esp.boot_files(write=False):
        beside = threading.Thread(target=other)
        beside.start()
        beside.join(0.05)
        assert asked == ["mount"]
    beside.join()
    assert asked == ["mount", "umount", "mount", "other", "umount"]


def test_the_rules() -> None:
    slots = Slots("A")
    assert slots.with_trial("B").next == "B" and slots.with_trial("A") == slots
    assert slots.with_trial("B").without_trial() == slots
    assert slots.with_trial("B").with_confirmed("B") == Slots("B")
    assert slots.with_trial("B").marked("B", usable=False) == Slots("A", "", frozenset("B"))
    with pytest.raises(SlotsError, match="install an update first"):
        slots.marked("B", usable=False).with_trial("B")
    with pytest.raises(SlotsError, match="the confirmed one"):
        slots.marked("A", usable=False)


def test_the_kernels_command_line_says_where_the_machine_came_up() -> None:
    line = "boot=branchline branchline.esp=PARTUUID=8A2f6c3e-57b1-4d0c-9a7e-2b6c1f0e4d01 rauc.slot=B ro"
    assert booted_slot(line) == "B" and booted_slot("ro xrauc.slot=B") == ""
    assert esp_device(line) == Path("/dev/disk/by-partuuid/8a2f6c3e-57b1-4d0c-9a7e-2b6c1f0e4d01")
    with pytest.raises(SlotsError, match="no slots"):
        esp_device("ro rauc.slot=B branchline.esp=PARTUUID=../../sda")
