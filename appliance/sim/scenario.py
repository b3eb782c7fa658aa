"""A scenario: one day of a branch as a document. Who calls, how patient they are, how long they are served,
who works when. What the box itself does comes from its own configuration document.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from appliance.config.load import Mistake
from appliance.config.part import IN_WORDS, Name, Number, Part
from appliance.config.schema import CentreConfig, Config
from appliance.sim.chances import AnyChance, Exponential, Fixed, LogNormal, Seconds

DAY_S = 86400.0
MOST_CALLS_PER_HOUR = 100_000.0

_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"
_KEYS = r"^[0-9*#]{0,64}$"
IN_WORDS[_CLOCK] = 'hours and minutes in quotes, "08:00" to "24:00"'
IN_WORDS[_KEYS] = "keys as they are pressed: 0-9, * and #, at most 64"

Clock = Annotated[str, Field(pattern=_CLOCK)]
Keys = Annotated[str, Field(pattern=_KEYS)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0, le=MOST_CALLS_PER_HOUR)]


def clock_s(text: str) -> float:
    """Seconds from midnight of "HH:MM"."""
    hours, _, minutes = text.partition(":")
    return int(hours) * 3600.0 + int(minutes) * 60.0


def _all_day(value: object) -> object:
    return {"00:00": value} if isinstance(value, int | float) else value


def _certain(value: object) -> object:
    return {value: 1.0} if isinstance(value, str) else value


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r}: no such time zone: write one such as Asia/Shanghai")
    return name


class Arrivals(Part):
    """Calls to a number, or straight into a queue: by chance at a rate, or those of a real day."""

    called: Number | None = None
    queue: Name | None = None                     # without a flow before it
    trunk: Name | None = None                     # where they come in; needed when several know the number
    calls_per_hour: Annotated[dict[Clock, Rate], BeforeValidator(_all_day)] = Field(default_factory=dict)
    csv: str | None = None                        # columns time, called, caller, patience_s, handling_s, keys
    keys: Annotated[dict[Keys, Annotated[float, Field(ge=0)]], BeforeValidator(_certain)] = Field(
        default_factory=dict)                     # what callers press: so many of all

    @model_validator(mode="after")
    def _one_of_each(self) -> "Arrivals":
        if bool(self.calls_per_hour) == bool(self.csv):
            raise ValueError("give calls_per_hour, or csv, the calls of a real day")
        if (self.called is not None) + (self.queue is not None) != 1 and not (self.csv and not self.queue):
            raise ValueError("give called, the number, or queue")
        if self.keys and not sum(self.keys.values()):
            raise ValueError("keys: all weights are 0")
        return self


class Served(Part):
    """How calls of one queue differ from the others."""

    handling: AnyChance | None = None
    patience: AnyChance | None = None
    wrap_up: AnyChance | None = None              # agents end it or prolong it; else its timer does


class Habits(Part):
    """Of agents when their telephone rings."""

    answer: AnyChance = Fixed(value_s=4.0)        # from the first ring
    no_answer: Share = 0.0                        # of rings that nobody answers
    notices_s: Seconds = 60.0                     # until one whom the box took out of service is back


class Pause(Part):
    begins: Clock
    ends: Clock

    @model_validator(mode="after")
    def _forward(self) -> "Pause":
        if clock_s(self.ends) <= clock_s(self.begins):
            raise ValueError(f"ends {self.ends} is not after begins {self.begins}: of a night write two")
        return self


class Shift(Pause):
    """Who is there from when to when. Who is in no shift is there the whole day."""

    agents: Annotated[list[Name], Field(min_length=1)]
    breaks: list[Pause] = Field(default_factory=list)


class Menus(Part):
    """How callers get through what is before a queue."""

    prompt_s: Annotated[float, Field(ge=0, le=600)] = 4.0            # whatever is played once
    key_s: Annotated[float, Field(ge=0.1, le=60)] = 2.0              # from one key to the next
    patience_s: Annotated[float, Field(ge=1, le=3600)] = 300.0       # then they hang up, outside of queues


Known = str | int | float | bool


class Scenario(Part):
    box: str                                      # the branch's configuration document
    day: date = date(2026, 1, 5)                  # a Monday: calendars look at it
    timezone: Annotated[str, AfterValidator(_known_zone)] | None = None      # None: that of the calendars
    begins: Clock = "00:00"
    ends: Clock = "24:00"                         # no calls from then on; those that are there are served
    warm_up_s: Seconds = 0.0                      # calls that come before are not counted
    interval_min: Annotated[int, Field(ge=1, le=1440)] = 15
    seed: Annotated[int, Field(ge=0)] = 1
    replications: Annotated[int, Field(ge=1, le=1000)] = 5
    arrivals: Annotated[list[Arrivals], Field(min_length=1)]
    patience: AnyChance = Exponential(kind="exponential", mean_s=180.0)
    handling: AnyChance = LogNormal(kind="log-normal", mean_s=180.0)
    queues: dict[Name, Served] = Field(default_factory=dict)
    agents: Habits = Habits()
    shifts: list[Shift] = Field(default_factory=list)
    menus: Menus = Menus()
    lookups: dict[Name, dict[str, Known]] = Field(default_factory=dict)      # what a source answers
    threshold_s: Annotated[float, Field(ge=0, le=3600)] | None = None        # in place of each queue's own
    short_abandon_s: Annotated[float, Field(ge=0, le=3600)] = 5.0    # who hangs up sooner has not waited

    @field_validator("day", mode="before")
    @classmethod
    def _a_day(cls, value: Any) -> Any:
        return date.fromisoformat(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _forward(self) -> "Scenario":
        if clock_s(self.ends) <= clock_s(self.begins):
            raise ValueError(f"ends {self.ends} is not after begins {self.begins}")
        return self


def mistakes(scenario: Scenario, config: Config) -> Iterator[Mistake]:
    """What does not fit the branch: (keys, sentence)."""
    queues = [queue.name for queue in config.centre.queues]
    agents = [agent.name for agent in config.centre.agents]
    trunks = sorted({span.trunk for span in config.spans})
    for name in scenario.queues:
        yield from _unknown(("queues", name), "queue", name, queues)
    for place, shift in enumerate(scenario.shifts):
        for name in shift.agents:
            yield from _unknown(("shifts", place, "agents"), "agent", name, agents)
    for place, row in enumerate(scenario.arrivals):
        if row.queue is not None:
            yield from _unknown(("arrivals", place, "queue"), "queue", row.queue, queues)
        if row.trunk is not None:
            yield from _unknown(("arrivals", place, "trunk"), "trunk", row.trunk, trunks)
        else:
            try:
                trunk(config.centre, row)
            except ValueError as error:
                yield ("arrivals", place), str(error)


def zone(scenario: Scenario, config: Config) -> ZoneInfo:
    """Of the day: the scenario's, else that of the calendars if it is one, else UTC."""
    zones = {calendar.timezone for calendar in config.centre.calendars if calendar.timezone}
    return ZoneInfo(scenario.timezone or (zones.pop() if len(zones) == 1 else "UTC"))


def _unknown(keys: tuple[int | str, ...], what: str, name: str, known: list[str]) -> Iterator[Mistake]:
    if name not in known:
        yield keys, f"no {what} is called {name!r}, there are {', '.join(known) or 'none'}"


def trunk(centre: CentreConfig, row: Arrivals) -> str:
    """Where the calls of a row come in. ValueError: the scenario has to say it."""
    if row.trunk is not None:
        return row.trunk
    trunks = sorted({route.trunk for route in centre.inbound if row.called in (None, route.called)})
    if len(trunks) != 1:
        numbers = sorted({route.called for route in centre.inbound})
        raise ValueError(f"trunk: say where the calls come in: {row.called or 'the queue'} is reached from "
                         f"{', '.join(trunks) or 'none'}, there are {', '.join(numbers) or 'no numbers'}")
    return trunks[0]
