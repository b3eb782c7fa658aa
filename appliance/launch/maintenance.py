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
    EntryKind,
    GetMaintenance,
    MaintenanceEntry,
    MaintenanceReply,
)
from appliance.bus.messages.maintenance import MOST_ENTRIES
from appliance.launch.asking import RUN_DIR, below, columns, on_bus, person

KINDS = ("daily", "repair", "change", "correction")
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
    if entry.corrects:
        found.append(f"puts {entry.corrects} right")
    return [" ".join(one.split()) for one in found if one]


def _times(month: str | None) -> tuple[float, float]:
    if month is None:
        return 0.0, 0.0
    if (found := _MONTH.fullmatch(month)) is None:
        raise click.UsageError(f"--month {month!r}: write it as 2026-11")
    year, number = int(found[1]), int(found[2])
    after = (year + number // 12, number % 12 + 1)
    return datetime(year, number, 1).timestamp(), datetime(*after, 1).timestamp()
