"""The pages of alerts: a rule written, tried, muted, changed; by whom, and within which range."""

import re
import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.webui.alerts.conftest import Adding
from tests.webui.conftest import PASSWORD, post, token
from webui.access.crew import Crew
from webui.access.ranges import UNLIMITED, Range
from webui.alerts.rules import MEASURES
from webui.alerts.store import Alerts
from webui.alerts.telling import Telling
from webui.alerts.watching import Watching
from webui.users import Users

FORM = {"what": "waiting", "name": "Many in sales", "which": "sales", "threshold": "5", "hold_s": "30",
        "clear": "2", "clear_s": "10", "severity": "critical", "sound": "yes", "tell_people": "admin",
        "days": ["0", "1"], "since": "08:00", "until": "18:00", "mail": "", "webhook": ""}


def sign_in(app: Flask, users: Users, name: str, role: str, within: Range) -> FlaskClient:
    users.add(name, PASSWORD, role, within, "admin")
    users.change_password(name, PASSWORD)
    client = app.test_client()
    assert post(client, "/login", name=name, password=PASSWORD).status_code == 303
    return client


def write(client: FlaskClient, path: str = "/alerts/new", **changed: Any) -> Any:
    return client.post(path, data=FORM | changed | {"csrf_token": token(client, "/alerts/new")})


def test_a_rule_is_written_shown_in_words_and_changed(client: FlaskClient, alerts: Alerts) -> None:
    assert write(client).status_code == 303
    page = client.get("/alerts/").text
    assert ("When callers waiting (sales) is more than 5 for 0:30: critical, until it has been 2 or less for"
            " 0:10. In force: mon, tue 08:00 - 18:00. It tells: banner and sound for admin.") in page
    assert 'value="5"' in client.get("/alerts/1").text
    assert write(client, "/alerts/1", threshold="7", webhook="https://example.com/hook").status_code == 303
    kept = alerts.rule(1)
    assert kept and (kept.rule.threshold, kept.by) == (7.0, "admin")
    assert kept.secret in client.get("/alerts/1").text
    removed = client.post("/alerts/1/remove", data={"csrf_token": _token(client)})
    assert removed.status_code == 303 and not alerts.rules


def _token(client: FlaskClient) -> str:
    return token(client, "/alerts/new")


NONSENSE: list[tuple[dict[str, Any], str]] = [
    ({"name": " "}, "needs a name"), ({"threshold": "x"}, "Write numbers"), ({"threshold": "-1"},
        "Write numbers"),
    ({"threshold": "nan"}, "Write numbers"), ({"clear": "9"}, "beyond the limit"), ({"days": []},
        "at least one day"),
    ({"until": ""}, "both times"), ({"since": "8"}, "both times"), ({"mail": "nobody"}, "no mail address"),
    ({"webhook": "http://example.com/"}, "https"), ({"webhook": "https://10.0.0.1/"}, "public network"),
    ({"clear_s": "0"}, "Write numbers"), ({"hold_s": "1e9"}, "Write numbers"),
]


def test_what_makes_no_sense_is_said_and_kept_in_the_form(client: FlaskClient, alerts: Alerts) -> None:
    for changed, said in NONSENSE:
        refused = write(client, **changed)
        assert refused.status_code == 422 and said in refused.text and not alerts.rules
        assert "Many in sales" in refused.text or changed.get("name")


def test_what_is_not_there_cannot_be_chosen(client: FlaskClient, alerts: Alerts) -> None:
    for changed in ({"which": "nowhere"}, {"tell_people": "nobody"}, {"tell_groups": "none"},
                    {"what": "weather"}):
        assert write(client, **changed).status_code == 404
        assert not alerts.rules
    assert write(client, severity="loud").status_code == 400


def test_every_measure_has_its_form_and_can_be_saved_as_it_is(client: FlaskClient, alerts: Alerts) -> None:
    choice = client.get("/alerts/new").text
    for what in MEASURES:
        page = client.get(f"/alerts/new?what={what}").text
        fields = dict(re.findall(r'name="(name|threshold|hold_s|clear_s)"[^>]*value="([^"]*)"', page))
        saved = write(client, what=what, which=[], clear="", **{"threshold": "0"} | fields)
        assert saved.status_code == 303 and alerts.rules[-1].rule.what == what
        assert choice.count(f'what={what}"') == 1


def test_the_sentence_follows_the_form(client: FlaskClient, alerts: Alerts) -> None:
    said = write(client, "/alerts/sentence", threshold="9").text
    assert "more than 9" in said and not alerts.rules
    assert "Write numbers" in write(client, "/alerts/sentence", threshold="").text


def test_tried_out_muted_switched_off_and_acknowledged(
        client: FlaskClient, alerts: Alerts, add: Adding, watching: tuple[Watching, Telling]) -> None:
    number = add(hold_s=0.0)
    csrf = {"csrf_token": _token(client)}
    assert client.post(f"/alerts/{number}/try", data=csrf).status_code == 303
    now = time.time()
    watching[0].work(now)
    page = client.get("/alerts/").text
    assert "Test: Too many" in page and "I see to it" in page
    assert 'data-heard="[[2, &#34;warning&#34;, false], [1, &#34;warning&#34;, true]]"' in page
    assert client.post("/alerts/raised/2", data=csrf).status_code == 303
    assert alerts.raised[0].seen_by == "admin" and "admin sees to it" in client.get("/alerts/").text
    assert client.post(f"/alerts/{number}/mute", data=csrf | {"minutes": "60"}).status_code == 303
    assert client.post(f"/alerts/{number}/mute", data=csrf | {"minutes": "7"}).status_code == 400
    assert "muted until" in client.get("/alerts/").text
    assert client.post(f"/alerts/{number}/switch", data=csrf | {"on": "no"}).status_code == 303
    assert not alerts.raised and "switched off" in client.get("/alerts/").text


def test_others_rules_are_there_for_who_makes_people_within_a_range_that_covers_them(
        app: Flask, users: Users, client: FlaskClient, alerts: Alerts, add: Adding) -> None:
    leader = sign_in(app, users, "leader", "team_leader",
                     Range(queues=frozenset({"sales"}), agents=frozenset({"anna"})))
    assert write(leader, which="service", tell_people=[]).status_code == 404
    assert write(leader, everybody="yes", tell_people=[]).status_code == 404
    assert write(leader, tell_people="leader").status_code == 303
    assert write(leader, "/alerts/1", tell_people="admin").status_code == 404
    narrow = sign_in(app, users, "narrow", "supervisor", Range(queues=frozenset({"service"})))
    number = add()                                # the administrator's
    for somebody, seen in ((client, {1, number}), (leader, {1}), (narrow, set[int]())):
        for one in (1, number):
            assert somebody.get(f"/alerts/{one}").status_code == (200 if one in seen else 404)
            refused = somebody.post(f"/alerts/{one}/mute", data={"csrf_token": _token(somebody),
                                                                 "minutes": "15"})
            assert refused.status_code == (303 if one in seen else 404)
    agent = sign_in(app, users, "agent", "agent", UNLIMITED)
    assert agent.get("/alerts/").status_code == 403


def test_a_rule_is_kept_by_groups_and_said_not_to_be_in_force(
        app: Flask, users: Users, client: FlaskClient, alerts: Alerts,
        monkeypatch: pytest.MonkeyPatch) -> None:
    groups = {"early": frozenset({"anna", "chen"})}
    monkeypatch.setattr(Crew, "groups", lambda self: groups)
    within = Range(groups=frozenset({"early"}))
    leader = sign_in(app, users, "leader", "team_leader", within)
    assert write(leader, which=[], what="agents_ready", clear="", tell_people="leader").status_code == 303
    assert write(leader, "/alerts/1", which=[], what="agents_ready", clear="9",
                 tell_people="leader").status_code == 303
    assert [one.within for one in alerts.rules] == [within]
    groups = {"early": frozenset({"anna"})}
    assert "not in force" not in leader.get("/alerts/").text
    users.change("leader", "team_leader", Range(agents=frozenset({"chen"})))
    assert "not in force" in client.get("/alerts/").text


def test_the_sound_knows_which_file_numbers_the_alerts(client: FlaskClient, alerts: Alerts) -> None:
    assert f'data-box="{alerts.box}"' in client.get("/alerts/").text


def test_who_is_not_told_cannot_acknowledge(
        app: Flask, users: Users, add: Adding, alerts: Alerts, watching: tuple[Watching, Telling],
        visitor: FlaskClient) -> None:
    add(hold_s=0.0)
    watching[0].work(time.time())
    leader = sign_in(app, users, "leader", "team_leader", Range(queues=frozenset({"sales"})))
    assert leader.post("/alerts/raised/1", data={"csrf_token": _token(leader)}).status_code == 404
    assert "Nothing is raised" in leader.get("/alerts/").text
    assert alerts.raised[0].seen_at is None
