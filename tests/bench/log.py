"""The event log: what a commit costs beside the disk's own fsync, and how fast figures are answered."""

import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert, select

from appliance.centre.figures.counting import FigureCounting
from appliance.centre.figures.report import Aims, Wanted, rows_and_whole
from appliance.centre.projector import ContactProjector
from appliance.sim.branch import Branch
from appliance.sim.world import simulate
from appliance.store.counts import counts, intervals
from appliance.store.days import GRACE_MS
from appliance.store.events import Entry, EventLog
from tests.bench.figures import Kind, Say, Theme
from tests.sim.reference import reference

APPENDS = 2000                                    # turns of the engine, one commit each
MONTH_DAYS = 30
DAY_S, QUARTER_S = 86400.0, 900.0
DAY_MS = 86_400_000
CLOSING_S = 2 * 3600.0                            # in which a day's figures of all kinds are closed
OF = ("queue", "agent", "trunk", "node")

P99, P50, P99_BESIDE, FSYNC = ("append of a turn, p99", "append of a turn, p50",
                               "append of a turn without its fsync, p99", "fsync of the disk, p99")
DAYS_P99, DAYS_P50, CLOSES = (
    "append of a turn, a month of closed days before it, p99", "append of a turn, that month before it, p50",
    "slowest append that closes a day")
CONTACTS, DAY, QUARTERS, MONTH, REBUILD = (
    "contacts of the day", "all figures of a day", "all figures of a day by quarters of an hour",
    "all figures of a month by days", "rebuild, contacts and figures")


def once(say: Say) -> dict[str, float]:
    branch = reference()
    entries: list[Entry] = []
    simulate(branch, keep=entries.extend)
    with tempfile.TemporaryDirectory() as folder:
        log = EventLog(Path(folder) / "acd.sqlite", ContactProjector(), FigureCounting())
        try:
            found = _append(log, entries, Path(folder))
            say(f"{len(entries)} events")
            return found | _ask(log, branch, len(entries)) | _after_a_month(branch)
        finally:
            log.close()


def _append(log: EventLog, entries: Sequence[Entry], folder: Path) -> dict[str, float]:
    """What is in a commit is what the engine decided at one moment; the last APPENDS are measured."""
    turns = _turns(entries)
    for turn in _in_hundreds(turns[:-APPENDS]):
        log.append(turn)
    took_ms, beside_ms, fsync_ms = [], [], []
    for turn in turns[-APPENDS:]:
        fsync_ms.append(_fsync_ms(folder))
        began, cpu = time.perf_counter(), time.thread_time()
        log.append(turn)
        took_ms.append((time.perf_counter() - began) * 1000)
        beside_ms.append((time.thread_time() - cpu) * 1000)
    return {P99: _quantile(took_ms, 99), P50: statistics.median(took_ms),
            P99_BESIDE: _quantile(beside_ms, 99), FSYNC: _quantile(fsync_ms, 99)}


def _turns(entries: Sequence[Entry]) -> list[list[Entry]]:
    return [list(some) for _, some in itertools.groupby(entries, key=lambda entry: entry.at)]


def _in_hundreds(turns: Sequence[list[Entry]]) -> Iterator[list[Entry]]:
    for at in range(0, len(turns), 100):
        yield [entry for turn in turns[at:at + 100] for entry in turn]


def _fsync_ms(folder: Path) -> float:
    """Of a page that was just written."""
    with (folder / "page").open("ab") as file:
        file.write(bytes(4096))
        file.flush()
        began = time.perf_counter()
        os.fsync(file.fileno())
        return (time.perf_counter() - began) * 1000


def _quantile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


def _after_a_month(branch: Branch) -> dict[str, float]:
    """The same in a file that has a month of closed days; in this day's evening the last of them is."""
    entries: list[Entry] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "acd.sqlite"
        log = EventLog(path, ContactProjector(), FigureCounting())
        try:
            simulate(branch, keep=entries.extend)
            for turn in _in_hundreds(_turns(entries)):
                log.append(turn)
            _make_a_month(log)
        finally:
            log.close()
        log = EventLog(path, ContactProjector(), FigureCounting())
        try:
            log.close_days()
            entries.clear()
            day = (branch.scenario.day + timedelta(days=MONTH_DAYS)).isoformat()
            simulate(reference(day=day), keep=entries.extend)
            evening = branch.midnight() + MONTH_DAYS * DAY_S + GRACE_MS / 1000
            later = [replace(one, contact=_other(one.contact), data=_other(one.data)) for one in entries]
            before = [one for one in later if one.at < evening]
            hours = [one for one in later if evening <= one.at < evening + CLOSING_S]
            for turn in _in_hundreds(_turns(before)):
                log.append(turn)
            closes_ms = [ms for turn in _turns(hours) if (ms := _closing_ms(log, turn)) is not None]
            found = _append(log, [one for one in later if one.at >= evening + CLOSING_S], Path(folder))
        finally:
            log.close()
    if len(closes_ms) < len(OF):
        raise ValueError(f"{len(closes_ms)} of {len(OF)} days were closed")
    return {DAYS_P99: found[P99], DAYS_P50: found[P50], CLOSES: max(closes_ms)}


def _other(text: str) -> str:
    """With other names of contacts and legs: those of a simulated day are numbers of 32 figures."""
    return text.replace("0" * 24, "1" + "0" * 23)


def _closing_ms(log: EventLog, turn: list[Entry]) -> float | None:
    """How long its append took; None: it closed no day."""
    closed, began = log._counts._closing.closed, time.perf_counter()
    log.append(turn)
    took_ms = (time.perf_counter() - began) * 1000
    return took_ms if log._counts._closing.closed - closed else None


def _ask(log: EventLog, branch: Branch, events: int) -> dict[str, float]:
    began = time.process_time()
    log.rebuild()
    rebuild_s = time.process_time() - began
    _make_a_month(log)
    aims, midnight = Aims.of(branch.config), branch.midnight()

    def asked_s(until: float, interval_s: float) -> float:
        began = time.process_time()
        with log.ledger() as ledger:
            for of in OF:
                rows_and_whole(ledger, Wanted(of, midnight, until, interval_s=interval_s), aims, until)
        return time.process_time() - began

    with log.ledger() as ledger:
        day = Wanted("queue", midnight, midnight + DAY_S, ("",), figures=("offered",))
        [whole], _ = rows_and_whole(ledger, day, aims, midnight + DAY_S)
    return {CONTACTS: whole.ratios["offered"].top, DAY: asked_s(midnight + DAY_S, 0.0),
            QUARTERS: asked_s(midnight + DAY_S, QUARTER_S),
            MONTH: asked_s(midnight + MONTH_DAYS * DAY_S, DAY_S), REBUILD: events / rebuild_s}


def _make_a_month(log: EventLog) -> None:
    """The day again and again: what is asked is not how the rows came about."""
    with log.ledger() as ledger:
        day = [count for of in OF for count in ledger.counts(of, 0, 2**53)]
        quarters = ledger.connection.execute(select(intervals)).mappings().all()
    with log._file.write() as connection:
        known = {(row["of"], row["at_ms"], row["name"]) for row in quarters}
        for number in range(1, MONTH_DAYS):
            later_ms = number * DAY_MS
            connection.execute(insert(counts), [
                {name: getattr(one, name) for name in one.__slots__}
                for one in (replace(one, at_ms=one.at_ms + later_ms, contact=f"{one.contact}-{number}")
                            for one in day)])
            new = [{**row, "at_ms": row["at_ms"] + later_ms} for row in quarters]
            new = [row for row in new if (row["of"], row["at_ms"], row["name"]) not in known]
            known |= {(row["of"], row["at_ms"], row["name"]) for row in new}
            connection.execute(insert(intervals), new)


LOG = Theme(
    "log", "The event log with contact records and figures in one commit (SQLite, WAL, synchronous FULL), "
    "fed with the turns of the reference day of tests/sim/reference.py, in an empty file and in one with a "
    "month of such days, all closed but the last; then the figures of that day, and of a month, of all "
    "queues, agents, trunks and nodes. Asking and rebuilding: CPU time.",
    (Kind(P99, "ms", "under 5"), Kind(P50, "ms"), Kind(P99_BESIDE, "ms CPU"), Kind(FSYNC, "ms"),
     Kind(DAYS_P99, "ms", "under 5"), Kind(DAYS_P50, "ms"), Kind(CLOSES, "ms"),
     Kind(CONTACTS, "contacts"), Kind(DAY, "s"), Kind(QUARTERS, "s"), Kind(MONTH, "s"),
     Kind(REBUILD, "events/s")), once)
