"""What the URL of a DAHDI span says: dahdi:N?prefill_ms=10. Opens nothing."""

import re

from e1_driver.backends import dahdi_wire as wire
from e1_driver.url import split_options

PREFILL_MS = range(10, 201, 10)                   # of ours wait in DAHDI before it takes the first


def parts(rest: str) -> tuple[int, int | None]:
    """Span number and prefill_ms, None: the usual one. ValueError: what is wrong, and what is allowed."""
    url = f"dahdi:{rest}"
    number, options = split_options(url, rest, {"prefill_ms": ""})
    if not re.fullmatch("[0-9]{1,3}", number) or not 0 < int(number) < wire.MAX_SPANS:
        raise ValueError(f"{url}: a span is a number from 1 to {wire.MAX_SPANS - 1}: dahdi:1")
    prefill_ms = options["prefill_ms"]
    if prefill_ms not in ("", *map(str, PREFILL_MS)):
        raise ValueError(f"{url}: prefill_ms {prefill_ms!r}: write 10, 20, ... {PREFILL_MS[-1]}")
    return int(number), int(prefill_ms) if prefill_ms else None
