"""The line cards of a box: boxd speaks to their control ports, spand to those of their spans."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from appliance.config.part import Name, Part


class CardConfig(Part):
    name: Name
    control: str                                  # the serial device of its control port
    hold_s: Annotated[float, Field(ge=5, le=300)] = 20.0             # a silent box keeps the line for so long
    relay: Literal["fit", "alive", "bypass"] = "fit"                 # when the telco line is the box's

    @field_validator("control")
    @classmethod
    def _a_device(cls, control: str) -> str:
        if not control.startswith("/"):
            raise ValueError(f"{control!r}: write it from the root on, e.g. /dev/linecard-control")
        return control
