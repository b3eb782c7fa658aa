"""branchline recorded: whether a talk is recorded and why, of one that could be or of a contact that was."""

from datetime import datetime
from pathlib import Path

import click

from appliance.bus.messages import GetContactFacts, RecordingStory
from appliance.bus.runner import EX_CONFIG
from appliance.config.load import load
from appliance.config.recording import Direction, Talk, explain
from appliance.launch.asking import CONFIG, RUN_DIR, leave, on_bus, or_exit


@click.command()
@click.argument("contact", required=False, metavar="[CONTACT]")
@click.option("--queue", default="", help="That the contact waits in.")
@click.option("--agent", default="", help="Who talks.")
@click.option("--trunk", default="", help="By which the customer is there.")
@click.option("--called", default="", help="The number.")
@click.option("--flow", default="", help="That it went through.")
@click.option("--node", default="", help="Of that flow.")
@click.option("--direction", type=click.Choice(["in", "out", "internal"]), default="in", show_default=True)
@CONFIG
@RUN_DIR
def recorded(contact: str | None, queue: str, agent: str, trunk: str, called: str, flow: str, node: str,
             direction: Direction, config: Path, run_dir: Path) -> None:
    """Which rule decides on the recording of such a talk; of CONTACT, what was decided and done."""
    if contact is not None:
        facts = on_bus(run_dir, lambda bus: bus.ask(GetContactFacts(contact=contact)))
        if not facts.recordings:
            leave(f"{contact}: nobody has talked in it, as far as this box knows", 1)
        for line in (line for one in facts.recordings for line in _told(one)):
            click.echo(line)
        return
    found = or_exit(lambda: load(config))
    own = next((one for one in found.centre.queues if one.name == queue), None)
    if queue and own is None:
        there = ", ".join(one.name for one in found.centre.queues) or "none"
        leave(f"{config}: no queue is called {queue!r}, there are {there}", EX_CONFIG)
    talk = Talk(contact="", direction=direction, own=own is None or own.record,
                own_by=f"queue {queue}" if queue else "its own setting", trunk=trunk, called=called,
                queue=queue, flow=flow, node=node, agent=agent)
    *rules, done = explain(found.recording, talk)
    for line in rules:
        click.echo(f"  {line}")
    click.echo(done)


def _told(one: RecordingStory) -> list[str]:
    lines = [f"{_time(one.at)}  {one.recording or 'no recording':<32}  {one.why}; kept as {one.format}"]
    for by, what in ((one.begun_by, "begun"), (one.kept_by, "kept"), (one.stopped_by, "stopped")):
        if by is not None:
            lines.append(f"    {what} by {by or 'the command line'}")
    for pause in one.pauses:
        end = f"{_time(pause.ended_at)} by {pause.ended_by or 'its time'}" if pause.ended_at else "the end"
        ticks = f", ticks {pause.tick} to {pause.end_tick or 'the end'}" if pause.tick else ""
        lines.append(f"    silent from {_time(pause.at)} by {pause.by or 'the command line'} to {end}{ticks}")
    if one.unwanted:
        lines.append("    erased at its end: nobody kept it")
    return lines


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M:%S}"
