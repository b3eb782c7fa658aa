"""branchline flow history, compare, roll-back: the versions that a running box has of a flow file."""

import time
from pathlib import Path

import click

from appliance.bus.messages import CompareFlow, FlowVersion, GetFlowHistory, RollBackFlow
from appliance.launch.asking import RUN_DIR, on_bus, person

ACT_S = 60.0
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}

NAME = click.argument("file")


@click.command()
@NAME
@click.option("--most", type=click.IntRange(1, 200), default=20, show_default=True)
@RUN_DIR
def history(file: str, most: int, run_dir: Path) -> None:
    """Who changed FILE of the box, when and why; the newest first. FILE is named as main.yaml."""
    found = on_bus(run_dir, lambda bus: bus.ask(GetFlowHistory(file=file, most=most), ACT_S), "boxd")
    click.echo("\n".join(map(_in_words, found.versions)) or f"{file}: no version")


@click.command()
@NAME
@click.argument("old", type=click.IntRange(1))
@click.argument("new", type=click.IntRange(1), required=False)
@RUN_DIR
def compare(file: str, old: int, new: int | None, run_dir: Path) -> None:
    """What differs between versions OLD and NEW of FILE; without NEW the draft."""
    asked = CompareFlow(file=file, old=old, new=new or 0)
    found = on_bus(run_dir, lambda bus: bus.ask(asked, ACT_S), "boxd")
    for line in found.unified.splitlines() or ["nothing differs"]:
        click.secho(line, fg=_COLOURS.get(line[:1]))


@click.command("roll-back")
@NAME
@click.argument("to", type=click.IntRange(1))
@click.option("--comment", default="", help="Why; it is kept.")
@RUN_DIR
def roll_back(file: str, to: int, comment: str, run_dir: Path) -> None:
    """A new version of FILE with the text of version TO, for calls that come from now on."""
    asked = RollBackFlow(by=person(), file=file, to=to, comment=comment)
    click.echo(_in_words(on_bus(run_dir, lambda bus: bus.ask(asked, ACT_S), "boxd").version))


def _in_words(version: FlowVersion) -> str:
    at = time.strftime("%Y-%m-%d %H:%M", time.localtime(version.at))
    of = f" to version {version.of}" if version.of else ""
    comment = f": {version.comment}" if version.comment else ""
    return f"{version.number:>4}  {at}  {version.kind}{of} by {version.by or 'the box'}{comment}"
