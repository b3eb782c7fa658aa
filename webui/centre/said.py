"""What is said of a change, in the reader's language; what is not known here stays as it is."""

import re

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from webui.centre.labels import sheet
from webui.configuration.said import said as of_configuration

SENTENCES: tuple[tuple[str, LazyString], ...] = (
    (r"Input should be greater than or equal to (?P<number>\S+)", _l("%(number)s is the least.")),
    (r"Input should be less than or equal to (?P<number>\S+)", _l("%(number)s is the most.")),
    (r"Input should be greater than (?P<number>\S+)", _l("It has to be more than %(number)s.")),
    (r"Field required", _l("This has to be given.")),
    (r"List should have at least 1 item.*", _l("At least one has to be given.")),
    (r"(?P<input>'.*'): write a to z first, then .*",
     _l("%(input)s: a to z first, then a to z, 0 to 9 and -, at most 32 in all.")),
    (r"(?P<input>'.*'): write digits, .*", _l("%(input)s: write digits, *, # and +.")),
    (r"(?P<where>\S+): (?P<name>'.*') is there twice", _l("%(name)s is there twice.")),
    (r"(?P<name>'.*') is there twice", _l("%(name)s is there twice.")),
    (r"(?:centre\.queues: )?(?P<queue>\S+): nobody can serve it, not even in its last ring: .*",
     _l("Nobody could serve queue %(queue)s any more: give somebody its skills, or lower or drop them in "
        "a ring.")),
    (r"(?:centre\.queues: )?(?P<queue>\S+): no agent is called (?P<name>'.*')",
     _l("Queue %(queue)s: there is no agent %(name)s.")),
    (r"(?:centre\.queues: )?(?P<queue>\S+): no agent has skill (?P<name>'.*'), there are .*",
     _l("Queue %(queue)s: no agent has the skill %(name)s.")),
    (r"(?:centre\.queues: )?(?P<queue>\S+): no other queue is called (?P<name>'.*')",
     _l("Queue %(queue)s: there is no other queue %(name)s.")),
    (r"(?:centre\.queues: )?overflow goes in a circle: (?P<way>.*)",
     _l("The overflow goes in a circle: %(way)s.")),
    (r"(?P<queue>\S+): who serves it\? Give agents, skills or both",
     _l("Who serves it? Give agents, skills or both.")),
    (r"(?P<queue>\S+): (?P<names>.*): required or preferred, one of them",
     _l("%(names)s: required or preferred, one of them.")),
    (r"(?P<queue>\S+): strategy percentage and shares go together",
     _l("The strategy by shares and the shares go together.")),
    (r"(?P<queue>\S+): shares: (?P<sum>\S+) in all: make it 100",
     _l("The shares are %(sum)s in all: make it 100.")),
    (r"(?P<queue>\S+): ring after (?P<s>\S+) s: comes not after the one before it",
     _l("The ring after %(s)s s comes not after the one before it.")),
    (r"(?P<queue>\S+): ring after (?P<s>\S+) s: changes nothing: .*",
     _l("The ring after %(s)s s changes nothing.")),
    (r"extension and trunk go together: give both or none",
     _l("Extension and trunk go together: give both or none.")),
    (r"ready at no telephone: .*",
     _l("Without a telephone nobody can start ready: give extension and trunk.")),
    (r"(?:centre\.agents: )?no span has trunk (?P<name>'.*'), they have (?P<there>.*)",
     _l("There is no trunk %(name)s, there are %(there)s.")),
    (r"no (agent|queue|group|calendar|trunk) is called (?P<name>'.*'), there are (?P<there>.*)",
     _l("There is no %(name)s, there are %(there)s.")),
    (r"(?:recording\.rules: )?(?P<rule>\S+): no (trunk|queue|agent) is called (?P<name>'.*'), there are "
     r"(?P<there>.*)",
     _l("Rule %(rule)s: there is no %(name)s, there are %(there)s.")),
    (r"(?:centre\.targets\.queues: )?no queue is called (?P<name>'.*'), .*",
     _l("The targets name a queue that is not there: %(name)s.")),
    (r"(?P<hours>'.*'): write hours like 09:00-12:00", _l("%(hours)s: write hours like 09:00-12:00.")),
    (r"(?P<one>\S+) and (?P<other>\S+) overlap: write them as one",
     _l("%(one)s and %(other)s overlap: write them as one.")),
    (r"when\? Give after_s, waiting, estimate_s or no_agents",
     _l("When does it overflow? Give one condition.")),
    (r"(?P<rule>\S+): what is done\? Give record or percent",
     _l("What is done? Give Record or a percentage.")),
    (r"version \d+ by (?P<who>.+?) \(.*\) has changed (?P<keys>.+) meanwhile: look again",
     _l("%(who)s has changed %(keys)s meanwhile: look again.")),
)

_COMPILED = tuple((re.compile(pattern), text) for pattern, text in SENTENCES)


def said(text: str) -> str:
    """Sentence by sentence."""
    return " ".join(_one(part) for part in text.split("; "))


def _one(text: str) -> str:
    text = re.sub(r"^line \d+: ", "", text)
    for pattern, words in _COMPILED:
        if found := pattern.fullmatch(text):
            return str(words) % found.groupdict() if found.groupdict() else str(words)
    return of_configuration(text)


def of_sheet(why: str, about: str) -> str:
    """Why a row is not taken."""
    return f"{sheet(why)}: {about}" if about else sheet(why)
