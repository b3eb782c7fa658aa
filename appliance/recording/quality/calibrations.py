"""Calibration: one call judged by several scorers, blind until all are in."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from appliance.bus.messages import (
    Agreement,
    AgreementItem,
    Calibration,
    CalibrationInfo,
    CalibrationItem,
)
from appliance.errors import StateError
from appliance.recording.parts import Parts
from appliance.recording.quality import agreement, calls, evaluations, published
from appliance.recording.quality.agreement import Pair, Value
from appliance.recording.quality.forms import Form
from appliance.recording.quality.tables import answers
from appliance.recording.quality.tables import calibrations as table
from appliance.recording.quality.tables import evaluations as judged

LEAST_SCORERS, MOST_SCORERS = 2, 20
MOST_LISTED = 200


def begin(parts: Parts, recording: str, form: str, scorers: Sequence[str], by: str) -> int:
    names = list(dict.fromkeys(scorers))
    if not LEAST_SCORERS <= len(names) <= MOST_SCORERS:
        raise StateError(f"{len(names)} scorers: a calibration needs {LEAST_SCORERS} to {MOST_SCORERS}")
    who = evaluations.rights(parts)
    with parts.database.write() as connection:
        call = calls.find(connection, recording)
        if not who.may(by, "calibrate", call.agent):
            raise StateError(f"{by} may not calibrate with calls of {call.agent}: see quality.people")
        for name in names:
            if not who.may(name, "score", call.agent):
                raise StateError(f"{name} may not judge calls of {call.agent}: see quality.people")
        _, digest = published.newest(connection, form)
        now = parts.now()
        number: int = connection.execute(insert(table).values(
            recording=recording, agent=call.agent, form=digest, by=by, at=now).returning(
            table.c.calibration)).scalar_one()
        for name in names:
            evaluations.draft(connection, now, call, digest, name, number)
        parts.chain.append(connection, now, "calibration-begun", recording, by,
                           {"calibration": number, "form": digest, "scorers": names})
        return number


def get(parts: Parts, calibration: int, by: str) -> Calibration:
    with parts.database.read() as connection:
        row = connection.execute(select(table).where(table.c.calibration == calibration)).one_or_none()
        if row is None:
            raise StateError(f"there is no calibration {calibration}")
        sheets = _sheets(connection, calibration)
        if not _may_see(parts, row, sheets, by):
            raise StateError(f"{by} may not see calibration {calibration}: only who is in it may")
        info = _info(connection, row, sheets, by)
        if info.waiting:
            return Calibration(info=info, items=[])
        form, _ = published.of(connection, row.form)
        return Calibration(info=info, items=[_score(sheets), *_items(connection, form, sheets)])


def listed(parts: Parts, by: str) -> list[CalibrationInfo]:
    with parts.database.read() as connection:
        found = [(row, _sheets(connection, row.calibration)) for row in connection.execute(
            select(table).order_by(table.c.calibration.desc()).limit(MOST_LISTED))]
        return [_info(connection, row, sheets, by) for row, sheets in found
                if _may_see(parts, row, sheets, by)]


def over_time(parts: Parts, form: str, since: float, until: float, by: str) -> Agreement:
    """All versions of the form; an item is told by its name, as its newest version has it."""
    who = evaluations.rights(parts)
    with parts.database.read() as connection:
        newest, _ = published.newest(connection, form)
        found: dict[str, list[Pair]] = defaultdict(list)
        count = 0
        for row in connection.execute(select(table).where(table.c.at >= since, table.c.at < until)).all():
            sheets = _sheets(connection, row.calibration)
            kept, of = published.of(connection, row.form)
            if (of.name != form or any(sheet.state == "draft" for sheet in sheets)
                    or not who.may(by, "calibrate", row.agent)):
                continue
            count += 1
            for name, values in _values(connection, kept, sheets).items():
                found[name] += agreement.pairs(values)
        items = []
        for item, _ in newest.items():
            # An older version may have had other answers.
            pairs = [pair for pair in found[item.name]
                     if all(value is None or item.takes(value) for value in pair)]
            of_item = agreement.statistics(item, pairs)
            items.append(AgreementItem(
                name=item.name, text=item.text, pairs=of_item.pairs, agreement=of_item.agreement,
                difference=of_item.difference, kappa=of_item.kappa))
        return Agreement(form=form, calibrations=count, items=items)


def _items(connection: Connection, form: Form, sheets: Sequence[Row[Any]]) -> list[CalibrationItem]:
    values = _values(connection, form, sheets)
    found = []
    for item, _ in form.items():
        of = agreement.statistics(item, agreement.pairs(values[item.name]))
        found.append(CalibrationItem(name=item.name, text=item.text, values=values[item.name],
                                     agreement=of.agreement, difference=of.difference))
    return found


def _score(sheets: Sequence[Row[Any]]) -> CalibrationItem:
    pairs = agreement.pairs([sheet.score for sheet in sheets])
    apart = [abs(one - other) for one, other in pairs if one is not None and other is not None]
    return CalibrationItem(
        name="", text="", values=[sheet.score for sheet in sheets],
        agreement=sum(one == other for one, other in pairs) / len(pairs),
        difference=sum(apart) / len(apart) if apart else None)


def _values(connection: Connection, form: Form, sheets: Sequence[Row[Any]]) -> dict[str, list[Value]]:
    """Item -> what each said, in the order of the scorers."""
    given = {(row.evaluation, row.item): row.value for row in connection.execute(
        select(answers).where(answers.c.evaluation.in_([sheet.evaluation for sheet in sheets]),
                              answers.c.revision == 1))}
    return {item.name: [given[sheet.evaluation, item.name] for sheet in sheets] for item, _ in form.items()}


def _sheets(connection: Connection, calibration: int) -> list[Row[Any]]:
    return list(connection.execute(select(judged).where(judged.c.calibration == calibration)
                                   .order_by(judged.c.scorer)))


def _may_see(parts: Parts, row: Row[Any], sheets: Sequence[Row[Any]], by: str) -> bool:
    return (by == row.by or any(sheet.scorer == by for sheet in sheets)
            or evaluations.rights(parts).may(by, "calibrate", row.agent))


def _info(connection: Connection, row: Row[Any], sheets: Sequence[Row[Any]], by: str) -> CalibrationInfo:
    form, kept = published.of(connection, row.form)
    return CalibrationInfo(
        calibration=row.calibration, call=evaluations.call_of(sheets[0]), form=kept.name,
        version=kept.version, title=form.title, by=row.by, at=row.at,
        scorers=[sheet.scorer for sheet in sheets],
        waiting=[sheet.scorer for sheet in sheets if sheet.state == "draft"],
        evaluation=next((sheet.evaluation for sheet in sheets if sheet.scorer == by), None))
