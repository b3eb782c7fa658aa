"""compare: where a box's document is another one than it should be. Secrets differ without being shown."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from appliance.config.changes import HIDDEN, differences
from appliance.config.load import load
from appliance.config.schema import Config
from appliance.errors import ConfigError
from appliance.fleet import documents
from appliance.fleet.course import End, State
from appliance.fleet.documents import No
from appliance.fleet.driving import Note, Work
from appliance.fleet.reach import Reach

_USER = re.compile(r"(://)[^/?#\s@\"']*@")         # who signs in at an address, with the password
_NOWHERE = Path("/nonexistent/branchline.yaml")   # what paths in them are beside does not matter to compare


async def document_of(box: str, reach: Reach) -> str:
    """LinkError, No."""
    async with reach(box) as link:
        return await documents.document(link)


def drift(found: Config, wanted: Config) -> list[dict[str, str]]:
    return [{"key": one.key, "is": _value(one.old), "should": _value(one.new)}
            for one in differences(found, wanted, secrets=False)]


def comparing(wanted: Mapping[str, str], reach: Reach) -> Work:
    """Facts of an end: `keys`, each with what it is and what it should be. ConfigError: a text is none."""
    documents_wanted: dict[str, Config] = {}
    for text in wanted.values():
        if text not in documents_wanted:
            documents_wanted[text] = load(_NOWHERE, text)

    async def work(box: str, note: Note) -> End:
        try:
            text = await document_of(box, reach)
        except No as error:
            return End(error.state, str(error))
        try:                                      # beside the others: a large document takes a while
            found = await asyncio.to_thread(load, _NOWHERE, text)
        except ConfigError as error:
            why = str(error).replace(f"{_NOWHERE}:", "line ")
            return End(State.FAILED, f"its document is not as this tool knows it: {why}")
        keys = await asyncio.to_thread(drift, found, documents_wanted[wanted[box]])
        return End(State.DONE, "", {"keys": keys})
    return work


def _value(value: object) -> str:
    if value is None:
        return "nothing"
    text: str = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, width=10**9, sort_keys=False)
    text = text.removesuffix("\n").removesuffix("\n...").replace(f"{_NOWHERE.parent}/", "")
    return _USER.sub(rf"\1{HIDDEN}@", text)
