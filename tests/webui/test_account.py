"""Who gets in, who does not, and what a stranger can do to the door."""

import http.cookies
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.errors import Unavailable
from tests.webui.conftest import NAME, PASSWORD, FakeExchange, post, token
from webui import HEADERS, MAX_BODY_OCTETS, create_app
from webui.parts import Settings
from webui.seen import Seen
from webui.users import SetupCode, Users, session_key

PAGES = ["/", "/contacts/", "/contacts/e1", "/recordings/00112233445566778899aabbccddeeff/audio", "/events",
         "/recordings/", "/recordings/store/", "/recordings/00112233445566778899aabbccddeeff",
         "/recordings/00112233445566778899aabbccddeeff/peaks", "/spans/telco/trace.pcap",
         "/spans/telco", "/contacts/events", "/box/", "/box/update/", "/box/support", "/box/support.zip",
         "/box/settings/", "/box/update/events"]


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


def test_signing_out_ends_every_copy_of_the_session(app: Flask, client: FlaskClient, users: Users) -> None:
    thief, other_browser = app.test_client(), app.test_client()
    cookie = client.get_cookie("branchline")
    assert cookie
    thief.set_cookie("branchline", cookie.value)
    assert post(other_browser, "/login", name=NAME, password=PASSWORD).status_code == 303
    assert thief.get("/").status_code == 200
    assert client.post("/logout", data={"csrf_token": token(client, "/")}).status_code == 303
    assert thief.get("/").status_code == 303
    assert other_browser.get("/").status_code == 200


def test_a_session_of_before_does_not_become_the_administrators(app: Flask, visitor: FlaskClient) -> None:
    """Fixation: what a stranger planted in the browser is of no use after signing in."""
    planted = token(visitor)
    before = visitor.get_cookie("branchline")
    assert before
    assert visitor.post("/login", data={
        "csrf_token": planted, "name": NAME, "password": PASSWORD}).status_code == 303
    assert visitor.post("/language", data={"csrf_token": planted, "language": "zh"}).status_code == 400
    stranger = app.test_client()
    stranger.set_cookie("branchline", before.value)
    assert stranger.get("/").status_code == 303


@pytest.mark.parametrize("elsewhere", [
    "https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1", "/a\n", "\\evil.example",
    "evil", "/\t/evil.example", "///evil.example", ""])
def test_signing_in_never_leads_to_another_site(visitor: FlaskClient, elsewhere: str) -> None:
    assert post(visitor, "/login", name=NAME, password=PASSWORD, next=elsewhere).location == "/"


@pytest.mark.parametrize("path", ["/contacts", "/%2fcontacts//"])
def test_a_redirect_stays_here_whatever_host_was_asked(client: FlaskClient, path: str) -> None:
    answer = client.get(path, base_url="http://evil.example")
    assert (answer.status_code, answer.location) == (308, "/contacts/")


def test_every_change_is_a_post_with_a_token(app: Flask, client: FlaskClient) -> None:
    changes = [rule.rule for rule in app.url_map.iter_rules()
               if rule.methods and "POST" in rule.methods and not rule.endpoint.startswith("api.")]
    def some(part: re.Match[str]) -> str:
        return {"float": "1.0", "any": (part[2] or "").partition(",")[0]}.get(part[1], "1")

    for path in changes:
        assert client.post(re.sub(r"<(?:(\w+)(?:\((.*?)\))?:)?\w+>", some, path)).status_code == 400, path


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


def test_a_strangers_guesses_do_not_lock_out_who_has_been_here(app: Flask, client: FlaskClient) -> None:
    stranger = app.test_client()
    form = {"csrf_token": token(stranger), "name": NAME, "password": "guess"}
    for address in range(1, 12):
        stranger.post("/login", data=form, environ_base={"REMOTE_ADDR": f"192.0.2.{address}"})
    answer = stranger.post("/login", data=form, environ_base={"REMOTE_ADDR": "192.0.2.99"})
    assert answer.status_code == 429
    browser = app.test_client()                   # at the address where the administrator signed in
    assert post(browser, "/login", name=NAME, password=PASSWORD).status_code == 303


@pytest.mark.parametrize(("addresses", "header"), [
    ([f"2001:db8::{host:x}" for host in range(9)], {}),
    (["::ffff:192.0.2.7", "192.0.2.7"] * 4 + ["192.0.2.7"], {}),
    (["192.0.2.7"] * 9, {"X-Forwarded-For": "198.51.100.1", "X-Real-IP": "198.51.100.1"}),
])
def test_another_address_is_not_had_for_nothing(
        app: Flask, visitor: FlaskClient, addresses: list[str], header: dict[str, str]) -> None:
    form = {"csrf_token": token(visitor), "password": "guess"}
    statuses = [visitor.post("/login", data=form | {"name": f"n{order}"}, headers=header,
                             environ_base={"REMOTE_ADDR": address}).status_code
                for order, address in enumerate(addresses)]
    assert statuses == [422] * 5 + [429] * 4


def test_guessing_the_set_up_code_is_slowed_down(app: Flask, settings: Settings, users: Users) -> None:
    client = app.test_client()
    form = {"csrf_token": token(client, "/setup"), "code": "AAAA-AAAA", "name": NAME, "password": PASSWORD}
    statuses = [client.post("/setup", data=form).status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]
    form["code"] = settings.setup_code.read()     # no way around it
    assert client.post("/setup", data=form | {"again": PASSWORD}).status_code == 429
    assert not users.some()


def test_no_secret_is_logged(app: Flask, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    code, client = settings.setup_code.read(), app.test_client()
    with caplog.at_level("DEBUG"):
        set_up(client, "wrong", "pass-word-one", "pass-word-two")
        set_up(client, code)
        post(app.test_client(), "/login", name=NAME, password="pass-word-three")
        post(app.test_client(), "/login", name="x\nINFO all is well", password=PASSWORD)
    assert "sign-in refused" in caplog.text
    for secret in (PASSWORD, "pass-word", code):
        assert secret not in caplog.text
    assert "\nINFO all" not in caplog.text


def test_a_changed_generation_ends_the_session(client: FlaskClient, users: Users) -> None:
    with users._open() as base:
        base.execute("UPDATE users SET generation = 'later'")
    assert client.get("/").status_code == 303


def test_a_file_of_users_that_fails_is_said_and_nobody_is_signed_out(
        client: FlaskClient, users: Users, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = (tmp_path / "users.sqlite").read_bytes()
    (tmp_path / "users.sqlite").write_bytes(b"junk" * 1000)
    for page, status in (("/", 503), ("/contacts/", 503), ("/login", 200)):
        assert client.get(page, headers={"Accept": "text/html"}).status_code == status
    assert client.get("/events").status_code == 503
    assert client.post("/login", data={
        "csrf_token": token(client), "name": NAME, "password": PASSWORD}).status_code == 503
    (tmp_path / "users.sqlite").write_bytes(whole)
    assert client.get("/").status_code == 200
    assert not [record for record in caplog.records if record.exc_info]


def test_every_answer_is_hardened(client: FlaskClient) -> None:
    for page in ("/", "/login", "/no-such-page", "/static/live.js", "/healthz"):
        with client.get(page) as answer:
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, page
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    for page in (*PAGES[:4], "/login", "/healthz"):
        assert client.get(page).headers["Cache-Control"] == "no-store", page


@pytest.mark.parametrize("secure", [False, True])
def test_the_session_cookie_is_out_of_reach_of_scripts(
        exchange: FakeExchange, users: Users, seen: Seen, settings: Settings, secure: bool) -> None:
    users.create_first(NAME, PASSWORD)
    app = create_app(exchange, users, seen, replace(settings, secure_cookies=secure))
    client = app.test_client()
    page = client.get("/login", base_url="https://localhost")
    cookie = http.cookies.SimpleCookie(page.headers["Set-Cookie"])["branchline"]
    assert (cookie["httponly"], cookie["samesite"], bool(cookie["secure"])) == (True, "Lax", secure)


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_secrets_that_others_could_read_are_closed_again(tmp_path: Path, mode: int) -> None:
    contents = {"setup-code": b"ABCD-EFGH\n", "session-key": b"11" * 32, "users.sqlite": b""}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(mode)
    assert SetupCode(tmp_path / "setup-code").read() == "ABCD-EFGH"
    assert session_key(tmp_path / "session-key") == b"11" * 32
    Users(tmp_path / "users.sqlite")
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_damaged_secret_is_named(tmp_path: Path) -> None:
    (tmp_path / "session-key").write_bytes(b"\xff\xfe")
    with pytest.raises(Unavailable, match="session-key: is damaged: remove it"):
        session_key(tmp_path / "session-key")


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
