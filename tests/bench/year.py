"""A year of reports: a million contacts in a file as acdd leaves it, every day the reference day.

Making it takes minutes. YEAR=FOLDER keeps it there, for this theme and that of pages: made when it is not.
"""

import contextlib
import itertools
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.centre.figures.counting import FigureCounting
from appliance.centre.figures.report import Aims, Wanted, rows_and_whole
from appliance.centre.projector import ContactProjector
from appliance.sim.branch import Branch
from appliance.sim.world import simulate
from appliance.store.events import FILE, Entry, EventLog
from tests.bench.figures import Kind, Say, Theme
from tests.sim.reference import reference
from webui.reports.choice import SETS

DAYS = 340
DAY_S = 86_400
PAGE = 50
REPORTS = {                                       # of, figures, interval, names
    "report over a year: one figure": ("queue", ("offered",), 0.0, ()),
    "report over a year: service, with FCR": ("queue", SETS["queue"]["service"], 0.0, ()),
    "report over a year: service, by days": ("queue", SETS["queue"]["service"], float(DAY_S), ("",)),
    "report over a year: all of queues": ("queue", (), 0.0, ()),
    "report over a year: agents": ("agent", SETS["agent"]["service"], 0.0, ()),
    "report over a year: trunks": ("trunk", (), 0.0, ()),
}
RANGES: dict[str, Mapping[str, Sequence[str]]] = {
    "contacts of a queue": {"queue": ["sales"]}, "contacts of an agent": {"agent": ["both1"]},
    "contacts of nobody": {"queue": ["nobody"]},
    "contacts of a queue and two agents": {"queue": ["sales"], "agent": ["sales1", "sales2"]}}

# A day's rows once more, so many days later. The last digits of numbers move on, so that a number comes back
# now and then.
_LATER = {
    "counts": """INSERT INTO counts (of, name, what, contact, at_ms, for_ms, other, number)
        SELECT of, name, what, contact || '-' || :copy, at_ms + :ms, for_ms, other,
        CASE WHEN number = '' THEN '' ELSE substr(number, 1, length(number) - 4) ||
            printf('%04d', (CAST(substr(number, -4) AS INTEGER) + 37 * :copy) % 10000) END
        FROM counts WHERE at_ms < :end_ms ORDER BY id""",
    "intervals": """INSERT OR IGNORE INTO intervals SELECT of, at_ms + :ms, name, sums FROM intervals
        WHERE at_ms < :end_ms ORDER BY of, at_ms""",
    "contacts": """INSERT INTO contacts SELECT contact || '-' || :copy, direction, calling, called, state,
        began_at + :s, ended_at + :s, queue, agent, outcome, ended_by, cause, digits, withheld
        FROM contacts WHERE began_at < :end_s AND state = 'ended' ORDER BY began_at""",
    "segments": """INSERT INTO segments SELECT s.contact || '-' || :copy, s.position, s.kind,
        s.began_at + :s, s.ended_at + :s, s.detail, s.agent, s.recording
        FROM contacts c JOIN segments s ON s.contact = c.contact
        WHERE c.began_at < :end_s AND c.state = 'ended' ORDER BY c.began_at""",
}


@contextlib.contextmanager
def year(say: Say) -> Iterator[tuple[Path, Branch]]:
    """The folder with acd.sqlite, and the branch whose days are in it."""
    if not (kept := os.environ.get("YEAR")):
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            yield Path(name), year_at(Path(name), say)
        return
    folder = Path(kept)
    made = folder / "first-day"                   # written last
    if not made.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for part in folder.glob(f"{FILE}*"):     # of a run that was broken off
            part.unlink()
        first = datetime.fromtimestamp(year_at(folder, say).midnight(), UTC)
        made.write_text(first.date().isoformat())
    yield folder, reference(day=made.read_text())


def year_at(folder: Path, say: Say, days: int = DAYS) -> Branch:
    """Make `folder`/acd.sqlite with so many days, the last one yesterday; the branch whose days they are. The
    first one was simulated by the box's own engine and written by its own log."""
    branch = reference(day=(datetime.now(UTC) - timedelta(days=days)).date().isoformat())
    entries: list[Entry] = []
    simulate(branch, keep=entries.extend)
    log = EventLog(folder / FILE, ContactProjector(), FigureCounting())
    try:
        given = iter(entries)
        while some := list(itertools.islice(given, 1000)):
            log.append(some)
    finally:
        log.close()
    _copy(folder / FILE, branch.midnight(), days)
    log = EventLog(folder / FILE, ContactProjector(), FigureCounting())
    try:
        log.close_days()
        say(f"a year: {log.counts()}")
    finally:
        log.close()
    return branch


def _copy(path: Path, midnight: float, days: int) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
            connection.execute(f"PRAGMA {pragma}")
        indexes: Sequence[tuple[str, str]] = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
            "AND tbl_name IN ('counts', 'contacts', 'segments')").fetchall()
        for name, _ in indexes:                   # made once, at the end
            if name != "contacts_began":
                connection.execute(f"DROP INDEX {name}")
        there = 1
        while there < days:
            some = min(there, days - there)
            end_s = midnight + some * DAY_S
            values = {"copy": there, "s": there * DAY_S, "ms": there * DAY_S * 1000, "end_s": end_s,
                      "end_ms": round(end_s * 1000)}
            for table in ("counts", "intervals", "segments", "contacts"):
                connection.execute(_LATER[table], values)
            there += some
        for name, sql in indexes:
            if name != "contacts_began":
                connection.execute(sql)
        connection.commit()
        connection.execute("PRAGMA journal_mode = WAL")


def once(say: Say) -> dict[str, float]:
    found: dict[str, float] = {}
    with year(say) as (folder, branch):
        log = EventLog(folder / FILE, ContactProjector(), FigureCounting())
        try:
            aims, since = Aims.of(branch.config), branch.midnight()
            until = since + DAYS * DAY_S
            for what, (of, figures, interval_s, names) in REPORTS.items():
                began = time.process_time()
                with log.ledger() as ledger:
                    rows_and_whole(ledger, Wanted(of, since, until, names, interval_s, figures), aims, until)
                found[what] = time.process_time() - began
            for what, within in RANGES.items():
                began = time.process_time()
                log.contacts(0, PAGE, within)
                found[what] = (time.process_time() - began) * 1000
        finally:
            log.close()
    return found


YEAR = Theme(
    "year", f"A year of {DAYS} days, each the reference day of tests/sim/reference.py: a million contacts of "
    "two queues and 20 agents, 20 million counts. CPU time of the reports that people ask for, of all that "
    f"time, and of the newest {PAGE} contacts within a range, with how many there are.",
    (*(Kind(what, "s CPU", "under 2") for what in REPORTS), *(Kind(what, "ms CPU") for what in RANGES)),
    once, runs=1)
