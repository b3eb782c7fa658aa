"""boxd's part in updates: answers people, asks the other daemons, says how an update stands."""

import asyncio
import contextlib
import re
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from msgspec.structs import replace

from appliance.box.area import Answers, Area
from appliance.box.health import Watch
from appliance.box.privileged.update import STATE
from appliance.box.update import gate
from appliance.box.update.driving import Driving, UpdateError
from appliance.box.update.esp import COMMAND_LINE, booted_slot
from appliance.box.update.fetching import without_secrets
from appliance.box.update.hands import BoxHands
from appliance.box.update.state import BACK, PERCENT, Update
from appliance.box.update.store import BookFile
from appliance.bus.client import Bus, BusError, Refused
from appliance.bus.messages import (
    CallTested,
    CancelUpdate,
    ConfirmUpdate,
    Done,
    DrainCentre,
    Drained,
    DrainTrunks,
    Event,
    GetBoard,
    GetChannels,
    GetSpans,
    GetUpdate,
    GoBack,
    Heartbeat,
    HurryUpdate,
    InstallUpdate,
    PlaceTestCall,
    Reloaded,
    ReloadUpdate,
    UpdateReply,
    UpdateState,
)
from appliance.bus.runner import Context
from appliance.config.changes import changes
from appliance.config.update import TrialCallConfig, UpdateConfig
from appliance.errors import ConfigError

RELEASE = Path("/etc/branchline/release")
SAY_S = 1.0                                       # at most so often
MOST_CHARACTERS = 2000                            # of a source
LOGGED_OUT = "logged-out"
NO_SLOTS = "this machine has no slots: its packages are updated as the others are (apt)"


class Updates(Area):
    """On a machine without slots it says so, and does nothing."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._centre, self._changed = BusCentre(context.bus, context.config.update), asyncio.Event()
        self._version = image_version() or version("branchline")
        self._driving: Driving | None = None
        if booted_slot(COMMAND_LINE.read_text()):
            self._driving = Driving(
                BookFile(STATE), BoxHands(context.run_dir, context.state_dir), self._centre, WallClock(),
                context.config.update, self._version, self._changed.set)
        self.answers: Answers = {
            GetUpdate: self._get, InstallUpdate: self._install, CancelUpdate: self._cancel,
            HurryUpdate: self._hurry, ConfirmUpdate: self._confirm, GoBack: self._back,
            ReloadUpdate: self._reload}

    async def hear(self, event: Event) -> None:
        if isinstance(event, Heartbeat):
            self._centre.watch.hear(event, asyncio.get_running_loop().time())

    async def run(self, stop: asyncio.Event) -> None:
        if self._driving is None:
            await stop.wait()
            return
        parts = [asyncio.create_task(self._driving.run()), asyncio.create_task(self._tell()),
                 asyncio.create_task(stop.wait())]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                await part
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    async def _tell(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._context.bus.say(self._state())
            await asyncio.sleep(SAY_S)

    def _state(self) -> UpdateState:
        now, driving = time.time(), self._driving
        if driving is None:
            return UpdateState(at=now, version=self._version, saying=NO_SLOTS)
        where, update = driving.standing, driving.book.update
        told = UpdateState(at=now, version=self._version, slot=where.booted, confirmed=where.confirmed,
                           trial=where.trial, unusable=where.unusable, saying=driving.saying)
        return told if update is None else _told(told, driving, update)

    # --- requests

    async def _get(self, request: GetUpdate) -> UpdateReply:
        return UpdateReply(state=self._state(),
                           history=[] if self._driving is None else self._driving.book.history)

    async def _install(self, request: InstallUpdate) -> Done:
        if request.source == BACK or len(request.source) > MOST_CHARACTERS:
            raise Refused("name a bundle")
        with _refused():
            self._there().begin(request.source, request.begin, request.by)
        return Done()

    async def _cancel(self, request: CancelUpdate) -> Done:
        with _refused():
            self._there().cancel(request.by)
        return Done()

    async def _hurry(self, request: HurryUpdate) -> Done:
        with _refused():
            self._there().hurry(request.by)
        return Done()

    async def _confirm(self, request: ConfirmUpdate) -> Done:
        with _refused():
            await self._there().confirm(request.by)
        return Done()

    async def _back(self, request: GoBack) -> Done:
        with _refused():
            self._there().back(request.begin, request.by)
        return Done()

    def _there(self) -> Driving:
        if self._driving is None:
            raise Refused(NO_SLOTS)
        return self._driving

    async def _reload(self, request: ReloadUpdate) -> Reloaded:
        try:
            new = await asyncio.to_thread(self._context.read, request.candidate)
        except ConfigError as error:
            raise Refused(str(error)) from None
        old = self._context.config.model_copy(update={"update": self._centre.config})
        changed = [key for key in changes(old, new) if key.startswith("update.")]
        if not request.check:
            self._centre.config = new.update
            if self._driving is not None:
                self._driving.config = new.update
        return Reloaded(document=str(self._context.config_path), changed=changed)


class BusCentre:
    """The other daemons, asked over the bus."""

    def __init__(self, bus: Bus, config: UpdateConfig) -> None:
        self.config, self.watch = config, Watch()
        self._bus = bus

    async def drain(self, for_s: float, *, end: bool) -> Drained | None:
        left: Drained | None = None
        with contextlib.suppress(BusError):       # who is away has no calls; the next asking finds it
            left = await self._bus.ask(DrainTrunks(for_s=for_s, cause=self.config.cause, end=end))
        with contextlib.suppress(BusError):
            await self._bus.ask(DrainCentre(for_s=for_s))
        return left

    async def look(self) -> gate.Seen:
        silent: list[str] = []
        spans, links, agents = [], [], 0
        try:
            spans = [span.span for span in (await self._bus.ask(GetSpans())).spans if span.up]
        except BusError:
            silent.append(GetSpans.owner)
        try:
            links = [span.span for span in (await self._bus.ask(GetChannels())).spans if span.link_up]
        except BusError:
            silent.append(GetChannels.owner)
        try:
            board = (await self._bus.ask(GetBoard())).board
            agents = sum(agent.state != LOGGED_OUT for agent in board.agents)
        except BusError:
            silent.append(GetBoard.owner)
        now = asyncio.get_running_loop().time()
        return gate.Seen(daemons={one.daemon: one.state for one in self.watch.health(now)},
                         spans=spans, links=links, agents=agents, silent=silent)

    async def test_call(self, config: TrialCallConfig) -> CallTested:
        try:
            return await self._bus.ask(PlaceTestCall(**config.model_dump(exclude_none=True)),
                                       config.answer_within_s + config.hear_within_s + 10.0)
        except BusError as error:
            return CallTested(trunk=config.trunk, number=config.number, error=str(error))


def image_version(release: Path = RELEASE) -> str:
    """What the image says of itself; "": this is none of ours."""
    try:
        found = re.search(r"^VERSION=(\S+)$", release.read_text(), re.MULTILINE)
    except OSError:
        return ""
    return found[1] if found else ""


class WallClock:
    def now(self) -> float:
        return time.time()

    def steady(self) -> float:
        return time.monotonic()

    async def wait(self, for_s: float, woken: asyncio.Event) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, for_s)):
                await woken.wait()


@contextlib.contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except UpdateError as error:
        raise Refused(str(error)) from None
    except OSError as error:
        raise Refused(f"{error.filename}: {error.strerror}: nothing was begun") from None


def _told(told: UpdateState, driving: Driving, update: Update) -> UpdateState:
    """With what goes on."""
    begins, ends = PERCENT[update.phase]
    return replace(
        told, phase=update.phase, since=update.since, version_to=update.version_to,
        percent=round(begins + (ends - begins) * driving.done), calls_left=driving.calls_left,
        next_at=update.next_at, trials=len(update.trials), source=without_secrets(update.source),
        begin=update.begin, by=update.by, began_at=update.began_at)
