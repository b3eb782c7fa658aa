"""A person at the console of a box that is only made up: lines go through run_line, as at every door."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, cast

from appliance.box.area import Area
from appliance.box.commands.box import Box
from appliance.box.commands.run import Running, run_line
from appliance.box.commands.table import Language, Role, Session, Who
from appliance.bus.client import Refused
from appliance.bus.messages import REQUESTS, Event, Reply, Request
from appliance.bus.runner import Context
from appliance.config.load import load

DOCUMENT = 'spans: [{name: telco, url: "virtual:/x/b", side: user, trunk: telco}]\n'
SOON_S = 10.0

Answer = Callable[[Request[Any]], Reply]


class Bus:
    """What the other daemons answer, and what they were asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.asked = answer, list[Request[Any]]()
        self.said = list[Event]()

    async def ask(self, request: Request[Any], timeout_s: float = 2.0) -> Reply:
        self.asked.append(request)
        return self.answer(request)

    async def say(self, event: Event) -> None:
        self.said.append(event)


class BoxdAnswers(Area):
    """Boxd's own subjects, played: request by its name, and what answers it."""

    def __init__(self, **answers: Callable[[Any], Awaitable[Reply]]) -> None:
        self.answers = {REQUESTS[name]: answer for name, answer in answers.items()}


def box(folder: Path, bus: Any, areas: Sequence[Area] = ()) -> Box:
    path = folder / "box.yaml"
    if not path.exists():
        path.write_text(DOCUMENT)
    context = Context("boxd", load(path), folder, folder, cast(Any, bus), asyncio.Event(), config_path=path)
    return Box(context, areas)


def nobody(request: Request[Any]) -> Reply:
    raise Refused(f"nobody should ask {request}")


class Person:
    def __init__(self, box: Box, role: Role = Role.ADMIN, language: Language = "en",
                 name: str = "li") -> None:
        self.box, self.session = box, Session(Who(name, role, language, "test", "exec"))

    def begin(self, line: str) -> Running:
        return run_line(line, self.session, self.box)

    async def does(self, line: str, status: int = 0) -> str:
        """All that it says; the line must end with this status."""
        running = self.begin(line)
        async with asyncio.timeout(SOON_S):
            said = "".join([one if isinstance(one, str) else one.decode("latin-1") async for one in running])
        assert running.status == status, said
        return said

    async def octets(self, line: str) -> bytes:
        running = self.begin(line)
        async with asyncio.timeout(SOON_S):
            pieces = [one async for one in running]
        assert running.status == 0, pieces
        return b"".join(one for one in pieces if isinstance(one, bytes))

    async def json(self, line: str, status: int = 0) -> Any:
        return json.loads(await self.does(f"{line} | json", status))


class Live:
    """A command that goes on, piece by piece, until it is cancelled."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self._pieces: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        pieces: AsyncIterator[str | bytes] = aiter(self.running)
        try:
            async for piece in pieces:
                self._pieces.put_nowait(piece)
            self._pieces.put_nowait(None)
        finally:
            await cast(Any, pieces).aclose()

    async def next(self) -> str:
        """"": it has ended."""
        async with asyncio.timeout(SOON_S):
            return str(await self._pieces.get() or "")

    async def rest(self) -> str:
        said = ""
        while piece := await self.next():
            said += piece
        return said

    async def cancel(self) -> None:
        """As Ctrl-C, and as a session that dies."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
