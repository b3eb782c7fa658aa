"""Short words for what the far end of a bench says and hears."""
from appliance.isdn.elements import CallState, Cause, Element
from appliance.isdn.q931 import Message, MessageType
from tests.isdn.line import REF, Bench


def say(bench: Bench, kind: MessageType, ours: bool, *elements: Element) -> list[Message]:
    """A message of the one call; `ours`: we placed it. What we answer."""
    return bench.send(kind, *elements, call_ref=REF, to_originator=ours)


def kinds(messages: list[Message]) -> list[MessageType]:
    return [message.type for message in messages]


def cause(message: Message) -> int | None:
    element = message.first(Cause)
    return element.value if element else None


def short(messages: list[Message]) -> list[tuple[MessageType, int | None]]:
    """Kinds and causes."""
    return [(message.type, cause(message)) for message in messages]


def complaint(message: Message) -> tuple[MessageType, int, bytes, int | None]:
    """Kind, cause, its diagnostic, and the call state of a STATUS."""
    element, state = message.first(Cause), message.first(CallState)
    assert element is not None
    return message.type, element.value, element.diagnostic, state.value if state else None
