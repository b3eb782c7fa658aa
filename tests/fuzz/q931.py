"""Q.931 messages of any octets."""

import contextlib
from dataclasses import replace

from appliance.errors import DecodeError
from appliance.isdn.q931 import Message, decode, encode
from tests.isdn.q931_vectors import BOTH_WAYS, CONNECT, READ_ONLY, UNREAD


def corpus() -> list[bytes]:
    return [bytes.fromhex(octets) for octets in (
        *(octets for octets, _ in BOTH_WAYS + READ_ONLY), *(CONNECT + octets for octets, _ in UNREAD))]


def fuzz(data: bytes) -> None:
    """What was read is read again when we send it on, unknown elements too; only their order is ours."""
    with contextlib.suppress(DecodeError):
        message = sent_on(decode(data))
        again = sent_on(decode(encode(message)))
        assert replace(again, elements=()) == replace(message, elements=())
        assert sorted(map(repr, again.elements)) == sorted(map(repr, message.elements))


def sent_on(message: Message) -> Message:
    return replace(message, elements=message.elements + message.unread, unread=(), faults=())
