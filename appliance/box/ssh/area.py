"""The console as a subject of boxd: it listens where the configuration or the system says; loaded then."""

import asyncio
import contextlib
import logging
import socket
import sqlite3
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from appliance.box.area import Area
from appliance.box.backup.durable import write_file
from appliance.box.commands.box import Box
from appliance.box.ssh.given import given
from appliance.box.ssh.host_key import HostKey, host_key
from appliance.box.ssh.place import AUDIT_FILE, PORT_FILE
from appliance.bus.runner import Context
from appliance.config.console import ConsoleConfig
from appliance.config.public_key import public_key
from appliance.errors import BranchlineError, Unavailable
from appliance.store.audit import Audit

if TYPE_CHECKING:
    import asyncssh

    from appliance.box.ssh.door import Door

AGAIN_S = 15.0                                    # a port that another has is tried again

log = logging.getLogger(__name__)


class Console(Area):
    """`admin_keys`: those of the provisioning document. Refused, BusError: they cannot be known now."""

    def __init__(self, context: Context, hostname: Callable[[], str],
                 admin_keys: Callable[[], Awaitable[list[str]]]) -> None:
        self._context, self._hostname, self._admin_keys = context, hostname, admin_keys
        self.config = context.config.console
        self.box: Box | None = None               # set by the daemon: it has all areas, this one too
        self.door: Door | None = None             # None: nothing listens
        self.port = 0
        self.wrong = ""                           # why nothing listens though it should
        self.listening = asyncio.Event()
        self._changed = asyncio.Event()
        self.given = given()
        self._key: HostKey | None = None

    @property
    def key(self) -> HostKey:
        """Made when it is first wanted. Unavailable: the disk refuses."""
        if self._key is None:
            self._key = host_key(self._context.state_dir)
        return self._key

    @property
    def wanted(self) -> bool:
        return bool(self.given) or self.config.port is not None

    def take(self, config: ConsoleConfig) -> None:
        """What the configuration says now; people who are in it as before stay."""
        self.config = config
        if self.door is not None:
            self.door.change(config)
        self._changed.set()

    def look_again(self) -> None:
        """Something was changed: the provisioning document's keys may be others."""
        self._changed.set()

    async def run(self, stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self._changed.set())
        acceptors: list[asyncssh.SSHAcceptor] = []
        bound: tuple[str, int | None, bool] | None = None
        try:
            while not stop.is_set():
                self._changed.clear()
                wanted = (self.config.address, self.config.port, self.config.older_clients)
                if wanted != bound or not self.wanted:
                    await _closed(acceptors)
                if not acceptors and self.wanted:
                    acceptors, bound = await self._listen(), wanted
                await self._read_admin_keys()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(
                        self._changed.wait(), AGAIN_S if self.wanted and not acceptors else None)
        finally:
            stopping.cancel()
            await _closed(acceptors)
            for one in list(self.door.inside if self.door is not None else ()):
                one.hang_up()
            if self.door is not None and self.door.audit is not None:
                await asyncio.to_thread(self.door.audit.close)       # who was hung up on may write once more

    async def _listen(self) -> "list[asyncssh.SSHAcceptor]":
        """Nothing: it cannot be now."""
        if self.box is None:
            raise ValueError("the console has no box")
        from appliance.box.ssh.door import Door  # with all it needs, megabytes: only where it listens
        from appliance.box.ssh.server import listen
        context, config = self._context, self.config
        acceptors: list[asyncssh.SSHAcceptor] = []
        try:
            key = await asyncio.to_thread(lambda: self.key)
            if self.door is None:
                self.door = Door(config, self.box, await asyncio.to_thread(self._audit), time.time,
                                 time.monotonic, context.config.web.language,
                                 look_at_keys=self._read_admin_keys)
            port = config.port or self._port_before()
            sockets: list[socket.socket | None] = [one.dup() for one in self.given]
            for one in sockets or [None]:
                acceptors.append(await listen(self.door, key, self._hostname, config.address, port, one))
            self.port = acceptors[0].get_port()
            await asyncio.to_thread(write_file, context.run_dir / PORT_FILE, f"{self.port}\n".encode())
        except (OSError, Unavailable) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            if self.wrong != why:
                self.wrong = str(why)
                log.error("console: cannot listen on %s port %s: %s: tried again", config.address,
                          config.port, why)
            await _closed(acceptors)
            return []
        self.wrong = ""
        self.listening.set()
        log.info("console: port %d, host key %s", self.port, key.fingerprint)
        return acceptors

    def _audit(self) -> Audit | None:
        try:
            return Audit(self._context.state_dir / AUDIT_FILE, self._context.config.web.audit_days)
        except (Unavailable, sqlite3.Error) as error:
            log.error("console: %s", error)
            return None

    def _port_before(self) -> int:
        """Of `port: 0`: where it was until now, so that who knows it finds it again."""
        try:
            port = int((self._context.run_dir / PORT_FILE).read_text())
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except (OSError, ValueError, OverflowError):
            return 0
        return port

    async def _read_admin_keys(self) -> None:
        if self.door is None:
            return
        try:
            found = await self._admin_keys()
        except BranchlineError:
            return                                # those known until now stay
        keys = []
        for one in found:
            with contextlib.suppress(ValueError):
                keys.append(public_key(one))
        if keys != self.door.admin_keys:
            self.door.change_admin_keys(keys)


async def _closed(acceptors: "list[asyncssh.SSHAcceptor]") -> None:
    """And the list empty."""
    while acceptors:
        acceptor = acceptors.pop()
        acceptor.close()
        await acceptor.wait_closed()
