"""The box below the versions: the file, the daemons on the bus, and the check that the box's start makes."""

import asyncio
import contextlib
import hashlib
import os
import re
import sys
import time
from pathlib import Path

from appliance.box.document.place import NEW, Written, replace
from appliance.box.privileged.asking import ask
from appliance.box.privileged.verb import VerbError
from appliance.bus import reloading
from appliance.bus.client import Bus, Refused
from appliance.bus.messages import DAEMONS, DocumentMistake
from appliance.config.changes import changes
from appliance.config.load import load, text_of
from appliance.errors import ConfigError

CHECK_S = 60.0
MOST_SAID = 100                                   # lines

_WARNING = "warning: "


class BoxGround:
    """`document`: the file that people edit."""

    def __init__(self, bus: Bus, document: Path, state_dir: Path, run_dir: Path) -> None:
        self._bus, self._document, self._state_dir, self._run_dir = bus, document, state_dir, run_dir
        self._started: dict[str, float] = {}      # daemon -> when, Unix time
        (state_dir / NEW).unlink(missing_ok=True)  # of an act that was cut off: root is not to find it

    def started(self, daemon: str, at: float) -> bool:
        """A daemon was heard; whether that start of it was not known."""
        new = self._started.get(daemon) != at
        self._started[daemon] = at
        return new

    def all_started_since(self, at: float) -> bool:
        now = time.time()                         # who started "later" than that did so by another clock
        return all(at < self._started.get(daemon, 0.0) <= now for daemon in DAEMONS)

    def read(self) -> str:
        return text_of(self._document)

    def keys(self, old: str, new: str) -> list[str]:
        after = load(self._document, new)
        try:
            return changes(load(self._document, old), after)
        except ConfigError:
            return sorted(after.model_fields_set)

    async def write(self, text: str) -> None:
        try:
            if os.access(self._document.parent, os.W_OK):
                await asyncio.to_thread(replace, self._document, text.encode())
            else:
                await self._by_root(text.encode())
            await asyncio.to_thread(reloading.put_copy, self._document, self._run_dir)
        except (OSError, VerbError, ConfigError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise Refused(f"{self._document}: {why}") from None

    async def _by_root(self, octets: bytes) -> None:
        """On an installed box the file is root's, whom it is left for in the state folder."""
        new = self._state_dir / NEW
        try:
            await asyncio.to_thread(replace, new, octets)
            await ask(self._run_dir, "write-document", Written(hashlib.sha256(octets).hexdigest()))
        finally:
            new.unlink(missing_ok=True)

    async def check(self, text: str) -> tuple[list[DocumentMistake], list[str]]:
        """What people run, too, as a process of its own, which takes its memory along."""
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "appliance.launch", "check", "--stdin", "--config", str(self._document),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE)
        try:
            async with asyncio.timeout(CHECK_S):
                _, said = await child.communicate(text.encode())
        except TimeoutError:
            raise Refused(f"the check was not done in {CHECK_S:g} s") from None
        finally:
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
        lines = said.decode(errors="replace").splitlines()
        heads = f"{self._document}: {_WARNING}"
        warnings = [line.removeprefix(heads) for line in lines if line.startswith(heads)]
        mistakes = [self.mistake(line) for line in lines if not line.startswith(heads)]
        if child.returncode and not mistakes:
            mistakes = [DocumentMistake(0, f"the check ended with {child.returncode}")]
        return (mistakes[:MOST_SAID] if child.returncode else []), warnings[:MOST_SAID]

    def mistake(self, line: str) -> DocumentMistake:
        """From a line of a ConfigError."""
        found = re.match(re.escape(str(self._document)) + r":(?:(\d+):)? ?(.*)", line)
        return DocumentMistake(int(found[1] or 0), found[2]) if found else DocumentMistake(0, line)

    async def try_out(self, text: str) -> None:
        await reloading.try_out(self._bus, text, self._document, self._run_dir)

    async def take_over(self) -> None:
        await reloading.take_over(self._bus)


