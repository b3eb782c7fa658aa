"""The seam between spand and recordd."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from appliance.media.ring import TICK_NS, TICKS, Octets, Ring, Stamp
from appliance.recording.tap import Losses
from e1_driver import BLOCK

ONE, TWO = bytes(range(16)), bytes(range(100, 116))
S_NS = 1_000_000_000


def row(*names: bytes) -> Octets:
    return np.frombuffer(b"".join(names), np.uint8).reshape(-1, 16)


def audio(*values: int) -> Octets:
    """A row for each value: left says it, right its complement."""
    left = np.array(values, np.uint8)[:, None]
    return np.stack([left, ~left], axis=1).repeat(BLOCK, axis=2)


def test_what_is_written_is_read_by_another_opener(tmp_path: Path) -> None:
    writer = Ring.create(tmp_path / "ring", rows=3)
    reader = Ring.open(tmp_path / "ring")
    assert reader.newest is None
    writer.write(7, row(ONE, TWO), audio(1, 2))
    assert reader.newest == 7
    tick = reader.read(7)
    assert tick is not None
    ids, heard = tick
    assert [one.tobytes() for one in ids] == [ONE, TWO]
    assert (heard == audio(1, 2)).all()
    assert reader.read(6) is None
    writer.write(8, row(), audio())
    assert [len(part) for part in reader.read(8) or ()] == [0, 0]


def test_every_tick_has_its_times_and_a_number_that_leaves_nothing_out(tmp_path: Path) -> None:
    writer = Ring.create(tmp_path / "ring", rows=1, ticks=4)
    reader = Ring.open(tmp_path / "ring")
    for tick in (7, 8, 21):                       # spand was away between 8 and 21
        writer.write(tick, row(ONE), audio(1), monotonic_ns=tick * TICK_NS, wall_ns=tick * TICK_NS + S_NS)
    assert [reader.stamp(tick) for tick in (7, 8, 21)] == [
        Stamp(1, 7 * TICK_NS, 7 * TICK_NS + S_NS), Stamp(2, 8 * TICK_NS, 8 * TICK_NS + S_NS),
        Stamp(3, 21 * TICK_NS, 21 * TICK_NS + S_NS)]
    again = Ring.create(tmp_path / "ring", rows=1, ticks=4)          # the next life of spand
    again.write(30, row(ONE), audio(1))
    stamp = reader.stamp(30)
    assert stamp is not None
    assert stamp.sequence == 4
    assert reader.stamp(9) is None
    assert reader.stamp(26) is None               # of the same place as 30


def test_an_overwritten_tick_is_gone_and_a_row_given_up_is_free(tmp_path: Path) -> None:
    ring = Ring.create(tmp_path / "ring", rows=2, ticks=4)
    for tick in range(10, 15):
        ring.write(tick, row(ONE, TWO), audio(tick, tick))
    ring.write(15, row(ONE), audio(15))
    assert [tick for tick in range(8, 20) if ring.read(tick) is not None] == [12, 13, 14, 15]
    last = ring.read(15)
    assert last is not None
    assert [one.tobytes() for one in last[0]] == [ONE]


def test_a_tick_overwritten_while_it_is_copied_is_not_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    writer = Ring.create(tmp_path / "ring", rows=1, ticks=4)
    reader = Ring.open(tmp_path / "ring")
    writer.write(1, row(ONE), audio(1))
    pread = os.pread

    def racing(descriptor: int, octets: int, at: int) -> bytes:
        writer.write(5, row(ONE), audio(5))       # the writer comes by while the reader copies
        return pread(descriptor, octets, at)

    monkeypatch.setattr(os, "pread", racing)
    assert reader.read(1) is None
    assert reader.read(5) is not None


def test_many_ticks_are_read_at_once_whatever_their_rows_but_none_that_is_overwritten_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    writer = Ring.create(tmp_path / "ring", rows=3, ticks=8)
    reader = Ring.open(tmp_path / "ring")
    for tick, names in ((10, (ONE,)), (11, (ONE, TWO)), (13, ()), (14, (TWO,))):
        writer.write(tick, row(*names), audio(*[tick] * len(names)))
    ticks, ids, heard = reader.read_many(9, 16)
    assert ticks == [10, 11, 13, 14]
    assert [[one.tobytes() for one in of_tick] for of_tick in ids] == [
        [ONE, bytes(16)], [ONE, TWO], [bytes(16)] * 2, [TWO, bytes(16)]]
    assert (heard[[0, 1, 1, 3], [0, 0, 1, 0]] == audio(10, 11, 11, 14)).all()
    preadv = os.preadv

    def racing(descriptor: int, buffers: list[memoryview], at: int) -> int:
        writer.write(18, row(ONE), audio(18))     # into the place of 10
        return preadv(descriptor, buffers, at)

    monkeypatch.setattr(os, "preadv", racing)
    assert reader.read_many(9, 16)[0] == [11, 13, 14]


def test_tick_numbers_go_on_after_a_restart_and_leave_out_what_was_missed(tmp_path: Path) -> None:
    ring = Ring.create(tmp_path / "ring", rows=1)
    assert ring.resume(5 * S_NS) == 500
    ring.write(900, row(ONE), audio(1), monotonic_ns=9 * S_NS)       # the line's clock is ahead of ours
    again = Ring.create(tmp_path / "ring", rows=1)
    assert again.newest == 900
    assert again.resume(9 * S_NS + TICK_NS) == 901
    assert again.resume(9 * S_NS + S_NS) == 1000
    assert again.resume(3 * S_NS) == 901                             # the machine was started anew
    again.write(901, row(ONE), audio(1))                             # by a writer that gives no time
    assert again.resume(20 * S_NS) == 2000
    assert again.resume(1 * S_NS) == 902


def test_a_writer_that_was_killed_in_a_tick_lost_none(tmp_path: Path) -> None:
    writer = Ring.create(tmp_path / "ring", rows=1, ticks=50)
    writer.write(7, row(ONE), audio(1), monotonic_ns=7 * TICK_NS)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("os.pwritev", Mock(side_effect=KeyboardInterrupt))
        writer.write(8, row(ONE), audio(1), monotonic_ns=8 * TICK_NS)
    again = Ring.create(tmp_path / "ring", rows=1, ticks=50)
    first = again.resume(20 * TICK_NS)
    again.write(first, row(ONE), audio(1))
    reader, losses = Ring.open(tmp_path / "ring"), Losses()
    losses.read(reader, [7])
    losses.read(reader, [first])
    assert (first, losses.ticks) == (20, 0)


def test_last_ticks_finds_every_recording_once(tmp_path: Path) -> None:
    ring = Ring.create(tmp_path / "ring", rows=2, ticks=8)
    assert ring.last_ticks() == {}
    for tick, names in enumerate([(ONE, TWO), (ONE, TWO), (ONE,), (TWO, ONE), (ONE, bytes(16))], start=21):
        ring.write(tick, row(*names), audio(*[0] * len(names)))
    assert ring.last_ticks() == {ONE: 25, TWO: 24}
    ring.write(26, row(), audio())
    assert ring.last_ticks() == {ONE: 25, TWO: 24}


def test_another_shape_makes_a_new_file_and_the_reader_notices(tmp_path: Path) -> None:
    path = tmp_path / "ring"
    first = Ring.create(path, rows=1)
    first.write(5, row(ONE), audio(1))
    reader = Ring.open(path)
    second = Ring.create(path, rows=2)
    assert second.newest is None
    assert reader.replaced()
    assert not Ring.open(path).replaced()
    assert reader.read(5) is not None                                # what it had can still be read
    path.unlink()
    assert second.replaced()


def test_what_is_no_ring_is_refused_by_the_reader_and_replaced_by_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "ring"
    with pytest.raises(FileNotFoundError):
        Ring.open(path)
    Ring.create(path, rows=1)
    whole = path.read_bytes()
    before = b"BLRING01" + whole[8:]              # of the version before this one
    for octets in (b"", b"short", b"X" * 8192, before, whole[:-1], whole + b"x"):
        path.write_bytes(octets)
        with pytest.raises(ValueError, match=r"ring|octets"):
            Ring.open(path)
    Ring.create(path, rows=1).write(1, row(ONE), audio(1))
    assert path.stat().st_mode & 0o777 == 0o640


@contextmanager
def files_of_at_most(octets: int) -> Iterator[None]:
    """The kernel refuses to write beyond, as a full tmpfs does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_tick_without_memory_is_left_out_and_counted_and_the_reader_can_tell(tmp_path: Path) -> None:
    writer = Ring.create(tmp_path / "ring", rows=1, ticks=4)
    reader = Ring.open(tmp_path / "ring")
    assert writer.write(3, row(ONE), audio(3))
    with files_of_at_most(writer.octets - 4 * 4096 + 50):            # into the place of tick 4
        assert not writer.write(4, row(ONE), audio(4))
        assert not writer.write(5, row(ONE), audio(5))
    assert writer.write(6, row(ONE), audio(6))
    assert [tick for tick in range(8) if reader.read(tick) is not None] == [3, 6]
    stamps = [reader.stamp(3), reader.stamp(6)]
    assert [stamp.sequence for stamp in stamps if stamp is not None] == [1, 4]
    assert (reader.newest, reader.refused) == (6, 2)


def test_memory_is_used_for_the_recordings_that_run_and_none_of_it_is_the_writers(tmp_path: Path) -> None:
    path = tmp_path / "ring"
    ring = Ring.create(path, rows=480)
    many = np.zeros((20, 16), np.uint8)
    for tick in range(TICKS):
        ring.write(tick, many, np.zeros((20, 2, BLOCK), np.uint8))
    assert ring.octets > 240e6
    assert path.stat().st_blocks * 512 < TICKS * 4096 + 2**20
    assert str(path) not in _mapped_beyond(2**20)


def _mapped_beyond(octets: int) -> str:
    """Files that this process has more of in its address space."""
    found = ""
    for line in Path("/proc/self/maps").read_text().splitlines():
        begin, _, end = line.split()[0].partition("-")
        found += line if int(end, 16) - int(begin, 16) > octets else ""
    return found


def test_lack_of_room_is_known_before_it_is_met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = Ring.create(tmp_path / "ring", rows=30)
    assert ring.lacks_octets == 0
    full = os.statvfs_result([4096, 4096, 1000, 10, 10, 0, 0, 0, 0, 255])
    monkeypatch.setattr(os, "statvfs", lambda path: full)
    assert ring.octets - 2**20 < ring.lacks_octets < ring.octets
