"""A connection to one box by SSH: only to the key that is pinned, with limits on time and on what is said.

Ref: RFC 4254 (exec, exit status); draft-ietf-secsh-filexfer (SFTP) as asyncssh has it.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self, cast

import asyncssh
import msgspec

from appliance.errors import BranchlineError, ConfigError
from appliance.fleet.course import End, State
from appliance.fleet.inventory import Box

CONNECT_S = 15.0
ASK_S = 60.0
KEEPALIVE_S, KEEPALIVES = 10, 3                   # a peer that is gone is known to be after so many
MOST_OCTETS = 8 * 1024 * 1024                     # of one answer
MOST_FILE_OCTETS = 2 * 1024 * 1024 * 1024
MOST_LISTED = 10_000                              # files of a folder
STALL_S = 60.0                                    # of a file of which nothing comes
CLOSE_S = 3.0                                     # for a farewell
_BLOCK = 256 * 1024
# What boxes offer, old ones too; a connection is mostly its key exchange.
KEX = ("mlkem768x25519-sha256", "curve25519-sha256", "curve25519-sha256@libssh.org")
AWAY, ROLE = 69, 77                               # exit statuses of the console
_WORDS = 400                                      # characters of other people's words that are kept


class LinkError(BranchlineError):
    """No answer was had. `state` says what that makes of the box."""

    def __init__(self, state: State, text: str) -> None:
        super().__init__(text)
        self.state = state

    @property
    def end(self) -> End:
        return End(self.state, str(self))


@dataclass(frozen=True, slots=True)
class Said:
    """What a command gave. `status`: 0 good; -1: the box did not say."""

    status: int
    out: str
    err: str

    def end(self) -> End | None:
        """None: it is good. What an answer that is none makes of the box."""
        if self.status == 0:
            return None
        words = _words(self.err or self.out) or f"exit status {self.status}"
        if self.status == -1:
            return End(State.UNKNOWN, f"the box ended the command without a status: {words}")
        # One of its daemons did not answer, or not in time: it may do all the same what it was asked for.
        state = {AWAY: State.UNKNOWN, ROLE: State.REFUSED}.get(self.status, State.FAILED)
        return End(state, words, {"status": self.status})

    def json(self) -> Any:
        """LinkError: it is none."""
        try:
            return msgspec.json.decode(self.out)
        except (msgspec.DecodeError, RecursionError):
            words = _words(self.out)[:80]
            raise LinkError(State.FAILED, f"the answer is no JSON: {words!r}") from None


@dataclass(frozen=True, slots=True)
class Operator:
    """With what a person signs in: a key file, or the keys of an agent. ConfigError: the file is no key."""

    keys: tuple[Any, ...]                         # asyncssh.SSHKeyPair
    agent: str | None

    @classmethod
    def of(cls, key: Path | None) -> Self:
        """None: the agent that the environment names. A certificate KEY-cert.pub beside it is shown, too."""
        if key is None:
            agent = os.environ.get("SSH_AUTH_SOCK")
            if not agent:
                raise ConfigError("no key to sign in with: give --key, or start an agent (SSH_AUTH_SOCK)")
            return cls((), agent)
        try:
            return cls(tuple(asyncssh.load_keypairs(str(key))), None)
        except OSError as error:
            raise ConfigError(f"{key}: {error.strerror}") from None
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            raise ConfigError(f"{key}: {error}") from None

    async def public(self) -> list[bytes]:
        """Octets of the keys that boxes may know. ConfigError: there is none."""
        if self.keys:
            return [key.public_data for key in self.keys if not key.has_cert] or [self.keys[0].public_data]
        try:
            async with asyncssh.connect_agent(self.agent or "") as agent:
                found = [key.public_data for key in await agent.get_keys()]
        except (OSError, asyncssh.Error) as error:
            raise ConfigError(f"{self.agent}: no agent answers ({error})") from None
        if not found:
            raise ConfigError("the agent has no key: ssh-add KEY")
        return found


@dataclass(frozen=True, slots=True)
class Limits:
    connect_s: float = CONNECT_S
    ask_s: float = ASK_S


class Link:
    """Nothing here waits for who is there to end a channel: the connection's end ends them all."""

    def __init__(self, box: Box, connection: asyncssh.SSHClientConnection, limits: Limits) -> None:
        self.box, self._connection, self._limits = box, connection, limits

    async def ask(self, line: str, within_s: float | None = None) -> Said:
        """One line of the console. LinkError: contact was lost, or it took too long; it may be done."""
        limit_s = within_s or self._limits.ask_s
        process: asyncssh.SSHClientProcess[bytes] | None = None
        try:
            async with asyncio.timeout(limit_s):
                process = await self._connection.create_process(line, encoding=None, env=_language())
                process.stdin.write_eof()
                out, err = await asyncio.gather(_all(process.stdout), _all(process.stderr))
                await process.wait_closed()
                status = process.exit_status
        except TimeoutError:
            raise LinkError(State.UNKNOWN, f"no answer to {line!r} in {limit_s:g} s") from None
        except asyncssh.ChannelOpenError as error:
            raise LinkError(State.REFUSED,
                            f"the box does not take the command: {_words(error.reason)}") from None
        except (OSError, asyncssh.Error) as error:
            raise LinkError(State.UNKNOWN, f"contact was lost during {line!r}: {_reason(error)}") from None
        finally:
            if process is not None:
                process.close()
        return Said(-1 if status is None else status, _text(out), _text(err))

    async def fetch(self, path: str, into: Path, most_octets: int = MOST_FILE_OCTETS) -> None:
        """A file of the box, for its owner alone, under its name when it is whole. LinkError."""
        part, octets = into.with_name(f"{into.name}.part"), 0
        try:
            with await asyncio.to_thread(_opened, part) as file:
                async with contextlib.aclosing(self._blocks(path)) as blocks:
                    async for block in blocks:
                        octets += len(block)
                        if octets > most_octets:
                            raise LinkError(State.FAILED, f"{path}: larger than {most_octets} octets")
                        await asyncio.to_thread(file.write, block)
                await asyncio.to_thread(_kept, file, part, into)
        except OSError as error:
            raise LinkError(State.FAILED, f"{part}: {error.strerror or error}") from None
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    async def read(self, path: str, most_octets: int) -> bytes:
        """A small file of the box. LinkError."""
        found = bytearray()
        async with contextlib.aclosing(self._blocks(path)) as blocks:
            async for block in blocks:
                found += block
                if len(found) > most_octets:
                    raise LinkError(State.FAILED, f"{path}: larger than {most_octets} octets")
        return bytes(found)

    async def listed(self, folder: str) -> list[tuple[str, int]]:
        """Names and octets of the files in a folder of the box. LinkError."""
        found: list[tuple[str, int]] = []
        async with self._files(folder) as sftp, asyncio.timeout(self._limits.ask_s):
            async for one in sftp.scandir(folder):
                if one.attrs.type == asyncssh.FILEXFER_TYPE_REGULAR:
                    found.append((str(one.filename), one.attrs.size or 0))
                if len(found) > MOST_LISTED:
                    raise LinkError(State.FAILED, f"{folder}: more than {MOST_LISTED} files")
        return found

    async def store(self, octets: bytes, path: str) -> None:
        """A file on the box, whole; what the box says of it is the LinkError."""
        async with self._files(path) as sftp, asyncio.timeout(self._limits.ask_s):
            file = await sftp.open(path, "wb")
            await file.write(octets)
            await file.close()

    async def _blocks(self, path: str) -> AsyncGenerator[bytes, None]:
        """Of a file of the box."""
        async with self._files(path) as sftp:
            async with asyncio.timeout(STALL_S):
                file = await sftp.open(path, "rb")
            while True:
                async with asyncio.timeout(STALL_S):
                    block = cast(bytes, await file.read(_BLOCK))
                if not block:
                    return
                yield block

    @contextlib.asynccontextmanager
    async def _files(self, path: str) -> AsyncIterator[asyncssh.SFTPClient]:
        """SFTP; what goes wrong is a LinkError about `path`."""
        sftp: asyncssh.SFTPClient | None = None
        try:
            async with asyncio.timeout(self._limits.ask_s):
                sftp = await self._connection.start_sftp_client()
            yield sftp
        except asyncssh.SFTPError as error:
            lost = isinstance(error, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection)
            raise LinkError(State.UNKNOWN if lost else State.FAILED,
                            f"{path}: {_words(error.reason)}") from None
        except TimeoutError:
            raise LinkError(State.UNKNOWN, f"{path}: no answer in time") from None
        except (OSError, asyncssh.Error) as error:
            raise LinkError(State.UNKNOWN, f"{path}: contact was lost: {_reason(error)}") from None
        finally:
            if sftp is not None:
                sftp.exit()


@contextlib.asynccontextmanager
async def linked(box: Box, operator: Operator, limits: Limits = Limits()) -> AsyncIterator[Link]:
    """LinkError: nothing was done on the box."""
    if not box.host_key:
        raise LinkError(State.UNTRUSTED, f"is not enrolled: branchline fleet enrol {box.name}")
    try:
        pinned = asyncssh.import_public_key(box.host_key)
    except ValueError as error:
        raise LinkError(State.UNTRUSTED, f"its pinned host key is none ({error}): branchline fleet enrol "
                        f"{box.name} --again") from None
    try:
        async with asyncio.timeout(limits.connect_s):
            connection = await asyncssh.connect(
                box.address, box.port, username=box.user, config=[], known_hosts=([pinned], [], []),
                server_host_key_algs=_algorithms(pinned), client_keys=list(operator.keys),
                agent_path=operator.agent, preferred_auth="publickey", kex_algs=KEX,
                compression_algs=["none"], gss_host=None, keepalive_interval=KEEPALIVE_S,
                keepalive_count_max=KEEPALIVES)
    except asyncssh.HostKeyNotVerifiable:
        raise LinkError(State.UNTRUSTED, "shows another host key than the pinned one: who is there is not "
                        "this box, or it was made new; find out before you enrol it again") from None
    except asyncssh.KeyExchangeFailed:
        raise LinkError(State.UNTRUSTED, "has no host key of the pinned kind, or speaks only what is not "
                        "safe: who is there is not this box, or it was made new") from None
    except asyncssh.PermissionDenied:
        raise LinkError(State.REFUSED, f"does not let {box.user} in with this key") from None
    except TimeoutError:
        raise LinkError(State.UNREACHABLE, f"no answer in {limits.connect_s:g} s") from None
    except (OSError, asyncssh.Error) as error:
        raise LinkError(State.UNREACHABLE, _reason(error)) from None
    except ValueError as error:                   # a kind of key that is not spoken any more
        raise LinkError(State.UNTRUSTED, f"its pinned host key is of no use: {error}") from None
    try:
        yield Link(box, connection, limits)
    finally:
        connection.close()
        with contextlib.suppress(TimeoutError, OSError, asyncssh.Error):
            async with asyncio.timeout(CLOSE_S):
                await connection.wait_closed()
        connection.abort()


async def shown_key(address: str, port: int, limits: Limits = Limits()) -> asyncssh.SSHKey:
    """The host key that who is there shows. Nothing is said to him. LinkError."""
    try:
        async with asyncio.timeout(limits.connect_s):
            key = await asyncssh.get_server_host_key(
                address, port, config=[], kex_algs=KEX,
                server_host_key_algs=["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512"])
    except TimeoutError:
        raise LinkError(State.UNREACHABLE, f"no answer in {limits.connect_s:g} s") from None
    except (OSError, asyncssh.Error) as error:
        raise LinkError(State.UNREACHABLE, _reason(error)) from None
    if key is None:
        raise LinkError(State.UNTRUSTED, "shows no host key")
    return key


def _algorithms(key: asyncssh.SSHKey) -> list[str]:
    kind = key.algorithm.decode("ascii")
    return ["rsa-sha2-512", "rsa-sha2-256"] if kind == "ssh-rsa" else [kind]


async def _all(stream: Any) -> bytes:
    found = bytearray()
    while block := await stream.read(_BLOCK):
        found += block
        if len(found) > MOST_OCTETS:
            raise LinkError(State.FAILED, f"the answer is larger than {MOST_OCTETS} octets")
    return bytes(found)


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")


def _words(text: str) -> str:
    """Other people's, on one line."""
    return " ".join(text[:_BLOCK].split())[:_WORDS]


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    if isinstance(error, asyncssh.Error):
        return _words(error.reason) or type(error).__name__
    return type(error).__name__


def _language() -> dict[str, str]:
    """In which boxes say what is wrong."""
    return {"LANG": "zh" if os.environ.get("LANG", "").lower().startswith("zh") else "en"}


def _opened(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600))


def _kept(file: BinaryIO, part: Path, into: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    part.replace(into)
