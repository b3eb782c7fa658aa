"""What recordd answers about quality. StateError: refused, with a sentence."""

from pathlib import Path

from appliance.bus.messages import (
    BeginCalibration,
    BeginEvaluation,
    Calibration,
    CalibrationList,
    CallList,
    ChangeEvaluation,
    CoachingNotes,
    Done,
    EvaluationList,
    GetAgreement,
    GetAppraisals,
    GetCalibration,
    GetCalibrations,
    GetCoachingNotes,
    GetEvaluation,
    GetEvaluations,
    GetOwnCalls,
    GetQualityForms,
    GetQualityPerson,
    GetScores,
    GetWorklist,
    PublishQualityForm,
    QualityEvaluation,
    QualityForms,
    QualityPerson,
    QualityPublished,
    QualityWorklist,
    ReadCoachingNote,
    SaveEvaluation,
    StepEvaluation,
    WriteCoachingNote,
)
from appliance.errors import StateError
from appliance.recording.parts import Answers, Parts
from appliance.recording.quality import (
    calibrations,
    calls,
    coaching,
    evaluations,
    published,
    reports,
    worklists,
)
from appliance.recording.quality.rights import ACTS

MOST_CALLS = 200


def _forms(parts: Parts, asked: GetQualityForms) -> QualityForms:
    with parts.database.read() as connection:
        return QualityForms(forms=published.listed(connection),
                            files=published.in_folder(connection, Path(parts.config.quality.forms)))


def _publish(parts: Parts, asked: PublishQualityForm) -> QualityPublished:
    if not evaluations.rights(parts).may_ever(asked.by, "publish"):
        raise StateError(f"{asked.by} may not publish forms: see quality.people of the configuration")
    form, new = published.publish(parts, asked.name, asked.by)
    return QualityPublished(form=form, new=new)


def _begin(parts: Parts, asked: BeginEvaluation) -> QualityEvaluation:
    return evaluations.get(parts, evaluations.begin(parts, asked.recording, asked.form, asked.by), asked.by)


def _get(parts: Parts, asked: GetEvaluation) -> QualityEvaluation:
    return evaluations.get(parts, asked.evaluation, asked.by, asked.revision)


def _save(parts: Parts, asked: SaveEvaluation) -> QualityEvaluation:
    evaluations.save(parts, asked.evaluation, asked.by, asked.answers, asked.remarks, asked.submit)
    return evaluations.get(parts, asked.evaluation, asked.by)


def _step(parts: Parts, asked: StepEvaluation) -> QualityEvaluation:
    evaluations.step(parts, asked.evaluation, asked.by, asked.step, asked.text)
    return evaluations.get(parts, asked.evaluation, asked.by)


def _change(parts: Parts, asked: ChangeEvaluation) -> QualityEvaluation:
    evaluations.change(parts, asked.evaluation, asked.by, asked.text, asked.answers, asked.remarks)
    return evaluations.get(parts, asked.evaluation, asked.by)


def _list(parts: Parts, asked: GetEvaluations) -> EvaluationList:
    found, total = evaluations.listed(
        parts, asked.by, asked.agent, asked.recording, asked.state, asked.offset, asked.limit, asked.within)
    return EvaluationList(evaluations=found, total=total)


def _worklist(parts: Parts, asked: GetWorklist) -> QualityWorklist:
    tasks, shortfalls = worklists.listed(parts, asked.by, asked.whose)
    return QualityWorklist(tasks=tasks, shortfalls=shortfalls)


def _person(parts: Parts, asked: GetQualityPerson) -> QualityPerson:
    who = evaluations.rights(parts)
    agent = who.agent(asked.by)
    return QualityPerson(
        agent=agent, may=[act for act in ACTS if who.may_ever(asked.by, act)],
        agents=[name for name in sorted(who.agents) if who.may(asked.by, "see", name)],
        scorers=[one.name for one in parts.config.quality.people if "score" in one.may],
        appeals=evaluations.appeals_for(parts, asked.by),
        unread=coaching.unread(parts, agent) if agent else 0)


def _own_calls(parts: Parts, asked: GetOwnCalls) -> CallList:
    agent = evaluations.rights(parts).agent(asked.by)
    if not agent:
        raise StateError(f"{asked.by} is no agent: there are no calls of his own")
    with parts.database.read() as connection:
        found, total = calls.of_agent(connection, agent, max(0, asked.offset),
                                      min(max(0, asked.limit), MOST_CALLS))
    return CallList(calls=found, total=total)


def _begin_calibration(parts: Parts, asked: BeginCalibration) -> Calibration:
    number = calibrations.begin(parts, asked.recording, asked.form, asked.scorers, asked.by)
    return calibrations.get(parts, number, asked.by)


def _calibration(parts: Parts, asked: GetCalibration) -> Calibration:
    return calibrations.get(parts, asked.calibration, asked.by)


def _calibrations(parts: Parts, asked: GetCalibrations) -> CalibrationList:
    return CalibrationList(calibrations=calibrations.listed(parts, asked.by))


def _notes(parts: Parts, asked: GetCoachingNotes) -> CoachingNotes:
    return CoachingNotes(notes=coaching.listed(parts, asked.by, asked.agent, asked.recording))


def _write_note(parts: Parts, asked: WriteCoachingNote) -> Done:
    coaching.write(parts, asked.by, asked.agent, asked.text, asked.recording, asked.tick)
    return Done()


def _read_note(parts: Parts, asked: ReadCoachingNote) -> Done:
    coaching.read(parts, asked.by, asked.note)
    return Done()


ANSWERS: Answers = {
    GetQualityForms: _forms, PublishQualityForm: _publish,
    BeginEvaluation: _begin, GetEvaluation: _get, SaveEvaluation: _save, StepEvaluation: _step,
    ChangeEvaluation: _change, GetEvaluations: _list,
    GetWorklist: _worklist, GetQualityPerson: _person, GetOwnCalls: _own_calls,
    BeginCalibration: _begin_calibration, GetCalibration: _calibration, GetCalibrations: _calibrations,
    GetAgreement: lambda parts, asked: calibrations.over_time(
        parts, asked.form, asked.since, asked.until, asked.by),
    GetCoachingNotes: _notes, WriteCoachingNote: _write_note, ReadCoachingNote: _read_note,
    GetScores: reports.report, GetAppraisals: reports.appraisals,
}
