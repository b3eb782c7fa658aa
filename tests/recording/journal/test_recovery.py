"""What a start makes of the journal that it finds: segments used before, damaged ones, another boot's."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from appliance.recording.journal.journal import Journal
from appliance.recording.journal.segment import BLOCK_OCTETS
from appliance.recording.journal.taker import END_TICKS, Taker
from appliance.recording.vault.keys import Keys
from tests.recording.journal.test_taker import SMALL, heard, nothing_finished, segments, silence, taker_at
from tests.recording.rings import ONE, TWO, Feeder, said

pytestmark = pytest.mark.need(5)


@pytest.fixture
def feeder(tmp_path: Path) -> Feeder:
    return Feeder(tmp_path / "ring")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


def test_what_an_earlier_use_left_in_a_segment_is_never_taken_for_a_recording(
        feeder: Feeder, folder: Path) -> None:
    taker = taker_at(folder)
    for _ in range(6):
        feeder.write(100, ONE)
        taker.batch(feeder.ring)
    feeder.write(END_TICKS)
    assert taker.batch(feeder.ring) == [ONE]
    taker.release(ONE, taker.timeline(ONE).end_tick)
    taker.batch(feeder.ring)
    taker.close()                                 # the segment is spare now, its batches are in it still
    assert segments(folder) == []
    again = taker_at(folder, {ONE: feeder.tick}.get)
    for _ in range(2):                            # over the first of them, of the same length
        feeder.write(100, TWO)
        again.batch(feeder.ring)
    third = taker_at(folder)
    assert third.is_open(TWO)
    assert not third.is_open(ONE)


def test_a_damaged_head_of_a_batch_hides_no_other(
        feeder: Feeder, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    taker, ticks = taker_at(folder), []
    places = []
    for _ in range(4):
        places.append(taker.figures()["journal_octets"])
        ticks.append(feeder.write(100, ONE))
        taker.batch(feeder.ring)
    path = folder / "journal" / segments(folder)[0]
    octets = bytearray(path.read_bytes())
    octets[BLOCK_OCTETS + int(places[1]) + 20] ^= 1
    path.write_bytes(octets)
    assert heard(taker_at(folder), ONE, 0) == (
        said(ticks[0], ONE, 0) + silence(100) + said([*ticks[2], *ticks[3]], ONE, 0))
    assert "are damaged: audio is missing" in caplog.text


def test_a_segment_whose_key_was_destroyed_before_a_cut_is_used_again(feeder: Feeder, folder: Path) -> None:
    taker = taker_at(folder)
    feeder.write(10, ONE)
    taker.batch(feeder.ring)
    path = folder / "journal" / segments(folder)[0]
    path.write_bytes(bytes(BLOCK_OCTETS) + path.read_bytes()[BLOCK_OCTETS:])
    again = taker_at(folder)
    assert again.figures()["open_recordings"] == 0
    assert segments(folder) == []
    assert len(list((folder / "journal").glob("spare-*.seg"))) == 1


def test_a_segment_that_cannot_be_opened_keeps_its_key_and_is_told_of(
        tmp_path: Path, feeder: Feeder, folder: Path) -> None:
    keys = Keys(tmp_path / "keys")
    feeder.write(10, ONE)
    Taker(Journal(folder / "journal", keys, lambda: 0, SMALL), nothing_finished).batch(feeder.ring)
    (tmp_path / "keys").rename(tmp_path / "safe")
    journal = Journal(folder / "journal", Keys(tmp_path / "keys"), lambda: 0, SMALL)
    assert journal.recover() is None
    assert "this box has no key" in journal.unread[0]
    assert journal.wrapped_by() == {keys.current}
    (folder / "journal" / segments(folder)[0]).write_bytes(bytes(SMALL))     # freed while it is asked
    assert journal.wrapped_by() == set()


def test_the_ring_of_another_boot_is_taken_from_its_beginning(feeder: Feeder, folder: Path) -> None:
    """Though it is as long by then as the one before was: a box that loses its power again and again."""
    feeder.wall_ns = 1_700_000_000 * 10**9
    feeder.write(200, ONE)
    taker_at(folder).batch(feeder.ring)
    anew = Feeder(folder.parent / "ring2")
    anew.wall_ns = feeder.wall_ns + 40 * 10**9
    ticks = anew.write(400, TWO)
    taker = taker_at(folder)
    taker.batch(anew.ring)
    assert heard(taker, TWO, 0) == said(ticks, TWO, 0)
    assert taker.began_at(TWO) == anew.wall_ns / 1e9


def test_a_clock_that_was_set_meanwhile_takes_nothing_twice(feeder: Feeder, folder: Path) -> None:
    feeder.wall_ns = 10**9
    begin = feeder.write(200, ONE).start
    taker_at(folder).batch(feeder.ring)
    feeder.wall_ns = 1_700_000_000 * 10**9
    feeder.write(100, ONE)
    taker = taker_at(folder)
    taker.batch(feeder.ring)
    assert heard(taker, ONE, 0) == said(range(begin, feeder.tick), ONE, 0)
    assert taker.figures()["taken_octets"] == 100 * 160


def test_a_bad_block_in_an_old_segment_does_not_stop_the_journal(
        feeder: Feeder, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.recording.journal.journal.CARRY_ABOVE", 2)
    taker = taker_at(folder, octets=128 * 1024)
    begin = feeder.tick
    for _ in range(5):
        feeder.write(200, ONE, TWO)
        taker.batch(feeder.ring)
        taker.release(TWO, taker.timeline(TWO).end_tick)
    real = os.pread

    def bad(descriptor: int, octets: int, at: int) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "pread", bad)
    for _ in range(5):
        feeder.write(200, ONE, TWO)
        taker.batch(feeder.ring)
        assert taker.figures()["failing"] == 0
        taker.release(TWO, taker.timeline(TWO).end_tick)
    monkeypatch.setattr(os, "pread", real)
    assert heard(taker, ONE, 0) == said(range(begin, feeder.tick), ONE, 0)


def test_a_spare_segment_with_a_bad_block_is_thrown_away(
        feeder: Feeder, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taker = taker_at(folder)
    taker.refill()
    (bad,) = (folder / "journal").glob("spare-*.seg")
    os.link(bad, folder / "bad")                  # its inode is not given to another
    inode, real = bad.stat().st_ino, os.pwrite

    def pwrite(descriptor: int, octets: Any, at: int) -> int:
        if os.fstat(descriptor).st_ino == inode:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, octets, at)

    monkeypatch.setattr(os, "pwrite", pwrite)
    ticks = feeder.write(10, ONE)
    for _ in range(2):
        taker.batch(feeder.ring)
    assert not bad.exists()
    assert heard(taker, ONE, 0) == said(ticks, ONE, 0)
