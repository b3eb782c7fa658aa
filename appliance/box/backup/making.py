"""One backup, made while the box works: what is where at this moment, into one sealed stream."""

import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from appliance.box.backup.contents import SCRATCH, Source, config_files, state_files
from appliance.box.backup.format import (
    AUDIO,
    FORMAT,
    KIND,
    MANIFEST,
    MAX_MANIFEST_OCTETS,
    Audio,
    BackupError,
    Held,
    Manifest,
)
from appliance.box.backup.snapshot import octets_of, snapshot
from appliance.bus.messages import BackupKind
from appliance.config.load import load
from appliance.errors import ConfigError
from appliance.store.sealed import Seal, SealedWriter, Wrapper

BLOCK_OCTETS = 256 * 1024
SPARE_OCTETS = 64 * 1024 * 1024                   # of the box's disk stay free beside a copy

Breathe = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Order:
    box: str
    kind: BackupKind
    at: float
    version: str
    state_dir: Path
    document: Path
    audio: bool


def make(order: Order, file: BinaryIO, wrapper: Wrapper, breathe: Breathe) -> Seal:
    """Write the backup to `file`. BackupError: it cannot be made; OSError: `file` does not take it.

    `breathe` is told of octets that were read; it waits, so that calls go first, and raises to give up.
    """
    sealed = SealedWriter(file, wrapper, os.urandom(16), {
        "kind": KIND, "format": FORMAT, "box": order.box, "at": utc(order.at)})
    scratch = order.state_dir / "backup" / SCRATCH
    clear(scratch)
    scratch.mkdir(mode=0o700, parents=True)
    try:
        with tarfile.open(fileobj=cast(BinaryIO, sealed), mode="w|", format=tarfile.PAX_FORMAT,
                          bufsize=BLOCK_OCTETS) as tar:
            _Making(order, tar, scratch, breathe).run()
    finally:
        clear(scratch)
    return sealed.close()


def utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")


def clear(folder: Path) -> None:
    """What is in it is a copy."""
    if folder.exists():
        shutil.rmtree(folder)


class _Making:
    def __init__(self, order: Order, tar: tarfile.TarFile, scratch: Path, breathe: Breathe) -> None:
        self._order, self._tar, self._scratch, self._breathe = order, tar, scratch, breathe
        self._files: dict[str, Held] = {}
        self._left_out: list[str] = []
        self._audio = Audio()

    def run(self) -> None:
        order = self._order
        try:
            config = load(order.document)
        except ConfigError as error:
            raise BackupError(f"the configuration is wrong, and a backup of it would not start: {error}"
                              ) from None
        self._take(config_files(order.document, config, self._left_out))
        self._take(state_files(order.state_dir, order.audio, self._left_out))
        manifest = msgspec.json.format(msgspec.json.encode(Manifest(
            format=FORMAT, version=order.version, box=order.box, kind=order.kind, at=order.at,
            document=order.document.resolve().name, files=list(self._files.values()), audio=self._audio,
            left_out=self._left_out)), indent=1)
        if len(manifest) > MAX_MANIFEST_OCTETS:
            raise BackupError(f"{len(self._files)} files: too many for one backup: look at what is in the "
                              "state folder")
        path = self._scratch / MANIFEST
        path.write_bytes(manifest)
        self._add(MANIFEST, path)

    def _take(self, sources: Iterable[Source]) -> None:
        for source in sources:
            if source.name in self._files:
                continue
            try:
                if source.database:
                    self._add_database(source)
                else:
                    held = self._add(source.name, source.path)
                    if AUDIO.fullmatch(source.name):
                        self._audio = Audio(count=self._audio.count + 1,
                                            octets=self._audio.octets + held.octets)
                    else:
                        self._files[source.name] = held
            except FileNotFoundError:
                pass                              # removed since it was listed

    def _add_database(self, source: Source) -> None:
        needed = octets_of(source.path) + SPARE_OCTETS
        if (free := shutil.disk_usage(self._scratch).free) < needed:
            raise BackupError(f"{self._scratch}: {free >> 20} MiB are free, {needed >> 20} are needed for a "
                              f"copy of {source.path.name}: free space")
        copy = self._scratch / "copy.sqlite"
        found = snapshot(source.path, copy, self._breathe)
        copy.chmod(source.path.stat().st_mode & 0o777)
        held = self._add(source.name, copy)
        self._files[source.name] = msgspec.structs.replace(held, rows=found)
        copy.unlink()

    def _add(self, name: str, path: Path) -> Held:
        with path.open("rb") as file:
            there = os.fstat(file.fileno())
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = there.st_size, there.st_mode & 0o777, int(there.st_mtime)
            reader = _Hashing(file, self._breathe)
            try:
                self._tar.addfile(info, cast(BinaryIO, reader))
            except _Shorter:
                raise BackupError(f"{path}: became shorter while it was read: try again") from None
        self._tar.members.clear()                 # type: ignore[attr-defined]  # it would remember a million
        return Held(name=name, octets=info.size, sha256=reader.sha256.hexdigest(), mode=info.mode)


class _Shorter(Exception):
    pass


class _Hashing:
    """What tarfile reads from: exactly as much as it asks for."""

    def __init__(self, file: BinaryIO, breathe: Breathe) -> None:
        self._file, self._breathe = file, breathe
        self.sha256 = hashlib.sha256()

    def read(self, octets: int) -> bytes:
        block = self._file.read(octets)
        if len(block) < octets:
            raise _Shorter
        self.sha256.update(block)
        self._breathe(len(block))
        return block
