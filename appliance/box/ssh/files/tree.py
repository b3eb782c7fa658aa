"""The tree that SFTP shows: places with names in them, and paths, which are names and nothing else."""

import errno
import os
import posixpath
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from appliance.errors import BranchlineError

MOST_PATH, MOST_NAME, MOST_DEPTH = 1024, 255, 16  # octets, octets, names

Names = tuple[str, ...]


class NotThere(BranchlineError):
    """There is nothing of this name."""


class NotAllowed(BranchlineError):
    """This is not done here, or not by this person."""


class Failed(BranchlineError):
    """It did not work; the text says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    folder: bool = False
    octets: int = 0
    at: float = 0.0                               # Unix seconds of the last change; 0: not known
    writable: bool = False


class Reader:
    """A file that is being read."""

    octets: int = 0

    def seek(self, at: int, whence: int) -> int:
        """Of lseek(2) what is asked of a file's holes: it has none. OSError: ENXIO, behind its end."""
        if at >= self.octets:
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
        return at if whence == os.SEEK_DATA else self.octets

    async def read(self, at: int, most: int) -> bytes:
        """Shorter than asked at the end only."""
        raise NotAllowed("not for reading")

    async def close(self) -> None:
        return


class Writer:
    """A file that is being written; nothing of it is anywhere before finish()."""

    def seek(self, at: int, whence: int) -> int:
        """As a Reader's of an empty file."""
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))

    async def write(self, at: int, octets: bytes) -> None:
        """Failed: too large."""
        raise NotAllowed("not for writing")

    async def finish(self) -> None:
        """It is whole. Failed: why it was not taken."""

    def drop(self) -> None:
        """It was cut off: nothing has happened."""


class Place:
    """A folder below the root. `names` are those below it; () is the place itself."""

    name = ""

    async def stat(self, names: Names) -> Entry:
        """NotThere, Failed."""
        if not names:
            return Entry(self.name, folder=True)
        raise NotThere(names[-1])

    def entries(self, names: Names) -> AsyncIterator[Entry]:
        """NotThere, Failed: at the first step."""
        raise NotImplementedError

    async def open(self, names: Names) -> Reader:
        raise NotThere(names[-1] if names else self.name)

    async def create(self, names: Names) -> Writer:
        raise NotAllowed("read-only")

    async def remove(self, names: Names) -> None:
        raise NotAllowed("read-only")


class Whole(Reader):
    """A file that is in memory."""

    def __init__(self, octets: bytes) -> None:
        self._all, self.octets = octets, len(octets)

    async def read(self, at: int, most: int) -> bytes:
        return self._all[at:at + most]


def names_of(path: bytes) -> Names:
    """The names of a path, which begins at the root whatever it looks like; `..` never leads above it.

    NotThere: no path of this tree can look like this.
    """
    if len(path) > MOST_PATH or b"\0" in path:
        raise NotThere("no such path")
    try:
        text = path.decode()
    except UnicodeDecodeError:
        raise NotThere("no such path") from None
    names = tuple(one for one in posixpath.normpath("/" + text).split("/") if one)
    if len(names) > MOST_DEPTH or not all(
            one.isprintable() and len(one.encode()) <= MOST_NAME for one in names):
        raise NotThere("no such path")
    return names


def path_of(names: Sequence[str]) -> bytes:
    return ("/" + "/".join(names)).encode()
