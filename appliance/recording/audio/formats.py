"""Finished recordings as files: interleaved A-law (caller, agent) <-> the octets of a file, as a stream.

What comes in and goes out is TICK_OCTETS a tick; a block is any number of ticks. Memory is bounded whatever
the length. Damaged files are one ValueError that names what is wrong.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import BinaryIO, Protocol

from appliance.recording.audio import plain
from appliance.recording.wav import TICK_OCTETS

STEP_OCTETS = 96 * TICK_OCTETS                    # coded at a time: whole packets of Opus and frames of FLAC


class Format(StrEnum):
    OPUS = "opus"                                 # small, what is heard is the same
    FLAC = "flac"                                 # every octet of the line, in less room
    WAV = "wav"                                   # every octet of the line, as it is


MEDIA_TYPES = {Format.OPUS: "audio/ogg; codecs=opus", Format.FLAC: "audio/flac", Format.WAV: "audio/wav"}


class _Coding(Protocol):
    """A room of a format."""

    @property
    def encode(self) -> Callable[[Iterable[bytes], int], Iterator[bytes]]: ...

    @property
    def decode(self) -> Callable[[BinaryIO, int], Iterator[bytes]]: ...


def _coding(format: Format) -> _Coding:
    """Of their libraries those that are used are opened: both take 2 MB."""
    match format:
        case Format.OPUS:
            from appliance.recording.audio import opus

            return opus
        case Format.FLAC:
            from appliance.recording.audio import flac

            return flac
        case Format.WAV:
            return plain


def encode(format: Format, blocks: Iterable[bytes], ticks: int) -> Iterator[bytes]:
    """The file's octets. ValueError: the blocks have not `ticks` ticks; the file is then of no use."""
    return _coding(format).encode(_in_steps(_exactly(blocks, ticks)), ticks)


def decode(format: Format, file: BinaryIO, from_tick: int = 0) -> Iterator[bytes]:
    """Its audio from that tick on; `file` can seek. ValueError: it is damaged.

    FLAC and WAV give the very octets that were encoded. OSErrors are those of `file`.
    """
    return _in_steps(_coding(format).decode(file, from_tick))


def _exactly(blocks: Iterable[bytes], ticks: int) -> Iterator[bytes]:
    """The same audio. ValueError: it is shorter or longer."""
    octets = 0
    for block in blocks:
        octets += len(block)
        if octets > ticks * TICK_OCTETS:
            raise ValueError(f"a recording of {ticks} ticks has more audio than that")
        yield block
    if octets < ticks * TICK_OCTETS:
        raise ValueError(f"a recording of {ticks} ticks has only {octets / TICK_OCTETS:g} of them")


def _in_steps(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same audio in blocks of STEP_OCTETS; the last has what is left."""
    waiting = b""
    for block in blocks:
        waiting += block
        whole = len(waiting) - len(waiting) % STEP_OCTETS
        for at in range(0, whole, STEP_OCTETS):
            yield waiting[at:at + STEP_OCTETS]
        waiting = waiting[whole:]
    if waiting:
        yield waiting
