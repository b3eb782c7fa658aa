"""Two versions of the box on one file: what the newer one adds lets the older one go on, what it takes away
is undone with it."""

import hashlib
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from appliance.centre.events import KINDS
from appliance.errors import ConfigError
from appliance.store import schema as log_schema
from appliance.store import versions
from appliance.store.sqlite import Database, Schema


def create(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    connection.exec_driver_sql("INSERT INTO meta VALUES ('version', '1')")
    connection.exec_driver_sql("CREATE TABLE calls (number TEXT NOT NULL)")


def expand(connection: Connection, version: int) -> None:
    assert version == 1
    connection.exec_driver_sql("ALTER TABLE calls ADD COLUMN grade TEXT NOT NULL DEFAULT 'plain'")
    connection.exec_driver_sql("CREATE TABLE grades (name TEXT)")


def contract(connection: Connection, version: int) -> None:
    connection.exec_driver_sql("ALTER TABLE calls RENAME COLUMN number TO party")


V1 = Schema("acdd", 0x4711, create)
EXPANDED = replace(V1, version=2, oldest_reader=1, migrate=expand)
CONTRACTED = replace(V1, version=2, oldest_reader=2, migrate=contract)


def using(path: Path, schema: Schema, *statements: str) -> list[str]:
    """The numbers in it, after these statements."""
    database = Database(path, schema)
    try:
        with database.write() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
            return [row[0] for row in connection.exec_driver_sql("SELECT * FROM calls ORDER BY 1")]
    finally:
        database.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "acd.sqlite"
    using(path, V1, "INSERT INTO calls VALUES ('1')")
    return path


@pytest.mark.need(19)
def test_the_older_version_goes_on_with_what_the_newer_one_added(path: Path) -> None:
    assert using(path, EXPANDED, "INSERT INTO calls VALUES ('2', 'gold')") == ["1", "2"]
    assert using(path, V1, "INSERT INTO calls (number) VALUES ('3')") == ["1", "2", "3"]
    assert using(path, EXPANDED, "INSERT INTO grades VALUES ('gold')") == ["1", "2", "3"]
    assert versions.read(path) == versions.Found(2, 1)
    assert sorted(one.name for one in path.parent.iterdir()) == ["acd.sqlite", "acd.sqlite.lock"]


@pytest.mark.need(19)
def test_going_back_undoes_what_the_older_version_cannot_read(path: Path) -> None:
    assert using(path, CONTRACTED, "INSERT INTO calls VALUES ('2')") == ["1", "2"]
    assert using(path, V1, "INSERT INTO calls VALUES ('3')") == ["1", "3"]
    with closing(sqlite3.connect(path.with_name("acd.sqlite.of-v2"))) as aside:
        assert aside.execute("SELECT party FROM calls ORDER BY 1").fetchall() == [("1",), ("2",)]
    assert using(path, CONTRACTED) == ["1", "3"], "and the newer one may be tried again"


@pytest.mark.need(19)
def test_a_copy_of_yesterday_is_not_put_back_and_not_kept(path: Path) -> None:
    using(path, CONTRACTED)
    copy = path.with_name("acd.sqlite.v1")
    os.utime(copy, (1, 1))
    with pytest.raises(ConfigError, match="has tables of version 2, this box knows 1"):
        using(path, V1)
    using(path, CONTRACTED)
    assert not copy.exists()


@pytest.mark.need(19)
@pytest.mark.parametrize("at", ["copy", "migrate", "link", "replace"])
def test_a_kill_at_any_step_leaves_one_whole_file(path: Path, at: str,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a copy is whole, before the tables are changed, and while the copy is put back."""
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    def dies(steps: Callable[[], object], where: object, name: str) -> None:
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(where, name, killed)
            steps()

    match at:
        case "copy":
            dies(lambda: using(path, CONTRACTED), os, "fsync")
        case "migrate":
            with pytest.raises(Killed):
                using(path, replace(CONTRACTED, migrate=killed))
        case "link":
            using(path, CONTRACTED)
            dies(lambda: using(path, V1), os, "link")
        case "replace":
            using(path, CONTRACTED)
            dies(lambda: using(path, V1), Path, "replace")
    assert using(path, V1) == ["1"]
    assert using(path, CONTRACTED) == ["1"]


# Of each version of the log's tables: what its events are called. A version before it cannot read others.
EVENTS_OF = {1: "f0c1d2e7761f77ad"}


@pytest.mark.need(19)
def test_who_adds_a_kind_of_event_raises_the_oldest_reader() -> None:
    """acdd of the version before refuses a log with a kind that it does not know. In the release after the
    one that reads the new kind it may be written; or `oldest_reader` says that the older one cannot."""
    kinds = hashlib.sha256(" ".join(sorted(KINDS)).encode()).hexdigest()[:16]
    assert EVENTS_OF.get(log_schema.SCHEMA.version) == kinds, (
        f"{kinds}: give store.schema a version and an oldest_reader, and this table a row; "
        "before the first release: change the row")
