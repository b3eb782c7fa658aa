"""What tests of lines, test calls and forms say of themselves, in the reader's language."""

import re

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from webui.centre.said import said as of_centre

# Whole sentences, as appliance.box.line_tests, appliance.centre.trial_call and settings here have them.
SENTENCES: tuple[tuple[str, LazyString], ...] = (
    (r"prefix (?P<prefix>'.*')", _l("%(prefix)s: before a number outside only digits can be dialled.")),
    (r"(?P<number>.*): is not a number that a test may call",
     _l("%(number)s is not a number that a test may call.")),
    (r"ended with cause (?P<cause>\d+) before it was answered",
     _l("It ended before it was answered (cause %(cause)s).")),
    (r"was not answered in (?P<s>\S+) s", _l("It was not answered in %(s)s s.")),
    (r"was answered, but nothing louder than (?P<level>\S+) dBm0 was heard",
     _l("It was answered, but nothing louder than %(level)s dBm0 was heard.")),
    (r"was answered, but nothing louder than (?P<level>\S+) dBm0 was heard, and the other end hung up",
     _l("It was answered, but nothing louder than %(level)s dBm0 was heard, and the other end hung up.")),
    (r"no trunk (?P<name>'.*'), there are (?P<there>.*)",
     _l("There is no trunk %(name)s, there are %(there)s.")),
    (r"spand does not give the line away", _l("The line was not given to the test: try again.")),
    (r"the line was taken back: (?P<why>.*)", _l("The line was taken back from the test: %(why)s")),
    (r"the process of the test ended with (?P<code>-?\d+)",
     _l("The test broke off (%(code)s): it is in the log. Try again.")),
    (r"the process of the test says what is no JSON",
     _l("The test broke off: it is in the log. Try again.")),
    (r"span (?P<span>\S+) is under test already", _l("Line %(span)s is under test already.")),
    (r"(?P<most>\d+) lines are under test: wait until one has ended",
     _l("%(most)s lines are under test: wait until one has ended.")),
    (r"this test has ended", _l("This test has ended.")),
)

_COMPILED = tuple((re.compile(pattern, re.S), text) for pattern, text in SENTENCES)


def said(text: str) -> str:
    """One line; what is not known here as the pages of the call centre say it."""
    for pattern, words in _COMPILED:
        if found := pattern.fullmatch(text):
            return str(words) % found.groupdict() if found.groupdict() else str(words)
    return of_centre(text)
