"""recordd: every recording, from the ring into the journal, a file, the archive, and to its end. Never in the
audio path.
"""

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    Event,
    GetRecorder,
    GetRecording,
    OpenRecording,
    ReadRecording,
    RecordedFactsChanged,
    RecorderChanged,
    Reloaded,
    ReloadRecorder,
    Reply,
    Request,
)
from appliance.bus.runner import Context
from appliance.bus.runner import main as run
from appliance.config.changes import changes
from appliance.errors import BranchlineError, ConfigError, StateError, Unavailable
from appliance.recording import lending
from appliance.recording.alarms import Warnings
from appliance.recording.archive import tending as archive_tending
from appliance.recording.catalogue import checking, importing, learning, rows
from appliance.recording.catalogue import requests as catalogue
from appliance.recording.catalogue.outages import SpandWatch
from appliance.recording.catalogue.schema import open_catalogue
from appliance.recording.catalogue.tending import forget
from appliance.recording.finishing import ended_tick
from appliance.recording.folders import make_folder
from appliance.recording.journal.journal import Journal
from appliance.recording.journal.taker import Taker
from appliance.recording.life import requests as life
from appliance.recording.life import tending as life_tending
from appliance.recording.limits import refuse_unbounded
from appliance.recording.parts import Answers, Ask, Parts
from appliance.recording.prompts import requests as prompts
from appliance.recording.quality import requests as quality
from appliance.recording.quality import worklists
from appliance.recording.recorder import Recorder, Tend, in_a_line
from appliance.recording.store import Store
from appliance.recording.tap import Tap
from appliance.recording.vault import requests as vault
from appliance.recording.vault.chain import Chain
from appliance.recording.vault.keys import Keys
from appliance.recording.vault.tending import Tending
from appliance.store.sqlite import Database

ANSWERS: Answers = {
    **catalogue.ANSWERS, **vault.ANSWERS, **life.ANSWERS, **quality.ANSWERS, **lending.ANSWERS,
    **prompts.ANSWERS}
TENDS: dict[str, Tend] = {
    "facts": learning.learn, "count": checking.count_hours, "words": forget, "older": importing.tend,
    "life": life_tending.tend,
    "archive": archive_tending.tend, "quality": worklists.tend, "lent": lending.tend,
    "prompts": prompts.tend}
NOT_OPENED = (ConfigError, OSError, SQLAlchemyError)                 # of the catalogue
CATALOGUE_AGAIN_S = 5.0
WORKERS = 12                                      # each may want one of SQLAlchemy's 15 connections to a file
SECTIONS = ("recording", "retention", "archive", "quality")          # of the document, that recordd reads

log = logging.getLogger(__name__)


# Seconds at most on the indexes: no other request waits for longer ones, and they have a thread of their own.
QUICK = (GetRecorder, GetRecording, OpenRecording, ReadRecording)


async def serve(context: Context) -> None:
    """Take up what was cut off, then record until told to stop; live recordings stay as they are."""
    loop = asyncio.get_running_loop()
    folder = context.state_dir / "recordings"
    loop.set_default_executor(ThreadPoolExecutor(WORKERS, "work"))
    with _needed(folder):
        make_folder(folder)
    keys = Keys(folder / "keys")

    async def say() -> None:
        await context.bus.say(RecorderChanged(state=warn.state()))   # as it is when it is said

    def changed() -> None:
        asyncio.run_coroutine_threadsafe(say(), loop)

    warn = Warnings(time.time, changed)
    try:
        database = await asyncio.to_thread(open_catalogue, folder)
    except NOT_OPENED as error:
        # Calls are recorded all the same: what is said now cannot be said again.
        warn("catalogue", f"recordings are kept in the journal only: {in_a_line(error)}")
        database = None
    journal = Journal(folder / "journal", keys, time.time_ns)
    with _needed(folder):
        taker = await asyncio.to_thread(Taker, journal, _finished_until(database))
    if journal.unread:
        warn("journal", f"{len(journal.unread)} files of the journal cannot be read, and stay as they are: "
             f"{journal.unread[0]}: see to the disk and to the keys, then start recordd anew")
    tap = Tap(context.run_dir / "ring")
    if database is None:
        await context.bus.answer(_without_catalogue(warn))
        await context.up()
        context.keep(_start_anew_with_catalogue(context, folder))
        return await Recorder(context, taker, tap, warn, None, dict).run()
    parts = Parts(
        folder=folder, run_dir=context.run_dir, config=context.config, now=time.time,
        ask=_asking(context.bus, loop), database=database, warn=warn, keys=keys, chain=Chain(keys),
        store=Store(folder, keys), taker=taker)
    tending = Tending(keys, folder, journal.wrapped_by)
    recorder = Recorder(context, taker, tap, warn, parts, tending.figures)
    quick = ThreadPoolExecutor(1, "quick")

    async def answer(request: Request[Any]) -> Reply:
        if isinstance(request, GetRecorder):
            return warn.state()
        if isinstance(request, ReloadRecorder):
            return await _reload(context, parts, recorder, request)
        try:
            reply = await loop.run_in_executor(quick if isinstance(request, QUICK) else None,
                                               carry_out, parts, request)
        except (BranchlineError, OSError, SQLAlchemyError) as error:
            raise Refused(in_a_line(error)) from None
        for event in prompts.changed(request):
            await context.bus.say(event)
        return reply

    async def hear(event: Event) -> None:
        if isinstance(event, RecordedFactsChanged):
            recorder.kick()

    watch = SpandWatch(parts)

    async def hear_spand(event: Event) -> None:
        await asyncio.to_thread(watch.hear, event, time.time())

    await context.bus.hear("acdd", hear)
    await context.bus.hear("spand", hear_spand)
    await context.bus.answer(answer, beside=[kind for kind in ANSWERS if kind not in QUICK])
    await context.up()
    for area, act in TENDS.items():
        context.keep(recorder.tend(area, act))
    context.keep(recorder.tend("vault", tending.tend))
    try:
        await recorder.run()
        await asyncio.to_thread(tending.end, parts, time.time())
    finally:
        parts.stopping.set()
        parts.tickets.close()
        quick.shutdown(wait=False, cancel_futures=True)
        database.close()


def carry_out(parts: Parts, request: Request[Any]) -> Reply:
    """What was asked is done. StateError: it is refused, and nothing has changed."""
    if (act := ANSWERS.get(type(request))) is None:
        raise StateError(f"{type(request).__name__}: recordd does not do that")
    refuse_unbounded(request)
    return act(parts, request)


async def _reload(context: Context, parts: Parts, recorder: Recorder, asked: ReloadRecorder) -> Reloaded:
    try:
        new = await asyncio.to_thread(context.read, asked.candidate)
    except ConfigError as error:
        raise Refused(str(error)) from None
    changed = [key for key in changes(parts.config, new) if key.partition(".")[0] in SECTIONS]
    if not asked.check:
        parts.config = new
        recorder.kick()
    return Reloaded(document=str(context.config_path), changed=changed)


def _finished_until(database: Database | None) -> Callable[[str], int | None]:
    def until(recording: str) -> int | None:
        if database is None:
            return None
        try:
            with database.read() as connection:
                row = rows.get(connection, recording)
        except SQLAlchemyError as error:
            log.warning("%s: taken as new: %s", recording, in_a_line(error))
            return None
        return None if row is None else ended_tick(row)
    return until


@contextlib.contextmanager
def _needed(folder: Path) -> Iterator[None]:
    """Unavailable: without it nothing can be recorded; whoever started us tries again."""
    try:
        yield
    except OSError as error:
        raise Unavailable(f"{error.filename or folder}: recordings cannot be kept: {error.strerror}: mend "
                          "the disk, or its owner and mode") from None


async def _start_anew_with_catalogue(context: Context, folder: Path) -> None:
    """End when it can be opened again: the next start takes up all that is in the journal."""
    opened = False
    while not opened:
        await asyncio.sleep(CATALOGUE_AGAIN_S)
        try:
            database = await asyncio.to_thread(open_catalogue, folder)
        except NOT_OPENED:
            continue
        database.close()
        opened = True
    log.info("the catalogue can be opened again: recordd starts anew")
    context.stop.set()


def _asking(bus: Bus, loop: asyncio.AbstractEventLoop) -> Ask:
    def ask(request: Request[Any], timeout_s: float = 2.0) -> Any:
        return asyncio.run_coroutine_threadsafe(bus.ask(request, timeout_s), loop).result()
    return ask


def _without_catalogue(warn: Warnings) -> Callable[[Request[Any]], Awaitable[Reply]]:
    async def answer(request: Request[Any]) -> Reply:
        if isinstance(request, GetRecorder):
            return warn.state()
        raise Refused("recordings cannot be looked at: " + warn.state().warnings[0].text)
    return answer


def main(argv: list[str] | None = None) -> int:
    return run("recordd", serve, argv)


if __name__ == "__main__":
    sys.exit(main())
