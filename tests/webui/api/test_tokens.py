"""Tokens: shown once, with an end, withdrawn; who makes them gives no more than he has."""

import re
import sqlite3
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.webui.conftest import PASSWORD, post, token
from webui.access.audit import Asked
from webui.access.ranges import Range
from webui.api.tokens import PREFIX, Tokens
from webui.users import Users

DAY = 86400.0
SALES = Range(queues=frozenset({"sales"}))


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(tmp_path / "tokens.sqlite")


def test_one_opens_until_its_end(tokens: Tokens, tmp_path: Path) -> None:
    token = tokens.make("crm", frozenset({"find"}), SALES, "admin", 0.0, 1.0)
    found = tokens.client(token, DAY - 1.0)
    assert found and (found.name, found.scopes, found.within) == ("api:crm", frozenset({"find"}), SALES)
    assert tokens.client(token, DAY) is None and tokens.client(token + "x", 1.0) is None
    assert token.startswith(PREFIX) and token.encode() not in (tmp_path / "tokens.sqlite").read_bytes()
    assert [(one.state(1.0), one.state(DAY), one.used_at) for one in tokens.all()] == [
        ("valid", "over", DAY - 1.0)]
    assert (tmp_path / "tokens.sqlite").stat().st_mode & 0o777 == 0o600


def test_one_that_is_withdrawn_opens_nothing(tokens: Tokens, tmp_path: Path) -> None:
    token = tokens.make("crm", frozenset({"find"}), SALES, "admin", 0.0, 1.0)
    assert tokens.revoke(1, "admin", 5.0)
    assert not tokens.revoke(1, "admin", 6.0) and not tokens.revoke(2, "admin", 6.0)
    again = Tokens(tmp_path / "tokens.sqlite")
    assert again.client(token, 7.0) is None
    assert [(one.state(7.0), one.revoked_by) for one in again.all()] == [("withdrawn", "admin")]


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "tokens.sqlite").write_bytes(b"junk" * 400)
    with pytest.raises(Exception, match="move it away") as error:
        Tokens(tmp_path / "tokens.sqlite")
    assert not isinstance(error.value, sqlite3.Error)


def make(client: FlaskClient, **form: str | list[str]) -> str:
    """What the page shows of the new one; "": it made none."""
    asked = {"name": "crm", "days": "30", "scopes": ["find"], "csrf_token": token(client, "/tokens/")} | form
    page = client.post("/tokens/", data=asked).text
    found = re.search(rf"{PREFIX}[\w-]+", page)
    return found[0] if found else ""


def test_both_documents_are_a_click_away_and_need_no_token(client: FlaskClient, app: Flask) -> None:
    page = client.get("/tokens/").text
    for document in ("/api/v1/openapi.json", "/api/v1/asyncapi.json"):
        assert f'href="{document}"' in page
        assert app.test_client().get(document).status_code == 200


def test_an_administrator_makes_one_and_withdraws_it(client: FlaskClient, app: Flask) -> None:
    made = make(client, scopes=["find", "line"])
    program = app.test_client()
    bearer = {"Authorization": f"Bearer {made}"}
    assert program.get("/api/v1/lines", headers=bearer).status_code == 200
    assert made not in client.get("/tokens/").text
    gone = client.post("/tokens/1/withdraw", data={"csrf_token": token(client, "/tokens/")})
    assert gone.status_code == 303
    refused = program.get("/api/v1/lines", headers=bearer)
    assert (refused.status_code, refused.mimetype) == (401, "application/problem+json")
    entries = app.extensions["branchline"].audit.entries(Asked(acts=("token", "token-withdrawn")), 9)
    assert [entry.act for entry in entries] == ["token-withdrawn", "token"]


@pytest.mark.parametrize("form", [
    {"name": ""}, {"name": "A B"}, {"scopes": []}, {"days": "0"}, {"days": "731"}, {"days": "x"},
    {"scopes": ["erase"]}, {"scopes": ["people"]}])
def test_what_makes_no_sense_makes_none(client: FlaskClient, app: Flask, form: dict[str, str]) -> None:
    assert make(client, **form) == ""
    assert app.extensions["branchline"].tokens.all() == []


def test_a_supervisor_gives_what_is_hers(client: FlaskClient, app: Flask, users: Users) -> None:
    make(client)
    users.add("zhao", PASSWORD, "supervisor", SALES, "admin")
    users.change_password("zhao", PASSWORD)
    zhao = app.test_client()
    post(zhao, "/login", name="zhao", password=PASSWORD)
    assert "crm" not in zhao.get("/tokens/").text.partition("<main")[2]
    assert make(zhao, name="mine")
    [hers] = [one for one in app.extensions["branchline"].tokens.all() if one.name == "mine"]
    assert hers.within == SALES
    csrf = token(zhao, "/tokens/")
    assert zhao.post("/tokens/1/withdraw", data={"csrf_token": csrf}).status_code == 404


def test_a_token_opens_no_more_than_its_maker_may_now(client: FlaskClient, app: Flask, users: Users) -> None:
    users.add("zhao", PASSWORD, "supervisor", Range(), "admin")
    users.change_password("zhao", PASSWORD)
    zhao, program = app.test_client(), app.test_client()
    post(zhao, "/login", name="zhao", password=PASSWORD)
    program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {make(zhao, scopes=['find', 'line'])}"

    def statuses() -> list[int]:
        return [program.get(f"/api/v1/{path}").status_code for path in ("contacts", "lines")]
    assert statuses() == [200, 200]
    users.disable("zhao")
    assert statuses() == [401, 401]
    users.disable("zhao", False)
    assert statuses() == [200, 200]
    users.change("zhao", "auditor", Range())      # who finds contacts and sees no lines
    assert statuses() == [200, 403]
    users.change("zhao", "supervisor", SALES)
    assert statuses() == [401, 401]
