"""The box's own rounds: begun in quiet hours, step by step, each step on the disk before the next.

boxd may be killed at any moment: the round goes on where it was, and is in the log once.
"""

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from appliance.box.area import Answers, Area
from appliance.box.backup.format import BackupError
from appliance.box.maintenance import findings, probes, routine
from appliance.box.maintenance.area import KEEP_S, SETTLE_S, Maintenance
from appliance.box.maintenance.findings import ITEMS, REASONS, Found
from appliance.box.maintenance.lists import MOST_NAME, Facts
from appliance.box.maintenance.packets import counted
from appliance.box.maintenance.record import DAY_S, next_due
from appliance.box.maintenance.routine import Calm, Round
from appliance.box.privileged.update import BUNDLES
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    BackupInfo,
    BeginSelfCheck,
    CallTested,
    ChannelStates,
    CheckRecordings,
    Done,
    Event,
    GetChannels,
    GetRoutine,
    GetUpdate,
    MaintenanceEntry,
    PlaceTestCall,
    RoutineKind,
    RoutineReply,
    RoutineState,
    SelfCheck,
    SelfCheckState,
    StorageState,
    VerifyChain,
)
from appliance.bus.messages.maintenance import CHECKS, ROUTINES
from appliance.bus.runner import Context
from appliance.config.update import TrialCallConfig
from appliance.errors import ConfigError

ASK_S = 20.0
SEARCH_S = 600.0                                  # through all recordings of a week, or the whole chain
TRIAL_S = 6 * 3600.0                              # of a restore, and of a backup before it; media hang
SPARE = 1                                         # channels that a test call leaves free
HOUR_S = 3600.0
MOST_WORDS = 300                                  # of somebody else's error

log = logging.getLogger(__name__)

Trial = Callable[[], Awaitable[BackupInfo | None]]


class Rounds(Area):
    def __init__(self, context: Context, maintenance: Maintenance, trial: Trial,
                 clock: Callable[[], float] = time.time, bundles: Path = BUNDLES) -> None:
        """`trial`: tries a restore of the newest backup out, says what came of it; None: there is none."""
        self._context, self._maintenance, self._trial = context, maintenance, trial
        self._book, self._clock, self._bundles = maintenance.book.share(), clock, bundles
        self._calm, self._news, self._beginning = Calm(), asyncio.Event(), asyncio.Lock()
        self._wished = asyncio.Event()
        self._ask_at = 0.0                        # the channels, by the loop's time
        going = self._book.rounds()
        self._round: Round | None = going[0] if going else None
        if self._round is not None and self._round.hurry:
            self._wished.set()
        self.answers: Answers = {GetRoutine: self._get, BeginSelfCheck: self._begin}
        self.beside = tuple(self.answers)

    async def hear(self, event: Event) -> None:
        if isinstance(event, ChannelStates):
            before = self._calm.left_s(0.0)
            self._calm.hear(event.span, _busy(event), self._maintenance.config.most_calls,
                            asyncio.get_running_loop().time())
            if self._round is not None and (before is None) != (self._calm.left_s(0.0) is None):
                self._news.set()                  # it waits for that

    async def run(self, stop: asyncio.Event) -> None:
        with contextlib.suppress(OSError):
            await asyncio.to_thread(probes.clear, self._context.state_dir)
        self._context.bus.on_back(self._say)
        await self._say()
        stopping = asyncio.create_task(stop.wait())
        work: asyncio.Task[float] | None = None
        try:
            wished = asyncio.create_task(self._wished.wait())
            # The others say how they are; who asks for a round does not wait.
            await asyncio.wait([stopping, wished], timeout=SETTLE_S, return_when=asyncio.FIRST_COMPLETED)
            wished.cancel()
            while not stop.is_set():
                self._news.clear()
                work = asyncio.create_task(self._guarded())
                await asyncio.wait([work, stopping], return_when=asyncio.FIRST_COMPLETED)
                if not work.done():
                    break
                news = asyncio.create_task(self._news.wait())
                await asyncio.wait([news, stopping], timeout=max(0.0, min(KEEP_S, await work)),
                                   return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
        finally:
            stopping.cancel()
            if work is not None and not work.done():
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
                await self._stopped()
            self._book.leave()

    async def _guarded(self) -> float:
        """A turn; boxd has more to do than this."""
        try:
            return await self._turn()
        except Exception:
            log.exception("maintenance: the rounds")
            return KEEP_S

    async def _turn(self) -> float:
        """One step, if there is one. How long nothing is to be done by the clock."""
        now, config = self._clock(), self._maintenance.config
        if (one := self._round) is None:
            one = await self._planned(now)
            if one is None:
                return KEEP_S
        if one.began_at > now + DAY_S:            # the clock was ahead
            one.began_at = now
        loop_now = asyncio.get_running_loop().time()
        self._calm.look(config.most_calls, loop_now)
        if self._calm.left_s(loop_now) is None and not one.hurry and loop_now >= self._ask_at:
            self._ask_at = loop_now + KEEP_S      # nobody said yet, or it was not heard
            await self._ask_channels()
        item, again_at = routine.step(one, config, self._calm.left_s(loop_now), now)
        try:
            if item:
                await self._do(one, item, now)
                return 0.0
            if not one.left:
                await self._over(one)
                return 0.0
        except sqlite3.Error as error:
            log.error("maintenance: what the round found is not kept: %s", error)
            return KEEP_S                         # the next turn tries again
        return again_at - now

    async def _planned(self, now: float) -> Round | None:
        config = self._maintenance.config
        try:
            last = {kind: await asyncio.to_thread(self._book.done, kind) for kind in ROUTINES}
            since = await asyncio.to_thread(self._book.since) or self._maintenance.since
            found = routine.due(config, last, since, now)
            if found is None:
                return None
            may, late = routine.may_begin(config, found[1], now)
            if not may:
                return None
            return await self._begun(Round(kind=found[0], due=found[1], began_at=now, late=late))
        except sqlite3.Error as error:
            log.error("maintenance: no round is begun: %s", error)
            return None

    async def _begun(self, one: Round) -> Round:
        """Or the one that is begun already; on the disk first. sqlite3.Error: it is not."""
        async with self._beginning:
            if self._round is not None:
                return self._round
            await asyncio.to_thread(self._book.keep_round, one)
            self._round = one
        log.info("maintenance: the %s round begins%s%s", one.kind, ", late" if one.late else "",
                 f", by {one.by}" if one.by else "")
        return one

    async def _do(self, one: Round, item: str, now: float) -> None:
        before = one.doing, one.tries
        one.doing, one.tries = item, one.tries + 1 if one.doing == item else 1
        try:
            await asyncio.to_thread(self._book.keep_round, one)
        except sqlite3.Error:
            one.doing, one.tries = before         # it was not tried
            raise
        loop = asyncio.get_running_loop()
        began = loop.time()
        if routine.given_up(one, now) and ITEMS[item].calm:
            found = Found("undone", "calls")
        elif one.tries > routine.TRIES:
            found = Found("undone", "broken-off")
        else:
            found = await self._found(item, now)
        level = logging.INFO if found.result in ("good", "undone") else logging.WARNING
        log.log(level, "maintenance: %s round, %s: %s", one.kind, item, found.result)
        one.done.append(findings.checked(item, found, now, loop.time() - began))
        one.doing, one.tries = "", 0
        await asyncio.to_thread(self._book.keep_round, one)

    async def _found(self, item: str, now: float) -> Found:
        try:
            return await _LOOKS[item](self, now)
        except BusError as error:
            return Found("undone", "away", said={"why": str(error)[:MOST_WORDS]})
        except Exception as error:                # this item's: the round goes on
            log.exception("maintenance: %s", item)
            return Found("undone", "fault", said={"why": repr(error)[:MOST_WORDS]})

    async def _over(self, one: Round) -> None:
        entry = MaintenanceEntry(
            number=0, at=self._clock(), kind=CHECKS[one.kind], by=one.by, check=SelfCheck(
                due=one.due, began_at=one.began_at, late=one.late, results=one.done))
        entry = await asyncio.to_thread(self._book.add, entry, None, one)
        self._round = None
        log.info("maintenance: the %s round is over: entry %d", one.kind, entry.number)
        await self._maintenance.said(entry)
        await self._say()

    async def _stopped(self) -> None:
        """In order: it is no try that failed."""
        if (one := self._round) is not None and one.doing:
            one.doing, one.tries = "", 0
            with contextlib.suppress(sqlite3.Error):
                await asyncio.to_thread(self._book.keep_round, one)

    async def _say(self) -> None:
        """Of which items the last look failed."""
        try:
            entries = [entry for kind in ROUTINES
                       for entry in await asyncio.to_thread(self._book.last, CHECKS[kind], 5)]
        except sqlite3.Error as error:
            log.error("maintenance: the last rounds cannot be read: %s", error)
            return
        entries.sort(key=lambda entry: -entry.number)
        failed = routine.failed([entry.check.results for entry in entries if entry.check])
        if "call" in failed and await self._test_call() is None:
            failed.remove("call")                 # nobody wants one any more, and none will be found right
        await self._context.bus.say(SelfCheckState(
            at=self._clock(), failed=[item for item in failed if item in REASONS]))

    # --- what is asked

    async def _begin(self, request: BeginSelfCheck) -> Done:
        now, one = self._clock(), self._round
        if not 0 < len(request.by) <= MOST_NAME or not request.by.isprintable():
            raise Refused(f"by: who did it, at most {MOST_NAME} characters")
        if one is not None and (one.kind != request.kind or one.doing or one.hurry):
            raise Refused(f"the {one.kind} round goes on: wait until it is over")
        try:
            if one is None:
                mine = Round(kind=request.kind, due=0.0, began_at=now, by=request.by, hurry=True)
                if await self._begun(mine) is not mine:
                    raise Refused("a round begins just now: wait until it is over")
            else:
                await self._hurried(one, request.by)
        except sqlite3.Error as error:
            raise Refused(f"not begun: {error}") from None
        self._wished.set()
        self._news.set()
        return Done()

    async def _hurried(self, one: Round, by: str) -> None:
        """sqlite3.Error: it is not kept, and the round waits as before."""
        before = one.by
        one.hurry, one.by = True, by
        try:
            await asyncio.to_thread(self._book.keep_round, one)
        except sqlite3.Error:
            one.hurry, one.by = False, before
            raise

    async def _get(self, request: GetRoutine) -> RoutineReply:
        now, config = self._clock(), self._maintenance.config
        try:
            record = next(iter(await asyncio.to_thread(self._book.last, "record")), None)
            rounds = [await asyncio.to_thread(self._state, kind, now) for kind in ROUTINES]
            known = [one for one in (record, *(state.last for state in rounds)) if one is not None]
            signed = await asyncio.to_thread(self._book.signatures, known)
        except sqlite3.Error as error:
            raise Refused(f"the log cannot be read: {error}") from None
        return RoutineReply(at=now, record_at=next_due(config.at, now), record=record, rounds=rounds,
                            signed=signed)

    def _state(self, kind: RoutineKind, now: float) -> RoutineState:
        one, config = self._round, self._maintenance.config
        last = next(iter(self._book.last(CHECKS[kind])), None)
        if one is not None and one.kind == kind:
            doing = one.doing
            return RoutineState(
                kind=kind, state="running" if doing or one.hurry else "waiting",
                next_at=now if one.late or one.hurry else routine.quiet_at(config, now),
                began_at=one.began_at, late=one.late, doing=doing, results=list(one.done),
                left=[name for name in one.left if name != doing], last=last)
        following = routine.next_at(config, kind, now)
        found = routine.due(config, {one: self._book.done(one) for one in ROUTINES},
                            self._book.since() or self._maintenance.since, now)
        if found is not None and found[0] == kind:
            may, _ = routine.may_begin(config, found[1], now)
            following = now if may else routine.quiet_at(config, now)
        return RoutineState(kind=kind, state="planned" if following else "off", next_at=following, last=last)

    # --- what is looked at

    async def _ask_channels(self) -> None:
        with contextlib.suppress(BusError):
            spans = (await self._context.bus.ask(GetChannels(), ASK_S)).spans
            self._calm.told({one.span: _busy(one) for one in spans}, self._maintenance.config.most_calls,
                            asyncio.get_running_loop().time())

    async def _programs(self, now: float) -> Found:
        return findings.programs(await self._facts())

    async def _lines(self, now: float) -> Found:
        return findings.lines(await self._facts())

    async def _network(self, now: float) -> Found:
        cards, boot = await asyncio.to_thread(probes.network), await asyncio.to_thread(probes.boot)
        now_counted, one = counted(cards, boot), self._round
        if one is None:
            return findings.network(cards, now_counted)
        one.packets = now_counted                 # kept with what is found; the next round begins there
        return findings.network(cards, now_counted, await asyncio.to_thread(self._book.packets, one.kind))

    async def _clock_of_box(self, now: float) -> Found:
        facts = await self._facts()
        return findings.clock(facts.clock, await asyncio.to_thread(probes.drift_ppm))

    async def _board(self, now: float) -> Found:
        return findings.board((await self._facts()).hardware)

    async def _facts(self) -> Facts:
        """What is known without looking through the disk: these items wait for no calm."""
        return await self._maintenance.facts(disk=False)

    async def _certificate(self, now: float) -> Found:
        return findings.certificate(await asyncio.to_thread(probes.served, self._context.run_dir), now)

    async def _backup(self, now: float) -> Found:
        return findings.backup(self._maintenance.backup(), now)

    async def _updates(self, now: float) -> Found:
        state = (await self._context.bus.ask(GetUpdate(), ASK_S)).state
        return findings.updates(state, await asyncio.to_thread(probes.bundles, self._bundles))

    async def _storage(self) -> StorageState | None:
        try:
            return await self._maintenance.disk.state()
        except OSError:
            return None

    async def _wear(self, now: float) -> Found:
        return findings.wear(await self._storage())

    async def _disk(self, now: float) -> Found:
        probe = await asyncio.to_thread(probes.disk, self._context.state_dir)
        return findings.disk(await self._storage(), probe)

    async def _call(self, now: float) -> Found:
        config = await self._test_call()
        if config is None:
            return findings.call(None, None)
        asked = PlaceTestCall(**config.model_dump(exclude_none=True), spare=SPARE)
        tested: CallTested = await self._context.bus.ask(
            asked, config.answer_within_s + config.hear_within_s + ASK_S)
        return findings.call(config, tested)

    async def _test_call(self) -> TrialCallConfig | None:
        if (config := self._maintenance.config.test_call) is not None:
            return config
        try:
            return (await asyncio.to_thread(self._context.read)).update.test_call
        except ConfigError:                       # what is edited is wrong just now: what boxd began with
            return self._context.config.update.test_call

    async def _recordings(self, now: float) -> Found:
        until = now // HOUR_S * HOUR_S
        asked = CheckRecordings(since=until - 7 * DAY_S, until=until)
        return findings.recordings((await self._context.bus.ask(asked, SEARCH_S)).checks)

    async def _chain(self, now: float) -> Found:
        return findings.chain(await self._context.bus.ask(VerifyChain(), SEARCH_S))

    async def _restore(self, now: float) -> Found:
        try:
            async with asyncio.timeout(TRIAL_S):
                return findings.restore(await self._trial())
        except TimeoutError:
            return Found("undone", "away", said={"why": f"not over in {TRIAL_S / HOUR_S:g} h"})
        except BackupError as error:              # it says nothing about the backup
            return Found("undone", "away", said={"why": str(error)[:MOST_WORDS]})


def _busy(states: ChannelStates) -> int:
    return sum(one.state == "busy" for one in states.channels)


_LOOKS: dict[str, Callable[[Any, float], Awaitable[Found]]] = {
    "programs": Rounds._programs, "lines": Rounds._lines, "network": Rounds._network,
    "clock": Rounds._clock_of_box, "board": Rounds._board, "certificate": Rounds._certificate,
    "backup": Rounds._backup, "updates": Rounds._updates,
    "wear": Rounds._wear, "call": Rounds._call, "disk": Rounds._disk, "recordings": Rounds._recordings,
    "chain": Rounds._chain, "restore": Rounds._restore}
