"""The inventory's tables, for who changes it: SQLAlchemy takes a fifth of a second to load."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Column, Connection, ForeignKey, Integer, MetaData, String, Table, Text, delete, insert
from sqlalchemy.exc import DBAPIError

from appliance.errors import ConfigError
from appliance.fleet.inventory import Inventory
from appliance.fleet.store import APPLICATION_ID, VERSION
from appliance.store.sqlite import Database, Schema, reason

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


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Database]:
    """ConfigError: it is no inventory, or cannot be read or written."""
    database = Database(path, SCHEMA)
    try:
        yield database
    except DBAPIError as error:
        raise ConfigError(f"{path}: {reason(error)}: nothing is changed") from None
    finally:
        database.close()


def write(connection: Connection, inventory: Inventory) -> None:
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
