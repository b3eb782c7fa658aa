"""Commands in rooms of their own, read when they are asked for: others need not wait for what they import."""

import gc
import sys
from importlib import import_module

import click


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
