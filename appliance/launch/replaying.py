"""branchline sim replay: days of this box, out of its event log, played again with changes."""

import json
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import click
import msgspec
from sqlalchemy import Connection, and_, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from appliance.centre.entry.load import LOCAL_ZONE, load_entrance
from appliance.centre.flow.names import load_flows
from appliance.config.load import load
from appliance.config.schema import Config
from appliance.errors import ConfigError
from appliance.launch.asking import CONFIG, STATE_DIR, or_exit
from appliance.sim.branch import Branch
from appliance.sim.past import Moved, Past, past
from appliance.sim.replayed import added, play, plays
from appliance.sim.what_if import vary
from appliance.store.events import FILE
from appliance.store.projections import Projections
from appliance.store.records import ContactRecord
from appliance.store.schema import contacts

MOST_DAYS, MOST_SEEDS = 7, 20
MOST_CALLS = 20_000                               # of one day, that came in
MOST_MOVES = 500_000                              # of it and of BEFORE
BEFORE = timedelta(hours=36)                      # in which everybody's state at midnight began
_KINDS = ("AgentJoined", "AgentLeft", "AgentChanged")


class _Move(msgspec.Struct):
    """Of an agent's events, so much as is needed."""

    agent: str
    state: str = ""


@click.command()
@click.argument("days", nargs=-1, required=True, metavar="DAY...")
@click.option("--what-if", "changes", multiple=True, metavar="CHANGE",
              help="As of `sim run`; several are all made together.")
@click.option("--seeds", type=click.IntRange(1, MOST_SEEDS), default=5, show_default=True,
              help="Plays of each day, each by another chance.")
@click.option("--interval-min", type=click.IntRange(5, 240), default=30, show_default=True)
@click.option("--progress", is_flag=True, help="Lines of JSON: how many plays are done; then the result.")
@CONFIG
@STATE_DIR
def replay(days: Sequence[str], changes: Sequence[str], seeds: int, interval_min: int, progress: bool,
           config: Path, state_dir: Path) -> None:
    """Play DAYs (2026-03-02) of this box again, as they were and with changes: JSON of both."""
    def say(what: dict[str, Any]) -> None:
        if progress:
            click.echo(json.dumps(what))
            sys.stdout.flush()

    def played() -> dict[str, Any]:
        found = prepared(load(config), state_dir / FILE, days, changes, seeds, interval_min)
        pairs = [(one, other) for one, other, _ in found]
        say({"of": plays(pairs)})
        result = play(pairs, lambda done: say({"done": done}))
        return {**result, "days": list(days), "changes": list(changes),
                "left_out": added([one.left_out for _, _, one in found]),
                "real": added([one.real for _, _, one in found]),
                "known": sum(len(calls) for _, _, one in found for calls in one.known.values())}

    result = or_exit(played)
    click.echo(json.dumps({"result": result} if progress else result, indent=None if progress else 1))


def prepared(config: Config, log: Path, days: Sequence[str], changes: Sequence[str], seeds: int,
             interval_min: int) -> list[tuple[Branch, Branch, Past]]:
    """Of each day: as it was, changed, and what is known of it. ConfigError: one cannot be."""
    if len(days) > MOST_DAYS:
        raise ConfigError(f"{len(days)} days: at most {MOST_DAYS}")
    key = _zone_name()
    zone = ZoneInfo(key)
    dates = [_day(text) for text in dict.fromkeys(days)]
    raw = [(day, *_read(log, day, zone)) for day in dates]

    def pasts(hours: tuple[str, str] | None) -> list[Past]:
        return [past(day, _midnight(day, zone), config, records, moves, interval_min, seeds, key, hours)
                for day, records, moves in raw]

    first = pasts(None)
    hours = (min(one.scenario.begins for one in first), max(one.scenario.ends for one in first))
    flows, entrance = load_flows(config.centre), load_entrance(config, zone)
    found = []
    for one in pasts(hours):
        branch = Branch(scenario=one.scenario, config=config, flows=flows, entrance=entrance, known=one.known)
        changed = branch
        for change in changes:
            changed = vary(changed, change)
        found.append((branch, replace(changed), one))
    return found


def _zone_name() -> str:
    """Of the box's own time zone; UTC where none is set. ConfigError: its name cannot be told."""
    name = os.environ.get("TZ", "").removeprefix(":")
    if not name and not LOCAL_ZONE.exists():
        return "UTC"
    if not name and LOCAL_ZONE.is_symlink():
        name = str(LOCAL_ZONE.resolve()).rpartition("/zoneinfo/")[2]
    if name not in available_timezones():
        raise ConfigError(f"the name of the box's time zone cannot be told from {name or LOCAL_ZONE}: "
                          "set TZ, as TZ=Asia/Shanghai")
    return name


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r}: no day: write it as 2026-03-02") from None


def _midnight(day: date, zone: ZoneInfo) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def _read(log: Path, day: date, zone: ZoneInfo) -> tuple[list[ContactRecord], list[Moved]]:
    """Out of the file that acdd writes on meanwhile. ConfigError: it cannot be read, or is too much."""
    begins, ends = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    address = f"file:{log}?mode=ro"
    try:
        engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True),
                               poolclass=NullPool)
        with closing(sqlite3.connect(address, uri=True)) as base:
            moves = list(_moves(base, day, begins - BEFORE.total_seconds(), ends))
        with engine.connect() as connection:
            records = _records(connection, begins, ends)
    except (sqlite3.Error, DBAPIError) as error:
        raise ConfigError(f"{log}: cannot be read: {error}") from None
    if len(records) > MOST_CALLS:                 # half a day would be no day of this box
        raise ConfigError(f"{day}: more than {MOST_CALLS} calls came in: such a day cannot be played")
    return records, moves


def _records(connection: Connection, begins: float, ends: float) -> list[ContactRecord]:
    which = and_(contacts.c.began_at >= begins, contacts.c.began_at < ends, contacts.c.direction == "in")
    return Projections.select(connection, which, limit=MOST_CALLS + 1)


def _moves(base: sqlite3.Connection, day: date, begins: float, ends: float) -> Iterator[Moved]:
    first = _first(base, begins)
    rows = base.execute(
        "SELECT at, kind, data FROM events WHERE seq >= ? AND seq < ? AND kind IN (?, ?, ?) "
        "ORDER BY seq LIMIT ?",
        (first, _first(base, ends), *_KINDS, MOST_MOVES + 1))
    for number, (at, kind, data) in enumerate(rows):
        if number >= MOST_MOVES:
            raise ConfigError(f"{day}: agents changed more than {MOST_MOVES} times: such a day cannot be "
                              "played")
        try:
            move = msgspec.json.decode(data, type=_Move)
        except msgspec.MsgspecError:
            continue                              # another version's: its agent is where he was
        yield Moved(at, move.agent, "" if kind == "AgentLeft" else move.state)


def _first(base: sqlite3.Connection, at: float) -> int:
    """The least number of an event from then on: numbers grow with time, and only they have an index."""
    low, high = 0, (base.execute("SELECT max(seq) FROM events").fetchone()[0] or 0) + 1
    while low < high:
        middle = (low + high) // 2
        row = base.execute("SELECT at FROM events WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,)).fetchone()
        if row is not None and row[0] < at:
            low = middle + 1
        else:
            high = middle
    return low
