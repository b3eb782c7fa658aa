"""What is asked of the vault on the bus: the chain, the box's keys, exports. In a worker thread."""

import os
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from appliance.bus.messages import (
    BoxKey,
    ChainChecked,
    ChainPage,
    Exported,
    ExportRecordings,
    ExportTo,
    GetBoxKey,
    GetChain,
    LinkedEntry,
    RotateKeys,
    VerifyChain,
)
from appliance.errors import StateError
from appliance.recording.catalogue import rows
from appliance.recording.parts import Answers, Parts
from appliance.recording.vault import chain
from appliance.recording.vault.bundle import EXPORTS, Box, Item, Order, export
from appliance.recording.vault.chain import Checked
from appliance.recording.vault.keys import fingerprint, pem
from appliance.recording.wav import TICKS_PER_S
from appliance.store.sqlite import reason

MOST_EXPORTED = 1000
LEAST_FREE = 0.03                                 # of a disk, that an export leaves
LEAST_PASSPHRASE = 8
MOST_KEYS = 8                                     # in the ring: each is there for some hours

_NAME = re.compile(r"[^/\0]{0,200}")

# Of the catalogue's row; the rest is of the box's own keeping.
_FACTS = ("began_at", "ended_at", "contact", "direction", "missed", "kind", "calling", "called", "withheld",
          "trunk", "queue", "agent", "node", "grade", "outcome", "disposition", "note", "score", "format",
          "holds")


def _get_chain(parts: Parts, asked: GetChain) -> ChainPage:
    with parts.database.read() as connection:
        entries = chain.page(
            connection, recording=asked.recording, kinds=tuple(asked.kinds), by=asked.by,
            from_at=asked.from_at, until_at=asked.until_at, before_seq=asked.before_seq,
            most=max(0, asked.most))
    return ChainPage(entries=[
        LinkedEntry(seq=one.seq, at=one.at_ms / 1000, kind=one.kind, recording=one.recording, by=one.by,
                    data=one.data, link=one.link.hex()) for one in entries])


def _verify_chain(parts: Parts, _: VerifyChain) -> ChainChecked:
    with parts.database.read() as connection:
        checked = chain.check(connection, Checked())
        head = chain.last_head(connection)
    return ChainChecked(
        entries=checked.seq, link=checked.link.hex(), broken_seq=checked.broken_seq, why=checked.why,
        head_seq=0 if head is None else head.seq, head_at=0.0 if head is None else head.at_ms / 1000)


def _box_key(parts: Parts, _: GetBoxKey) -> BoxKey:
    public = parts.keys.public_key
    return BoxKey(public_key=pem(public).decode(), fingerprint=fingerprint(public), ring=parts.keys.ids)


def _rotate(parts: Parts, asked: RotateKeys) -> BoxKey:
    if len(parts.keys.ids) >= MOST_KEYS:
        raise StateError(f"{MOST_KEYS - 1} older keys are there yet: recordings are still taken over to the "
                         "newest; ask again when they are gone (branchline recordings key)")
    try:
        with parts.database.write() as connection:
            key_id = parts.keys.rotate()
            parts.chain.append(connection, parts.now(), "key-rotated", "", asked.by,
                               {"key": key_id, "why": asked.why})
    except OSError as error:
        raise StateError(f"no new key was made: {reason(error)}: mend the disk and ask again") from None
    return _box_key(parts, GetBoxKey())


def _export(parts: Parts, asked: ExportRecordings | ExportTo) -> Exported:
    names = list(dict.fromkeys(asked.recordings))
    if not 0 < len(names) <= MOST_EXPORTED:
        raise StateError(f"1 to {MOST_EXPORTED} recordings go into a bundle, {len(names)} were named")
    if not asked.by or not asked.why:
        raise StateError("who exports, and why? Both are kept: give them")
    if 0 < len(asked.passphrase) < LEAST_PASSPHRASE:
        raise StateError(f"passphrase: give {LEAST_PASSPHRASE} characters or more: who has the file can try")
    with parts.database.read() as connection:
        items = [_item(parts, rows.get(connection, name), name, connection) for name in names]
    path = _path(parts, asked.to_path if isinstance(asked, ExportTo) else "", sealed=bool(asked.passphrase))
    _refuse_filling(path, sum(item.octets for item in items))
    try:
        made = export(Order(items, asked.by, asked.why, path, asked.passphrase),
                      Box(parts.keys, parts.chain, parts.database), parts.now())
    except OSError as error:
        raise StateError(f"{path}: cannot be written: {reason(error)}: nothing was exported") from None
    return Exported(path=str(path), octets=made.octets, sha256=made.sha256, recordings=len(names))


def _item(parts: Parts, row: rows.Recording | None, name: str, connection: Connection) -> Item:
    if row is None:
        raise StateError(f"{name}: no such recording: look it up again")
    if row.state != "kept":
        raise StateError(f"{name}: its audio is not on the box: " + (
            f"it was erased: {row.erased_why}" if row.state == "erased" else
            "it is in the archive: have it fetched back first"))
    details = msgspec.to_builtins(rows.detailed(connection, row.number))
    facts = {key: getattr(row, key) for key in _FACTS} | {
        "duration_s": row.duration_ticks / TICKS_PER_S, "gap_s": row.gap_ticks / TICKS_PER_S,
        "tags": row.tags.split("\n") if row.tags else []} | details
    return Item(row.recording, row.format, parts.folder / row.path, row.sha256, row.octets, facts)


def _refuse_filling(path: Path, octets: int) -> None:
    """Calls that are still to be recorded need the disk more. No folder there: said when it is opened."""
    try:
        disk = os.statvfs(path.parent)
    except OSError:
        return
    if disk.f_bavail * disk.f_frsize - octets < LEAST_FREE * disk.f_blocks * disk.f_frsize:
        raise StateError(f"{path.parent}: {octets:,} octets would leave less than {LEAST_FREE:.0%} of its "
                         "disk free: export fewer at a time, or to another disk")


def _path(parts: Parts, to_path: str, *, sealed: bool) -> Path:
    """Absolute, as asked; else in the folder of exports, which is made."""
    path = Path(to_path)
    if path.is_absolute():
        if ".." in path.parts:
            raise StateError(f"{path}: names a folder by '..': give the way to it as it is")
        return path
    if to_path in (".", "..") or not _NAME.fullmatch(to_path):
        raise StateError(f"{to_path}: give a name without folders, or an absolute path on the box")
    folder = parts.folder.resolve() / EXPORTS
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StateError(f"{folder}: cannot be made: {reason(error)}") from None
    made_at = datetime.fromtimestamp(parts.now(), UTC)
    suffix = ".zip.sealed" if sealed else ".zip"
    return folder / (to_path or f"recordings-{made_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}{suffix}")


ANSWERS: Answers = {
    GetChain: _get_chain,
    VerifyChain: _verify_chain,
    GetBoxKey: _box_key,
    RotateKeys: _rotate,
    ExportRecordings: _export,
    ExportTo: _export,
}
