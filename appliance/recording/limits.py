"""Bounds of all that can be asked of recordd, looked at before anything else looks at it."""

import math
import unicodedata
from typing import Any

import msgspec

from appliance.bus.messages import REQUESTS
from appliance.errors import StateError

MOST_CHARACTERS = 4096                            # of a text
MOST_OF_A_NAME = 100                              # of `by`, the person who asks
MOST_LISTED = 1000                                # in one list
MOST_INTEGER = 2 ** 63 - 1                        # that the catalogue holds
EARLIEST, LATEST = -1e10, 2.5e11                  # seconds since 1970: years that a calendar has

_CONTROL = {"Cc", "Cs"}                           # Unicode's control characters, halves of characters
_LINES = "\n\r\t"
_WITH_WHO_ASKS = frozenset(kind for kind in REQUESTS.values() if any(
    field.name == "by" and field.required for field in msgspec.structs.fields(kind)))


def refuse_unbounded(request: Any) -> None:
    """Of a request. StateError: something in it is beyond what anybody needs, or it does not say who asks."""
    if type(request) in _WITH_WHO_ASKS:
        by: str = request.by
        if not by.strip() or len(by) > MOST_OF_A_NAME or not by.isprintable():
            raise StateError(f"by: who asks, in one line of 1 to {MOST_OF_A_NAME} characters")
    for name in request.__struct_fields__:
        _look(name, getattr(request, name))


def _look(name: str, value: object) -> None:
    if isinstance(value, str):
        if len(value) > MOST_CHARACTERS:
            raise StateError(f"{name}: has {len(value)} characters: {MOST_CHARACTERS} are the most")
        if any(unicodedata.category(one) in _CONTROL and one not in _LINES for one in value):
            raise StateError(f"{name}: has control characters: write it without them")
    elif isinstance(value, int):
        if not -MOST_INTEGER <= value <= MOST_INTEGER:
            raise StateError(f"{name}: no number of this size is kept here")
    elif isinstance(value, float):
        if not (math.isfinite(value) and EARLIEST <= value <= LATEST):
            raise StateError(f"{name}: {value:g}: give a number from {EARLIEST:g} to {LATEST:g}")
    elif isinstance(value, list):
        if len(value) > MOST_LISTED:
            raise StateError(f"{name}: {len(value)} are given: {MOST_LISTED} are the most")
        for one in value:
            _look(name, one)
    elif isinstance(value, msgspec.Struct):
        for inner in value.__struct_fields__:
            _look(f"{name}.{inner}", getattr(value, inner))
