"""The pages of upkeep over what boxd says: lines found and taken home, disk, maintenance log, backups."""

import csv
import html
import io
import re
import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.box.maintenance.lists import mistake
from appliance.bus.messages import (
    AddMaintenance,
    BackUp,
    BeginSelfCheck,
    Checked,
    GetLogs,
    MaintenanceEntry,
    RoutineState,
    SetBackupPassphrase,
    Signature,
    StorageDevice,
)
from tests.webui.conftest import FakeExchange, token
from tests.webui.system.conftest import GB, Upkeep, day_record, line, looked, round_entry
from webui.access.audit import Asked
from webui.system.said import said

PAGES = ("/box/logs/", "/box/storage/", "/box/maintenance/", "/box/maintenance/sheet", "/box/backup/")


def words(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2])).split())


def send(client: FlaskClient, to: str, /, **form: Any) -> Any:
    return client.post(to, data=form | {"csrf_token": token(client, "/box/")})


@pytest.mark.parametrize("path", PAGES)
def test_no_page_needs_boxd_to_be_there(client: FlaskClient, exchange: FakeExchange, path: str) -> None:
    exchange.silent |= {"boxd", "recordd"}
    assert client.get(path).status_code == (503 if "logs" in path else 200)


def test_lines_are_found_by_what_the_form_says(client: FlaskClient, upkeep: Upkeep) -> None:
    upkeep.lines = [line(3, "<b>late</b> tick", level="error"), line(2, "up", "boxd")]
    said = words(client, "/box/logs/?program=spand&program=boxd&level=warning&text=Tick"
                         "&since=2026-03-01T10:00&until=2026-03-02T10:00")
    assert "<b>late</b> tick" in said and "kernel" in said
    (asked,) = upkeep.asked
    assert isinstance(asked, GetLogs)
    assert (asked.programs, asked.level, asked.text) == (["spand", "boxd"], "warning", "Tick")
    assert asked.until - asked.since == 86_400.0
    assert "<b>late" not in client.get("/box/logs/").text


def test_a_reason_of_the_box_leads_to_its_lines(client: FlaskClient, upkeep: Upkeep) -> None:
    words(client, "/box/logs/?around=1900000000&program=acdd")
    (asked,) = upkeep.asked
    assert isinstance(asked, GetLogs)
    assert asked.since < 1.9e9 < asked.until and asked.programs == ["acdd"]


@pytest.mark.parametrize(("query", "status"), [
    ("since=yesterday", 422), ("since=0001-01-01T00:00", 422), ("around=nan", 400), ("around=-1", 400),
    ("around=1e300", 400), ("level=loud", 200), ("text=" + "x" * 999, 200),
    ("&".join(f"program=p{number}" for number in range(200)), 200), ("before=%27%3B--", 200)])
def test_what_nobody_can_look_for_is_said(
        client: FlaskClient, upkeep: Upkeep, query: str, status: int) -> None:
    assert client.get(f"/box/logs/?{query}").status_code == status


def test_lines_are_taken_home_to_the_last(client: FlaskClient, upkeep: Upkeep) -> None:
    upkeep.lines = [line(number, f"line {number}") for number in range(1200, 0, -1)]
    answer = client.get("/box/logs/log.txt")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=branchline-log-")
    lines = answer.text.splitlines()
    assert len(lines) == 1200 and "line 1200" in lines[0] and lines[-1].endswith("line 1")
    assert "Lines of the log taken home" in words(client, "/log/")


def test_new_lines_come_by_themselves(client: FlaskClient, upkeep: Upkeep) -> None:
    upkeep.lines = [line(1, "first")]
    answer = client.get("/box/logs/events?program=spand", buffered=False)
    events = answer.iter_encoded()
    said = b"".join(next(events) for _ in range(2))
    assert b"first" in said
    answer.close()
    assert client.get("/box/logs/events?since=never").status_code == 400


def test_a_machine_without_a_log_says_so(client: FlaskClient, upkeep: Upkeep) -> None:
    upkeep.source = ""
    assert "keeps no log" in words(client, "/box/logs/")


def test_the_disk_with_its_uses_its_wear_and_when_it_is_full(client: FlaskClient, upkeep: Upkeep) -> None:
    said = words(client, "/box/storage/")
    for part in ("40.0 GB of 64.0 GB free", "recordings 9.0 GB", "mmcblk0 DG4064", "20 %", "400.0 MB",
                 "can be written", "14 days"):
        assert part in said, part
    text = client.get("/box/storage/?forecast=yes").text
    assert "style=" not in text and 'class="use-recordings"' in text


@pytest.mark.parametrize(("changes", "says"), [
    ({"read_only": True}, "can only be read"), ({"trouble": "No space left"}, "Nothing can be written"),
    ({"free": 3 * GB}, "Little room is left"), ({"full_at": time.time() + 86_400}, "full within a month"),
    ({"growth_octets_day": None, "full_at": 0.0}, "it takes three days"), ({"errors": 3}, "counted errors"),
    ({"total": 0, "free": 0}, "What takes the room"), ({"devices": []}, "The kernel tells of none"),
    ({"devices": [StorageDevice(name="m", kind="eMMC", wear="urgent", used_share=1.1)]}, "end of its life"),
    ({"devices": [StorageDevice(name="m", kind="eMMC", wear="worn", used_share=0.9)]},
     "plan its replacement")])
def test_what_is_to_be_done_about_the_disk(
        client: FlaskClient, upkeep: Upkeep, changes: dict[str, Any], says: str) -> None:
    upkeep.storage = changes
    assert says in words(client, "/box/storage/")


def test_a_month_its_days_its_entries_and_its_sheet(client: FlaskClient, upkeep: Upkeep) -> None:
    now = time.time()
    upkeep.entries = [
        MaintenanceEntry(number=3, at=now, kind="correction", by="li", text="the fan, not the card",
                         corrects=2),
        MaintenanceEntry(number=2, at=now, kind="repair", by="li", text="card replaced <i>", note="serial 7"),
        MaintenanceEntry(number=4, at=now, kind="weekly", by="li", checked=[
            Checked(item="daemons", result="good", box="6"),
            Checked(item="call-in", result="bad", remark="no audio")]),
        MaintenanceEntry(number=1, at=now, kind="record", by="", record=day_record())]
    said = words(client, "/box/maintenance/")
    for part in ("trouble", "1,234", "acdd (down)", "ES 4 · SES 1", "51 °C", "Correction", "of no. 2",
                 "1 item not in order", "no audio", "Weekly check · due", "+2 s against"):
        assert part in said, part
    assert "card replaced &lt;i&gt;" in client.get("/box/maintenance/").text
    assert "Done by, date, signature" in words(client, "/box/maintenance/sheet")
    client.set_cookie("language", "zh")
    paper = client.get("/box/maintenance/sheet.pdf")
    assert paper.data.startswith(b"%PDF") and paper.mimetype == "application/pdf"
    assert words(client, "/box/maintenance/?month=2026-02")
    assert client.get("/box/maintenance/?month=2026-13").status_code == 400


def test_an_entry_is_written_with_the_name_of_who_has_signed_in(client: FlaskClient, upkeep: Upkeep) -> None:
    add = "/box/maintenance/add"
    assert send(client, add, kind="repair", text="fan\r\nreplaced", by="root").status_code == 303
    asked = upkeep.asked[-1]
    assert isinstance(asked, AddMaintenance)
    assert (asked.by, asked.text, asked.kind) == ("admin", "fan\nreplaced", "repair")
    assert send(client, add, kind="repair", text="no, the card", corrects="2").status_code == 303
    asked = upkeep.asked[-1]
    assert isinstance(asked, AddMaintenance) and asked.kind == "correction"
    for form in ({"kind": "record", "text": "x"}, {"kind": "repair", "text": ""},
                 {"kind": "weekly", "text": "x"}, {"kind": "repair", "text": "x" * 3000},
                 {"kind": "repair", "text": "bad\x00"}):
        answer = send(client, add, **form)
        assert answer.status_code == 409 and "This was refused" in answer.text
    assert len(upkeep.asked) == 2


@pytest.mark.parametrize("wrong", [
    {"kind": "x"}, {"by": ""}, {"text": "x" * 3000}, {"text": "\x00"}, {"corrects": 3}, {"text": ""},
    {"checked": [Checked(item="disk", result="good")]}, {"kind": "weekly"}])
def test_why_no_entry_is_written_is_said_in_chinese(app: Flask, wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"kind": "repair", "by": "li", "text": "x", "note": "", "checked": [],
                             "corrects": 0}
    with app.test_request_context(headers={"Cookie": "language=zh"}):
        assert re.search("[\u4e00-\u9fff]", said(mistake(**given | wrong), str))
        assert "硬盘" in said("disk: say in the remark what is wrong", {"disk": "硬盘"}.__getitem__)


def test_a_list_wants_each_of_its_items(client: FlaskClient, upkeep: Upkeep) -> None:
    page = client.get("/box/maintenance/").text
    form = page.partition('name="kind" value="weekly"')[2].partition("</form>")[0]
    items = re.findall(r'name="item" value="([^"]+)"', form)
    results: dict[str, Any] = {f"result-{item}": "good" for item in items}
    assert send(client, "/box/maintenance/check", kind="weekly", item=items, **results).status_code == 303
    asked = upkeep.asked[-1]
    assert isinstance(asked, AddMaintenance) and [one.item for one in asked.checked] == items
    results["result-disk"] = "bad"
    answer = send(client, "/box/maintenance/check", kind="weekly", item=items, **results)
    assert answer.status_code == 409 and "Say in the remark what is wrong: " in answer.text
    assert "disk: say" not in answer.text
    assert send(client, "/box/maintenance/check", kind="weekly", item=items[1:], **results).status_code == 409


def test_backups_and_one_more(client: FlaskClient, upkeep: Upkeep) -> None:
    said = words(client, "/box/backup/")
    assert "/media/usb/a.backup" in said and "octet for octet" in said and "it holds" in said
    assert send(client, "/box/backup/now").status_code == 303
    assert isinstance(upkeep.asked[-1], BackUp)
    assert "backup restore /media/usb/a.backup --to" in said
    assert send(client, "/box/backup/try", path="/media/usb/a.backup").status_code == 303
    answer = send(client, "/box/backup/try", path="/etc/shadow")
    assert answer.status_code == 409 and "no such backup" in answer.text


def test_the_passphrase_of_backups_is_set_on_the_page(
        client: FlaskClient, upkeep: Upkeep, app: Flask) -> None:
    words_of_it = "eight calling birds"
    for wrong, given, again in (("at least 12", "one-bird", "one-bird"), ("differ", words_of_it, "birds")):
        answer = send(client, "/box/backup/passphrase", passphrase=given, again=again)
        assert answer.status_code == 422 and wrong in answer.text and given not in answer.text
    assert not upkeep.asked
    answer = send(client, "/box/backup/passphrase", passphrase=words_of_it, again=words_of_it)
    assert answer.status_code == 303
    assert upkeep.asked == [SetBackupPassphrase(passphrase=words_of_it)]
    assert words_of_it not in repr(upkeep.asked) and words_of_it not in client.get("/box/backup/").text
    entries = app.extensions["branchline"].audit.entries(Asked(acts=("backup-passphrase",)), 9)
    assert [bool(one.outcome) for one in entries] == [False, True, True]
    assert words_of_it not in repr(entries)


# --- the box's own rounds


def test_rounds_their_findings_and_who_signed_them(client: FlaskClient, upkeep: Upkeep) -> None:
    entry, now = round_entry(), time.time()
    upkeep.entries = [MaintenanceEntry(number=9, at=now, kind="signature", by="wang", signs=8), entry,
                      MaintenanceEntry(number=1, at=now, kind="record", by="", record=day_record())]
    upkeep.signed = {"8": [Signature(number=9, at=now, by="wang")]}
    upkeep.rounds = [
        RoutineState(kind="weekly", state="planned", next_at=now + 86_400, last=entry),
        RoutineState(kind="monthly", state="waiting", next_at=now, results=looked()[:2], left=["restore"])]
    said = words(client, "/box/maintenance/")
    for part in ("Weekly round of the box", "1 failed", "1 to be attended to", "1 could not be done",
                 "2 of 3 items done", "waits until calls", "fsync 1.9 ms", "call it from a telephone",
                 "late: it was not begun", "Signature of no. 8", "wang"):
        assert part in said, part
    page = client.get("/box/maintenance/").text
    assert page.count('name="signs"') == 2        # the record, and the round by a second person
    upkeep.signed["8"].append(Signature(number=10, at=now, by="admin"))
    assert client.get("/box/maintenance/").text.count('name="signs"') == 1
    assert "was not answered in 30 s" in words(client, "/box/maintenance/sheet")
    client.set_cookie("language", "zh")
    said = words(client, "/box/maintenance/")
    for part in ("设备每周自检", "1 项失败", "测试通话", "请用话机拨打该号码", "等待不影响通话的时刻"):
        assert part in said, part
    assert client.get("/box/maintenance/sheet.pdf").data.startswith(b"%PDF")


def test_the_month_as_a_table(client: FlaskClient, upkeep: Upkeep) -> None:
    now = time.time()
    upkeep.entries = [
        MaintenanceEntry(number=4, at=now, kind="weekly", by="li", text="all of it", checked=[
            Checked(item="call-in", result="bad", remark="=no audio")]),
        MaintenanceEntry(number=3, at=now, kind="repair", by="li", text="=1+1", note="n"), round_entry(2),
        MaintenanceEntry(number=1, at=now, kind="record", by="", record=day_record())]
    upkeep.signed = {"2": [Signature(number=9, at=now, by="wang")]}
    answer = client.get("/box/maintenance/sheet.csv")
    assert answer.mimetype == "text/csv" and "maintenance-20" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert {len(row) for row in rows} == {11}
    assert [row[0] for row in rows[1:]] == ["1", *"22222", "3", "4", "4"]
    call = next(row for row in rows if row[4] == "test call")
    assert call[5] == "failed" and call[7].startswith("30 s") and "telephone" in call[9]
    assert call[10].startswith("wang ") and rows[7][8] == "'=1+1; n" and rows[8][8] == "'=no audio"


def test_a_round_is_begun_and_an_entry_signed_with_the_own_name(client: FlaskClient, upkeep: Upkeep) -> None:
    assert send(client, "/box/maintenance/begin", kind="monthly", by="root").status_code == 303
    assert upkeep.asked[-1] == BeginSelfCheck(kind="monthly", by="admin")
    assert send(client, "/box/maintenance/begin", kind="yearly").status_code == 400
    assert client.get("/box/maintenance/begin").status_code == 303
    upkeep.going = "the weekly round goes on: wait until it is over"
    answer = send(client, "/box/maintenance/begin", kind="monthly")
    assert answer.status_code == 409 and "A round goes on" in answer.text
    assert send(client, "/box/maintenance/add", signs="8", by="root").status_code == 303
    asked = upkeep.asked[-1]
    assert isinstance(asked, AddMaintenance)
    assert (asked.kind, asked.signs, asked.by) == ("signature", 8, "admin")
    assert send(client, "/box/maintenance/add", kind="signature").status_code == 409
    log = client.application.extensions["branchline"].audit.entries(Asked(), 9)
    acts = [one for one in log if one.act in ("maintenance", "self-check")]
    assert [(one.act, one.what, one.outcome == "") for one in acts] == [
        ("maintenance", "signature", False), ("maintenance", "signature 8", True),
        ("self-check", "monthly", False), ("self-check", "monthly", True)]


@pytest.mark.parametrize(("told", "chinese"), [
    ("there is no passphrase: set one with `branchline backup passphrase`", "尚未设置口令"),
    ("a backup (weekly) is being made: wait until that is over", "另一次备份"),
    ("/media/usb/backups: is on the box's own disk: nothing is mounted there now. Plug the stick in, mount "
     "the share, or set backup.mounted: false", "U 盘或共享目录不在"),
    ("/media/usb/a.backup: No space left on device: earlier backups are as they were", "没有空间"),
    ("/media/usb: Permission denied: backups are written there: mend it, or change backup.path", "无法写入")])
def test_what_hinders_a_backup_is_said_in_chinese(
        client: FlaskClient, upkeep: Upkeep, told: str, chinese: str) -> None:
    client.set_cookie("language", "zh")
    upkeep.failed = told
    page = words(client, "/box/backup/")
    assert chinese in page and told not in page
