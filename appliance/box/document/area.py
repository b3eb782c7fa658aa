"""The document's versions on the bus. Acts come one after the other; what is due by time comes by itself."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from appliance.box.area import Answers, Area
from appliance.box.document import showing
from appliance.box.document.book import open_book
from appliance.box.document.ground import BoxGround
from appliance.box.document.keeper import Keeper
from appliance.box.document.moment import Moment, this_moment
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    ChangeDocument,
    CheckDocument,
    CommitDocument,
    CompareDocuments,
    ConfirmDocument,
    DaemonUp,
    DiscardDocument,
    DocumentChecked,
    DocumentCommitted,
    DocumentDifference,
    DocumentHistory,
    DocumentReply,
    DocumentVersion,
    Done,
    EditDocument,
    Event,
    GetDocument,
    GetDocumentHistory,
    Heartbeat,
    NoticeDocument,
    Reply,
    Request,
    RevertDocument,
    RollBackDocument,
    SetDocumentKey,
    TryKeys,
)
from appliance.bus.runner import Context
from appliance.config.backup import origin
from appliance.errors import ConfigError

MOST_VERSIONS = 200                               # in one answer
UNTOLD_S = 30.0                                   # what a daemon did not take is offered again
RETRY_S = 10.0                                    # a way back that the disk refused is tried again
LOOK_S = 60.0                                     # timers of the loop do not go on while a machine sleeps

log = logging.getLogger(__name__)


class Document(Area):
    def __init__(self, context: Context, moment: Callable[[], Moment] = this_moment,
                 ground: type[BoxGround] = BoxGround) -> None:
        """Unavailable: the history cannot be opened."""
        self._context, self._moment = context, moment
        self._ground = ground(context.bus, origin(context.config_path, context.run_dir),
                              context.state_dir, context.run_dir)
        self._book = open_book(context.state_dir)
        self._keeper = Keeper(self._book, self._ground)
        self._alone, self._wake, self._started = asyncio.Lock(), asyncio.Event(), asyncio.Event()
        self.answers: Answers = {
            kind: self._one_by_one(act) for kind, act in (
                (GetDocument, self._get), (GetDocumentHistory, self._history),
                (CompareDocuments, self._compare), (EditDocument, self._edit), (SetDocumentKey, self._set),
                (DiscardDocument, self._discard), (CheckDocument, self._check),
                (ChangeDocument, self._change), (TryKeys, self._try),
                (CommitDocument, self._commit), (RollBackDocument, self._roll_back),
                (ConfirmDocument, self._confirm), (RevertDocument, self._revert),
                (NoticeDocument, self._notice))}
        # They ask daemons, and boxd is one of them.
        self.beside = tuple(self.answers)

    def close(self) -> None:
        self._book.close()

    async def hear(self, event: Event) -> None:
        if isinstance(event, DaemonUp | Heartbeat) and self._ground.started(event.daemon, event.started_at):
            self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set() and not self._started.is_set():
            try:
                async with self._alone:
                    await self._keeper.start(self._moment())
                    self._started.set()
                    await self._say()
            except (sqlite3.Error, OSError) as error:     # a full disk is no reason to end boxd
                log.error("configuration: %s: tried again in %g s", error, RETRY_S)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), RETRY_S)
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._wake.set())
        while not stop.is_set():
            self._wake.clear()
            left_s = await self._tend()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), left_s)

    async def _tend(self) -> float | None:
        """For how long nothing needs to be done; None: for ever."""
        async with self._alone:
            wait_s: float | None = None
            try:
                before = self._seen()
                self._keeper.mend()
                await self._keeper.due(self._moment())
                await self._keeper.tell_daemons()
                wait_s = self._keeper.left_s(self._moment())
                if self._keeper.untold():
                    wait_s = UNTOLD_S if wait_s is None else min(wait_s, UNTOLD_S)
                if self._seen() != before:
                    await self._say()
            except (BusError, ConfigError, sqlite3.Error, OSError) as error:
                log.error("configuration: %s: tried again in %g s", error, RETRY_S)
                wait_s = RETRY_S
        return None if wait_s is None else min(wait_s, LOOK_S)

    def _one_by_one(self, act: Callable[[Any], Awaitable[Reply]]) -> Callable[[Any], Awaitable[Reply]]:
        async def answer(request: Request[Any]) -> Reply:
            await self._started.wait()
            async with self._alone:
                before = self._seen()
                try:
                    self._keeper.mend()
                    self._keeper.notice(self._moment(), getattr(request, "by", ""))
                    return await act(request)
                except (sqlite3.Error, OSError) as error:
                    raise Refused(f"the disk refuses: {error}") from None
                except ConfigError as error:
                    raise Refused(str(error)) from None
                finally:
                    if self._seen() != before:
                        await self._say()
                        self._wake.set()
        return answer

    def _seen(self) -> object:
        state = self._keeper.state(self._moment())
        # An act that was cut off is not seen from outside, but _tend has to mend it.
        return state.head, state.waiting, state.candidate, state.wrong, self._book.applying()

    async def _say(self) -> None:
        await self._context.bus.say(self._keeper.state(self._moment()))

    # --- answers

    async def _get(self, request: GetDocument) -> DocumentReply:
        if request.candidate:
            return await self._reply(None, self._keeper.candidate()[1], request.secrets)
        return await self._reply(*self._keeper.version(request.number), request.secrets)

    async def _reply(self, version: DocumentVersion | None, text: str, secrets: bool) -> DocumentReply:
        # Without its secrets: a tenth of a second of a document of 100 kB, and seconds of a large one.
        seen = await asyncio.to_thread(showing.shown, text, secrets)
        return DocumentReply(state=self._keeper.state(self._moment()), version=version, text=seen.text,
                             hidden=seen.hidden)

    async def _history(self, request: GetDocumentHistory) -> DocumentHistory:
        most = min(max(request.most, 1), MOST_VERSIONS)
        found = self._keeper.history(request.before, most + 1)
        return DocumentHistory(state=self._keeper.state(self._moment()), versions=found[:most],
                               older=len(found) > most)

    async def _compare(self, request: CompareDocuments) -> DocumentDifference:
        return await asyncio.to_thread(self._keeper.compare, request.old, request.new, request.secrets)

    async def _edit(self, request: EditDocument) -> DocumentReply:
        self._keeper.edit(self._moment(), request.by, request.text, request.base)
        return await self._reply(None, request.text, True)

    async def _set(self, request: SetDocumentKey) -> DocumentReply:
        # Seconds of a large document: the loop goes on, and so does the watchdog.
        await asyncio.to_thread(
            self._keeper.set_key, self._moment(), request.by, request.key, request.value)
        return await self._reply(None, self._keeper.candidate()[1], True)

    async def _discard(self, request: DiscardDocument) -> Done:
        self._keeper.discard(request.by, request.anybodys)
        return Done()

    async def _check(self, request: CheckDocument) -> DocumentChecked:
        return await self._keeper.check()

    async def _commit(self, request: CommitDocument) -> DocumentCommitted:
        return self._committed(await self._keeper.commit(
            self._moment(), request.by, request.comment, request.confirm_within_s, request.next_start))

    async def _change(self, request: ChangeDocument) -> DocumentCommitted:
        # Seconds of a large document, as with _set. Its head is compared in the same act.
        text = await asyncio.to_thread(self._keeper.with_keys, request.sets, request.head)
        return self._committed(await self._keeper.change(
            self._moment(), request.by, text, request.comment, request.confirm_within_s, request.next_start))

    async def _try(self, request: TryKeys) -> DocumentChecked:
        text = await asyncio.to_thread(self._keeper.with_keys, request.sets)
        return await self._keeper.try_text(text)

    async def _roll_back(self, request: RollBackDocument) -> DocumentCommitted:
        return self._committed(await self._keeper.roll_back(
            self._moment(), request.by, request.to, request.comment, request.confirm_within_s,
            request.next_start))

    def _committed(self, version: DocumentVersion) -> DocumentCommitted:
        log.info("configuration: version %d by %s: %s", version.number, version.by, ", ".join(version.keys))
        return DocumentCommitted(version=version, until=self._keeper.state(self._moment()).until)

    async def _confirm(self, request: ConfirmDocument) -> Done:
        self._keeper.confirm(self._moment(), request.by, request.number)
        return Done()

    async def _revert(self, request: RevertDocument) -> DocumentCommitted:
        return self._committed(await self._keeper.revert(self._moment(), request.by, request.number))

    async def _notice(self, request: NoticeDocument) -> Done:
        if self._keeper.wrong:
            raise Refused(self._keeper.wrong)
        await self._keeper.tell_daemons()
        return Done()
