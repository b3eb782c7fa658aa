"""Commands that read the box's configuration: up, check, reload, e1ctl, prompts."""

import os
import subprocess
import sys
import time
from pathlib import Path

import click

from appliance.bus.runner import UMASK
from appliance.centre.entry.load import box_zone, load_entrance
from appliance.centre.entry.load import warnings as entry_warnings
from appliance.config import emergency
from appliance.config.load import MAX_OCTETS, load
from appliance.launch import lending
from appliance.launch import prompts as prompt_builder
from appliance.launch import reload as reloading
from appliance.launch import up as box
from appliance.launch.asking import CONFIG, PATH, RUN_DIR, STATE_DIR, leave, on_bus, or_exit
from appliance.launch.console import Console
from appliance.media import speech
from appliance.store import LINES_FILE


@click.command()
@CONFIG
@STATE_DIR
@RUN_DIR
@click.option("--demo", is_flag=True, help="A configuration of its own, and exchanges that make calls.")
@click.option("--port", type=click.IntRange(0, 65535), help="Of the web page; 0 takes any free one.")
@click.option("--color/--no-color", default=None, help="Else: when the output is a terminal.")
def up(config: Path, state_dir: Path, run_dir: Path,
       demo: bool, port: int | None, color: bool | None) -> None:
    """Start the box and keep it running until Ctrl-C."""
    os.umask(UMASK)
    console = Console(sys.stdout, sys.stdout.isatty() if color is None else color)
    try:
        code = or_exit(lambda: box.run(box.Options(config, state_dir, run_dir, demo, port), console))
    finally:
        console.close()
    sys.exit(code)


@click.command()
@CONFIG
@click.option("--stdin", is_flag=True, help="Read the text there, as if it were in the file of --config.")
def check(config: Path, stdin: bool) -> None:
    """Read the configuration and its flows, say what is wrong."""
    text = sys.stdin.buffer.read(MAX_OCTETS).decode("utf-8", "replace") if stdin else None
    found = or_exit(lambda: box.check(config, text=text))
    entrance = or_exit(lambda: load_entrance(found, box_zone()))
    for sentence in (*emergency.warnings(found), *entry_warnings(entrance, time.time())):
        click.echo(f"{config}: warning: {sentence}", err=True)
    click.echo(f"{config}: in order: {len(found.spans)} spans, {len(found.centre.queues)} queues, "
               f"{len(found.centre.agents)} agents")


@click.command()
@CONFIG
@RUN_DIR
def reload(config: Path, run_dir: Path) -> None:
    """Apply a changed configuration to a running box without dropping a call, or say why that cannot be."""
    changed = on_bus(run_dir, lambda bus: reloading.reload(bus, config, run_dir), name="boxd")
    click.echo("\n".join(f"changed: {key}" for key in changed) or "nothing has changed")


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("span")
@click.argument("command", nargs=-1, required=True, metavar="COMMAND [OPTIONS]...")
@CONFIG
@STATE_DIR
@RUN_DIR
def e1ctl(span: str, command: tuple[str, ...], config: Path, state_dir: Path, run_dir: Path) -> None:
    """Test SPAN of a running box: `e1ctl COMMAND URL [OPTIONS]` with its URL.

    The box gives the line up meanwhile, which it refuses while a call is on it, and takes it back after.
    For `history`, what the box has kept is read, and the line is left alone; `verdict` reports it too.
    """
    urls = {one.name: one.url for one in or_exit(lambda: box.check(config)).spans}
    if span not in urls:
        leave(f"{config}: no span is called {span!r}, there are {', '.join(sorted(urls))}", os.EX_CONFIG)
    what, options, kept = command[0], command[1:], ("--store", str(state_dir / LINES_FILE))
    if what == "history":
        sys.exit(subprocess.run((*lending.E1CTL, what, span, *kept, *options), check=False).returncode)
    told = (*kept, "--name", span) if what == "verdict" else ()
    sys.exit(on_bus(run_dir, lambda bus: lending.test(bus, span, (what, urls[span], *told, *options)),
                     name="boxd"))


@click.group()
def prompts() -> None:
    """What callers hear."""


@prompts.command()
@CONFIG
@click.option("--language", "languages", type=click.Choice(list(speech.LANGUAGES)), multiple=True,
              help="Which; again for another. [all]")
@click.option("--all", "every", is_flag=True, help="The whole list, also what is recorded already.")
def vocabulary(config: Path, languages: tuple[str, ...], every: bool) -> None:
    """What to record so that numbers, dates, times and amounts can be said: prompt and text, one a line."""
    media = or_exit(lambda: load(config)).media
    texts = prompt_builder.vocabulary([media.currency], languages or tuple(speech.LANGUAGES))
    wanted = texts if every else prompt_builder.missing(Path(media.prompts), texts)
    lines = [f"{name}\t{texts[name]}" for name in wanted]
    click.echo("\n".join(lines) or f"{media.prompts}: nothing is missing")


@prompts.command()
@click.option("--catalogue", type=PATH, required=True, help="TOML: a table of prompt = text a language.")
@click.option("--out", type=PATH, required=True, help="The folder that media.prompts names.")
@click.option("--currency", "currencies", type=click.Choice(list(speech.CURRENCIES)), multiple=True,
              help="Whose amounts are to be said; again for another.")
def build(catalogue: Path, out: Path, currencies: tuple[str, ...]) -> None:
    """Speak the texts of a catalogue and what numbers, dates and so on need; only what changed is made again.
    """
    made = or_exit(lambda: prompt_builder.build(catalogue, out, currencies))
    click.echo(f"{out}: {len(made)} made")
