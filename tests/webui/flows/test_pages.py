"""Pages of flows: what is seen, by whom, and what is asked of boxd."""

import json
import re
import time
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.bus.client import BusError
from appliance.bus.messages import EditFlow, FlowEdit, GetFlows, TryFlow
from appliance.bus.messages.flows import FlowFile, FlowNode, FlowsChanged, FlowWay
from tests.webui.conftest import FakeExchange, post, token
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


NESTED = "[" * 25_000 + "]" * 25_000


@pytest.mark.parametrize(("what", "status"), [
    ({"yaml": NESTED}, 422), ({"yaml": "{a: &a [x, x], b: [*a, *a]}"}, 422),
    ({"yaml": "[" * 21 + "]" * 21}, 422), ({"rows": [["a", "{a: " + NESTED + "}"]]}, 200)])
def test_what_would_cost_this_process_its_stack_is_refused(
        client: FlaskClient, flows: FlowShelf, what: dict[str, Any], status: int) -> None:
    answer = send(client, "change/main.yaml", edits=[
        {"do": "add", "name": "note", "kind": "set"},
        {"do": "set", "keys": ["nodes", "note", "values"], **what}])
    assert answer.status_code in (status, 409) and (status != 422 or answer.json["wrong"])
    assert client.get("/flows/").status_code == 200


def test_json_that_is_nested_without_end_is_refused(client: FlaskClient, flows: FlowShelf) -> None:
    header = {"X-CSRFToken": token(client, "/flows/new"), "Accept": "application/json"}
    for deep in (300, 900, 25_000):
        value = "[" * deep + "]" * deep
        body = '{"edits": [{"do": "set", "keys": ["nodes", "end"], "value": ' + value + "}]}"
        answer = client.post("/flows/change/main.yaml", headers=header, data=body,
                             content_type="application/json")
        said_: Any = answer.json
        assert answer.status_code in (409, 422) and said_["wrong"], deep


def test_a_text_and_a_draft_are_kept_only_over_what_was_seen(client: FlaskClient, flows: FlowShelf) -> None:
    seen = got(client, "/flows/data/main.yaml")["sha256"]
    first = send(client, "text/main.yaml", text=MAIN + "# one\n", sha256=seen)
    assert first.status_code == 200 and first.json["sha256"] == first.json["draft"]["sha256"] != seen
    late = send(client, "text/main.yaml", text=MAIN + "# two\n", sha256=seen)
    assert late.status_code == 409 and late.json["wrong"] == "The draft has changed since."
    assert send(client, "publish/main.yaml", base=1, sha256=seen).status_code == 409
    assert got(client, "/flows/data/main.yaml")["text"] == MAIN + "# one\n"
    assert send(client, "publish/main.yaml", base=1, sha256=first.json["sha256"]).status_code == 200


def test_a_trial_is_at_a_time_of_the_boxs_clock(client: FlaskClient, flows: FlowShelf) -> None:
    assert send(client, "try/main.yaml", at="2026-09-28T14:30", draft=False).status_code == 200
    asked = flows.asked[-1]
    assert isinstance(asked, TryFlow) and asked.at == datetime(2026, 9, 28, 14, 30).timestamp()
    for at in ("half past two", "2026-13-01T00:00", "0001-01-01T00:00"):
        answer = send(client, "try/main.yaml", at=at)
        assert answer.status_code == 422 and f"{at} is no time" in answer.json["wrong"]


def test_the_stream_outlives_boxd_and_tells_what_it_missed(
        client: FlaskClient, flows: FlowShelf, exchange: FakeExchange,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webui.live.LOOK_S", 0.05)
    answer = client.get("/flows/events?file=main.yaml", buffered=False)
    events = answer.iter_encoded()
    assert b"Version 1" in b"".join(next(events) for _ in range(2))
    ask, left = exchange.ask, [2]

    def away(request: Any, timeout_s: float = 2.0) -> Any:
        if isinstance(request, GetFlows) and left[0]:
            left[0] -= 1
            raise BusError("boxd is not there")
        return ask(request, timeout_s)
    flows.ask(EditFlow(by="li", file="main.yaml", edits=[
        FlowEdit(do="set", keys=["nodes", "end", "cause"], value="17")]))
    monkeypatch.setattr(exchange, "ask", away)
    exchange.mirror.hear(FlowsChanged(file="main.yaml"), time.monotonic())
    assert b"Draft of li" in next(events) and left == [0]
    answer.close()


def test_a_draft_is_thrown_away_by_a_second_step(client: FlaskClient, flows: FlowShelf) -> None:
    flows.ask(EditFlow(by="li", file="main.yaml", edits=[
        FlowEdit(do="set", keys=["nodes", "end", "cause"], value="17")]))
    page = client.get("/flows/history/main.yaml").text
    form = page.partition("/flows/discard/main.yaml")[0].rpartition("<details")[2]
    assert "</details>" not in form and "Throw away the draft of li" in page


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
