"""acdd: contacts. Log first, then act, then tell.

One loop: take all that has come, let the engine decide, put its entries on the disk in one commit, hand its
actions to the lanes of trunkd and spand. Only then is it shown to anybody.
"""

import asyncio
import contextlib
import logging
import secrets
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeVar

import msgspec

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    Answer,
    Board,
    BoardReply,
    CallBack,
    CallDeflected,
    CallsJoined,
    CloseAbandoned,
    ContactFacts,
    ContactLegs,
    ContactList,
    ContactReply,
    DaemonUp,
    Deflect,
    Dial,
    Done,
    Event,
    GetAbandoned,
    GetBoard,
    GetCalls,
    GetContact,
    GetContactFacts,
    GetContactLegs,
    GetContacts,
    GetFigureCounts,
    GetFigures,
    GetPromptTakes,
    GetPromptUses,
    GetRecordingFacts,
    GetSurvey,
    GetToBeRecorded,
    JoinOutside,
    LogIn,
    LookAtCalendar,
    MaliciousCallTraced,
    PauseRecording,
    PlaceTestCall,
    PromptTakeBegun,
    PromptTakes,
    PromptUses,
    RecordingFrom,
    ReloadCentre,
    Reloaded,
    Reply,
    Request,
    ResumeRecording,
    SetReady,
    StopTake,
    TakePrompt,
    TraceMalicious,
)
from appliance.bus.messages.within import MOST_WITHIN
from appliance.bus.runner import Context
from appliance.bus.runner import main as run
from appliance.centre import heard, recorded, voicemail
from appliance.centre.board import Boards, contact_info
from appliance.centre.callbacks.archive import Archive
from appliance.centre.commands import COMMANDS
from appliance.centre.effects import Ask, Effect, FindRecordings
from appliance.centre.engine import DialRefused, Engine, SilentFrom
from appliance.centre.entry.forcing import look_at_draft
from appliance.centre.entry.load import box_zone, load_entrance, warnings
from appliance.centre.entry.rules import Entrance
from appliance.centre.events import Checkpoint
from appliance.centre.facts import facts
from appliance.centre.figures.answer import figure_counts, figures
from appliance.centre.figures.counting import FigureCounting
from appliance.centre.figures.report import Aims
from appliance.centre.flow import Flow
from appliance.centre.flow.names import load_flows
from appliance.centre.flow.versions import FOLDER as FLOWS
from appliance.centre.flow.versions import Versions
from appliance.centre.invariants import violations
from appliance.centre.lane import Lane
from appliance.centre.legs import legs
from appliance.centre.projector import ContactProjector
from appliance.centre.studio import Studio
from appliance.centre.trial_call import TrialCalls
from appliance.centre.turn import Setup
from appliance.centre.worker import Worker
from appliance.config.backup import origin
from appliance.config.changes import changes
from appliance.config.emergency import emergency
from appliance.config.schema import Config
from appliance.errors import ConfigError, StateError
from appliance.store.events import FILE, EventLog, StoreError
from appliance.store.within import Stretch

R = TypeVar("R")
T = TypeVar("T")

BOARD_EVERY_S = 0.1
CHECK_S = 1.0                                     # between looks for what must never be: they cost a scan
BOARD_RESTS = 19.0                                # times what a board takes: 1/20 of the time at most
RETRY_S = 1.0                                     # an owner that is not there, a disk that is full
CHECKPOINT_ENTRIES = 5000                         # a replay is never much longer
REFERENCES_S = 90 * 86400.0                       # a contact of before is found by its page, not by keys
MAX_CONTACTS = 500                                # of one GetContacts
REFUSED = "this line cannot ask for it"           # in place of trunkd's own words, which are in the log

log = logging.getLogger(__name__)


class Mark(Enum):
    """In the inbox beside events."""

    RESYNC = "ask trunkd for its table"
    WISHES = "tell spand everything again"
    STOP = "end"


@dataclass(frozen=True, slots=True)
class Reload:
    """In the inbox, too: done between two turns. `check`: only say what would change."""

    check: bool
    config: Config
    entrance: Entrance                            # its tables are read, which may take a while
    done: "asyncio.Future[Reloaded]"


@dataclass(frozen=True, slots=True)
class Asked:
    """Likewise: a command; answered when what came of it is on the disk."""

    request: Request[Any]
    done: "asyncio.Future[Reply]"


class Centre:
    def __init__(self, context: Context, events: EventLog, engine: Engine) -> None:
        self._context, self._events, self._engine = context, events, engine
        self._config = context.config
        self._inbox: asyncio.Queue[object] = asyncio.Queue()
        self._lanes = {
            "trunkd": Lane(context.bus, self._refused, lambda: self._later(Mark.RESYNC)),
            # its DaemonUp brings all again
            "spand": Lane(context.bus, self._refused, lambda: None, self._silent),
        }
        self._worker = Worker(context.config, context.state_dir, self._inbox.put_nowait,
                              {Ask: self._ask, FindRecordings: self._find})
        self._versions = Versions(context.state_dir / FLOWS)
        self._trial_calls = TrialCalls(context.bus)
        self._studio = Studio(context.bus, self._worker.say)
        self._deciding = False                    # the state is ahead of the disk
        self._boards = Boards()
        self._board = self._boards.board(engine.state, engine.setup, time.time())
        self._board_changed = asyncio.Event()
        self._settled: asyncio.Future[tuple[Board, float]] | None = None         # a board is to be said
        self._entries_since_checkpoint = 0
        self._violations: list[str] = []
        self._check_at = 0.0
        self._rests_until = 0.0                   # after a fault in what is due by time

    async def run(self) -> None:
        """Until told to stop. Events are heard before the table is asked for: nothing falls between."""
        bus = self._context.bus
        self._engine.start(time.time())
        await self._settle()
        self._board_changed.set()
        await bus.hear("trunkd", self._hear_trunkd)
        await bus.hear("spand", self._hear_spand)
        bus.on_back(self._back)
        await bus.answer(self._answer, beside=(
            GetContacts, GetFigures, GetFigureCounts, GetPromptUses, GetRecordingFacts, GetToBeRecorded,
            PlaceTestCall))
        await self._context.up()
        tasks = [self._context.keep(part) for part in self._parts()]
        try:
            while not self._context.stop.is_set() and not await self._resync():
                await self._pause()
            self._tell_wishes()
            while await self._turn():
                pass
        finally:
            for task in tasks:
                task.cancel()
            await self._studio.close()
            await self._worker.close()

    def _parts(self) -> list[Coroutine[Any, Any, None]]:
        return [*(lane.run() for lane in self._lanes.values()), self._publish(), self._watch_stop()]

    async def _turn(self) -> bool:
        """Everything that has come so far, in one commit. False: stop."""
        given = await self._next()
        began = time.monotonic()
        self._deciding = True
        answers: list[tuple[asyncio.Future[Reply], Reply]] = []
        for one in given:
            if isinstance(one, Reload):
                self._reload(one)
            elif isinstance(one, Asked):
                if (reply := self._command(one)) is not None:
                    answers.append((one.done, reply))
            elif not isinstance(one, Mark):
                self._guarded(self._engine.handle, one)
        now = time.time()
        if (deadline := self._engine.next_deadline()) is not None and max(deadline, self._rests_until) <= now:
            fine = self._guarded(self._expire)
            self._rests_until = 0.0 if fine else now + RETRY_S       # what is due stays due
        if self._entries_since_checkpoint >= CHECKPOINT_ENTRIES:
            self._entries_since_checkpoint = 0
            self._engine.checkpoint(now)
        await self._settle()
        for done, reply in answers:
            if not done.done():
                done.set_result(reply)
        self._context.facts["turn_ms"] = round((time.monotonic() - began) * 1000, 3)
        if Mark.STOP in given:
            return False
        if Mark.RESYNC in given and not await self._resync():
            self._later(Mark.RESYNC)
        if Mark.WISHES in given:
            self._tell_wishes()
        return True

    async def _next(self) -> list[object]:
        """What lies in the inbox; waits for it until the engine's next deadline."""
        deadline = self._engine.next_deadline()
        delay_s = None if deadline is None else max(0.0, max(deadline, self._rests_until) - time.time())
        given: list[object] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                given.append(await self._inbox.get())
        while not self._inbox.empty():
            given.append(self._inbox.get_nowait())
        return given

    def _expire(self, now: float) -> None:
        try:
            self._engine.expire(now)
        except ExceptionGroup as failures:
            log.exception("cannot do what is due, it is tried again now and then")
            self._context.facts["faults"] = self._context.facts.get("faults", 0) + len(failures.exceptions)

    def _guarded(self, decide: Any, *given: object) -> bool:
        """An input that the engine cannot digest is counted; what it had decided stays decided."""
        try:
            decide(*given, time.time())
        except Exception:
            log.exception("cannot handle %s", [type(one).__name__ for one in given])     # may be secret
            self._context.facts["faults"] = self._context.facts.get("faults", 0) + 1
            return False
        return True

    def _reload(self, wanted: Reload) -> None:
        """All of it or nothing: no caller may find his place gone."""
        try:
            new = wanted.config
            in_use, there = self._engine.versions_in_use(), self._engine.setup.versions
            older = {name: flow for name, flow in there.items() if name in in_use}
            ready = setup(new, wanted.entrance, older)
            lost = self._engine.lost_with(ready)
            if lost:
                raise Refused("callers are where the new document has nothing: put it back, or wait until "
                              f"they are gone: {', '.join(lost)}")
            if not wanted.check:
                self._versions.keep(ready.versions)
        except (ConfigError, Refused) as error:
            if not wanted.done.done():
                wanted.done.set_exception(Refused(str(error)))
            return
        changed = [key for key in changes(self._config, new) if key.startswith(("centre.", "recording."))]
        changed += [f"flow {path}" for path, flow in ready.flows.items()
                    if path in self._engine.setup.flows and self._engine.setup.flows[path] != flow]
        changed += ready.entrance.unlike(self._engine.setup.entrance)
        ways = self._engine.setup.plan.emergency != ready.plan.emergency         # by trunkd's settings
        if (changed or ways) and not wanted.check:
            self._config, self._engine.setup = new, ready
            self._versions.forget_all_but(ready.versions)
            self._worker.configure(new)
            self._guarded(self._engine.start)
            log.info("new settings: %s", ", ".join(changed) or "emergency numbers")
        if not wanted.done.done():
            wanted.done.set_result(Reloaded(document=str(self._context.config_path), changed=changed))

    def _command(self, asked: Asked) -> Reply | None:
        """None when it was refused."""
        try:
            return self._engine.command(asked.request, time.time())
        except StateError as error:
            refused = Refused(str(error))
        except Exception:
            log.exception("cannot do %s", type(asked.request).__name__)        # what it holds may be secret
            self._context.facts["faults"] = self._context.facts.get("faults", 0) + 1
            refused = Refused("this failed inside the box: its log says why")
        if not asked.done.done():
            asked.done.set_exception(refused)
        return None

    async def _settle(self) -> None:
        """Onto the disk, then into the lanes, then onto the board."""
        self._deciding = True
        entries, actions = self._engine.take()
        said = ""
        while entries:
            try:
                await asyncio.to_thread(self._events.append, entries)
                break
            except StoreError as error:
                if str(error) != said:            # once, however long it lasts
                    said = str(error)
                    log.error("%s", said)
                await self._pause()
                if self._context.stop.is_set():
                    return
        self._deciding = False
        for action in actions:
            if isinstance(action, Effect):
                self._worker.put(action)
            else:
                self._lanes[action.owner].put(action)
        if entries:
            self._entries_since_checkpoint += len(entries)
            self._note()
            self._board_changed.set()
        for entry in entries:
            if (left := voicemail.notice(self._engine.setup, entry)) is not None:
                await self._context.bus.say(left)
        if (changed := recorded.notice(entries, self._events.seq)) is not None:
            await self._context.bus.say(changed)
        if self._settled is not None and not self._settled.done():
            began = time.monotonic()
            board = self._current_board()
            self._settled.set_result((board, time.monotonic() - began))

    def _note(self) -> None:
        self._context.facts.update(contacts=len(self._engine.state.contacts), waiting=self._engine.waiting,
                                   log_seq=self._events.seq)

    def _check(self) -> None:
        """What must never be, said once."""
        found = violations(self._engine.state)
        if found != self._violations:
            for sentence in found:
                log.error("must not be: %s", sentence)
        self._violations = found

    async def _resync(self) -> bool:
        """trunkd's table, once everything we asked for before is in it; nothing is decided in between."""
        await self._lanes["trunkd"].idle()
        try:
            table = await self._context.bus.ask(GetCalls())
        except BusError as error:
            log.info("%s: trying again", error)
            return False
        self._deciding = True
        own = [call for call in table.calls if not self._studio.has(call.leg)]
        self._guarded(self._engine.handle, msgspec.structs.replace(table, calls=own))
        await self._settle()
        return True

    def _tell_wishes(self) -> None:
        lane = self._lanes["spand"]
        lane.clear()                              # all that still matters of it is said again
        for wish in self._engine.media_wishes():
            lane.put(wish)

    def _refused(self, action: Request[Any]) -> None:
        if isinstance(action, Dial):
            self._inbox.put_nowait(DialRefused(action.leg))
        elif isinstance(action, Answer):          # the call is going, or answered already: its table knows
            self._later(Mark.RESYNC)
        elif isinstance(action, TraceMalicious):
            self._inbox.put_nowait(MaliciousCallTraced(leg=action.leg, done=False, why=REFUSED))
        elif isinstance(action, Deflect):
            self._inbox.put_nowait(CallDeflected(leg=action.leg, done=False, why=REFUSED))
        elif isinstance(action, JoinOutside):
            self._inbox.put_nowait(
                CallsJoined(leg_a=action.leg_a, leg_b=action.leg_b, done=False, why=REFUSED))

    def _silent(self, action: Request[Any], reply: Reply) -> None:
        if isinstance(action, PauseRecording | ResumeRecording) and isinstance(reply, RecordingFrom):
            self._inbox.put_nowait(SilentFrom(action.recording, isinstance(action, PauseRecording),
                                              reply.tick, reply.at))

    async def _ask(self, effect: Ask) -> Mapping[str, Any]:
        return msgspec.structs.asdict(await self._context.bus.ask(effect.request, effect.timeout_s))

    async def _find(self, effect: FindRecordings) -> Mapping[str, Any]:
        since = time.time() - REFERENCES_S
        return {"recordings": await asyncio.to_thread(
            self._events.talks, effect.agent, effect.reference, since, effect.most)}

    def _soon(self, mark: Mark) -> None:
        self._inbox.put_nowait(mark)

    def _later(self, mark: Mark) -> None:
        asyncio.get_running_loop().call_later(RETRY_S, self._soon, mark)

    async def _hear_trunkd(self, event: Event) -> None:
        if not self._trial_calls.hear(event) and not self._studio.hear(event):
            self._heard("trunkd", Mark.RESYNC, event)

    async def _hear_spand(self, event: Event) -> None:
        if not self._studio.hear(event):
            self._heard("spand", Mark.WISHES, event)

    def _heard(self, owner: str, when_new: Mark, event: Event) -> None:
        if isinstance(event, DaemonUp):
            self._lanes[owner].give_up()
            self._soon(when_new)
        else:
            self._inbox.put_nowait(event)

    async def _back(self) -> None:
        for lane in self._lanes.values():
            lane.give_up()
        self._studio.lost()
        self._soon(Mark.RESYNC)
        self._soon(Mark.WISHES)

    async def _watch_stop(self) -> None:
        await self._context.stop.wait()
        self._soon(Mark.STOP)

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RETRY_S):
                await self._context.stop.wait()

    def _current_board(self) -> Board:
        """As the log has it: between a decision and its commit the one before."""
        if not self._deciding:
            self._board = self._boards.board(self._engine.state, self._engine.setup, time.time(),
                                             self._engine.unreachable(), self._engine.line)
        return self._board

    async def _publish(self) -> None:
        while True:
            await self._board_changed.wait()
            self._board_changed.clear()
            if (began := time.monotonic()) >= self._check_at:
                self._check_at = began + CHECK_S
                self._check()
                began = time.monotonic()
            board = self._current_board()
            if self._deciding:                    # the one before is known: it would only delay the next
                self._settled = asyncio.get_running_loop().create_future()
                board, took_s = await self._settled
                began = time.monotonic() - took_s
                self._board_changed.clear()
            await self._context.bus.say(board)
            took_s = time.monotonic() - began
            await asyncio.sleep(max(BOARD_EVERY_S, took_s * BOARD_RESTS))

    async def _answer(self, request: Request[Any]) -> Reply:
        if isinstance(request, GetBoard):
            return BoardReply(board=self._current_board())
        if isinstance(request, GetContacts):
            if request.offset < 0 or not 1 <= request.limit <= MAX_CONTACTS:
                raise Refused(f"GetContacts: offset from 0, limit from 1 to {MAX_CONTACTS}")
            limits = request.within.limits() if request.within else None
            if limits and max(map(len, limits.values())) > MOST_WITHIN:
                raise Refused(f"GetContacts: within: at most {MOST_WITHIN} names of a kind")
            records, total = await asyncio.to_thread(
                self._events.contacts, request.offset, request.limit, limits,
                Stretch(request.since, request.until, request.after))
            return ContactList(contacts=[contact_info(record) for record in records], total=total)
        if isinstance(request, GetContact):
            record = await asyncio.to_thread(self._events.contact, request.contact)
            return ContactReply(contact=contact_info(record) if record else None)
        if isinstance(request, GetContactLegs):
            return ContactLegs(legs=legs(await asyncio.to_thread(self._events.legs, request.contact)))
        if isinstance(request, GetContactFacts):
            return await asyncio.to_thread(self._facts, request.contact)
        if isinstance(request, GetFigures | GetFigureCounts):
            return await asyncio.to_thread(self._figures, request)
        if isinstance(request, GetRecordingFacts | GetToBeRecorded):
            try:
                return await asyncio.to_thread(recorded.answer, self._events, request)
            except StateError as error:
                raise Refused(str(error)) from None
        if isinstance(request, PlaceTestCall):
            known = self._engine.setup.plan.emergency.numbers.values()
            return await self._trial_calls.place(request, frozenset[str]().union(*known))
        if isinstance(request, TakePrompt | GetPromptTakes | StopTake):
            return await self._take(request)
        if isinstance(request, GetPromptUses):
            return await asyncio.to_thread(self._uses, request)
        if isinstance(request, GetAbandoned):
            return await self._past(Archive.abandoned, request)
        if isinstance(request, GetSurvey):
            return await self._past(Archive.survey, request)
        if isinstance(request, SetReady | LogIn):
            self._refuse_speaking(request)
        if isinstance(request, CloseAbandoned):
            await self._past(Archive.closable, request)
        elif isinstance(request, CallBack):
            request = await self._past(Archive.book, request)
        if isinstance(request, LookAtCalendar) and request.instead:
            try:
                return await asyncio.to_thread(
                    look_at_draft, request, dict(self._engine.state.forced), box_zone())
            except (StateError, ConfigError) as error:
                raise Refused(str(error)) from None
        if type(request) in COMMANDS:
            asked: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
            self._inbox.put_nowait(Asked(request, asked))
            return await asked
        if isinstance(request, ReloadCentre):
            done: asyncio.Future[Reloaded] = asyncio.get_running_loop().create_future()
            try:
                new, entrance = (self._config, self._engine.setup.entrance) if request.flows else (
                    await asyncio.to_thread(self._read, request.candidate))
            except ConfigError as error:
                raise Refused(str(error)) from None
            self._inbox.put_nowait(Reload(request.check, new, entrance, done))
            return await done
        raise Refused(f"{type(request).__name__}: acdd does not do that")

    async def _take(self, request: TakePrompt | GetPromptTakes | StopTake) -> Reply:
        try:
            if isinstance(request, TakePrompt):
                where = self._engine.telephone(request.at, time.time())
                return PromptTakeBegun(take=await self._studio.begin(request, where))
            if isinstance(request, StopTake):
                self._studio.stop(request.take)
                return Done()
        except StateError as error:
            raise Refused(str(error)) from None
        return PromptTakes(takes=self._studio.takes)

    def _refuse_speaking(self, request: SetReady | LogIn) -> None:
        """Refused: a prompt is spoken where the agent would be rung for callers."""
        agent = self._engine.state.agents.get(request.agent)
        if agent is None or (isinstance(request, LogIn) and not request.ready and agent.state != "ready"):
            return                                # still not ready then
        extension, trunk = agent.extension, agent.trunk
        if isinstance(request, LogIn):
            extension = request.extension or agent.home_extension
            trunk = (request.extension and request.trunk) or agent.home_trunk
        if self._studio.rings(extension, trunk):
            raise Refused(f"{agent.name}: a prompt is being spoken at {extension}: end that call first")

    def _uses(self, request: GetPromptUses) -> PromptUses:
        now = self._engine.setup
        older = [flow for digest, flow in now.versions.items() if digest not in now.digests.values()]
        base = str(origin(self._context.config_path, self._context.run_dir).absolute().parent) + "/"
        flows = {path.removeprefix(base): flow for path, flow in now.flows.items()}
        found = heard.uses(flows, older, self._config)
        return PromptUses(uses={name: by for name, by in found.items() if request.name in ("", name)})

    async def _past(self, ask: Callable[[Archive, R], T], request: R) -> T:
        """What the log knows of contacts that are over."""
        past = Archive(self._events, self._engine.setup, dict(self._engine.state.callbacks),
                       time.time())
        try:
            return await asyncio.to_thread(ask, past, request)
        except StateError as error:
            raise Refused(str(error)) from None

    def _figures(self, request: GetFigures | GetFigureCounts) -> Reply:
        aims, now = Aims.of(self._config), time.time()
        try:
            with self._events.ledger() as ledger:
                if isinstance(request, GetFigures):
                    return figures(ledger, request, aims, now)
                return figure_counts(ledger, request, aims, now)
        except StateError as error:
            raise Refused(str(error)) from None

    def _read(self, candidate: bool = False) -> tuple[Config, Entrance]:
        config = self._context.read(candidate)
        return config, load_entrance(config, box_zone())

    def _facts(self, contact: str) -> ContactFacts:
        entries = [*self._events.legs(contact), *self._events.told(contact)]
        return facts(sorted(entries, key=lambda entry: entry.seq))


def setup(config: Config, entrance: Entrance, older: Mapping[str, Flow] | None = None) -> Setup:
    """With every flow read; `older` are versions that callers are in. ConfigError: one cannot be used."""
    centre, new_id = config.centre, lambda: secrets.token_hex(16)
    return Setup.of(centre, load_flows(centre), new_id, emergency(config), older, entrance, config.recording)


async def serve(context: Context) -> None:
    ready = setup(context.config, load_entrance(context.config, box_zone()))
    versions = Versions(context.state_dir / FLOWS)
    engine = Engine(ready)
    for sentence in warnings(ready.entrance, time.time()):
        log.warning("%s", sentence)
    events = EventLog(context.state_dir / FILE, ContactProjector(), FigureCounting())
    try:
        engine.replay(events.read(max(1, events.last(Checkpoint.__name__))))
        older = versions.load(engine.versions_in_use() - ready.versions.keys())
        engine.setup = replace(ready, versions={**older, **ready.versions})
        try:
            versions.keep(ready.versions)
        except ConfigError as error:              # a full disk: calls go on all the same
            log.error("%s", error)
        versions.forget_all_but(engine.setup.versions)
        await Centre(context, events, engine).run()
    finally:
        events.close()


def main(argv: list[str] | None = None) -> int:
    return run("acdd", serve, argv)


if __name__ == "__main__":
    sys.exit(main())
