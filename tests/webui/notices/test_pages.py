"""Notices on the pages: who writes to whom, who sees and confirms them, what is refused."""

import re
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.config.quality import GroupConfig, QualityConfig
from tests.webui.conftest import PASSWORD, FakeExchange, post, token
from webui.access.audit import Asked
from webui.access.crew import Crew
from webui.access.ranges import UNLIMITED, Range
from webui.notices.audience import Audience
from webui.notices.store import Notices
from webui.parts import Settings
from webui.users import Users

Browser = Callable[[str], FlaskClient]
GROUPS = QualityConfig(groups=[
    GroupConfig(name="day", agents=["li"]), GroupConfig(name="night", agents=["wu"]),
    GroupConfig(name="desk", agents=["li", "ma"])])


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, crew=Crew(GROUPS))


@pytest.fixture
def browser(app: Flask, visitor: FlaskClient, users: Users) -> Browser:
    """Of people: chen leads the day, li, ma and wu serve callers, zhao is a supervisor."""
    for name, role, within in (("chen", "team_leader", Range(agents=frozenset({"li"}))),
                               ("li", "agent", UNLIMITED), ("ma", "agent", UNLIMITED),
                               ("wu", "agent", UNLIMITED), ("zhao", "supervisor", UNLIMITED)):
        users.add(name, PASSWORD, role, within, "admin")
        users.change_password(name, PASSWORD)

    def signed_in(name: str) -> FlaskClient:
        client = app.test_client()
        assert post(client, "/login", name=name, password=PASSWORD).status_code == 303
        return client
    return signed_in


def write(client: FlaskClient, text: str = "the hall is closed", **form: str) -> int:
    asked = {"text": text, "urgency": "normal", "csrf_token": token(client, "/notices/")} | form
    return client.post("/notices/", data=asked).status_code


def bar(client: FlaskClient, page: str = "/me/") -> str:
    shown = client.get(page, follow_redirects=True).text
    found = re.search(r'<div id="notice-bar".*?<main', shown, re.DOTALL)
    assert found
    return found[0]


def test_a_supervisor_writes_to_everybody_and_sees_who_has_read_it(browser: Browser) -> None:
    zhao, li = browser("zhao"), browser("li")
    assert write(zhao, everybody="yes", urgency="urgent") == 303
    page = li.get("/notices/").text
    assert '<dialog class="urgent" data-key="1" data-colour="red"' in page and "the hall is closed" in page
    assert li.post("/notices/1/read", data={"csrf_token": token(li, "/notices/")},
                   headers={"X-Requested-With": "fetch"}).status_code == 204
    assert "<dialog" not in li.get("/notices/").text
    receipts = zhao.get("/notices/1").text
    assert re.search(r"<td>li</td><td>\S+.*?</td><td>\d", receipts)
    assert zhao.post("/notices/1/withdraw", data={"csrf_token": token(zhao, "/notices/")}).status_code == 303
    assert "<dialog" not in browser("wu").get("/notices/").text


def test_what_is_written_is_text_and_nothing_else(browser: Browser) -> None:
    zhao = browser("zhao")
    assert write(zhao, "<script>alert(1)</script>", people="zhao") == 303
    page = zhao.get("/notices/").text
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("form", [
    {"text": ""}, {"text": "x" * 501}, {"until": "2001-01-01T00:00"}, {"until": "2999-01-01T00:00"},
    {"since": "2998-01-01T00:00"}, {}])
def test_what_makes_no_sense_is_said_and_keeps_what_was_typed(browser: Browser, form: dict[str, str]) -> None:
    zhao = browser("zhao")
    to = {"everybody": "yes"} if form else {}
    assert write(zhao, **({"text": "kept"} | to | form)) == 422
    assert "kept" not in bar(zhao)


@pytest.mark.parametrize("form", [{"urgency": "shouted"}, {"colour": "url(x)"}])
def test_what_no_form_has_is_refused(browser: Browser, form: dict[str, str]) -> None:
    assert write(browser("zhao"), **({"everybody": "yes"} | form)) == 400


def test_a_leader_writes_to_hers_only(browser: Browser) -> None:
    chen, li, wu = browser("chen"), browser("li"), browser("wu")
    page = chen.get("/notices/").text
    assert 'value="day"' in page and 'value="night"' not in page and "everybody" not in page
    for form in ({"everybody": "yes"}, {"roles": "agent"}, {"groups": "night"}, {"people": "wu"},
                 {"people": "nobody"}):
        assert write(chen, **form) == 404
    assert write(chen, "to the day", groups="day") == 303
    assert "to the day" in bar(li) and "to the day" not in bar(wu)


def test_nobody_sees_or_withdraws_anothers(browser: Browser, client: FlaskClient) -> None:
    assert write(browser("zhao"), everybody="yes") == 303
    chen, li = browser("chen"), browser("li")
    assert chen.get("/notices/1").status_code == 404
    assert chen.post("/notices/1/withdraw", data={"csrf_token": token(chen, "/notices/")}).status_code == 404
    assert li.get("/notices/1").status_code == 403
    assert client.get("/notices/1").status_code == 200


def test_an_agent_writes_when_he_was_let(browser: Browser, client: FlaskClient) -> None:
    li = browser("li")
    assert write(li, people="li") == 403
    assert post(client, "/notices/writers", name="li", may="yes").status_code == 303
    assert write(li, "from li", people="li") == 303
    assert post(client, "/notices/writers", name="li").status_code == 303
    assert write(li, people="li") == 403
    assert post(client, "/notices/writers", name="ghost", may="yes").status_code == 404
    assert post(browser("chen"), "/notices/writers", name="li", may="yes").status_code == 403


def test_an_agent_who_was_let_writes_to_his_groups_and_those_in_them(
        browser: Browser, client: FlaskClient) -> None:
    assert post(client, "/notices/writers", name="li", may="yes").status_code == 303
    li = browser("li")
    page = li.get("/notices/").text
    assert 'value="desk"' in page and 'value="ma"' in page
    assert 'value="night"' not in page and 'value="wu"' not in page
    for form in ({"groups": "desk"}, {"groups": "day"}, {"people": "ma"}):
        assert write(li, **form) == 303, form
    for form in ({"everybody": "yes"}, {"roles": "agent"}, {"groups": "night"}, {"people": "wu"},
                 {"people": "chen"}):
        assert write(li, **form) == 404, form


def test_the_administrator_chooses_the_colours(browser: Browser, client: FlaskClient) -> None:
    chosen = {"normal": "green", "important": "violet", "urgent": "grey"}
    assert post(client, "/notices/looks", **chosen).status_code == 303
    assert write(client, everybody="yes", urgency="important") == 303
    assert 'class="important" data-key="1" data-colour="violet"' in bar(browser("wu"))
    assert post(client, "/notices/looks", **(chosen | {"urgent": "plaid"})).status_code == 400


def test_a_live_page_is_told_at_once(browser: Browser, app: Flask, exchange: FakeExchange) -> None:
    notices: Notices = app.extensions["branchline"].notices
    with browser("li").get("/notices/events") as stream:
        events = (event for event in stream.iter_encoded() if event.startswith(b"data:"))
        assert b"the hall" not in next(events)
        now = time.time()
        number = notices.add(
            "zhao", "the hall is closed", "normal", "blue", Audience(True), now, now + 60.0, now)
        exchange.mirror.wake()
        assert b"the hall is closed" in next(events)
        assert [one.name for one in notices.receipts(number)] == ["li"]


def test_who_wrote_what_is_in_the_log(browser: Browser, app: Flask) -> None:
    assert write(browser("zhao"), everybody="yes") == 303
    entries = app.extensions["branchline"].audit.entries(Asked(acts=("notice",)), 20)
    assert [entry.by for entry in entries] == ["zhao"]
