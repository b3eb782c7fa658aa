"""An evaluation from the draft to the decided appeal, as requests to recordd over a real catalogue."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from appliance.bus.messages import (
    BeginEvaluation,
    ChangeEvaluation,
    GetEvaluation,
    GetEvaluations,
    GetOwnCalls,
    GetQualityForms,
    GetQualityPerson,
    GetScores,
    PublishQualityForm,
    QualityEvaluation,
    QualityRemark,
    SaveEvaluation,
    StepEvaluation,
    Within,
)
from appliance.errors import StateError
from appliance.recording.quality import tables
from appliance.recording.vault import chain
from tests.recording.quality.box import FORM, MONDAY, Box, said

DAY_S = 86400.0


def begin(box: Box, recording: str, by: str = "chen") -> QualityEvaluation:
    found: QualityEvaluation = box.ask(BeginEvaluation(recording=recording, form="service", by=by))
    return found


def submit(box: Box, evaluation: int, by: str = "chen", **answers: Any) -> QualityEvaluation:
    found: QualityEvaluation = box.ask(SaveEvaluation(
        evaluation=evaluation, by=by, answers=said(**answers), remarks=[], submit=True))
    return found


def scored(box: Box, **answers: Any) -> int:
    """An evaluation of a call of li that chen has submitted."""
    number = begin(box, box.record(1)).info.evaluation
    submit(box, number, **answers)
    return number


def step(box: Box, evaluation: int, by: str, which: Any, text: str = "") -> QualityEvaluation:
    found: QualityEvaluation = box.ask(StepEvaluation(evaluation=evaluation, by=by, step=which, text=text))
    return found


def entries(box: Box, recording: str) -> list[str]:
    with box.parts.database.read() as connection:
        assert chain.verify(connection) is None
        return [entry.kind for entry in chain.of_recording(connection, recording)]


def test_a_draft_grows_and_is_submitted_with_places_to_hear(box: Box) -> None:
    recording = box.record(1)
    draft = begin(box, recording)
    assert draft.draft and draft.may == ["save"] and draft.running is None
    remarks = [QualityRemark(item="listens", tick=4200, text="interrupts"), QualityRemark(text="friendly")]
    saved = box.ask(SaveEvaluation(evaluation=draft.info.evaluation, by="chen", answers=said()[:2],
                                   remarks=remarks))
    assert saved.running == 100.0 and saved.remarks == remarks and saved.info.score is None
    assert begin(box, recording).info.evaluation == draft.info.evaluation
    assert box.score_of(recording) is None
    done = box.ask(SaveEvaluation(evaluation=draft.info.evaluation, by="chen", answers=said(listens=3),
                                  remarks=remarks, submit=True))
    assert (done.info.state, done.info.score, done.info.passed, done.info.revision) == (
        "submitted", 75.0, False, 1)
    assert box.score_of(recording) == 75.0
    assert entries(box, recording) == ["scored"]
    assert box.ask(GetEvaluation(evaluation=draft.info.evaluation, by="li2")).remarks == remarks


def test_what_was_submitted_is_never_changed_a_revision_is_added(box: Box) -> None:
    number = scored(box, listens=1)
    with pytest.raises(StateError, match="was submitted"):
        submit(box, number)
    assert step(box, number, "chen", "revise").draft
    assert box.ask(GetEvaluation(evaluation=number, by="li2")).info.score == 50.0
    again = submit(box, number, listens=5)
    assert (again.info.revision, again.info.score) == (2, 100.0)
    first = box.ask(GetEvaluation(evaluation=number, by="li2", revision=1))
    assert first.running == 50.0 and not first.draft
    assert box.score_of(f"{1:032x}") == 100.0
    assert [(one.step, one.revision, one.score) for one in again.history] == [
        ("submit", 1, 50.0), ("revise", 2, 100.0)]


def test_an_appeal_is_decided_by_another_and_ends_it(box: Box) -> None:
    number = scored(box, verified=0)
    assert box.ask(GetEvaluation(evaluation=number, by="li2")).may == ["acknowledge", "appeal"]
    appealed = step(box, number, "li2", "appeal", "he said his birthday at 0:42")
    assert appealed.info.state == "appealed" and appealed.may == []
    assert box.ask(GetQualityPerson(by="sun")).appeals == 1
    assert box.ask(GetQualityPerson(by="chen")).appeals == 0
    with pytest.raises(StateError, match="another person than the scorer"):
        step(box, number, "chen", "uphold", "no")
    changed = box.ask(ChangeEvaluation(evaluation=number, by="sun", text="he did", answers=said(),
                                       remarks=[]))
    assert (changed.info.state, changed.info.score, changed.info.revision) == ("decided", 100.0, 2)
    assert changed.info.scorer == "chen"
    assert step(box, number, "li2", "acknowledge").info.state == "acknowledged"
    with pytest.raises(StateError, match="an appeal against it was decided"):
        step(box, number, "li2", "appeal", "once more")
    assert entries(box, f"{1:032x}") == ["scored", "appealed", "scored", "score-acknowledged"]


def test_an_appeal_upheld_leaves_the_result(box: Box) -> None:
    number = scored(box, verified=0)
    step(box, number, "li2", "appeal", "unfair")
    kept = step(box, number, "sun", "uphold", "at 0:42 he only gives the name")
    assert (kept.info.state, kept.info.score, kept.info.revision) == ("decided", 0.0, 1)
    assert kept.history[-1].text == "at 0:42 he only gives the name"


def test_an_appeal_comes_in_time_and_says_why(box: Box) -> None:
    number = scored(box)
    with pytest.raises(StateError, match="the text is empty"):
        step(box, number, "li2", "appeal", "  ")
    box.clock[0] = MONDAY + 14 * DAY_S + 1
    with pytest.raises(StateError, match="14 days from the result on"):
        step(box, number, "li2", "appeal", "unfair")
    assert box.ask(GetEvaluation(evaluation=number, by="li2")).may == ["acknowledge"]


@pytest.mark.parametrize(("by", "agent", "says"), [
    ("chen", "zhao", "chen may not judge calls of zhao: see quality.people"),
    ("wang", "wang", "nobody judges himself"),
    ("li2", "wang", "may not judge"),
    ("stranger", "li", "may not judge"),
])
def test_who_may_not_judge_is_refused(box: Box, by: str, agent: str, says: str) -> None:
    with pytest.raises(StateError, match=says):
        begin(box, box.record(1, agent=agent), by)


def test_others_see_neither_drafts_nor_what_they_may_not(box: Box) -> None:
    draft = begin(box, box.record(1)).info.evaluation
    for by in ("sun", "li2", "wang"):
        with pytest.raises(StateError, match="may not see"):
            box.ask(GetEvaluation(evaluation=draft, by=by))
    submit(box, draft)
    submit(box, begin(box, box.record(2, agent="zhao"), "sun").info.evaluation, "sun")
    seen = {by: {one.call.agent for one in box.ask(GetEvaluations(by=by)).evaluations}
            for by in ("chen", "sun", "li2", "zhao", "wang", "stranger")}
    assert seen == {"chen": {"li"}, "sun": {"li", "zhao"}, "li2": {"li"}, "zhao": {"zhao"},
                    "wang": {"li", "zhao"}, "stranger": set()}
    for within, agents in ((Within(), {"li", "zhao"}), (Within(agents=["zhao"]), {"zhao"}),
                           (Within(queues=["none"]), set()), (Within(agents=[]), set())):
        found = box.ask(GetEvaluations(by="sun", within=within))
        assert {one.call.agent for one in found.evaluations} == agents
        assert found.total == len(agents)
        scores = box.ask(GetScores(by="sun", of="agent", per="year", since=MONDAY - 400 * DAY_S,
                                   until=MONDAY + 400 * DAY_S,
                                   within=within))
        assert {row.name for row in scores.rows[1:]} == agents


def test_recordings_that_cannot_be_judged(box: Box) -> None:
    box.record(1, state="erased", erased_why="retention")
    box.record(2, agent="")
    for name, says in ((f"{1:032x}", "its audio was erased"), (f"{2:032x}", "no agent is known"),
                       ("f" * 32, "no such recording")):
        with pytest.raises(StateError, match=says):
            begin(box, name)


@pytest.mark.parametrize(("remark", "says"), [
    (QualityRemark(text="late", tick=12001), "the recording has 0 to 12000"),
    (QualityRemark(text="", item="greeting"), "the text is empty"),
    (QualityRemark(text="x", item="smiles"), "no such item"),
    (QualityRemark(text="x" * 4001), "4000 are the most"),
])
def test_remarks_that_do_not_fit_change_nothing(box: Box, remark: QualityRemark, says: str) -> None:
    draft = begin(box, box.record(1)).info.evaluation
    with pytest.raises(StateError, match=says):
        box.ask(SaveEvaluation(evaluation=draft, by="chen", answers=said(), remarks=[remark]))
    assert box.ask(GetEvaluation(evaluation=draft, by="chen")).answers == []


def test_a_published_form_stays_whatever_its_file_becomes(box: Box) -> None:
    number = scored(box, listens=3)
    path = box.parts.folder / "forms" / "service.yaml"
    path.write_text(FORM.replace("weight: 2, ", "").replace("weight: 2\n", "weight: 9\n"))
    assert [one.state for one in box.ask(GetQualityForms(by="sun")).files] == ["changed"]
    second = box.ask(PublishQualityForm(name="service", by="sun"))
    assert second.new and second.form.version == 2
    assert not box.ask(PublishQualityForm(name="service", by="sun")).new
    found = box.ask(GetEvaluation(evaluation=number, by="chen"))
    assert (found.info.version, found.info.score, found.running) == (1, 75.0, 75.0)
    assert begin(box, box.record(2)).info.version == 2
    with pytest.raises(StateError, match="chen may not publish"):
        box.ask(PublishQualityForm(name="service", by="chen"))
    path.write_text("name: service\n")
    with pytest.raises(StateError, match=r"service\.yaml:1: "):
        box.ask(PublishQualityForm(name="service", by="sun"))
    assert [one.state for one in box.ask(GetQualityForms(by="sun")).files] == ["wrong"]


def test_a_transition_and_its_entry_are_one(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = begin(box, box.record(1)).info.evaluation

    def fail(*_: Any) -> None:
        raise OSError("disk full")
    monkeypatch.setattr(box.parts, "chain", type("Chain", (), {"append": fail}))
    with pytest.raises(OSError, match="disk full"):
        submit(box, draft)
    assert box.ask(GetEvaluation(evaluation=draft, by="chen")).answers == []
    assert box.score_of(f"{1:032x}") is None


def test_an_entry_says_what_without_answers_or_texts(box: Box) -> None:
    number = scored(box)
    step(box, number, "li2", "appeal", "my private reason")
    with box.parts.database.read() as connection:
        form = connection.execute(select(tables.forms.c.digest)).scalar_one()
        found = [json.loads(entry.data) if isinstance(entry.data, str) else dict(entry.data)
                 for entry in chain.of_recording(connection, f"{1:032x}")]
    assert found == [{"evaluation": number, "revision": 1, "step": "submit", "score": 100.0, "form": form},
                     {"evaluation": number, "revision": 1, "step": "appeal"}]


def test_an_agent_has_his_own_recordings_at_any_time(box: Box) -> None:
    mine = [box.record(number, began_at=MONDAY - 100 * DAY_S + number) for number in (1, 2, 3)]
    box.record(4, agent="wang")
    box.record(5, state="erased")
    found = box.ask(GetOwnCalls(by="li2", limit=2))
    assert [call.recording for call in found.calls] == mine[:0:-1] and found.total == 3
    with pytest.raises(StateError, match="chen is no agent"):
        box.ask(GetOwnCalls(by="chen"))
