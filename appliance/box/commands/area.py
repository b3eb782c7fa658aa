"""The commands on the bus: a line that a person of the pages gives, and what would fit in it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from appliance.box.area import Answers, Area
from appliance.box.commands.box import Box
from appliance.box.commands.offers import offers
from appliance.box.commands.run import Piece, Running, Wrong, run_line
from appliance.box.commands.table import AWAY, BAD_LINE, ROLES, Language, Role, Session, Text, Who
from appliance.box.commands.words import BadLine, Parsed
from appliance.box.ssh.area import Console
from appliance.box.ssh.masking import masked
from appliance.bus.client import Refused
from appliance.bus.messages import CommandOffer, CommandOffers, CommandRan, Event, OfferCommands, RunCommand
from appliance.bus.messages.commands import MOST_COMMAND_OUTPUT

COLUMNS = 120                                     # of a page's screen
MOST_WHO = 64                                     # characters of a name, and of where a person is
MOST_S = 125.0                                    # of one line: others wait for it, and the page no longer
MOST_WRONG = 20_000                               # characters
OF_A_SESSION = ("configure", "exit", "quit")      # are for a session, which a page has not
ONLY_SSH = Text("this goes on until Ctrl-C: give it by ssh\n", "该命令持续输出，请通过 SSH 执行\n")
NO_SESSION = Text("this is for a session by ssh; here every line is whole, as configure set KEY VALUE\n",
                  "该命令仅用于 SSH 会话；此处每行须完整，例如 configure set KEY VALUE\n")
TOO_LONG = Text(f"not done in {MOST_S:g} s: what was begun goes on; longer ones are for ssh\n",
                f"{MOST_S:g} 秒内未完成：已开始的操作仍在进行；耗时命令请通过 SSH 执行\n")

log = logging.getLogger(__name__)


class Commands(Area):
    """Also hands all events to live commands, whichever door they came by."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.answers: Answers = {RunCommand: self._run, OfferCommands: self._offer}
        self.beside = (RunCommand, OfferCommands)

    async def hear(self, event: Event) -> None:
        self.box.hear(event)

    async def _run(self, request: RunCommand) -> CommandRan:
        left_s = min(MOST_S, request.until - time.time()) if request.until else MOST_S
        if left_s <= 0:
            raise Refused("others took so long that nobody waits for this any more: nothing was done")
        session = _session(request.who, ROLES[request.role], request.language, request.origin)
        running = run_line(request.line, session, self.box)
        parsed = await running.read()
        if isinstance(parsed, Parsed) and (parsed.command.live or parsed.command.words in OF_A_SESSION):
            why = ONLY_SSH if parsed.command.live else NO_SESSION
            return CommandRan(status=BAD_LINE, text="", wrong=why.of(request.language))
        out, wrong = list[str](), list[str]()

        async def take(piece: Piece) -> None:
            (wrong if isinstance(piece, Wrong) else out).append(str(piece))
        self.box.sessions.append(session)
        try:
            async with asyncio.timeout(left_s):
                status = await self._done(request.line, session, running, parsed, take)
        except TimeoutError:
            status = AWAY
            wrong.append(TOO_LONG.of(request.language))
        finally:
            self.box.sessions.remove(session)
            await session.close()
        text = "".join(out)
        return CommandRan(status=status, text=text[:MOST_COMMAND_OUTPUT],
                          wrong="".join(wrong)[:MOST_WRONG], cut=len(text) > MOST_COMMAND_OUTPUT,
                          secret=masked(request.line) != request.line)

    async def _done(self, line: str, session: Session, running: Running, parsed: Parsed | BadLine | None,
                    take: Callable[[Piece], Awaitable[None]]) -> int:
        """What changes something is in the console's log of what people did, else in the journal."""
        door = next((one.door for one in self.box.areas if isinstance(one, Console)), None)
        if door is not None:
            from appliance.box.ssh.doing import do  # the console is open: they are loaded
            return await do(door, session, line, take)
        if isinstance(parsed, Parsed) and parsed.command.role > Role.WATCH:
            log.info("console: %s, %s: %s", session.who.name, session.who.origin, masked(parsed.spelled))
        async for piece in running:
            await take(piece)
        return running.status

    async def _offer(self, request: OfferCommands) -> CommandOffers:
        session = _session("", ROLES[request.role], request.language, "")
        found = await offers(request.line, session, self.box)
        return CommandOffers(at=found.at, offers=[
            CommandOffer(word=one.word, help=one.help.of(request.language)) for one in found.offers])


def _session(name: str, role: Role, language: Language, origin: str) -> Session:
    if len(name) > MOST_WHO or len(origin) > MOST_WHO:
        raise Refused(f"a name and an origin have at most {MOST_WHO} characters")
    return Session(Who(name, role, language, origin, "web"), started_at=time.time(), width=COLUMNS)
