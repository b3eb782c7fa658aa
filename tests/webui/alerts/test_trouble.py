"""Alerts when something is wrong: the disk, the clock, a server, a daemon, the rule itself."""

import json
import socket
import sqlite3
import ssl
import threading
import time
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from appliance.bus.client import BusError
from appliance.bus.messages import GetFigures
from appliance.config.mail import MailConfig
from appliance.config.webhooks import WebhooksConfig
from tests.webui.alerts.conftest import Adding, nobody_waits
from tests.webui.alerts.receiver import Receiver
from tests.webui.conftest import FakeExchange
from tests.webui.floor.facts import FloorBranch
from webui.access.ranges import Range
from webui.alerts import asking, measuring, telling, webhook
from webui.alerts import watching as watching_of
from webui.alerts.rules import Rule
from webui.alerts.store import MOST_OWN, Alerts
from webui.alerts.telling import Telling
from webui.alerts.watching import Watching
from webui.alerts.webhook import post, signature
from webui.notices.audience import Audience, Reader
from webui.notices.store import MOST_VALID, Notices
from webui.users import Users

ADMIN = Reader("admin", "admin")
Both = tuple[Watching, Telling]


def test_one_that_could_not_be_written_is_not_raised(
        alerts: Alerts, add: Adding, watching: Both, notices: Notices,
        monkeypatch: pytest.MonkeyPatch) -> None:
    kept, now = alerts.rule(add(hold_s=0.0)), time.time()
    assert kept

    class Full(sqlite3.Connection):
        def __exit__(self, *error: Any) -> Any:       # the commit
            self.rollback()
            raise sqlite3.OperationalError("database or disk is full")

    connect = sqlite3.connect
    with monkeypatch.context() as full:
        full.setattr(sqlite3, "connect", lambda *said, **more: connect(*said, **more, factory=Full))
        with pytest.raises(sqlite3.OperationalError):
            alerts.rise(kept, "Many", 9.0, now, told=True)
        assert not alerts.raised
    watching[0].work(now + 1.0)
    assert len(alerts.raised) == len(notices.newest()) == 1


def test_banners_are_of_their_own_alert_and_leave_people_their_notices(
        watching: Both, alerts: Alerts, notices: Notices, add: Adding, branch: FloorBranch,
        exchange: FakeExchange) -> None:
    now = time.time()
    for _ in range(MOST_VALID):
        notices.add("chen", "Lunch", "normal", "blue", Audience(everybody=True), now, now + 3600.0, now)
    add(hold_s=0.0)
    add(hold_s=0.0, tell_people=("li",))          # the same name, text and moment
    judge, tell = watching
    judge.work(now)
    assert [one.source != "" for one in notices.for_reader(ADMIN, now)] == [False] * MOST_VALID + [True]
    banner = notices.for_reader(Reader("li", "agent"), now)[-1]
    notices.shown(ADMIN, now)
    assert not tell.banners(now) and notices.receipts(banner.number - 1)
    for _ in range(250):                          # none is looked for among the newest alone
        notices.add("chen", "Tea", "normal", "blue", banner.audience, now, now + 1.0, now, f"x{_}")
    nobody_waits(branch, exchange)
    judge.work(now + 2.0)
    judge.work(now + 12.0)
    assert notices.get(banner.number) is None and not notices.receipts(banner.number - 1)
    notices.add("chen", "Tea", "normal", "blue", banner.audience, now, now + 60.0, now + 12.0, "new")
    assert {one.source for one in notices.newest()} == {"", "new"}


def test_a_clock_that_was_set_back_keeps_nobody_waiting(
        app: Flask, alerts: Alerts, notices: Notices, add: Adding, receiver: Receiver) -> None:
    tell = Telling(app, alerts, notices, None, WebhooksConfig(hosts=[receiver.url.split("/")[2]]))
    now = time.time()
    kept = alerts.rule(add(webhook=receiver.url))
    assert kept
    alerts.rise(kept, "Many", 9.0, now + 86400.0, told=True)
    tell.banners(now)
    tell.work(now)
    assert len(receiver.got) == len(notices.for_reader(ADMIN, now)) == 1


def test_a_removed_rule_is_told_over_under_its_secret_and_in_its_language(
        app: Flask, alerts: Alerts, add: Adding, receiver: Receiver) -> None:
    mails: list[EmailMessage] = []
    there = app.extensions["branchline"]
    tell = Telling(app, alerts, there.notices, MailConfig(host="mail", sender="box@branch.example"),
                   WebhooksConfig(hosts=[receiver.url.split("/")[2]]))
    tell._send = lambda config, message: mails.append(message)
    now = time.time()
    kept = alerts.rule(add(webhook=receiver.url, mail=("noc@example.com",)))
    assert kept
    alerts.rise(kept, "Many", 9.0, now, told=True)
    alerts.remove(kept.number, now + 1.0)
    tell.work(now + 1.0)
    tell.work(now + 1.0)                          # it has begun; it is over
    assert [one["Subject"] for one in mails] == ["Many", "Over: Many"]
    headers, body = receiver.got[-1]
    at = int(headers["Branchline-Signature"].split(",")[0][2:])
    assert json.loads(body)["state"] == "cleared"
    assert headers["Branchline-Signature"] == signature(kept.secret, body, at)


def test_a_file_of_an_older_version_is_read(tmp_path: Path, add: Adding, alerts: Alerts) -> None:
    kept = alerts.rule(add())
    assert kept
    alerts.rise(kept, "Many", 9.0, 1.0, told=True)
    with sqlite3.connect(alerts._path) as base:
        for name in ("secret", "language"):
            base.execute(f"ALTER TABLE alerts DROP COLUMN {name}")
    base.close()
    again = Alerts(alerts._path)
    assert [(one.secret, one.language) for one in again.raised] == [(kept.secret, "en")]
    Notices(tmp_path / "old.sqlite")
    with sqlite3.connect(tmp_path / "old.sqlite") as base:
        base.execute("ALTER TABLE notices DROP COLUMN source")
    base.close()
    old = Notices(tmp_path / "old.sqlite")
    old.add("chen", "Tea", "normal", "blue", kept.rule.audience, 0.0, 9.0, 0.0)
    assert [one.source for one in old.newest()] == [""]


def test_a_server_that_drips_holds_nobody_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "PATIENCE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def drip(said: bytes) -> None:
            with server.accept()[0] as peer:
                peer.sendall(said)
                while not over.wait(0.05):
                    try:
                        peer.sendall(b"x")
                    except OSError:
                        return
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        config = WebhooksConfig(hosts=["127.0.0.1"])
        for said, received in ((b"HTTP/1.1 2", False), (b"HTTP/1.1 204 Yes\r\nX: ", True), (
                b"HTTP/1.1 200 Yes\r\nConnection: close\r\n\r\n", True)):
            over.clear()
            thread = threading.Thread(target=drip, args=(said,))
            thread.start()
            began = time.monotonic()
            if received:
                post(url, b"{}", "s", "1", config)
            else:
                with pytest.raises(webhook.Late):
                    post(url, b"{}", "s", "1", config)
            assert time.monotonic() - began < 5.0
            over.set()
            thread.join()


def test_a_dead_host_is_tried_once_in_a_pass_and_holds_no_other(
        app: Flask, alerts: Alerts, add: Adding, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        dead = f"http://127.0.0.1:{free.getsockname()[1]}/"
    tell = Telling(app, alerts, app.extensions["branchline"].notices, None,
                   WebhooksConfig(hosts=["127.0.0.1"]))
    tried: list[str] = []

    def send(url: str, *said: Any) -> None:
        tried.append(url)
        post(url, *said)
    monkeypatch.setattr(telling, "post", send)
    now = time.time()
    for url in (f"{dead}a", f"{dead}b", receiver.url):
        kept = alerts.rule(add(webhook=url))
        assert kept
        alerts.rise(kept, "Many", 9.0, now, told=True)
    tell.work(now)
    assert tried == [f"{dead}a", receiver.url] and len(receiver.got) == 1
    assert [alerts.sendings([one])[one][-1].tries for one in (1, 2, 3)] == [1, 1, 0]


def test_authorities_of_the_branch_come_beside_the_public_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda self, *said: loaded.append("public"))
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda self, cafile: loaded.append(cafile))
    webhook._Tls("crm.branch.lan", 443, ("10.0.0.7", 443), WebhooksConfig(ca_file="/own.pem"))
    assert loaded == ["public", "/own.pem"]


def test_who_hangs_is_asked_once_in_a_look(
        app: Flask, add: Adding, exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[GetFigures] = []

    def hang(request: GetFigures, timeout_s: float = 2.0) -> Any:
        asked.append(request)
        raise BusError("acdd did not answer")
    monkeypatch.setattr(exchange, "ask", hang)
    sources = asking.Sources(exchange)
    rules = [Rule(name="x", what="service_level", window_min=one) for one in (5, 15, 30)]

    def look(now: float) -> list[float]:
        of = sources.figures(now)
        assert [of(one) for one in rules] == [None] * 3
        return [now - one.since for one in asked]
    assert look(1e6) == [300.0]
    assert look(1e6 + 1.0) == [301.0]
    asked.clear()
    assert look(1e6 + asking.SLIDE_S - asking.GAP_S) == [900.0]      # the others have their turn


def test_a_rule_that_cannot_be_judged_ends_no_other(
        watching: Both, alerts: Alerts, add: Adding, monkeypatch: pytest.MonkeyPatch) -> None:
    add(hold_s=0.0, name="Broken")
    add(hold_s=0.0)

    def read(rule: Rule, *said: Any) -> Any:
        if rule.name == "Broken":
            raise KeyError("what")
        return known(rule, *said)
    known = measuring.read
    monkeypatch.setattr(watching_of, "read", read)
    watching[0].work(time.time())
    assert [one.name for one in alerts.raised] == ["Too many"]


def test_what_cannot_be_read_ends_no_telling(
        app: Flask, alerts: Alerts, add: Adding, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, now = alerts.rule(add(webhook="https://example.com/")), time.time()
    assert kept
    alerts.rise(kept, "Many", 9.0, now, told=True)
    tell = Telling(app, alerts, app.extensions["branchline"].notices, None, WebhooksConfig())
    monkeypatch.setattr(Alerts, "alert", lambda self, number: 1 // 0)
    assert tell.work(now) == now + 5.0


def test_nobody_takes_all_the_rules_there_may_be(add: Adding) -> None:
    for _ in range(MOST_OWN):
        add("li")
    with pytest.raises(OverflowError):
        add("li")
    add("admin")


def test_who_leaves_a_group_leaves_the_rules_of_its_leader_in_force(
        users: Users, alerts: Alerts, add: Adding, watching: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    within = Range(groups=frozenset({"early"}))
    users.add("li", "correct horse battery", "team_leader", within, "admin")
    groups = {"early": frozenset({"anna", "chen"})}
    judge = watching[0]
    monkeypatch.setattr(type(judge._crew), "groups", lambda self: groups)
    now = time.time()
    alerts.add(Rule(name="Ready", what="agents_ready", threshold=99.0, compare="below"), "li", "en", within,
               now)
    judge.work(now)
    groups = {"early": frozenset({"anna"})}
    judge.work(now + 60.0)
    assert len(alerts.raised) == 1
