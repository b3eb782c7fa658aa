"""branchline health, hardware, board: how the box is, what its board measures, what the factory writes."""

import os
import sys
from datetime import datetime
from pathlib import Path

import click
from periphery import I2C

import board as boards
from appliance.box.board import chips
from appliance.box.board.identity import Identity, IdentityError, pack, unpack
from appliance.bus.client import Bus
from appliance.bus.messages import Fitness, GetFitness, GetHardware, Hardware, Reading
from appliance.bus.messages import Identify as IdentifyBox
from appliance.launch.asking import RUN_DIR, below, columns, leave, on_bus

EXITS = {"ok": 0, "degraded": 1, "unfit": 2}


@click.command()
@RUN_DIR
def health(run_dir: Path) -> None:
    """How the box is as a whole, and why. Exit code 0: ok, 1: degraded, 2: unfit."""
    async def ask(bus: Bus) -> Fitness:
        return (await bus.ask(GetFitness())).fitness

    fitness = on_bus(run_dir, ask, name="boxd")
    whose = "the telephone line is the box's" if fitness.fit else (
        "the telephone line is left to the old PBX, where a relay joins them")
    click.echo(f"{fitness.state} since {_when(fitness.since)}: {whose}")
    if fitness.powering_off:
        click.echo("the box stops by itself")
    for reason in fitness.reasons:
        detail = f" ({reason.detail})" if reason.detail else ""
        click.echo(below(f"{reason.state:<9} {_when(reason.since)}", reason.text["en"] + detail, columns()))
        click.echo(below(" " * 9, reason.action["en"], columns()))
    sys.exit(EXITS[fitness.state])


@click.command()
@RUN_DIR
def hardware(run_dir: Path) -> None:
    """Which board this box is, its inputs, temperatures and troubles."""
    async def ask(bus: Bus) -> Hardware:
        return (await bus.ask(GetHardware())).hardware

    said = on_bus(run_dir, ask, name="boxd")
    if not said.board:
        click.echo(f"no board: {boards.ON_A_BOX} is not there, this machine is no appliance")
    else:
        click.echo(f"{'board':<13}{said.board}: {said.name}")
        click.echo(f"{'serial':<13}{said.serial or 'not known'} {said.revision}".rstrip())
    for name, active in said.inputs.items():
        click.echo(f"{name.replace('_', ' '):<13}{'yes' if active else 'no'}")
    for reading in said.readings:
        click.echo(f"{reading.name:<13}{_measured(reading)}")
    if said.watchdog_s:
        click.echo(f"{'watchdog':<13}{said.watchdog_s} s")
    for part, why in said.trouble.items():
        click.echo(below(f"{part:<12}", why, columns()))
    sys.exit(1 if said.trouble else 0)


@click.group()
def board() -> None:
    """The board: let it say where it is; what the factory writes to it."""


@board.command()
@click.option("--for", "for_s", type=click.FloatRange(0, 3600), default=60.0, show_default=True,
              help="Seconds; 0: no more.")
@RUN_DIR
def identify(for_s: float, run_dir: Path) -> None:
    """Let the identify light blink."""
    async def ask(bus: Bus) -> None:
        await bus.ask(IdentifyBox(for_s=for_s))

    on_bus(run_dir, ask, name="boxd")


@board.command("write-eeprom")
@click.option("--serial", required=True, help="Serial number on the label.")
@click.option("--revision", required=True, help="Of the printed circuit.")
@click.option("--made", type=click.DateTime(["%Y-%m"]), default=None, help="Month.  [default: this one]")
@click.option("--replace", is_flag=True, help="Even when another identity is there.")
def write_eeprom(serial: str, revision: str, made: datetime | None, replace: bool) -> None:
    """In the factory, as root: write serial number and board id, and read them back."""
    description = _board()
    if (chip := description.eeprom) is None:
        leave(f"board {description.id} has no EEPROM", os.EX_USAGE)
    try:
        identity = Identity(description.id, revision, serial, (made or datetime.now()).date().replace(day=1))
        with I2C(chip.bus) as bus:
            there = _identity(bus, chip)
            if there not in (None, identity) and not replace:
                leave(f"not written: it is {there} already; --replace if it is not to be", os.EX_CANTCREAT)
            octets = pack(identity)
            chips.write_eeprom(bus, chip, octets)
            if chips.read_eeprom(bus, chip) != octets:
                leave(f"{chip.bus} address {chip.address:#x}: reads otherwise than it was written: is it "
                      "write-protected?", os.EX_IOERR)
    except IdentityError as error:
        leave(str(error), os.EX_USAGE)
    except OSError as error:
        leave(f"{chip.bus} address {chip.address:#x}: {error}", os.EX_IOERR)
    click.echo(f"{identity.board} {identity.revision}, serial number {identity.serial}: written, read back")


def _board() -> boards.Board:
    try:
        found = boards.of_this_box()
    except boards.BoardError as error:
        leave(str(error), os.EX_CONFIG)
    return found or leave(f"no board: {boards.ON_A_BOX} is not there", os.EX_CONFIG)


def _identity(bus: I2C, chip: boards.Eeprom) -> Identity | None:
    """None: there is no good one."""
    try:
        return unpack(chips.read_eeprom(bus, chip))
    except IdentityError:
        return None


def _when(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M:%S")


def _measured(reading: Reading) -> str:
    if reading.unit == "celsius":
        return f"{reading.value:.1f} °C  (warm from {reading.low:g}, hot from {reading.high:g})"
    return f"{reading.value:.0f} turns a minute  (at least {reading.low:g})"
