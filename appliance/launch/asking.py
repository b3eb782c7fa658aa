"""What all commands share: options, asking a running box, and how an error ends a command."""

import asyncio
import os
import pwd
import shutil
import sys
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click
from click.core import ParameterSource

from appliance.box.commands.screen import shown as shown
from appliance.errors import BranchlineError, ConfigError
from appliance.launch.place import CannotStart

if TYPE_CHECKING:
    from appliance.bus.client import Bus

LEAST_COLUMNS = 30

T = TypeVar("T")

PATH = click.Path(path_type=Path)
# An installed box says in the environment where its things are: /etc/branchline/defaults.
CONFIG = click.option("--config", type=PATH, default=Path("branchline.yaml"), show_default=True,
                      envvar="BRANCHLINE_CONFIG",
                      help="The box's configuration.")
STATE_DIR = click.option("--state-dir", type=PATH, default=Path("var"), show_default=True,
                         envvar="BRANCHLINE_STATE_DIR",
                         help="Database and recordings: what must outlive a power cut.")


def _run_dir(context: click.Context, param: click.Parameter, given: Path) -> Path:
    """As given, else as given to the command's group: `agents --run-dir X ready zhang` is at X, too."""
    source = context.get_parameter_source("run_dir")
    above = context.parent.params.get("run_dir") if context.parent is not None else None
    return given if above is None or source is ParameterSource.COMMANDLINE else above


RUN_DIR = click.option("--run-dir", type=PATH, default=Path("run"), show_default=True, callback=_run_dir,
                       envvar="BRANCHLINE_RUN_DIR",
                       help="Sockets and the record ring: gone after a boot.")


def on_bus(run_dir: Path, ask: "Callable[[Bus], Awaitable[T]]", name: str = "webui") -> T:
    """What `ask` gives, asked with the permissions of the daemon `name`."""
    from appliance.bus.client import Bus  # a fifth of a second, which others do not need

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
        leave(str(error), os.EX_CONFIG)
    except CannotStart as error:
        leave(str(error), error.code)
    except BranchlineError as error:
        from appliance.bus.client import BusError
        leave(str(error), os.EX_UNAVAILABLE if isinstance(error, BusError) else 1)


def columns() -> int | None:
    """Of the terminal; None: a file or a program reads, whose lines may be as long as they are."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def beside(head: str, text: str, width: int | None) -> str:
    """`text` to the right of `head`, on lines of `width`; none ends at a no-break space."""
    head, text = shown(head), shown(text)
    lines = [head + text] if width is None else textwrap.wrap(
        text, max(width, len(head) + LEAST_COLUMNS), initial_indent=head, subsequent_indent=" " * len(head),
        break_on_hyphens=False)
    return "\n".join(lines or [head]).replace("\N{NO-BREAK SPACE}", " ")


def below(head: str, text: str, width: int | None, indent: str = "    ") -> str:
    """`text` on the line of `head` where both go into `width`, else under it, on lines of `width`."""
    head, text = shown(head), shown(text)
    if width is None or len(head) + 2 + len(text) <= width:
        return f"{head}  {text}".rstrip()
    return "\n".join([head.rstrip(), *textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)])


def person() -> str:
    """Who gives the command, for logs; not what the environment claims, but who became root is told."""
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = f"user {number}"
    before = "" if number else os.environ.get("SUDO_USER", "")
    return f"{name} ({before})"[:64] if before else name[:64]


def leave(text: str, code: int) -> NoReturn:
    click.echo(text, err=True)
    sys.exit(code)
