"""The console's commands on a page, as boxd answers them."""

import html
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    CommandOffer,
    CommandOffers,
    CommandRan,
    OfferCommands,
    Reply,
    Request,
    RunCommand,
)
from tests.webui.access.people import Staff
from tests.webui.conftest import FakeExchange, token
from webui.users import Users


@pytest.fixture
def asked(exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Request[Any]]]:
    """Requests of the console; boxd answers them in few words."""
    heard: list[Request[Any]] = []
    before = exchange.ask

    def ask(request: Request[Any], *more: Any) -> Reply:
        match request:
            case RunCommand(line=line):
                heard.append(request)
                if line == "away":
                    raise BusError("RunCommand: boxd is not there")
                if line == "too long":
                    raise Refused("a name has at most 64 characters")
                if line.startswith("shw"):
                    return CommandRan(status=64, text="", wrong="shw\n^\n'shw' <does> not fit here\n")
                return CommandRan(status=0, text=f"<b>{line}</b> ok\n", wrong="", cut=line == "help",
                                  secret="password" in line)
            case OfferCommands(line=line):
                heard.append(request)
                return CommandOffers(at=5, offers=[CommandOffer("spans", "all lines")] if line else [])
        reply: Reply = before(request, *more)
        return reply

    monkeypatch.setattr(exchange, "ask", ask)
    yield heard


def run(client: FlaskClient, line: str, **more: Any) -> Any:
    return client.post("/box/console/run", data={"line": line, "csrf_token": token(client, "/box/"), **more})


def text(answer: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2])).split())


def test_a_line_is_run_and_offered_again(client: FlaskClient, asked: list[Request[Any]]) -> None:
    answer = run(client, "  show spans ", past=["show calls", "show spans"])
    assert answer.status_code == 200
    assert "&lt;b&gt;show spans&lt;/b&gt; ok" in answer.text
    [request] = asked
    assert isinstance(request, RunCommand)
    assert (request.line, request.role, request.origin) == ("show spans", "admin", "web 127.0.0.1")
    assert 0 < request.until - time.time() <= 130
    assert re.findall(r'name="past" value="([^"]*)"', answer.text)[:2] == ["show spans", "show calls"]
    assert '<option value="show calls">' in answer.text
    assert 'name="line" value=""' in answer.text                     # ready for the next one


def test_what_is_wrong_is_said_and_the_line_stays(client: FlaskClient, asked: list[Request[Any]]) -> None:
    answer = run(client, "shw spans")
    assert "&#39;shw&#39; &lt;does&gt; not fit here" in answer.text and 'role="alert"' in answer.text
    assert 'name="line" value="shw spans"' in answer.text
    assert "boxd is not there" in text(run(client, "away"))
    assert "at most 64 characters" in text(run(client, "too long"))
    assert "only its beginning" in text(run(client, "help"))


def test_a_question_mark_says_what_fits(client: FlaskClient, asked: list[Request[Any]]) -> None:
    answer = run(client, "show ?")
    assert "spans all lines" in text(answer)
    assert asked == [OfferCommands(line="show ", role="admin", language="en")]
    assert 'name="line" value="show "' in answer.text
    assert "Nothing fits here." in text(run(client, "?"))


def test_nothing_is_run_without_a_line_and_limits_hold(client: FlaskClient,
                                                       asked: list[Request[Any]]) -> None:
    assert run(client, "  ").status_code == 200
    assert asked == []
    run(client, "x" * 5000, past=["y"] * 30)
    [request] = asked
    assert isinstance(request, RunCommand) and len(request.line) == 4000


def test_the_log_has_the_command_and_not_its_values(app: Flask, client: FlaskClient,
                                                    asked: list[Request[Any]]) -> None:
    run(client, "configure set mail.password hunter2")
    page = client.get("/log/").text
    assert "configure set" in page and "hunter2" not in page
    assert client.get("/box/console/run").status_code == 303


def test_a_line_with_a_password_does_not_stay_on_the_page(client: FlaskClient,
                                                          asked: list[Request[Any]]) -> None:
    answer = run(client, "configure set mail.password hunter2", past=["show spans"])
    head, _, said = answer.text.partition("<pre")
    assert "<code>configure set …</code>" in head and "hunter2" not in head
    assert re.findall(r'name="past" value="([^"]*)"', answer.text)[:1] == ["show spans"]
    assert "hunter2" not in said.partition("</pre>")[2]


def test_who_may_not_do_all_that_commands_do_has_no_console(app: Flask, users: Users, client: FlaskClient,
                                                            asked: list[Request[Any]]) -> None:
    installer = Staff(app, users).new("zhou", "installer")           # may not listen in, nor find recordings
    assert installer.get("/box/").status_code == 200
    assert installer.get("/box/console/").status_code == 403
    csrf = token(installer, "/box/")
    assert installer.post("/box/console/run", data={"line": "help", "csrf_token": csrf}).status_code == 403
    assert asked == []
