"""Callers whom nobody talked to, callbacks, and what is done about them."""

import re
import time
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from appliance.bus.messages import AbandonedInfo, CallBack, CancelCallback, CloseAbandoned
from tests.webui.access.people import Staff
from tests.webui.conftest import NAME, FakeExchange, token
from tests.webui.floor.facts import FloorBranch
from tests.webui.test_pages import message
from webui.access.ranges import Range
from webui.users import Users


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def send(client: FlaskClient, path: str, **form: str) -> Any:
    return client.post(path, data=form | {"csrf_token": token(client, "/floor/missed")})


def test_they_are_listed_with_why_they_went_and_what_became_of_it(client: FlaskClient) -> None:
    page = client.get("/floor/missed").text
    words = text_of(page)
    for said in ("13711112222 sales in the queue 0:40 2 open Call back", "withheld – in the menu 0:00 1 open",
                 "13699998888 sales 3 as soon as its turn comes Waiting · 1 try: busy", "invoice Cancel"):
        assert said in words, said
    assert "02088889999" not in words             # done with
    assert "/missed/e4/call-back" not in page     # no number
    every = client.get("/floor/missed?every=1&days=7").text
    assert "ordered &lt;b&gt;" in every and "/missed/e5/" not in every
    assert "13711112222" not in client.get("/floor/missed?queue=service&every=1").text
    with client.get("/floor/missed/events?queue=sales", buffered=False) as stream:
        assert "13711112222" in message(stream)["lists"]


def test_other_days_and_queues_are_no_page(client: FlaskClient) -> None:
    for query in ("days=2", "days=-1", "queue=x"):
        assert client.get(f"/floor/missed?{query}").status_code == 404
        assert client.get(f"/floor/missed/events?{query}").status_code == 404


def test_one_click_calls_back_and_others_write_off_and_cancel(
        client: FlaskClient, branch: FloorBranch) -> None:
    answer = send(client, "/floor/missed/e2/call-back", days="7", in_queue="sales", every="1")
    assert answer.location == "/floor/missed?days=7&queue=sales&every=1"
    assert "13711112222 is called back as soon as its turn comes." in client.get("/floor/missed").text
    send(client, "/floor/missed/e4/close", code="  spam   call ")
    send(client, "/floor/callbacks/k1/cancel")
    assert branch.acts == [
        CallBack(contact="e2", by=NAME), CloseAbandoned(contact="e4", code="spam call", by=NAME),
        CancelCallback(contact="k1", by=NAME)]
    send(client, "/floor/missed/e4/close", code=" ")
    assert "Say in a word" in client.get("/floor/missed").text
    for path in ("missed/none/call-back", "missed/none/close", "callbacks/none/cancel"):
        assert send(client, f"/floor/{path}", code="x").status_code == 404
    assert len(branch.acts) == 3


def test_a_refusal_is_said(client: FlaskClient, branch: FloorBranch) -> None:
    branch.refusal = "13711112222: is being called already"
    send(client, "/floor/missed/e2/call-back")
    assert "13711112222 is being called already." in client.get("/floor/missed").text


def test_who_came_to_no_queue_is_called_back_in_a_chosen_one(
        client: FlaskClient, branch: FloorBranch) -> None:
    branch.abandoned.append(AbandonedInfo(
        contact="e6", number="13733334444", queue="", where="flow", at=time.time() - 60.0, wait_s=0.0,
        times=1))
    page = client.get("/floor/missed").text
    [form] = re.findall(r'<form [^>]*action="/floor/missed/e6/call-back".*?</form>', page, re.DOTALL)
    assert re.findall(r"<option>(\w+)", form) == ["sales", "service"]
    send(client, "/floor/missed/e6/call-back", queue="service")
    assert branch.acts == [CallBack(contact="e6", queue="service", by=NAME)]


def test_who_leads_some_agents_sees_and_touches_no_callers_of_others(
        app: Flask, visitor: FlaskClient, users: Users, branch: FloorBranch) -> None:
    leader = Staff(app, users).new("li", "team_leader", Range(agents=frozenset({"anna"})))
    page = leader.get("/floor/missed?every=1&days=7").text
    for number in ("13711112222", "02088889999", "13699998888"):
        assert number not in page, number
    for path in ("missed/e2/call-back", "missed/e2/close", "missed/e4/close", "callbacks/k1/cancel"):
        assert send(leader, f"/floor/{path}", code="x").status_code == 404, path
    assert branch.acts == []


def test_without_acdd_the_page_says_so(client: FlaskClient, exchange: FakeExchange) -> None:
    exchange.silent = {"acdd"}
    page = client.get("/floor/missed")
    assert page.status_code == 200 and "does not answer at this moment" in page.text
