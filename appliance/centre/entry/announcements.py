"""A destination that only announces something is a flow of two nodes."""

from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from appliance.centre.flow import Flow
from appliance.config import entrance
from appliance.config.schema import CentreConfig
from appliance.errors import ConfigError


def flow_name(prompts: Sequence[str]) -> str:
    return f"announce:{' '.join(prompts)}"


def announcements(centre: CentreConfig) -> dict[str, Flow]:
    """By name. ConfigError: one has a prompt that cannot be."""
    return dict(_all(centre))


def _all(centre: CentreConfig) -> Iterator[tuple[str, Flow]]:
    for keys, destination in entrance.destinations(centre):
        if destination.announce:
            try:
                yield flow_name(destination.announce), Flow.model_validate({
                    "start": "announcement", "nodes": {
                        "announcement": {"kind": "play", "prompt": destination.announce, "next": "end"},
                        "end": {"kind": "hangup"}}})
            except ValidationError as error:
                where = ".".join(map(str, keys))
                raise ConfigError(f"{where}.announce: {error.errors()[0]['msg']}") from None
