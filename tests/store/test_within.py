"""Contacts within a range: those that looking at each one finds, and no scan of the table."""

import json
import random
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from sqlalchemy import event, select, text, true

from appliance.bus.messages.within import Within
from appliance.store.events import Entry, EventLog
from appliance.store.projections import Projections
from appliance.store.records import ContactRecord
from appliance.store.schema import contacts
from appliance.store.within import Stretch, _pieces

QUEUES, AGENTS = ("", "sales", "service", "night"), ("", "ann", "bob", "eve")
RANGES = [Within(queues=queues, agents=agents) for queues in (None, [], ["sales"], ["sales", "night"], ["x"])
          for agents in (None, [], ["ann"], ["ann", "eve"]) if (queues, agents) != (None, None)]


class AsTold:
    """The record is in the event."""

    kinds = frozenset({"Told"})

    def fold(self, record: ContactRecord | None, entry: Entry) -> ContactRecord:
        return ContactRecord(**json.loads(entry.data), segments=())


def record(chance: random.Random, number: int) -> ContactRecord:
    state = chance.choice(("ended", "ended", "ended", "queue"))
    began = float(chance.randrange(40))           # several at one moment
    return ContactRecord(
        contact=f"c{number}", direction="in", calling="", called="5001", state=state, began_at=began,
        ended_at=began + 9 if state == "ended" else 0.0, queue=chance.choice(QUEUES),
        agent=chance.choice(AGENTS))


def told(log: EventLog, some: list[ContactRecord]) -> None:
    log.append([Entry(at=1.0, contact=one.contact, kind="Told", data=json.dumps(
        {name: value for name, value in asdict(one).items() if name != "segments"})) for one in some])


@pytest.mark.parametrize("seed", range(3))
def test_every_page_of_every_range(tmp_path: Path, seed: int) -> None:
    chance, log = random.Random(seed), EventLog(tmp_path / "acd.sqlite", AsTold())
    there = [record(chance, number) for number in range(200)]
    told(log, there)
    for within in RANGES:
        mine = sorted((one for one in there if within.holds(one.queue, one.agent)),
                      key=lambda one: (one.began_at, one.contact), reverse=True)
        for offset in (0, 7, 190):
            found, total = log.contacts(offset, 10, within.limits())
            assert ([one.contact for one in found], total) == (
                [one.contact for one in mine[offset:offset + 10]], len(mine)), within
    log.close()


@pytest.mark.parametrize("within", [None, *RANGES])
def test_a_stretch_is_read_page_after_page_though_others_come(tmp_path: Path, within: Within | None) -> None:
    """No contact twice, none left out: as a program asks for all calls of a day while it goes on."""
    chance, log = random.Random(7), EventLog(tmp_path / "acd.sqlite", AsTold())
    there = [record(chance, number) for number in range(120)]
    told(log, there)
    limits = within.limits() if within else None
    day = Stretch(since=10.0, until=30.0)
    mine = sorted((one for one in there if 10.0 <= one.began_at < 30.0
                   and (within is None or within.holds(one.queue, one.agent))),
                  key=lambda one: (one.began_at, one.contact), reverse=True)
    read: list[str] = []
    while True:
        found, total = log.contacts(0, 7, limits, day)
        read += [one.contact for one in found]
        if len(found) < 7:
            break
        day = replace(day, after=(found[-1].began_at, found[-1].contact))
        told(log, [replace(record(chance, 1000 + len(read)), began_at=29.0 + len(read) / 1000)])
    assert read == [one.contact for one in mine]
    assert total >= len(mine)
    log.close()


def test_a_page_of_a_stretch_is_found_in_an_index_without_sorting(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "acd.sqlite", AsTold())
    of = Stretch(since=10.0, until=30.0, after=(20.0, "c1"))
    with log.ledger() as ledger:
        for which, index in [(true(), "contacts_began"),
                             *((one, "contacts_of_") for one in _pieces({"queue": ["sales"]}))]:
            found = select(contacts.c.contact, contacts.c.began_at).where(which, of.rows()).order_by(
                contacts.c.began_at.desc(), contacts.c.contact.desc()).limit(50)
            said = str(found.compile(ledger.connection, compile_kwargs={"literal_binds": True}))
            plan = " ".join(row[3] for row in ledger.connection.execute(text("EXPLAIN QUERY PLAN " + said)))
            assert index in plan and "began_at" in plan and "TEMP B-TREE" not in plan, plan
    log.close()


def test_each_part_of_a_range_is_read_from_an_index_alone(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "acd.sqlite", AsTold())
    with log.ledger() as ledger:
        for which in _pieces({"queue": ["sales"], "agent": ["ann"]}):
            found = select(contacts.c.contact, contacts.c.began_at).where(which).order_by(
                contacts.c.began_at.desc(), contacts.c.contact.desc()).limit(50)
            said = str(found.compile(ledger.connection, compile_kwargs={"literal_binds": True}))
            plan = " ".join(row[3] for row in ledger.connection.execute(text("EXPLAIN QUERY PLAN " + said)))
            assert "INDEX contacts_of_" in plan and "SCAN" not in plan, plan
            assert "TEMP B-TREE" not in plan, plan
    log.close()


def test_the_last_page_of_all_is_found_in_an_index_without_sorting(
        tmp_path: Path) -> None:
    asked: list[str] = []
    log = EventLog(tmp_path / "acd.sqlite", AsTold())
    told(log, [record(random.Random(1), number) for number in range(40)])
    with log.ledger() as ledger:
        event.listen(ledger.connection, "before_cursor_execute",
                     lambda connection, cursor, sql, *more: asked.append(sql))
        found = Projections.select(ledger.connection, offset=30, limit=10)
        plan = " ".join(row[3] for row in ledger.connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN " + asked[0], (10, 30)))
    assert len(found) == 10 and [one.began_at for one in found] == sorted(
        (one.began_at for one in found), reverse=True)
    assert "INDEX contacts_began" in plan and "TEMP B-TREE" not in plan, plan
    log.close()
