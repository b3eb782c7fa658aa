"""Who gets in, who does not, and what a stranger can do to the door."""

import http.cookies
import stat
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.webui.conftest import NAME, PASSWORD, FakeExchange, post, token
from webui import HEADERS, MAX_BODY_OCTETS, create_app
from webui.parts import Settings
from webui.users import SetupCode, Users

PAGES = ["/", "/contacts/", "/contacts/e1", "/recordings/00112233445566778899aabbccddeeff/audio", "/events",
         "/recordings/00112233445566778899aabbccddeeff/peaks", "/spans/telco/trace.pcap", "/contacts/events"]


def set_up(client: FlaskClient, code: str, password: str = PASSWORD, again: str = PASSWORD) -> int:
    status: int = post(client, "/setup", code=code, name=NAME, password=password, again=again).status_code
    return status


@pytest.mark.parametrize("page", [*PAGES, "/login"])
def test_a_new_box_shows_nothing_but_the_set_up(app: Flask, page: str) -> None:
    answer = app.test_client().get(page)
    assert (answer.status_code, answer.location) == (303, "/setup")


def test_the_first_administrator_needs_the_code_of_the_log(
        app: Flask, settings: Settings, users: Users) -> None:
    client, code = app.test_client(), settings.setup_code.read()
    assert set_up(client, "AAAA-BBBB") == 422
    assert set_up(client, code, password="too short", again="too short") == 422
    assert set_up(client, code, again=PASSWORD + "!") == 422
    assert not users.some()
    assert set_up(client, code.lower().replace("-", " ")) == 303     # as a person types it
    assert client.get("/").status_code == 200
    assert app.test_client().get("/setup").location == "/login"
    assert set_up(app.test_client(), code) == 303                     # once only: leads to the login
    assert users.sign_in(NAME, PASSWORD)


def test_secrets_lie_in_private_files_and_outlive_a_restart(
        app: Flask, settings: Settings, tmp_path: Path) -> None:
    code = settings.setup_code.read()
    assert SetupCode(tmp_path / "setup-code").read() == code
    for name in ("setup-code", "users.sqlite", "session-key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert set_up(app.test_client(), code) == 303
    assert not (tmp_path / "setup-code").exists()
    assert PASSWORD.encode() not in (tmp_path / "users.sqlite").read_bytes()


@pytest.mark.parametrize("page", PAGES)
def test_no_page_without_signing_in(visitor: FlaskClient, page: str) -> None:
    asked_by_browser = visitor.get(page, headers={"Accept": "text/html"})
    assert asked_by_browser.status_code == 303
    assert asked_by_browser.location.startswith("/login")
    assert visitor.get(page, headers={"Accept": "text/event-stream"}).status_code == 401


def test_signing_in_and_out(visitor: FlaskClient) -> None:
    assert post(visitor, "/login", name=NAME, password="wrong").status_code == 422
    assert post(visitor, "/login", name="nobody", password=PASSWORD).status_code == 422
    assert post(visitor, "/login", name=NAME, password=PASSWORD, next="/contacts/").location == "/contacts/"
    assert visitor.get("/").status_code == 200
    assert visitor.post("/logout", data={"csrf_token": token(visitor, "/")}).status_code == 303
    assert visitor.get("/").status_code == 303


@pytest.mark.parametrize("elsewhere", [
    "https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1", "/a\n"])
def test_signing_in_never_leads_to_another_site(visitor: FlaskClient, elsewhere: str) -> None:
    assert post(visitor, "/login", name=NAME, password=PASSWORD, next=elsewhere).location == "/"


@pytest.mark.parametrize("path", ["/login", "/logout", "/language"])
def test_a_form_without_its_token_is_refused(client: FlaskClient, path: str) -> None:
    answer = client.post(path, data={"name": NAME, "password": PASSWORD, "language": "zh"})
    assert answer.status_code == 400
    assert "Load the page again" in answer.text
    assert client.get("/").status_code == 200


def test_guessing_is_slowed_down_for_the_address_and_the_name(app: Flask, visitor: FlaskClient) -> None:
    form = {"csrf_token": token(visitor), "name": NAME, "password": "guess"}
    statuses = [visitor.post("/login", data=form).status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]
    other_name = visitor.post("/login", data=form | {"name": "other"})
    assert other_name.status_code == 429
    assert 1 <= int(other_name.headers["Retry-After"]) <= 2
    elsewhere = app.test_client()
    form["csrf_token"] = token(elsewhere)
    from_there = {"REMOTE_ADDR": "192.0.2.9"}
    assert elsewhere.post("/login", data=form, environ_base=from_there).status_code == 429
    assert elsewhere.post("/login", data=form | {"name": "other"}, environ_base=from_there).status_code == 422


def test_a_changed_generation_ends_the_session(client: FlaskClient, users: Users) -> None:
    with users._open() as base:
        base.execute("UPDATE users SET generation = 'later'")
    assert client.get("/").status_code == 303


def test_every_answer_is_hardened(client: FlaskClient) -> None:
    for page in ("/", "/login", "/no-such-page", "/static/live.js", "/healthz"):
        with client.get(page) as answer:
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, page
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert client.get("/").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("secure", [False, True])
def test_the_session_cookie_is_out_of_reach_of_scripts(
        exchange: FakeExchange, users: Users, settings: Settings, secure: bool) -> None:
    users.create_first(NAME, PASSWORD)
    app = create_app(exchange, users, Settings(
        settings.recordings, settings.session_key, settings.setup_code, secure_cookies=secure))
    client = app.test_client()
    page = client.get("/login", base_url="https://localhost")
    cookie = http.cookies.SimpleCookie(page.headers["Set-Cookie"])["branchline"]
    assert (cookie["httponly"], cookie["samesite"], bool(cookie["secure"])) == (True, "Lax", secure)


def test_a_large_form_is_refused(visitor: FlaskClient) -> None:
    answer = visitor.post("/login", data={"name": "x" * MAX_BODY_OCTETS, "csrf_token": token(visitor)})
    assert answer.status_code == 413
    assert "64 KiB" in answer.text


def test_the_language_is_a_persons_choice_and_stays(app: Flask, visitor: FlaskClient) -> None:
    assert "Sign in" in visitor.get("/login").text
    chosen = post(visitor, "/language", language="zh", next="/login?next=/contacts/")
    assert chosen.location == "/login?next=/contacts/"
    page = visitor.get("/login").text
    assert "登录" in page
    assert '<html lang="zh-CN">' in page
    assert "没有这个页面" in visitor.get("/no-such-page").text
    assert post(visitor, "/language", language="tlh").status_code == 400
    visitor.set_cookie("language", "tlh")
    assert "Sign in" in visitor.get("/login").text
