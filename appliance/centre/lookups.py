"""Asking sources: over HTTP, in a database, in a table. Whoever asks has the time limit and cancels.

Nothing of what is sent stands in an error: it may be a PIN.
"""

import asyncio
import contextlib
import csv
import hmac
import json
import math
import socket
import sqlite3
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import quote, urlencode, urlsplit

import argon2
import h11
import sqlalchemy
from sqlalchemy.pool import NullPool

from appliance.centre.flow.expressions import fill
from appliance.config.sources import SourceConfig
from appliance.errors import BranchlineError

if TYPE_CHECKING:                                 # who has no such source need not import it
    from sqlalchemy.dialects.mysql.base import MySQLDialect

Answer = Mapping[str, Any]
T = TypeVar("T")

ANSWER_OCTETS = 64 * 1024
TABLE_OCTETS = 8 * 1024 * 1024                    # in memory it takes some 15 times as many
THREADS = 4                                       # of a source: names, databases, tables: all that blocks
PIN = "pin"                                       # column of a table that may hold hashes

_NOT_FOUND = (204, 404)
_ROWS_OF_SQLITE = 10_000                          # of its virtual machine, between two looks at the clock
_LIMITS_OF_POSTGRESQL = sqlalchemy.text(          # of this transaction
    "SELECT set_config('transaction_read_only', 'on', true), set_config('statement_timeout', :ms, true)")


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
    """The server, too, is told when to stop, and to change nothing."""
    values = {key: send[key] for key in source.keys}
    try:
        with _engine(str(source.database), until).connect() as connection:
            left_ms = _left_ms(until)
            if connection.dialect.name == "postgresql":
                connection.execute(_LIMITS_OF_POSTGRESQL, {"ms": str(left_ms)})
            elif connection.dialect.name in ("mysql", "mariadb"):
                server = cast("MySQLDialect", connection.dialect)
                longest = f"max_statement_time = {left_ms / 1000}" if server.is_mariadb else (
                    f"max_execution_time = {left_ms}")
                connection.exec_driver_sql(f"SET SESSION sql_select_limit = 1, SESSION {longest}")
            row = connection.execute(sqlalchemy.text(str(source.query)), values).mappings().first()
            connection.rollback()
        answer = None if row is None else {str(name): _plain(value) for name, value in row.items()}
        if len(json.dumps(answer)) > ANSWER_OCTETS:
            raise LookupFailed(f"an answer of more than {ANSWER_OCTETS} octets")
        return answer
    except LookupFailed:
        raise
    except Exception as error:                    # a driver that is sent junk raises anything
        cause = getattr(error, "orig", None) or error
        said = cause.args[0] if cause.args else ""
        said = str(said["M"] if isinstance(said, dict) and "M" in said else cause)     # of pg8000
        words = "" if any(value in str(cause) for value in values.values()) else f": {said}".splitlines()[0]
        raise LookupFailed(f"{type(cause).__name__}{words}") from None


def _engine(address: str, until: float) -> sqlalchemy.Engine:
    """For one connection, none of whose waits is longer than from now to `until`."""
    try:
        url = sqlalchemy.make_url(address)
    except ValueError:                            # its words may be a part of the password
        raise LookupFailed("database: its port is no number: write : / @ in its password as %3A %2F %40"
                           ) from None
    left_s = _left_ms(until) / 1000
    if url.get_backend_name() == "sqlite":
        def connect() -> sqlite3.Connection:
            file = Path(url.database or "").absolute().as_uri() + "?mode=ro"
            connection = sqlite3.connect(file, uri=True, timeout=left_s)
            connection.set_progress_handler(lambda: time.monotonic() > until, _ROWS_OF_SQLITE)
            return connection
        return sqlalchemy.create_engine("sqlite://", creator=connect, poolclass=NullPool)
    mode, root = url.query.get("sslmode", "require"), cast("str | None", url.query.get("sslrootcert"))
    tls = None if mode == "disable" else _tls(mode == "verify-full", root)
    url = url.set(query={})
    if url.get_backend_name() == "postgresql":
        return sqlalchemy.create_engine(
            url.set(drivername="postgresql+pg8000"), poolclass=NullPool,
            connect_args={"timeout": left_s, "ssl_context": tls or False},
        ).execution_options(stream_results=True, max_row_buffer=1)
    return sqlalchemy.create_engine(
        url.set(drivername="mysql+pymysql"), poolclass=NullPool, connect_args={
            "connect_timeout": left_s, "read_timeout": left_s, "write_timeout": left_s,
            "ssl": tls, "ssl_disabled": tls is None, "init_command": "SET SESSION TRANSACTION READ ONLY"})


@lru_cache(16)                                    # reading all authorities takes 20 ms
def _tls(checked: bool, root: str | None) -> ssl.SSLContext:
    if checked:
        return ssl.create_default_context(cafile=root)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _left_ms(until: float) -> int:
    left_ms = math.ceil((until - time.monotonic()) * 1000)
    if left_ms <= 0:
        raise LookupFailed("no time is left to ask")
    return left_ms


def _plain(value: Any) -> Any:
    """As JSON would have it."""
    if value is None or isinstance(value, str | int | float | list | dict):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


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
