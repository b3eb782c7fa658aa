"""Pages of flows: what is seen, by whom, and what is asked of boxd."""

import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.bus.messages import EditFlow, FlowEdit, TryFlow
from appliance.bus.messages.flows import FlowFile, FlowNode, FlowWay
from tests.webui.conftest import post, token
from tests.webui.flows.shelf import MAIN, FlowShelf, row
from webui.flows import drafts, shown, traffic, words
from webui.flows.said import said

UNKNOWN = "no queue is called 'nobody', there are sales, service"


def send(client: FlaskClient, path: str, **body: Any) -> Any:
    """As the page's script does."""
    return client.post(f"/flows/{path}", json=body, headers={
        "X-CSRFToken": token(client, "/flows/new"), "Accept": "application/json"})


def got(client: FlaskClient, path: str) -> Any:
    return client.get(path).json


@pytest.mark.need(4)
def test_list_editor_draft_publishing_and_going_back(client: FlaskClient, flows: FlowShelf) -> None:
    page = client.get("/flows/").text
    assert "main.yaml" in page and "5 nodes" in page and "number 5001" in page
    found = re.search(r"data-script='([^']*)'", client.get("/flows/edit/main.yaml").text)
    assert found
    script = json.loads(found[1])
    assert script["may_change"] and script["urls"]["change"] == "/flows/change/main.yaml"
    assert script["words"]["groups"][0] == ["talk", "Speak"]
    first = got(client, "/flows/data/main.yaml")
    menu = next(node for node in first["nodes"] if node["name"] == "menu")
    assert [way["keys"] for way in menu["ways"]] == [
        ["digits", "1"], ["digits", "2"], ["default"], ["digits", ""]]
    assert menu["values"]["prompt"] == "menu" and first["draft"] is None and first["mistakes"] == []

    drawn = send(client, "change/main.yaml", edits=[
        {"do": "add", "name": "menu-2", "like": "menu"}, {"do": "move", "name": "menu-2", "x": 700, "y": 80},
        {"do": "set", "keys": ["nodes", "menu", "digits", "3"], "value": "menu-2"},
        {"do": "add", "name": "keep", "kind": "set"}, {"do": "rename", "name": "keep", "to": "note"},
        {"do": "set", "keys": ["nodes", "note", "values"],
         "rows": [["vip", "true"], ["area", "left(caller, 4)"]]},
        {"do": "set", "keys": ["nodes", "note", "next"], "value": "menu"},
        {"do": "set", "keys": ["nodes", "greeting", "next"], "value": "note"}])
    assert drawn.status_code == 200, drawn.text
    note = next(node for node in drawn.json["nodes"] if node["name"] == "note")
    assert note["values"]["values"] == [["vip", "true"], ["area", "left(caller, 4)"]]
    assert drawn.json["draft"]["mine"] and drawn.json["mistakes"] == []
    assert "# sales first" in drawn.json["text"]
    stale = send(client, "change/main.yaml", sha256="0" * 64, edits=[{"do": "place"}])
    assert stale.status_code == 409 and stale.json["wrong"]
    assert send(client, "step/main.yaml", steps=1).json["text"] == MAIN
    assert "menu-2" in send(client, "step/main.yaml", steps=-1).json["text"]
    tried = send(client, "try/main.yaml", keys=["3"], draft=True).json
    assert tried["awaits"] == "key" and tried["node"] == "menu-2" and tried["end"] == ""
    assert isinstance(flows.asked[-1], TryFlow)

    assert (flows.folder / "main.yaml").read_text() == MAIN
    published = send(client, "publish/main.yaml", comment="second menu", base=1)
    assert published.json["head"] == {"number": 2, "by": "admin", "at": published.json["head"]["at"]}
    assert "menu-2" in (flows.folder / "main.yaml").read_text()
    page = client.get("/flows/history/main.yaml").text
    assert "second menu" in page and "Roll back to version 1" in page
    compared = client.get("/flows/compare/main.yaml?old=1&new=2").text
    assert "new: menu-2, note" in compared or "new: note, menu-2" in compared
    assert client.get("/flows/compare/main.yaml?old=1").status_code == 404           # there is no draft
    answer = client.post("/flows/roll-back/main.yaml", data={
        "to": "1", "why": "too long", "csrf_token": token(client, "/flows/new")})
    assert answer.status_code == 303 and (flows.folder / "main.yaml").read_text() == MAIN
    log = client.get("/log/").text
    assert "Flow published" in log and "Flow rolled back" in log


def test_what_is_refused_says_why_and_changes_nothing(client: FlaskClient, flows: FlowShelf) -> None:
    bodies: list[tuple[dict[str, Any], int]] = [
        ({"edits": [{"do": "boil"}]}, 422), ({"edits": [{"do": "add", "name": "x", "kind": "y"}]}, 422),
        ({"edits": [{"do": "add", "name": "x", "like": "y"}]}, 422),
        ({"edits": [{"do": "set", "keys": ["nodes"], "yaml": "{"}]}, 422),
        ({"edits": [{"do": "rename", "name": "nobody", "to": "x"}]}, 409), ({"more": 1}, 422)]
    for body, status in bodies:
        answer = send(client, "change/main.yaml", **body)
        assert answer.status_code == status and answer.json["wrong"], answer.text
    acts: list[tuple[str, dict[str, Any], int]] = [
        ("text/main.yaml", {"text": "nodes: ["}, 409), ("step/main.yaml", {"steps": 0}, 422),
        ("publish/main.yaml", {}, 409), ("try/main.yaml", {"keys": ["1"] * 201}, 422),
        ("drop/main.yaml", {}, 409), ("change/none.yaml", {"edits": []}, 409)]
    for path, body, status in acts:
        assert send(client, path, **body).status_code == status, path
    assert client.get("/flows/edit/none.yaml").status_code == 404
    assert client.get("/flows/data/none.yaml").status_code == 409
    assert client.post("/flows/change/main.yaml", json={"edits": []}).status_code == 400     # no token
    assert (flows.folder / "main.yaml").read_text() == MAIN
    send(client, "change/main.yaml", edits=[
        {"do": "set", "keys": ["nodes", "sales", "queue"], "value": "nobody"}])
    answer = send(client, "publish/main.yaml", comment="", base=1)
    assert answer.status_code == 409 and "nobody" in answer.json["wrong"]
    assert got(client, "/flows/data/main.yaml")["mistakes"][0]["node"] == "sales"
    form = {"csrf_token": token(client, "/flows/new")}
    assert client.post("/flows/discard/main.yaml", data=form).status_code == 303
    assert got(client, "/flows/data/main.yaml")["draft"] is None
    flows.ask(EditFlow(by="li", file="main.yaml", edits=[
        FlowEdit(do="set", keys=["nodes", "end", "cause"], value="17")]))
    answer = send(client, "change/main.yaml", edits=[{"do": "place"}])
    assert answer.status_code == 409 and "li" in answer.json["wrong"]
    assert send(client, "change/main.yaml", edits=[], take=True).json["draft"]["mine"]
    gone = send(client, "drop/main.yaml")
    assert gone.status_code == 200 and gone.json["draft"] is None


def test_a_new_flow_from_a_template_or_as_a_copy(client: FlaskClient, flows: FlowShelf) -> None:
    page = client.get("/flows/new").text
    assert "<option>sales</option>" in page and "Greeting, menu, queue" in page
    for name, status in (("../x", 422), ("A", 422), ("", 422), ("main", 409)):
        assert post(client, "/flows/new", file=name).status_code == status
    for template in words.TEMPLATES:
        assert post(client, "/flows/new", file=template, template=template, greeting="greeting", menu="menu",
                    queue="sales", calendar="office", box="messages", language="zh").status_code == 303
        found = got(client, f"/flows/data/{template}.yaml")
        wrong = [one["text"] for one in found["mistakes"]]
        no_box = ["No voicemail box is called “messages”. There are: none"]
        assert wrong == (no_box if template == "hours" else [])
    assert post(client, "/flows/new", file="again.yaml", copy="main.yaml").status_code == 303
    assert got(client, "/flows/data/again.yaml")["text"] == MAIN
    assert "gone" in send(client, "drop/again.yaml").json


def test_how_callers_went_is_counted_at_their_nodes(client: FlaskClient, flows: FlowShelf) -> None:
    path = flows.folder / "main.yaml"
    flows.figures = [row(f"{path}: menu", 10, by_digit_1=4, by_digit_2=3, by_default=2, hung_up=1),
                     row("/other/nomain.yaml: menu", 7)]
    found = got(client, "/flow-traffic/numbers/main.yaml?period=week")["nodes"]
    assert found["menu"] == {"entered": 10, "hung_up": 1, "ways": [4, 3, 2]}
    assert found["sales"]["entered"] == 0
    assert client.get("/flow-traffic/numbers/main.yaml?period=year").status_code == 404
    assert "main.yaml" in client.get("/flow-traffic/").text
    assert client.get("/flow-traffic/of/main.yaml").status_code == 200


def test_a_flow_that_others_lead_through_counts_there() -> None:
    def file(name: str, *used_by: str) -> FlowFile:
        return FlowFile(file=name, head=None, draft=None, used_by=list(used_by))
    flows = [file("main.yaml", "centre.inbound[0].flow"), file("sub/pay.yaml", "main.yaml: nodes.pay"),
             file("pay.yaml", "sub/pay.yaml: nodes.inner")]
    node = FlowNode(name="ask", kind="branch", line=1, x=0, y=0, placed=False, about="", fields=[], ways=[
        FlowWay(keys=["cases", 0, "next"], to="a"), FlowWay(keys=["default"], to="b")])
    rows = [row("/x/main.yaml: pay/ask", 5, by_case_1=3, by_default=2),
            row("/x/sub/pay.yaml: ask", 2, by_case_1=2),
            row("/x/main.yaml: pay/inner/ask", 9)]
    assert traffic.of("sub/pay.yaml", flows, [node], rows) == {
        "ask": {"entered": 7, "hung_up": 0, "ways": [5, 2]}}
    assert traffic.of("pay.yaml", flows, [node], rows)["ask"]["entered"] == 9


def test_values_are_the_same_there_and_back() -> None:
    for text in ("hello", "5", "1.5", "true", '"5"', '"true"', "{caller}", "{path: a.b, type: amount}",
                 "left(caller, 3)", "'a'", '"', "你好", "{a", '"a" + "b"'):
        value = shown.of_row(text)
        assert shown.of_row(shown.to_row(value)) == value, text
    assert shown.of_row("5") == 5 and shown.of_row('"5"') == "5" and shown.of_row("{caller}") == "{caller}"
    assert shown.of_row("{path: a.b}") == {"path": "a.b"}
    assert [shown.of_yaml(one) for one in ("no", "greeting", "'5'", "2024-01-01", "[")] == [
        False, "greeting", "5", "2024-01-01", "["]
    assert drafts.file_name("a/b") == "a/b.yaml" and drafts.file_name("a/../b") == ""


def test_the_linters_sentences_are_said_in_chinese(app: Flask) -> None:
    with app.test_request_context(headers={"Cookie": "language=zh"}):
        for text in (UNKNOWN, "no node leads here: remove it or let one", "Field required",
                     "/x/prompts/zh/hello.wav: No such file: record it or correct the prompt's name",
                     "nothing sets the variable 'a', there are caller: set it before, or give it a value "
                     "below variables"):
            assert re.search("[\u4e00-\u9fff]", said(text)), text
        assert words.kind("menu") == "语音菜单" and words.field("cases.0.when") == "条件 · 1 · 条件"
    assert said("an unknown sentence") == "an unknown sentence"
