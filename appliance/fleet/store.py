"""The inventory's SQLite file: sites, boxes, tags. It is open for moments only; several people share it."""

import contextlib
import fcntl
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.errors import ConfigError
from appliance.fleet.inventory import Box, Inventory, Site

if TYPE_CHECKING:
    from appliance.store.sqlite import Database

APPLICATION_ID = 0x424C464C                       # "BLFL", in the header of the file: it is ours
VERSION = 1                                       # of its tables
_HEADER_OCTETS = 72                               # of the file; the last four are the application's

Select = Callable[[str], Iterable[Any]]           # rows


class Shelf:
    """ConfigError: the file is no inventory, or cannot be read or written; it is left as it is."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def inventory(self) -> Inventory:
        if not self._path.exists():
            return Inventory()
        with self._row():
            found = self._as_it_was_left()
        if found is not None:
            return found
        with self._database() as database, database.read() as connection:
            return self._read(connection.exec_driver_sql)

    @contextlib.contextmanager
    def change(self) -> Iterator["Change"]:
        """All of it or nothing; on the disk at the end."""
        from appliance.fleet.store_tables import write
        with self._database() as database, database.write() as connection:
            change = Change(self._read(connection.exec_driver_sql))
            yield change
            write(connection, change.inventory)

    def _as_it_was_left(self) -> Inventory | None:
        """Without all that opens it to write; None: it is not as this version leaves it, and _database() says
        what is wrong or mends it."""
        try:
            with self._path.open("rb") as file:   # first: SQLite writes beside a file that it opens
                header = file.read(_HEADER_OCTETS)
            if int.from_bytes(header[-4:], "big") != APPLICATION_ID:
                return None
            with contextlib.closing(sqlite3.connect(self._path)) as connection:
                version = connection.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()
                if version != (str(VERSION),):
                    return None
                return self._read(connection.execute)
        except (OSError, sqlite3.Error):
            return None

    def _read(self, select: Select) -> Inventory:
        try:
            return _read(select)
        except ValueError as error:               # somebody wrote into it, or a later version has
            from appliance.store.sqlite import REPAIR
            raise ConfigError(f"{self._path}: is damaged: {'; '.join(_sentences(error))}: {REPAIR}") from None

    @contextlib.contextmanager
    def _database(self) -> "Iterator[Database]":
        from appliance.fleet.store_tables import opened
        with self._row(), opened(self._path) as database:
            yield database

    @contextlib.contextmanager
    def _row(self) -> Iterator[None]:
        """One at a time in a row of one's own: Database refuses where another program has the file open."""
        with contextlib.ExitStack() as row:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                queue = row.enter_context(self._path.with_name(self._path.name + ".row").open("wb"))
                fcntl.flock(queue, fcntl.LOCK_EX)
            except OSError as error:
                raise ConfigError(f"{self._path}: cannot be opened: {error.strerror}") from None
            yield


class Change:
    """What is to be the inventory."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory

    def box(self, name: str) -> Box:
        """ConfigError: there is none."""
        return box_of(self.inventory, name)

    def put(self, box: Box) -> None:
        """In the place of the one of that name, else at the end. ConfigError: its site is not there."""
        kept = {one.name: one for one in self.inventory.boxes}
        kept[box.name] = box
        self._set(list(kept.values()), self.inventory.sites)

    def put_site(self, site: Site) -> None:
        kept = {one.name: one for one in self.inventory.sites}
        kept[site.name] = site
        self._set(self.inventory.boxes, list(kept.values()))

    def take_away(self, name: str) -> None:
        self.box(name)
        self._set([one for one in self.inventory.boxes if one.name != name], self.inventory.sites)

    def take_over(self, document: Inventory, *, again: bool = False) -> None:
        """All that the document says; a host key that it leaves out is kept while name and address stay.

        ConfigError: it has another key than the pinned one, and not `again`.
        """
        keys = {(one.name, one.address, one.port): one.host_key for one in self.inventory.boxes}
        wrong = [f"box {one.name}: another host key is pinned: --again pins this one"
                 for one in document.boxes if one.host_key and not again
                 and keys.get((one.name, one.address, one.port), "") not in ("", one.host_key)]
        if wrong:
            raise ConfigError("\n".join(wrong))
        self._set([one if one.host_key else
                   one.model_copy(update={"host_key": keys.get((one.name, one.address, one.port), "")})
                   for one in document.boxes], document.sites)

    def _set(self, boxes_now: list[Box], sites_now: list[Site]) -> None:
        try:
            self.inventory = Inventory(sites=sites_now, boxes=boxes_now)
        except ValueError as error:
            raise ConfigError("; ".join(_sentences(error))) from None


def box_of(inventory: Inventory, name: str) -> Box:
    found = next((box for box in inventory.boxes if box.name == name), None)
    if found is None:
        raise ConfigError(f"there is no box {name!r}")
    return found


def _sentences(error: ValueError) -> list[str]:
    errors = getattr(error, "errors", None)
    return [str(one["msg"]).removeprefix("Value error, ") for one in errors()] if errors else [str(error)]


def _read(select: Select) -> Inventory:
    tagged: dict[str, list[str]] = {}
    for box, tag in select("SELECT box, tag FROM tags ORDER BY box, place"):
        tagged.setdefault(box, []).append(tag)
    return Inventory(
        sites=[Site(name=name, values=json.loads(values))
               for name, values in select("SELECT name, vals FROM sites ORDER BY place")],
        boxes=[Box(name=name, address=address, port=port, user=user, site=site, host_key=host_key,
                   values=json.loads(values), tags=tagged.get(name, []))
               for name, address, port, user, site, host_key, values in select(
                   "SELECT name, address, port, user, site, host_key, vals FROM boxes ORDER BY place")])
