"""Objects to an OpenSSH server by SFTP: a push that was cut goes on where the server's file ends."""

import asyncio
import hashlib
import logging
import posixpath
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import asyncssh

from appliance.config.archive import SftpConfig
from appliance.errors import ConfigError
from appliance.recording.archive.key import read_secret
from appliance.recording.archive.objects import BLOCK_OCTETS, ArchiveObject
from appliance.recording.archive.pace import Pace
from appliance.recording.archive.place import MORE, PlaceError

CONNECT_S, KEEPALIVE_S = 15, 15
STALL_S = 60.0                                    # one that takes and gives nothing for so long is cut off
_PART = ".part"

logging.getLogger("asyncssh").setLevel(logging.WARNING)      # it tells of each step of each connection


class Sftp:
    """A folder of a server whose host key is known. PlaceError; ConfigError for the key."""

    def __init__(self, config: SftpConfig) -> None:
        self.name = f"sftp {config.user}@{config.host}:{config.port} {config.folder}"
        self._config = config
        try:
            self._key = asyncssh.import_private_key(read_secret(Path(config.key_file), most_octets=16384))
        except asyncssh.KeyImportError:
            raise ConfigError(f"{config.key_file}: no private key of OpenSSH without pass phrase") from None
        try:
            self._host_key = asyncssh.import_public_key(config.host_key)
        except asyncssh.KeyImportError:
            raise ConfigError("archive.sftp.host_key: is no public key: take the server's "
                              "/etc/ssh/ssh_host_ed25519_key.pub") from None

    def push(self, sent: ArchiveObject, state: dict[str, Any], keep: Callable[[dict[str, Any]], None],
             pace: Pace) -> str:
        """SHA-256 of the object as the server gives it back. What is there is all the state there is."""
        return asyncio.run(self._push(sent, pace))

    async def _push(self, sent: ArchiveObject, pace: Pace) -> str:
        config = self._config
        path = posixpath.join(config.folder, sent.name)
        try:
            async with asyncssh.connect(
                    config.host, config.port, username=config.user, client_keys=[self._key], config=[],
                    known_hosts=([self._host_key], [], []), agent_path=None, preferred_auth="publickey",
                    connect_timeout=CONNECT_S, keepalive_interval=KEEPALIVE_S) as connection:
                watch = _Watch(connection)
                async with connection.start_sftp_client() as sftp:
                    wanted = sent.sha256()
                    if await self._size(sftp, path) != sent.octets:
                        await sftp.makedirs(posixpath.dirname(path), exist_ok=True)
                        await self._send(sftp, path, sent, pace, watch)
                    digest = await self._digest(sftp, path, sent.octets, pace, watch)
                    if digest != wanted:
                        await sftp.remove(path)   # it is sent anew, from its beginning
                    return digest
        except asyncssh.HostKeyNotVerifiable:
            raise PlaceError(f"{config.host} has another host key than archive.sftp.host_key: find out why "
                             "before you change that") from None
        except asyncssh.PermissionDenied:
            raise PlaceError(f"{config.host} does not let {config.user} in: give it the public key of "
                             "archive.sftp.key_file") from None
        except asyncssh.SFTPError as error:
            raise PlaceError(f"{config.host}: {path}: {error.reason}: see to the folder, its rights and "
                             "room") from None
        except (OSError, asyncssh.Error) as error:
            reason = (isinstance(error, OSError) and error.strerror) or type(error).__name__
            raise PlaceError(f"{config.host} port {config.port} cannot be reached: {reason}: see to the "
                             "network and archive.sftp") from None

    async def _size(self, sftp: asyncssh.SFTPClient, path: str) -> int | None:
        try:
            return (await sftp.stat(path)).size
        except asyncssh.SFTPNoSuchFile:
            return None

    async def _send(self, sftp: asyncssh.SFTPClient, path: str, sent: ArchiveObject, pace: Pace,
                    watch: "_Watch") -> None:
        at = await self._size(sftp, path + _PART) or 0
        if at > sent.octets:
            at = 0
        async with sftp.open(path + _PART, "r+b" if at else "wb") as file:
            while block := sent.read(at, BLOCK_OCTETS):
                await watch.beside(pace.take, len(block))
                await file.write(block, at)
                at += len(block)
            await file.fsync()
        await sftp.posix_rename(path + _PART, path)

    async def _digest(self, sftp: asyncssh.SFTPClient, path: str, most_octets: int, pace: Pace,
                      watch: "_Watch") -> str:
        digest = hashlib.sha256()
        async with sftp.open(path, "rb") as file:
            while block := cast(bytes, await file.read(BLOCK_OCTETS)):
                await watch.beside(pace.take, len(block))
                digest.update(block)
                most_octets -= len(block)
                if most_octets < 0:
                    raise PlaceError(f"{path}: {MORE}")
        return digest.hexdigest()


class _Watch:
    """Cuts a connection that stalls: who waits for an answer gets an error then, and recordd can stop."""

    def __init__(self, connection: asyncssh.SSHClientConnection) -> None:
        self._connection = connection
        self._alarm = self._set()

    async def beside(self, act: Callable[[int], None], octets: int) -> None:
        """Something came. What we take our time for ourselves does not count."""
        self._alarm.cancel()
        await asyncio.to_thread(act, octets)
        self._alarm = self._set()

    def _set(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(STALL_S, self._connection.abort)
