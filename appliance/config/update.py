"""How an update of the box treats calls, and what the new version must show before it stays."""

from typing import Annotated

from pydantic import Field, model_validator

from appliance.config.part import Name, Number, Part

_AT = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class TrialCallConfig(Part):
    """The exchange brings it back, or somebody answers and is heard."""

    trunk: Name
    number: Number
    calling: Number | None = None                 # the number to show; None: as the trunk has it
    answer_within_s: Annotated[float, Field(ge=1, le=120)] = 30.0
    hear_within_s: Annotated[float, Field(ge=1, le=60)] = 10.0
    level_dbm0: Annotated[float, Field(ge=-70, le=3)] = -45.0


class QuietConfig(Part):
    """Local time; over midnight when `begins` is later than `ends`."""

    begins: _AT = "01:00"
    ends: _AT = "05:00"

    @model_validator(mode="after")
    def _lasts(self) -> "QuietConfig":
        if self.begins == self.ends:
            raise ValueError(f"begins and ends: both are {self.begins}: no time is left between them")
        return self


class UpdateConfig(Part):
    drain_wait_s: Annotated[float, Field(ge=0, le=86_400)] = 1800.0  # calls may go on; then they are ended
    cause: Annotated[int, Field(ge=1, le=127)] = 42                  # Q.850, of calls refused meanwhile
    gate_s: Annotated[float, Field(ge=30, le=900)] = 300.0           # the new version has to show itself
    test_call: TrialCallConfig | None = None      # None: none is made
    quiet: QuietConfig = QuietConfig()            # when an update that may wait begins
