"""What leaves the box in a bundle: no secrets, and no telephone numbers unless they are wanted. Pure."""

import re
from typing import Any

from pydantic import BaseModel

HIDDEN = "(not shown)"
SEEN_DIGITS = 3                                   # at a number's end: calls can be told apart

_NUMBER = re.compile(r"(?<![\w.])(?<![A-Za-z]-)\+?[0-9*#]{6,20}(?![\w]|\.[0-9])")
_USER = re.compile(r"(://)[^/?#\s@]*@")
_QUERY = re.compile(r"([?&][A-Za-z0-9_.-]+=)(?!\{|\(not shown\))[^&#\s]+")


def shown(part: Any) -> Any:
    """A part of the document as data, so much of it as was written.

    Secret are the fields that the schema keeps out of a repr, who logs in in an address, what a query gives.
    """
    match part:
        case BaseModel():
            fields = type(part).model_fields
            return {name: shown(getattr(part, name)) if fields[name].repr else _hidden(getattr(part, name))
                    for name in fields if name in part.model_fields_set}
        case dict():
            return {str(key): shown(value) for key, value in part.items()}
        case list() | tuple() | set() | frozenset():
            return [shown(one) for one in part]
        case bool() | int() | float() | None:
            return part
        case _:
            return unlocked(str(part))


def said(data: Any, numbers: bool) -> Any:
    """What daemons answered or kept, as plain data."""
    match data:
        case dict():
            return {key: said(value, numbers) for key, value in data.items()}
        case list():
            return [said(one, numbers) for one in data]
        case str():
            return unlocked(data) if numbers else masked(unlocked(data))
        case _:
            return data


def unlocked(text: str) -> str:
    """Without who logs in in an address, and what a query gives."""
    return _QUERY.sub(rf"\1{HIDDEN}", _USER.sub(rf"\1{HIDDEN}@", text))


def masked(text: str) -> str:
    """Numbers without all but their last digits."""
    def mask(found: re.Match[str]) -> str:
        return "x" * (len(found[0]) - SEEN_DIGITS) + found[0][-SEEN_DIGITS:]
    return _NUMBER.sub(mask, text)


def _hidden(value: Any) -> Any:
    return {str(key): HIDDEN for key in value} if isinstance(value, dict) else value and HIDDEN
