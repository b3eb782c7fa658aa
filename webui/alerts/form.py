"""The form of a rule: what may be chosen, and what somebody chose."""

import re
from dataclasses import dataclass

from flask import abort, request
from flask_babel import gettext
from flask_login import current_user

from appliance.config.part import NAME
from webui.access import doors, roles
from webui.alerts import calendars, words
from webui.alerts.rules import (
    LONGEST_S,
    MEASURES,
    MOST_ADDRESSES,
    MOST_NAMES,
    NAME_MOST,
    SEVERITIES,
    TIME,
    URL_MOST,
    WINDOWS_MIN,
    Measure,
    Rule,
)
from webui.alerts.webhook import Forbidden, check
from webui.floor.views import trunk_names
from webui.notices.audience import Audience
from webui.notices.pages import may_address, reach
from webui.parts import parts
from webui.reports.saved_pages import ADDRESS

MOST = 1_000_000.0                                # of a threshold
CALENDAR = re.compile(NAME)                       # its name


@dataclass(frozen=True, slots=True)
class Choice:
    """What the form of a rule offers."""

    measure: Measure
    names: tuple[str, ...]
    groups: tuple[str, ...]
    limited: bool
    tell_groups: tuple[str, ...]
    tell_people: tuple[str, ...]
    calendars: tuple[str, ...]


def choice(rule: Rule) -> Choice:
    """As far as who asks sees; what the rule names already stays."""
    measure, floor = rule.measure, doors.floor()
    board = floor.board
    names = {
        "queue": [one.name for one in board.queues] if board else [],
        "agent": [one.name for one in board.agents] if board else [],
        "span": floor.span_names(), "trunk": trunk_names(floor), "box": []}[measure.of]
    seen = {one.name for one in board.agents} if board else set()
    groups = [name for name, agents in parts().crew.groups().items() if agents & seen]
    tell_groups, tell_people = reach()
    known = calendars.asked(parts().exchange)
    # while acdd is away nobody can say that the one of the form is not there
    chosen = request.form.get("calendar", "") if known is None else ""
    return Choice(
        measure, tuple(sorted({*names, *rule.which})),
        tuple(sorted({*groups, *rule.groups})) if measure.of == "agent" else (),
        doors.range_of(current_user).limited, tuple(sorted({*tell_groups, *rule.tell_groups})),
        tuple(sorted({*tell_people, *rule.tell_people, doors.need("self")})),
        tuple(sorted({*(known or ()), rule.calendar, chosen if CALENDAR.fullmatch(chosen) else ""} - {""})))


def usual(what: str) -> Rule:
    """As the form begins. 404: nothing of that name is measured."""
    if what not in MEASURES:
        abort(404)
    measure = MEASURES[what]
    return Rule(name=str(words.MEASURES[what]).capitalize(), what=what, threshold=measure.usual,
                compare=measure.compares[0] if measure.compares else "above",
                tell_people=(doors.need("self"),))


def read(old: Rule) -> Rule:
    """What the form says; `old`: the rule as it was, whose names may stay. ValueError: with a sentence for
    people."""
    form, measure, offered = request.form, old.measure, choice(old)
    which, groups = _chosen("which", offered.names), _chosen("groups", offered.groups)
    calendar, calendar_when = form.get("calendar", ""), form.get("calendar_when", "open")
    compare = form.get("compare", measure.compares[0] if measure.compares else "above")
    severity, window = form.get("severity", ""), form.get("window_min", 30, type=int)
    if compare not in (measure.compares or ("above",)) or severity not in SEVERITIES or (
            window not in WINDOWS_MIN) or calendar_when not in ("open", "closed"):
        abort(400)
    if calendar and calendar not in offered.calendars:
        abort(404)
    days = tuple(sorted({int(day) for day in form.getlist("days") if day in "0123456" and len(day) == 1}))
    rule = Rule(
        name=_name(), what=old.what, which=which, groups=groups, compare=compare, window_min=window,
        threshold=_threshold(measure), hold_s=_number("hold_s", 0.0, LONGEST_S),
        clear=_clear(measure), clear_s=_number("clear_s", 5.0, LONGEST_S),
        days=days, since=form.get("since", ""), until=form.get("until", ""), severity=severity,
        calendar=calendar, calendar_when=calendar_when,
        everybody="everybody" in form, tell_roles=_chosen("tell_roles", tuple(roles.ROLES)),
        tell_groups=_chosen("tell_groups", offered.tell_groups),
        tell_people=_chosen("tell_people", offered.tell_people), sound="sound" in form,
        mail=_addresses(), webhook=_webhook())
    _hours(rule)
    if rule.measure.unit != "yes" and rule.clear is not None and (
            rule.clear < rule.threshold if rule.compare == "below" else rule.clear > rule.threshold):
        raise ValueError(gettext("The level at which it is over is beyond the limit."))
    if not may_address(_added(old.audience, rule.audience)):
        abort(404)
    return rule


def _added(old: Audience, new: Audience) -> Audience:
    """Whom it did not tell before; himself everybody may tell."""
    known = {*old.people, doors.need("self")}
    return Audience(new.everybody and not old.everybody, _but(new.roles, set(old.roles)),
                    _but(new.groups, set(old.groups)), _but(new.people, known))


def _but(names: tuple[str, ...], known: set[str]) -> tuple[str, ...]:
    return tuple(one for one in names if one not in known)


def _chosen(name: str, offered: tuple[str, ...]) -> tuple[str, ...]:
    """404: something that is not offered to him."""
    said = tuple(dict.fromkeys(request.form.getlist(name)))
    if len(said) > MOST_NAMES:
        raise ValueError(gettext("At most %(most)d names of one kind.", most=MOST_NAMES))
    if not set(said) <= set(offered):
        abort(404)
    return said


def _name() -> str:
    name = " ".join(request.form.get("name", "").split())
    if not 0 < len(name) <= NAME_MOST or not name.isprintable():
        raise ValueError(gettext("A rule needs a name of at most %(most)d signs.", most=NAME_MOST))
    return name


def _number(name: str, least: float, most: float) -> float:
    try:
        value = float(request.form.get(name, ""))
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise ValueError(gettext("Write numbers from %(least)g to %(most)g.", least=least, most=most))
    return value


def _threshold(measure: Measure) -> float:
    return 0.0 if measure.unit == "yes" else _number("threshold", 0.0, 100.0 if measure.unit == "share"
                                                     else MOST)


def _clear(measure: Measure) -> float | None:
    if measure.unit == "yes" or not request.form.get("clear", "").strip():
        return None
    return _number("clear", 0.0, 100.0 if measure.unit == "share" else MOST)


def _hours(rule: Rule) -> None:
    if not rule.days:
        raise ValueError(gettext("Choose at least one day."))
    if bool(rule.since) != bool(rule.until) or any(
            at and not TIME.fullmatch(at) for at in (rule.since, rule.until)):
        raise ValueError(gettext("Write both times of day, as 08:00, or none."))


def _addresses() -> tuple[str, ...]:
    found = tuple(dict.fromkeys(one for one in re.split(r"[\s,;]+", request.form.get("mail", "")) if one))
    if len(found) > MOST_ADDRESSES:
        raise ValueError(gettext("At most %(most)d addresses.", most=MOST_ADDRESSES))
    for one in found:
        if not ADDRESS.fullmatch(one):
            raise ValueError(gettext("%(said)s is no mail address.", said=one))
    return found


def _webhook() -> str:
    url = request.form.get("webhook", "").strip()
    if not url:
        return ""
    if len(url) > URL_MOST:
        raise ValueError(gettext("The address of the webhook is too long."))
    try:
        check(url, parts().settings.webhooks)
    except Forbidden as error:
        raise ValueError(gettext("The address of the webhook %(why)s.", why=_WRONG.get(str(error),
            error))) from None
    return url


_WRONG = words.FORBIDDEN
