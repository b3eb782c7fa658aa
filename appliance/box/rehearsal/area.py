"""Days played again, on the bus: one at a time, by a child that gets what nobody else wants of the box."""

import asyncio
import contextlib
import json
import logging
import secrets
import sys
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from appliance.box.area import Answers, Area
from appliance.box.rehearsal.kept import ENDED, FOLDER, Kept
from appliance.box.rehearsal.ordered import days, mistake
from appliance.bus.client import Refused
from appliance.bus.messages import (
    BeginRehearsal,
    Done,
    GetRehearsal,
    GetRehearsals,
    Rehearsal,
    RehearsalReply,
    Rehearsals,
    RehearsalState,
    StopRehearsal,
)
from appliance.bus.runner import Context

LONGEST_S = 1800.0                                # by the clock
MOST_CPU_S, MOST_MEMORY_OCTETS = 1200, 1 << 30
ENDS_S = 5.0
MOST_LINE = 8 << 20                               # octets that it says at once: the result
MOST_TROUBLE = 2000
SAY_S = 0.5                                       # between two words of progress

# Idle: it runs when nothing else wants to, and its disk waits for all others'. Without boxd its next word of
# progress meets a closed pipe; systemd ends it at once. The hard limit of the processor is the later one: at
# the soft one it is told of it.
BESIDE = ("nice", "-n", "19", "chrt", "--idle", "0", "prlimit", f"--cpu={MOST_CPU_S}:{MOST_CPU_S + 10}",
          f"--as={MOST_MEMORY_OCTETS}", "--core=0")
PLAYER = (*BESIDE, sys.executable, "-m", "appliance.launch", "sim", "replay")

log = logging.getLogger(__name__)


class Failed(Exception):
    """It could not be played; the text is for people."""


class Rehearsing(Area):
    def __init__(self, context: Context) -> None:
        self._context, self._kept = context, Kept(context.state_dir / FOLDER)
        self._going: Rehearsal | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopped, self._alone = False, asyncio.Lock()
        self.answers: Answers = {GetRehearsals: self._list, GetRehearsal: self._get,
                                 BeginRehearsal: self._begin, StopRehearsal: self._stop}
        # They read the disk, and wait for the end of a process.
        self.beside = tuple(self.answers)

    async def run(self, stop: asyncio.Event) -> None:
        for one in self._kept.unended():
            await self._ended(one, "broken-off", "", {})
        await stop.wait()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _list(self, request: GetRehearsals) -> Rehearsals:
        now = {self._going.rehearsal: self._going} if self._going else {}
        return Rehearsals(
            rehearsals=[now.get(one.rehearsal, one) for one in self._kept.all()],
            days=await asyncio.to_thread(days, self._context.state_dir, time.time()))

    async def _get(self, request: GetRehearsal) -> RehearsalReply:
        if self._going is not None and self._going.rehearsal == request.rehearsal:
            return RehearsalReply(rehearsal=self._going, result={})
        if (found := await asyncio.to_thread(self._kept.get, request.rehearsal)) is None:
            raise Refused(f"no rehearsal is called {request.rehearsal[:40]!r}")
        return found

    async def _begin(self, request: BeginRehearsal) -> RehearsalReply:
        if wrong := mistake(request.order):
            raise Refused(wrong)
        async with self._alone:
            return await self._begun(request)

    async def _begun(self, request: BeginRehearsal) -> RehearsalReply:
        if self._going is not None:
            raise Refused("one runs: wait until it has ended, or stop it")
        now = time.time()
        one = Rehearsal(rehearsal=f"{int(now)}-{secrets.token_hex(4)}", order=request.order,
                        by=request.by[:64], began_at=now, phase="waiting")
        self._going, self._stopped = one, False
        try:
            await asyncio.to_thread(self._kept.keep, one, {})
        except OSError as error:
            self._going = None
            raise Refused(f"{error.filename}: {error.strerror}: nothing was begun") from None
        log.info("rehearsal %s begins, by %s", one.rehearsal, request.by)
        self._task = self._context.keep(self._run(one))
        await self._context.bus.say(RehearsalState(rehearsal=one))
        return RehearsalReply(rehearsal=one, result={})

    async def _stop(self, request: StopRehearsal) -> Done:
        async with self._alone:
            return await self._stopping(request)

    async def _stopping(self, request: StopRehearsal) -> Done:
        if self._going is not None and self._going.rehearsal == request.rehearsal:
            self._stopped = True
            if self._task is not None:
                self._task.cancel()
                await asyncio.wait([self._task])
            return Done()
        found = await asyncio.to_thread(self._kept.get, request.rehearsal)
        if found is None or found.rehearsal.phase not in ENDED:
            raise Refused(f"no rehearsal is called {request.rehearsal[:40]!r}")
        try:
            await asyncio.to_thread(self._kept.remove, request.rehearsal)
        except OSError as error:
            raise Refused(f"{error.filename}: {error.strerror}") from None
        return Done()

    async def _run(self, one: Rehearsal) -> None:
        phase, trouble, result = "broken-off", "", dict[str, Any]()
        try:
            async with asyncio.timeout(LONGEST_S):
                result = await self._play(one)
            phase = "done"
        except TimeoutError:
            phase, trouble = "failed", f"it was not over in {LONGEST_S / 60:g} min: take fewer days or plays"
        except Failed as error:
            phase, trouble = "failed", str(error)
        except asyncio.CancelledError:
            phase = "stopped" if self._stopped else "broken-off"
            if not self._stopped:
                raise
        except Exception as error:                # this one's: boxd goes on
            log.exception("rehearsal %s", one.rehearsal)
            phase, trouble = "failed", f"{type(error).__name__}: {error}"
        finally:
            going, self._going = self._going or one, None
            await asyncio.shield(self._ended(going, phase, trouble, result))

    async def _play(self, one: Rehearsal) -> dict[str, Any]:
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            *command(one, self._context), stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe,
            limit=MOST_LINE)
        if child.stdout is None or child.stderr is None:
            raise AssertionError("a process with pipes has them")
        complaining = asyncio.create_task(_last(child.stderr))
        try:
            result = await self._listen(child.stdout)
            code = await child.wait()
            trouble = await complaining
            if code == 0 and result is not None:
                return result
            raise Failed(trouble or _why(code))
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
            complaining.cancel()

    async def _listen(self, stream: asyncio.StreamReader) -> dict[str, Any] | None:
        result, said_at = None, 0.0
        while True:
            try:
                line = await stream.readline()
            except ValueError:
                raise Failed("the result is too large: take fewer days, or longer intervals") from None
            if not line:
                return result
            try:
                said = json.loads(line)
                result = said.get("result", result)
                numbers = {name: int(said[name]) for name in ("done", "of") if name in said}
            except (ValueError, TypeError, AttributeError):
                raise Failed("the process of the simulator says what is no JSON") from None
            if numbers and self._going is not None:
                self._going = msgspec.structs.replace(self._going, phase="running", **numbers)
                now = asyncio.get_running_loop().time()
                if now >= said_at + SAY_S:
                    said_at = now
                    await self._context.bus.say(RehearsalState(rehearsal=self._going))

    async def _ended(self, one: Rehearsal, phase: str, trouble: str, result: dict[str, Any]) -> None:
        ended = msgspec.structs.replace(
            one, phase=phase, trouble=trouble[:MOST_TROUBLE], ended_at=time.time())
        try:
            await asyncio.to_thread(self._kept.keep, ended, result)
        except OSError as error:
            why = f"what it came to could not be kept: {error.strerror or error}"
            log.error("rehearsal %s: %s", one.rehearsal, why)
            if phase == "done":
                ended = msgspec.structs.replace(ended, phase="failed", trouble=why)
            self._kept.note(ended)
        log.info("rehearsal %s: %s %s", one.rehearsal, ended.phase, ended.trouble)
        with contextlib.suppress(Exception):
            await self._context.bus.say(RehearsalState(rehearsal=ended))


def command(one: Rehearsal, context: Context) -> Sequence[str]:
    order = one.order
    return (*PLAYER, *order.days, *(f"--what-if={change}" for change in order.changes),
            f"--seeds={order.seeds}", f"--interval-min={order.interval_min}", "--progress",
            f"--config={context.config_path}", f"--state-dir={context.state_dir}")


def _why(code: int) -> str:
    if code == -24:
        return f"it took more than {MOST_CPU_S} s of the processor: take fewer days or plays"
    return f"the simulator ended with {code}: too little memory, or somebody ended it"


async def _last(stream: asyncio.StreamReader) -> str:
    """The last that it complained of."""
    last = ""
    while octets := await stream.read(4096):
        last = (last + octets.decode(errors="replace"))[-MOST_TROUBLE:]
    lines = [line.strip() for line in last.splitlines() if line.strip()]
    return "\n".join(one for one in lines[-8:] if not one.startswith("Traceback"))[-MOST_TROUBLE:]
