"""Formats of recordings: nothing is lost or added, and players that we did not write agree on the length."""

import io
import itertools
import json
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.media import g711
from appliance.recording.audio import Format, decode, encode
from appliance.recording.wav import SILENCE, TICK_OCTETS, TICKS_PER_S
from hil_tests.instruments import audio
from tests.bench.hearing import SECONDS, mos
from tests.recording.audio.talk import talk

EXACT = (Format.FLAC, Format.WAV)
TICK_S = 1 / TICKS_PER_S


def file_of(format: Format, octets: bytes) -> bytes:
    return b"".join(encode(format, [octets], len(octets) // TICK_OCTETS))


def audio_of(format: Format, file: bytes, from_tick: int = 0) -> bytes:
    return b"".join(decode(format, io.BytesIO(file), from_tick))


def any_octets(ticks: int, seed: int = 1) -> bytes:
    return np.random.default_rng(seed).bytes(ticks * TICK_OCTETS)


@pytest.mark.parametrize("format", EXACT)
@settings(deadline=None, max_examples=40)
@given(data=st.data(), ticks=st.integers(0, 400), seed=st.integers(0, 99))
def test_flac_and_wav_give_back_the_octets_of_the_line(
        format: Format, data: st.DataObject, ticks: int, seed: int) -> None:
    octets = any_octets(ticks, seed)
    cuts = sorted(data.draw(st.lists(st.integers(0, ticks), max_size=5)))
    edges = [0, *(TICK_OCTETS * cut for cut in cuts), len(octets)]
    blocks = [octets[a:b] for a, b in itertools.pairwise(edges)]
    file = b"".join(encode(format, blocks, ticks))
    from_tick = data.draw(st.integers(0, ticks))
    assert audio_of(format, file, from_tick) == octets[from_tick * TICK_OCTETS:]


def test_every_octet_of_the_line_survives_flac() -> None:
    octets = bytes(range(256)) * TICK_OCTETS
    assert audio_of(Format.FLAC, file_of(Format.FLAC, octets)) == octets


@pytest.mark.parametrize("ticks", [0, 1, 2, 5, 6, 7, 95, 96, 97, 192, 1000])
def test_opus_is_as_long_as_the_call_from_any_tick_on(ticks: int) -> None:
    file = file_of(Format.OPUS, talk(2)[0].tobytes()[:ticks * TICK_OCTETS])
    whole = audio_of(Format.OPUS, file)
    assert len(whole) == ticks * TICK_OCTETS
    for tick in {0, min(1, ticks), ticks // 2, max(0, ticks - 1), ticks}:
        assert len(audio_of(Format.OPUS, file, tick)) == (ticks - tick) * TICK_OCTETS


def test_opus_from_the_middle_is_what_it_is_from_the_beginning() -> None:
    file = file_of(Format.OPUS, talk(4)[0].tobytes())
    whole = g711.decode(np.frombuffer(audio_of(Format.OPUS, file), np.uint8)).astype(np.int32)
    for tick in range(1, 3200, 331):
        part = g711.decode(np.frombuffer(audio_of(Format.OPUS, file, tick), np.uint8)).astype(np.int32)
        there = whole[tick * TICK_OCTETS:]
        assert np.abs(part - there).max() <= np.abs(there).max() / 25      # not quite the same at first


@pytest.mark.need(5)
@pytest.mark.parametrize("ticks", [1, 97, 1234, 6001])
@pytest.mark.parametrize("format", Format)
def test_players_that_are_not_ours_agree_with_the_length(tmp_path: Path, format: Format, ticks: int) -> None:
    path = tmp_path / f"call.{format}"
    path.write_bytes(file_of(format, np.resize(talk(2)[0], (ticks * 80, 2)).tobytes()))
    probe = json.loads(_output("ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json",
                               path))
    assert float(probe["format"]["duration"]) == pytest.approx(ticks * TICK_S, abs=TICK_S)
    assert probe["streams"][0]["channels"] == 2
    samples = _output("ffmpeg", "-v", "error", "-i", path, "-f", "s16le", "-ar", "8000", "-")
    assert len(samples) == ticks * 80 * 2 * 2
    if format in EXACT:
        raw = _output("sox", "-D", path, "-t", "raw", "-e", "a-law", "-")
        assert raw == audio_of(format, path.read_bytes())


@pytest.mark.need(5)
def test_opus_sounds_like_the_line_and_is_small(tmp_path: Path) -> None:
    line, spoken = talk(6)
    file = file_of(Format.OPUS, line.tobytes())
    path = tmp_path / "call.opus"
    path.write_bytes(file)
    ffmpegs = _output("ffmpeg", "-v", "error", "-c:a", "opus", "-i", path, "-f", "s16le", "-ar", "8000", "-")
    ours = g711.decode(np.frombuffer(audio_of(Format.OPUS, file), np.uint8))
    turn = round(SECONDS * audio.RATE_HZ)
    for heard in (ours, np.frombuffer(ffmpegs, np.int16)):
        for number, (side, _) in enumerate(spoken):
            part = slice(number * turn, (number + 1) * turn)
            came = heard.reshape(line.shape)[part, side].astype(np.float64)
            assert mos(audio.expand(line[part, side]), came) > 3.6
    assert len(file) * 600 / (len(spoken) * SECONDS) < 2e6


def test_nobody_is_heard_on_the_other_side() -> None:
    line, _ = talk(4, noise_dbm0=None, together=True)
    line[:, 1] = SILENCE[0]
    heard = np.frombuffer(audio_of(Format.OPUS, file_of(Format.OPUS, line.tobytes())), np.uint8)
    assert np.abs(audio.expand(heard.reshape(line.shape)[:, 1])).max() <= 8        # A-law knows no zero
    assert np.abs(audio.expand(heard.reshape(line.shape)[:, 0])).max() > 8000


def test_an_idle_line_sounds_idle_and_takes_little_room() -> None:
    line, _ = talk(4)
    idle = talk(5)[0][4 * round(SECONDS * audio.RATE_HZ):, 1:]        # the agent listens
    line = np.repeat(np.tile(idle, (4, 1)), 2, axis=1)
    file = file_of(Format.OPUS, line.tobytes())
    heard = np.frombuffer(audio_of(Format.OPUS, file), np.uint8)
    levels = [10 * np.log10(np.mean(audio.expand(of) ** 2)) for of in (line[8000:], heard[16000:])]
    assert levels[1] == pytest.approx(levels[0], abs=3)
    assert len(file) < line.size / 20


@pytest.mark.parametrize("format", Format)
def test_files_are_made_while_the_audio_comes(format: Format) -> None:
    seconds, taken = 60, 0
    ahead = []

    def blocks() -> Iterator[bytes]:
        nonlocal taken
        for taken in range(1, seconds + 1):
            yield any_octets(TICKS_PER_S, taken)

    given_out = 0
    for piece in encode(format, blocks(), seconds * TICKS_PER_S):
        given_out += len(piece)
        ahead.append(taken)
    assert len(set(ahead)) > seconds / 2          # it did not wait for the end
    assert given_out


@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize(("said", "came"), [(10, 9), (10, 11), (0, 1), (100, 99)])
def test_another_length_than_said_is_refused(format: Format, said: int, came: int) -> None:
    with pytest.raises(ValueError, match=f"a recording of {said} ticks has"):
        b"".join(encode(format, [any_octets(came)], said))


@pytest.mark.parametrize("format", Format)
def test_a_disk_that_fails_is_not_called_a_damaged_file(format: Format) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 4000:
                raise OSError(5, "Input/output error")
            return super().read(min(size or 0, 1000) if size and size > 0 else 1000)

    with pytest.raises(OSError, match="Input/output error"):
        b"".join(decode(format, Failing(file_of(format, talk(1)[0].tobytes()))))


def _output(*command: object) -> bytes:
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE).stdout


def _given_up(blocks: Iterable[bytes]) -> None:
    next(iter(blocks))


@pytest.mark.parametrize("format", Format)
def test_half_read_and_half_written_files_are_let_go(format: Format) -> None:
    octets = any_octets(1000)
    _given_up(encode(format, [octets], 1000))
    _given_up(decode(format, io.BytesIO(file_of(format, octets))))
