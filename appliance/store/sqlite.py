"""One SQLite file of ours: made whole or not at all, refused when it is not ours, held by one process.

What two versions of the box, in two slots, make of one file: versions.py.

Ref: sqlite.org/fileformat2.html (header), sqlite.org/wal.html.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError

from appliance.errors import ConfigError
from appliance.store import versions

REPAIR = "restore it from a backup, or move it away to begin with an empty one"
BUSY_MS = 10_000

_MAGIC = b"SQLite format 3\0"
_APPLICATION_ID_AT = 68
_DISK_ERRORS = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)


def _no_migration(connection: Connection, version: int) -> None:
    """Its tables are made anew where they are missing."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What a file of ours holds, and whose it is."""

    daemon: str                                   # that has it open
    application_id: int                           # in the file's header
    create: Callable[[Connection], None]          # all tables and the table meta, in one transaction
    pragmas: tuple[str, ...] = ()                 # of every connection, beside those of all files
    version: int = 1                              # of the tables
    oldest_reader: int = 1                        # the oldest version of a box that can use these tables
    migrate: Callable[[Connection, int], None] = _no_migration       # from that version, in one transaction


class Database:
    """Transactions on one file. ConfigError at opening says what to do; the file is left as it is."""

    def __init__(self, path: Path, schema: Schema) -> None:
        try:
            # Beside the file: a POSIX lock on the file itself ends when any descriptor of it is closed.
            self._lock = path.with_name(path.name + ".lock").open("wb")
        except OSError as error:
            raise ConfigError(f"{path}: cannot be opened: {error.strerror}") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _refuse_foreign(path, schema)
            if not path.exists() or path.stat().st_size == 0:
                _create(path, schema)
            else:
                versions.fit(path, schema.version)
        except BlockingIOError:
            self._lock.close()
            raise ConfigError(
                f"{path}: another program has it open: stop {schema.daemon} first") from None
        except (OSError, DBAPIError, sqlite3.Error) as error:
            self._lock.close()
            raise ConfigError(f"{path}: cannot be opened: {reason(error)}") from None
        except BaseException:
            self._lock.close()
            raise
        self._engine = _engine(path, schema)
        try:
            self._migrate(path, schema)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view; writers go on beside it."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """All or nothing, on the disk at the end."""
        with self._engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
            yield connection

    def _migrate(self, path: Path, schema: Schema) -> None:
        """To the tables of `schema`, from those of an older version."""
        found = versions.read(path)
        if found is None or found.version >= schema.version:
            return
        if schema.oldest_reader > found.version:
            versions.keep(path, found.version)
        try:
            with self.write() as connection:
                schema.migrate(connection, found.version)
                for key, value in (("version", schema.version), ("oldest_reader", schema.oldest_reader)):
                    connection.exec_driver_sql("DELETE FROM meta WHERE key = ?", (key,))
                    connection.exec_driver_sql("INSERT INTO meta VALUES (?, ?)", (key, str(value)))
        except DBAPIError as error:
            raise ConfigError(f"{path}: its tables of version {found.version} cannot become those of "
                              f"{schema.version} ({reason(error)}): free space on its disk") from None

    def empty_log(self) -> bool:
        """Nothing that was deleted is in the write-ahead log any more. False: somebody reads; ask again."""
        with self._engine.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute("PRAGMA busy_timeout = 0")                # nobody else waits for this
            try:
                busy: int = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        return not busy

    def close(self) -> None:
        self._engine.dispose()
        self._lock.close()


def quick_check(connection: Connection, path: Path) -> None:
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if found != "ok":
        raise ConfigError(f"{path}: is damaged ({' '.join(str(found).split())}): {REPAIR}")


def reason(error: Exception) -> str:
    """SQLite's or the system's own words, on one line."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    text = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return " ".join(text.split())


def _refuse_foreign(path: Path, schema: Schema) -> None:
    """Look at the header without SQLite, which would write beside a file that it opens."""
    if not path.exists():
        return
    with path.open("rb") as file:
        header = file.read(_APPLICATION_ID_AT + 4)
    if not header:
        return
    if not header.startswith(_MAGIC):
        raise ConfigError(f"{path}: is not a database, or its beginning is damaged: {REPAIR}")
    if int.from_bytes(header[_APPLICATION_ID_AT:], "big") != schema.application_id:
        raise ConfigError(f"{path}: is another program's database: move it away, or correct the state folder")


def _create(path: Path, schema: Schema) -> None:
    """Under another name until it is whole, so that a power cut leaves either nothing or all of it."""
    new = path.with_name(path.name + ".new")
    for suffix in ("", "-wal", "-shm", "-journal"):
        new.with_name(new.name + suffix).unlink(missing_ok=True)
    new.touch(mode=0o640)                         # names and numbers of people; -wal and -shm follow it
    engine = _engine(new, schema)
    with engine.connect() as connection:
        # First and outside a transaction: it has to be in the file's own header, not in a WAL.
        connection.connection.cursor().execute(f"PRAGMA application_id = {schema.application_id}")
        connection.connection.cursor().execute("PRAGMA journal_mode = WAL")
    with engine.begin() as connection:
        schema.create(connection)
        connection.exec_driver_sql(
            "INSERT INTO meta VALUES ('oldest_reader', ?)", (str(schema.oldest_reader),))
    with engine.connect() as connection:
        # Closing would do it, too, but says nothing when the disk refuses: no tables would be left.
        connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    new.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _engine(path: Path, schema: Schema) -> Engine:
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True)     # numbers of people
    listen(engine, "connect", partial(_connected, schema.pragmas))
    listen(engine, "begin", _begin)
    listen(engine, "handle_error", _opened_anew)
    return engine


def _connected(pragmas: tuple[str, ...], connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None             # BEGIN is ours: the driver's own would leave DDL outside
    for pragma in ("foreign_keys = ON", "synchronous = FULL", f"busy_timeout = {BUSY_MS}", *pragmas):
        connection.execute(f"PRAGMA {pragma}")


def _opened_anew(context: ExceptionContext) -> None:
    """SQLite opens for reading only what it cannot open for writing at that moment, and leaves it so.

    The cursor is closed now, not when its exception is collected: until then its connection's files stay
    open, and the next one shares the -shm, which is for reading only as well.
    """
    error = context.original_exception
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DISK_ERRORS:
        context.is_disconnect = True
        if context.execution_context is not None:
            context.execution_context.cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
