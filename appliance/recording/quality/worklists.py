"""The scorers' worklists, filled by the sampling rules every day; what cannot be filled is kept and said."""

import json
import secrets
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from appliance.bus.messages import QualityCall, QualityShortfall, QualityTask
from appliance.config.quality import SamplingConfig
from appliance.recording.catalogue.schema import meta, recordings
from appliance.recording.parts import Parts
from appliance.recording.quality import calls, evaluations
from appliance.recording.quality.periods import Period, period
from appliance.recording.quality.sampling import Drawn, Shortfall, draw, wanted
from appliance.recording.quality.tables import agents, forms, shortfalls, tasks
from appliance.recording.wav import TICKS_PER_S

_KEY = "quality-sampling-key"


def tend(parts: Parts, now: float, zone: tzinfo | None = None) -> float:
    """Draw what is due by now; when to come again: at the beginning of the next day."""
    with parts.database.write() as connection:
        _remember_agents(parts, connection)
        _let_go(parts, connection)
        connection.execute(delete(shortfalls))
        for rule in parts.config.quality.sampling:
            present = period(rule.period, now, zone)
            before = period(rule.period, present.since - 1.0, zone)
            if _has_drawn(connection, rule, before):              # its last day is drawn from, too
                fill(parts, connection, rule, before, now)
            fill(parts, connection, rule, present, now)
    return period("day", now, zone).until


def fill(parts: Parts, connection: Connection, rule: SamplingConfig, of: Period, now: float) -> None:
    who = evaluations.rights(parts)
    chosen = parts.config.quality.members(rule.groups) if rule.groups else who.agents
    first = {agent: at for agent, at in connection.execute(select(agents.c.agent, agents.c.first_at))}
    wants = {agent: wanted(rule, of.since, of.until, now, first.get(agent)) for agent in sorted(chosen)}
    before = [Drawn(row.recording, row.agent, row.queue, row.scorer) for row in connection.execute(
        select(tasks).where(tasks.c.rule == rule.name, tasks.c.period == of.name, tasks.c.state != "gone"))]
    loads = {scorer: count for scorer, count in connection.execute(
        select(tasks.c.scorer, func.count()).where(tasks.c.state == "open").group_by(tasks.c.scorer))}
    drawn = set(connection.execute(select(tasks.c.recording).where(tasks.c.rule == rule.name)).scalars())
    there = [one for one in calls.candidates(connection, of.since, of.until) if one.recording not in drawn]
    form = connection.execute(select(forms.c.digest).where(forms.c.name == rule.form).limit(1)).first()
    if form is None:
        _lack(connection, rule, of, now, [Shortfall(agent, count, 0, {"no-form": 0})
                                          for agent, count in wants.items() if count])
        return
    sample = draw(rule, of.name, _key(connection, rule), there, before, wants,
                  {agent: who.scorers(agent, rule.scorers) for agent in wants}, loads)
    for one in sample.drawn:
        connection.execute(insert(tasks).values(
            rule=rule.name, period=of.name, since=of.since, until=of.until, recording=one.recording,
            agent=one.agent, queue=one.queue, form=rule.form, scorer=one.scorer, at=now, state="open"))
    _lack(connection, rule, of, now, sample.shortfalls)


def _has_drawn(connection: Connection, rule: SamplingConfig, of: Period) -> bool:
    return connection.execute(select(tasks.c.task).where(
        tasks.c.rule == rule.name, tasks.c.period == of.name).limit(1)).first() is not None


def _lack(connection: Connection, rule: SamplingConfig, of: Period, now: float,
          shorts: Sequence[Shortfall]) -> None:
    for short in shorts:
        connection.execute(insert(shortfalls).values(
            rule=rule.name, period=of.name, agent=short.agent, wanted=short.wanted, found=short.found,
            why=json.dumps(short.why, sort_keys=True), at=now))


def listed(parts: Parts, by: str, whose: str) -> tuple[list[QualityTask], list[QualityShortfall]]:
    who = evaluations.rights(parts)
    with parts.database.read() as connection:
        chosen = (select(tasks, recordings).join(recordings, recordings.c.recording == tasks.c.recording)
                  .where(tasks.c.state == "open").order_by(tasks.c.until, tasks.c.task))
        if whose != "*":
            chosen = chosen.where(tasks.c.scorer == (whose or by))
        found = [_task(row) for row in connection.execute(chosen)
                 if row.scorer == by or who.may(by, "decide", row.agent)]
        short = [QualityShortfall(rule=row.rule, period=row.period, agent=row.agent, wanted=row.wanted,
                                  found=row.found, why=json.loads(row.why))
                 for row in connection.execute(
                     select(shortfalls).order_by(shortfalls.c.rule, shortfalls.c.agent))
                 if who.may(by, "score", row.agent) or who.may(by, "decide", row.agent)]
    return found, short


def _task(row: Row[Any]) -> QualityTask:
    return QualityTask(
        task=row.task, rule=row.rule, period=row.period, due_at=row.until, form=row.form, scorer=row.scorer,
        evaluation=row.evaluation,
        call=QualityCall(
            recording=row.recording, contact=row.contact, agent=row.agent, queue=row.queue,
            began_at=row.began_at, duration_s=row.duration_ticks / TICKS_PER_S))


def _let_go(parts: Parts, connection: Connection) -> None:
    """Open tasks that nobody can or may do any more make room for others."""
    who = evaluations.rights(parts)
    rules = {rule.name for rule in parts.config.quality.sampling}
    audible = set(connection.execute(select(tasks.c.recording).join(
        recordings, recordings.c.recording == tasks.c.recording).where(
        tasks.c.state == "open", calls.AUDIBLE)).scalars())
    for row in connection.execute(select(tasks).where(tasks.c.state == "open")).all():
        if row.evaluation is None and (row.rule not in rules or row.recording not in audible
                                       or not who.may(row.scorer, "score", row.agent)):
            connection.execute(update(tasks).where(tasks.c.task == row.task).values(state="gone"))


def _remember_agents(parts: Parts, connection: Connection) -> None:
    known = set(connection.execute(select(agents.c.agent)).scalars())
    for agent in evaluations.rights(parts).agents - known:
        if (at := calls.first_at(connection, agent)) is not None:
            connection.execute(insert(agents).values(agent=agent, first_at=at))


def _key(connection: Connection, rule: SamplingConfig) -> bytes:
    """The rule's seed, or the box's own, made once: nobody knows beforehand what will be drawn."""
    if rule.seed:
        return rule.seed.encode()[:64]
    found = connection.execute(select(meta.c.value).where(meta.c.key == _KEY)).scalar()
    if found is None:
        found = secrets.token_hex(16)
        connection.execute(insert(meta).values(key=_KEY, value=found))
    return found.encode()
