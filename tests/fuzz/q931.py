"""Q.931 messages of any octets."""

import contextlib
from dataclasses import replace

from appliance.errors import DecodeError
from appliance.isdn.q931 import decode, encode
from tests.isdn.test_q931 import CONNECT, ELEMENT_VECTORS, MESSAGE_VECTORS, READ_ONLY_VECTORS


def corpus() -> list[bytes]:
    elements = [octets for octets, _ in ELEMENT_VECTORS + READ_ONLY_VECTORS]
    return [bytes.fromhex(octets) for octets in (
        *(octets for octets, _ in MESSAGE_VECTORS), *(CONNECT + octets for octets in elements))]


def fuzz(data: bytes) -> None:
    """What was understood is understood again when we send it on; only the order of elements is ours."""
    with contextlib.suppress(DecodeError):
        message = replace(decode(data), unread=(), faults=())
        octets = encode(message)
        again = decode(octets)
        assert encode(again) == octets
        assert replace(again, elements=()) == replace(message, elements=())
        assert sorted(map(repr, again.elements)) == sorted(map(repr, message.elements))
