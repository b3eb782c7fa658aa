"""Why recordd refuses what people ask of recordings and evaluations, in the reader's language.

What is not known here stays as it is.
"""

import re

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

# Whole sentences, as appliance.recording has them in life, catalogue, vault and quality.
SENTENCES: tuple[tuple[str, LazyString], ...] = (
    (r"case: give one line of 1 to (?P<most>\d+) characters",
     _l("Give the case a name, in one line of up to %(most)s characters.")),
    (r"why: give one line of 1 to (?P<most>\d+) characters|who erases it, and why\? .*"
     r"|who exports, and why\? .*", _l("Give a reason: it is kept.")),
    (r"why: a reason has up to (?P<most>\d+) characters",
     _l("The reason is too long: up to %(most)s characters.")),
    (r"(?P<case>.+): this case was released: hold them for a case of another name",
     _l("The case %(case)s was released: hold them for a case of another name.")),
    (r"(?P<case>.+): no case of that name holds anything: see recordings holds",
     _l("No case called %(case)s holds anything.")),
    (r"\w+: (?P<case>.+) does not hold it: nothing was released",
     _l("%(case)s does not hold it: nothing was released.")),
    (r"no recording is as you say: nothing was held", _l("There is nothing to hold: nothing was done.")),
    (r"(?P<name>\w+): no such recording, or it is erased(: nothing was held| already)?",
     _l("Recording %(name)s is not there, or was erased: nothing was done.")),
    (r"(?P<name>\w+): no such recording(, or it is not finished yet|: look it up again)?",
     _l("Recording %(name)s is not there, or not finished yet.")),
    (r"\w+: is held by (?P<cases>.+): release it there first",
     _l("It is held by %(cases)s: release it there first.")),
    (r"\w+: (is held: release it before it may be erased|was held at this moment: .*)",
     _l("It is held by a case: release it there first.")),
    (r"\w+: must be kept until (?P<day>\S+) \(retention\.least_days\)",
     _l("It must be kept until %(day)s: so retention.least_days of the configuration says.")),
    (r"passphrase: give (?P<least>\d+) characters or more: .*",
     _l("Give a passphrase of %(least)s characters or more: who has the file can try.")),
    (r"(?P<name>\w+): its audio is not on the box: it was erased: (?P<why>.*)",
     _l("The audio of %(name)s was erased: %(why)s")),
    (r"(?P<name>\w+): (its audio is not on the box: it is in the archive: .*|is in the archive only: .*)",
     _l("The audio of %(name)s is in the archive only.")),
    (r"\S+: [\d,]+ octets would leave less than (?P<least>\S+) of its disk free: .*",
     _l("The bundle would leave less than %(least)s of the disk free: export fewer at a time.")),
    (r"(?P<name>\w+): cannot be exported: its file is gone",
     _l("%(name)s cannot be exported: its file is gone.")),
    (r"(?P<name>\w+): cannot be exported: its audio is not what was recorded",
     _l("%(name)s cannot be exported: its audio is not what was recorded.")),
    (r"(?P<name>\w+): cannot be exported: .*", _l("%(name)s cannot be exported: its file is damaged.")),
    (r"\S+: cannot be written: (?P<why>.+): nothing was exported",
     _l("The bundle cannot be written (%(why)s): nothing was exported.")),
    (r"number: '(?P<said>.*)' is no part of a number: give (?P<least>\d+) to (?P<most>\d+) digits, .*",
     _l("%(said)s is no part of a number: give %(least)s to %(most)s digits, ^ in front when it begins with "
        "them.")),
    (r"text: at most (?P<words>\d+) words and (?P<most>\d+) characters",
     _l("At most %(words)s words and %(most)s characters are looked for.")),
    (r"(?P<what>\w+): has control characters: write it without them",
     _l("What was written has characters that nobody sees: write it anew.")),
    (r"(\w+: has|a text of) \d+ characters: (?P<most>\d+) are the most",
     _l("What was written is too long.")),
    # Evaluations.
    (r"(?P<items>.+): not answered yet", _l("Not answered yet: %(items)s")),
    (r"nothing of the form applies to this call: judge another one",
     _l("Nothing of the form applies to this call: judge another one.")),
    (r"(?P<item>\S+): (?P<said>.+) is no answer: give (?P<least>\S+) to (?P<most>\S+?)( or not applicable)?",
     _l("%(item)s: %(said)s is no answer: give %(least)s to %(most)s.")),
    (r"say why: the text is empty", _l("Say why: the text is empty.")),
    (r"it is \w+: it cannot be .+ now|evaluation \d+ was submitted: it is not changed any more, revise it",
     _l("It is not as it was when this page was made: look at it anew.")),
    (r"an appeal against it was decided: it cannot be .+ any more",
     _l("An appeal against it was decided: nothing more is changed.")),
    (r"evaluation \d+ is (?P<who>.+)'s: only he can go on with it",
     _l("It is %(who)s's evaluation, who alone can go on with it.")),
    (r"(?P<by>.+) has judged this call with this form: see evaluation (?P<number>\d+)",
     _l("%(by)s has judged this call with this form: evaluation %(number)s.")),
    (r".+ may not judge calls of .+: nobody judges himself", _l("Nobody judges himself.")),
    (r"(?P<by>.+) may not judge calls of (?P<agent>.+?)( any more|: see quality\.people.*)",
     _l("%(by)s may not judge calls of %(agent)s: see “Who is which agent” of the call centre.")),
    (r"(?P<by>.+) may not (calibrate with calls of|coach) (?P<agent>.+?): see quality\.people.*",
     _l("%(by)s may not do this with calls of %(agent)s: see “Who is which agent” of the call centre.")),
    (r"(?P<by>.+) may not (publish forms: .*|see .+)",
     _l("%(by)s may not see or do this: see “Who is which agent” of the call centre.")),
    (r"there is no (evaluation|calibration|note) .+", _l("There is none of that number.")),
    (r"\w+: its audio was erased \((?P<why>.*)\): it cannot be judged",
     _l("Its audio was erased (%(why)s): it cannot be judged.")),
    (r"\w+: no agent is known of it: there is nobody to judge",
     _l("No agent is known of it: there is nobody to judge.")),
    (r"a note has 1 to (?P<most>\d+) characters, this has \d+", _l("A note has 1 to %(most)s characters.")),
    (r"(?P<n>\d+) scorers: a calibration needs (?P<least>\d+) to (?P<most>\d+)",
     _l("A calibration needs %(least)s to %(most)s people who judge, not %(n)s.")),
    (r"(?P<by>.+) is no agent: there are no calls of his own",
     _l("%(by)s is no agent: there are no calls of their own.")),
    (r"no form '(?P<name>.*)' is published: .*", _l("No form called %(name)s is published.")),
    (r"\S+: no form is called '(?P<name>.*)', there are (?P<names>.*)",
     _l("No form is called %(name)s. There are: %(names)s")),
    (r"the time ends before it begins", _l("The time ends before it begins.")),
    (r"more than (?P<most>\d+) periods: .*",
     _l("These are more than %(most)s periods: take a shorter time, or longer periods.")),
)

_COMPILED = tuple((re.compile(pattern, re.DOTALL), text) for pattern, text in SENTENCES)


def said(text: str) -> str:
    for pattern, words in _COMPILED:
        if found := pattern.fullmatch(text):
            named = found.groupdict()
            return str(words) % named if named else str(words)
    return text
