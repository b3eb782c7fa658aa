"""boxd as the pages of upkeep ask it: logs, disk, maintenance, backups."""

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from appliance.box.maintenance.lists import Facts, asked, mistake
from appliance.bus.client import Refused
from appliance.bus.messages import (
    AddedMaintenance,
    AddMaintenance,
    BackUp,
    BackupInfo,
    BackupReply,
    DayRecord,
    Done,
    GetBackups,
    GetLogs,
    GetMaintenance,
    GetMaintenanceLists,
    GetPurgeForecast,
    GetSpace,
    GetStorage,
    LogLine,
    LogLines,
    MaintenanceEntry,
    MaintenanceLists,
    MaintenanceReply,
    PurgeReport,
    Reply,
    Request,
    SpaceInfo,
    SpanDay,
    StorageDevice,
    StorageState,
    TryBackup,
)
from tests.webui.conftest import FakeExchange

GB = 10 ** 9


@dataclass
class Upkeep:
    lines: list[LogLine] = field(default_factory=list)
    entries: list[MaintenanceEntry] = field(default_factory=list)
    storage: dict[str, Any] = field(default_factory=dict)
    asked: list[Request[Any]] = field(default_factory=list)
    source: str = "journal"

    def answer(self, request: Request[Any]) -> Reply | None:
        match request:
            case GetLogs():
                self.asked.append(request)
                return self._logs(request)
            case GetStorage():
                return self._storage()
            case GetSpace():
                return SpaceInfo(level="ok", total=64 * GB, free=40 * GB, recordings=9 * GB, journal=0,
                                 outbox=0, quota=0, held=GB, unarchived=0, unarchived_recordings=0,
                                 archived_recordings=0)
            case GetPurgeForecast():
                return PurgeReport(at=0.0, cause="asked", by=request.by, dry=True, rows=[], remains="")
            case GetMaintenance():
                found = [one for one in self.entries
                         if one.at >= request.since and (not request.until or one.at < request.until)]
                return MaintenanceReply(entries=found, more=False)
            case GetMaintenanceLists():
                facts = Facts(now=time.time())
                return MaintenanceLists(items={kind: asked(kind, facts) for kind in ("weekly", "monthly")},
                                        last={"weekly": 0.0, "monthly": time.time()})
            case AddMaintenance():
                if wrong := mistake(request.kind, request.by, request.text, request.note, request.checked,
                                    request.corrects):
                    raise Refused(wrong)
                self.asked.append(request)
                return AddedMaintenance(number=7)
            case GetBackups():
                return BackupReply(path="/media/usb", passphrase=True, running="", overdue=False, next_at=2e9,
                                   backups=[BackupInfo(kind="weekly", at=1.9e9, path="/media/usb/a.backup",
                                                       octets=GB, verified=True, tried_at=1.9e9)])
            case TryBackup() if request.path != "/media/usb/a.backup":
                raise Refused("no such backup was made, or it is gone")
            case BackUp() | TryBackup():
                self.asked.append(request)
                return Done()
        return None

    def _logs(self, request: GetLogs) -> LogLines:
        found = [one for one in self.lines if not request.programs or one.program in request.programs]
        if request.after:
            found = [one for one in found if float(one.place) > float(request.after)]
        if request.before:
            found = [one for one in found if float(one.place) < float(request.before)]
        more = len(found) > request.most
        found = found[:request.most]
        return LogLines(lines=found, more=more, place=found[-1].place if found else "",
                        newest=found[0].place if found else "", programs=["spand", "boxd", "kernel"],
                        source=self.source, since=0.0)

    def _storage(self) -> StorageState:
        facts: dict[str, Any] = {
            "at": time.time(), "total": 64 * GB, "free": 40 * GB, "read_only": False, "trouble": "",
            "errors": 0, "written_octets": 900 * GB, "growth_octets_day": 0.4 * GB, "days": 14,
            "full_at": time.time() + 100 * 86_400,
            "uses": {"recordings": 8 * GB, "events": GB, "traces": GB // 10, "backup": 0, "updates": 2 * GB,
                     "support": 0, "logs": 0, "others": 9 * GB},
            "devices": [StorageDevice(name="mmcblk0", kind="eMMC", model="DG4064", octets=64 * GB,
                                      wear="good", used_share=0.2, written_octets=3 * GB)]}
        return StorageState(**facts | self.storage)


def line(number: int, text: str, program: str = "spand", level: Any = "info") -> LogLine:
    return LogLine(at=1.9e9 + number, program=program, level=level, text=text, place=f"{1.9e9 + number:.6f}")


def day_record(**changes: Any) -> DayRecord:
    facts: dict[str, Any] = {
        "since": time.time() - 86_400, "daemons": {"spand": "up", "acdd": "down"}, "restarts": {"acdd": 2},
        "box_starts": 1, "spans": {"telco": SpanDay(measured_s=86_000, es=4, ses=1, uas=0, failures=1)},
        "celsius": {"board": 51.0}, "disk_total": 64 * GB, "disk_free": 40 * GB, "clock_source": "ntp",
        "clock_offset_s": 2.0, "calls": 1234, "answered": 1100, "alarms": {"line telco": 1},
        "fitness": "degraded"}
    return DayRecord(**facts | changes)


@pytest.fixture
def upkeep(exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> Upkeep:
    upkeep, other = Upkeep(), exchange.ask
    monkeypatch.setattr(exchange, "ask", lambda request, timeout_s=2.0: (
        upkeep.answer(request) or other(request, timeout_s)))
    return upkeep
