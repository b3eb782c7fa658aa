"""What boxd and the linter say of flows, in the reader's language; what is not known here stays as it is."""

import re

from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _l

# Whole sentences as appliance.centre.flow (lint.py, load.py, model.py), appliance.config.load and
# appliance.box.flows have them.
SENTENCES: tuple[tuple[str, LazyString], ...] = (
    (r"no node is called '(?P<name>.*?)', there are (?P<names>.+)",
     _l("No node is called “%(name)s”. There are: %(names)s")),
    (r"a node's name has no /: that is of sub-flows", _l("A node's name has no /.")),
    (r"overflow_s and next go together: give both or none",
     _l("The time after which a caller leaves, and where to, go together: give both or none.")),
    (r"no such key: the sub-flow's own start is taken",
     _l("No such key: the other flow's own start is taken.")),
    (r"no node leads here: remove it or let one", _l("No node leads here: wire one to it, or delete it.")),
    (r"no way leads out of here: let a node hang up, queue, transfer or return",
     _l("No way leads out of here: let a node hang up, queue, transfer or return.")),
    (r"no queue is called '(?P<name>.*?)', there are (?P<names>.+)",
     _l("No queue is called “%(name)s”. There are: %(names)s")),
    (r"no source is called '(?P<name>.*?)', there are (?P<names>.+)",
     _l("No source is called “%(name)s”. There are: %(names)s")),
    (r"no calendar is called '(?P<name>.*?)', there are (?P<names>.+)",
     _l("No calendar is called “%(name)s”. There are: %(names)s")),
    (r"no voicemail box is called '(?P<name>.*?)', there are (?P<names>.+)",
     _l("No voicemail box is called “%(name)s”. There are: %(names)s")),
    (r"no survey is called '(?P<name>.*?)', there are (?P<names>.+)",
     _l("No survey is called “%(name)s”. There are: %(names)s")),
    (r"no group is called '(?P<name>.*?)', there are (?P<names>.+)",
     _l("No group of agents is called “%(name)s”. There are: %(names)s")),
    (r"no agent is called '(?P<name>.*?)', there are (?P<names>.+)",
     _l("No agent is called “%(name)s”. There are: %(names)s")),
    (r"no trunk is called '(?P<name>.*?)', there are (?P<names>.+)",
     _l("No trunk is called “%(name)s”. There are: %(names)s")),
    (r"no agent has the skill '(?P<name>.*?)', they have (?P<names>.+)",
     _l("No agent has the skill “%(name)s”. They have: %(names)s")),
    (r"'(?P<name>.*?)' would have the secret in its address, where servers log it: give the source "
     r"method: POST",
     _l("“%(name)s” would have the secret in its address, where servers log it: give the source "
        "method: POST.")),
    (r"has no text in (?P<language>zh|en), which the flow can come to speak",
     _l("Has no text in “%(language)s”, which the flow can come to speak.")),
    (r"'(?P<name>.*?)' is a secret: only a lookup may send it",
     _l("“%(name)s” is a secret: only a look-up may send it.")),
    (r"nothing sets the variable '(?P<name>.*?)', there are (?P<names>.+): set it before, or give it a value "
     r"below variables",
     _l("Nothing sets the variable “%(name)s”. There are: %(names)s")),
    (r"only plays, round and round: let one of the nodes lead elsewhere",
     _l("Only plays, round and round: let one of the nodes lead elsewhere.")),
    (r"leads back here without waiting for anything: let one of the nodes lead elsewhere",
     _l("Leads back here without waiting for anything: let one of the nodes lead elsewhere.")),
    (r"(?:nodes\.\S+: )?only a sub-flow returns, this one is called itself: write kind: hangup",
     _l("Only a flow that another one leads to returns. This one is called itself: hang up instead.")),
    (r"(?P<file>\S+) leads out of the flow's folder: sub-flows are there or in folders below it",
     _l("%(file)s leads out of the folder of flows.")),
    (r"leads into itself: a flow may not call itself", _l("Leads into itself: a flow may not call itself.")),
    (r"\S+: is a link that leads nowhere", _l("The file is a link that leads nowhere.")),
    (r"more than (?P<most>\d+) sub-flows deep", _l("More than %(most)s flows in one another.")),
    (r"(?P<count>\d+) nodes with those of sub-flows: (?P<most>\d+) are the most",
     _l("%(count)s nodes with those of the flows in it: %(most)s are the most.")),
    (r"Field required", _l("This must be given.")),
    (r"no such key(?:, there are (?P<names>.+))?", _l("There is no such key here.")),
    (r"kind is missing: which one is it\?", _l("The kind is missing.")),
    (r"'(?P<name>.*?)' is taken: choose another name", _l("“%(name)s” is taken: choose another name.")),
    (r"least (?P<least>\d+) is more than most (?P<most>\d+)",
     _l("The fewest digits, %(least)s, are more than the most, %(most)s.")),
    (r"valid: a secret is not looked at: give it to an authenticate node",
     _l("A secret is not looked at: give it to a PIN check.")),
    (r"give one of them: language or by", _l("Give one of them: the language, or by what it is chosen.")),
    (r"agent: who logs in\? Have the number keyed in and its PIN checked first",
     _l("Who logs in? Have the number keyed in and its PIN checked first.")),
    (r"keep_as, by, confirm and failed go together",
     _l("What it becomes, who keeps it, the question and “failed” go together.")),
    (r"what: box and box go together", _l("Name the voicemail box, and only for recordings of a box.")),
    (r"what: reference and reference go together",
     _l("Give the reference, and only for recordings of one contact.")),
    (r"'(?P<given>.*?)': write a to z first, then a to z, 0 to 9 and -, at most 32 in all",
     _l("“%(given)s”: a to z first, then a to z, 0 to 9 and -, at most 32 in all.")),
    (r"'(?P<given>.*?)': write digits, \*, # and \+, at most (?P<most>\d+)",
     _l("“%(given)s”: digits, *, # and +, at most %(most)s.")),
    (r"\S*?/(?P<name>(?:zh|en|music)/\S+)\.wav: .*: record it or correct the prompt's name",
     _l("The prompt “%(name)s” is not there: record it, or correct its name.")),
    (r"\S*?/(?P<name>(?:zh|en|music)/\S+)\.wav: (?P<what>.+)",
     _l("The prompt “%(name)s” cannot be played: %(what)s")),
    (r"(?:Dictionary|List) should have at least 1 item after validation, not 0",
     _l("At least one must be there.")),
    (r"Input should be greater than or equal to (?P<least>\S+)", _l("At least %(least)s.")),
    (r"Input should be less than or equal to (?P<most>\S+)", _l("At most %(most)s.")),
    (r"Input should be a valid (?:number|integer).*", _l("This must be a number.")),
    (r"Input should be a valid string", _l("This must be a text.")),
    (r"String should have at least 1 character", _l("This must not be empty.")),
    (r"String should match pattern .*", _l("This cannot be written so.")),
    (r"YAML does not read (?P<given>.+?) as text: write it in quotes, .*",
     _l("“%(given)s” is read as no text: write it in quotes.")),
    (r"(?:\S+: )?(?P<who>.+) has a draft: wait for it, or take it over",
     _l("%(who)s has a draft of it: take it over, or wait.")),
    (r"(?:\S+: )?the draft has changed since: look at it again", _l("The draft has changed since.")),
    (r"(?:\S+: )?there is no draft", _l("There is no draft.")),
    (r"(?:\S+: )?meanwhile there is (?P<version>.+): compare, and publish beside it",
     _l("Meanwhile somebody has published %(version)s: compare, and publish again.")),
    (r"(?:\S+: )?nothing differs from (?P<version>.+), which is the file",
     _l("Nothing differs from what is published.")),
    (r"(?:\S+: )?was edited on the box just now: look at what it says, and try again",
     _l("The file was edited on the box just now: look at what it says, and try again.")),
    (r"the configuration is wrong, mend it first: (?P<what>.+)",
     _l("The configuration is wrong, mend it first: %(what)s")),
    (r"this took longer than (?P<seconds>\S+) s, and was given up",
     _l("This took longer than %(seconds)s s, and was given up.")),
    (r"the program that reads flows .*", _l("The flow could not be read: it may be too large.")),
    (r"nothing is pressed", _l("Nothing is pressed.")),
    (r"time passes", _l("Time passes.")),
    (r"(?P<source>[a-z][a-z0-9-]*) answers: nothing found", _l("%(source)s answers: nothing found")),
    (r"(?P<source>[a-z][a-z0-9-]*) answers: no answer is given for it",
     _l("%(source)s is asked, and no answer was given here.")),
    (r"(?P<source>[a-z][a-z0-9-]*) answers: (?P<what>.+)", _l("%(source)s answers: %(what)s")),
    (r"larger than (?P<octets>\d+) octets, this cannot be it", _l("Larger than %(octets)s octets.")),
    (r"a flow has keys: start, nodes", _l("A flow has the keys start and nodes.")),
    (r"(?P<request>\w+): (?P<daemon>[a-z]+d|webui) (is not there|did not answer in .*)",
     _l("%(daemon)s does not answer: try again soon.")),
)

_COMPILED = tuple((re.compile(pattern), text) for pattern, text in SENTENCES)


def said(text: str) -> str:
    """One line."""
    if found := re.fullmatch(r"line (\d+): (.+)", text):
        return str(gettext("Line %(number)s: %(what)s", number=found[1], what=said(found[2])))
    for pattern, words in _COMPILED:
        if found := pattern.fullmatch(text.strip()):
            return str(words) % found.groupdict() if found.groupdict() else str(words)
    return text


def said_all(text: str) -> str:
    return "\n".join(said(line) for line in text.splitlines())
