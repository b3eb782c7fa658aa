"""The pages of quality, over recordd's own answers out of a real catalogue."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.bus.messages import (
    BeginCalibration,
    BeginEvaluation,
    PublishQualityForm,
    SaveEvaluation,
    StepEvaluation,
)
from appliance.recording.quality import worklists
from tests.recording.quality.box import MONDAY, Box, make_box, said
from tests.webui.access.people import Staff
from tests.webui.conftest import NAME, FakeExchange, token
from tests.webui.quality import PEOPLE, answering
from webui.users import Users

DAY_S = 86400.0
ANSWERED = {"answer-greeting": "1", "answer-verified": "1", "answer-listens": "3", "answer-solves": "na"}


@pytest.fixture
def box(tmp_path: Path, exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    (tmp_path / "box").mkdir()
    made = make_box(tmp_path / "box", PEOPLE)
    made.clock[0] = MONDAY + 6.9 * DAY_S
    made.ask(PublishQualityForm(name="service", by="sun"))
    monkeypatch.setattr(exchange, "ask", answering(exchange, made))
    yield made
    made.parts.database.close()


def send(client: FlaskClient, path: str, **form: Any) -> Any:
    return client.post(path, data=form | {"csrf_token": token(client, "/quality/")})


def judged(box: Box, by: str = "chen", **answers: Any) -> int:
    number: int = box.ask(BeginEvaluation(recording=box.record(7), form="service", by=by)).info.evaluation
    box.ask(SaveEvaluation(evaluation=number, by=by, answers=said(**answers), remarks=[], submit=True))
    return number


@pytest.mark.usefixtures("box", "visitor")
@pytest.mark.parametrize(("role", "leads"), [
    ("agent", "/quality/results"), ("auditor", "/quality/results"), ("quality", "/quality/")])
def test_quality_is_on_the_pages_of_who_sees_results(
        app: Flask, users: Users, role: str, leads: str) -> None:
    client = Staff(app, users).new("li2", role)
    assert re.findall(r'href="(/quality/[^"]*)"[^>]*>Quality<', client.get("/me/").text) == [leads]
    assert client.get(leads).status_code == 200


def test_a_call_of_the_worklist_is_judged_with_a_place_to_hear(client: FlaskClient, box: Box) -> None:
    for number in range(1, 30):
        box.record(number, began_at=MONDAY + 3600 + number, agent="zhao")
    worklists.tend(box.parts, box.clock[0])
    page = client.get("/quality/").text
    assert "There are no more calls." in page
    worklist = client.get("/quality/?whose=*").text
    recording = re.findall(r"/quality/recording/([0-9a-f]{32})/judge", worklist)[0]
    begun = send(client, f"/quality/recording/{recording}/judge", form="service")
    assert begun.status_code == 303
    page = client.get(begun.location).text
    assert page.count("<fieldset data-item=") == 5
    assert "branchline-player" in page and f"/recordings/{recording}/audio" in page
    form = ANSWERED | {"remark-listens": ["interrupts", ""], "tick-listens": ["4200", ""],
                       "remark-": "friendly", "tick-": ""}
    assert send(client, begun.location, act="save", **form).status_code == 303
    page = client.get(begun.location).text
    assert 'value="interrupts"' in page and 'name="tick-listens" value="4200"' in page and "0:42" in page
    assert send(client, begun.location, act="submit", **form).status_code == 303
    page = client.get(begun.location).text
    assert 'data-seek="42.0"' in page and "66.7" in page and "friendly" in page and "scoring" not in page


def test_without_a_form_nothing_is_offered_that_needs_one(
        client: FlaskClient, tmp_path: Path, exchange: FakeExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bare").mkdir()
    bare = make_box(tmp_path / "bare", PEOPLE)
    monkeypatch.setattr(exchange, "ask", answering(exchange, bare))
    page = client.get(f"/quality/recording/{bare.record(1)}").text
    assert "There are no forms: write one" in page and "/judge" not in page and "/calibrate" not in page
    assert 'name="form"' not in client.get("/quality/calibrations").text
    bare.parts.database.close()


def test_a_refusal_keeps_what_was_written(client: FlaskClient, box: Box) -> None:
    recording = box.record(1)
    begun = send(client, f"/quality/recording/{recording}/judge", form="service")
    answer = send(client, begun.location, act="submit", **{"answer-greeting": "0", "remark-": "typed",
                                                            "tick-": "100"})
    assert answer.status_code == 409
    assert "Not answered yet: verified, listens, solves" in answer.text
    assert 'value="typed"' in answer.text
    assert re.search(r'name="answer-greeting" value="0" checked', answer.text)
    for wrong in ({"answer-listens": "1e9"}, {"answer-listens": "x"}, {"remark-": "x", "tick-": "-1"}):
        assert send(client, begun.location, act="save", **wrong).status_code == 400
    client.set_cookie("language", "zh")
    answer = send(client, begun.location, act="submit", **{"answer-greeting": "0"})
    assert "尚未评分的项目：verified, listens, solves" in answer.text


def test_an_appeal_is_decided_with_another_result(client: FlaskClient, box: Box) -> None:
    number = judged(box, verified=0)
    box.ask(StepEvaluation(evaluation=number, by="li2", step="appeal", text="<b>unfair</b>"))
    assert "<b>1</b>" in client.get("/quality/").text
    page = client.get(f"/quality/evaluations/{number}").text
    assert "&lt;b&gt;unfair" in page and "Decide with another result" in page
    assert "scoring" in client.get(f"/quality/evaluations/{number}?decide=").text
    path = f"/quality/evaluations/{number}"
    assert send(client, path, act="change", why="", **ANSWERED).status_code == 409
    assert send(client, path, act="change", why="he did", **ANSWERED).status_code == 303
    page = client.get(path).text
    assert "appeal decided: another result" in page and "66.7" in page
    assert send(client, f"{path}/uphold", why="again").status_code == 409
    assert "0.0" in client.get(f"{path}?revision=1").text


def test_an_agent_sees_his_calls_results_and_notes_and_appeals(
        client: FlaskClient, box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    number = judged(box, listens=3)
    other: int = box.ask(BeginEvaluation(recording=box.record(8, agent="zhao"), form="service",
                                         by="sun")).info.evaluation
    box.ask(SaveEvaluation(evaluation=other, by="sun", answers=said(), remarks=[], submit=True))
    wrote = send(client, f"/quality/recording/{7:032x}/note", text="let him finish", tick="4200")
    assert wrote.status_code == 303
    monkeypatch.setattr("webui.quality._by", lambda: "li2")
    page = client.get("/quality/own").text
    assert "let him finish" in page and "#42.0" in page and f"/quality/evaluations/{number}" in page
    assert f"/quality/recording/{7:032x}" in page and f"/quality/recording/{8:032x}" not in page
    assert send(client, "/quality/notes/1/read").status_code == 303
    assert "I have read it" not in client.get("/quality/own").text
    assert client.get(f"/quality/evaluations/{other}").status_code == 403
    path = f"/quality/evaluations/{number}"
    assert "Why the result should be another one" in client.get(path).text
    assert send(client, f"{path}/appeal", why=" ").status_code == 409
    assert send(client, f"{path}/appeal", why="unfair").status_code == 303
    assert "appealed against" in client.get(path).text
    report = client.get("/quality/report?since=2026-09-01&until=2026-12-31").text
    assert "zhao" not in report and "75.0" in report


def test_a_calibration_from_the_call_to_the_difference(client: FlaskClient, box: Box) -> None:
    recording = box.record(1)
    assert 'value="wang"' in client.get(f"/quality/recording/{recording}").text
    wrong = send(client, f"/quality/recording/{recording}/calibrate", form="service", scorer="chen")
    assert wrong.status_code == 409 and "needs 2 to 20" in wrong.text
    begun = send(client, f"/quality/recording/{recording}/calibrate", form="service", scorer=["chen", NAME])
    assert begun.status_code == 303
    assert "It waits for admin, chen" in client.get(begun.location).text
    for evaluation, by, listens in ((1, "chen", 1), (2, NAME, 5)):
        box.ask(SaveEvaluation(evaluation=evaluation, by=by, answers=said(listens=listens), remarks=[],
                               submit=True))
    page = client.get(begun.location).text
    assert ">100.0<" in page and '<rect width="100.0"' in page
    page = client.get("/quality/calibrations?form=service&since=2026-09-01&until=2026-12-31").text
    assert "1 calibration<" in page


def test_reports_are_drawn_and_say_what_cannot_be(client: FlaskClient, box: Box) -> None:
    judged(box, listens=3)
    page = client.get("/quality/report?of=item&per=week&since=2026-09-01&until=2026-10-31").text
    assert '<rect width="50.0"' in page and "Listens" in page and "2026-W40" in page
    page = client.get("/quality/appraisal?since=2026-09-01&until=2026-10-31").text
    assert "(1 x 75.0) / 1 = 75.0" in page
    assert "more than 400 periods" in client.get("/quality/report?per=day&since=2020-01-01").text
    for wrong in ("of=x", "per=x", "since=x", "since=0001-01-01", "until=9999-12-31"):
        assert client.get(f"/quality/report?{wrong}").status_code == 400


def test_forms_are_published_and_their_mistakes_said(client: FlaskClient, box: Box) -> None:
    path = box.parts.folder / "forms" / "service.yaml"
    path.write_text(path.read_text().replace("passing: 80", "passing: 70"))
    assert "changed since it was published" in client.get("/quality/forms").text
    assert send(client, "/quality/forms", name="service").status_code == 303
    path.write_text("name: service\n")
    assert "service.yaml:1" in client.get("/quality/forms").text
    assert send(client, "/quality/forms", name="service").status_code == 409
    assert send(client, "/quality/forms", name="../box").status_code == 409


@pytest.mark.parametrize("page", ["/quality/", "/quality/results", "/quality/calibrations", "/quality/report",
                                  "/quality/appraisal", "/quality/forms", "/quality/evaluations/1",
                                  f"/quality/recording/{7:032x}", "/quality/calibrations/1"])
def test_every_page_speaks_chinese(client: FlaskClient, box: Box, page: str) -> None:
    judged(box)
    box.ask(BeginCalibration(recording=f"{7:032x}", form="service", scorers=["chen", "sun"], by="sun"))
    assert client.post("/language", data={"csrf_token": token(client, "/quality/"), "language": "zh",
                                          "next": "/"}).status_code == 303
    text = client.get(page)
    assert text.status_code == 200 and "质检" in text.text


@pytest.mark.parametrize("path", ["/quality/evaluations/99", "/quality/calibrations/99", "/quality/own"])
def test_what_is_not_there_is_said(client: FlaskClient, box: Box, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 403 and 'role="alert"' in answer.text


@pytest.mark.parametrize("path", [
    f"/quality/evaluations/{10**20}", "/quality/recording/x", "/quality/own?page=0"])
def test_addresses_that_cannot_be_are_404(client: FlaskClient, box: Box, path: str) -> None:
    assert client.get(path).status_code == 404
