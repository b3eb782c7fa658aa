"""What the URL of a card's span says: card:DEVICE?span=0&... Opens nothing."""

import re

from e1_driver.url import split_options
from firmware import wire

SETTINGS = {                                     # of the URL, the first is what it is unless told
    "clock": wire.CLOCKS,
    "crc4": ("auto", "on", "off"),
    "code": wire.LINE_CODES,
    "haul": wire.HAULS,
    "ohms": tuple(map(str, wire.OHMS)),
}


def parts(rest: str) -> tuple[str, dict[str, str]]:
    """Device and options. ValueError: the part of the URL that is wrong, and what is allowed."""
    url = f"card:{rest}"
    defaults = {name: named[0] for name, named in SETTINGS.items()}
    device, options = split_options(url, rest, {"span": "0"} | defaults)
    if not device or not re.fullmatch("[0-9]{1,2}", options["span"]) or any(
            options[name] not in named for name, named in SETTINGS.items()):
        raise ValueError(f"{url}: write card:DEVICE?span=0, " + ", ".join(
            f"{name}={'|'.join(named)}" for name, named in SETTINGS.items()))
    return device, options
