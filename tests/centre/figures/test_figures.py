"""Each figure from small exact days, and what holds for all of them."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from appliance.bus.messages import SetNotReady, SetReady
from appliance.centre.figures.counting import FigureCounting
from appliance.centre.figures.definitions import FIGURES, Tally, Terms, figure
from appliance.centre.figures.report import Aims, Wanted
from appliance.centre.figures.words import page
from appliance.centre.projector import ContactProjector
from appliance.config.queues import ServiceLevel
from appliance.config.targets import QueueTargets, TargetsConfig
from appliance.errors import StateError
from appliance.sim.branch import Branch
from appliance.sim.figures import METRICS
from appliance.sim.figures import Figures as SimulatedFigures
from appliance.sim.world import simulate
from appliance.store.counts import TABLES, Sums, add, quarter_ms
from appliance.store.events import Entry, EventLog
from tests.centre.callbacks.home import branch as branch_of_callbacks
from tests.centre.callbacks.home import out, promised
from tests.centre.figures.books import START, Books, aims, books, event_log
from tests.centre.figures.test_complaints import office as office
from tests.centre.figures.test_complaints import only, over, ring
from tests.centre.office import Office
from tests.conftest import ROOT
from tests.sim.branches import branch

SPECIAL = ("longest_wait_s", "wait_90_s", "ewt_error_s", "ewt_error_share", "ewt_bias_s", "erlangs", "peak",
           "all_busy_s")                          # their lists are what they are made from, not their value


# --- definitions


@pytest.mark.need(4)
@pytest.mark.parametrize(("name", "share"), [
    ("service_level_ignored", 70 / 90), ("service_level_positive", 80 / 100),
    ("service_level_offered", 70 / 100), ("service_level_answered", 70 / 80), ("service_level_both", 80 / 90),
    ("service_level_stayed", 70 / 90), ("service_level", 70 / 94), ("answered_share", 80 / 100),
    ("abandonment", 10 / 100), ("abandonment_long", 4 / 94)])
def test_service_levels_of_one_day(name: str, share: float) -> None:
    """70 answered and 10 abandoned in time, 6 of these at once; 10 answered late, 10 overflowed."""
    sums = {"answered": [20_000] * 70 + [20_001] * 10, "abandoned/hung up": [4_999] * 6 + [5_000] * 4,
            "overflowed/queue": [60_000] * 10}
    found = figure("queue", name)
    assert found is not None and found.ratio(Tally(1, sums), Terms()).value == share


def test_the_page_says_what_the_code_does() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text() == page()


def test_every_figure_is_named_in_both_languages_and_its_target_exists() -> None:
    for figures in FIGURES.values():
        assert len({one.name for one in figures}) == len({one.zh for one in figures}) == len(figures)
        for one in figures:
            assert one.zh and one.en and one.top
            assert not one.target or one.target in TargetsConfig.model_fields


def test_targets_are_a_queues_own_where_it_has_some() -> None:
    targets = TargetsConfig(aht_s=200.0, queues={"sales": QueueTargets(aht_s=90.0, short_abandon_s=2.0)},
                            service_level=ServiceLevel(within_s=30.0, percent=90.0))
    there, aht, level = aims(targets=targets), figure("queue", "aht_s"), figure("queue", "service_level")
    assert aht is not None and level is not None
    assert [there.target("queue", name, aht) for name in ("sales", "service", "")] == [90.0, 200.0, 200.0]
    assert [there.target("queue", name, level) for name in ("sales", "")] == [0.8, 0.9]
    assert there.terms("queue", "sales") == replace(Terms(), short_ms=2_000)
    assert there.terms("queue", "").within_ms == 30_000


@pytest.mark.parametrize(("wanted", "why"), [
    ({"of": "weather", "since": 0.0, "until": 1.0}, "there are figures of queue, agent, trunk, node"),
    ({"of": "queue", "since": 5.0, "until": 5.0}, "the end comes after the beginning"),
    ({"of": "queue", "since": 0.0, "until": 500 * 86400.0}, "at most 400 days"),
    ({"of": "queue", "since": 1.0, "until": 3 * 86400.0}, "longer than two days: begin and end at"),
    ({"of": "queue", "since": 0.0, "until": 900.0, "interval_s": 60.0}, "whole quarters of an hour"),
    ({"of": "queue", "since": 0.0, "until": 90 * 86400.0, "interval_s": 900.0}, "more than 3000 intervals"),
    ({"of": "queue", "since": 0.0, "until": 1.0, "figures": ("asa",)}, "asa: is no figure of a queue")])
def test_what_nobody_can_answer_is_refused(wanted: dict[str, object], why: str) -> None:
    with pytest.raises(StateError, match=why):
        Wanted(**wanted)          # type: ignore[arg-type]


# --- borders of intervals


def test_a_contact_counts_where_it_joined_and_an_agents_time_where_it_was(office: Office) -> None:
    only(office, "ann")
    office.pass_time(895.0)
    office.call("c1", "5001")
    office.pass_time(10.0)
    office.answer(ring(office))
    office.pass_time(900.0)
    over(office, "c1")
    office.pass_time(895.0)
    with books(office) as kept:
        sales = [row for row in kept.rows("queue", 0, 2700, 900) if row.name == "sales"]
        counted = [(row.since - START, row.ratios["answered"].value, row.ratios["handled"].value)
                   for row in sales]
        assert counted == [(0, 1, 0), (900, 0, 1)], "it joined in the first; the talk began in the second"
        assert sales[0].ratios["service_level"].value == 1.0
        ann = [row.sums for row in kept.rows("agent", 0, 2700, 900) if row.name == "ann"]
        assert [sums.get("state/reserved", (0, 0))[1] for sums in ann] == [5.0, 5.0, 0]
        assert [sums.get("state/talking", (0, 0))[1] for sums in ann] == [0, 895.0, 5.0]
        for row in kept.rows("agent", 0, 2700, 900):
            assert row.ratios["logged_in_s"].value == 900.0 * (5 if not row.name else 1)


def test_any_time_is_the_sum_of_its_parts(office: Office) -> None:
    """Rolling windows cut what reaches into them."""
    only(office, "ann")
    office.pass_time(100.0)
    office.call("c1", "5001")
    office.answer(ring(office))
    office.pass_time(1000.0)
    with books(office) as kept:
        [row] = [row for row in kept.rows("agent", 200.0, 1050.0) if row.name == "ann"]
        assert row.ratios["at_work_s"].value == 850.0
        assert row.ratios["occupancy"].value == 1.0


# --- each kind


def test_what_goes_on_now_is_in_it(office: Office) -> None:
    only(office)
    office.call("c1", "5001")
    office.pass_time(19.0)
    with books(office) as kept:
        assert kept.value("queue", "sales", "waiting") == kept.value("queue", "", "offered") == 1
        assert kept.value("queue", "sales", "longest_wait_s") == 19.0
        assert kept.value("queue", "sales", "service_level") is None, "nobody can say yet"
    office.pass_time(2.0)
    with books(office) as kept:
        assert kept.value("queue", "sales", "service_level") == 0.0
        assert kept.value("trunk", "telco", "peak") == kept.value("trunk", "telco", "in_calls") == 1
        assert kept.value("node", "short: sales", "here") == 1


def test_pauses_by_reason_and_occupancy(office: Office) -> None:
    only(office, "ann")
    office.call("c1", "5001")
    office.answer(ring(office))
    office.pass_time(55.0)
    over(office, "c1")
    office.pass_time(45.0)                        # 5 of wrap-up, 40 ready
    office.command(SetNotReady(agent="ann", reason="lunch"))
    office.pass_time(100.0)
    office.command(SetReady(agent="ann"))
    with books(office) as kept:
        assert kept.ratio("agent", "ann", "occupancy").value == 60 / 100
        assert kept.value("agent", "ann", "utilisation") == 60 / 200
        [row] = [row for row in kept.rows("agent") if row.name == "ann"]
        assert row.sums["state/not-ready/lunch"] == (1, 100.0)


def test_rings_that_nobody_took(office: Office) -> None:
    only(office, "ann", "bo")
    office.call("c1", "5001")
    office.pass_time(15.0)
    office.clear()
    office.answer(ring(office))
    with books(office) as kept:
        rung = {row.name: row.sums for row in kept.rows("agent")}
        assert rung["ann"]["rung/no answer"] == (1, 15.0) and rung["bo"]["rung/answered"] == (1, 0.0)
        assert kept.value("agent", "", "taken_share") == 0.5
        assert kept.value("trunk", "pbx", "out_calls") == 2
        assert kept.value("trunk", "pbx", "out_answered") == 0, "it goes on"


def test_first_calls_that_solved_it(office: Office) -> None:
    """138… calls again on the second day, 139… never."""
    only(office, "ann")
    for leg, number, rest_s in (("a", "13800000000", 60.0), ("b", "13900000000", 86400.0),
                                ("c", "13800000000", 60.0)):
        office.call(leg, "5001", calling=number)
        office.answer(ring(office))
        over(office, leg)
        office.pass_time(rest_s)
    first, second, _ = office.records
    with books(office) as kept:
        assert kept.value("queue", "sales", "fcr") == kept.value("agent", "ann", "fcr") == 0.5
        top, bottom = kept.behind("queue", "sales", "fcr")
        assert [count.contact for count in top] == [second]
        assert [count.contact for count in bottom] == [first, second]
    short = aims(targets=TargetsConfig(repeat_days=0.5))
    with books(office, short) as kept:
        assert kept.value("queue", "sales", "fcr") == 1.0


def test_outbound_and_internal_calls_are_known_as_such(office: Office) -> None:
    only(office, "ann")
    office.call("8001out", "013900000000", trunk="pbx", calling="8001")
    dialled = next(leg for leg, call in office.calls.items() if not call.inbound)
    office.pass_time(9.0)
    office.answer(dialled)
    office.pass_time(30.0)
    over(office, dialled)
    office.pass_time(1.0)
    with books(office) as kept:
        assert kept.value("agent", "ann", "out_calls") == kept.value("agent", "ann", "out_answered") == 1
        assert kept.value("agent", "ann", "out_talk_s") == 30.0, "dialling is no talk"
        assert kept.value("agent", "ann", "handled") == kept.value("agent", "ann", "internal_calls") == 0
        assert kept.value("trunk", "telco", "out_answered") == 1
        assert kept.value("queue", "", "offered") is None


def test_trunks(office: Office) -> None:
    """Two calls at a time for 30 s on a trunk of two channels; one of ours found no channel."""
    only(office, "ann")
    office.call("a", "5000")
    office.pass_time(10.0)
    office.call("b", "5000")
    office.pass_time(30.0)
    over(office, "a")
    office.call("8001out", "013900000000", trunk="pbx", calling="8001")
    dialled = next(leg for leg, call in office.calls.items() if not call.inbound)
    office.hang_up(dialled, 34, "line")
    office.clear()
    office.pass_time(20.0)
    over(office, "b")
    with books(office, aims(channels={"telco": 2})) as kept:
        assert kept.value("trunk", "telco", "in_calls") == kept.value("trunk", "telco", "peak") == 2
        assert kept.value("trunk", "telco", "all_busy_s") == 30.0
        assert kept.value("trunk", "telco", "blocked") == 1
        assert kept.value("trunk", "telco", "erlangs") == 90.0 / 60.0
        assert kept.value("trunk", "pbx", "all_busy_s") is None, "how many channels it has is not known"


def test_nodes_of_a_flow(office: Office) -> None:
    only(office)
    office.call("a", "5000")
    office.played("a")
    office.press("a", "1")
    over(office, "a")
    office.call("b", "5000")
    office.pass_time(3.0)
    over(office, "b")
    with books(office) as kept:
        assert kept.value("node", "flow: greeting", "entered") == 2
        assert kept.value("node", "flow: greeting", "hung_up_share") == 0.5
        [menu] = [row for row in kept.rows("node") if row.name == "flow: main"]
        assert menu.sums == {"by/digit 1": (1, 0.0)}
        assert kept.value("node", "flow: sales", "hung_up") == 1


def test_estimates_against_waits(office: Office) -> None:
    only(office, "ann")
    office.call("c1", "5001")
    office.pass_time(8.0)
    office.answer(ring(office))
    [joined] = [entry for entry in office.log if entry.kind == "Joined"]
    with books(office) as kept:
        told_s = kept.ratio("queue", "sales", "ewt_error_s").top
        assert f'"estimate_s":{told_s}' in joined.data
        assert kept.value("queue", "sales", "ewt_error_s") == abs(told_s - 8.0)
        assert kept.value("queue", "sales", "ewt_bias_s") == told_s - 8.0


# --- an hour of the real engine


@dataclass(frozen=True)
class Rehearsal:
    branch: Branch
    entries: list[Entry]
    simulated: SimulatedFigures
    begins: float
    books: Books


@pytest.fixture(scope="module")
def rehearsal() -> Iterator[Rehearsal]:
    there = branch(staff=3, lines=6, queue={"wrap_up_s": 12.0, "ring_s": 10.0}, arrivals=[
        {"called": "5001", "calls_per_hour": 130.0, "keys": {"1": 0.4, "2": 0.6}}], patience=40.0,
        handling=70.0, agents={"answer": 4.0, "no_answer": 0.1}, ends="09:00")
    entries: list[Entry] = []
    day = simulate(there, keep=entries.extend)
    within_s = {queue.name: queue.service_level.within_s for queue in there.config.centre.queues}
    with event_log(entries) as log:
        yield Rehearsal(there, entries, SimulatedFigures(day, within_s, 5.0), day.begins,
                        Books(log, entries[-1].at, Aims.of(there.config), day.begins))


@pytest.mark.need(4)
def test_figures_are_those_that_the_rehearsal_has_counted_by_itself(rehearsal: Rehearsal) -> None:
    rows = {row.name: row.ratios for row in rehearsal.books.rows("queue", 0, 3600)}
    simulated = rehearsal.simulated.of
    assert simulated[""].answered > 50 and simulated["service"].overflowed > 5
    for queue, tally in simulated.items():
        for name in ("offered", "answered", "abandoned", "overflowed", "service_level", "abandonment",
                     "abandonment_long", "asa_s"):
            simply = pytest.approx(METRICS[name].of(tally), rel=2e-4)
            assert rows[queue][name].value == simply, (queue, name)


@pytest.mark.need(4)
def test_every_figure_lists_what_is_above_and_below_its_line(rehearsal: Rehearsal) -> None:
    for of, figures in FIGURES.items():
        for row in rehearsal.books.rows(of, 0, 3600):
            for one in (one for one in figures if one.name not in SPECIAL):
                ratio = row.ratios[one.name]
                top, bottom = rehearsal.books.behind(of, row.name, one.name, 0, 3600)
                above = sum(count.for_ms for count in top) / 1000 if one.time_top else len(top)
                below = sum(count.for_ms for count in bottom) / 1000 if one.time_bottom else len(bottom)
                assert above == pytest.approx(ratio.top), (of, row.name, one.name)
                assert not one.bottom or below == pytest.approx(ratio.bottom), (of, row.name, one.name)


def dump(log: EventLog) -> dict[str, list[tuple[object, ...]]]:
    with log.ledger() as ledger:
        return {table.name: [tuple(row) for row in ledger.connection.execute(
            select(table).order_by(*table.primary_key))] for table in TABLES}


@pytest.mark.need(4)
def test_the_log_alone_gives_the_same_tables_octet_for_octet(rehearsal: Rehearsal, tmp_path: Path) -> None:
    """Made anew; and however its entries came to the disk, over a restart, too."""
    log, some = rehearsal.books.log, rehearsal.entries[:900]
    once = dump(log)
    log.rebuild()
    assert dump(log) == once
    with event_log(some, batch=211) as at_once:
        there = dump(at_once)
    for part in (some[:400], some[400:]):
        with event_log(part, batch=3, path=tmp_path) as log:
            assert log.seq <= len(some)
            again = dump(log)
    assert again == there


@pytest.mark.need(4)
def test_a_quarter_is_the_sum_of_its_counts(rehearsal: Rehearsal) -> None:
    counted: dict[tuple[str, int, str], Sums] = defaultdict(dict)
    with rehearsal.books.log.ledger() as ledger:
        for of in FIGURES:
            for count in ledger.counts(of, 0, 2**53):
                last_ms = count.at_ms + count.for_ms - 1
                if count.what.startswith(("state/", "busy/")):
                    assert quarter_ms(count.at_ms) == quarter_ms(last_ms), "it is within one"
                add(counted[of, quarter_ms(count.at_ms), count.name], count.what, count.for_ms)
        for of in FIGURES:
            for name, at_ms, sums in ledger.quarters(of, 0, 2**53):
                mine = counted.pop((of, at_ms, name))
                assert {what: sorted(lengths) for what, lengths in sums.items()} == {
                    what: sorted(lengths) for what, lengths in mine.items()}
    assert not counted


@pytest.mark.need(4)
def test_no_agent_has_more_time_than_there_is(rehearsal: Rehearsal) -> None:
    for row in rehearsal.books.rows("agent", 0, 3600, 900.0):
        people = 1 if row.name else len(rehearsal.branch.config.centre.agents)
        assert row.ratios["logged_in_s"].value == pytest.approx(900.0 * people)


def test_a_log_of_before_gets_its_figures(rehearsal: Rehearsal, tmp_path: Path) -> None:
    with event_log(rehearsal.entries[:500], path=tmp_path) as log:
        there = dump(log)
        with log._file.write() as connection:
            for table in TABLES:
                table.drop(connection)
    log = EventLog(tmp_path / "acd.sqlite", ContactProjector(), FigureCounting())
    assert dump(log) == there
    log.close()


def test_a_clock_that_is_set_makes_no_years_of_work(office: Office) -> None:
    """A box without a battery begins in 1970, until it hears what time it is."""
    only(office, "ann")
    office.call("c1", "5001")
    office.answer(ring(office))
    office.now += 50 * 365 * 86400.0 + 60.0
    over(office, "c1")
    with books(office) as kept:
        assert kept.log.counts()["counts"] < 100
        [row] = [row for row in kept.rows("agent", office.now - START - 60.0, office.now - START)
                 if row.name == "ann"]
        assert row.ratios["logged_in_s"].value == 60.0


def test_nothing_that_a_log_may_have_stops_an_append() -> None:
    """Events of contacts and agents that nobody knows count nothing."""
    strangers = [Entry(at=1.0, contact="x", kind="AgentChanged",
                   data='{"agent":"nobody","state":"ready","idle_since":1}'),
             Entry(at=1.0, contact="", kind="AgentLeft", data='{"agent":"nobody"}')]
    with event_log(strangers) as log:
        assert dump(log) == {"counts": [], "intervals": [], "ongoing": []}


# --- callbacks


@pytest.mark.need(3)
def test_a_callback_is_no_wait_on_the_line_and_its_dialling_no_talk() -> None:
    office = Office(branch_of_callbacks(), now=START)
    only(office)
    office.call("c1", "5001", calling="13955555555")
    office.pass_time(10.0)
    promise = promised(office, "c2")
    office.pass_time(120.0)
    over(office, "c1")
    office.command(SetReady(agent="ann"))
    office.pass_time(4.0)
    office.answer(ring(office))
    [customer] = out(office).values()
    office.pass_time(6.0)
    office.answer(customer)
    office.pass_time(50.0)
    over(office, customer)
    office.pass_time(10.0)
    with books(office) as kept:
        assert kept.value("queue", "", "callbacks") == kept.value("queue", "", "callbacks_reached") == 1
        assert kept.value("queue", "", "offered") == 2, "both who were on the line"
        assert kept.value("agent", "ann", "talk_s") == 50.0
        assert kept.value("queue", "", "callback_wait_s") == 130.0
        assert [count.contact for count in kept.behind("queue", "", "callbacks_reached")[0]] == [promise]
