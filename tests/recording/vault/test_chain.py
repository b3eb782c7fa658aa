"""The chain of what was done: nothing in it can be changed, moved, taken out or cut off unseen."""

import sqlite3
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from appliance.recording.vault import chain
from appliance.recording.vault.chain import Checked
from appliance.recording.vault.links import canonical
from tests.recording.vault.box import NOON, Box

HOUR_S = 3600.0


@pytest.fixture
def filled(box: Box) -> Box:
    """Entries 1 to 40; signed at 20."""
    for number in range(40):
        box.clock[0] = NOON + number
        kind, by = [("listened", "li"), ("downloaded", "王")][number % 2]
        box.say(kind, f"{number % 3:032x}", by, why=number)
        if number == 19:
            with box.parts.database.write() as connection:
                box.parts.chain.sign(connection, box.clock[0])
    return box


def broken(box: Box) -> int | None:
    with box.parts.database.read() as connection:
        return chain.verify(connection)


def edit(box: Box, *statements: str) -> None:
    """As somebody does who has the file."""
    with sqlite3.connect(box.parts.folder / "recordings.sqlite") as file:
        for table, act in (("chain", "no_update"), ("chain", "no_delete"), ("chain", "in_order"),
                           ("chain_heads", "no_update"), ("chain_heads", "no_delete")):
            file.execute(f"DROP TRIGGER IF EXISTS {table}_{act}")
        for statement in statements:
            file.execute(statement)
    file.close()


def test_a_chain_that_nobody_touched_holds(filled: Box) -> None:
    assert broken(filled) is None


def test_an_empty_chain_holds_and_is_not_signed(box: Box) -> None:
    assert broken(box) is None
    with box.parts.database.write() as connection:
        assert box.parts.chain.sign(connection, NOON) is None


@pytest.mark.parametrize(("statement", "where"), [
    ("UPDATE chain SET data = replace(data, '7', '8') WHERE seq = 8", 8),
    ("UPDATE chain SET at_ms = at_ms + 1 WHERE seq = 8", 8),
    ("UPDATE chain SET kind = 'listened' WHERE seq = 8", 8),
    ("UPDATE chain SET `by` = 'zhang' WHERE seq = 8", 8),
    ("UPDATE chain SET `by` = x'ff00' WHERE seq = 8", 8),
    ("UPDATE chain SET recording = '' WHERE seq = 8", 8),
    ("UPDATE chain SET link = zeroblob(32) WHERE seq = 8", 8),
    ("DELETE FROM chain WHERE seq = 8", 8),
    ("DELETE FROM chain WHERE seq = 1", 1),
    ("UPDATE chain SET seq = 100 - seq WHERE seq IN (8, 9)", 8),
    ("DELETE FROM chain WHERE seq >= 15", 15),
    ("DELETE FROM chain", 1),
    ("UPDATE chain_heads SET at_ms = 0", 20),
    ("UPDATE chain_heads SET signature = zeroblob(64)", 20),
])
def test_who_edits_the_file_is_found_out(filled: Box, statement: str, where: int) -> None:
    edit(filled, statement)
    assert broken(filled) == where


def test_who_makes_all_links_anew_fails_at_the_signed_head(filled: Box) -> None:
    with filled.parts.database.read() as connection:
        entries = chain.between(connection, 1, 40)
    edit(filled, "DELETE FROM chain")
    for entry in entries:
        filled.clock[0] = entry.at_ms / 1000
        filled.say(entry.kind, entry.recording, "nobody", **entry.facts)
    assert broken(filled) == 20


@pytest.mark.parametrize("statement", [
    "UPDATE chain SET data = '{}'", "DELETE FROM chain WHERE seq = 40", "UPDATE chain_heads SET at_ms = 0",
    "INSERT OR REPLACE INTO chain SELECT * FROM chain WHERE seq = 3",
    "DELETE FROM chain_heads", "INSERT OR REPLACE INTO chain_heads SELECT * FROM chain_heads"])
def test_the_tables_only_grow(filled: Box, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"), filled.parts.database.write() as connection:
        connection.exec_driver_sql(statement)
    assert broken(filled) is None


def test_an_entry_is_there_when_its_transaction_is(filled: Box) -> None:
    with pytest.raises(RuntimeError), filled.parts.database.write() as connection:
        assert filled.parts.chain.append(connection, NOON, "held", "", "li", {}).seq == 41
        raise RuntimeError
    filled.say("held")
    with filled.parts.database.read() as connection:
        assert [entry.kind for entry in chain.between(connection, 40, 50)] == ["downloaded", "held"]


def test_a_check_in_steps_finds_the_same(filled: Box) -> None:
    checked, steps = Checked(), 0
    with filled.parts.database.read() as connection:
        while not checked.done:
            checked, steps = chain.check(connection, checked, 7), steps + 1
    assert (checked.seq, checked.broken_seq, steps) == (40, None, 6)
    filled.say("held")
    with filled.parts.database.read() as connection:
        checked = chain.check(connection, checked, 7)
    assert (checked.seq, checked.broken_seq) == (41, None)
    edit(filled, "DELETE FROM chain WHERE seq > 30")
    with filled.parts.database.read() as connection:
        assert chain.check(connection, checked, 7).broken_seq == 41


def test_heads_are_signed_once_an_hour_when_something_came(box: Box) -> None:
    signed = []
    for at, comes in ((0, True), (10, True), (HOUR_S - 1, True), (HOUR_S, False), (2 * HOUR_S, False),
                      (3 * HOUR_S, True)):
        if comes:
            box.say("listened")
        with box.parts.database.write() as connection:
            head = box.parts.chain.sign_when_due(connection, NOON + at)
        signed.append(None if head is None else head.seq)
    assert signed == [1, None, None, 3, None, 4]
    assert broken(box) is None


def test_an_auditor_finds_entries(filled: Box) -> None:
    def seqs(**asked: object) -> list[int]:
        with filled.parts.database.read() as connection:
            return [entry.seq for entry in chain.page(connection, **asked)]          # type: ignore[arg-type]

    assert seqs(most=3) == [40, 39, 38]
    assert seqs(most=3, before_seq=38) == [37, 36, 35]
    assert seqs(by="王", most=2) == [40, 38]
    assert seqs(kinds=("listened",), most=2) == [39, 37]
    assert seqs(from_at=NOON + 10, until_at=NOON + 12) == [12, 11]
    with filled.parts.database.read() as connection:
        mine = chain.of_recording(connection, f"{1:032x}")
    assert [entry.seq for entry in mine] == list(range(2, 41, 3))
    assert mine[0].facts == {"why": 1}


@pytest.mark.parametrize("data", [{"a": float("nan")}, {"a": "\ud800"}])
def test_what_has_no_one_spelling_is_refused(box: Box, data: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        box.say("held", **data)
    assert canonical({"b": 1, "a": "京"}) == '{"a":"京","b":1}'
    assert broken(box) is None
