"""branchline fleet: runs, which are kept: run, push, update, collect, replace; resume, runs, report."""

import asyncio
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from appliance.errors import ConfigError
from appliance.fleet import collecting, documents, naming, pushing, report
from appliance.fleet.choosing import Choice
from appliance.fleet.course import End, State, waves
from appliance.fleet.driving import Doing
from appliance.fleet.inventory import Box, Inventory, values_of
from appliance.fleet.link import LinkError
from appliance.fleet.record import Record, Step, Told, look
from appliance.fleet.record import runs as runs_in
from appliance.fleet.store import Shelf, box_of
from appliance.fleet.templates import Template
from appliance.fleet.updating import WITHIN_S
from appliance.fleet.updating import standing as update_standing
from appliance.fleet.works import doing
from appliance.launch.asking import PATH, beside, columns, or_exit, person, shown
from appliance.launch.fleet_common import (
    Way,
    boxes_of,
    by_ssh,
    carried,
    look_at,
    on_boxes,
    plain_ends,
    runs_of,
    say_json,
    tell,
)
from appliance.launch.fleet_compare import document_of
from appliance.launch.fleet_looks import proved

MINUTES = click.option("--confirm-within", "minutes", type=click.FloatRange(0.5, 1440), default=5.0,
                       show_default=True, metavar="MINUTES",
                       help="A box that is not reached again within goes back by itself.")
WAVES = click.option("--waves", "spec", default="", metavar="1,10%,50%",
                     help="How many boxes at first, then, then; the rest is the last wave. [all at once]")
FAILURES = click.option("--failures", "most_failures", type=click.IntRange(0), default=0, show_default=True,
                        help="Boxes of a wave that may fail before the next one is not begun.")
EVERY = click.option("--every", "every_s", type=click.FloatRange(0.01, 3600), default=5.0, show_default=True,
                     metavar="SECONDS", help="Between looks at a box that works on it.")
SOAK = click.option("--soak", "soak_s", type=click.FloatRange(0, 86_400), default=30.0, show_default=True,
                    metavar="SECONDS", help="Between waves, before the boxes of one are looked at again.")
HOST_NAME = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"                     # RFC 1123 2.1, without dots
DRY_RUN = click.option("--dry-run", is_flag=True, help="Only say what would be done.")
YES = click.option("--yes", is_flag=True, help="Do not ask.")
RUN = click.argument("run_name", metavar="[RUN]", required=False, default="")


def _begin(way: Way, kind: str, asked: Mapping[str, Any], cut: Sequence[Sequence[str]], inventory: Inventory,
           most_failures: int) -> tuple[Record, Doing]:
    reach = way.reach(inventory)                  # before there is a run: the key may be none
    record = Record.begin(way.runs, kind, person(),
                          {**asked, "parallel": way.parallel, "most_failures": most_failures}, cut,
                          time.time())
    try:
        return record, doing(kind, asked, record.name, reach)
    except BaseException:
        record.close()
        raise


@click.command("run")
@click.argument("command", nargs=-1, required=True)
@on_boxes
@DRY_RUN
@by_ssh
def run(way: Way, command: tuple[str, ...], choice: Choice, dry_run: bool) -> None:
    """Give COMMAND, a line of the console, to each box: fleet run --tag north -- test call telco 10086."""
    line = " ".join(command)
    inventory, boxes = or_exit(lambda: boxes_of(way, choice))
    if dry_run and way.as_json:
        say_json([{"box": box.name, "line": line} for box in boxes])
        return
    if dry_run:
        for box in boxes:
            click.echo(shown(f"{box.name}  {line}"))
        return
    names = [box.name for box in boxes]
    carried(way, lambda: _begin(way, "run", {"line": line}, [names], inventory, len(names)),
            parallel=way.parallel, most_failures=len(names), lines=_outputs)


def _outputs(told: Told) -> list[str]:
    """What boxes said, those that said the same together."""
    said: dict[str, list[str]] = {}
    for step in told.steps:
        if "out" in step.facts:
            said.setdefault(str(step.facts["out"]), []).append(step.box)
    lines = []
    for out, names in said.items():
        lines.append(click.style(beside("", ", ".join(names), columns()), bold=True))
        lines += [f"  {shown(line)}" for line in out.rstrip().split("\n")]
    return lines


@click.group("push")
def push() -> None:
    """Give boxes what they are to be like."""


@push.command("config")
@click.argument("template", type=PATH)
@click.option("--comment", default="", help="Why; kept by each box with the version.")
@MINUTES
@WAVES
@FAILURES
@SOAK
@EVERY
@DRY_RUN
@YES
@on_boxes
@by_ssh
def push_config(way: Way, template: Path, comment: str, minutes: float, spec: str, most_failures: int,
                soak_s: float, every_s: float, dry_run: bool, yes: bool, choice: Choice) -> None:
    """Each box's configuration becomes what TEMPLATE makes of its values (docs/fleet.md).

    What differs is shown first. A box that is not reached again after it has taken it over, or has troubles
    then that it did not have before, goes back.
    """
    def made() -> tuple[Inventory, dict[str, str]]:
        inventory, boxes = boxes_of(way, choice)
        read, sites = Template(template), {site.name: site for site in inventory.sites}
        texts, wrong = {}, []
        for box in boxes:
            try:
                texts[box.name] = read.text(values_of(box, sites.get(box.site or "")))
            except ConfigError as error:
                wrong.append(f"{box.name}: {error}")
        if wrong:
            raise ConfigError("\n".join(wrong))
        return inventory, texts
    if way.as_json and not (yes or dry_run):
        raise click.UsageError("with --json nobody is asked: give --yes, or --dry-run")
    inventory, texts = or_exit(made)
    or_exit(lambda: waves(list(texts), spec))
    ends = or_exit(lambda: look_at(way, list(texts), pushing.looking(texts, way.reach(inventory))))
    if not way.as_json:
        _differences(ends)
    if dry_run:
        if way.as_json:
            say_json(plain_ends(ends))
        sys.exit(0 if all(end.state is State.DONE for end in ends.values()) else 1)
    names = [box for box, end in ends.items() if end.state is not State.DONE or end.facts["differs"]]
    if not names:
        if way.as_json:
            say_json(report.plain(_nothing(texts)))
        click.echo("every box is like that already", err=True)
        return
    if not yes and not click.confirm(f"push to {len(names)} boxes?", err=True):
        sys.exit(1)
    asked = {"texts": {name: texts[name] for name in names}, "minutes": minutes, "soak_s": soak_s,
             "every_s": every_s, "comment": _one_line(comment or "pushed")}
    carried(way, lambda: _begin(way, "push", asked, waves(names, spec), inventory, most_failures),
            parallel=way.parallel, most_failures=most_failures)


def _nothing(names: Iterable[str]) -> Told:
    """The run that there was no need of."""
    now = time.time()
    return Told("", "push", now, person(), {}, now, "", [
        Step(name, 0, State.DONE, "", "is like that already", {"changed": False, "keys": []}, now)
        for name in names])


def _one_line(comment: str) -> str:
    """As a box keeps it, for it is found by it again."""
    printable = "".join(one if one.isprintable() else " " for one in comment)
    return " ".join(printable.replace('"', "'").replace("\\", "/").split())[:200].rstrip()


def _differences(ends: Mapping[str, End]) -> None:
    """As diff -u, boxes with the same difference together."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for box, end in ends.items():
        if end.state is State.DONE:
            lines = end.facts["lines"]
            differs = end.facts["differs"]
            key = tuple(map(str, lines)) if differs and isinstance(lines, list) else ()
            alike.setdefault(key, []).append(box)
        else:
            click.echo(beside(f"{box}  {end.state}: ", end.why, columns()), err=True)
    for difference, boxes in alike.items():
        click.secho(beside("", ", ".join(boxes), columns()), bold=True)
        for line in difference or ("nothing differs",):
            colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
            click.secho(f"  {shown(line)}", fg=colour if difference else None)


@click.command("update")
@click.argument("source")
@click.option("--version", default="",
              help="That boxes are to have then: ones that have it are left alone.")
@click.option("--begin", type=click.Choice(["drained", "now", "quiet"]), default="drained", show_default=True,
              help="When calls are over, at once, or in the box's quiet hour.")
@click.option("--within", "within_s", type=click.FloatRange(1, 7 * 86_400), default=WITHIN_S,
              show_default=True, metavar="SECONDS", help="A box is given up after.")
@WAVES
@FAILURES
@SOAK
@EVERY
@DRY_RUN
@on_boxes
@by_ssh
def update(way: Way, source: str, version: str, begin: str, within_s: float, spec: str, most_failures: int,
           soak_s: float, every_s: float, dry_run: bool, choice: Choice) -> None:
    """Update boxes to the bundle at SOURCE, as `update install` on a box has it, in waves.

    A box is done when it says itself that the new version is confirmed, and runs it. The next wave is begun
    when the boxes of the one before are still well.
    """
    inventory, boxes = or_exit(lambda: boxes_of(way, choice))
    if any(not one.isprintable() or one in ' "|\\' for one in source):
        raise click.BadParameter("one word, without blanks and quotes", param_hint="SOURCE")
    cut = or_exit(lambda: waves([box.name for box in boxes], spec))
    if dry_run:
        _plan(way, inventory, cut, source, version)
    asked = {"source": source, "version": version, "begin": begin, "within_s": within_s, "soak_s": soak_s,
             "every_s": every_s}
    carried(way, lambda: _begin(way, "update", asked, cut, inventory, most_failures),
            parallel=way.parallel, most_failures=most_failures)


def _plan(way: Way, inventory: Inventory, cut: Sequence[Sequence[str]], source: str, version: str) -> None:
    """The waves with what boxes run now; ends the command."""
    reach = way.reach(inventory)

    async def work(box: str, note: object) -> End:
        async with reach(box) as link:
            state = (await update_standing(link)).state
        return End(State.DONE, "", {"version": state.version, "phase": state.phase})
    ends = or_exit(lambda: look_at(way, [box for wave in cut for box in wave], work))
    found = [{"wave": number, "box": box, "state": str(ends[box].state), "why": ends[box].why,
              **ends[box].facts} for number, wave in enumerate(cut, 1) for box in wave]
    if way.as_json:
        say_json(found)
    else:
        for one in found:
            now = one.get("version")
            words = f"has {now} already" if now and now == version else (
                f"{now} to {version or source}" if now else f"{one['state']}: {one['why']}")
            click.echo(beside(f"wave {one['wave']}  {one['box']}  ", str(words), columns()))
    sys.exit(0 if all(end.state is State.DONE for end in ends.values()) else 1)


@click.command("collect")
@click.argument("what", nargs=-1, required=True, type=click.Choice(sorted(collecting.KINDS)))
@click.option("--into", type=PATH, default=Path("collected"), show_default=True,
              help="Each box has a folder of its name there.")
@DRY_RUN
@on_boxes
@by_ssh
def collect(way: Way, what: tuple[str, ...], into: Path, dry_run: bool, choice: Choice) -> None:
    """Fetch support bundles, logs, captures or configurations of boxes."""
    inventory, boxes = or_exit(lambda: boxes_of(way, choice))
    names = [box.name for box in boxes]
    if dry_run:
        _would_fetch(way, inventory, names, what, into)
    asked = {"what": list(what), "folder": str(into.resolve())}
    carried(way, lambda: _begin(way, "collect", asked, [names], inventory, len(names)), parallel=way.parallel,
            most_failures=len(names),
            lines=lambda told: [f"{into}/{file}" for step in told.steps
                                for file in step.facts.get("files", ())])


def _would_fetch(way: Way, inventory: Inventory, names: Sequence[str], what: Sequence[str], into: Path
                 ) -> None:
    """What each box has of it, and what of that is here already; ends the command."""
    ends = or_exit(lambda: look_at(way, names, collecting.looking(what, into, way.reach(inventory))))
    if way.as_json:
        say_json(plain_ends(ends))
    else:
        for box, end in ends.items():
            found: Any = end.facts.get("files", [])
            for one in found:
                octets = "" if one["octets"] is None else f", {one['octets']:,} octets"
                name = one["file"] or f"({one['what']}, which it makes then)"
                click.echo(shown(f"{into}/{box}/{name}{octets}{', is here already' if one['here'] else ''}"))
            if end.state is not State.DONE:
                click.echo(beside(f"{box}  ", f"{end.state}: {end.why}", columns()))
            elif not found:
                click.echo(shown(f"{box}  nothing"))
    sys.exit(0 if all(end.state is State.DONE for end in ends.values()) else 1)


def _host_name(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
    if given is not None and not re.fullmatch(HOST_NAME, given):
        raise click.BadParameter("a to z, 0 to 9 and hyphens within, at most 63 characters")
    return given


@click.command("replace")
@click.argument("name")
@click.argument("address")
@click.option("--port", type=click.IntRange(1, 65535), help="[as the old one's]")
@click.option("--code", help="The new box's enrolment code. [asked for]")
@click.option("--from", "source", type=PATH, help="Configuration of the old box. [asked of it]")
@click.option("--hostname", metavar="NAME", callback=_host_name,
              help="What the new box is to call itself. [as the old one does, when that is asked]")
@MINUTES
@YES
@by_ssh
def replace(way: Way, name: str, address: str, port: int | None, code: str | None, source: Path | None,
            hostname: str | None, minutes: float, yes: bool) -> None:
    """Put the new box at ADDRESS in the place of the box NAME: its name, site, tags, values, configuration,
    and the name that it calls itself.

    The inventory has the new one only when it has taken the configuration over and is well.
    """
    def old() -> tuple[Inventory, Box, str, str]:
        inventory = way.inventory()
        box = box_of(inventory, name)
        if source is not None:
            try:
                return inventory, box, source.read_text(encoding="utf-8"), ""
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"{source}: {error}") from None
        try:
            reach = way.reach(inventory)
            return inventory, box, document_of(name, reach), asyncio.run(naming.host_name_of(name, reach))
        except (LinkError, documents.No) as error:
            raise ConfigError(f"its configuration cannot be had of it ({error}): give --from FILE, "
                              "e.g. what `fleet collect configuration` has fetched") from None
    inventory, box, text, called = or_exit(old)
    if code is None:
        code = click.prompt(f"Enrolment code of the new {name}", err=True)
    new = box.model_copy(update={"address": address, "port": port or box.port, "host_key": ""})
    new = new.model_copy(update={"host_key": or_exit(lambda: asyncio.run(proved(way, new, str(code))))})
    if not yes and not click.confirm(f"make {address} the box {name}?", err=True):
        sys.exit(1)
    asked = {"texts": {name: text}, "minutes": minutes, "soak_s": 0.0, "comment": f"in the place of {name}",
             "hostnames": {name: hostname or called},
             "box": new.model_dump()}

    def begin() -> tuple[Record, Doing]:
        return _begin(way, "replace", asked, [[name]], _with(inventory, new), 0)
    carried(way, begin, parallel=1, most_failures=0, good=lambda: _keep(way, new))


def _with(inventory: Inventory, box: Box) -> Inventory:
    return inventory.model_copy(update={
        "boxes": [box if one.name == box.name else one for one in inventory.boxes]})


def _keep(way: Way, new: Box) -> None:
    """What else was said of the box meanwhile stays."""
    with Shelf(way.path).change() as change:
        change.put(change.box(new.name).model_copy(update={
            "address": new.address, "port": new.port, "host_key": new.host_key}))


@click.command("resume")
@RUN
@click.option("--again", "failed", is_flag=True,
              help="Boxes that failed, too, and those of which nobody knows what became of a command.")
@by_ssh
def resume(way: Way, run_name: str, failed: bool) -> None:
    """Go on with a run that was cut off or did not do all boxes; without RUN with the newest.

    Boxes that are done are left alone. What nobody knows of a box is found out by asking it. As many boxes at
    a time as before, unless --parallel is given.
    """
    record = or_exit(lambda: look(way.runs, run_name))
    told = or_exit(record.told)
    asked = dict(told.asked)

    def begin() -> tuple[Record, Doing]:
        inventory = way.inventory()
        if told.kind == "replace":
            inventory = _with(inventory, Box.model_validate(asked["box"]))
        found = doing(told.kind, asked, record.name, way.reach(inventory))
        record.again()
        return record, found

    def good() -> None:
        if told.kind == "replace":
            _keep(way, Box.model_validate(asked["box"]))
    given = click.get_current_context().get_parameter_source("parallel") is ParameterSource.COMMANDLINE
    carried(way, begin, parallel=way.parallel if given else int(asked["parallel"]),
            most_failures=int(asked["most_failures"]), failed=failed, good=good,
            lines=_outputs if told.kind == "run" else lambda told: ())


@click.command("runs")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def runs(path: Path, as_json: bool) -> None:
    """The runs, the newest first."""
    folder = runs_of(path)
    found: list[dict[str, Any]] = []
    for name in runs_in(folder):
        try:
            told = _told(folder, name)
        except ConfigError as error:
            found.append({"run": name, "wrong": str(error)})
            if not as_json:
                click.echo(shown(f"{name}  {error}"), err=True)
            continue
        found.append(report.summary(told))
        if not as_json:
            click.echo(shown(f"{name}  {told.by}  {report.counts(told.steps)}"))
    if as_json:
        say_json(found)


def _told(folder: Path, name: str) -> Told:
    record = look(folder, name)
    try:
        return record.told()
    finally:
        record.close()


@click.command("report")
@RUN
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def report_run(path: Path, run_name: str, as_json: bool) -> None:
    """What became of each box in RUN, or in the newest one; the exit status is the run's."""
    tell(or_exit(lambda: _told(runs_of(path), run_name)), as_json, _outputs)
