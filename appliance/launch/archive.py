"""branchline archive: the hub's side. Needs no box, only the key that a site's objects are sealed with."""

import json
import os
from pathlib import Path
from typing import Any

import click

from appliance.launch.asking import PATH, leave, or_exit
from appliance.recording.archive.key import SharedKey, new_key
from appliance.recording.archive.objects import open_object, read_metadata

KEY = click.option("--key", "key_file", type=PATH, required=True, help="The site's key: archive.key_file.")


@click.group()
def archive() -> None:
    """Objects that boxes have put into an archive."""


@archive.command("open")
@click.argument("path", metavar="OBJECT", type=PATH)
@KEY
@click.option("--to", type=PATH, help="The audio: FILE.opus. What is known: FILE.json. [show what is known]")
def open_command(path: Path, key_file: Path, to: Path | None) -> None:
    """Prove OBJECT and take out what is in it."""
    def opened() -> dict[str, Any]:
        shared = SharedKey.read(key_file)
        if to is not None:
            return open_object(path, shared, to)
        with path.open("rb") as file:
            return read_metadata(file, shared)
    try:
        metadata = json.dumps(or_exit(opened), ensure_ascii=False, indent=1)
        if to is None:
            click.echo(metadata)
            return
        facts = to.with_suffix(".json")
        with open(facts, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(metadata + "\n")
    except OSError as error:
        leave(f"{error.filename or error}: {error.strerror or 'cannot be written'}", os.EX_IOERR)
    click.echo(f"{to}: {to.stat().st_size:,} octets; what is known of it: {to.with_suffix('.json')}")


@archive.command("new-key")
@click.argument("path", metavar="FILE", type=PATH)
def new_key_command(path: Path) -> None:
    """Make a key for archive.key_file. Give the hub a copy by a way that you trust; keep one in a safe."""
    key = or_exit(lambda: new_key(path))
    click.echo(f"{path}: key {key.id}. Without it nobody opens what is sealed with it")
