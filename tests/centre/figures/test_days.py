"""Days that are over, read from columns: the same figures as from quarters, whatever came when."""

import json
import random
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from appliance.centre.figures.report import Aims, Row, Wanted, rows_and_whole
from appliance.centre.projector import ContactProjector
from appliance.config.targets import QueueTargets, TargetsConfig
from appliance.store import days
from appliance.store.counts import Count, Ledger
from appliance.store.events import FILE, Entry, EventLog

DAY_S, HOUR_S = 86_400, 3_600
FIRST_S = 20_000 * DAY_S                          # midnight of UTC
LAST_S = FIRST_S + 12 * DAY_S
ZONES_S = (0, 8 * HOUR_S, -5 * HOUR_S - 900)
QUEUES, AGENTS, TRUNKS, NODES = ("sales", "service"), ("ann", "bob"), ("telco", "pbx"), ("flow: a", "flow: b")
NUMBERS = ("", "13800000001", "13800000002", "+4930123", "8001")
AIMS = Aims(TargetsConfig(repeat_days=1.5, queues={"service": QueueTargets(repeat_days=0.25)}), {},
            {"telco": 2})


class AsTold:
    """What counts is in the event."""

    kinds = frozenset({"Counted"})

    def fold(self, ongoing: MutableMapping[str, str], at: float, contact: str, kind: str,
             data: str) -> Sequence[Count]:
        return [Count(**one) for one in json.loads(data)]


def contacts(chance: random.Random, number: int) -> Iterator[Count]:
    """Of queue, agent, trunk and node, as one contact has them."""
    at_ms = chance.randrange(FIRST_S, LAST_S) * 1000 + chance.randrange(1000)
    contact, caller, queue = f"c{number}", chance.choice(NUMBERS), chance.choice(QUEUES)
    agent, waited = chance.choice(AGENTS), chance.randrange(90_000)
    how = chance.choice(("answered", "answered", "abandoned/hung up", "overflowed/queue"))
    one = Count(of="queue", name=queue, what=how, contact=contact, at_ms=at_ms, for_ms=waited,
                other=agent if how == "answered" else "", number=caller)
    yield replace(one, name="")
    yield one
    if how == "overflowed/queue":
        later = at_ms + chance.randrange(20 * HOUR_S * 1000)         # in the next one, perhaps on another day
        yield replace(one, name="service", what="answered", at_ms=later, other=agent)
    if how == "answered":
        for what, for_ms in (("told", chance.randrange(60_000)), ("waited", waited)):
            yield replace(one, what=what, for_ms=for_ms, other="", number="")
        for what in ("talk/queue", "hold/queue", "wrap-up/queue"):
            for_ms = chance.choice((chance.randrange(600_000), 40 * DAY_S * 1000))   # more than four octets
            yield Count(of="agent", name=agent, what=what, contact=contact, at_ms=at_ms, for_ms=for_ms)
            yield Count(of="queue", name=queue, what=what, contact=contact, at_ms=at_ms, for_ms=for_ms)
    for _ in range(2):
        for_ms = chance.randrange(900_000 - at_ms % 900_000)
        yield Count(of="trunk", name=chance.choice(TRUNKS), what="busy/in", contact=contact, at_ms=at_ms,
                    for_ms=for_ms)
    yield Count(of="trunk", name="telco", what="in/answered", contact=contact, at_ms=at_ms, for_ms=1)
    yield Count(of="node", name=chance.choice(NODES), what="hung up", contact=contact, at_ms=at_ms, for_ms=9)


def appended(log: EventLog, seed: int) -> None:
    """Mostly in the order of time, some of it a day or two late, to the end of the last day."""
    chance = random.Random(seed)
    every = [list(contacts(chance, number)) for number in range(90)]
    every.sort(key=lambda some: some[0].at_ms + chance.choice((0, 0, 0, 0, 40 * HOUR_S * 1000)))
    for some in every:
        append(log, *some)
    append(log, Count(of="trunk", name="pbx", what="in", contact="end", at_ms=LAST_S * 1000))


def append(log: EventLog, *some: Count) -> None:
    log.append([Entry(at=1.0, contact="", kind="Counted", data=json.dumps([asdict(one) for one in some]))])


def opened(folder: Path) -> EventLog:
    return EventLog(folder / FILE, ContactProjector(), AsTold())


def asked(ledger: Ledger, wanted: Wanted) -> list[Row]:
    return rows_and_whole(ledger, wanted, AIMS, float(LAST_S))[0]


def every_question() -> Iterator[Wanted]:
    for of, names in (("queue", ("", *QUEUES)), ("agent", ("", "ann")), ("trunk", ("", "telco")),
                      ("node", NODES)):
        for zone_s in ZONES_S:
            since, until = float(FIRST_S - zone_s), float(LAST_S - zone_s)
            yield Wanted(of, since, until)
            yield Wanted(of, since, until, interval_s=float(DAY_S))
            yield Wanted(of, since + 2 * DAY_S, until - DAY_S, names[-1:], interval_s=7 * HOUR_S)
            yield Wanted(of, since + 900.0, since + 900.0 * 50)


def slowly(log: EventLog) -> list[list[Row]]:
    """Every question, when no day is closed."""
    with log._file.write() as connection:
        for table in days.TABLES:
            connection.execute(table.delete())
    with log.ledger() as ledger:
        return [asked(ledger, wanted) for wanted in every_question()]


def closed(log: EventLog) -> set[tuple[str, int]]:
    with log.ledger() as ledger:
        return {tuple(row) for row in ledger.connection.execute(text("SELECT of, day_ms FROM days_closed"))}


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**32), again=st.sampled_from(["", "restart", "rebuild"]))
@pytest.mark.need(4)
def test_a_closed_day_has_the_figures_of_its_quarters(
        tmp_path_factory: pytest.TempPathFactory, seed: int, again: str) -> None:
    folder = tmp_path_factory.mktemp("log")
    log = opened(folder)
    try:
        appended(log, seed)
        if again == "restart":
            log.close()
            log = opened(folder)
        if again == "rebuild":
            log.rebuild()
        assert closed(log), "commits have closed some, one by one"
        log.close_days()
        assert {of for of, _ in closed(log)} == {"queue", "agent", "trunk", "node"}
        with log.ledger() as ledger:
            found = [asked(ledger, wanted) for wanted in every_question()]
        assert found == slowly(log)
    finally:
        log.close()


def test_the_whole_time_beside_its_intervals_is_as_if_it_was_asked_alone(tmp_path: Path) -> None:
    log = opened(tmp_path)
    try:
        appended(log, 7)
        log.close_days()
        for wanted in every_question():
            with log.ledger() as ledger:
                both = rows_and_whole(ledger, replace(wanted, whole=True), AIMS, float(LAST_S))
                assert both == (asked(ledger, wanted), asked(ledger, replace(wanted, interval_s=0.0)))
    finally:
        log.close()


def test_who_calls_again_is_found_one_by_one(tmp_path: Path) -> None:
    """By hand: of each answered contact, the next time its number joined a queue."""
    log = opened(tmp_path)
    appended(log, 7)
    log.close_days()
    with log.ledger() as ledger:
        every = list(ledger.counts("queue", 0, 2**53))
        found = asked(ledger, Wanted("queue", float(FIRST_S), float(LAST_S), figures=("fcr",)))
        agents = asked(ledger, Wanted("agent", float(FIRST_S), float(LAST_S), figures=("fcr",)))
    log.close()
    joined = [one for one in every if one.name == "" and one.number]
    of = {one.contact: one for one in joined}
    limits_ms = {"": 1.5 * 86_400_000, "sales": 1.5 * 86_400_000, "service": 0.25 * 86_400_000}

    def solved(some: list[Count], limit_ms: float) -> tuple[int, int]:
        def again(one: Count) -> bool:
            first = of[one.contact]
            return any(other.number == one.number and first.at_ms < other.at_ms <= one.at_ms + limit_ms
                       for other in joined)
        return sum(not again(one) for one in some), len(some)

    by_queue = {name: [one for one in every if one.name == name and one.what == "answered" and one.number]
                for name in limits_ms}
    assert {row.name: (row.ratios["fcr"].top, row.ratios["fcr"].bottom) for row in found} == {
        name: solved(some, limits_ms[name]) for name, some in by_queue.items()}
    by_agent = {name: [one for one in by_queue[""] if name in ("", one.other)] for name in ("", *AGENTS)}
    assert {row.name: (row.ratios["fcr"].top, row.ratios["fcr"].bottom) for row in agents} == {
        name: solved(some, limits_ms[""]) for name, some in by_agent.items()}


def test_a_file_that_a_box_without_days_has_used_since(tmp_path: Path) -> None:
    log = opened(tmp_path)
    appended(log, 11)
    log.close_days()
    before = closed(log)
    with log._file.write() as connection:         # as it would, which knows nothing of closed days
        connection.execute(text(
            "INSERT INTO counts (of, name, what, contact, at_ms, for_ms, other, number) VALUES "
            "('queue', 'sales', 'answered', 'late', :at, 0, 'ann', '13800000001')"),
            {"at": FIRST_S * 1000 + 5})
        connection.execute(text(
            "DELETE FROM intervals WHERE of = 'queue' AND at_ms = :at AND name = 'sales'"),
            {"at": FIRST_S * 1000})
        connection.execute(text("INSERT INTO intervals VALUES ('queue', :at, 'sales', :sums)"),
                           {"at": FIRST_S * 1000, "sums": '{"answered":[0]}'})
    log.close()
    log = opened(tmp_path)
    assert closed(log) == before - {("queue", FIRST_S * 1000)}
    log.close_days()
    assert closed(log) == before
    with log.ledger() as ledger:
        found = [asked(ledger, wanted) for wanted in every_question()]
    assert found == slowly(log)
    log.close()


def test_a_file_of_before_gets_its_days_with_what_is_appended(tmp_path: Path) -> None:
    log = opened(tmp_path)
    appended(log, 13)
    log.close_days()
    there = closed(log)
    with log._file.write() as connection:
        for table in days.TABLES:
            table.drop(connection)
    log.close()
    log = opened(tmp_path)
    assert closed(log) == set()
    for number in range(len(there)):
        at_ms = (LAST_S + 900 * number) * 1000
        for _ in range(2):                        # one in a quarter of an hour, however much is counted
            append(log, Count(of="trunk", name="pbx", what="in", contact=f"x{number}", at_ms=at_ms))
            assert len(closed(log)) == number + 1
    assert closed(log) == there
    log.close()
