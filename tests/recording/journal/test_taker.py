"""Ring ticks into the journal and out again; every kill point, every refused system call, every torn tail."""

import contextlib
import errno
import os
import resource
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.media.ring import Ring
from appliance.recording.journal.journal import SPARES, Journal
from appliance.recording.journal.segment import BLOCK_OCTETS
from appliance.recording.journal.taker import END_TICKS, Taker
from appliance.recording.journal.timeline import MAX_HOLE_TICKS
from appliance.recording.tap import Tap
from appliance.recording.vault.keys import Keys
from appliance.recording.wav import TICK_OCTETS
from tests.recording.rings import ONE, SILENCE, TWO, Feeder, said

SMALL = 512 * 1024                                # octets of a segment


def nothing_finished(recording: str) -> int | None:
    return None


def taker_at(folder: Path, finished: Callable[[str], int | None] = nothing_finished,
             octets: int = SMALL) -> Taker:
    return Taker(Journal(folder / "journal", Keys(folder.parent / "keys"), lambda: 0, octets), finished)


def heard(taker: Taker, recording: str, side: int) -> bytes:
    return b"".join(taker.audio(recording, taker.timeline(recording)))[side::2]


def gap_ticks(taker: Taker, recording: str) -> int:
    return taker.timeline(recording).gap_ticks


def silence(ticks: int) -> bytes:
    return bytes([SILENCE]) * (80 * ticks)


@pytest.fixture
def feeder(tmp_path: Path) -> Feeder:
    return Feeder(tmp_path / "ring")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


def test_what_was_said_is_durable_and_each_side_is_its_party(feeder: Feeder, folder: Path) -> None:
    taker = taker_at(folder)
    one = feeder.write(100, ONE)
    two = feeder.write(37, ONE, TWO)
    assert taker.batch(feeder.ring) == []
    more = feeder.write(55, ONE, TWO)
    taker.batch(feeder.ring)
    for again in (taker, taker_at(folder)):       # and as whoever comes after a kill reads it
        for side in (0, 1):
            assert heard(again, ONE, side) == said(range(one.start, more.stop), ONE, side)
            assert heard(again, TWO, side) == said([*two, *more], TWO, side)
    assert taker.figures() == {
        "open_recordings": 2, "failing": 0, "lag_ticks": 0, "gap_s": 0.0, "lost_s": 0.0,
        "taken_octets": (192 + 92) * TICK_OCTETS, "journal_octets": taker.figures()["journal_octets"],
        "journal_segments": 1}
    for path in (folder / "journal").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_part_is_read_without_the_rest(feeder: Feeder, folder: Path) -> None:
    taker = taker_at(folder)
    ticks = feeder.write(500, ONE)
    taker.batch(feeder.ring)
    of = taker.timeline(ONE)
    for first, count in ((0, 1), (149, 2), (150, 150), (499, 10), (13, 400), (500, 5)):
        part = b"".join(taker.audio(ONE, of, first, count))
        assert part[::2] == said(ticks[first:first + count], ONE, 0)


def test_nothing_of_what_is_said_is_on_the_disk_to_be_read(feeder: Feeder, folder: Path) -> None:
    taker = taker_at(folder)
    feeder.write(100, ONE)
    taker.batch(feeder.ring)
    written = b"".join(path.read_bytes() for path in (folder / "journal").iterdir())
    audio = b"".join(taker.audio(ONE, taker.timeline(ONE)))
    assert not any(audio[at:at + 16] in written for at in range(0, len(audio), TICK_OCTETS))


def test_ends_when_its_id_is_gone_for_long_enough(feeder: Feeder, folder: Path) -> None:
    taker = taker_at(folder)
    feeder.write(50, ONE, TWO)
    feeder.write(END_TICKS - 1, TWO)
    assert taker.batch(feeder.ring) == []
    feeder.write(1, TWO)
    assert taker.batch(feeder.ring) == [ONE]
    taker.release(ONE, taker.timeline(ONE).end_tick)
    feeder.write(1, TWO)
    assert taker.batch(feeder.ring) == []
    assert not taker.is_open(ONE)
    assert taker.is_open(TWO)


def test_what_spand_did_not_write_is_silence_and_counted(feeder: Feeder, folder: Path) -> None:
    taker = taker_at(folder)
    before = feeder.write(20, ONE)
    taker.batch(feeder.ring)
    feeder.skip(130)                              # spand was killed and is back
    feeder.write(END_TICKS - 1)                   # acdd has not asked again yet
    taker.batch(feeder.ring)
    after = feeder.write(20, ONE)
    taker.batch(feeder.ring)
    missing = 130 + END_TICKS - 1
    assert heard(taker, ONE, 1) == said(before, ONE, 1) + silence(missing) + said(after, ONE, 1)
    assert gap_ticks(taker, ONE) == missing
    assert taker.figures()["gap_s"] == missing / 100


def test_what_was_gone_before_it_was_read_is_counted_to_the_tick_and_said_once(
        tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    feeder, taker = Feeder(tmp_path / "ring", ticks=50), taker_at(folder)
    feeder.write(20, ONE)
    taker.batch(feeder.ring)
    feeder.skip(30)                               # spand was away: nothing that anybody could have read
    feeder.write(45, ONE)
    taker.batch(feeder.ring)
    assert taker.figures()["lost_s"] == 0.0
    for _ in range(2):                            # of each 100 ticks the ring keeps 50
        feeder.write(100, ONE)
        taker.batch(feeder.ring)
    feeder.write(50, ONE)
    taker.batch(feeder.ring)
    assert (taker.figures()["lost_s"], gap_ticks(taker, ONE)) == (1.0, 130)
    assert [record.levelname for record in caplog.records if "gone" in record.message] == ["ERROR"]


def test_a_hole_of_hours_is_counted_and_left_out(feeder: Feeder, folder: Path) -> None:
    taker = taker_at(folder)
    before = feeder.write(20, ONE)
    taker.batch(feeder.ring)
    feeder.skip(MAX_HOLE_TICKS + 1)
    after = feeder.write(20, ONE)
    taker.batch(feeder.ring)
    assert heard(taker, ONE, 0) == said([*before, *after], ONE, 0)
    assert gap_ticks(taker, ONE) == MAX_HOLE_TICKS + 1


def test_a_row_that_serves_another_recording_is_another_recording(feeder: Feeder, folder: Path) -> None:
    taker = taker_at(folder)
    one, two, back = feeder.write(3, ONE), feeder.write(3, TWO), feeder.write(3, TWO, ONE)
    taker.batch(feeder.ring)
    assert heard(taker, ONE, 0) == said(one, ONE, 0) + silence(3) + said(back, ONE, 0)
    assert heard(taker, TWO, 0) == said([*two, *back], TWO, 0)


def test_a_restart_goes_on_without_a_hole(feeder: Feeder, folder: Path) -> None:
    began = feeder.write(100, ONE)
    taker_at(folder).batch(feeder.ring)           # killed here: nothing is closed
    then = feeder.write(200, ONE)
    taker = taker_at(folder)
    taker.batch(feeder.ring)
    assert heard(taker, ONE, 0) == said([*began, *then], ONE, 0)
    feeder.write(END_TICKS)
    assert taker.batch(feeder.ring) == [ONE]


def test_a_restart_that_took_longer_than_the_ring_leaves_a_counted_gap(tmp_path: Path, folder: Path) -> None:
    feeder = Feeder(tmp_path / "ring", ticks=100)
    began = feeder.write(50, ONE)
    taker_at(folder).batch(feeder.ring)
    feeder.write(130, ONE)                        # the first 30 of them are overwritten
    taker = taker_at(folder)
    taker.batch(feeder.ring)
    assert heard(taker, ONE, 0) == (
        said(began, ONE, 0) + silence(30) + said(range(began.stop + 30, feeder.tick), ONE, 0))
    assert gap_ticks(taker, ONE) == 30


def test_a_call_that_is_long_over_ends_at_start(feeder: Feeder, folder: Path) -> None:
    feeder.write(50, ONE)
    taker_at(folder).batch(feeder.ring)
    feeder.write(5000)
    assert taker_at(folder).batch(feeder.ring) == [ONE]


def test_what_is_finished_is_not_taken_again_from_the_ring(feeder: Feeder, folder: Path) -> None:
    ticks = feeder.write(50, ONE)
    taker = taker_at(folder)
    taker.batch(feeder.ring)
    finished = {ONE: ticks.stop}
    for again in (taker_at(folder, finished.get), taker_at(folder / "else", finished.get)):
        again.batch(feeder.ring)                  # the journal has it still; and has it no more
        assert not again.is_open(ONE)
    more = feeder.write(20, ONE)                  # and comes back after its end
    taker = taker_at(folder / "else", finished.get)
    taker.batch(feeder.ring)
    assert heard(taker, ONE, 0) == said(more, ONE, 0)


def test_one_that_came_back_while_it_was_finished_is_kept(feeder: Feeder, folder: Path) -> None:
    taker = taker_at(folder)
    feeder.write(50, ONE)
    feeder.write(END_TICKS)
    assert taker.batch(feeder.ring) == [ONE]
    until = taker.timeline(ONE).end_tick
    feeder.write(20, ONE)
    taker.batch(feeder.ring)
    taker.release(ONE, until)
    feeder.write(1)
    taker.batch(feeder.ring)
    assert taker.timeline(ONE).ticks == 50 + END_TICKS + 20


def test_a_ring_that_counts_anew_goes_on_in_the_same_recording(tmp_path: Path, folder: Path) -> None:
    feeder = Feeder(tmp_path / "ring")
    feeder.tick = 1_000_000
    taker, tap = taker_at(folder), Tap(tmp_path / "ring")
    began = feeder.write(20, ONE)
    for ring in tap.rings():
        taker.batch(ring)
    unread = feeder.write(10, ONE)
    anew = Feeder(tmp_path / "ring", rows=8)      # another shape, hence another file
    anew.tick = 7
    after = anew.write(20, ONE)
    for ring in tap.rings():
        taker.batch(ring)
    assert heard(taker, ONE, 0) == said([*began, *unread, *after], ONE, 0)
    assert gap_ticks(taker, ONE) == 0


def test_no_ring_and_a_file_that_is_none_are_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "ring"
    tap = Tap(path)
    assert tap.rings() == []
    assert "No such file" in tap.problem
    path.write_bytes(b"not a ring at all")
    assert tap.rings() == []
    assert "not an audio ring" in tap.problem
    Ring.create(path, 1, 10)
    assert [ring.newest for ring in tap.rings()] == [None]
    assert tap.problem == ""


# --- segments -------------------------------------------------------------------------------------------

def segments(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "journal").glob("[0-9]*.seg"))


def test_segments_are_used_again_and_read_no_more_under_their_old_key(feeder: Feeder, folder: Path) -> None:
    taker = taker_at(folder)
    for _ in range(12):
        ticks = feeder.write(1000, ONE)
        taker.batch(feeder.ring)
        feeder.write(END_TICKS)
        assert taker.batch(feeder.ring) == [ONE]
        assert heard(taker, ONE, 0) == said(ticks, ONE, 0)
        taker.release(ONE, taker.timeline(ONE).end_tick)
        taker.batch(feeder.ring)
        taker.refill()
    files = list((folder / "journal").iterdir())
    assert len(files) <= SPARES + 2
    assert {path.stat().st_size for path in files} == {SMALL}
    again = taker_at(folder, {ONE: ticks.stop}.get)
    again.batch(feeder.ring)
    assert again.figures()["open_recordings"] == 0


def test_one_long_call_does_not_keep_the_segments_of_all_others(
        feeder: Feeder, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.recording.journal.journal.CARRY_ABOVE", 4)
    taker, others = taker_at(folder), [f"{number:032x}" for number in range(1, 4)]
    begin = feeder.tick
    for _ in range(40):
        feeder.write(200, ONE, *others)
        taker.batch(feeder.ring)
        for other in others:
            taker.release(other, taker.timeline(other).end_tick)
    assert taker.figures()["journal_segments"] < 12        # of the 10 that the call itself fills
    for again in (taker, taker_at(folder)):
        assert heard(again, ONE, 0) == said(range(begin, feeder.tick), ONE, 0)


def test_a_batch_larger_than_a_segment_is_cut(feeder: Feeder, folder: Path) -> None:
    names = [f"{number:032x}" for number in range(1, 5)]
    ticks = feeder.write(150, *names)
    taker = taker_at(folder, octets=64 * 1024)
    taker.batch(feeder.ring)
    for again in (taker, taker_at(folder, octets=64 * 1024)):
        for name in names:
            assert heard(again, name, 1) == said(ticks, name, 1)


def test_a_damaged_place_is_silence_of_equal_length_and_said(
        feeder: Feeder, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    taker = taker_at(folder)
    one = feeder.write(100, ONE)
    taker.batch(feeder.ring)
    two = feeder.write(100, ONE)
    taker.batch(feeder.ring)
    path = folder / "journal" / segments(folder)[0]
    octets = bytearray(path.read_bytes())
    octets[BLOCK_OCTETS + 5000] ^= 1
    path.write_bytes(octets)
    again = taker_at(folder)
    assert heard(again, ONE, 0) == silence(len(one)) + said(two, ONE, 0)
    assert "damaged" in caplog.text


def test_files_of_strangers_are_left_alone(feeder: Feeder, folder: Path) -> None:
    stranger = folder / "journal" / "0000000007.seg"
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"not a segment")
    (stranger.parent / "notes.txt").write_text("mine")
    ticks = feeder.write(5, ONE)
    taker = taker_at(folder)
    taker.batch(feeder.ring)
    assert stranger.read_bytes() == b"not a segment"
    assert heard(taker, ONE, 0) == said(ticks, ONE, 0)


@pytest.mark.parametrize("of_key", range(0, 60, 7))
def test_a_torn_tail_is_cut_off_and_taken_again(feeder: Feeder, folder: Path, of_key: int) -> None:
    """The last batch's blocks reached the disk in part, in any order; what was durable before is whole."""
    taker = taker_at(folder)
    one = feeder.write(100, ONE, TWO)
    taker.batch(feeder.ring)
    path = folder / "journal" / segments(folder)[0]
    before = path.read_bytes()
    feeder.write(100, ONE, TWO)
    taker.batch(feeder.ring)
    after = path.read_bytes()
    blocks = [at for at in range(0, len(after), BLOCK_OCTETS)
              if before[at:at + BLOCK_OCTETS] != after[at:at + BLOCK_OCTETS]]
    torn = bytearray(after)
    for index, at in enumerate(blocks):
        if (index * 31 + of_key) % 60 < 20:
            torn[at:at + BLOCK_OCTETS] = before[at:at + BLOCK_OCTETS]
    path.write_bytes(torn)
    again = taker_at(folder)                      # the ring is there still: a kill
    again.batch(feeder.ring)
    for name in (ONE, TWO):
        assert heard(again, name, 0) == said(range(one.start, feeder.tick), name, 0)
    path.write_bytes(torn)
    bare = folder.parent / "bare"                 # and after a power cut it is not
    (bare / "journal").mkdir(parents=True)
    shutil.copy(path, bare / "journal")
    for name in (ONE, TWO):
        assert heard(taker_at(bare), name, 0).startswith(said(one, name, 0))


# --- the disk refuses -----------------------------------------------------------------------------------

@contextlib.contextmanager
def files_at_most(octets: int) -> Iterator[None]:
    """The kernel refuses to let any file of this process grow beyond this, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_no_trouble_as_long_as_there_are_segments_in_advance(
        feeder: Feeder, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taker = taker_at(folder)
    for _ in range(SPARES):
        taker.refill()

    def full(descriptor: int, at: int, octets: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    begin = feeder.tick
    for _ in range(6):
        feeder.write(1000, ONE)
        taker.batch(feeder.ring)
        taker.refill()
        assert taker.figures()["failing"] == 0
    assert heard(taker, ONE, 0) == said(range(begin, feeder.tick), ONE, 0)


def test_a_full_disk_is_waited_out_without_a_gap(
        feeder: Feeder, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    taker = taker_at(folder)
    ticks = feeder.write(100, ONE)
    taker.batch(feeder.ring)
    for _ in range(5):
        feeder.write(100, ONE)
        with files_at_most(BLOCK_OCTETS):
            taker.batch(feeder.ring)
        assert heard(taker, ONE, 0) == said(ticks, ONE, 0)
    assert taker.figures()["lag_ticks"] == 500
    assert taker.figures()["failing"] == 1
    taker.batch(feeder.ring)
    assert heard(taker, ONE, 1) == said(range(ticks.start, feeder.tick), ONE, 1)
    assert (taker.figures()["gap_s"], taker.figures()["lag_ticks"], taker.figures()["failing"]) == (0, 0, 0)
    assert [record.levelname for record in caplog.records if "disk" in record.message] == ["ERROR"]


def test_a_disk_full_for_longer_than_the_ring_is_a_counted_gap(tmp_path: Path, folder: Path) -> None:
    feeder = Feeder(tmp_path / "ring", ticks=400)
    taker = taker_at(folder)
    first = feeder.write(100, ONE)
    taker.batch(feeder.ring)
    for _ in range(2):
        feeder.write(500, ONE)
        with files_at_most(BLOCK_OCTETS):
            taker.batch(feeder.ring)
    taker.batch(feeder.ring)
    assert heard(taker, ONE, 0) == said(first, ONE, 0) + silence(600) + said(range(1700, 2100), ONE, 0)
    assert gap_ticks(taker, ONE) == 600


class Killed(BaseException):
    """The process is gone: nobody may catch it."""


CALLS = ("open", "pwrite", "fdatasync", "fsync", "rename", "mkdir", "posix_fallocate")


class Fault:
    """Makes the n-th system call that changes a disk fail; a pwrite gets half-way."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failure: Callable[[], BaseException]) -> None:
        self.at, self.count, self.failure = -1, 0, failure
        for name in CALLS:
            monkeypatch.setattr(os, name, self._wrap(name, getattr(os, name)))

    def _wrap(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            if self.count == self.at:
                if name == "pwrite":
                    real(args[0], args[1][:len(args[1]) // 2], args[2])
                raise self.failure()
            return real(*args, **kwargs)
        return call


def stretches(feeder: Feeder) -> Iterator[None]:
    feeder.write(30, ONE)
    yield
    feeder.write(20, ONE, TWO)
    feeder.skip(10)
    feeder.write(20, ONE, TWO)
    yield
    feeder.write(END_TICKS, TWO)
    yield


def complete(taker: Taker, feeder: Feeder) -> None:
    """What must be in the journal in the end, whatever happened on the way."""
    taker.batch(feeder.ring)
    feeder.write(END_TICKS)
    assert taker.batch(feeder.ring) == [ONE, TWO]
    for side in (0, 1):
        assert heard(taker, ONE, side) == (
            said(range(1000, 1050), ONE, side) + silence(10) + said(range(1060, 1080), ONE, side))
        assert heard(taker, TWO, side) == (
            said(range(1030, 1050), TWO, side) + silence(10)
            + said(range(1060, 1080 + END_TICKS), TWO, side))
    assert (gap_ticks(taker, ONE), gap_ticks(taker, TWO)) == (10, 10)


@pytest.fixture
def rounds(tmp_path: Path) -> Iterator[tuple[Feeder, Path]]:
    Keys(tmp_path / "keys")                       # made before: their own test kills while they are made
    return ((Feeder(tmp_path / f"ring{number}"), tmp_path / f"{number}") for number in range(1, 1000))


def test_a_kill_at_any_system_call_loses_nothing(
        monkeypatch: pytest.MonkeyPatch, rounds: Iterator[tuple[Feeder, Path]]) -> None:
    fault = Fault(monkeypatch, Killed)
    for number, (feeder, folder) in enumerate(rounds, 1):
        fault.count, fault.at, kills, taker = 0, number, 0, None
        for _ in stretches(feeder):
            while True:
                try:
                    taker = taker or taker_at(folder)
                    taker.batch(feeder.ring)
                    taker.refill()
                    break
                except Killed:
                    taker = None
                    kills += 1
                    fault.at += number % 5 + 1 if kills < 3 else 0   # again, while it recovers
        fault.at = -1
        complete(taker_at(folder), feeder)
        if not kills:
            break
    assert number > 20


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_any_system_call_may_be_refused_once(
        monkeypatch: pytest.MonkeyPatch, rounds: Iterator[tuple[Feeder, Path]], error: int) -> None:
    fault = Fault(monkeypatch, lambda: OSError(error, os.strerror(error)))
    for number, (feeder, folder) in enumerate(rounds, 1):
        taker = taker_at(folder)                  # a start that is refused is its supervisor's to repeat
        fault.count, fault.at = 0, number
        for _ in stretches(feeder):
            taker.batch(feeder.ring)
            taker.refill()
        if fault.count < number:
            break
        fault.at = -1
        for again in (taker, taker_at(folder)):
            again.batch(feeder.ring)
            assert gap_ticks(again, ONE) == 10
        complete(taker_at(folder), feeder)
    assert number > 20
