"""Scores by agent, group, queue, form, item or scorer and period; the appraisal of agents."""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from sqlalchemy import Connection, Row, select

from appliance.bus.client import BusError
from appliance.bus.messages import (
    AppraisalPart,
    AppraisalRow,
    Appraisals,
    GetAppraisals,
    GetFigures,
    GetScores,
    ScoreFigures,
    ScoreRow,
    Scores,
)
from appliance.config.quality import SCORE, AppraisalConfig
from appliance.errors import StateError
from appliance.recording.parts import Parts
from appliance.recording.quality import evaluations, published, scores
from appliance.recording.quality.periods import period
from appliance.recording.quality.scores import Appraisal, Point, Summary
from appliance.recording.quality.scores import Row as Summed
from appliance.recording.quality.tables import answers
from appliance.recording.quality.tables import evaluations as judged
from appliance.recording.quality.tables import forms as form_table

MOST_PERIODS = 400
ALONE = AppraisalConfig(figure=SCORE)             # the appraisal when none is configured


def report(parts: Parts, asked: GetScores, zone: tzinfo | None = None) -> Scores:
    periods = _periods(asked, zone)
    with parts.database.read() as connection:
        rows = [row for row in _results(parts, connection, asked.by, asked.since, asked.until)
                if asked.form in ("", row.name) and asked.agent in ("", row.agent)
                and (asked.within is None or asked.within.holds(row.queue, row.agent))]
        texts: dict[str, str] = {}
        if asked.of == "item":
            points = list(_item_points(connection, asked, rows, texts, zone))
        else:
            points = [_point(name, asked, row, zone) for row in rows for name in _names(parts, asked.of, row)]
        together = [_point("", asked, row, zone) for row in rows]
    found = [scores.row("", together, periods), *scores.rows(points, periods)]
    return Scores(periods=periods, rows=[_row(one, texts.get(one.name, ""), periods) for one in found])


def appraisals(parts: Parts, asked: GetAppraisals) -> Appraisals:
    who = evaluations.rights(parts)
    seen = [name for name in sorted(who.agents)
            if who.may(asked.by, "see", name) and (not asked.agent or name == asked.agent)]
    configs = parts.config.quality.appraisal or [ALONE]
    with parts.database.read() as connection:
        rows = _results(parts, connection, asked.by, asked.since, asked.until)
        own = scores.rows((Point(row.agent, "", row.score, row.passed, row.fatal) for row in rows), [])
    means = {row.name: row.whole.mean for row in own}
    columns = [{name: means.get(name) for name in seen} if config.figure == SCORE
               else _figures(parts, asked, config, seen) for config in configs]
    found = [(name, scores.appraise(configs, [column[name] for column in columns])) for name in seen]
    found.sort(key=lambda one: (-(one[1].points if one[1].points is not None else -1.0), one[0]))
    return Appraisals(rows=[_appraised(name, one) for name, one in found])


def _periods(asked: GetScores, zone: tzinfo | None) -> list[str]:
    if asked.until <= asked.since:
        raise StateError("the time ends before it begins")
    found: list[str] = []
    at = asked.since
    while at < asked.until:
        one = period(asked.per, at, zone)
        found.append(one.name)
        at = one.until
        if len(found) > MOST_PERIODS:
            raise StateError(f"more than {MOST_PERIODS} periods: ask for a shorter time or longer periods")
    return found


def _results(parts: Parts, connection: Connection, by: str, since: float, until: float) -> list[Row[Any]]:
    """With a score, not of calibrations, of agents whom `by` may see."""
    who = evaluations.rights(parts)
    rows = connection.execute(
        select(judged, form_table.c.name, form_table.c.version)
        .join(form_table, form_table.c.digest == judged.c.form)
        .where(judged.c.score.is_not(None), judged.c.calibration.is_(None), judged.c.began_at >= since,
               judged.c.began_at < until))
    seen: dict[str, bool] = {}
    return [row for row in rows if seen.setdefault(row.agent, who.may(by, "see", row.agent))]


def _names(parts: Parts, of: str, row: Row[Any]) -> list[str]:
    if of == "group":
        return [group.name for group in parts.config.quality.groups if row.agent in group.agents]
    return [{"agent": row.agent, "queue": row.queue or "-", "form": row.name, "scorer": row.scorer}[of]]


def _point(name: str, asked: GetScores, row: Row[Any], zone: tzinfo | None) -> Point:
    return Point(name, period(asked.per, row.began_at, zone).name, row.score, row.passed, row.fatal)


def _item_points(connection: Connection, asked: GetScores, rows: list[Row[Any]], texts: dict[str, str],
                 zone: tzinfo | None) -> Iterator[Point]:
    """Items of one name in one form are one; passed: the best answer, fatal: the worst of a fatal item."""
    known = {digest: published.of(connection, digest)[0] for digest in {row.form for row in rows}}
    fatal = {(digest, item.name) for digest, form in known.items() for item, _ in form.items() if item.fatal}
    wanted = {row.evaluation: row for row in rows}
    # The newest version last: its words stay.
    for _, name, form in sorted({(row.version, row.name, row.form) for row in rows}):
        texts |= {f"{name}/{item.name}": item.text for item, _ in known[form].items()}
    newest = (judged.c.evaluation == answers.c.evaluation) & (judged.c.revision == answers.c.revision)
    for one in connection.execute(
            select(answers).join(judged, newest).where(
                answers.c.share.is_not(None), judged.c.began_at >= asked.since,
                judged.c.began_at < asked.until)):
        if (row := wanted.get(one.evaluation)) is not None:
            when = period(asked.per, row.began_at, zone).name
            yield Point(f"{row.name}/{one.item}", when, 100.0 * one.share, one.share == 1.0,
                        one.share == 0.0 and (row.form, one.item) in fatal)


def _figures(parts: Parts, asked: GetAppraisals, config: AppraisalConfig,
             agents: list[str]) -> dict[str, float | None]:
    """acdd's. StateError: it has no such figure, or does not answer."""
    names = [config.queue] if config.queue else agents
    if not names:
        return {}
    of = "queue" if config.queue else "agent"
    try:
        reply = parts.ask(GetFigures(of=of, names=names, figures=[config.figure], since=asked.since,
                                     until=asked.until))
    except BusError as error:
        raise StateError(f"the appraisal's figure {config.figure}: {error}") from None
    found = {row.name: row.values[0].value for row in reply.rows if row.name}
    return {agent: found.get(config.queue or agent) for agent in agents}


def _row(one: Summed, text: str, periods: list[str]) -> ScoreRow:
    return ScoreRow(name=one.name, text=text, whole=_summed("", one.whole), trend=one.trend,
                    periods=[_summed(name, of) for name, of in
                             zip(periods, scores.series(one.periods, periods), strict=True)])


def _summed(name: str, one: Summary) -> ScoreFigures:
    return ScoreFigures(period=name, count=one.count, mean=one.mean, passed=one.passed, fatal=one.fatal)


def _appraised(name: str, one: Appraisal) -> AppraisalRow:
    parts = [AppraisalPart(
        figure=part.config.figure, queue=part.config.queue or "", weight=part.config.weight,
        worst=part.config.worst, best=part.config.best, value=part.value, points=part.points,
        formula=part.formula) for part in one.parts]
    return AppraisalRow(agent=name, points=one.points, formula=one.formula, parts=parts)
