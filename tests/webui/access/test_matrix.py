"""Every endpoint, every role: what comes of asking. Expected in matrix.txt; MATRIX=write makes it anew.

A cell is the status, once the door is passed whatever the view makes of an empty form or of names that are
nobody's: "in" stands for all that is neither 401, 403 nor a redirection elsewhere by the door itself.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from tests.conftest import ROOT
from tests.webui.access.people import SALES, Staff
from tests.webui.conftest import NAME, token
from tests.webui.facts import RECORDING
from tests.webui.shelf import Shelf
from webui.access.doors import closed
from webui.access.roles import RIGHTS, ROLES, WHOLE
from webui.texts import WORDS

MATRIX = Path(__file__).with_name("matrix.txt")
DOCUMENT = ROOT / "docs" / "access.md"
WAYS_IN = {"account.logout"}                      # it ends the session that the next question is asked in

NAMES = {"recording": RECORDING, "contact": "e1", "span": "telco", "figure": "lost_s", "queue": "sales",
         "agent": "anna", "trunk": "telco"}


def address(rule: Rule, names: Mapping[str, str] = NAMES) -> str:
    def some(part: re.Match[str]) -> str:
        kind, args, name = part[1], part[2] or "", part[3]
        if kind in ("int", "float"):
            return "1" if kind == "int" else "1.0"
        if kind == "any":
            return args.partition(",")[0].strip("\"' ")
        if name == "name":
            return names["span"] if rule.endpoint.startswith(("spans", "line")) else NAME
        return names.get(name, "none")
    return re.sub(r"<(?:(\w+)(?:\((.*?)\))?:)?(\w+)>", some, rule.rule)


def questions(app: Flask) -> list[tuple[str, str, str]]:
    """Endpoint, method, address."""
    found = [(rule.endpoint, method, address(rule)) for rule in app.url_map.iter_rules()
             for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "DELETE", "PATCH"})
             if rule.endpoint not in WAYS_IN and rule.endpoint != "static"]
    return sorted(found)


def cell(client: FlaskClient, csrf: str, method: str, path: str) -> str:
    answer = client.open(path, method=method, data={"csrf_token": csrf} if method != "GET" else None,
                         headers={"Accept": "text/html"}, buffered=False)
    status, location = answer.status_code, answer.location or ""
    answer.close()
    if status in (401, 403):
        return str(status)
    if location.startswith("/login?") or location in ("/login", "/setup"):
        return "login"
    return "in"


def table(app: Flask, browsers: dict[str, tuple[FlaskClient, str]]) -> str:
    lines = ["# endpoint method " + " ".join(browsers)]
    for endpoint, method, path in questions(app):
        cells = [cell(client, csrf, method, path) for client, csrf in browsers.values()]
        lines.append(" ".join((endpoint, method, *cells)))
    return "\n".join(lines) + "\n"


def test_every_endpoint_answers_every_role_as_is_written(app: Flask, staff: Staff, shelf: Shelf) -> None:
    browsers = {"stranger": app.test_client()}
    for role in ROLES:
        browsers[role] = staff.new(f"the-{role.replace('_', '-')}", role)
    browsers["limited_admin"] = staff.new("limited", "admin", SALES)
    found = table(app, {name: (client, token(client, "/login" if name == "stranger" else "/me/"))
                        for name, client in browsers.items()})
    if os.environ.get("MATRIX") == "write":
        MATRIX.write_text(found)
    assert found.splitlines() == MATRIX.read_text().splitlines()


def test_the_table_of_roles_is_in_the_documentation(app: Flask) -> None:
    lines = ["| right | what it is for | " + " | ".join(ROLES) + " |", "|---" * (len(ROLES) + 2) + "|",
             "| *level* | | " + " | ".join(str(role.level) for role in ROLES.values()) + " |"]
    with app.test_request_context():
        for right, text in RIGHTS.items():
            has = [("own" if role.own else "yes") if right in role.rights else "" for role in ROLES.values()]
            lines.append(f"| `{right}`{'*' if right in WHOLE else ''} | {text} | {' | '.join(has)} |")
    table, document = "\n".join(lines) + "\n", DOCUMENT.read_text()
    begin, end = document.index("|", document.index("<!-- roles:")), document.index("<!-- /roles -->")
    if os.environ.get("MATRIX") == "write":
        DOCUMENT.write_text(document[:begin] + table + document[end:])
    assert table == DOCUMENT.read_text()[begin:begin + len(table)]


def test_an_application_with_a_route_without_a_door_does_not_start(app: Flask) -> None:
    with app.app_context():
        assert closed(app) == []
        app.view_functions["naked"] = lambda: ""
        app.url_map.add(Rule("/naked", endpoint="naked"))
        assert closed(app) == ["naked (/naked)"]


def test_every_act_of_a_door_has_its_word(app: Flask) -> None:
    acts = set[str]()
    for rule in app.url_map.iter_rules():
        door = getattr(app.view_functions[rule.endpoint], "needs", None)
        if door is not None and door.act:
            acts.add(door.act)
        elif door and "POST" in (rule.methods or ()) and not door.by_hand and "open" not in door.rights:
            acts.add(rule.endpoint)
    assert acts - set(WORDS["act"]) == set()
