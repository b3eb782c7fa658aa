"""What the URL of an osmo-e1d span says: e1d:PATH?intf=0&line=0. Opens nothing."""

import re

from e1_driver.backends import e1d_wire as wire
from e1_driver.url import split_options


def parts(rest: str) -> tuple[str, int, int]:
    """Path, interface and line. ValueError: what is wrong, and what is allowed."""
    url = f"e1d:{rest}"
    path, options = split_options(url, rest, {"intf": "0", "line": "0"})
    numbers = options["intf"], options["line"]
    if not path or not all(re.fullmatch("[0-9]{1,3}", each) and int(each) < wire.ANY for each in numbers):
        raise ValueError(f"{url}: intf and line are numbers up to {wire.ANY - 1}: e1d:PATH?intf=0&line=0")
    return path, int(numbers[0]), int(numbers[1])
