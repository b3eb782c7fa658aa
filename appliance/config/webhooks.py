"""Servers to which the pages' alerts may be posted though they are not public."""

from typing import Annotated

from pydantic import Field

from appliance.config.part import Part

HOST = r"^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$"


class WebhooksConfig(Part):
    # In the branch's own network, or without TLS; with a port: there alone.
    hosts: Annotated[list[Annotated[str, Field(pattern=HOST)]],
                     Field(max_length=50)] = Field(default_factory=list)
    ca_file: str = ""                             # PEM, of servers with their own; "": the public ones
