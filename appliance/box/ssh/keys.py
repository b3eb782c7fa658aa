"""What a terminal sends, as keys: characters by themselves, all else by a name of NAMES. Pure.

Ref: ECMA-48 5.4 (control sequences); xterm's control sequences, "PC-style function keys".
"""

ENTER, TAB, BACKSPACE, DELETE = "<enter>", "<tab>", "<backspace>", "<delete>"
LEFT, RIGHT, UP, DOWN, HOME, END = "<left>", "<right>", "<up>", "<down>", "<home>", "<end>"
WORD_LEFT, WORD_RIGHT = "<word-left>", "<word-right>"
INTERRUPT, EOF = "<interrupt>", "<eof>"
KILL_END, KILL_START, KILL_WORD = "<kill-end>", "<kill-start>", "<kill-word>"
YANK, CLEAR, SEARCH, CANCEL = "<yank>", "<clear>", "<search>", "<cancel>"

MOST_SEQUENCE = 16                                # octets of a control sequence; longer ones are none

_CONTROLS = {
    "\r": ENTER, "\n": ENTER, "\t": TAB, "\x7f": BACKSPACE, "\x08": BACKSPACE, "\x01": HOME, "\x05": END,
    "\x02": LEFT, "\x06": RIGHT, "\x10": UP, "\x0e": DOWN, "\x03": INTERRUPT, "\x04": EOF, "\x0b": KILL_END,
    "\x15": KILL_START, "\x17": KILL_WORD, "\x19": YANK, "\x0c": CLEAR, "\x12": SEARCH, "\x07": CANCEL}
_SEQUENCES = {
    "A": UP, "B": DOWN, "C": RIGHT, "D": LEFT, "H": HOME, "F": END, "1~": HOME, "7~": HOME, "4~": END,
    "8~": END, "3~": DELETE, "1;5D": WORD_LEFT, "1;5C": WORD_RIGHT, "1;3D": WORD_LEFT, "1;3C": WORD_RIGHT}
_META = {"b": WORD_LEFT, "f": WORD_RIGHT, "\x7f": KILL_WORD, "\x08": KILL_WORD}


class Keys:
    """Takes what came, in whatever pieces; a sequence that has not ended waits for its rest."""

    def __init__(self) -> None:
        self._begun = ""                          # an escape and what followed
        self._was_return = False

    def feed(self, text: str) -> list[str]:
        found = []
        for one in text:
            key = self._one(one)
            if key:
                found.append(key)
        return found

    def _one(self, one: str) -> str:
        after_return, self._was_return = self._was_return, one == "\r"
        if self._begun:
            return self._sequence(one)
        if one == "\x1b":
            self._begun = one
            return ""
        if one == "\n" and after_return:          # both are one key
            return ""
        if one in _CONTROLS:
            return _CONTROLS[one]
        return one if one.isprintable() else ""

    def _sequence(self, one: str) -> str:
        if one == "\x1b":                         # a lone escape, and another sequence
            self._begun = one
            return ""
        if len(self._begun) == 1:
            if one in "[O":
                self._begun += one
                return ""
            self._begun = ""
            return _META.get(one, _CONTROLS.get(one, ""))
        if "\x40" <= one <= "\x7e":
            sequence, self._begun = self._begun[2:] + one, ""
            return _SEQUENCES.get(sequence, "")
        self._begun = self._begun + one if len(self._begun) < MOST_SEQUENCE else ""
        return ""
