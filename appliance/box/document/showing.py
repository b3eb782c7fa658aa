"""A document's text and differences as people may see them. Pure.

Secret is what the schema keeps out of a repr, and who logs in in an address.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

import yaml
from pydantic import BaseModel

from appliance.bus.messages import KeyChange
from appliance.config.changes import HIDDEN, differences
from appliance.config.load import load, refuse_extremes
from appliance.config.schema import Config
from appliance.errors import ConfigError

MOST_VALUE = 400                                  # characters of a value

_USER = re.compile(r"(://)[^/?#\s@\"']*@")
_NOWHERE = Path("/nonexistent/branchline.yaml")   # what paths in it are beside does not matter to compare


class Shown(NamedTuple):
    text: str
    hidden: bool


def shown(text: str, secrets: bool) -> Shown:
    """As it is, or without its secrets; nothing of one that cannot be read as YAML."""
    if secrets:
        return Shown(text, False)
    try:
        refuse_extremes(text)
        places = sorted(_places(yaml.compose(text, Loader=yaml.CSafeLoader), (Config,)))
    except yaml.YAMLError:
        return Shown(f"# {HIDDEN}: not in order, and so nobody knows where its secrets are\n", True)
    parts, at = [], 0
    for begin, end in places:
        parts += [text[at:begin], HIDDEN + "\n" * text.count("\n", begin, end)]
        at = end
    found = _USER.sub(rf"\1{HIDDEN}@", "".join([*parts, text[at:]]))
    return Shown(found, found != text)


def changes(old: str, new: str, secrets: bool) -> list[KeyChange]:
    """None when one of them is no document."""
    try:
        found = differences(load(_NOWHERE, old), load(_NOWHERE, new), secrets=secrets)
    except ConfigError:
        return []
    return [KeyChange(one.key, _value(one.old, secrets), _value(one.new, secrets)) for one in found]


def _value(value: Any, secrets: bool) -> str | None:
    if value is None:
        return None
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**9, sort_keys=False)
    text = text.removesuffix("...\n").strip().replace(f"{_NOWHERE.parent}/", "")
    text = text if secrets else _USER.sub(rf"\1{HIDDEN}@", text)
    return text if len(text) <= MOST_VALUE else f"{text[:MOST_VALUE]}…"


def _places(node: Any, kinds: tuple[type[BaseModel], ...]) -> Iterator[tuple[int, int]]:
    """Where in the text the secrets of a part are that is one of `kinds`."""
    if isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from _places(one, kinds)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            fields = [kind.model_fields[key.value] for kind in kinds if key.value in kind.model_fields]
            if any(not field.repr for field in fields):
                yield from _leaves(value)
            else:
                inner = tuple(kind for field in fields for kind in _models(field.annotation))
                yield from _places(value, inner)


def _leaves(node: Any) -> Iterator[tuple[int, int]]:
    if isinstance(node, yaml.ScalarNode):
        if node.value:
            yield node.start_mark.index, node.end_mark.index
    elif isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            yield from _leaves(value)
    elif isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from _leaves(one)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in get_args(annotation):
        yield from _models(one)
