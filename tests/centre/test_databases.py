"""Look-ups in PostgreSQL and MariaDB: real servers, which answer, hang, are gone and come back."""

import asyncio
import contextlib
import gc
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
import sqlalchemy
from pydantic import ValidationError
from sqlalchemy.pool import NullPool

from appliance.centre.lookups import THREADS, LookupFailed, Lookups
from appliance.config.sources import SourceConfig
from tests.centre.test_lookups import ask

SHORT_S = 1.0                                     # for those that never answer
ENOUGH_S = 60.0                                   # for the others, on a busy machine
UNPRIVILEGED = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
PASSWORD, QUOTED = "a:p/w@d", "a%3Ap%2Fw%40d"
BY_PHONE = "SELECT name, owes, since FROM customers WHERE phone = :caller"
TABLE = ("CREATE TABLE customers (id integer, phone varchar(20), name varchar(20), owes numeric(9, 2), "
         "since date, pin varchar(20))",
         "INSERT INTO customers VALUES (7, '138', '王', 12.50, '2020-01-02', '2468'), "
         "(8, '139', '李', 0, '2021-01-02', '1357')")


class Server:
    """One that a test may stop and start. The reader may see all columns but the pin."""

    kind: ClassVar[str]
    address: ClassVar[str]                        # of the owner
    statements: ClassVar[tuple[str, ...]]         # of the owner, once
    sleeps: ClassVar[str]                         # queries of the reader
    writes: ClassVar[str]
    secured: ClassVar[str]
    asleep: ClassVar[str]                         # and of the owner: how many sleep
    kill: ClassVar[int]                           # the signal that ends it at once

    def __init__(self, folder: Path) -> None:
        self.folder, self._said = folder, folder / "said"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-days", "2", "-subj", "/CN=crm", "-addext", "subjectAltName=IP:127.0.0.1",
                 "-keyout", "key", "-out", "certificate")
        self.install()
        self.start()
        with self.owner() as owner:
            for statement in self.statements:
                owner.exec_driver_sql(statement)

    def install(self) -> None:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def run(self, *command: str, said: bytes = b"") -> None:
        subprocess.run([*UNPRIVILEGED, *command], input=said, check=True,
                       stdout=subprocess.DEVNULL, cwd=self.folder)

    def start(self) -> None:
        """It ends at once while its port is somebody else's connection, or what it left is not all gone."""
        deadline = time.monotonic() + ENOUGH_S
        self._begin()
        while True:
            with contextlib.suppress(sqlalchemy.exc.DBAPIError), self.owner():
                return
            assert time.monotonic() < deadline, f"{self.kind} did not start: {self._said.read_text()}"
            if self.process.poll() is not None:
                self._begin()
            time.sleep(0.05)

    def _begin(self) -> None:
        with self._said.open("w") as said:
            self.process = subprocess.Popen([*UNPRIVILEGED, *self.command()], cwd=self.folder,
                                            stdout=subprocess.DEVNULL, stderr=said)

    def stop(self) -> None:
        self.process.send_signal(self.kill)
        self.process.wait(ENOUGH_S)

    @contextlib.contextmanager
    def owner(self) -> Iterator[sqlalchemy.Connection]:
        address = self.address.format(port=self.port)
        with sqlalchemy.create_engine(address, poolclass=NullPool).begin() as connection:
            yield connection

    def number(self, query: str) -> int:
        """The owner's answer."""
        with self.owner() as owner:
            return int(owner.exec_driver_sql(query).scalar_one())

    def source(self, query: str = BY_PHONE, options: str = "", port: int | None = None) -> SourceConfig:
        return SourceConfig(name="crm", query=query, database=(
            f"{self.kind}://reader:{QUOTED}@127.0.0.1:{port or self.port}/crm{options}"))


class PostgreSQL(Server):
    kind = "postgresql"
    address = f"postgresql+pg8000://owner:{QUOTED}@127.0.0.1:{{port}}/crm"
    statements = (*TABLE, f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'",
                  "GRANT SELECT (id, phone, name, owes, since) ON customers TO reader",
                  "CREATE FUNCTION pay() RETURNS integer SECURITY DEFINER LANGUAGE sql "
                  "AS 'UPDATE customers SET owes = 0 RETURNING id'")
    sleeps = "SELECT 1 AS a FROM pg_sleep(60)"
    writes = "SELECT pay() AS a"
    secured = "SELECT CASE WHEN ssl THEN 1 ELSE 0 END AS a FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader' AND state = 'active'"
    kill = signal.SIGQUIT

    def install(self) -> None:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        assert programs, "apt-get install postgresql"
        self._server = str(programs[-1] / "postgres")
        (self.folder / "password").write_text(PASSWORD)
        self.run(str(programs[-1] / "initdb"), "-D", "data", "-U", "owner", "--pwfile=password", "--no-sync",
                 "-A", "scram-sha-256", "-E", "UTF8", "--locale=C")
        self.run(self._server, "--single", "-D", "data", "postgres", said=b"CREATE DATABASE crm;\n")

    def command(self) -> list[str]:
        return [self._server, "-D", "data", "-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.folder),
                "-c", "fsync=off", "-c", "ssl=on", "-c", f"ssl_cert_file={self.folder}/certificate",
                "-c", f"ssl_key_file={self.folder}/key"]


class MariaDB(Server):
    kind = "mysql"
    address = "mysql+pymysql://root@127.0.0.1:{port}/crm"
    statements = (*TABLE, f"CREATE USER reader@localhost IDENTIFIED BY '{PASSWORD}'",
                  "GRANT SELECT (id, phone, name, owes, since) ON customers TO reader@localhost",
                  "CREATE FUNCTION pay() RETURNS integer MODIFIES SQL DATA BEGIN "
                  "UPDATE customers SET owes = 0; RETURN 7; END",
                  "GRANT EXECUTE ON FUNCTION pay TO reader@localhost")
    sleeps = "SELECT sleep(60) AS a, name FROM customers"
    writes = "SELECT pay() AS a"
    secured = ("SELECT length(variable_value) > 0 AS a FROM information_schema.session_status "
               "WHERE variable_name = 'Ssl_cipher'")
    asleep = "SELECT count(*) FROM information_schema.processlist WHERE user = 'reader' AND command = 'Query'"
    kill = signal.SIGKILL

    def install(self) -> None:
        assert shutil.which("mariadbd", path="/usr/sbin"), "apt-get install mariadb-server-core"
        tables = Path("/usr/share/mysql")
        self.run("mkdir", "data")
        self.run("/usr/sbin/mariadbd", "--no-defaults", f"--datadir={self.folder}/data", "--bootstrap", said=(
            b"CREATE DATABASE crm CHARACTER SET utf8mb4;\nCREATE DATABASE mysql;\nUSE mysql;\n"
            b"SET @auth_root_socket = NULL;\n"
            + (tables / "mysql_system_tables.sql").read_bytes()
            + (tables / "mysql_system_tables_data.sql").read_bytes()))

    def command(self) -> list[str]:
        return ["/usr/sbin/mariadbd", "--no-defaults", f"--datadir={self.folder}/data", f"--port={self.port}",
                f"--socket={self.folder}/socket", "--bind-address=127.0.0.1",
                f"--pid-file={self.folder}/pid", "--innodb-flush-log-at-trx-commit=0",
                f"--ssl-cert={self.folder}/certificate", f"--ssl-key={self.folder}/key"]


@pytest.fixture(scope="module", params=[PostgreSQL, MariaDB])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """In a folder that an ordinary user may enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="branchline") as folder:
        if UNPRIVILEGED:
            shutil.chown(folder, "nobody", "nogroup")
        made: Callable[[Path], Server] = request.param
        others = os.umask(0o022)                  # a daemon's main may have run in this process
        try:
            server = made(Path(folder))
        finally:
            os.umask(others)
        yield server
        server.stop()


async def test_the_first_row_is_the_answer(server: Server, tmp_path: Path) -> None:
    done = await ask(tmp_path, server.source(), timeout_s=ENOUGH_S, caller="138")
    assert (done.error, done.answer) == ("", {"name": "王", "owes": "12.50", "since": "2020-01-02"})
    query = "SELECT name FROM customers WHERE phone LIKE '13%' AND id = :id"
    done = await ask(tmp_path, server.source(query), timeout_s=ENOUGH_S, id="8")
    assert (done.error, done.answer) == ("", {"name": "李"})
    done = await ask(tmp_path, server.source("SELECT name FROM customers ORDER BY id DESC"),
                     timeout_s=ENOUGH_S)
    assert (done.error, done.answer) == ("", {"name": "李"})
    done = await ask(tmp_path, server.source("SELECT repeat('a', 70000) AS a"), timeout_s=ENOUGH_S)
    assert "more than 65536 octets" in done.error


@pytest.mark.parametrize("attempt", [
    "' OR 1=1 --", "138'; DROP TABLE customers; --", "\\' OR 1=1 #", "%", "$1", ":caller", "138\x00", "",
    "王" * 1000, "\ud800",
])
async def test_what_a_caller_keys_is_a_value(server: Server, tmp_path: Path, attempt: str) -> None:
    done = await ask(tmp_path, server.source(), timeout_s=ENOUGH_S, caller=attempt)
    assert done.answer is None and (attempt == "" or attempt not in done.error)
    assert server.number("SELECT count(*) FROM customers") == 2


async def test_nothing_can_be_changed_nor_seen_without_a_grant(server: Server, tmp_path: Path) -> None:
    done = await ask(tmp_path, server.source("SELECT pin FROM customers"), timeout_s=ENOUGH_S)
    assert "denied" in done.error and "2468" not in done.error
    done = await ask(tmp_path, server.source(server.writes), timeout_s=ENOUGH_S)
    assert "read-only transaction" in done.error.lower().replace("read only", "read-only")
    assert server.number("SELECT round(sum(owes) * 100) FROM customers") == 1250


async def test_a_wrong_query_or_password_says_so(server: Server, tmp_path: Path) -> None:
    done = await ask(tmp_path, server.source("SELECT nothing FROM customers"), timeout_s=ENOUGH_S)
    assert "nothing" in done.error
    right = server.source()
    wrong = right.model_copy(update={"database": str(right.database).replace(QUOTED, "secret")})
    done = await ask(tmp_path, wrong, timeout_s=ENOUGH_S, caller="138")
    assert "reader" in done.error and "secret" not in done.error


async def test_a_query_that_hangs_is_stopped_at_the_server_too(server: Server, tmp_path: Path) -> None:
    done = await ask(tmp_path, server.source(server.sleeps), timeout_s=SHORT_S)
    assert done.answer is None and done.error
    deadline = time.monotonic() + ENOUGH_S / 2    # it would sleep for longer
    while server.number(server.asleep):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
async def test_a_server_that_froze_costs_nothing_but_its_time(server: Server) -> None:
    """More look-ups than there are threads, none of which is kept."""
    lookups = Lookups()

    async def asked(timeout_s: float) -> object:
        return await asyncio.wait_for(lookups.ask(server.source(), {"caller": "138"}, timeout_s), timeout_s)

    server.process.send_signal(signal.SIGSTOP)
    try:
        for error in await asyncio.gather(*(asked(SHORT_S) for _ in range(2 * THREADS)),
                                          return_exceptions=True):
            assert isinstance(error, TimeoutError | LookupFailed)
    finally:
        server.process.send_signal(signal.SIGCONT)
    assert await asked(ENOUGH_S) is not None
    for threads in lookups._threads.values():
        threads.shutdown(cancel_futures=True)
    gc.collect()                                  # sockets that the driver left open


async def test_a_server_that_is_gone_and_comes_back(server: Server, tmp_path: Path) -> None:
    server.stop()
    try:
        done = await ask(tmp_path, server.source(), timeout_s=ENOUGH_S, caller="138")
        assert done.answer is None and "connect" in done.error and "no answer" not in done.error
    finally:
        server.start()
    done = await ask(tmp_path, server.source(), timeout_s=ENOUGH_S, caller="138")
    assert done.answer is not None


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("junk", [
    b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"R\x7f\xff\xff\xff", b"\x00" * 4096, b"\xff" * 4096,
    b"J\x00\x00\x00\x0a5.5.5\x00" + bytes(range(256)), b"E\x00\x00\x00\x05\x00",
    b"R\x00\x00\x00\x08\x00\x00\x00\x63",
])
async def test_junk_of_a_server_is_an_error_in_time(server: Server, tmp_path: Path, junk: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if server.kind == "postgresql":           # of MySQL the server speaks first
            await reader.read(1024)
        writer.write(junk)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    source = server.source(port=listening.sockets[0].getsockname()[1])
    done = await ask(tmp_path, source, timeout_s=ENOUGH_S, caller="138")
    assert done.answer is None and done.error and "no answer" not in done.error
    listening.close()
    await listening.wait_closed()
    gc.collect()                                  # sockets that the driver left open


async def test_with_sslmode_the_server_is_the_one_that_it_says(server: Server, tmp_path: Path) -> None:
    checked = f"?sslmode=verify-full&sslrootcert={server.folder}/certificate"
    done = await ask(tmp_path, server.source(server.secured, checked), timeout_s=ENOUGH_S)
    assert (done.error, done.answer) == ("", {"a": 1})
    for options, secured in (("", 1), ("?sslmode=disable", 0)):
        done = await ask(tmp_path, server.source(server.secured, options), timeout_s=ENOUGH_S)
        assert (done.error, done.answer) == ("", {"a": secured})
    done = await ask(tmp_path, server.source(server.secured, "?sslmode=verify-full"), timeout_s=ENOUGH_S)
    assert "certificate verify failed" in done.error


@pytest.mark.parametrize("address", [
    "postgres://reader:secret@crm/crm", "oracle://reader:secret@crm/crm", "crm.db", "reader:secret@crm",
    "postgresql://reader:secret@crm/crm?sslmode=prefer", "mysql://reader:secret@crm/crm?charset=utf8",
    "postgresql://reader:secret@crm/crm?sslrootcert=ca.pem",
])
def test_an_address_of_another_kind_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(ValidationError) as refused:
        SourceConfig(name="crm", database=address, query="SELECT 1")
    [error] = refused.value.errors(include_input=False)
    assert error["loc"] == ("database",) and "secret" not in error["msg"]
