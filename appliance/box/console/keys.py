"""What a person types on a plain line, out of whatever octets a serial port gives. Pure.

Printable ASCII is text; Backspace and Ctrl-U take it back, Ctrl-C gives up, Enter ends it. Sequences of arrow
and function keys, and noise, are nothing.
"""

from enum import Enum

MOST_CHARACTERS = 200


class Ended(Enum):
    ENTER = "enter"
    GIVEN_UP = "given up"


class Typing:
    """One line. `echo` is what the terminal is to show."""

    def __init__(self, secret: bool = False) -> None:
        self.text = ""
        self.secret = secret
        self._escape = ""                         # "": none; ESC, then [ or O: until its last octet
        self._after_return = False
        self._echo: list[str] = []

    def feed(self, octet: int) -> Ended | None:
        """None: the line goes on."""
        after_return, self._after_return = self._after_return, False
        sign = chr(octet)
        if self._escape:
            self._escape = "[" if self._escape == "\x1b" and sign in "[O" else (
                "[" if self._escape == "[" and not "@" <= sign <= "~" else "")
            return None
        match octet:
            case 0x1B:
                self._escape = "\x1b"
            case 0x0D:
                self._after_return = True
                return self._end(Ended.ENTER)
            case 0x0A:
                return None if after_return else self._end(Ended.ENTER)      # CR LF is one Enter
            case 0x03 | 0x04:
                return self._end(Ended.GIVEN_UP)
            case 0x08 | 0x7F:
                if self.text:
                    self.text = self.text[:-1]
                    self._show("\b \b")
            case 0x15:
                self._show("\b \b" * len(self.text))
                self.text = ""
            case _ if 0x20 <= octet < 0x7F and len(self.text) < MOST_CHARACTERS:
                self.text += sign
                self._show(sign)
        return None

    def take_echo(self) -> str:
        echo, self._echo = "".join(self._echo), []
        return echo

    def next(self, secret: bool) -> None:
        """A line of its own."""
        self.text, self.secret, self._escape = "", secret, ""

    def _show(self, text: str) -> None:
        if not self.secret:
            self._echo.append(text)

    def _end(self, how: Ended) -> Ended:
        self._echo.append("\r\n")
        return how
