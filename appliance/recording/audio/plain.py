"""A-law WAV, as appliance/recording/wav.py describes it."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from appliance.recording.wav import HEAD_OCTETS, TICK_OCTETS, TICKS_PER_S, Header

_BLOCK_OCTETS = TICKS_PER_S * TICK_OCTETS


def encode(blocks: Iterable[bytes], ticks: int) -> Iterator[bytes]:
    yield head(ticks)
    yield from blocks


def decode(file: BinaryIO, from_tick: int) -> Iterator[bytes]:
    ticks = Header.read(file.read(HEAD_OCTETS)).ticks
    file.seek(HEAD_OCTETS + from_tick * TICK_OCTETS)
    missing = (ticks - from_tick) * TICK_OCTETS
    while missing > 0:
        block = file.read(min(missing, _BLOCK_OCTETS))
        if not block:
            raise ValueError(f"the recording ends in the middle: it has {ticks} ticks")
        missing -= len(block)
        yield block


def head(ticks: int) -> bytes:
    """The HEAD_OCTETS in front of so much audio."""
    return Header("0" * 32, 0, ticks, finished=True).write()
