"""What the URL of a span over Ethernet says: tdmoe:INTERFACE/MAC/SUBADDRESS?... Opens nothing."""

import re
from typing import NamedTuple

from e1_driver.url import split_options

BUFFER_MS = range(10, 401)
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.IGNORECASE)
SOCKET = "unix:"
_FORM = "tdmoe:INTERFACE/MAC/SUBADDRESS, such as tdmoe:eth1/02:00:00:00:00:01/0"


class Where(NamedTuple):
    """What a URL says."""

    interface: str
    station: bytes
    subaddress: int
    own: bytes
    listen: bool
    buffer_ms: int


def parts(rest: str) -> Where:
    """ValueError: the part of the URL that is wrong, and what is allowed."""
    url = f"tdmoe:{rest}"
    place, options = split_options(url, rest, {"buffer_ms": "20", "own": "", "listen": ""})
    front, _, subaddress = place.rpartition("/")
    interface, _, station = front.rpartition("/")
    if not interface or interface == SOCKET:
        raise ValueError(f"{url}: write {_FORM}")
    if not interface.startswith(SOCKET) and (options["own"] or options["listen"]):
        raise ValueError(f"{url}: own and listen are for unix:PATH only")
    if options["listen"] not in ("", "yes", "no"):
        raise ValueError(f"{url}: listen is yes or no")
    return Where(
        interface, _station(url, "MAC", station), _number(url, "SUBADDRESS", subaddress, range(0x10000)),
        _station(url, "own", options["own"] or "02:00:00:00:00:01"), options["listen"] == "yes",
        _number(url, "buffer_ms", options["buffer_ms"], BUFFER_MS))


def _station(url: str, name: str, text: str) -> bytes:
    if not _MAC.fullmatch(text):
        raise ValueError(f"{url}: {name} {text!r}: write six octets such as 02:00:00:00:00:01")
    octets = bytes.fromhex(text.replace(":", ""))
    if octets[0] & 1:
        raise ValueError(f"{url}: {name} {text!r} is a group's address: write one station's")
    return octets


def _number(url: str, name: str, text: str, allowed: range) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) not in allowed:
        raise ValueError(f"{url}: {name} {text!r}: write {allowed.start} to {allowed.stop - 1}")
    return int(text)
