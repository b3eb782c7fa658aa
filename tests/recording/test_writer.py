"""Ring ticks into files, read back by sox and ffprobe; every kill point and every refused system call."""

import contextlib
import errno
import os
import resource
import stat
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from appliance.bus.messages import RecordingInfo
from appliance.media.ring import Ring
from appliance.recording.disk import MAX_HOLE_TICKS, read_header
from appliance.recording.tap import Tap
from appliance.recording.wav import HEAD_OCTETS, TICK_OCTETS, Header
from appliance.recording.writer import END_TICKS, Writer
from tests.recording.rings import (
    ONE,
    SILENCE,
    TWO,
    Feeder,
    audio_on_disk,
    channel,
    figures_of_ffprobe,
    figures_of_sox,
    said,
)

NEW_YEAR = date(2024, 12, 31)


def writer_at(folder: Path) -> Writer:
    writer = Writer(folder, lambda: NEW_YEAR)
    writer.recover()
    return writer


def path_of(folder: Path, recording: str) -> Path:
    return folder / "2024" / "12" / "31" / f"{recording}.wav"


def silence(ticks: int) -> bytes:
    return bytes([SILENCE]) * (80 * ticks)


@pytest.fixture
def feeder(tmp_path: Path) -> Feeder:
    return Feeder(tmp_path / "ring")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


def test_a_live_recording_plays_and_each_channel_is_its_party(feeder: Feeder, folder: Path) -> None:
    writer = writer_at(folder)
    one = feeder.write(100, ONE)
    two = feeder.write(37, ONE, TWO)
    assert writer.batch(feeder.ring) == []
    for recording, ticks in ((ONE, range(one.start, two.stop)), (TWO, two)):
        path = path_of(folder, recording)
        assert channel(path, 1) == said(ticks, recording, 0)
        assert channel(path, 2) == said(ticks, recording, 1)
        assert figures_of_sox(path) == ("A-law", "2", "8000", len(ticks) * 80)
        assert figures_of_ffprobe(path) == {
            "codec_name": "pcm_alaw", "channels": "2", "sample_rate": "8000",
            "duration": f"{len(ticks) / 100:.6f}"}
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        assert writer.info(recording) == RecordingInfo(
            recording=recording, file=str(path), duration_s=len(ticks) / 100, gap_s=0.0, finished=False)
    more = feeder.write(55, ONE, TWO)
    writer.batch(feeder.ring)
    assert channel(path_of(folder, TWO), 2) == said([*two, *more], TWO, 1)
    assert writer.figures() == {"open_recordings": 2, "failing": 0, "lag_ticks": 0, "gap_s": 0.0,
                                "lost_s": 0.0, "written_octets": (192 + 92) * TICK_OCTETS}


def test_a_file_that_has_no_name_yet_is_no_recording(
        feeder: Feeder, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, seen, rename = writer_at(folder), [], Path.rename

    def asked_before(path: Path, target: Path) -> Path:
        seen.append(writer.info(ONE))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", asked_before)
    feeder.write(100, ONE)
    writer.batch(feeder.ring)
    assert seen == [RecordingInfo(recording=ONE, file="", duration_s=0.0, gap_s=0.0, finished=False)]
    assert writer.info(ONE).duration_s == 1.0


def test_ends_when_its_id_is_gone_for_long_enough(feeder: Feeder, folder: Path) -> None:
    writer = writer_at(folder)
    one = feeder.write(50, ONE, TWO)
    feeder.write(END_TICKS - 1, TWO)
    assert writer.batch(feeder.ring) == []
    feeder.write(1, TWO)
    info = RecordingInfo(
        recording=ONE, file=str(path_of(folder, ONE)), duration_s=0.5, gap_s=0.0, finished=True)
    assert writer.batch(feeder.ring) == [info]
    assert writer.info(ONE) == info
    assert channel(path_of(folder, ONE), 1) == said(one, ONE, 0)
    assert not writer.info(TWO).finished


def test_what_spand_did_not_write_is_silence_and_counted(feeder: Feeder, folder: Path) -> None:
    writer = writer_at(folder)
    before = feeder.write(20, ONE)
    writer.batch(feeder.ring)
    feeder.skip(130)                              # spand was killed and is back
    feeder.write(END_TICKS - 1)                   # acdd has not asked again yet
    writer.batch(feeder.ring)
    after = feeder.write(20, ONE)
    writer.batch(feeder.ring)
    gap_ticks = 130 + END_TICKS - 1
    assert channel(path_of(folder, ONE), 2) == (
        said(before, ONE, 1) + silence(gap_ticks) + said(after, ONE, 1))
    assert writer.info(ONE).gap_s == writer.figures()["gap_s"] == gap_ticks / 100


def test_what_was_gone_before_it_was_read_is_counted_to_the_tick_and_said_once(
        tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    feeder, writer = Feeder(tmp_path / "ring", ticks=50), writer_at(folder)
    feeder.write(20, ONE)
    writer.batch(feeder.ring)
    feeder.skip(30)                               # spand was away: nothing that anybody could have read
    feeder.write(45, ONE)
    writer.batch(feeder.ring)
    assert writer.figures()["lost_s"] == 0.0
    for _ in range(2):                            # of each 100 ticks the ring keeps 50
        feeder.write(100, ONE)
        writer.batch(feeder.ring)
    feeder.write(50, ONE)
    writer.batch(feeder.ring)
    assert (writer.figures()["lost_s"], writer.info(ONE).gap_s) == (1.0, 1.3)
    assert [record.levelname for record in caplog.records if "gone" in record.message] == ["ERROR"]


def test_a_hole_of_hours_is_counted_and_left_out(feeder: Feeder, folder: Path) -> None:
    writer = writer_at(folder)
    before = feeder.write(20, ONE)
    writer.batch(feeder.ring)
    feeder.skip(MAX_HOLE_TICKS + 1)
    after = feeder.write(20, ONE)
    writer.batch(feeder.ring)
    assert channel(path_of(folder, ONE), 1) == said([*before, *after], ONE, 0)
    assert writer.info(ONE).gap_s == (MAX_HOLE_TICKS + 1) / 100


def test_an_id_that_comes_back_after_its_end_goes_on_in_its_file(feeder: Feeder, folder: Path) -> None:
    writer = writer_at(folder)
    before = feeder.write(20, ONE)
    feeder.write(END_TICKS)
    assert len(writer.batch(feeder.ring)) == 1
    after = feeder.write(20, ONE)
    writer.batch(feeder.ring)
    assert not writer.info(ONE).finished
    assert channel(path_of(folder, ONE), 1) == (
        said(before, ONE, 0) + silence(END_TICKS) + said(after, ONE, 0))


def test_a_row_that_serves_another_recording_is_another_file(feeder: Feeder, folder: Path) -> None:
    writer = writer_at(folder)
    one, two, back = feeder.write(3, ONE), feeder.write(3, TWO), feeder.write(3, TWO, ONE)
    writer.batch(feeder.ring)
    assert channel(path_of(folder, ONE), 1) == said(one, ONE, 0) + silence(3) + said(back, ONE, 0)
    assert channel(path_of(folder, TWO), 1) == said([*two, *back], TWO, 0)


@pytest.mark.parametrize("tail_octets", [-3 * TICK_OCTETS, -TICK_OCTETS - 1, -1, 0, 1, TICK_OCTETS - 1])
def test_a_restart_goes_on_without_a_hole(feeder: Feeder, folder: Path, tail_octets: int) -> None:
    began = feeder.write(100, ONE)
    writer_at(folder).batch(feeder.ring)          # killed here: nothing is closed
    path = path_of(folder, ONE)
    os.truncate(path, path.stat().st_size + tail_octets)    # the disk got less, or more
    then = feeder.write(200, ONE)
    writer = writer_at(folder)
    assert audio_on_disk(path) == read_header(path).ticks * TICK_OCTETS
    writer.batch(feeder.ring)
    assert channel(path, 1) == said([*began, *then], ONE, 0)
    assert channel(path, 2) == said([*began, *then], ONE, 1)
    feeder.write(END_TICKS)
    assert [(info.duration_s, info.gap_s) for info in writer.batch(feeder.ring)] == [(3.0, 0.0)]


def test_a_restart_that_took_longer_than_the_ring_leaves_a_counted_gap(tmp_path: Path, folder: Path) -> None:
    feeder = Feeder(tmp_path / "ring", ticks=100)
    began = feeder.write(50, ONE)
    writer_at(folder).batch(feeder.ring)
    feeder.write(130, ONE)                        # the first 30 of them are overwritten
    writer = writer_at(folder)
    writer.batch(feeder.ring)
    assert channel(path_of(folder, ONE), 1) == (
        said(began, ONE, 0) + silence(30) + said(range(began.stop + 30, feeder.tick), ONE, 0))
    assert writer.info(ONE).gap_s == 0.3


def test_files_of_a_call_that_is_long_over_are_finished_at_start(feeder: Feeder, folder: Path) -> None:
    began = feeder.write(50, ONE)
    writer_at(folder).batch(feeder.ring)
    feeder.write(5000)
    assert writer_at(folder).batch(feeder.ring)[0].finished
    assert channel(path_of(folder, ONE), 1) == said(began, ONE, 0)


def test_finished_recordings_in_the_ring_stay_as_they_are(feeder: Feeder, folder: Path) -> None:
    feeder.write(50, ONE)
    feeder.write(END_TICKS)
    writer_at(folder).batch(feeder.ring)
    before = path_of(folder, ONE).read_bytes()
    again = writer_at(folder)
    assert again.batch(feeder.ring) == []
    assert path_of(folder, ONE).read_bytes() == before
    assert again.info(ONE).finished


def test_a_ring_that_counts_anew_goes_on_in_the_same_file(tmp_path: Path, folder: Path) -> None:
    feeder = Feeder(tmp_path / "ring")
    writer, tap = writer_at(folder), Tap(tmp_path / "ring")
    began = feeder.write(20, ONE)
    for ring in tap.rings():
        writer.batch(ring)
    unread = feeder.write(10, ONE)
    anew = Feeder(tmp_path / "ring", rows=8)      # another shape, hence another file
    anew.tick = 7
    after = anew.write(20, ONE)
    for ring in tap.rings():
        writer.batch(ring)
    assert channel(path_of(folder, ONE), 1) == said([*began, *unread, *after], ONE, 0)


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


@pytest.mark.parametrize("recording", ["", "../../etc/passwd", "1" * 31, ONE + "/", TWO])
def test_who_asks_for_what_is_not_there_gets_no_file(feeder: Feeder, folder: Path, recording: str) -> None:
    feeder.write(1, ONE)
    writer = writer_at(folder)
    writer.batch(feeder.ring)
    assert writer.info(recording).file == ""


@pytest.mark.parametrize("wrong_days", ["2099/01/0{}", "1970/01/0{}"])
def test_a_clock_that_was_wrong_costs_no_audio(tmp_path: Path, folder: Path, wrong_days: str) -> None:
    """Day folders of a clock that jumped, and came back, before a restart: the file goes on all the same."""
    feeder = Feeder(tmp_path / "ring", ticks=400)
    first = writer_at(folder)
    ticks = feeder.write(400, ONE)
    first.batch(feeder.ring)
    for number in range(1, 9):
        (folder / wrong_days.format(number)).mkdir(parents=True)
    second = writer_at(folder)
    assert second.figures()["open_recordings"] == 1
    feeder.write(300, ONE)
    second.batch(feeder.ring)
    assert channel(path_of(folder, ONE), 1) == said(range(ticks.start, feeder.tick), ONE, 0)


@pytest.mark.parametrize("today", [date(2099, 1, 1), date(1970, 1, 1)])
def test_a_clock_that_jumps_while_it_records_makes_no_second_file(
        feeder: Feeder, folder: Path, today: date) -> None:
    first = writer_at(folder)
    ticks = feeder.write(100, ONE)
    first.batch(feeder.ring)
    second = Writer(folder, lambda: today)
    second.recover()
    feeder.write(END_TICKS)
    assert [info.recording for info in second.batch(feeder.ring)] == [ONE]
    feeder.write(50, ONE)                         # and comes back after its end
    second.batch(feeder.ring)
    assert [path.name for path in folder.rglob("*.wav")] == [f"{ONE}.wav"]
    assert channel(path_of(folder, ONE), 1)[:8000] == said(ticks, ONE, 0)


def test_folders_and_pipes_in_the_place_of_recordings_stop_nobody(feeder: Feeder, folder: Path) -> None:
    day = path_of(folder, ONE).parent
    day.mkdir(parents=True)
    os.mkfifo(day / f"{TWO}.wav")
    (day / f"{'33' * 16}.wav").mkdir()
    (folder / "2024" / "12" / "30").write_text("no folder")
    feeder.write(5, ONE)
    writer = writer_at(folder)
    writer.batch(feeder.ring)
    assert figures_of_sox(path_of(folder, ONE))[3] == 400


def test_files_of_strangers_are_left_alone(feeder: Feeder, folder: Path) -> None:
    stranger = path_of(folder, TWO)
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"RIFF but no recording")
    (stranger.parent / "notes.txt").write_text("mine")
    feeder.write(5, ONE, TWO)
    writer = writer_at(folder)
    writer.batch(feeder.ring)
    assert stranger.read_bytes() == b"RIFF but no recording"
    assert figures_of_sox(path_of(folder, ONE))[3] == 400


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


def test_a_full_disk_is_waited_out_without_a_gap(
        feeder: Feeder, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    writer = writer_at(folder)
    ticks = feeder.write(100, ONE)
    writer.batch(feeder.ring)
    for _ in range(5):
        feeder.write(100, ONE)
        with files_at_most(HEAD_OCTETS + 150 * TICK_OCTETS):
            writer.batch(feeder.ring)
        assert channel(path_of(folder, ONE), 1) == said(ticks, ONE, 0)           # still plays
    assert writer.figures()["lag_ticks"] == 500
    assert writer.figures()["failing"] == 1
    writer.batch(feeder.ring)
    assert channel(path_of(folder, ONE), 2) == said(range(ticks.start, feeder.tick), ONE, 1)
    assert (writer.info(ONE).gap_s, writer.figures()["lag_ticks"], writer.figures()["failing"]) == (0.0, 0, 0)
    assert [record.levelname for record in caplog.records if "disk" in record.message] == ["ERROR"]


def test_a_disk_full_for_longer_than_the_ring_is_a_counted_gap(tmp_path: Path, folder: Path) -> None:
    feeder = Feeder(tmp_path / "ring", ticks=400)
    writer = writer_at(folder)
    for _ in range(2):
        feeder.write(500, ONE)
        with files_at_most(0):
            writer.batch(feeder.ring)
    writer.batch(feeder.ring)
    path = path_of(folder, ONE)
    assert channel(path, 1) == silence(500) + said(range(1600, 2000), ONE, 0)     # 1100 was the oldest
    assert writer.info(ONE).gap_s == 5.0


def test_a_recording_that_ends_while_the_disk_is_full_is_let_go(feeder: Feeder, folder: Path) -> None:
    writer = writer_at(folder)
    feeder.write(100, ONE)
    writer.batch(feeder.ring)
    feeder.write(50, ONE, TWO)
    feeder.write(END_TICKS)
    with files_at_most(0):
        ended = {info.recording: info for info in writer.batch(feeder.ring)}
    assert ended[TWO].file == ""
    assert ended[ONE].duration_s == 1.0
    assert writer.figures()["open_recordings"] == 0
    again = writer_at(folder)
    again.batch(feeder.ring)
    assert again.info(ONE).duration_s == 1.5      # the ring still had it
    assert again.info(TWO).duration_s == 0.5


class Killed(BaseException):
    """The process is gone: nobody may catch it."""


CALLS = ("open", "pwrite", "fdatasync", "fsync", "rename", "mkdir", "ftruncate")


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


def complete(writer: Writer, feeder: Feeder, folder: Path) -> None:
    """What must be on disk in the end, whatever happened on the way."""
    writer.batch(feeder.ring)
    feeder.write(END_TICKS)
    writer.batch(feeder.ring)
    one, two = path_of(folder, ONE), path_of(folder, TWO)
    for number in (0, 1):
        assert channel(one, number + 1) == (
            said(range(1000, 1050), ONE, number) + silence(10) + said(range(1060, 1080), ONE, number))
        assert channel(two, number + 1) == (
            said(range(1030, 1050), TWO, number) + silence(10)
            + said(range(1060, 1080 + END_TICKS), TWO, number))
    assert read_header(one) == Header(ONE, 1000, 80, 10, True)
    assert read_header(two) == Header(TWO, 1030, 50 + END_TICKS, 10, True)
    assert sorted(path.name for path in one.parent.iterdir()) == [one.name, two.name]


@pytest.fixture
def rounds(tmp_path: Path) -> Iterator[tuple[Feeder, Path]]:
    return ((Feeder(tmp_path / f"ring{number}"), tmp_path / f"{number}") for number in range(1, 1000))


def check_playable(folder: Path) -> None:
    for path in folder.rglob("*.wav"):            # what has no name yet ends in .new
        assert figures_of_sox(path)[:3] == ("A-law", "2", "8000")
        assert len(channel(path, 1)) == read_header(path).ticks * 80 <= audio_on_disk(path) // 2


def test_a_kill_at_any_system_call_loses_nothing(
        monkeypatch: pytest.MonkeyPatch, rounds: Iterator[tuple[Feeder, Path]]) -> None:
    fault = Fault(monkeypatch, Killed)
    for number, (feeder, folder) in enumerate(rounds, 1):
        fault.count, fault.at, kills, writer = 0, number, 0, None
        for _ in stretches(feeder):
            while True:
                try:
                    writer = writer or writer_at(folder)
                    writer.batch(feeder.ring)
                    break
                except Killed:
                    writer = None
                    check_playable(folder)
                    kills += 1
                    fault.at += number % 5 + 1 if kills < 3 else 0   # again, while it recovers
        fault.at = -1
        complete(writer_at(folder), feeder, folder)
        if not kills:
            break
    assert number > 30


def test_any_system_call_may_be_refused_once(
        monkeypatch: pytest.MonkeyPatch, rounds: Iterator[tuple[Feeder, Path]]) -> None:
    fault = Fault(monkeypatch, lambda: OSError(errno.ENOSPC, "No space left on device"))
    for number, (feeder, folder) in enumerate(rounds, 1):
        fault.count, fault.at = 0, number
        writer = writer_at(folder)
        for _ in stretches(feeder):
            writer.batch(feeder.ring)
        if fault.count < number:
            break
        fault.at = -1
        writer.batch(feeder.ring)
        assert writer.figures()["gap_s"] == 0.2
        complete(writer_at(folder), feeder, folder)
    assert number > 30
