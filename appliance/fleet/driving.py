"""Carries a run through: begins boxes as the course says, keeps how they stand, looks at waves."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from appliance.errors import BranchlineError
from appliance.fleet.course import Course, End, State
from appliance.fleet.link import LinkError

WallClock = Callable[[], float]

log = logging.getLogger(__name__)


class Book(Protocol):
    """Where it is kept how boxes stand: a Record, or nowhere for what only looks."""

    async def going(self, box: str, phase: str, facts: Mapping[str, object], now: float) -> None: ...

    async def ended(self, box: str, end: End, now: float) -> None: ...


class Nowhere:
    async def going(self, box: str, phase: str, facts: Mapping[str, object], now: float) -> None:
        """A process that only looked has left nothing behind."""

    async def ended(self, box: str, end: End, now: float) -> None:
        """The report has it."""


class Note:
    """What a box's work knows so far. It is on the disk when the call returns."""

    def __init__(self, box: str, book: Book, facts: Mapping[str, object], told: Callable[[str, str], None],
                 clock: WallClock) -> None:
        self._box, self._book, self._told, self._clock = box, book, told, clock
        self.facts = dict(facts)

    async def __call__(self, phase: str, **facts: object) -> None:
        self.facts |= facts
        await self._book.going(self._box, phase, self.facts, self._clock())
        self._told(self._box, phase)


Work = Callable[[str, Note], Awaitable[End]]                         # any BranchlineError is an end, too
Well = Callable[[str, Mapping[str, object]], Awaitable[str]]         # of a box and its facts; "": it is well


@dataclass(frozen=True, slots=True)
class Doing:
    """What a run does on a box."""

    work: Work
    safe: bool                                    # it looks first what is true, and may be begun again
    well: Well | None = None                      # of the boxes of a wave, before the next one
    soak_s: float = 0.0


async def drive(course: Course, book: Book, work: Work, *, facts: Mapping[str, Mapping[str, object]],
                well: Well | None = None, soak_s: float = 0.0, parallel: int = 1,
                told: Callable[[str, str], None] = lambda box, phase: None,
                over: Callable[[str, End], None] = lambda box, end: None,
                clock: WallClock = time.time) -> dict[str, End]:
    """The ends of all boxes that were begun. `facts`: what an earlier try knew of each.

    Between two waves there are `soak_s` seconds; then the boxes of the one that is over have to be `well`.
    """
    ends: dict[str, End] = {}
    at_work: dict[asyncio.Task[End], str] = {}

    async def one(box: str) -> End:
        note = Note(box, book, facts.get(box, {}), told, clock)
        try:
            end = await work(box, note)
        except LinkError as error:
            end = error.end
        except BranchlineError as error:
            end = End(State.FAILED, str(error))
        except Exception as error:                # one box does not end a run for the others
            log.exception("fleet: %s", box)
            end = End(State.UNKNOWN, f"a fault of this tool: {type(error).__name__}: {error}")
        end = End(end.state, end.why, {**note.facts, **end.facts})
        await book.ended(box, end, clock())
        return end

    try:
        while True:
            for box in course.begin():
                at_work[asyncio.create_task(one(box))] = box
            if at_work:
                done, _ = await asyncio.wait(at_work, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    box = at_work.pop(task)
                    ends[box] = task.result()
                    course.ended(box, ends[box])
                    over(box, ends[box])
            elif (looked_at := course.gate()) is not None:
                await asyncio.sleep(soak_s)
                known = {box: ends[box].facts if box in ends else facts.get(box, {}) for box in looked_at}
                course.passed(await _not_well(known, well, parallel) if well is not None else {})
            else:
                return {box: ends[box] for box in course.states if box in ends}
    finally:
        for task in at_work:
            task.cancel()
        await asyncio.gather(*at_work, return_exceptions=True)


async def _not_well(boxes: Mapping[str, Mapping[str, object]], well: Well, parallel: int) -> dict[str, str]:
    room = asyncio.Semaphore(parallel)

    async def look(box: str, facts: Mapping[str, object]) -> str:
        async with room:
            try:
                return await well(box, facts)
            except BranchlineError as error:
                return str(error)
    reasons = await asyncio.gather(*map(look, boxes, boxes.values()))
    return {box: why for box, why in zip(boxes, reasons, strict=True) if why}
