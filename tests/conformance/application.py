"""The upper tester of layer 3: how a row configures the implementation under test (IUT), what its application
asks for, and what it is told. The words are layer3.py's.
"""
from collections.abc import Callable
from typing import Any

from appliance.isdn.dss1 import Signalling
from appliance.isdn.elements import ELEMENTS, Element, ProgressIndicator
from appliance.isdn.events import Event
from appliance.isdn.lapd import Side
from appliance.isdn.profile import PROFILES
from appliance.isdn.q931 import MessageType
from tests.conformance import messages
from tests.conformance.purposes import BadRow


def options(words: list[str]) -> dict[str, Any]:
    """Arguments of Signalling."""
    arguments: dict[str, Any] = {"cold": False, "profile": PROFILES["etsi"], "auto_proceed": True}
    for word in words:
        name, _, value = word.partition("=")
        match name:
            case "overlap" | "cold" | "slow_clearing":
                arguments[name] = True
            case "manual":
                arguments["auto_proceed"] = False
            case "selection" | "hunt":
                arguments[name] = value
            case "profile":
                arguments[name] = PROFILES[value]
            case "timeslots":
                first, _, last = value.partition("-")
                arguments[name] = range(int(first), int(last) + 1)
            case _:
                raise BadRow(f"no such option: {word}")
    return arguments


def place(iut: Signalling, key: str, words: list[str], now: float) -> None:
    """The request to place a call."""
    arguments: dict[str, Any] = {}
    carried = []
    for word in words:
        name, _, value = word.partition("=")
        if name in ("called", "calling", "name") and "/" not in value:
            arguments[name] = value
        elif name == "ch":
            arguments["timeslot"] = int(value.rstrip("!"))
            arguments["exclusive"] = True if value.endswith("!") else None
        elif name == "partial":
            arguments["complete"] = False
        else:
            carried.append(word)
    iut.setup(key, now=now, elements=_elements(carried), **arguments)


def ask(iut: Signalling, key: str, request: str, words: list[str], now: float) -> None:
    """Any other request."""
    elements = _elements(words)
    requests: dict[str, Callable[[], None]] = {
        "digits": lambda: iut.more_digits(key, words[0], now),
        "want": lambda: iut.want_digits(key, now, *elements),
        "proceed": lambda: iut.proceed(key, now, *elements),
        "progress": lambda: iut.progress(key, now, ProgressIndicator(int(words[0])), *elements),
        "alert": lambda: iut.alert(key, now, in_band="tones" in words, elements=elements),
        "answer": lambda: iut.answer(key, now, elements=elements),
        "hangup": lambda: iut.hang_up(key, int(words[0]), now, elements=elements),
        "notify": lambda: iut.notify(key, int(words[0]), now),
        "tell": lambda: iut.tell(key, MessageType(messages.TYPES[words[0]]), elements, now),
        "enquire": lambda: iut.enquire(key, now),
        "cleared": lambda: iut.cleared(key, now),
        "restart": lambda: iut.restart(int(words[0]), now),
    }
    if request not in requests:
        raise BadRow(f"no such step: {request}")
    requests[request]()


def _elements(words: list[str]) -> tuple[Element, ...]:
    """Those of the words that are elements."""
    pairs = [word.partition("=") for word in words]
    return tuple(ELEMENTS[messages.IDENTIFIERS[name]].read(messages.write_content(name, value, Side.USER))
                 for name, _, value in pairs if name in messages.IDENTIFIERS)


def was_told(events: list[Event], expected: str) -> bool:
    """`Event field=value Element.field=value` is among the events; `no Event ...`: it is not."""
    absent, expected = expected.startswith("no "), expected.removeprefix("no ")
    name, *words = expected.split()
    found = any(type(event).__name__ == name and all(_holds(event, word) for word in words)
                for event in events)
    return found is not absent


def _holds(event: Event, word: str) -> bool:
    name, _, value = word.partition("=")
    kind, dot, field = name.partition(".")
    values = value.split("|")
    if dot:
        return any(type(element).__name__ == kind and _text(getattr(element, field)) in values
                   for element in getattr(event, "elements", ()))
    return _text(getattr(event, name)) in values


def _text(value: object) -> str:
    match value:
        case bytes():
            return value.hex()
        case bool():
            return str(value).lower()
        case MessageType():
            return value.name.lower()
    return str(getattr(value, "value", value))
