"""Why boxd writes no entry into the maintenance log, in the reader's words; what is not known stays."""

import re
from collections.abc import Callable

from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _l

# Whole sentences, as appliance.box.maintenance has them.
SENTENCES: tuple[tuple[str, LazyString], ...] = (
    (r"kind '.*': one of .*", _l("Choose what kind of entry it is.")),
    (r"by: who did it, at most \d+ characters", _l("Your name does not fit into the log.")),
    (r"what was done, and the note: at most (?P<most>\d+) characters each",
     _l("What was done, and the notes: at most %(most)s characters each.")),
    (r"what was done, and the note: no control characters",
     _l("There is a character in it that cannot be written: type it anew.")),
    (r"a correction names the entry that it puts right, and nothing else does",
     _l("A correction has the number of the entry that it puts right; other kinds have none.")),
    (r"a signature names the entry that was seen, and nothing else does",
     _l("A signature has the number of the entry that was seen; other kinds have none.")),
    (r"entry (?P<number>\d+) is a signature itself", _l("Entry no. %(number)s is a signature itself.")),
    (r"entry (?P<number>\d+) has your name already", _l("Entry no. %(number)s has your name already.")),
    (r"the [a-z]+ round goes on: wait until it is over", _l("A round goes on: wait until it is over.")),
    (r"a round begins just now: wait until it is over", _l("A round goes on: wait until it is over.")),
    (r"not begun: (?P<what>.+)", _l("It was not begun (%(what)s): try again.")),
    (r"[a-z]+: has no list of items", _l("This kind of entry has no list of items.")),
    (r"what was done: say it", _l("Say what was done.")),
    (r"[a-z]+: the items are .*", _l("The list of items is another one now: fill it in again.")),
    (r"result: good, bad or skipped", _l("Choose a result for every item.")),
    (r"remark: one line of at most (?P<most>\d+) characters",
     _l("A remark is one line of at most %(most)s characters.")),
    (r"there is no entry (?P<number>-?\d+)", _l("There is no entry no. %(number)s.")),
    (r"not written: (?P<what>.+)", _l("It was not written (%(what)s): try again.")),
)

_COMPILED = tuple((re.compile(pattern), text) for pattern, text in SENTENCES)
_REMARKS = re.compile(r"(?P<items>[a-z0-9, -]+): say in the remark what is wrong")


def said(text: str, name: Callable[[str], str]) -> str:
    """`name`: of an item of a list."""
    if found := _REMARKS.fullmatch(text):
        items = "; ".join(name(one) for one in found["items"].split(", "))
        return str(gettext("Say in the remark what is wrong: %(items)s", items=items))
    for pattern, words in _COMPILED:
        if found := pattern.fullmatch(text):
            return str(words) % found.groupdict() if found.groupdict() else str(words)
    return text
