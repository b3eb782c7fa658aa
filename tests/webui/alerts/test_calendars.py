"""Rules that hold only while a calendar is open, or closed: what acdd says, and when nobody says anything."""

import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale

from appliance.bus.messages import DocumentState
from tests.webui.alerts.conftest import Adding, Office
from tests.webui.conftest import FakeExchange, post
from webui.alerts import words
from webui.alerts.calendars import AGAIN_S, Calendars
from webui.alerts.rules import Rule
from webui.alerts.store import Alerts
from webui.alerts.telling import Telling
from webui.alerts.watching import Watching

Both = tuple[Watching, Telling]


def test_a_rule_holds_only_while_its_calendar_is_open(
        watching: Both, alerts: Alerts, add: Adding, office: Office) -> None:
    add(hold_s=0.0, calendar="office")
    add(name="Night", hold_s=0.0, calendar="office", calendar_when="closed")
    judge, now = watching[0], time.time()
    office.until = now + 5.0
    assert judge.work(now) == now + 5.0           # looked at again when it closes
    assert [one.name for one in alerts.raised] == ["Too many"]
    office.open, office.until = False, None
    judge.work(now + 4.9)
    assert office.asked == 1
    judge.work(now + 5.0)
    assert [one.name for one in alerts.raised] == ["Night"] and office.asked == 2
    assert alerts.alert(1).cleared_at == now + 5.0               # type: ignore[union-attr]


def test_what_a_hand_opens_is_seen_soon(watching: Both, alerts: Alerts, add: Adding, office: Office) -> None:
    office.open = False
    add(hold_s=0.0, calendar="office")
    judge, now = watching[0], time.time()
    assert judge.work(now) == now + AGAIN_S and not alerts.raised
    office.open = True
    judge.work(now + AGAIN_S - 0.1)
    assert not alerts.raised
    judge.work(now + AGAIN_S)
    assert alerts.raised


def test_what_acdd_said_holds_while_it_is_away_and_then_nothing_changes(
        watching: Both, alerts: Alerts, add: Adding, office: Office) -> None:
    add(hold_s=0.0, calendar="office")
    judge, now = watching[0], time.time()
    office.away = True
    judge.work(now)
    assert not alerts.raised                      # nobody has said anything yet
    office.away, office.until = False, now + 100.0
    judge.work(now + AGAIN_S)
    assert alerts.raised
    office.away = True
    judge.work(now + 99.0)
    assert alerts.raised                          # still within what was said
    judge.work(now + 200.0)
    assert alerts.raised                          # it has closed, perhaps: nobody knows
    office.away, office.open, office.until = False, False, None
    judge.work(now + 200.0 + AGAIN_S)
    assert not alerts.raised


def test_without_its_calendar_a_rule_is_not_in_force_and_says_so(
        client: FlaskClient, watching: Both, alerts: Alerts, add: Adding, office: Office) -> None:
    add(hold_s=0.0, calendar="office")
    judge, now = watching[0], time.time()
    judge.work(now)
    assert alerts.raised and "there is no calendar" not in client.get("/alerts/").text
    office.calendars = []
    judge.work(now + AGAIN_S)
    assert not alerts.raised and "there is no calendar office any more" in client.get("/alerts/").text


def test_acdd_is_asked_anew_when_the_document_is_another(exchange: FakeExchange, office: Office) -> None:
    calendars, now = Calendars(exchange), 1000.0
    calendars.begin()
    assert calendars.next_at() is None            # no rule names one
    assert calendars.standing("office", now) == "open" and calendars.next_at() == now + AGAIN_S
    office.open = False
    assert calendars.standing("office", now + 1.0) == "open"
    exchange.mirror.hear(DocumentState(at=1.0), 0.0)
    assert calendars.standing("office", now + 2.0) == "closed"
    assert calendars.standing("office", now - 60.0) == "closed" and office.asked == 3    # the clock was set


def test_the_form_offers_acdds_calendars(client: FlaskClient, alerts: Alerts, office: Office) -> None:
    page = client.get("/alerts/new?what=waiting").text
    assert '<option value="office">' in page
    form: dict[str, Any] = {
        "what": "waiting", "name": "Late", "threshold": "3", "hold_s": "0", "clear_s": "10",
        "days": list("0123456"), "severity": "warning", "window_min": "30", "calendar": "office",
        "calendar_when": "closed"}
    assert post(client, "/alerts/new", **form).status_code == 303
    kept, = alerts.rules
    assert (kept.rule.calendar, kept.rule.calendar_when) == ("office", "closed")
    assert "while the calendar office is closed" in client.get("/alerts/").text
    assert post(client, "/alerts/new", **form | {"calendar": "other"}).status_code == 404
    assert post(client, "/alerts/new", **form | {"calendar_when": "ajar"}).status_code == 400
    office.away = True                            # what the rule names may stay
    assert '<option value="office" selected>' in client.get(f"/alerts/{kept.number}").text


def test_a_form_is_taken_though_acdd_went_away_meanwhile(
        client: FlaskClient, alerts: Alerts, office: Office) -> None:
    form: dict[str, Any] = {
        "what": "waiting", "name": "Late", "threshold": "3", "hold_s": "0", "clear_s": "10",
        "days": list("0123456"), "severity": "warning", "window_min": "30", "calendar": "office"}
    office.away = True
    wrong = post(client, "/alerts/new", **form | {"name": ""})
    assert '<option value="office" selected>' in wrong.text
    assert post(client, "/alerts/new", **form | {"calendar": "<b>"}).status_code == 404
    assert post(client, "/alerts/new", **form).status_code == 303
    assert [one.rule.calendar for one in alerts.rules] == ["office"]


@pytest.mark.parametrize(("language", "said"), [
    ("en", "while the calendar office is open"), ("zh", "\u65e5\u5386 office")])
def test_how_it_sounds(app: Flask, language: str, said: str) -> None:
    rule = Rule(name="x", what="waiting", calendar="office", days=(0,), since="08:00", until="18:00")
    with app.test_request_context(), force_locale(language):
        text = words.sentence(rule)
        assert said in text and "08:00" in text and "%(" not in text
