"""Does an export bundle hold? Takes any file whatever, believes nothing in it, needs no box.

What is compared lies in the bundle, but for the box's fingerprint, which its reader has from elsewhere.
"""

import hashlib
import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, ParamSpec, TypeVar

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from appliance.recording.vault.bundle_format import (
    CHAIN,
    FOLDER,
    FORMAT,
    KEY,
    MANIFEST,
    METADATA,
    SIGNATURE,
    BundleChain,
    ChainedEntry,
    Facts,
    Manifest,
)
from appliance.recording.vault.keys import fingerprint
from appliance.recording.vault.links import Entry, Head, link, signed

MOST_MEMBERS = 1100                               # a thousand recordings, and what is said of them
MAX_TEXT_OCTETS = 256 * 1024 * 1024               # of a member that is read as a whole
MOST_NAMED = 20                                   # of what is too much or missing
BLOCK_OCTETS = 64 * 1024

P = ParamSpec("P")
T = TypeVar("T")

# What zipfile and the decoders raise on octets that are none of theirs.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, msgspec.MsgspecError, UnsupportedAlgorithm, OSError,
               ValueError, RuntimeError, EOFError, LookupError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Finding:
    subject: str                                  # a member, or what else was looked at
    good: bool
    text: str


class _Bad(Exception):
    """This does not hold, and why."""


class _Metadata(msgspec.Struct, frozen=True):
    recordings: list[Facts]


def check(file: BinaryIO, expected_fingerprint: str = "") -> list[Finding]:
    """What holds and what does not; the bundle is good when every finding is."""
    try:
        with zipfile.ZipFile(file) as archive:
            if bad := _beyond(archive, file.seek(0, os.SEEK_END)):
                return [Finding("bundle", False, bad)]
            return _Check(archive, expected_fingerprint).findings()
    except _UNREADABLE as error:
        return [Finding("bundle", False, f"is no zip file, or is damaged: {_words(error)}")]


def _beyond(archive: zipfile.ZipFile, octets: int) -> str:
    """Why not even a look at each member is worth the time; "": it is."""
    infos = archive.infolist()
    if len(infos) > MOST_MEMBERS:
        return f"has {len(infos)} members: {MOST_MEMBERS} are the most that a box makes"
    if sum(info.compress_size for info in infos) > octets:
        return "its members lie over one another"
    return ""


class _Check:
    def __init__(self, archive: zipfile.ZipFile, expected_fingerprint: str) -> None:
        self._archive, self._expected = archive, expected_fingerprint.replace(":", "").lower()
        self._found: list[Finding] = []
        self._public_key = b""
        self._names = Counter(info.filename for info in archive.infolist())

    def findings(self) -> list[Finding]:
        manifest = self._look("signature", self._manifest)
        if manifest is None:
            return self._found
        self._look("members", self._complete, manifest)
        for member in manifest.members:
            self._look(member.name, self._member, member.name, member.octets, member.sha256)
        metadata = self._look("metadata", self._metadata, manifest)
        chain = self._look("chain", self._chain)
        if metadata is not None and chain is not None:
            for facts in metadata.recordings:
                self._look(f"recording {facts.recording}", self._recording, facts, chain, manifest)
        return self._found

    def _look(self, subject: str, at: Callable[P, tuple[T, str]], *args: P.args, **named: P.kwargs,
              ) -> T | None:
        try:
            value, text = at(*args, **named)
        except _Bad as bad:
            self._found.append(Finding(subject, False, str(bad)))
        except _UNREADABLE as error:
            self._found.append(Finding(subject, False, f"cannot be read: {_words(error)}"))
        else:
            self._found.append(Finding(subject, True, text))
            return value
        return None

    def _manifest(self) -> tuple[Manifest, str]:
        key = load_pem_public_key(self._octets(KEY))
        if not isinstance(key, Ed25519PublicKey):
            raise _Bad(f"{KEY} is not an Ed25519 key")
        self._public_key, octets = key.public_bytes_raw(), self._octets(MANIFEST)
        if not signed(self._public_key, self._octets(SIGNATURE), octets):
            raise _Bad("the manifest is not what was signed with the key in the bundle")
        manifest = msgspec.json.decode(octets, type=Manifest)
        if manifest.format != FORMAT:
            raise _Bad(f"is a {manifest.format!r}: this program reads {FORMAT!r}")
        found = fingerprint(self._public_key)
        if self._expected and self._expected != found:
            raise _Bad(f"is by another box: the fingerprint of its key is {found}")
        return manifest, (f"by the box {found}" if self._expected else
                          f"by a box with the key {found}: compare it with what the box's owner says")

    def _complete(self, manifest: Manifest) -> tuple[None, str]:
        wanted = {member.name for member in manifest.members} | {MANIFEST, SIGNATURE}
        for what, wrong in (("missing", wanted - set(self._names)),
                            ("not of this bundle", set(self._names) - wanted),
                            ("there twice", {name for name, count in self._names.items() if count > 1})):
            if wrong:
                raise _Bad(f"{what}: {', '.join(sorted(wrong)[:MOST_NAMED])}")
        return None, f"{len(wanted)}, all of them and no other"

    def _member(self, name: str, octets: int, sha256: str) -> tuple[None, str]:
        if name not in self._names:
            raise _Bad("is missing")
        digest, count = hashlib.sha256(), 0
        with self._archive.open(self._stored(name)) as file:
            while block := file.read(BLOCK_OCTETS):
                digest.update(block)
                count += len(block)
        if (digest.hexdigest(), count) != (sha256, octets):
            raise _Bad("is not what was exported")
        return None, f"{count} octets as they were exported"

    def _metadata(self, manifest: Manifest) -> tuple[_Metadata, str]:
        metadata = msgspec.json.decode(self._octets(METADATA), type=_Metadata)
        files = {member.name: member.sha256 for member in manifest.members if member.name.startswith(FOLDER)}
        for one in metadata.recordings:
            own = one.file.startswith(f"{FOLDER}{one.recording}.")
            if files.pop(one.file, None) != one.sha256 or not own:
                raise _Bad(f"the file of {one.recording} is not the one in the bundle")
        if files:
            raise _Bad(f"says nothing of {', '.join(sorted(files))}")
        return metadata, f"of {len(metadata.recordings)} recordings, each with its own file"

    def _chain(self) -> tuple[BundleChain, str]:
        """All entries are where a signed head says that they are."""
        chain = msgspec.json.decode(self._octets(CHAIN), type=BundleChain)
        heads = {}
        for one in chain.heads:
            head = Head(one.seq, one.at_ms, bytes.fromhex(one.link), self._public_key,
                        bytes.fromhex(one.signature))
            if not head.good:
                raise _Bad(f"the head at entry {one.seq} is not signed by this box")
            heads[one.seq] = head.link
        payloads: dict[int, str] = {}
        for run in chain.runs:
            seq, at = run.first_seq - 1, bytes.fromhex(run.before)
            for payload in run.payloads:
                seq, at = seq + 1, link(at, bytes.fromhex(payload))
                payloads[seq] = payload
                if heads.get(seq, at) != at:
                    raise _Bad(f"its links do not lead to the head that the box signed at entry {seq}")
            if seq not in heads:
                raise _Bad(f"its links from entry {run.first_seq} on lead to no head that the box signed")
        for entry in chain.entries:
            if payloads.get(entry.seq) != _payload(entry):
                raise _Bad(f"entry {entry.seq} is not what the box signed")
        if not chain.heads or len({entry.seq for entry in chain.entries}) != len(chain.entries):
            raise _Bad("has no signed head, or an entry twice")
        last = max(heads)
        return chain, (f"{len(chain.entries)} entries, tied to the box's chain, whose entry {last} it signed "
                       f"as {heads[last].hex()}")

    def _recording(self, facts: Facts, chain: BundleChain, manifest: Manifest) -> tuple[None, str]:
        """It was recorded as it is, and this very export is known to the box."""
        done = [entry for entry in chain.entries if entry.recording == facts.recording]
        said = {kind: [msgspec.json.decode(entry.data, type=dict[str, Any])
                       for entry in done if entry.kind == kind] for kind in ("recorded", "exported")}
        if said["recorded"] and said["recorded"][-1].get("sha256") != facts.sha256:
            raise _Bad("its audio is not what the chain says was recorded")
        if not any(data.get("bundle") == manifest.bundle for data in said["exported"]):
            raise _Bad("the chain does not know of its export in this bundle")
        return None, f"{len(done)} entries: {', '.join(entry.kind for entry in done)}"

    def _octets(self, name: str) -> bytes:
        info = self._stored(name)
        if info.file_size > MAX_TEXT_OCTETS:
            raise _Bad(f"{name} is longer than any that is made")
        return self._archive.read(info)

    def _stored(self, name: str) -> zipfile.ZipInfo:
        info = self._archive.getinfo(name)
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise _Bad(f"{name} is packed or locked, which no bundle is")
        return info


def _payload(entry: ChainedEntry) -> str:
    return Entry(entry.seq, entry.at_ms, entry.kind, entry.recording, entry.by, entry.data,
                 b"").payload_hash.hex()


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
