"""Bundles on the bus: one is made in the background, the newest stays in the state folder until the next."""

import asyncio
import time

from appliance.box.area import Answers, Area
from appliance.box.provision.kept import hostname
from appliance.box.support.making import make, name
from appliance.box.support.sources import Places
from appliance.bus.client import Refused
from appliance.bus.messages import Done, GetSupport, MakeSupport, SupportReply
from appliance.bus.runner import Context

FOLDER = "support"                                # in the state folder


class Support(Area):
    def __init__(self, context: Context) -> None:
        self._context, self._folder = context, context.state_dir / FOLDER
        self._making: asyncio.Task[None] | None = None
        self._saying = self._error = ""
        self._missing: list[str] = []
        self.answers: Answers = {GetSupport: self._get, MakeSupport: self._make}

    async def run(self, stop: asyncio.Event) -> None:
        await stop.wait()
        if self._making is not None:
            self._making.cancel()
            await asyncio.wait([self._making])

    async def _get(self, request: GetSupport) -> SupportReply:
        made = max(self._folder.glob("*.zip"), default=None, key=lambda path: path.stat().st_mtime)
        found = made.stat() if made else None
        return SupportReply(
            running=self._running, saying=self._saying, path=str(made or ""),
            octets=found.st_size if found else 0, at=found.st_mtime if found else 0.0,
            missing=self._missing, error=self._error)

    @property
    def _running(self) -> bool:
        return self._making is not None and not self._making.done()

    async def _make(self, request: MakeSupport) -> Done:
        if self._running:
            raise Refused("one is being made")
        self._error, self._missing, self._saying = "", [], "begins"
        self._making = self._context.keep(self._made(request.numbers))
        return Done()

    async def _made(self, numbers: bool) -> None:
        context = self._context
        places = Places(context.config_path, context.state_dir, context.run_dir, numbers=numbers)
        try:
            self._folder.mkdir(mode=0o750, exist_ok=True)
            path = self._folder / name(hostname(), time.time())
            missing = await make(path, places, context.bus, say=self._say)
            path.chmod(0o640)                     # webui sends it: it is of the same group
            for old in self._folder.glob("*.zip"):
                if old != path:
                    old.unlink()
        except OSError as error:
            self._error = f"{error.filename or self._folder}: {error.strerror}"
        else:
            self._missing = [f"{what}: {why}" for what, why in missing.items()]
        finally:
            self._saying = ""

    def _say(self, text: str) -> None:
        self._saying = text
