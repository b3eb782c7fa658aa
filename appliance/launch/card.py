"""branchline card: the line cards of a running box: relay, sensors, crash record, firmware."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import click

from appliance.bus.client import Bus
from appliance.bus.messages import (
    CardState,
    ClearCardCrash,
    Done,
    GetCardCrash,
    GetCards,
    IdentifyCard,
    Request,
    ResetCard,
    SetRelay,
    UpdateCard,
)
from appliance.launch.asking import PATH, RUN_DIR, leave, on_bus, or_exit, shown
from appliance.launch.place import CannotStart
from appliance.launch.tracing import Duration

LOOK_S = 0.5

NAME = click.argument("name", metavar="CARD")


@click.group(invoke_without_command=True)
@RUN_DIR
@click.pass_context
def card(context: click.Context, run_dir: Path) -> None:
    """The line cards of a running box: how they are, their fail-to-wire relays, their firmware."""
    if context.invoked_subcommand is None:
        cards = _cards(run_dir)
        click.echo("\n".join(_lines(cards)) or "no cards: the configuration has none (cards.control)")
        if any(one.trouble or one.troubles for one in cards):
            context.exit(1)


@card.command()
@NAME
@click.option("--for", "for_s", type=Duration(), default="60s", show_default=True, help="0s: no more.")
@RUN_DIR
def identify(name: str, for_s: float, run_dir: Path) -> None:
    """Let all LEDs of CARD blink, green and red in turn."""
    _ask(run_dir, lambda: IdentifyCard(card=name, for_s=round(for_s)))


@card.command()
@NAME
@click.argument("where", type=click.Choice(["bypass", "normal"]))
@click.confirmation_option(prompt="Calls on this line end. Go on?")
@RUN_DIR
def relay(name: str, where: str, run_dir: Path) -> None:
    """bypass: join the telephone line to the old PBX until `normal`, the box's while it is fit."""
    who = os.environ.get("USER", "a shell")
    _ask(run_dir, lambda: SetRelay(card=name, bypass=where == "bypass", who=who))


@card.command()
@NAME
@click.option("--clear", is_flag=True, help="Forget it, after it was shown.")
@RUN_DIR
def crash(name: str, clear: bool, run_dir: Path) -> None:
    """How CARD's firmware ended last, when that was not wanted."""
    found = on_bus(run_dir, lambda bus: bus.ask(GetCardCrash(card=name)), name="boxd")
    if not found.count:
        click.echo("none")
        return
    click.echo(f"{found.count} since the record was cleared, the last: {found.reset}, "
               f"{found.uptime_s} s after its start")
    click.echo(shown(found.text).rstrip())
    if clear:
        _ask(run_dir, lambda: ClearCardCrash(card=name))


@card.command()
@NAME
@click.confirmation_option(prompt="Calls on this card end. Go on?")
@RUN_DIR
def reset(name: str, run_dir: Path) -> None:
    """Start CARD's controller anew. Its relay stays where it is."""
    _ask(run_dir, lambda: ResetCard(card=name))


@card.command()
@NAME
@click.argument("image", type=PATH)
@click.option("--older", is_flag=True, help="Take an image that is older than what runs, too.")
@click.confirmation_option(prompt="Calls on this card end. Go on?")
@RUN_DIR
def update(name: str, image: Path, older: bool, run_dir: Path) -> None:
    """Bring CARD the signed firmware IMAGE; it goes back by itself when that does not come up well."""
    octets = or_exit(lambda: _read(image))
    _ask(run_dir, lambda: UpdateCard(card=name, image=octets, forced=older))
    said = ""
    while True:
        (one,) = [one for one in _cards(run_dir) if one.card == name]
        if one.update is None:
            leave("boxd started anew meanwhile: `branchline card` says what the card runs", os.EX_TEMPFAIL)
        share = one.update.sent_octets * 10 // one.update.octets * 10
        now = f"{one.update.state} {share} %" if one.update.state == "sending" else one.update.state
        if now != said:
            click.echo(f"firmware {one.update.version}: {now}")
            said = now
        if one.update.state == "failed":
            leave(f"card {name}: {shown(one.update.error)}", os.EX_IOERR)
        if one.update.state == "done":
            return
        time.sleep(LOOK_S)


def _ask(run_dir: Path, request: Callable[[], Request[Done]]) -> None:
    on_bus(run_dir, lambda bus: bus.ask(request()), name="boxd")


def _cards(run_dir: Path) -> list[CardState]:
    async def ask(bus: Bus) -> list[CardState]:
        return (await bus.ask(GetCards())).cards
    return on_bus(run_dir, ask, name="boxd")


def _read(image: Path) -> bytes:
    try:
        return image.read_bytes()
    except OSError as error:
        raise CannotStart(f"{image}: {error.strerror}", os.EX_NOINPUT) from None


def _lines(cards: list[CardState]) -> list[str]:
    lines = []
    for one in cards:
        lines.append(f"{one.card}  {one.device}")
        if one.relay is None:
            lines.append(f"  {shown(one.trouble) or 'it has not answered yet'}")
            continue
        relay = one.relay
        where = f"the telephone line is the {'box' if relay.energised else 'PBX'}'s"
        hold = f", holds for {relay.lease_s:.0f} s" if relay.energised else ""
        supplies = ", ".join(f"{name} {mv / 1000:.2f} V" for name, mv in one.supplies_mv.items())
        lines += [
            f"  relay        {where} ({'by command' if one.bypass else relay.why}{hold}), "
            f"contacts: {relay.sense}, moved {relay.operations} times",
            f"  firmware     {shown(one.version)}, slot {one.slot}{', on trial' if one.trial else ''}; "
            f"{shown(one.hardware)} {shown(one.serial)}",
            f"  started      {one.uptime_s} s ago by {one.reset}, {one.resets} resets since its power-up, "
            f"{one.crashes} crashes on record",
            f"  measured     {one.temperature_celsius} °C, {supplies}",
            f"  troubles     {', '.join(one.troubles) or 'none'}; "
            f"alarm contact: {'alarm' if one.alarm else 'quiet'}",
        ]
    return lines
