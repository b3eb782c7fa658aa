"""What the parts of the configuration document are made from."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from appliance.config.pattern import LONGEST, DialPattern

NAME = r"^[a-z][a-z0-9-]{0,31}$"
_NUMBER = rf"^[0-9*#+]{{1,{LONGEST}}}$"
Name = Annotated[str, Field(pattern=NAME)]
Number = Annotated[str, Field(pattern=_NUMBER)]
IN_WORDS = {                                      # pattern -> what it wants
    NAME: "a to z first, then a to z, 0 to 9 and -, at most 32 in all",
    _NUMBER: f"digits, *, # and +, at most {LONGEST}",
}


def _a_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    DialPattern(text)
    return text


# A regular expression of whole numbers
NumberPattern = Annotated[str, Field(max_length=128), AfterValidator(_a_pattern)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def unique(wrong: list[str], where: str, names: list[str]) -> None:
    """A sentence for every name that is there twice, added to `wrong`."""
    twice = sorted({name for name in names if names.count(name) > 1})
    wrong += [f"{where}: {name!r} is there twice" for name in twice]
