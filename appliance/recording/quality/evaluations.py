"""Evaluations: begun, saved, submitted, acknowledged, appealed against, decided.

Every step is a row and an entry of the chain in one transaction. What was submitted is never changed.
"""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, false, func, insert, or_, select, update

from appliance.bus.messages import (
    EvaluationInfo,
    QualityAnswer,
    QualityCall,
    QualityEvaluation,
    QualityHistory,
    QualityRemark,
    Within,
)
from appliance.errors import StateError
from appliance.recording.parts import Parts
from appliance.recording.quality import calls, forms, published
from appliance.recording.quality.forms import Form
from appliance.recording.quality.rights import Rights
from appliance.recording.quality.states import Step, follow
from appliance.recording.quality.tables import (
    answers,
    calibrations,
    evaluations,
    remarks,
    revisions,
    steps,
    tasks,
)
from appliance.recording.wav import TICKS_PER_S

MOST_REMARKS = 200
MOST_TEXT = 4000                                  # characters of a remark, an appeal, a decision
MOST_LISTED = 500
DAY_S = 86400.0

CHAIN_KINDS: dict[str, str] = {"submit": "scored", "change": "scored", "acknowledge": "score-acknowledged",
                               "appeal": "appealed", "uphold": "appeal-upheld", "revise": "score-revised"}


def rights(parts: Parts) -> Rights:
    return Rights(parts.config.quality, frozenset(agent.name for agent in parts.config.centre.agents))


def begin(parts: Parts, recording: str, form: str, by: str) -> int:
    """The draft's number; one that `by` has of it already."""
    with parts.database.write() as connection:
        call = calls.find(connection, recording)
        if not rights(parts).may(by, "score", call.agent):
            raise StateError(f"{by} may not judge calls of {call.agent}: {_why_not(parts, by, call.agent)}")
        _, digest = published.newest(connection, form)
        own = (evaluations.c.recording == recording, evaluations.c.scorer == by,
               evaluations.c.calibration.is_(None))
        there = connection.execute(select(evaluations.c.evaluation, evaluations.c.state).where(
            *own, evaluations.c.form == digest)).first()
        if there is not None and there.state != "draft":
            raise StateError(f"{by} has judged this call with this form: see evaluation {there.evaluation}")
        number: int = there.evaluation if there else draft(connection, parts.now(), call, digest, by, None)
        connection.execute(update(tasks).where(
            tasks.c.recording == recording, tasks.c.scorer == by, tasks.c.form == form,
            tasks.c.state == "open").values(evaluation=number))
        return number


def draft(connection: Connection, now: float, call: QualityCall, form: str, scorer: str,
          calibration: int | None) -> int:
    number: int = connection.execute(insert(evaluations).values(
        recording=call.recording, contact=call.contact, agent=call.agent, queue=call.queue,
        began_at=call.began_at, duration_s=call.duration_s, form=form, scorer=scorer,
        calibration=calibration, state="draft", decided=False, revision=0, at=now, passed=False,
        fatal=False).returning(evaluations.c.evaluation)).scalar_one()
    connection.execute(insert(revisions).values(evaluation=number, revision=1, by=scorer))
    return number


def save(parts: Parts, evaluation: int, by: str, given: Sequence[QualityAnswer],
         said: Sequence[QualityRemark], submit: bool) -> None:
    """Replace the draft's answers and remarks."""
    with parts.database.write() as connection:
        row = _row(connection, evaluation)
        if row.scorer != by:
            raise StateError(f"evaluation {evaluation} is {row.scorer}'s: only he can go on with it")
        if not rights(parts).may(by, "score", row.agent) and row.calibration is None:
            raise StateError(f"{by} may not judge calls of {row.agent} any more")
        revision = row.revision + 1
        if _draft_of(connection, evaluation, revision) is None:
            raise StateError(f"evaluation {evaluation} was submitted: it is not changed any more, revise it")
        form, _ = published.of(connection, row.form)
        _keep(connection, row, form, revision, given, said, complete=submit)
        if submit:
            step: Step = "submit" if row.state == "draft" else "revise"
            _submit(parts, connection, row, form, revision, step, by, "")


def step(parts: Parts, evaluation: int, by: str, which: Literal["acknowledge", "appeal", "uphold", "revise"],
         text: str) -> None:
    with parts.database.write() as connection:
        row = _row(connection, evaluation)
        if why := _may_not(parts, row, by, which):
            raise StateError(why)
        state = follow(row.state, which, row.decided)
        if which in ("appeal", "uphold"):
            _refuse_empty(text)
        if which == "revise":                     # it becomes a step when the new revision is submitted
            if _draft_of(connection, evaluation, row.revision + 1) is None:
                _copy(connection, evaluation, row.revision, by)
            return
        if which == "appeal":                     # what was about to be revised is left to who decides
            _drop(connection, evaluation, row.revision + 1)
        now = parts.now()
        connection.execute(update(evaluations).where(evaluations.c.evaluation == evaluation).values(
            state=state, at=now, decided=row.decided or which == "uphold"))
        _note(parts, connection, row, now, by, which, row.revision, text, None)


def change(parts: Parts, evaluation: int, by: str, text: str, given: Sequence[QualityAnswer],
           said: Sequence[QualityRemark]) -> None:
    """An appeal decided with another result."""
    with parts.database.write() as connection:
        row = _row(connection, evaluation)
        if why := _may_not(parts, row, by, "change"):
            raise StateError(why)
        follow(row.state, "change", row.decided)
        _refuse_empty(text)
        form, _ = published.of(connection, row.form)
        connection.execute(insert(revisions).values(
            evaluation=evaluation, revision=row.revision + 1, by=by))
        _keep(connection, row, form, row.revision + 1, given, said, complete=True)
        _submit(parts, connection, row, form, row.revision + 1, "change", by, text)


def get(parts: Parts, evaluation: int, by: str, revision: int = 0) -> QualityEvaluation:
    with parts.database.read() as connection:
        row = _row(connection, evaluation)
        mine = row.scorer == by
        if not mine and (row.state == "draft" or not _may_see(parts, connection, row, by)):
            raise StateError(f"{by} may not see evaluation {evaluation}: {_why_not(parts, by, row.agent)}")
        is_draft = not revision and mine and (
            _draft_of(connection, evaluation, row.revision + 1) is not None)
        shown = revision or row.revision + is_draft
        if not is_draft and not 1 <= shown <= row.revision:
            raise StateError(f"evaluation {evaluation} has no revision {shown}, the newest is {row.revision}")
        form, _ = published.of(connection, row.form)
        given = [QualityAnswer(item=one.item, value=one.value) for one in connection.execute(
            select(answers).where(answers.c.evaluation == evaluation, answers.c.revision == shown))]
        result = forms.result(form, {one.item: one.value for one in given})
        return QualityEvaluation(
            info=_info(connection, row), form=published.info(connection, row.form), draft=is_draft,
            answers=given, remarks=_remarks(connection, evaluation, shown), running=result.score,
            fatal=list(result.fatal), history=_history(connection, evaluation),
            may=[*(["save"] if is_draft else []),
                 *(which for which in ("acknowledge", "appeal", "uphold", "change", "revise")
                   if not (is_draft and which == "revise") and _open(parts, row, by, which))])


def listed(parts: Parts, by: str, agent: str, recording: str, state: str, offset: int, limit: int,
           within: Within | None = None) -> tuple[list[EvaluationInfo], int]:
    """Results that `by` may see, and own drafts, of calls `within`; calibrations are not among them."""
    who = rights(parts)
    with parts.database.read() as connection:
        there = connection.execute(select(evaluations.c.agent).distinct()).scalars()
        seen = [one for one in there if who.may(by, "see", one) or who.may(by, "decide", one)]
        chosen = select(evaluations).where(
            evaluations.c.calibration.is_(None),
            (evaluations.c.scorer == by)
            | (evaluations.c.agent.in_(seen) & (evaluations.c.state != "draft")))
        for column, wanted in (("agent", agent), ("recording", recording), ("state", state)):
            if wanted:
                chosen = chosen.where(evaluations.c[column] == wanted)
        if within is not None:
            limits = [(evaluations.c[name], names) for name, names in within.limits().items()
                      if name in evaluations.c]
            chosen = chosen.where(*(column.in_(["", *names]) for column, names in limits))
            if within.limits():
                chosen = chosen.where(or_(false(), *((column != "") & column.in_(names)
                                                     for column, names in limits)))
        total = connection.execute(select(func.count()).select_from(chosen.subquery())).scalar_one()
        rows = connection.execute(chosen.order_by(evaluations.c.evaluation.desc())
                                  .offset(max(0, offset)).limit(min(max(0, limit), MOST_LISTED)))
        return [_info(connection, row) for row in rows], total


def appeals_for(parts: Parts, by: str) -> int:
    """How many wait for a decision that `by` may take."""
    with parts.database.read() as connection:
        rows = connection.execute(select(evaluations).where(evaluations.c.state == "appealed"))
        return sum(not _may_not(parts, row, by, "uphold") for row in rows)


def _submit(parts: Parts, connection: Connection, row: Row[Any], form: Form, revision: int, step: Step,
            by: str, text: str) -> None:
    state = follow(row.state, step, row.decided)
    values = {item: value for item, value in connection.execute(select(answers.c.item, answers.c.value).where(
        answers.c.evaluation == row.evaluation, answers.c.revision == revision))}
    result, now = forms.result(form, values), parts.now()
    connection.execute(update(revisions).values(score=result.score).where(
        revisions.c.evaluation == row.evaluation, revisions.c.revision == revision))
    connection.execute(update(evaluations).where(evaluations.c.evaluation == row.evaluation).values(
        state=state, revision=revision, at=now, submitted_at=now, score=result.score, passed=result.passed,
        fatal=bool(result.fatal), decided=row.decided or step == "change"))
    connection.execute(update(tasks).where(tasks.c.evaluation == row.evaluation).values(state="done"))
    calls.rate(connection, row.recording)
    _note(parts, connection, row, now, by, step, revision, text, result.score)


def _note(parts: Parts, connection: Connection, row: Row[Any], now: float, by: str, step: Step, revision: int,
          text: str, score: float | None) -> None:
    connection.execute(insert(steps).values(
        evaluation=row.evaluation, at=now, by=by, step=step, revision=revision, text=text, score=score))
    said = {"evaluation": row.evaluation, "revision": revision, "step": step}
    if score is not None:
        said |= {"score": score, "form": row.form}
    parts.chain.append(connection, now, CHAIN_KINDS[step], row.recording, by, said)


def _keep(connection: Connection, row: Row[Any], form: Form, revision: int, given: Sequence[QualityAnswer],
          said: Sequence[QualityRemark], complete: bool) -> None:
    values = {one.item: one.value for one in given}
    if len(values) < len(given):
        raise StateError("an item is answered twice")
    if why := forms.wrong(form, values, complete):
        raise StateError(why)
    _refuse_remarks(form, row, said)
    for table in (answers, remarks):
        connection.execute(delete(table).where(
            table.c.evaluation == row.evaluation, table.c.revision == revision))
    items = {item.name: item for item, _ in form.items()}
    if given:
        connection.execute(insert(answers), [
            {"evaluation": row.evaluation, "revision": revision, "item": one.item, "value": one.value,
             "share": None if one.value is None else items[one.item].share(one.value)} for one in given])
    if said:
        connection.execute(insert(remarks), [
            {"evaluation": row.evaluation, "revision": revision, "place": place, "item": one.item,
             "tick": one.tick, "text": one.text} for place, one in enumerate(said)])


def _refuse_remarks(form: Form, row: Row[Any], said: Sequence[QualityRemark]) -> None:
    if len(said) > MOST_REMARKS:
        raise StateError(f"{len(said)} remarks: {MOST_REMARKS} are the most")
    items = {item.name for item, _ in form.items()}
    last = round(row.duration_s * TICKS_PER_S)
    for one in said:
        _refuse_empty(one.text)
        if one.item and one.item not in items:
            raise StateError(f"{one.item}: the form has no such item")
        if one.tick is not None and not 0 <= one.tick <= last:
            raise StateError(f"tick {one.tick}: the recording has 0 to {last}")


def _refuse_empty(text: str) -> None:
    if not text.strip():
        raise StateError("say why: the text is empty")
    if len(text) > MOST_TEXT:
        raise StateError(f"a text of {len(text)} characters: {MOST_TEXT} are the most")


def _copy(connection: Connection, evaluation: int, revision: int, by: str) -> None:
    """What was submitted as the beginning of the next revision."""
    connection.execute(insert(revisions).values(evaluation=evaluation, revision=revision + 1, by=by))
    for table in (answers, remarks):
        found = connection.execute(select(table).where(
            table.c.evaluation == evaluation, table.c.revision == revision)).mappings().all()
        if found:
            connection.execute(insert(table), [dict(one) | {"revision": revision + 1} for one in found])


def _drop(connection: Connection, evaluation: int, revision: int) -> None:
    for table in (answers, remarks, revisions):
        connection.execute(delete(table).where(
            table.c.evaluation == evaluation, table.c.revision == revision))


def _may_not(parts: Parts, row: Row[Any], by: str, step: Step) -> str:
    """Why `by` may not take the step, whatever the state; "": he may."""
    who = rights(parts)
    if row.calibration is not None:
        return "a calibration compares scorers: it is no result of the agent"
    if step in ("acknowledge", "appeal"):
        if who.agent(by) != row.agent:
            return f"only {row.agent}, whose call it was, can do so"
        late_s = parts.now() - (row.submitted_at or 0.0) - parts.config.quality.appeal_days * DAY_S
        if step == "appeal" and late_s > 0:
            return f"an appeal can be made {parts.config.quality.appeal_days:g} days from the result on"
    elif step in ("uphold", "change"):
        if by == row.scorer:
            return "another person than the scorer decides an appeal"
        if not who.may(by, "decide", row.agent):
            return f"{by} may not decide appeals of {row.agent}: {_why_not(parts, by, row.agent)}"
    elif step == "revise" and by != row.scorer:
        return f"only {row.scorer}, who judged, can revise it"
    elif step == "revise" and not who.may(by, "score", row.agent):
        return f"{by} may not judge calls of {row.agent} any more"
    return ""


def _open(parts: Parts, row: Row[Any], by: str, step: Step) -> bool:
    try:
        follow(row.state, step, row.decided)
    except StateError:
        return False
    return not _may_not(parts, row, by, step)


def _may_see(parts: Parts, connection: Connection, row: Row[Any], by: str) -> bool:
    who = rights(parts)
    if row.calibration is None:
        return who.may(by, "see", row.agent) or who.may(by, "decide", row.agent)
    open_ones = connection.execute(select(func.count()).where(
        evaluations.c.calibration == row.calibration, evaluations.c.state == "draft")).scalar_one()
    in_it = connection.execute(select(calibrations.c.by).where(
        calibrations.c.calibration == row.calibration)).scalar() == by or connection.execute(
        select(evaluations.c.scorer).where(evaluations.c.calibration == row.calibration,
                                           evaluations.c.scorer == by)).first() is not None
    return not open_ones and (in_it or who.may(by, "calibrate", row.agent))


def _why_not(parts: Parts, by: str, agent: str) -> str:
    return ("nobody judges himself" if rights(parts).agent(by) == agent
            else "see quality.people of the configuration")


def _row(connection: Connection, evaluation: int) -> Row[Any]:
    row = connection.execute(select(evaluations).where(
        evaluations.c.evaluation == evaluation)).one_or_none()
    if row is None:
        raise StateError(f"there is no evaluation {evaluation}")
    return row


def _draft_of(connection: Connection, evaluation: int, revision: int) -> Row[Any] | None:
    return connection.execute(select(revisions).where(
        revisions.c.evaluation == evaluation, revisions.c.revision == revision)).one_or_none()


def call_of(row: Row[Any]) -> QualityCall:
    return QualityCall(recording=row.recording, contact=row.contact, agent=row.agent, queue=row.queue,
                       began_at=row.began_at, duration_s=row.duration_s)


def _info(connection: Connection, row: Row[Any]) -> EvaluationInfo:
    form, kept = published.of(connection, row.form)
    return EvaluationInfo(
        evaluation=row.evaluation, call=call_of(row), form=kept.name, version=kept.version, title=form.title,
        scorer=row.scorer, state=row.state, revision=row.revision, at=row.at, score=row.score,
        passed=row.passed, calibration=row.calibration)


def _remarks(connection: Connection, evaluation: int, revision: int) -> list[QualityRemark]:
    rows = connection.execute(select(remarks).where(
        remarks.c.evaluation == evaluation, remarks.c.revision == revision).order_by(remarks.c.place))
    return [QualityRemark(text=one.text, item=one.item, tick=one.tick) for one in rows]


def _history(connection: Connection, evaluation: int) -> list[QualityHistory]:
    rows = connection.execute(select(steps).where(steps.c.evaluation == evaluation).order_by(steps.c.number))
    return [QualityHistory(at=one.at, by=one.by, step=one.step, revision=one.revision, text=one.text,
                           score=one.score) for one in rows]
