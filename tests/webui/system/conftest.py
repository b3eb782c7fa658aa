"""boxd as the pages of upkeep ask it: logs, disk, maintenance, backups."""

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from appliance.box.maintenance.findings import Found, checked
from appliance.box.maintenance.lists import Facts, asked, mistake
from appliance.bus.client import Refused
from appliance.bus.messages import (
    AddedMaintenance,
    AddMaintenance,
    BackUp,
    BackupInfo,
    BackupReply,
    BeginSelfCheck,
    DayRecord,
    Done,
    GetBackups,
    GetLogs,
    GetMaintenance,
    GetMaintenanceLists,
    GetPurgeForecast,
    GetRoutine,
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
    RoutineKind,
    RoutineReply,
    RoutineState,
    SelfCheck,
    SelfChecked,
    SetBackupPassphrase,
    Signature,
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
    rounds: list[RoutineState] = field(default_factory=list)
    signed: dict[str, list[Signature]] = field(default_factory=dict)
    going: str = ""                               # why no round can be begun
    failed: str = ""                              # why the last backup was not made

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
                return MaintenanceReply(entries=found, more=False, signed=self.signed)
            case GetRoutine():
                return RoutineReply(at=time.time(), record_at=time.time() + 3600, record=None,
                                    rounds=self.rounds, signed=self.signed)
            case BeginSelfCheck():
                if self.going:
                    raise Refused(self.going)
                self.asked.append(request)
                return Done()
            case GetMaintenanceLists():
                facts = Facts(now=time.time())
                return MaintenanceLists(items={kind: asked(kind, facts) for kind in ("weekly", "monthly")},
                                        last={"weekly": 0.0, "monthly": time.time()})
            case AddMaintenance():
                if wrong := mistake(request.kind, request.by, request.text, request.note, request.checked,
                                    request.corrects, request.signs):
                    raise Refused(wrong)
                self.asked.append(request)
                return AddedMaintenance(number=7)
            case GetBackups():
                return BackupReply(path="/media/usb", passphrase=True, running="", overdue=False, next_at=2e9,
                                   backups=[BackupInfo(kind="weekly", at=1.9e9, path="/media/usb/a.backup",
                                                       octets=GB, verified=True, tried_at=1.9e9,
                                                       error=self.failed)])
            case TryBackup() if request.path != "/media/usb/a.backup":
                raise Refused("no such backup was made, or it is gone")
            case BackUp() | TryBackup() | SetBackupPassphrase():
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


def looked() -> list[SelfChecked]:
    """What a round found: one of each result."""
    now = time.time()
    return [checked("programs", Found("good", "programs", "10/10", "10"), now, 0.01),
            checked("clock", Found("attend", "clock-battery", "rtc, +0.0 ms, RTC +0 s",
                                   "NTP/PTP, ±1 s, ±200 ppm, RTC ±10 s"), now, 0.0),
            checked("disk", Found("good", "disk", "62%, fsync 1.9 ms (7 ms), 44.1 MB/s",
                                  "10%, fsync 100 ms (2000 ms)"), now, 0.3),
            checked("call", Found("failed", "call-failed", "", "30 s, -45 dBm0", {
                "number": "12117", "trunk": "telco", "why": "was not answered in 30 s"}), now, 30.2),
            checked("wear", Found("undone", "wear-untold"), now, 0.0)]


def round_entry(number: int = 8, kind: RoutineKind = "weekly") -> MaintenanceEntry:
    return MaintenanceEntry(
        number=number, at=time.time(), kind="weekly-check" if kind == "weekly" else "monthly-check", by="",
        check=SelfCheck(due=time.time() - 60, began_at=time.time() - 60, late=True, results=looked()))


@pytest.fixture
def upkeep(exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> Upkeep:
    upkeep, other = Upkeep(), exchange.ask
    monkeypatch.setattr(exchange, "ask", lambda request, timeout_s=2.0: (
        upkeep.answer(request) or other(request, timeout_s)))
    return upkeep
