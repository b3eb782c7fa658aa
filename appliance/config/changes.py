"""What differs between two configuration documents, as keys that a person finds again."""

from collections.abc import Iterator
from typing import Any

from appliance.config.schema import Config


def changes(old: Config, new: Config) -> list[str]:
    """Keys like spans.telco1.timers.t310_s, trunks.telco.hunting, centre.inbound, in the document's order.

    A part of a list that has a name is found by it. One that is new or gone is one key; so is a list of which
    only the order is another one.
    """
    return list(_differences("", old.model_dump(), new.model_dump()))


def _differences(key: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    old, new = _named(old), _named(new)
    if not (isinstance(old, dict) and isinstance(new, dict)):
        yield key
        return
    if set(old) == set(new) and list(old) != list(new):
        yield key                                 # the order, too, may mean something
    for name in dict.fromkeys((*old, *new)):
        inner = f"{key}.{name}" if key else str(name)
        if name in old and name in new:
            yield from _differences(inner, old[name], new[name])
        else:
            yield inner


def _named(value: Any) -> Any:
    """A list of parts with names as a dictionary of them."""
    if not isinstance(value, list) or not all(isinstance(part, dict) and "name" in part for part in value):
        return value
    return {part["name"]: {name: inner for name, inner in part.items() if name != "name"} for part in value}
