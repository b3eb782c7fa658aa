"""A line that a person types: the cursor, what is shown, what was typed before. Pure: keys in, text out."""

from dataclasses import dataclass, field

from appliance.box.ssh import keys
from appliance.box.ssh.widths import places

MOST_LINE = 1000                                  # characters; it is drawn anew at many a key
MOST_HISTORY = 200                                # lines

BELL = "\x07"


@dataclass(slots=True)
class Editor:
    """`history` outlives a line. What the methods return is to be written to the terminal as it is."""

    width: int = 80
    history: list[str] = field(default_factory=list)
    line: str = ""
    at: int = 0
    entered: str | None = None                    # the line, when it ended with Enter
    _prompt: str = ""
    _secret: bool = False
    _row: int = 0                                 # the cursor's, from the prompt's first
    _cut: str = ""                                # what was killed last, to be put in again
    _back: int = 0                                # how far in the history; 0: the new line
    _new: str = ""                                # the line that was begun, while older ones are looked at
    _sought: str | None = None                    # while the history is searched

    @property
    def searching(self) -> bool:
        """Keys are for the search, all of them."""
        return self._sought is not None

    def begin(self, prompt: str, secret: bool = False) -> str:
        """An empty line behind this prompt; of a `secret` one nothing is shown or kept."""
        self.line, self.at, self.entered = "", 0, None
        self._prompt, self._secret, self._row = prompt, secret, 0
        self._back, self._new, self._sought = 0, "", None
        return self._anew()

    def key(self, key: str) -> str:
        """What is not the editor's own (Tab, ?, Ctrl-C, Ctrl-D on an empty line) is for who asks before."""
        if self._sought is not None:
            return self._search(key)
        if len(key) == 1:
            return self._typed(key)
        match key:
            case keys.ENTER:
                return self._ended()
            case keys.BACKSPACE if self.at:
                return self._set(self.line[:self.at - 1] + self.line[self.at:], self.at - 1)
            case keys.DELETE | keys.EOF if self.at < len(self.line):
                return self._set(self.line[:self.at] + self.line[self.at + 1:], self.at)
            case keys.LEFT if self.at:
                return self._set(self.line, self.at - 1)
            case keys.RIGHT if self.at < len(self.line):
                return self._set(self.line, self.at + 1)
            case keys.HOME:
                return self._set(self.line, 0)
            case keys.END:
                return self._set(self.line, len(self.line))
            case keys.WORD_LEFT:
                return self._set(self.line, self._word_left())
            case keys.WORD_RIGHT:
                return self._set(self.line, self._word_right())
            case keys.KILL_END:
                self._cut = self.line[self.at:]
                return self._set(self.line[:self.at], self.at)
            case keys.KILL_START:
                self._cut = self.line[:self.at]
                return self._set(self.line[self.at:], 0)
            case keys.KILL_WORD:
                begin = self._word_left()
                self._cut = self.line[begin:self.at]
                return self._set(self.line[:begin] + self.line[self.at:], begin)
            case keys.YANK if len(self.line) + len(self._cut) <= MOST_LINE:
                return self._set(self.line[:self.at] + self._cut + self.line[self.at:],
                                 self.at + len(self._cut))
            case keys.UP if not self._secret and self._back < len(self.history):
                return self._older(1)
            case keys.DOWN if self._back:
                return self._older(-1)
            case keys.SEARCH if not self._secret and self.history:
                self._sought = ""
                return self._drawn()
            case keys.CLEAR:
                self._row = 0
                return "\x1b[H\x1b[2J" + self._drawn()
        return BELL

    def set(self, line: str, at: int) -> str:
        """The line is another one: a word was completed."""
        return self._set(line[:MOST_LINE], min(at, MOST_LINE))

    def above(self, text: str) -> str:
        """Whole lines of text above, and the line again behind its prompt."""
        return self._left() + text + self._anew()

    def left(self) -> str:
        """The cursor goes below the line, which is given up."""
        return self._left()

    def resized(self, width: int) -> str:
        """The terminal has moved what was there to other rows: it is written anew below."""
        self.width = max(2, width)
        self._row = 0
        return "\r\x1b[J" + self._drawn()

    # --- keys

    def _typed(self, one: str) -> str:
        if len(self.line) >= MOST_LINE:
            return BELL
        at_end = self.at == len(self.line)
        if at_end and not self._secret:
            row, column = places(self._prompt + self.line, self.width)[-1]
            self.line, self.at = self.line + one, self.at + 1
            if places(self._prompt + self.line, self.width)[-1][0] == row and column:
                return one                        # as quick as an echo
            return self._drawn()
        return self._set(self.line[:self.at] + one + self.line[self.at:], self.at + 1)

    def _ended(self) -> str:
        self.entered = self.line
        kept = " ".join(self.line.split())
        if kept and not self._secret and (not self.history or self.history[-1] != self.line):
            self.history.append(self.line)
            del self.history[:-MOST_HISTORY]
        return self._left()

    def _older(self, steps: int) -> str:
        if not self._back:
            self._new = self.line
        self._back += steps
        line = self.history[-self._back] if self._back else self._new
        return self._set(line, len(line))

    def _word_left(self) -> int:
        at = self.at
        while at and self.line[at - 1] == " ":
            at -= 1
        while at and self.line[at - 1] != " ":
            at -= 1
        return at

    def _word_right(self) -> int:
        at = self.at
        while at < len(self.line) and self.line[at] == " ":
            at += 1
        while at < len(self.line) and self.line[at] != " ":
            at += 1
        return at

    def _search(self, key: str) -> str:
        """Ctrl-R: the newest line that has what is typed; again: an older one."""
        sought = self._sought or ""
        if len(key) == 1 and len(sought) < MOST_LINE:
            self._sought, self._back = sought + key, 0
            return self._find(1)
        match key:
            case keys.BACKSPACE:
                self._sought, self._back = sought[:-1], 0
                return self._find(1)
            case keys.SEARCH:
                return self._find(self._back + 1)
            case keys.CANCEL | keys.INTERRUPT:
                self._sought, self._back = None, 0
                return self._set(self._new, len(self._new))
        self._sought = None
        return self._drawn() + self.key(key)

    def _find(self, back: int) -> str:
        for number in range(max(1, back), len(self.history) + 1):
            if (self._sought or "") in self.history[-number]:
                self._back = number
                self.line = self.history[-number]
                self.at = len(self.line)
                return self._drawn()
        return BELL + self._drawn()

    # --- what is shown

    def _set(self, line: str, at: int) -> str:
        self.line, self.at = line, at
        return self._drawn()

    def _shown(self) -> tuple[str, str]:
        prompt = self._prompt if self._sought is None else f"({self._sought}) "
        return prompt, "" if self._secret else self.line

    def _drawn(self) -> str:
        """All of it anew, from the prompt's first row."""
        up = f"\x1b[{self._row}A" if self._row else ""
        return f"{up}\r\x1b[J{self._fresh()}"

    def _anew(self) -> str:
        self._row = 0
        return self._fresh()

    def _fresh(self) -> str:
        prompt, line = self._shown()
        found = places(prompt + line, self.width)
        end_row, end_column = found[-1]
        row, column = found[len(prompt) + (0 if self._secret else self.at)]
        text = prompt + line
        if end_column == 0 and end_row:           # the terminal's own cursor still waits at the row's end
            text += "\r\n"
        self._row = row
        up = f"\x1b[{end_row - row}A" if end_row > row else ""
        if (row, column) == (end_row, end_column):
            return text
        return f"{text}{up}\r" + (f"\x1b[{column}C" if column else "")

    def _left(self) -> str:
        prompt, line = self._shown()
        end_row, end_column = places(prompt + line, self.width)[-1]
        down = f"\x1b[{end_row - self._row}B" if end_row > self._row else ""
        self._row = 0
        return f"{down}\r\n" if end_column or not end_row else f"{down}\r"
