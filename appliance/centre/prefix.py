"""Can the digits so far still grow into a number that a dial pattern matches? `re` judges whole numbers only.

Read is what dial patterns are made of: digits, classes, escapes, ".", groups, "|", repeats, ^ and $.
Of anything else the answer is "yes", so that the number is waited for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"\[\^?\]?[^\]]*\]|\\.|\(\?:|\{[0-9]*,?[0-9]*\}|[()|?*+^$]|.")
_REPEATS = {"?": (0, 1), "*": (0, None), "+": (1, None)}


class _Unread(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _One:
    pattern: re.Pattern[str]                      # of one character


@dataclass(frozen=True, slots=True)
class _Sequence:
    parts: "tuple[_Part, ...]"


@dataclass(frozen=True, slots=True)
class _Choice:
    parts: "tuple[_Part, ...]"


@dataclass(frozen=True, slots=True)
class _Repeat:
    part: "_Part"
    least: int
    most: int | None


_Part = _One | _Sequence | _Choice | _Repeat


class Growth:
    """One pattern, read once."""

    def __init__(self, pattern: str) -> None:
        self._part: _Part | None
        try:
            tokens = _Tokens(pattern)
            self._part = _choice(tokens)
            if tokens.next is not None:
                raise _Unread(tokens.next)
        except (_Unread, re.error):
            self._part = None

    def may_grow(self, digits: str) -> bool:
        """True when at least one more digit can lead to a match."""
        if self._part is None:
            return True
        wants_more: set[int] = set()
        _ends(self._part, digits, {0}, wants_more)
        return bool(wants_more)


class _Tokens:
    def __init__(self, pattern: str) -> None:
        self._rest: Iterator[str] = iter(_TOKEN.findall(pattern))
        self.next = next(self._rest, None)

    def take(self) -> str:
        taken, self.next = self.next, next(self._rest, None)
        if taken is None:
            raise _Unread("end of pattern")
        return taken


def _choice(tokens: _Tokens) -> _Part:
    parts = [_sequence(tokens)]
    while tokens.next == "|":
        tokens.take()
        parts.append(_sequence(tokens))
    return _Choice(tuple(parts))


def _sequence(tokens: _Tokens) -> _Part:
    parts: list[_Part] = []
    while tokens.next is not None and tokens.next not in "|)":
        token = tokens.take()
        if token in ("^", "$"):                   # the whole number is matched anyway
            continue
        parts.append(_repeated(_atom(token, tokens), tokens))
    return _Sequence(tuple(parts))


def _atom(token: str, tokens: _Tokens) -> _Part:
    if token in ("(", "(?:"):
        if tokens.next == "?":                    # look-aheads, names, flags
            raise _Unread(token)
        inner = _choice(tokens)
        if tokens.take() != ")":
            raise _Unread(token)
        return inner
    if token in _REPEATS or token.startswith("{") or (token[0] == "\\" and token[1] in "123456789bBAZ"):
        raise _Unread(token)
    return _One(re.compile(token))


def _repeated(part: _Part, tokens: _Tokens) -> _Part:
    token = tokens.next
    if token is None or not (token in _REPEATS or token.startswith("{")):
        return part
    tokens.take()
    if token in _REPEATS:
        least, most = _REPEATS[token]
    else:
        low, comma, high = token[1:-1].partition(",")
        if not (low or high):
            raise _Unread(token)
        least = int(low or 0)
        most = int(high) if high else None if comma else least
    if tokens.next in ("?", "+"):                 # lazy or possessive: the same words, another search
        tokens.take()
    return _Repeat(part, least, most)


def _ends(part: _Part, digits: str, starts: set[int], wants_more: set[int]) -> set[int]:
    """Where `part` can end when it begins at one of `starts`; `wants_more` is filled if digits ran out."""
    if isinstance(part, _One):
        wants_more |= {at for at in starts if at == len(digits)}
        return {at + 1 for at in starts if at < len(digits) and part.pattern.fullmatch(digits[at])}
    if isinstance(part, _Choice):
        return {end for one in part.parts for end in _ends(one, digits, starts, wants_more)}
    if isinstance(part, _Sequence):
        for one in part.parts:
            starts = _ends(one, digits, starts, wants_more)
        return starts
    ends = starts if part.least == 0 else set[int]()
    times = 0
    while starts and (part.most is None or times < part.most):
        starts = _ends(part.part, digits, starts, wants_more)
        times += 1
        if times >= part.least:
            if starts <= ends:
                break
            ends = ends | starts
    return ends
