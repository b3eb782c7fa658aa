"""One update from its source to its end: each step is on the disk before it is taken.

What reaches outside comes in: `hands` do what needs root or a network, `centre` is the rest of the box on the
bus, `clock` tells the time and waits. A step may be cut anywhere; the next boxd begins it again.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from appliance.box.update import gate
from appliance.box.update.quiet import next_quiet
from appliance.box.update.slots import other
from appliance.box.update.state import (
    BACK,
    Before,
    Book,
    Outcome,
    Over,
    Phase,
    Standing,
    Update,
    after_start,
    finished,
    moved,
    returning,
)
from appliance.bus.messages import Beginning, CallTested, Drained
from appliance.config.update import TrialCallConfig, UpdateConfig
from appliance.errors import BranchlineError

LEASE_S = 20.0                                    # a drain ends by itself so long after boxd's death
LOOK_S = 2.0                                      # between two looks at calls that are left, or the trial
WAIT_S = 60.0                                     # between two looks at the clock on the wall
CALL_AGAIN_S = 15.0                               # after a test call that failed
REBOOT_S = 180.0                                  # it must have come by then: it is asked for again
SETTLED_S = 60.0                                  # after a start, lines and daemons are as they will be
DISK_S = 10.0                                     # until a disk that refused is tried again

log = logging.getLogger(__name__)

Progress = Callable[[float, str], None]           # of the step, 0 to 1, and in words


class UpdateError(BranchlineError):
    """The update cannot go on; why, and what to do."""


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """What a signed bundle says of itself."""

    version: str


class Hands(Protocol):
    """UpdateError: it was not done."""

    async def standing(self) -> Standing: ...
    async def fetch(self, source: str, progress: Progress) -> Path: ...
    async def check(self, bundle: Path) -> Bundle: ...                  # signature, kind of box, room
    async def install(self, bundle: Path, progress: Progress) -> None: ...
    async def try_out(self, slot: str) -> None: ...
    async def confirm(self, slot: str) -> None: ...
    async def give_up(self) -> None: ...                                # no slot is on trial
    async def reboot(self) -> None: ...
    def tidy(self) -> None: ...                                         # bundles, marks of a trial


class Centre(Protocol):
    """The other daemons."""

    async def drain(self, for_s: float, *, end: bool) -> Drained | None: ...      # None: no answer
    async def look(self) -> gate.Seen: ...
    async def test_call(self, config: TrialCallConfig) -> CallTested: ...


class Clock(Protocol):
    def now(self) -> float: ...
    def steady(self) -> float: ...                # nobody sets it: for how long something lasts
    async def wait(self, for_s: float, woken: asyncio.Event) -> None: ...


class BookStore(Protocol):
    def load(self) -> Book: ...
    def save(self, book: Book) -> None: ...


class Driving:
    """`changed` is called when book, standing or what is said changes. `version`: of what runs."""

    def __init__(self, store: BookStore, hands: Hands, centre: Centre, clock: Clock, config: UpdateConfig,
                 version: str, changed: Callable[[], None]) -> None:
        self.config = config                      # replaced as a whole at a reload
        self.version = version
        self.book, self.standing = store.load(), Standing(booted="")
        self.saying, self.done = "", 0.0          # of the phase
        self.calls_left: int | None = None
        self._store, self._hands, self._centre, self._clock = store, hands, centre, clock
        self._changed = changed
        self._woken, self._began_at = asyncio.Event(), clock.steady()
        self._entered_at = self._began_at         # the phase, or this boxd began
        self._silent_at: float | None = None      # the daemon of the trunks, since
        self._cancelled = self._hurried = ""      # by whom
        self._decided: Over | None = None         # of a trial, by people

    async def run(self) -> None:
        """For ever. Each step may fail and is tried again; what must not be lost is on the disk before."""
        wrong = ""
        while True:
            try:
                await self._start()
                if self.saying == wrong:          # it is over
                    self._say("")
                while True:
                    await self._step()
            except (OSError, BranchlineError) as error:
                if str(error) != wrong:
                    log.error("update: %s", error)
                wrong = str(error)
                self._say(wrong)
                await self._clock.wait(DISK_S, self._woken)

    # --- what people ask. UpdateError: not now

    def begin(self, source: str, begin: Beginning, by: str) -> None:
        """With a bundle, or BACK."""
        where, update = self.standing, self.book.update
        if not where.booted:
            raise UpdateError("the slots are not known yet: try again in a moment")
        if update is not None:
            raise UpdateError(f"an update is {update.phase} already: branchline update shows it")
        if where.booted != where.confirmed:
            raise UpdateError(f"slot {where.booted} runs, not the confirmed slot {where.confirmed}, which "
                              "did not start: branchline update confirm, then update")
        slot, phase = other(where.booted), Phase.FETCHING
        if source == BACK:
            if slot in where.unusable:
                raise UpdateError(f"slot {slot}: holds nothing that can be started")
            phase = Phase.WAITING if begin == "quiet" else Phase.DRAINING
        now, last = self._clock.now(), next(iter(self.book.history), None)
        there = source == BACK and last is not None and last.outcome == Outcome.CONFIRMED
        self._save(Book(update=Update(
            phase=phase, since=now, began_at=now, source=source, begin=begin, by=by, slot=slot,
            version_from=self.version, version_to=last.version_from if there and last else ""),
            history=self.book.history))
        self._cancelled = self._hurried = ""
        log.info("update: begun by %s", by or "somebody")            # its source may have a secret in it
        self._woken.set()

    def cancel(self, by: str) -> None:
        update = self._going_on()
        if update.phase in (Phase.REBOOTING, Phase.TRIAL, Phase.RETURNING):
            raise UpdateError("the new version is started already: branchline update back ends its trial")
        self._cancelled = by or "somebody"
        self._woken.set()

    def hurry(self, by: str) -> None:
        update = self._going_on()
        if update.phase not in (Phase.WAITING, Phase.DRAINING, Phase.AGAIN):
            raise UpdateError(f"it is {update.phase}: nothing is waited for")
        self._hurried = by or "somebody"
        self._woken.set()

    async def confirm(self, by: str) -> None:
        """Whatever runs now."""
        where, update = self.standing, self.book.update
        if where.booted == where.confirmed:
            raise UpdateError(f"slot {where.booted} is confirmed already")
        if update is not None and update.phase is Phase.TRIAL:
            self._decided = Over(outcome=Outcome.CONFIRMED, why=f"confirmed by {by or 'somebody'}")
            self._woken.set()
        elif update is None:                      # the confirmed slot does not start any more
            await self._hands.confirm(where.booted)
            await self._look_where()
        else:
            raise UpdateError(f"the update is {update.phase}")

    def back(self, begin: Beginning, by: str) -> None:
        update = self.book.update
        if update is not None and update.phase is Phase.TRIAL:
            self._decided = Over(outcome=Outcome.ROLLED_BACK, why=f"sent back by {by or 'somebody'}")
            self._woken.set()
        else:
            self.begin(BACK, begin, by)

    def _going_on(self) -> Update:
        if self.book.update is None:
            raise UpdateError("no update goes on")
        return self.book.update

    # --- steps

    async def _start(self) -> None:
        await self._look_where()
        where, update = self.standing, self.book.update
        if update is None and where.trial and where.trial == where.booted:
            now = self._clock.now()               # what began it is lost: the trial counts all the same
            update = Update(phase=Phase.REBOOTING, since=now, began_at=now, source="", begin="drained", by="",
                            version_from="", version_to=self.version, slot=where.booted)
        if update is not None:
            found = after_start(update, where, self._clock.now())
            if isinstance(found, Over):
                self._save(Book(update=update, history=self.book.history))
                await self._over(found)
            elif found != self.book.update:
                self._enter(found)
        if where.trial and where.trial != where.booted and (
                self.book.update is None or self.book.update.phase is not Phase.REBOOTING):
            await self._hands.give_up()
            await self._look_where()

    async def _step(self) -> None:
        update = self.book.update
        if update is None:
            await self._rest(WAIT_S)
            return
        try:
            if self._cancelled and update.phase not in (Phase.REBOOTING, Phase.TRIAL, Phase.RETURNING):
                await self._centre.drain(0.0, end=False)
                await self._over(Over(outcome=Outcome.CANCELLED, why=f"by {self._cancelled}"))
                return
            match update.phase:
                case Phase.FETCHING:
                    bundle = await self._hands.fetch(update.source, self._progress)
                    self._enter(moved(msgspec.structs.replace(update, bundle=str(bundle)), Phase.CHECKING,
                                      self._clock.now()))
                case Phase.CHECKING:
                    await self._check(update)
                case Phase.WAITING:
                    await self._wait(update)
                case Phase.INSTALLING:
                    await self._install(update)
                case Phase.DRAINING:
                    await self._drain(update)
                case Phase.REBOOTING:
                    await self._reboot(update)
                case Phase.TRIAL:
                    await self._trial(update)
                case Phase.RETURNING:
                    await self._return(update)
                case Phase.AGAIN:
                    await self._again(update)
        except UpdateError as error:
            if update.phase in (Phase.REBOOTING, Phase.TRIAL, Phase.RETURNING):
                raise
            if not self._cancelled:
                await self._centre.drain(0.0, end=False)
                await self._over(Over(outcome=Outcome.FAILED, why=str(error)))

    async def _check(self, update: Update) -> None:
        bundle = await self._hands.check(Path(update.bundle))
        wait = update.begin == "quiet"
        self._enter(moved(msgspec.structs.replace(update, version_to=bundle.version),
                          Phase.WAITING if wait else Phase.INSTALLING, self._clock.now()))

    async def _wait(self, update: Update) -> None:
        now = self._clock.now()
        at = next_quiet(self.config.quiet, datetime.fromtimestamp(now)).timestamp()
        if self._hurried or at <= now:
            self._hurried = ""
            phase = Phase.DRAINING if update.source == BACK else Phase.INSTALLING
            self._enter(moved(msgspec.structs.replace(update, next_at=0.0), phase, now))
            return
        if update.next_at != at:
            self._enter(msgspec.structs.replace(update, next_at=at))
        self._say("waits for a quiet hour")
        await self._rest(min(WAIT_S, at - now))

    async def _install(self, update: Update) -> None:
        try:
            await self._hands.install(Path(update.bundle), self._progress)
        finally:
            await self._look_where()              # a write that failed leaves the slot unusable
        self._enter(moved(update, Phase.DRAINING, self._clock.now()))

    async def _drain(self, update: Update) -> None:
        """Until no call is left, or the wait is over; emergency calls are waited for without an end.

        How the box is before anything is done to calls is what the trial has to come up to.
        """
        steady = self._clock.steady()
        waited_s = steady - self._entered_at
        if update.before is None:
            if steady - self._began_at < SETTLED_S:
                self._say("waits until the box has settled after its start")
                await self._rest(LOOK_S)
                return
            seen = await self._centre.look()
            if seen.silent and waited_s < 2 * SETTLED_S:             # or too little is asked of the trial
                self._say("; ".join(f"{name} does not answer" for name in seen.silent))
                await self._rest(LOOK_S)
                return
            update = msgspec.structs.replace(update, before=_before(seen))
            self._enter(update)
        end = bool(self._hurried) or update.begin == "now" or waited_s >= self.config.drain_wait_s
        left = await self._drained(end=end)
        if left is not None:
            self.calls_left = left.calls
            self.done = min(1.0, waited_s / max(1.0, self.config.drain_wait_s))
        if left is None:
            self._say("the daemon of the trunks does not answer")
        elif left.calls:
            self._say(_left(left))
        if left is not None and not left.calls:
            self._hurried = ""
            standing, now = await self._hands.standing(), self._clock.now()
            self._enter(moved(msgspec.structs.replace(
                update, drained_at=now, trials=[*update.trials, now], boot=standing.boot, next_at=0.0),
                Phase.REBOOTING, now))
            return
        await self._rest(LOOK_S)

    async def _drained(self, *, end: bool) -> Drained | None:
        """What is left. None: not known, for a while: a daemon that is late may have an emergency call."""
        left, steady = await self._centre.drain(LEASE_S, end=end), self._clock.steady()
        if left is not None:
            self._silent_at = None
        elif self._silent_at is None:
            self._silent_at = steady
        elif end and steady - self._silent_at >= SETTLED_S:
            return Drained(calls=0)
        return left

    async def _reboot(self, update: Update) -> None:
        left = await self._drained(end=True)
        if left is None or left.calls:            # they came in since all were gone
            self._say("the daemon of the trunks does not answer" if left is None else _left(left))
            await self._rest(LOOK_S)
            return
        try:
            await self._hands.try_out(update.slot)
        except UpdateError as error:              # nothing is on trial: the box goes on as it is
            await self._centre.drain(0.0, end=False)
            await self._over(Over(outcome=Outcome.FAILED, why=str(error)))
            return
        self._say(f"starts slot {update.slot}")
        await self._hands.reboot()
        await self._clock.wait(REBOOT_S, asyncio.Event())

    async def _trial(self, update: Update) -> None:
        """Look until it is decided."""
        config, began_at = self.config, self._clock.steady()
        well_since: float | None = None
        tested: CallTested | None = None
        call_at = 0.0
        while True:
            seen, now = await self._centre.look(), self._clock.steady()
            wrong = gate.lacking(update.before, seen)
            well_since = None if wrong else now if well_since is None else well_since
            verdict = gate.judge(
                wrong, 0.0 if well_since is None else now - well_since, began_at + config.gate_s - now,
                tested, call=config.test_call is not None)
            if (people := self._decided) is not None:
                good = people.outcome is Outcome.CONFIRMED
                verdict = gate.Verdict(say="good" if good else "bad", why=people.why)
            say, why = verdict.say, verdict.why
            self.done = min(1.0, (now - began_at) / config.gate_s)
            self._say(why)
            if say == "good":
                well_at = None if well_since is None else self._clock.now() - (now - well_since)
                await self._keep(update, why, _figures(update, well_at, tested, seen))
                return
            if say == "bad":
                self._enter(returning(update, why, self._clock.now()))
                return
            if say == "call" and config.test_call is not None and now >= call_at:
                self._say(f"calls {config.test_call.number} on trunk {config.test_call.trunk}")
                tested = await self._centre.test_call(config.test_call)
                log.info("update: %s", gate.said(tested))
                call_at = self._clock.steady() + CALL_AGAIN_S
            await self._rest(LOOK_S)

    async def _keep(self, update: Update, why: str, figures: dict[str, float]) -> None:
        update = msgspec.structs.replace(update, why=why, figures=figures)
        self._enter(update)
        try:
            await self._hands.confirm(update.slot)
        except UpdateError as error:
            self._enter(returning(update, f"it could not be confirmed: {error}", self._clock.now()))
            return
        await self._over(Over(outcome=Outcome.CONFIRMED, why=why))

    async def _return(self, update: Update) -> None:
        self._say(update.why)
        try:
            await self._hands.give_up()
        except UpdateError as error:              # its tries run out all the same
            log.error("update: %s", error)
        await self._hands.reboot()
        await self._clock.wait(REBOOT_S, asyncio.Event())

    async def _again(self, update: Update) -> None:
        now = self._clock.now()
        at = update.next_at
        if at > update.since:                     # not in the middle of the day a second time
            at = next_quiet(self.config.quiet, datetime.fromtimestamp(max(at, now))).timestamp()
        if self._hurried or at <= now:
            self._hurried = ""
            self._enter(moved(update, Phase.DRAINING, now))
            return
        if at != update.next_at:
            self._enter(msgspec.structs.replace(update, next_at=at))
        self._say("the box stopped while the new version was on trial, by a power cut or a crash: "
                  "it is tried again")
        await self._rest(min(WAIT_S, at - now))

    # --- what all of them do

    async def _over(self, over: Over) -> None:
        self._save(finished(self.book, over, self._clock.now()))
        log.log(logging.INFO if over.outcome in (Outcome.CONFIRMED, Outcome.CANCELLED) else logging.ERROR,
                "update: %s: %s", over.outcome, over.why)
        self._cancelled = self._hurried = ""
        self._decided = None
        self._hands.tidy()
        await self._look_where()

    async def _look_where(self) -> None:
        self.standing = await self._hands.standing()
        self._changed()

    def _enter(self, update: Update) -> None:
        self._save(Book(update=update, history=self.book.history))

    def _save(self, book: Book) -> None:
        self._store.save(book)
        if (book.update and book.update.phase) != (self.book.update and self.book.update.phase):
            self.saying, self.done, self.calls_left = "", 0.0, None
            self._entered_at = self._clock.steady()
        self.book = book
        self._changed()

    def _say(self, words: str) -> None:
        if words != self.saying:
            self.saying = words
        self._changed()

    def _progress(self, done: float, words: str) -> None:
        """UpdateError: nobody wants it any more."""
        if self._cancelled and self.book.update is not None and self.book.update.phase is Phase.FETCHING:
            raise UpdateError("cancelled")
        self.done = done
        self._say(words)

    async def _rest(self, for_s: float) -> None:
        await self._clock.wait(for_s, self._woken)
        self._woken.clear()


def _before(seen: gate.Seen) -> Before:
    return Before(daemons=[name for name, state in seen.daemons.items() if state == "up"],
                  spans=list(seen.spans), links=list(seen.links), agents=seen.agents)


def _left(left: Drained) -> str:
    return (f"{left.calls} calls are left" if left.calls > left.emergency
            else "an emergency call goes on: it is waited for")


def _figures(update: Update, well_at: float | None, tested: CallTested | None,
             seen: gate.Seen) -> dict[str, float]:
    found: dict[str, float] = {}
    if well_at is not None and update.drained_at:
        found["outage_s"] = round(well_at - update.drained_at, 1)
    if tested is not None and not tested.error:
        found |= {name: value for name, value in (
            ("test_call_answer_s", tested.answer_s), ("test_call_level_dbm0", tested.level_dbm0))
            if value is not None}
    if update.before is not None and not seen.silent:
        found |= {"agents_before": update.before.agents, "agents_after": seen.agents}
    return found
