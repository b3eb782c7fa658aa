"""What the vault does by time: it signs and checks the chain, and takes recordings over to a new key."""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from appliance.recording.catalogue.described import Altered, some_altered
from appliance.recording.parts import Parts
from appliance.recording.vault.bundle import EXPORTS
from appliance.recording.vault.chain import Checked, check
from appliance.recording.vault.keys import KeyStore
from appliance.store.sealed import KeyGone, Tampered, rewrap
from appliance.store.sqlite import reason

ENTRIES_AT_ONCE = 5_000                           # 20 ms
ROWS_AT_ONCE = 1_000
FILES_AT_ONCE = 50                                # of an fdatasync or two each, while a rotation goes on
BUSY_S = 0.2                                      # until the next of these
IDLE_S = 60.0
CHECK_EVERY_S = 86_400.0                          # the whole chain, from its beginning
EXPORTS_KEPT_S = 7 * 86_400.0
SETTLES_S = 3_600.0                               # a file may still be made with the key before

log = logging.getLogger(__name__)


class Tending:
    """Remembers nothing that a restart may not forget: the files and the chain say what is left to do."""

    def __init__(self, keys: KeyStore, folder: Path, journal_keys: Callable[[], set[str]]) -> None:
        """`journal_keys`: ids of the keys that the journal still wants."""
        self._rotation = Rotation(keys, folder, journal_keys)
        self._checked, self._check_began_at = Checked(), float("-inf")
        self._row: int | None = None              # the last that was held against the chain; None: all were
        self._altered: list[Altered] = []         # in this walk
        self._signed_seq = 0
        self._exports = folder / EXPORTS
        self._began = False

    def tend(self, parts: Parts, now: float) -> float:
        """Some of what is due; when to be called again. Only one thread at a time."""
        with parts.database.write() as connection:
            foreign = parts.chain.claim(connection, now)
            head = parts.chain.sign_when_due(connection, now)
        if foreign is not None:
            parts.warn("keys", f"another key than this box's signed the chain at entry {foreign.seq}: the "
                       "box's keys were lost, or the chain was made elsewhere: restore the keys from a "
                       "backup, or call the auditor")
        if head is not None:
            self._signed_seq = head.seq
            log.info("chain: entry %d signed: %s", head.seq, head.link.hex())
        self._tidy_exports(now)
        busy = self._check(parts, now) or self._check_rows(parts)
        busy |= self._rotation.step(parts, now)
        return now + (BUSY_S if busy else IDLE_S)

    def end(self, parts: Parts, now: float) -> None:
        """Sign what came since the last head: a clean stop leaves no end of the chain unsigned."""
        try:
            with parts.database.write() as connection:
                head = parts.chain.sign(connection, now)
        except (OSError, SQLAlchemyError) as error:
            log.warning("chain: its end stays unsigned until the next start: %s", reason(error))
            return
        if head is not None:
            log.info("chain: entry %d signed: %s", head.seq, head.link.hex())

    def figures(self) -> dict[str, float]:
        """For the heartbeat. chain_broken must be 0."""
        return {"chain_checked_entries": self._checked.seq, "chain_signed_entries": self._signed_seq,
                "chain_broken": int(self._checked.broken_seq is not None), "altered": len(self._altered),
                "older_keys": self._rotation.older}

    def _tidy_exports(self, now: float) -> None:
        """They can be made again, and are not sealed; those without a name are what a power cut left."""
        for path in self._exports.glob("*"):
            unfinished = not self._began and path.name.startswith(".")
            with suppress(OSError):
                if unfinished or path.lstat().st_mtime < now - EXPORTS_KEPT_S:
                    path.unlink()
                    log.info("%s: removed", path)
        self._began = True

    def _check(self, parts: Parts, now: float) -> bool:
        if not 0 <= now - self._check_began_at < CHECK_EVERY_S:
            self._checked, self._check_began_at = Checked(), now
            self._row, self._altered = -1, []
        with parts.database.read() as connection:
            checked = check(connection, self._checked, ENTRIES_AT_ONCE)
        if checked.broken_seq is not None and self._checked.broken_seq is None:
            log.error("chain: entry %d does not hold: %s", checked.broken_seq, checked.why)
        self._checked = checked
        if checked.done:
            parts.warn("chain", "" if checked.broken_seq is None else
                       f"the chain of what was done with recordings does not hold from entry "
                       f"{checked.broken_seq} on: {checked.why}: keep the disk as it is and call the auditor")
        return not checked.done

    def _check_rows(self, parts: Parts) -> bool:
        """Some of the catalogue, once the chain was looked at; True: go on soon."""
        if self._row is None:
            return False
        with parts.database.read() as connection:
            self._row, found = some_altered(connection, self._row, ROWS_AT_ONCE)
        self._altered += found
        if self._row is not None:
            return True
        parts.warn("altered", "" if not self._altered else
                   f"{len(self._altered)} recordings have other facts than the chain says, the first is "
                   f"{self._altered[0].recording}: somebody changed the database: keep the disk as it is and "
                   "call the auditor")
        return False


class Rotation:
    """Takes all recordings over to the newest key, then destroys the older ones.

    It goes through all files, hourly, until a whole walk found nothing to do that began when no file could be
    in the making with an older key any more.
    """

    def __init__(self, keys: KeyStore, folder: Path, journal_keys: Callable[[], set[str]]) -> None:
        self._keys, self._folder, self._journal_keys = keys, folder, journal_keys
        self._current, self._since = "", 0.0
        self._walk: Iterator[Path] | None = None
        self._began_at = self._next_at = 0.0
        self._taken_over = 0                      # in this walk
        self._failed = ""

    @property
    def older(self) -> int:
        """Keys that are not destroyed yet."""
        return len(self._keys.ids) - 1

    def step(self, parts: Parts, now: float) -> bool:
        """Some files; True: go on soon."""
        current = self._keys.current
        if self._current != current:
            self._current, self._since, self._walk, self._next_at = current, now, None, now
        if not self.older:
            return False
        if self._walk is None:
            if now < self._next_at:
                return False
            self._began_at, self._next_at = now, now + SETTLES_S
            self._walk, self._taken_over, self._failed = _files(self._folder), 0, ""
        some = list(islice(self._walk, FILES_AT_ONCE))
        for path in some:
            self._take_over(path)
        if len(some) == FILES_AT_ONCE:
            return True
        self._walk = None
        parts.warn("rotation", self._failed)
        if self._taken_over:
            log.info("keys: %d recordings taken over to %s", self._taken_over, current)
        elif not self._failed and self._began_at >= self._since + SETTLES_S:
            self._destroy(parts, now)
        return False

    def _take_over(self, path: Path) -> None:
        try:
            self._taken_over += rewrap(path, self._keys, self._current)
        except FileNotFoundError:
            pass                                  # erased meanwhile
        except (Tampered, KeyGone) as error:      # lost already: no key helps it
            log.warning("%s: stays as it is: %s", path, error)
        except OSError as error:
            self._failed = (f"{path}: cannot be taken over to the new key: {error.strerror}: mend the disk; "
                            "the older key stays until then")

    def _destroy(self, parts: Parts, now: float) -> None:
        wanted = self._journal_keys()
        for key_id in self._keys.ids[:-1]:
            if key_id not in wanted:
                with parts.database.write() as connection:
                    parts.chain.append(connection, now, "key-destroyed", "", "recordd", {"key": key_id})
                self._keys.forget(key_id)
                log.info("keys: %s is destroyed", key_id)


def _files(folder: Path) -> Iterator[Path]:
    for day in sorted(folder.glob("[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]")):
        yield from sorted(day.glob("*.blr"))
