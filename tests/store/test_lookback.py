"""What is asked of contacts that are over: all of it is found, and a year of others is not looked at."""

import json
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import event

from appliance.store.events import Entry, EventLog
from appliance.store.lookback import touches
from appliance.store.records import ContactRecord, SegmentRecord


class AsTold:
    """The record is in the event."""

    kinds = frozenset({"Told"})

    def fold(self, record: ContactRecord | None, entry: Entry) -> ContactRecord:
        fields = json.loads(entry.data)
        parts = tuple(SegmentRecord(**one) for one in fields.pop("segments"))
        return ContactRecord(**fields, segments=parts)


def talk(name: str, began: float, ended: float) -> ContactRecord:
    return ContactRecord(
        contact=name, direction="in", calling="139", called="5001", state="ended" if ended else "talking",
        began_at=began, ended_at=ended, segments=(SegmentRecord(kind="flow", began_at=began),
                                                  SegmentRecord(kind="talk", began_at=began, agent="ann")))


def log_of(tmp_path: Path, *some: ContactRecord) -> EventLog:
    log = EventLog(tmp_path / "acd.sqlite", AsTold())
    log.append([Entry(at=1.0, contact=one.contact, kind="Told", data=json.dumps(asdict(one)))
                for one in some])
    return log


def test_every_page_of_contacts_is_there_once_from_whichever_end_it_is_read(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(7)]
    log = log_of(tmp_path, *(talk(name, 10.0 + place // 3, 20.0) for place, name in enumerate(names)))
    for limit in (1, 2, 3, 7, 9):
        pages = [log.contacts(offset, limit) for offset in range(0, 10, limit)]
        assert [one.contact for page, _ in pages for one in page] == names[::-1]     # of one time by name
        assert {total for _, total in pages} == {7}
        assert all(one == log.contact(one.contact) for page, _ in pages for one in page)
    log.close()


def test_touches_are_talks_since_then_and_those_that_go_on(tmp_path: Path) -> None:
    log = log_of(tmp_path, talk("old", 10.0, 20.0), talk("long", 11.0, 0.0), talk("new", 100.0, 120.0),
                 talk("now", 130.0, 0.0))
    assert sorted((one.contact, one.kind, one.agent) for one in log.touches(50.0)) == [
        ("long", "talk", "ann"), ("new", "talk", "ann"), ("now", "talk", "ann")]
    log.close()


def test_touches_are_found_without_looking_at_every_contact(tmp_path: Path) -> None:
    asked: list[tuple[str, tuple[object, ...]]] = []
    log = log_of(tmp_path, *(talk(f"c{number}", float(number), number + 5.0) for number in range(300)))
    with log.ledger() as ledger:
        event.listen(ledger.connection, "before_cursor_execute",
                     lambda connection, cursor, sql, values, *more: asked.append((sql, values)))
        touches(ledger.connection, 290.0)
        [(sql, values)] = asked
        plan = " ".join(row[3] for row in ledger.connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN " + sql, values))
    assert "SCAN" not in plan, plan
    log.close()
