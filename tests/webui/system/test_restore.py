"""The page that restores a backup: looked at, confirmed by name and password, what came of it, taken back."""

import os
import time
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.bus.client import Refused
from appliance.bus.messages import (
    BackupInfo,
    BackupReply,
    BeginRestore,
    CancelRestore,
    Done,
    ForgetReplaced,
    GetBackups,
    GetRestore,
    PreparedRestore,
    PrepareRestore,
    Reply,
    Request,
    RestoreCount,
    RestoreOutcome,
    RestoreReply,
    TakeRestoreBack,
)
from tests.webui.conftest import NAME, PASSWORD, FakeExchange, token
from tests.webui.system.test_pages import words
from webui.access.audit import Asked
from webui.parts import Settings
from webui.system import restored

AT = "/box/backup/restore/"
SECRET = "one safe of many words"
OUTCOME = RestoreOutcome(
    id="a1b2", act="restore", at=1.9e9, done_at=1.9e9, by="chen", address="10.0.0.9", why="a wrong import",
    box="shanghai", version="1.4.0", backup_at=1.8e9, config=True)


def seen(**changes: Any) -> PreparedRestore:
    facts: dict[str, Any] = {
        "token": "t1", "prepared_at": 1.9e9, "source": "/media/usb/a.backup", "box": "shanghai",
        "version": "1.4.0", "at": 1.8e9, "octets": 10 ** 9, "own": True, "trial": [], "refused": "",
        "counts": [RestoreCount("contacts", 1200, 1000, 217), RestoreCount("people", 4, 3, -1)],
        "keys": ["centre.queues.sales.music"], "keys_unknown": "", "audio": 0, "elsewhere": 2,
        "left_out": ["state/traces.sqlite: larger than 64 MiB"]}
    return PreparedRestore(**facts | changes)


class Boxd:
    def __init__(self) -> None:
        self.asked: list[Request[Any]] = []
        self.says: dict[str, Any] = {}
        self.refuses = ""

    def answer(self, request: Request[Any]) -> Reply | None:
        match request:
            case GetRestore():
                facts: dict[str, Any] = {"name": "box7", "running": "", "error": "", "prepared": None,
                                         "wished": False, "outcome": None, "back": False, "back_until": 0.0}
                return RestoreReply(**facts | self.says)
            case GetBackups():
                return BackupReply(path="/media/usb", passphrase=True, running="", overdue=False, next_at=0.0,
                                   backups=[BackupInfo(kind="weekly", at=1.8e9, path="/media/usb/a.backup"),
                                            BackupInfo(kind="now", at=1.8e9, error="no room"),
                                            BackupInfo(kind="now", at=1.8e9, path="/media/old", gone=True)])
            case PrepareRestore() | BeginRestore() | TakeRestoreBack() | CancelRestore() | ForgetReplaced():
                if self.refuses:
                    raise Refused(self.refuses)
                self.asked.append(request)
                return Done()
        return None


@pytest.fixture
def boxd(exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> Boxd:
    boxd, other = Boxd(), exchange.ask
    monkeypatch.setattr(exchange, "ask", lambda request, timeout_s=2.0: (
        boxd.answer(request) or other(request, timeout_s)))
    return boxd


def send(client: FlaskClient, act: str, /, **form: Any) -> Any:
    return client.post(AT + act, data=form | {"csrf_token": token(client, "/box/")})


def meant(**changes: str) -> dict[str, str]:
    return {"name": "box7", "password": PASSWORD, "why": "a wrong import", "sure": "yes", "begin": "now",
            "token": "t1", "config": "yes"} | changes


def log_of(app: Flask) -> list[tuple[str, str, str, str | None]]:
    audit = app.extensions["branchline"].audit
    return [(one.act, one.what, one.why, one.outcome) for one in audit.entries(Asked(), 50)
            if one.act.startswith(("restore", "taken"))]


def test_nothing_needs_boxd_to_be_there(client: FlaskClient, exchange: FakeExchange) -> None:
    exchange.silent |= {"boxd"}
    assert "boxd, which knows it, cannot be reached" in words(client, AT)


def test_one_is_chosen_and_looked_at(client: FlaskClient, boxd: Boxd, app: Flask,
                                     caplog: pytest.LogCaptureFixture) -> None:
    page = client.get(AT).text
    assert page.count("<option value=\"/media") == 1
    assert send(client, "look", source="/media/usb/a.backup").status_code == 303
    assert boxd.asked == [PrepareRestore(source="/media/usb/a.backup")]
    assert send(client, "look", source="/media/usb/a.backup", passphrase=SECRET).status_code == 303
    asked = boxd.asked[-1]
    assert isinstance(asked, PrepareRestore) and asked.passphrase == SECRET and SECRET not in repr(asked)
    assert [one[:2] for one in log_of(app)] == [("restore-looked", "/media/usb/a.backup")] * 2
    assert SECRET not in caplog.text and SECRET not in str(log_of(app))
    boxd.says = {"running": "a backup is opened and tried out"}
    page = client.get(AT).text
    assert "http-equiv=\"refresh\"" in page and "name=\"passphrase\"" not in page


def test_one_of_another_box_is_uploaded(client: FlaskClient, boxd: Boxd, settings: Settings) -> None:
    def piece(name: str, offset: int, total: int, octets: bytes) -> Any:
        return client.post(f"{AT}pieces?name={name}&offset={offset}&total={total}", data=octets,
                           headers={"X-CSRFToken": token(client, "/box/")})
    octets = os.urandom(50_000)
    assert piece("a.backup", 0, 50_000, octets[:30_000]).text == "30000"
    answer = send(client, "look", **{"from": "upload", "upload": "a.backup", "passphrase": SECRET})
    assert answer.status_code == 409 and "did not arrive" in answer.text
    assert piece("a.backup", 30_000, 50_000, octets[30_000:]).text == "50000"
    assert send(client, "look", **{"from": "upload", "upload": "a.backup", "passphrase": SECRET}
                ).status_code == 303
    assert boxd.asked == [PrepareRestore(source="upload:a.backup", passphrase=SECRET)]
    assert (settings.state / "uploads" / "a.backup").read_bytes() == octets
    for name in ("a.raucb", "../a.backup", ".backup", "a.backup.part", "a b.backup"):
        assert piece(name, 0, 10, b"x" * 10).status_code == 409, name
    assert "that is no backup" in piece("a.backup", 0, 1 << 40, b"x").text
    assert piece("a.backup", -1, 10, b"x").status_code == 400
    update = client.post("/box/update/pieces?name=a.backup&offset=0&total=10", data=b"x" * 10,
                         headers={"X-CSRFToken": token(client, "/box/")})
    assert update.status_code == 409                                 # a backup is no bundle


def test_what_a_backup_lacks_is_said_in_chinese(client: FlaskClient, boxd: Boxd) -> None:
    boxd.says = {"prepared": seen(left_out=[
        "state/traces.sqlite: larger than 64 MiB: what calls said on their D-channels is for finding faults",
        "state/pipe: is no file", "state/new: for a reason that is new"])}
    client.set_cookie("language", "zh")
    said = words(client, AT)
    for text in ("state/traces.sqlite：大于 64 MiB，且仅用于查找故障", "state/pipe：不是文件",
                 "state/new: for a reason that is new"):
        assert text in said, text


def test_what_it_would_mean_is_shown_and_confirmed(client: FlaskClient, boxd: Boxd, app: Flask) -> None:
    boxd.says = {"prepared": seen()}
    said = words(client, AT)
    for text in ("shanghai", "1.4.0", "all of it holds", "Contacts 1200 1000 217",
                 "centre.queues.sales.music", "larger than 64 MiB", "box's name: box7", "can be restored"):
        assert text in said, text
    for changes in ({"why": ""}, {"sure": None}, {"password": "not mine at all"}):
        form = {name: value for name, value in (meant() | changes).items() if value is not None}
        assert send(client, "begin", **form).status_code == 409
    assert boxd.asked == [] and log_of(app) == []
    assert send(client, "begin", **meant(begin="quiet")).status_code == 400
    assert send(client, "begin", **meant()).status_code == 303
    (asked,) = boxd.asked
    assert asked == BeginRestore(token="t1", name="box7", by=NAME, address="127.0.0.1", why="a wrong import",
                                 config=True, begin="now")
    assert [(one[0], one[2], one[3]) for one in log_of(app)] == [("restore", "a wrong import", "")]
    boxd.refuses = "the box's name is 'box7', not 'box8': nothing is restored"
    answer = send(client, "begin", **meant(name="box8"))
    assert answer.status_code == 409 and "nothing was restored" in answer.text


def test_one_that_cannot_be_restored_has_no_button(client: FlaskClient, boxd: Boxd) -> None:
    boxd.says = {"prepared": seen(refused="its trial was not good: restore an earlier one", own=False,
                                  trial=["chain: does not hold at entry 1"])}
    page = client.get(AT).text
    assert "its trial was not good" in page and "does not hold at entry 1" in page
    assert f'action="{AT}begin"' not in page and "another box than this one" in page


def test_what_came_of_it_and_the_way_back(client: FlaskClient, boxd: Boxd) -> None:
    boxd.says = {"wished": True}
    assert "This page waits for it" in words(client, AT) and "anew.js" in client.get(AT).text
    boxd.says = {"outcome": OUTCOME, "back": True, "back_until": 2e9}
    said = words(client, AT)
    assert "This box was restored" in said and "chen (10.0.0.9)" in said and "a wrong import" in said
    assert send(client, "back", **meant(password="not mine at all")).status_code == 409
    assert send(client, "back", **meant(begin="drained")).status_code == 303
    assert isinstance(boxd.asked[-1], TakeRestoreBack) and boxd.asked[-1].begin == "drained"
    assert send(client, "forget").status_code == 409
    assert send(client, "forget", sure="yes").status_code == 303
    assert isinstance(boxd.asked[-1], ForgetReplaced)
    assert send(client, "cancel").status_code == 303
    boxd.says = {"outcome": msgspec.structs.replace(OUTCOME, error="12 MiB are free: free space")}
    assert "The last restore was not made" in words(client, AT) and "12 MiB are free" in words(client, AT)
    for act in ("look", "begin", "cancel", "back", "forget"):
        assert client.get(AT + act).status_code == 303


def test_it_is_in_the_log_that_the_box_has_since_and_only_once(app: Flask, settings: Settings) -> None:
    audit = app.extensions["branchline"].audit
    restored.note(audit, settings.state)
    assert log_of(app) == []
    path = settings.state / restored.FILE
    path.write_bytes(b"of another version")
    restored.note(audit, settings.state)
    path.write_bytes(msgspec.json.encode(OUTCOME))
    for _ in range(2):
        restored.note(audit, settings.state)
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(
        OUTCOME, id="c3", act="take-back", error="no room", done_at=time.time())))
    restored.note(audit, settings.state)
    assert [(act, why, outcome) for act, _, why, outcome in log_of(app)] == [
        ("taken-back", "a wrong import", "no room"), ("restored", "a wrong import", "")]
