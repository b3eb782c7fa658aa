"""branchline status: how the daemons of a running box are."""

import sys
from pathlib import Path

import click

from appliance.bus.client import Bus
from appliance.bus.messages import GetHealth, HealthReply
from appliance.launch.asking import RUN_DIR, beside, columns, on_bus


@click.command("status")
@RUN_DIR
def status(run_dir: Path) -> None:
    """How the daemons of a running box are."""
    async def ask(bus: Bus) -> HealthReply:
        return await bus.ask(GetHealth())
    health = on_bus(run_dir, ask).health
    click.echo(f"{'daemon':<9}{'state':<7}{'pid':>8}{'starts':>8}{'MB':>8}{'CPU s':>10}  figures")
    for one in health.daemons:
        figures = ", ".join(
            f"{name}\N{NO-BREAK SPACE}{figure:g}" for name, figure in sorted(one.facts.items()))
        head = (f"{one.daemon:<9}{one.state:<7}{one.pid:>8}{one.starts:>8}"
                f"{one.rss_octets / 1e6:>8.1f}{one.cpu_s:>10.1f}  ")
        click.echo(beside(head, figures, columns()))
    sys.exit(0 if all(one.state == "up" for one in health.daemons) else 1)
