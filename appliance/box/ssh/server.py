"""The console on the network: asyncssh's server, with everything off that is not wanted.

Ref: RFC 4251 to 4254 (SSH), RFC 4256 (keyboard-interactive).
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Literal

import asyncssh
from asyncssh.auth import KbdIntChallenge, KbdIntResponse
from asyncssh.channel import SSHChannel

from appliance.box.commands.box import release
from appliance.box.commands.run import Piece, Wrong
from appliance.box.commands.screen import shown
from appliance.box.commands.table import BAD_LINE, GOOD, NO, ROLES, Session, Text, Who
from appliance.box.ssh import algorithms
from appliance.box.ssh.channel import (
    MOST_LINE_OCTETS,
    STALLED_S,
    Channel,
    ChannelTerminal,
    Lines,
    Process,
)
from appliance.box.ssh.doing import do
from appliance.box.ssh.door import Door
from appliance.box.ssh.files.server import Files
from appliance.box.ssh.guard import MOST_REFUSALS, MOST_TRIES, plain
from appliance.box.ssh.host_key import HostKey
from appliance.box.ssh.shell import Shell
from appliance.config.console import ADMIN, ConsolePersonConfig, blob
from appliance.store.audit import Did

SIGN_IN_S = 30.0
KEEPALIVE_S, KEEPALIVES = 30.0, 3                 # without a sign of life: who is cut off is hung up on
BACKLOG = 32
WINDOW_OCTETS = 1 << 18                           # that a channel may send before it is read
REASONS = {True: "wrong key", False: "wrong password or code"}
OLDER = ("; if it knows no ML-KEM, as OpenSSH before 9.9, `console.older_clients: true` lets it in: "
         "docs/ssh.md")

logging.getLogger("asyncssh").setLevel(logging.WARNING)      # it tells of each step of each connection


async def listen(door: Door, key: HostKey, hostname: Callable[[], str], address: str, port: int,
                 given: socket.socket | None = None) -> asyncssh.SSHAcceptor:
    """Listen there, or on a socket of the system's. OSError: it cannot be."""
    return await asyncssh.listen(
        *(() if given else (address, port)), sock=given, backlog=BACKLOG,
        server_factory=lambda: Visitor(door, hostname),
        server_host_keys=[asyncssh.import_private_key(key.private)], server_version="Branchline",
        kex_algs=algorithms.key_exchanges(door.config.older_clients),
        encryption_algs=list(algorithms.CIPHERS), mac_algs=list(algorithms.MACS),
        signature_algs=list(algorithms.SIGNATURES), compression_algs=None,
        gss_host=None, host_based_auth=False, password_auth=False, x509_trusted_certs=None,
        agent_forwarding=False, x11_forwarding=False, line_editor=False, allow_scp=False, encoding=None,
        window=WINDOW_OCTETS, login_timeout=SIGN_IN_S, keepalive_interval=KEEPALIVE_S,
        keepalive_count_max=KEEPALIVES, config=None)


class Known(asyncssh.SSHAuthorizedKeys):
    """Which keys open, and which authorities' certificates for whom; all else of them asyncssh looks at.

    `fits` has a key's octets and a certificate's principals; None: it is no certificate.
    """

    def __init__(self, fits: Callable[[str, Sequence[str] | None], bool]) -> None:
        super().__init__()
        self._fits = fits

    def validate(self, key: asyncssh.SSHKey, client_host: str, client_addr: str,
                 cert_principals: Sequence[str] | None = None, ca: bool = False) -> dict[str, object] | None:
        principals = (cert_principals or ()) if ca else None
        if not self._fits(blob(key.export_public_key("openssh").decode().strip()), principals):
            return None
        return {"principals": True} if ca else {}                    # True: they were looked at


class Visitor(asyncssh.SSHServer):
    """One connection: first a stranger's, then a person's."""

    def __init__(self, door: Door, hostname: Callable[[], str]) -> None:
        self._door, self._hostname = door, hostname
        self._connection: asyncssh.SSHServerConnection | None = None
        self._address = ""
        self._stranger = False                    # counted by the guard
        self._tries = self._refusals = 0
        self._name = ""
        self._by_key = True                       # how the last try was made
        self._noted: asyncio.Task[None] | None = None                # the sign-in, before anything is done
        self._places = 0                          # that its channels take of the person's and the box's
        self._working, self._worked_at = 0, 0.0   # channels in which something goes on, and when one did last
        self._timer: asyncio.TimerHandle | None = None               # for who is silent
        self._stalled: asyncio.TimerHandle | None = None
        self.flows = asyncio.Event()              # set while the other end takes what it is told
        self.flows.set()
        self.authority = ""
        self.person: ConsolePersonConfig | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        peer = conn.get_extra_info("peername")
        self._connection, self._address = conn, plain(str(peer[0])) if peer else ""
        # asyncio's own calls, for which asyncssh does nothing (asyncio.Protocol.pause_writing).
        for name, does in (("pause_writing", self._stops_taking), ("resume_writing", self._takes_on)):
            setattr(conn, name, does)
        why = self._door.guard.comes(self._address, self._door.steady())
        if why:
            self._door.sent_away.say(f"{self._address}: {why}", self._door.steady())
            transport = conn.get_extra_info("socket")
            if transport is not None:             # before a word is said
                with contextlib.suppress(OSError):
                    transport.shutdown(socket.SHUT_RDWR)
            conn.abort()
        self._stranger = not why

    def connection_lost(self, exc: Exception | None) -> None:
        self._takes_on()
        if self._timer is not None:
            self._timer.cancel()
        self._door.leaves(self)
        while self._places:                       # of channels that had not begun
            self._gives()
        if self._stranger:
            self._door.guard.goes(self._address)
        if self.person is None and (self._tries or self._refusals > 1):
            if self._by_key:
                self._door.guard.wrong(self._address, self._door.steady())
            _keep(self._door.refused(
                self._address, self._name, REASONS[self._by_key] if self._tries else "nothing that opens"))
        if self._stranger and not self._name:
            self._left_unknown(exc)

    def _left_unknown(self, exc: Exception | None) -> None:
        """Whose offer and ours do not meet goes at once, often before what he offers has come here."""
        client = self._connection.get_extra_info("client_version") if self._connection is not None else None
        if client is None and not isinstance(exc, ConnectionResetError):
            return                                # somebody looked whether the port is open
        why = str(exc.reason).partition(",")[0] if isinstance(exc, asyncssh.KeyExchangeFailed) else \
            "gone before the keys were exchanged"
        self._door.sent_away.say(
            f"{self._address}: {shown(str(client or 'a client'))}: {why}"
            f"{'' if self._door.config.older_clients else OLDER}", self._door.steady())

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.disconnect(asyncssh.DISC_BY_APPLICATION, "hung up by the box")

    def _stops_taking(self) -> None:
        self.flows.clear()
        if self._connection is not None and self._stalled is None:
            if self.person is None:               # nothing that a stranger is told is so long
                self._connection.abort()
            else:
                self._stalled = asyncio.get_running_loop().call_later(STALLED_S, self._connection.abort)

    def _takes_on(self) -> None:
        self.flows.set()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    # --- signing in

    async def begin_auth(self, username: str) -> bool:
        connection, config = self._connection, self._door.config
        if connection is None:
            return True
        if self._name:                            # whose keys are looked at does not change on the way
            raise asyncssh.ProtocolError("another name in the same connection")
        self._name = username
        if username == ADMIN and self._door.look_at_keys is not None:
            await self._door.look_at_keys()
        if config.banner:
            connection.send_auth_banner(config.banner.rstrip("\n") + "\n")
        connection.set_authorized_keys(Known(self._fits))
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def _fits(self, key: str, principals: Sequence[str] | None) -> bool:
        """A key's octets, or those of a certificate's authority. asyncssh looks at signature and validity."""
        self._by_key, self.authority = True, ""
        person = self._door.person(self._name)
        if person is not None and principals is None:
            if key in map(blob, person.keys):
                return True
        elif person is not None and principals is not None and key in map(blob, self._door.config.user_cas):
            if not set(principals).isdisjoint(person.principals or [person.name]):
                self.authority = key
                return True
        self._try()
        return False

    def kbdint_auth_supported(self) -> bool:
        """asyncssh asks it for each refusal, to say what else there is: whatever it was, it is counted."""
        self._refusals += 1
        if self._refusals > MOST_REFUSALS:
            raise _too_many()
        return bool(self._door.somebodys_password())

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> KbdIntChallenge:
        if self._door.language == "zh":
            return "", "", "zh", [("密码:", False), ("验证码:", False)]
        return "", "", "en", [("Password: ", False), ("Code of the app: ", False)]

    async def validate_kbdint_response(self, username: str, responses: KbdIntResponse) -> bool:
        door = self._door
        self._by_key, self.authority = False, ""
        self._try()
        person, now = door.person(username), door.steady()
        if len(responses) != 2 or door.guard.wait_s(self._address, username, now):
            return False
        door.guard.tries(self._address, username, person is not None, now)
        return await door.passwords.right(
            person, door.somebodys_password(), responses[0], responses[1], door.clock())

    def _try(self) -> None:
        self._tries += 1
        if self._tries > MOST_TRIES:
            raise _too_many()

    def auth_completed(self) -> None:
        connection, door = self._connection, self._door
        if connection is None:
            return
        name = str(connection.get_extra_info("username"))
        self.person = door.person(name)
        if self.person is None:                   # taken out of the configuration at this moment
            connection.abort()
            return
        door.guard.goes(self._address)
        self._stranger = False
        door.guard.right(self._address, "" if self._by_key else name)
        way = "password and code" if not self._by_key else "certificate" if self.authority else "key"
        why = door.signs_in(self)
        self._noted = asyncio.create_task(door.note(Did(
            name, self.person.role, self._address, "sign-in", way), why))
        if why:
            connection.disconnect(asyncssh.DISC_TOO_MANY_CONNECTIONS, why)
            return
        self._worked_at = door.steady()
        self._look_whether_silent()

    # --- sessions

    def session_requested(self) -> Process:
        person = self.person
        if person is None:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "nobody has signed in")
        why = self._door.takes(person.name)
        if why:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, why)
        self._places += 1
        return Channel(self, self._gives)

    def _gives(self) -> None:
        if self._places and self.person is not None:
            self._places -= 1
            self._door.gives(self.person.name)

    def _look_whether_silent(self) -> None:
        """A connection in which nothing goes on holds places of others: it ends like who types nothing."""
        door = self._door
        left_s = self._worked_at + door.config.idle_s - door.steady() if not self._working else \
            door.config.idle_s
        if left_s <= 0:
            self.hang_up()
        else:
            self._timer = asyncio.get_running_loop().call_later(left_s, self._look_whether_silent)

    async def serve(self, process: Process) -> None:
        status: int | None = None
        try:
            if self._noted is not None:
                await self._noted
            status = await self._session(process)
        except (OSError, asyncssh.Error):
            pass                                  # the other end is gone
        finally:
            with contextlib.suppress(OSError, asyncssh.Error):
                process.exit(BAD_LINE if status is None else status)

    async def _session(self, process: Process) -> int:
        command = process.command
        session = self._comes_in(
            process.env.get("LANG", ""), "ssh" if command is None else "exec", f"ssh {self._address}")
        try:
            if process.term_type is None:
                return await self._until_gone(process, self._for_program(process, session),
                                              self._door.config.live_s)
            size = process.term_size
            shell = Shell(self._door, session, ChannelTerminal(process, self.flows), (size[0], size[1]),
                          self._hostname)
            if command is not None:
                return await self._until_gone(process, shell.only(command[:MOST_LINE_OCTETS]))
            return await self._until_gone(process, shell.run(Text(
                f"Branchline {release()}. ? shows what fits, Tab completes, exit ends.\n",
                f"Branchline {release()}。? 显示可用的词,Tab 补全,exit 退出。\n"
            ).of(session.who.language)))
        finally:
            await self._goes_out(session)

    async def _until_gone(self, process: Process, work: Coroutine[Any, Any, int], most_s: float | None = None
                          ) -> int:
        """It ends with its channel, whatever it waits for."""
        working = asyncio.create_task(work)
        gone = asyncio.create_task(process.channel.wait_closed())
        try:
            await asyncio.wait([working, gone], timeout=most_s, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            if not gone.done():
                process.stderr.write(b"ended: this went on for console.live_s\n")
            return NO
        finally:
            for task in (working, gone):
                task.cancel()
            await asyncio.gather(working, gone, return_exceptions=True)

    def _comes_in(self, lang: str, way: Literal["ssh", "exec"], origin: str) -> Session:
        person = self.person
        if person is None:
            raise OSError("nobody has signed in")
        chosen = person.language or ("zh" if lang.lower().startswith("zh") else
                                     "en" if lang.lower().startswith("en") else self._door.language)
        self._working += 1
        return self._door.comes_in(Who(person.name, ROLES[person.role], chosen, origin, way))

    async def _goes_out(self, session: Session) -> None:
        self._working -= 1
        self._worked_at = self._door.steady()
        await self._door.goes_out(session)

    async def _for_program(self, process: Process, session: Session) -> int:
        """One command; without one, those that come as lines, until one fails."""
        async def take(piece: Piece) -> None:
            stream = process.stderr if isinstance(piece, Wrong) else process.stdout
            stream.write(piece if isinstance(piece, bytes) else piece.encode())
            await stream.drain()
            await self.flows.wait()
        command = process.command
        if command is not None:
            if len(command) > MOST_LINE_OCTETS:
                await take(Wrong(f"a line has {MOST_LINE_OCTETS} octets at most\n"))
                return BAD_LINE
            return await do(self._door, session, command, take)
        status = GOOD
        lines = Lines(process)
        while not session.ended and status == GOOD:
            try:
                async with asyncio.timeout(self._door.config.idle_s):
                    line = await lines.next()
            except TimeoutError:
                await take(Wrong("signed out: no line came for too long\n"))
                return NO
            if line is None:
                break
            status = await do(self._door, session, line, take)
        return status

    def files(self, channel: "SSHChannel[bytes]", ready: Callable[[], Awaitable[None]],
              say: Callable[[str], None]) -> Files:
        session = self._comes_in("en", "exec", f"sftp {self._address}")
        if self.person is None:
            raise OSError("nobody has signed in")

        async def noted_and_ready() -> None:
            if self._noted is not None:
                await self._noted
            await ready()
        return Files(channel, self._door, session, self.person, noted_and_ready, say,
                     lambda: _keep(self._goes_out(session)))


_kept: set["asyncio.Task[None]"] = set()


def _keep(work: Awaitable[None]) -> None:
    async def run() -> None:
        await work
    task = asyncio.create_task(run())
    _kept.add(task)
    task.add_done_callback(_kept.discard)


def _too_many() -> asyncssh.DisconnectError:
    return asyncssh.DisconnectError(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "too many tries")
