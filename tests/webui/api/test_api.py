"""/api/v1 as programs use it: against its own OpenAPI document, by ranges, without a token, with a cookie."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from webui.access.audit import Asked
from webui.access.ranges import UNLIMITED, Range
from webui.api.operations import api
from webui.api.tokens import SCOPES, Tokens

FEW = 40
EXAMPLES = int(os.environ.get("API_EXAMPLES", FEW))    # more of them, other ones every time


@pytest.fixture
def tokens(app: Flask) -> Tokens:
    found: Tokens = app.extensions["branchline"].tokens
    return found


@pytest.fixture
def program(app: Flask, visitor: FlaskClient, tokens: Tokens) -> FlaskClient:
    """One that may do all that a token can."""
    return with_token(app, tokens, frozenset(SCOPES), UNLIMITED)


def told(client: FlaskClient, path: str) -> Any:
    """What a GET of the API gives."""
    return json.loads(client.get(f"/api/v1{path}").data)


def with_token(app: Flask, tokens: Tokens, scopes: frozenset[str], within: Range) -> FlaskClient:
    client = app.test_client()
    made = tokens.make("crm", scopes, within, "admin", time.time(), 1.0)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {made}"
    return client


@pytest.mark.usefixtures("shelf", "month")
def test_every_operation_is_as_its_document_says(app: Flask, program: FlaskClient) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    bearer = {"Authorization": program.environ_base["HTTP_AUTHORIZATION"]}
    tried: set[str] = set()

    def holds(case: Any) -> None:
        tried.add(case.operation.label)
        case.call_and_validate(headers=bearer)

    for operation in schema.get_all_operations():
        assert isinstance(operation, Ok)
        once = given(case=operation.ok().as_strategy())(holds)
        settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES == FEW,
                 suppress_health_check=list(HealthCheck))(once)()
    assert len(tried) == len(api.operations)


@pytest.mark.parametrize("path", ["/board", "/contacts", "/recordings", "/lines", "/contacts/e1",
                                  "/figures?of=queue&since=0&until=900"])
def test_without_a_token_nothing_is_told(
        app: Flask, client: FlaskClient, tokens: Tokens, path: str) -> None:
    for asking in (app.test_client(), client):    # who has signed in on the pages has no token either
        refused = asking.get(f"/api/v1{path}")
        assert (refused.status_code, json.loads(refused.data)["status"]) == (401, 401)
    narrow = with_token(app, tokens, frozenset({"notify"}), UNLIMITED)
    assert narrow.get(f"/api/v1{path}").status_code == 403
    assert app.test_client().get("/contacts/", headers={
        "Authorization": narrow.environ_base["HTTP_AUTHORIZATION"]}).status_code in (303, 401)


def test_a_token_sees_what_is_in_its_range(app: Flask, program: FlaskClient, tokens: Tokens) -> None:
    everything = told(program, "/board")
    queue = everything["queues"][0]["name"]
    limited = with_token(app, tokens, frozenset(SCOPES), Range(queues=frozenset({queue}), agents=frozenset()))
    board = told(limited, "/board")
    assert [one["name"] for one in board["queues"]] == [queue] and board["agents"] == []
    seen = {one["contact"] for one in board["contacts"]}
    assert seen < {one["contact"] for one in everything["contacts"]}
    for one in everything["contacts"]:
        status = limited.get(f"/api/v1/contacts/{one['contact']}").status_code
        assert status == (200 if one["contact"] in seen else 404)
    assert limited.get("/api/v1/figures?of=agent&since=0&until=900").status_code == 404


@pytest.mark.need(11)
def test_prometheus_reads_with_a_token_that_sees_the_whole_box(
        app: Flask, client: FlaskClient, tokens: Tokens) -> None:
    read = with_token(app, tokens, frozenset({"watch"}), UNLIMITED).get("/api/v1/metrics")
    assert (read.status_code, read.content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert read.text.endswith("branchline_box_fit 1\n")
    for other, status in [
            (app.test_client(), 401), (client, 401),
            (with_token(app, tokens, frozenset(SCOPES) - {"watch"}, UNLIMITED), 403),
            (with_token(app, tokens, frozenset(SCOPES), Range(queues=frozenset({"sales"}))), 403)]:
        assert other.get("/api/v1/metrics").status_code == status


def test_all_contacts_of_a_time_are_read_page_after_page(program: FlaskClient) -> None:
    every = [one["contact"] for one in told(program, "/contacts?limit=200")["contacts"]]
    read: list[str] = []
    after = "&"
    while after:
        page = told(program, f"/contacts?limit=2{after}")
        read += [one["contact"] for one in page["contacts"]]
        after = page["next"] and f"&after={page['next']}"
    assert read == every and len(every) > 4
    newest = told(program, "/contacts?limit=1")["contacts"][0]
    older = told(program, f"/contacts?until={newest['began_at']!r}")
    assert [one["contact"] for one in older["contacts"]] == every[1:] and older["total"] == len(every) - 1
    newer = told(program, f"/contacts?since={newest['began_at']!r}")
    assert [one["contact"] for one in newer["contacts"]] == every[:1] and newer["next"] == ""
    for wrong in ("after=c1", "after=1~", "after=1~a%20b", "since=-1", "until=x"):
        assert program.get(f"/api/v1/contacts?{wrong}").status_code == 400, wrong


def notice(client: FlaskClient, **said: Any) -> Any:
    asked = {"text": "lunch is at noon", "until": time.time() + 60.0, "everybody": True} | said
    return client.post("/api/v1/notices", json=asked)


def test_a_program_writes_a_notice(app: Flask, program: FlaskClient) -> None:
    assert notice(program).status_code == 201
    parts = app.extensions["branchline"]
    assert [one.by for one in parts.notices.newest()] == ["api:crm"]
    assert [one.by for one in parts.audit.entries(Asked(acts=("notice",)), 9)] == ["api:crm"]


@pytest.mark.parametrize(("said", "status"), [
    ({"until": 1.0}, 409), ({"everybody": False}, 409), ({"text": " "}, 409), ({"text": "\u0007"}, 409),
    ({"txet": "x"}, 400), ({"urgency": "loud"}, 400), ({"people": ["ghost"]}, 404)])
def test_a_notice_that_makes_no_sense_is_refused(
        app: Flask, program: FlaskClient, said: dict[str, Any], status: int) -> None:
    refused = notice(program, **said)
    assert (refused.status_code, refused.json["status"]) == (status, status) and refused.json["detail"]
    assert app.extensions["branchline"].notices.newest() == []


def test_what_is_no_json_or_too_much_is_refused(program: FlaskClient) -> None:
    assert program.post("/api/v1/notices", data=b"text=x").status_code == 415
    assert program.post("/api/v1/notices", data=b"{", content_type="application/json").status_code == 400
    large = json.dumps({"text": "x" * 70_000})
    assert program.post("/api/v1/notices", data=large, content_type="application/json").status_code == 413
    assert program.get("/api/v1/contacts?limit=5&limit=6").status_code == 400
    assert program.get("/api/v1/contacts?limt=5").status_code == 400
    assert program.delete("/api/v1/contacts").status_code == 405


def test_without_acdd_it_says_so(program: FlaskClient, exchange: Any) -> None:
    exchange.silent.add("acdd")
    refused = program.get("/api/v1/contacts")
    assert (refused.status_code, refused.mimetype) == (503, "application/problem+json")


def test_the_document_is_kept(app: Flask, visitor: FlaskClient) -> None:
    """docs/api.json is what people read: a change of the API is seen in it."""
    now = told(visitor, "/openapi.json")
    kept = json.loads((Path(__file__).parents[3] / "docs/api.json").read_text())
    assert now == kept, "python -m webui.api > docs/api.json"
