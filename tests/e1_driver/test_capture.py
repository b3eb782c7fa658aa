"""The ring of D-channel frames, and a timeslot as sound: sox and ffmpeg, which are not ours, play it."""

import shutil
import subprocess
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from e1_driver.watch import pcap
from e1_driver.watch.capture import CHUNK_OCTETS, Capture, Frame
from e1_driver.watch.wav import TimeslotWav

START_UNIX_S = 1_700_000_000.0
LINE_OCTETS_PER_S = 8000


def fill(capture: Capture, seconds: float, octets: int, noise: Random) -> list[Frame]:
    """A D-channel full of frames of so many `octets`, both ways, for so long."""
    each_s = (octets + 3) / LINE_OCTETS_PER_S     # FCS and one flag
    frames = []
    for n in range(int(seconds / each_s)):
        for sent in (True, False):
            at_s = n * each_s
            frames.append((START_UNIX_S + at_s, sent, noise.randbytes(octets)))
            capture.add(at_s, *frames[-1])
    return frames


def same(held: list[Frame], given: list[Frame]) -> bool:
    return ([frame[1:] for frame in held] == [frame[1:] for frame in given]
            and [frame[0] for frame in held] == pytest.approx([frame[0] for frame in given], abs=1e-6))


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e9, 4e9), st.booleans(), st.binary(max_size=300))))
def test_frames_come_back_as_they_went_in(frames: list[tuple[float, float, bool, bytes]]) -> None:
    capture = Capture(seconds=2e6)
    for now, at_unix_s, sent, frame in sorted(frames, key=lambda each: each[0]):
        capture.add(now, at_unix_s, sent, frame)
    given_ = [frame[1:] for frame in sorted(frames, key=lambda each: each[0])]
    assert same(list(capture.frames()), given_)
    assert len(capture) == len(frames)


def test_ten_minutes_of_a_full_d_channel_are_kept_and_what_is_older_goes() -> None:
    capture = Capture()
    frames = fill(capture, 700.0, 260, Random(1))
    held = list(capture.frames())
    assert same(held, frames[-len(held):])
    assert 600.0 <= held[-1][0] - held[0][0] <= 625.0                # a chunk more
    assert capture.octets < 1.2 * 600 * 2 * LINE_OCTETS_PER_S


def test_memory_has_a_bound_whatever_comes() -> None:
    capture = Capture(max_octets=100_000)
    frames = fill(capture, 100.0, 3, Random(2))
    assert capture.octets <= 100_000 + 2 * CHUNK_OCTETS
    held = list(capture.frames())
    assert len(held) == len(capture) and same(held, frames[-len(held):])
    capture.add(101.0, START_UNIX_S, True, bytes(100_000))
    assert len(list(capture.frames())[-1][2]) == 32_767


def test_a_silent_line_keeps_its_last_frames() -> None:
    capture = Capture()
    capture.add(0.0, START_UNIX_S, False, b"last word")
    assert [frame for _, _, frame in capture.frames()] == [b"last word"]
    capture.add(3600.0, START_UNIX_S + 3600, False, b"a new life")
    assert [frame for _, _, frame in capture.frames()] == [b"a new life"]


@pytest.mark.parametrize("step_s", [-86400.0, -0.5, 0.5, 5000.0, 1e9])
def test_a_step_of_the_clock_loses_no_frame(step_s: float) -> None:
    capture = Capture()
    frames = [(START_UNIX_S, True, b"before"), (START_UNIX_S + step_s, False, b"after")]
    for now, frame in enumerate(frames):
        capture.add(float(now), *frame)
    assert same(list(capture.frames()), frames)


def test_the_newest_and_those_since_a_time() -> None:
    capture = Capture()
    frames = fill(capture, 60.0, 50, Random(3))
    for newest in (0, 1, 7, 1000, len(frames), len(frames) + 1):
        assert same(list(capture.frames(newest=newest)), frames[len(frames) - min(newest, len(frames)):])
    since = list(capture.frames(since_unix_s=START_UNIX_S + 30))
    assert same(since, [frame for frame in frames if frame[0] >= START_UNIX_S + 30])
    assert capture.pcap(True, newest=5) == pcap.write(capture.frames(newest=5), True)


PLAYERS = {
    "sox": ["sox", "-t", "wav", "-", "-t", "raw", "-e", "signed", "-b", "16", "-L", "-"],
    "ffmpeg": ["ffmpeg", "-v", "error", "-i", "pipe:0", "-f", "s16le", "pipe:1"],
}
G711 = {0xD5: 8, 0x55: -8, 0xAA: 32256, 0x2A: -32256, 0x80: 5504, 0x00: -5504}    # table 1, 16 bits


@pytest.mark.parametrize("player", PLAYERS)
def test_both_directions_play(tmp_path: Path, player: str) -> None:
    if shutil.which(player) is None:
        pytest.skip(f"{player} is not installed")
    received = np.array([*G711] * 2000, np.uint8)
    sent = received.reshape(100, -1)[:, ::-1].reshape(-1)
    path = tmp_path / "timeslot.wav"
    with path.open("wb") as file:
        wav = TimeslotWav(file)
        for rows in zip(np.split(received, 100), np.split(sent, 100), strict=True):
            wav.add(*rows)
        unfinished = path.read_bytes()
        wav.finish()
    for octets, samples in ((path.read_bytes(), 12_000), (unfinished, 8040)):
        played = subprocess.run(PLAYERS[player], input=octets, capture_output=True, check=True, timeout=60)
        left, right = np.frombuffer(played.stdout, "<i2").reshape(-1, 2)[:samples].T
        assert played.stderr == b"" and len(left) == samples
        assert left.tolist() == [G711[octet] for octet in received[:samples]]
        assert right.tolist() == [G711[octet] for octet in sent[:samples]]
