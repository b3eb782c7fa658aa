"""branchline fleet compare: where boxes' configurations are not what they should be."""

import asyncio
import sys
from pathlib import Path

import click

from appliance.fleet import comparing
from appliance.fleet.choosing import Choice
from appliance.fleet.course import End, State
from appliance.fleet.documents import No
from appliance.fleet.inventory import values_of
from appliance.fleet.link import LinkError
from appliance.fleet.reach import Reach
from appliance.fleet.store import box_of
from appliance.fleet.templates import Template
from appliance.launch.asking import PATH, beside, columns, or_exit
from appliance.launch.fleet_common import Way, boxes_of, by_ssh, look_at, on_boxes, plain_ends, say_json


def document_of(box: str, reach: Reach) -> str:
    """LinkError, No: with the name of the box."""
    try:
        return asyncio.run(comparing.document_of(box, reach))
    except (LinkError, No) as error:
        raise type(error)(error.state, f"{box}: {error}") from None


@click.command("compare")
@click.option("--template", type=PATH, help="With what this template makes for each box.")
@click.option("--with", "other", metavar="BOX", help="With this box's configuration.")
@on_boxes
@by_ssh
def compare(way: Way, template: Path | None, other: str | None, choice: Choice) -> None:
    """Where boxes' configurations have drifted to. The exit status is 0 when none differs."""
    if (template is None) == (other is None):
        raise click.UsageError("give one of them: --template FILE, or --with BOX")

    def act() -> dict[str, End]:
        inventory, boxes = boxes_of(way, choice)
        reach = way.reach(inventory)
        if template is not None:
            made, sites = Template(template), {site.name: site for site in inventory.sites}
            wanted = {box.name: made.text(values_of(box, sites.get(box.site or ""))) for box in boxes}
        else:
            text = document_of(box_of(inventory, str(other)).name, reach)
            wanted = {box.name: text for box in boxes}
        return look_at(way, list(wanted), comparing.comparing(wanted, reach))
    ends = or_exit(act)
    drifted = False
    if way.as_json:
        say_json(plain_ends(ends))
    for box, end in ends.items():
        keys = end.facts.get("keys", [])
        drifted |= end.state is not State.DONE or bool(keys)
        if way.as_json:
            continue
        if end.state is not State.DONE:
            click.echo(beside(f"{box}  {end.state}: ", end.why, columns()), err=True)
        elif not keys:
            click.echo(f"{box}  as it should be")
        for one in keys if isinstance(keys, list) else ():
            click.echo(beside(f"{box}  {one['key']}: ", f"{one['is']} should be {one['should']}", columns()))
    sys.exit(1 if drifted else 0)
