"""spand: the spans, the media clock and the matrix.

An asyncio thread talks on the bus and decides who hears whom; the real-time thread (line.py) carries octets.
"""

import asyncio
import gc
import logging
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from appliance.bus.client import Refused
from appliance.bus.messages import (
    ClockState,
    Done,
    GetMedia,
    GetSpans,
    GetSpanSeconds,
    LendSpan,
    Media,
    PauseRecording,
    RecordingFrom,
    Reloaded,
    ReloadSpans,
    Reply,
    Request,
    ResumeRecording,
    SpanList,
    SpanSecond,
    SpanSeconds,
    SpanState,
    TakeSpanBack,
)
from appliance.bus.runner import Context
from appliance.bus.runner import main as run
from appliance.errors import ConfigError, Unavailable
from appliance.media.detect import configured
from appliance.media.detect.machine import Settings
from appliance.media.engine import Engine, Level
from appliance.media.fragments import FOLDER
from appliance.media.prompts import LENT, Library
from appliance.media.ring import Ring
from appliance.media.rtp.settings import LegFigures
from appliance.span.line import (
    Change,
    Died,
    DriverLog,
    Figures,
    LegHeard,
    Lend,
    Line,
    Mark,
    Marked,
    Note,
    PlayerEnded,
    Report,
)
from appliance.span.rtp import Ports, RtpHeard, RtpLegs
from appliance.span.sounds import Sounds
from appliance.span.switchboard import Switchboard
from appliance.span.switchboard_listening import MAX_LISTENERS
from appliance.span.switchboard_requests import Moment, answer
from e1_driver import BEARERS

SWITCH_INTERVAL_S = 0.001                         # what the real-time thread may wait for the interpreter
SAID_OCTETS = 8 * 1024 * 1024                    # of spoken texts that are kept in memory
COLLECT_S = 10.0
LONGEST_LOAN_S = 60.0                             # who needs it longer renews
IN_FORCE_S = 1.5                                  # the real-time thread may stall for a second
LISTENING_TICKS = 300                             # 3 s: who listens now is not far behind

log = logging.getLogger(__name__)


class Spand:
    """The bus on one side, the switchboard and the line on the other."""

    def __init__(self, context: Context, switchboard: Switchboard, line: Line) -> None:
        self._context, self._switchboard, self._line = context, switchboard, line
        self._config = context.config             # as the spans have it
        self._states: dict[str, SpanState] = {}
        self._loans: dict[str, tuple[str, float]] = {}           # span: borrower, end by the loop's clock
        self._clock: ClockState | None = None
        self._reports_wait = asyncio.Event()
        self._marks: dict[int, asyncio.Future[Marked]] = {}
        self._next_mark = 0
        self._fed_at = 0                          # the tick at which the watchdog was fed last
        context.is_well = self._ticks_on

    def _ticks_on(self) -> bool:
        """Whether the real-time thread has ticked since it was asked last."""
        before, self._fed_at = self._fed_at, self._line.ring_tick
        return self._fed_at != before

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
                await self._report(report)
            await self._commit()

    async def _report(self, report: Report) -> None:
        board = self._switchboard
        match report:
            case LegHeard(kind, leg, what, at):
                board.heard(kind, leg, what, at)
            case RtpHeard(row, kind, what):
                board.rtp_heard(row, kind, what, time.time())
            case Level(tag, rms_dbm0, peak_dbm0):
                board.measured(tag, rms_dbm0, peak_dbm0)
            case PlayerEnded(tag):
                board.player_ended(tag)
            case Marked(number) if number in self._marks and not self._marks[number].done():
                self._marks[number].set_result(report)
            case SpanState():
                await self._state(report)
            case SpanSecond():
                await self._context.bus.say(report)
            case ClockState():
                await self._follow(report)
            case Figures():
                self._figures(report)
                board.expire(asyncio.get_running_loop().time())
            case Note(text, level, error):
                log.log(level, "%s", text, exc_info=error)
            case Died(error):
                raise error

    async def _answer(self, request: Request[Any]) -> Reply:
        match request:
            case GetSpans():
                return SpanList(spans=list(self._states.values()), clock=self._clock)
            case GetSpanSeconds(span=span, since=since):
                if span not in self._states:
                    raise Refused(f"no span {span!r}, there are {', '.join(self._states)}")
                return SpanSeconds(seconds=self._line.seconds(span, since))
            case GetMedia():
                return Media(box=self._line.media(), spans=self._line.media_of_spans(), legs={
                    leg: _numbers(figures) for leg, figures in self._rtp_figures().items()})
            case LendSpan(span=span, borrower=borrower, for_s=for_s):
                self._lend(span, borrower, for_s)
                return Done()
            case ReloadSpans():
                return await self._reload(request)
            case TakeSpanBack(span=span, borrower=borrower):
                self._take_back(span, borrower)
                return Done()
        reply = answer(self._switchboard, request,
                       Moment(self._line.ring_tick, asyncio.get_running_loop().time()))
        await self._commit()
        if isinstance(request, PauseRecording | ResumeRecording):
            marked = await self._in_force()
            return RecordingFrom(tick=marked.tick, at=marked.at)
        return reply

    async def _in_force(self) -> Marked:
        """When all that was committed is. Refused: the real-time thread does not say."""
        self._next_mark += 1
        number, marked = self._next_mark, asyncio.get_running_loop().create_future()
        self._marks[number] = marked
        self._line.orders.put(Mark(number))
        try:
            return await asyncio.wait_for(marked, IN_FORCE_S)
        except TimeoutError:
            raise Refused("the media clock stands still: nobody knows from when it will hold") from None
        finally:
            del self._marks[number]

    async def _reload(self, asked: ReloadSpans) -> Reloaded:
        """Spans that are new or gone need a new start, which trunkd says."""
        try:
            new = await asyncio.to_thread(self._context.read, asked.candidate)
        except ConfigError as error:
            raise Refused(str(error)) from None
        before = {span.name: span for span in self._config.spans}
        ours = [span for span in new.spans if span.name in before and span != before[span.name]]
        moved = [span.name for span in ours if span.url != before[span.name].url]
        if wrong := [f"spans.{name}.url: {calls} calls are on it: branchline busy-out {name}, and again when "
                     "they are over" for name in moved if (calls := self._switchboard.legs_on(name))]:
            raise Refused("\n".join(wrong))
        if ours and not asked.check:
            self._config = new
            self._line.orders.put(Change(tuple(ours)))
        return Reloaded(document=str(self._context.config_path),
                        changed=[f"spans.{name}.url" for name in moved])

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

    def _take_back(self, span: str, borrower: str) -> None:
        self._switchboard.legs_on(span)           # Refused when there is no such span
        if self._borrower(span) == borrower:
            del self._loans[span]
            self._line.orders.put(Lend(span, 0.0))

    def _borrower(self, span: str) -> str:
        """Whom the span is lent to; empty: nobody."""
        borrower, ends = self._loans.get(span, ("", 0.0))
        return borrower if asyncio.get_running_loop().time() < ends else ""

    async def _commit(self) -> None:
        """Put the switchboard's change in force, then tell."""
        board, orders = self._switchboard, self._line.orders
        for order in board.take_orders():
            orders.put(order)
        plan = board.take_plan()
        if plan is not None:
            orders.put(plan)
        for note in board.take_notes():
            log.info("%s", note)
        for event in board.take_events():
            await self._context.bus.say(event)

    async def _state(self, state: SpanState) -> None:
        before = self._states.get(state.span)
        if before is None or (before.up, before.alarms) != (state.up, state.alarms):
            why = " ".join(state.alarms) or state.trouble
            log.info("span %s: %s", state.span, "up" if state.up else f"down, {why}")
        self._states[state.span] = state
        up = sum(one.up for one in self._states.values())
        self._context.manager.tell(STATUS=f"{up} of {len(self._context.config.spans)} spans up")
        await self._context.bus.say(state)

    async def _follow(self, clock: ClockState) -> None:
        log.warning("clock: %s: %s", clock.source or "hold-over, the box's own", clock.why)
        self._clock = clock
        await self._context.bus.say(clock)

    def _rtp_figures(self) -> dict[str, LegFigures]:
        return self._line.media_of_legs(self._switchboard.rtp_legs())

    def _figures(self, figures: Figures) -> None:
        legs = self._rtp_figures().values()
        self._context.facts.update(
            rtp_lost=sum(leg.lost for leg in legs), rtp_concealed_ms=sum(leg.concealed_ms for leg in legs),
            rtp_jitter_ms_max=max((round(leg.jitter_ms, 1) for leg in legs), default=0.0))
        self._context.facts.update(
            self._switchboard.figures(), **self._line.media(), tick_us_mean=round(figures.tick_us_mean, 1),
            tick_us_max=round(figures.tick_us_max, 1),
            slips=sum(state.counters["slips"] for state in self._states.values()))


async def _collect() -> None:
    """Collect garbage at a time of our choosing; what was made at start is left out of it for good.

    Also the little garbage of the start: to look for it takes 20 ms of the first ticks.
    """
    gc.freeze()
    gc.disable()
    while True:
        await asyncio.sleep(COLLECT_S)
        gc.collect()


def _numbers(leg: LegFigures) -> dict[str, float]:
    """Those that are known and are numbers."""
    return {name: value for name, value in asdict(leg).items() if isinstance(value, int | float)}


async def serve(context: Context) -> None:
    """Run spand until the context's stop. Unavailable: its sockets or its rings cannot be made."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    config, media, run_dir = context.config, context.config.media, context.run_dir
    names = [span.name for span in config.spans]
    sounds = Sounds(Library(Path(media.prompts)), media.country, media.language, media.currency,
                    media.wording, Library(context.state_dir / FOLDER, SAID_OCTETS),
                    Library(run_dir / LENT, 0))
    rows = len(names) * len(BEARERS)
    try:
        ring = Ring.create(run_dir / "ring", rows)
        listening = Ring.create(run_dir / "listening", MAX_LISTENERS, LISTENING_TICKS)
        rtp = media.rtp
        switchboard = Switchboard(names, sounds.compile, rows, ring.last_ticks(), rtp.legs,
                                  Ports(rtp.address, rtp.first_port, rtp.last_port))
        legs = RtpLegs(rtp.legs) if rtp.legs else None
        engine = Engine(switchboard.ports, detectors=configured(
            media.country, Settings(**media.machine.model_dump())))
        line = Line(config.spans, config.clock, engine, legs, ring, listening,
                    run_dir / "dchan", media.realtime)
    except OSError as error:
        place, what = error.filename or run_dir, error.strerror or error
        raise Unavailable(f"{place}: {what}: spand cannot make its sockets or its rings there") from None
    try:
        with DriverLog(line.reports.put):
            await Spand(context, switchboard, line).run()
    finally:
        line.stop()


def main(argv: list[str] | None = None) -> int:
    return run("spand", serve, argv)


if __name__ == "__main__":
    sys.exit(main())
