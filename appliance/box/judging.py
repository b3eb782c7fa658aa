"""The box's fitness, as boxd says it: what it hears and sees goes to the judge, verdicts go to the bus."""

import asyncio
import contextlib
import logging
import os
import time
from pathlib import Path

from appliance.box.area import Answers, Area
from appliance.box.fitness import Fitness as Judge
from appliance.box.fitness import Reason, Verdict
from appliance.box.fitness_rules import OF_SENSORS, SENSORS, State
from appliance.box.privileged.asking import ask
from appliance.box.privileged.verb import VerbError
from appliance.bus.messages import (
    CardState,
    ClockState,
    Event,
    Fitness,
    FitnessReason,
    FitnessReply,
    GetFitness,
    Hardware,
    Health,
    LinkState,
    SelfCheckState,
    SpanState,
    WallClock,
)
from appliance.bus.runner import Context

SAY_S = 10.0
LOOK_S = 30.0                                     # at the disk
ANSWERS_S = 30.0                                  # a disk that takes longer does not work
POWER_OFF_AGAIN_S = 10.0
PROBE, PROBE_OCTETS = ".writable", 512

log = logging.getLogger(__name__)


class Judging(Area):
    """Says Fitness on change and every SAY_S; whoever holds the line cards' leases goes by it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._judge = Judge(asyncio.get_running_loop().time())
        self._verdict = self._judge.verdict(asyncio.get_running_loop().time())
        self._on_a_board = False
        self._powering_off: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self.answers: Answers = {GetFitness: self._answer}

    async def hear(self, event: Event) -> None:
        now = asyncio.get_running_loop().time()
        match event:
            case Health():
                self._judge.health(event, now)
            case SpanState():
                self._judge.span(event, now)
            case LinkState():
                self._judge.link(event, now)
            case ClockState():
                self._judge.clock(event, now)
            case Hardware():
                self._on_a_board = bool(event.board)
                self._judge.hardware(event, now)
            case CardState():
                self._judge.card(event, now)
            case SelfCheckState():
                self._judge.rounds(event.failed, now)
            case WallClock() if self._on_a_board:                    # a laptop's is its own affair
                self._judge.time_of_day(event, now)
            case _:
                return
        self._news.set()

    async def run(self, stop: asyncio.Event) -> None:
        looking = self._context.keep(self._look_at_disk())
        try:
            await self._say(stop)
        finally:
            looking.cancel()

    async def _say(self, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._news.set())
        said: tuple[State, list[tuple[str, str]]] | None = None
        say_at = loop.time()
        while not stop.is_set():
            self._news.clear()
            now = loop.time()
            before, verdict = self._verdict, self._judge.verdict(now)
            self._verdict = verdict
            _log_changes(before, verdict)
            if verdict.power_off and self._powering_off is None:
                self._powering_off = self._context.keep(self._power_off(stop))
            says = verdict.state, [(reason.code, reason.about) for reason in verdict.reasons]
            if says != said or now >= say_at:
                await self._context.bus.say(self.fitness())
                said, say_at = says, now + SAY_S
            deadline = min(say_at, self._judge.next_deadline(now) or say_at)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await self._news.wait()

    def fitness(self) -> Fitness:
        """As last judged."""
        verdict, ago = self._verdict, time.time() - asyncio.get_running_loop().time()
        return Fitness(
            at=time.time(), state=verdict.state.word, since=verdict.since + ago, fit=verdict.fit,
            reasons=[_told(reason, ago) for reason in verdict.reasons], powering_off=verdict.power_off)

    async def _power_off(self, stop: asyncio.Event) -> None:
        """In order, while there is power to do it."""
        while not stop.is_set():
            log.warning("the power goes: the box stops in order")
            try:
                await ask(self._context.run_dir, "power-off")
                return
            except VerbError as error:
                log.error("the box cannot be stopped: %s", error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), POWER_OFF_AGAIN_S)

    async def _answer(self, request: GetFitness) -> FitnessReply:
        return FitnessReply(fitness=self.fitness())

    async def _look_at_disk(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            looking = asyncio.ensure_future(asyncio.to_thread(look_at, self._context.state_dir))
            done, _ = await asyncio.wait([looking], timeout=ANSWERS_S)
            error, free_share = await looking if done else (f"no answer in {ANSWERS_S:g} s", None)
            self._judge.disk(error, free_share, loop.time())
            self._news.set()
            if not done:
                await asyncio.wait([looking])     # one at a time, however long it takes
            await asyncio.sleep(LOOK_S)


def look_at(folder: Path) -> tuple[str, float | None]:
    """Why nothing can be written there ("": it can) and its free share. It blocks."""
    probe = folder / PROBE
    error, free_share = "", None
    try:
        disk = os.statvfs(folder)
        free_share = disk.f_bavail / disk.f_blocks if disk.f_blocks else None
        fd = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, bytes(PROBE_OCTETS))
            os.fdatasync(fd)
        finally:
            os.close(fd)
        probe.unlink()
    except OSError as failure:
        error = f"{failure.strerror}: {folder}"
    return error, free_share


def _told(reason: Reason, ago: float) -> FitnessReason:
    rule = reason.rule
    about = {language: SENSORS.get(language, {}).get(reason.about, reason.about)
             if reason.code in OF_SENSORS else reason.about for language in rule.text}
    return FitnessReason(
        code=reason.code, about=reason.about, state=rule.state.word, since=reason.since + ago,
        detail=reason.detail,
        text={language: text.format(about=about[language]) for language, text in rule.text.items()},
        action={language: text.format(about=reason.about) for language, text in rule.action.items()})


def _log_changes(before: Verdict, after: Verdict) -> None:
    if before.state is not after.state:
        level = logging.INFO if after.state is State.OK else logging.WARNING
        log.log(level, "the box is %s", after.state.word)
    known = {(reason.code, reason.about) for reason in before.reasons}
    for reason in after.reasons:
        if (reason.code, reason.about) not in known:
            log.warning("%s: %s%s", reason.rule.state.word, reason.rule.text["en"].format(about=reason.about),
                        f" ({reason.detail})" if reason.detail else "")
