"""Messages from osmo-e1d of any octets."""

import contextlib

from e1_driver.backends.e1d_wire import decode, encode, read_interfaces, read_lines
from tests.e1_driver.test_e1d_wire import VECTORS


def corpus() -> list[bytes]:
    return [bytes.fromhex(octets) for octets, _ in VECTORS]


def fuzz(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert encode(decode(data)) == data
    for read in (read_interfaces, read_lines):
        with contextlib.suppress(ValueError):
            read(data)
