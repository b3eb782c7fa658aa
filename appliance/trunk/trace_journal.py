"""Traces of calls that ended, until the database has them: in the run folder, written without waiting for the
disk. What was written outlives the process; a power cut takes it.
"""
import contextlib
import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from appliance.bus.messages import CallTrace

LENGTH_OCTETS = 4                                 # before each trace
KEPT_OCTETS = 16 << 20                            # while the database cannot be written; the folder is memory

log = logging.getLogger(__name__)
_decoder = msgspec.msgpack.Decoder(CallTrace)


class Journal:
    """Files PATH-1, PATH-2, ..., each whole when the next one is begun. Errors are logged, never raised."""

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, -1
        self._sizes = {number: self._size(number) for number in self._numbers()}     # of the files, by number
        self._number = max(self._sizes, default=0)

    def left(self) -> list[CallTrace]:
        """What the last process wrote and did not forget."""
        return [trace for number in self._numbers() for trace in _read(self._at(number))]

    def write(self, trace: CallTrace) -> None:
        data = msgspec.msgpack.encode(trace)
        data = len(data).to_bytes(LENGTH_OCTETS, "big") + data
        try:
            if self._file < 0:
                path = self._at(self._number + 1)
                self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
                self._number += 1
                self._sizes[self._number] = 0
            self._sizes[self._number] += len(data)
            if os.write(self._file, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self.end_file()                       # half a trace is the last that can be read of it
            log.error("%s: %s: a kill would lose the newest traces", self._path, error.strerror)

    def end_file(self) -> int:
        """What is written from now on goes into another file; the number of the one before. When all of them
        hold too much the oldest go."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        while sum(self._sizes.values()) > KEPT_OCTETS:
            self.forget(min(self._sizes))
        return self._number

    def forget(self, until: int) -> None:
        """The database has what the files up to this number hold."""
        for number in [number for number in self._sizes if number <= until]:
            del self._sizes[number]
            with contextlib.suppress(OSError):
                self._at(number).unlink()

    def _at(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}-{number}")

    def _size(self, number: int) -> int:
        with contextlib.suppress(OSError):
            return self._at(number).stat().st_size
        return 0

    def _numbers(self) -> list[int]:
        ends = (path.name.rpartition("-")[2] for path in self._path.parent.glob(f"{self._path.name}-*"))
        return sorted(int(end) for end in ends if end.isascii() and end.isdigit())


def _read(path: Path) -> Iterator[CallTrace]:
    """Those that are whole: the last one may have been cut by the kill."""
    try:
        octets = path.read_bytes()
    except OSError as error:
        log.error("%s: %s: its traces are lost", path, error.strerror)
        return
    at = 0
    while at + LENGTH_OCTETS <= len(octets):
        end = at + LENGTH_OCTETS + int.from_bytes(octets[at:at + LENGTH_OCTETS], "big")
        try:
            yield _decoder.decode(octets[at + LENGTH_OCTETS:end])
        except msgspec.MsgspecError:
            return
        at = end
