"""branchline fleet: many boxes from one place. The inventory's commands; others are in fleet_*.py."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from appliance.config import enrolment
from appliance.errors import ConfigError
from appliance.fleet import inventory
from appliance.fleet.inventory import SSH_PORT, Box, Inventory, Site
from appliance.fleet.store import Change, Shelf
from appliance.launch import rooms
from appliance.launch.asking import PATH, beside, columns, leave, or_exit, shown

# Read when they are asked for: the inventory needs no SSH.
ELSEWHERE = {
    "collect": "fleet_runs:collect", "compare": "fleet_compare:compare", "enrol": "fleet_looks:enrol",
    "push": "fleet_runs:push", "replace": "fleet_runs:replace", "report": "fleet_runs:report_run",
    "resume": "fleet_runs:resume", "run": "fleet_runs:run", "runs": "fleet_runs:runs",
    "show": "fleet_looks:show", "update": "fleet_runs:update",
}


@click.group("fleet", cls=rooms.Commands, elsewhere=ELSEWHERE)
@click.option("--inventory", "path", type=PATH, default=Path("fleet.sqlite"), show_default=True,
              envvar="BRANCHLINE_FLEET", help="The boxes; runs are kept beside it, in FILE-runs.")
@click.pass_context
def fleet(context: click.Context, path: Path) -> None:
    """Many boxes from one place, by SSH.

    A box is connected to only after enrol has pinned its host key. What a command has done is in a run, which
    `resume` goes on with; the exit status is 0 only when every box is done, 75 when the run can go on.
    """
    context.obj = path


SHELF = click.pass_obj


@fleet.command("import")
@click.argument("file", type=PATH)
@click.option("--again", is_flag=True, help="Host keys of FILE take the place of others that are pinned.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@SHELF
def import_file(path: Path, file: Path, again: bool, dry_run: bool) -> None:
    """The inventory becomes what the YAML document FILE says. Host keys of boxes that stay are kept."""
    def act() -> list[str]:
        document = inventory.load(file)
        if dry_run:
            before = Shelf(path).inventory()
            change = Change(before)
            change.take_over(document, again=again)
        else:
            with Shelf(path).change() as change:
                before = change.inventory
                change.take_over(document, again=again)
        return _differs(before, change.inventory)
    for line in or_exit(act):
        click.echo(shown(line))


def _differs(old: Inventory, new: Inventory) -> list[str]:
    said = []
    parts: Sequence[tuple[str, dict[str, Box | Site], dict[str, Box | Site]]] = (
        ("site", {one.name: one for one in old.sites}, {one.name: one for one in new.sites}),
        ("box", {one.name: one for one in old.boxes}, {one.name: one for one in new.boxes}))
    for what, before, after in parts:
        said += [f"{what} {name}: new" for name in after if name not in before]
        said += [f"{what} {name}: gone" for name in before if name not in after]
        said += [f"{what} {name}: {', '.join(_keys(before[name], after[name]))}" for name in after
                 if name in before and _keys(before[name], after[name])]
    return said or ["nothing differs"]


def _keys(old: Box | Site, new: Box | Site) -> list[str]:
    after = new.model_dump()
    return [key for key, value in old.model_dump().items() if value != after[key]]


@fleet.command("export")
@click.argument("file", type=PATH, required=False)
@SHELF
def export(path: Path, file: Path | None) -> None:
    """Write the inventory as YAML, to FILE or here."""
    text = inventory.text(or_exit(Shelf(path).inventory))
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        with open(file, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as out:
            out.write(text)                       # passwords may be among the values
    except OSError as error:
        leave(f"{file}: {error.strerror}", 73)


@fleet.command("boxes")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@SHELF
def boxes(path: Path, as_json: bool) -> None:
    """The boxes, with their sites and tags."""
    found = or_exit(Shelf(path).inventory)
    if as_json:
        click.echo(json.dumps(found.model_dump()["boxes"], ensure_ascii=False, indent=1))
        return
    wide = max((len(box.name) for box in found.boxes), default=0)
    for box in found.boxes:
        where = f"{box.user}@{box.address}" + (f":{box.port}" if box.port != SSH_PORT else "")
        words = [f"site {box.site}"] if box.site else []
        words += [", ".join(box.tags)] if box.tags else []
        words += [] if box.host_key else ["not enrolled"]
        click.echo(beside(f"{box.name:<{wide}}  {where:<28} ", "; ".join(words), columns()))


def _values(context: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, Any]:
    import yaml
    found = {}
    for one in given:
        key, sign, value = one.partition("=")
        if not sign:
            raise click.BadParameter(f"{one!r}: write KEY=VALUE")
        try:
            found[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise click.BadParameter(f"{key}: {' '.join(str(error).split())}") from None
    return found


VALUES = click.option("--value", "values", multiple=True, callback=_values, metavar="KEY=VALUE",
                      help="For templates, YAML on one line; may be given several times.")


@fleet.command("add")
@click.argument("name")
@click.argument("address")
@click.option("--port", type=click.IntRange(1, 65535), default=SSH_PORT, show_default=True)
@click.option("--user", default="admin", show_default=True)
@click.option("--site", help="It is made where it is not there yet.")
@click.option("--tag", "tags", multiple=True, help="May be given several times.")
@VALUES
@SHELF
def add(path: Path, name: str, address: str, port: int, user: str, site: str | None, tags: tuple[str, ...],
        values: dict[str, Any]) -> None:
    """Put a box into the inventory, or another address, site and tags for the one of that NAME."""
    def act() -> None:
        with Shelf(path).change() as change:
            kept = {one.name: one for one in change.inventory.boxes}.get(name)
            stays = kept is not None and (kept.address, kept.port) == (address, port)
            try:
                if site is not None and site not in {one.name for one in change.inventory.sites}:
                    change.put_site(Site(name=site))
                change.put(Box(name=name, address=address, port=port, user=user, site=site, tags=list(tags),
                               values=values, host_key=kept.host_key if kept and stays else ""))
            except ValueError as error:
                raise ConfigError(_mistakes(error)) from None
    or_exit(act)


def _mistakes(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    return "\n".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in errors())


@fleet.command("site")
@click.argument("name")
@VALUES
@SHELF
def site(path: Path, name: str, values: dict[str, Any]) -> None:
    """Set values of a site, which is made where it is not there; null takes one away."""
    def act() -> Site:
        with Shelf(path).change() as change:
            kept = {one.name: one for one in change.inventory.sites}.get(name)
            merged = {**(kept.values if kept else {}), **values}
            try:
                made = Site(name=name, values={key: one for key, one in merged.items() if one is not None})
            except ValueError as error:
                raise ConfigError(_mistakes(error)) from None
            change.put_site(made)
            return made
    for key, value in or_exit(act).values.items():
        click.echo(shown(f"{key}: {json.dumps(value, ensure_ascii=False)}"))


@fleet.command("remove")
@click.argument("name")
@SHELF
def remove(path: Path, name: str) -> None:
    """Take a box out of the inventory. The box itself is not touched."""
    def act() -> None:
        with Shelf(path).change() as change:
            change.take_away(name)
    or_exit(act)


@fleet.command("code")
@click.argument("host_key", type=PATH)
@click.argument("operator_key", type=PATH)
def code(host_key: Path, operator_key: Path) -> None:
    """The enrolment code of two public key files: the box's, and that of who signs in."""
    def act() -> str:
        found = []
        for path in (host_key, operator_key):
            try:
                found.append(enrolment.octets(path.read_text(encoding="utf-8")))
            except OSError as error:
                raise ConfigError(f"{path}: {error.strerror}") from None
            except ValueError as error:
                raise ConfigError(f"{path}: {error}") from None
        return enrolment.code(*found)
    click.echo(or_exit(act))
