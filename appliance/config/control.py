"""Call control of agents and supervisors, in the configuration document."""

import re
from typing import Annotated

from pydantic import Field

from appliance.config.part import NumberPattern, Part


class ControlConfig(Part):
    ring_s: Annotated[float, Field(ge=1, le=300)] = 30.0             # at an agent who is called by hand
    park_s: Annotated[float, Field(ge=5, le=3600)] = 120.0           # in a slot, then back
    pause_s: Annotated[float, Field(ge=1, le=3600)] = 300.0          # longest pause of a recording
    music: str = "music/default"                  # on hold, where the contact has no queue
    extensions: NumberPattern = "[1-9][0-9]{1,5}"                    # numbers of the agents' own PBX

    def is_extension(self, number: str) -> bool:
        return re.fullmatch(self.extensions, number) is not None
