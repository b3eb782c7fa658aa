"""The pages of lines: what each channel does, acts, tests, trunks, what would happen to a call."""

import ast
import re
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from msgspec.structs import replace

from appliance.bus.messages import (
    BeginLineTest,
    BringBack,
    BusyOut,
    ExplainRoute,
    GetSpanTrace,
    GetTrunks,
    LineTestOrder,
    LineTestState,
    RouteExplained,
    Sentence,
    SteerLineTest,
)
from appliance.bus.messages.line_tests import PATTERNS
from e1_driver.testing import prbs
from tests.conftest import ROOT
from tests.webui.access.people import Staff
from tests.webui.conftest import NAME, PASSWORD, FakeExchange, token
from tests.webui.facts import Branch
from tests.webui.lines.facts import BERT, Lines, line_test
from tests.webui.test_pages import message
from webui import texts
from webui.access.ranges import Range
from webui.lines.groups import group_views, leaving
from webui.parts import Settings
from webui.users import Users


def cells(page: str) -> dict[int, str]:
    """The words of each timeslot."""
    return {int(key): " ".join(re.sub("<[^>]*>", " ", text).split()) for key, text in re.findall(
        r'<li data-key="(\d+)" data-state=.*?>(.*?)</li>', page, re.DOTALL)}


def post(client: FlaskClient, path: str, **form: object) -> Any:
    return client.post(path, data=form | {"csrf_token": token(client, "/lines/")})


def test_every_timeslot_says_what_it_does(client: FlaskClient) -> None:
    page = client.get("/spans/telco").text
    shown = cells(page)
    assert list(shown) == list(range(32))
    assert shown[0] == "0 frame alignment" and shown[16] == "16 D-channel up"
    assert re.fullmatch(r"1 Talking \S+ 13800138000 anna", shown[1])
    assert re.fullmatch(r"4 Waiting \S+ 13911112222 sales then out of use", shown[4])
    assert shown[20] == "20 taken out of use not from these pages"
    assert shown[29] == "29 out of service no answer to RESTART"
    assert shown[30] == "30 idle"
    assert 'href="/contacts/c1">13800138000</a>' in page
    assert "1 call still on channels that go out of use" in page


def test_who_took_a_channel_out_of_use_is_said_until_it_is_brought_back(
        client: FlaskClient, lines: Lines, exchange: FakeExchange) -> None:
    assert post(client, "/lines/telco/busy-out", timeslot=["7", "9"]).status_code == 303
    exchange.tell()
    assert cells(client.get("/spans/telco").text)[7] == f"7 taken out of use by {NAME}"
    assert lines.branch.asked[-1] != BusyOut(span="telco", timeslots=[7, 9])
    assert BusyOut(span="telco", timeslots=[7, 9]) in lines.branch.asked
    assert post(client, "/lines/telco/bring-back", timeslot=["7"]).status_code == 303
    exchange.tell()
    shown = cells(client.get("/spans/telco").text)
    assert (shown[7], shown[9]) == ("7 idle", f"9 taken out of use by {NAME}")


@pytest.mark.parametrize(("path", "form", "asked"), [
    ("telco/busy-out", {"all": "1", "now": "1"}, [BusyOut(span="telco", timeslots=[], now=True)]),
    ("telco/bring-back", {"all": "1"}, [BringBack(span="telco", timeslots=[])]),
    ("trunks/office/busy-out", {}, [BusyOut(span="pbx", timeslots=[])]),
    ("trunks/telco/bring-back", {}, [BringBack(span="telco", timeslots=[])]),
])
def test_spans_and_trunks_are_taken_out_and_brought_back(
        client: FlaskClient, branch: Branch, path: str, form: dict[str, str], asked: list[object]) -> None:
    assert post(client, f"/lines/{path}", **form).status_code == 303
    assert [one for one in branch.asked if isinstance(one, BusyOut | BringBack)] == asked


@pytest.mark.parametrize(("path", "form", "status"), [
    ("telco/busy-out", {}, 409), ("telco/busy-out", {"timeslot": "16"}, 400),
    ("telco/busy-out", {"timeslot": "x"}, 400), ("nowhere/busy-out", {"all": "1"}, 404),
    ("trunks/nowhere/busy-out", {}, 404)])
def test_what_is_no_channel_is_refused_and_nothing_is_asked(
        client: FlaskClient, branch: Branch, path: str, form: dict[str, str], status: int) -> None:
    assert post(client, f"/lines/{path}", **form).status_code == status
    assert not [one for one in branch.asked if isinstance(one, BusyOut | BringBack)]


def test_why_a_channel_stays_in_use_is_said_with_its_span(client: FlaskClient, lines: Lines) -> None:
    lines.refuses = "the span is lent to a test"
    answer = post(client, "/lines/telco/busy-out", timeslot=["7", "9"])
    assert answer.status_code == 409
    assert re.search(r"<p>telco\b[^<]*: the span is lent to a test</p>", answer.text)
    assert "who calls can be traced" not in answer.text
    assert "No channel is marked." in post(client, "/lines/telco/busy-out").text


def test_the_history_is_drawn_and_there_as_a_table(client: FlaskClient, lines: Lines) -> None:
    page = client.get("/spans/telco").text
    assert page.count('<figure class="chart">') == 4
    assert len(re.findall(r'<rect class="bar" data-worst="uas"', page)) == 2
    assert page.count('<tr data-key="quarter-') == 91 and page.count('<tr data-key="day-') == 31
    assert "cannot tell" in page                  # BBE of the far end
    assert re.search(r"telco</td><td>24 hours</td>.*?more than a good line has", page, re.DOTALL)


def test_a_calls_messages_are_all_found_by_its_number(client: FlaskClient) -> None:
    page = client.get("/spans/telco").text
    rows = re.findall(r'<tr data-key="[\d.]+" data-layer="3".*?</tr>', page, re.DOTALL)
    assert len(rows) == 8 and all("13800138000 → 5001" in row for row in rows)


@pytest.mark.parametrize(("minutes", "status"), [
    ("1", 200), ("10", 200), ("11", 400), ("0", 400), ("nan", 400)])
def test_the_capture_is_as_long_as_asked(
        client: FlaskClient, branch: Branch, minutes: str, status: int) -> None:
    before = time.time()
    assert client.get(f"/spans/telco/trace.pcap?minutes={minutes}").status_code == status
    asked = [one for one in branch.asked if isinstance(one, GetSpanTrace)]
    assert [round((before - one.since) / 60) for one in asked] == ([int(minutes)] if status == 200 else [])


def test_trunks_say_what_they_have_and_where_calls_go(client: FlaskClient) -> None:
    page = client.get("/lines/").text
    for words in ("20 of 30 channels free", "6 calls in, 1 out", "the span with most free channels", "boss",
                  "voicemail box sales", "hears closed, then the end", "9([0-9]{3,})"):
        assert words in page, words


@pytest.mark.need(24)
def test_what_would_happen_to_a_call_is_said_step_by_step(
        client: FlaskClient, lines: Lines, branch: Branch) -> None:
    page = client.get("/lines/?trunk=telco&called=5001&calling=138&withheld=1&at=2026-10-01T20:00").text
    [asked] = [one for one in branch.asked if isinstance(one, ExplainRoute)]
    assert (asked.trunk, asked.called, asked.calling, asked.withheld) == ("telco", "5001", "138", True)
    assert time.localtime(asked.at)[:5] == (2026, 10, 1, 20, 0)
    assert "night: no: caller 138 is in list vip" in page
    assert "no rule: flow main.yaml: centre.inbound: 5001 on trunk telco" in page
    client.set_cookie("language", "zh")
    lines.explained = RouteExplained(at=1.0, kind="out", trunk="telco", digits="999", steps=[
        Sentence("goes out: {digits} by trunk {trunk} (centre.outbound {pattern})",
                 {"digits": "999", "trunk": "telco", "pattern": "9(.*)"})])
    page = client.get("/lines/?trunk=office&called=9999").text
    assert "an emergency number" in page or "紧急号码" in page


@pytest.mark.parametrize("query", ["trunk=telco&called=1&at=never", "trunk=telco&called=1&at=99999-01-01"])
def test_a_time_that_is_none_is_said(client: FlaskClient, branch: Branch, query: str) -> None:
    assert "write a date and a time" in client.get(f"/lines/?{query}").text
    assert not [one for one in branch.asked if isinstance(one, ExplainRoute)]


def test_a_refused_question_is_shown_as_it_is(client: FlaskClient, lines: Lines) -> None:
    lines.refuses = "called 'x<y': no number"
    assert "called &#39;x&lt;y&#39;: no number" in client.get("/lines/?trunk=telco&called=x<y").text


def test_a_call_that_goes_out_is_followed_to_the_trunk_that_takes_it(
        exchange: FakeExchange, lines: Lines) -> None:
    told = exchange.ask(GetTrunks()).trunks
    way = RouteExplained(at=0.0, steps=[], kind="out", trunk="telco", digits="138")
    floor = exchange.mirror.floor
    assert [(one.trunk, one.takes, one.free) for one in leaving(way, group_views(floor, told))] == [
        ("telco", "yes", 19)]                     # 20 are idle, one more is kept for the boss
    lines.blocked |= {("telco", number) for number in range(1, 32)}
    exchange.tell()
    assert [(one.trunk, one.takes) for one in leaving(way, group_views(exchange.mirror.floor, told))] == [
        ("telco", "full"), ("office", "yes")]
    assert leaving(RouteExplained(at=0.0, steps=[], kind="in"), []) == ()


# --- tests of a line


def test_a_test_is_begun_with_what_the_form_says(client: FlaskClient, branch: Branch) -> None:
    begun = post(client, "/lines/pbx/tests/", kind="bert", for_s="300", pattern="qrss", timeslots="1-5",
                 inject="3", itself="1")
    assert begun.status_code == 303
    [asked] = [one for one in branch.asked if isinstance(one, BeginLineTest)]
    assert asked == BeginLineTest(span="pbx", by=NAME, order=LineTestOrder(
        kind="bert", for_s=300.0, pattern="qrss", timeslots="1-5", inject=3, itself=True))


def test_why_a_test_was_refused_is_on_the_page_with_the_form_as_it_was(
        client: FlaskClient, lines: Lines) -> None:
    lines.refuses = "span pbx carries 2 calls: wait until they have ended"
    answer = post(client, "/lines/pbx/tests/", kind="verdict", for_s="30", site="cellar")
    assert answer.status_code == 409
    page = answer.text
    assert lines.refuses in page and 'value="cellar"' in page and '<option value="30" selected>' in page


@pytest.mark.parametrize("form", [
    {"kind": "siege", "for_s": "1"}, {"kind": "bert"}, {"kind": "bert", "for_s": "x"},
    {"kind": "bert", "for_s": "1", "inject": "many"}])
def test_a_form_of_others_is_refused(client: FlaskClient, branch: Branch, form: dict[str, str]) -> None:
    assert post(client, "/lines/pbx/tests/", **form).status_code == 400
    assert not [one for one in branch.asked if isinstance(one, BeginLineTest)]


def test_what_hinders_a_test_is_said(client: FlaskClient, branch: Branch, exchange: FakeExchange) -> None:
    assert "A test runs on this line" in client.get("/lines/telco/tests/").text
    assert "2 calls are on this line: no test can begin" in client.get("/lines/pbx/tests/").text
    del branch.busy["pbx", 1], branch.busy["pbx", 2]
    exchange.tell()
    assert "a test can begin" in client.get("/lines/pbx/tests/").text


def test_results_are_words_and_figures(client: FlaskClient, lines: Lines) -> None:
    bert, verdict, failed, running = lines.tests
    page = client.get(f"/lines/telco/tests/{bert}").text
    assert "7 errors in 115,200,000 bits." in page and "6.1e-08" in page
    assert page.count("<td>5</td>") == 1 and "<td>6</td>" not in page and "crc_errors" in page
    assert "The cable is at fault." in client.get(f"/lines/telco/tests/{verdict}").text
    assert "the line was taken back" in client.get(f"/lines/telco/tests/{failed}").text
    page = client.get(f"/lines/telco/tests/{running}").text
    assert "38,400,000" in page and "Stop the test" in page and 'value="0.3333"' in page
    assert client.get(f"/lines/pbx/tests/{running}").status_code == 404
    assert client.get("/lines/telco/tests/17954-00").status_code == 404


def test_a_test_that_asks_is_answered_from_its_page(client: FlaskClient, lines: Lines) -> None:
    name = lines.add(line_test(5, "verdict", "", state="asking", ask={"en": "Put a plug in.", "zh": "插入"}),
                     {}).test
    page = client.get(f"/lines/telco/tests/{name}").text
    assert "Put a plug in." in page and "Leave this step out" in page
    assert post(client, f"/lines/telco/tests/{name}", word="skip").status_code == 303
    assert lines.branch.asked[-1] == SteerLineTest(test=name, word="skip")
    assert post(client, f"/lines/telco/tests/{name}", word="burn").status_code == 400
    lines.refuses = "this test has ended"
    assert post(client, f"/lines/telco/tests/{name}", word="stop").status_code == 409


def test_papers_are_sent_from_their_folder_alone(
        client: FlaskClient, lines: Lines, settings: Settings) -> None:
    folder = settings.state / "line-tests"
    folder.mkdir()
    (folder / "a-en.pdf").write_bytes(b"%PDF-1.7")
    (settings.state / "secret.pdf").write_bytes(b"%PDF secret")
    name = lines.add(line_test(6, "verdict", "telco", papers={
        "en": str(folder / "a-en.pdf"), "zh": str(Path(folder, "..", "secret.pdf"))}), {}).test
    with client.get(f"/lines/telco/tests/{name}/en.pdf") as answer:
        assert answer.status_code == 200 and answer.data == b"%PDF-1.7"
        assert "telco-" in answer.headers["Content-Disposition"]
    assert client.get(f"/lines/telco/tests/{name}/zh.pdf").status_code == 404
    assert client.get(f"/lines/telco/tests/{name}/de.pdf").status_code == 404


def test_the_patterns_of_the_form_are_those_of_the_tester() -> None:
    assert set(PATTERNS) <= set(prbs.NAMES)


def reasons_of(path: Path) -> set[str]:
    """The words of every Reason that a file makes; those with a choice in them are in test_entry_reasons."""
    return {call.args[0].value for call in ast.walk(ast.parse(path.read_text()))
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Reason"
            and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)}


def test_every_step_can_be_said_in_other_languages() -> None:
    said = {words for name in ("explain", "reason", "rules")
            for words in reasons_of(ROOT / f"appliance/centre/entry/{name}.py")}
    assert len(said) > 20 and said <= texts.WORDS["entry"].keys()


def test_who_has_one_trunk_sees_and_touches_no_other(
        app: Flask, users: Users, branch: Branch) -> None:
    users.create_first(NAME, PASSWORD)
    client = Staff(app, users).new("wu", "installer", Range(trunks=frozenset({"office"})))
    page = client.get("/lines/").text
    assert 'id="trunk-office"' in page and 'id="trunk-telco"' not in page
    assert client.get("/spans/pbx").status_code == client.get("/lines/pbx/tests/").status_code == 200
    branch.asked.clear()
    for path in ("/spans/telco", "/spans/telco/trace.pcap", "/lines/telco/tests/",
                 "/lines/?trunk=telco&called=5001"):
        assert client.get(path).status_code == 404, path
    for path, form in (("/lines/telco/busy-out", {"all": "1"}), ("/lines/trunks/telco/busy-out", {}),
                       ("/lines/telco/tests/", {"kind": "bert", "for_s": "60"})):
        assert post(client, path, **form).status_code == 404, path
    assert not [one for one in branch.asked if isinstance(one, BusyOut | BeginLineTest | ExplainRoute)]
    assert post(client, "/lines/pbx/busy-out", all="1").status_code == 303


def test_an_installer_sees_whose_channel_it_is_and_no_way_to_the_contact(app: Flask, users: Users) -> None:
    users.create_first(NAME, PASSWORD)
    page = Staff(app, users).new("zhou", "installer").get("/spans/telco").text
    assert "13800138000" in cells(page)[1] and "/contacts/" not in page


def test_who_has_some_queues_sees_no_d_channel_with_the_numbers_of_others(app: Flask, users: Users) -> None:
    users.create_first(NAME, PASSWORD)
    client = Staff(app, users).new("wu", "supervisor", Range(queues=frozenset({"sales"})))
    page = client.get("/spans/telco").text
    assert cells(page)[30] == "30 idle" and 'id="signalling"' not in page
    with client.get("/spans/telco/events", buffered=False) as answer:
        assert "signalling" not in message(answer)
    assert client.get("/spans/telco/trace.pcap").status_code == 404


def test_a_live_page_follows_a_test_to_its_end(
        client: FlaskClient, lines: Lines, exchange: FakeExchange) -> None:
    running = list(lines.tests)[3]
    with client.get(f"/lines/telco/tests/{running}/events", buffered=False) as answer:
        assert "0:20 / 1:00" in message(answer)["test"]
        test = replace(lines.tests[running][0], passed_s=21.0)
        exchange.mirror.hear(LineTestState(test=test), time.monotonic())
        assert "0:21 / 1:00" in message(answer)["test"]
        lines.add(replace(test, state="ended", outcome="errors"), BERT)
        exchange.mirror.hear(LineTestState(test=lines.tests[running][0]), time.monotonic())
        last = message(answer)["test"]
    assert "data-ended" in last and "7 errors in 115,200,000 bits." in last
