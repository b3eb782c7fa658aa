"""What acdd says in English sentences, in the reader's language: refusals, why this agent, why this wait.

A sentence that no row knows is shown as it came. tests/webui/floor/test_said.py lets acdd say them.
"""

import re

from flask_babel import LazyString, get_locale, gettext
from flask_babel import lazy_gettext as _l

_STATES: dict[str, LazyString] = {                # appliance.centre.words.doing, and what stands in its place
    "ready": _l("is ready"), "reserved": _l("is about to be rung"), "ringing": _l("is being rung"),
    "talking": _l("is talking"), "consulting": _l("is consulting"), "holding a call": _l("is holding a call"),
    "held": _l("is holding a call"), "logged out": _l("is logged out"), "logged-out": _l("is logged out"),
    "not ready": _l("is not ready"), "not-ready": _l("is not ready"), "in wrap-up": _l("is in wrap-up"),
    "wrap-up": _l("is in wrap-up"), "unreachable": _l("cannot be reached"),
    "on the telephone": _l("is on the telephone"), "dialling": _l("is dialling"),
    "not here": _l("is not here"),
}

_STRATEGIES: dict[str, LazyString] = {
    "longest-idle": _l("the longest idle"), "fewest-calls": _l("the one with the fewest calls"),
    "least-occupied": _l("the least occupied"), "round-robin": _l("the next in turn"),
    "best-skill": _l("the best skilled"), "ring-all": _l("all are rung"),
    "last-agent-first": _l("the one who talked to the caller last"), "percentage": _l("by shares"),
}

_ROWS: tuple[tuple[str, LazyString], ...] = (
    # Steering.
    (r"(?P<who>\S+): talks with no customer, is (?P<state>.+)",
     _l("%(who)s %(state)s and talks with no customer.")),
    (r"(?P<who>\S+): no agent is called so", _l("No agent is called %(who)s.")),
    (r"(?P<at>\S+): has not answered yet", _l("The telephone %(at)s has not been answered yet.")),
    (r"(?P<at>\S+): does not supervise this talk: begin with listening",
     _l("The telephone %(at)s hears this talk no more: begin with listening.")),
    (r"(?P<at>\S*): is no agent and no extension, and no rule of centre\.outbound lets (?P<who>.+) dial it",
     _l("%(at)s is no agent and no extension, and no rule of centre.outbound lets %(who)s dial it.")),
    (r"(?P<at>\S*): is no agent and no extension, and no rule of centre\.outbound lets it be dialled",
     _l("%(at)s is no agent and no extension, and no rule of centre.outbound lets it be dialled.")),
    (r"(?P<who>\S+): (?P<skill>.+) (?P<level>-?\d+): a level is 1 to 10", _l("%(who)s: a level is 1 to 10.")),
    (r"(?P<who>\S+): no queue asks for '(?P<skill>.+)' and nobody has it",
     _l("%(who)s: no queue asks for %(skill)s and nobody has it.")),
    (r"(?P<who>\S+): no queue is called '(?P<queue>.+)', there are (?P<list>.+)",
     _l("No queue is called %(queue)s, there are %(list)s.")),
    (r"(?P<who>\S+): (?P<list>.+): to serve it, or not to: one of them",
     _l("%(who)s: %(list)s: to serve it, or not to: one of them.")),
    (r"(?P<who>\S+): until: give a time to come, within (?P<most>\d+) days",
     _l("Until when? Give a time to come, within %(most)s days.")),
    (r"(?P<who>\S+): is logged out already: give a time, or leave it open",
     _l("%(who)s is logged out: choose a time, or that it holds until it is taken back.")),
    (r"(?P<who>\S+): is logged out: log in first", _l("%(who)s is logged out: log in first.")),
    (r"(?P<who>\S+): a prompt is being spoken at (?P<at>\S+): end that call first",
     _l("A prompt is being spoken at %(at)s, the telephone of %(who)s: end that call first.")),
    (r"(?P<who>\S+): give a reason, there are (?P<list>.+)", _l("Give a reason: %(list)s.")),
    (r"(?P<who>\S+): (?P<reason>.+) is no reason, there are (?P<list>.+)",
     _l("%(reason)s is no reason, there are: %(list)s.")),
    (r"(?P<name>\S+): is not in line", _l("This caller is not in line any more.")),
    (r"priority (?P<number>-?\d+): write 0 to (?P<most>\d+)", _l("Priority: write 0 to %(most)s.")),
    (r"(?P<at>\S+): name a person's telephone", _l("%(at)s: name a person's telephone.")),
    (r"(?P<who>\S+): is (?P<state>[a-z -]+)", _l("%(who)s %(state)s.")),
    # Callbacks.
    (r"\S+: nobody gave up in it", _l("Nobody gave up in this call.")),
    (r"\S+: came to no queue: say which one is to call back",
     _l("The caller came to no queue: say which one is to call back.")),
    (r"\S+: the caller's number is not known", _l("The caller's number is not known.")),
    (r"\S+: goes on still", _l("This call goes on still.")),
    (r"\S+: no contact is called so", _l("There is no such call.")),
    (r"(?P<number>\S+): is being called already", _l("%(number)s is being called already.")),
    (r"(?P<number>\S+): is on the line already, contact \S+", _l("%(number)s is on the line already.")),
    (r"(?P<number>\S+): is being called: wait for what comes of it",
     _l("%(number)s is being called: wait for what comes of it.")),
    (r"(?P<number>.+): centre\.callbacks\.numbers does not allow to call it",
     _l("%(number)s may not be called: see centre.callbacks.numbers.")),
    (r"by which trunk\? Set centre\.callbacks\.trunk",
     _l("It is not said by which trunk callbacks go out: set centre.callbacks.trunk.")),
    (r"(?P<number>\d+) callbacks are promised already: that is the most",
     _l("%(number)s callbacks are promised already: that is the most.")),
    (r"(?P<number>\d+) callbacks are promised to calls from this number already: that is the most",
     _l("%(number)s callbacks are promised to this number already: that is the most.")),
    (r"\S+: is no callback that is promised", _l("This callback is not promised any more.")),
    (r"(?P<name>\S+): no queue is called so, there are (?P<list>.+)",
     _l("No queue is called %(name)s, there are: %(list)s.")),
    (r"what came of it: 1 to (?P<code>\d+) characters, its note at most (?P<note>\d+)",
     _l("What came of it: 1 to %(code)s characters, the note at most %(note)s.")),
    # Why this wait.
    (r"is at an agent's telephone", _l("An agent's telephone rings for this caller.")),
    (r"is served now, unless somebody before it needs the same agents",
     _l("Is served now, unless somebody before needs the same agents.")),
    (r"nobody can serve it, not even later", _l("Nobody can serve this caller, not even later.")),
    (r"nobody can serve it yet; (?P<later>\d+) can from a later ring on",
     _l("Nobody can serve this caller yet; %(later)s can from a later ring on.")),
    (r"none of the (?P<able>\d+) who can serve it is logged in",
     _l("None of the %(able)s agents who can serve this caller is logged in.")),
    (r"none of the (?P<able>\d+) who can serve it is free; (?P<present>\d+) are logged in",
     _l("None of the %(able)s agents who can serve this caller is free; %(present)s are logged in.")),
    # An agent as a caller in line sees it, and by itself.
    (r"is free and has \S+ next", _l("Is free: the next caller comes at once.")),
    (r"is free; nobody waits whom it may serve: (?P<others>\d+) wait for others",
     _l("Is free; %(others)s callers wait, but for others.")),
    (r"is free; nobody waits whom it may serve", _l("Is free; nobody waits.")),
    (r"reserve: (?P<state>.+)", _l("from the reserve: %(state)s")),
    (r"held back until the queue is in need", _l("held back until the queue is in need")),
    (r"from ring (?P<ring>\d+) on, in (?P<seconds>\d+) s(?:: (?P<rest>.+))?",
     _l("from ring %(ring)s on, in %(seconds)s s%(rest)s")),
    (r"was taken out of the queue by hand", _l("was taken out of the queue by hand")),
    (r"is not in the queue's list", _l("is not in the queue's list")),
    (r"serves other queues", _l("serves other queues")),
    (r"(?P<skill>\S+) (?P<level>\d+) is asked for and it has none",
     _l("skill %(skill)s %(level)s is asked for, there is none")),
    (r"(?P<skill>\S+) (?P<level>\d+) is asked for and it has (?P<has>\d+)",
     _l("skill %(skill)s %(level)s is asked for, there is %(has)s")),
    (r"is (?P<state>[a-z -]+)", _l("Now: %(state)s.")),
    # Why this agent.
    (r"the only one free", _l("the only one free")),
    (r"(?P<strategy>[a-z-]+) of (?P<free>\d+) free ones", _l("of %(free)s free ones: %(strategy)s")),
    (r"ring (?P<ring>\d+)", _l("ring %(ring)s")),
    (r"from the reserve", _l("from the reserve")),
    (r"before (?P<others>\d+) who began to wait earlier and come later in the order",
     _l("before %(others)s who began to wait earlier and come later in the order")),
    (r"before (?P<others>\d+) who began to wait earlier and ask for others",
     _l("before %(others)s who began to wait earlier and ask for other agents")),
)
_PATTERNS = tuple((re.compile(pattern), words) for pattern, words in _ROWS)


def said(text: str) -> str:
    """The sentence, or the sentences joined by "; " or ", ", in the reader's language."""
    whole = _one(text)
    if whole is not None:
        return whole
    for joint in ("; ", ", "):
        if joint in text and None not in (parts := [_one(part) for part in text.split(joint)]):
            return _joint(joint).join(filter(None, parts))
    return text


def _one(text: str) -> str | None:
    if text in _STATES:
        return str(_STATES[text])
    for pattern, words in _PATTERNS:
        if (found := pattern.fullmatch(text)) is None:
            continue
        values = found.groupdict()
        if (state := values.get("state")) is not None:
            if state not in _STATES:
                continue
            values["state"] = str(_STATES[state])
        if (strategy := values.get("strategy")) is not None:
            values["strategy"] = str(_STRATEGIES.get(strategy, strategy))
        if "ring" in values:                      # acdd counts from 0, pages from 1
            values["ring"] = str(int(values["ring"]) + 1)
        if "rest" in values:
            values["rest"] = f"{_colon()}{said(values['rest'])}" if values["rest"] else ""
        said_so: str = str(words) % values
        return said_so
    return None


def _chinese() -> bool:
    locale = get_locale()
    return locale is not None and locale.language == "zh"


def _joint(joint: str) -> str:
    return {"; ": "\uff1b", ", ": "\uff0c"}[joint] if _chinese() else joint       # wide ones


def _colon() -> str:
    return "\uff1a" if _chinese() else ": "


def away() -> str:
    """When acdd gives no answer: nobody knows what came of an act."""
    words = gettext("The call centre does not answer: nobody knows whether it was done. Look at the page.")
    return str(words)
