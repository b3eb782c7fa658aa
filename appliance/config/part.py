"""What the parts of the configuration document are made from."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from appliance.config.pattern import LONGEST

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
Number = Annotated[str, Field(pattern=rf"^[0-9*#+]{{1,{LONGEST}}}$")]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def unique(wrong: list[str], where: str, names: list[str]) -> None:
    """A sentence for every name that is there twice, added to `wrong`."""
    twice = sorted({name for name in names if names.count(name) > 1})
    wrong += [f"{where}: {name!r} is there twice" for name in twice]
