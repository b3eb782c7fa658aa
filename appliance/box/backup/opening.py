"""A backup as it is read: proven octet by octet, believed in nothing but what its seal proves.

BackupError for whatever is wrong with a file: damaged, cut off, foreign, of a later version, sealed with
another passphrase.
"""

import hashlib
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

import msgspec

from appliance.box.backup.durable import make_folder, sync_folder
from appliance.box.backup.format import (
    AUDIO,
    FORMAT,
    KIND,
    MANIFEST,
    MAX_MANIFEST_OCTETS,
    Audio,
    BackupError,
    Manifest,
    safe,
)
from appliance.store.sealed import KeyGone, SealedReader, Tampered, Wrapper

BLOCK_OCTETS = 1 << 20


class Backup:
    """Use as opened by `opened`."""

    def __init__(self, reader: SealedReader, where: str) -> None:
        self._reader, self._where = reader, where
        with self._read():
            self.manifest = self._manifest()

    def prove(self, breathe: Callable[[int], None] = lambda _: None) -> None:
        """Every member is there, is what was backed up, and there is no other."""
        with self._read():
            self._walk(lambda info, file: _digest(file, breathe))

    def unpack(self, to: Callable[[str], Path | None]) -> None:
        """Write every file, durably, where `to` says; None: only prove it. Nothing may be there yet."""
        folders: set[Path] = set()

        def take(info: tarfile.TarInfo, file: IO[bytes]) -> str:
            path = to(info.name)
            if path is None:
                return _digest(file)
            make_folder(path.parent)
            folders.add(path.parent)
            return _write(file, path, info.mode & 0o777)
        with self._read():
            self._walk(take)
        for folder in folders:
            sync_folder(folder)

    def _walk(self, take: Callable[[tarfile.TarInfo, IO[bytes]], str]) -> None:
        wanted = {one.name: one for one in self.manifest.files}
        audio = Audio()
        for info, file in self._members():
            if info.name == MANIFEST:
                continue
            held = wanted.pop(info.name, None)
            if held is None and not AUDIO.fullmatch(info.name):
                raise BackupError(f"{self._where}: {info.name}: is not in its manifest")
            digest = take(info, file)
            if held is None:
                audio = Audio(count=audio.count + 1, octets=audio.octets + info.size)
            elif (digest, info.size) != (held.sha256, held.octets):
                raise BackupError(f"{self._where}: {info.name}: is not what its manifest says")
        if wanted or audio != self.manifest.audio:
            raise BackupError(f"{self._where}: {', '.join([*wanted][:3]) or 'a recording'}: is missing in it")

    def _manifest(self) -> Manifest:
        octets = b""
        for info, file in self._members():
            if info.name == MANIFEST and info.size <= MAX_MANIFEST_OCTETS:
                octets = file.read()
        try:
            found: Any = msgspec.json.decode(octets)
            if found["format"] > FORMAT:
                raise BackupError(f"{self._where}: is in format {found['format']}, made by Branchline "
                                  f"{found.get('version')}: this one reads format {FORMAT}: install that "
                                  "version, or a later one, and restore with it")
            return msgspec.convert(found, Manifest)
        except (msgspec.MsgspecError, TypeError, KeyError):
            raise BackupError(f"{self._where}: has no manifest: it is no backup of Branchline") from None

    def _members(self) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
        with (self._reader.stream() as stream,
              tarfile.open(fileobj=stream, mode="r:", errorlevel=2) as tar):
            while (info := tar.next()) is not None:
                file = tar.extractfile(info) if info.isreg() else None
                if file is None or (info.name != MANIFEST and not safe(info.name)):
                    raise BackupError(f"{self._where}: {info.name!r}: no backup holds such a thing")
                yield info, file
                tar.members.clear()               # type: ignore[attr-defined]  # a million of them

    @contextmanager
    def _read(self) -> Iterator[None]:
        """What reading finds wrong, in our words."""
        try:
            yield
        except Tampered as error:
            raise BackupError(f"{self._where}: {error}") from None
        except tarfile.TarError:
            raise BackupError(f"{self._where}: is no backup of Branchline") from None


@contextmanager
def opened(file: BinaryIO, wrapper: Wrapper, where: str) -> Iterator[Backup]:
    """`where`: its name for people."""
    try:
        reader = SealedReader(file, wrapper)
        if reader.identity.about.get("kind") != KIND:
            raise BackupError(f"{where}: is sealed, and no backup")
    except (Tampered, KeyGone) as error:
        raise BackupError(f"{where}: {error}") from None
    yield Backup(reader, where)


def _digest(file: IO[bytes], breathe: Callable[[int], None] = lambda _: None) -> str:
    digest = hashlib.sha256()
    while block := file.read(BLOCK_OCTETS):
        digest.update(block)
        breathe(len(block))
    return digest.hexdigest()


def _write(file: IO[bytes], path: Path, mode: int) -> str:
    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        while block := file.read(BLOCK_OCTETS):
            digest.update(block)
            out.write(block)
        out.flush()
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    return digest.hexdigest()

