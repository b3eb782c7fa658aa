"""What figures are compared with, and what their definitions leave open, in the configuration document."""

from typing import Annotated

from pydantic import Field

from appliance.config.part import Name, Part
from appliance.config.queues import ServiceLevel

Seconds = Annotated[float, Field(gt=0, le=86400)]
Percent = Annotated[float, Field(ge=0, le=100)]
Days = Annotated[float, Field(gt=0, le=90)]
Short = Annotated[float, Field(ge=0, le=120)]


class QueueTargets(Part):
    """Of one queue; None: as for all. Its service level is in its own settings."""

    short_abandon_s: Short | None = None          # who hangs up sooner was not kept waiting
    repeat_days: Days | None = None               # a call of the number after so long is another matter
    answered_percent: Percent | None = None
    abandonment_percent: Percent | None = None    # at most
    asa_s: Seconds | None = None                  # at most
    aht_s: Seconds | None = None                  # at most
    transfer_percent: Percent | None = None       # at most
    fcr_percent: Percent | None = None
    satisfaction_percent: Percent | None = None
    ewt_error_percent: Percent | None = None      # at most


class TargetsConfig(Part):
    service_level: ServiceLevel = ServiceLevel()  # of all queues together
    short_abandon_s: Short = 5.0
    repeat_days: Days = 7.0
    answered_percent: Percent = 90.0
    abandonment_percent: Percent = 5.0
    asa_s: Seconds = 20.0
    aht_s: Seconds = 180.0
    transfer_percent: Percent = 10.0
    fcr_percent: Percent = 70.0
    satisfaction_percent: Percent = 95.0
    ewt_error_percent: Percent = 20.0
    occupancy_percent: Percent = 85.0             # at most, of an agent
    queues: dict[Name, QueueTargets] = Field(default_factory=dict)

    def value(self, key: str, queue: str) -> float:
        """Of the queue, or of all."""
        own = getattr(self.queues.get(queue), key, None)
        common: float = getattr(self, key)
        return common if own is None else float(own)
