"""boxd: hears the other daemons live and says how they are; keeps the history of the lines; backs up."""

import asyncio
import contextlib
import logging
import sys
import time
from typing import Any

from appliance.box.backup.format import BackupError
from appliance.box.backup.tending import Backups
from appliance.box.health import DOWN, LATE, UP, Watch
from appliance.box.lines import Lines
from appliance.bus.client import Refused
from appliance.bus.messages import (
    BackUp,
    DaemonUp,
    Done,
    Event,
    GetBackups,
    GetHealth,
    GetLineHistory,
    Health,
    HealthReply,
    Heartbeat,
    ReloadBackup,
    Reloaded,
    Reply,
    Request,
    SpanSecond,
    SpanState,
)
from appliance.bus.runner import Context
from appliance.bus.runner import main as run
from appliance.config.backup import origin
from appliance.config.changes import changes
from appliance.errors import ConfigError, Unavailable
from appliance.store import LINES_FILE
from e1_driver.watch.history import HistoryError, Store

SAY_S = 2.0

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
        await _serve(context, Lines(store, [span.name for span in context.config.spans]))


async def _serve(context: Context, lines: Lines) -> None:
    """Say Health on change and every SAY_S until told to stop."""
    loop = asyncio.get_running_loop()
    watch, heard = Watch(), asyncio.Event()
    backups = Backups(context.state_dir, origin(context.config_path, context.run_dir), context.config.backup)

    async def hear(event: Event) -> None:
        match event:
            case Heartbeat():
                watch.hear(event, loop.time())
                heard.set()
            case SpanSecond():
                await lines.heard(context.bus, event)
            case SpanState():
                for failure in lines.state(loop.time(), event):
                    log.warning("span %s: %s %s", failure.span, failure.alarm.upper(),
                                "failure" if failure.declared else "cleared")
                    await context.bus.say(failure)
            case DaemonUp(daemon="spand"):
                await lines.catch_up(context.bus)

    async def answer(request: Request[Any]) -> Reply:
        match request:
            case GetHealth():
                return HealthReply(health=_health(watch, loop.time()))
            case GetBackups():
                return backups.reply(time.time())
            case BackUp():
                try:
                    backups.begin()
                except BackupError as error:
                    raise Refused(str(error)) from None
                return Done()
            case ReloadBackup(check=check):
                return await _reload(context, backups, check)
            case GetLineHistory(span=span):
                if span not in lines.spans:
                    raise Refused(f"no span {span!r}, there are {', '.join(lines.spans)}")
                return lines.history(span)
        raise Refused(f"{type(request).__name__}: boxd does not do that")

    await context.bus.hear("*", hear)
    await lines.catch_up(context.bus)
    await context.bus.answer(answer)
    await context.up()
    backing_up = context.keep(backups.run(context.stop, context.facts))
    stopping = asyncio.create_task(context.stop.wait())
    stopping.add_done_callback(lambda _: heard.set())
    said: dict[str, tuple[str, int]] = {}
    say_at = loop.time()
    while not context.stop.is_set():
        heard.clear()
        now = loop.time()
        health = _health(watch, now)
        states = {one.daemon: (one.state, one.starts) for one in health.daemons}
        if states != said or now >= say_at:
            _log_changes(health, said)
            await context.bus.say(health)
            said, say_at = states, now + SAY_S
        await lines.save(now)
        deadline = watch.next_deadline(now)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(say_at if deadline is None else min(say_at, deadline)):
                await heard.wait()
    await backing_up


async def _reload(context: Context, backups: Backups, check: bool) -> Reloaded:
    try:
        new = await asyncio.to_thread(context.read)
    except ConfigError as error:
        raise Refused(str(error)) from None
    old = context.config.model_copy(update={"backup": backups.config})
    changed = [key for key in changes(old, new) if key.startswith("backup.")]
    if not check:
        backups.config = new.backup
    return Reloaded(document=str(context.config_path), changed=changed)


def _health(watch: Watch, now: float) -> Health:
    return Health(at=time.time(), daemons=watch.health(now))


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
