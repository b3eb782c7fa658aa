"""Kinds of words: what they read, and what of this box they offer."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from appliance.box.commands.table import Asked, BadWord, Kind, Offer, Text, same

MOST_WORD = 200                                   # characters
MOST_OFFERED = 200                                # words of the box that one place offers
MOST_PATTERN = 200                                # characters of a regular expression
MOST_TIMES = 1000                                 # its counts, as {5}, multiplied: each takes grep memory

_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d|w)?")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_BACK = re.compile(r"\\[1-9]")
_COUNT = re.compile(r"\{(\d*),?(\d*)")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


class Word(Kind):
    """Any one word: the box itself says whether it is there."""

    def __init__(self, name: str = "NAME", most: int = MOST_WORD) -> None:
        self.name, self._most = name, most

    def read(self, word: str) -> str:
        if not word:
            raise BadWord(Text("an empty word", "词为空"))
        if len(word) > self._most:
            raise BadWord(Text(f"at most {self._most} characters", f"最多 {self._most} 个字符"))
        return word


class Rest(Word):
    """The rest of the line as one text. `raw`: with its quotes as they were typed, e.g. for YAML."""

    rest = True

    def __init__(self, name: str = "TEXT", most: int = 2000, raw: bool = False) -> None:
        super().__init__(name, most)
        self.raw = raw


class Number(Kind):
    def __init__(self, least: int = 0, most: int = 2**31 - 1, name: str = "NUMBER") -> None:
        self.name, self._least, self._most = name, least, most

    def read(self, word: str) -> int:
        if word.isascii() and word.isdigit() and len(word) <= 12 and self._least <= int(word) <= self._most:
            return int(word)
        raise BadWord(Text(f"{word!r} is no number from {self._least} to {self._most}",
                           f"“{word}” 不是 {self._least} 到 {self._most} 的数"))


class Duration(Kind):
    """Seconds, e.g. of 90s, 5m, 2h, 3d; a number alone has the unit that is given here."""

    def __init__(self, most_s: float = 366 * 86400.0, unit: str = "s", name: str = "TIME") -> None:
        self.name, self._most_s, self._unit = name, most_s, unit

    def read(self, word: str) -> float:
        found = _DURATION.fullmatch(word.lower())
        if found is None:
            raise BadWord(Text(f"{word!r} is no length of time, as 90s, 5m, 2h, 3d",
                               f"“{word}” 不是时长，例如 90s、5m、2h、3d"))
        seconds = float(found[1]) * _SECONDS[found[2] or self._unit]
        if not 0 < seconds <= self._most_s:
            raise BadWord(Text(f"more than 0 and at most {self._most_s:g} s",
                               f"须大于 0 且不超过 {self._most_s:g} 秒"))
        return seconds


class Choice(Kind):
    """One of fixed words, which may be cut short."""

    def __init__(self, words: Mapping[str, Text], name: str = "WORD") -> None:
        self.name = name
        self.fixed = tuple(Offer(word, help) for word, help in words.items())

    def read(self, word: str) -> str:
        words = [one.word for one in self.fixed]
        if word.lower() in words:
            return word.lower()
        meant = [one for one in words if word and one.startswith(word.lower())]
        if len(meant) == 1:
            return meant[0]
        among = ", ".join(meant or words)
        raise BadWord(Text(f"{word!r} may be: {among}", f"“{word}” 可以是：{among}") if meant else
                      Text(f"{word!r} is none of {among}", f"“{word}” 不在其中：{among}"))

    async def offers(self, asked: Asked) -> Sequence[Offer]:
        return self.fixed


class Pattern(Kind):
    """An extended regular expression (POSIX), without back references: those can take for ever."""

    name = "RE"

    def read(self, word: str) -> str:
        if not 0 < len(word) <= MOST_PATTERN:
            raise BadWord(Text(f"a regular expression of 1 to {MOST_PATTERN} characters",
                               f"正则表达式须为 1 到 {MOST_PATTERN} 个字符"))
        if _BACK.search(word):
            raise BadWord(Text("no back references", "不支持反向引用"))
        times = 1
        for found in _COUNT.finditer(word):
            times *= max(int(found[1] or 1), int(found[2] or 1), 1)
        if times > MOST_TIMES:
            raise BadWord(Text(f"counts in braces come to more than {MOST_TIMES} together",
                               f"花括号内的次数相乘不得超过 {MOST_TIMES}"))
        return word


class FileName(Kind):
    """A file's name without a folder."""

    name = "FILE"

    def read(self, word: str) -> str:
        if not _FILE.fullmatch(word):
            raise BadWord(Text("a file's name: letters, digits, . _ - (80 at most, none of .-_ first)",
                               "文件名：字母、数字、. _ -（最多 80 个，不能以 . - _ 开头）"))
        return word


class OfBox(Word):
    """A name that is one of this box's; who answers the command says whether it is."""

    async def offers(self, asked: Asked) -> Sequence[Offer]:
        return [Offer(name, help) for name, help in sorted((await self.names(asked)).items())][:MOST_OFFERED]

    async def names(self, asked: Asked) -> dict[str, Text]:
        """By what a person would type."""
        raise NotImplementedError


def named(names: Sequence[tuple[str, Any]]) -> dict[str, Text]:
    return {name: same(str(what)) for name, what in names if name}
