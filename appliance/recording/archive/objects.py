"""Objects of the archive: what is known of a recording and its audio, both sealed for the hub, in one file.

    BLARCH01 | length of the metadata's sealed file (4 octets) | that file | the audio's sealed file
"""

import hashlib
import io
import json
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from appliance.store.sealed import HEADER_OCTETS, SealedReader, SealedWriter, Tampered, Wrapper, rewrapped

MAGIC = b"BLARCH01"
SUFFIX = ".blr"
BLOCK_OCTETS = 64 * 1024
MAX_METADATA_OCTETS = 16 * 2 ** 20
_LENGTH = struct.Struct(">I")
_START_OCTETS = len(MAGIC) + _LENGTH.size


def object_name(site: str, recording: str, began_at: float) -> str:
    """By the day in UTC, so that a box that moves keeps its names."""
    return f"{site}/{datetime.fromtimestamp(began_at, UTC):%Y/%m/%d}/{recording}{SUFFIX}"


def front(metadata: dict[str, Any], recording: str, audio: Path, box: Wrapper, shared: Wrapper) -> bytes:
    """The object's octets up to the audio's chunks, which stay as they are. Two calls give two results."""
    sealed = io.BytesIO()
    writer = SealedWriter(sealed, shared, bytes.fromhex(recording), {"what": "metadata"})
    writer.write(json.dumps(metadata, ensure_ascii=False, sort_keys=True).encode())
    writer.close()
    with audio.open("rb") as file:
        head = next(rewrapped(file, box, shared))
    return MAGIC + _LENGTH.pack(len(sealed.getvalue())) + sealed.getvalue() + head


@dataclass(frozen=True, slots=True)
class ArchiveObject:
    """One object, read from the recording's own file as it is sent."""

    name: str
    front: bytes
    audio: Path

    @property
    def octets(self) -> int:
        return len(self.front) + self.audio.stat().st_size - HEADER_OCTETS

    def read(self, at: int, most_octets: int) -> bytes:
        """From `at` on; shorter at the end only."""
        taken = self.front[at:at + most_octets]
        rest = most_octets - len(taken)
        if rest <= 0:
            return taken
        with self.audio.open("rb") as file:
            file.seek(HEADER_OCTETS + max(0, at - len(self.front)))
            return taken + file.read(rest)

    def blocks(self) -> Iterator[bytes]:
        yield self.front
        with self.audio.open("rb") as file:
            file.seek(HEADER_OCTETS)
            while block := file.read(BLOCK_OCTETS):
                yield block

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for block in self.blocks():
            digest.update(block)
        return digest.hexdigest()


def read_metadata(file: BinaryIO, shared: Wrapper) -> dict[str, Any]:
    """What is known of the recording; the file stands at its audio then. Tampered, KeyGone."""
    start = file.read(_START_OCTETS)
    if len(start) < _START_OCTETS or not start.startswith(MAGIC):
        raise Tampered("not an object of the archive, or its beginning is damaged")
    length = _LENGTH.unpack_from(start, len(MAGIC))[0]
    if length > MAX_METADATA_OCTETS:
        raise Tampered("the object's beginning is damaged")
    sealed = file.read(length)
    if len(sealed) < length:
        raise Tampered("the object is cut off")
    metadata: dict[str, Any] = json.loads(b"".join(SealedReader(io.BytesIO(sealed), shared).blocks()))
    return metadata


def open_object(path: Path, shared: Wrapper, to: Path) -> dict[str, Any]:
    """Write the audio to `to` (0600), which must not be there yet, and give what is known of the recording.

    `to` has its name only once every octet is proved. Tampered, KeyGone, OSError: it is not there.
    """
    if to.exists():
        raise FileExistsError(f"{to} is there already")
    new = to.with_name(f".{to.name}.new")
    with path.open("rb") as file:
        metadata = read_metadata(file, shared)
        audio = SealedReader(io.BufferedReader(_Rest(file)), shared)
        if audio.identity.name.hex() != metadata["recording"]:
            raise Tampered("its audio is another recording's")
        digest = hashlib.sha256()
        try:
            new.unlink(missing_ok=True)           # of one that was killed, or a stranger's
            with open(new, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as out:
                for block in audio.blocks():
                    digest.update(block)
                    out.write(block)
                out.flush()
                os.fsync(out.fileno())
            if digest.hexdigest() != metadata["sha256"]:
                raise Tampered("its audio is not what the box had recorded")
            new.rename(to)
        finally:
            new.unlink(missing_ok=True)
    return metadata


class _Rest(io.RawIOBase):
    """A file from where it stands on, as a file of its own."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._start = file, file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        before = self._start if whence == os.SEEK_SET else 0
        return self._file.seek(before + offset, whence) - self._start

    def tell(self) -> int:
        return self._file.tell() - self._start

    def readinto(self, buffer: Any) -> int:
        octets = self._file.read(len(buffer))
        buffer[:len(octets)] = octets
        return len(octets)
