"""Destinations that are a flow of two nodes: an announcement, a voicemail box."""

from typing import Any

from pydantic import ValidationError

from appliance.centre.flow import Flow
from appliance.config import entrance
from appliance.config.entry import Destination
from appliance.config.schema import CentreConfig
from appliance.errors import ConfigError

_END = {"kind": "hangup"}


def flow_of(destination: Destination) -> str:
    """The name of its flow; "": it has none."""
    if destination.voicemail is not None:
        return f"voicemail:{destination.voicemail}"
    if destination.announce:
        return f"announce:{' '.join(destination.announce)}"
    return destination.flow or ""


def small_flows(centre: CentreConfig) -> dict[str, Flow]:
    """Those of a document, by name. ConfigError: one has a prompt that cannot be."""
    flows: dict[str, Flow] = {}
    for keys, destination in entrance.destinations(centre):
        first: dict[str, Any] | None = None
        if destination.voicemail is not None:
            first = {"kind": "voicemail", "box": destination.voicemail, "next": "end"}
        elif destination.announce:
            first = {"kind": "play", "prompt": destination.announce, "next": "end"}
        if first is not None:
            try:
                flows[flow_of(destination)] = Flow.model_validate(
                    {"start": "only", "nodes": {"only": first, "end": _END}})
            except ValidationError as error:
                where = ".".join(map(str, keys))
                raise ConfigError(f"{where}.announce: {error.errors()[0]['msg']}") from None
    return flows
