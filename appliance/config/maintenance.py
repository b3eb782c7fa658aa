"""When the box writes down how its day was."""

from typing import Annotated

from pydantic import Field

from appliance.config.part import Part

_AT = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class MaintenanceConfig(Part):
    at: _AT = "06:00"                             # local time
