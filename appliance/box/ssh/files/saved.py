"""/saved: what commands kept with `| save`; in /saved/support bundles for who helps. Fetched and removed."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

from appliance.box.backup.durable import open_file, sync_folder
from appliance.box.commands.box import SUPPORT
from appliance.box.commands.run import ADMINS
from appliance.box.commands.table import Role, Who
from appliance.box.ssh.files.tree import Entry, Failed, Names, NotAllowed, NotThere, Place, Reader


class Saved(Place):
    """Ordinary files of two folders; whatever else somebody may have put there is not seen.

    What a command of the role admin said, and the bundles, are there for that role alone.
    """

    name = "saved"

    def __init__(self, saved: Path, support: Path, who: Who) -> None:
        self._saved, self._support, self._who = saved, support, who

    async def stat(self, names: Names) -> Entry:
        if names == ():
            return Entry(self.name, folder=True)
        async for one in self.entries(names[:-1]):
            if one.name == names[-1]:
                return one
        raise NotThere(names[-1])

    async def entries(self, names: Names) -> AsyncIterator[Entry]:
        folder = self._folder(names)
        for one in await asyncio.to_thread(_files, folder, self._who.role):
            yield one
        if not names and self._who.role >= Role.ADMIN:
            yield Entry(SUPPORT, folder=True)

    async def open(self, names: Names) -> Reader:
        path = self._path(names)
        if (await self.stat(names)).folder:
            raise Failed("this is a folder")
        try:
            return _File(await asyncio.to_thread(open_file, path))
        except OSError:
            raise NotThere(names[-1]) from None

    async def remove(self, names: Names) -> None:
        if self._who.role < Role.OPERATE:
            raise NotAllowed("what is saved is removed by role operate")
        path = self._path(names)
        if (await self.stat(names)).folder:
            raise NotAllowed("this stays")
        try:
            await asyncio.to_thread(_remove, path)
        except OSError as error:
            raise Failed(error.strerror or str(error)) from None

    def _folder(self, names: Names) -> Path:
        if names == ():
            return self._saved
        if names == (SUPPORT,) and self._who.role >= Role.ADMIN:
            return self._support
        raise NotThere(names[-1])

    def _path(self, names: Names) -> Path:
        if not names or names[-1].startswith("."):
            raise NotThere(names[-1] if names else self.name)
        return self._folder(names[:-1]) / names[-1]


class _File(Reader):
    def __init__(self, descriptor: int) -> None:
        self._descriptor, self.octets = descriptor, os.fstat(descriptor).st_size

    async def read(self, at: int, most: int) -> bytes:
        return await asyncio.to_thread(os.pread, self._descriptor, most, at)

    async def close(self) -> None:
        os.close(self._descriptor)


def _files(folder: Path, role: Role) -> list[Entry]:
    """Those that this role may see."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for one in entries:
                about = one.stat(follow_symlinks=False)
                if stat.S_IMODE(about.st_mode) == ADMINS and role < Role.ADMIN:
                    continue
                if stat.S_ISREG(about.st_mode) and not one.name.startswith(".") and one.name.isprintable():
                    found.append(Entry(one.name, octets=about.st_size, at=about.st_mtime, writable=True))
    except FileNotFoundError:
        pass                                      # nothing was saved yet
    except OSError as error:
        raise Failed(error.strerror or str(error)) from None
    return sorted(found, key=lambda one: one.name)


def _remove(path: Path) -> None:
    path.unlink()
    sync_folder(path.parent)
