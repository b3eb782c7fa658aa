"""The inventory's SQLite file: sites, boxes, tags. It is open for moments only; several people share it."""

import contextlib
import fcntl
import json
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
)
from sqlalchemy.exc import DBAPIError

from appliance.errors import ConfigError
from appliance.fleet.inventory import Box, Inventory, Site
from appliance.store.sqlite import REPAIR, Database, Schema, reason

APPLICATION_ID = 0x424C464C                       # "BLFL", in the header of the file: it is ours
VERSION = 1

metadata = MetaData()

meta = Table(
    "meta", metadata,
    Column("key", String(32), primary_key=True), Column("value", Text, nullable=False))
sites = Table(
    "sites", metadata,
    Column("name", String(63), primary_key=True),
    Column("place", Integer, nullable=False),     # in the order of the document
    Column("vals", Text, nullable=False))         # JSON
boxes = Table(
    "boxes", metadata,
    Column("name", String(63), primary_key=True),
    Column("place", Integer, nullable=False),
    Column("address", String(253), nullable=False),
    Column("port", Integer, nullable=False),
    Column("user", String(64), nullable=False),
    Column("site", ForeignKey("sites.name"), nullable=True),
    Column("host_key", Text, nullable=False, server_default=""),
    Column("vals", Text, nullable=False))
tags = Table(
    "tags", metadata,
    Column("box", ForeignKey("boxes.name", ondelete="CASCADE"), primary_key=True),
    Column("tag", String(63), primary_key=True),
    Column("place", Integer, nullable=False))


def _create(connection: Connection) -> None:
    metadata.create_all(connection)
    connection.execute(insert(meta).values(key="version", value=str(VERSION)))


SCHEMA = Schema("the other branchline fleet", APPLICATION_ID, _create, version=VERSION)


class Shelf:
    """ConfigError: the file is no inventory, or cannot be read or written; it is left as it is."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def inventory(self) -> Inventory:
        if not self._path.exists():
            return Inventory()
        with self._database() as database, database.read() as connection:
            return self._read(connection)

    @contextlib.contextmanager
    def change(self) -> Iterator["Change"]:
        """All of it or nothing; on the disk at the end."""
        with self._database() as database, database.write() as connection:
            change = Change(self._read(connection))
            yield change
            _write(connection, change.inventory)

    def _read(self, connection: Connection) -> Inventory:
        try:
            return _read(connection)
        except ValueError as error:               # somebody wrote into it, or a later version has
            raise ConfigError(f"{self._path}: is damaged: {'; '.join(_sentences(error))}: {REPAIR}") from None

    @contextlib.contextmanager
    def _database(self) -> Iterator[Database]:
        # One at a time in a row of one's own: Database refuses where another program has the file open.
        with contextlib.ExitStack() as row:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                queue = row.enter_context(self._path.with_name(self._path.name + ".row").open("wb"))
                fcntl.flock(queue, fcntl.LOCK_EX)
            except OSError as error:
                raise ConfigError(f"{self._path}: cannot be opened: {error.strerror}") from None
            database = Database(self._path, SCHEMA)
            try:
                yield database
            except DBAPIError as error:
                raise ConfigError(f"{self._path}: {reason(error)}: nothing is changed") from None
            finally:
                database.close()


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


def _read(connection: Connection) -> Inventory:
    tagged: dict[str, list[str]] = {}
    for box, tag in connection.execute(select(tags.c.box, tags.c.tag).order_by(tags.c.box, tags.c.place)):
        tagged.setdefault(box, []).append(tag)
    return Inventory(
        sites=[Site(name=row.name, values=json.loads(row.vals))
               for row in connection.execute(select(sites).order_by(sites.c.place))],
        boxes=[Box(name=row.name, address=row.address, port=row.port, user=row.user, site=row.site,
                   host_key=row.host_key, values=json.loads(row.vals), tags=tagged.get(row.name, []))
               for row in connection.execute(select(boxes).order_by(boxes.c.place))])


def _write(connection: Connection, inventory: Inventory) -> None:
    for table in (tags, boxes, sites):
        connection.execute(delete(table))
    if inventory.sites:
        connection.execute(insert(sites), [
            {"name": one.name, "place": place, "vals": _json(one.values)}
            for place, one in enumerate(inventory.sites)])
    if inventory.boxes:
        connection.execute(insert(boxes), [
            {"name": one.name, "place": place, "address": one.address, "port": one.port, "user": one.user,
             "site": one.site, "host_key": one.host_key, "vals": _json(one.values)}
            for place, one in enumerate(inventory.boxes)])
    if rows := [{"box": one.name, "tag": tag, "place": place}
                for one in inventory.boxes for place, tag in enumerate(dict.fromkeys(one.tags))]:
        connection.execute(insert(tags), rows)


def _json(values: object) -> str:
    try:
        return json.dumps(values, ensure_ascii=False)
    except TypeError as error:                    # YAML knows dates, JSON does not
        raise ConfigError(f"a value cannot be kept: {error}: write it as text, in quotes") from None
