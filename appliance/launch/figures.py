"""branchline figures: of queues, agents, trunks and flows, with what each is made of."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click
import msgspec

from appliance.bus.messages import (
    FigureCount,
    FigureCounts,
    FigureDefinition,
    FigureRow,
    Figures,
    FigureValue,
    GetFigureCounts,
    GetFigures,
)
from appliance.launch.asking import RUN_DIR, beside, columns, on_bus
from appliance.launch.moments import Moment
from appliance.launch.tracing import Duration

NODE = {"flow": "node"}                           # as the command says it: as the bus does
SHOWN = {                                         # in a table over time; all of them else
    "queue": ("offered", "answered", "abandoned", "overflowed", "service_level", "abandonment", "asa_s",
              "longest_wait_s", "aht_s"),
    "agent": ("handled", "out_calls", "aht_s", "talk_s", "hold_s", "wrap_up_s", "logged_in_s", "not_ready_s",
              "occupancy"),
    "trunk": ("in_calls", "out_calls", "blocked", "erlangs", "peak", "all_busy_s"),
    "node": ("entered", "hung_up", "hung_up_share", "here", "stay_s"),
}
KINDS = ("queue", "agent", "trunk", "flow")
HEAD, COLUMN = 31, 11                             # nine figures fit 130 columns
MOST_LINES = 500                                  # of contacts, each above and below the line


@dataclass(frozen=True, slots=True)
class Asked:
    of: str
    names: tuple[str, ...]
    since: float
    until: float


@click.command()
@click.argument("kind", metavar="queue|agent|trunk|flow", type=click.Choice(KINDS))
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--from", "since", type=Moment(), help="E.g. 08:00, 2026-10-01. [the beginning of today]")
@click.option("--to", "until", type=Moment(), help="[now]")
@click.option("--interval", "interval_s", type=Duration(), default=0.0, help="A row for each, e.g. 15m, 24h.")
@click.option("--contacts", "figure", metavar="FIGURE", help="What this figure is made of, one by one.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@RUN_DIR
def figures(kind: str, names: tuple[str, ...], since: datetime | None, until: datetime | None,
            interval_s: float, figure: str | None, as_json: bool, run_dir: Path) -> None:
    """Figures of a running box; what each is: docs/metrics.md. Names: all, and each one.

    A star is beside a figure that does not keep its target.
    """
    now = datetime.now()
    begin = since or now.replace(hour=0, minute=0, second=0, microsecond=0)
    asked = Asked(NODE.get(kind, kind), names, begin.timestamp(), (until or now).timestamp())
    if figure is not None:
        _contacts(run_dir, asked, figure, as_json)
        return
    found = on_bus(run_dir, lambda bus: bus.ask(GetFigures(
        of=asked.of, since=asked.since, until=_until(asked, interval_s), names=list(names),
        figures=list(SHOWN[asked.of]) if interval_s else [], interval_s=interval_s)))
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found), ensure_ascii=False, indent=1))
    else:
        click.echo("\n".join((_over_time if interval_s else _one_by_one)(found, columns())))


def _until(asked: Asked, interval_s: float) -> float:
    """Intervals end with the one that goes on."""
    if not interval_s:
        return asked.until
    return asked.since + -(-(asked.until - asked.since) // interval_s) * interval_s


def _one_by_one(found: Figures, width: int | None) -> Iterator[str]:
    """All that is known of a name below it."""
    for row in found.rows:
        yield f"{row.name or 'all'}   {_moment(row.since)} to {_moment(row.until)}"
        for definition, value in zip(found.definitions, row.values, strict=True):
            if value.value is not None:
                yield beside(f"  {definition.name:<24}{_shown(definition, value):>12}  ",
                             _made_of(definition, value), width)
        yield from (f"    {one.what:<40}{one.count:>8}{one.seconds:>12.1f} s" for one in row.sums)


def _over_time(found: Figures, width: int | None) -> Iterator[str]:
    """A row for each name and interval; figures for which there is no room come in tables below."""
    most = max(1, (width - HEAD) // COLUMN) if width is not None else len(found.definitions)
    for first in range(0, len(found.definitions), most):
        shown = slice(first, first + most)
        yield f"{'':{HEAD}}" + "".join(f"{_heading(one):>{COLUMN}}" for one in found.definitions[shown])
        for row in found.rows:
            cells = map(_shown, found.definitions[shown], row.values[shown])
            head = f"{_name(row)[:14]:<14} {_moment(row.since):<16}"
            yield head + "".join(f"{cell:>{COLUMN}}" for cell in cells)


def _name(row: FigureRow) -> str:
    return row.name or "all"


def _heading(definition: FigureDefinition) -> str:
    return definition.en if len(definition.en) < COLUMN else definition.en[:COLUMN - 2] + "."


def _shown(definition: FigureDefinition, value: FigureValue) -> str:
    star = "*" if value.kept is False else ""
    if value.value is None:
        return "-"
    if definition.unit == "share":
        return f"{100 * value.value:.1f} %{star}"
    if definition.unit in ("s", "Erl"):
        return f"{value.value:.1f} {definition.unit}{star}"
    return f"{value.value:.0f}{star}"


def _made_of(definition: FigureDefinition, value: FigureValue) -> str:
    top, bottom = f"{value.top:g}", f"{value.bottom:g}"
    figures = f"{top} / {bottom} = " if value.bottom != 1.0 or definition.unit == "share" else ""
    return f"{figures}{definition.formula}"


def _contacts(run_dir: Path, asked: Asked, figure: str, as_json: bool) -> None:
    """Of the one name given, or of all together."""
    name = asked.names[0] if asked.names else ""
    found = on_bus(run_dir, lambda bus: bus.ask(GetFigureCounts(
        of=asked.of, name=name, figure=figure, since=asked.since, until=asked.until, limit=MOST_LINES)))
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found), ensure_ascii=False, indent=1))
    else:
        click.echo("\n".join(_lists(found)))


def _lists(found: FigureCounts) -> Iterator[str]:
    yield f"{found.definition.name} = {found.definition.formula}"
    for title, counts, total in (("above the line", found.top, found.tops),
                                 ("below the line", found.bottom, found.bottoms)):
        if total:
            yield f"{title}: {total}" + (f", the first {len(counts)}" if len(counts) < total else "")
            yield from (_line(count) for count in counts)


def _line(count: FigureCount) -> str:
    return (f"  {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(count.at))}{count.for_s:>10.1f} s  "
            f"{count.what:<28}{count.contact or '-':<34}{count.name} {count.other}").rstrip()


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
