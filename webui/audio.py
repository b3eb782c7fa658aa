"""A recording's file as a browser wants it: a WAV cut at a given tick, and its peaks.

A recording that is still being made grows under the reader, so everything here is of its first `ticks` ticks,
which no longer change.
"""

import functools
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from appliance.media import g711
from appliance.recording.wav import CHANNELS, HEAD_OCTETS, TICK_OCTETS, Header, ticks_in
from e1_driver import BLOCK

BINS = 400                                        # peaks per channel: about one for two pixels of a page


@dataclass(frozen=True, slots=True)
class Take:
    """What lies on the disk at this moment."""

    path: Path
    header: Header

    @classmethod
    def read(cls, path: Path) -> "Take":
        """OSError when it cannot be read, ValueError when it is no recording."""
        with path.open("rb") as file:
            header = Header.read(file.read(HEAD_OCTETS))
            ticks = min(header.ticks, ticks_in(file.seek(0, io.SEEK_END)))
        return cls(path, replace(header, ticks=ticks))

    def cut(self, ticks: int) -> "Take":
        """Its first `ticks` ticks, all of it when it has fewer."""
        return replace(self, header=replace(self.header, ticks=min(ticks, self.header.ticks)))


class Wav(io.RawIOBase):
    """A take as a seekable WAV file whose head fits the cut. Opens the real file at the first read."""

    def __init__(self, take: Take) -> None:
        self._head = take.header.write()
        self._path = take.path
        self._file: BinaryIO | None = None
        self._at = 0
        self.octets = HEAD_OCTETS + take.header.ticks * TICK_OCTETS

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.octets}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self.octets if size < 0 else min(self.octets, self._at + size)
        if self._at >= end:
            return b""
        if self._at < HEAD_OCTETS:
            octets = self._head[self._at:end]
        else:
            if self._file is None:
                self._file = self._path.open("rb")
            self._file.seek(self._at)
            octets = self._file.read(end - self._at)
        self._at += len(octets)
        return octets

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()


@functools.lru_cache(maxsize=64)
def peaks(take: Take) -> tuple[tuple[float, ...], ...]:
    """Per channel, caller first: the largest magnitude in each of up to BINS equal stretches, 1.0 = full."""
    ticks = take.header.ticks
    edges = np.linspace(0, ticks, min(ticks, BINS) + 1).astype(int)
    rows = np.zeros((len(edges) - 1, CHANNELS))
    with take.path.open("rb") as file:
        file.seek(HEAD_OCTETS)
        for row, many in zip(rows, np.diff(edges), strict=True):
            octets = np.frombuffer(file.read(int(many) * TICK_OCTETS), np.uint8)
            if len(octets) < CHANNELS * BLOCK:
                break                             # cut short since it was looked at: the rest is silence
            magnitude = np.abs(g711.decode(octets[:len(octets) // CHANNELS * CHANNELS]).astype(np.int32))
            row[:] = magnitude.reshape(-1, CHANNELS).max(axis=0) / 32768
    return tuple(tuple(round(float(value), 3) for value in channel) for channel in rows.T)
