"""The spool: what it took in is there after a kill at any octet; what is too much or too old goes."""

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.box.telemetry.frames import Frame, encode, frame_at, frames
from appliance.box.telemetry.spool import SEGMENTS, SENT_FILE, Spool

DAY_S = 86_400.0


def filled(folder: Path, numbers: range, octets: int = 50) -> Spool:
    spool = Spool(folder, 1 << 20, DAY_S)
    for number in numbers:
        spool.append(spool.stamp(1000.0 + number), 10, random.Random(number).randbytes(octets))
    return spool


def drain(spool: Spool, most: int = 1 << 20) -> list[Frame]:
    found: list[Frame] = []
    while batch := spool.batch(most):
        found += batch
        spool.done(batch[-1].number)
    return found


@pytest.mark.parametrize("frame", [Frame(0, 0, 0, b""), Frame(2**64 - 1, -1, 2**32 - 1, b"x"),
                                   Frame(7, 1_795_000_000 * 10**9, 109, b"\x1f\x8b" * 500)])
def test_a_frame_both_ways_and_with_any_bit_turned(frame: Frame) -> None:
    octets = encode(frame)
    assert frame_at(octets) == frame
    for bit in range(len(octets) * 8):
        bent = bytearray(octets)
        bent[bit // 8] ^= 1 << bit % 8
        assert frame_at(bytes(bent)) is None


def test_frames_of_any_octets_is_what_is_whole() -> None:
    one, two = (encode(Frame(number, 5, 1, b"abc")) for number in (3, 4))
    assert [found.number for found in frames(one + two)] == [3, 4]
    assert [found.number for found in frames(one + one)] == [3]
    for cut in range(len(two)):
        assert [found.number for found in frames(one + two[:cut])] == [3]
    assert list(frames(random.Random(1).randbytes(4000))) == []


def test_it_gives_back_what_it_took_in_and_nothing_twice(tmp_path: Path) -> None:
    spool = filled(tmp_path, range(40))
    assert spool.points == 400 and spool.oldest_at == pytest.approx(1000.0)
    first = spool.batch(300)
    assert 1 < len(first) < 40
    assert spool.batch(300) == first              # until it is said that they are done
    assert spool.done(first[-1].number) == 10 * len(first)
    spool.close()
    again = Spool(tmp_path, 1 << 20, DAY_S)
    assert again.points == 400 - 10 * len(first)
    rest = drain(again)
    assert [one.number for one in first + rest] == list(range(40))
    assert (again.points, again.octets, again.oldest_at, again.dropped_points) == (0, 0, 0.0, 0)


def test_a_frame_that_is_larger_than_a_batch_comes_alone(tmp_path: Path) -> None:
    spool = filled(tmp_path, range(3), octets=5000)
    assert [one.number for one in spool.batch(100)] == [0]


def test_after_a_kill_at_any_octet_of_a_write_all_that_was_kept_is_there(tmp_path: Path) -> None:
    filled(tmp_path / "as-written", range(3), octets=20).close()
    (path,) = (tmp_path / "as-written").glob("*.frames")
    whole = path.read_bytes()
    ends = [0]
    for frame in frames(whole):
        ends.append(ends[-1] + frame.octets)
    for cut in range(len(whole) + 1):
        folder = tmp_path / "cut"
        shutil.copytree(tmp_path / "as-written", folder)
        os.truncate(folder / path.name, cut)
        spool = Spool(folder, 1 << 20, DAY_S)
        kept = sum(end <= cut for end in ends[1:])
        assert spool.points == 10 * kept
        spool.append(spool.stamp(2000.0), 10, b"after")
        spool.close()
        again = Spool(folder, 1 << 20, DAY_S)
        after = drain(again)
        again.close()
        assert [one.member for one in after][:kept] == [one.member for one in frames(whole)][:kept]
        assert after[-1].member == b"after" and len(after) == kept + 1
        shutil.rmtree(folder)


WRITES = """
import sys
from pathlib import Path
from appliance.box.telemetry.spool import Spool
spool = Spool(Path(sys.argv[1]), 1 << 22, 86400.0)
number = 0
while True:
    frame = spool.append(spool.stamp(1000.0 + number), 10, b"%08d" % number)
    sys.stdout.write(f"{number} {frame.number}\\n"); sys.stdout.flush()
    if number % 3 == 2:
        batch = spool.batch(200)
        sys.stdout.write(f"begun {batch[0].number}\\n"); sys.stdout.flush()
        spool.done(batch[0].number)
        sys.stdout.write(f"sent {batch[0].number}\\n"); sys.stdout.flush()
    number += 1
"""


@pytest.mark.parametrize("lines", [1, 2, 37, 180])
def test_kill_minus_9_loses_nothing_that_was_said_to_be_kept(tmp_path: Path, lines: int) -> None:
    with subprocess.Popen(
            [sys.executable, "-c", WRITES, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(lines)]
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout.readlines()
    kept = [int(line.split()[1]) for line in said if line[0].isdigit() and line.endswith("\n")]
    begun, sent = ([int(line.split()[1]) for line in said if line.startswith(word) and line.endswith("\n")]
                   for word in ("begun", "sent"))
    found = [one.number for one in drain(Spool(tmp_path, 1 << 22, DAY_S))]
    assert found == list(range(found[0], found[0] + len(found))) if found else not kept
    assert set(kept) - set(sent) - set(begun[-1:]) <= set(found)    # none is lost
    assert not set(sent) & set(found)             # none of those comes again


def test_too_much_is_dropped_oldest_first_and_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20, DAY_S)
    dropped = 0
    for number in range(300):
        spool.append(spool.stamp(5000.0), 10, random.Random(number).randbytes(10_000))
        dropped += spool.trim()
        assert sum(path.stat().st_size for path in tmp_path.glob("*.frames")) <= 1 << 20
    assert dropped == spool.dropped_points > 0
    rest = drain(spool)
    assert [one.number for one in rest] == list(range(300 - len(rest), 300))
    assert len(rest) * 10 + dropped == 3000
    assert len(rest) * 10_036 > (1 << 20) * 0.8     # most of the room is used


def test_too_old_is_dropped_and_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20, 320.0)
    dropped = 0
    for number in range(100):                     # one every 10 s
        spool.append(spool.stamp(1000.0 + 10 * number), 10, b"x")
        dropped += spool.trim()
        assert 1000.0 + 10 * number - spool.oldest_at <= 320.0 + 2 * 320.0 / SEGMENTS
    assert dropped == spool.dropped_points
    spool.close()
    again = Spool(tmp_path, 1 << 20, 320.0)       # which knows how old they are, too
    assert again.trim() == 0
    rest = [one.number for one in drain(again)]
    assert rest == list(range(rest[0], 100)) and rest[0] * 10 == dropped
    assert 100 - rest[0] > 320 / 10               # what is not too old is there


@pytest.mark.parametrize("clock", [
    [1000.0, 1e9, 1e9 + 30],                      # it was never set, and is at last
    [1e9, 4e9, 4e9 + 30, 1e9 + 90],               # far ahead for a while, and back
    [1e9, 1e9 + 30 * DAY_S, 1e9 + 30 * DAY_S + 30]])     # the box was off for a month
def test_a_clock_that_jumps_has_nothing_dropped(tmp_path: Path, clock: list[float]) -> None:
    for at in clock:
        spool = Spool(tmp_path, 1 << 20, DAY_S)   # boxd begins anew as well
        for second in range(3):
            spool.append(spool.stamp(at + second), 10, b"x")
            assert spool.trim() == 0
        spool.close()
    assert len(drain(Spool(tmp_path, 1 << 20, DAY_S))) == 3 * len(clock)


def test_no_two_frames_have_one_time_whatever_the_clock_does(tmp_path: Path) -> None:
    spool, stamps = Spool(tmp_path, 1 << 20, DAY_S), list[int]()
    for at in (1000.0, 1000.0, 990.0, 1000.0, 2000.5, 1000.0):
        stamps.append(spool.append(spool.stamp(at), 1, b"x").at_ns)
    spool.done(5)
    spool.close()
    again = Spool(tmp_path, 1 << 20, DAY_S)       # empty, and its numbers go on
    stamps.append(again.append(again.stamp(1000.0), 1, b"x").at_ns)
    assert len(set(stamps)) == 7
    assert {stamp // 1_000_000 for stamp in stamps} == {1_000_000, 990_000, 2_000_500}


@pytest.mark.parametrize("what", [
    b"", b"x", b"\0" * 12, b"\xff" * 12, b"twelve octet", b"much longer than that"])
def test_a_damaged_sent_file_only_has_frames_sent_again(tmp_path: Path, what: bytes) -> None:
    spool = filled(tmp_path, range(10))
    spool.done(4)
    spool.close()
    (tmp_path / SENT_FILE).write_bytes(what)
    assert [one.number for one in drain(Spool(tmp_path, 1 << 20, DAY_S))] == list(range(10))


def test_rot_in_the_middle_costs_what_follows_in_that_file_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20, DAY_S)
    for number in range(200):
        spool.append(spool.stamp(1000.0), 10, random.Random(number).randbytes(1000))
    first, *others = sorted(tmp_path.glob("*.frames"))
    assert others
    octets = bytearray(first.read_bytes())
    octets[1500] ^= 1                             # in the second frame
    first.write_bytes(octets)
    found = [one.number for one in drain(spool)]
    assert found[0] == 0 and found[1:] == list(range(found[1], 200))
    assert spool.dropped_points == 10 * (found[1] - 1)


@pytest.mark.parametrize("step", ["write", "fdatasync"])
def test_a_disk_that_does_not_take_it_loses_that_and_no_more(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    spool = filled(tmp_path, range(3))

    def fails(*args: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"appliance.box.telemetry.spool.os.{step}", fails)
        with pytest.raises(OSError, match="No space"):
            spool.append(spool.stamp(1003.0), 10, b"lost")
    assert spool.points == 30
    spool.append(spool.stamp(1004.0), 10, b"kept")
    spool.close()
    again = Spool(tmp_path, 1 << 20, DAY_S)
    assert [one.member for one in drain(again)][3:] == [b"kept"]


def test_a_file_whose_name_is_not_on_the_disk_is_none(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path, 1 << 20, DAY_S)

    def fails(folder: Path) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("appliance.box.telemetry.spool.sync_folder", fails)
        with pytest.raises(OSError, match="Input"):
            spool.append(spool.stamp(1000.0), 10, b"lost")
    assert not list(tmp_path.glob("*.frames")) and spool.points == 0
    spool.append(spool.stamp(1001.0), 10, b"kept")
    assert [one.member for one in drain(spool)] == [b"kept"]


def test_while_what_was_sent_cannot_be_written_down_it_waits(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = filled(tmp_path, range(3))

    def fails(*args: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("appliance.box.telemetry.spool.os.pwrite", fails)
        with pytest.raises(OSError, match="No space"):
            spool.done(1)
    assert [one.number for one in drain(spool)] == [0, 1, 2]


def test_a_half_write_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = filled(tmp_path, range(3))
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr("appliance.box.telemetry.spool.os.write", lambda fd, octets: write(fd, octets[:20]))
        with pytest.raises(OSError, match="No space"):
            spool.append(spool.stamp(1003.0), 10, b"lost")
    spool.append(spool.stamp(1004.0), 10, b"kept")
    assert [one.member for one in drain(spool)][3:] == [b"kept"]
