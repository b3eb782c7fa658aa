"""Alerts: what is raised now, the rules, what was; and the form of a rule."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from flask import Blueprint, Flask, Response, abort, redirect, render_template, request, url_for
from flask_babel import get_locale, gettext
from flask_login import current_user

from webui.access import doors, roles
from webui.access.doors import needs
from webui.access.ranges import Range
from webui.alerts import calendars, form, words
from webui.alerts.judging import Reading
from webui.alerts.rules import MEASURES, SEVERITIES, WINDOWS_MIN, Rule
from webui.alerts.store import Alert, Kept
from webui.alerts.telling import Telling
from webui.alerts.watching import Watching, lawful
from webui.live import stream
from webui.mirror import Floor
from webui.notices.bar import reader
from webui.parts import Parts, parts
from webui.rendered import Fragment

bp = Blueprint("alerts", __name__, url_prefix="/alerts")

MUTES_MIN = (15, 60, 240, 480, 1440, 10080)
HISTORY = 50
LARGEST = "<int(max=999999999):number>"


class Running:
    """The two threads of alerts."""

    def __init__(self, watching: Watching, telling: Telling) -> None:
        self._watching, self._telling = watching, telling
        telling.start()
        watching.start()

    def stop(self) -> None:
        self._watching.stop()
        self._telling.stop()


def made(app: Flask) -> tuple[Watching, Telling]:
    """What judges the rules of this application, and what tells people."""
    there: Parts = app.extensions["branchline"]
    settings = there.settings

    def certificate_until() -> float | None:
        if settings.certificates is None:
            return None
        try:
            return settings.certificates.shown().until
        except (OSError, ValueError):
            return 0.0                            # none that can be read: worse than one that has ended
    telling = Telling(app, there.alerts, there.notices, settings.mail, settings.webhooks)
    return Watching(app, there.alerts, there.exchange, there.users, there.crew, telling,
                    certificate_until), telling


def start_alerts(app: Flask) -> Running:
    """The caller stops it."""
    return Running(*made(app))


@dataclass(frozen=True, slots=True)
class Row:
    """A rule as the table has it."""

    kept: Kept
    sentence: str
    raised: Alert | None
    muted: bool
    lawful: bool
    lost: bool                                    # its calendar is not there any more


@bp.get("/")
@needs("watch", "notify")
def index() -> str:
    groups, owners = parts().crew.groups(), {one.name: one for one in parts().users.people()}
    mine = [one for one in parts().alerts.rules if _mine(one)]
    known = calendars.asked(parts().exchange) if any(one.rule.calendar for one in mine) else None
    rows = [Row(one, words.sentence(one.rule), parts().alerts.raised_of(one.number),
                time.time() < one.muted_until, lawful(owners.get(one.by), one, groups),
                bool(one.rule.calendar) and known is not None and one.rule.calendar not in known)
            for one in mine]
    past = [one for one in parts().alerts.newest() if visible(one)][:HISTORY]
    return render_template(
        "alerts/index.html", rows=rows, past=past, sendings=parts().alerts.sendings([one.number
            for one in past]),
        raised=_raised(), phases=words.PHASES, ways=words.WAYS, wrong=words.FORBIDDEN,
        severities=words.SEVERITIES,
        mutes=MUTES_MIN)


@bp.get("/events")
@needs("watch", "notify")
def events() -> Response:
    seen: list[object] = []
    html = ""

    def fragments(sees: Floor) -> Iterator[Fragment]:
        nonlocal html
        if seen != [parts().alerts.raised]:
            seen[:] = [parts().alerts.raised]
            html = _raised()
        yield "raised", html

    return stream(fragments)


@bp.get("/new")
@needs("watch", "notify")
def new() -> str:
    """What may be measured; with one of that chosen, the form."""
    if what := request.args.get("what", ""):
        return _form(form.usual(what))
    kinds = {kind: [(name, words.MEASURES[name]) for name, one in MEASURES.items() if one.of == kind]
             for kind in words.KINDS}
    return render_template("alerts/new.html", kinds=kinds, names=words.KINDS)


@bp.post("/new")
@needs("watch", "notify", act="alert-rule")
def write() -> Any:
    usual = form.usual(request.form.get("what", ""))
    try:
        parts().alerts.add(form.read(usual), doors.need("notify"), _language(), _range(), time.time())
    except ValueError as error:
        return _form(usual, wrong=str(error)), 422
    except OverflowError:
        return _form(usual, wrong=gettext("There are too many rules: remove some.")), 422
    parts().exchange.mirror.wake()
    return redirect(url_for("alerts.index"), 303)


@bp.post("/sentence")
@needs("watch", "notify", by_hand=True)
def sentence() -> Any:
    """What the form says, in plain words; nothing changes."""
    number = request.form.get("number", 0, type=int)
    old = _own(number).rule if number else form.usual(request.form.get("what", ""))
    try:
        return render_template("alerts/sentence.html", sentence=words.sentence(form.read(old)), wrong="")
    except ValueError as error:
        return render_template("alerts/sentence.html", sentence="", wrong=str(error))


@bp.get(f"/{LARGEST}")
@needs("watch", "notify")
def show(number: int) -> str:
    kept = _own(number)
    return _form(kept.rule, kept)


@bp.post(f"/{LARGEST}")
@needs("watch", "notify", act="alert-rule")
def change(number: int) -> Any:
    kept = _own(number)
    own = kept.by == doors.need("notify")
    try:
        rule = form.read(kept.rule)
    except ValueError as error:
        return _form(kept.rule, kept, str(error)), 422
    parts().alerts.change(number, rule, _language() if own else kept.language,
                          _range() if own else kept.within, time.time())
    parts().exchange.mirror.wake()
    return redirect(url_for("alerts.index"), 303)


@bp.post(f"/{LARGEST}/remove")
@needs("watch", "notify", act="alert-removed")
def remove(number: int) -> Any:
    parts().alerts.remove(_own(number).number, time.time())
    return _back()


@bp.post(f"/{LARGEST}/switch")
@needs("watch", "notify", act="alert-rule")
def switch(number: int) -> Any:
    parts().alerts.switch(_own(number).number, request.form.get("on") == "yes", time.time())
    return _back()


@bp.post(f"/{LARGEST}/mute")
@needs("watch", "notify", act="alert-muted")
def mute(number: int) -> Any:
    minutes = request.form.get("minutes", -1, type=int)
    if minutes not in (0, *MUTES_MIN):
        abort(400)
    parts().alerts.mute(_own(number).number, time.time() + minutes * 60.0 if minutes else 0.0)
    return _back()


@bp.post(f"/{LARGEST}/try")
@needs("watch", "notify", act="alert-tested")
def try_out(number: int) -> Any:
    """Everybody is told as if it were raised, and that it is a test."""
    kept = _own(number)
    now, rule = time.time(), kept.rule
    text = gettext("Test: %(text)s", text=words.told(rule, Reading(rule.threshold), now))
    parts().alerts.rise(kept, text, rule.threshold, now, told=True, test=True)
    return _back()


@bp.get(f"/{LARGEST}/<any(remove, switch, mute, try):act>")
@needs("watch", "notify")
def back(number: int, act: str) -> Any:
    """Who comes back to where a form was sent, by a change of the language, say."""
    return redirect(url_for("alerts.index"), 303)


@bp.post(f"/raised/{LARGEST}")
@needs("watch", "notify", act="alert-seen")
def acknowledge(number: int) -> Any:
    alert = parts().alerts.alert(number)
    if alert is None or not visible(alert):
        abort(404)
    parts().alerts.acknowledge(number, doors.need("notify"), time.time())
    return _back()


def visible(alert: Alert) -> bool:
    """To whom it is told, whose rule it is, and who may make people within a range that covers the rule's."""
    kept = parts().alerts.rule(alert.rule)
    return ((kept is not None and kept.by == doors.need("self"))
            or alert.definition.audience.holds(reader())
            or (doors.may(current_user, "people") and _covers(alert.within.resolved(parts().crew.groups()))))


def _mine(kept: Kept) -> bool:
    return kept.by == doors.need("self") or (
        doors.may(current_user, "people") and _covers(kept.within.resolved(parts().crew.groups())))


def _covers(within: Any) -> bool:
    return doors.range_of(current_user).covers(within)


def _own(number: int) -> Kept:
    kept = parts().alerts.rule(number)
    if kept is None or not _mine(kept):
        abort(404)
    return kept


def _range() -> Range:
    """Of who has signed in, as a rule of his keeps it: by groups, whoever is in them then."""
    if roles.role_of(current_user.role).own:
        return doors.range_of(current_user)
    return cast(Range, current_user.within)


@bp.app_context_processor
def box() -> dict[str, object]:
    """For sound.html: alerts are numbered by the file that they are in."""
    return {"alerts_box": parts().alerts.box}


def _back() -> Any:
    parts().exchange.mirror.wake()
    return redirect(url_for("alerts.index"), 303)


def _language() -> str:
    locale = get_locale()
    return locale.language if locale else "zh"


def _raised() -> str:
    return render_template("alerts/raised.html", raised=[one for one in parts().alerts.raised
                                                         if visible(one)],
                           severities=words.SEVERITIES)


def _form(rule: Rule, kept: Kept | None = None, wrong: str = "") -> str:
    typed = request.form if wrong else None
    return render_template(
        "alerts/form.html", rule=rule, kept=kept, wrong=wrong, typed=typed, choice=form.choice(rule),
        what=words.MEASURES[rule.what], units=words.UNITS, everything=words.EVERYTHING[rule.measure.of],
        kind=words.KINDS[rule.measure.of], severities=words.SEVERITIES, urgencies=SEVERITIES,
        windows=WINDOWS_MIN,
        days=words.DAYS, roles=roles.ROLES, sentence="" if wrong else words.sentence(rule),
        mailing=parts().settings.mail is not None)
