"""YAML file -> checked document, or a ConfigError that names file, line and key of every mistake."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from appliance.config.schema import Config
from appliance.errors import ConfigError

MAX_OCTETS = 4 * 1024 * 1024

M = TypeVar("M", bound=BaseModel)

Mistake = tuple[Sequence[int | str], str]         # keys that lead to it, what is wrong


def load(path: Path) -> Config:
    """The box's configuration; paths in it come out absolute. ConfigError otherwise."""
    config = read(path, Config)
    base = path.resolve().parent
    media = config.media.model_copy(update={"prompts": str(base / config.media.prompts)})
    inbound = [route.model_copy(update={"flow": str(base / route.flow)}) for route in config.centre.inbound]
    centre = config.centre.model_copy(update={"inbound": inbound})
    return config.model_copy(update={"media": media, "centre": centre})


def read(path: Path, kind: type[M], check: Callable[[M], Iterable[Mistake]] | None = None) -> M:
    """One YAML document of schema `kind`. ConfigError has a line 'file:line: key: what' for every mistake.

    `check` finds what the schema cannot see.
    """
    try:
        if path.stat().st_size > MAX_OCTETS:
            raise ConfigError(f"{path}: larger than {MAX_OCTETS} octets, this cannot be it")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: octet {error.start}: not UTF-8, save the file as UTF-8") from None
    try:
        tree = yaml.compose(text, Loader=yaml.CSafeLoader)
        document = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())}") from None
    try:
        found = kind.model_validate(document)
        mistakes = list(check(found)) if check else []
    except ValidationError as error:
        mistakes = [(one["loc"], one["msg"].removeprefix("Value error, ")) for one in error.errors()]
    if mistakes:
        raise ConfigError("\n".join(f"{path}:{_place(tree, location)}{what}" for location, what in mistakes))
    return found


def _place(node: yaml.Node | None, location: Sequence[int | str]) -> str:
    """'line: key: ' of the deepest node that `location` leads to."""
    line = node.start_mark.line + 1 if node else 1
    keys = ""
    for depth, part in enumerate(location, 1):
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if found:
                line, node = found[0][0].start_mark.line + 1, found[0][1]
            elif depth < len(location):           # not a key: which kind of a union the schema took
                continue
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        keys += f"[{part}]" if isinstance(part, int) else f".{part}"
    return f"{line}: {keys.lstrip('.')}: " if keys else f"{line}: "
