"""Pages of people and queues: what is seen, what a form becomes in the document, what is refused where."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.bus.messages import EditDocument, GetDocument, GetDocumentHistory
from tests.webui.access.people import Staff
from tests.webui.centre.conftest import DOCUMENT, Branch, these_days
from tests.webui.configuration.kept import Kept
from tests.webui.conftest import FakeExchange, post, token
from webui.access.audit import Asked
from webui.centre.forms import Field
from webui.centre.pages import both
from webui.centre.said import said
from webui.users import Users

QUEUE = {"name": "sales", "skills": "sales:3", "rings-0-after_s": "20", "rings-0-lower": "sales:1",
         "ring_s": "12", "strategy": "longest-idle", "no_answer": "pause", "record": "yes"}


def send(client: FlaskClient, path: str, **form: Any) -> Any:
    """With the number of the version that a form is made from, unless `form` has another."""
    if "head" not in form and "/of/" in path and not path.endswith(("/remove", "/force")):
        form["head"] = head(client, path)
    return client.post(f"/centre/{path}", data=form | {"csrf_token": token(client, "/centre/csv")})


def head(client: FlaskClient, path: str) -> str:
    found = re.search(r'name="head" value="(\d+)"', client.get(f"/centre/{path}").text)
    return found[1] if found else ""


def commit(client: FlaskClient, answer: Any, why: str = "because") -> None:
    """The preview that the answer leads to, and yes to it."""
    assert answer.status_code == 303, answer.text
    assert client.get(answer.location).status_code == 200
    assert post(client, answer.location, why=why, minutes="0").status_code == 303


def test_all_pages(client: FlaskClient, kept: Kept) -> None:
    for page in ("agents/", "matrix", "groups/", "people/", "queues/", "calendars/", "recording/", "surveys/",
                 "voicemail/", "reasons/", "csv", "queues/new", "queues/of/sales", "agents/of/anna",
                 "agents/new", "calendars/of/office", "calendars/of/office/days", "calendars/new",
                 "recording/of/few", "surveys/new", "voicemail/new", "reasons/new", "groups/of/east",
                 "people/new"):
        answer = client.get(f"/centre/{page}")
        assert answer.status_code == 200, page
        assert "s3cret" not in answer.text
    for page in ("queues/of/none", "calendars/of/none/days", "changes/none", "others/"):
        assert client.get(f"/centre/{page}").status_code == 404, page
    assert kept.document.read_text() == DOCUMENT


def test_agents_are_searched_and_sorted(client: FlaskClient, kept: Kept) -> None:
    def names(query: str) -> list[str]:
        return re.findall(r'name="agent" value="(\w+)"', client.get(f"/centre/agents/?{query}").text)
    assert names("") == ["anna", "bert", "chen", "dora", "emil"]
    assert names("text=8004") == ["chen"] and names("only_group=west") == ["chen", "dora"]
    assert names("only_queue=sales") == ["anna", "bert", "dora"] and names("only_skill=en") == ["anna"]
    assert names("sort=extension") == ["anna", "bert", "dora", "chen", "emil"]
    assert names("text=nobody") == []


@pytest.mark.need(16)
def test_a_queue_is_changed_by_a_form_after_a_preview(client: FlaskClient, kept: Kept) -> None:
    answer = send(client, "queues/of/sales", **QUEUE | {"skills": "sales:5", "wrap_up_s": "30"})
    assert kept.document.read_text() == DOCUMENT  # nothing before the yes
    page = client.get(answer.location).text
    assert "centre.queues.sales.wrap_up_s" in page and "centre.queues.sales.skills" in page
    assert "centre.queues.sales.ring_s" not in page
    commit(client, answer, "more time")
    text = DOCUMENT.replace("{sales: 3}\n      rings", "{sales: 5}\n      rings")
    silence = '      music: ""\n'
    assert kept.document.read_text() == text.replace(silence, f"{silence}      wrap_up_s: 30\n")
    newest = kept.ask(GetDocumentHistory()).versions[0]
    assert (newest.by, newest.comment) == ("admin", "more time")
    assert "People and queues changed" in client.get("/log/").text
    assert client.get(answer.location).status_code == 404            # it is done


def test_a_form_that_changes_nothing_leads_back(client: FlaskClient, kept: Kept) -> None:
    assert send(client, "queues/of/sales", **QUEUE).location == "/centre/queues/"
    assert send(client, "queues/of/service", name="service", skills="service:5", **{
        "overflow-0-after_s": "30", "overflow-0-to": "sales", "record": "yes"}).location == "/centre/queues/"
    assert send(client, "calendars/of/office", **CALENDAR).location == "/centre/calendars/"
    assert send(client, "recording/of/few", name="few", percent="10", keep="asked",
                place="2").location == "/centre/recording/"
    assert send(client, "agents/of/anna", name="anna", extension="8001", trunk="office", starts="ready",
                skills="sales:5 en:3", groups="east").location == "/centre/agents/"
    assert kept.document.read_text() == DOCUMENT


CALENDAR = {"name": "office", "timezone": "Asia/Shanghai", "holidays": "cn", "working_day": "mon",
            **{f"week-{day}": "09:00-12:00 13:30-17:30" for day in ("mon", "tue", "wed", "thu", "fri")},
            "week-sat": "22:00-06:00", "days-0-date": "2020-12-31", "days-0-note": "stock-taking"}


@pytest.mark.parametrize(("path", "form", "field", "why"), [
    ("queues/of/sales", QUEUE | {"ring_s": "500"}, "ring_s", "120 is the most."),
    ("queues/of/sales", QUEUE | {"ring_s": "many"}, "ring_s", "no number: many"),
    ("queues/of/sales", QUEUE | {"skills": "sales"}, "skills", "no skill with a level: sales"),
    ("queues/of/sales", QUEUE | {"rings-0-after_s": "0"}, "rings", "more than 0"),
    ("queues/of/sales", QUEUE | {"skills": "sales:9", "rings-0-gone": "yes"}, "",
     "Nobody could serve queue sales"),
    ("queues/of/sales", QUEUE | {"agents": "zorro"}, "", "no agent &#39;zorro&#39;"),
    ("queues/new", {"name": "Late", "skills": "sales:1"}, "name", "a to z first"),
    ("queues/new", {"name": "sales", "skills": "sales:1"}, "name", "is there twice"),
    ("queues/new", {"name": "late"}, "", "Who serves it?"),
    ("agents/of/emil", {"name": "emil", "extension": "8005", "starts": "ready"}, "", "go together"),
    ("calendars/of/office", CALENDAR | {"week-sun": "25:00-26:00"}, "hours", "a day has 00:00 to 24:00"),
    ("recording/of/few", {"name": "few", "queue": "none", "percent": "5"}, "", "there is no &#39;none&#39;"),
])
def test_what_is_wrong_is_said_at_its_field_and_what_was_written_stays(
        client: FlaskClient, kept: Kept, path: str, form: dict[str, str], field: str, why: str) -> None:
    answer = send(client, path, **form)
    assert answer.status_code == 422
    assert why in answer.text
    here = re.search(rf'id="{field}-help"><b class="wrong-here">', answer.text)
    assert bool(here) == bool(field)
    for key, value in form.items():               # but for a row that is to be removed
        assert "rings-0-gone" in form or value in ("yes", "") or f'value="{value}"' in answer.text, key
    assert kept.document.read_text() == DOCUMENT


def test_what_a_daemon_refuses_is_said_on_the_form_and_at_the_commit(client: FlaskClient, kept: Kept) -> None:
    kept.bus.no = ("callers are where the new document has nothing: put it back, or wait until they are "
                   "gone: queue sales")
    answer = send(client, "queues/of/sales", **QUEUE | {"ring_s": "9"})
    assert answer.status_code == 422 and "Callers are where the new text has nothing" in answer.text
    kept.bus.no = ""
    answer = send(client, "queues/of/sales", **QUEUE | {"ring_s": "9"})
    kept.bus.no = "ReloadCentre: acdd did not answer in 10 s"
    refused = post(client, answer.location, why="because")
    assert refused.status_code == 409 and "acdd does not answer" in refused.text
    assert kept.document.read_text() == DOCUMENT


def test_two_people_change_the_same_and_others_do_not_meet(client: FlaskClient, kept: Kept) -> None:
    kept.ask(EditDocument(by="wang", text=DOCUMENT + "# thinking\n"))
    first = send(client, "queues/of/sales", **QUEUE | {"ring_s": "9"})
    second = send(client, "queues/of/sales", **QUEUE | {"ring_s": "10"})
    third = send(client, "queues/of/sales", **QUEUE | {"wrap_up_s": "10"})
    commit(client, first)
    refused = post(client, second.location, why="because")
    assert refused.status_code == 409 and "has changed centre.queues.sales.ring_s meanwhile" in refused.text
    assert "Meanwhile there is version 2" in client.get(third.location).text
    commit(client, third)
    assert "ring_s: 9 " in kept.document.read_text() and "wrap_up_s: 10" in kept.document.read_text()
    assert kept.ask(GetDocument(candidate=True)).text.endswith("# thinking\n")


def test_a_form_made_from_an_older_version_takes_nothing_back(client: FlaskClient, kept: Kept) -> None:
    commit(client, send(client, "queues/of/sales", **QUEUE | {"ring_s": "9"}))
    refused = send(client, "queues/of/sales", **QUEUE | {"wrap_up_s": "30", "head": "1"})
    assert refused.status_code == 409 and "Meanwhile there is version 2" in refused.text
    for name, value in (("ring_s", 9), ("wrap_up_s", 30), ("head", 2)):
        assert re.search(rf'name="{name}"[^>]* value="{value}"', refused.text), name
    assert send(client, "queues/of/sales", **QUEUE, head="").status_code == 409  # it says nothing of it
    other = send(client, "agents/of/emil", name="emil", starts="logged-out", extension="8005", trunk="office",
                 skills="fr:1", head="1")
    commit(client, other)                         # that part is as it was
    commit(client, send(client, "agents/of/emil", name="emil", starts="logged-out", extension="8005",
                        trunk="office", skills="fr:1", groups="west"))
    refused = send(client, "groups/of/west", name="west", agents=["chen", "bert"], head="1")
    assert refused.status_code == 409
    assert re.findall(r'value="(\w+)" checked', refused.text) == ["bert", "chen", "emil"]   # without dora
    assert "ring_s: 9 " in kept.document.read_text()


def test_what_two_people_wrote_in_one_field_is_put_together() -> None:
    names = Field("agents", "names")
    assert both(names, "anna bert emil", "anna bert", "bert gao") == "bert emil gao"
    row, other, mine, blank = {"date": "a"}, {"date": "b"}, {"date": "c"}, {"date": ""}
    assert both(Field("days", "rows"), [row, other, blank], [row, blank], [row, mine, blank]) == [
        row, other, mine, blank]
    assert both(Field("days", "rows"), [row, other, blank], [row, blank], [blank]) == [other, blank]
    assert both(None, {"mon": "9", "tue": ""}, {"mon": "8", "tue": ""}, {"mon": "8", "tue": "7"}) == {
        "mon": "9", "tue": "7"}
    usual = Field("starts", "choice", "ready", options=("ready", "logged-out"))
    assert both(usual, "logged-out", "", "ready") == "logged-out"        # the browser sends what is usual


def test_no_row_of_a_long_list_is_cut_off(client: FlaskClient, kept: Kept) -> None:
    def days(count: int) -> dict[str, str]:
        return {f"days-{place}-date": str(date(2027, 1, 1) + timedelta(place)) for place in range(count)}
    commit(client, send(client, "calendars/of/office", **CALENDAR | days(100)))
    assert kept.document.read_text().count("2027-") == 100
    before = kept.document.read_text()
    refused = send(client, "calendars/of/office", **CALENDAR | days(401))
    assert refused.status_code == 422 and "more rows than a form may have: 400" in refused.text
    assert kept.document.read_text() == before


def test_a_change_without_a_reason_comes_back_and_is_in_the_log_by_its_keys(
        app: Flask, client: FlaskClient, kept: Kept) -> None:
    answer = send(client, "queues/of/sales", **QUEUE | {"ring_s": "9"})
    found = token(client, "/centre/csv")
    for wrong, sentence in (({"why": " "}, "Give a reason"), ({"why": "x", "minutes": "9999"}, "1440")):
        refused = client.post(answer.location, data=wrong | {"csrf_token": found})
        assert refused.status_code == 422 and sentence in refused.text
    assert kept.document.read_text() == DOCUMENT
    commit(client, answer)
    entries = app.extensions["branchline"].audit.entries(Asked(acts=("centre-changed",)), 10)
    assert [(one.what, one.why, one.outcome) for one in reversed(entries)] == [
        ("centre.queues.sales.ring_s", "", "refused (422)"),
        ("centre.queues.sales.ring_s", "x", "refused (422)"), ("centre.queues.sales.ring_s", "because", "")]


def test_parts_are_added_moved_and_removed(client: FlaskClient, kept: Kept) -> None:
    commit(client, send(client, "agents/new", name="gao", extension="8009", trunk="office", starts="ready",
                        skills="sales:2", groups="east"))
    text = kept.document.read_text()
    assert "{name: gao, extension: '8009', trunk: office, skills: {sales: 2}}" in text
    assert "{name: east, agents: [anna, bert, gao]}" in text
    page = client.get(send(client, "agents/of/gao/remove").location).text
    assert "gao" in page and "removed" in page
    commit(client, send(client, "agents/of/gao/remove"))
    assert kept.document.read_text() == DOCUMENT
    commit(client, send(client, "recording/of/few", name="few", percent="10", keep="asked", place="1"))
    assert kept.document.read_text().index("few") < kept.document.read_text().index("legal")
    commit(client, send(client, "surveys/new", name="csat", queues="sales", percent="50", **{
        "questions-0-name": "q1", "questions-0-prompt": "survey/q1", "questions-0-best": "5"}))
    survey = "{name: csat, questions: [{name: q1, prompt: [survey/q1]}], queues: [sales], percent: 50}"
    assert survey in kept.document.read_text()
    commit(client, send(client, "reasons/new", name="lunch", limit_s="3600", then="tell"))
    assert "lunch" in client.get("/centre/reasons/").text


@pytest.mark.need(16)
def test_many_agents_at_once_with_the_effect_before(client: FlaskClient, kept: Kept) -> None:
    answer = send(client, "agents/bulk", agent=["anna", "bert", "dora"], skill_act="lower", skill="sales",
                  level="2", group_act="add", group="west", starts="logged-out")
    page = " ".join(client.get(answer.location).text.split())
    assert "sales 5 → <b>3</b>" in page and "sales 3 → <b>1</b>" in page
    assert "The same agents can serve the same queues." in page      # in its last ring anybody may
    commit(client, answer)
    text = kept.document.read_text()
    assert "skills: {sales: 3, en: 3}" in text and "agents: [chen, dora, anna, bert]" in text
    assert text.count("starts: logged-out") == 4 and "# the first" in text
    answer = send(client, "agents/bulk", agent=["chen", "dora"], skill_act="remove", skill="service")
    assert answer.status_code == 422 and "Queue service: no agent has the skill" in answer.text
    answer = send(client, "agents/bulk", agent=["dora"], skill_act="remove", skill="service")
    page = " ".join(client.get(answer.location).text.split())
    assert '<td><b>service</b></td><td><span class="differs">2 → <b>1</b></span>' in page
    assert send(client, "agents/bulk", agent=["zorro"], skill_act="set", skill="x").status_code == 404
    assert send(client, "agents/bulk", skill_act="set", skill="x").location == "/centre/agents/"


def test_the_grid(client: FlaskClient, kept: Kept) -> None:
    page = client.get("/centre/matrix?skill=fr").text
    assert re.search(r'name="0.1" value="5" data-was="5"', page)     # anna's sales, after en; fr is the last
    assert send(client, "matrix", head="9", **{"0.0": "1"}).status_code == 409
    assert send(client, "matrix", head="1", **{"0.0": "11"}).status_code == 422
    for level in ("9" * 5000, "\u0663"):
        assert send(client, "matrix", head="1", **{"0.0": level}).status_code == 422
    for field in ("0." + "9" * 5000, "9" * 5000 + ".0", "\u0660.\u0660"):         # it is no field of the grid
        assert send(client, "matrix", head="1", **{field: "1"}).location == "/centre/matrix"
    assert send(client, "matrix", head="1", **{"99.0": "1"}).status_code == 400
    commit(client, send(client, "matrix", head="1", skill="fr", **{"0.0": "0", "1.1": "10", "4.3": "1"}))
    text = kept.document.read_text()
    assert "skills: {sales: 5}}" in text and "# the first" in text
    assert "starts: logged-out, skills: {fr: 1}" in text
    assert "bert, extension: \"8002\", trunk: office, skills: {sales: 10}" in text


def test_what_was_written_into_an_older_grid_goes_to_the_same_agent(client: FlaskClient, kept: Kept) -> None:
    commit(client, send(client, "agents/of/anna/remove"))
    refused = send(client, "matrix", head="1", **{"0.1": "9", "1.1": "8", "3.1": "1", "3.2": "5"})
    assert refused.status_code == 409 and "Meanwhile there is version 2" in refused.text
    cells = dict(re.findall(r'name="(\d\.\d)" value="(\d*)"', refused.text))
    assert cells["0.0"] == "8" and cells["2.0"] == "1" and "9" not in cells.values()      # bert's, dora's


def test_calendars_by_hand_and_asked(client: FlaskClient, kept: Kept, asked: Branch) -> None:
    page = client.get("/centre/calendars/of/office/days?at=2020-12-31T10:00").text
    assert "Thu 2020-12-31 (stock-taking): closed" in page or "thu 2020-12-31 (stock-taking): closed" in page
    assert "National Day" in page and "has not been announced" in page
    assert "This is no day" in client.get("/centre/calendars/of/office/days?at=soon").text
    assert send(client, "calendars/of/office/force", state="closed", hours="2", why="fire").status_code == 303
    assert send(client, "calendars/of/office/force", state="hours", hours="0", why="fire").status_code == 303
    assert send(client, "calendars/of/office/force", state="ajar", hours="0", why="x").status_code == 400
    assert [(one.open, one.by, one.until > 0) for one in asked.forced] == [
        (False, "admin", True), (None, "admin", False)]
    commit(client, send(client, "calendars/of/office", **CALENDAR | {
        "week-sat": "", "days-1-date": "2044-01-04", "days-1-like": "fri"}))
    text = kept.document.read_text()
    assert "mon-fri" in text and "sat" not in text.split("holidays")[0].split("hours")[1]
    assert "2044-01-04" in text and "like: fri" in text


def test_a_list_of_days_is_brought_in_after_a_dry_run(client: FlaskClient, kept: Kept) -> None:
    def bring(*lines: str, **more: str) -> Any:
        page = client.get("/centre/calendars/of/office/days").text
        head = re.findall(r'name="head" value="(\d+)"', page)[0]
        return send(client, "calendars/of/office/list", days="\n".join(lines), **{"head": head} | more)
    good = ("2044-10-01 - 2044-10-07 National Day", "2044\u5e741\u67081\u65e5 \u5143\u65e6",
            "2044-09-26 =fri make-up", f"{these_days()} moving")
    refused = bring(*good, "2044-10-07 again", "2044-02-30 never", "2044-03-01 =fun x",
                    "2044-03-02 26:00-27:00")
    assert refused.status_code == 422 and "Dry run" in refused.text and "wrong: 4" in refused.text
    for why in ("there twice, also on: 2044-10-01", "no day, e.g. 2027-10-01: 2044-02-30", ": fun",
                "no hours of a day: 26:00-27:00"):
        assert why in refused.text, why
    assert "2044-02-30 never" in refused.text and kept.document.read_text() == DOCUMENT
    assert bring("# only a remark").status_code == 422
    same = bring("2020-12-31 stock-taking")
    assert same.status_code == 200 and "as they were: 1" in same.text
    answer = bring(*good)
    page = " ".join(client.get(answer.location).text.split())
    assert "new: 4" in page and "closes at once" in page and "flow main.yaml, node opening" in page
    assert "queues: sales" in page and "(moving): closed" in page
    commit(client, answer)
    text = kept.document.read_text()
    assert "2020-12-31" in text and "to: '2044-10-07'" in text and "like: fri" in text
    assert bring(*good, head="1").status_code == 409
    commit(client, bring("2044-12-31 09:00-12:00 stock-taking", "2020-12-31 10:00-12:00", whole="yes"))
    text = kept.document.read_text()
    assert "National" not in text and "2020-12-31" in text and "10:00-12:00" in text


def test_a_queues_targets_are_in_its_form(client: FlaskClient, kept: Kept) -> None:
    page = client.get("/centre/queues/of/sales").text
    assert re.search(r'name="targets.asa_s"[^>]* value="" placeholder="20"', page)       # what holds for all
    aims = {"targets.asa_s": "15", "targets.fcr_percent": "60"}
    commit(client, send(client, "queues/of/sales", **QUEUE | aims))
    assert "targets: {queues: {sales: {asa_s: 15, fcr_percent: 60}}}" in kept.document.read_text()
    assert re.search(r'name="targets.asa_s"[^>]* value="15"', client.get("/centre/queues/of/sales").text)
    assert send(client, "queues/of/sales", **QUEUE | aims).location == "/centre/queues/"
    commit(client, send(client, "queues/new", name="early", skills="sales:1", **{"targets.asa_s": "7"}))
    commit(client, send(client, "queues/of/early", name="late", skills="sales:1", **{"targets.asa_s": "7"}))
    text = kept.document.read_text()              # they go along with the name
    assert "{asa_s: 7}" in text and "early" not in text
    commit(client, send(client, "queues/of/late/remove"))
    wrong = send(client, "queues/of/sales", **QUEUE | {"targets.asa_s": "-1"})
    assert wrong.status_code == 422 and "more than 0" in wrong.text
    assert re.search(r'id="targets-asa_s-help"><b class="wrong-here">', wrong.text)
    commit(client, send(client, "queues/of/service", name="service", skills="service:5", **{
        "overflow-0-after_s": "30", "overflow-0-to": "", "overflow-0-gone": "yes", "record": "yes",
        "targets.asa_s": "9"}))
    commit(client, send(client, "queues/of/sales/remove"))           # and its targets with it
    text = kept.document.read_text()
    assert "fcr_percent" not in text and "{service: {asa_s: 9}}" in text
    commit(client, send(client, "queues/of/service", name="service", skills="service:5", record="yes"))
    assert "targets" not in kept.document.read_text()


def test_what_holds_for_all_queues_is_a_form(client: FlaskClient, kept: Kept) -> None:
    plain: dict[str, str] = {"head": head(client, "common"), "order": "first-come"}
    assert send(client, "common", **plain).location == "/centre/common"
    commit(client, send(client, "common", **plain | {
        "order": "service-level", "targets.asa_s": "25", "targets.service_level.within_s": "15",
        "grades-0-name": "VIP", "grades-0-more": "20", "grades-1-name": "\u94bb\u77f3",
        "grades-1-more": "0"}))
    text = kept.document.read_text()
    for line in ("order: service-level", "asa_s: 25", "within_s: 15", "VIP: 20", "\u94bb\u77f3: 0"):
        assert line in text, line
    assert text.startswith(DOCUMENT[:DOCUMENT.index("  sources:")])
    page = client.get("/centre/common").text
    assert 'value="VIP"' in page and re.search(r'<td class="number"><span class="none">25</span>', page)
    now = {"head": head(client, "common"), "order": "service-level", "targets.asa_s": "25",
           "targets.service_level.within_s": "15"}
    for wrong in ({"grades-0-name": "VIP", "grades-0-more": ""}, {"grades-0-name": "", "grades-0-more": "5"},
                  {"grades-0-name": "VIP", "grades-0-more": "5", "grades-1-name": "VIP",
                   "grades-1-more": "6"}):
        refused = send(client, "common", **now | wrong)
        assert refused.status_code == 422 and "a grade is there twice" in refused.text
    for key, value, why in (("grades-0-more", "101", "100 is the most."),
                            ("targets.occupancy_percent", "x", "no number: x"),
                            ("targets.occupancy_percent", "101", "100 is the most.")):
        refused = send(client, "common", **now | {"grades-0-name": "VIP", "grades-0-more": "5", key: value})
        assert refused.status_code == 422 and why in refused.text, key
    older = send(client, "common", **now | {"head": "1", "targets.aht_s": "200"})
    assert older.status_code == 409 and 'value="200"' in older.text and 'value="VIP"' in older.text
    commit(client, send(client, "common", head=head(client, "common"), order="first-come"))
    assert "targets" not in kept.document.read_text() and "grades" not in kept.document.read_text()


def test_who_may_only_see_changes_nothing(
        app: Flask, client: FlaskClient, users: Users, kept: Kept, exchange: FakeExchange) -> None:
    auditor = Staff(app, users).new("liu", "auditor")
    page = auditor.get("/centre/queues/of/sales")
    assert page.status_code == 200 and "<fieldset class=\"all\" disabled>" in page.text
    assert auditor.get("/centre/agents/").status_code == 200
    found = token(auditor, "/centre/agents/")
    for path in ("queues/of/sales", "agents/bulk", "matrix", "csv/try", "calendars/of/office/force"):
        assert auditor.post(f"/centre/{path}", data=QUEUE | {"csrf_token": found}).status_code == 403


def test_another_persons_change_is_not_mine_to_say_yes_to(
        app: Flask, client: FlaskClient, users: Users, kept: Kept) -> None:
    answer = send(client, "queues/of/sales", **QUEUE | {"ring_s": "9"})
    installer = Staff(app, users).new("wu", "installer")
    assert installer.get(answer.location).status_code == 404


@pytest.mark.parametrize("text", [
    "Input should be greater than or equal to 1", "sales: who serves it? Give agents, skills or both",
    "centre.queues: sales: nobody can serve it, not even in its last ring: give somebody its skills, or "
    "lower or drop them in a ring", "extension and trunk go together: give both or none",
    "version 3 by wang (why) has changed centre.queues.sales meanwhile: look again",
    "line 12: centre.queues: sales: no agent is called 'zorro'"])
def test_what_is_said_of_a_change_is_said_in_chinese(text: str, app: Flask) -> None:
    with app.test_request_context(headers={"Cookie": "language=zh"}):
        assert re.search("[\u4e00-\u9fff]", said(text))
    assert said("an unknown sentence") == "an unknown sentence"
