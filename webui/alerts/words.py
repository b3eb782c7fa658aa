"""Rules and alerts in the reader's words."""

from typing import Any

import flask_babel
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from webui.alerts.judging import Reading
from webui.alerts.rules import Rule
from webui.texts import duration, word

MEASURES = {
    "waiting": _l("callers waiting"), "longest_wait": _l("longest wait"),
    "ready": _l("ready agents of the queue"), "service_level": _l("service level of the last minutes"),
    "service_level_today": _l("service level of today"),
    "abandoned": _l("callers who gave up in the last minutes"),
    "agents_ready": _l("agents ready"), "not_ready": _l("longest time not ready"),
    "wrap_up": _l("longest wrap-up"), "occupancy": _l("occupancy of the last minutes"),
    "line_alarm": _l("alarm of a line"), "dchannel_down": _l("D-channel down"),
    "free_channels": _l("free channels of a trunk"), "daemon_away": _l("a daemon does not answer"),
    "degraded": _l("the box is not quite in order"), "unfit": _l("the box is unfit for calls"),
    "recording": _l("warning of recording or its disk"), "certificate": _l("days until the certificate ends"),
}
KINDS = {"queue": _l("Queues"), "agent": _l("Agents"), "span": _l("Lines"), "trunk": _l("Trunks"),
         "box": _l("The box")}
EVERYTHING = {"queue": _l("all queues"), "agent": _l("all agents"), "span": _l("all lines"),
              "trunk": _l("any trunk"), "box": _l("the box")}
SEVERITIES = {"info": _l("for information"), "warning": _l("attention"), "critical": _l("critical")}
PHASES = {"raised": _l("raised"), "cleared": _l("cleared")}
WAYS = {"banner": _l("banner"), "mail": _l("mail"), "webhook": _l("webhook")}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")              # of WORDS["entry"]
UNITS = {"count": "", "s": _l("seconds"), "share": "%", "days": _l("days"), "yes": ""}
FULL = ("\u3002", "\uff1a")                         # full-width stop and colon: no blank follows


def gettext(text: str, **values: Any) -> str:
    """Flask-Babel's, which has no types."""
    return str(flask_babel.gettext(text, **values))


def amount(rule: Rule, value: float) -> str:
    """Of what the rule measures, with its unit."""
    match rule.measure.unit:
        case "s":
            return duration(value)
        case "share":
            return f"{value:.4g} %"
        case "days":
            return str(ngettext("%(num)d day", "%(num)d days", int(value)))
    return f"{value:g}"


def names(rule: Rule) -> str:
    """Of what it is about."""
    return ", ".join((*rule.which, *rule.groups)) or str(EVERYTHING[rule.measure.of])


def measured(rule: Rule) -> str:
    what = str(MEASURES[rule.what])
    if not rule.measure.window:
        return what
    return gettext("%(what)s (%(minutes)d min)", what=what, minutes=rule.window_min)


def limit(rule: Rule, level: float) -> str:
    """more than 5, less than 80 %; "" of what is so or not."""
    if rule.measure.unit == "yes":
        return ""
    said = amount(rule, level)
    if rule.compare == "below":
        return gettext("less than %(limit)s", limit=said)
    if rule.measure.unit == "s":
        return gettext("%(limit)s or more", limit=said)
    return gettext("more than %(limit)s", limit=said)


def told(rule: Rule, reading: Reading, now: float) -> str:
    """What an alert says."""
    value = reading.at(now) or 0.0
    who = ", ".join(reading.who) or names(rule)
    if rule.measure.unit == "yes":
        return gettext("%(rule)s: %(what)s: %(who)s", rule=rule.name, what=measured(rule), who=who)
    return gettext("%(rule)s: %(what)s %(value)s, limit: %(limit)s (%(who)s)", rule=rule.name,
                   what=measured(rule),
                   value=amount(rule, value), limit=limit(rule, rule.threshold), who=who)


def sentence(rule: Rule) -> str:
    """All of a rule in plain words."""
    said = [_condition(rule), _ending(rule)]
    if rule.since or len(rule.days) < 7 or rule.calendar:
        said.append(gettext("In force: %(when)s.", when=_hours(rule)))
    said.append(gettext("It tells: %(whom)s.", whom="; ".join(_told_how(rule))
                        or gettext("nobody; see the list")))
    return "".join(one if one.endswith(FULL) else f"{one} " for one in said).strip()


def _condition(rule: Rule) -> str:
    what, who, kept = measured(rule), names(rule), duration(rule.hold_s)
    level = limit(rule, rule.threshold)
    if rule.measure.unit == "yes":
        return (gettext("When there is: %(what)s (%(who)s), for %(time)s:", what=what, who=who, time=kept)
                if rule.hold_s else gettext("When there is: %(what)s (%(who)s):", what=what, who=who))
    if rule.hold_s:
        return gettext("When %(what)s (%(who)s) is %(limit)s for %(time)s:", what=what, who=who, limit=level,
                       time=kept)
    return gettext("When %(what)s (%(who)s) is %(limit)s:", what=what, who=who, limit=level)


def _ending(rule: Rule) -> str:
    severity, kept = str(SEVERITIES[rule.severity]), duration(rule.clear_s)
    if rule.measure.unit == "yes":
        return gettext("%(severity)s, until it has been otherwise for %(time)s.", severity=severity,
                       time=kept)
    level = amount(rule, rule.threshold if rule.clear is None else rule.clear)
    if rule.compare == "below":
        return gettext("%(severity)s, until it has been %(limit)s or more for %(time)s.", severity=severity,
                       limit=level, time=kept)
    if rule.measure.unit == "s":
        return gettext("%(severity)s, until it has been less than %(limit)s for %(time)s.", severity=severity,
                       limit=level, time=kept)
    return gettext("%(severity)s, until it has been %(limit)s or less for %(time)s.", severity=severity,
                   limit=level, time=kept)


def _hours(rule: Rule) -> str:
    days = gettext("every day") if len(rule.days) == 7 else ", ".join(
        word(DAYS[day], "entry") for day in rule.days)
    hours = f"{days} {rule.since} - {rule.until}" if rule.since else days
    if not rule.calendar:
        return hours
    calendar = (gettext("while the calendar %(name)s is open", name=rule.calendar)
                if rule.calendar_when == "open"
                else gettext("while the calendar %(name)s is closed", name=rule.calendar))
    return calendar if hours == gettext("every day") else f"{hours}; {calendar}"


def _told_how(rule: Rule) -> list[str]:
    people = [gettext("everybody")] if rule.everybody else [
        *(word(role, "role") for role in rule.tell_roles), *rule.tell_groups, *rule.tell_people]
    said = []
    if people:
        said.append(gettext("banner and sound for %(people)s", people=", ".join(people)) if rule.sound
                    else gettext("banner for %(people)s", people=", ".join(people)))
    if rule.mail:
        said.append(gettext("mail to %(addresses)s", addresses=", ".join(rule.mail)))
    if rule.webhook:
        said.append(gettext("webhook %(address)s", address=rule.webhook))
    return said


# What webhook.Forbidden says of an address.
FORBIDDEN = {
    "not an address": _l("is no address that can be used"),
    "must be https; web.webhooks.hosts can name hosts that need not":
        _l("must begin with https; the configuration's web.webhooks.hosts can name hosts that need not"),
    "is not public; web.webhooks.hosts can name such hosts":
        _l("is not on the public network; the configuration's web.webhooks.hosts can name such hosts"),
    "web.mail is not configured: there is no server to send it by":
        _l("no mail server is configured (web.mail)"),
    "too many of this rule in an hour": _l("not sent: too many of this rule in an hour"),
}
