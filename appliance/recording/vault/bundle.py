"""The signed export: recordings as any player opens them, with their facts and their part of the chain.

One zip file. Its manifest names every member with its SHA-256 and is signed by the box; what that proves, and
how anybody checks it without this program, stands in its README.txt and in docs/recording-security.md.
"""

import errno
import hashlib
import json
import os
import secrets
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from sqlalchemy import Connection

from appliance.errors import BranchlineError, StateError
from appliance.recording.vault import chain as chains
from appliance.recording.vault.bundle_format import (
    CHAIN,
    FOLDER,
    FORMAT,
    KEY,
    MANIFEST,
    METADATA,
    README,
    SIGNATURE,
    BundleChain,
    ChainedEntry,
    Manifest,
    Member,
    Run,
    SignedHead,
)
from appliance.recording.vault.bundle_readme import README_TEXT
from appliance.recording.vault.chain import Chain
from appliance.recording.vault.keys import KeyStore, fingerprint, pem
from appliance.recording.vault.links import GENESIS, Entry, Head
from appliance.store.sealed import CHUNK_OCTETS, PassphraseWrapper, SealedReader, SealedWriter
from appliance.store.sqlite import Database

EXPORTS = "exports"                               # within the recordings' folder
WHOLE_SPAN = 20_000                               # entries whose hashes are in a bundle without a break

_EARLIEST_ZIP = (1980, 1, 1, 0, 0, 0)
_OF_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Item:
    """A recording to export. `facts` is plain JSON; its file and digest are added."""

    recording: str
    format: str                                   # its file's suffix
    path: Path                                    # sealed
    sha256: str                                   # of its audio, as the catalogue has it
    octets: int                                   # of its audio
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted, by whom. With a passphrase the file is sealed as a whole."""

    items: Sequence[Item]
    by: str
    why: str
    path: Path                                    # absolute; a new file
    passphrase: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Made:
    bundle: str
    octets: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Box:
    """Whose recordings they are."""

    keys: KeyStore
    chain: Chain
    database: Database


def export(order: Order, box: Box, now: float) -> Made:
    """Write the bundle; that it was made is in the chain before the file has its name.

    StateError: a file is there, its folder is not, a recording is damaged. OSError: the disk.
    """
    bundle = secrets.token_hex(16)
    with _new_file(order.path) as file:
        if order.passphrase:
            sealed = SealedWriter(file, PassphraseWrapper(order.passphrase), bytes.fromhex(bundle),
                                  {"holds": FORMAT})
            with zipfile.ZipFile(sealed, "w") as archive:            # type: ignore[call-overload]
                _Writer(archive, order, box, bundle, now).write()
            sealed.close()
        else:
            with zipfile.ZipFile(file, "w") as archive:
                _Writer(archive, order, box, bundle, now).write()
        file.flush()
        os.fsync(file.fileno())
        octets, digest = file.seek(0, os.SEEK_END), hashlib.sha256()
        file.seek(0)
        while block := file.read(CHUNK_OCTETS):
            digest.update(block)
        return Made(bundle, octets, digest.hexdigest())


class _Writer:
    """One bundle into a zip that is open."""

    def __init__(self, archive: zipfile.ZipFile, order: Order, box: Box, bundle: str, now: float) -> None:
        self._archive, self._order, self._box, self._bundle, self._now = archive, order, box, bundle, now
        self._time = max(_EARLIEST_ZIP, datetime.fromtimestamp(now, UTC).timetuple()[:6])
        self._members: list[Member] = []

    def write(self) -> None:
        order, keys = self._order, self._box.keys
        facts = [self._audio(item) for item in order.items]
        self._add(METADATA, _pretty({"recordings": facts}))
        self._add(CHAIN, msgspec.json.encode(self._chained()))
        self._add(KEY, pem(keys.public_key))
        self._add(README, README_TEXT.encode())
        manifest = _pretty(msgspec.to_builtins(Manifest(
            format=FORMAT, bundle=self._bundle, made_at_ms=round(self._now * 1000), by=order.by,
            why=order.why, fingerprint=fingerprint(keys.public_key), members=self._members)))
        self._add(MANIFEST, manifest)
        self._add(SIGNATURE, keys.sign(manifest))

    def _audio(self, item: Item) -> dict[str, Any]:
        name = f"{FOLDER}{item.recording}.{item.format}"
        try:
            with item.path.open("rb") as file:
                reader = SealedReader(file, self._box.keys, bytes.fromhex(item.recording))
                found = self._stream(name, reader.octets, reader.blocks())
        except BranchlineError as error:
            raise StateError(f"{item.recording}: cannot be exported: {error}") from None
        except FileNotFoundError:
            raise StateError(f"{item.recording}: cannot be exported: its file is gone") from None
        if found.sha256 != item.sha256:
            raise StateError(f"{item.recording}: cannot be exported: its audio is not what was recorded")
        return {**item.facts, "recording": item.recording, "file": name, "octets": found.octets,
                "sha256": found.sha256}

    def _chained(self) -> BundleChain:
        """That it is exported, then all that is known of these recordings up to it."""
        order, chain = self._order, self._box.chain
        recordings = list(dict.fromkeys(item.recording for item in order.items))
        with self._box.database.write() as connection:
            for recording in recordings:
                chain.append(connection, self._now, "exported", recording, order.by, {
                    "bundle": self._bundle, "why": order.why, "to": str(order.path),
                    "sealed": bool(order.passphrase)})
            head = chain.sign(connection, self._now)
        if head is None:
            raise StateError("no recordings to export: name them")
        with self._box.database.read() as connection:
            return _proof(connection, recordings, head)

    def _add(self, name: str, octets: bytes) -> None:
        self._stream(name, len(octets), [octets])

    def _stream(self, name: str, octets: int, blocks: Iterable[bytes]) -> Member:
        info = zipfile.ZipInfo(name, self._time)
        info.file_size = octets
        info.external_attr = 0o644 << 16
        digest = hashlib.sha256()
        with self._archive.open(info, "w") as file:
            for block in blocks:
                digest.update(block)
                file.write(block)
        member = Member(name=name, octets=octets, sha256=digest.hexdigest())
        self._members.append(member)
        return member


def _proof(connection: Connection, recordings: Sequence[str], last: Head) -> BundleChain:
    """Entries of these recordings and what ties each to a head of the present key of the box."""
    entries = sorted((entry for one in recordings for entry in chains.of_recording(connection, one)
                      if entry.seq <= last.seq), key=lambda entry: entry.seq)
    heads = [head for head in chains.heads_from(connection, entries[0].seq)
             if head.seq <= last.seq and head.public_key == last.public_key]
    return BundleChain(
        entries=[ChainedEntry(seq=one.seq, at_ms=one.at_ms, kind=one.kind, recording=one.recording, by=one.by,
                              data=one.data) for one in entries],
        runs=[_run(connection, first, until) for first, until in _spans(entries, heads)],
        heads=[SignedHead(seq=one.seq, at_ms=one.at_ms, link=one.link.hex(), signature=one.signature.hex())
               for one in heads])


def _spans(entries: Sequence[Entry], heads: Sequence[Head]) -> list[tuple[int, int]]:
    """First and last seq of each row of hashes: one to the last head, or each to the head that follows it."""
    if heads[-1].seq - entries[0].seq < WHOLE_SPAN:
        return [(entries[0].seq, heads[-1].seq)]
    spans: list[tuple[int, int]] = []
    following = iter(heads)
    head = next(following)
    for entry in entries:
        if spans and entry.seq <= spans[-1][1]:
            continue
        while head.seq < entry.seq:
            head = next(following)
        spans.append((entry.seq, head.seq))
    return spans


def _run(connection: Connection, first_seq: int, until_seq: int) -> Run:
    before = chains.between(connection, first_seq - 1, first_seq - 1)
    entries = chains.between(connection, first_seq, until_seq)
    return Run(first_seq=first_seq, before=(before[0].link if before else GENESIS).hex(),
               payloads=[entry.payload_hash.hex() for entry in entries])


def _pretty(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A file without a name, which gets its name when all went well; no way through a symbolic link."""
    folder = _folder(path.parent)
    new = f".{path.name}.{secrets.token_hex(8)}.new"
    try:
        _refuse_existing(path, folder)
        # For the group, too: of the folder of exports it is webui's, where that is another user.
        descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640,
                             dir_fd=folder)
        try:
            with os.fdopen(descriptor, "w+b") as file:
                yield file
            _name(path, new, folder)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(new, dir_fd=folder)
        os.fsync(folder)
    finally:
        os.close(folder)


def _folder(path: Path) -> int:
    """A descriptor of the folder, each part of the way opened as what it is."""
    descriptor = os.open("/", _OF_FOLDER)
    for part in path.parts[1:]:
        try:
            within = os.open(part, _OF_FOLDER | os.O_NOFOLLOW, dir_fd=descriptor)
        except OSError as error:
            raise StateError(f"{path}: cannot be written to: {part} is no folder to go into "
                             f"({error.strerror}): make it, or name another; symbolic links are not followed"
                             ) from None
        finally:
            os.close(descriptor)
        descriptor = within
    return descriptor


def _refuse_existing(path: Path, folder: int) -> None:
    try:
        os.stat(path.name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    raise StateError(f"{path}: is there already: name another file")


def _name(path: Path, new: str, folder: int) -> None:
    try:
        os.link(new, path.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise StateError(f"{path}: is there already: name another file") from None
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        _refuse_existing(path, folder)            # a stick without links: nobody else writes to it
        os.rename(new, path.name, src_dir_fd=folder, dst_dir_fd=folder)
