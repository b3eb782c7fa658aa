"""How long recordings are kept, how much room they may take, and when the box says that room is short."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from appliance.config.part import Name, Part, unique

KEEP_DAYS = Field(ge=0, le=36500)
Kind = Literal["talk", "conference", "message", "prompt"]
Word = Annotated[str, Field(min_length=1, max_length=64)]


class RetentionRule(Part):
    """Whose recordings it takes: all conditions that are given must hold."""

    name: Name
    queues: list[Word] = Field(default_factory=list)                 # that were ever there: no check
    agents: list[Word] = Field(default_factory=list)
    trunks: list[Word] = Field(default_factory=list)
    direction: Literal["in", "out", "internal"] | None = None
    tags: list[Word] = Field(default_factory=list)                   # any of them
    kinds: list[Kind] = Field(default_factory=list)
    keep_days: Annotated[float, KEEP_DAYS] | None                    # None: for ever


class QuotaConfig(Part):
    """Above it the oldest go first; of both the smaller counts."""

    gib: Annotated[float, Field(gt=0, le=1_048_576)] | None = None
    percent: Annotated[float, Field(gt=0, le=99)] | None = None      # of the disk


class LowSpaceConfig(Part):
    """Free room of the recordings' disk below which the box says so."""

    warn_percent: Annotated[float, Field(gt=0, le=90)] = 15.0
    urgent_percent: Annotated[float, Field(gt=0, le=90)] = 5.0
    full_mebibytes: Annotated[int, Field(ge=16, le=1_048_576)] = 256

    @model_validator(mode="after")
    def _in_order(self) -> "LowSpaceConfig":
        if self.urgent_percent > self.warn_percent:
            raise ValueError("urgent_percent must not be above warn_percent")
        return self


class RetentionConfig(Part):
    rules: list[RetentionRule] = Field(default_factory=list)         # in order: the first that takes it
    keep_days: Annotated[float, KEEP_DAYS] | None = None             # of what no rule takes; None: for ever
    least_days: Annotated[float, KEEP_DAYS] = 0.0                    # nobody and nothing deletes earlier
    records_keep_days: Annotated[float, KEEP_DAYS] | None = None     # what is known of one that is erased
    at: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "03:30"
    grace_days: Annotated[float, Field(ge=0, le=365)] = 7.0          # a shorter rule only reports so long
    automatic: bool = True                        # False: the daily run reports and people purge
    quota: QuotaConfig = QuotaConfig()
    low_space: LowSpaceConfig = LowSpaceConfig()

    @model_validator(mode="after")
    def _possible(self) -> "RetentionConfig":
        wrong: list[str] = []
        unique(wrong, "rules", [rule.name for rule in self.rules])
        kept = [("keep_days", self.keep_days),
                *((f"rules: {rule.name}: keep_days", rule.keep_days) for rule in self.rules)]
        wrong += [f"{where}: {days:g} is below least_days, {self.least_days:g}: raise it, or lower least_days"
                  for where, days in kept if days is not None and days < self.least_days]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self
