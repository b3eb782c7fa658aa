"""Spans and trunks of the configuration document."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from appliance.config.part import Name, Number, Part, unique
from appliance.config.pattern import LONGEST
from appliance.config.timeslots import in_words, timeslots
from e1_driver import check_url

# Q.931's timers (9.1, 9.2) in s and its counts of attempts, as isdn.call.states.Timers has them
TIMER_NAMES = (
    "t301_s", "t302_s", "t303_s", "t304_s", "t305_s", "t306_s", "t308_s", "t309_s", "t310_s", "t313_s",
    "t314_s", "t316_s", "t317_s", "t322_s", "n303", "n308", "n316", "n322", "link_pause_s", "cold_restart_s")
PRIVATE_PROFILES = ("qsig", "ecma")           # symmetric ones: the far end is a PBX, whatever its side
LONGEST_TIMER_S = 3600.0
MOST_ATTEMPTS = 100
_BLOCK = re.compile(rf"[0-9]{{1,{LONGEST}}}(-[0-9]{{1,{LONGEST}}})?")


class SpanConfig(Part):
    """One E1 circuit."""

    name: Name
    url: str
    side: Literal["user", "network"]              # ours: user toward the telco, network toward a PBX
    trunk: Name                                   # spans of one trunk are one group of channels
    overlap: bool = False                         # numbers may come digit by digit (Q.931 5.1.3)
    channels: Literal["up", "down"] = "up"        # hunt from timeslot 1 up or 31 down; the far end the other
    profile: Literal["etsi", "china", "qsig", "ecma"] = "etsi"
    timers: dict[str, float] = Field(default_factory=dict)       # by name, in place of the profile's
    selection: Literal["preferred", "exclusive", "any", "none"] | None = None    # None: as the profile has it
    timeslots: str = "1-31"                       # the channels that are rented, e.g. 1-15
    incoming_only: str = ""                       # of them, e.g. 1-5,17
    outgoing_only: str = ""
    audit_s: Annotated[float, Field(ge=0, le=86400)] = 3600.0   # from proof to proof of an idle one; 0: none

    @field_validator("url")
    @classmethod
    def _known_backend(cls, url: str) -> str:
        return check_url(url)

    @field_validator("timers")
    @classmethod
    def _known_timers(cls, timers: dict[str, float]) -> dict[str, float]:
        for name, value in timers.items():
            if name not in TIMER_NAMES:
                raise ValueError(f"{name}: no such timer, there are {', '.join(TIMER_NAMES)}")
            if name.endswith("_s") and not 0 < value <= LONGEST_TIMER_S:
                raise ValueError(f"{name}: {value:g} s: write more than 0 and at most {LONGEST_TIMER_S:g}")
            if not name.endswith("_s") and value not in range(MOST_ATTEMPTS + 1):
                raise ValueError(f"{name}: {value:g}: write a whole number up to {MOST_ATTEMPTS}")
        return timers

    @field_validator("timeslots", "incoming_only", "outgoing_only")
    @classmethod
    def _are_timeslots(cls, text: str) -> str:
        return in_words(timeslots(text))

    @field_validator("timeslots")
    @classmethod
    def _has_channels(cls, text: str) -> str:
        if not text:
            raise ValueError("no timeslot: write those that the line has, e.g. 1-15")
        return text

    @model_validator(mode="after")
    def _one_way_or_the_other(self) -> "SpanConfig":
        both = set(timeslots(self.incoming_only)) & set(timeslots(self.outgoing_only))
        if both:
            raise ValueError(f"timeslots {in_words(both)}: in incoming_only and in outgoing_only, "
                             "no call could have them")
        return self

    @model_validator(mode="after")
    def _has_what_is_one_way(self) -> "SpanConfig":
        for key, text in (("incoming_only", self.incoming_only), ("outgoing_only", self.outgoing_only)):
            absent = set(timeslots(text)) - set(self.bearers)
            if absent:
                raise ValueError(f"{key}: timeslots {in_words(absent)}: the span has "
                                 f"{in_words(self.bearers)}")
        return self

    @property
    def bearers(self) -> tuple[int, ...]:
        """The timeslots of its channels."""
        return timeslots(self.timeslots)

    @property
    def directions(self) -> dict[int, Literal["in", "out"]]:
        """Timeslots that take calls in one direction only."""
        incoming: dict[int, Literal["in", "out"]] = dict.fromkeys(timeslots(self.incoming_only), "in")
        return incoming | dict.fromkeys(timeslots(self.outgoing_only), "out")


class ReservedConfig(Part):
    """Channels of a trunk kept for some of its calls."""

    name: Name
    direction: Literal["in", "out", "both"] = "both"
    called: list[Number] = Field(default_factory=list)               # calls to these numbers; empty: to any
    channels: Annotated[int, Field(ge=0)] = 0     # so many are kept for them
    most: Annotated[int, Field(ge=1)] | None = None          # and so many they may take

    @model_validator(mode="after")
    def _says_something(self) -> "ReservedConfig":
        if not self.channels and self.most is None:
            raise ValueError("neither channels nor most: say how many are kept, or may be taken at most")
        if self.most is not None and self.most < self.channels:
            raise ValueError(f"most is {self.most}, less than the {self.channels} that are kept")
        return self


class NumbersConfig(Part):
    """The number plan of a line: what a number on it means, and how the line wants it."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    area: Annotated[str, Field(pattern=r"^[0-9]{0,6}$")] = ""        # without the national prefix
    national_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,4}$")] | None = None     # None: the country's
    international_prefix: Annotated[str, Field(pattern=r"^[0-9]{1,6}$")] | None = None
    show: Literal["as-is", "dialled", "e164"] = "dialled"            # callers' numbers, to the box
    show_called: Literal["as-is", "dialled", "e164"] = "as-is"
    send_called: Literal["as-is", "dialled", "typed", "international"] = "dialled"    # to the line
    send_calling: Literal["as-is", "dialled", "typed", "international"] = "dialled"
    local: bool = False                           # dialled and typed: the own area without its code

    @field_validator("country")
    @classmethod
    def _known_country(cls, country: str) -> str:
        import phonenumbers  # here: 1.5 MB, of which only a document with a number plan has need

        if country not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"{country}: no country of ISO 3166-1 with a number plan; e.g. CN, DE, GB, US")
        return country

    @model_validator(mode="after")
    def _area_without_prefix(self) -> "NumbersConfig":
        """No area begins with 0 where numbers of other areas are dialled with 0 before them."""
        from phonenumbers import PhoneMetadata

        metadata = PhoneMetadata.metadata_for_region(self.country)
        of_country = metadata.national_prefix if metadata else None
        prefix = of_country if self.national_prefix is None else self.national_prefix
        if prefix == "0" and self.area.startswith("0"):
            raise ValueError(f"area {self.area}: write it without the national prefix, "
                             f"{self.area.removeprefix('0')}")
        return self

    @model_validator(mode="after")
    def _own_area_is_known(self) -> "NumbersConfig":
        if self.local and not self.area:
            raise ValueError("local needs area: which area's numbers go without their code?")
        return self


class CallerIdConfig(Part):
    """Which number calls show that go out on this trunk."""

    default: Number | None = None                 # where there is none, or one that is not allowed
    allowed: list[str] = Field(default_factory=list)                 # numbers, blocks 5000-5099; empty: any
    withhold: Literal["never", "asked", "unless-asked", "always"] = "asked"      # CLIR
    name: str | None = None                       # shown in place of the caller's; "": none

    @field_validator("allowed")
    @classmethod
    def _are_blocks(cls, allowed: list[str]) -> list[str]:
        for text in allowed:
            first, _, last = text.partition("-")
            last = last or first
            if not (_BLOCK.fullmatch(text) and len(first) == len(last) and first <= last):
                raise ValueError(f"{text!r}: write a number, or a block like 5000-5099, lowest first")
        return allowed

    @field_validator("name")
    @classmethod
    def _fits_display(cls, name: str | None) -> str | None:
        if name is not None and not (name.isascii() and (name.isprintable() or not name) and len(name) <= 32):
            raise ValueError("a name on the line has at most 32 ASCII characters")
        return name


class TrunkConfig(Part):
    """A group of channels toward one neighbour: all of the spans that name it."""

    name: Name
    hunting: Literal["balanced", "ascending", "descending", "longest-idle", "round-robin"] = "balanced"
    overflow: list[Name] = Field(default_factory=list)               # trunks for calls that it cannot take
    reserved: list[ReservedConfig] = Field(default_factory=list)
    numbers: NumbersConfig | None = None
    caller_id: CallerIdConfig = CallerIdConfig()
    emergency: list[Number] = Field(default_factory=list)            # beside the country's own

    @model_validator(mode="after")
    def _no_two(self) -> "TrunkConfig":
        wrong: list[str] = []
        unique(wrong, "reserved", [one.name for one in self.reserved])
        unique(wrong, "overflow", self.overflow)
        if self.name in self.overflow:
            wrong.append(f"overflow: {self.name!r} is this trunk itself")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


def trunk_mistakes(spans: list[SpanConfig],
                   trunks: list[TrunkConfig]) -> Iterator[tuple[list[int | str], str]]:
    """Where spans and trunks of one document contradict each other: the keys that lead there, a sentence."""
    members: dict[str, list[SpanConfig]] = {}
    for span in spans:
        members.setdefault(span.trunk, []).append(span)
    names = ", ".join(sorted(members))
    for place, trunk in enumerate(trunks):
        if trunk.name in [other.name for other in trunks[:place]]:
            yield ["trunks", place, "name"], f"{trunk.name!r} is there twice"
        if trunk.name not in members:
            yield ["trunks", place, "name"], f"no span has trunk {trunk.name!r}, they have {names}"
            continue
        for number, other in enumerate(trunk.overflow):
            if other not in members:
                yield ["trunks", place, "overflow", number], (
                    f"no span has trunk {other!r}, they have {names}")
        there = sum(len(span.bearers) for span in members[trunk.name])
        kept = sum(one.channels for one in trunk.reserved)
        if kept > there:
            yield ["trunks", place, "reserved"], f"{kept} channels are kept, {trunk.name} has {there}"
        overlap = next((span.name for span in members[trunk.name] if span.overlap), None)
        if trunk.numbers is not None and trunk.numbers.show_called != "as-is" and overlap:
            yield ["trunks", place, "numbers", "show_called"], (
                f"span {overlap} has overlap, a number that comes digit by digit is shown as-is")
