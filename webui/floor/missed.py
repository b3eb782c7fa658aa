"""Callers whom nobody talked to, and those who are to be called back."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from appliance.bus.client import BusError
from appliance.bus.messages import (
    AbandonedInfo,
    CallBack,
    CallbackInfo,
    CancelCallback,
    CloseAbandoned,
    GetAbandoned,
    GetCallbacks,
)
from webui.access.doors import Subject, may, need, needs, range_of
from webui.floor import ranges
from webui.floor.blueprint import bp
from webui.floor.steering import ask
from webui.live import stream
from webui.mirror import Floor
from webui.parts import parts
from webui.rendered import Fragment

DAYS = (1, 7, 30)
MOST_ROWS = 200
LONGEST_CODE, LONGEST_NOTE = 64, 500
GAP_S, TURN_S = 2.0, 15.0                         # a list of days does not change with every call's step
AGAIN_S = {1: 5.0, 7: 60.0, 30: 300.0}            # a month costs acdd a second


@dataclass(frozen=True, slots=True)
class Wanted:
    days: int
    queue: str                                    # "": all
    every: bool                                   # also what is done with

    def arguments(self) -> dict[str, str]:
        told = {"days": str(self.days), "queue": self.queue, "every": "1" if self.every else ""}
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class Lists:
    abandoned: tuple[AbandonedInfo, ...]
    more: int                                     # that are not shown
    callbacks: tuple[CallbackInfo, ...]


@bp.get("/missed")
@needs("watch")
def missed() -> str:
    wanted = _wanted()
    return render_template("floor/missed.html", wanted=wanted, days=DAYS, html=_lists(wanted),
                           queues=[one.name for one in ranges.board().queues])


@bp.get("/missed/events")
@needs("watch")
def missed_events() -> Response:
    wanted = _wanted()
    asked_at, html = float("-inf"), ""

    def fragments(floor: Floor) -> Iterator[Fragment]:
        nonlocal asked_at, html
        if time.monotonic() - asked_at >= AGAIN_S[wanted.days]:
            asked_at, html = time.monotonic(), _lists(wanted)
        yield "lists", html

    return stream(fragments, gap_s=GAP_S, turn_s=TURN_S)


@bp.post("/missed/<contact>/call-back")
@needs("steer", act="floor-callback")
def call_back(contact: str) -> AnyResponse:
    """One click: at the place in line that the caller had."""
    row = _row(contact)
    ask(CallBack(contact=contact, queue="" if row.queue else request.form.get("queue", "")[:64],
                 by=current_user.name),
        gettext("%(number)s is called back as soon as its turn comes.", number=row.number))
    return _back()


@bp.post("/missed/<contact>/close")
@needs("steer", act="floor-close")
def close(contact: str) -> AnyResponse:
    """Nobody needs to call any more."""
    _row(contact)
    code = " ".join(request.form.get("code", "").split())[:LONGEST_CODE]
    if not code:
        flash(gettext("Say in a word what came of it."), "refused")
    else:
        ask(CloseAbandoned(contact=contact, code=code, by=current_user.name),
            gettext("It is noted: %(code)s.", code=code))
    return _back()


@bp.post("/callbacks/<contact>/cancel")
@needs("steer", act="floor-cancel")
def cancel(contact: str) -> AnyResponse:
    promised = parts().exchange.ask(GetCallbacks()).callbacks
    found = next((one for one in promised if one.contact == contact), None)
    if found is None:
        abort(404)
    need("steer", of=Subject(queue=found.queue, call=True))
    ask(CancelCallback(contact=contact, by=current_user.name),
        gettext("%(number)s is not called back any more.", number=found.number))
    return _back()


def _wanted() -> Wanted:
    days = request.values.get("days", 1, type=int)
    queue = request.values.get("queue", "")[:64]
    if days not in DAYS or (queue and queue not in {one.name for one in ranges.board().queues}):
        abort(404)
    return Wanted(days, queue, request.values.get("every", "") == "1")


def _row(contact: str) -> AbandonedInfo:
    """404: nobody gave up in it lately, or it is outside his range."""
    rows = parts().exchange.ask(GetAbandoned(days=float(max(DAYS)), every=True)).contacts
    found = next((one for one in rows if one.contact == contact), None)
    if found is None or not _seen(found.queue):
        abort(404)
    return found


def _lists(wanted: Wanted) -> str:
    asked = GetAbandoned(days=float(wanted.days), queue=wanted.queue, every=wanted.every)
    try:
        abandoned = [one for one in parts().exchange.ask(asked).contacts if _seen(one.queue)]
        callbacks = [one for one in parts().exchange.ask(GetCallbacks()).callbacks
                     if _seen(one.queue) and wanted.queue in ("", one.queue)]
    except BusError:
        return render_template("floor/lists.html", lists=None, wanted=wanted)
    lists = Lists(tuple(abandoned[:MOST_ROWS]), max(0, len(abandoned) - MOST_ROWS), tuple(callbacks))
    return render_template("floor/lists.html", lists=lists, wanted=wanted,
                           queues=[one.name for one in ranges.board().queues],
                           may_steer=may(current_user, "steer"))


def _seen(queue: str) -> bool:
    """A caller to a queue, whom no agent had: of who came to none only people without limits know."""
    return range_of(current_user).holds(Subject(queue=queue, call=True))


def _back() -> AnyResponse:
    days, queue, every = (request.form.get(name, "")[:64] for name in ("days", "in_queue", "every"))
    return redirect(url_for("floor.missed", days=days or None, queue=queue or None, every=every or None), 303)
