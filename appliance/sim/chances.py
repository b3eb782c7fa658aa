"""How long things take: distributions, each as its quantile function, so that a caller stays the same caller
in every variant of a day. Pure.
"""

import math
from statistics import NormalDist
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from appliance.config.part import Part

LONGEST_S = 7 * 86400.0
Seconds = Annotated[float, Field(ge=0, le=LONGEST_S)]
Mean = Annotated[float, Field(gt=0, le=86400)]

_STANDARD = NormalDist()
_MOST = 1 - 1e-12                                 # a share that the normal distribution can be asked for


class Chance(Part):
    """A time that differs from one to the next."""

    def quantile_s(self, share: float) -> float:
        """This share (0 to below 1) of all is no longer; math.inf where it never comes."""
        raise NotImplementedError


class Fixed(Chance):
    kind: Literal["fixed"] = "fixed"
    value_s: Seconds

    def quantile_s(self, share: float) -> float:
        return self.value_s


class Never(Chance):
    kind: Literal["never"] = "never"

    def quantile_s(self, share: float) -> float:
        return math.inf


class Exponential(Chance):
    kind: Literal["exponential"]
    mean_s: Mean

    def quantile_s(self, share: float) -> float:
        return -math.log1p(-share) * self.mean_s


class Uniform(Chance):
    kind: Literal["uniform"]
    least_s: Seconds
    most_s: Seconds

    def quantile_s(self, share: float) -> float:
        return self.least_s + share * (self.most_s - self.least_s)


class Weibull(Chance):
    """Shape below 1: who has waited long waits on; above 1: patience wears out."""

    kind: Literal["weibull"]
    mean_s: Mean
    shape: Annotated[float, Field(ge=0.2, le=20)]

    def quantile_s(self, share: float) -> float:
        scale_s = self.mean_s / math.gamma(1 + 1 / self.shape)
        return scale_s * math.pow(-math.log1p(-share), 1 / self.shape)


class LogNormal(Chance):
    """What handling times look like. `variation` is standard deviation / mean."""

    kind: Literal["log-normal"]
    mean_s: Mean
    variation: Annotated[float, Field(gt=0, le=10)] = 0.8

    def quantile_s(self, share: float) -> float:
        variance = math.log1p(self.variation ** 2)
        normal = _STANDARD.inv_cdf(min(max(share, 1 - _MOST), _MOST))
        return self.mean_s * math.exp(math.sqrt(variance) * normal - variance / 2)


class Data(Chance):
    """As measured, each value as often as it is there. A `file` has one a line; load.py reads it."""

    kind: Literal["data"]
    values_s: list[Seconds] = Field(default_factory=list)
    file: str | None = None

    @field_validator("values_s")
    @classmethod
    def _in_order(cls, values_s: list[float]) -> list[float]:
        return sorted(values_s)

    @model_validator(mode="after")
    def _one_of_them(self) -> "Data":
        if bool(self.values_s) == bool(self.file):
            raise ValueError("give values_s, or file, which has one a line")
        return self

    def quantile_s(self, share: float) -> float:
        return self.values_s[int(share * len(self.values_s))]


def _in_short(value: object) -> object:
    """A number is a time that is always the same; "never" needs no more words."""
    if value == "never":
        return {"kind": "never"}
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"kind": "fixed", "value_s": float(value)}
    return value


_Kinds = Fixed | Never | Exponential | Uniform | Weibull | LogNormal | Data
AnyChance = Annotated[Annotated[_Kinds, Field(discriminator="kind")], BeforeValidator(_in_short)]
