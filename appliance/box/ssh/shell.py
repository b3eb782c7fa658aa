"""A session at a terminal: lines are typed, completed, done, and their output is shown by pages."""

import asyncio
import codecs
import contextlib
import signal
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from appliance.box.commands.offers import complete, help_text, offers
from appliance.box.commands.run import Piece, Screen
from appliance.box.commands.screen import cut, shown
from appliance.box.commands.table import GOOD, Closed, Role, Session, Text
from appliance.box.ssh import keys
from appliance.box.ssh.doing import do
from appliance.box.ssh.door import Door
from appliance.box.ssh.editor import BELL, Editor
from appliance.box.ssh.pager import Pager

MOST_AHEAD = 4096                                 # keys that were typed and not yet looked at
LEAST_COLUMNS, MOST_COLUMNS, MOST_ROWS = 20, 1000, 1000
MOST_ANSWER = 1000                                # characters of what a command asks


class Terminal(Protocol):
    """What carries a session."""

    async def read(self) -> str | tuple[int, int]:
        """What was typed, or the terminal's new size; "": it is closed."""

    async def write(self, text: str) -> None:
        """Waits while the other end does not take it. OSError: it is gone."""


class Keyboard:
    """What is typed, at all times: Ctrl-C reaches a command that runs."""

    def __init__(self, terminal: Terminal, steady: Callable[[], float]) -> None:
        self.last_at = steady()
        self.interrupt: Callable[[], None] | None = None             # what Ctrl-C does now
        self.resized: Callable[[int, int], None] = lambda width, height: None
        self.closed = False
        self._terminal, self._steady = terminal, steady
        self._keys, self._ahead = keys.Keys(), deque[str]()
        self._came, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()

    async def run(self) -> None:
        """Until the terminal is closed."""
        try:
            while got := await self._terminal.read():
                if isinstance(got, tuple):
                    self.resized(*got)
                    self._came.set()
                    continue
                self.last_at = self._steady()
                for key in self._keys.feed(got):
                    if key == keys.INTERRUPT and self.interrupt is not None:
                        self._ahead.clear()
                        self.interrupt()
                    else:
                        self._ahead.append(key)
                self._came.set()
                if len(self._ahead) >= MOST_AHEAD:
                    self._room.clear()
                    await self._room.wait()
        finally:
            self.closed = True
            self._came.set()
            if self.interrupt is not None:
                self.interrupt()

    async def get(self, idle_s: float) -> str:
        """The next key; "": only the size has changed. Closed: none came for so long, or none will."""
        if not self._ahead:
            self._came.clear()
            if self.closed:
                raise Closed
            try:
                async with asyncio.timeout(max(0.0, self.last_at + idle_s - self._steady())):
                    await self._came.wait()
            except TimeoutError:
                raise Closed("idle") from None
        if not self._ahead:
            if self.closed:
                raise Closed
            return ""
        key = self._ahead.popleft()
        if len(self._ahead) < MOST_AHEAD // 2:
            self._room.set()
        return key


class Shell:
    """`size`: columns and rows; 0: the terminal did not say."""

    def __init__(self, door: Door, session: Session, terminal: Terminal, size: tuple[int, int],
                 hostname: Callable[[], str]) -> None:
        self._door, self._terminal, self._hostname = door, terminal, hostname
        self._session, self._language = session, session.who.language
        self._keyboard = Keyboard(terminal, door.steady)
        self._keyboard.resized = self._resized
        self._editor = Editor()
        self._moved = False                       # the size changed, and the line is to be drawn anew
        self._pager: Pager | None = None
        self._resized(*size)
        self._moved = False
        self._session.asking = self._ask

    async def run(self, greeting: str) -> int:
        """Until `exit`, Ctrl-D, or the other end is gone; the last command's status."""
        reading = asyncio.create_task(self._keyboard.run())
        status = GOOD
        try:
            await self._terminal.write(greeting.replace("\n", "\r\n"))
            while not self._session.ended:
                line = await self._line()
                if line is None:
                    break
                status = await self.do(line)
        except Closed as error:
            await self._tell(error)
        except OSError:
            pass                                  # the other end is gone
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        return status

    async def only(self, line: str) -> int:
        """One line at a terminal that is there for it alone: `ssh -t box monitor calls`."""
        reading = asyncio.create_task(self._keyboard.run())
        try:
            return await self.do(line, paged=False)
        except Closed as error:
            await self._tell(error)
        except OSError:
            pass
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        return 128 + signal.SIGHUP

    async def _tell(self, closed: Closed) -> None:
        """Why the session ends, where somebody may still read it."""
        if closed.args:
            with contextlib.suppress(OSError):
                await self._terminal.write("\r\n" + self._say(Text(
                    "signed out: nobody typed for too long", "已退出：长时间无操作")) + "\r\n")

    # --- a line

    def _prompt(self) -> str:
        session = self._session
        inside = " ".join(one for one in (session.mode, session.prompt) if one)
        sign = "#" if session.who.role == Role.ADMIN else ">"
        return shown(f"{self._hostname()}{f'({inside})' if inside else ''}{sign} ")

    async def _line(self) -> str | None:
        """None: it is the end."""
        editor, write = self._editor, self._terminal.write
        await write(editor.begin(self._prompt()))
        while True:
            key = await self._keyboard.get(self._door.config.idle_s)
            if self._moved:
                self._moved = False
                await write(editor.resized(editor.width))
            match key:
                case "":
                    continue
                case keys.INTERRUPT if not editor.searching:
                    await write(editor.left() + editor.begin(self._prompt()))
                case keys.EOF if not editor.line:
                    await write(editor.left())
                    return None
                case keys.TAB:
                    await self._complete()
                case "?" if editor.line.count('"', 0, editor.at) % 2 == 0 and not editor.searching:
                    await self._help()
                case _:
                    await write(editor.key(key))
            if editor.entered is not None:
                return editor.entered

    async def _complete(self) -> None:
        editor, write = self._editor, self._terminal.write
        line, at = editor.line, editor.at
        self._session.last_at = self._door.clock()
        offered = await offers(line[:at], self._session, self._door.box)
        added = complete(offered)
        if added:
            if added.endswith(" ") and line[at:at + 1] == " ":
                added = added[:-1]
            await write(editor.set(line[:at] + added + line[at:], at + len(added)))
        elif len(offered.offers) > 1:
            await write(editor.above(self._offered(help_text(offered, self._language, editor.width))))
        else:
            await write(BELL)

    async def _help(self) -> None:
        editor = self._editor
        self._session.last_at = self._door.clock()
        offered = await offers(editor.line[:editor.at], self._session, self._door.box)
        await self._terminal.write(editor.above(self._offered(
            help_text(offered, self._language, editor.width))))

    def _offered(self, text: str) -> str:
        """No more than there is room for."""
        rows = [row for line in text.splitlines() for row in cut(line, self._editor.width)]
        most = max(4, (self._session.height or MOST_ROWS) - 2)
        if len(rows) > most:
            rows = [*rows[:most - 1], self._say(Text(f"  ... {len(rows) - most + 1} more",
                                                     f"  ……还有 {len(rows) - most + 1} 项"))]
        return "".join(f"{row}\r\n" for row in rows)

    # --- its output

    async def do(self, line: str, paged: bool = True) -> int:
        """Done, shown, by pages where it is long; Ctrl-C ends it."""
        session = self._session
        pager = self._pager = Pager(session.width or 80, session.height if paged else 0, self._language)
        screens = 0

        async def take(piece: Piece) -> None:
            nonlocal screens
            if isinstance(piece, bytes):          # the table offers `| save` instead at a terminal
                return
            if isinstance(piece, Screen):
                await self._terminal.write(self._whole(piece, first=not screens))
                screens += 1
                return
            await self._terminal.write(pager.write(piece))
            await self._turn_pages(pager)

        working = asyncio.create_task(self._done(line, take, pager))
        stopped = False

        def stop() -> None:
            nonlocal stopped
            stopped = True
            working.cancel()
        self._keyboard.interrupt = stop
        watching = asyncio.create_task(self._watch(stop))
        try:
            return await working
        except asyncio.CancelledError:
            if not stopped:                       # it is boxd that ends
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)
                raise
            if self._keyboard.closed:
                raise Closed from None
            await self._terminal.write("^C\r\n")
            return 128 + signal.SIGINT
        finally:
            watching.cancel()
            self._keyboard.interrupt, self._pager = None, None

    async def _watch(self, stop: Callable[[], None]) -> None:
        """Where nobody has typed for `live_s` a command that goes on is ended, and the session."""
        left_s = self._door.config.live_s
        while left_s > 0:
            await asyncio.sleep(left_s)
            left_s = self._keyboard.last_at + self._door.config.live_s - self._door.steady()
        self._session.ended = True
        stop()

    async def _done(self, line: str, take: Callable[[Piece], Awaitable[None]], pager: Pager) -> int:
        try:
            status = await do(self._door, self._session, line, take)
            await self._terminal.write(pager.end())
            await self._turn_pages(pager)
            return status
        except _Quit:
            return GOOD

    async def _turn_pages(self, pager: Pager) -> None:
        while pager.full:
            interrupt, self._keyboard.interrupt = self._keyboard.interrupt, None
            try:
                key = await self._keyboard.get(self._door.config.idle_s)
            finally:
                self._keyboard.interrupt = interrupt
            await self._terminal.write(pager.key(key) if key else "")
        if pager.quit:
            raise _Quit

    def _whole(self, text: str, first: bool) -> str:
        """A screen in place of the one before, without a flicker."""
        rows = text.splitlines()[:max(1, (self._session.height or 24) - 1)]
        clear = "\x1b[H\x1b[2J" if first else "\x1b[H"
        return clear + "".join(f"{row}\x1b[K\r\n" for row in rows) + "\x1b[J"

    async def _ask(self, question: Text, secret: bool) -> str:
        """What a command asks while it works; Ctrl-C ends the command. Closed: nobody answers."""
        editor, write = Editor(self._editor.width), self._terminal.write
        await write(editor.begin(shown(self._say(question)) + " ", secret))
        while editor.entered is None:
            key = await self._keyboard.get(self._door.config.idle_s)
            if (key and len(editor.line) < MOST_ANSWER) or key in (keys.ENTER, keys.BACKSPACE):
                await write(editor.key(key))
        return editor.entered

    # --- the terminal

    def _resized(self, width: int, height: int) -> None:
        session = self._session
        session.width = min(max(width or 80, LEAST_COLUMNS), MOST_COLUMNS)
        session.height = min(max(height or 24, 4), MOST_ROWS)
        self._editor.width, self._moved = session.width, True
        if self._pager is not None:
            self._pager.resized(session.width, session.height)

    def _say(self, text: Text) -> str:
        return text.of(self._language)


class _Quit(Exception):
    """Nobody wants to see the rest."""


def decoder() -> codecs.IncrementalDecoder:
    """Of what is typed; wrong octets show as such."""
    return codecs.getincrementaldecoder("utf-8")("replace")
