"""Steering: what a supervisor does with a talk, an agent, a caller in line. acdd does it, or says why not."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    AgentInfo,
    EndTalk,
    FindTelephone,
    LogOut,
    Monitor,
    Request,
    SetNotReady,
    SetPriority,
    SetReady,
    StopMonitor,
    TakeOver,
)
from webui.access.doors import need, needs, outcome
from webui.access.sight import of_contact
from webui.floor import ranges, said
from webui.floor.blueprint import bp, telephones
from webui.floor.telephones import LONGEST, Telephone
from webui.parts import parts

LONGEST_REASON = 64


@bp.get("/telephone")
@needs("steer")
def telephone() -> str:
    return _telephone_page(telephones().of(current_user.name), "")


@bp.post("/telephone")
@needs("steer", act="floor-telephone")
def keep_telephone() -> Response:
    """Where the supervisor hears talks, as the configuration knows telephones."""
    at = request.form.get("at", "").strip()[:LONGEST]
    try:
        found = parts().exchange.ask(FindTelephone(at=at))
    except Refused as error:
        wrong = said.said(str(error)) if at else gettext("Write an extension or an agent's name.")
        return make_response(_telephone_page(Telephone(at, ""), wrong), 422)
    telephones().keep(current_user.name, Telephone(at, found.at))
    flash(gettext("You will be rung at %(at)s.", at=at))
    return redirect(here(request.form.get("next", "")), 303)


@bp.post("/agent/<agent>/listen")
@needs("steer", act="floor-listen")
def listen(agent: str) -> Response:
    return _monitor(agent, "listen", gettext(
        "Answer your telephone: you hear the talk of %(agent)s, and nobody hears you.", agent=agent))


@bp.post("/agent/<agent>/whisper")
@needs("steer", act="floor-whisper")
def whisper(agent: str) -> Response:
    return _monitor(agent, "whisper", gettext(
        "At your telephone: %(agent)s hears you, the customer does not.", agent=agent))


@bp.post("/agent/<agent>/barge")
@needs("steer", act="floor-barge")
def barge(agent: str) -> Response:
    return _monitor(agent, "barge", gettext(
        "At your telephone: %(agent)s and the customer hear you.", agent=agent))


@bp.post("/agent/<agent>/stop")
@needs("steer", act="floor-stop")
def stop(agent: str) -> Response:
    own = _own()
    if own is None:
        return _ask_telephone()
    return _do(ranges.talk_of(agent), StopMonitor(agent=agent, at=own.asked, by=current_user.name),
               gettext("You hear the talk of %(agent)s no more.", agent=agent))


@bp.post("/agent/<agent>/take-over")
@needs("steer", act="floor-take-over")
def take_over(agent: str) -> Response:
    own = _own()
    if own is None:
        return _ask_telephone()
    return _do(ranges.talk_of(agent), TakeOver(agent=agent, at=own.asked, by=current_user.name),
               gettext("The customer is yours; %(agent)s is out of the talk.", agent=agent))


@bp.get("/agent/<agent>/end")
@needs("steer")
def confirm_end(agent: str) -> str:
    """The one act that cannot be undone is asked for twice."""
    info = ranges.talk_of(agent)
    return render_template("floor/end.html", agent=info, contact=ranges.contact_of(info))


@bp.post("/agent/<agent>/end")
@needs("steer", act="floor-end")
def end(agent: str) -> Response:
    """Only the talk that the page was about: another one may have begun since."""
    info = ranges.talk_of(agent)
    if request.form.get("contact", "") != info.contact:
        _refused(gettext("This talk was over already: nothing was done."))
        return redirect(url_for("floor.agent", agent=agent), 303)
    return _do(info, EndTalk(agent=agent, by=current_user.name),
               gettext("The talk of %(agent)s was ended.", agent=agent))


@bp.post("/agent/<agent>/ready")
@needs("steer", act="floor-state")
def ready(agent: str) -> Response:
    info = ranges.agent_named(agent, "steer")
    return _do(info, SetReady(agent=agent, by=current_user.name), gettext(
        "%(agent)s is ready after the work.", agent=agent) if info.contact else gettext(
        "%(agent)s is ready and gets the next call.", agent=agent))


@bp.post("/agent/<agent>/not-ready")
@needs("steer", act="floor-state")
def not_ready(agent: str) -> Response:
    info = ranges.agent_named(agent, "steer")
    reason = request.form.get("reason", "").strip()[:LONGEST_REASON]
    return _do(info, SetNotReady(agent=agent, reason=reason, by=current_user.name), gettext(
        "%(agent)s gets no call after the work.", agent=agent) if info.contact else gettext(
        "%(agent)s gets no more calls.", agent=agent))


@bp.post("/agent/<agent>/log-out")
@needs("steer", act="floor-state")
def log_out(agent: str) -> Response:
    info = ranges.agent_named(agent, "steer")
    return _do(info, LogOut(agent=agent, by=current_user.name), gettext(
        "%(agent)s is signed out after the work.", agent=agent) if info.contact else gettext(
        "%(agent)s is signed out.", agent=agent))


@bp.post("/call/<contact>/priority")
@needs("steer", act="floor-priority")
def priority(contact: str) -> Response:
    """Of a caller in line."""
    info = next((one for one in ranges.board().contacts if one.contact == contact), None)
    if info is None:
        abort(404)
    by = need("steer", of=of_contact(info))
    wanted = request.form.get("priority", type=int)
    if wanted is None:
        abort(400)
    ask(SetPriority(contact=contact, priority=wanted, by=by),
         gettext("The caller's priority is %(number)d now.", number=wanted))
    return redirect(url_for("floor.call", contact=contact), 303)


def here(page: str) -> str:
    """`page` when it is one of the floor's, else the floor."""
    inside = page.startswith(bp.url_prefix or "/") and page.isprintable() and "\\" not in page
    return page if inside else url_for("floor.index")


def _monitor(agent: str, mode: str, words: str) -> Response:
    own = _own()
    if own is None:
        return _ask_telephone()
    asked = Monitor(agent=agent, at=own.asked, mode=mode, by=current_user.name)
    return _do(ranges.talk_of(agent), asked, words)


def _own() -> Telephone | None:
    return telephones().of(current_user.name)


def _ask_telephone() -> Response:
    _refused(gettext("First say at which telephone you want to be rung."))
    return redirect(url_for("floor.telephone", next=request.form.get("next", "")), 303)


def _do(agent: AgentInfo, asked: Request[Any], words: str) -> Response:
    ask(asked, words)
    return redirect(here(request.form.get("next", "") or url_for("floor.agent", agent=agent.name)), 303)


def ask(asked: Request[Any], words: str) -> None:
    """Done, refused or not known: the next page says it."""
    try:
        parts().exchange.ask(asked)
    except Refused as error:
        _refused(said.said(str(error)), str(error))
    except BusError as error:
        _refused(said.away(), str(error))
    else:
        flash(words)


def _refused(words: str, why: str = "") -> None:
    """`why`: for the log, in the words of who said no."""
    outcome(why or words)
    flash(words, "refused")


def _telephone_page(own: Telephone | None, wrong: str) -> str:
    return render_template("floor/telephone.html", own=own, wrong=wrong, agents=ranges.board().agents,
                           next=here(request.values.get("next", "")))
