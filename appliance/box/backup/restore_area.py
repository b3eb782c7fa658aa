"""boxd's part of a restore from the page: a backup is looked at, a wish is kept, and the box starts anew."""

import asyncio
import contextlib
import logging
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from appliance.box.area import Answers, Area
from appliance.box.backup import restoring, wishing
from appliance.box.backup.contents import RESTORE
from appliance.box.backup.tending import MOST_WORDS, Backups, name_of_machine
from appliance.box.backup.wishing import Wish
from appliance.box.privileged.asking import NOT_HERE, ask
from appliance.box.privileged.verb import Value, VerbError
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    BeginRestore,
    CancelRestore,
    Done,
    DrainCentre,
    DrainTrunks,
    Event,
    Fitness,
    ForgetReplaced,
    GetRestore,
    PrepareRestore,
    RestoreBegin,
    RestoreReply,
    TakeRestoreBack,
)
from appliance.bus.runner import Context
from appliance.config.backup import origin

UPLOADED, UPLOADS = "upload:", "uploads"          # of a source, and webui's folder in the state folder
PREPARED_S = 3600.0                               # what nobody confirms goes, its key with it
KEPT_S = 14 * 86_400.0                            # the box as it was before
EVERY_S = 60.0
LEFT = "the box did not start anew, boxd did: nothing was restored"
LEASE_S, LOOK_S = 20.0, 2.0                       # of a drain, and between two looks at what is left
AWAY = f"DrainTrunks: {DrainTrunks.owner} is not there"              # appliance.bus.client's word for it
AWAY_TIMES = 15                                   # running, who is away has no calls: not just starting anew
UNANSWERED = ("reboot: ended without an answer", "reboot: the answer cannot be read")    # asking.ask()'s

log = logging.getLogger(__name__)


class Restoring(Area):
    """`hostname`: the box's name now; `backups`: those that this box made."""

    def __init__(self, context: Context, hostname: Callable[[], str], backups: Backups) -> None:
        self._context, self._hostname, self._backups = context, hostname, backups
        self._state_dir = context.state_dir
        self._running = self._error = ""
        self._work: asyncio.Task[None] | None = None
        self._fit = False
        self.answers: Answers = {
            GetRestore: self._get, PrepareRestore: self._prepare, BeginRestore: self._begin,
            TakeRestoreBack: self._back, CancelRestore: self._cancel, ForgetReplaced: self._forget}
        self.beside = (ForgetReplaced,)

    async def hear(self, event: Event) -> None:
        if isinstance(event, Fitness):
            self._fit = event.fit

    async def run(self, stop: asyncio.Event) -> None:
        if wishing.wished(self._state_dir):       # for now, and not for the day when the power fails
            log.error("%s", LEFT)
            self._error = LEFT
            with contextlib.suppress(OSError):
                wishing.withdraw(self._state_dir)
        while not stop.is_set():
            await self._tidy(time.time())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), EVERY_S)
        if self._work is not None:
            self._work.cancel()

    async def _tidy(self, now: float) -> None:
        found = wishing.prepared(self._state_dir)
        if self._work is None and not wishing.wished(self._state_dir) and (
                found is None or now > found.prepared_at + PREPARED_S):
            with contextlib.suppress(OSError):    # of a kill, too
                wishing.clear(self._state_dir)
        since = wishing.aside_since(self._state_dir)
        if since and now >= since + KEPT_S and self._fit:
            log.info("what the restore put aside goes: the box has been well since")
            with contextlib.suppress(Refused):
                await self._forget(ForgetReplaced())

    async def _get(self, request: GetRestore) -> RestoreReply:
        until = self._back_until()
        return RestoreReply(
            name=self._hostname(), running=self._running, error=self._error,
            prepared=None if self._work else wishing.prepared(self._state_dir),
            wished=wishing.wished(self._state_dir), outcome=wishing.outcome(self._state_dir),
            back=until > 0, back_until=until)

    def _back_until(self) -> float:
        found = wishing.undo(self._state_dir)
        return 0.0 if found is None else found.done_at + KEPT_S

    async def _prepare(self, request: PrepareRestore) -> Done:
        self._free()
        if request.source.startswith(UPLOADED):
            name = request.source.removeprefix(UPLOADED)
            path = self._state_dir / UPLOADS / name
            if "/" in name or name.startswith(".") or not path.is_file():
                raise Refused("the file did not arrive: choose it again")
        elif any(one.path == request.source and not one.error and not one.gone
                 for one in self._backups.reply(time.time()).backups):
            path = Path(request.source)
        else:
            raise Refused(f"{request.source[:200]!r}: no such backup was made, or it is gone")
        context = self._context
        order = msgspec.json.encode({
            "source": request.source, "path": str(path), "state_dir": str(self._state_dir),
            "document": str(origin(context.config_path, context.run_dir)), "passphrase": request.passphrase,
            "box": self._backups.config.box or name_of_machine()})
        self._start("a backup is opened and tried out", self._looked_at(order))
        return Done()

    async def _begin(self, request: BeginRestore) -> Done:
        self._free()
        self._named(request.name)
        found = wishing.prepared(self._state_dir)
        if found is None or found.token != request.token:
            raise Refused("what was looked at is not kept any more: look at the backup again")
        if found.refused:
            raise Refused(found.refused)
        wish = Wish(id=uuid.uuid4().hex, act="restore", at=time.time(), by=request.by,
                    address=request.address, why=request.why, box=found.box, version=found.version,
                    backup_at=found.at, config=request.config, apart=restoring.apart(self._state_dir))
        log.warning("restore of a backup of %s, by %s from %s", found.box, request.by, request.address)
        self._start("the box is about to start anew", self._wish(wish, request.begin))
        return Done()

    async def _back(self, request: TakeRestoreBack) -> Done:
        self._free()
        self._named(request.name)
        if (last := wishing.undo(self._state_dir)) is None:
            raise Refused("what was there before is not kept any more")
        wish = Wish(id=uuid.uuid4().hex, act="take-back", at=time.time(), by=request.by,
                    address=request.address, why=request.why, box=last.box, version=last.version,
                    backup_at=last.backup_at, config=last.config, apart=restoring.apart(self._state_dir))
        log.warning("restore taken back, by %s from %s", request.by, request.address)
        self._start("the box is about to start anew", self._wish(wish, request.begin))
        return Done()

    async def _cancel(self, request: CancelRestore) -> Done:
        """A wish, too: as long as this daemon runs nothing of it was done."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])
        try:
            wishing.withdraw(self._state_dir)
            wishing.clear(self._state_dir)
        except OSError as error:
            raise Refused(f"{error.filename or RESTORE}: {error.strerror}") from None
        await self._drain(0.0, end=False)
        self._error = ""
        return Done()

    async def _forget(self, request: ForgetReplaced) -> Done:
        if wishing.wished(self._state_dir):
            raise Refused("the box starts anew just now")
        if await self._root("forget-replaced") is None:
            try:
                await asyncio.to_thread(wishing.forget, self._state_dir)
            except OSError as error:
                raise Refused(f"{error.filename}: {error.strerror}") from None
        return Done()

    def _free(self) -> None:
        if self._work is not None or wishing.wished(self._state_dir):
            raise Refused(f"{self._running or 'the box starts anew'}: wait until that is over")

    def _named(self, name: str) -> None:
        if name != self._hostname():
            raise Refused(f"the box's name is {self._hostname()!r}, not {name!r}: nothing is restored")

    def _start(self, running: str, work: Awaitable[None]) -> None:
        async def worked() -> None:
            try:
                await work
            except Refused as error:
                self._error = str(error)
            finally:
                self._running, self._work = "", None
        self._running, self._error = running, ""
        self._work = self._context.keep(worked())

    async def _looked_at(self, order: bytes) -> None:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance.launch.restore_trial", stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE)
        try:
            said = (await child.communicate(order))[1].decode(errors="replace").strip()
        except asyncio.CancelledError:
            child.kill()
            await child.wait()
            raise
        if child.returncode:
            raise Refused((said or f"it ended with {child.returncode}")[-MOST_WORDS:])

    async def _wish(self, wish: Wish, begin: RestoreBegin) -> None:
        """Once no call is left. Refused: the disk, or root."""
        try:
            await self._quiet(end=begin == "now")
            wishing.ask(self._state_dir, wish)
        except BaseException as error:
            await self._drain(0.0, end=False)
            if isinstance(error, OSError):
                raise Refused(f"{error.filename or RESTORE}: {error.strerror}: nothing was changed") from None
            raise
        try:
            await self._root("reboot")            # else the launcher sees the wish
        except Refused as no:
            if not str(no).startswith(UNANSWERED):               # a restart ends root's side, too
                wishing.withdraw(self._state_dir)
            raise

    async def _quiet(self, *, end: bool) -> None:
        """Until no call is left. A daemon that is late may have an emergency call."""
        away = 0
        while away < AWAY_TIMES:
            left = await self._drain(LEASE_S, end=end)
            if left == 0:
                return
            away = away + 1 if left == AWAY else 0
            self._running = (f"{left} calls are left: the box starts anew after them" if isinstance(left, int)
                             else "the daemon of the trunks does not answer")
            await asyncio.sleep(LOOK_S)

    async def _drain(self, for_s: float, *, end: bool) -> int | str:
        """Calls that are left; or why that is not known."""
        left: int | str
        try:
            left = (await self._context.bus.ask(DrainTrunks(for_s=for_s, end=end))).calls
        except BusError as error:
            left = str(error)
        with contextlib.suppress(BusError):
            await self._context.bus.ask(DrainCentre(for_s=for_s))
        return left

    async def _root(self, verb: str) -> dict[str, Value] | None:
        """None: this is no installed box. Refused: why not."""
        try:
            return await ask(self._context.run_dir, verb)
        except VerbError as error:
            if str(error) == NOT_HERE:
                return None
            raise Refused(str(error)) from None
