"""What becomes of calls that arrive: calendars, lists, regions and the table of entry rules, as types."""

import re
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from appliance.config.country import Country
from appliance.config.part import Name, Number, Part
from appliance.config.pattern import LONGEST
from appliance.config.queues import Grade, Priority, Skills

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")       # as date.weekday()
DAY_MINUTES = 24 * 60
LONGEST_SPECIAL = 366                             # days in a row

_STRETCH = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
_CALLED = re.compile(rf"[0-9*#+xX]{{1,{LONGEST}}}")
_CALLER = re.compile(rf"\+?[0-9]{{1,{LONGEST - 1}}}\*?|\*")


def minutes(stretch: str) -> tuple[int, int]:
    """'22:00-06:00' as minutes of its day, the end in the day after: (1320, 1800). ValueError: no stretch."""
    found = _STRETCH.fullmatch(stretch)
    if found is None:
        raise ValueError(f"{stretch!r}: write hours like 09:00-12:00")
    hours = [int(number) for number in found.groups()]
    first, last = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if max(hours[1], hours[3]) > 59 or first >= DAY_MINUTES or last > DAY_MINUTES:
        raise ValueError(f"{stretch!r}: a day has 00:00 to 24:00")
    if first == last:
        raise ValueError(f"{stretch!r}: begins where it ends: the whole day is 00:00-24:00")
    return first, last if last > first else last + DAY_MINUTES


def weekdays(key: str) -> list[Weekday]:
    """'mon-fri' or 'sat' as days. ValueError: neither."""
    first, dash, last = key.partition("-")
    if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
        raise ValueError(f"{key!r}: write a day or days like mon-fri, of {', '.join(WEEKDAYS)}")
    begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last if dash else first)
    if end < begin:
        raise ValueError(f"{key!r}: the week begins on mon: write {first}-sun and mon-{last}")
    return list(WEEKDAYS[begin:end + 1])


def _a_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _apart(stretches: list[str]) -> list[str]:
    spans = sorted((minutes(one), one) for one in stretches)
    for ((_, end), one), ((begin, _), other) in pairwise(spans):
        if begin < end:
            raise ValueError(f"{one} and {other} overlap: write them as one")
    return stretches


def _a_date(value: object) -> object:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _called(text: str) -> str:
    if not _CALLED.fullmatch(text.removesuffix("*") or text):
        raise ValueError(f"{text!r}: write a number; x for any digit, * at the end for any rest")
    return text


def _caller(text: str) -> str:
    if not _CALLER.fullmatch(text):
        raise ValueError(f"{text!r}: write a number, or its beginning and *")
    return text


Stretches = Annotated[list[str], BeforeValidator(_a_list), AfterValidator(_apart)]
Date = Annotated[date, BeforeValidator(_a_date)]
Names = Annotated[list[Name], BeforeValidator(_a_list)]
Grades = Annotated[list[Grade], BeforeValidator(_a_list)]
Texts = Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], BeforeValidator(_a_list)]
CalledNumbers = Annotated[list[Annotated[str, AfterValidator(_called)]], BeforeValidator(_a_list)]
CallerNumbers = Annotated[list[Annotated[str, AfterValidator(_caller)]], BeforeValidator(_a_list)]
Cause = Annotated[int, Field(ge=1, le=127)]       # Q.850


class DayConfig(Part):
    """A day, or days in a row, unlike the week's: with hours of their own, or another weekday's."""

    date: Date
    to: Date | None = None                        # the last one; only `date` otherwise
    hours: Stretches | None = None                # []: closed
    like: Weekday | None = None                   # a working Saturday: mon
    note: Annotated[str, Field(max_length=64)] = ""

    @model_validator(mode="after")
    def _one_meaning(self) -> "DayConfig":
        if (self.hours is None) == (self.like is None):
            raise ValueError("give hours ([]: closed) or like (a weekday), one of them")
        if self.to is not None and not 0 <= (self.to - self.date).days < LONGEST_SPECIAL:
            raise ValueError(f"to: not before {self.date} and at most {LONGEST_SPECIAL} days in all")
        return self


class CalendarConfig(Part):
    """When somebody is there. A day is as `days` has it, else the country's holidays, else the week."""

    name: Name
    timezone: str | None = None                   # IANA's name; the box's own otherwise
    hours: dict[str, Stretches]                   # days -> when open; a day that is not here is closed
    holidays: Country | None = None        # closed on its public holidays, open on make-up working days
    region: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,3}$")] | None = None          # ISO 3166-2, of holidays
    on_holidays: Stretches = Field(default_factory=list)             # hours of public holidays
    working_day: Weekday = "mon"                  # whose hours a make-up working day has
    days: list[DayConfig] = Field(default_factory=list)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, timezone: str | None) -> str | None:
        if timezone is not None:
            try:
                ZoneInfo(timezone)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise ValueError(f"{timezone!r}: no time zone of IANA's; e.g. Asia/Shanghai") from None
        return timezone

    @field_validator("hours")
    @classmethod
    def _days_once(cls, hours: dict[str, list[str]]) -> dict[str, list[str]]:
        given = [day for key in hours for day in weekdays(key)]
        if twice := sorted({day for day in given if given.count(day) > 1}):
            raise ValueError(f"{', '.join(twice)}: more than one entry has hours for this day")
        return hours

    @model_validator(mode="after")
    def _makes_sense(self) -> "CalendarConfig":
        if self.holidays is None and (self.region or self.on_holidays):
            raise ValueError("region and on_holidays go with holidays: of which country?")
        spans = sorted((one.date, one.to or one.date) for one in self.days)
        for (_, end), (begin, _) in pairwise(spans):
            if begin <= end:
                raise ValueError(f"days: {begin} is there twice")
        return self


class ListConfig(Part):
    """Numbers with what is known of them: important customers, unwanted callers."""

    name: Name
    file: str                                     # CSV: number, grade, note, expires


class RegionGroupConfig(Part):
    """Regions that are served alike."""

    name: Name
    of: Annotated[Texts, Field(min_length=1)]     # a region, or REGION/PLACE in it


class RegionsConfig(Part):
    """Where callers are, by their numbers. China's area codes are known."""

    tables: Annotated[list[str], BeforeValidator(_a_list)] = Field(default_factory=list)     # CSV files
    groups: list[RegionGroupConfig] = Field(default_factory=list)

    @model_validator(mode="after")
    def _groups_once(self) -> "RegionsConfig":
        names = [group.name for group in self.groups]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"groups: {', '.join(twice)}: is there twice")
        return self


class ForwardConfig(Part):
    """To somebody outside, or at an extension of another trunk."""

    number: Number                                # as it goes out
    trunk: Name | None = None                     # where it leaves; the one that the call came by otherwise
    show: Literal["caller", "called"] | Number = "caller"            # as whose number
    deflect: bool = True                          # let the network do it, where the line can
    join: bool = True                             # after the answer let the network join both, where it can
    ring_s: Annotated[float, Field(ge=5, le=180)] = 30.0
    unanswered: str | None = None                 # a flow's file: for who reaches nobody
    record: bool = False


def _a_forward(value: object) -> object:
    return {"number": value} if isinstance(value, str) else value


class Destination(Part):
    """Where a call goes: one of these."""

    flow: str | None = None                       # a YAML file
    forward: Annotated[ForwardConfig | None, BeforeValidator(_a_forward)] = None
    voicemail: Name | None = None                 # a box to leave a message in
    announce: Texts = Field(default_factory=list)                    # prompts, then the end
    reject: Cause | None = None                   # not answered

    @property
    def given(self) -> list[str]:
        """The keys of it that are there."""
        return [key for key in DESTINATIONS if getattr(self, key) not in (None, [])]


DESTINATIONS = tuple(Destination.model_fields)


class ClosedConfig(Destination):
    """What to do with calls while the calendar is closed."""

    @model_validator(mode="after")
    def _exactly_one(self) -> "ClosedConfig":
        if len(self.given) != 1:
            raise ValueError(f"give one of {', '.join(DESTINATIONS)}")
        return self


class EntryRule(Destination):
    """A row of the table: every condition that is given must hold. Without a destination what it says about
    the call is noted, and the next rules are looked at."""

    name: Name
    trunks: Names = Field(default_factory=list)
    called: CalledNumbers = Field(default_factory=list)
    callers: CallerNumbers = Field(default_factory=list)             # numbers, or beginnings with *
    withheld: bool | None = None                  # the caller shows no number
    regions: Texts = Field(default_factory=list)  # REGION, REGION/PLACE or a group
    lists: Names = Field(default_factory=list)    # the caller is in one of them
    grades: Grades = Field(default_factory=list)  # with one of these
    calendar: Name | None = None
    when: Literal["open", "closed"] | None = None            # of the calendar; None: closed

    priority: Priority | None = None              # in place of the queue's
    grade: Grade | None = None                    # of the customer, in place of the list's
    language: Literal["zh", "en"] | None = None   # in place of the flow's
    skills: Skills = Field(default_factory=dict)  # asked for beside the queue's

    @model_validator(mode="after")
    def _does_something(self) -> "EntryRule":
        if len(self.given) > 1:
            raise ValueError(f"goes to {' and '.join(self.given)}: one of them")
        if not (self.given or self.notes):
            raise ValueError(f"does nothing: give one of {', '.join(DESTINATIONS)}, or priority, grade, "
                             "language, skills")
        if self.when and self.calendar is None:
            raise ValueError("when: of which calendar?")
        if self.grades and not self.lists:
            raise ValueError("grades: of which lists?")
        return self

    @property
    def notes(self) -> bool:
        """It says something about the call; lists do by what they have of the caller."""
        return bool(self.priority is not None or self.grade or self.language or self.skills or self.lists)


CONDITIONS = ("trunks", "called", "callers", "withheld", "regions", "lists", "grades", "calendar", "when")


class InboundRoute(Part):
    """A number that callers dial: where they go whom no entry rule has taken."""

    trunk: Name
    called: Number
    flow: str                                     # a YAML file
    calendar: Name | None = None
    closed: ClosedConfig | None = None            # in place of the flow while that is closed

    @model_validator(mode="after")
    def _closed_by_a_calendar(self) -> "InboundRoute":
        if (self.calendar is None) != (self.closed is None):
            raise ValueError("calendar and closed go together: give both or none")
        return self
