"""The part of a span URL after its scheme: a path and options, `PATH?name=value&...`."""

from collections.abc import Mapping
from urllib.parse import parse_qsl


def split_options(url: str, rest: str, defaults: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Path and options of `rest`, `defaults` filled in. ValueError for an option that `defaults` has not."""
    path, _, query = rest.partition("?")
    options = dict(defaults)
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in defaults:
            raise ValueError(f"{url}: unknown option {name!r}, one of {', '.join(defaults)}")
        options[name] = value
    return path, options
