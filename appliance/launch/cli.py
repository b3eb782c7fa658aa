"""The branchline command."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import click

from appliance.bus.client import Bus, BusAway, BusError
from appliance.bus.messages import GetHealth, GetTrace, HealthReply
from appliance.bus.runner import EX_CONFIG, EX_UNAVAILABLE, UMASK
from appliance.centre.rebuild import rebuild as rebuild_records
from appliance.errors import BranchlineError, ConfigError
from appliance.launch import lending
from appliance.launch import prompts as prompt_builder
from appliance.launch import up as box
from appliance.launch.console import Console
from appliance.launch.place import CannotStart
from appliance.store import LINES_FILE

T = TypeVar("T")

PATH = click.Path(path_type=Path)
CONFIG = click.option("--config", type=PATH, default=Path("branchline.yaml"), show_default=True,
                      help="The box's configuration.")
STATE_DIR = click.option("--state-dir", type=PATH, default=Path("var"), show_default=True,
                         help="Database and recordings: what must outlive a power cut.")
RUN_DIR = click.option("--run-dir", type=PATH, default=Path("run"), show_default=True,
                       help="Sockets and the record ring: gone after a boot.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="branchline")
def main() -> None:
    """Branchline: a branch office's E1/PRI lines turned into a complete call centre."""


@main.command()
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
        code = _or_exit(lambda: box.run(box.Options(config, state_dir, run_dir, demo, port), console))
    finally:
        console.close()
    sys.exit(code)


@main.command()
@CONFIG
def check(config: Path) -> None:
    """Read the configuration and its flows, say what is wrong."""
    found = _or_exit(lambda: box.check(config))
    click.echo(f"{config}: in order: {len(found.spans)} spans, {len(found.centre.queues)} queues, "
               f"{len(found.centre.agents)} agents")


@main.command()
@RUN_DIR
def status(run_dir: Path) -> None:
    """How the daemons of a running box are."""
    async def ask(bus: Bus) -> HealthReply:
        return await bus.ask(GetHealth())
    health = _on_bus(run_dir, ask).health
    click.echo(f"{'daemon':<9}{'state':<7}{'pid':>8}{'starts':>8}{'MB':>8}{'CPU s':>10}  figures")
    for one in health.daemons:
        figures = ", ".join(f"{name} {figure:g}" for name, figure in sorted(one.facts.items()))
        click.echo(f"{one.daemon:<9}{one.state:<7}{one.pid:>8}{one.starts:>8}"
                   f"{one.rss_octets / 1e6:>8.1f}{one.cpu_s:>10.1f}  {figures}")
    sys.exit(0 if all(one.state == "up" for one in health.daemons) else 1)


@main.command()
@click.argument("span")
@click.option("--out", type=PATH, required=True, help="File to write, for Wireshark or tshark.")
@RUN_DIR
def trace(span: str, out: Path, run_dir: Path) -> None:
    """Write the last D-channel frames of SPAN as a capture file."""
    async def ask(bus: Bus) -> bytes:
        return (await bus.ask(GetTrace(span=span))).pcap
    pcap = _on_bus(run_dir, ask)
    try:
        out.write_bytes(pcap)
    except OSError as error:
        _exit(f"{out}: {error.strerror}", 1)
    click.echo(f"{out}: {len(pcap)} octets")


@main.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
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
    urls = {one.name: one.url for one in _or_exit(lambda: box.check(config)).spans}
    if span not in urls:
        _exit(f"{config}: no span is called {span!r}, there are {', '.join(sorted(urls))}", EX_CONFIG)
    what, options, kept = command[0], command[1:], ("--store", str(state_dir / LINES_FILE))
    if what == "history":
        sys.exit(subprocess.run((*lending.E1CTL, what, span, *kept, *options), check=False).returncode)
    told = (*kept, "--name", span) if what == "verdict" else ()
    sys.exit(_on_bus(run_dir, lambda bus: lending.test(bus, span, (what, urls[span], *told, *options)),
                     name="boxd"))


@main.command()
@STATE_DIR
def rebuild(state_dir: Path) -> None:
    """Make the contact records anew from the event log; the box must not run."""
    rows = _or_exit(lambda: rebuild_records(state_dir))
    click.echo("\n".join(f"{table}: {count} rows" for table, count in rows.items()))


@main.group()
def prompts() -> None:
    """What callers hear."""


@prompts.command()
@click.option("--catalogue", type=PATH, required=True, help="TOML: a table of prompt = text a language.")
@click.option("--out", type=PATH, required=True, help="The folder that media.prompts names.")
def build(catalogue: Path, out: Path) -> None:
    """Speak the texts of a catalogue; only what changed is made again."""
    made = _or_exit(lambda: prompt_builder.build(catalogue, out))
    click.echo(f"{out}: {len(made)} made")


def _on_bus(run_dir: Path, ask: Callable[[Bus], Awaitable[T]], name: str = "webui") -> T:
    """What `ask` gives, asked with the permissions of the daemon `name`."""
    async def connected() -> T:
        bus = await Bus.connect(run_dir, name)
        try:
            return await ask(bus)
        finally:
            await bus.close()
    return _or_exit(lambda: asyncio.run(connected()))


def _or_exit(act: Callable[[], T]) -> T:
    """What `act` gives; its error is one message and an exit code of sysexits."""
    try:
        return act()
    except ConfigError as error:
        _exit(str(error), EX_CONFIG)
    except CannotStart as error:
        _exit(str(error), error.code)
    except (BusAway, BusError) as error:
        _exit(str(error), EX_UNAVAILABLE)
    except BranchlineError as error:
        _exit(str(error), 1)


def _exit(text: str, code: int) -> NoReturn:
    click.echo(text, err=True)
    sys.exit(code)
