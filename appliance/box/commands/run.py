"""One line of a person or a program: read, done, cut to what its pipes want, said in their language.

Every door uses this: an SSH session, `ssh box COMMAND`, the web page, the fleet tool.
"""

import asyncio
import contextlib
import logging
import os
import threading
import time
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Annotated, cast

import msgspec

from appliance.box.backup.durable import make_folder, move, write_file
from appliance.box.commands.box import Box
from appliance.box.commands.chinese import unanswered
from appliance.box.commands.every import loaded
from appliance.box.commands.pipes import Pipe
from appliance.box.commands.refusals import said
from appliance.box.commands.render import Page, line_of, only, page, text
from appliance.box.commands.screen import escaped, shown, width
from appliance.box.commands.table import (
    AWAY,
    BAD_LINE,
    GOOD,
    NO,
    Answer,
    Asked,
    Closed,
    CommandError,
    Does,
    File,
    Language,
    Role,
    Session,
    Table,
    Text,
    column,
    same,
)
from appliance.box.commands.words import BadLine, Parsed, parse
from appliance.box.ssh.masking import masked
from appliance.bus.client import BusError, Refused
from appliance.errors import BranchlineError

GREP_S = 3.0                                      # of one match over all rows
MOST_SAVED = 200                                  # files
MOST_SAVED_OCTETS = 256 * 1000 * 1000             # of all of them
MOST_FITS = 12                                    # words that an error names
MOST_SPELLED = 200                                # characters of a line that others see of a session
ADMINS = 0o400                                    # mode of a file that is for the role admin alone

_saving = threading.Lock()                        # one file at a time: names and room are looked at before
log = logging.getLogger(__name__)


class Wrong(str):
    """A piece of output that says what is wrong: for stderr where there is one."""


class Screen(str):
    """A piece of output in place of the one before: a terminal is cleared for it."""


class Counted(Answer, frozen=True, kw_only=True):
    """What `| count` makes of any answer."""

    count: Annotated[int, column("rows", "行数")]


Piece = str | bytes


class Running:
    """The output of one line, piece by piece; `status` is right when there are no more."""

    def __init__(self, line: str, session: Session, box: Box, table: Table | None,
                 clock: Callable[[], float]) -> None:
        self.status = GOOD
        self._line, self._session, self._box = line, session, box
        self._table, self._clock = table, clock

    async def read(self) -> Parsed | BadLine | None:
        """What the line would do; None: it is empty."""
        table = self._table or await loaded()
        return parse(self._line, table, self._session.who.role, self._session.mode)

    async def __aiter__(self) -> AsyncGenerator[Piece, None]:
        session = self._session
        session.last_at = self._clock()
        language = session.who.language
        parsed = await self.read()
        if parsed is None:
            return
        if isinstance(parsed, BadLine):
            self.status = parsed.status
            yield Wrong(explained(self._line, parsed, language))
            return
        session.line = masked(parsed.spelled[:MOST_SPELLED])
        asked = Asked(self._box, session, self._clock(), parsed.values)
        try:
            async with aclosing(self._pieces(parsed, asked)) as pieces:
                async for piece in pieces:
                    yield piece
        except CommandError as error:
            self.status = error.status
            yield Wrong(_lines(error.text, error.next, language))
        except BusError as error:
            refused = isinstance(error, Refused)
            self.status = NO if refused else AWAY
            why = said(str(error)).of(language) if refused else unanswered(str(error), language)
            yield Wrong(shown(f"{why}\n"))
        except TimeoutError:
            self.status = AWAY
            yield Wrong(Text(f"no answer in {parsed.command.within_s:g} s\n",
                             f"{parsed.command.within_s:g} 秒内没有应答\n").of(language))
        except (BranchlineError, OSError) as error:
            self.status = NO
            yield Wrong(shown(f"{error}\n"))
        except Closed:                            # who was asked is not there: the session ends
            raise
        except Exception as error:
            _tell(parsed, error)
            self.status = NO
            yield Wrong(Text("this did not work, by a fault of the box: its log says more\n",
                             "设备内部错误，未能完成：详见日志\n").of(language))
        finally:
            session.line, session.last_at = "", self._clock()

    async def _pieces(self, parsed: Parsed, asked: Asked) -> AsyncGenerator[Piece, None]:
        command = parsed.command
        if not command.live:
            async with asyncio.timeout(command.within_s):
                answer = await cast(Does, command.does)(asked)
            async for piece in _out(answer, parsed, asked):
                yield piece
            return
        live = cast(AsyncGenerator[Answer, None], command.does(asked))
        async with aclosing(live):                # its `finally` runs now, not when the collector comes
            async for answer in live:
                async for piece in _out(answer, parsed, asked):
                    as_screen = command.screen and asked.session.width is not None
                    yield Screen(piece) if as_screen and isinstance(piece, str) else piece


def _tell(parsed: Parsed, error: Exception) -> None:
    """In the log, with what the error says: not where that may be the line's own secret."""
    if masked(parsed.spelled) == parsed.spelled:
        log.error("console: %s", parsed.command.words, exc_info=error)
    else:
        log.error("console: %s: %s\n%s", parsed.command.words, type(error).__name__,
                  "".join(traceback.format_tb(error.__traceback__)).rstrip())


def run_line(line: str, session: Session, box: Box, table: Table | None = None,
             clock: Callable[[], float] = time.time) -> Running:
    """Nothing is done before the first piece is wanted. Cancelled, the command ends there."""
    return Running(line, session, box, table, clock)


async def _out(answer: Answer, parsed: Parsed, asked: Asked) -> AsyncIterator[Piece]:
    """An answer through the line's pipes."""
    language, session, pipes = asked.language, asked.session, parsed.pipes
    kept: list[int] | None = None                 # of the single values
    for pipe in pipes:
        if pipe.word in ("match", "except"):
            answer, kept = await _matched(answer, kept, pipe, language)
        elif pipe.word == "last":
            for table in page(answer, language).tables:
                answer = only(answer, table.field.name, range(len(table.rows))[-pipe.value:])
        elif pipe.word == "count":
            answer, kept = _counted(answer, kept, language), None
    words = [one.word for one in pipes]
    out: Piece
    if "json" in words:
        octets = msgspec.json.encode(answer)
        if session.width is not None:
            octets = msgspec.json.format(octets, indent=2)
        out = escaped(octets.decode()) + "\n"
    elif isinstance(answer, File):
        if words[-1:] != ["save"] and session.who.door != "exec":
            many = len(answer.octets)
            raise CommandError(Text(f"this is a file of {many} octets", f"这是一个 {many} 字节的文件"),
                               same(f"| save {answer.name}"))
        out = answer.octets
    else:
        laid = page(answer, language)
        if kept is not None:
            laid = replace(laid, values=tuple(laid.values[place] for place in kept))
        out = text(laid, language, session.width)
    if words[-1:] == ["save"]:
        octets = out if isinstance(out, bytes) else out.encode()
        name = str(pipes[-1].value)
        await asyncio.to_thread(save, asked.box.saved, name, octets, parsed.command.role == Role.ADMIN)
        out = asked.say(Text(f"saved: {name}, {len(octets)} octets\n",
                             f"已保存：{name}，{len(octets)} 字节\n"))
    if out:
        yield out


async def _matched(answer: Answer, kept: list[int] | None, pipe: Pipe, language: Language
                   ) -> tuple[Answer, list[int]]:
    """The rows and single values in which the pattern is found, or is not; looked at as one text.

    It is found in what people see and in JSON's words, so that a pattern means the same in each language.
    """
    laid = page(answer, language)
    values = list(range(len(laid.values))) if kept is None else kept
    begins = [len(values)]
    for table in laid.tables:
        begins.append(begins[-1] + len(table.rows))
    rows = _rows(laid, values)
    if language != "en":
        rows += _rows(page(answer, "en"), values)
    hits = {place % begins[-1] for place in await grep(pipe, rows)}
    found = [place for place in range(begins[-1]) if (place in hits) == (pipe.word == "match")]
    for table, begin, end in zip(laid.tables, begins, begins[1:], strict=False):
        answer = only(answer, table.field.name, [place - begin for place in found if begin <= place < end])
    return answer, [values[place] for place in found if place < begins[0]]


def _rows(laid: Page, values: Sequence[int]) -> list[str]:
    """As a pattern sees them: these single values, then those of the tables."""
    single = [value if laid.bare else f"{title}: {value}"
              for title, value in (laid.values[place] for place in values)]
    return single + [line_of(row) for table in laid.tables for row in table.rows]


async def grep(pipe: Pipe, rows: Sequence[str]) -> list[int]:
    """The places of the rows that have it; grep is linear where Python's re can take for ever."""
    if not rows:
        return []
    small = [] if any(one.isupper() for one in pipe.value) else ["-i"]
    process = await asyncio.create_subprocess_exec(
        "grep", "-anE", *small, "-e", pipe.value,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"})
    try:
        async with asyncio.timeout(GREP_S):
            out, wrong = await process.communicate("".join(
                one.replace("\n", " ") + "\n" for one in rows).encode(errors="replace"))
    except TimeoutError:
        raise CommandError(Text(f"{pipe.word} {pipe.value!r} takes more than {GREP_S:g} s",
                                f"{pipe.word} “{pipe.value}” 超过 {GREP_S:g} 秒"), status=BAD_LINE) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode not in (0, 1):          # 1: none was found
        why = wrong.decode(errors="replace").strip().removeprefix("grep: ")
        raise CommandError(Text(f"{pipe.word} {pipe.value!r}: {why}", f"{pipe.word} “{pipe.value}”:{why}"),
                           status=BAD_LINE)
    return [int(line.partition(b":")[0]) - 1 for line in out.splitlines()]


def _counted(answer: Answer, kept: Sequence[int] | None, language: Language) -> Counted:
    laid = page(answer, language)
    return Counted(count=sum(len(one.rows) for one in laid.tables) if laid.tables else
                   len(laid.values if kept is None else kept))


def save(folder: Path, name: str, octets: bytes, admins: bool = False) -> None:
    """A new file, whole or not at all; `admins`: for that role alone, as there may be secrets in it.

    CommandError: there is one of this name, or no room for it.
    """
    with _saving:
        _save(folder, name, octets, admins)


def _save(folder: Path, name: str, octets: bytes, admins: bool) -> None:
    make_folder(folder)
    sizes: list[int] = []
    for one in list(folder.iterdir()):
        with contextlib.suppress(OSError):        # somebody removes it by SFTP
            if one.name.startswith("."):
                one.unlink()                      # of a power cut: only whole files have a name that is seen
            else:
                sizes.append(one.lstat().st_size)
    if (folder / name).exists():
        raise CommandError(Text(f"there is a file {name} already", f"已有文件 {name}"),
                           same(f"delete saved {name}"))
    if len(sizes) >= MOST_SAVED or sum(sizes) + len(octets) > MOST_SAVED_OCTETS:
        raise CommandError(
            Text(f"at most {MOST_SAVED} files of {MOST_SAVED_OCTETS // 10**6} MB are kept",
                 f"最多保存 {MOST_SAVED} 个文件，共 {MOST_SAVED_OCTETS // 10**6} MB"),
            Text("show saved, delete saved FILE", "show saved、delete saved FILE"))
    part = folder / f".{name}"
    try:
        write_file(part, octets)
        if admins:
            part.chmod(ADMINS)
        move(part, folder / name)
    except OSError:
        for one in (part, part.with_name(f"{part.name}.new")):
            one.unlink(missing_ok=True)
        raise


def explained(line: str, wrong: BadLine, language: Language) -> str:
    """The line, a mark under the word, and what would fit there."""
    fits = [one.word for one in wrong.fits]
    words = ", ".join(fits[:MOST_FITS]) + (" ..." if len(fits) > MOST_FITS else "")
    next = Text(f"what fits: {words}" if words else "", f"可用：{words}" if words else "")
    blanks = " " * width(shown(line[:wrong.at]))
    head = f"{shown(line[:200])}\n{blanks}^\n" if wrong.at <= 200 else ""
    return head + _lines(wrong.text, next, language)


def _lines(text: Text, next: Text, language: Language) -> str:
    return "".join(f"{shown(one)}\n" for one in (text.of(language), next.of(language)) if one)
