"""The process that knows flows: started when something is to be done, ended when nothing was for a while.

It takes its memory along, and whatever a text makes it do: one that does not answer in time is killed.
"""

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import TypeVar

import msgspec

from appliance.box.flows.orders import MOST_OCTETS, Order, Outcome, Refusal
from appliance.bus.client import Refused

ANSWER_S = 20.0                                   # of which a small board needs some to start it
IDLE_S = 60.0

T = TypeVar("T", bound=msgspec.Struct)

_OUTCOME = msgspec.json.Decoder(Outcome)


class Bench:
    """`document`: the configuration whose names there are."""

    def __init__(self, document: Path) -> None:
        self._command = (sys.executable, "-m", "appliance.launch", "flow", "bench", "--config", str(document))
        self._child: asyncio.subprocess.Process | None = None
        self._alone = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None

    async def ask(self, order: Order, wanted: type[T]) -> T:
        """Refused: it cannot be done, and why."""
        async with self._alone:
            if self._idle is not None:
                self._idle.cancel()
            try:
                async with asyncio.timeout(ANSWER_S):
                    outcome = await self._told(msgspec.json.encode(order) + b"\n")
            except TimeoutError:
                await self._end()
                raise Refused(f"this took longer than {ANSWER_S:g} s, and was given up") from None
            except (OSError, ValueError, msgspec.MsgspecError, asyncio.IncompleteReadError,
                    asyncio.LimitOverrunError):
                await self._end()
                raise Refused("the program that reads flows has ended: the flow may be too large") from None
            except BaseException:                 # an answer that nobody awaits would be taken for the next
                await self._end()
                raise
            self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._kill)
        if isinstance(outcome, Refusal):
            raise Refused(outcome.why)
        if not isinstance(outcome, wanted):
            raise Refused("the program that reads flows has answered something else")
        return outcome

    async def close(self) -> None:
        """Who waits for an answer is refused."""
        if self._idle is not None:
            self._idle.cancel()
        await self._end()

    async def _told(self, line: bytes) -> Outcome:
        child = self._child
        if child is None or child.returncode is not None:
            child = self._child = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                limit=MOST_OCTETS)
        if child.stdin is None or child.stdout is None:
            raise OSError("no pipes")
        child.stdin.write(line)
        await child.stdin.drain()
        outcome: Outcome = _OUTCOME.decode(await child.stdout.readuntil(b"\n"))
        return outcome

    async def _end(self) -> None:
        child = self._child
        self._kill()
        if child is not None:
            await child.wait()

    def _kill(self) -> None:
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
