"""Rules at work: told once, over, muted, killed in the middle, an owner who may no longer."""

import json
import time
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask

from appliance.config.mail import MailConfig
from appliance.config.webhooks import WebhooksConfig
from tests.webui.alerts.conftest import Adding, nobody_waits
from tests.webui.alerts.receiver import Receiver
from tests.webui.conftest import FakeExchange
from tests.webui.floor.facts import FloorBranch
from webui.access.ranges import UNLIMITED, Range
from webui.alerts.pages import made
from webui.alerts.rules import Rule
from webui.alerts.store import MOST_AN_HOUR, TOO_MANY, Alerts
from webui.alerts.telling import Telling
from webui.alerts.watching import Watching
from webui.alerts.webhook import Forbidden, Unreachable, check, post, signature
from webui.notices.audience import Reader
from webui.notices.store import Notices
from webui.users import Users

ADMIN = Reader("admin", "admin")
Both = tuple[Watching, Telling]


def test_it_is_raised_when_it_has_held_and_over_when_nobody_waits(
        watching: Both, alerts: Alerts, notices: Notices, add: Adding, branch: FloorBranch,
        exchange: FakeExchange) -> None:
    add()
    judge, now = watching[0], time.time()
    assert judge.work(now) <= now + 30.0
    assert not alerts.raised
    judge.work(now + 30.0)
    alert, = alerts.raised
    assert alert.text == "Too many: callers waiting 2, limit: more than 0 (sales)"
    banner, = notices.for_reader(ADMIN, now + 30.0)
    assert (banner.text, banner.urgency, banner.by) == (alert.text, "important", "admin")
    assert not notices.for_reader(Reader("li", "agent"), now + 30.0)
    judge.work(now + 31.0)
    assert len(alerts.raised) == len(notices.newest()) == 1
    nobody_waits(branch, exchange)
    assert judge.work(now + 40.0) == now + 50.0
    judge.work(now + 50.0)
    assert not alerts.raised and not notices.for_reader(ADMIN, now + 50.0)
    assert alerts.newest()[0].cleared_at == now + 50.0


def test_killed_at_any_step_nothing_is_lost_and_nothing_comes_twice(
        app: Flask, settings: Any, alerts: Alerts, notices: Notices, add: Adding, watching: Both,
        monkeypatch: pytest.MonkeyPatch, branch: FloorBranch, exchange: FakeExchange) -> None:
    add(hold_s=0.0)
    now = time.time()

    class Killed(BaseException):
        pass

    def kill(*_: Any, **__: Any) -> None:
        raise Killed

    def after_restart() -> tuple[Watching, Alerts]:
        reborn = Alerts(settings.state / "alerts.sqlite")
        app.extensions["branchline"] = replace(app.extensions["branchline"], alerts=reborn)
        return made(app)[0], reborn

    with monkeypatch.context() as killing:        # raised and on the disk, nobody was told
        killing.setattr(Notices, "add", kill)
        with pytest.raises(Killed):
            watching[0].work(now)
    judge, reborn = after_restart()
    with monkeypatch.context() as killing:        # the banner stands, and that it does is not written
        killing.setattr(Alerts, "done", kill)
        with pytest.raises(Killed):
            judge.work(now + 1.0)
    judge, reborn = after_restart()
    judge.work(now + 2.0)
    assert len(reborn.newest()) == 1 and len(notices.newest()) == 1
    assert [one.over for one in reborn.sendings([1])[1]] == [True]
    exchange.mirror._floor = replace(exchange.mirror.floor, board=None)          # acdd says nothing yet
    judge, reborn = after_restart()
    judge.work(now + 3.0)
    assert len(reborn.raised) == 1                # not over because nobody knows
    nobody_waits(branch, exchange)
    with monkeypatch.context() as killing:
        killing.setattr(Notices, "drop", kill)
        judge.work(now + 4.0)
        with pytest.raises(Killed):
            judge.work(now + 14.0)
    judge, reborn = after_restart()
    judge.work(now + 15.0)
    assert not reborn.raised and not notices.for_reader(ADMIN, now + 15.0)


def test_mail_and_a_signed_webhook_go_out_and_again_when_they_could_not(
        app: Flask, watching: Both, alerts: Alerts, add: Adding, receiver: Receiver) -> None:
    mails: list[EmailMessage] = []
    refusing = [OSError("not now")]

    def send(config: MailConfig, message: EmailMessage) -> None:
        if refusing:
            raise refusing.pop()
        mails.append(message)

    there = app.extensions["branchline"]
    host = receiver.url.split("/")[2]
    telling = Telling(app, alerts, there.notices, MailConfig(host="mail", sender="box@branch.example"),
                      WebhooksConfig(hosts=[host]))
    telling._send = send
    number = add(hold_s=0.0, mail=("noc@example.com",), webhook=receiver.url)
    now = time.time()
    receiver.answers.append(500)
    watching[0].work(now)
    assert telling.work(now) == now + 5.0         # both failed
    telling.work(now + 4.0)
    assert len(receiver.got) == 1 and not mails
    telling.work(now + 5.0)
    assert mails[0]["Subject"] == alerts.raised[0].text and "noc@example.com" in mails[0]["To"]
    assert mails[0]["Message-ID"] == f"<alert-{alerts.box}-1-raised@branch.example>"
    (_, first), (headers, body) = receiver.got
    said = json.loads(body)
    assert first == body and said["id"] == headers["Branchline-Delivery"] == f"{alerts.box}-1-raised"
    assert (said["state"], said["rule"], said["value"], said["which"]) == ("raised", "Too many", 2.0,
        ["sales"])
    kept = alerts.rule(number)
    assert kept
    at = int(headers["Branchline-Signature"].split(",")[0][2:])
    assert headers["Branchline-Signature"] == signature(kept.secret, body, at)
    alerts.switch(number, False, now + 6.0)
    telling.work(now + 6.0)
    assert json.loads(receiver.got[-1][1])["state"] == "cleared"
    assert mails[-1]["Subject"].startswith("Over: ")
    assert telling.work(now + 7.0) > now + 60.0 and len(receiver.got) == 3


def test_one_who_flaps_fills_no_mail_box(alerts: Alerts, add: Adding) -> None:
    number, now = add(mail=("noc@example.com",)), time.time()
    kept = alerts.rule(number)
    assert kept
    for turn in range(MOST_AN_HOUR + 1):
        alerts.rise(kept, "again", 1.0, now + turn, told=True)
        alerts.clear(number, now + turn + 0.5)
    rows = alerts.sendings([MOST_AN_HOUR, MOST_AN_HOUR + 1])
    assert {one.error for one in rows[MOST_AN_HOUR] if one.way == "mail"} == {""}
    assert {one.error for one in rows[MOST_AN_HOUR + 1] if one.way == "mail"} == {TOO_MANY}


def test_a_muted_rule_tells_nobody_until_it_is_heard_again(
        watching: Both, alerts: Alerts, notices: Notices, add: Adding) -> None:
    number, now = add(hold_s=0.0), time.time()
    alerts.mute(number, now + 60.0)
    assert watching[0].work(now) <= now + 60.0
    assert [one.told for one in alerts.raised] == [False] and not notices.newest()
    watching[0].work(now + 60.0)
    assert [one.told for one in alerts.raised] == [True] and len(notices.newest()) == 1


def test_a_rule_goes_with_what_its_owner_may(
        app: Flask, users: Users, alerts: Alerts, add: Adding, watching: Both) -> None:
    users.add("li", "correct horse battery", "supervisor", UNLIMITED, "admin")
    add("li", hold_s=0.0)
    now = time.time()
    watching[0].work(now)
    assert len(alerts.raised) == 1
    users.change("li", "supervisor", Range(queues=frozenset({"service"})))
    watching[0].work(now + 11.0)                  # believed for ten seconds
    assert not alerts.raised


def test_who_has_limits_watches_what_he_sees(app: Flask, users: Users, alerts: Alerts,
                                             watching: Both) -> None:
    within = Range(queues=frozenset({"service"}))
    users.add("li", "correct horse battery", "team_leader", within, "admin")
    alerts.add(Rule(name="Any", what="waiting", threshold=0.0), "li", "en", within, time.time())
    watching[0].work(time.time())
    board = app.extensions["branchline"].exchange.mirror.floor.board
    service = next(one for one in board.queues if one.name == "service")
    assert len(alerts.raised) == bool(service.waiting)


@pytest.mark.parametrize(("url", "hosts", "allowed"), [
    ("https://example.com/x", [], True),
    ("http://example.com/x", [], False),
    ("http://crm.branch.example/x", ["crm.branch.example"], True),
    ("http://crm.branch.example:81/x", ["crm.branch.example:80"], False),
    ("https://127.0.0.1/", [], False),
    ("https://[::1]/", [], False),
    ("https://[::ffff:127.0.0.1]/", [], False),
    ("https://[64:ff9b::10.0.0.1]/", [], False),
    ("https://[2002:7f00:1::]/", [], False),
    ("https://[::ffff:8.8.8.8]/", [], True),
    ("https://[2606:4700:4700::1111]/", [], True),
    ("https://224.0.0.1/", [], False),
    ("https://169.254.169.254/latest", [], False),
    ("https://10.1.2.3/", ["10.1.2.3"], True),
    ("https://[fd00::1]:8443/", ["[fd00::1]:8443"], True),
    ("https://user:word@example.com/", [], False),
    ("https://:word@example.com/", [], False),
    ("https://[64:ff9b:1::8.8.8.8]/", [], False),
    ("https://[fec0::1]/", [], False),
    ("https://[::8.8.8.8]/", [], False),
    ("https://example.com/\r\nX: y", [], False),
    ("ftp://example.com/", ["example.com"], False),
    ("https://example.com:99999/", [], False),
    ("https:///x", [], False),
])
def test_where_a_webhook_may_go(url: str, hosts: list[str], allowed: bool) -> None:
    if allowed:
        check(url, WebhooksConfig(hosts=hosts))
    else:
        with pytest.raises(Forbidden):
            check(url, WebhooksConfig(hosts=hosts))


def test_a_public_name_with_a_private_address_is_not_reached(receiver: Receiver) -> None:
    port = receiver.url.split(":")[2].split("/")[0]
    with pytest.raises(Unreachable, match="not public"):         # the next answer may be a better one
        post(f"https://localhost:{port}/", b"{}", "s", "1", WebhooksConfig())
    assert not receiver.got


def test_a_redirection_is_not_followed(receiver: Receiver) -> None:
    receiver.answers.append(307)
    with pytest.raises(OSError, match="answered 307"):
        post(receiver.url, b"{}", "s", "1", WebhooksConfig(hosts=["127.0.0.1"]))
    assert len(receiver.got) == 1
