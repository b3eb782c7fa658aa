"""branchline update: how an update stands; install one, hurry it, call it off, confirm it, go back."""

import asyncio
import getpass
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import click

from appliance.box.update.words import in_words, line, lines, past
from appliance.bus.client import Bus, BusError
from appliance.bus.messages import (
    Beginning,
    CancelUpdate,
    ConfirmUpdate,
    Done,
    GetUpdate,
    GoBack,
    HurryUpdate,
    InstallUpdate,
    PlaceTestCall,
    Request,
    UpdateReply,
)
from appliance.config.load import load
from appliance.launch.asking import CONFIG, RUN_DIR, leave, on_bus, or_exit, shown

BUNDLES = Path("/data/update/bundles")
WATCH_S = 1.0
AWAY_S = 600.0                                    # a box that starts anew, at most
OTHER_S = 15.0                                    # a test call's own limits, and the bus

NOW = click.option("--now", is_flag=True, help="End the calls that go on; emergency calls are waited for.")
QUIET = click.option("--quiet", is_flag=True, help="Begin in the next quiet hour: update.quiet.")


@click.group(invoke_without_command=True)
@RUN_DIR
@click.pass_context
def update(context: click.Context, run_dir: Path) -> None:
    """How an update of the box stands, and the last ones."""
    if context.invoked_subcommand is None:
        _show(_asked(run_dir))


@update.command()
@click.option("--watch", is_flag=True, help="A line for every change, until it is over; over a restart, too.")
@RUN_DIR
def status(watch: bool, run_dir: Path) -> None:
    """How it stands. With --watch the command fails if the update does."""
    if watch:
        _watch(run_dir, time.time())
    else:
        _show(_asked(run_dir))


@update.command()
@click.argument("source", metavar="FILE|usb|https://...")
@NOW
@QUIET
@click.option("--watch", is_flag=True, help="Stay until it is over.")
@RUN_DIR
def install(source: str, now: bool, quiet: bool, watch: bool, run_dir: Path) -> None:
    """Install the version in a bundle, drain calls, try it out, and keep it if it shows that all works."""
    path = Path(source)
    if source != "usb" and "://" not in source:
        source = or_exit(lambda: _brought(path))
    began = time.time()
    _tell(run_dir, InstallUpdate(source=source, begin=_begin(now, quiet), by=_who()))
    if watch:
        _watch(run_dir, began)


@update.command("now")
@RUN_DIR
def hurry(run_dir: Path) -> None:
    """Go on without waiting, for calls, a quiet hour or the next try. Calls that go on are ended."""
    if calls := _asked(run_dir).state.calls_left:
        click.echo(f"{calls} calls that go on are ended; emergency calls are not")
    _tell(run_dir, HurryUpdate(by=_who()))


@update.command()
@RUN_DIR
def cancel(run_dir: Path) -> None:
    """Call it off; calls are taken again. Once the new version is started: back."""
    _tell(run_dir, CancelUpdate(by=_who()))


@update.command()
@RUN_DIR
def confirm(run_dir: Path) -> None:
    """Keep the version on trial, whatever it shows."""
    _tell(run_dir, ConfirmUpdate(by=_who()))


@update.command()
@NOW
@QUIET
@RUN_DIR
def back(now: bool, quiet: bool, run_dir: Path) -> None:
    """To the version before: at once while one is on trial, else drained and on trial as any other."""
    _tell(run_dir, GoBack(begin=_begin(now, quiet), by=_who()))


@click.command("test-call")
@click.option("--trunk", help="By which it goes out. [update.test_call.trunk]")
@click.option("--number", help="Whom to call. [update.test_call.number]")
@CONFIG
@RUN_DIR
def test_call(trunk: str | None, number: str | None, config: Path, run_dir: Path) -> None:
    """Place a call, hear whether somebody answers and is heard, and end it. It is in no record."""
    configured = or_exit(lambda: load(config)).update.test_call
    wanted: dict[str, Any] = {} if configured is None else configured.model_dump(exclude_none=True)
    wanted |= {name: given for name, given in (("trunk", trunk), ("number", number)) if given is not None}
    if not {"trunk", "number"} <= wanted.keys():
        raise click.UsageError("name --trunk and --number, or set update.test_call")
    asked = PlaceTestCall(**wanted)
    within_s = asked.answer_within_s + asked.hear_within_s + OTHER_S
    tested = on_bus(run_dir, lambda bus: bus.ask(asked, within_s), name="boxd")
    click.echo(shown(in_words(tested)))
    sys.exit(1 if tested.error else 0)


def _show(reply: UpdateReply) -> None:
    click.echo(shown("\n".join(lines(reply))))


def _watch(run_dir: Path, began: float) -> None:
    """Until what went on, or ended, since Unix time `began` is over."""
    said, away_since = "", 0.0
    while True:
        try:
            reply = _answer(run_dir)
        except BusError as error:                 # it starts anew, or its connection does
            away_since = away_since or time.monotonic()
            if time.monotonic() - away_since > AWAY_S:
                leave(str(error), os.EX_UNAVAILABLE)
            time.sleep(WATCH_S)
            continue
        away_since = 0.0
        if (stands := line(reply.state)) != said:
            said = stands
            click.echo(shown(stands))
        if reply.state.phase == "idle":
            last = next(iter(reply.history), None)
            if last is not None and last.at >= began:
                click.echo(shown(past(last)))
                sys.exit(0 if last.outcome == "confirmed" else 1)
            return
        time.sleep(WATCH_S)


def _asked(run_dir: Path) -> UpdateReply:
    return on_bus(run_dir, lambda bus: bus.ask(GetUpdate()), name="boxd")


def _answer(run_dir: Path) -> UpdateReply:
    async def connected() -> UpdateReply:
        bus = await Bus.connect(run_dir, "boxd")
        try:
            return await bus.ask(GetUpdate())
        finally:
            await bus.close()
    return asyncio.run(connected())


def _tell(run_dir: Path, request: Request[Done]) -> None:
    on_bus(run_dir, lambda bus: bus.ask(request), name="boxd")


def _brought(path: Path) -> str:
    """Copied to where boxd and root look for bundles; its name."""
    if not path.is_file():
        leave(f"{path}: no such file", os.EX_NOINPUT)
    if not BUNDLES.is_dir():
        leave(f"{BUNDLES}: is not there: this machine is updated by its packages (apt)", os.EX_UNAVAILABLE)
    if path.parent.resolve() != BUNDLES:
        try:
            part = BUNDLES / f"{path.name}.part"
            part.unlink(missing_ok=True)          # the folder is boxd's: a link there leads nowhere
            with path.open("rb") as source, part.open("xb") as to:
                shutil.copyfileobj(source, to)
            part.replace(BUNDLES / path.name)
        except OSError as error:
            leave(f"{error.filename}: {error.strerror}", os.EX_CANTCREAT)
    return path.name


def _begin(now: bool, quiet: bool) -> Beginning:
    if now and quiet:
        raise click.UsageError("--now or --quiet, not both")
    return "now" if now else "quiet" if quiet else "drained"


def _who() -> str:
    return os.environ.get("SUDO_USER") or getpass.getuser()
