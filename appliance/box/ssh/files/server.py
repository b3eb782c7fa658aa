"""SFTP for one person: asyncssh's server with every act of its own replaced, so that none reaches the disk.

Ref: draft-ietf-secsh-filexfer-02 (SFTP, version 3).
"""

import asyncio
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn, TypeVar, cast

import asyncssh
from asyncssh import FXF_APPEND, FXF_EXCL, FXF_READ, FXF_TRUNC, FXF_WRITE, SFTPAttrs, SFTPName
from asyncssh.channel import SSHChannel

from appliance.box.commands.box import Box
from appliance.box.commands.table import Role, Session, Who
from appliance.box.ssh.door import Door
from appliance.box.ssh.files.configuration import Configuration
from appliance.box.ssh.files.saved import Saved
from appliance.box.ssh.files.sounds import Prompts, Recordings
from appliance.box.ssh.files.tree import (
    Entry,
    Failed,
    NotAllowed,
    NotThere,
    Place,
    Reader,
    Writer,
    names_of,
    path_of,
)
from appliance.box.support.tending import FOLDER as SUPPORT_FOLDER
from appliance.bus.client import BusError
from appliance.config.console import ConsolePersonConfig
from appliance.store.audit import Did

MOST_OPEN = 16                                    # files of one session; some are held in memory
MOST_READ = 1 << 18                               # octets of one request
BLOCK = 4096

T = TypeVar("T")


def _never(*_: object) -> NoReturn:
    raise asyncssh.SFTPPermissionDenied("not done on this box")


_NEVER: Any = _never


def places_for(box: Box, who: Who, person: ConsolePersonConfig) -> dict[str, Place]:
    """The folders of the root that this person sees."""
    found: list[Place] = [Prompts(box)]
    if who.role >= Role.OPERATE:
        found += [Configuration(box, who),
                  Saved(box.saved, box.context.state_dir / SUPPORT_FOLDER, who)]
    if person.recordings:
        found.append(Recordings(box, who))
    return {place.name: place for place in sorted(found, key=lambda one: one.name)}


class Files(asyncssh.SFTPServer):
    """`ready` waits until the other end takes an answer; `say` tells the person why a put was not taken, what
    his program may not do; `gone` is called once, when it is over."""

    def __init__(self, channel: "SSHChannel[bytes]", door: Door, session: Session,
                 person: ConsolePersonConfig, ready: Callable[[], Awaitable[None]],
                 say: Callable[[str], None], gone: Callable[[], None]) -> None:
        super().__init__(cast("asyncssh.SSHServerChannel[bytes]", channel))
        self._door, self._session = door, session
        self._ready, self._say, self._gone = ready, say, [gone]
        self._places = places_for(door.box, session.who, person)
        self._open, self._at = 0, session.started_at
        self._ending = False
        self._busy, self._asked_at = False, door.steady()
        self._timer: asyncio.TimerHandle | None = None
        self._look_whether_silent()

    # --- looking

    async def realpath(self, path: bytes) -> bytes:
        async def look() -> bytes:
            return path_of(names_of(path))
        return await self._try(look())

    async def stat(self, path: bytes) -> SFTPAttrs:
        async def look() -> SFTPAttrs:
            names = names_of(path)
            if not names:
                return _attributes(Entry("", folder=True), self._at)
            return _attributes(await self._place(names[0]).stat(names[1:]), self._at)
        return await self._try(look())

    async def lstat(self, path: bytes) -> SFTPAttrs:
        return await self.stat(path)              # there are no links

    async def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        async def look() -> list[Entry]:
            names = names_of(path)
            if not names:
                return [Entry(name, folder=True) for name in self._places]
            return [one async for one in self._place(names[0]).entries(names[1:])]
        for dots in (b".", b".."):
            yield SFTPName(dots, attrs=_attributes(Entry("", folder=True), self._at))
        for one in await self._try(look()):
            await self._ready()
            yield SFTPName(one.name.encode(), attrs=_attributes(one, self._at))

    # --- files

    async def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> Reader | Writer:
        if self._open >= MOST_OPEN:
            raise asyncssh.SFTPFailure(f"{MOST_OPEN} files are open already")
        if pflags & FXF_WRITE and (
                pflags & (FXF_READ | FXF_APPEND | FXF_EXCL) or not pflags & FXF_TRUNC):
            raise asyncssh.SFTPPermissionDenied("a file is put there whole, in place of the one before")
        self._open += 1
        try:
            return await self._try(self._opened(path, bool(pflags & FXF_WRITE)))
        except BaseException:
            self._open -= 1
            raise

    async def _opened(self, path: bytes, writing: bool) -> Reader | Writer:
        names = names_of(path)
        place, below = self._place(names[0]) if names else None, names[1:]
        if place is None or not below:
            raise Failed("this is a folder")
        shown = path_of(names).decode()
        if not writing:
            reader = await place.open(below)
            await self._note("fetch", shown)
            return reader
        try:
            return _Noted(await place.create(below), shown)
        except NotAllowed as error:
            self._say(f"{shown}: {error}")
            raise

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        if not isinstance(file_obj, Reader):
            raise asyncssh.SFTPPermissionDenied("not open for reading")
        return await self._try(file_obj.read(offset, min(size, MOST_READ)))

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        if not isinstance(file_obj, Writer):
            raise asyncssh.SFTPPermissionDenied("not open for writing")
        await self._try(file_obj.write(offset, data))
        return len(data)

    async def close(self, file_obj: object) -> None:
        self._open -= 1
        if isinstance(file_obj, Reader):
            await file_obj.close()
        elif isinstance(file_obj, _Noted):
            if self._ending or self.channel.is_closing():            # it was cut off
                file_obj.drop()
                return
            number = await self._door.begin(self._did("put", file_obj.path))
            outcome = "cut short"
            try:
                await self._try(file_obj.finish())
                outcome = ""
            except asyncssh.SFTPError as error:
                outcome = error.reason
                self._say(f"{file_obj.path}: {outcome}")
                raise
            finally:
                await self._door.end(number, outcome)

    async def fstat(self, file_obj: object) -> SFTPAttrs:
        await self._ready()
        octets = file_obj.octets if isinstance(file_obj, Reader) else 0
        return _attributes(Entry("", octets=octets), self._at)

    async def remove(self, path: bytes) -> None:
        async def remove() -> None:
            names = names_of(path)
            if len(names) < 2:
                raise NotAllowed("this stays")
            number = await self._door.begin(self._did("remove", path_of(names).decode()))
            outcome = "refused"
            try:
                await self._place(names[0]).remove(names[1:])
                outcome = ""
            finally:
                await self._door.end(number, outcome)
        await self._try(remove())

    # --- what is not done: attributes are not kept, folders and names are the box's

    async def setstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        await self.realpath(path)                 # clients ask for times and rights after each put

    lsetstat = setstat

    async def fsetstat(self, file_obj: object, attrs: SFTPAttrs) -> None:
        await self._ready()

    async def fsync(self, file_obj: object) -> None:
        await self._ready()                       # a put is on the disk when its close is answered

    mkdir = rmdir = rename = posix_rename = symlink = link = lock = unlock = _NEVER
    statvfs = fstatvfs = open56 = _NEVER

    def readlink(self, path: bytes) -> bytes:
        raise asyncssh.SFTPNoSuchFile("there are no links")

    def cut_off(self) -> None:
        """No more comes: what is open was not put whole."""
        self._ending = True

    def exit(self) -> None:
        """The session is over."""
        self._ending = True
        if self._timer is not None:
            self._timer.cancel()
        while self._gone:
            self._gone.pop()()

    def _look_whether_silent(self) -> None:
        most_s = self._door.config.idle_s
        left_s = most_s if self._busy else self._asked_at + most_s - self._door.steady()
        if left_s <= 0:
            self._say("signed out: nothing was asked for too long")
            self.channel.close()
        else:
            self._timer = asyncio.get_running_loop().call_later(left_s, self._look_whether_silent)

    # --- what all share

    def _place(self, name: str) -> Place:
        if name not in self._places:
            raise NotThere(name)
        return self._places[name]

    def _did(self, act: str, what: str) -> Did:
        who = self._session.who
        self._session.last_at = self._door.clock()
        return Did(who.name, who.role.name.lower(), who.origin, act, what)

    async def _note(self, act: str, what: str) -> None:
        await self._door.note(self._did(act, what))

    async def _try(self, work: Awaitable[T]) -> T:
        """As SFTP says it. Every answer of a place comes through here."""
        self._busy = True
        try:
            return await work
        except NotThere as error:
            raise asyncssh.SFTPNoSuchFile(str(error)) from None
        except NotAllowed as error:
            raise asyncssh.SFTPPermissionDenied(str(error)) from None
        except (Failed, BusError, OSError) as error:
            raise asyncssh.SFTPFailure(str(error)) from None
        finally:
            await self._ready()
            self._busy, self._asked_at = False, self._door.steady()


class _Noted(Writer):
    """`path` is for the log."""

    def __init__(self, writer: Writer, path: str) -> None:
        self._writer, self.path = writer, path

    async def write(self, at: int, octets: bytes) -> None:
        await self._writer.write(at, octets)

    async def finish(self) -> None:
        await self._writer.finish()

    def drop(self) -> None:
        self._writer.drop()


def _attributes(one: Entry, otherwise: float) -> SFTPAttrs:
    """`otherwise`: when it changed, where that is not known."""
    mode = stat.S_IFDIR | 0o555 if one.folder else stat.S_IFREG | 0o444
    at = max(0, min(int(one.at or otherwise), 2**32 - 1))
    return SFTPAttrs(size=0 if one.folder else one.octets, uid=0, gid=0,
                     permissions=mode | (0o200 if one.writable else 0), atime=at, mtime=at)
