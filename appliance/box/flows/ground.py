"""The box below the flows: the files, root's hand for them, the bench, and acdd on the bus."""

import asyncio
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from appliance.box.document.place import replace
from appliance.box.flows.bench import Bench
from appliance.box.flows.folder import Folder, Used
from appliance.box.flows.orders import Draw, Drawn, Edit, Kinds, ShowKinds, Tried, Try
from appliance.box.flows.place import NEW, Written, put
from appliance.box.privileged.asking import ask
from appliance.box.privileged.verb import VerbError
from appliance.bus import reloading
from appliance.bus.client import Bus, Refused
from appliance.bus.messages.flows import FlowEdit, FlowKinds, FlowPicture, FlowTrial, TryFlow


class BoxGround:
    """`document`: the configuration that people edit."""

    def __init__(self, bus: Bus, document: Path, state_dir: Path, run_dir: Path) -> None:
        self._bus, self._state_dir, self._run_dir = bus, state_dir, run_dir
        self._folder, self._bench = Folder(document), Bench(document)
        (state_dir / NEW).unlink(missing_ok=True)  # of an act that was cut off: root is not to find it

    async def close(self) -> None:
        await self._bench.close()

    def files(self) -> list[str]:
        return self._folder.files()

    def read(self, file: str) -> str | None:
        return self._folder.text(file)

    def used(self) -> Used:
        return self._folder.used()

    async def write(self, file: str, text: str) -> None:
        path = self._folder.path(file)
        if not path.parent.is_dir():
            raise Refused(f"{path.parent}: there is no such folder")
        try:
            if os.access(path.parent, os.W_OK):
                await asyncio.to_thread(put, self._folder, file, text)
            else:
                await self._by_root(file, text.encode())
        except (OSError, VerbError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise Refused(f"{path}: {why}") from None

    async def _by_root(self, file: str, octets: bytes) -> None:
        """On an installed box the file is root's, whom it is left for in the state folder."""
        new = self._state_dir / NEW
        try:
            await asyncio.to_thread(replace, new, octets)
            await ask(self._run_dir, "write-flow", Written(file, hashlib.sha256(octets).hexdigest()))
        finally:
            new.unlink(missing_ok=True)

    async def tell(self) -> None:
        await reloading.take_over_flows(self._bus)

    async def draw(self, file: str, text: str, called: bool) -> FlowPicture:
        return (await self._bench.ask(Draw(self._of(file), text, called), Drawn)).picture

    async def edit(self, file: str, text: str, edits: Sequence[FlowEdit]) -> str:
        return (await self._bench.ask(Edit(self._of(file), text, list(edits)), Drawn)).text

    async def kinds(self) -> FlowKinds:
        return (await self._bench.ask(ShowKinds(await asyncio.to_thread(self.files)), Kinds)).kinds

    async def run(self, text: str, request: TryFlow) -> FlowTrial:
        return (await self._bench.ask(Try(
            self._of(request.file), text, request.keys, request.caller, request.called, request.at,
            request.answers), Tried)).trial

    def _of(self, file: str) -> str:
        return str(self._folder.path(file))
