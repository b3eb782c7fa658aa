"""All commands. A room of commands has COMMANDS, and is a row here."""

import asyncio
from functools import cache
from importlib import import_module

from appliance.box.commands.table import Command, Table

ROOMS: tuple[str, ...] = (
    "plain",
    "show_audit",
    "show_box",
    "show_enrolment",
    "show_floor",
    "show_kept",
    "show_lines",
    "show_network",
    "show_routine",
    "acts_calls", "acts_channels", "acts_configure", "acts_lines", "acts_traces", "acts_upkeep", "acts_watch",
)


@cache
def table() -> Table:
    """Read when a person first comes: boxd need not hold them before."""
    commands: list[Command] = []
    for room in ROOMS:
        commands += import_module(f"appliance.box.commands.{room}").COMMANDS
    return Table(commands)


async def loaded() -> Table:
    """The same; the first time it is read beside the loop, which takes a tenth of a second and more."""
    return table() if table.cache_info().currsize else await asyncio.to_thread(table)
