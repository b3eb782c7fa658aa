"""What tests of emulated circuits share: free ports, pairs of URLs, a far end written by hand."""

import socket
from contextlib import ExitStack
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"


def free_ports(count: int, host: str = HOST) -> list[int]:
    """UDP ports that nobody had a moment ago."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(family, socket.SOCK_DGRAM)) for _ in range(count)]
        for one in sockets:
            one.bind((host, 0))
        return [one.getsockname()[1] for one in sockets]


def circuit_urls(count: int, scheme: str, options: str = "", host: str = HOST) -> list[tuple[str, str]]:
    """Of each circuit both ends; the first owns the clock."""
    ports = free_ports(2 * count, host)
    place = f"[{host}]" if ":" in host else host
    return [(f"{scheme}:{place}:{b}?port={a}&clock=own{options}",
             f"{scheme}:{place}:{a}?port={b}&clock=line{options}")
            for a, b in zip(ports[:count], ports[count:], strict=True)]


def pair_urls(scheme: str, options: str = "", host: str = HOST) -> tuple[str, str]:
    return circuit_urls(1, scheme, options, host)[0]


class FarEnd:
    """A UDP socket with octets of its own making instead of a span; `url` is that of the near end."""

    def __init__(self, scheme: str, options: str = "") -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOST, 0))
        self.socket.setblocking(False)
        self.near_port, = free_ports(1)
        self.url = f"{scheme}:{HOST}:{self.socket.getsockname()[1]}?port={self.near_port}&clock=own{options}"

    def send(self, packet: bytes) -> None:
        self.socket.sendto(packet, (HOST, self.near_port))

    def received(self) -> list[bytes]:
        """What has come so far."""
        packets = []
        while True:
            try:
                packets.append(self.socket.recv(2000))
            except BlockingIOError:
                return packets

    def __enter__(self) -> Self:
        return self

    def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None,
    ) -> None:
        self.socket.close()
