"""The maintenance log on the bus: the daily record in time, people's entries; on the disk before said."""

import asyncio
import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from appliance.box.area import Answers, Area
from appliance.box.maintenance.book import open_book
from appliance.box.maintenance.lists import LISTS, Facts, asked, mistake
from appliance.box.maintenance.record import Tally, Watch, is_due, is_late, next_due, record
from appliance.box.storage.area import Storage
from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    AddedMaintenance,
    AddMaintenance,
    BackupReply,
    CardState,
    Event,
    GetFigures,
    GetMaintenance,
    GetMaintenanceLists,
    Hardware,
    MaintenanceEntry,
    MaintenanceLists,
    MaintenanceReply,
    MaintenanceWritten,
    SelfChecked,
    SpanState,
    UpdateState,
)
from appliance.bus.messages.maintenance import CHECKS, MOST_ENTRIES
from appliance.bus.runner import Context
from e1_driver.watch.bins import QUARTER_S, Bin

KEEP_S = 300.0                                    # what is counted goes to the disk, and at the end
SETTLE_S = 60.0                                   # after boxd's start: the others have said how they are
ASK_S = 20.0
LONGEST_S = 100 * 86_400.0                        # that calls are counted back
_CALLS, _ANSWERED = ("in_calls", "out_calls"), ("in_answered", "out_answered")

log = logging.getLogger(__name__)

Lines = Callable[[], Mapping[str, Sequence[Bin]]]


class Maintenance(Area):
    def __init__(self, context: Context, lines: Lines, backup: Callable[[], BackupReply],
                 clock: Callable[[], float] = time.time) -> None:
        """`lines`: the quarters of each span; `backup`: how backups stand. Unavailable: no log."""
        self._context, self._lines, self.backup, self._clock = context, lines, backup, clock
        self.config = context.config.maintenance  # replaced when the document is read again
        self.disk = Storage(context, self._seen)
        self._book = self.book = open_book(context.state_dir)
        tally = self._book.tally() or Tally(since=clock())
        tally.box_starts += 1
        self._watch = Watch(tally)
        self._dirty, self._writing = True, asyncio.Lock()
        self._spans: dict[str, SpanState] = {}
        self._cards: dict[str, CardState] = {}
        self._hardware: Hardware | None = None
        self._update: UpdateState | None = None
        self.answers: Answers = {GetMaintenance: self._get, AddMaintenance: self._add,
                                 GetMaintenanceLists: self._get_lists}
        # They read the disk, and look through all of it.
        self.beside = tuple(self.answers)

    def _seen(self) -> list[tuple[float, int, int]]:
        """Of the disk: when, total, free; of the daily records."""
        return [(one.at, one.record.disk_total, one.record.disk_free)
                for one in self._book.last("record", 40) if one.record and one.record.disk_total]

    async def hear(self, event: Event) -> None:
        match event:
            case SpanState():
                self._spans[event.span] = event
                self._watch.up[event.span] = event.up
            case CardState():
                self._cards[event.card] = event
            case Hardware():
                self._hardware = event
            case UpdateState():
                self._update = event
        self._dirty |= self._watch.hear(event)

    async def run(self, stop: asyncio.Event) -> None:
        """Sleeps until something is due; a clock that is set is noticed within KEEP_S."""
        wait_s = SETTLE_S
        try:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), wait_s)
                    break
                await self._due(self.config.at)
                now = self._clock()
                wait_s = max(1.0, min(KEEP_S, next_due(self.config.at, now) - now + 1.0))
        finally:
            await asyncio.to_thread(self._keep)
            self._book.leave()

    async def _due(self, hour: str) -> None:
        now = self._clock()
        if not is_due(hour, self._watch.tally.since, now):
            await asyncio.to_thread(self._keep)
            return
        entry = MaintenanceEntry(number=0, at=now, kind="record", by="", record=record(
            self._watch, now, self._lines(), _disk(self._context), await self._calls(now),
            is_late(hour, now)))
        try:
            await asyncio.to_thread(self._book.add, entry, Tally(since=now))
        except sqlite3.Error as error:
            log.error("maintenance: the record of the day is not kept: %s", error)
            return                                # the next turn tries again
        self._watch.begin(now)
        log.info("maintenance: the record since %s is kept", time.strftime(
            "%Y-%m-%d %H:%M", time.localtime(entry.record.since if entry.record else now)))
        await self.said(entry)

    async def _calls(self, now: float) -> tuple[int, int] | None:
        """Of all trunks since the last record, by whole quarters, as reports count them."""
        since = max(self._watch.tally.since, now - LONGEST_S) // QUARTER_S * QUARTER_S
        until = now // QUARTER_S * QUARTER_S
        if until <= since:
            return 0, 0
        try:
            found = await self._context.bus.ask(GetFigures(of="trunk", since=since, until=until), ASK_S)
        except BusError as error:
            log.warning("maintenance: calls of the day are not known: %s", error)
            return None
        kinds = [one.name for one in found.definitions]
        whole = next((row for row in found.rows if not row.name), None)
        tops = {} if whole is None else {
            kind: int(value.top) for kind, value in zip(kinds, whole.values, strict=True)}
        came, answered = (sum(tops.get(one, 0) for one in names) for names in (_CALLS, _ANSWERED))
        return came, answered

    def _keep(self) -> None:
        if not self._dirty:
            return
        try:
            self._book.keep(self._watch.tally)
            self._dirty = False
        except sqlite3.Error as error:
            log.error("maintenance: what was counted is not kept: %s", error)

    async def _get(self, request: GetMaintenance) -> MaintenanceReply:
        if not 1 <= request.most <= MOST_ENTRIES:
            raise Refused(f"most {request.most}: from 1 to {MOST_ENTRIES}")
        try:
            found = await asyncio.to_thread(
                self._book.entries, request.since, request.until, request.most + 1)
            found, more = found[:request.most], len(found) > request.most
            signed = await asyncio.to_thread(self._book.signatures, found)
        except sqlite3.Error as error:
            raise Refused(f"the log cannot be read: {error}") from None
        return MaintenanceReply(entries=found, more=more, signed=signed)

    async def _add(self, request: AddMaintenance) -> AddedMaintenance:
        if wrong := mistake(request.kind, request.by, request.text, request.note, request.checked,
                            request.corrects, request.signs):
            raise Refused(wrong)
        says = {}
        if request.kind in LISTS:
            says = {one.item: one.box for one in asked(request.kind, await self.facts())}
        checked = [msgspec.structs.replace(one, box=says.get(one.item, "")) for one in request.checked]
        entry = MaintenanceEntry(
            number=0, at=self._clock(), kind=request.kind, by=request.by, text=request.text.strip(),
            note=request.note.strip(), corrects=request.corrects, signs=request.signs, checked=checked)
        try:
            async with self._writing:             # nobody signs an entry twice
                await self._names_one(entry)
                entry = await asyncio.to_thread(self._book.add, entry)
        except sqlite3.Error as error:
            raise Refused(f"not written: {error}") from None
        await self.said(entry)
        return AddedMaintenance(number=entry.number)

    async def _names_one(self, entry: MaintenanceEntry) -> None:
        """What it corrects or signs. Refused: there is no such entry, or it is signed by the same person."""
        if not (number := entry.corrects or entry.signs):
            return
        named = await asyncio.to_thread(self._book.entry, number)
        if named is None:
            raise Refused(f"there is no entry {number}")
        if not entry.signs:
            return
        if named.kind == "signature":
            raise Refused(f"entry {number} is a signature itself")
        signed = await asyncio.to_thread(self._book.signatures, [named])
        if any(one.by == entry.by for one in signed.get(str(number), ())):
            raise Refused(f"entry {number} has your name already")

    async def _get_lists(self, request: GetMaintenanceLists) -> MaintenanceLists:
        facts = await self.facts()
        last = {kind: next((one.at for one in await self._last(kind)), 0.0) for kind in LISTS}
        return MaintenanceLists(items={kind: asked(kind, facts) for kind in LISTS}, last=last)

    @property
    def since(self) -> float:
        """When what is counted began to be."""
        return self._watch.tally.since

    async def facts(self, disk: bool = True) -> Facts:
        """Without `disk` what lies on it is not counted, which takes a while."""
        try:
            storage = await self.disk.state() if disk else None
        except OSError:
            storage = None
        return Facts(
            now=self._clock(), health=self._watch.health, fitness=self._watch.fitness,
            hardware=self._hardware, clock=self._watch.clock, spans=self._spans, cards=self._cards,
            update=self._update, backup=self.backup(), storage=storage,
            records=await self._last("record", 31), looked=await self._looked())

    async def _looked(self) -> dict[str, SelfChecked]:
        """What the box's own rounds found last of each item."""
        entries = [entry for kind in CHECKS.values() for entry in await self._last(kind)]
        return {one.item: one for entry in sorted(entries, key=lambda entry: entry.number) if entry.check
                for one in entry.check.results}

    async def _last(self, kind: str, most: int = 1) -> list[MaintenanceEntry]:
        try:
            return await asyncio.to_thread(self._book.last, kind, most)
        except sqlite3.Error as error:
            raise Refused(f"the log cannot be read: {error}") from None

    async def said(self, entry: MaintenanceEntry) -> None:
        """It is on the disk."""
        await self._context.bus.say(MaintenanceWritten(number=entry.number, at=entry.at))


def _disk(context: Context) -> tuple[int, int]:
    """Total and free; noughts: it does not answer."""
    try:
        found = os.statvfs(context.state_dir)
    except OSError:
        return 0, 0
    return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
