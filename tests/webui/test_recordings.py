"""Recordings in a browser's hands: whole, in parts, and while they grow."""

import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient

from appliance.bus.messages import RecordingInfo
from appliance.recording.wav import HEAD_OCTETS, TICK_OCTETS, Header
from tests.webui.conftest import FakeExchange
from tests.webui.facts import RECORDING, Branch
from webui.audio import BINS, Take, Wav
from webui.parts import Settings

AUDIO, PEAKS = f"/recordings/{RECORDING}/audio", f"/recordings/{RECORDING}/peaks"


@pytest.fixture
def file(branch: Branch, settings: Settings) -> Path:
    """Six seconds, complete."""
    path = settings.recordings / "2026" / "take.wav"
    branch.record(path)
    return path


def test_the_whole_is_the_file(client: FlaskClient, file: Path) -> None:
    answer = client.get(AUDIO)
    assert answer.data == file.read_bytes()
    assert (answer.mimetype, answer.headers["Accept-Ranges"]) == ("audio/wav", "bytes")
    again = client.get(AUDIO, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(("asked", "first", "last"), [
    ("bytes=0-", 0, None), ("bytes=0-9", 0, 9), ("bytes=100-299", 100, 299), ("bytes=40000-", 40000, None),
    ("bytes=-500", -500, None), ("bytes=95000-99999999", 95000, None)])
def test_parts_are_parts_of_the_whole(
        client: FlaskClient, file: Path, asked: str, first: int, last: int | None) -> None:
    whole = file.read_bytes()
    answer = client.get(AUDIO, headers={"Range": asked})
    start = first % len(whole)
    end = len(whole) - 1 if last is None else last
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {start}-{end}/{len(whole)}"
    assert answer.data == whole[start:end + 1]


def test_a_part_beyond_the_end_is_416(client: FlaskClient, file: Path) -> None:
    assert client.get(AUDIO, headers={"Range": "bytes=99999999-"}).status_code == 416


def test_peaks_tell_who_spoke_when(client: FlaskClient, file: Path) -> None:
    found = client.get(PEAKS).json
    assert found is not None
    caller, agent = np.array(found["caller"]), np.array(found["agent"])
    assert len(caller) == len(agent) == BINS
    half = BINS // 2
    assert caller[:half].max() == pytest.approx(12000 / 32768, rel=0.05)
    assert agent[half:].max() == pytest.approx(6000 / 32768, rel=0.05)
    assert caller[half + 1:].max() < 0.001
    assert agent[:half - 1].max() < 0.001
    assert (found["duration_s"], found["finished"], found["ticks"]) == (6.0, True, 600)


def test_a_growing_recording_plays_as_far_as_it_is(
        client: FlaskClient, branch: Branch, settings: Settings, tmp_path: Path) -> None:
    path = settings.recordings / "growing.wav"
    branch.record(path, duration_s=2, finished=False, spare_octets=77)
    found = client.get(PEAKS).json
    assert found is not None
    assert (found["ticks"], found["finished"]) == (200, False)
    branch.record(path, duration_s=4, finished=False)
    cut = client.get(f"{AUDIO}?ticks=200")
    assert len(cut.data) == HEAD_OCTETS + 200 * TICK_OCTETS
    assert Header.read(cut.data[:HEAD_OCTETS]).ticks == 200
    (tmp_path / "cut.wav").write_bytes(cut.data)
    length = subprocess.run(["soxi", "-D", tmp_path / "cut.wav"], capture_output=True, text=True, check=True)
    assert float(length.stdout) == 2.0
    assert len(client.get(AUDIO).data) == HEAD_OCTETS + 400 * TICK_OCTETS


def test_a_head_that_promises_more_than_there_is(
        client: FlaskClient, branch: Branch, settings: Settings) -> None:
    path = settings.recordings / "torn.wav"
    branch.record(path)
    path.write_bytes(path.read_bytes()[:HEAD_OCTETS + 100 * TICK_OCTETS + 5])
    assert len(client.get(AUDIO).data) == HEAD_OCTETS + 100 * TICK_OCTETS


def test_nothing_recorded_yet_has_no_peaks(client: FlaskClient, branch: Branch, settings: Settings) -> None:
    branch.record(settings.recordings / "empty.wav", duration_s=0, finished=False)
    found = client.get(PEAKS).json
    assert found is not None
    assert (found["caller"], found["duration_s"]) == ([], 0.0)
    assert len(client.get(AUDIO).data) == HEAD_OCTETS


@pytest.mark.parametrize("named", ["../outside.wav", "/etc/passwd", "", "not-there.wav", ".", "text.wav"])
def test_only_recordings_are_served(
        client: FlaskClient, branch: Branch, settings: Settings, named: str) -> None:
    branch.record(settings.recordings.parent / "outside.wav")
    settings.recordings.mkdir()
    (settings.recordings / "text.wav").write_text("not a recording, whatever its name says" * 9)
    branch.recordings[RECORDING] = RecordingInfo(
        recording=RECORDING, file=named, duration_s=1, gap_s=0, finished=True)
    assert client.get(AUDIO).status_code == 404
    assert client.get(PEAKS).status_code == 404


@pytest.mark.parametrize("name", [
    "0", RECORDING.upper(), RECORDING + "0", "..%2f" + RECORDING[:-3], RECORDING[:-1] + "g"])
def test_a_recordings_name_is_32_hexadecimal_digits(
        client: FlaskClient, exchange: FakeExchange, name: str) -> None:
    exchange.branch.asked.clear()
    assert client.get(f"/recordings/{name}/audio").status_code == 404
    assert not exchange.branch.asked


def test_without_recordd_it_is_503_and_the_page_stays(
        client: FlaskClient, exchange: FakeExchange, file: Path) -> None:
    exchange.silent.add("recordd")
    assert client.get(AUDIO).status_code == 503
    assert client.get("/contacts/e1").status_code == 200


def test_a_wav_reads_the_same_in_any_pieces(file: Path) -> None:
    whole = file.read_bytes()
    with Wav(Take.read(file)) as wav:
        for at in (0, 1, HEAD_OCTETS - 1, HEAD_OCTETS, HEAD_OCTETS + 1, len(whole) - 1, len(whole)):
            wav.seek(at)
            pieces = b"".join(iter(lambda: wav.read(7777), b""))
            assert pieces == whole[at:]
        assert wav.seek(-3, io.SEEK_END) == len(whole) - 3
