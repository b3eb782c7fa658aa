"""branchline maintenance: what the maintenance log has, one more entry in it."""

import re
from datetime import datetime
from pathlib import Path
from typing import cast

import click
import msgspec

from appliance.bus.client import Bus
from appliance.bus.messages import (
    AddedMaintenance,
    AddMaintenance,
    BeginSelfCheck,
    Done,
    EntryKind,
    GetMaintenance,
    GetRoutine,
    MaintenanceEntry,
    MaintenanceReply,
    RoutineKind,
    RoutineReply,
    SelfChecked,
)
from appliance.bus.messages.maintenance import MOST_ENTRIES, ROUTINES
from appliance.launch.asking import RUN_DIR, below, columns, on_bus, person

KINDS = ("daily", "repair", "change", "correction")
RESULTS = {"good": "in order", "attend": "to be attended to", "failed": "failed",
           "undone": "could not be done"}
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


@click.group()
@RUN_DIR
def maintenance(run_dir: Path) -> None:
    """The maintenance log: records of each day, what people did, what they checked."""


@maintenance.command()
@click.option("--month", help="E.g. 2026-11. [the newest entries]")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@RUN_DIR
def show(month: str | None, as_json: bool, run_dir: Path) -> None:
    """Entries, newest first."""
    since, until = _times(month)

    async def ask(bus: Bus) -> MaintenanceReply:
        return await bus.ask(GetMaintenance(since=since, until=until, most=MOST_ENTRIES if month else 50))
    entries = on_bus(run_dir, ask).entries
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(entries), indent=1).decode())
        return
    for one in entries:
        at = datetime.fromtimestamp(one.at).strftime("%Y-%m-%d %H:%M")
        head = f"{one.number:>6}  {at}  {one.kind:<10} {one.by or 'the box'}"
        click.echo(below(head, " | ".join(_said(one)), columns()))


@maintenance.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("text")
@click.option("--note", default="")
@click.option("--of", "corrects", type=click.IntRange(1), help="The entry that a correction puts right.")
@RUN_DIR
def add(kind: str, text: str, note: str, corrects: int | None, run_dir: Path) -> None:
    """Write what was done; it is never changed afterwards."""
    async def ask(bus: Bus) -> AddedMaintenance:
        return await bus.ask(AddMaintenance(
            kind=cast(EntryKind, kind), by=person(), text=text, note=note, corrects=corrects or 0))
    click.echo(f"entry {on_bus(run_dir, ask, name='boxd').number}")


@maintenance.command()
@click.argument("number", type=click.IntRange(1))
@RUN_DIR
def sign(number: int, run_dir: Path) -> None:
    """Put your name to an entry that you have seen: to what the box wrote, say."""
    async def ask(bus: Bus) -> AddedMaintenance:
        return await bus.ask(AddMaintenance(kind="signature", by=person(), text="", signs=number))
    click.echo(f"entry {on_bus(run_dir, ask, name='boxd').number}")


@maintenance.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@RUN_DIR
def rounds(as_json: bool, run_dir: Path) -> None:
    """How the box looked itself over last, and when it does next."""
    async def ask(bus: Bus) -> RoutineReply:
        return await bus.ask(GetRoutine())
    reply = on_bus(run_dir, ask)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(reply), indent=1).decode())
        return
    click.echo(f"record of the day: next {_minute(reply.record_at)}")
    for one in reply.rounds:
        goes_on = f", {len(one.results)} of {len(one.results) + len(one.left) + bool(one.doing)} items done"
        click.echo(f"{one.kind}: {one.state}{goes_on if one.state in ('running', 'waiting') else ''}"
                   f"{f', next {_minute(one.next_at)}' if one.state == 'planned' else ''}")
        if one.last is not None and one.last.check is not None:
            names = ", ".join(who.by for who in reply.signed.get(str(one.last.number), ()))
            click.echo(f"  last {_minute(one.last.at)}, entry {one.last.number}"
                       f"{f', signed by {names}' if names else ''}")
            for found in one.last.check.results:
                head = f"  {RESULTS[found.result]:<18} {found.title['en']}"
                click.echo(below(head, _looked(found), columns()))


@maintenance.command()
@click.argument("kind", type=click.Choice(ROUTINES))
@RUN_DIR
def begin(kind: str, run_dir: Path) -> None:
    """Have the box look itself over now; `rounds` says what it finds."""
    async def ask(bus: Bus) -> Done:
        return await bus.ask(BeginSelfCheck(kind=cast(RoutineKind, kind), by=person()))
    on_bus(run_dir, ask, name="boxd")
    click.echo(f"the {kind} round has begun")


def _looked(one: SelfChecked) -> str:
    limit = f" (limit {one.limit})" if one.limit else ""
    return "; ".join(part for part in (f"{one.figure}{limit}" if one.figure else "", one.text.get("en", ""),
                                       one.next.get("en", "")) if part)


def _minute(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")


def _said(entry: MaintenanceEntry) -> list[str]:
    record = entry.record
    found = [entry.text, entry.note]
    if record is not None:
        down = [name for name, state in record.daemons.items() if state != "up"]
        found += [f"calls {'?' if record.calls is None else record.calls}",
                  *([f"down: {', '.join(down)}"] if down else []),
                  *(f"{name}: ES {span.es} SES {span.ses} UAS {span.uas}"
                    for name, span in record.spans.items()),
                  *(f"alarm {name} x{times}" for name, times in record.alarms.items())]
    found += [f"{one.item}: {one.result} {one.remark}".strip()
              for one in entry.checked if one.result != "good"]
    if entry.check is not None:
        found += [f"{one.item}: {RESULTS[one.result]} {one.figure}".strip()
                  for one in entry.check.results if one.result != "good"] or ["all in order"]
    if entry.corrects:
        found.append(f"puts {entry.corrects} right")
    if entry.signs:
        found.append(f"of {entry.signs}")
    return [" ".join(one.split()) for one in found if one]


def _times(month: str | None) -> tuple[float, float]:
    if month is None:
        return 0.0, 0.0
    if (found := _MONTH.fullmatch(month)) is None:
        raise click.UsageError(f"--month {month!r}: write it as 2026-11")
    year, number = int(found[1]), int(found[2])
    after = (year + number // 12, number % 12 + 1)
    return datetime(year, number, 1).timestamp(), datetime(*after, 1).timestamp()
