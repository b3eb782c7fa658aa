"""Light boxes: boxd's real console by SSH, one each on an address of its own; what it asks is played.

`python -m tests.fleet.boxes FOLDER` reads a list of Spec as JSON, and writes where each box is when all
listen; it ends with its standard input. Nothing here waits for time: an update goes on whenever somebody
looks at it.
"""

import asyncio
import contextlib
import json
import resource
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import msgspec

from appliance.box.area import Answers, Area
from appliance.box.commands.box import Box
from appliance.box.document.area import Document
from appliance.box.document.ground import BoxGround
from appliance.box.document.moment import Moment
from appliance.box.ssh.area import Console
from appliance.box.ssh.host_key import host_key
from appliance.bus.client import Refused
from appliance.bus.messages import (
    DAEMONS,
    DaemonHealth,
    DocumentMistake,
    Done,
    Fitness,
    FitnessReply,
    GetFitness,
    GetHardware,
    GetHealth,
    GetLogs,
    GetSupport,
    GetUpdate,
    Hardware,
    HardwareReply,
    Health,
    HealthReply,
    InstallUpdate,
    LogLine,
    LogLines,
    MakeSupport,
    RecorderState,
    Reloaded,
    Reply,
    Request,
    SpanList,
    SupportReply,
    UpdatePast,
    UpdateReply,
    UpdateState,
)
from appliance.bus.runner import Context
from appliance.config.load import load

DOCUMENT = 'spans: [{name: telco1, url: "virtual:/x/b", side: user, trunk: telco}]\n'
SOON_S = 60.0                                     # hundreds write their keys to the disk at once
BUNDLE = b"PK" * 100_000
STEPS = ("fetching", "installing", "rebooting", "on trial")


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    address: str
    keys: list[str]                               # whom it lets in
    document: bool = False                        # its configuration is real, with versions
    hangs: bool = False                           # takes connections, and never says a word
    after: str = "confirmed"                      # what becomes of an update; "dies": it never comes back
    new_version: str = "2.0"                      # that updates bring
    older_clients: bool = False                   # as in its configuration
    cut_off: bool = False                         # for ever, by the first configuration that it takes over


class Where(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    address: str
    port: int
    host_key: str


class Unchecked(BoxGround):
    """The check is a process of the whole configuration, which others test."""

    async def check(self, text: str) -> tuple[list[DocumentMistake], list[str]]:
        return [], []


class Daemons:
    """The bus: other daemons take over every configuration, and have no lines."""

    def __init__(self, box: "LightBox") -> None:
        self._box = box

    async def ask(self, request: Request[Any], timeout_s: float = 2.0) -> Reply:
        match type(request).__name__:
            case "GetSpans":
                return SpanList(spans=[])
            case "GetRecorder":
                return RecorderState(warnings=[])
        return Reloaded(document="", changed=[])

    async def say(self, event: object) -> None:
        self._box.said(event)


class Played(Area):
    """What boxd's other subjects would answer."""

    def __init__(self, box: "LightBox") -> None:
        self.answers: Answers = {
            GetUpdate: box.update, InstallUpdate: box.install, GetHealth: box.health,
            GetHardware: box.hardware, GetFitness: box.fitness, GetSupport: box.support,
            MakeSupport: box.make_support, GetLogs: box.logs}


class LightBox:
    def __init__(self, spec: Spec, folder: Path) -> None:
        self.spec, self.version, self.step = spec, "1.0", -1
        self.history: list[UpdatePast] = []
        self.asked: InstallUpdate | None = None
        self.clock = 1000.0                       # of updates
        folder.mkdir(parents=True)
        path = folder / "branchline.yaml"
        older = "older_clients: true, " if spec.older_clients else ""
        path.write_text(DOCUMENT + f"console: {{address: {spec.address}, port: 0, {older}people: "
                        f"[{{name: noc, role: admin, keys: {json.dumps(spec.keys)}}}]}}\n")
        self.stop = asyncio.Event()
        self.context = Context("boxd", load(path), folder, folder, cast(Any, Daemons(self)), self.stop,
                               config_path=path)
        self.areas: list[Area] = [Played(self)]
        self.document: Document | None = None
        if spec.document:
            self.document = Document(self.context, lambda: Moment(1000.0, "boot", 10.0), Unchecked)
            self.areas.append(self.document)
        self.console: Console | None = None
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> Where:
        if self.spec.hangs:
            self.silent = await asyncio.start_server(_silent, self.spec.address, 0)
            key = await asyncio.to_thread(host_key, self.context.state_dir)
            return Where(name=self.spec.name, address=self.spec.address,
                         host_key=" ".join(key.public.split()[:2]),
                         port=self.silent.sockets[0].getsockname()[1])
        if self.document is not None and not self._running:
            self._running.append(asyncio.create_task(self.document.run(self.stop)))
        self._console_stop = asyncio.Event()
        console = self.console = Console(self.context, lambda: self.spec.name, self._no_keys)
        console.box = Box(self.context, [*self.areas, console])
        self._console = asyncio.create_task(console.run(self._console_stop))
        try:
            async with asyncio.timeout(SOON_S):
                await console.listening.wait()
        except TimeoutError:
            raise OSError(console.wrong) from None
        return Where(name=self.spec.name, address=self.spec.address, port=console.port,
                     host_key=" ".join(console.key.public.split()[:2]))

    async def _no_keys(self) -> list[str]:
        return []

    async def cut_off(self) -> None:
        """As when the power fails: connections are gone, nobody listens."""
        self._console_stop.set()
        await self._console

    async def end(self) -> None:
        self.stop.set()
        if self.spec.hangs:
            self.silent.close()
            return
        await self.cut_off()
        await asyncio.gather(*self._running)
        if self.document is not None:
            self.document.close()

    def said(self, event: object) -> None:
        """Of boxd: a commit that cuts the box off does so when it has been taken over."""
        head = getattr(event, "head", None)
        if self.spec.cut_off and head is not None and head.number > 1 and head.kind == "commit":
            self._running.append(asyncio.create_task(self.cut_off()))

    # --- what commands ask

    async def health(self, request: GetHealth) -> HealthReply:
        return HealthReply(health=Health(at=0.0, daemons=[
            DaemonHealth(daemon=one, state="up") for one in DAEMONS]))

    async def hardware(self, request: GetHardware) -> HardwareReply:
        return HardwareReply(hardware=Hardware(at=0.0, board="", name="light"))

    async def fitness(self, request: GetFitness) -> FitnessReply:
        return FitnessReply(fitness=Fitness(
            at=0.0, state="ok", since=0.0, fit=True, reasons=[]))

    async def support(self, request: GetSupport) -> SupportReply:
        path = self.context.state_dir / "support" / "box.zip"
        made = path.stat().st_size if path.exists() else 0
        return SupportReply(running=False, saying="", path=str(path) if made else "", octets=made, missing=[],
                            at=float(bool(made)), error="")

    async def make_support(self, request: MakeSupport) -> Done:
        folder = self.context.state_dir / "support"
        folder.mkdir()
        (folder / "box.zip").write_bytes(BUNDLE)
        return Done()

    async def logs(self, request: GetLogs) -> LogLines:
        line = LogLine(at=1000.0, program="trunkd", level="info", text="a word of it", place="1")
        return LogLines(lines=[line], more=False, place="1", newest="1", programs=["trunkd"], source="files",
                        since=0.0)

    async def install(self, request: InstallUpdate) -> Done:
        if self.step >= 0:
            raise Refused("an update goes on")
        self.asked, self.step, self.clock = request, 0, self.clock + 100.0
        return Done()

    async def update(self, request: GetUpdate) -> UpdateReply:
        """Who looks brings it on by a step; it starts anew before its third."""
        reply = UpdateReply(history=list(self.history), state=self._state())
        if self.step >= 0:
            self.step += 1
            if STEPS[self.step:self.step + 1] == ("rebooting",):
                self._running.append(asyncio.create_task(self._reboot()))
            elif self.step == len(STEPS):
                self._over()
        return reply

    def _state(self) -> UpdateState:
        if self.step < 0 or self.asked is None:
            return UpdateState(at=0.0, version=self.version)
        return UpdateState(at=0.0, version=self.version, phase=STEPS[self.step], percent=25 * self.step,
                           source=self.asked.source, by=self.asked.by, began_at=self.clock,
                           version_to=self.spec.new_version)

    async def _reboot(self) -> None:
        await self.cut_off()
        if self.spec.after != "dies":
            if self.spec.after == "confirmed":
                self.version = self.spec.new_version
            await self.start()

    def _over(self) -> None:
        self.step = -1
        good = self.spec.after == "confirmed"
        self.history.insert(0, UpdatePast(
            outcome=self.spec.after, why="" if good else "span telco1: its line did not come up",
            at=self.clock + 1, began_at=self.clock, version_from="1.0", version_to=self.spec.new_version,
            slot="B", trials=1))


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(4096):
        pass
    writer.close()


async def serve(folder: Path, specs: list[Spec], ready: Callable[[list[Where]], None],
                ended: Callable[[], Awaitable[object]]) -> None:
    boxes = [LightBox(spec, folder / spec.name) for spec in specs]
    ready(await asyncio.gather(*(box.start() for box in boxes)))
    await ended()
    for box in boxes:
        await box.end()


async def main() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)             # hundreds of boxes, some files each
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    specs = msgspec.json.decode(sys.stdin.buffer.readline(), type=list[Spec])
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    def ready(where: list[Where]) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(where) + b"\n")
        sys.stdout.buffer.flush()
    await serve(Path(sys.argv[1]), specs, ready, reader.read)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
