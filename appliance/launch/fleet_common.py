"""What the commands of `branchline fleet` that go to boxes share: options, carrying a run, its report."""

import asyncio
import contextlib
import functools
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from appliance.box.commands.screen import escaped
from appliance.fleet import report
from appliance.fleet.choosing import Choice, chosen
from appliance.fleet.course import Course, End, State, again
from appliance.fleet.driving import Doing, Nowhere, Work, drive
from appliance.fleet.inventory import Box, Inventory
from appliance.fleet.link import ASK_S, CONNECT_S, Limits, Operator
from appliance.fleet.reach import Reach, reaching
from appliance.fleet.store import Shelf
from appliance.launch.asking import PATH, beside, columns, or_exit, shown

if TYPE_CHECKING:
    from appliance.fleet.record import Record, Told

PARALLEL = 50

F = TypeVar("F", bound=Callable[..., Any])


def runs_of(inventory: Path) -> Path:
    """The folder of its runs."""
    return inventory.with_name(f"{inventory.stem}-runs")


@dataclass(frozen=True, slots=True)
class Way:
    """How boxes are reached, and how many at a time."""

    path: Path                                    # of the inventory
    key: Path | None
    parallel: int
    limits: Limits
    as_json: bool

    @property
    def runs(self) -> Path:
        return runs_of(self.path)

    def inventory(self) -> Inventory:
        return Shelf(self.path).inventory()

    def operator(self) -> Operator:
        return Operator.of(self.key)

    def reach(self, inventory: Inventory) -> Reach:
        return reaching(inventory, self.operator(), self.limits)


def on_boxes(command: F) -> F:
    """The options of a Choice, as `choice`."""
    @functools.wraps(command)
    def made(*args: Any, names: tuple[str, ...], tags: tuple[str, ...], sites: tuple[str, ...],
             without: tuple[str, ...], all_of: bool, **others: Any) -> Any:
        return command(*args, choice=Choice(names, tags, sites, without, all_of), **others)
    found: Any = made
    for option in (
            click.option("--all", "all_of", is_flag=True, help="Every box of the inventory."),
            click.option("--without", multiple=True, metavar="NAME|TAG", help="Not these."),
            click.option("--site", "sites", multiple=True, help="Boxes at this site; * and ? are read."),
            click.option("--tag", "tags", multiple=True, help="Boxes with this tag."),
            click.option("-b", "--box", "names", multiple=True, help="This box; * and ? are read.")):
        found = option(found)
    return cast(F, found)


def by_ssh(command: F) -> F:
    """The options of a Way, as `way`."""
    @functools.wraps(command)
    def made(path: Path, /, *args: Any, key: Path | None, parallel: int, connect_s: float, ask_s: float,
             as_json: bool, **others: Any) -> Any:
        return command(*args, way=Way(path, key, parallel, Limits(connect_s, ask_s), as_json), **others)
    found: Any = made
    for option in (
            click.option("--json", "as_json", is_flag=True, help="For programs."),
            click.option("--timeout", "ask_s", type=click.FloatRange(0.1, 86_400), default=ASK_S,
                         show_default=True, metavar="SECONDS", help="For a box's answer."),
            click.option("--connect-timeout", "connect_s", type=click.FloatRange(0.1, 600), default=CONNECT_S,
                         show_default=True, metavar="SECONDS"),
            click.option("--parallel", type=click.IntRange(1, 1000), default=PARALLEL, show_default=True,
                         help="Boxes at a time."),
            click.option("--key", type=PATH, envvar="BRANCHLINE_FLEET_KEY",
                         help="Private key to sign in with. [the keys of the agent]")):
        found = option(found)
    return cast(F, click.pass_obj(found))


def boxes_of(way: Way, choice: Choice) -> tuple[Inventory, list[Box]]:
    """ConfigError: as chosen()."""
    inventory = way.inventory()
    return inventory, chosen(inventory, choice)


class Progress:
    """Nothing is seen of it."""

    def told(self, box: str, phase: str) -> None:
        """What is being done on a box."""

    def over(self, box: str, end: End) -> None:
        """A box is over."""


class Bar(Progress):
    """On a terminal."""

    def __init__(self, bar: Any) -> None:         # click's ProgressBar
        self._bar = bar

    def told(self, box: str, phase: str) -> None:
        self._bar.current_item = shown(f"{box}: {phase}")
        self._bar.render_progress()

    def over(self, box: str, end: End) -> None:
        self._bar.update(1, f"{box}: {end.state}")


class Lines(Progress):
    """Of what takes long, for a log."""

    def __init__(self, course: Course) -> None:
        self._course = course

    def over(self, box: str, end: End) -> None:
        wave = self._course.wave(box)
        click.echo(f"{wave}{'  ' if wave else ''}{box}  {end.state}", err=True)


@contextlib.contextmanager
def progress(many: int, way: Way, course: Course | None = None) -> Iterator[Progress]:
    """A bar where somebody sees it; elsewhere lines, of what is given with its `course`."""
    if way.as_json or not sys.stderr.isatty():
        yield Progress() if course is None else Lines(course)
        return
    with click.progressbar(length=many, file=sys.stderr, show_pos=True, width=0,
                           item_show_func=lambda item: item) as bar:
        yield Bar(bar)


def look_at(way: Way, names: Sequence[str], work: Work) -> dict[str, End]:
    """Ends of boxes of a work that changes nothing, and so is not recorded."""
    course = Course([list(names)], {}, parallel=way.parallel, most_failures=len(names))
    with progress(len(names), way) as seen:
        return asyncio.run(drive(course, Nowhere(), work, facts={}, told=seen.told, over=seen.over))


def carry(way: Way, record: "Record", doing: Doing, parallel: int, most_failures: int,
          failed: bool) -> "Told":
    """A run through to its end, or as far as it comes. `failed`: boxes that failed are done again, too."""
    told = record.told()
    cut: list[list[str]] = []
    for step in told.steps:
        while len(cut) <= step.wave:
            cut.append([])
        cut[step.wave].append(step.box)
    states = again({step.box: step.state for step in told.steps}, safe=doing.safe, failed=failed)
    # What is known of one that failed is of that try, and not of the next one.
    facts = {step.box: {} if step.state is State.FAILED else step.facts for step in told.steps
             if states[step.box] is State.WAITING or step.state is State.DONE}
    course = Course(cut, states, parallel=parallel, most_failures=most_failures,
                    followed={step.box for step in told.steps if step.state is State.UNKNOWN})
    left = sum(state is State.WAITING for state in states.values())
    with progress(left, way, course if doing.well is not None else None) as seen:
        asyncio.run(drive(course, record, doing.work, facts=facts, soak_s=doing.soak_s, parallel=parallel,
                          well=doing.well, told=seen.told, over=seen.over))
    record.over(course.stopped, time.time())
    return record.told()


def tell(told: "Told", as_json: bool, lines: "Callable[[Told], Sequence[str]]" = lambda told: ()) -> None:
    """The report; ends the command with its status. `lines`: what is shown of boxes that are done."""
    if as_json:
        say_json(report.plain(told))
    else:
        for line in lines(told):
            click.echo(line)
        for head, why in report.bad(told.steps):
            click.echo(beside(head, why, columns()), err=True)
        if told.stopped:
            click.echo(shown(f"stopped: {told.stopped}"), err=True)
        click.echo(f"{told.name}: {report.counts(told.steps)}", err=True)
        if report.status(told) == report.GO_ON:
            with_failed = " --again" if report.needs_again(told) else ""
            click.echo(f"branchline fleet resume {told.name}{with_failed} goes on", err=True)
    sys.exit(report.status(told))


def carried(way: Way, begin: "Callable[[], tuple[Record, Doing]]", *, parallel: int, most_failures: int,
            failed: bool = False, good: Callable[[], None] = lambda: None,
            lines: "Callable[[Told], Sequence[str]]" = lambda told: ()) -> None:
    """Begin a run, carry it, tell what became of it. `good`: what follows when all of it is done."""
    def act() -> "Told":
        record, doing = begin()
        try:
            told = carry(way, record, doing, parallel, most_failures, failed)
        except KeyboardInterrupt:
            told = record.told()
        finally:
            record.close()
        if told.good:
            good()
        return told
    tell(or_exit(act), way.as_json, lines)


def say_json(value: object) -> None:
    click.echo(escaped(json.dumps(value, ensure_ascii=False)))


def plain_ends(ends: Mapping[str, End]) -> list[dict[str, Any]]:
    return [{"box": box, "state": str(end.state), "why": end.why, **end.facts} for box, end in ends.items()]
