"""People made, changed and shut out by who stands higher; links lead only through open doors."""

import hashlib
import re
import sqlite3
from collections import deque
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from appliance.bus.client import BusError
from appliance.config.quality import GroupConfig, QualityConfig
from appliance.errors import StateError, Unavailable
from tests.webui.access.people import SALES, Staff
from tests.webui.conftest import NAME, PASSWORD, QUICK, FakeExchange, post, token
from tests.webui.shelf import Shelf
from webui.access.crew import Crew
from webui.access.ranges import UNLIMITED, Range
from webui.access.roles import ROLES
from webui.users import Users, one_time_password

OWN = "her own password"


def send(client: FlaskClient, path: str, **form: Any) -> Any:
    return client.post(path, data=form | {"csrf_token": token(client, "/people/"), "why": "a reason"})


def limits(**some: list[str]) -> dict[str, Any]:
    """The fields of a range."""
    kinds = {kind: "some" if kind in some else "all" for kind in ("queues", "agents", "trunks")}
    return {**kinds, **{f"{kind}_name": names for kind, names in some.items()}}


def password_on(page: str) -> str:
    found = re.search(r'value="([2-9A-HJKMNP-Z-]{14})"', page)
    assert found
    return found[1]


def test_somebody_is_added_chooses_a_password_and_is_in(app: Flask, staff: Staff, users: Users) -> None:
    admin = staff.browser(NAME)
    added = send(admin, "/people/new", name="li", role="team_leader", language="zh",
                 **limits(queues=["sales"], agents=["anna"]))
    assert added.status_code == 200
    once = password_on(added.text)
    assert once not in admin.get("/people/li").text                  # on that page only
    person = users.person("li")
    assert person is not None
    assert (person.role, person.within, person.made_by, person.must_change) == (
        "team_leader", SALES, NAME, True)
    browser = staff.browser("li", once)
    for path in ("/", "/contacts/", "/me/", "/recordings/"):
        assert browser.get(path).location == "/password", path
    assert "你自己的密码" in browser.get("/password").text or "密码" in browser.get("/password").text
    assert post(browser, "/password", password=once, again=once).status_code == 422
    assert post(browser, "/password", password="short", again="short").status_code == 422
    assert post(browser, "/password", password=OWN, again=OWN).location == "/"
    assert browser.get("/").status_code == 200
    assert users.sign_in("li", once) is None
    assert users.sign_in("li", OWN)
    assert post(browser, "/password", password="another one", again="another one").status_code == 303
    assert users.sign_in("li", OWN)                                  # that page is for once only


@pytest.mark.parametrize(("form", "said"), [
    ({"name": "Li"}, "small letters"), ({"name": ""}, "small letters"), ({"name": "a" * 33}, "small letters"),
    ({"name": NAME}, "has this name already"), ({"role": "king"}, "Choose a role"),
    ({"role": ""}, "Choose a role"), ({"queues": "few"}, "all, or only some"),
    ({"queues": ""}, "all, or only some"),
    ({"queues": "some", "queues_name": ["no such"]}, "There is no no such here"),
    ({"why": " "}, "Give a reason"),
])
def test_a_form_that_cannot_be_is_said_and_nothing_changes(
        staff: Staff, users: Users, form: dict[str, Any], said: str) -> None:
    admin = staff.browser(NAME)
    whole = {"name": "li", "role": "team_leader", "why": "needed", **limits()} | form
    answer = admin.post("/people/new", data=whole | {"csrf_token": token(admin, "/people/new")})
    assert answer.status_code == 422
    assert said in answer.text
    assert [one.name for one in users.people()] == [NAME]


def test_nobody_gives_more_than_he_has(staff: Staff, users: Users) -> None:
    chief = staff.new("wu", "supervisor", SALES)
    for role in ROLES:
        for range_ in (limits(), limits(queues=["sales"]),
                       limits(queues=["sales", "service"], agents=["anna"])):
            answer = send(chief, "/people/new", name="x", role=role, **range_)
            assert answer.status_code == 422, (role, range_)
    assert send(chief, "/people/new", name="x", role="admin",
                **limits(queues=["sales"], agents=["anna"])).status_code == 422
    assert send(chief, "/people/new", name="li", role="team_leader",
                **limits(queues=["sales"], agents=["anna"])).status_code == 200
    assert send(chief, "/people/new", name="ben", role="agent").status_code == 422
    assert send(chief, "/people/new", name="anna", role="agent").status_code == 200
    # Those above and beside, and whose range is wider, are not there.
    staff.add("wide", "team_leader", Range(queues=frozenset({"sales"})))
    staff.add("beside", "supervisor", SALES)
    page = chief.get("/people/").text
    for name in (NAME, "wide", "beside"):
        assert f"/people/{name}" not in page
        assert chief.get(f"/people/{name}").status_code == 404
        for act in ("change", "disable", "enable", "password", "sessions", "factors"):
            form: dict[str, Any] = {"role": "agent"} | limits(queues=["sales"], agents=["anna"])
            assert send(chief, f"/people/{name}/{act}", **form).status_code == 404, (name, act)
    assert chief.get("/people/wu").status_code == 404                # nobody is below himself
    assert users.sign_in(NAME, PASSWORD)


def test_a_change_of_role_or_range_is_at_once(staff: Staff, users: Users) -> None:
    admin, li = staff.browser(NAME), staff.new("li", "team_leader", SALES)
    assert "service" not in li.get("/").text
    changed = send(admin, "/people/li/change", role="quality", **limits(queues=["service"]))
    assert changed.status_code == 303
    assert li.get("/").status_code == 303 and li.get("/").location.startswith("/login")
    again = staff.browser("li")
    assert again.get("/events").status_code == 403
    person = users.person("li")
    assert person and (person.role, person.within) == ("quality", Range(queues=frozenset({"service"})))


def test_who_is_disabled_is_out_and_stays_in_the_file(staff: Staff, users: Users) -> None:
    admin, li = staff.browser(NAME), staff.new("li", "team_leader")
    assert send(admin, "/people/li/disable").status_code == 303
    assert li.get("/").location.startswith("/login")
    assert post(staff.app.test_client(), "/login", name="li", password=PASSWORD).status_code == 422
    # A name stays one person's; a password opens nothing as yet.
    assert send(admin, "/people/new", name="li", role="agent").status_code == 422
    assert send(admin, "/people/li/password").status_code == 200
    assert users.person("li").disabled                               # type: ignore[union-attr]
    assert send(admin, "/people/li/enable").status_code == 303
    assert users.sign_in("li", PASSWORD) is None
    once = password_on(send(admin, "/people/li/password").text)
    assert staff.browser("li", once).get("/").location == "/password"


def test_sessions_end_and_a_new_password_is_for_once(staff: Staff, users: Users) -> None:
    admin, li = staff.browser(NAME), staff.new("li", "team_leader")
    assert send(admin, "/people/li/sessions").status_code == 303
    assert li.get("/").location.startswith("/login")
    li = staff.browser("li")
    once = password_on(send(admin, "/people/li/password").text)
    assert li.get("/").location.startswith("/login")
    assert users.sign_in("li", PASSWORD) is None
    assert users.sign_in("li", once).must_change                     # type: ignore[union-attr]


def test_the_last_who_may_give_everything_stays(staff: Staff, users: Users) -> None:
    second = staff.new("second", "admin")
    with pytest.raises(StateError, match="last administrator"):
        users.disable("second")
        users.disable(NAME)
    users.disable("second", False)
    second = staff.browser("second")
    assert send(second, f"/people/{NAME}/change", role="auditor", **limits()).status_code == 303
    with pytest.raises(StateError, match="last administrator"):
        users.change("second", "admin", SALES)
    assert send(second, "/people/second/disable").status_code == 404


def test_groups_of_the_configuration_are_a_range(
        app: Flask, staff: Staff, users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    crew = Crew(QualityConfig(groups=[GroupConfig(name="early", agents=["anna", "bert"])]))
    monkeypatch.setattr(type(app.extensions["branchline"]), "crew", property(lambda _: crew))
    admin = staff.browser(NAME)
    assert send(admin, "/people/new", name="li", role="team_leader", queues="all", trunks="all",
                agents="some", groups_name=["early"]).status_code == 200
    assert users.person("li").within == Range(                       # type: ignore[union-attr]
        agents=frozenset(), groups=frozenset({"early"}))
    users.change_password("li", PASSWORD)
    page = staff.browser("li").get("/").text
    assert "bert" in page and "chen" not in page
    chief = staff.new("wu", "supervisor", Range(agents=frozenset({"anna"})))
    assert "/people/li" not in chief.get("/people/").text


def test_an_older_file_of_users_goes_on_working(tmp_path: Path) -> None:
    path = tmp_path / "users.sqlite"
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("CREATE TABLE users (name TEXT PRIMARY KEY, password TEXT NOT NULL, "
                     "generation TEXT NOT NULL, made_at TEXT NOT NULL) STRICT")
        base.execute("CREATE TABLE sessions (digest TEXT PRIMARY KEY, name TEXT NOT NULL, "
                     "generation TEXT NOT NULL, ends_at REAL NOT NULL) STRICT")
        base.execute("INSERT INTO users VALUES ('admin', ?, 'g', '2026-01-01 08:00:00')",
                     (QUICK.hash(PASSWORD),))
        base.execute("INSERT INTO sessions VALUES (?, 'admin', 'g', 9e9)",
                     (hashlib.sha256(b"secret").hexdigest(),))
    users = Users(path, QUICK)
    person = users.person("admin")
    assert person and (person.role, person.within, person.disabled, person.must_change) == (
        "admin", UNLIMITED, False, False)
    assert users.get("secret")                                       # who was signed in still is
    assert users.sign_in("admin", PASSWORD)
    assert Users(path, QUICK).sign_in("admin", PASSWORD)
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("PRAGMA user_version = 99")
    with pytest.raises(Unavailable, match="is of version 99"):
        Users(path, QUICK)


def test_a_password_changed_while_the_old_one_is_looked_at_lets_nobody_in(
        users: Users, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users.create_first(NAME, PASSWORD)
    verify, meanwhile = PasswordHasher.verify, Users(tmp_path / "users.sqlite", QUICK)

    def slowly(hasher: PasswordHasher, hashed: str, password: str) -> bool:
        meanwhile.change_password(NAME, OWN)
        return verify(hasher, hashed, password)
    monkeypatch.setattr(PasswordHasher, "verify", slowly)
    found = users.check(NAME, PASSWORD)
    assert found and users.begin(NAME, found.generation) is None


def test_a_password_for_once_is_not_guessed() -> None:
    made = {one_time_password() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"([2-9A-HJKMNP-Z]{4}-){2}[2-9A-HJKMNP-Z]{4}", one) for one in made)


def test_a_closed_door_says_what_it_takes_and_whom_to_ask(staff: Staff) -> None:
    leader = staff.new("li", "team_leader", SALES)
    page = leader.get("/box/").text
    assert "It takes the right to tend the box" in page and f"Ask {NAME}" in page
    limited = staff.new("limited", "admin", SALES)
    assert "whose range has no limits" in limited.get("/box/").text


@pytest.mark.parametrize("role", [*ROLES, "limited"])
def test_no_page_leads_to_a_closed_door(
        staff: Staff, shelf: Shelf, exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch,
        role: str) -> None:
    """Of what the branch of the tests does not know some pages make 503; closed doors are 403 and 404."""
    answering = exchange.ask

    def ask(request: Any, timeout_s: float = 2.0) -> Any:
        try:
            return answering(request, timeout_s)
        except AssertionError as error:
            raise BusError(str(error)) from None
    monkeypatch.setattr(exchange, "ask", ask)
    client = staff.new("who", "team_leader" if role == "limited" else role,
                       SALES if role == "limited" else UNLIMITED)
    seen, todo, count = set[str](), deque(["/", "/me/"]), 0
    while todo:
        path = todo.popleft()
        answer = client.get(path, follow_redirects=True, headers={"Accept": "text/html"}, buffered=False)
        kind = answer.content_type
        assert answer.status_code in (200, 503), f"{path} for {role}: {answer.status_code}"
        count += 1
        text = answer.text if kind.startswith("text/html") else ""
        answer.close()
        for link in re.findall(r'<a\b[^>]*\bhref="([^"]+)"', text):
            address = link.replace("&amp;", "&").partition("#")[0]
            form = re.sub(r"=[^&]*", "=", re.sub(r"/[a-z]*\d[^/?]*|/(telco|pbx|anna|bert)\b", "/x", address))
            if address.startswith("/") and form not in seen and "/static/" not in address:
                seen.add(form)
                todo.append(address)
    assert count > (1 if role == "agent" else 4)
