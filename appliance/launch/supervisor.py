"""Child programs: started, watched, started again, stopped in order. Knows nothing of what they do."""

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from appliance.bus.runner import EX_CONFIG

STOP_S = 5.0                                      # from SIGTERM to SIGKILL
TAIL_LINES = 20
READ_OCTETS = 65536


@dataclass(frozen=True, slots=True)
class Program:
    """Programs of a higher `stage` are stopped before those of a lower one."""

    name: str
    argv: tuple[str, ...]
    stage: int
    chatter: tuple[str, ...] = ()                 # lines with one of these are for its own developers


@dataclass(slots=True)
class Backoff:
    """How long to wait before the next start: doubles from first_s to most_s, anew after calm_s of life."""

    first_s: float = 0.2
    most_s: float = 10.0
    calm_s: float = 30.0
    _next_s: float = 0.0

    def after(self, lived_s: float) -> float:
        wait_s = self.first_s if lived_s >= self.calm_s or not self._next_s else self._next_s
        self._next_s = min(wait_s * 2, self.most_s)
        return wait_s


@dataclass(slots=True)
class Child:
    """One program's present process. `ended` is set when its first process is over."""

    program: Program
    process: asyncio.subprocess.Process | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL_LINES))
    task: asyncio.Task[None] | None = None


class Supervisor:
    """Keeps what was started alive until stop(). `failed`: the child that says its configuration is wrong."""

    def __init__(self, say: Callable[[str, str], None], environment: Mapping[str, str]) -> None:
        self._say = say                           # name, line
        self._environment = {**os.environ, **environment}
        self._children: list[Child] = []
        self._stopping = asyncio.Event()
        self.failed: asyncio.Future[Child] = asyncio.get_running_loop().create_future()

    def start(self, program: Program) -> Child:
        child = Child(program)
        self._children.append(child)
        child.task = asyncio.create_task(self._keep(child))
        return child

    async def stop(self) -> None:
        """SIGTERM by stage, the highest first; SIGKILL for what is still there after STOP_S."""
        self._stopping.set()
        for stage in sorted({child.program.stage for child in self._children}, reverse=True):
            await self._stop([child for child in self._children if child.program.stage == stage])

    def kill(self) -> None:
        """SIGKILL to all, now: stop() then returns at once."""
        self._stopping.set()
        for child in self._children:
            _signal(child, signal.SIGKILL)

    async def _stop(self, children: Sequence[Child]) -> None:
        for child in children:
            _signal(child, signal.SIGTERM)
        tasks = [child.task for child in children if child.task is not None]
        _, late = await asyncio.wait(tasks, timeout=STOP_S)
        for child in children:
            if child.task in late:
                self._say(child.program.name, f"does not stop within {STOP_S:g} s: killed")
                _signal(child, signal.SIGKILL)
        if late:
            await asyncio.wait(late, timeout=STOP_S)

    async def _keep(self, child: Child) -> None:
        loop, backoff, name = asyncio.get_running_loop(), Backoff(), child.program.name
        while not self._stopping.is_set():
            began = loop.time()
            ending = await self._live(child)
            child.ended.set()
            if self._stopping.is_set():
                return
            if ending == EX_CONFIG:
                if not self.failed.done():
                    self.failed.set_result(child)
                return
            wait_s = backoff.after(loop.time() - began)
            self._say(name, f"{_in_words(ending)}; starts again in {wait_s:g} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait_s)

    async def _live(self, child: Child) -> int:
        """One process from start to end; its exit code, or minus the signal that ended it."""
        child.tail.clear()
        try:
            # The kernel kills it when this process dies, however that comes about. Ctrl-C does not reach it.
            process = await asyncio.create_subprocess_exec(
                "setpriv", "--pdeathsig", "KILL", *child.program.argv, env=self._environment,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT, start_new_session=True)
        except OSError as error:
            self._say(child.program.name, f"cannot be started: {error.strerror}")
            return os.EX_OSERR
        child.process = process
        if self._stopping.is_set():
            _signal(child, signal.SIGTERM)
        reading = asyncio.create_task(self._read(child, process))
        try:
            return await process.wait()
        finally:
            child.process = None
            with contextlib.suppress(TimeoutError):      # a grandchild may hold the pipe
                await asyncio.wait_for(reading, 0.5)

    async def _read(self, child: Child, process: asyncio.subprocess.Process) -> None:
        rest = b""
        while process.stdout is not None and (octets := await process.stdout.read(READ_OCTETS)):
            *lines, rest = (rest + octets).split(b"\n")
            if len(rest) > READ_OCTETS:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._heard(child, line)
        if rest:
            self._heard(child, rest)

    def _heard(self, child: Child, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip()
        if text:
            child.tail.append(text)
            if not any(part in text for part in child.program.chatter):
                self._say(child.program.name, text)


def _signal(child: Child, number: signal.Signals) -> None:
    if child.process is not None and child.process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            child.process.send_signal(number)


def _in_words(ending: int) -> str:
    if ending < 0:
        return f"killed by {signal.Signals(-ending).name}"
    return "ended" if ending == 0 else f"ended with exit code {ending}"
