"""What may be ordered, and which days there are. Pure but for the reading of the log's days."""

import re
import sqlite3
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

from appliance.bus.messages import RehearsalOrder
from appliance.bus.messages.rehearsal import MOST_CHANGE, MOST_CHANGES, MOST_DAYS, MOST_SEEDS, MOST_TITLE
from appliance.store import EVENTS_FILE

DAYS = 60                                         # before today, that are offered
INTERVALS = (15, 30, 60)

_CHANGE = re.compile(r"[a-z][a-z.0-9-]*=[a-z0-9+%.:-]+")             # box=FILE is not for pages


def mistake(order: RehearsalOrder) -> str:
    """Why it cannot be; "": it can, as far as can be told without playing it."""
    if not 1 <= len(order.days) <= MOST_DAYS or len(set(order.days)) != len(order.days):
        return f"days: from 1 to {MOST_DAYS}, each once"
    for text in order.days:
        try:
            if date.fromisoformat(text).isoformat() != text:
                raise ValueError
        except ValueError:
            return f"{text[:20]!r}: no day: write it as 2026-03-02"
    if not 1 <= order.seeds <= MOST_SEEDS:
        return f"seeds {order.seeds}: from 1 to {MOST_SEEDS}"
    if order.interval_min not in INTERVALS:
        return f"interval_min {order.interval_min}: one of {', '.join(map(str, INTERVALS))}"
    if len(order.title) > MOST_TITLE or not order.title.isprintable():
        return f"title: one line of at most {MOST_TITLE} characters"
    if len(order.changes) > MOST_CHANGES:
        return f"changes: at most {MOST_CHANGES}"
    for change in order.changes:
        if len(change) > MOST_CHANGE or not _CHANGE.fullmatch(change) or change.startswith("box="):
            return f"{change[:60]!r}: no change of the simulator: docs/simulator.md has all"
    return ""


def days(state_dir: Path, now: float) -> list[str]:
    """Of the last DAYS, those with calls, newest first; [] while there is no log, or it cannot be read."""
    today, found = datetime.fromtimestamp(now).date(), []
    try:
        with closing(sqlite3.connect(f"file:{state_dir / EVENTS_FILE}?mode=ro", uri=True)) as base:
            for back in range(DAYS):
                day = today - timedelta(days=back)
                times = [datetime(one.year, one.month, one.day).timestamp()
                         for one in (day, day + timedelta(days=1))]
                if base.execute("SELECT 1 FROM contacts WHERE began_at >= ? AND began_at < ? LIMIT 1",
                                times).fetchone():
                    found.append(day.isoformat())
    except sqlite3.Error:
        return []
    return found
