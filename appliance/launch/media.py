"""branchline media: how well the audio of a running box keeps time: the box, each span, each RTP leg."""

from pathlib import Path

import click

from appliance.bus.client import Bus
from appliance.bus.messages import GetMedia
from appliance.launch.asking import RUN_DIR, on_bus

WIDTH = 26


@click.command("media")
@RUN_DIR
def media(run_dir: Path) -> None:
    """How well the audio of a running box keeps time: late ticks, slips, jitter, concealed frames."""
    click.echo("\n".join(on_bus(run_dir, table)))


async def table(bus: Bus) -> list[str]:
    """A paragraph for each, a line for each figure; all but levels of now are counted since spand began."""
    kept = await bus.ask(GetMedia())
    lines = _paragraph("box", kept.box)
    for span, figures in sorted(kept.spans.items()):
        lines += _paragraph(f"span {span}", figures)
    for leg, figures in sorted(kept.legs.items()):
        lines += _paragraph(f"RTP leg {leg}", figures)
    return lines


def _paragraph(name: str, figures: dict[str, float]) -> list[str]:
    return [f"{name}:", *(f"  {figure:<{WIDTH}}{_shown(value):>14}" for figure, value in figures.items())]


def _shown(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
