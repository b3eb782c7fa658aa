"""The SNMP agent in boxd: begun, ended and begun anew as the configuration has it."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.box.area import Area
from appliance.box.lines import Lines
from appliance.box.snmp import identity
from appliance.box.snmp.notices import COLD_START, Notice, Notices
from appliance.box.snmp.tree import Row
from appliance.box.snmp.view import Facts, View
from appliance.box.telemetry.seen import Seen
from appliance.bus.messages import ChannelStates, Event, Fitness, Health, LineFailure, SpanState
from appliance.bus.runner import Context
from appliance.config.snmp import SnmpConfig
from appliance.errors import Unavailable
from appliance.store.private import open_to_all

if TYPE_CHECKING:                                 # pysnmp is imported where the agent is on, not before
    from appliance.box.snmp.engine import Agent, Secrets

AGAIN_S = 60.0                                    # an address is not there yet, a file cannot be read
MOST_SECRET_OCTETS = 256
LEAST_CHARACTERS = 8                              # of a pass phrase (RFC 3414 11.2)
_NEWS = (ChannelStates, Fitness, Health, LineFailure, SpanState)

log = logging.getLogger(__name__)


class Snmp(Area):
    """`seen` is kept up to date by another subject, before this one hears the same event."""

    def __init__(self, context: Context, seen: Seen, lines: Lines, hostname: Callable[[], str]) -> None:
        self._context, self._seen, self._lines, self._hostname = context, seen, lines, hostname
        self.config = context.config.snmp
        self._news = asyncio.Event()
        self._changed = self._reread = False

    def take(self, config: SnmpConfig) -> None:
        """The agent begins anew when it is another configuration, or its files hold something else."""
        self._changed = self._changed or config != self.config
        self.config, self._reread = config, True
        self._news.set()

    async def hear(self, event: Event) -> None:
        if isinstance(event, _NEWS):
            self._news.set()

    async def run(self, stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._news.set())
        said = ""
        while not stop.is_set():
            self._changed = self._reread = False
            config = self.config
            if not config.on:
                await self._wait(stop, None)
                continue
            try:
                secrets = await asyncio.to_thread(read, config)
                view, agent = await self._begin(config, secrets)
            except (OSError, Unavailable, ValueError) as error:
                if str(error) != said:
                    log.error("%s", error)
                said = str(error)
                await self._wait(stop, asyncio.get_running_loop().time() + AGAIN_S)
                continue
            said = ""
            try:
                await self._serve(config, secrets, view, agent, stop)
            finally:
                agent.close()

    async def _begin(self, config: SnmpConfig, secrets: "Secrets") -> "tuple[View, Agent]":
        """OSError, Unavailable, ValueError: why there is none."""
        from appliance.box.snmp import engine
        spans = {span.name: span.url for span in self._context.config.spans}
        opened = engine.listen(config)            # first: a start that fails is none that is counted
        try:
            known, notice = await asyncio.to_thread(
                identity.begin, self._context.state_dir, list(spans), config.enterprise, time.time())
            if notice:
                log.warning("%s", notice)
            view = View(Facts(version("branchline"), self._hostname(), config.contact, config.location, spans,
                              known.indices, config.enterprise, bool(config.targets)),
                        self._seen, self._lines.quarter, time.monotonic, time.time)
            agent = await engine.begin(
                config, secrets, opened, bytes.fromhex(known.engine), known.boots, view)
        except BaseException:
            if opened is not None:
                opened.close()
            raise
        log.info("snmp: %s, engine id 0x%s", f"{config.address} port {config.port}" if config.address
                 else "notifications alone", known.engine)
        return view, agent

    async def _serve(self, config: SnmpConfig, secrets: "Secrets", view: View, agent: "Agent",
                     stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        notices = Notices(config.hold_s, view.own, view.spans)
        agent.send(Notice(COLD_START, "cold start"), ())
        while not stop.is_set() and not self._changed:
            self._news.clear()
            if self._reread and await self._others(config, secrets):
                return
            if due := notices.look(self._seen, view.lines(), loop.time()):
                view.tree.forget()                # newer than what was kept for who asked last
            for notice in due:
                log.info("snmp: told %d: %s", len(config.targets), notice.words)
                agent.send(notice, _rows(view, notice))
                await asyncio.sleep(0)            # to 8 targets, encrypted: others have their turn between
            deadline = notices.next_deadline()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await self._news.wait()

    async def _others(self, config: SnmpConfig, secrets: "Secrets") -> bool:
        """Have the files changed? One that cannot be read is said, and what it held before is good."""
        self._reread = False
        try:
            return await asyncio.to_thread(read, config) != secrets
        except (OSError, ValueError) as error:
            log.error("%s: what it held before is good until it can be read", error)
            return False

    async def _wait(self, stop: asyncio.Event, until: float | None) -> None:
        """For another configuration, or until then."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                while not (stop.is_set() or self._changed or self._reread):
                    self._news.clear()
                    await self._news.wait()


def _rows(view: View, notice: Notice) -> list[Row]:
    """Its objects, as they are now."""
    now = view.now()
    return [(name, value) for name in notice.objects if (value := view.tree.get(name, now)) is not None]


def read(config: SnmpConfig) -> "Secrets":
    """The files that it names. OSError, ValueError: one is not there, open to all, or no pass phrase."""
    from appliance.box.snmp.engine import Secrets
    return Secrets(
        {user.name: (_secret(user.auth_file), _secret(user.privacy_file)) for user in config.users},
        {one.name: _secret(one.file) for one in config.communities})


def _secret(name: str) -> str:
    path = Path(name)
    with path.open("rb") as file:
        if open_to_all(os.fstat(file.fileno()).st_mode):
            raise ValueError(f"snmp: {path}: anybody on the box can read it: chmod 600 {path}")
        octets = file.read(MOST_SECRET_OCTETS + 1)
    try:
        secret = octets.decode("ascii").strip()
    except UnicodeDecodeError:
        secret = ""
    if not LEAST_CHARACTERS <= len(secret) <= MOST_SECRET_OCTETS or not secret.isprintable():
        raise ValueError(f"snmp: {path}: one line of {LEAST_CHARACTERS} to {MOST_SECRET_OCTETS} characters "
                         "of ASCII")
    return secret
