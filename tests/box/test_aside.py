"""Databases of boxd's subjects: what is damaged goes aside whole, what cannot be opened now stays."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.box.aside import MOST_ASIDE, Spoiled, connect, opened
from appliance.box.document.book import open_book as open_document
from appliance.box.flows.book import open_book as open_flows
from appliance.box.maintenance.book import open_book as open_maintenance
from appliance.errors import Unavailable

TABLES = "CREATE TABLE words (word TEXT NOT NULL) STRICT;"


def make(path: Path) -> sqlite3.Connection:
    return connect(path, 7, TABLES, "list")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    base = make(tmp_path / "words.sqlite")
    base.execute("INSERT INTO words VALUES ('kept')")
    base.close()
    return tmp_path / "words.sqlite"


def words(path: Path) -> list[str]:
    base = opened(path, make)
    found = [word for word, in base.execute("SELECT word FROM words")]
    base.close()
    return found


def test_what_is_damaged_goes_aside_under_a_name_that_is_free(path: Path) -> None:
    for number in range(MOST_ASIDE):
        path.write_bytes(f"no database {number} ".encode() * 500)
        assert words(path) == []
        gone = path.with_name(f"words.sqlite.damaged{f'-{number + 1}' if number else ''}")
        assert gone.read_bytes().startswith(f"no database {number} ".encode())
    path.write_bytes(b"no database any more" * 500)
    with pytest.raises(Spoiled, match="restore it from a backup"):
        opened(path, make)
    assert path.read_bytes().startswith(b"no database any more")


def test_what_belongs_to_it_goes_along(path: Path) -> None:
    path.with_name("words.sqlite-journal").write_bytes(b"half done")

    def spoiled(path: Path) -> str:
        if path.exists():
            raise Spoiled("damaged")
        return "new"
    assert opened(path, spoiled) == "new"
    assert path.with_name("words.sqlite.damaged-journal").read_bytes() == b"half done"
    assert not path.with_name("words.sqlite-journal").exists()


@pytest.mark.parametrize("act", ["PRAGMA application_id = 8", "PRAGMA application_id = 0"])
def test_another_programs_database_goes_aside(path: Path, act: str) -> None:
    with sqlite3.connect(path) as base:
        base.execute(act)
    base.close()
    assert words(path) == [] and path.with_name("words.sqlite.damaged").exists()


def test_a_page_that_is_damaged_is_found(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(4096))
    assert words(path) == [] and path.with_name("words.sqlite.damaged").exists()


@pytest.mark.parametrize("open_book", [open_maintenance, open_flows, open_document])
def test_a_book_that_is_locked_is_not_set_aside(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_book: Callable[[Path], Any]) -> None:
    open_book(tmp_path).close()
    (path,) = tmp_path.glob("*.sqlite")
    octets, real = path.read_bytes(), sqlite3.connect

    def hasty(path: Path, **more: Any) -> sqlite3.Connection:
        base: sqlite3.Connection = real(path, timeout=0.1, **more)
        return base
    monkeypatch.setattr(sqlite3, "connect", hasty)
    other = real(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Unavailable, match="locked") as error:
        open_book(tmp_path)
    assert not isinstance(error.value, Spoiled)
    other.execute("ROLLBACK")
    other.close()
    assert path.read_bytes() == octets and not list(tmp_path.glob("*.damaged*"))
    open_book(tmp_path).close()


def test_a_disk_that_does_not_answer_sets_nothing_aside(
        path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Sick:
        def execute(self, text: str) -> Any:
            if text.startswith("PRAGMA quick_check"):
                return iter_one("Tree 2 page 3: unable to get the page. error code=266")
            return iter_one(7)

        def close(self) -> None:
            pass

    def iter_one(value: object) -> Any:
        return type("Rows", (), {"fetchone": lambda self: (value,)})()
    with monkeypatch.context() as sick:
        sick.setattr(sqlite3, "connect", lambda *args, **more: Sick())
        with pytest.raises(Unavailable, match="error code=266") as error:
            opened(path, make)
    assert not isinstance(error.value, Spoiled) and words(path) == ["kept"]
