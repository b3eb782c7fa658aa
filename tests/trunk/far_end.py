"""spand and the exchange behind it, as trunkd sees them: a D-channel socket per span.

The exchange knows nothing of the socket: while trunkd is not there its frames are lost, its calls stay.
"""
import asyncio
import contextlib
import itertools
import socket
from pathlib import Path
from typing import TypeVar

from appliance.isdn.call.states import Timers
from appliance.isdn.dss1 import Signalling
from appliance.isdn.events import Event
from appliance.isdn.lapd import Side

E = TypeVar("E", bound=Event)


class FarEnd:
    """Listens as spand does and signals as the other end of the line. Use as an async context."""

    def __init__(self, path: Path, side: Side, timers: Timers | None = None) -> None:
        numbers = itertools.count(1)
        self.signalling = Signalling(side, lambda: f"far{next(numbers)}", timers=timers)
        self.events: list[Event] = []
        self.changed = asyncio.Condition()
        self._path, self._wake = path, asyncio.Event()
        self._connection: socket.socket | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "FarEnd":
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.setblocking(False)
        self._listener.bind(str(self._path))
        self._listener.listen()
        self._tasks = [asyncio.create_task(self._serve()), asyncio.create_task(self._run())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def wait_for(self, kind: type[E], within_s: float = 10.0) -> E:
        """The next event of that kind; those before it are dropped."""
        async with asyncio.timeout(within_s), self.changed:
            while True:
                while self.events:
                    event = self.events.pop(0)
                    if isinstance(event, kind):
                        return event
                await self.changed.wait()

    async def wait_idle(self, within_s: float = 10.0) -> None:
        """Until every channel is: the RESTARTs of a cold start are answered."""
        async with asyncio.timeout(within_s), self.changed:
            while self.signalling.channels.idle() < len(self.signalling.channels):
                await self.changed.wait()

    def poke(self) -> None:
        """Something was asked of the signalling."""
        self._wake.set()

    async def hang_connection_up(self) -> None:
        """As a restart of spand does."""
        if self._connection is not None:
            self._connection.shutdown(socket.SHUT_RDWR)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(self._listener)
            with connection, contextlib.suppress(OSError):
                self._connection = connection
                self.signalling.line_up(True, self.now())        # the first time
                self._wake.set()
                while frame := await loop.sock_recv(connection, 512):
                    self.signalling.receive_frame(frame, self.now())
                    self._wake.set()
            self._connection = None

    async def _run(self) -> None:
        while True:
            self.signalling.expire(self.now())
            for frame in self.signalling.take_frames():
                if self._connection is not None:
                    with contextlib.suppress(OSError):
                        self._connection.send(frame)
            async with self.changed:
                self.events += self.signalling.take_events()
                self.changed.notify_all()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self.signalling.next_deadline()):
                    await self._wake.wait()
            self._wake.clear()
