"""What recordd does all the time: take the ring, finish what ended, tend what is due by time.

Taking has a thread of its own and waits for nobody. Finishing has one that yields to every other program;
what fails there stays in the journal and is tried again.
"""

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from appliance.bus.client import BusError
from appliance.bus.messages import RecordingFinished, RecordingInfo
from appliance.bus.runner import Context
from appliance.errors import BranchlineError
from appliance.recording.alarms import Warnings
from appliance.recording.finishing import finish
from appliance.recording.journal.taker import Taker
from appliance.recording.journal.watch import HANGS_S, DiskWatch
from appliance.recording.parts import Parts
from appliance.recording.tap import Tap
from appliance.store.sqlite import reason

BATCH_S = 1.0                                     # from a sound to the disk, its sync included
LEAST_BATCH_S = 0.5
AGAIN_S = 2.0                                     # acdd says that it goes on, or is away
FAILED_AGAIN_S, MOST_AGAIN_S = 5.0, 60.0
STARTS_S = 10.0                                   # acdd, that is asked, may be coming up as we are
MOST_TEND_S = 600.0
NICE = 10

Tend = Callable[[Parts, float], float]

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Ended:
    at: float
    next_at: float
    failures: int = 0
    why: str = ""


class Recorder:
    """`parts` None: there is no catalogue to write into; all stays in the journal."""

    def __init__(self, context: Context, taker: Taker, tap: Tap, warn: Warnings, parts: Parts | None,
                 figures: Callable[[], dict[str, float]]) -> None:
        self._context, self._taker, self._tap, self._parts = context, taker, tap, parts
        self._warn, self._figures = warn, figures
        self._taking = ThreadPoolExecutor(1, "take")
        self._finishing = ThreadPoolExecutor(1, "finish", initializer=_yield_to_all)
        self._ended: dict[str, _Ended] = {}
        self._watch = DiskWatch()
        self._batched = asyncio.Event()
        self._finished = 0
        self._kicks: list[asyncio.Event] = []

    async def run(self) -> None:
        """Until told to stop; then once more, so that all that was said by then is durable."""
        loop, stop = asyncio.get_running_loop(), self._context.stop
        next_at, said = loop.time(), ""
        finisher = self._context.keep(self._finish_all(self._parts)) if self._parts is not None else None
        while True:
            stopping, begun_at = stop.is_set(), loop.time()
            taking = asyncio.ensure_future(loop.run_in_executor(self._taking, self._batch))
            while not (await asyncio.wait([taking], timeout=HANGS_S))[0]:
                self._say(self._watch.hanging())
            ended = taking.result()
            took_s = loop.time() - begun_at
            # One that has come back is not among them any more.
            self._ended = {name: self._ended.get(name) or _Ended(loop.time(), loop.time()) for name in ended}
            self._batched.set()
            if self._tap.problem != said:
                said = self._tap.problem
                log.info("record ring: %s", said or "reading")
            figures = self._taker.figures()
            self._context.facts.update(figures, finished=self._finished, unfinished=len(self._ended),
                                       batch_ms=round(1000 * took_s, 1), **self._figures())
            self._say(self._watch.batch(took_s, figures))
            if stopping:
                break
            next_at = max(begun_at + max(LEAST_BATCH_S, BATCH_S - took_s), loop.time())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(next_at):
                    await stop.wait()
        if self._parts is not None:
            self._parts.stopping.set()
        if finisher is not None:
            finisher.cancel()
        for pool in (self._taking, self._finishing):
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)
        self._taker.close()

    async def tend(self, area: str, act: Tend) -> None:
        """Call `act` in a thread whenever it wants to be."""
        kick = asyncio.Event()
        self._kicks.append(kick)
        parts, waited = self._parts, False
        while parts is not None:
            kick.clear()
            now = parts.now()
            try:
                next_at = await asyncio.to_thread(act, parts, now)
                self._warn(area, "")
                waited = False
            except Exception as error:            # whatever it is: calls are recorded, the others go on
                if not isinstance(error, OSError | ValueError | SQLAlchemyError | BranchlineError):
                    log.exception("%s", area)
                if isinstance(error, BusError) and not waited:
                    next_at, waited = now + STARTS_S, True
                else:
                    self._warn(area, f"{in_a_line(error)}: it is tried again each minute")
                    next_at = now + MOST_AGAIN_S
            with contextlib.suppress(TimeoutError):
                # By the wall clock, which somebody may set: never for long.
                async with asyncio.timeout(min(max(0.0, next_at - parts.now()), MOST_TEND_S)):
                    await kick.wait()

    def _say(self, warnings: dict[str, str]) -> None:
        for kind, text in warnings.items():
            self._warn(kind, text)

    def kick(self) -> None:
        """Something changed that may make things due."""
        for one in self._kicks:
            one.set()

    def _batch(self) -> list[str]:
        ended = [name for ring in self._tap.rings() for name in self._taker.batch(ring)]
        self._taker.refill()
        return ended

    async def _finish_all(self, parts: Parts) -> None:
        loop = asyncio.get_running_loop()
        while True:
            for recording, ended in list(self._ended.items()):
                if ended.next_at <= loop.time():
                    await self._finish(parts, recording, ended, loop.time() - ended.at)
            failing = [one.why for one in self._ended.values() if one.why]
            self._warn("unfinished", "" if not failing else
                       f"{len(failing)} recordings wait in the journal and cannot be finished: {failing[0]}")
            self._batched.clear()
            await self._batched.wait()

    async def _finish(self, parts: Parts, recording: str, ended: _Ended, waited_s: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            info: RecordingInfo | None = await loop.run_in_executor(
                self._finishing, finish, parts, recording, waited_s)
        except Exception as error:                # whatever it is: the others are finished all the same
            if not isinstance(error, OSError | ValueError | SQLAlchemyError | BranchlineError):
                log.exception("%s", recording)
            ended.next_at = loop.time() + min(FAILED_AGAIN_S * 2 ** min(ended.failures, 8), MOST_AGAIN_S)
            ended.failures, ended.why = ended.failures + 1, in_a_line(error)
            return
        if info is None:
            ended.next_at = loop.time() + AGAIN_S
            return
        self._ended.pop(recording, None)
        self._finished += 1
        await self._context.bus.say(RecordingFinished(info=info))
        self.kick()


def _yield_to_all() -> None:
    """Linux: of this thread alone."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def in_a_line(error: Exception) -> str:
    return reason(error)[:300]                    # SQLAlchemy's own text has the values, too
