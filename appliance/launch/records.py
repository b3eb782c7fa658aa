"""branchline rebuild: everything that follows from the event log, made anew."""

from pathlib import Path

import click

from appliance.centre import rebuild as records
from appliance.launch import place
from appliance.launch.asking import STATE_DIR, or_exit
from appliance.store.events import FILE


@click.command()
@STATE_DIR
def rebuild(state_dir: Path) -> None:
    """Make contact records and figures anew from the event log; the box must not run."""
    place.become_owner(state_dir / FILE)
    rows = or_exit(lambda: records.rebuild(state_dir))
    click.echo("\n".join(f"{table}: {count} rows" for table, count in rows.items()))
