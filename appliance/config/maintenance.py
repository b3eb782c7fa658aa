"""When the box writes down how its day was, and looks itself over."""

from typing import Annotated

from pydantic import Field

from appliance.config.backup import Weekday
from appliance.config.part import Part
from appliance.config.update import QuietConfig, TrialCallConfig

_AT = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class MaintenanceConfig(Part):
    at: _AT = "06:00"                             # local time
    quiet: QuietConfig = QuietConfig(begins="03:00", ends="05:00")   # when the box looks itself over
    weekly: Weekday | None = "sunday"             # the day of the shorter round; None: there is none
    # Of the longer round; in a shorter month its last day; None: there is none.
    monthly: Annotated[int, Field(ge=1, le=31)] | None = 1
    # What takes work is done while there are so many calls at most.
    most_calls: Annotated[int, Field(ge=0, le=480)] = 0
    test_call: TrialCallConfig | None = None      # None: update.test_call
