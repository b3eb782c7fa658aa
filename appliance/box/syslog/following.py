"""The log as it is written: followed by journalctl, or by tail in the launcher's files. Neither polls.

Ref: journalctl(1) --follow, tail(1) --follow=name, which waits on inotify.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

from appliance.box.logs import files, journal
from appliance.box.logs.files import Files
from appliance.box.logs.journal import Journal
from appliance.box.logs.lines import Raw
from appliance.errors import Unavailable
from appliance.store import LOGS_FILE, LOGS_FOLDER

ENDS_S = 2.0


async def follow(state_dir: Path) -> AsyncGenerator[Raw, None]:
    """Lines from now on, for ever. Unavailable: nothing keeps a log here, or the follower has ended."""
    read: Callable[[bytes], Raw | None]
    if Files(state_dir).there():
        path = state_dir / LOGS_FOLDER / LOGS_FILE
        command = ["tail", "--follow=name", "--retry", f"--bytes=+{_octets(path) + 1}", "--quiet", str(path)]
        read, most = files.entry, files.MOST_LINE_OCTETS
    elif Journal().there():
        command = ["journalctl", "--follow", "--lines=0", "--quiet", "--output=json", "--all",
                   "--output-fields=MESSAGE,PRIORITY,_SYSTEMD_UNIT,UNIT,_TRANSPORT,SYSLOG_IDENTIFIER",
                   *journal.matches(frozenset())]
        read, most = journal.entry, journal.MOST_LINE_OCTETS
    else:
        raise Unavailable("syslog: this box keeps no log: there is neither a journal nor the launcher's file")
    try:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, limit=most)
    except OSError as error:
        raise Unavailable(f"syslog: {command[0]}: {error.strerror}") from None
    if child.stdout is None:
        raise AssertionError("a process with a pipe has it")
    try:
        while True:
            try:
                octets = await child.stdout.readline()
            except ValueError:                    # longer than any line of ours
                continue
            if not octets:
                break
            if (raw := read(octets.rstrip(b"\n"))) is not None:
                yield raw
        with contextlib.suppress(TimeoutError):   # it ends by itself: a kill now would take its status away
            await asyncio.wait_for(child.wait(), ENDS_S)
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(child.wait(), ENDS_S)
    raise Unavailable(f"syslog: {command[0]} has ended: status {child.returncode}")


def _octets(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:                               # it turns at this moment
        return 0
