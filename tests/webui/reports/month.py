"""A month of a rehearsed branch in a real event log, asked by acdd's own code: what reports are made of."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from appliance.bus.client import Refused
from appliance.bus.messages import GetFigureCounts, GetFigures, Reply, Request
from appliance.centre.figures.answer import figure_counts, figures
from appliance.centre.figures.counting import FigureCounting
from appliance.centre.figures.report import Aims
from appliance.centre.projector import ContactProjector
from appliance.config.targets import TargetsConfig
from appliance.errors import StateError
from appliance.sim.branch import Branch
from appliance.sim.world import simulate
from appliance.store.counts import counts, intervals
from appliance.store.events import Entry, EventLog
from tests.sim.branches import branch

DAY_S, DAY_MS, HOUR_MS = 86400.0, 86_400_000, 3_600_000
DAYS = 30


@cache
def rehearsed() -> tuple[Branch, tuple[Entry, ...]]:
    """A working day: two queues, people who do not wait for ever."""
    entries: list[Entry] = []
    day = branch(4, 12, begins="08:00", ends="18:00",
                 arrivals=[{"called": "5001", "keys": {"1": 70.0, "2": 30.0},
                            "calls_per_hour": {"08:00": 20, "10:00": 60, "12:00": 15, "14:00": 40}}],
                 patience={"kind": "exponential", "mean_s": 90.0},
                 handling={"kind": "log-normal", "mean_s": 180.0, "variation": 0.6})
    simulate(day, keep=entries.extend)
    return day, tuple(entries)


class Month:
    """Days like one another; `asked` counts the questions."""

    def __init__(self, log: EventLog, day: Branch) -> None:
        self.log, self.first = log, day.midnight()
        config = day.config
        targets = TargetsConfig(aht_s=150.0, asa_s=20.0, abandonment_percent=8.0)
        self.aims = Aims.of(config.model_copy(update={
            "centre": config.centre.model_copy(update={"targets": targets})}))
        self.asked: list[Request[Any]] = []
        self.now = self.first + 20 * DAY_S + 15.3 * 3600

    def answer(self, request: Request[Any]) -> Reply | None:
        """None: it is no question of figures. Refused."""
        if not isinstance(request, GetFigures | GetFigureCounts):
            return None
        self.asked.append(request)
        try:
            with self.log.ledger() as ledger:
                if isinstance(request, GetFigures):
                    return figures(ledger, request, self.aims, self.now)
                return figure_counts(ledger, request, self.aims, self.now)
        except StateError as error:
            raise Refused(str(error)) from None

    def day(self, number: int) -> datetime:
        """In the zone of this machine, where the rehearsal was."""
        return datetime.fromtimestamp(self.first + number * DAY_S)

    def asking(self, before: Callable[..., Any]) -> Callable[..., Any]:
        """An exchange's ask() that has these figures."""
        def ask(request: Request[Any], timeout_s: float = 2.0) -> Any:
            return self.answer(request) or before(request, timeout_s)
        return ask


def days_like_it(log: EventLog, days: int) -> None:
    """The first day again and again, an hour later in every other week: what is asked is not how it came."""
    with log.ledger() as ledger:
        first = [count for of in ("queue", "agent", "trunk", "node") for count in ledger.counts(of, 0, 2**53)]
        quarters = [dict(row) for row in ledger.connection.execute(select(intervals)).mappings()]
    known = {(row["of"], row["at_ms"], row["name"]) for row in quarters}
    for number in range(1, days):
        later_ms = number * DAY_MS + (number // 7 % 2) * HOUR_MS
        with log._file.write() as connection:
            connection.execute(insert(counts), [
                {name: getattr(one, name) for name in one.__slots__}
                for one in (replace(one, at_ms=one.at_ms + later_ms, contact=f"{one.contact[-8:]}-{number}")
                            for one in first)])
            new = [{**row, "at_ms": row["at_ms"] + later_ms} for row in quarters]
            new = [row for row in new if (row["of"], row["at_ms"], row["name"]) not in known]
            known |= {(row["of"], row["at_ms"], row["name"]) for row in new}
            connection.execute(insert(intervals), new)


@contextmanager
def month_in(folder: Path) -> Iterator[Month]:
    day, entries = rehearsed()
    log = EventLog(folder / "acd.sqlite", ContactProjector(), FigureCounting())
    try:
        for at in range(0, len(entries), 500):
            log.append(list(entries[at:at + 500]))
        days_like_it(log, DAYS)
        yield Month(log, day)
    finally:
        log.close()
