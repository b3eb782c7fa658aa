"""What differs between two configuration documents, as keys that a person finds again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from appliance.config.schema import Config

HIDDEN = "(not shown)"


def changes(old: Config, new: Config) -> list[str]:
    """Keys like spans.telco1.timers.t310_s, trunks.telco.hunting, centre.inbound, in the document's order.

    A part of a list that has a name is found by it. One that is new or gone is one key; so is a list of which
    only the order is another one.
    """
    return [one.key for one in _differences("", old.model_dump(), new.model_dump())]


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one key; None: it is not there."""

    key: str
    old: Any
    new: Any


def differences(old: Config, new: Config, *, secrets: bool) -> list[Difference]:
    """As changes(), with the values; without `secrets`, what the schema keeps out of a repr is HIDDEN."""
    found = _differences("", _sealed(old), _sealed(new))
    return [Difference(one.key, _opened(one.old, secrets), _opened(one.new, secrets)) for one in found]


@dataclass(frozen=True, slots=True)
class _Secret:
    value: Any


def _sealed(part: Any) -> Any:
    """As model_dump(), with secrets marked."""
    if isinstance(part, BaseModel):
        return {name: _sealed(getattr(part, name)) if field.repr else _Secret(getattr(part, name))
                for name, field in type(part).model_fields.items()}
    if isinstance(part, dict):
        return {key: _sealed(value) for key, value in part.items()}
    return [_sealed(one) for one in part] if isinstance(part, list | tuple) else part


def _opened(value: Any, secrets: bool) -> Any:
    match value:
        case _Secret(inner):
            return inner if secrets or not inner else HIDDEN
        case dict():
            return {key: _opened(one, secrets) for key, one in value.items()}
        case list():
            return [_opened(one, secrets) for one in value]
        case _:
            return value


def _differences(key: str, old: Any, new: Any) -> Iterator[Difference]:
    if old == new:
        return
    before, after = _named(old), _named(new)
    if not (isinstance(before, dict) and isinstance(after, dict)):
        yield Difference(key, old, new)
        return
    if set(before) == set(after) and list(before) != list(after):
        yield Difference(key, list(before), list(after))             # the order, too, may mean something
    for name in dict.fromkeys((*before, *after)):
        inner = f"{key}.{name}" if key else str(name)
        if name in before and name in after:
            yield from _differences(inner, before[name], after[name])
        else:
            yield Difference(inner, before.get(name), after.get(name))


def _named(value: Any) -> Any:
    """A list of parts with names as a dictionary of them."""
    if not isinstance(value, list) or not all(isinstance(part, dict) and "name" in part for part in value):
        return value
    return {part["name"]: {name: inner for name, inner in part.items() if name != "name"} for part in value}
