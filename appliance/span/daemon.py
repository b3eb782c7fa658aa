"""spand: the spans, the media clock and the matrix.

An asyncio thread talks on the bus and decides who hears whom; the real-time thread (line.py) carries octets.
"""

import asyncio
import gc
import logging
import sys
from pathlib import Path
from typing import Any

from appliance.bus.client import Refused
from appliance.bus.messages import (
    BindLeg,
    Bridge,
    ClockState,
    Digit,
    Done,
    GetSpans,
    GetSpanSeconds,
    LendSpan,
    Play,
    Reply,
    Request,
    SpanList,
    SpanSecond,
    SpanSeconds,
    SpanState,
    StartRecording,
    StopPlay,
    StopRecording,
    TakeSpanBack,
    UnbindLeg,
    Unbridge,
)
from appliance.bus.runner import Context
from appliance.bus.runner import main as run
from appliance.errors import Unavailable
from appliance.media.engine import Engine
from appliance.media.prompts import Library
from appliance.media.ring import Ring
from appliance.span.line import Died, DigitHeard, DriverLog, Figures, Lend, Line, Note, PlayerEnded
from appliance.span.sounds import Sounds
from appliance.span.switchboard import Switchboard
from e1_driver import BEARERS, TIMESLOTS

SWITCH_INTERVAL_S = 0.001                         # what the real-time thread may wait for the interpreter
COLLECT_S = 10.0
LONGEST_LOAN_S = 60.0                             # who needs it longer renews

log = logging.getLogger(__name__)


class Spand:
    """The bus on one side, the switchboard and the line on the other."""

    def __init__(self, context: Context, switchboard: Switchboard, line: Line) -> None:
        self._context, self._switchboard, self._line = context, switchboard, line
        self._states: dict[str, SpanState] = {}
        self._loans: dict[str, tuple[str, float]] = {}           # span: borrower, end by the loop's clock
        self._clock: ClockState | None = None
        self._reports_wait = asyncio.Event()

    async def run(self) -> None:
        """Serve until the context's stop. Raises what the real-time thread died of."""
        context, loop = self._context, asyncio.get_running_loop()
        loop.add_reader(self._line.reports.fileno(), self._reports_wait.set)
        tasks = [asyncio.create_task(self._relay()), asyncio.create_task(_collect()),
                 asyncio.create_task(context.stop.wait())]
        try:
            self._line.start()
            await context.bus.answer(self._answer)
            await context.up()
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            loop.remove_reader(self._line.reports.fileno())
            for task in tasks:
                task.cancel()

    async def _relay(self) -> None:
        """Reports of the real-time thread, in order."""
        while True:
            await self._reports_wait.wait()
            self._reports_wait.clear()
            for report in self._line.reports.take():
                match report:
                    case DigitHeard(leg, digit, at):
                        await self._context.bus.say(Digit(leg=leg, digit=digit, at=at))
                    case PlayerEnded(tag):
                        self._switchboard.player_ended(tag)
                        await self._commit()
                    case SpanState():
                        await self._state(report)
                    case SpanSecond():
                        await self._context.bus.say(report)
                    case ClockState():
                        await self._follow(report)
                    case Figures():
                        self._figures(report)
                    case Note(text, level):
                        log.log(level, "%s", text)
                    case Died(error):
                        raise error

    async def _answer(self, request: Request[Any]) -> Reply:
        board = self._switchboard
        match request:
            case BindLeg(leg=leg, span=span, timeslot=timeslot):
                board.bind(leg, span, timeslot)
            case UnbindLeg(leg=leg):
                board.unbind(leg)
            case Play(leg=leg, play=play, fragments=fragments, repeat=repeat):
                board.play(leg, play, fragments, repeat)
            case StopPlay(leg=leg):
                board.stop_play(leg)
            case Bridge(leg_a=leg_a, leg_b=leg_b):
                board.bridge(leg_a, leg_b)
            case Unbridge(leg=leg):
                board.unbridge(leg)
            case StartRecording(recording=recording, caller_leg=caller_leg, agent_leg=agent_leg):
                board.start_recording(recording, caller_leg, agent_leg, self._line.ring_tick)
            case StopRecording(recording=recording):
                board.stop_recording(recording)
            case GetSpans():
                return SpanList(spans=list(self._states.values()), clock=self._clock)
            case GetSpanSeconds(span=span, since=since):
                if span not in self._states:
                    raise Refused(f"no span {span!r}, there are {', '.join(self._states)}")
                return SpanSeconds(seconds=self._line.seconds(span, since))
            case LendSpan(span=span, borrower=borrower, for_s=for_s):
                self._lend(span, borrower, for_s)
            case TakeSpanBack(span=span, borrower=borrower):
                board.legs_on(span)               # Refused when there is no such span
                if self._borrower(span) == borrower:
                    del self._loans[span]
                    self._line.orders.put(Lend(span, 0.0))
            case _:
                raise Refused(f"{type(request).__name__}: spand has no answer to it")
        await self._commit()
        return Done()

    def _lend(self, span: str, borrower: str, for_s: float) -> None:
        legs, holder = self._switchboard.legs_on(span), self._borrower(span)
        if holder not in ("", borrower):
            raise Refused(f"span {span} is lent for other tests: wait until they have ended")
        if legs and not holder:
            raise Refused(f"span {span} carries {legs} calls: wait until they have ended")
        if not 0 < for_s <= LONGEST_LOAN_S:
            raise Refused(f"for_s {for_s:g}: a span is lent for up to {LONGEST_LOAN_S:g} s")
        if not borrower:
            raise Refused(f"span {span}: a loan needs a borrower, any name")
        self._loans[span] = borrower, asyncio.get_running_loop().time() + for_s
        self._line.orders.put(Lend(span, for_s))

    def _borrower(self, span: str) -> str:
        """Whom the span is lent to; empty: nobody."""
        borrower, ends = self._loans.get(span, ("", 0.0))
        return borrower if asyncio.get_running_loop().time() < ends else ""

    async def _commit(self) -> None:
        """Put the switchboard's change in force, then tell."""
        plan = self._switchboard.take_plan()
        if plan is not None:
            self._line.orders.put(plan)
        for event in self._switchboard.take_events():
            await self._context.bus.say(event)

    async def _state(self, state: SpanState) -> None:
        before = self._states.get(state.span)
        if before is None or (before.up, before.alarms) != (state.up, state.alarms):
            why = " ".join(state.alarms) or state.trouble
            log.info("span %s: %s", state.span, "up" if state.up else f"down, {why}")
        self._states[state.span] = state
        await self._context.bus.say(state)

    async def _follow(self, clock: ClockState) -> None:
        log.warning("clock: %s: %s", clock.source or "hold-over, the box's own", clock.why)
        self._clock = clock
        await self._context.bus.say(clock)

    def _figures(self, figures: Figures) -> None:
        self._context.facts.update(
            self._switchboard.figures(), ticks=figures.ticks, tick_us_mean=round(figures.tick_us_mean, 1),
            tick_us_max=round(figures.tick_us_max, 1), stalls=figures.stalls,
            slips=sum(state.counters["slips"] for state in self._states.values()))


async def _collect() -> None:
    """Collect garbage at a time of our choosing; what was made at start is left out of it for good."""
    gc.collect()
    gc.freeze()
    gc.disable()
    while True:
        await asyncio.sleep(COLLECT_S)
        gc.collect()


async def serve(context: Context) -> None:
    """Run spand until the context's stop. Unavailable: its sockets or its ring cannot be made."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    config = context.config
    names = [span.name for span in config.spans]
    sounds = Sounds(Library(Path(config.media.prompts)), config.media.country)
    rows = len(names) * len(BEARERS)
    try:
        ring = Ring.create(context.run_dir / "ring", rows)
        switchboard = Switchboard(names, sounds.compile, rows, ring.last_ticks())
        engine = Engine(len(names) * TIMESLOTS, receivers=rows)
        line = Line(config.spans, config.clock, engine, ring, context.run_dir / "dchan",
                    config.media.realtime)
    except OSError as error:
        place, what = error.filename or context.run_dir, error.strerror or error
        raise Unavailable(f"{place}: {what}: spand cannot make its sockets or its ring there") from None
    try:
        with DriverLog(line.reports.put):
            await Spand(context, switchboard, line).run()
    finally:
        line.stop()


def main(argv: list[str] | None = None) -> int:
    return run("spand", serve, argv)


if __name__ == "__main__":
    sys.exit(main())
