"""The box as commands see it: boxd's own areas without the bus, other daemons over it, all events."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar, cast

from appliance.box.area import Area
from appliance.box.commands.table import CommandError, Session, Text
from appliance.box.provision.kept import hostname
from appliance.bus.client import BusError
from appliance.bus.messages import Event, Reply, Request
from appliance.bus.runner import Context

A = TypeVar("A", bound=Area)
R = TypeVar("R", bound=Reply)

MOST_HEARD = 1000                                 # events that wait for one live command: older ones are lost
SAVED = "saved"                                   # in the state folder: what `| save` keeps
SUPPORT = "support"                               # in SFTP's folder of it: bundles for who helps


class Box:
    """boxd's daemon makes one with all of its areas."""

    def __init__(self, context: Context, areas: Sequence[Area]) -> None:
        self.context, self.areas = context, areas
        self.sessions: list[Session] = []         # those that are open: doors keep the list
        self._answers: Mapping[type[Request[Any]], Callable[[Any], Awaitable[Reply]]] = {
            kind: answer for area in areas for kind, answer in area.answers.items()}
        self._hearing: list[asyncio.Queue[Event]] = []

    @property
    def saved(self) -> Path:
        """The folder of what `| save` keeps; it may not be there yet."""
        return self.context.state_dir / SAVED

    def name(self) -> str:
        """The box's own, as it was provisioned."""
        return hostname()

    def area(self, kind: type[A]) -> A:
        """boxd's own area of this class. CommandError: this box has none."""
        for one in self.areas:
            if isinstance(one, kind):
                return one
        name = kind.__name__.lower()
        raise CommandError(Text(f"this box has no {name}", f"本机没有 {name}"))

    async def ask(self, request: Request[R], timeout_s: float = 2.0) -> R:
        """The owner's reply. Refused: it said no. BusError: no answer in time."""
        if type(request).owner != self.context.name:
            return await self.context.bus.ask(request, timeout_s)
        answer = self._answers.get(type(request))
        if answer is None:
            raise BusError(f"{type(request).__name__}: {self.context.name} does not do that")
        try:
            async with asyncio.timeout(timeout_s):
                return cast(R, await answer(request))
        except TimeoutError:
            raise BusError(f"{type(request).__name__}: no answer in {timeout_s:g} s") from None

    def hear(self, event: Event) -> None:
        """Every event of the bus comes here; live commands hear it."""
        for heard in self._hearing:
            if heard.full():
                heard.get_nowait()
            heard.put_nowait(event)

    @contextlib.asynccontextmanager
    async def hearing(self) -> AsyncIterator[asyncio.Queue[Event]]:
        """Events from now on, the oldest lost where nobody takes them."""
        heard: asyncio.Queue[Event] = asyncio.Queue(MOST_HEARD)
        self._hearing.append(heard)
        try:
            yield heard
        finally:
            self._hearing.remove(heard)


def release() -> str:
    """The version of this software."""
    try:
        return version("branchline")
    except PackageNotFoundError:
        return "unknown"
