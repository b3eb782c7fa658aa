"""boxd: hears the other daemons live and says how they are; keeps the history of the lines; backs up."""

import asyncio
import contextlib
import ctypes
import logging
import sys
import time
from typing import Any

from appliance.box.area import Answers, Area
from appliance.box.backup.format import BackupError
from appliance.box.backup.restore_area import Restoring
from appliance.box.backup.tending import Backups
from appliance.box.board.tending import Tended
from appliance.box.card.area import Cards
from appliance.box.clock.tending import Clock
from appliance.box.commands.area import Commands
from appliance.box.commands.box import Box
from appliance.box.document.area import Document
from appliance.box.exposed.area import Exposing
from appliance.box.flows.area import Flows
from appliance.box.health import DOWN, LATE, UP, Watch
from appliance.box.judging import Judging
from appliance.box.line_tests.area import LineTesting
from appliance.box.lines import Lines
from appliance.box.logs.area import Logs
from appliance.box.maintenance.area import Maintenance
from appliance.box.maintenance.rounds import Rounds
from appliance.box.provision.kept import hostname
from appliance.box.provision.tending import Provisioning
from appliance.box.rehearsal.area import Rehearsing
from appliance.box.snmp.area import Snmp
from appliance.box.ssh.area import Console
from appliance.box.support.tending import Support
from appliance.box.syslog.area import Syslog
from appliance.box.telemetry.area import Telemetry
from appliance.box.telemetry.gathering import Gathering
from appliance.box.update.area import Updates
from appliance.bus.client import Refused
from appliance.bus.messages import (
    BackUp,
    BackupReply,
    DaemonUp,
    Done,
    Event,
    GetBackups,
    GetHealth,
    GetLineHistory,
    Health,
    HealthReply,
    Heartbeat,
    LineHistory,
    ReloadBackup,
    Reloaded,
    Reply,
    Request,
    SetBackupPassphrase,
    SpanSecond,
    SpanState,
    TryBackup,
)
from appliance.bus.runner import Context
from appliance.bus.runner import main as run
from appliance.config.backup import origin
from appliance.config.changes import changes
from appliance.errors import ConfigError, Unavailable
from appliance.store import LINES_FILE
from e1_driver.watch.history import HistoryError, Store

SAY_S = 2.0
SETTLED_S = 2.0                                   # then what a start read and nobody keeps goes back
SAVE_S = 2.0                                      # looked at whether histories are to be written

log = logging.getLogger(__name__)


async def serve(context: Context) -> None:
    """Run boxd until the context's stop. Unavailable: the histories cannot be opened."""
    try:
        store = Store(context.state_dir / LINES_FILE)
    except HistoryError as error:
        raise Unavailable(str(error)) from None
    with store:
        if store.notice:
            log.warning("%s", store.notice)
        lines = Lines(store, [span.name for span in context.config.spans])
        backups = BackingUp(context)
        maintenance = backups.maintenance = Maintenance(
            context, lambda: {span: lines.history(span).quarters for span in lines.spans}, backups.reply)
        gathering = Gathering(context, lines, maintenance.disk.state)
        snmp, syslog = Snmp(context, gathering.seen, lines, hostname), Syslog(context, hostname)
        provisioning = Provisioning(context, hostname)
        console = Console(context, hostname, provisioning.admin_keys)
        provisioning.changed = console.look_again
        telemetry = Telemetry(context, gathering, hostname)
        backups.also = {"snmp": snmp, "syslog": syslog, "console": console, "telemetry": telemetry}
        await _serve(context, [Daemons(context), Histories(context, lines), backups,
                               Tended.of_this_box(context), Judging(context),
                               provisioning, Clock(context), Support(context),
                               Updates(context), Cards(context), Document(context), Flows(context),
                               LineTesting(context), Logs(context), maintenance, maintenance.disk,
                               Rounds(context, maintenance, backups.kept.tried),
                               Rehearsing(context), Restoring(context, hostname, backups.kept),
                               gathering, telemetry,
                               Exposing(gathering.refresh), snmp, syslog, console])


async def _serve(context: Context, areas: list[Area]) -> None:
    box = Box(context, areas)
    for one in areas:
        if isinstance(one, Console):
            one.box = box
    areas = [*areas, Commands(box)]
    answers = {kind: answer for area in areas for kind, answer in area.answers.items()}

    async def hear(event: Event) -> None:
        for area in areas:
            await area.hear(event)

    async def answer(request: Request[Any]) -> Reply:
        if type(request) not in answers:
            raise Refused(f"{type(request).__name__}: boxd does not do that")
        return await answers[type(request)](request)

    await context.bus.hear("*", hear)
    await context.bus.answer(answer, [kind for area in areas for kind in area.beside])
    running = [context.keep(area.run(context.stop)) for area in areas]
    await context.up()
    asyncio.get_running_loop().call_later(SETTLED_S, ctypes.CDLL(None).malloc_trim, 0)
    await context.stop.wait()
    await asyncio.gather(*running, return_exceptions=True)           # the first error is the context's


class Daemons(Area):
    """How the others are: said on change and every SAY_S."""

    def __init__(self, context: Context) -> None:
        self._context, self._watch, self._heard = context, Watch(), asyncio.Event()
        self.answers: Answers = {GetHealth: self._answer}

    async def hear(self, event: Event) -> None:
        if isinstance(event, Heartbeat):
            self._watch.hear(event, asyncio.get_running_loop().time())
            self._heard.set()

    async def run(self, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._heard.set())
        said: dict[str, tuple[str, int]] = {}
        say_at = loop.time()
        while not stop.is_set():
            self._heard.clear()
            now = loop.time()
            health = self.health()
            states = {one.daemon: (one.state, one.starts) for one in health.daemons}
            if states != said or now >= say_at:
                _log_changes(health, said)
                await self._context.bus.say(health)
                said, say_at = states, now + SAY_S
            deadline = self._watch.next_deadline(now)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(say_at if deadline is None else min(say_at, deadline)):
                    await self._heard.wait()

    def health(self) -> Health:
        """As of now."""
        return Health(at=time.time(), daemons=self._watch.health(asyncio.get_running_loop().time()))

    async def _answer(self, request: GetHealth) -> HealthReply:
        return HealthReply(health=self.health())


class Histories(Area):
    """What is kept of the lines."""

    def __init__(self, context: Context, lines: Lines) -> None:
        self._context, self._lines = context, lines
        self.answers: Answers = {GetLineHistory: self._answer}

    async def hear(self, event: Event) -> None:
        bus, lines = self._context.bus, self._lines
        match event:
            case SpanSecond():
                await lines.heard(bus, event)
            case SpanState():
                for failure in lines.state(asyncio.get_running_loop().time(), event):
                    log.warning("span %s: %s %s", failure.span, failure.alarm.upper(),
                                "failure" if failure.declared else "cleared")
                    await bus.say(failure)
            case DaemonUp(daemon="spand"):
                await lines.catch_up(bus)

    async def run(self, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        await self._lines.catch_up(self._context.bus)
        while not stop.is_set():
            await self._lines.save(loop.time())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), SAVE_S)

    async def _answer(self, request: GetLineHistory) -> LineHistory:
        if request.span not in self._lines.spans:
            raise Refused(f"no span {request.span!r}, there are {', '.join(self._lines.spans)}")
        return self._lines.history(request.span)


class BackingUp(Area):
    """Backups, made by time or because people want one."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._backups = self.kept = Backups(
            context.state_dir, origin(context.config_path, context.run_dir), context.config.backup)
        self.maintenance: Maintenance | None = None                  # whose section is read again with ours
        self.also: dict[str, Snmp | Syslog | Console | Telemetry] = {}  # likewise, by their sections
        self.answers: Answers = {GetBackups: self._get, BackUp: self._begin, ReloadBackup: self._reload,
                                 TryBackup: self._try_out,
                                 SetBackupPassphrase: self._seal}

    def reply(self) -> BackupReply:
        return self._backups.reply(time.time())

    async def run(self, stop: asyncio.Event) -> None:
        await self._backups.run(stop, self._context.facts)

    async def _get(self, request: GetBackups) -> BackupReply:
        return self.reply()

    async def _begin(self, request: BackUp) -> Done:
        try:
            self._backups.begin()
        except BackupError as error:
            raise Refused(str(error)) from None
        return Done()

    async def _seal(self, request: SetBackupPassphrase) -> Done:
        try:                                      # Argon2id takes its time
            await asyncio.to_thread(self._backups.seal, request.passphrase)
        except BackupError as error:
            raise Refused(str(error)) from None
        return Done()

    async def _try_out(self, request: TryBackup) -> Done:
        try:
            self._backups.try_out(request.path)
        except BackupError as error:
            raise Refused(str(error)) from None
        return Done()

    async def _reload(self, request: ReloadBackup) -> Reloaded:
        context, backups, maintenance = self._context, self._backups, self.maintenance
        try:
            new = await asyncio.to_thread(context.read, request.candidate)
        except ConfigError as error:
            raise Refused(str(error)) from None
        now = {"backup": backups.config} | ({"maintenance": maintenance.config} if maintenance else {}) | {
            key: area.config for key, area in self.also.items()}
        changed = [key for key in changes(context.config.model_copy(update=now), new)
                   if key.partition(".")[0] in now]
        if not request.check:
            backups.config = new.backup
            if maintenance is not None:
                maintenance.config = new.maintenance
            for key, area in self.also.items():
                area.take(getattr(new, key))
        return Reloaded(document=str(context.config_path), changed=changed)


def _log_changes(health: Health, said: dict[str, tuple[str, int]]) -> None:
    for one in health.daemons:
        state, starts = said.get(one.daemon, ("", 0))
        if one.state == UP and (state, starts) != (UP, one.starts):
            again = f", start {one.starts} since boxd watches" if one.starts > 1 else ""
            log.info("%s is up, pid %d%s", one.daemon, one.pid, again)
        elif one.state in (LATE, DOWN) and one.state != state:
            log.warning("%s is %s, pid %d: no heartbeat", one.daemon, one.state, one.pid)


def main(argv: list[str] | None = None) -> int:
    return run("boxd", serve, argv)


if __name__ == "__main__":
    sys.exit(main())
