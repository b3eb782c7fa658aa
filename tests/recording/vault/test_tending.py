"""What is done by time: recordings come to a new key, whatever is between; the chain is watched."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.bus.messages import RotateKeys
from appliance.errors import StateError
from appliance.recording.vault import chain
from appliance.recording.vault.chain import Chain
from appliance.recording.vault.keys import Keys
from appliance.recording.vault.requests import ANSWERS, MOST_KEYS
from appliance.recording.vault.tending import CHECK_EVERY_S, EXPORTS_KEPT_S, FILES_AT_ONCE, SETTLES_S, Tending
from appliance.store.sealed import wrapped_by
from tests.recording.vault.box import Box


def tending(box: Box, journal: set[str] | None = None) -> Tending:
    return Tending(box.parts.keys, box.parts.folder, lambda: journal or set())


def rotate(box: Box) -> str:
    """The older key's id."""
    old = box.parts.keys.current
    ANSWERS[RotateKeys](box.parts, RotateKeys(by="admin", why="yearly"))
    return old


def files(box: Box) -> Iterator[Path]:
    return box.parts.folder.glob("*/*/*/*.blr")


def all_open(box: Box) -> bool:
    for path in files(box):
        with box.parts.store.open(str(path.relative_to(box.parts.folder))) as reader:
            assert reader.read(0, 100) == f"talk {int(path.stem, 16)}".encode()
    return True


def kinds(box: Box) -> list[str]:
    with box.parts.database.read() as connection:
        return [entry.kind for entry in chain.page(connection)]


def walk(box: Box, tended: Tending) -> None:
    """As recordd's loop does, for two hours."""
    until = box.clock[0] + 2 * SETTLES_S
    while box.clock[0] < until:
        again_at = tended.tend(box.parts, box.clock[0])
        assert again_at > box.clock[0]
        box.clock[0] = again_at


def test_all_recordings_are_taken_over_then_the_older_key_goes(box: Box) -> None:
    for number in range(2 * FILES_AT_ONCE + 7):
        box.record(number, f"talk {number}".encode())
    tended = tending(box)
    tended.tend(box.parts, box.clock[0])
    old = rotate(box)
    tended.tend(box.parts, box.clock[0])
    rotate(box)                                   # again before it is done
    box.record(1000, b"talk 1000")                # while it goes on
    walk(box, tended)
    assert box.parts.keys.ids == [box.parts.keys.current] != [old]
    assert {key for path in files(box) for key in wrapped_by(path)} == {box.parts.keys.current}
    assert all_open(box)
    told = [kind for kind in kinds(box) if kind.startswith("key")]
    assert told == ["key-destroyed", "key-destroyed", "key-rotated", "key-rotated"]
    assert tended.figures()["older_keys"] == 0


def test_keys_do_not_pile_up(box: Box) -> None:
    for _ in range(MOST_KEYS - 1):
        rotate(box)
    with pytest.raises(StateError, match="7 older keys"):
        rotate(box)
    walk(box, tending(box))
    rotate(box)


def test_a_rotation_goes_on_after_a_restart_at_any_step(box: Box) -> None:
    for number in range(FILES_AT_ONCE + 5):
        box.record(number, f"talk {number}".encode())
    old = rotate(box)
    for _ in range(4):
        tending(box).tend(box.parts, box.clock[0])                   # killed after each step
        assert all_open(box)
        assert old in box.parts.keys.ids
    walk(box, tending(box))
    assert box.parts.keys.ids == [box.parts.keys.current]
    assert all_open(box)


def test_a_file_in_the_making_with_the_older_key_is_not_lost(box: Box) -> None:
    late = box.parts.folder / "2026" / "09" / "21" / f"{1:032x}.blr"
    box.record(1, b"talk 1")
    made = next(files(box)).read_bytes()
    next(files(box)).unlink()
    rotate(box)
    tended = tending(box)
    for _ in range(5):
        box.clock[0] = tended.tend(box.parts, box.clock[0])
    late.parent.mkdir(parents=True, exist_ok=True)
    late.write_bytes(made)                        # it has its name after the first walk
    walk(box, tended)
    assert box.parts.keys.ids == [box.parts.keys.current]
    assert all_open(box)


def test_the_older_key_stays_while_the_journal_wants_it_or_a_disk_fails(box: Box, tmp_path: Path) -> None:
    box.record(1, b"talk 1")
    old = rotate(box)
    journal = {old}
    tended = tending(box, journal)
    walk(box, tended)
    assert old in box.parts.keys.ids
    journal.clear()
    (tmp_path / "elsewhere.blr").write_bytes(b"")
    link = next(files(box)).with_name("link.blr")
    link.symlink_to(tmp_path / "elsewhere.blr")   # opening it is an OSError, as of a bad block
    walk(box, tended)
    assert old in box.parts.keys.ids
    assert "mend the disk" in box.warnings["rotation"]
    link.unlink()
    walk(box, tended)
    assert old not in box.parts.keys.ids
    assert box.warnings["rotation"] == ""


def test_a_chain_that_was_touched_is_an_alarm_within_a_day(box: Box) -> None:
    box.record(1, b"talk 1")
    tended = tending(box)
    tended.tend(box.parts, box.clock[0])
    assert box.warnings["chain"] == ""
    assert tended.figures() == {
        "chain_checked_entries": 1, "chain_signed_entries": 1, "chain_broken": 0, "older_keys": 0,
        "altered": 0}
    with sqlite3.connect(box.parts.folder / "recordings.sqlite") as file:
        file.execute("DROP TRIGGER chain_no_update")
        file.execute("UPDATE chain SET kind = 'deleted'")
    file.close()
    tended.tend(box.parts, box.clock[0] + CHECK_EVERY_S)
    assert "from entry 1 on" in box.warnings["chain"]
    assert tended.figures()["chain_broken"] == 1


def test_heads_of_another_key_are_an_alarm_and_an_entry(box: Box, tmp_path: Path) -> None:
    """Somebody who has the file made all anew and signed it; or the box has lost its keys."""
    box.record(1, b"talk 1")
    with box.parts.database.write() as connection:
        Chain(Keys(tmp_path / "forged")).sign(connection, box.clock[0])
    tended = tending(box)
    for _ in range(2):
        tended.tend(box.parts, box.clock[0])
    assert "another key than this box's" in box.warnings["keys"]
    assert kinds(box) == ["key-changed", "recorded"]
    with box.parts.database.read() as connection:
        head = chain.last_head(connection)
    assert head is not None
    assert (head.seq, head.public_key) == (2, box.parts.keys.public_key)


def test_exports_do_not_lie_about_for_ever(box: Box) -> None:
    folder = box.parts.folder / "exports"
    folder.mkdir()
    for name, at in (("old.zip", box.clock[0] - EXPORTS_KEPT_S - 1), ("new.zip", box.clock[0]),
                     (".torn.zip.0123.new", box.clock[0])):
        (folder / name).write_bytes(b"zip")
        os.utime(folder / name, (at, at))
    tended = tending(box)
    tended.tend(box.parts, box.clock[0])
    assert [path.name for path in folder.iterdir()] == ["new.zip"]
    (folder / ".being-made.zip.4567.new").write_bytes(b"zip")
    tended.tend(box.parts, box.clock[0])
    assert len(list(folder.iterdir())) == 2


def test_a_clean_stop_leaves_no_end_unsigned(box: Box) -> None:
    tended = tending(box)
    box.say("listened")
    tended.tend(box.parts, box.clock[0])
    box.say("downloaded")                         # within the hour
    tended.end(box.parts, box.clock[0] + 1.0)
    with box.parts.database.read() as connection:
        head = chain.last_head(connection)
    assert head is not None and head.good and head.seq == 2
    with box.parts.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE chain_heads")
    tended.end(box.parts, box.clock[0] + 2.0)     # what cannot be signed holds no stop up
