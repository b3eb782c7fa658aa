"""One test on a lent line: the loan, the process that runs it, and what becomes of both.

The line goes back whatever dies. The process ends with its stdin; the loan ends by itself LOAN_S after boxd.
"""

import asyncio
import contextlib
import json
import logging
import secrets
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from appliance.bus.client import Bus, BusError
from appliance.bus.messages import LendSpan, TakeSpanBack

LOAN_S, RENEW_S = 9.0, 3.0
GIVEN_S = 5.0
ENDS_S = 5.0                                      # a process that was stopped; less than a loan has left
MOST_LINE = 4 << 20                               # octets of what it says at once
MOST_TROUBLE = 2000
STEERED = (sys.executable, "-I", "-m", "e1_driver.ctl.steered")

Said = Callable[[dict[str, Any]], Awaitable[None]]

log = logging.getLogger(__name__)


class Failed(Exception):
    """The test could not be; the text is for people."""


class Loan:
    """A span, ours for a while."""

    def __init__(self, bus: Bus, span: str) -> None:
        self._bus, self._span, self._borrower = bus, span, secrets.token_hex(8)
        self.given = asyncio.Event()              # spand has let the device go

    async def take(self) -> None:
        """Refused: calls are on it, or it is lent; BusError: nobody answers."""
        await self._bus.ask(LendSpan(span=self._span, borrower=self._borrower, for_s=LOAN_S))

    async def keep(self) -> None:
        """For as long as this runs. BusError: it is over."""
        while True:
            await asyncio.sleep(RENEW_S)
            await self.take()

    async def give_back(self) -> None:
        with contextlib.suppress(BusError):       # it ends by itself
            await self._bus.ask(TakeSpanBack(span=self._span, borrower=self._borrower))


class Running:
    def __init__(self, loan: Loan, order: dict[str, Any], said: Said) -> None:
        """`order` as of e1_driver.ctl.steered; `said` hears each of its lines."""
        self._loan, self._order, self._said = loan, order, said
        self._child: asyncio.subprocess.Process | None = None
        self.stopped = False

    def steer(self, word: str) -> None:
        """To the process; nothing when it is not there yet, or no more."""
        self.stopped = self.stopped or word == "stop"
        if self._child is not None and self._child.stdin is not None:
            self._child.stdin.write(f"{word}\n".encode())

    async def run(self) -> None:
        """To its end, the line given back. Failed: why it could not be. Cancelled: it is broken off."""
        try:
            try:
                async with asyncio.timeout(GIVEN_S):
                    await self._loan.given.wait()
            except TimeoutError:
                raise Failed("spand does not give the line away") from None
            if not self.stopped:
                await self._run()
        finally:
            await asyncio.shield(self._end())

    async def _run(self) -> None:
        pipe = asyncio.subprocess.PIPE
        self._child = child = await asyncio.create_subprocess_exec(
            *STEERED, json.dumps(self._order), stdin=pipe, stdout=pipe, stderr=pipe, limit=MOST_LINE)
        if child.stdout is None or child.stderr is None:
            raise AssertionError("a process with pipes has them")
        if self.stopped and child.stdin is not None:
            child.stdin.write(b"stop\n")          # it was said while the process was made
        renewing = asyncio.create_task(self._loan.keep())
        listening = asyncio.create_task(self._listen(child.stdout))
        complaining = asyncio.create_task(_last(child.stderr))
        try:
            await asyncio.wait((renewing, listening), return_when=asyncio.FIRST_COMPLETED)
            if not listening.done():
                raise Failed(f"the line was taken back: {renewing.exception()}")
            listening.result()
            code = await child.wait()
            trouble = await complaining
            if code != 0:
                raise Failed(trouble or f"the process of the test ended with {code}")
        finally:
            for task in (renewing, listening, complaining):
                task.cancel()
            await asyncio.gather(renewing, listening, complaining, return_exceptions=True)

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            try:
                said = json.loads(line)
            except ValueError:
                raise Failed("the process of the test says what is no JSON") from None
            await self._said(said)

    async def _end(self) -> None:
        """The device closed before the line goes back: two may not have it."""
        child = self._child
        if child is not None and child.returncode is None:
            if child.stdin is not None:
                child.stdin.close()
            try:
                async with asyncio.timeout(ENDS_S):
                    await child.wait()
            except TimeoutError:
                log.error("the test's process %d does not end: killed", child.pid)
                child.kill()
                await child.wait()
        await self._loan.give_back()


async def _last(stream: asyncio.StreamReader) -> str:
    """The last line that it complained of."""
    last = ""
    while octets := await stream.read(4096):
        last = (last + octets.decode(errors="replace"))[-MOST_TROUBLE:]
    return next((line for line in reversed(last.splitlines()) if line.strip()), "").strip()
