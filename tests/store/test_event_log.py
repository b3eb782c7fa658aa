"""The event log on a real file: one commit or nothing, kill -9, damage, a full disk, rebuild."""

import contextlib
import json
import multiprocessing
import os
import signal
import sqlite3
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, text

from appliance.errors import ConfigError
from appliance.store import schema
from appliance.store.events import FILE, Entry, EventLog, StoreError
from appliance.store.records import ContactRecord, SegmentRecord


class Shop:
    """A projector small enough to know the records by heart: opened, said, closed."""

    kinds = frozenset({"opened", "said", "closed"})

    def fold(self, record: ContactRecord | None, entry: Entry) -> ContactRecord:
        if entry.kind == "opened":
            return ContactRecord(contact=entry.contact, direction="in", calling="1", called="2", state="flow",
                                 began_at=entry.at)
        assert record is not None
        if entry.kind == "said":
            said = SegmentRecord(kind="flow", began_at=entry.at, detail=json.loads(entry.data))
            closed = tuple(replace(one, ended_at=one.ended_at or entry.at) for one in record.segments)
            return replace(record, segments=(*closed, said))
        return replace(record, state="ended", ended_at=entry.at)


def entry(kind: str, contact: str, at: float, data: object = None) -> Entry:
    return Entry(at=at, contact=contact, kind=kind, data=json.dumps(data))


def day(contacts: int) -> Iterator[list[Entry]]:
    """One batch a contact; every third one is still open at the end."""
    for number in range(contacts):
        name, at = f"c{number:04}", 1000.0 + number
        yield [entry("opened", name, at), entry("noted", "", at), entry("said", name, at + 0.25, "hello")]
        more = [entry("said", name, at + 0.5, "你好")]
        yield [*more, entry("closed", name, at + 0.75)] if number % 3 else more


def whole_day(contacts: int) -> list[Entry]:
    return [one for batch in day(contacts) for one in batch]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE


def test_what_was_appended_is_read_and_projected(path: Path) -> None:
    log = EventLog(path, Shop())
    appended = whole_day(4)
    for batch in day(4):
        log.append(batch)
    assert log.seq == len(appended) == 18
    log.close()
    log = EventLog(path, Shop())
    assert log.seq == 18
    assert [replace(one, seq=0) for one in log.read()] == appended
    assert [one.seq for one in log.read(17)] == [17, 18]
    assert (log.last("closed"), log.last("never")) == (14, 0)
    assert log.contact("c0001") == ContactRecord(
        contact="c0001", direction="in", calling="1", called="2", state="ended",
        began_at=1001.0, ended_at=1001.75, segments=(
            SegmentRecord(kind="flow", began_at=1001.25, ended_at=1001.5, detail="hello"),
            SegmentRecord(kind="flow", began_at=1001.5, detail="你好")))
    assert log.contact("nobody") is None
    newest, total = log.contacts(offset=1, limit=2)
    assert ([one.contact for one in newest], total) == (["c0002", "c0001"], 4)
    for within, there in (({"agent": []}, 0), ({"queue": ["sales"]}, 0), ({"trunk": ["telco"]}, 0), ({}, 4)):
        assert log.contacts(0, 10, within)[1] == there
    assert log.counts() == {"events": 18, "contacts": 4, "segments": 8}
    log.append([entry("closed", "c0003", 2000.0)])                   # its record was read back at opening
    assert (log.contacts(0, 1)[0][0].state, len(log.contacts(0, 1)[0][0].segments)) == ("ended", 2)
    log.close()


@pytest.mark.need(4)
def test_a_rebuild_gives_the_same_records(path: Path) -> None:
    """need-04: every record follows from the log."""
    log = EventLog(path, Shop())
    log.append(whole_day(500))                    # more events than are read at once
    before = log.contacts(0, 1000)
    log.close()
    with sqlite3.connect(path) as other:
        other.execute("DELETE FROM segments WHERE position = 1")
        other.execute("UPDATE contacts SET outcome = 'nonsense'")
    other.close()
    log = EventLog(path, Shop())
    assert log.contacts(0, 1000) != before
    log.rebuild()
    assert log.contacts(0, 1000) == before
    log.append([entry("closed", "c0000", 5000.0)])
    assert (log.contact("c0000") or before[0][0]).ended_at == 5000.0
    log.close()


def test_events_only_grow(path: Path) -> None:
    log = EventLog(path, Shop())
    log.append([entry("opened", "a", 1.0)])
    log.close()
    other = sqlite3.connect(path)
    for statement in ("UPDATE events SET at = 2", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="only grow"):
            other.execute(statement)
    other.close()


def test_a_batch_that_cannot_be_projected_leaves_nothing(path: Path) -> None:
    log = EventLog(path, Shop())
    with pytest.raises(AssertionError):
        log.append([entry("opened", "a", 1.0), entry("said", "never opened", 1.0)])
    assert (log.seq, log.counts()["events"]) == (0, 0)
    log.close()


def _write_for_ever(path: Path, reports: int) -> None:
    log = EventLog(path, Shop())
    for batch in day(10**6):
        os.write(reports, b"%d\n" % log.append(batch))


def test_kill_9_in_the_middle_of_writing_loses_nothing_that_was_promised(path: Path) -> None:
    reading, writing = os.pipe()
    process = multiprocessing.get_context("fork").Process(target=_write_for_ever, args=(path, writing))
    process.start()
    os.close(writing)
    with os.fdopen(reading) as reports:
        promised = [int(next(reports)) for _ in range(50)][-1]
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        promised = max([promised, *(int(line) for line in reports if line.endswith("\n"))])
    process.join(10)
    assert path.with_name(FILE + "-wal").stat().st_size > 0
    log = EventLog(path, Shop())
    assert log.seq >= promised
    assert [one.seq for one in log.read()] == list(range(1, log.seq + 1))
    before = log.contacts(0, 10_000)
    log.rebuild()
    assert log.contacts(0, 10_000) == before
    log.close()


def test_a_torn_wal_tail_is_dropped(path: Path, tmp_path: Path) -> None:
    """What a power cut leaves: the last frames of the WAL are missing or garbage."""
    log = EventLog(path, Shop())
    for batch in day(20):
        log.append(batch)
    wal = path.with_name(FILE + "-wal")
    whole = wal.read_bytes()
    for number, tail in enumerate((b"", b"\xa5" * 5000)):
        there = tmp_path / str(number)
        there.mkdir()
        (there / FILE).write_bytes(path.read_bytes())
        (there / (FILE + "-wal")).write_bytes(whole[:-5000] + tail)
        torn = EventLog(there / FILE, Shop())
        assert 0 < torn.seq < log.seq
        assert [replace(one, seq=0) for one in torn.read()] == whole_day(20)[:torn.seq]
        torn.append([entry("opened", "after", 9000.0)])
        torn.close()
    log.close()


def test_a_full_disk_is_told_and_nothing_of_the_batch_is_there(path: Path) -> None:
    log = EventLog(path, Shop())
    log.append([entry("opened", "a", 1.0)])

    def limited(pages: int) -> None:
        with log._file.read() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    limited(1)                                    # no page more: SQLITE_FULL, as a full disk gives it
    with pytest.raises(StoreError, match=r"acd\.sqlite: cannot be written \(database or disk is full\)"):
        log.append([entry("said", "a", 2.0, "x" * 20_000)])
    assert (log.seq, log.counts()["events"]) == (1, 1)
    limited(10**6)
    assert log.append([entry("said", "a", 2.0, "x" * 20_000)]) == 2
    assert len((log.contact("a") or pytest.fail("gone")).segments) == 1
    log.close()


def _garbage(path: Path) -> None:
    path.write_bytes(b"\x00\x01garbage" * 1000)


def _foreign(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE events (seq)")
    other.commit()
    other.close()


def _damaged(path: Path) -> None:
    log = EventLog(path, Shop())
    log.append(whole_day(300))
    log.close()
    octets = bytearray(path.read_bytes())
    octets[4096 * 5:4096 * 9] = b"\x5a" * 4096 * 4
    path.write_bytes(octets)


def _newer(path: Path) -> None:
    EventLog(path, Shop()).close()
    other = sqlite3.connect(path)
    other.execute("UPDATE meta SET value = '99'")
    other.commit()
    other.close()


def _cut(path: Path) -> None:
    log = EventLog(path, Shop())
    log.append(whole_day(300))
    log.close()
    path.write_bytes(path.read_bytes()[:4096 * 5])


@pytest.mark.parametrize(("make", "text"), [
    (_garbage, "is not a database, or its beginning is damaged: restore it from a backup"),
    (_foreign, "is another program's database: move it away"),
    (_damaged, "is damaged"),
    (_cut, "is damaged"),
    (_newer, "has tables of version 99, this box knows 1: finish the update"),
])
def test_a_file_that_cannot_be_used_is_told_and_left_as_it_is(
        path: Path, make: Callable[[Path], None], text: str) -> None:
    make(path)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=text) as refused:
        EventLog(path, Shop())
    assert str(refused.value).startswith(f"{path}: ") and "\n" not in str(refused.value)
    assert path.read_bytes() == before


def test_others_on_the_machine_cannot_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        log = EventLog(path, Shop())
        log.append([entry("opened", "a", 1.0)])
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) & 0o007 for one in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes.keys() >= {FILE, FILE + "-wal", FILE + "-shm"}
    assert {name for name, others in modes.items() if others} <= {FILE + ".lock"}
    log.close()


def test_one_process_at_a_time(path: Path) -> None:
    log = EventLog(path, Shop())
    with pytest.raises(ConfigError, match="another program has it open: stop acdd first"):
        EventLog(path, Shop())
    log.close()
    EventLog(path, Shop()).close()


def test_a_creation_that_was_cut_off_begins_again(path: Path) -> None:
    path.touch()
    path.with_name(FILE + ".new").write_bytes(b"half")
    path.with_name(FILE + ".new-wal").write_bytes(b"half")
    log = EventLog(path, Shop())
    assert log.append([entry("opened", "a", 1.0)]) == 1
    log.close()
    assert int.from_bytes(path.read_bytes()[68:72], "big") == schema.APPLICATION_ID


def test_a_state_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere/acd\.sqlite: cannot be opened: No such file"):
        EventLog(tmp_path / "nowhere" / FILE, Shop())


@pytest.mark.parametrize("older", [None, "kind IN ('Began', 'Offered', 'Dialled')"])
def test_the_legs_of_a_contact_are_found_without_reading_the_log(path: Path, older: str | None) -> None:
    """`older`: of which kinds the file's index is, as of fewer before; None: it has none."""
    log = EventLog(path, Shop())
    log.append([entry("Began", "c1", 1.0), entry("noted", "c1", 2.0), entry("Offered", "c2", 3.0),
                entry("Offered", "c1", 4.0), entry("Dialled", "c1", 5.0)])
    log.close()
    with sqlite3.connect(path) as database:
        database.execute("DROP INDEX events_legs")
        if older is not None:
            database.execute(f"CREATE INDEX events_legs ON events (contact) WHERE {older}")
    database.close()
    versions = []
    for _ in range(2):                            # made once: the second time all is as it should be
        EventLog(path, Shop()).close()
        with contextlib.closing(sqlite3.connect(path)) as database:
            versions.append(database.execute("PRAGMA schema_version").fetchone())
    assert versions[0] == versions[1]
    log = EventLog(path, Shop())
    found = [(one.kind, one.at) for one in log.legs("c1")]
    assert found == [("Began", 1.0), ("Offered", 4.0), ("Dialled", 5.0)]
    assert log.legs("nobody") == []
    log.close()
    with sqlite3.connect(path) as database:
        asked = select(schema.events).where(schema.events.c.contact == "c1", text(schema.GIVES_LEG))
        [plan] = database.execute(f"EXPLAIN QUERY PLAN {asked.compile()}", {"contact_1": "c1"})
    database.close()
    assert "events_legs" in plan[3]


def test_a_file_from_before_a_column_gets_it(path: Path) -> None:
    log = EventLog(path, Shop())
    for batch in day(4):
        log.append(batch)
    before = log.contacts(0, 10)
    log.close()
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE contacts DROP COLUMN withheld")
        database.execute("DROP INDEX events_told")
    database.close()
    log = EventLog(path, Shop())
    assert log.contacts(0, 10) == before
    log.append([entry("closed", "c0000", 2000.0), entry("Charged", "c0001", 2001.0)])      # after its end
    assert [one.kind for one in log.told("c0001")] == ["Charged"]
    log.rebuild()
    log.close()
    with sqlite3.connect(path) as database:
        columns = database.execute("SELECT name, \"notnull\", dflt_value FROM pragma_table_info('contacts')")
        assert ("withheld", 1, "0") in columns.fetchall()
        asked = select(schema.events).where(schema.events.c.contact == "c1", text(schema.TELLS))
        [plan] = database.execute(f"EXPLAIN QUERY PLAN {asked.compile()}", {"contact_1": "c1"})
    database.close()
    assert "events_told" in plan[3]
