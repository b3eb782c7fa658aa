"""A line as words, each with its place: blanks part them, double quotes hold, `|` begins a pipe.

In quotes a backslash takes the next character as it is. Limits are for what strangers type.
"""

from dataclasses import dataclass

from appliance.box.commands.table import Text

MOST_CHARACTERS = 4000                            # of a line
MOST_WORDS = 200
BLANKS = " \t\u3000"                              # the last is what the blank key writes among Chinese


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    at: int                                       # column of its first character, from 0
    end: int                                      # behind its last one
    quoted: bool = False
    closed: bool = True                           # False: its quotes do not end
    raw: str = ""                                 # as it was typed

    @property
    def is_pipe(self) -> bool:
        return self.text == "|" and not self.quoted


@dataclass(frozen=True, slots=True)
class BadText:
    """Not a line at all."""

    text: Text
    at: int


def tokens(line: str) -> list[Token] | BadText:
    """The words of a line; the last one may have quotes that do not end."""
    if len(line) > MOST_CHARACTERS:
        return BadText(Text(f"a line has at most {MOST_CHARACTERS} characters",
                            f"一行最多 {MOST_CHARACTERS} 个字符"), MOST_CHARACTERS)
    found: list[Token] = []
    at = 0
    while at < len(line):
        one = line[at]
        if one in BLANKS:
            at += 1
        elif not one.isprintable():
            return BadText(Text(f"character {ord(one):#04x} does not belong in a line",
                                f"行内不能有字符 {ord(one):#04x}"), at)
        else:
            token = Token("|", at, at + 1) if one == "|" else _word(line, at)
            if isinstance(token, BadText):
                return token
            found.append(token)
            at = token.end
            if len(found) > MOST_WORDS:
                return BadText(Text(f"a line has at most {MOST_WORDS} words", f"一行最多 {MOST_WORDS} 个词"),
                               token.at)
    return found


def _word(line: str, begin: int) -> Token | BadText:
    """A word ends at a blank or a pipe outside its quotes; quotes may begin within it, as in span="a b"."""
    at, inside, quoted = begin, False, False
    text: list[str] = []
    while at < len(line):
        one = line[at]
        if not one.isprintable() and one not in BLANKS:
            return BadText(Text(f"character {ord(one):#04x} does not belong in a line",
                                f"行内不能有字符 {ord(one):#04x}"), at)
        if one == '"':
            inside, quoted = not inside, True
        elif inside and one == "\\" and at + 1 < len(line):
            at += 1
            text.append(line[at])
        elif not inside and (one in BLANKS or one == "|"):
            break
        else:
            text.append(one)
        at += 1
    return Token("".join(text), begin, at, quoted, not inside, line[begin:at])


def quote(word: str, always: bool = False) -> str:
    """The word as it is typed; `always`: it would be another command's without quotes."""
    plain = word and not always and not any(one in BLANKS or one in '"|' for one in word)
    return word if plain else '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
