"""What all commands share: options, asking a running box, and how an error ends a command."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import click

from appliance.bus.client import Bus, BusAway, BusError
from appliance.bus.runner import EX_CONFIG, EX_UNAVAILABLE
from appliance.errors import BranchlineError, ConfigError
from appliance.launch.place import CannotStart

T = TypeVar("T")

PATH = click.Path(path_type=Path)
CONFIG = click.option("--config", type=PATH, default=Path("branchline.yaml"), show_default=True,
                      help="The box's configuration.")
STATE_DIR = click.option("--state-dir", type=PATH, default=Path("var"), show_default=True,
                         help="Database and recordings: what must outlive a power cut.")
RUN_DIR = click.option("--run-dir", type=PATH, default=Path("run"), show_default=True,
                       help="Sockets and the record ring: gone after a boot.")


def on_bus(run_dir: Path, ask: Callable[[Bus], Awaitable[T]], name: str = "webui") -> T:
    """What `ask` gives, asked with the permissions of the daemon `name`."""
    async def connected() -> T:
        bus = await Bus.connect(run_dir, name)
        try:
            return await ask(bus)
        finally:
            await bus.close()
    return or_exit(lambda: asyncio.run(connected()))


def or_exit(act: Callable[[], T]) -> T:
    """What `act` gives; its error is one message and an exit code of sysexits."""
    try:
        return act()
    except ConfigError as error:
        leave(str(error), EX_CONFIG)
    except CannotStart as error:
        leave(str(error), error.code)
    except (BusAway, BusError) as error:
        leave(str(error), EX_UNAVAILABLE)
    except BranchlineError as error:
        leave(str(error), 1)


def leave(text: str, code: int) -> NoReturn:
    click.echo(text, err=True)
    sys.exit(code)
