"""Who serves what: seen in the reader's range, tried before it is done, and done as the form says."""

import time
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.bus.messages import AssignAgents, Assigning, Request
from tests.webui.access.people import Staff
from tests.webui.conftest import NAME, token
from tests.webui.floor.facts import FloorBranch
from tests.webui.floor.test_floor import text_of
from webui.access.audit import Asked
from webui.access.ranges import Range
from webui.users import Users


def send(client: FlaskClient, act: str, **form: Any) -> Any:
    return client.post(f"/floor/crew/{act}", data=form | {"csrf_token": token(client, "/floor/crew")})


def asked(branch: FloorBranch) -> Assigning:
    request: Request[Any] = branch.acts[-1]
    assert isinstance(request, AssignAgents) and request.by == NAME
    return request.assignments[0]


def test_who_serves_what_is_shown_with_what_was_done_by_hand(client: FlaskClient) -> None:
    words = text_of(client.get("/floor/crew").text)
    for said in ("anna Talking ● – en 2", "dora", "added", "taken out", "en 5 mei, until the log-out"):
        assert said in words, said


def test_the_effect_is_told_and_nothing_is_done_until_it_is_confirmed(
        client: FlaskClient, branch: FloorBranch) -> None:
    tried = send(client, "try", agent=["anna", "bert"], also="service", skill="en", level="7", ends="open")
    words = text_of(tried.text)
    for said in ("sales 3 → 4 2 → 3 1:35 → 1:01 2 1 → 0", "service 3 → 2 1 → 0 0:12 → nobody is there"):
        assert said in words, said
    assert branch.acts == []
    done = send(client, "assign", agent=["anna", "bert"], also="service", skill="en", level="7", ends="open")
    assert done.status_code == 303
    assert asked(branch) == Assigning(agent="anna", skills={"en": 7}, also=["service"])
    assert "2 agents serve others" in client.get("/floor/crew").text


def test_it_comes_on_top_of_what_is_by_hand_already_or_takes_all_of_it_back(
        client: FlaskClient, branch: FloorBranch) -> None:
    send(client, "assign", agent="emil", also="service", skill="en", level="0", ends="log-out")
    assert asked(branch) == Assigning(agent="emil", skills={}, also=["sales", "service"], until_log_out=True)
    send(client, "assign", agent="emil", without="sales", ends="open")
    assert asked(branch) == Assigning(agent="emil", skills={"en": 5}, without=["service", "sales"])
    send(client, "assign", agent="emil", reset="yes", also="sales", ends="open")
    assert asked(branch) == Assigning(agent="emil")


def test_a_time_of_day_is_the_next_one(client: FlaskClient, branch: FloorBranch) -> None:
    for minutes in (-5, 5):
        at = datetime.fromtimestamp(time.time() + 60 * minutes)
        send(client, "assign", agent="anna", also="service", ends="time", until=f"{at:%H:%M}")
        until = asked(branch).until
        assert f"{datetime.fromtimestamp(until):%H:%M}" == f"{at:%H:%M}"
        assert 0 < until - time.time() <= 86400


@pytest.mark.parametrize(("form", "status", "why"), [
    ({"also": "sales"}, 422, "Choose at least one agent"),
    ({"agent": "anna"}, 422, "Choose a queue or a skill"),
    ({"agent": "anna", "skill": "en", "level": "11"}, 422, "The level is 0 to 10"),
    ({"agent": "anna", "skill": "en", "level": "²"}, 422, "The level is 0 to 10"),
    ({"agent": "anna", "also": "sales", "ends": "time", "until": "25:00"}, 422, "Until when?"),
    ({"agent": "anna", "also": "sales", "ends": "never"}, 400, ""),
])
def test_what_makes_no_sense_is_said_and_not_asked(
        client: FlaskClient, branch: FloorBranch, form: dict[str, Any], status: int, why: str) -> None:
    for act in ("try", "assign"):
        refused = send(client, act, **form)
        assert refused.status_code == status and why in refused.text
    assert branch.acts == []


def test_a_refusal_of_acdds_is_said(client: FlaskClient, branch: FloorBranch) -> None:
    branch.refusal = "anna: no queue is called 'lost', there are sales, service"
    refused = send(client, "assign", agent="anna", also="lost", ends="open")
    assert refused.status_code == 422 and "No queue is called lost, there are sales, service." in refused.text


def test_only_people_and_queues_of_the_range_are_seen_and_shared(
        app: Flask, client: FlaskClient, users: Users, branch: FloorBranch) -> None:
    leader = Staff(app, users).new("li", "team_leader", Range(
        agents=frozenset({"anna", "emil"}), queues=frozenset({"sales"})))
    page = leader.get("/floor/crew").text
    assert "anna" in page and "chen" not in page and ">service<" not in page and 'name="skill"' not in page
    for form in ({"agent": "chen", "also": "sales"}, {"agent": "anna", "also": "service"},
                 {"agent": "anna", "without": "service"}):
        assert send(leader, "try", **form).status_code == 404
        assert send(leader, "assign", **form).status_code == 404
    send(leader, "assign", agent="anna", also="sales", skill="en", level="9", ends="open")
    request = branch.acts[-1]
    assert isinstance(request, AssignAgents) and request.by == "li"
    assert request.assignments == [Assigning(agent="anna", also=["sales"])]      # the skill is not his


def test_what_others_have_done_outside_the_range_stays(
        app: Flask, client: FlaskClient, users: Users, branch: FloorBranch) -> None:
    """emil has by hand: en 5, also sales, not service, until the log-out."""
    leader = Staff(app, users).new("li", "team_leader", Range(
        agents=frozenset({"emil"}), queues=frozenset({"sales"})))
    send(leader, "assign", agent="emil", reset="yes", ends="open")
    request = branch.acts[-1]
    assert isinstance(request, AssignAgents) and request.assignments == [
        Assigning(agent="emil", skills={"en": 5}, without=["service"], until_log_out=True)]
    send(leader, "assign", agent="emil", without="sales", ends="open")
    request = branch.acts[-1]
    assert isinstance(request, AssignAgents) and request.assignments == [
        Assigning(agent="emil", skills={"en": 5}, without=["service", "sales"], until_log_out=True)]


def test_the_log_says_who_was_given_what(app: Flask, client: FlaskClient, branch: FloorBranch) -> None:
    send(client, "assign", agent=["anna", "bert"], also="service", skill="en", level="7", ends="open")
    [row] = app.extensions["branchline"].audit.entries(Asked(acts=("floor-assign",)), 5)
    assert (row.act, row.what, row.outcome) == ("floor-assign", "anna, bert: +service en 7 open", "")
