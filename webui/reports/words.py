"""Figures in the reader's language: names, formulas, notes, what is counted, and values with their units.

Formulas are acdd's words (appliance.centre.figures.words), taken apart at its phrases; a test holds that
none of them is unknown here.
"""

import re

from flask_babel import LazyString, get_locale, gettext
from flask_babel import lazy_gettext as _l

from appliance.bus.messages import FigureDefinition
from webui import texts

PHRASES: dict[str, LazyString] = {
    "answered, no call of that number within N days after":
        _l("answered, no call of that number within N days after"),
    "median of |expected at joining - wait|": _l("median of |expected at joining - wait|"),
    "mean of expected at joining - wait": _l("mean of expected at joining - wait"),
    "most of the waits of offered": _l("longest of the waits of offered"),
    "90 % of answered waited no longer": _l("nine of ten answered waited no longer"),
    "time at which every channel of the trunk had a call":
        _l("time at which every channel of the trunk had a call"),
    "most calls at a time": _l("most calls at a time"), "the time asked for": _l("the time asked for"),
    "all calls": _l("all calls"), "wait": _l("wait"),
    "answered": _l("answered"), "abandoned": _l("abandoned"), "turned away": _l("turned away"),
    "overflowed": _l("overflowed"), "left": _l("left"), "failed": _l("broken off by a fault"),
    "waiting": _l("waiting in line"),
    "offered": _l("offered"), "hung up": _l("hung up"), "hung up here": _l("hung up here"),
    "here now": _l("here now"), "entered and left": _l("entered and left"), "talks": _l("talks"),
    "holds": _l("holds"), "wrap-ups": _l("wrap-ups"), "transferred": _l("transferred"),
    "at work": _l("at work"), "ready": _l("ready"), "not ready": _l("not ready"),
    "unreachable": _l("unreachable"), "left for a callback": _l("left for a callback"),
    "called back": _l("called back"), "callbacks that are over": _l("callbacks that are over"),
    "answers of 4 or 5": _l("answers of 4 or 5"), "answers": _l("answers"),
    "rings": _l("rings of telephones"),
    "rings answered": _l("rings answered"), "outbound calls dialled": _l("outbound calls dialled"),
    "outbound talks": _l("outbound talks"), "internal calls dialled": _l("internal calls dialled"),
    "talks as consulted or invited": _l("talks as consulted or invited"),
    "inbound calls": _l("inbound calls"), "inbound calls answered": _l("inbound calls answered"),
    "outbound calls": _l("outbound calls"), "outbound calls answered": _l("outbound calls answered"),
    "outbound calls without a channel": _l("outbound calls without a channel"),
    "in at most T": _l("in at most T"), "in more than T": _l("in more than T"),
    "in less than S": _l("in less than S"), "in at least S": _l("in at least S"),
}
NOTES: dict[str, LazyString] = {
    "who joined the queue, whatever came of it: answered + abandoned + overflowed + left + failed + waiting. "
    "In all queues together a contact counts once":
        _l("who joined the queue, whatever came of it: answered + abandoned + overflowed + left + failed + "
           "waiting. In all queues together a contact counts once"),
    "hung up in line, or turned away: left the queue because nobody served it, it was full or the wait too "
    "long, and reached nobody and nothing after it":
        _l("hung up in line, or turned away: left the queue because nobody served it, it was full or the "
           "wait too long, and reached nobody and nothing after it"),
    "hung up sooner than centre.targets.short_abandon_s; they are among abandoned":
        _l("hung up sooner than centre.targets.short_abandon_s; they are among abandoned"),
    "by the box; they are among abandoned": _l("by the box; they are among abandoned"),
    "to another queue, a forward, a person": _l("to another queue, a forward, a person"),
    "by the caller's choice of another way: a digit, a message, a callback":
        _l("by the caller's choice of another way: a digit, a message, a callback"),
    "they are among left": _l("they are among left"),
    "customer and agent have talked; counts when it was promised, and is not among offered and answered: "
    "nobody waited on the line":
        _l("customer and agent have talked; counts when it was promised, and is not among offered and "
           "answered: nobody waited on the line"),
    "of those that are over": _l("of those that are over"),
    "from the promise to the talk": _l("from the promise to the talk"),
    "the line or the box failed while they waited": _l("the line or the box failed while they waited"),
    "at the end of the time asked for, if that is now":
        _l("at the end of the time asked for, if that is now"),
    "the box's own: short abandons are left out; who waits and is not late yet is not judged":
        _l("the box's own: short abandons are left out; who waits and is not late yet is not judged"),
    "abandons do not count at all": _l("abandons do not count at all"),
    "short abandons are out of both sides": _l("short abandons are out of both sides"),
    "from joining the queue to the talk, ringing included, the flow before it not":
        _l("from joining the queue to the talk, ringing included, the flow before it not"),
    "also of those who still wait": _l("also of those who still wait"),
    "the parts that agents had of contacts of a queue: brought by it, called back for it, or transferred to "
    "them; consulted and supervising agents are not among them":
        _l("the parts that agents had of contacts of a queue: brought by it, called back for it, or "
           "transferred to them; consulted and supervising agents are not among them"),
    "from the answer; no ringing, no waiting, no hold":
        _l("from the answer; no ringing, no waiting, no hold"),
    "the customer hears music, also while the agent consults":
        _l("the customer hears music, also while the agent consults"),
    "once for each part, as long as it really was": _l("once for each part, as long as it really was"),
    "talk + hold + wrap-up; an agent's part ends for him when he gives the contact away":
        _l("talk + hold + wrap-up; an agent's part ends for him when he gives the contact away"),
    "blind, attended, left to somebody in a conference; also when nobody took it in the end":
        _l("blind, attended, left to somebody in a conference; also when nobody took it in the end"),
    "contacts whose number is known; a later contact counts in whatever queue it waits. Until N days have "
    "passed it can still fall":
        _l("contacts whose number is known; a later contact counts in whatever queue it waits. Until N days "
           "have passed it can still fall"),
    "answers to questions of after-call surveys, when they were given":
        _l("answers to questions of after-call surveys, when they were given"),
    "answered contacts for whom there was one": _l("answered contacts for whom there was one"),
    "a wait of less than 1 s counts as 1 s": _l("a wait of less than 1 s counts as 1 s"),
    "above 0: too much was expected": _l("above 0: too much was expected"),
    "the telephone rang, or was to ring, for a contact":
        _l("the telephone rang, or was to ring, for a contact"),
    "to a telephone of the same trunk": _l("to a telephone of the same trunk"),
    "consulted or invited by another agent": _l("consulted or invited by another agent"),
    "from being chosen for a contact to the end of wrap-up":
        _l("from being chosen for a contact to the end of wrap-up"),
    "each reason is in the table below the agent": _l("by reason: see what the times below are of"),
    "pauses and times at which the telephone could not be reached are out of both sides":
        _l("pauses and times at which the telephone could not be reached are out of both sides"),
    "of all logged-in time, pauses included": _l("of all logged-in time, pauses included"),
    "the box answered, a flow or an agent": _l("the box answered, a flow or an agent"),
    "rings of agents' telephones, too, on their trunk":
        _l("rings of agents' telephones, too, on their trunk"),
    "ours that found no free channel (causes 34, 44). Calls that the exchange blocks never come to the box: "
    "all_busy_s says when that could be":
        _l("ours that found no free channel (causes 34, 44). Calls that the exchange blocks never come to "
           "the box: the time of all trunks busy says when that could be"),
    "the caller did; each way out is in the table below the node":
        _l("the caller did; the lists below have each way out"),
}
PARTS: dict[str, LazyString] = {                  # of what is counted: state/not-ready/lunch
    "answered": _l("answered"), "abandoned": _l("abandoned"), "hung up": _l("hung up"),
    "turned away": _l("turned away"), "overflowed": _l("overflowed"), "left": _l("left"),
    "failed": _l("broken off by a fault"), "waiting": _l("waiting in line"), "queue": _l("by the queue"),
    "transfer": _l("by transfer"), "callback": _l("callback"), "reached": _l("reached"),
    "message": _l("message"), "forward": _l("forward"), "person": _l("person"), "next": _l("goes on"),
    "talk": _l("talk"), "hold": _l("hold"), "wrap-up": _l("wrap-up"), "transferred": _l("transferred"),
    "rung": _l("rung"), "refused": _l("refused"), "no answer": _l("no answer"), "dial": _l("dialled"),
    "out": _l("outbound"), "in": _l("inbound"), "internal": _l("internal"), "blocked": _l("no channel"),
    "going on": _l("going on"), "consult": _l("consulted"), "conference": _l("conference"),
    "state": _l("state"), "ready": _l("ready"), "not-ready": _l("not ready"),
    "unreachable": _l("unreachable"), "reserved": _l("reserved"), "ringing": _l("ringing"),
    "talking": _l("talking"), "held": _l("on hold"), "consulting": _l("consulting"),
    "busy": _l("occupied"), "rated": _l("rated"), "by": _l("by"), "ended": _l("ended"),
    "here": _l("here now"), "told": _l("expected wait"), "waited": _l("waited"), "timeout": _l("timeout"),
}
CHOSEN: dict[str, LazyString] = {                 # what the form of a report offers
    "queue": _l("Queues"), "agent": _l("Agents"), "trunk": _l("Trunks"), "flow": _l("Flows"),
    "today": _l("Today"), "yesterday": _l("Yesterday"), "this-week": _l("This week"),
    "last-week": _l("Last calendar week"), "this-month": _l("This month"),
    "last-month": _l("Last calendar month"),
    "this-year": _l("This year"), "dates": _l("Chosen days"),
    "whole": _l("the whole time"), "quarter": _l("15 minutes"), "hour": _l("hours"), "day": _l("days"),
    "week": _l("weeks"),
    "service": _l("Service"), "waiting": _l("Waiting"), "work": _l("Working time"),
    "traffic": _l("Traffic"), "all": _l("All figures"),
    "daily": _l("every day"), "weekly": _l("every week"), "monthly": _l("every month"),
}
UNITS: dict[str, LazyString] = {
    "share": _l("share"), "s": _l("time"), "Erl": _l("Erl"), "contacts": _l("contacts"), "calls": _l("calls"),
    "rings": _l("rings of telephones"), "times": _l("times"),
}
_ANY = re.compile("|".join(
    rf"(?<![\w-]){re.escape(one)}(?![\w-])" for one in sorted(PHRASES, key=len, reverse=True)))
_TIME = re.compile(r"time of (\([^()]*\)|[^()/+]+?)(?=\)| /|$)")


def chosen(one: str) -> str:
    return str(CHOSEN.get(one, one))


def title(definition: FigureDefinition) -> str:
    """What the figure is called."""
    locale = get_locale()
    if locale is not None and locale.language == "zh":
        return definition.zh
    return definition.en[:1].upper() + definition.en[1:]


def formula(words: str) -> str:
    return _TIME.sub(
        lambda found: gettext("time of %(what)s", what=_phrases(found[1])), _phrases_but_times(words))


def _phrases_but_times(words: str) -> str:
    """Times keep their words until they are put in order."""
    parts, at = [], 0
    for found in _TIME.finditer(words):
        parts += [_phrases(words[at:found.start()]), found[0]]
        at = found.end()
    return "".join([*parts, _phrases(words[at:])])


def _phrases(words: str) -> str:
    return _ANY.sub(lambda found: str(PHRASES[found[0]]), words)


def note(words: str) -> str:
    return str(NOTES.get(words, words))


def unit(name: str) -> str:
    return str(UNITS.get(name, name))


def what(counted: str) -> str:
    """Reasons and ways out of nodes are the box's own words: they stay as they are."""
    return " · ".join(str(PARTS.get(part, part)) for part in counted.split("/"))


def shown(value: float | None, unit: str) -> str:
    """A figure with its unit, short."""
    if value is None:
        return "–"
    if unit == "share":
        return f"{100 * value:.1f} %"
    if unit == "s":
        sign, value = ("-", -value) if value < 0 else ("", value)
        return sign + (f"{value:.1f} s" if value < 60 else texts.duration(value))
    if unit == "Erl":
        return f"{value:.2f}"
    return f"{value:,.0f}"


def change(by: float | None, unit: str) -> str:
    """Against the time before: percentage points of a share, else per cent; "" where none can be told."""
    if by is None:
        return ""
    return f"{by:+.1f}" if unit == "share" else f"{100 * by:+.0f} %"


def plain(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:,.1f}"
