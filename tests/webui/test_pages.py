"""What the pages say of a branch at work, and of one that is in trouble."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from msgspec.structs import replace

import webui.live_page
from appliance.bus.messages import (
    AgentInfo,
    Board,
    CallerTrace,
    Charge,
    ContactCharge,
    ContactFacts,
    ContactLeg,
    ContactParty,
    Disposition,
    Diversion,
    GetContacts,
    QueueInfo,
    SegmentInfo,
    TraceCaller,
)
from appliance.errors import Unavailable
from e1_driver.watch import pcap
from tests.webui.conftest import NAME, PASSWORD, FakeExchange, post, token
from tests.webui.facts import Branch, contact, live
from webui import create_app, delta
from webui.parts import STREAMS, Parts, Settings
from webui.seen import Seen
from webui.users import Users


def shared(app: Flask) -> Parts:
    parts: Parts = app.extensions["branchline"]
    return parts


def sent(answer: Any) -> dict[str, Any]:
    """The next message of an event stream: of each fragment its text, or what of it is new."""
    for chunk in answer.response:
        text = chunk.decode() if isinstance(chunk, bytes) else chunk
        if text.startswith("data: "):
            fragments: dict[str, Any] = json.loads(text.removeprefix("data: "))["fragments"]
            return fragments
    raise AssertionError("the stream ended")


def message(answer: Any) -> dict[str, str]:
    """The same, as whole texts: who did not ask for lines is told nothing else."""
    fragments = sent(answer)
    assert all(isinstance(html, str) for html in fragments.values())
    return fragments


def test_the_board_shows_spans_calls_queues_agents_and_health(client: FlaskClient) -> None:
    page = client.get("/").text
    assert page.count('data-state="busy"') == 9
    assert page.count("<li data-key=") >= 60
    assert "Timeslot 1: busy\n13800138000 → 5001" in page
    for words in ("Line in order", "D-channel up", "+8675522334455", "Wrap-up", "trunkd", "35 MiB"):
        assert words in page, words
    assert 'href="/contacts/c7"' in page


def test_agents_say_why_what_comes_next_and_that_it_is_too_long(
        client: FlaskClient, exchange: FakeExchange, branch: Branch) -> None:
    since = time.time() - 60.0
    branch.agents = [
        AgentInfo(name="away", extension="8001", state="logged-out", since=since),
        AgentInfo(name="bo", extension="8002", state="not-ready", since=since, reason="lunch <b>",
                  overran=True),
        AgentInfo(name="cy", extension="8003", state="talking", since=since, contact="c1", wish="not-ready",
                  wish_reason="training"),
        AgentInfo(name="di", extension="8004", state="unreachable", since=since, reason="no answer")]
    branch.queues = [QueueInfo(name="sales", waiting=["c7"], callbacks=2, unreachable=["c7"])]
    exchange.tell()
    page = " ".join(re.sub(r"<[^>]+>", " ", client.get("/").text).split())
    for words in ("bo 8002 lunch &lt;b&gt; over the limit Not ready 1:0",
                  "cy 8003 13800138000 then not ready training Talking 1:0",
                  "di 8004 no answer Unreachable 1:0", "Agents ready 0 / 3",
                  "1 waiting · 2 callbacks 1 caller whom no agent may serve: check the queue's agents and"
                  " skills. 01088886666"):      # who is called back: his number, not ours
        assert words in page, words
    assert page.index("di 8004") < page.index("away 8001 Logged out")


def test_alarms_and_empty_floors_have_words(
        client: FlaskClient, exchange: FakeExchange, branch: Branch) -> None:
    branch.contacts.clear()
    branch.queues, branch.agents, branch.alarms = [], [], {"telco": ["los", "rai"]}
    exchange.tell()
    page = client.get("/").text
    for words in ("No calls at this moment.", "There are no queues.", "LOS", "no signal"):
        assert words in page, words


def test_how_well_audio_keeps_time_and_what_endangers_it_is_said_with_the_health(
        client: FlaskClient, exchange: FakeExchange, branch: Branch) -> None:
    in_order = {"spand": dict.fromkeys(("realtime_refused", "memory_not_locked", "ring_refused"), 0.0)
                | {"late_ticks": 3, "tick_ms_p999": 4.2, "slips": 0},
                "recordd": {"lost_s": 0.0, "failing": 0, "lag_ticks": 120}}
    branch.figures = in_order
    exchange.tell()
    page = client.get("/").text
    assert "blocks of audio more than 10 ms late: 3\n" in page
    assert "4.2" in page
    assert 'class="notice"' not in page
    branch.figures = in_order | {"spand": {"realtime_refused": 1}, "recordd": {"lost_s": 0.01}}
    exchange.tell()
    page = client.get("/").text
    for words in ("no real-time priority", "Audio was lost before it was recorded"):
        assert page.count(words) == 1, words
    assert page.count('class="notice"') == 2


def put_away(client: FlaskClient, figure: str) -> None:
    """Press the button of a notice, as the page has it."""
    path = re.search(rf'form="seen" formaction="(/seen/{figure}/[^"]+)"', client.get("/").text)
    assert path
    assert client.post(path[1]).status_code == 400               # without the form's token
    answer = client.post(path[1], data={"csrf_token": token(client, "/")})
    assert (answer.status_code, answer.location) == (303, "/")


def test_a_notice_of_a_counter_is_put_away_until_it_counts_on_or_anew(
        client: FlaskClient, exchange: FakeExchange, branch: Branch, settings: Settings, users: Users,
        tmp_path: Path) -> None:
    lost, failed, no_priority = "Audio was lost before", "audio engine failed", "no real-time priority"

    def said(lost_s: float, failures: int, browser: FlaskClient = client) -> set[str]:
        branch.figures = {"spand": {"failures": failures, "realtime_refused": 1},
                          "recordd": {"lost_s": lost_s}}
        exchange.tell()
        page = browser.get("/").text
        assert 'formaction="/seen/realtime' not in page          # it goes by itself
        return {words for words in (lost, failed, no_priority) if words in page}

    assert said(1.2300000000000002, 101) == {lost, failed, no_priority}
    put_away(client, "lost_s")
    assert said(1.2300000000000002, 101) == {failed, no_priority}
    put_away(client, "failures")
    assert said(1.2300000000000002, 101) == {no_priority}
    assert said(1.24, 101) == {lost, no_priority}
    put_away(client, "lost_s")
    assert said(1.24, 101) == {no_priority}

    again = create_app(exchange, users, Seen(tmp_path / "seen.sqlite"), settings).test_client()
    assert post(again, "/login", name=NAME, password=PASSWORD).status_code == 303
    assert said(1.24, 101, again) == {no_priority}               # webui has started anew
    branch.began_at += 60.0
    assert said(0.0, 101) == {failed, no_priority}               # spand has, and has failed as often again
    with client.get("/events", buffered=False) as answer:
        assert failed in message(answer)["health"]


@pytest.mark.parametrize("path", [
    "realtime_refused/1.0/1.0", "nothing/1.0/1.0", "failures/nan/1.0", "failures/1.0"])
def test_only_notices_of_counters_are_put_away(client: FlaskClient, path: str) -> None:
    assert client.post(f"/seen/{path}", data={"csrf_token": token(client, "/")}).status_code == 404


def test_a_damaged_file_of_what_was_seen_is_named(tmp_path: Path) -> None:
    (tmp_path / "seen.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(Unavailable, match=r"seen\.sqlite: cannot be used .*remove it"):
        Seen(tmp_path / "seen.sqlite")


def test_who_is_away_is_said_and_the_last_state_stays(client: FlaskClient, exchange: FakeExchange) -> None:
    exchange.mirror.check(time.monotonic() + 60.0)
    page = client.get("/").text
    assert "cannot be reached at this moment" in page
    assert page.count("not current") >= 5
    assert "13800138000" in page
    assert (client.get("/healthz").status_code, client.get("/healthz").text) == (503, "no bus\n")


def test_a_stream_sends_only_what_changed(
        client: FlaskClient, exchange: FakeExchange, branch: Branch) -> None:
    with client.get("/events", buffered=False) as answer:
        first = message(answer)
        assert {"figures", "span-telco", "span-pbx", "contacts", "queues", "agents", "health"} <= first.keys()
        branch.contacts["new"] = live("new", "flow", 1.0, calling="17700001111")
        exchange.tell()
        changed = message(answer)
        assert "17700001111" in changed["contacts"]
        assert changed.keys() <= {"contacts", "figures", "health"}


def test_who_asks_for_lines_is_sent_the_new_ones(
        client: FlaskClient, exchange: FakeExchange, branch: Branch) -> None:
    with client.get("/events?lines=1", buffered=False) as answer:
        first = sent(answer)
        branch.contacts["new"] = live("new", "flow", 1.0, calling="17700001111")
        exchange.tell()
        changed = sent(answer)["contacts"]
        assert isinstance(changed, list)
        assert len(json.dumps(changed)) < len(first["contacts"]) / 4
        assert "17700001111" in delta.whole(first["contacts"], changed)


def test_streams_are_bounded_and_freed(app: Flask, client: FlaskClient) -> None:
    slots = shared(app).streams
    for _ in range(STREAMS - 1):
        assert slots.acquire(blocking=False)
    with client.get("/events", buffered=False) as answer:
        assert answer.status_code == 200
        assert client.get("/events").status_code == 503
    assert client.head("/events").status_code == 200
    with client.get("/events", buffered=False) as answer:
        assert message(answer)


def test_a_stream_ends_when_its_session_does(
        app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webui.live_page, "LOOK_S", 0.0)
    with client.get("/events", buffered=False) as answer:
        message(answer)
        leaving = app.test_client()
        cookie = client.get_cookie("branchline")
        assert cookie
        leaving.set_cookie("branchline", cookie.value)
        assert leaving.post("/logout", data={"csrf_token": token(leaving, "/")}).status_code == 303
        assert list(answer.response) == []


def test_a_stream_ends_with_the_server(client: FlaskClient, exchange: FakeExchange) -> None:
    with client.get("/events", buffered=False) as answer:
        message(answer)
        exchange.mirror.close()
        assert list(answer.response) == []


EVIL = "\"><img src=x onerror=alert(1)>'</script><!--\u202e\x00\r\n{{ 7 * 7 }}"


def test_nothing_that_a_far_end_sends_becomes_html(
        client: FlaskClient, exchange: FakeExchange, branch: Branch) -> None:
    """Text of every message, not only what today's Q.931 lets through."""
    fields = ("calling", "called", "queue", "agent", "outcome", "ended_by", "digits")
    for name, one in branch.contacts.items():
        segments = [replace(segment, kind=EVIL, detail=EVIL, agent=EVIL) for segment in one.segments]
        branch.contacts[name] = replace(one, segments=segments, **dict.fromkeys(fields, EVIL))
    branch.calls = [replace(call, calling=EVIL, called=EVIL) for call in branch.calls]
    branch.agents = [replace(agent, name=EVIL, extension=EVIL, reason=EVIL) for agent in branch.agents]
    branch.queues = [replace(queue, name=EVIL) for queue in branch.queues]
    exchange.tell()
    texts = [client.get(page).text for page in ("/", "/contacts/", "/contacts/c1", "/contacts/e1")]
    for stream in ("/events", "/contacts/events", "/contacts/c1/events"):
        with client.get(stream, buffered=False) as answer:
            texts += message(answer).values()
    for text in texts:
        assert not re.search(r"<img src=x|</script><!--|>49<", text)
    assert sum("&lt;img src=x" in text for text in texts) > 6


def test_contacts_come_newest_first_in_pages(
        client: FlaskClient, exchange: FakeExchange, branch: Branch) -> None:
    now = time.time()
    branch.contacts = {
        f"n{order}": contact(f"n{order}", called=f"70{order:03d}", began_at=now - order, ended_at=now)
        for order in range(120)}
    first, third = client.get("/contacts/").text, client.get("/contacts/?page=3").text
    assert first.index("70000") < first.index("70049")
    assert "70050" not in first
    assert "Page 3 of 3" in third
    assert "70119" in third
    assert 'href="/contacts/?page=2"' in third
    assert GetContacts(offset=100, limit=50) in branch.asked
    assert "This page is empty." in client.get("/contacts/?page=9").text
    assert client.get("/contacts/?page=0").status_code == 404


def test_the_first_page_of_contacts_is_live(
        client: FlaskClient, exchange: FakeExchange, branch: Branch) -> None:
    with client.get("/contacts/events", buffered=False) as answer:
        assert "17700001111" not in message(answer)["rows"]
        branch.contacts["new"] = live("new", "flow", 1.0, calling="17700001111")
        exchange.tell()
        assert "17700001111" in message(answer)["rows"]


def test_a_contact_has_its_facts_course_and_player(client: FlaskClient) -> None:
    page = client.get("/contacts/e1").text
    for words in ("16 · Normal call clearing", "Digits chosen", "0:22", "<branchline-player"):
        assert words in page, words
    assert "data-events" not in page
    assert "data-events" in client.get("/contacts/c1").text
    for missing in ("nobody", "x" * 65, "%00", "..%2fc1"):
        assert client.get(f"/contacts/{missing}").status_code == 404


KINDS = ["flow", "callback", "queue", "ring", "dial", "talk", "hold", "consult", "conference", "transfer",
         "park", "forward", "outside", "message", "survey"]


@pytest.mark.need(7)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_stretch_of_a_contact_has_its_lane_its_word_and_its_recording(
        client: FlaskClient, branch: Branch, language: str) -> None:
    began = time.time() - 200.0
    recordings = {KINDS.index(kind): f"{place:032x}" for place, kind in enumerate(("talk", "conference"))}
    branch.contacts["e1"] = contact("e1", began_at=began, ended_at=began + 150.0, segments=[
        SegmentInfo(kind=kind, began_at=began + 10.0 * place, ended_at=began + 10.0 * (place + 1),
                    agent="anna", recording=recordings.get(place, "")) for place, kind in enumerate(KINDS)])
    client.post("/language", data={"language": language, "csrf_token": token(client, "/")})
    page = client.get("/contacts/e1").text
    lanes = re.findall(r'class="bar" data-kind="([a-z]+)"[^>]* x="([0-9.]+)%" y="5" width="([0-9.]+)%"', page)
    assert [kind for kind, _, _ in lanes] == KINDS
    assert [(round(float(left) * 1.5), round(float(width) * 1.5)) for _, left, width in lanes] == [
        (10 * place, 10) for place in range(len(KINDS))]
    words = re.findall(r'<span class="kind">([^<]+)</span>', page)
    assert len(set(words)) == len(KINDS)
    assert not set(words) & set(KINDS)            # each has a word, none is shown as it is on the bus
    assert all(not re.search("[a-zA-Z]", word) for word in words) == (language == "zh")
    assert [f"/recordings/{name}" in page for name in recordings.values()] == [True, True]


def test_a_contacts_page_says_by_which_rule_it_came_and_what_came_of_it(
        client: FlaskClient, branch: Branch) -> None:
    at = time.time()
    branch.facts["e1"] = ContactFacts(
        rule="important", why="caller 13800138000 is in list vip", note="speaks <b> slowly",
        tags=["vip", "complaint"], dispositions=[
            Disposition(at=at, by="anna", code="sold", note="two"), Disposition(at=at, by="", code="later")])
    page = " ".join(re.sub(r"<[^>]+>", " ", client.get("/contacts/e1").text).split())
    for words in ("Entry · important caller 13800138000 is in list vip", "speaks &lt;b&gt; slowly",
                  "Tags vip complaint", "Result · anna", "sold · two", "Result · the command line"):
        assert words in page, words
    assert "How it was served" not in client.get("/contacts/e2").text


def test_a_contact_is_followed_to_its_end(
        client: FlaskClient, exchange: FakeExchange, branch: Branch) -> None:
    with client.get("/contacts/c6/events", buffered=False) as answer:
        assert "In menu" in message(answer)["contact"]
        branch.contacts["c6"] = contact("c6", outcome="abandoned")
        exchange.mirror.hear(Board(at=time.time(), contacts=[], queues=[], agents=[]), time.monotonic())
        said: dict[str, str] = {}
        while "data-ended" not in said.get("signalling", ""):
            said |= message(answer)
        assert "Abandoned" in said["contact"]


def test_without_acdd_the_list_says_so_and_a_contact_is_503(
        client: FlaskClient, exchange: FakeExchange) -> None:
    exchange.silent.add("acdd")
    answer = client.get("/contacts/")
    assert (answer.status_code, "does not answer" in answer.text) == (200, True)
    gone = client.get("/contacts/e1")
    assert (gone.status_code, "acdd is not there" in gone.text) == (503, True)
    assert client.get("/contacts/c1").status_code == 200                 # live: the board knows it


def test_a_trace_is_a_capture_file(client: FlaskClient, exchange: FakeExchange) -> None:
    answer = client.get("/spans/telco/trace.pcap")
    assert answer.data.startswith(pcap.FILE_HEADER)
    assert b"5001" in answer.data
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=telco-")
    assert client.get("/spans/nowhere/trace.pcap").status_code == 404
    both = client.get("/contacts/e1/trace.pcap")
    assert both.data.startswith(pcap.FILE_HEADER) and both.data.count(b"13800138000") == 4
    exchange.silent.add("trunkd")
    for path in ("/spans/telco/trace.pcap", "/contacts/e1/trace.pcap"):
        assert client.get(path).status_code == 503


def rows_of(page: str) -> list[str]:
    """The ladder's rows as text."""
    body = page[page.index('id="signalling"'):].partition("<tbody>")[2].partition("</tbody>")[0]
    return [" ".join(re.sub(r"<svg.*?</svg>|<[^>]+>", " ", row, flags=re.S).split())
            for row in body.split("</tr>")[:-1]]


def test_a_contacts_page_has_the_ladder_of_all_its_calls(client: FlaskClient) -> None:
    page = client.get("/contacts/e1").text
    rows = rows_of(page)
    setups = [row for row in rows if "SETUP" in row.split("from")[0]]
    assert len(setups) == 4                       # of caller and agent, each once more by layer 2
    assert "from telco to This box" in setups[0] and "channel 17 exclusive" in setups[0]
    assert "sent again by layer 2" in setups[1]
    assert any("from This box to pbx" in row and "anna" in row for row in setups)
    assert any("DISCONNECT" in row and "cause 16 Normal call clearing" in row for row in rows)
    assert any("SABME command P=1" in row for row in rows)
    times = [row.split()[0] for row in rows]
    assert times == sorted(times)
    assert "Anna &lt;b&gt;" in page and "Anna <b>" not in page           # a far end writes no HTML
    assert 'data-ended' in page and 'data-events' not in page


def test_what_is_not_kept_or_not_to_be_had_is_said(client: FlaskClient, exchange: FakeExchange) -> None:
    assert "No signalling is kept of this contact." in client.get("/contacts/e2").text
    exchange.silent.add("trunkd")
    for page in ("/contacts/e1", "/spans/telco"):
        assert "The signalling cannot be had at this moment." in client.get(page).text


def test_a_live_contact_listens_until_its_calls_are_over(
        client: FlaskClient, exchange: FakeExchange, branch: Branch) -> None:
    [kept] = branch.traces["l1"]
    branch.traces["l1"] = [replace(kept, call=replace(kept.call, state="clearing"))]
    assert "data-ended" not in client.get("/contacts/e1").text
    with client.get("/contacts/e1/events", buffered=False) as answer:
        assert "data-ended" not in message(answer)["signalling"]
        branch.traces["l1"] = [kept]
        assert "data-ended" in message(answer)["signalling"]


def test_a_contacts_page_says_what_the_lines_told(client: FlaskClient, branch: Branch) -> None:
    now = time.time()
    caller = ContactLeg(leg="l1", party="caller", at=now)
    agent = ContactLeg(leg="l2", party="agent", at=now, agent="anna")
    branch.facts["e1"] = ContactFacts(
        calling_name="Li <b>", diversion=Diversion(number="02165001000", reason=1),
        parties=[ContactParty(leg=agent, at=now, why="answered", number="8001"),
                 ContactParty(leg=caller, at=now, why="transferred", name="Wang", answered=False)],
        charges=[ContactCharge(leg=caller, at=now, charge=Charge(
                     amount_thousandths=1250, currency="CNY", final=True, billing="reverseCharging")),
                 ContactCharge(leg=agent, at=now, charge=Charge(units=1))],
        traces=[CallerTrace(at=now, by="telephone", done=False, why="not subscribed"),
                CallerTrace(at=now, by="anna"), CallerTrace(at=now, by="", done=True)])
    page = " ".join(re.sub(r"<[^>]+>", " ", client.get("/contacts/e1").text).split())
    for words in (
            "Caller's name Li &lt;b&gt;", "Diverted from 02165001000 · when busy",
            "Answered by · anna", "8001", "Transferred to · Caller", "Wang · rings", "1.25 CNY",
            "paid by the called party", "Charge so far · anna", "1 unit", "Malicious call · a telephone",
            "not registered · not subscribed", "asked, no answer yet", "the command line",
            "caller registered"):
        assert words in page, words
    assert "What the lines told" not in client.get("/contacts/e2").text
    branch.facts["e1"] = ContactFacts(diversion=Diversion(number=""))
    assert "withheld · for a reason not told" in client.get("/contacts/e1").text


def test_a_number_that_is_withheld_is_not_one_that_was_not_given(client: FlaskClient, branch: Branch) -> None:
    branch.contacts["e1"] = contact("e1", calling="", withheld=True)
    branch.contacts["e4"] = contact("e4", calling="8001", withheld=True)
    for path, words in (("/contacts/e1", "withheld by the caller"), ("/contacts/e2", "not given by the line"),
                        ("/contacts/e4", "8001 · hidden from others"), ("/contacts/", "withheld"),
                        ("/contacts/", "no number")):
        assert words in client.get(path).text, path


def test_the_caller_of_a_live_contact_can_be_traced(client: FlaskClient, branch: Branch) -> None:
    assert "Have the caller registered" in client.get("/contacts/c2").text
    for over in ("e1", "c7"):                     # ended, or it went out
        assert "Have the caller registered" not in client.get(f"/contacts/{over}").text
    form = {"csrf_token": token(client, "/contacts/c2")}
    answer = client.post("/contacts/c2/trace-caller", data=form)
    assert (answer.status_code, answer.location) == (303, "/contacts/c2")
    assert branch.asked[-1] == TraceCaller(name="c2", by=NAME)
    refused = client.post("/contacts/e1/trace-caller", data=form)
    assert (refused.status_code, "This cannot be done" in refused.text) == (409, True)
    assert client.post("/contacts/nobody/trace-caller", data=form).status_code == 404


def test_a_spans_page_shows_its_d_channel_with_upkeep_folded(client: FlaskClient) -> None:
    rows = rows_of(client.get("/spans/telco").text)
    assert sum("1 of upkeep" in row for row in rows) > 5
    assert any("CONNECT from This box to telco" in row and "connected 8001" in row for row in rows)


def test_a_span_says_its_alarms_and_what_it_cannot_tell(
        client: FlaskClient, exchange: FakeExchange, branch: Branch) -> None:
    branch.alarms = {"telco": ["ais"]}
    exchange.tell()
    page = client.get("/spans/telco").text
    for words in ("alarm from upstream", "Carries no calls", "the box follows it", "HDB3 code violations"):
        assert words in page, words
    assert "360000" in page
    assert re.search(r"<td>telco</td><td>24 hours</td>.*?>9</td>.*?>418.1</td>.*?more than a good line", page)
    assert re.findall(r'class="bar" data-worst="(\w+)" x="9', page) == [
        "uas", "ses", "es", "es", "bbe", "bbe",   # of three quarters, at the end of the day
        "uas", "ses", "es", "bbe"]                # of one day
    assert client.get("/spans/nowhere").status_code == 404
    exchange.silent.add("boxd")
    assert "boxd, which keeps the history" in client.get("/spans/telco").text


@pytest.mark.parametrize(("liu", "level", "pair"), [
    (None, "cannot tell", "cannot tell"),
    ((-4, []), "-4 dB", "in order"),
    ((-14, ["short"]), "-14 dB (weak)", "shorted: wires touch"),
    ((None, ["open"]), "no signal", "open: no current flows"),
])
def test_a_span_says_what_its_line_interface_finds(
        client: FlaskClient, exchange: FakeExchange, branch: Branch, liu: tuple[int | None, list[str]] | None,
        level: str, pair: str) -> None:
    branch.liu = {"telco": liu} if liu else {}
    exchange.tell()
    page = client.get("/spans/telco").text
    shown = {key: re.sub("<[^>]*>", "", found) for key, found in re.findall(
        '<dd data-key="(level|pair)">(.*?)</dd>', page)}
    assert shown == {"level": level, "pair": pair}


def test_texts_from_the_line_stay_texts(client: FlaskClient, exchange: FakeExchange, branch: Branch) -> None:
    branch.contacts["x"] = live("x", "flow", 1.0, calling="<script>alert(1)</script>", queue="<b>")
    exchange.tell()
    for page in ("/", "/contacts/", "/contacts/x"):
        assert "<script>alert" not in client.get(page).text


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/no-such-page", 404), ("DELETE", "/", 405), ("GET", "/contacts", 308), ("GET", "/healthz", 200)])
def test_plain_answers(client: FlaskClient, method: str, path: str, status: int) -> None:
    assert client.open(path, method=method).status_code == status


def test_a_mistake_of_ours_is_a_page_and_a_line_in_the_log(
        client: FlaskClient, exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("on purpose")
    monkeypatch.setattr(exchange, "ask", fail)
    answer = client.get("/contacts/")
    assert answer.status_code == 500
    assert "The box made a mistake" in answer.text
    assert "on purpose" not in answer.text
    assert "GET /contacts/" in caplog.text


def test_a_constants_word_is_in_the_language_of_each_reader(app: Flask) -> None:
    template = app.jinja_env.from_string('{{ "drained" | word("begin") }}')
    with app.test_request_context(headers={"Cookie": "language=zh"}):
        chinese = template.render()
    with app.test_request_context(headers={"Cookie": "language=en"}):
        assert template.render() != chinese
