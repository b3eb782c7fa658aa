"""The first run on its pages, with boxd's own keeper of the document behind them."""

import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient

from appliance.bus.messages import (
    CallInfo,
    ChangeDocument,
    ChannelStates,
    DocumentState,
    KeySet,
    ProvisionReply,
)
from tests.webui.access.people import Staff
from tests.webui.configuration.kept import Kept
from tests.webui.conftest import NAME, PASSWORD, FakeExchange, token
from tests.webui.first.conftest import DOCUMENT, Line
from webui.access.audit import Asked
from webui.first import settings, steps
from webui.first.kept import CameIn, FirstRun, Told
from webui.first.said import said
from webui.parts import Settings
from webui.users import Users

PAGES = ("language", "network", "time", "lines", "numbers", "people", "call", "done", "summary")


def send(client: FlaskClient, path: str, **form: object) -> Any:
    """With the hidden fields of the form, unless `form` has others."""
    return client.post(path, data={
        **hidden(client, path), **form, "csrf_token": token(client, "/first/lines")})


def hidden(client: FlaskClient, path: str) -> dict[str, str]:
    if path not in ("/first/numbers", "/first/people"):
        return {}
    return dict(re.findall(r'<input type="hidden" name="((?:head|count|was-\d+))" value="([^"]*)">',
                           client.get(path).text))


def as_a_browser(client: FlaskClient, path: str) -> dict[str, str]:
    """The fields of the form of a page that nobody has touched, as a browser sends them."""
    page = client.get(path).text
    form = dict(re.findall(r'<input (?:type="hidden" )?name="([^"]+)" value="([^"]*)"', page))
    for name, options in re.findall(r'<select name="([^"]+)".*?>(<option.*?)</select>', page):
        chosen = re.search(r'<option value="([^"]*)" selected>', options)
        if (found := chosen or re.search(r'<option value="([^"]*)"', options)) is not None:
            form[name] = found[1]
    return form


def written(kept: Kept) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(kept.document.read_text())
    return found


def call(state: str = "answered", **facts: Any) -> CallInfo:
    given: dict[str, Any] = {
        "leg": "a", "trunk": "telco", "span": "telco", "timeslot": 4, "inbound": True, "state": state,
        "called": "5001", "calling": "138<b>", "calling_name": "", "complete": True, "since": time.time(),
        "began_at": time.time(), "answered": state == "answered"}
    return CallInfo(**given | facts)


# --- what is kept


def test_what_is_kept_is_there_after_a_restart_and_nothing_else_is(tmp_path: Path) -> None:
    path = tmp_path / "first-run.json"
    first = FirstRun(path)
    first.came_in(CameIn(at=1.0, trunk="t", called="1", calling="2"))
    assert not path.exists() and not first.told.open         # nobody has begun it
    first.begin(10.0, "li")
    first.begin(11.0, "wu")
    first.passed("people", "skipped")
    first.came_in(CameIn(at=12.0, trunk="t", called="1", calling="2"))
    first.came_in(CameIn(at=11.5, trunk="t", called="older", calling="2"))
    again = FirstRun(path).told
    assert (again.began_at, again.by, again.passed) == (10.0, "li", {"people": "skipped"})
    assert again.came_in is not None and again.came_in.called == "1"
    first.passed("people", "")
    first.end(20.0)
    assert FirstRun(path).told == Told(began_at=10.0, by="li", ended_at=20.0, came_in=again.came_in)
    first.begin(30.0, "wu")                       # anew
    assert FirstRun(path).told == Told(began_at=30.0, by="wu")


@pytest.mark.parametrize("octets", [b"", b"{", b"[]", b'{"began_at": "x"}', b" " * 70_000, b"\xff"])
def test_a_file_that_cannot_be_read_is_as_good_as_none(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "first-run.json"
    path.write_bytes(octets)
    first = FirstRun(path)
    assert first.told == Told()
    first.begin(1.0, "li")
    assert FirstRun(path).told.open


def test_a_disk_that_refuses_changes_nothing(tmp_path: Path) -> None:
    first = FirstRun(tmp_path / "not there" / "first-run.json")
    with pytest.raises(OSError):
        first.begin(1.0, "li")
    assert first.told == Told()


# --- what steps are done


def test_steps_are_done_by_what_the_box_shows() -> None:
    told = Told(began_at=1.0, passed={"language": "agreed", "people": "skipped", "numbers": "agreed"})
    seen = steps.Seen(network=None, clock=False, links={"a": True, "b": True}, waits=False, numbers=1,
                      people=0)
    states = {one.step: one.state for one in steps.standings(seen, told)}
    assert states == {"language": "done", "admin": "done", "network": "done", "time": "todo", "lines": "done",
                      "numbers": "done", "people": "skipped", "call": "todo", "done": "todo"}
    assert steps.current(steps.standings(seen, told)) == "time"
    on_trial = steps.Seen(None, True, {"a": True}, True, 0, 1)
    states = {one.step: one.state for one in steps.standings(on_trial, told)}
    assert (states["lines"], states["numbers"], states["people"]) == ("todo", "todo", "skipped")
    assert {one.state for one in steps.standings(steps.Seen(False, True, {}, False, 0, 0), Told())
            if one.step in ("network", "lines")} == {"todo"}
    walked = ["language"]
    while (further := steps.after(walked[-1])) != walked[-1]:
        assert steps.before(further) == walked[-1]
        walked.append(further)
    assert tuple(walked) == steps.PAGES


# --- forms


def sets(found: list[Any]) -> dict[str, Any]:
    return {one.key: None if one.value is None else yaml.safe_load(one.value) for one in found}


def test_only_what_differs_of_a_line_is_set() -> None:
    found = settings.spans(yaml.safe_load(DOCUMENT))
    assert [span.crc4 for span in found] == ["off", ""]
    same = {"side-telco": "network", "profile-telco": "etsi", "timeslots-telco": "1-31",
            "numbers-telco": "en-bloc", "crc4-telco": "off"}
    assert settings.span_sets(found, same) == []
    other = same | {"side-telco": "user", "profile-telco": "china", "timeslots-telco": "1-15",
                    "numbers-telco": "overlap", "crc4-telco": "on"}
    assert sets(settings.span_sets(found, other)) == {
        "spans.telco.side": "user", "spans.telco.profile": "china", "spans.telco.timeslots": "1-15",
        "spans.telco.overlap": True, "spans.telco.url": "virtual:/x/b?framing=g704&crc4=on"}
    for wrong in ({"side-telco": "both"}, {"profile-telco": "dss2"}, {"crc4-telco": "perhaps"}):
        with pytest.raises(ValueError):
            settings.span_sets(found, same | wrong)


def test_numbers_are_changed_emptied_and_added() -> None:
    document = yaml.safe_load(DOCUMENT)
    rows = {"called-0": "", "trunk-1": "telco", "called-1": " 6288*", "flow-1": "main.yaml", "called-2": ""}
    assert sets(settings.number_sets(document, rows)) == {
        "centre.inbound[0]": None,
        "centre.inbound[+]": {"trunk": "telco", "called": "6288*", "flow": "main.yaml"}}
    assert sets(settings.number_sets(document, {"called-0": "5002", "trunk-0": "telco"})) == {
        "centre.inbound[0].called": "5002"}
    out = {"out-trunk": "office", "out-to": "telco", "out-prefix": "9", "out-shown": "62881000"}
    assert sets(settings.number_sets(document, out)) == {
        "centre.outbound": [{"trunk": "office", "called": "9([0-9]{3,})", "to": "telco",
                             "calling": "62881000"}],
        "trunks": [{"name": "telco", "caller_id": {"default": "62881000"}}]}
    document["centre"]["outbound"] = [{"trunk": "office", "called": "0([0-9]+)", "to": "telco"}]
    document["trunks"] = [{"name": "telco", "caller_id": {"default": "1"}}]
    assert sets(settings.number_sets(document, out)) == {"trunks.telco.caller_id.default": "62881000"}
    with pytest.raises(ValueError, match="prefix"):
        settings.number_sets(yaml.safe_load(DOCUMENT), out | {"out-prefix": ".*"})


def test_people_come_with_their_queue() -> None:
    document = yaml.safe_load(DOCUMENT)
    rows = {"was-0": "zhang", "extension-0": "802",
            "name-1": "li", "extension-1": "803", "trunk-1": "office", "queue-1": "sales",
            "name-2": "wu", "extension-2": "804", "trunk-2": "office", "queue-2": ""}
    assert settings.people_sets(document, rows)[1].key == "centre.agents[+]"
    assert sets(settings.people_sets(document, rows))["centre.queues.sales.agents"] == ["zhang", "li"]
    assert sets(settings.people_sets(document, rows))["centre.agents.zhang.extension"] == "802"
    assert settings.people_sets(document, {"was-0": "li", "extension-0": "809"}) == []       # who went
    emptied = {"was-0": "zhang", "extension-0": "", "trunk-0": "office"}
    assert sets(settings.people_sets(document, emptied)) == {
        "centre.agents.zhang.extension": None, "centre.agents.zhang.trunk": None}
    assert sets(settings.people_sets({}, {"name-0": "li", "extension-0": "", "trunk-0": "t"})) == {
        "centre.agents": [{"name": "li"}]}        # without a telephone
    many = {"centre": {"agents": [{"name": f"a{place}"} for place in range(300)]}}
    assert sets(settings.people_sets(many, {"name-300": "li", "extension-300": "1", "trunk-300": "t"})) == {
        "centre.agents[+]": {"name": "li", "extension": "1", "trunk": "t"}}
    assert sets(settings.people_sets({}, {"name-0": "li", "extension-0": "1", "trunk-0": "t"})) == {
        "centre.agents": [{"name": "li", "extension": "1", "trunk": "t"}]}


# --- pages


@pytest.mark.need(15)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_step_has_its_page(client: FlaskClient, kept: Kept, line: Line, language: str) -> None:
    client.set_cookie("language", language)
    for page in PAGES:
        text = client.get(f"/first/{page}").text
        assert "first run" in text.lower() or "首次开通" in text or "开通单" in text, page
    assert client.get("/first/admin").status_code == client.get("/first/admin/events").status_code == 404
    text = client.get("/first/lines").text
    assert "17-31" in text and "of a later version" in text
    assert ("asked and answered" if language == "en" else "已询问并得到应答") in text
    assert '<option value="user" selected>' in text          # of the line that was detected
    assert client.get("/first/address.svg").mimetype == "image/svg+xml"


def test_lines_are_set_on_trial_and_kept(client: FlaskClient, kept: Kept, exchange: FakeExchange) -> None:
    assert send(client, "/first/lines", **{
        "side-telco": "user", "profile-telco": "china", "timeslots-telco": "1-31", "numbers-telco": "en-bloc",
        "crc4-telco": "on"}).status_code == 303
    assert written(kept)["spans"][0]["side"] == "user" and "# the telephone" in kept.document.read_text()
    state = exchange.mirror.floor.document
    assert isinstance(state, DocumentState) and state.waiting == 2 and state.until > time.time() + 100
    assert "Keep these settings" in client.get("/first/lines").text
    refused = send(client, "/first/numbers", **{"called-0": "5002"})
    assert refused.status_code == 409 and "waits to be confirmed" in refused.text
    assert 'value="5002"' in refused.text         # what was typed is not lost
    assert send(client, "/first/lines/keep").location == "/first/numbers"
    assert send(client, "/first/lines/keep").status_code == 409
    assert send(client, "/first/lines", **{"side-telco": "x"}).status_code == 400
    send(client, "/first/lines", **{
        "side-telco": "network", "profile-telco": "china", "timeslots-telco": "1-31",
        "numbers-telco": "en-bloc", "crc4-telco": "on"})
    assert send(client, "/first/lines/back").location == "/first/lines"
    assert written(kept)["spans"][0]["side"] == "user"


def test_numbers_and_people_go_into_the_document_or_say_why_not(client: FlaskClient, kept: Kept) -> None:
    assert send(client, "/first/numbers", **{
        "called-0": "5001", "trunk-0": "telco", "flow-0": "main.yaml", "called-1": "62881000",
        "trunk-1": "telco", "flow-1": "main.yaml"}).location == "/first/people"
    assert [one["called"] for one in written(kept)["centre"]["inbound"]] == ["5001", "62881000"]
    wrong = send(client, "/first/people", **{"name-1": "Mr Li", "extension-1": "802", "trunk-1": "office"})
    assert wrong.status_code == 409 and "Mr Li" in wrong.text and len(written(kept)["centre"]["agents"]) == 1
    assert send(client, "/first/people", **{
        "name-1": "li", "extension-1": "802", "trunk-1": "office", "queue-1": "sales"}
        ).location == "/first/call"
    assert written(kept)["centre"]["queues"][0]["agents"] == ["zhang", "li"]
    assert "62881000" in client.get("/first/summary").text


def test_a_form_that_nobody_has_touched_changes_nothing(client: FlaskClient, kept: Kept) -> None:
    kept.ask(ChangeDocument(by="wu", sets=[
        KeySet(key="spans.telco.side", value="user"), KeySet(key="centre.inbound[0].trunk", value="office"),
        KeySet(key="centre.agents.zhang.trunk", value="telco"),
        KeySet(key="centre.agents[+]", value="{name: emil, starts: logged-out}")], comment="x"))
    before = kept.document.read_text()
    for step, page in (("numbers", "people"), ("people", "call")):
        form = as_a_browser(client, f"/first/{step}")
        assert form["trunk-0"] == {"numbers": "office", "people": "telco"}[step]
        assert send(client, f"/first/{step}", **form).location == f"/first/{page}"
        assert kept.document.read_text() == before, step
    assert form["trunk-1"] == "" and form["trunk-2"] == "office"


def test_a_form_made_from_an_older_version_is_refused_and_shows_the_newest(
        client: FlaskClient, kept: Kept) -> None:
    form = as_a_browser(client, "/first/people") | {
        "name-1": "li", "extension-1": "803", "extension-0": "899"}
    numbers = as_a_browser(client, "/first/numbers") | {"called-0": "5009"}
    kept.ask(ChangeDocument(by="wu", sets=[
        KeySet(key="centre.agents", value="[{name: wang, extension: '810', trunk: office},"
                                          " {name: zhang, extension: '801', trunk: office}]"),
        KeySet(key="centre.inbound[0].called", value="'5002'")], comment="x"))
    before = kept.document.read_text()
    refused = send(client, "/first/people", **form)
    assert refused.status_code == 409 and "Meanwhile there is version 2" in refused.text
    assert 'value="810"' in refused.text and "899" not in refused.text    # of rows as they are now
    assert re.search(r'name="name-2" value="li"', refused.text)           # what was new is not lost
    assert 'name="extension-2" value="803"' in refused.text and 'name="head" value="2"' in refused.text
    refused = send(client, "/first/numbers", **numbers)
    assert refused.status_code == 409 and 'value="5002"' in refused.text and "5009" not in refused.text
    assert kept.document.read_text() == before


def test_nothing_is_read_out_of_a_form_while_the_document_is_not_known(
        client: FlaskClient, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    form = as_a_browser(client, "/first/people") | {"name-1": "li", "extension-1": "803"}
    monkeypatch.setattr(client.application.extensions["first_run"].box, "newest", lambda: (0, {}))
    assert send(client, "/first/people", **form | {"head": "0"}).status_code == 503


def test_what_waits_is_kept_by_a_form_of_the_page(client: FlaskClient, kept: Kept) -> None:
    page = client.get("/first/lines").text
    assert '<form method="post" id="decide"><input type="hidden" name="csrf_token"' in page
    send(client, "/first/lines", **{
        "side-telco": "user", "profile-telco": "etsi", "timeslots-telco": "1-31", "numbers-telco": "en-bloc",
        "crc4-telco": "off"})
    found = client.get("/first/lines").text
    shared = found[found.index('id="line-next"'):found.index('id="pass"')]
    assert 'form="decide" formaction="/first/lines/keep"' in shared and "csrf" not in shared.split("<form")[0]


def test_a_disk_that_takes_nothing_down_is_said(client: FlaskClient, kept: Kept, settings: Settings,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    client.get("/first/")

    def full(told: Told) -> None:
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(client.application.extensions["first_run"].kept, "_keep", full)
    for path in ("numbers/pass", "language", "done"):
        answer = send(client, f"/first/{path}", how="skipped", language="en")
        assert answer.status_code == 503 and "No space left on device" in answer.text, path
    form = as_a_browser(client, "/first/numbers")
    assert send(client, "/first/numbers", **form | {"called-0": "5002"}).status_code == 503
    assert written(kept)["centre"]["inbound"][0]["called"] == "5002"      # the box was told


def test_the_log_has_whom_the_box_called(app: Flask, client: FlaskClient, kept: Kept) -> None:
    send(client, "/first/call", number="13800138000", trunk="telco")
    send(client, "/first/call", number="13800138000", trunk="nowhere")
    found = [(one.what, one.outcome) for one in app.extensions["branchline"].audit.entries(
        Asked(acts=("test_call",)), 10)]
    assert sorted(found) == [("nowhere 13800138000", "refused (422)"), ("telco 13800138000", "")]
    for thread in threading.enumerate():
        if thread.name == "test call":            # it waits for what comes of it
            thread.join()
    assert "It was not answered in 30 s." in client.get("/first/call").text


@pytest.mark.parametrize("text", [
    "prefix '.*'", "110: is not a number that a test may call", "ended with cause 17 before it was answered",
    "was not answered in 30 s", "was answered, but nothing louder than -60 dBm0 was heard",
    "was answered, but nothing louder than -60 dBm0 was heard, and the other end hung up",
    "no trunk 'x', there are telco", "spand does not give the line away", "the line was taken back: it ended",
    "the process of the test ended with -9", "the process of the test says what is no JSON",
    "span telco is under test already", "4 lines are under test: wait until one has ended",
    "PlaceTestCall: acdd is not there", "extension and trunk go together: give both or none"])
def test_what_is_said_of_a_test_is_said_in_chinese(text: str, app: Flask) -> None:
    with app.test_request_context(headers={"Cookie": "language=zh"}):
        assert re.search("[\u4e00-\u9fff]", said(text))
    assert said("an unknown sentence") == "an unknown sentence"


def test_a_detection_is_begun_of_lines_that_there_are(client: FlaskClient, kept: Kept, line: Line) -> None:
    assert send(client, "/first/lines/detect", span="telco").status_code == 303
    assert [(one.span, one.order.kind) for one in line.begun] == [("telco", "detect")]
    assert send(client, "/first/lines/detect").status_code == 303
    assert [one.span for one in line.begun[1:]] == ["pbx", "telco"]       # that one first
    assert send(client, "/first/lines/detect", span="other").status_code == 404
    assert send(client, "/first/lines/stop", span="telco").status_code == 404
    assert "China (YDN 034)" in client.get(f"/lines/telco/tests/{line.test.test}").text


def test_the_call_that_came_is_shown_step_by_step_and_remembered(
        client: FlaskClient, kept: Kept, line: Line, settings: Settings) -> None:
    client.get("/first/")
    line.calls = [call("offered")]
    text = client.get("/first/call").text
    assert "138&lt;b&gt;" in text and "4 digits" in text and "not yet" in text
    assert FirstRun(settings.state / "first-run.json").told.came_in is None
    line.calls = [call("answered"), call(called="7777", calling="139", began_at=time.time() - 999)]
    assert "The first call was answered" in client.get("/first/call").text
    told = FirstRun(settings.state / "first-run.json").told
    assert told.came_in is not None and told.came_in.called == "5001"
    assert "7777" in client.get("/first/numbers").text       # called lately, and not known here
    refused = send(client, "/first/call", number="1", trunk="nowhere")
    assert refused.status_code == 422 and 'value="1"' in refused.text
    assert send(client, "/first/call", number="", trunk="telco").status_code == 422


def test_left_out_taken_up_again_and_ended(client: FlaskClient, kept: Kept, staff: Staff) -> None:
    assert "first-bar" not in client.get("/lines/").text      # not begun
    assert client.get("/first/").location == "/first/language"
    assert send(client, "/first/language", language="en").location == "/first/"
    assert client.get("/first/").location == "/first/numbers"             # the links are up in this branch
    assert "first-bar" in client.get("/lines/").text
    assert send(client, "/first/numbers/pass", how="skipped").location == "/first/people"
    assert client.get("/first/").location == "/first/people"
    installer = staff.new("wang", "installer")    # another goes on where it was
    assert installer.get("/first/").location == "/first/people"
    assert "first-bar" in installer.get("/lines/").text
    watcher = staff.new("zhao", "supervisor")
    assert watcher.get("/first/").status_code == 403 and "first-bar" not in watcher.get("/").text
    assert send(client, "/first/numbers/pass", how="").location == "/first/numbers"
    assert client.get("/first/").location == "/first/numbers"
    assert send(client, "/first/numbers/pass", how="somehow").status_code == 400
    assert send(client, "/first/done").location == "/first/summary"
    assert "first-bar" not in client.get("/lines/").text
    assert send(client, "/first/again").location == "/first/"


def make_admin(app: Flask, settings: Settings) -> Any:
    client = app.test_client()
    form = {"csrf_token": token(client, "/setup"), "code": settings.setup_code.read(), "name": NAME,
            "password": PASSWORD, "again": PASSWORD}
    return client.post("/setup", data=form).location


def test_it_begins_by_itself_on_a_box_that_was_never_set_up(
        app: Flask, settings: Settings, kept: Kept, exchange: FakeExchange) -> None:
    for span in ("telco", "pbx"):
        exchange.mirror.hear(ChannelStates(span=span, trunk="t", link_up=False, channels=[]), 0.0)
    assert make_admin(app, settings) == "/first/"
    assert FirstRun(settings.state / "first-run.json").told.by == NAME


def test_it_does_not_begin_by_itself_where_calls_go_already(
        app: Flask, settings: Settings, kept: Kept) -> None:
    assert make_admin(app, settings) == "/"
    assert not (settings.state / "first-run.json").exists()


def test_an_installed_box_begins_with_its_network(
        app: Flask, settings: Settings, kept: Kept, line: Line, users: Users) -> None:
    line.provision = ProvisionReply(provisioned=False, source="", at=0.0, document="{}", told="",
                                    trial_left_s=0.0, serial="BL-1")
    client = app.test_client()
    client.set_cookie("language", "en")           # chosen on the page before there was anybody
    form = {"csrf_token": token(client, "/setup"), "code": settings.setup_code.read(), "name": NAME,
            "password": PASSWORD, "again": PASSWORD}
    assert client.post("/setup", data=form).location == "/first/"
    assert client.get("/first/").location == "/first/network"
    assert "/box/settings/" in client.get("/first/network").text


def test_a_box_whose_daemons_are_silent_says_so(client: FlaskClient, kept: Kept, line: Line) -> None:
    kept.document.write_text("spans: [")          # nobody can read it
    for page in PAGES:
        assert client.get(f"/first/{page}").status_code == 200
