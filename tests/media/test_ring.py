"""The seam between spand and recordd."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from appliance.media.ring import TICK_NS, Octets, Ring
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
    assert [one.tobytes() for one in ids] == [ONE, TWO, bytes(16)]
    assert (heard[:2] == audio(1, 2)).all()
    assert reader.read(6) is None


def test_an_overwritten_tick_is_gone_and_a_row_given_up_is_free(tmp_path: Path) -> None:
    ring = Ring.create(tmp_path / "ring", rows=2, ticks=4)
    for tick in range(10, 15):
        ring.write(tick, row(ONE, TWO), audio(tick, tick))
    ring.write(15, row(ONE), audio(15))
    assert [tick for tick in range(8, 20) if ring.read(tick) is not None] == [12, 13, 14, 15]
    last = ring.read(15)
    assert last is not None
    assert not last[0][1].any()


def test_a_tick_overwritten_while_it_is_copied_is_not_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    writer = Ring.create(tmp_path / "ring", rows=1, ticks=4)
    reader = Ring.open(tmp_path / "ring")
    writer.write(1, row(ONE), audio(1))
    there = reader._audio

    class Racing:                                 # the writer comes by while the reader copies
        def __getitem__(self, slot: int) -> npt.NDArray[Any]:
            writer.write(5, row(ONE), audio(5))
            raced: npt.NDArray[Any] = there[slot]
            return raced

    monkeypatch.setattr(reader, "_audio", Racing())
    assert reader.read(1) is None
    assert reader.read(5) is not None


def test_tick_numbers_go_on_after_a_restart_and_leave_out_what_was_missed(tmp_path: Path) -> None:
    ring = Ring.create(tmp_path / "ring", rows=1)
    assert ring.resume(5 * S_NS) == 500
    ring.write(900, row(ONE), audio(1), now_ns=9 * S_NS)             # the line's clock is ahead of ours
    again = Ring.create(tmp_path / "ring", rows=1)
    assert again.newest == 900
    assert again.resume(9 * S_NS + TICK_NS) == 901
    assert again.resume(9 * S_NS + S_NS) == 1000
    assert again.resume(3 * S_NS) == 901                             # the machine was started anew
    again.write(901, row(ONE), audio(1))                             # by a writer that gives no time
    assert again.resume(20 * S_NS) == 2000
    assert again.resume(1 * S_NS) == 902


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
    for octets in (b"", b"short", b"X" * 8192, whole[:-1], whole + b"x"):
        path.write_bytes(octets)
        with pytest.raises(ValueError, match=r"ring|octets"):
            Ring.open(path)
    Ring.create(path, rows=1).write(1, row(ONE), audio(1))
    assert path.stat().st_mode & 0o777 == 0o640


def test_no_room_is_said_before_a_page_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = os.statvfs_result([4096, 4096, 1000, 10, 10, 0, 0, 0, 0, 255])
    monkeypatch.setattr(os, "statvfs", lambda path: full)
    with pytest.raises(OSError, match="no room for a record ring of 15 MiB"):
        Ring.create(tmp_path / "ring", rows=30)
    assert not list(tmp_path.iterdir())
