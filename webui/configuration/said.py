"""What boxd says of the configuration, in the reader's language; what is not known here stays as it is."""

import re

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

# Whole lines as appliance.box.document.keeper and appliance.trunk.reload have them.
SENTENCES: tuple[tuple[str, LazyString], ...] = (
    (r"(?P<who>.+) has a candidate, made from version (?P<base>\d+): wait for it, or discard it",
     _l("%(who)s has a candidate, made from version %(base)s: wait for it, or discard it.")),
    (r"the candidate was made from version (?P<base>\d+), and meanwhile there is version (?P<newest>\d+) by "
     r"(?P<who>.+?) \(.*\): compare, and edit it again from there",
     _l("The candidate was made from version %(base)s, and meanwhile there is version %(newest)s by %(who)s: "
        "compare, and edit it again from there.")),
    (r"a commit needs a comment: say why", _l("A commit needs a reason: say why.")),
    (r"version (?P<number>\d+) waits to be confirmed: confirm it, or go back, first",
     _l("Version %(number)s waits to be confirmed: confirm it, or go back, first.")),
    (r"nothing differs from version (?P<number>\d+), which is the document",
     _l("Nothing differs from version %(number)s, which holds.")),
    (r"version (?P<number>\d+) does not wait to be confirmed",
     _l("Version %(number)s does not wait to be confirmed.")),
    (r"version (?P<number>\d+): its time is over, it goes back to version (?P<back>\d+)",
     _l("The time of version %(number)s is over, it goes back to version %(back)s.")),
    (r"the file was edited on the box just now: look at what it says, and try again",
     _l("The file was edited on the box just now: look at what it says, and try again.")),
    (r"the file was edited on the box and is wrong: mend it, or roll back:",
     _l("The file was edited on the box and is wrong: mend it, or roll back:")),
    (r"it takes effect at the next start of the box", _l("it takes effect at the next start of the box")),
    (r"it was cut off", _l("it was cut off, and is tried again")),
    (r"(?P<key>\S+): (?P<daemon>[a-z]+d|webui) reads it when it starts: put it back, or start the box anew",
     _l("%(key)s: %(daemon)s reads it when it starts. Put it back, or commit for the next start.")),
    (r"(?P<key>\S+): spand does not have it: start spand anew .*",
     _l("%(key)s: a new line begins with the next start of the box. Tick \"Not now\" below, commit, and "
        "restart the box when few call: item 8 of its console.")),
    (r"(?P<key>\S+): calls are on it: .*", _l("%(key)s: calls are on it. Take the span out of use first.")),
    (r"callers are where the new document has nothing: put it back, or wait until they are gone: "
     r"(?P<what>.+)",
     _l("Callers are where the new text has nothing: put it back, or wait until they are gone: %(what)s")),
    (r"(?P<request>\w+): (?P<daemon>[a-z]+d|webui) (is not there|did not answer in .*)",
     _l("%(daemon)s does not answer: try again soon.")),
)

_COMPILED = tuple((re.compile(pattern), text) for pattern, text in SENTENCES)


def said(text: str) -> str:
    """One line."""
    for pattern, words in _COMPILED:
        if found := pattern.fullmatch(text):
            return str(words) % found.groupdict() if found.groupdict() else str(words)
    return text
