"""A change before it is made: what differs, what it means for queues and agents, and the yes to it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, redirect, request
from flask_babel import gettext

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    CalendarLook,
    CalendarUse,
    ChangeDocument,
    GetCalendars,
    LookAtCalendar,
)
from appliance.config.entry import CalendarConfig
from webui.access.doors import need, needs, noted, outcome
from webui.centre import effect, proposals
from webui.centre.blueprint import bp, now, present, shown
from webui.centre.calendar_pages import words
from webui.centre.proposals import Proposal
from webui.parts import parts

ACT_S = 90.0                                      # a check is a process of its own
MOST_KEYS = 300                                   # shown
MOST_AGENTS = 300
MOST_NOTED = 500                                  # characters of keys, in the log
MINUTES = (0, 1, 5, 15, 60)                       # to choose from


@dataclass(frozen=True, slots=True)
class CalendarEffect:
    """What a calendar says now and would say; None: there is none, or nobody can tell. `known`: acdd told."""

    name: str
    before: CalendarLook | None
    after: CalendarLook | None
    new: bool
    removed: bool
    known: bool
    uses: Sequence[CalendarUse]

    @property
    def turns(self) -> bool:
        """It opens or closes with the change."""
        return self.before is not None and self.after is not None and self.before.open != self.after.open


@bp.get("/changes/<word>")
@needs("commit", whole=True)
def change(word: str) -> Any:
    return _change(word)


def _change(word: str, wrong: str = "") -> str:
    found = proposals.find(word)
    if found is None:
        abort(404)
    before, after = found.before.centre, found.after.centre
    queues, agents = effect.of_queues(before, after, present()), effect.of_agents(before, after)
    return shown(
        "change", "", now(), word=word, found=found, wrong=wrong, keys=found.checked.keys[:MOST_KEYS],
        more=max(0, len(found.checked.keys) - MOST_KEYS), agents=agents[:MOST_AGENTS],
        more_agents=max(0, len(agents) - MOST_AGENTS),
        queues=[one for one in queues if one.come or one.gone or one.before is None or one.after is None],
        calendars=_calendars(before.calendars, after.calendars), use_words=words,
        untouched=sum(not (one.come or one.gone) for one in queues), minutes=MINUTES,
        chosen=request.form.get("minutes", "0"), why=request.form.get("why", ""))


def _calendars(before: Sequence[CalendarConfig], after: Sequence[CalendarConfig]) -> list[CalendarEffect]:
    """Of those that differ, as acdd would go by them at this moment."""
    old, new = {one.name: one for one in before}, {one.name: one for one in after}
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    found: list[CalendarEffect] = []
    if not names:
        return found
    at, known = time.time(), True

    def look(asked: LookAtCalendar) -> CalendarLook | None:
        nonlocal known
        try:
            return parts().exchange.ask(asked) if known else None
        except Refused:
            return None
        except BusError:                          # who is away for one is not asked for the others
            known = False
            return None
    try:
        uses = {one.name: one.uses for one in parts().exchange.ask(GetCalendars()).calendars}
    except BusError:
        uses, known = {}, False
    for name in names:
        was = look(LookAtCalendar(calendar=name, at=at)) if name in old else None
        is_then = look(LookAtCalendar(calendar=name, at=at, instead=new[name].model_dump_json())) \
            if name in new else None
        found.append(CalendarEffect(name, was, is_then, name not in old, name not in new, known,
                                    uses.get(name, ())))
    return found


@bp.post("/changes/<word>")
@needs("commit", act="centre-changed", by_hand=True, whole=True)
def commit(word: str) -> Any:
    """It is live when this returns."""
    found = proposals.find(word)
    if found is None:
        abort(404)
    why = " ".join(request.form.get("why", "").split())
    with noted("centre-changed", ", ".join(one.key for one in found.sets)[:MOST_NOTED], why):
        return _commit(word, found, why)


def _commit(word: str, found: Proposal, why: str) -> Any:
    minutes = request.form.get("minutes", 0.0, float)
    if not 0 <= minutes <= 1440 or not why:
        outcome("refused (422)")
        return _change(word, gettext("Give a reason: it is kept.") if not why else gettext(
            "Say in how many minutes it goes back by itself: from 0, which is never, to 1440.")), 422
    try:
        parts().exchange.ask(ChangeDocument(
            by=need("commit"), sets=found.sets, comment=why, head=found.head, confirm_within_s=60 * minutes),
            ACT_S)
    except Refused as error:
        outcome(str(error))
        return _change(word, str(error)), 409
    proposals.done(word)
    return redirect(found.back, 303)
