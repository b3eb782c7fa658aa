"""The keys that a configuration has or may have, and the part that one names. Pure.

Written as appliance.box.document.editing reads them.
"""

import types
import typing
from collections.abc import Iterator
from itertools import islice
from typing import Any

import yaml
from pydantic import BaseModel

from appliance.config.load import refuse_extremes
from appliance.config.schema import Config
from appliance.errors import ConfigError

MOST_KEYS = 5000


def keys_of(text: str) -> list[str]:
    """Those in the text, and those that the schema has beside them. ConfigError: it is no YAML."""
    return list(dict.fromkeys(islice(_keys("", _read(text), (Config,)), MOST_KEYS)))


def part_of(text: str, key: str) -> Any:
    """What is there. ConfigError: nothing is."""
    from appliance.box.document.editing import path_of  # with ruamel: only where somebody edits
    part = _read(text)
    for name in path_of(key):
        if isinstance(part, dict):
            found = [value for one, value in part.items() if str(one) == str(name)]
        elif isinstance(part, list) and isinstance(name, int):
            found = part[name:name + 1]
        elif isinstance(part, list):
            found = [one for one in part if isinstance(one, dict) and str(one.get("name")) == name]
        else:
            found = []
        if not found:
            raise ConfigError(f"{key}: is not there")
        part = found[0]
    return part


def part_in_yaml(text: str, key: str) -> str:
    """The same as text. ConfigError: nothing is there."""
    found: str = yaml.dump(part_of(text, key), Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
    return found.removesuffix("...\n")


def _read(text: str) -> Any:
    try:
        refuse_extremes(text)
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"the candidate: {' '.join(str(error).split())}") from None


def _keys(at: str, part: Any, kinds: tuple[type[BaseModel], ...]) -> Iterator[str]:
    """Below `at`, which has these kinds."""
    if isinstance(part, list):
        for number, one in enumerate(part):
            name = one.get("name") if isinstance(one, dict) else None
            key = f"{at}.{name}" if name is not None and at else f"{at}[{number}]"
            yield key
            yield from _keys(key, one, kinds)
        return
    fields = {name: field.annotation for kind in kinds for name, field in kind.model_fields.items()}
    inside = part if isinstance(part, dict) else {}
    for name in dict.fromkeys((*inside, *fields)):
        key = f"{at}.{name}" if at else str(name)
        yield key
        below = tuple(_models(fields[name])) if name in fields else kinds if not fields else ()
        foreseen = below and name not in inside and _is_one(fields[name])
        if foreseen or isinstance(inside.get(name), dict | list):
            yield from _keys(key, inside.get(name), below)


def _is_one(annotation: Any) -> bool:
    """It is one section, no list or mapping of some, whose keys are known before there is one."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif isinstance(annotation, types.GenericAlias | types.UnionType) or typing.get_origin(annotation):
        for inner in typing.get_args(annotation):
            yield from _models(inner)
