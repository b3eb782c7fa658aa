"""Files of recordings that are not as they were written: one error, or audio; never a hang or a crash."""

import contextlib
import functools
import io

import pytest

from appliance.recording.audio import Format, decode, encode
from appliance.recording.wav import TICK_OCTETS
from tests.recording.audio.talk import talk

TICKS = 250
MOST_OCTETS = 5_000                               # of make fuzz
SHARE = 0.02
FROM_TICKS = (0, 1, 120, TICKS)


@functools.cache
def files() -> dict[Format, bytes]:
    octets = talk(1)[0].tobytes()[:TICKS * TICK_OCTETS]
    return {format: b"".join(encode(format, [octets], TICKS)) for format in Format}


def corpus() -> list[bytes]:
    return list(files().values())


def fuzz(data: bytes) -> None:
    """Any octets, as a file of each format."""
    for format in Format:
        for from_tick in FROM_TICKS:
            with contextlib.suppress(ValueError):
                for block in decode(format, io.BytesIO(data), from_tick):
                    assert block


@pytest.mark.parametrize("format", Format)
def test_a_file_that_was_cut_off_is_told(format: Format) -> None:
    file = files()[format]
    for octets in {*range(0, 400, 7), *range(400, len(file) - 1, 211), len(file) - 1}:
        with pytest.raises(ValueError, match=r"\w{3}"):
            b"".join(decode(format, io.BytesIO(file[:octets])))


@pytest.mark.parametrize("format", [Format.OPUS, Format.FLAC])
def test_a_changed_octet_is_told_or_changes_nothing(format: Format) -> None:
    file = files()[format]
    whole = b"".join(decode(format, io.BytesIO(file)))
    for at in range(0, len(file), 97):
        bent = bytearray(file)
        bent[at] ^= 0x10
        with contextlib.suppress(ValueError):
            assert b"".join(decode(format, io.BytesIO(bytes(bent)))) == whole


@pytest.mark.parametrize("format", Format)
def test_octets_that_follow_the_end_are_no_audio(format: Format) -> None:
    with contextlib.suppress(ValueError):
        assert len(b"".join(decode(format, io.BytesIO(files()[format] * 2)))) == TICKS * TICK_OCTETS


@pytest.mark.parametrize("format", Format)
def test_another_formats_file_is_told(format: Format) -> None:
    for other, file in files().items():
        if other != format:
            with pytest.raises(ValueError, match=r"\w{3}"):
                b"".join(decode(format, io.BytesIO(file)))


def test_octets_of_any_kind() -> None:
    for data in (b"", b"OggS", b"fLaC", b"RIFF", bytes(5000), b"OggS\0\2" + bytes(5000), b"\xff" * 5000):
        fuzz(data)
