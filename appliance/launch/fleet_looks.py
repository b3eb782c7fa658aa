"""branchline fleet show, and enrol, which pins a host key."""

import asyncio
import sys

import click

from appliance.config import enrolment
from appliance.errors import ConfigError
from appliance.fleet import tables
from appliance.fleet.asking import asking
from appliance.fleet.choosing import Choice
from appliance.fleet.course import End, State
from appliance.fleet.inventory import Box
from appliance.fleet.link import LinkError, linked, shown_key
from appliance.fleet.store import Shelf, box_of
from appliance.launch.asking import beside, columns, or_exit, shown
from appliance.launch.fleet_common import Way, boxes_of, by_ssh, look_at, on_boxes, say_json


@click.command("show")
@click.argument("what", nargs=-1, required=True)
@on_boxes
@by_ssh
def show(way: Way, what: tuple[str, ...], choice: Choice) -> None:
    """One table of what the boxes' `show WHAT` say: fleet show --all version."""
    def act() -> dict[str, End]:
        inventory, boxes = boxes_of(way, choice)
        work = asking(" ".join(("show", *what)), way.reach(inventory), as_json=True)
        return look_at(way, [box.name for box in boxes], work)
    ends = or_exit(act)
    good = {box: end.facts["out"] for box, end in ends.items() if end.state is State.DONE}
    if way.as_json:
        say_json([{"box": box, "state": str(end.state), "why": end.why, "answer": good.get(box)}
                  for box, end in ends.items()])
    else:
        for line in tables.table(tables.rows(good), columns()):
            click.echo(shown(line))
        for box, end in ends.items():
            if end.state is not State.DONE:
                click.echo(beside(f"{box}  {end.state}: ", end.why, columns()), err=True)
        if len(good) < len(ends):
            click.echo(f"{len(good)} of {len(ends)} boxes answered", err=True)
    sys.exit(0 if len(good) == len(ends) else 1)


@click.command("enrol")
@click.argument("name")
@click.option("--code", help="That the box shows: show enrolment on its page, or at its console. [asked for]")
@click.option("--again", is_flag=True, help="The box was made new: pin another host key than before.")
@by_ssh
def enrol(way: Way, name: str, code: str | None, again: bool) -> None:
    """Pin the host key of the box NAME, after its enrolment code has shown that it is this box.

    The code proves both: that the host key is the box's, and that the box lets in the key you sign in with.
    """
    box = or_exit(lambda: box_of(way.inventory(), name))
    if box.host_key and not again:
        _tell(way, name, box.host_key, "is enrolled already")
        return
    if code is None:
        code = click.prompt(f"Enrolment code of {name}", err=True)
    pinned = or_exit(lambda: asyncio.run(proved(way, box, str(code))))

    def keep() -> None:
        with Shelf(way.path).change() as change:
            change.put(change.box(name).model_copy(update={"host_key": pinned}))
    or_exit(keep)
    _tell(way, name, pinned, "enrolled")


def _tell(way: Way, name: str, host_key: str, text: str) -> None:
    if way.as_json:
        say_json({"box": name, "host_key": host_key})
    else:
        click.echo(f"{name}: {text}, {host_key}")


async def proved(way: Way, box: Box, code: str) -> str:
    """The host key's line. ConfigError: the code is not that of the two keys. LinkError: no way in."""
    operator = way.operator()
    key = await shown_key(box.address, box.port, way.limits)
    codes = [enrolment.code(key.public_data, public) for public in await operator.public()]
    if not any(enrolment.alike(code, one) for one in codes):
        raise ConfigError(
            f"{box.name}: the code does not fit: {box.address} has another host key than that of the box "
            "that shows it, or that box lets in another key than yours. Nothing was pinned, nothing said")
    line = " ".join(key.export_public_key("openssh").decode("ascii").split()[:2])
    async with linked(box.model_copy(update={"host_key": line}), operator, way.limits) as link:
        said = await link.ask("show version | json")
    bad = said.end()
    if bad is not None:
        raise LinkError(bad.state, f"{box.name}: lets the key in, but: {bad.why}")
    return line
