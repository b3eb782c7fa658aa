"""One line of somebody, with its place in the log of what people did when it changes something."""

from collections.abc import AsyncIterator, Awaitable, Callable

from appliance.box.commands.every import loaded
from appliance.box.commands.run import Piece, run_line
from appliance.box.commands.screen import shown
from appliance.box.commands.table import GOOD, ROLE, Command, Role, Session
from appliance.box.commands.words import BadLine, Parsed, parse
from appliance.box.ssh.door import Door
from appliance.box.ssh.masking import masked
from appliance.store.audit import Did

_READS = ("show", "monitor", "help", "exit", "quit")  # begin what changes nothing


def logged(parsed: Parsed) -> bool:
    """Whether it is in the log: acts, what is kept as a file, and secrets that were shown."""
    command: Command = parsed.command
    if parsed.values.get("secrets") or any(pipe.word == "save" for pipe in parsed.pipes):
        return True
    return command.role > Role.WATCH and command.words.split()[0] not in _READS


async def do(door: Door, session: Session, line: str, take: Callable[[Piece], Awaitable[None]]) -> int:
    """Give each piece of its output to `take`; the exit status. Cancelled, the command ends, and is noted."""
    parsed = parse(line, await loaded(), session.who.role, session.mode)
    number, who = 0, session.who
    by = who.name, who.role.name.lower(), who.origin, "command"
    if isinstance(parsed, Parsed) and logged(parsed):
        number = await door.begin(Did(*by, _noted(parsed.spelled)))
    elif isinstance(parsed, BadLine) and parsed.status == ROLE:
        await door.note(Did(*by, _noted(line)), "the role is too low")
    running = run_line(line, session, door.box, clock=door.clock)
    outcome = "cut short"
    pieces: AsyncIterator[Piece] = aiter(running)
    try:
        async for piece in pieces:
            await take(piece)
        outcome = "" if running.status == GOOD else f"status {running.status}"
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()                         # the command's own `finally` runs now
        if number:
            await door.end(number, outcome)
    return running.status


def _noted(line: str) -> str:
    """As one line of a log, that of the journal too."""
    return shown(" ".join(masked(line).split()))
