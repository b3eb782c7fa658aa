"""The maintenance log: what is counted, when its record is due whatever the clock does, what stays."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from appliance.box.maintenance import area as area_module
from appliance.box.maintenance.area import Maintenance
from appliance.box.maintenance.book import FILE, Book, open_book
from appliance.box.maintenance.lists import ITEMS, Facts, asked, mistake
from appliance.box.maintenance.record import (
    MOST_NAMES,
    Tally,
    Watch,
    is_due,
    is_late,
    last_due,
    next_due,
    record,
)
from appliance.box.storage.devices import devices
from appliance.box.storage.forecast import DAY_S, forecast
from appliance.box.storage.used import look
from appliance.bus.client import Bus, Refused
from appliance.bus.messages import (
    AddMaintenance,
    BackupReply,
    Checked,
    DaemonHealth,
    Event,
    Figures,
    Fitness,
    FitnessReason,
    GetFigures,
    GetMaintenance,
    GetMaintenanceLists,
    GetStorage,
    Hardware,
    Health,
    LineFailure,
    MaintenanceEntry,
    MaintenanceReply,
    MaintenanceWritten,
    Reading,
    Reply,
    Request,
    StorageState,
    WallClock,
)
from appliance.bus.runner import Context
from appliance.config.schema import Config, SpanConfig
from e1_driver.watch.bins import Bin, End

CONFIG = Config(spans=[SpanConfig(name="e1", url="virtual:/tmp/none/a", side="user", trunk="telco")])
NO_BACKUP = BackupReply(path="", passphrase=False, running="", overdue=False, next_at=0.0, backups=[])


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def health(**starts: int) -> Health:
    return Health(at=0.0, daemons=[DaemonHealth(daemon=name, state="up", starts=count)
                                   for name, count in starts.items()])


def fitness(*reasons: str) -> Fitness:
    told = [FitnessReason(code=code, about="telco", state="degraded", since=0.0, detail="", text={},
                          action={}) for code in reasons]
    return Fitness(at=0.0, state="degraded" if reasons else "ok", since=0.0, fit=True, reasons=told,
                   powering_off=False)


def hardware(name: str, value: float) -> Hardware:
    return Hardware(at=0.0, board="x", readings=[Reading(name=name, unit="celsius", value=value)])


@pytest.mark.parametrize(("last", "now", "due", "late"), [
    ("2026-03-01T06:00:05", "2026-03-02T05:59:59", False, True),
    ("2026-03-01T06:00:05", "2026-03-02T06:00:00", True, False),
    ("2026-03-02T06:00:05", "2026-03-02T06:00:10", False, False),
    ("2026-03-02T06:00:05", "2026-03-05T11:00:00", True, True),      # three days without power: one record
    ("2026-03-02T12:00:00", "2026-03-02T23:00:00", False, True),     # set up at noon
    ("2026-03-02T06:00:01", "2026-03-02T05:59:58", False, True),     # the clock was set back a little
    ("2038-01-19T03:14:07", "2026-03-02T07:00:00", True, True),      # it was ahead: nobody waits until then
])
def test_when_a_record_is_due(last: str, now: str, due: bool, late: bool) -> None:
    assert is_due("06:00", at(last), at(now)) is due
    assert is_late("06:00", at(now)) is late
    assert last_due("06:00", at(now)) <= at(now) < next_due("06:00", at(now))


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("first", ["2026-03-27T12:00:00", "2026-10-23T12:00:00"])
@pytest.mark.parametrize("hour", ["00:00", "01:30", "02:00", "02:30", "02:59", "03:00", "06:00", "23:59"])
def test_one_record_a_day_over_both_changes_of_the_clock(berlin: None, first: str, hour: str) -> None:
    last, written = at(first), list[str]()
    for now in range(int(last), int(last) + 4 * 86_400, 300):
        assert last_due(hour, now) <= now < next_due(hour, now) <= now + 25 * 3600 + 1800
        if is_due(hour, last, now):
            last = now
            written.append(f"{datetime.fromtimestamp(now + 300):%m-%d}" if hour == "23:59" else
                           f"{datetime.fromtimestamp(now):%m-%d}")
    assert len(written) == len(set(written)) == 4


def test_a_clock_that_was_once_ahead_stops_no_record() -> None:
    last, written = at("2038-01-19T03:14:07"), 0
    for now in range(int(at("2026-03-02T12:00:00")), int(at("2026-03-05T12:00:00")), 300):
        if is_due("06:00", last, now):
            last, written = now, written + 1
    assert written == 4


def test_a_quarter_of_a_line_is_in_one_record_alone() -> None:
    quarters = [Bin(at=900 * number, length_s=900, near=End(measured_s=900, es=1, ses=0, uas=0))
                for number in range(10)]
    es = []
    for since, now in ((0.0, 2705.0), (2705.0, 5401.0), (5401.0, 8000.0)):
        found = record(Watch(Tally(since=since)), now, {"telco": quarters}, (0, 0), None, late=False)
        es.append(found.spans["telco"].es)
    assert es == [3, 3, 2]                        # the ninth still ran


def test_what_a_day_comes_to() -> None:
    watch = Watch(Tally(since=1000.0))
    assert not watch.hear(health(spand=1, acdd=4))                   # boxd's own beginning to watch
    assert watch.hear(health(spand=1, acdd=6))
    watch.hear(health(spand=2, acdd=6))
    watch.hear(fitness("line"))
    watch.hear(fitness("line"))
    watch.hear(fitness())
    assert watch.hear(fitness("line", "card"))
    watch.hear(LineFailure(span="telco", alarm="los", declared=True, since=0.0, at=0.0))
    watch.hear(LineFailure(span="telco", alarm="los", declared=False, since=0.0, at=0.0))
    for value in (40.0, 61.5, 50.0):
        watch.hear(hardware("board", value))
    watch.hear(WallClock(at=0.0, source="ntp", since=0.0, line_offset_s=-3.0))
    watch.up["telco"] = True
    bins = [Bin(at=0, length_s=900, near=End(measured_s=900, es=50)),          # before the tally began
            Bin(at=900, length_s=900, near=End(measured_s=900, es=2, ses=1, uas=0)),
            Bin(at=1800, length_s=900, near=End(measured_s=800, es=3))]
    found = record(watch, 2700.0, {"telco": bins, "new": []}, (100, 40), (7, 5), late=True)
    assert found.restarts == {"acdd": 2, "spand": 1} and found.alarms == {"line telco": 2, "card telco": 1}
    telco = found.spans["telco"]
    assert (telco.es, telco.ses, telco.uas, telco.failures, telco.up) == (5, 1, 0, 1, True)
    assert found.spans["new"].es is None and found.celsius == {"board": 61.5}
    assert (found.clock_offset_s, found.calls, found.disk_free, found.late) == (3.0, 7, 40, True)


def test_names_without_end_do_not_fill_the_box() -> None:
    watch = Watch(Tally(since=0.0))
    for number in range(MOST_NAMES * 3):
        watch.hear(LineFailure(span=f"s{number}", alarm="los", declared=True, since=0.0, at=0.0))
    assert len(watch.tally.failures) == MOST_NAMES


def test_the_book_only_grows_and_keeps_what_was_counted(tmp_path: Path) -> None:
    book = Book(tmp_path / FILE)
    first = book.add(MaintenanceEntry(number=0, at=5.0, kind="repair", by="li", text="fan"), Tally(since=9.0))
    second = book.add(MaintenanceEntry(number=0, at=6.0, kind="record", by=""))
    assert (first.number, second.number) == (1, 2) and book.entry(2) is not None and book.entry(3) is None
    for query in ("UPDATE entries SET kind = 'change'", "DELETE FROM entries"):
        with pytest.raises(sqlite3.Error, match="only grows"):
            book._base.execute(query)
    book.close()
    book = Book(tmp_path / FILE)
    assert [one.number for one in book.entries(0, 0, 9)] == [2, 1] == [
        one.number for one in book.entries(5.0, 7.0, 9)]
    assert [one.text for one in book.entries(0, 6.0, 9)] == ["fan"] and book.entries(0, 0, 1)[0].number == 2
    tally = book.tally()
    assert tally is not None and tally.since == 9.0
    book.close()


def test_a_file_of_others_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all" * 100)
    book = open_book(tmp_path)
    assert (tmp_path / f"{FILE}.damaged").exists() and book.entries(0, 0, 9) == []
    book.close()


def test_lists_are_filled_from_what_the_box_knows() -> None:
    nothing = asked("monthly", Facts(now=0.0))
    assert {one.found for one in nothing} == {""} and len(nothing) > 15
    facts = Facts(now=0.0, health=health(spand=1), fitness=fitness("line"), backup=NO_BACKUP)
    found = {one.item: (one.found, one.box) for one in asked("weekly", facts)}
    assert found["daemons"] == ("good", "1") and found["condition"] == ("bad", "line telco")
    assert found["backup"][0] == "bad" and found["call-in"] == ("", "")
    assert all(set(item.text) == {"zh", "en"} and item.lists for item in ITEMS.values())


@pytest.mark.parametrize(("changes", "why"), [
    ({"kind": "record"}, "one of daily"), ({"by": ""}, "who did it"), ({"by": "x" * 65}, "who did it"),
    ({"text": " \n"}, "say it"), ({"text": "x" * 2001}, "at most"), ({"text": "a\x1b[2J"}, "control"),
    ({"corrects": 3}, "correction names"), ({"kind": "correction"}, "correction names"),
    ({"kind": "weekly"}, "missing: "),
    ({"checked": [Checked(item="disk", result="good")]}, "no list of items"),
])
def test_what_is_no_entry(changes: dict[str, Any], why: str) -> None:
    whole: dict[str, Any] = {
        "kind": "repair", "by": "li", "text": "fan", "note": "", "checked": [], "corrects": 0}
    assert mistake(**whole) == ""
    assert why in mistake(**whole | changes)


class Acdd:
    def __init__(self, bus: Bus) -> None:
        self.asked: list[Request[Any]] = []

    async def answer(self, request: Request[Any]) -> Reply:
        self.asked.append(request)
        if not isinstance(request, GetFigures):
            raise Refused("no")
        return Figures(at=0.0, definitions=[], rows=[])


async def test_the_record_comes_by_itself_and_is_said_when_it_is_kept(
        bus_server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time jumps: four days pass while the box is off, boxd is killed and comes back."""
    monkeypatch.setattr(area_module, "SETTLE_S", 0.01)
    boxd, webui, other = [await Bus.connect(bus_server, name) for name in ("boxd", "webui", "acdd")]
    acdd = Acdd(other)
    await other.answer(acdd.answer)
    said: asyncio.Queue[Event] = asyncio.Queue()
    await webui.hear("boxd", said.put)

    async def life(now: float, act: Any = None) -> list[MaintenanceEntry]:
        context = Context("boxd", CONFIG, tmp_path, bus_server, boxd, asyncio.Event())
        area = Maintenance(context, lambda: {"telco": []}, lambda: NO_BACKUP, lambda: now)
        running = asyncio.create_task(area.run(context.stop))
        await area.hear(health(spand=1))
        if act is not None:
            await act(area)
        reply = await area.answers[GetMaintenance](GetMaintenance(most=100))
        assert isinstance(reply, MaintenanceReply)
        context.stop.set()
        await running
        return reply.entries

    async def wait_for_word(area: Maintenance) -> None:
        async with asyncio.timeout(10):
            while not isinstance(await said.get(), MaintenanceWritten):
                pass

    assert await life(at("2026-03-02T12:00:00")) == []
    (first,) = await life(at("2026-03-06T09:30:00"), wait_for_word)
    assert first.record is not None and first.record.late and first.record.box_starts == 2
    assert (first.record.since, first.record.calls) == (at("2026-03-02T12:00:00"), 0)
    asked_for = acdd.asked[-1]
    assert isinstance(asked_for, GetFigures) and asked_for.since == at("2026-03-02T12:00:00")
    assert len(await life(at("2026-03-06T10:00:00"))) == 1           # once for its day
    assert len(await life(at("2026-03-05T22:00:00"))) == 1           # nor when the clock goes back

    async def write(area: Maintenance) -> None:
        add = area.answers[AddMaintenance]
        with monkeypatch.context() as blind:      # the disk is looked through for lists alone
            blind.setattr(area.disk, "state", None)
            await add(AddMaintenance(kind="change", by="li", text="new cable"))
        assert set(area.beside) == set(area.answers)                 # nobody's page waits for them
        await add(AddMaintenance(kind="repair", by="li", text="fan"))
        with pytest.raises(Refused, match="there is no entry 99"):
            await add(AddMaintenance(kind="correction", by="li", text="x", corrects=99))
        await add(AddMaintenance(kind="correction", by="li", text="x", corrects=2))
        lists = await area.answers[GetMaintenanceLists](GetMaintenanceLists())
        names = [one.item for one in lists.items["weekly"]]          # type: ignore[attr-defined]
        await add(AddMaintenance(kind="weekly", by="li", text="", checked=[
            Checked(item=name, result="good", box="forged") for name in names]))
        disk = await area.disk.answers[GetStorage](GetStorage())
        assert isinstance(disk, StorageState) and disk.total > disk.free > 0
    entries = await life(at("2026-03-06T11:00:00"), write)
    assert [one.kind for one in entries] == ["weekly", "correction", "repair", "change", "record"]
    assert "forged" not in {one.box for one in entries[0].checked}
    for bus in (boxd, webui, other):
        await bus.close()


def test_when_the_disk_is_full() -> None:
    now, gb = 100 * DAY_S, 10 ** 9
    seen = [(now - day * DAY_S, 100 * gb, 40 * gb + day * gb) for day in range(10)]
    found = forecast(seen, now)
    assert found is not None and abs(found.growth_octets_day - gb) < 1 and found.days == 9
    assert abs(found.full_at - (now + 40 * DAY_S)) < 60
    assert forecast(seen[:2], now) is None and forecast([], now) is None
    flat = forecast([(at, total, 40 * gb) for at, total, _ in seen], now)
    assert flat is not None and flat.full_at == 0.0
    assert forecast([*seen, (now + 1, 200 * gb, 1 * gb)], now) is None         # another disk: anew


@pytest.mark.parametrize(("life_time", "pre_eol", "share", "wear"), [
    ("0x02 0x01", "0x01", 0.2, "good"), ("0x0a 0x01", "0x01", 1.0, "worn"),
    ("0x0b 0x0b", "0x01", 1.1, "urgent"), ("0x01 0x01", "0x03", 0.1, "urgent"),
    ("0x00 0x00", "0x00", None, "unknown"), ("junk", "", None, "unknown"),
    ("0xff 0x01", "0x02", 0.1, "worn"), ("", "", None, "unknown")])
def test_wear_as_the_kernel_tells_it(
        tmp_path: Path, life_time: str, pre_eol: str, share: float | None, wear: str) -> None:
    block = tmp_path / "block/mmcblk0"
    (block / "device").mkdir(parents=True)
    for name, text in (("device/life_time", life_time), ("device/pre_eol_info", pre_eol), ("size", "2048"),
                       ("device/type", "MMC"), ("device/name", "DG4064"),
                       ("stat", "1 2 3 4 5 6 1000 8 9 10 11")):
        (block / name).write_text(text + "\n")
    (tmp_path / "block/loop0").mkdir()
    (tmp_path / "block/mmcblk0boot0").mkdir()
    (found,) = devices(tmp_path)
    assert (found.kind, found.octets, found.written_octets) == ("eMMC", 2048 * 512, 1000 * 512)
    assert (found.used_share, found.wear) == (share, wear)
    assert devices(tmp_path / "none") == []


def test_what_takes_the_room_and_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "recordings/2026").mkdir(parents=True)
    (tmp_path / "recordings/2026/a.blr").write_bytes(bytes(100_000))
    (tmp_path / "recordings/loop").symlink_to("/")
    (tmp_path / "acd.sqlite").write_bytes(bytes(50_000))
    disk = look(tmp_path, tmp_path / "none")
    assert 100_000 <= disk.uses["recordings"] < 250_000 and 50_000 <= disk.uses["events"] < 100_000
    assert disk.uses["updates"] == 0 and disk.uses["others"] > 0
    assert sum(disk.uses.values()) <= disk.total and time.time() > 0
