"""branchline sim: a day of a branch in virtual time, and the formulas that size one."""

import json
import math
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from appliance.centre.figures.counting import FigureCounting
from appliance.centre.projector import ContactProjector
from appliance.errors import ConfigError
from appliance.launch.asking import PATH, or_exit
from appliance.launch.replaying import replay
from appliance.sim import chart, tables
from appliance.sim.erlang import Load, agents_for, channels_for, steady
from appliance.sim.figures import ALL, METRICS
from appliance.sim.load import load, variant
from appliance.sim.loop import Keep
from appliance.sim.study import Estimate, Study, study
from appliance.store.events import Entry, EventLog

CHANNELS_OF_AN_E1 = 30
AS_IT_IS = "as it is"


class Target(click.ParamType[tuple[float, float]]):
    """80/20: so many per cent within so many seconds."""

    name = "percent/seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None
                ) -> tuple[float, float]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"([0-9]{1,2}(?:\.[0-9]+)?)/([0-9]{1,4}(?:\.[0-9]+)?)", str(value))
        if match is None or not float(match[1]):
            self.fail(f"{value!r}: write per cent and seconds, such as 80/20")
        return float(match[1]) / 100, float(match[2])


@click.group()
def sim() -> None:
    """Rehearse a branch: its day in virtual time with the box's own engine, or by formula."""


sim.add_command(replay)


@sim.command()
@click.argument("scenario", type=PATH)
@click.option("--what-if", "changes", multiple=True, metavar="CHANGE",
              help="E.g. agents=+2, agents.QUEUE=-1, staff=09:00-12:00:+2, calls=+10%, handling=-5%, "
                   "patience=+20%, wrap-up=10, no-answer=5%, box=OTHER.yaml; several with commas; again for "
                   "another column. docs/simulator.md has all.")
@click.option("--replications", type=click.IntRange(1, 1000), help="In place of the scenario's.")
@click.option("--seed", type=click.IntRange(0), help="In place of the scenario's.")
@click.option("--intervals", is_flag=True, help="A row for each interval, too.")
@click.option("--svg", type=PATH, help="The day as a picture into this file.")
@click.option("--log", type=PATH, help="The event log of the first day, as a box keeps it, into a new file.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def run(scenario: Path, changes: Sequence[str], replications: int | None, seed: int | None, intervals: bool,
        svg: Path | None, log: Path | None, as_json: bool) -> None:
    """A day of a branch, several times over: SCENARIO says who calls and who works.

    Figures are means over the replications with what is sure of them (95 %).
    """
    studies = or_exit(lambda: _studied(scenario, changes, replications, seed, log))
    if svg is not None:
        or_exit(lambda: _write(svg, chart.svg(studies, _target(studies[0]))))
    click.echo(json.dumps(as_data(studies), indent=1) if as_json else "\n".join(_shown(studies, intervals)))


@sim.command()
@click.option("--calls-per-hour", type=float, required=True)
@click.option("--aht-s", type=float, required=True, help="Talk, hold and wrap-up of a call.")
@click.option("--target", type=Target(), default="80/20", show_default=True, metavar="PERCENT/SECONDS",
              help="So many of the calls offered are answered within so many seconds.")
@click.option("--patience-s", type=float, help="Mean patience of callers (Erlang A); else endless (C).")
@click.option("--shrinkage", type=click.FloatRange(0, 90), default=0.0, metavar="PERCENT",
              help="Of paid time: breaks, training, illness.")
@click.option("--blocking", type=click.FloatRange(0, 100, min_open=True, max_open=True), default=1.0,
              show_default=True, metavar="PERCENT", help="Of calls that may find all channels busy.")
def erlang(calls_per_hour: float, aht_s: float, target: tuple[float, float], patience_s: float | None,
           shrinkage: float, blocking: float) -> None:
    """How many agents and channels a load needs, by Erlang's formulas."""
    try:
        work = Load(calls_per_hour=calls_per_hour, aht_s=aht_s)
        lines = list(sized(work, target, patience_s, shrinkage, blocking))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    click.echo("\n".join(lines))


def sized(work: Load, target: tuple[float, float], patience_s: float | None, shrinkage: float,
          blocking: float) -> Iterator[str]:
    """Lines: the answer, and what a few agents more or fewer would do. ValueError: it cannot be."""
    share, within_s = target
    needed = agents_for(work, share, within_s, patience_s)
    found = steady(needed, work, patience_s)
    held = work.erlangs * (1 - found.abandoned) + found.in_queue     # channels are taken while waiting, too
    channels = channels_for(held, blocking / 100)
    yield (f"{work.calls_per_hour:g} calls an hour of {work.aht_s:g} s: {work.erlangs:.2f} erlangs "
           f"({'Erlang A' if patience_s else 'Erlang C'})")
    yield f"agents     {needed} to answer {100 * share:g} % of the calls within {within_s:g} s"
    if shrinkage:
        yield f"on staff   {math.ceil(needed / (1 - shrinkage / 100))} with {shrinkage:g} % shrinkage"
    yield (f"channels   {channels} lose {blocking:g} % of {held:.2f} erlangs in line and handled (Erlang B), "
           f"{math.ceil(channels / CHANNELS_OF_AN_E1)} E1")
    yield ""
    yield f"{'agents':>6}{'service level':>15}{'ASA':>10}{'waiting':>10}{'abandoned':>11}{'occupancy':>11}"
    for agents in range(max(1, needed - 3), needed + 4):
        try:
            one = steady(agents, work, patience_s)
        except ValueError:                        # too few for Erlang C
            yield f"{agents:6}  the line grows without end"
            continue
        yield (f"{agents:6}{100 * one.answered_within(within_s):13.1f} %{one.asa_s:8.1f} s"
               f"{100 * one.waiting:8.1f} %{100 * one.abandoned:9.1f} %{100 * one.occupancy:9.1f} %"
               f"{'  <' if agents == needed else ''}")


def as_data(studies: Sequence[Study]) -> dict[str, Any]:
    """For programs: every figure with its formula, for all queues (""), each queue, each interval."""
    return {
        "metrics": {metric.name: {"formula": metric.formula, "unit": "share" if metric.share else metric.unit}
                    for metric in METRICS.values()},
        "studies": [{
            "title": one.title,
            "replications": len(one.days),
            "queues": {queue: {
                "figures": {name: _data(one.estimate(name, queue)) for name in METRICS},
                "intervals": {chart.clock(one, number): {
                    name: _data(one.estimate(name, queue, number)) for name in METRICS}
                    for number in one.days[0].intervals[queue]},
            } for queue in one.days[0].of},
        } for one in studies],
    }


def _data(found: Estimate) -> dict[str, float | None]:
    return {"mean": None if math.isnan(found.mean) else found.mean,
            "half": None if math.isnan(found.half) else found.half}


def _shown(studies: Sequence[Study], intervals: bool) -> Iterator[str]:
    pen = tables.pen_for(sys.stdout.encoding)
    first = studies[0]
    queues = [queue for queue in first.days[0].of if queue != ALL]
    for queue in [ALL, *(queues if len(queues) > 1 else [])]:
        yield from tables.side_by_side(studies, pen, queue)
        yield ""
    if len(studies) > 1:
        yield f"*: surely not as in {AS_IT_IS!r}: the same callers, compared day by day (95 %)"
        yield ""
    for one in studies:
        yield one.title
        yield from tables.over_the_day(one, pen)
    if intervals:
        yield ""
        yield from tables.in_rows(first, pen)


def _studied(scenario: Path, changes: Sequence[str], replications: int | None, seed: int | None,
             log: Path | None) -> list[Study]:
    given = {"replications": replications, "seed": seed}
    update = {name: value for name, value in given.items() if value is not None}
    branch = load(scenario)
    branch = replace(branch, scenario=branch.scenario.model_copy(update=update))
    branches = {AS_IT_IS: branch} | {change: variant(branch, change) for change in changes}
    with _kept(log) as keep:
        return [study(title, one, keep if title == AS_IT_IS else None) for title, one in branches.items()]


@contextmanager
def _kept(path: Path | None) -> Iterator[Keep | None]:
    """The event log, in a file that is new."""
    if path is None:
        yield None
        return
    if path.exists():
        raise ConfigError(f"{path}: is there already: name a new file")
    log = EventLog(path, ContactProjector(), FigureCounting())

    def keep(entries: Sequence[Entry]) -> None:
        log.append(entries)

    try:
        yield keep
    finally:
        log.close()


def _target(one: Study) -> float | None:
    """The service level that all queues have to reach, if they have the same."""
    levels = {queue.service_level.percent for queue in one.branch.config.centre.queues}
    return levels.pop() / 100 if len(levels) == 1 else None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
