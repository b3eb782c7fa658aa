"""What agents may say of themselves, in the configuration document."""

from typing import Annotated, Literal

from pydantic import Field

from appliance.config.part import Name, Part


class ReasonConfig(Part):
    """Why an agent may be not ready."""

    name: Name
    limit_s: Annotated[float, Field(gt=0, le=86400)] | None = None          # None: as long as it takes
    then: Literal["tell", "log-out"] = "tell"     # at the limit: mark on the board, or end the shift
