"""The floor: what is seen through range and filter, one call with its reasons, and every act on it."""

import itertools
import re
import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from msgspec.structs import replace

from appliance.bus.messages import (
    EndTalk,
    LogOut,
    Monitor,
    Request,
    SetNotReady,
    SetPriority,
    SetReady,
    StopMonitor,
    SupervisorInfo,
    TakeOver,
)
from appliance.errors import Unavailable
from tests.webui.conftest import NAME, FakeExchange, token
from tests.webui.floor.facts import FloorBranch
from tests.webui.test_pages import message
from webui.floor.telephones import Telephones


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def send(client: FlaskClient, path: str, **form: str) -> Any:
    return client.post(path, data=form | {"csrf_token": token(client, "/floor/telephone")})


@pytest.fixture
def supervisor(client: FlaskClient) -> FlaskClient:
    """Somebody who has said where the telephone is."""
    assert send(client, "/floor/telephone", at="8100", next="/floor/").status_code == 303
    return client


def test_the_floor_shows_queues_with_targets_calls_agents_and_trunks(client: FlaskClient) -> None:
    page = client.get("/floor/").text
    words = text_of(page)
    for said in ("Callers waiting 2", "Agents ready 1 / 6", "86 %", "92 %", "0:14", "anna 8001 Talking",
                 "telco 7/30", "office 2/30"):
        assert said in words, said
    assert page.count('data-tone="good"') >= 3
    assert 'href="/floor/call/c1"' in page
    assert page.count("/listen") == 2 and "/floor/agent/emil/listen" not in page   # who talks with somebody


FILTERS = [                                       # query, what is of it, what is not
    ("queue=service", ["02164301234", "chen"], ["13800138000", "anna 8001"]),
    ("agent=anna", ["13800138000", "anna 8001"], ["02164301234", "chen 8004"]),
    ("queue=sales&agent=dora", ["dora 8003"], ["anna 8001"]),
    ("trunk=office", [], ["13800138000"]),
    ("trunk=telco", ["13800138000", "02164301234"], []),
]


def test_a_filter_leaves_what_is_of_it(client: FlaskClient) -> None:
    for query, there, gone in FILTERS:
        answer = client.get(f"/floor/?{query}").text
        seen = text_of(answer[answer.index('id="calls"'):])
        assert [words for words in there if words not in seen] == [], query
        assert [words for words in gone if words in seen] == [], query
        with client.get(f"/floor/events?{query}", buffered=False) as stream:
            assert {"strip", "tree", "lines", "calls", "agents"} <= message(stream).keys()


def test_a_filter_that_is_not_there_is_no_page(client: FlaskClient) -> None:
    for query in ("queue=x", "agent=x", "trunk=x", "group=x", "queue=" + "q" * 5000):
        assert client.get(f"/floor/?{query}").status_code == 404
        assert client.get(f"/floor/events?{query}").status_code == 404


def test_a_call_tells_its_path_and_why_this_agent(client: FlaskClient) -> None:
    words = text_of(client.get("/floor/call/c1").text)
    for said in ("Why anna: of 3 free ones: the longest idle; ring 2", "Talk", "telco/1", "Listen",
                 "Everything about this contact"):
        assert said in words, said
    assert client.get("/floor/call/e1").status_code == 200       # over: still told, without buttons
    assert "/listen" not in client.get("/floor/call/e1").text
    assert client.get("/floor/call/nobody").status_code == 404
    assert client.get("/floor/call/" + "c" * 65).status_code == 404


def test_a_caller_in_line_is_told_why_the_wait(client: FlaskClient, branch: FloorBranch) -> None:
    words = text_of(client.get("/floor/call/c5").text)
    for said in ("None of the 2 agents who can serve this caller is free; 2 are logged in.",
                 "Position in the queue 2", "Expected to wait still 1:35", "Ring 1 of 2 · next at",
                 "chen never is not in the queue&#39;s list",
                 "from ring 2 on, in 30 s: skill en 3 is asked for, there is 2"):
        assert said in words, said
    assert send(client, "/floor/call/c5/priority", priority="70").status_code == 303
    assert branch.acts == [SetPriority(contact="c5", priority=70, by=NAME)]
    assert "priority is 70 now" in client.get("/floor/call/c5").text
    assert send(client, "/floor/call/c5/priority", priority="x").status_code == 400
    assert send(client, "/floor/call/nobody/priority", priority="1").status_code == 404


def test_the_own_telephone_is_asked_for_checked_and_kept(
        client: FlaskClient, branch: FloorBranch, tmp_path: Any) -> None:
    asked = send(client, "/floor/agent/anna/listen", next="/floor/?queue=sales")
    assert asked.location == "/floor/telephone?next=/floor/?queue%3Dsales"
    assert branch.acts == []
    wrong = send(client, "/floor/telephone", at="999")
    assert wrong.status_code == 422
    assert "999 is no agent and no extension" in wrong.text
    assert send(client, "/floor/telephone", at="").status_code == 422
    kept = send(client, "/floor/telephone", at="8100", next="/floor/?queue=sales")
    assert kept.location == "/floor/?queue=sales"
    for elsewhere in ("https://evil.example/", "//evil.example", "/box/", "/floor\\..", ""):
        assert send(client, "/floor/telephone", at="8100", next=elsewhere).location in ("/floor/",)
    assert "My telephone: 8100" in client.get("/floor/").text
    told = Telephones(tmp_path / "telephones.sqlite").of(NAME)
    assert told is not None and told.asked == "8100"


ACTS: list[tuple[str, dict[str, str], Request[Any]]] = [
    ("anna/listen", {}, Monitor(agent="anna", at="8100", mode="listen", by=NAME)),
    ("anna/whisper", {}, Monitor(agent="anna", at="8100", mode="whisper", by=NAME)),
    ("anna/barge", {}, Monitor(agent="anna", at="8100", mode="barge", by=NAME)),
    ("anna/stop", {}, StopMonitor(agent="anna", at="8100", by=NAME)),
    ("anna/take-over", {}, TakeOver(agent="anna", at="8100", by=NAME)),
    ("anna/end", {"contact": "c1"}, EndTalk(agent="anna", by=NAME)),
    ("emil/ready", {}, SetReady(agent="emil", by=NAME)),
    ("emil/not-ready", {"reason": "lunch"}, SetNotReady(agent="emil", reason="lunch", by=NAME)),
    ("emil/log-out", {}, LogOut(agent="emil", by=NAME)),
]


def test_each_act_is_asked_of_acdd_in_the_supervisors_name_and_said(
        supervisor: FlaskClient, branch: FloorBranch) -> None:
    for path, form, wanted in ACTS:
        branch.acts.clear()
        answer = send(supervisor, f"/floor/agent/{path}", next="/floor/", **form)
        assert (answer.status_code, answer.location) == (303, "/floor/"), path
        assert branch.acts == [wanted]
        assert 'class="notice done"' in supervisor.get("/floor/").text
        assert supervisor.post(f"/floor/agent/{path}").status_code == 400       # without the form's token


def test_what_acdd_refuses_is_said_in_the_readers_language(
        supervisor: FlaskClient, branch: FloorBranch) -> None:
    branch.refusal = "anna: talks with no customer, is in wrap-up"
    said = {"en": "anna is in wrap-up and talks with no customer.",
            "zh": "anna 正在话后处理\uff0c没有与客户通话。"}
    for (path, form, _), language in itertools.product(ACTS, said):
        supervisor.set_cookie("language", language)
        send(supervisor, f"/floor/agent/{path}", next="/floor/", **form)
        page = supervisor.get("/floor/").text
        assert said[language] in page, path
        assert 'class="notice done"' not in page
    assert branch.acts == []


def test_an_act_of_which_nobody_knows_says_so(supervisor: FlaskClient, exchange: FakeExchange) -> None:
    csrf = token(supervisor, "/floor/telephone")
    exchange.silent = {"acdd"}
    answer = supervisor.post("/floor/agent/anna/listen", data={"csrf_token": csrf})
    assert answer.status_code == 303
    exchange.silent = set()
    assert "nobody knows whether it was done" in supervisor.get("/floor/").text


def test_ending_a_talk_is_asked_twice_and_only_ends_that_one(
        supervisor: FlaskClient, branch: FloorBranch) -> None:
    page = supervisor.get("/floor/agent/anna/end").text
    assert 'name="contact" value="c1"' in page and "13800138000" in page
    send(supervisor, "/floor/agent/anna/end", contact="c-before")
    assert branch.acts == []
    assert "over already" in supervisor.get("/floor/").text
    assert supervisor.get("/floor/agent/nobody/end").status_code == 404


def test_who_hears_a_talk_is_shown_and_the_own_mode_is_pressed(
        supervisor: FlaskClient, branch: FloorBranch, exchange: FakeExchange) -> None:
    branch.supervisors = [SupervisorInfo(contact="c1", at="8100", mode="whisper", talking=False)]
    exchange.tell()
    for path in ("/floor/call/c1", "/floor/agent/anna"):
        page = supervisor.get(path).text
        assert "8100 · whispers · is rung" in page
        assert re.search(r'anna/whisper" aria-pressed="true"', page)
        assert re.search(r'take-over" disabled', page)
    branch.supervisors = [replace(branch.supervisors[0], talking=True)]
    exchange.tell()
    page = supervisor.get("/floor/call/c1").text
    assert not re.search(r'take-over" disabled', page)
    assert "8100 · whispers" in supervisor.get("/floor/").text


def test_a_person_is_told_with_reasons_to_choose_from(client: FlaskClient, branch: FloorBranch) -> None:
    page = client.get("/floor/agent/emil").text
    assert '<option value="lunch">lunch</option>' in page and "Serves: service" in text_of(page)
    branch.reasons = []
    assert '<input name="reason"' in client.get("/floor/agent/emil").text
    assert client.get("/floor/agent/nobody").status_code == 404


def test_without_acdd_the_last_floor_stays(client: FlaskClient, exchange: FakeExchange) -> None:
    client.get("/floor/")
    exchange.silent = {"acdd"}
    exchange.mirror.check(time.monotonic() + 60.0)
    page = client.get("/floor/").text
    assert "13800138000" in page and "not current" in page
    assert client.get("/floor/call/c1").status_code == 200
    assert client.get("/floor/agent/anna").status_code == 200


def test_a_damaged_file_of_telephones_is_named(tmp_path: Any) -> None:
    (tmp_path / "telephones.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(Unavailable, match=r"telephones\.sqlite: cannot be used .*remove it"):
        Telephones(tmp_path / "telephones.sqlite")


def test_a_team_leader_sees_and_steers_the_own_people_only(
        app: Flask, client: FlaskClient, branch: FloorBranch, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the language of the log of acts nothing was done: the door is shut before acdd is asked."""
    from webui.access import doors
    from webui.access.ranges import Range
    monkeypatch.setattr(doors, "range_of", lambda person: Range(agents=frozenset({"anna", "emil"})))
    monkeypatch.setattr("webui.live.range_of", doors.range_of)
    page = client.get("/floor/").text
    assert "13800138000" in page and "02164301234" not in page and "chen" not in page
    for path in ("agent/chen", "call/c2", "?agent=chen"):
        assert client.get(f"/floor/{path}").status_code == 404, path
    csrf = token(client, "/floor/telephone")
    for act in ("listen", "whisper", "barge", "stop", "take-over", "end", "ready", "not-ready", "log-out"):
        send(client, "/floor/telephone", at="8100")
        assert client.post(f"/floor/agent/chen/{act}", data={"csrf_token": csrf}).status_code == 404, act
    assert branch.acts == []
    assert send(client, "/floor/agent/anna/listen").status_code == 303
    assert len(branch.acts) == 1
