"""What boxd and the simulator say of a rehearsal, in the reader's words; what is not known stays as it is."""

import re

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

# Whole sentences, as appliance.box.rehearsal and appliance.sim have them.
SENTENCES: tuple[tuple[str, LazyString], ...] = (
    (r"one runs: wait until it has ended, or stop it",
     _l("One is being played already: wait until it has ended, or stop it.")),
    (r"no rehearsal is called .*", _l("It is not there any more.")),
    (r".+: (?P<what>.+): nothing was begun",
     _l("It cannot be kept (%(what)s): nothing was begun. Free some space.")),
    (r"what it came to could not be kept: (?P<what>.+)",
     _l("What came of it could not be kept (%(what)s): free some space.")),
    (r"days: from 1 to (?P<most>\d+), each once", _l("Choose from one to %(most)s days.")),
    (r"'(?P<day>.*)': no day: write it as 2026-03-02",
     _l("%(day)s is no day: write it as 2026-03-02.")),
    (r"seeds -?\d+: from 1 to (?P<most>\d+)", _l("Plays of each day: 1 to %(most)s.")),
    (r"title: one line of at most (?P<most>\d+) characters",
     _l("What it is about: one line of at most %(most)s characters.")),
    (r"changes: at most (?P<most>\d+)", _l("At most %(most)s changes at once.")),
    (r"it was not over in (?P<minutes>\S+) min: take fewer days or plays",
     _l("It was not over in %(minutes)s min: take fewer days or plays.")),
    (r"it took more than (?P<seconds>\d+) s of the processor: take fewer days or plays",
     _l("It took more than %(seconds)s s of the processor: take fewer days or plays.")),
    (r"the simulator ended with (?P<code>-?\d+): too little memory, or somebody ended it",
     _l("The simulator ended (%(code)s): too little memory, or somebody ended it.")),
    (r"the result is too large: take fewer days, or longer intervals",
     _l("The result is too large: take fewer days, or longer intervals.")),
    (r"the process of the simulator says what is no JSON",
     _l("The simulator failed: the box's log says why.")),
    (r"(?P<day>\S+): no call of that day can be played: none came in to a number or queue of now",
     _l("%(day)s: no call of that day can be played: none came in to a number or queue of now.")),
    (r"\S+: cannot be read: (?P<what>.+)", _l("The calls of that day cannot be read: %(what)s")),
)

# Of one change, after the change itself: appliance.sim.what_if.
OF_A_CHANGE: tuple[tuple[str, LazyString], ...] = (
    (r"write of which agent, there are (?P<names>.*)", _l("no agent is called so. There are: %(names)s")),
    (r".+: only .+ can be of a queue, and there are (?P<names>.*)",
     _l("no queue is called so. There are: %(names)s")),
    (r"write of which queue, there are (?P<names>.*)", _l("choose a queue. There are: %(names)s")),
    (r"write one of .+|no change of the simulator: .+", _l("there is no such change.")),
    (r"there is no agent to be like", _l("nobody works there whom more agents could be like.")),
    (r"there are (?P<count>\d+)", _l("only %(count)s agents are there.")),
    (r"(?P<count>\d+) are there then", _l("only %(count)s agents are there then.")),
    (r"(?P<queues>.+) cannot be without (?P<agent>\S+)", _l("%(queues)s cannot be without %(agent)s.")),
    (r"(?P<queue>\S+) would have no agent", _l("%(queue)s would have no agent.")),
    (r"(?P<ends>\S+) is not after (?P<begins>\S+)", _l("%(ends)s is not after %(begins)s.")),
    (r"write how many more or fewer, \+2 or -1, at most (?P<most>\d+)",
     _l("at most %(most)s agents more or fewer.")),
    (r"write from when to when and how many, .*, at most (?P<most>\d+)",
     _l("at most %(most)s agents more or fewer.")),
    (r"write seconds, at most (?P<most>\d+)", _l("at most %(most)s seconds.")),
    (r"write seconds and where to, .*others are (?P<names>.*)",
     _l("calls go over to another queue. There are: %(names)s")),
    (r"write by how much, .*", _l("this much more or less cannot be played.")),
    (r"write a share of the rings, .*", _l("from 0 to 100 per cent of the rings.")),
    (r"write the skill and its level from 0 to 10, .*", _l("a level is 0 to 10.")),
    (r"write \+ or - and the agent, .*", _l("choose an agent that there is.")),
)

_COMPILED = tuple((re.compile(pattern), text) for pattern, text in SENTENCES)
_OF_A_CHANGE = tuple((re.compile(pattern), text) for pattern, text in OF_A_CHANGE)
_CHANGE = re.compile(r"'(?P<change>[^']*)': (?P<why>.+)")


def said(text: str) -> str:
    """Of every line."""
    return "\n".join(_line(one) for one in text.splitlines())


def _line(text: str) -> str:
    if (words := _of(text, _COMPILED)) != text or not (found := _CHANGE.fullmatch(text)):
        return words
    return f"{found['change']}: {_of(found['why'], _OF_A_CHANGE)}"


def _of(text: str, rows: tuple[tuple[re.Pattern[str], LazyString], ...]) -> str:
    for pattern, words in rows:
        if found := pattern.fullmatch(text):
            return str(words) % found.groupdict() if found.groupdict() else str(words)
    return text
