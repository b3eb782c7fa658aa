"""One's own account and the second step of signing in; security keys are in test_factors_browser.py."""

import re
import sqlite3
import time
from dataclasses import replace
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.config.quality import PersonConfig, QualityConfig
from tests.webui.access.people import Staff
from tests.webui.conftest import NAME, PASSWORD, post, token
from webui.access.audit import Asked
from webui.access.crew import Crew
from webui.access.factors import CODES, Factors, Key
from webui.access.my_account import browser_of
from webui.parts import Parts, Settings
from webui.users import Users

PAGES = ["/", "/contacts/", "/recordings/", "/box/", "/box/settings/", "/spans/telco", "/me/", "/events"]
LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


@pytest.fixture
def policy() -> str:
    return "offered"


@pytest.fixture
def settings(settings: Settings, policy: str) -> Settings:
    return replace(settings, second_factor=policy)


@pytest.fixture
def shared(app: Flask) -> Parts:
    parts: Parts = app.extensions["branchline"]
    return parts


@pytest.fixture
def phone(shared: Parts) -> pyotp.TOTP:
    """The administrator's app, set up five minutes ago."""
    return set_up(shared.factors, NAME)


def set_up(factors: Factors, name: str) -> pyotp.TOTP:
    before = time.time() - 300.0
    phone = pyotp.TOTP(factors.begin_app(name, before))
    assert factors.confirm_app(name, phone.at(int(before)), before)
    return phone


def half_in(client: FlaskClient, **form: str) -> None:
    """The password was right; the second step is to come."""
    answer = post(client, "/login", name=NAME, password=PASSWORD, **form)
    assert (answer.status_code, answer.location) == (303, "/login/second")


def second(client: FlaskClient, code: str, kind: str = "app", **environ: str) -> Any:
    return client.post("/login/second", environ_base=environ, data={
        "csrf_token": token(client, "/login/second"), "with": kind, "code": code})


def acts(shared: Parts) -> list[tuple[str, str, str | None]]:
    return [(entry.by, entry.act, entry.outcome) for entry in shared.audit.entries(Asked(), 50)]


def later(monkeypatch: pytest.MonkeyPatch, by_s: float) -> None:
    real = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: real() + by_s)


def test_who_has_an_app_is_asked_for_its_code(
        visitor: FlaskClient, phone: pyotp.TOTP, shared: Parts) -> None:
    half_in(visitor, next="/contacts/")
    page = visitor.get("/login/second").text
    assert "Code of your app" in page
    assert "security key" not in page
    assert second(visitor, "000000" if phone.now() != "000000" else "111111").status_code == 422
    answer = second(visitor, phone.now())
    assert (answer.status_code, answer.location) == (303, "/contacts/")
    assert visitor.get("/").status_code == 200
    assert acts(shared)[:3] == [
        (NAME, "sign-in", ""), (NAME, "second-factor", ""), (NAME, "second-factor", "refused")]


def test_half_a_sign_in_reaches_no_page(visitor: FlaskClient, phone: pyotp.TOTP) -> None:
    half_in(visitor)
    for page in PAGES:
        assert visitor.get(page, headers={"Accept": "text/html"}).location.startswith("/login"), page
        assert visitor.get(page, headers={"Accept": "text/event-stream"}).status_code == 401, page
    for path in ("/me/password", "/me/app", "/me/keys", "/me/codes", "/me/sessions/end"):
        answer = visitor.post(path, data={"csrf_token": token(visitor, "/login/second")})
        assert answer.status_code == 401, path


@pytest.mark.parametrize("theft", [
    {"HTTP_USER_AGENT": "curl/8"}, {"REMOTE_ADDR": "192.0.2.9"}, {"REMOTE_ADDR": "2001:db8::9"}])
def test_a_stolen_half_is_worth_nothing_in_another_browser(
        app: Flask, visitor: FlaskClient, phone: pyotp.TOTP, theft: dict[str, str]) -> None:
    half_in(visitor)
    cookie = visitor.get_cookie("branchline")
    assert cookie
    thief = app.test_client()
    thief.set_cookie("branchline", cookie.value)
    assert thief.get("/login/second", environ_base=theft).location == "/login"
    thief.set_cookie("branchline", cookie.value)
    form = {"csrf_token": token(visitor, "/login/second"), "with": "app", "code": phone.now()}
    mine = visitor.get_cookie("branchline")
    assert mine
    thief.set_cookie("branchline", mine.value)
    assert thief.post("/login/second", data=form, environ_base=theft).location == "/login"
    assert second(visitor, phone.now()).location == "/"


def test_a_half_and_a_code_are_used_once(app: Flask, visitor: FlaskClient, phone: pyotp.TOTP) -> None:
    half_in(visitor)
    code, twin = phone.now(), app.test_client()
    form = {"csrf_token": token(visitor, "/login/second"), "with": "app", "code": code}
    cookie = visitor.get_cookie("branchline")
    assert cookie
    twin.set_cookie("branchline", cookie.value)                       # a copy in the same browser
    assert visitor.post("/login/second", data=form).location == "/"
    form["code"] = phone.at(int(time.time()) + 30)
    assert twin.post("/login/second", data=form).location == "/login"
    again = app.test_client()
    half_in(again)
    assert second(again, code).status_code == 422


def test_a_half_lives_five_minutes(
        visitor: FlaskClient, phone: pyotp.TOTP, monkeypatch: pytest.MonkeyPatch) -> None:
    half_in(visitor)
    form = {"csrf_token": token(visitor, "/login/second"), "with": "app", "code": phone.now()}
    later(monkeypatch, 299.0)
    assert visitor.get("/login/second").status_code == 200
    later(monkeypatch, 2.0)
    assert visitor.get("/login/second").location == "/login"
    assert visitor.post("/login/second", data=form).location == "/login"


def test_a_half_ends_when_the_password_changes(
        visitor: FlaskClient, phone: pyotp.TOTP, users: Users) -> None:
    half_in(visitor)
    users.change_password(NAME, "another password")
    assert second(visitor, phone.now()).location == "/login"
    assert visitor.get("/").location == "/login"


def test_a_session_of_before_does_not_become_half_or_whole(
        app: Flask, visitor: FlaskClient, phone: pyotp.TOTP) -> None:
    """Fixation: what a stranger planted in the browser is of no use after either step."""
    planted = token(visitor)
    before = visitor.get_cookie("branchline")
    assert before
    assert visitor.post("/login", data={
        "csrf_token": planted, "name": NAME, "password": PASSWORD}).location == "/login/second"
    between = visitor.get_cookie("branchline")
    assert between and between.value != before.value
    form = {"with": "app", "code": phone.now()}
    assert visitor.post("/login/second", data=form | {"csrf_token": planted}).status_code == 400
    assert second(visitor, phone.now()).location == "/"
    for cookie in (before, between):
        stranger = app.test_client()
        stranger.set_cookie("branchline", cookie.value)
        assert stranger.get("/").status_code == 303


def test_guessing_codes_is_slowed_down_and_a_new_half_does_not_help(
        app: Flask, visitor: FlaskClient, phone: pyotp.TOTP) -> None:
    half_in(visitor)
    wrong = "000000" if phone.now() != "000000" else "111111"
    assert [second(visitor, wrong).status_code for _ in range(5)] == [422] * 5
    slowed = second(visitor, wrong)
    assert slowed.status_code == 429
    assert 1 <= int(slowed.headers["Retry-After"]) <= 2
    again = app.test_client()
    here = {"REMOTE_ADDR": "192.0.2.9"}
    form = {"csrf_token": token(again), "name": NAME, "password": PASSWORD}
    assert again.post("/login", data=form, environ_base=here).location == "/login/second"
    page = again.get("/login/second", environ_base=here).text
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert csrf
    form = {"csrf_token": csrf[1], "with": "app", "code": phone.now()}
    assert again.post("/login/second", data=form, environ_base=here).status_code == 429


def test_a_recovery_code_signs_in_once_and_the_page_counts_what_is_left(
        app: Flask, visitor: FlaskClient, phone: pyotp.TOTP, shared: Parts) -> None:
    codes = shared.factors.new_codes(NAME)
    half_in(visitor)
    assert second(visitor, codes[0].lower(), "recovery").location == "/"
    assert f"{CODES - 1} are left." in visitor.get("/me/").text
    again = app.test_client()
    half_in(again)
    refused = second(again, codes[0], "recovery")
    assert refused.status_code == 422
    assert "or was used before" in refused.text


def test_back_to_the_password_forgets_the_half(visitor: FlaskClient, phone: pyotp.TOTP) -> None:
    half_in(visitor)
    assert visitor.post("/login/second/cancel", data={
        "csrf_token": token(visitor, "/login/second")}).location == "/login"
    assert visitor.get("/login/second").location == "/login"


def test_an_app_is_set_up_on_the_page_and_its_secret_is_not_seen_again(
        client: FlaskClient, shared: Parts, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        assert client.get("/me/app").location == "/me/"
        assert client.get("/me/app.svg").status_code == 404
        assert post_from_me(client, "/me/app").location == "/me/app"
        page = client.get("/me/app")
        shown = re.search(r'key-groups"[^>]*>(.*?)</p>', page.text)
        assert shown
        secret = re.sub(r"<[^>]*>|\s", "", shown[1])
        picture = client.get("/me/app.svg")
        assert picture.mimetype == "image/svg+xml"
        assert picture.headers["Cache-Control"] == page.headers["Cache-Control"] == "no-store"
        assert "style=" not in picture.text
        refused = post_from_me(client, "/me/app/confirm", code="12345")
        assert refused.status_code == 422
        assert "not the code of this moment" in refused.text
        assert not shared.factors.of(NAME).any
        done = post_from_me(client, "/me/app/confirm", code=pyotp.TOTP(secret).now())
    codes = re.findall(r"<li>([2-9A-Z]{5}-[2-9A-Z]{5})</li>", done.text)
    assert len(codes) == CODES
    after = [client.get(path).text for path in ("/me/", "/", "/me/?done=app-added")]
    assert client.get("/me/app").location == "/me/"
    assert client.get("/me/app.svg").status_code == 404
    for hidden in (secret, *codes):
        assert not any(hidden in text for text in (*after, caplog.text))
    assert (NAME, "app-added", "") in acts(shared)
    assert secret not in str(shared.audit.entries(Asked(), 50))
    assert shared.factors.use_code(NAME, codes[0])


def test_a_set_up_may_be_left(client: FlaskClient, shared: Parts) -> None:
    post_from_me(client, "/me/app")
    assert post_from_me(client, "/me/app/cancel").location == "/me/"
    assert shared.factors.pending_app(NAME, time.time()) is None


@pytest.mark.parametrize(("path", "gone"), [
    ("/me/app/remove", "app"), ("/me/keys/remove", "key"), ("/me/codes", "")])
def test_who_finds_an_open_browser_changes_no_factor(
        client: FlaskClient, phone: pyotp.TOTP, shared: Parts, path: str, gone: str) -> None:
    shared.factors.add_key(NAME, Key(b"1" * 16, "blue", "box.example", b"", 0, 1.0, None))
    codes = shared.factors.new_codes(NAME)
    key = re.search(r'name="key" value="([^"]+)"', client.get("/me/").text)
    assert key
    for password in ("", "guess"):
        assert post_from_me(client, path, key=key[1], password=password).status_code == 422
    has = shared.factors.of(NAME)
    assert (bool(has.app_since), len(has.keys), has.codes_left) == (True, 1, CODES)
    assert post_from_me(client, path, key=key[1], password=PASSWORD).status_code in (200, 303)
    has = shared.factors.of(NAME)
    assert (bool(has.app_since), len(has.keys)) == (gone != "app", int(gone != "key"))
    assert shared.factors.use_code(NAME, codes[0]) is (path != "/me/codes")


def test_guessing_the_own_password_is_slowed_down(client: FlaskClient) -> None:
    assert [post_from_me(client, "/me/codes", password="x").status_code for _ in range(2)] == [404] * 2
    statuses = [post_from_me(client, "/me/password", password="guess").status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]
    assert post_from_me(client, "/me/password", password=PASSWORD).status_code == 429


@pytest.mark.parametrize("policy", ["off"])
def test_a_box_that_is_off_neither_offers_nor_asks(
        visitor: FlaskClient, phone: pyotp.TOTP, shared: Parts) -> None:
    assert post(visitor, "/login", name=NAME, password=PASSWORD).location == "/"
    page = visitor.get("/me/", base_url="http://localhost").text
    assert "does not ask for them at present" in page
    assert "Set it up" not in page and "Add a key" not in page
    for path in ("/me/app", "/me/app/confirm", "/me/keys"):
        assert post_from_me(visitor, path).status_code == 404
    assert post_from_me(visitor, "/me/app/remove", password=PASSWORD).status_code == 303
    assert not shared.factors.of(NAME).any


@pytest.mark.parametrize("policy", ["required"])
def test_a_box_that_requires_one_opens_nothing_before(client: FlaskClient, shared: Parts) -> None:
    for page in PAGES:
        if page != "/me/":
            assert client.get(page, headers={"Accept": "text/html"}).location == "/me/", page
    assert client.get("/events", headers={"Accept": "text/event-stream"}).status_code == 403
    assert client.post("/seen/x/1.0/1.0", data={"csrf_token": token(client, "/me/")}).status_code == 403
    assert "Nothing else opens" in client.get("/me/").text
    assert post_from_me(client, "/me/app").status_code == 303
    phone = pyotp.TOTP(str(shared.factors.pending_app(NAME, time.time())))
    assert post_from_me(client, "/me/app/confirm", code=phone.now()).status_code == 200
    assert client.get("/").status_code == 200
    refused = post_from_me(client, "/me/app/remove", password=PASSWORD)
    assert refused.status_code == 409
    assert "add another before" in refused.text
    assert shared.factors.of(NAME).any


@pytest.mark.parametrize(("host", "says", "offers"), [
    ("127.0.0.1:8080", "its address", False), ("localhost:8080", "Add a key", True),
    ("box.example", "Add a key", True)])
def test_keys_are_offered_where_the_pages_have_a_name(
        client: FlaskClient, host: str, says: str, offers: bool) -> None:
    cookie = client.get_cookie("branchline")
    assert cookie
    client.set_cookie("branchline", cookie.value, domain=host.partition(":")[0])
    page = client.get("/me/", base_url=f"http://{host}").text
    assert says in page
    assert ("data-options" in page) is offers


def test_a_key_that_was_not_asked_is_refused(client: FlaskClient, shared: Parts) -> None:
    for answer in ("", "{}", '{"id": "x", "rawId": "x", "type": "public-key", "response": {}}', "[" * 20000):
        refused = post_from_me(client, "/me/keys", label="blue", answer=answer)
        assert refused.status_code == 422
        assert "not accepted" in refused.text
    assert not shared.factors.of(NAME).any


def test_a_key_of_another_name_of_the_box_is_told_of(
        visitor: FlaskClient, shared: Parts) -> None:
    shared.factors.add_key(NAME, Key(b"1" * 16, "blue", "box.example", b"", 0, 1.0, None))
    half_in(visitor)
    page = visitor.get("/login/second").text
    assert "box.example" in page
    assert "data-options" not in page
    form = {"csrf_token": token(visitor, "/login/second"), "answer": "{}"}
    refused = visitor.post("/login/second/key", data=form)
    assert refused.status_code == 422


def test_the_password_is_changed_by_who_knows_it_and_other_sessions_end(
        app: Flask, client: FlaskClient, users: Users, shared: Parts) -> None:
    other = app.test_client()
    assert post(other, "/login", name=NAME, password=PASSWORD).status_code == 303
    new = "a longer password"
    for old, first, again in (("guess", new, new), (PASSWORD, "short", "short"), (PASSWORD, new, new + "!"),
                              (PASSWORD, "x" * 1025, "x" * 1025)):
        assert post_from_me(client, "/me/password", password=old, new=first, again=again).status_code == 422
    assert other.get("/").status_code == 200
    done = post_from_me(client, "/me/password", password=PASSWORD, new=new, again=new)
    assert done.location == "/me/?done=password"
    assert client.get("/").status_code == 200
    assert other.get("/").status_code == 303
    assert users.check(NAME, new)
    assert not users.check(NAME, PASSWORD)
    assert (NAME, "password", "") in acts(shared)


def test_sessions_are_listed_and_ended(app: Flask, client: FlaskClient, users: Users) -> None:
    others = [app.test_client() for _ in range(3)]
    for number, other in enumerate(others):
        other.environ_base |= {"HTTP_USER_AGENT": LINUX, "REMOTE_ADDR": f"192.0.2.{number}"}
        assert post(other, "/login", name=NAME, password=PASSWORD).status_code == 303
    page = client.get("/me/").text
    assert page.count("Chrome · Linux") >= 3
    assert page.count("this one") == 1
    assert "192.0.2.2" in page
    first = next(one for one in users.sessions(NAME) if one.address == "192.0.2.0")
    assert first.seen_at >= first.began_at > 0
    assert post_from_me(client, "/me/sessions/end", session=first.id).status_code == 303
    assert [other.get("/").status_code for other in others] == [303, 200, 200]
    assert post_from_me(client, "/me/sessions/end", session=first.id).status_code == 404
    assert post_from_me(client, "/me/sessions/end", session="others").status_code == 303
    assert [other.get("/").status_code for other in others] == [303] * 3
    assert client.get("/me/").text.count("Chrome · Linux") == 0


def test_of_an_agent_his_own_agent_is_the_range(
        app: Flask, visitor: FlaskClient, users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    crew = Crew(QualityConfig(people=[PersonConfig(name="li2", agent="li")]))
    monkeypatch.setattr(Parts, "crew", property(lambda _: crew))
    page = Staff(app, users).new("li2", "agent").get("/me/").text
    assert "<dd>Agents: li</dd>" in page


@pytest.mark.parametrize(("agent", "name"), [
    (LINUX, "Chrome · Linux"),
    (LINUX + " Edg/140.0", "Edge · Linux"),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox · Windows"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1",
     "Safari · iPhone"),
    ("curl/8.9.1", "curl"), ("", "–"), ("x" * 500, "x" * 40)])
def test_browsers_have_the_names_that_people_know(agent: str, name: str) -> None:
    assert browser_of(agent) == name


def test_a_disk_that_is_full_shuts_nobody_out(
        client: FlaskClient, users: Users, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a session was last seen is not worth a page."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600.0)
    with sqlite3.connect(settings.state / "users.sqlite") as base:
        base.execute("CREATE TRIGGER full BEFORE UPDATE ON sessions BEGIN SELECT raise(ABORT, 'full'); END")
    assert client.get("/me/").status_code == 200
    assert all(one.seen_at < time.time() - 3000 for one in users.sessions(NAME))


def post_from_me(client: FlaskClient, path: str, **form: str) -> Any:
    return client.post(path, data=form | {"csrf_token": token(client, "/me/")})
