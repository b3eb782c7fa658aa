"""A line becomes a command with its values and pipes, or what is wrong, where, and what would fit there.

Every word may be cut short as long as only one command is meant by the whole line: `sh sp` is `show spans`,
`sh sp e1-1` is `show span e1-1`. A word that is written in full goes before those that it begins.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from appliance.box.commands.lexing import BadText, Token, quote, tokens
from appliance.box.commands.pipes import PIPES, Pipe
from appliance.box.commands.table import (
    BAD_LINE,
    ROLE,
    Argument,
    BadWord,
    Command,
    Offer,
    Role,
    Table,
    Text,
    same,
)

MOST_FITS = 40                                    # words that an error offers
JSON_OPTION = "--json"                            # as a last word: | json
RUN = "run"                                       # in configure: a command of outside
Known = list[tuple[tuple[str, ...], Command]]


@dataclass(frozen=True, slots=True)
class Parsed:
    command: Command
    values: dict[str, Any]
    pipes: tuple[Pipe, ...]
    spelled: str                                  # in full words, for logs


@dataclass(frozen=True, slots=True)
class BadLine:
    """What is wrong with a line."""

    text: Text
    at: int                                       # column from 0
    word: str = ""                                # the wrong one; "": something is missing there
    fits: tuple[Offer, ...] = ()
    status: int = BAD_LINE


@dataclass(slots=True)
class Reading:
    """The arguments of one command, read as far as they go."""

    command: Command
    values: dict[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    waits: Argument | None = None                 # its keyword was said, its value comes next
    wrong: BadLine | None = None

    def open(self) -> list[Argument]:
        """What may come next; a positional one that must come is alone."""
        if self.waits is not None:
            return [self.waits]
        left = [one for one in self.command.arguments if one.name not in self.values]
        placed = [one for one in left if one.keyword is None]
        if placed and not placed[0].optional:
            return placed[:1]
        return placed[:1] + [one for one in left if one.keyword is not None]

    def missing(self) -> list[Argument]:
        if self.waits is not None:
            return [self.waits]
        return [one for one in self.command.arguments if not one.optional and one.name not in self.values]


def parse(line: str, table: Table, role: Role, mode: str = "") -> Parsed | BadLine | None:
    """None: an empty line, or one that begins with #."""
    found = tokens(line)
    if isinstance(found, BadText):
        return BadLine(found.text, found.at)
    if not found or found[0].text.startswith("#"):
        return None
    if not found[-1].closed:
        return BadLine(Text("the quotes do not end", "引号未结束"), found[-1].at, found[-1].text)
    words, segments = split(found)
    if words and words[-1].text == JSON_OPTION and not words[-1].quoted:
        segments = [*segments, [Token("json", words[-1].at, words[-1].end)]]
        words = words[:-1]
    if not words:
        return BadLine(Text("there is no command before the pipe", "管道前没有命令"), found[0].at, "|")
    pipes: list[Pipe] = []
    for segment in segments:
        pipe = _pipe(segment, len(line))
        if isinstance(pipe, BadLine):
            return pipe
        pipes.append(pipe)
    parsed = _command(words, table, role, mode, len(line))
    if isinstance(parsed, BadLine):
        return parsed
    if wrong := _order(pipes, segments, parsed.command, role):
        return wrong
    return Parsed(parsed.command, parsed.values, tuple(pipes),
                  " ".join([parsed.spelled, *(f"| {one.spelled()}" for one in pipes)]))


def split(found: Sequence[Token]) -> tuple[list[Token], list[list[Token]]]:
    """The command's words and those of each pipe; a pipe's are empty but for the place of its `|`."""
    segments: list[list[Token]] = [[]]
    for token in found:
        if token.is_pipe:
            segments.append([])
        else:
            segments[-1].append(token)
    return segments[0], segments[1:]


def leaving(words: Sequence[Token], mode: str) -> tuple[Sequence[Token], str]:
    """In configure `run` goes before a command of outside."""
    if mode and words and words[0].text == RUN and not words[0].quoted:
        return words[1:], ""
    return words, mode


def _command(words: Sequence[Token], table: Table, role: Role, mode: str, end: int) -> Parsed | BadLine:
    inner, inner_mode = leaving(words, mode)
    known = table.known(inner_mode)
    mine = [(name, one) for name, one in known if one.role <= role]
    parsed = _parsed(inner, mine, end)
    if isinstance(parsed, BadLine) and len(mine) < len(known):
        others = _parsed(inner, known, end)
        if isinstance(others, Parsed):
            needed = others.command.role.name.lower()
            return BadLine(Text(f"{others.command.words} is for role {needed}; yours is {role.name.lower()}",
                                f"{others.command.words} 需要角色 {needed}，您的角色是 {role.name.lower()}"),
                           words[0].at, words[0].text, status=ROLE)
    return parsed


def _parsed(words: Sequence[Token], known: Known, end: int) -> Parsed | BadLine:
    depth, alive = descend(words, known)
    whole = [(name, one) for name, one in alive if len(name) <= depth]
    tried = [(name, read(one, words[len(name):])) for name, one in whole]
    good = [(name, reading) for name, reading in tried if reading.wrong is None and not reading.missing()]
    if good:
        longest = max(len(name) for name, _ in good)
        good = [(name, reading) for name, reading in good if len(name) == longest]
        if len(good) == 1:
            name, reading = good[0]
            return Parsed(reading.command, reading.values, (), " ".join([*name, *reading.said]))
    return _why_not(words, depth, alive, tried, end)


def descend(words: Sequence[Token], known: Known) -> tuple[int, Known]:
    """How many words are words of commands, and the commands that those may mean.

    A command whose own words ended earlier stays: what follows may be its arguments.
    """
    alive, ended, depth = known, list[tuple[tuple[str, ...], Command]](), 0
    for token in words:
        here = [(name, one) for name, one in alive if len(name) > depth and is_begun(name[depth], token)]
        if not here:
            break
        exact = [(name, one) for name, one in here if name[depth] == token.text.lower()]
        ended += [(name, one) for name, one in alive if len(name) <= depth and (name, one) not in ended]
        alive = exact or here
        if exact:                                 # `show update`, not the arguments of one that ended before
            ended = [(name, one) for name, one in ended if _takes(one, token)]
        depth += 1
    return depth, alive + [one for one in ended if one not in alive]


def _takes(command: Command, token: Token) -> bool:
    return any(one.keyword == token.text.lower() for one in command.arguments)


def is_begun(word: str, token: Token) -> bool:
    return bool(token.text) and not token.quoted and word.startswith(token.text.lower())


def read(command: Command, given: Sequence[Token]) -> Reading:
    """The values of a command's arguments; the first mistake ends it."""
    reading = Reading(command)
    at = 0
    while at < len(given) and reading.wrong is None:
        token = given[at]
        argument = reading.waits or _meant(reading, token)
        if argument is None:
            fits = fitting(reading)
            wrong = _unknown(token) if fits else Text(
                f"{token.text!r} is too much: nothing more is to follow",
                f"“{token.text}” 多余：此后没有参数")
            reading.wrong = BadLine(wrong, token.at, token.text, fits)
        elif reading.waits is None and argument.keyword is not None:
            reading.said.append(argument.keyword)
            if argument.kind is None:
                reading.values[argument.name] = True
            else:
                reading.waits = argument
        elif argument.kind is not None:
            rest = argument.kind.rest
            text = _rest(given[at:], argument.kind.raw) if rest else token.text
            try:
                reading.values[argument.name] = argument.kind.read(text)
            except BadWord as error:
                reading.wrong = BadLine(error.text, token.at, token.text, fitting(reading))
            fixed = reading.values.get(argument.name) if hasattr(argument.kind, "fixed") else None
            reading.said.append(text if argument.kind.raw else quote(fixed or text, token.quoted))
            reading.waits = None
            if rest:
                break
        at += 1
    return reading


def _rest(given: Sequence[Token], raw: bool) -> str:
    """Words with one blank each between them."""
    return " ".join(one.raw if raw else one.text for one in given)


def _meant(reading: Reading, token: Token) -> Argument | None:
    """Which argument a word begins; None: none."""
    may = reading.open()
    placed = may[0] if may and may[0].keyword is None else None
    if placed is not None and not placed.optional:
        return placed
    keyed = [one for one in may if one.keyword is not None]
    if not token.quoted:
        for one in keyed:
            if one.keyword == token.text.lower():
                return one
    if placed is not None and placed.kind is not None:
        try:
            placed.kind.read(token.text)
            return placed
        except BadWord:
            pass
    begun = [one for one in keyed if one.keyword is not None and is_begun(one.keyword, token)]
    return begun[0] if len(begun) == 1 else placed if not begun else None


def fitting(reading: Reading) -> tuple[Offer, ...]:
    """What a person may write next, without asking the box."""
    return tuple(offer for one in reading.open() for offer in described(one, reading.waits is one))


def described(argument: Argument, value: bool = False) -> list[Offer]:
    """As an offer: its keyword, else the kind of its value, or the words that this kind has."""
    if argument.keyword is not None and not value:
        return [Offer(argument.keyword, argument.help)]
    kind = argument.kind
    if kind is None:
        return []
    fixed: Sequence[Offer] = getattr(kind, "fixed", ())
    return list(fixed) or [Offer(f"<{kind.name}>", argument.help)]


def _why_not(words: Sequence[Token], depth: int, alive: Known,
             tried: Sequence[tuple[tuple[str, ...], Reading]], end: int) -> BadLine:
    """The mistake that is furthest in the line."""
    several = _several(words, depth, alive)
    if several is not None:
        return several
    wrong = [reading.wrong for _, reading in tried if reading.wrong is not None]
    if depth < len(words) and not tried:
        token = words[depth]
        return BadLine(_unknown(token), token.at, token.text, _nearest(token.text, next_words(depth, alive)))
    if depth == len(words) or not wrong:
        fits = next_words(len(words), alive)
        missing = [offer for _, reading in tried if reading.wrong is None
                   for one in reading.missing()[:1] for offer in described(one, reading.waits is one)]
        return BadLine(Text("the line is not complete", "命令不完整"), end, "", tuple([*missing, *fits]))
    furthest = max(wrong, key=lambda one: one.at)
    more = next_words(depth, alive) if furthest.at == words[min(depth, len(words) - 1)].at else ()
    return BadLine(furthest.text, furthest.at, furthest.word,
                   _nearest(furthest.word, (*furthest.fits, *more)))


def _several(words: Sequence[Token], depth: int, alive: Known) -> BadLine | None:
    """A short word that stands for several, where that is what is wrong."""
    for place, token in enumerate(words[:depth]):
        meant = {name[place] for name, _ in alive if len(name) > place and is_begun(name[place], token)}
        if len(meant) > 1 and not any(word == token.text.lower() for word in meant):
            fits = tuple(_word_offer(word, place, alive) for word in sorted(meant))
            return BadLine(Text(f"{token.text!r} may be several words", f"“{token.text}” 可能是多个词"),
                           token.at, token.text, fits)
    return None


def next_words(depth: int, alive: Known) -> tuple[Offer, ...]:
    """The words that commands have in this place."""
    found = sorted({name[depth] for name, one in alive if len(name) > depth})
    return tuple(_word_offer(word, depth, alive) for word in found)


def _word_offer(word: str, depth: int, alive: Known) -> Offer:
    """A word with the help of its command, or with the next words of those that go on."""
    under = [(name, one) for name, one in alive if len(name) > depth and name[depth] == word]
    for name, one in under:
        if len(name) == depth + 1:
            return Offer(word, one.help)
    if len(under) == 1:
        return Offer(word, under[0][1].help)
    follow = sorted({name[depth + 1] for name, _ in under})
    return Offer(word, same(", ".join(follow[:6]) + (" ..." if len(follow) > 6 else "")))


def _unknown(token: Token) -> Text:
    return Text(f"{token.text!r} does not fit here", f"此处不能是“{token.text}”")


def _nearest(word: str, fits: Sequence[Offer]) -> tuple[Offer, ...]:
    """Those that look like the word first."""
    near = get_close_matches(word.lower(), [one.word for one in fits], 3)
    order = {one: place for place, one in enumerate(near)}
    return tuple(sorted(fits, key=lambda one: order.get(one.word, len(near))))[:MOST_FITS]


def _pipe(segment: Sequence[Token], end: int) -> Pipe | BadLine:
    offers = tuple(Offer(one.word, one.help) for one in PIPES)
    if not segment:
        return BadLine(Text("a pipe has a word", "管道后缺少词"), end, "", offers)
    token = segment[0]
    meant = [one for one in PIPES if is_begun(one.word, token)]
    exact = [one for one in meant if one.word == token.text.lower()]
    if len(exact or meant) != 1:
        return BadLine(_unknown(token), token.at, token.text, _nearest(token.text, offers))
    kind = (exact or meant)[0]
    given = segment[1:]
    if kind.kind is None:
        if given:
            return BadLine(_unknown(given[0]), given[0].at, given[0].text, (Offer("|", same("")),))
        return Pipe(kind.word, None, "")
    if not given:
        return BadLine(Text("the line is not complete", "命令不完整"), end, "",
                       (Offer(f"<{kind.kind.name}>", kind.help),))
    if len(given) > 1:
        return BadLine(Text(f"{given[1].text!r} is one word too many: put blanks into quotes",
                            f"“{given[1].text}” 多余：含空格请加引号"), given[1].at, given[1].text)
    try:
        return Pipe(kind.word, kind.kind.read(given[0].text), given[0].text)
    except BadWord as error:
        return BadLine(error.text, given[0].at, given[0].text, (Offer(f"<{kind.kind.name}>", kind.help),))


def _order(pipes: Sequence[Pipe], segments: Sequence[Sequence[Token]], command: Command, role: Role
           ) -> BadLine | None:
    """What cannot follow what."""
    for place, (pipe, segment) in enumerate(zip(pipes, segments, strict=True)):
        token = segment[0]
        before = [one.word for one in pipes[:place]]
        if "save" in before:
            return BadLine(Text("save is the last pipe", "save 必须是最后一个管道"), token.at, token.text)
        if "count" in before and pipe.word not in ("json", "save"):
            return BadLine(Text(f"{pipe.word} cannot follow count", f"count 之后不能用 {pipe.word}"),
                           token.at, token.text)
        if command.live and pipe.word in ("count", "last", "save"):
            return BadLine(Text(f"{pipe.word} does not go with a command that goes on",
                                f"持续输出的命令不能用 {pipe.word}"), token.at, token.text)
        if pipe.word == "save" and role < Role.OPERATE:
            return BadLine(Text(f"save is for role operate; yours is {role.name.lower()}",
                                f"save 需要角色 operate，您的角色是 {role.name.lower()}"),
                           token.at, token.text, status=ROLE)
    return None
