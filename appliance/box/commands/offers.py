"""What fits at the end of a line that is being typed: for Tab and `?`, at every word."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.box.commands.box import Box
from appliance.box.commands.every import loaded
from appliance.box.commands.lexing import BadText, Token, quote, tokens
from appliance.box.commands.pipes import PIPES
from appliance.box.commands.screen import cut, padded, shown, width
from appliance.box.commands.table import (
    Argument,
    Asked,
    Language,
    Offer,
    Role,
    Session,
    Table,
    Text,
)
from appliance.box.commands.words import (
    RUN,
    Reading,
    descend,
    described,
    is_begun,
    leaving,
    next_words,
    read,
    split,
)
from appliance.errors import BranchlineError

WITHIN_S = 1.0                                    # names of the box that are later are not offered
LEAST_HELP = 20                                   # columns: with less the help of a word is not parted
ENTER = Offer("<Enter>", Text("do it", "执行"))
PIPE = Offer("|", Text("to a pipe", "接管道"))


@dataclass(frozen=True, slots=True)
class Offers:
    at: int                                       # column from which an offered word would be written
    word: str                                     # what of it is there
    offers: tuple[Offer, ...]                     # <...> are not words to take over


async def offers(line: str, session: Session, box: Box, table: Table | None = None) -> Offers:
    """`line` is what stands before the cursor. Never an error: what cannot be known is not offered."""
    found = tokens(line)
    if isinstance(found, BadText):
        return Offers(len(line), "", ())
    begun = Token("", len(line), len(line))
    if found and found[-1].end == len(line) and not found[-1].is_pipe:
        begun = found.pop()
    words, segments = split(found)
    if segments:
        return Offers(begun.at, begun.text, tuple(_of_pipe(segments[-1], begun, session.who.role)))
    offered = await _of_command(words, begun, session, box, table or await loaded())
    unique = {one.word: one for one in reversed(offered)}
    order = sorted(unique.values(), key=lambda one: (one.word.startswith("<") or one is PIPE, one.word))
    return Offers(begun.at, begun.text, tuple(order))


def _of_pipe(segment: Sequence[Token], begun: Token, role: Role) -> list[Offer]:
    if not segment:
        return [Offer(one.word, one.help) for one in PIPES
                if one.word.startswith(begun.text.lower()) and (one.word != "save" or role >= Role.OPERATE)]
    kind = next((one for one in PIPES if is_begun(one.word, segment[0])), None)
    if kind is not None and kind.kind is not None and len(segment) == 1:
        return [Offer(f"<{kind.kind.name}>", kind.help)]
    return [] if begun.text else [ENTER, PIPE]


async def _of_command(words: Sequence[Token], begun: Token, session: Session, box: Box, table: Table
                      ) -> list[Offer]:
    inner, mode = leaving(words, session.mode)
    known = [(name, one) for name, one in table.known(mode) if one.role <= session.who.role]
    depth, alive = descend(inner, known)
    found: list[Offer] = []
    if depth == len(inner):
        found += [one for one in next_words(depth, alive) if _fits(one.word, begun)]
    if session.mode and not words and _fits(RUN, begun):
        found.append(Offer(RUN, Text("a command of outside configure", "执行配置模式以外的命令")))
    asked = Asked(box, session, session.last_at)
    for name, command in alive:
        if len(name) > depth:
            continue
        reading = read(command, inner[len(name):])
        if reading.wrong is None and not _ended(reading):
            found += await _of_arguments(reading, begun, asked)
            if not reading.missing() and not begun.text:
                found += [ENTER, PIPE]
    return found


def _fits(word: str, begun: Token) -> bool:
    """Quotes begin a value, not a word of commands."""
    return is_begun(word, begun) or (not begun.text and not begun.quoted)


def _ended(reading: Reading) -> bool:
    """The rest of the line was taken already."""
    return any(one.kind is not None and one.kind.rest and one.name in reading.values
               for one in reading.command.arguments)


async def _of_arguments(reading: Reading, begun: Token, asked: Asked) -> list[Offer]:
    found: list[Offer] = []
    for argument in reading.open():
        is_value = argument.keyword is None or reading.waits is argument
        if not is_value:
            found += [one for one in described(argument) if _fits(one.word, begun)]
            continue
        names = await _names(argument, asked)
        fitting = [Offer(quote(one.word), one.help) for one in names
                   if one.word.isprintable() and one.word.startswith(begun.text)]
        found += fitting
        if not names or (begun.text and not fitting):
            found.append(Offer(f"<{argument.kind.name if argument.kind else ''}>", argument.help))
    return found


async def _names(argument: Argument, asked: Asked) -> Sequence[Offer]:
    if argument.kind is None:
        return ()
    try:
        async with asyncio.timeout(WITHIN_S):
            return await argument.kind.offers(asked)
    except (BranchlineError, OSError):
        return ()


def complete(offered: Offers) -> str:
    """What Tab may add to the line; "": nothing, or several that part here."""
    words = [one.word for one in offered.offers if not one.word.startswith("<") and one is not PIPE]
    fitting = [one for one in words if one.lower().startswith(offered.word.lower())]
    if not fitting or (not offered.word and ENTER in offered.offers):
        return ""                                 # the line may end here: nobody asked for more
    first, last = min(fitting), max(fitting)
    same = next((place for place, (one, other) in enumerate(zip(first, last, strict=False)) if one != other),
                min(len(first), len(last)))
    added = first[len(offered.word):same]
    return added + " " if len(fitting) == 1 else added


def help_text(offered: Offers, language: Language, columns: int | None = None) -> str:
    """A line for each offer, as `?` shows them; of `columns` where there is a terminal."""
    if not offered.offers:
        return Text("nothing fits here\n", "此处没有可用的词\n").of(language)
    wide = max(width(shown(one.word)) for one in offered.offers)
    lines: list[str] = []
    for one in offered.offers:
        help = shown(one.help.of(language))
        parts = cut(help, columns - wide - 4) if columns and columns - wide - 4 >= LEAST_HELP else [help]
        lines += [f"  {padded(shown(one.word) if not place else '', wide)}  {part}".rstrip()
                  for place, part in enumerate(parts)]
    return "".join(f"{one}\n" for one in lines)
