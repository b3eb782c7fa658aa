"""The exchanges' side of virtual lines, and spand as the process that it is."""

import asyncio
import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np

from appliance.bus.client import Bus
from appliance.bus.messages import BindLeg, Bridge, DaemonUp, Event
from e1_driver import BLOCK, IDLE, TIMESLOTS, Block, Span, open_span
from hil_tests.instruments.line import PRIORITY, keep_time

WITHIN_S = 20.0                                   # nothing here takes a second on an idle machine

Channel = tuple[str, int]                         # span, timeslot

CALLER, AGENT = ("telco", 5), ("pbx", 31)         # of a_call()


def speech(seed: int, seconds: float) -> bytes:
    """Octets that do not repeat."""
    return np.random.default_rng(seed).integers(0, 128, int(8000 * seconds), dtype=np.uint8).tobytes()


class FarEnds:
    """End a of each line, turned by a thread at its pace. What it needs is made before this is."""

    def __init__(self, folder: Path, spans: list[str]) -> None:
        self.spans: dict[str, Span] = {name: open_span(f"virtual:{folder / name}/a") for name in spans}
        self._stop = False
        keep_time()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._stop = True
        self._thread.join()
        for span in self.spans.values():
            span.close()

    def _answer(self, name: str, heard: Block, now: float) -> Block:
        """The block that is said after this one was heard."""
        raise NotImplementedError

    def _turned(self, name: str, frames: list[bytes]) -> None:
        """The line was read, with these frames."""

    def _run(self) -> None:
        keep_time(PRIORITY)
        poll = select.epoll()
        names = {span.fileno(): name for name, span in self.spans.items()}
        for descriptor in names:
            poll.register(descriptor, select.EPOLLIN)
        while not self._stop:
            for descriptor, _ in poll.poll(0.1):
                name, now = names[descriptor], time.monotonic()
                span = self.spans[name]
                block, frames = span.read(now), span.receive_frames()
                if block is not None:
                    span.write(self._answer(name, block, now))
                self._turned(name, frames)
        poll.close()


class Exchanges(FarEnds):
    """Says what it is given, then silence, and keeps what it hears.

    `said_at` is when the first block of the last say() left, `heard_at` when each block came (monotonic).
    """

    def __init__(self, folder: Path, spans: list[str]) -> None:
        self.heard: dict[Channel, bytearray] = defaultdict(bytearray)
        self.heard_at: dict[str, list[float]] = defaultdict(list)
        self.said_at: dict[Channel, float] = {}
        self.frames: dict[str, list[bytes]] = defaultdict(list)
        self._to_say: dict[Channel, bytes] = {}
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        super().__init__(folder, spans)

    def say(self, channel: Channel, octets: bytes) -> None:
        self.said_at.pop(channel, None)
        self._to_say[channel] = octets

    async def until(self, true: Callable[[], object]) -> None:
        """Wait for `true`, asked anew with every block. TimeoutError."""
        async with asyncio.timeout(WITHIN_S):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def hear(self, channel: Channel, octets: bytes) -> None:
        """Wait until they were heard in one piece. TimeoutError."""
        await self.until(lambda: octets in self.heard[channel])

    def _answer(self, name: str, heard: Block, now: float) -> Block:
        self.heard_at[name].append(now)
        for timeslot in range(TIMESLOTS):
            self.heard[name, timeslot] += heard[timeslot].tobytes()
        return self._next_block(name, now)

    def _turned(self, name: str, frames: list[bytes]) -> None:
        self.frames[name] += frames
        self._loop.call_soon_threadsafe(self._changed.set)

    def _next_block(self, name: str, now: float) -> Block:
        block = np.full((TIMESLOTS, BLOCK), IDLE, np.uint8)
        for (span, timeslot), octets in list(self._to_say.items()):
            if span == name and octets:
                self.said_at.setdefault((span, timeslot), now)
                part = octets[:BLOCK]
                block[timeslot, :len(part)] = np.frombuffer(part, np.uint8)
                self._to_say[span, timeslot] = octets[BLOCK:]
        return block


class Listener:
    """What spand says on the bus."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.events: list[Event] = []
        self._changed = asyncio.Event()

    async def start(self) -> None:
        await self.bus.hear("spand", self._on_event)

    async def until(self, true: Callable[[Event], bool]) -> Event:
        """The first event of which it is true, also an old one. TimeoutError."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                for event in self.events:
                    if true(event):
                        return event
                self._changed.clear()
                await self._changed.wait()

    async def _on_event(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()


class Process:
    """spand; `output` is what it wrote once it ended."""

    def __init__(self, config: Path, run_dir: Path, listener: Listener) -> None:
        self._args = ["-m", "appliance.span", "--config", str(config), "--run-dir", str(run_dir),
                      "--state-dir", str(run_dir.parent / "state")]
        self._listener = listener
        self._process: asyncio.subprocess.Process | None = None
        self.output = ""

    async def start(self, up: bool = True) -> None:
        """Start it; with `up` wait until it answers."""
        before = len(self._listener.events)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, *self._args, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})             # as the launcher starts it
        if up:
            await self._listener.until(
                lambda event: isinstance(event, DaemonUp) and event in self._listener.events[before:])

    async def ended(self) -> int:
        assert self._process is not None
        async with asyncio.timeout(WITHIN_S):
            _, errors = await self._process.communicate()
        self.output += errors.decode()
        assert self._process.returncode is not None
        return self._process.returncode

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
        return await self.ended()


@contextlib.asynccontextmanager
async def spand(config: Path, run_dir: Path) -> AsyncIterator[tuple[Process, Listener]]:
    """A running spand and its listener, connected as acdd."""
    bus = await Bus.connect(run_dir, "acdd")
    listener = Listener(bus)
    await listener.start()
    process = Process(config, run_dir, listener)
    try:
        await process.start()
        yield process, listener
        assert await process.end() == 0, process.output
    finally:
        if process._process is not None and process._process.returncode is None:
            await process.end(signal.SIGKILL)
        await bus.close()


@contextlib.asynccontextmanager
async def a_call(folder: Path, run_dir: Path) -> AsyncIterator[tuple[Process, Exchanges, Listener]]:
    """A running spand between two lines, and CALLER and AGENT, legs of those names, talk to each other."""
    far, config = Exchanges(folder, ["telco", "pbx"]), folder / "box.yaml"
    config.write_text(f"""
spans:
- {{name: telco, url: "virtual:{folder}/telco/b", side: user, trunk: telco}}
- {{name: pbx, url: "virtual:{folder}/pbx/b", side: network, trunk: pbx}}
media: {{prompts: {folder}, country: cn}}
""")
    try:
        async with spand(config, run_dir) as (process, listener):
            await far.until(lambda: far.heard_at.keys() >= {"telco", "pbx"})
            for leg, (span, timeslot) in (("caller", CALLER), ("agent", AGENT)):
                await listener.bus.ask(BindLeg(leg=leg, span=span, timeslot=timeslot))
            await listener.bus.ask(Bridge(leg_a="caller", leg_b="agent"))
            yield process, far, listener
    finally:
        far.close()
