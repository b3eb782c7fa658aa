"""Output by pages: as many rows as the terminal has, then a key. Pure: text and keys in, text out."""

from dataclasses import dataclass, field

from appliance.box.ssh import keys
from appliance.box.ssh.widths import rows_of

MOST_SOUGHT = 200                                 # characters

_ASKS = {"en": "-- more: space page, Enter row, / search, a all, q quit --",
         "zh": "-- 还有:空格 下一页,回车 下一行,/ 查找,a 全部,q 退出 --"}
_SOUGHT = {"en": "not found: {}", "zh": "未找到:{}"}


@dataclass(slots=True)
class Pager:
    """`height` 0: nothing is held back. While `full` a key is wanted; with `quit` nothing more is."""

    width: int
    height: int
    language: str
    quit: bool = False
    _left: int = 0                                # rows that may be written before a key is wanted
    _held: list[str] = field(default_factory=list)
    _tail: str = ""                               # a line that has not ended
    _typing: str | None = None                    # what is sought, while it is typed
    _sought: str = ""                             # all is skipped until it comes
    _asks: bool = False                           # the question is on the screen

    def __post_init__(self) -> None:
        self._left = max(1, self.height - 1)

    @property
    def full(self) -> bool:
        return bool(self._held) and not self.quit and not self._sought

    def write(self, text: str) -> str:
        """What may be seen now of this and of what was held."""
        if not self.height:
            text, self._tail = self._tail + text, ""
            return text.replace("\n", "\r\n")
        lines = (self._tail + text).split("\n")
        self._tail = lines.pop()
        for line in lines:
            self._held += rows_of(line, max(1, self.width))
        return self._moved()

    def end(self) -> str:
        """No more comes: the last line, and that what was sought is not there."""
        out = ""
        if self._tail:
            out = self.write("\n")
        if self._sought and not self.quit:
            out += _SOUGHT[self.language].format(self._sought) + "\r\n"
            self._sought = ""
        return out

    def key(self, key: str) -> str:
        if self._typing is not None:
            return self._type(key)
        match key:
            case " ":
                self._left = max(1, self.height - 1)
            case keys.ENTER | keys.DOWN:
                self._left = 1
            case "a" | "A":
                self.height = 0
                rest, self._held = self._held, []
                return self._wiped() + "".join(f"{row}\r\n" for row in rest)
            case "/":
                self._typing = ""
                return self._wiped() + "/"
            case "q" | "Q" | keys.INTERRUPT | keys.EOF:
                self.quit = True
                return self._wiped()
            case _:
                return ""
        return self._wiped() + self._moved()

    def resized(self, width: int, height: int) -> None:
        self.width = width
        self.height = height if self.height else 0

    def _type(self, key: str) -> str:
        typed = self._typing or ""
        if len(key) == 1 and len(typed) < MOST_SOUGHT:
            self._typing = typed + key
            return key
        if key == keys.BACKSPACE and typed:
            self._typing = typed[:-1]
            return f"\r\x1b[K/{self._typing}"
        if key == keys.ENTER and typed:
            self._typing, self._sought, self._left = None, typed.lower(), max(1, self.height - 1)
            return "\r\x1b[K" + self._moved()
        if key in (keys.ENTER, keys.INTERRUPT, keys.CANCEL, keys.BACKSPACE):
            self._typing = None
            return "\r\x1b[K" + self._asked()
        return ""

    def _moved(self) -> str:
        if self._sought:
            found = next((at for at, row in enumerate(self._held) if self._sought in row.lower()), None)
            if found is None:
                self._held.clear()
                return ""
            del self._held[:found]
            self._sought = ""
        rows, self._held = self._held[:self._left], self._held[self._left:]
        self._left -= len(rows)
        out = "".join(f"{row}\r\n" for row in rows)
        return out + self._asked() if self._held else out

    def _asked(self) -> str:
        if self._asks:
            return ""
        self._asks = True
        question = next(rows_of(_ASKS[self.language], max(2, self.width - 1)))    # a row that can be wiped
        return f"\x1b[7m{question}\x1b[0m"

    def _wiped(self) -> str:
        asked, self._asks = self._asks, False
        return "\r\x1b[K" if asked else ""
