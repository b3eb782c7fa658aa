"""Lines of the console: every one is a command or is told what is wrong with it, and where."""

import asyncio
import atexit
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from appliance.box.commands.box import Box
from appliance.box.commands.every import table
from appliance.box.commands.offers import complete, help_text, offers
from appliance.box.commands.run import explained
from appliance.box.commands.table import Command, Role, Session, Who
from appliance.box.commands.words import BadLine, Parsed, parse
from appliance.bus.client import BusError
from appliance.bus.messages import Reply
from tests.box.commands.acting import Bus, box

SHARE = 0.5


def corpus() -> list[bytes]:
    """Each command with its arguments, short words, quotes, pipes."""
    lines = [_example(one) for one in table().commands]
    lines += ["sh sp e1-1 by d most 3 | m \"a|b\" | except x | last 3 | js | sa f.json", "show calls --json",
              'show span "a \\" b" | count', "run show version", "# a note"]
    return [one.encode() for one in lines]


def _example(command: Command) -> str:
    words = [command.words]
    for one in command.arguments:
        fixed = getattr(one.kind, "fixed", ())
        words += [*([one.keyword] if one.keyword else []), *(["7"] if one.kind and not fixed else []),
                  *([fixed[0].word] if fixed else [])]
    return " ".join(words)


_FOLDER = TemporaryDirectory()                    # goes with the process
atexit.register(_FOLDER.cleanup)


@cache
def _box() -> Box:
    def away(request: object) -> Reply:
        raise BusError("nobody is there")
    return box(Path(_FOLDER.name), Bus(away))


def fuzz(data: bytes) -> None:
    line = data.decode(errors="replace")
    for mode in ("", "configure"):
        for role in Role:
            found = parse(line, table(), role, mode)
            if isinstance(found, BadLine):
                assert 0 <= found.at <= len(line) and found.status in (64, 77)
                assert found.text.en and found.text.zh
                assert "\x1b" not in explained(line, found, "zh")
            elif isinstance(found, Parsed):
                assert found.command.role <= role
                again = parse(found.spelled, table(), role, "" if found.command.known_in("") else mode)
                assert isinstance(again, Parsed), found.spelled
                assert (again.command, again.values) == (found.command, found.values), found.spelled
    session = Session(Who("li", Role.ADMIN))
    offered = asyncio.run(offers(line, session, _box()))
    assert 0 <= offered.at <= len(line)
    assert isinstance(complete(offered), str) and help_text(offered, "en")
