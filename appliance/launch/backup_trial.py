"""A trial restore: a backup unpacked into a folder of its own and opened as the daemons open it."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from appliance.box.backup.format import AUDIO, CONFIG, STATE, Held
from appliance.box.backup.opening import Backup
from appliance.box.backup.snapshot import integrity, rows
from appliance.centre.figures.counting import FigureCounting
from appliance.centre.projector import ContactProjector
from appliance.errors import BranchlineError
from appliance.launch.up import check
from appliance.recording.catalogue.schema import FILE as CATALOGUE
from appliance.recording.catalogue.schema import open_catalogue
from appliance.recording.vault import chain
from appliance.recording.vault.keys import Keys
from appliance.store.events import FILE as LOG
from appliance.store.events import EventLog


@dataclass(frozen=True, slots=True)
class Finding:
    subject: str
    good: bool
    text: str


class _Bad(Exception):
    """This does not hold, and why."""


def trial(backup: Backup, folder: Path) -> list[Finding]:
    """What holds and what does not; `folder` is empty. BackupError: it cannot even be unpacked."""
    manifest, state = backup.manifest, folder / STATE
    backup.unpack(lambda name: None if AUDIO.fullmatch(name) else folder / name)
    found = [Finding("files", True, f"{len(manifest.files)} and {manifest.audio.count} recordings, "
                     f"{manifest.octets:,} octets, each as it was backed up")]

    def look(subject: str, at: Callable[[], str]) -> None:
        try:
            found.append(Finding(subject, True, at()))
        except (_Bad, BranchlineError, SQLAlchemyError, sqlite3.Error, OSError) as error:
            found.append(Finding(subject, False, " ".join(str(error).split())))
    for one in manifest.files:
        if one.rows or one.name.endswith(".sqlite"):
            look(one.name, lambda one=one: _database(folder / one.name, one))    # type: ignore[misc]
    if (state / LOG).exists():
        look("event log", lambda: _event_log(state / LOG))
    if (state / "recordings" / CATALOGUE).exists():
        look("chain", lambda: _chain(state / "recordings"))
    look("configuration", lambda: _configuration(folder / CONFIG / manifest.document))
    return found


def _database(path: Path, held: Held) -> str:
    if wrong := integrity(path):
        raise _Bad(f"is damaged: {wrong}")
    if (there := rows(path)) != held.rows:
        differing = sorted(name for name in {*there, *held.rows} if there.get(name) != held.rows.get(name))
        raise _Bad(f"has other numbers of rows than when it was backed up: {', '.join(differing)}")
    return f"whole, {sum(there.values()):,} rows in {len(there)} tables, as many as were backed up"


def _event_log(path: Path) -> str:
    log = EventLog(path, ContactProjector(), FigureCounting())
    try:
        return f"opens: {log.counts()['contacts']:,} contacts, {log.seq:,} events"
    finally:
        log.close()


def _chain(folder: Path) -> str:
    """Of what was done with recordings; and the keys are those that signed it."""
    database = open_catalogue(folder)
    try:
        with database.read() as connection:
            checked, head = chain.check(connection, chain.Checked()), chain.last_head(connection)
    finally:
        database.close()
    if checked.broken_seq is not None:
        raise _Bad(f"does not hold at entry {checked.broken_seq}: {checked.why}")
    keys = Keys(folder / "keys")
    if head is not None and head.public_key != keys.public_key:
        raise _Bad("was signed by another key than the one in the backup")
    return f"holds: {checked.seq:,} entries; {len(keys.ids)} keys that open recordings"


def _configuration(document: Path) -> str:
    config = check(document)
    return f"in order: {len(config.spans)} spans, {len(config.centre.queues)} queues"
