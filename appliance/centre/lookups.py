"""Asking sources: over HTTP, in a database, in a table. Whoever asks has the time limit and cancels.

Nothing of what is sent stands in an error: it may be a PIN.
"""

import asyncio
import contextlib
import csv
import hmac
import json
import socket
import sqlite3
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import argon2
import h11
import sqlalchemy
from sqlalchemy.pool import NullPool

from appliance.centre.flow.expressions import fill
from appliance.config.sources import SourceConfig
from appliance.errors import BranchlineError

Answer = Mapping[str, Any]
T = TypeVar("T")

ANSWER_OCTETS = 64 * 1024
TABLE_OCTETS = 8 * 1024 * 1024                    # in memory it takes some 15 times as many
THREADS = 4                                       # of a source: names, databases, tables: all that blocks
PIN = "pin"                                       # column of a table that may hold hashes

_NOT_FOUND = (204, 404)
_ROWS_OF_SQLITE = 10_000                          # of its virtual machine, between two looks at the clock


class LookupFailed(BranchlineError):
    """Why there is no answer."""


class Lookups:
    """Of all sources together. Each has threads of its own: one that hangs keeps only its own look-ups."""

    def __init__(self) -> None:
        self._threads: dict[str, ThreadPoolExecutor] = {}
        self._tables: dict[str, _Table] = {}
        self._tls: ssl.SSLContext | None = None

    async def ask(self, source: SourceConfig, send: Mapping[str, str], timeout_s: float) -> Answer | None:
        """None: nothing was found. LookupFailed. Cancel it when it takes too long."""
        if missing := sorted(source.keys - send.keys()):
            raise LookupFailed(f"{source.name} is asked without {', '.join(missing)}: give it in send")
        if source.url is not None:
            return await self._over_http(source, send)
        until = time.monotonic() + timeout_s
        if source.database is not None:
            return await self._beside(source, lambda: _in_database(source, send, until))
        return await self._beside(source, lambda: self._in_table(str(source.table), send))

    def close(self) -> None:
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)

    async def _beside(self, source: SourceConfig, act: Callable[[], T]) -> T:
        threads = self._threads.get(source.name)
        if threads is None:
            threads = self._threads[source.name] = ThreadPoolExecutor(
                THREADS, thread_name_prefix=f"lookup {source.name}")
        return await asyncio.get_running_loop().run_in_executor(threads, act)

    async def _over_http(self, source: SourceConfig, send: Mapping[str, str]) -> Answer | None:
        parts = urlsplit(fill(str(source.url), send, lambda value: quote(value, safe="")))
        host, secure = str(parts.hostname), parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        rest = {key: value for key, value in send.items() if f"{{{key}}}" not in str(source.url)}
        get = source.method == "GET"
        query = "&".join(filter(None, (parts.query, urlencode(rest) if get else "")))
        body = b"" if get else json.dumps(rest).encode()
        request = h11.Request(
            method=source.method, target=(parts.path or "/") + (f"?{query}" if query else ""),
            headers=[("Host", parts.netloc), ("User-Agent", "branchline"), ("Accept", "application/json"),
                     ("Accept-Encoding", "identity"), ("Connection", "close"), *source.headers.items(),
                     *([] if get else [("Content-Type", "application/json"),
                                       ("Content-Length", str(len(body)))])])
        if secure and self._tls is None:
            self._tls = await self._beside(source, ssl.create_default_context)
        try:
            found = await self._beside(
                source, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
            reader, writer = await _connected(addresses, port, self._tls if secure else None, host)
            try:
                status, octets = await _exchange(reader, writer, request, body)
            finally:
                writer.transport.abort()
        except (OSError, h11.ProtocolError, UnicodeError) as error:
            raise LookupFailed(f"{host}: {type(error).__name__}: {error}") from None
        if status in _NOT_FOUND:
            return None
        if not 200 <= status < 300:
            raise LookupFailed(f"{host}: HTTP status {status}")
        return json_object(octets, host)

    def _in_table(self, path: str, send: Mapping[str, str]) -> Answer | None:
        table = self._tables.get(path)
        try:
            stat = Path(path).stat()
            stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if table is None or table.stamp != stamp:
                table = self._tables[path] = _read_table(Path(path), stamp)
        except (OSError, ValueError, csv.Error) as error:
            raise LookupFailed(f"{path}: {error}") from None
        return table.find(send)


async def _connected(addresses: Sequence[str], port: int, tls: ssl.SSLContext | None, host: str,
                     ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """With the first of them that takes it."""
    *others, last = addresses
    for address in others:
        with contextlib.suppress(OSError):
            return await asyncio.open_connection(address, port, ssl=tls, server_hostname=tls and host)
    return await asyncio.open_connection(last, port, ssl=tls, server_hostname=tls and host)


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: h11.Request,
                    body: bytes) -> tuple[int, bytes]:
    """Status and body of the answer."""
    http = h11.Connection(h11.CLIENT)
    for part in (request, *([h11.Data(data=body)] if body else []), h11.EndOfMessage()):
        writer.write(http.send(part) or b"")
    await writer.drain()
    status, octets = 0, b""
    while True:
        event = http.next_event()
        if isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            octets += event.data
            if len(octets) > ANSWER_OCTETS:
                raise LookupFailed(f"an answer of more than {ANSWER_OCTETS} octets")
        elif isinstance(event, h11.EndOfMessage):
            return status, octets
        elif not isinstance(event, h11.InformationalResponse):       # it needs more octets
            http.receive_data(await reader.read(ANSWER_OCTETS))


def json_object(octets: bytes, host: str) -> Answer:
    """What a web service answers. LookupFailed: it is something else."""
    try:
        found = json.loads(octets)
    except (ValueError, RecursionError):
        raise LookupFailed(f"{host}: the answer is no JSON") from None
    if not isinstance(found, dict):
        raise LookupFailed(f"{host}: the answer is no JSON object")
    return found


def _in_database(source: SourceConfig, send: Mapping[str, str], until: float) -> Answer | None:
    values = {key: send[key] for key in source.keys}
    try:
        engine = _engine(str(source.database), until)
        with engine.connect() as connection:
            row = connection.execute(sqlalchemy.text(str(source.query)), values).mappings().first()
            connection.rollback()
        return None if row is None else {str(name): _plain(value) for name, value in row.items()}
    except (sqlalchemy.exc.SQLAlchemyError, ImportError, sqlite3.Error, OSError) as error:
        cause = getattr(error, "orig", None) or error
        words = "" if any(value in str(cause) for value in values.values()) else f": {cause}".splitlines()[0]
        raise LookupFailed(f"{type(cause).__name__}{words}") from None


def _engine(address: str, until: float) -> sqlalchemy.Engine:
    try:
        url = sqlalchemy.make_url(address)
    except ValueError:                            # its words may be a part of the password
        raise LookupFailed("database: its port is no number: write : / @ in its password as %3A %2F %40"
                           ) from None
    if url.get_backend_name() == "sqlite":
        def connect() -> sqlite3.Connection:
            file = Path(url.database or "").absolute().as_uri() + "?mode=ro"
            connection = sqlite3.connect(file, uri=True, timeout=max(0.0, until - time.monotonic()))
            connection.set_progress_handler(lambda: time.monotonic() > until, _ROWS_OF_SQLITE)
            return connection
        return sqlalchemy.create_engine("sqlite://", creator=connect, poolclass=NullPool)
    engine = sqlalchemy.create_engine(url, poolclass=NullPool)
    if url.get_backend_name() == "postgresql":
        engine = engine.execution_options(postgresql_readonly=True)
    return engine


def _plain(value: Any) -> Any:
    """As JSON would have it."""
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


@dataclass(slots=True)
class _Table:
    stamp: tuple[int, int, int]
    columns: frozenset[str]
    rows: list[dict[str, str]]
    _by: dict[tuple[str, ...], dict[tuple[str, ...], dict[str, str]]] = field(default_factory=dict)

    def find(self, send: Mapping[str, str]) -> Answer | None:
        """The first row that has these values; one that has no right pin is none."""
        if unknown := sorted(send.keys() - self.columns):
            raise LookupFailed(f"the table has no column {', '.join(unknown)}")
        columns = tuple(sorted(send.keys() - {PIN}))
        if columns not in self._by:
            index = self._by[columns] = {}
            for row in reversed(self.rows):
                index[tuple(row[column] for column in columns)] = row
        found = self._by[columns].get(tuple(send[column] for column in columns)) if columns else None
        if found is None or (PIN in send and not _right(found[PIN], send[PIN])):
            return None
        return {name: value for name, value in found.items() if name != PIN}


def _read_table(path: Path, stamp: tuple[int, int, int]) -> _Table:
    if stamp[2] > TABLE_OCTETS:
        raise ValueError(f"larger than {TABLE_OCTETS // 1024**2} MiB: use a database")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restval="")
        columns = frozenset(reader.fieldnames or ())
        rows = [{name: row[name] for name in columns} for row in reader]
    if not columns:
        raise ValueError("is empty: its first line has the names of its columns")
    return _Table(stamp, columns, rows)


def _right(kept: str, keyed: str) -> bool:
    if not kept:
        return False
    if kept.startswith("$argon2"):
        with contextlib.suppress(argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return argon2.PasswordHasher().verify(kept, keyed)
        return False
    return hmac.compare_digest(kept.encode(), keyed.encode())
