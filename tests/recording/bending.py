"""Every request of recordd's, bent in every field."""

import json
from collections.abc import Iterator
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from appliance.bus.messages import REQUESTS, Request
from appliance.recording import daemon

OURS = [kind for kind in REQUESTS.values() if kind.owner == "recordd" and kind in daemon.ANSWERS]
SENTENCE = 1000                                   # characters of a refusal, at most
LONG = "%\"*'(^ NEAR/2 ' OR 1=1 --" * 4_000
BENT: dict[type[Any], list[Any]] = {
    str: [LONG, "", "a\0b", "\x1b[2J\r\n", "../../etc/passwd", '"', "NEAR(a b, 2) AND *", "%" * 90,
          "'; DROP TABLE chain"],
    int: [2 ** 63, -1, 0, -2 ** 63 - 1, 10 ** 400],
    float: [1e300, -1.0, -1e300, 1e12, -9.9e9],
    bool: [True],
}
LISTS: list[list[str]] = [["x"] * 10_000, [LONG], ["\0"]]


def required(kind: type[Request[Any]]) -> set[str]:
    return {field.name for field in msgspec.structs.fields(kind) if field.required}


def plain(kind: type[Request[Any]]) -> dict[str, Any]:
    """One that could be meant so."""
    return {name: _usual(hint, name) for name, hint in _hints(kind).items() if name in required(kind)}


def bent(kind: type[Request[Any]]) -> Iterator[Request[Any]]:
    """As they come out of the bus's codec, which refuses some by itself."""
    for name, hint in _hints(kind).items():
        values: list[Any] = [value for one in (hint, *get_args(hint)) for value in BENT.get(one, ())]
        if get_origin(hint) is list and str in get_args(hint):
            values = LISTS
        for value in values:
            try:
                yield msgspec.json.decode(json.dumps(plain(kind) | {name: value}).encode(), type=kind)
            except msgspec.MsgspecError:
                continue


def beyond_all(kind: type[Request[Any]]) -> Iterator[Request[Any]]:
    """Of these, what nobody needs whatever it is."""
    extremes = [LONG, 2 ** 63, 1e300, *LISTS]
    for request in bent(kind):
        if any(getattr(request, name) in extremes for name in kind.__struct_fields__):
            yield request


def _hints(kind: type[Request[Any]]) -> dict[str, Any]:
    return {name: hint for name, hint in get_type_hints(kind).items()
            if name in kind.__struct_fields__ and name != "v"}


def _usual(hint: Any, name: str) -> Any:
    if get_origin(hint) is list:
        return []
    if get_args(hint):                            # Literal, or X | None
        return get_args(hint)[0]
    return {str: name, int: 1, float: 1.0, bool: True, bytes: "b2N0ZXRz"}[hint]
