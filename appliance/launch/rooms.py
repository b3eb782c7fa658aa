"""Commands in rooms of their own, read when they are asked for: others need not wait for what they import."""

import gc
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class Commands(click.Group):
    """`elsewhere`: the names of those that are in rooms, and where, as command() takes it."""

    def __init__(self, *args: Any, elsewhere: Mapping[str, str], **more: Any) -> None:
        super().__init__(*args, **more)
        self._elsewhere = elsewhere

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted([*super().list_commands(context), *self._elsewhere])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self._elsewhere:
            return super().get_command(context, name)
        return command(self._elsewhere[name])


def command(where: str) -> click.Command:
    """Of `room:name`."""
    room, _, name = where.partition(":")
    path = f"appliance.launch.{room}"
    if path not in sys.modules:
        collects = gc.isenabled()
        gc.disable()                              # it would look through all that is loaded, again and again
        try:
            import_module(path)
            gc.freeze()                           # which stays to the end
        finally:
            if collects:
                gc.enable()
    found: click.Command = getattr(sys.modules[path], name)
    return found
