"""Commands about the box itself: provision, clock, support, factory-reset, console."""

import asyncio
import os
import signal
import socket
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from appliance.box.console.box import Box
from appliance.box.console.front import language_of
from appliance.box.console.menu import Menu
from appliance.box.console.terminal import Gone, Terminal
from appliance.box.provision.document import Provision, load
from appliance.box.provision.kept import Kept
from appliance.box.support import making
from appliance.box.support.sources import Places
from appliance.bus.client import Bus, BusAway, BusError
from appliance.bus.messages import (
    ChangeProvision,
    ConfirmNetwork,
    GetProvision,
    GetWallClock,
    Provide,
    Reply,
    Request,
    ResetBox,
    RevertNetwork,
    SetWallClock,
    TryNetwork,
)
from appliance.launch.asking import CONFIG, PATH, RUN_DIR, STATE_DIR, leave, on_bus, or_exit

ASKED_S = 60.0                                    # root's part is a process of its own
IDLE_S = 300.0                                    # of the console, then the start screen

R = TypeVar("R", bound=Reply)

FILE = click.argument("path", metavar="FILE", type=PATH)


@click.group()
def provision() -> None:
    """The box's own settings: name, network, clock, keys. docs/installing.md has every key."""


@provision.command("check")
@FILE
def check_command(path: Path) -> None:
    """Read the provisioning document FILE, say what is wrong."""
    found = or_exit(lambda: load(path))
    click.echo(f"{path}: in order: {found.hostname}, {len(found.network)} networks, "
               f"{len(found.admin_keys)} keys of administrators")


@provision.command("apply")
@FILE
@click.option("--network-for", "for_s", type=float, default=300.0, show_default=True,
              help="Seconds until a changed network is undone unless `provision confirm` comes.")
@RUN_DIR
def apply_command(path: Path, for_s: float, run_dir: Path) -> None:
    """Make a new box what FILE says, by its claim code; on another, change what FILE has keys for."""
    document = or_exit(lambda: load(path))
    if document.configuration:
        leave(f"{path}: configuration: a folder goes with a stick only: copy it, then `branchline reload`",
              os.EX_USAGE)
    if not _ask(run_dir, GetProvision()).provisioned:
        code = click.prompt("Claim code, from the console")          # no option: sudo and ps show those
        _ask(run_dir, Provide(document=path.read_text(), claim=code, by="command"))
        click.echo(f"provisioned as {document.hostname}")
        return
    keys = _given(document)
    network = keys.pop("network", None)
    if keys:
        _ask(run_dir, ChangeProvision(keys=keys, by="command"))
        click.echo(f"changed: {', '.join(sorted(keys))}")
    if network is not None:
        _ask(run_dir, TryNetwork(network=network, by="command", for_s=for_s))
        click.echo(f"the network is on trial for {for_s:g} s: log in at the new address and say "
                   "`branchline provision confirm`")


@provision.command("confirm")
@RUN_DIR
def confirm_command(run_dir: Path) -> None:
    """Keep the network that is on trial: from the new address, or on the box itself."""
    _ask(run_dir, ConfirmNetwork(through=_through(os.environ.get("SSH_CONNECTION", "")), by="command"))
    click.echo("kept")


@provision.command("revert")
@RUN_DIR
def revert_command(run_dir: Path) -> None:
    """Undo the network that is on trial now."""
    _ask(run_dir, RevertNetwork())


@provision.command("show")
@RUN_DIR
def show_command(run_dir: Path) -> None:
    """What the box was provisioned with, as a document."""
    found = _ask(run_dir, GetProvision())
    if found.provisioned:
        click.echo(f"# by {found.source}, {_time(found.at)}; serial number {found.serial or 'none'}")
    else:
        click.echo(f"# not provisioned: what holds until then; serial number {found.serial or 'none'}")
    if code := Kept().made_claim_code():
        click.echo(f"# claim code, for changes on the console: {code}")
    if found.trial_left_s:
        click.echo(f"# a network is on trial, for {found.trial_left_s:.0f} s more")
    click.echo(found.document, nl=False)


@click.group(invoke_without_command=True)
@RUN_DIR
@click.pass_context
def clock(context: click.Context, run_dir: Path) -> None:
    """What the box's time of day is worth. Ends with 1 when something is wrong with it."""
    if context.invoked_subcommand is not None:
        return
    found = _ask(run_dir, GetWallClock()).clock
    since = f" since {_time(found.since)}" if found.since else ""
    click.echo(f"{_time(found.at)}  from {found.source}{since}")
    for text, figure in (("at most off by", found.error_s), ("being slewed away", found.offset_s or None),
                         ("the battery's clock is ahead by", found.rtc_offset_s),
                         ("the telephone exchange's clock is ahead by", found.line_offset_s)):
        if figure is not None:
            click.echo(f"  {text} {figure:+.3f} s")
    if found.steps:
        click.echo(f"  set {found.steps} times since boxd's start, last by {found.step_s:+.1f} s")
    if found.sentence:
        click.echo(found.sentence)
    sys.exit(1 if found.sentence else 0)


@clock.command("set")
@click.argument("when", type=click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"]))
@RUN_DIR
def set_command(when: datetime, run_dir: Path) -> None:
    """Set the time of day, in the box's time zone; refused while NTP or PTP does."""
    _ask(run_dir, SetWallClock(to=when.timestamp()))


@click.command()
@click.option("-o", "--out", type=PATH, help="The file to write. [branchline-support-NAME-TIME.zip here]")
@click.option("--numbers", is_flag=True, help="Telephone numbers as they are; else only their last digits.")
@CONFIG
@STATE_DIR
@RUN_DIR
def support(out: Path | None, numbers: bool, config: Path, state_dir: Path, run_dir: Path) -> None:
    """Write a bundle for who helps: logs, traces, figures, settings without secrets. The box may be down."""
    places = Places(config, state_dir, run_dir, numbers=numbers)
    path = out or Path(making.name(socket.gethostname(), time.time()))
    try:
        missing = asyncio.run(_bundle(path, places))
    except OSError as error:
        leave(f"{error.filename or path}: {error.strerror}", os.EX_CANTCREAT)
    click.echo(f"{path}: {path.stat().st_size:,} octets")
    for what, why in missing.items():
        click.echo(f"not in it: {what}: {why}", err=True)


async def _bundle(path: Path, places: Places) -> dict[str, str]:
    def say(text: str) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{text:<60}\r", nl=False, err=True)
    try:
        bus = await Bus.connect(places.run_dir, "boxd")
    except (BusAway, BusError) as error:
        return await making.make(path, places, None, str(error), say)
    try:
        return await making.make(path, places, bus, say=say)
    finally:
        await bus.close()


@click.command("factory-reset")
@click.option("--name", help="The box's hostname, as a proof that it is this one. [asked for]")
@click.option("--no-audit", is_flag=True, help="Not even a line about it stays.")
@RUN_DIR
def factory_reset(name: str | None, no_audit: bool, run_dir: Path) -> None:
    """Erase calls' records, recordings, settings and keys, and start as from the factory. No way back."""
    typed = name or click.prompt("All of the box's data is erased. Its name, to go on")
    _ask(run_dir, ResetBox(name=typed, by="command", audit=not no_audit))
    click.echo("the box starts anew and erases itself on the way")


@click.command()
@click.option("--language", type=click.Choice(["en", "zh"]), help="To begin with. [as provisioned]")
@click.option("--once", is_flag=True, help="End when nobody types for five minutes.")
@CONFIG
@STATE_DIR
@RUN_DIR
def console(language: str | None, once: bool, config: Path, state_dir: Path, run_dir: Path) -> None:
    """The installer's menu on this terminal. It ends when the terminal is hung up."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(number, signal.SIG_IGN)
    if not sys.stdin.isatty():
        leave("console: this is no terminal", os.EX_USAGE)
    box = Box(Places(config, state_dir, run_dir))
    first = language or language_of(Kept())
    with Terminal(sys.stdin.fileno(), sys.stdout.fileno(), IDLE_S) as terminal:
        try:
            Menu(terminal, box, "zh" if first == "zh" else "en",
                 glyphs=os.environ.get("TERM") != "linux").run(once)
        except Gone:
            return


def _ask(run_dir: Path, request: Request[R]) -> R:
    return on_bus(run_dir, lambda bus: bus.ask(request, ASKED_S), name="boxd")


def _given(document: Provision) -> dict[str, Any]:
    """The keys that are written in it."""
    written: dict[str, Any] = document.model_dump(mode="json", exclude_unset=True)
    for key in ("serial", "configuration", "web_setup_code"):
        written.pop(key, None)
    return written


def _through(connection: str) -> str:
    """Of SSH_CONNECTION, the box's address; without it the shell is on the box itself."""
    parts = connection.split()
    return parts[2] if len(parts) == 4 else "console"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M:%S")
