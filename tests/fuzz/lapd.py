"""D-channel frames of any octets."""

import contextlib

from appliance.errors import DecodeError
from appliance.isdn.lapd import Side, decode, encode
from tests.isdn.test_lapd import FRAMES


def corpus() -> list[bytes]:
    return [bytes.fromhex(octets) for octets, _, _ in FRAMES]


def fuzz(data: bytes) -> None:
    for sender in Side:
        with contextlib.suppress(DecodeError):
            frame = decode(data, sender)
            assert decode(encode(frame, sender), sender) == frame
