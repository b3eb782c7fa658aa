"""Quality: worklists, scoring beside the player, results and appeals, calibration, coaching, reports.

What somebody may do is decided by recordd, by the name that has signed in.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_login import current_user
from msgspec.structs import replace
from werkzeug.wrappers import Response

from appliance.bus.client import Refused
from appliance.bus.messages import (
    BeginCalibration,
    BeginEvaluation,
    ChangeEvaluation,
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
    QualityAnswer,
    QualityCall,
    QualityEvaluation,
    QualityForm,
    QualityPerson,
    QualityRemark,
    ReadCoachingNote,
    SaveEvaluation,
    ScoreRow,
    ScoresOf,
    ScoresPer,
    StepEvaluation,
    WriteCoachingNote,
)
from webui.access.doors import needs, range_of
from webui.access.ranges import Subject
from webui.hearing import ID, describe
from webui.parts import parts

bp = Blueprint("quality", __name__, url_prefix="/quality")

PAGE = 50
LAST_PAGE = 1_000_000
LONGEST_NAME = 64
ANSWER_S = 10.0
OF, PER = get_args(ScoresOf), get_args(ScoresPer)
STATES = ("draft", "submitted", "acknowledged", "appealed", "decided")
NA = "na"


@bp.get("/")
@needs("appraise")
def index() -> str:
    """The worklist; ?whose=* of everybody."""
    person = _person()
    whose = request.args.get("whose", "")
    found, within = _ask(GetWorklist(by=_by(), whose=whose)), range_of(current_user)
    found = replace(found, tasks=[one for one in found.tasks if _seen(one.call)],
                    shortfalls=[one for one in found.shortfalls if within.names("agents", one.agent)])
    return render_template("quality/index.html", person=person, found=found, whose=whose)


@bp.get("/recording/<recording>")
@needs("results")
def recording(recording: str) -> str:
    """What can be done with one recording: judge it, calibrate with it, write a note to its agent."""
    return _recording(recording)


@bp.post("/recording/<recording>/judge")
@needs("appraise", act="judge")
def judge(recording: str) -> Any:
    try:
        begun = _ask(BeginEvaluation(recording=_id(recording), form=request.form.get("form", ""), by=_by()))
    except Refused as error:
        return _recording(recording, str(error)), 409
    return _see("quality.evaluation", evaluation=begun.info.evaluation)


@bp.post("/recording/<recording>/calibrate")
@needs("appraise", act="calibrate")
def calibrate(recording: str) -> Any:
    try:
        begun = _ask(BeginCalibration(recording=_id(recording), form=request.form.get("form", ""), by=_by(),
                                      scorers=request.form.getlist("scorer")))
    except Refused as error:
        return _recording(recording, str(error)), 409
    return _see("quality.calibration", calibration=begun.info.calibration)


@bp.post("/recording/<recording>/note")
@needs("appraise", act="coach")
def note(recording: str) -> Any:
    try:
        _ask(WriteCoachingNote(by=_by(), recording=_id(recording), text=request.form.get("text", ""),
                               tick=_tick(request.form.get("tick", ""))))
    except Refused as error:
        return _recording(recording, str(error)), 409
    return _see("quality.recording", recording=recording)


@bp.get("/results")
@needs("results")
def results() -> str:
    page = _page()
    chosen = _chosen("agent", "recording", "state")
    found = _ask(GetEvaluations(by=_by(), **chosen, offset=(page - 1) * PAGE, limit=PAGE,
                                within=range_of(current_user).asked()))
    return render_template("quality/results.html", person=_person(), found=found, chosen=chosen, page=page,
                           pages=max(1, -(-found.total // PAGE)), states=STATES)


@bp.get("/evaluations/<int(max=999999999):evaluation>")
@needs("results")
def evaluation(evaluation: int) -> Any:
    """A draft as a form, a result to be read; ?decide: the form to change it with."""
    revision = request.args.get("revision", 0, type=int)
    try:
        found = _ask(GetEvaluation(evaluation=evaluation, by=_by(), revision=revision))
    except Refused as error:
        return _refused(error)
    _look(found.info.call)
    return _evaluation(found)


@bp.post("/evaluations/<int(max=999999999):evaluation>")
@needs("results", act="evaluation")
def save(evaluation: int) -> Any:
    """Keep the draft, submit it, or decide an appeal with other answers; a refusal loses nothing written."""
    try:
        found = _ask(GetEvaluation(evaluation=evaluation, by=_by()))
    except Refused as error:
        return _refused(error)
    _look(found.info.call)
    answers, remarks = _written(found.form)
    act = request.form.get("act", "")
    try:
        if act == "change":
            _ask(ChangeEvaluation(evaluation=evaluation, by=_by(), text=request.form.get("why", ""),
                                  answers=answers, remarks=remarks))
        else:
            _ask(SaveEvaluation(evaluation=evaluation, by=_by(), answers=answers, remarks=remarks,
                                submit=act == "submit"))
    except Refused as error:
        return _evaluation(replace(found, answers=answers, remarks=remarks), str(error)), 409
    return _see("quality.evaluation", evaluation=evaluation)


@bp.post("/evaluations/<int(max=999999999):evaluation>/<any(acknowledge, appeal, uphold, revise):step>")
@needs("results", act="evaluation")
def take(evaluation: int, step: Any) -> Any:
    try:
        _look(_ask(GetEvaluation(evaluation=evaluation, by=_by())).info.call)
        _ask(StepEvaluation(evaluation=evaluation, by=_by(), step=step, text=request.form.get("why", "")))
    except Refused as error:
        try:
            found = _ask(GetEvaluation(evaluation=evaluation, by=_by()))
        except Refused:
            return _refused(error)
        return _evaluation(found, str(error)), 409
    return _see("quality.evaluation", evaluation=evaluation)


@bp.get("/own")
@needs("results")
def own() -> Any:
    """The agent's view: results, notes and recordings of his own."""
    page = _page()
    person = _person()
    try:
        calls = _ask(GetOwnCalls(by=_by(), offset=(page - 1) * PAGE, limit=PAGE))
    except Refused as error:
        return _refused(error)
    return render_template(
        "quality/own.html", person=person, calls=calls, page=page, pages=max(1, -(-calls.total // PAGE)),
        results=_ask(GetEvaluations(by=_by(), agent=person.agent)).evaluations,
        notes=_ask(GetCoachingNotes(by=_by())).notes)


@bp.post("/notes/<int(max=999999999):note>/read")
@needs("results", act="note-read")
def read(note: int) -> Any:
    try:
        _ask(ReadCoachingNote(by=_by(), note=note))
    except Refused as error:
        return _refused(error)
    return _see("quality.own")


@bp.get("/calibrations")
@needs("appraise")
def calibrations() -> Any:
    """?form=NAME: how far scorers agree with it."""
    form = request.args.get("form", "")
    since, until = _time()
    forms = _ask(GetQualityForms(by=_by())).forms
    try:
        agreement = _ask(GetAgreement(form=form, since=since.timestamp(), until=until.timestamp(),
                                      by=_by())) if form else None
    except Refused as error:
        return _refused(error)
    return render_template("quality/calibrations.html", person=_person(), form=form, forms=forms,
                           agreement=agreement, since=since, until=until - timedelta(days=1),
                           found=[one for one in _ask(GetCalibrations(by=_by())).calibrations
                                  if _seen(one.call)])


@bp.get("/calibrations/<int(max=999999999):calibration>")
@needs("appraise")
def calibration(calibration: int) -> Any:
    try:
        found = _ask(GetCalibration(calibration=calibration, by=_by()))
    except Refused as error:
        return _refused(error)
    _look(found.info.call)
    return render_template("quality/calibration.html", person=_person(), found=found)


@bp.get("/report")
@needs("results")
def report() -> Any:
    of: Any = request.args.get("of", "agent")
    per: Any = request.args.get("per", "month")
    if of not in OF or per not in PER:
        abort(400)
    since, until = _time()
    chosen = _chosen("form", "agent")
    try:
        found = _ask(GetScores(by=_by(), of=of, per=per, since=since.timestamp(), until=until.timestamp(),
                               within=range_of(current_user).asked(), **chosen))
    except Refused as error:
        return _refused(error)
    return render_template("quality/report.html", person=_person(), found=found, of=of, per=per, line=line,
                           all_of=OF, all_per=PER, chosen=chosen, since=since,
                           until=until - timedelta(days=1))


@bp.get("/appraisal")
@needs("results")
def appraisal() -> Any:
    since, until = _time()
    try:
        found = _ask(GetAppraisals(by=_by(), since=since.timestamp(), until=until.timestamp()))
    except Refused as error:
        return _refused(error)
    within = range_of(current_user)
    rows = [one for one in found.rows if within.names("agents", one.agent)]
    return render_template("quality/appraisal.html", person=_person(), rows=rows, since=since,
                           until=until - timedelta(days=1))


@bp.get("/forms")
@needs("appraise")
def forms() -> str:
    return _forms()


@bp.post("/forms")
@needs("appraise", act="form-published")
def publish() -> Any:
    try:
        _ask(PublishQualityForm(name=request.form.get("name", ""), by=_by()))
    except Refused as error:
        return _forms(str(error)), 409
    return _see("quality.forms")


@dataclass(frozen=True, slots=True)
class Line:
    """The means of the periods as a drawing of 100 by 100: pieces between gaps, and a mark for each."""

    pieces: list[str]
    marks: list[tuple[float, float, str, float]]  # x, y, period, mean


def line(row: ScoreRow) -> Line:
    last = max(1, len(row.periods) - 1)
    pieces: list[list[str]] = [[]]
    marks = []
    for place, one in enumerate(row.periods):
        if one.mean is None:
            pieces.append([])
            continue
        x, y = round(100 * place / last, 2), round(100 - one.mean, 2)
        pieces[-1].append(f"{x},{y}")
        marks.append((x, y, one.period, one.mean))
    return Line([" ".join(piece) for piece in pieces if len(piece) > 1], marks)


def _by() -> str:
    return str(current_user.name)


def _ask(asked: Any) -> Any:
    return parts().exchange.ask(asked, ANSWER_S)


def _person() -> QualityPerson:
    found: QualityPerson = _ask(GetQualityPerson(by=_by()))
    within = range_of(current_user)
    return replace(found, agents=[one for one in found.agents if within.names("agents", one)])


def _see(endpoint: str, **values: Any) -> Response:
    return redirect(url_for(endpoint, **values), 303)


def _refused(error: Refused) -> tuple[str, int]:
    return render_template("quality/refused.html", person=_person(), wrong=str(error)), 403


def _recording(recording: str, wrong: str = "") -> str:
    person = _person()
    found = _ask(GetEvaluations(by=_by(), recording=_id(recording)))
    return render_template("quality/recording.html", person=person, recording=recording, wrong=wrong,
                           results=found.evaluations, forms=_ask(GetQualityForms(by=_by())).forms)


def _forms(wrong: str = "") -> str:
    return render_template("quality/forms.html", person=_person(), found=_ask(GetQualityForms(by=_by())),
                           wrong=wrong)


def _evaluation(found: QualityEvaluation, wrong: str = "") -> str:
    deciding = "change" in found.may and ("decide" in request.args or request.form.get("act") == "change")
    return render_template(
        "quality/evaluation.html", person=_person(), found=found, wrong=wrong, deciding=deciding,
        given={one.item: one.value for one in found.answers}, why=request.form.get("why", ""),
        remarks=_by_item(found.form, found.remarks))


def _by_item(form: QualityForm, remarks: Sequence[QualityRemark]) -> dict[str, list[QualityRemark]]:
    names = ["", *(item.name for item in form.items)]
    return {name: [one for one in remarks if one.item == name] for name in names}


def _written(form: QualityForm) -> tuple[list[QualityAnswer], list[QualityRemark]]:
    """What the page's form says; remarks without a text are none."""
    answers = []
    for item in form.items:
        said = request.form.get(f"answer-{item.name}", "")
        if said:
            answers.append(QualityAnswer(item=item.name, value=None if said == NA else _number(said)))
    remarks = [QualityRemark(item=name, text=text.strip(), tick=_tick(tick))
               for name in [*(item.name for item in form.items), ""]
               for text, tick in zip(request.form.getlist(f"remark-{name}"),
                                     request.form.getlist(f"tick-{name}"), strict=False) if text.strip()]
    return answers, remarks


def _number(said: str) -> float:
    if not re.fullmatch(r"\d{1,3}", said, re.ASCII):
        abort(400)
    return float(said)


def _tick(said: str) -> int | None:
    if said and not re.fullmatch(r"\d{1,9}", said, re.ASCII):
        abort(400)
    return int(said) if said else None


def _id(recording: str) -> str:
    """404: that is no recording's name, or it is outside the range of who asks."""
    if not ID.fullmatch(recording):
        abort(404)
    if range_of(current_user).limited:
        describe(recording)
    return recording


def _seen(call: QualityCall) -> bool:
    return range_of(current_user).holds(Subject(call.queue, call.agent))


def _look(call: QualityCall) -> None:
    """404: outside the range of who asks."""
    if not _seen(call):
        abort(404)


def _chosen(*names: str) -> dict[str, Any]:
    return {name: request.args.get(name, "")[:LONGEST_NAME] for name in names}


def _page() -> int:
    page = request.args.get("page", 1, type=int)
    if not 1 <= page <= LAST_PAGE:
        abort(404)
    return page


def _time() -> tuple[datetime, datetime]:
    """From the beginning of a day to the end of another; this year without them."""
    now = datetime.now()
    try:
        since = datetime.fromisoformat(request.args.get("since") or f"{now.year}-01-01")
        until = datetime.fromisoformat(request.args.get("until") or f"{now:%Y-%m-%d}") + timedelta(days=1)
        since.timestamp(), until.timestamp()
    except (ValueError, OverflowError, OSError):
        abort(400)
    return since, until
