"""Dial patterns: regular expressions of whole telephone numbers, read into a tree.

They are made of digits, classes, escapes, ".", groups, "|", repeats, ^ and $. `re` judges whole numbers with
them; what it cannot say, or only too late, is said here: can the digits so far still grow into a number that
matches, and how long may `re` search.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 32                                      # characters of a number
NUMBER = re.compile(rf"[0-9*#+]{{0,{LONGEST}}}")
MOST_STEPS = 100_000                              # of a search: some milliseconds
MOST_REPEATS = 64

_TOKEN = re.compile(r"\[\^?\]?[^\]]*\]|\\.|\(\?:|\{[0-9]*,?[0-9]*\}|[()|?*+^$]|.")
_REPEATS = {"?": (0, 1), "*": (0, None), "+": (1, None)}


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


class DialPattern:
    """One pattern, read once. ValueError: it has what such patterns have not, or a search could not end."""

    def __init__(self, pattern: str) -> None:
        tokens = _Tokens(pattern)
        self._part = _choice(tokens)
        if tokens.next is not None:
            raise _unread(tokens.next)
        _Search().pass_through(self._part, [1] + [0] * LONGEST)

    def may_grow(self, digits: str) -> bool:
        """True when at least one more digit can lead to a match."""
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
            raise _unread("its end")
        return taken


def _unread(token: str) -> ValueError:
    return ValueError(f"cannot be read at {token}: write digits, [ ], ., \\d, ( ), (?: ), |, ?, *, +, {{ }}")


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
            raise _unread("(?")
        inner = _choice(tokens)
        if tokens.take() != ")":
            raise _unread(token)
        return inner
    if token in _REPEATS or token.startswith("{") or (token[0] == "\\" and token[1] in "123456789bBAZ"):
        raise _unread(token)
    try:
        return _One(re.compile(token))
    except re.error:
        raise _unread(token) from None


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
            raise _unread(token)
        least = int(low or 0)
        most = int(high) if high else None if comma else least
        if max(least, most or 0) > MOST_REPEATS:
            raise ValueError(f"{token}: a number has {LONGEST} digits at most")
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


class _Search:
    """Counts the steps of a backtracking search of the longest number if every character always fitted."""

    def __init__(self) -> None:
        self._steps = 0

    def pass_through(self, part: _Part, ways: list[int]) -> list[int]:
        """ways[n]: in how many ways n characters are used up, before `part` and behind it."""
        self._steps += 1 + sum(ways)
        if self._steps > MOST_STEPS:
            raise ValueError("the same digits fit in too many ways, a search could take for ever: "
                             "no repeat inside of a repeat, few of * + { } and ? in a row")
        if isinstance(part, _One):
            return [0, *ways[:-1]]
        if isinstance(part, _Choice):
            branches = [self.pass_through(one, ways) for one in part.parts]
            return [sum(each) for each in zip(*branches, strict=True)]
        if isinstance(part, _Sequence):
            for one in part.parts:
                ways = self.pass_through(one, ways)
            return ways
        behind = ways if part.least == 0 else [0] * len(ways)
        for times in range(1, (MOST_REPEATS if part.most is None else part.most) + 1):
            if not any(ways):
                break
            ways = self.pass_through(part.part, ways)
            if times >= part.least:
                behind = [sum(each) for each in zip(behind, ways, strict=True)]
        return behind
