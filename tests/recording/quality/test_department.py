"""Worklists, calibration, coaching, reports, the appraisal: requests to recordd over a real catalogue."""

from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from appliance.bus.client import BusError
from appliance.bus.messages import (
    BeginCalibration,
    BeginEvaluation,
    FigureRow,
    Figures,
    FigureValue,
    GetAgreement,
    GetAppraisals,
    GetCalibration,
    GetCoachingNotes,
    GetEvaluation,
    GetEvaluations,
    GetQualityPerson,
    GetScores,
    GetWorklist,
    PublishQualityForm,
    ReadCoachingNote,
    Request,
    SaveEvaluation,
    ScoresOf,
    WriteCoachingNote,
)
from appliance.errors import StateError
from appliance.recording.catalogue.schema import recordings
from appliance.recording.quality import reports, worklists
from tests.recording.quality.box import MONDAY, Box, make_box, said

DAY_S = 86400.0
OCTOBER = MONDAY + 3 * DAY_S
SAMPLING = """\
  sampling:
    - {name: monthly, form: service, per_agent: 4, each_queue: 1, seed: s}
  appraisal:
    - {figure: score, weight: 60}
    - {figure: aht_s, weight: 20, worst: 400, best: 200}
    - {figure: satisfaction, weight: 20, worst: 0.5, best: 1}
"""


def judge(box: Box, recording: str, by: str = "sun", **answers: Any) -> int:
    number: int = box.ask(BeginEvaluation(recording=recording, form="service", by=by)).info.evaluation
    box.ask(SaveEvaluation(evaluation=number, by=by, answers=said(**answers), remarks=[], submit=True))
    return number


@pytest.fixture
def month(tmp_path: Path) -> Box:
    """31 days of October with a call of each agent every day, its rule, and the clock at its end."""
    box = make_box(tmp_path, SAMPLING)
    box.ask(PublishQualityForm(name="service", by="sun"))
    for day in range(31):
        for which, agent in enumerate(("li", "wang", "zhao")):
            box.record(100 * which + day, agent=agent, queue="help" if day % 5 == 0 else "sales",
                       began_at=OCTOBER + day * DAY_S + 3600, duration_s=30 if agent == "zhao" else 120)
    box.clock[0] = OCTOBER + 31 * DAY_S - 1
    return box


def test_worklists_are_filled_fairly_and_say_what_is_missing(month: Box) -> None:
    assert worklists.tend(month.parts, OCTOBER + DAY_S, UTC) == OCTOBER + 2 * DAY_S
    every = month.ask(GetWorklist(by="sun", whose="*"))
    assert sorted(task.call.agent for task in every.tasks) == ["li", "wang"]
    worklists.tend(month.parts, month.clock[0], UTC)
    every = month.ask(GetWorklist(by="sun", whose="*"))
    assert sorted(task.call.agent for task in every.tasks) == ["li"] * 4 + ["wang"] * 4
    assert {"sales", "help"} == {task.call.queue for task in every.tasks}
    assert not any(task.call.agent == task.scorer for task in every.tasks)
    loads = [sum(task.scorer == name for task in every.tasks) for name in ("chen", "sun", "wang")]
    assert max(loads) - min(loads) <= 1
    assert [(one.agent, one.wanted, one.found, one.why) for one in every.shortfalls] == [
        ("zhao", 4, 0, {"short": 31})]
    assert all(task.scorer == "chen" for task in month.ask(GetWorklist(by="chen")).tasks)
    worklists.tend(month.parts, month.clock[0], UTC)
    assert month.ask(GetWorklist(by="sun", whose="*")).tasks == every.tasks
    month.parts.database.close()


def test_a_task_is_done_with_its_evaluation_and_goes_with_its_recording(month: Box) -> None:
    worklists.tend(month.parts, month.clock[0], UTC)
    first, second = month.ask(GetWorklist(by="chen")).tasks[:2]
    begun = month.ask(BeginEvaluation(recording=first.call.recording, form="service", by="chen"))
    assert month.ask(GetWorklist(by="chen")).tasks[0].evaluation == begun.info.evaluation
    judge(month, first.call.recording, "chen")
    with month.parts.database.write() as connection:
        connection.execute(update(recordings).where(
            recordings.c.recording == second.call.recording).values(state="erased"))
    worklists.tend(month.parts, month.clock[0], UTC)
    left = month.ask(GetWorklist(by="sun", whose="*")).tasks
    assert {first.call.recording, second.call.recording}.isdisjoint(task.call.recording for task in left)
    assert sum(task.call.agent in ("li", "wang") for task in left) == 7      # one done, one drawn anew
    month.parts.database.close()


def test_a_calibration_is_blind_until_all_are_in(box: Box) -> None:
    recording = box.record(1)
    begun = box.ask(BeginCalibration(recording=recording, form="service", scorers=["chen", "wang"], by="sun"))
    number = begun.info.calibration
    own = {by: box.ask(GetCalibration(calibration=number, by=by)).info.evaluation for by in ("chen", "wang")}
    box.ask(SaveEvaluation(evaluation=own["chen"], by="chen", answers=said(listens=3), remarks=[],
                           submit=True))
    assert box.ask(GetCalibration(calibration=number, by="chen")).info.waiting == ["wang"]
    for by in ("wang", "sun"):
        assert box.ask(GetCalibration(calibration=number, by=by)).items == []
        with pytest.raises(StateError, match="may not see"):
            box.ask(GetEvaluation(evaluation=own["chen"], by=by))
    box.ask(SaveEvaluation(evaluation=own["wang"], by="wang", answers=said(greeting=None, listens=5),
                           remarks=[], submit=True))
    found = box.ask(GetCalibration(calibration=number, by="wang"))
    assert [(one.name, one.values, one.agreement, one.difference) for one in found.items] == [
        ("", [75.0, 100.0], 0.0, 25.0), ("greeting", [1.0, None], 0.0, None), ("verified", [1, 1], 1.0, 0.0),
        ("listens", [3.0, 5.0], 0.0, 50.0), ("solves", [10.0, 10.0], 1.0, 0.0)]
    assert box.ask(GetEvaluation(evaluation=own["chen"], by="sun")).info.score == 75.0
    assert box.score_of(recording) is None        # it is no result of the agent
    assert box.ask(GetEvaluations(by="li2")).total == 0
    with pytest.raises(StateError, match="may not see"):
        box.ask(GetEvaluation(evaluation=own["chen"], by="li2"))


def test_agreement_over_calibrations_has_a_kappa_where_it_makes_sense(box: Box) -> None:
    for number, (one, other) in enumerate([(1, 1), (0, 0), (1, 0), (1, 1)], 1):
        begun = box.ask(BeginCalibration(recording=box.record(number), form="service",
                                         scorers=["chen", "wang"], by="sun"))
        for by, greeting in (("chen", one), ("wang", other)):
            own = box.ask(GetCalibration(calibration=begun.info.calibration, by=by)).info.evaluation
            box.ask(SaveEvaluation(evaluation=own, by=by, answers=said(greeting=greeting), remarks=[],
                                   submit=True))
    found = box.ask(GetAgreement(form="service", since=MONDAY - 1, until=MONDAY + 1, by="sun"))
    assert found.calibrations == 4
    greeting, verified = found.items[:2]
    assert (greeting.pairs, greeting.agreement, greeting.difference) == (4, 0.75, 25.0)
    assert greeting.kappa == pytest.approx(1 - 0.25 / (2 * 5 * 3 / 64))
    assert (verified.agreement, verified.kappa) == (1.0, None)


@pytest.mark.parametrize(("scorers", "by", "says"), [
    (["chen"], "sun", "needs 2 to 20"), (["chen", "chen"], "sun", "needs 2 to 20"),
    (["chen", "li2"], "sun", "li2 may not judge"), (["chen", "wang"], "chen", "chen may not calibrate"),
])
def test_a_calibration_that_cannot_be(box: Box, scorers: list[str], by: str, says: str) -> None:
    with pytest.raises(StateError, match=says):
        box.ask(BeginCalibration(recording=box.record(1), form="service", scorers=scorers, by=by))


def test_a_note_is_heard_at_its_place_and_its_reading_is_kept(box: Box) -> None:
    recording = box.record(1)
    box.ask(WriteCoachingNote(by="chen", text="let him finish", recording=recording, tick=4200))
    assert box.ask(GetQualityPerson(by="li2")).unread == 1
    note = box.ask(GetCoachingNotes(by="li2")).notes[0]
    assert (note.tick, note.recording, note.read_at) == (4200, recording, None)
    box.clock[0] += 60
    box.ask(ReadCoachingNote(by="li2", note=note.note))
    box.clock[0] += 60
    box.ask(ReadCoachingNote(by="li2", note=note.note))
    assert box.ask(GetCoachingNotes(by="chen", agent="li")).notes[0].read_at == MONDAY + 60
    with pytest.raises(StateError, match="no note"):
        box.ask(ReadCoachingNote(by="wang", note=note.note))
    with pytest.raises(StateError, match="wang may not see notes to li"):
        box.ask(GetCoachingNotes(by="wang", agent="li"))


@pytest.mark.parametrize(("changes", "says"), [
    ({"agent": "zhao", "recording": "", "tick": None}, "chen may not coach zhao"),
    ({"agent": "nobody", "recording": "", "tick": None}, "no agent is called"),
    ({"tick": 12001}, "the recording has 0 to 12000"), ({"agent": "wang"}, "is no recording of wang"),
    ({"text": " "}, "1 to 4000 characters"), ({"recording": ""}, "a tick goes with a recording"),
])
def test_a_note_that_cannot_be_written(box: Box, changes: dict[str, Any], says: str) -> None:
    note: dict[str, Any] = {
        "by": "chen", "agent": "li", "text": "well done", "recording": box.record(1), "tick": 1} | changes
    with pytest.raises(StateError, match=says):
        box.ask(WriteCoachingNote(**note))
    assert box.ask(GetCoachingNotes(by="li2")).notes == []


def ask(of: ScoresOf, by: str = "sun", **changes: Any) -> GetScores:
    whole: dict[str, Any] = {
        "by": by, "of": of, "per": "week", "since": MONDAY, "until": MONDAY + 21 * DAY_S}
    return GetScores(**whole | changes)


@pytest.fixture
def judged(box: Box) -> Box:
    """Of li 100 and 50 in the first and second week; of zhao 75, and 0 for a fatal item, in the third."""
    calls: list[tuple[str, int, str, dict[str, Any]]] = [
        ("li", 0, "sales", {}), ("li", 1, "sales", {"listens": 1}),
        ("zhao", 2, "help", {"listens": 3}), ("zhao", 2, "", {"verified": 0})]
    for number, (agent, week, queue, answers) in enumerate(calls, 1):
        judge(box, box.record(number, agent=agent, queue=queue, began_at=MONDAY + week * 7 * DAY_S + 60),
              **answers)
    return box


@pytest.mark.parametrize(("of", "rows"), [
    ("agent", [("", 4, 56.25), ("zhao", 2, 37.5), ("li", 2, 75.0)]),
    ("group", [("", 4, 56.25), ("others", 2, 37.5), ("desk", 2, 75.0)]),
    ("queue", [("", 4, 56.25), ("-", 1, 0.0), ("help", 1, 75.0), ("sales", 2, 75.0)]),
    ("form", [("", 4, 56.25), ("service", 4, 56.25)]),
    ("scorer", [("", 4, 56.25), ("sun", 4, 56.25)]),
    ("item", [("", 4, 56.25), ("service/listens", 4, 62.5), ("service/verified", 4, 75.0),
              ("service/greeting", 4, 100.0), ("service/solves", 4, 100.0)]),
])
def test_scores_by_what_they_are_of_the_worst_first(
        judged: Box, of: ScoresOf, rows: list[tuple[str, int, float]]) -> None:
    found = reports.report(judged.parts, ask(of), UTC)
    assert [(row.name, row.whole.count, row.whole.mean) for row in found.rows] == rows


def test_a_report_has_each_period_its_trend_and_only_whom_one_may_see(judged: Box) -> None:
    found = reports.report(judged.parts, ask("agent"), UTC)
    assert found.periods == ["2026-W40", "2026-W41", "2026-W42"]
    li = found.rows[2]
    assert [(one.count, one.mean) for one in li.periods] == [(1, 100.0), (1, 50.0), (0, None)]
    assert li.trend == -50.0 and found.rows[1].trend is None
    assert [one.fatal for one in found.rows[1].periods] == [0, 0, 1]
    assert [row.name for row in reports.report(judged.parts, ask("agent", "chen"), UTC).rows] == ["", "li"]
    assert [row.name for row in reports.report(judged.parts, ask("agent", "zhao"), UTC).rows] == ["", "zhao"]
    with pytest.raises(StateError, match="more than 400 periods"):
        reports.report(judged.parts, ask("agent", per="day", until=MONDAY + 500 * DAY_S), UTC)


def answering(values: dict[str, dict[str, float]]) -> Any:
    def answer(request: Request[Any], timeout_s: float = 2.0) -> Figures:
        figure = request.figures[0]               # type: ignore[attr-defined]
        rows = [FigureRow(name=name, since=0, until=1, sums=[], values=[
            FigureValue(value=values[figure].get(name), top=0, bottom=1)])
            for name in ["", *request.names]]     # type: ignore[attr-defined]
        return Figures(at=0, definitions=[], rows=rows)
    return answer


def test_the_appraisal_shows_how_it_came_of_its_parts(month: Box) -> None:
    judge(month, f"{1:032x}", listens=3)          # li: 75
    month.parts.ask = answering({"aht_s": {"li": 250.0, "wang": 500.0}, "satisfaction": {"li": 0.9}})
    found = month.ask(GetAppraisals(by="sun", since=OCTOBER, until=OCTOBER + 31 * DAY_S))
    li, wang, zhao = found.rows
    assert li.points == pytest.approx((60 * 75 + 20 * 75 + 20 * 80) / 100)
    assert li.formula == "(60 x 75.0 + 20 x 75.0 + 20 x 80.0) / 100 = 76.0"
    assert li.parts[1].formula == "100 x (250 - 400) / (200 - 400) = 75.0"
    assert (wang.points, wang.formula) == (0.0, "(20 x 0.0) / 20 = 0.0")
    assert wang.parts[1].formula == "max(0, 100 x (500 - 400) / (200 - 400)) = 0.0"
    assert (zhao.points, zhao.formula, zhao.parts[0].formula) == (None, "", "")

    def silent(request: Request[Any], timeout_s: float = 2.0) -> Any:
        raise BusError("GetFigures: no answer in 2 s")
    month.parts.ask = silent
    with pytest.raises(StateError, match="aht_s: GetFigures: no answer"):
        month.ask(GetAppraisals(by="sun", since=OCTOBER, until=OCTOBER + 31 * DAY_S))
    month.parts.database.close()


def test_a_rule_whose_form_is_not_published_says_so(tmp_path: Path) -> None:
    box = make_box(tmp_path, SAMPLING)
    box.record(1, began_at=OCTOBER + 60)
    worklists.tend(box.parts, OCTOBER + 20 * DAY_S, UTC)
    found = box.ask(GetWorklist(by="sun", whose="*"))
    assert found.tasks == [] and {one.agent for one in found.shortfalls} == {"li", "wang", "zhao"}
    assert found.shortfalls[0].why == {"no-form": 0}
    box.parts.database.close()


def test_a_period_is_drawn_to_its_end_but_none_from_before_the_rule(month: Box) -> None:
    november = OCTOBER + 31 * DAY_S
    worklists.tend(month.parts, november, UTC)
    assert month.ask(GetWorklist(by="sun", whose="*")).tasks == []
    worklists.tend(month.parts, OCTOBER + DAY_S, UTC)
    worklists.tend(month.parts, november, UTC)
    found = month.ask(GetWorklist(by="sun", whose="*"))
    assert sorted((task.call.agent, task.period) for task in found.tasks) == sorted(
        [("li", "2026-10"), ("wang", "2026-10")] * 4)
    assert [(one.agent, one.period, one.why) for one in found.shortfalls] == [
        ("zhao", "2026-10", {"short": 31})]
    month.parts.database.close()
