"""The log of what people did: on the disk before the act, chained, kept so long."""

import csv
import io
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.bus.messages import HoldRecordings
from appliance.errors import Unavailable
from tests.webui.access.people import SALES, Staff
from tests.webui.conftest import NAME, PASSWORD, post, token
from tests.webui.facts import RECORDING, Branch
from tests.webui.shelf import Shelf
from webui.access.audit import DAY_S, FIRST, Asked, Audit, Did, Entry

NOW = 1_900_000_000.0
DID = Did("li", "admin", "192.0.2.7", "hold", "x", "because")


def test_an_act_is_there_before_its_outcome(tmp_path: Path) -> None:
    log = Audit(tmp_path / "audit.sqlite")
    number = log.begin(DID, NOW)
    assert Audit(tmp_path / "audit.sqlite").entries(Asked(), 5)[0].outcome is None
    log.end(number, "refused", NOW + 1)
    [entry] = log.entries(Asked(), 5)
    assert (entry.number, entry.by, entry.act, entry.outcome) == (number, "li", "hold", "refused")
    log.end(log.begin(DID, NOW + 2), "", NOW + 3)
    assert [one.outcome for one in log.entries(Asked(), 5)] == ["", "refused"]
    assert log.verify().broken_at == 0


def test_it_is_opened_once_for_all_that_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is the last one writes all of the journal back and waits for the disk."""
    path, opened, connect = tmp_path / "audit.sqlite", list[Path](), sqlite3.connect

    def counted(name: Path, **options: Any) -> Any:
        opened.append(name)
        return connect(name, **options)
    log = Audit(path)
    monkeypatch.setattr("appliance.store.audit.sqlite3.connect", counted)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: log.end(log.begin(DID, NOW + number), "", NOW), range(20)))
    assert len(opened) == 1 and path.with_name("audit.sqlite-wal").stat().st_size > 0
    assert (found := log.verify()).entries == 40 and found.broken_at == 0
    path.rename(tmp_path / "moved")               # nothing goes where nobody looks for it
    with pytest.raises(sqlite3.Error, match="No such file"):
        log.note(DID, "", NOW)
    Audit(path).close()
    log.note(DID, "", NOW)
    assert [one.number for one in log.entries(Asked(), 9)] == [1]
    log.close()
    log.note(DID, "", NOW + 1)
    assert log.verify().entries == 2


def test_what_the_disk_refused_is_written_by_another_connection(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise sqlite3.OperationalError("disk I/O error")
    log = Audit(tmp_path / "audit.sqlite")
    log.note(DID, "", NOW)
    with monkeypatch.context() as full:
        full.setattr("appliance.store.audit._insert", refuse)
        with pytest.raises(sqlite3.Error):
            log.note(DID, "", NOW)
    log.note(DID, "", NOW + 1)
    assert [one.number for one in log.entries(Asked(), 9)] == [2, 1] and log.verify().broken_at == 0


def test_it_is_found_by_who_what_and_when(tmp_path: Path) -> None:
    log = Audit(tmp_path / "audit.sqlite")
    for at, who, act in ((0, "li", "hold"), (DAY_S, "wu", "hold"), (2 * DAY_S, "li", "erase")):
        log.note(Did(who, "admin", "", act, f"about {who}"), "", NOW + at)

    def found(**asked: object) -> list[str]:
        return [f"{one.by} {one.act}" for one in log.entries(Asked(**asked), 9)]      # type: ignore[arg-type]
    assert found(by="li") == ["li erase", "li hold"]
    assert found(acts=("hold",)) == ["wu hold", "li hold"]
    assert found(since=NOW + 1, until=NOW + 2 * DAY_S) == ["wu hold"]
    assert found(text="ABOUT W") == ["wu hold"]
    assert found(before=2) == ["li hold"]
    assert log.names() == (["li", "wu"], ["erase", "hold"])


@pytest.mark.parametrize(("change", "broken_at"), [
    ("UPDATE entries SET why = 'nothing' WHERE number = 2", 2),
    ("DELETE FROM entries WHERE number = 3", 3),
    ("UPDATE entries SET number = number + 1 WHERE number = 5", 5),
    ("UPDATE entries SET digest = (SELECT digest FROM entries WHERE number = 1) WHERE number = 4", 4),
    ("UPDATE begins SET digest = 'x'", 1),
])
def test_a_change_from_outside_is_found(tmp_path: Path, change: str, broken_at: int) -> None:
    log = Audit(tmp_path / "audit.sqlite")
    for _ in range(5):
        log.note(DID, "", NOW)
    whole = log.verify()
    assert (whole.entries, whole.first, whole.last, whole.broken_at) == (5, 1, 5, 0)
    with closing(sqlite3.connect(tmp_path / "audit.sqlite")) as base, base:
        if change.startswith("UPDATE entries"):
            with pytest.raises(sqlite3.Error, match="only grows"):
                base.execute(change)
            base.execute("DROP TRIGGER entries_stay")
        base.execute(change)
    assert log.verify().broken_at == broken_at


def test_what_is_older_goes_from_the_front_and_the_chain_holds(tmp_path: Path) -> None:
    log = Audit(tmp_path / "audit.sqlite", days=30.0)
    for day in range(50):
        log.note(DID, "", NOW + day * DAY_S)
    left = log.verify()
    assert (left.broken_at, left.last) == (0, 50)
    assert left.entries == left.last - left.first + 1 == 31
    assert log.entries(Asked(), 1)[0].at == NOW + 49 * DAY_S
    again = Audit(tmp_path / "audit.sqlite", days=30.0)
    again.note(DID, "", NOW + 50 * DAY_S)
    assert again.verify().digest != FIRST


def test_a_clock_that_jumps_ahead_for_a_moment_erases_nothing(tmp_path: Path) -> None:
    log = Audit(tmp_path / "audit.sqlite", days=30.0)
    for day in range(5):
        log.note(DID, "", NOW + day * DAY_S)
    for hour in range(3):
        log.note(DID, "", NOW + 9000 * DAY_S + hour * 3600)
    assert log.verify().entries == 8


def test_the_log_of_an_older_version_goes_first_into_it(tmp_path: Path) -> None:
    old = tmp_path / "acts.sqlite"
    with closing(sqlite3.connect(old)) as base, base:
        base.execute("CREATE TABLE acts (number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, "
                     "by TEXT NOT NULL, address TEXT NOT NULL, act TEXT NOT NULL, what TEXT NOT NULL, "
                     "why TEXT NOT NULL, refused TEXT) STRICT")
        base.executemany("INSERT INTO acts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [
            (1, NOW, "admin", "::1", "update", "usb", "new", ""),
            (2, NOW + 1, "admin", "::1", "reset", "box", "moved", "not this name"),
            (3, NOW + 2, "admin", "::1", "time", "", "", None)])
    log = Audit(tmp_path / "audit.sqlite")
    assert log.take_over(old) == 3
    assert log.take_over(old) == 0
    assert [(one.act, one.outcome, one.at) for one in log.entries(Asked(), 9)] == [
        ("time", None, NOW + 2), ("reset", "not this name", NOW + 1), ("update", "", NOW)]
    assert log.verify().broken_at == 0


def test_a_file_that_is_no_log_is_said(tmp_path: Path) -> None:
    (tmp_path / "audit.sqlite").write_bytes(b"junk" * 1000)
    with pytest.raises(Unavailable, match=r"audit\.sqlite: cannot be used as the log"):
        Audit(tmp_path / "audit.sqlite")


def test_an_older_log_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "acts.sqlite").write_bytes(b"junk" * 1000)
    with pytest.raises(Unavailable, match=r"acts\.sqlite: cannot be taken into the log"):
        Audit(tmp_path / "audit.sqlite").take_over(tmp_path / "acts.sqlite")


def entries(app: Flask, **asked: object) -> list[Entry]:
    found: list[Entry] = app.extensions["branchline"].audit.entries(Asked(**asked), 50)      # type: ignore[arg-type]
    return found


def test_what_is_heard_taken_changed_refused_and_who_came_is_in_it(
        app: Flask, staff: Staff, shelf: Shelf, visitor: FlaskClient) -> None:
    assert post(visitor, "/login", name=NAME, password="wrong").status_code == 422
    admin = staff.browser(NAME)
    page = f"/recordings/{RECORDING}"
    for part in ("bytes=0-9", "bytes=10-99"):              # one playing
        assert admin.get(f"{page}/audio", headers={"Range": part}).status_code == 206
    assert admin.get(f"{page}/audio?download&form=wav").status_code == 200
    csrf = token(admin, page)
    form = {"csrf_token": csrf, "case": "7", "why": "law", "sure": "y"}
    assert admin.post(f"{page}/hold", data=form).status_code == 303
    assert admin.post(f"{page}/erase", data=form).status_code == 409
    leader = staff.new("li", "team_leader", SALES)
    assert leader.get("/box/").status_code == 403
    assert leader.post("/logout", data={"csrf_token": token(leader, "/")}).status_code == 303
    assert [(one.by, one.role, one.act, one.what, one.why, one.outcome) for one in entries(app)][::-1] == [
        (NAME, "", "sign-in", "", "", "wrong name or password"),
        (NAME, "admin", "sign-in", "", "", ""),
        (NAME, "admin", "listen", RECORDING, "", ""),
        (NAME, "admin", "download", RECORDING, "", ""),
        (NAME, "admin", "hold", RECORDING, "law", ""),
        (NAME, "admin", "erase", RECORDING, "law", "refused (409)"),
        ("li", "team_leader", "sign-in", "", "", ""),
        ("li", "team_leader", "refused", "GET /box/", "", "lacks box"),
        ("li", "team_leader", "sign-out", "", "", "")]
    assert {one.address for one in entries(app)} == {"127.0.0.1"}


def test_what_cannot_be_written_down_is_not_done(
        client: FlaskClient, shelf: Shelf, branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    page = f"/recordings/{RECORDING}"
    csrf = token(client, page)
    branch.asked.clear()

    def full(*_: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")
    monkeypatch.setattr(Audit, "begin", full)
    assert client.get(f"{page}/audio").status_code == 503
    form = {"csrf_token": csrf, "case": "7", "why": "law"}
    assert client.post(f"{page}/hold", data=form).status_code == 503
    assert not [one for one in branch.asked if isinstance(one, HoldRecordings)]
    assert shelf.entries(RECORDING) == []


def test_who_guesses_and_waits_is_in_it_once(app: Flask, visitor: FlaskClient) -> None:
    form = {"csrf_token": token(visitor), "name": NAME, "password": "guess"}
    for _ in range(20):
        visitor.post("/login", data=form)
    kinds = [one.act for one in entries(app)]
    assert kinds.count("sign-in") == 5
    assert kinds.count("locked-out") == 1


def test_the_log_is_searched_checked_and_taken_home(app: Flask, staff: Staff) -> None:
    staff.add("li", "team_leader")
    staff.browser("li")
    auditor = staff.new("zhao", "auditor")
    page = auditor.get("/log/").text
    assert "Sign-in" in page and "li" in page
    page = auditor.get("/log/?by=li").text
    assert "zhao" not in page[page.index("<tbody>"):page.index("</tbody>")]
    assert auditor.get("/log/?since=yesterday").status_code == 422
    answer = auditor.post("/log/check", data={"csrf_token": token(auditor, "/log/")})
    assert 'data-whole="yes"' in answer.text
    taken = auditor.get("/log/log.csv")
    rows = list(csv.DictReader(io.StringIO(taken.text)))
    assert taken.headers["Content-Type"].startswith("text/csv")
    assert [row["act"] for row in rows[:2]] == ["log-taken", "log-checked"]
    hers = csv.DictReader(io.StringIO(auditor.get("/log/log.csv?by=li").text))
    assert [row["by"] for row in hers] == ["li"]
    with closing(sqlite3.connect(app.extensions["branchline"].settings.state / "audit.sqlite")) as base, base:
        base.execute("DROP TRIGGER entries_stay")
        base.execute("UPDATE entries SET by = 'wang' WHERE number = 1")
    answer = auditor.post("/log/check", data={"csrf_token": token(auditor, "/log/")})
    assert 'data-whole="no"' in answer.text and "Entry 1 " in answer.text


def test_a_cell_of_the_file_is_no_formula(app: Flask, visitor: FlaskClient, staff: Staff) -> None:
    post(visitor, "/login", name="=cmd|' /C calc'!A0", password=PASSWORD)
    text = staff.browser(NAME).get("/log/log.csv").text
    assert "'=cmd" in text and ",=cmd" not in text
