"""What boxd says and is asked of the board and of the box as a whole."""

from typing import ClassVar, Literal

import msgspec

from appliance.bus.messages.base import Done, Event, Reply, Request

State = Literal["ok", "degraded", "unfit"]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A measured figure of the board."""

    name: str                                     # of the sensor: "board", "processor"
    unit: str                                     # celsius, rpm
    value: float
    low: float | None = None                      # rpm: at least; celsius: warm from here on
    high: float | None = None                     # celsius: hot from here on


class Hardware(Event, frozen=True):
    """The board this box is. Said when an input changes, and every 10 s."""

    owner: ClassVar[str] = "boxd"
    at: float
    board: str                                    # its id; "": none is known, a laptop
    name: str = ""
    serial: str = ""                              # "": not known
    revision: str = ""
    inputs: dict[str, bool] = msgspec.field(default_factory=dict)    # relay, button, power_fail, on_battery,
                                                                     # battery_low: those that the board has
    readings: list[Reading] = msgspec.field(default_factory=list)
    watchdog_s: int = 0                           # 0: none is fed
    trouble: dict[str, str] = msgspec.field(default_factory=dict)    # part -> why it cannot be used


class HardwareReply(Reply, frozen=True):
    hardware: Hardware


class GetHardware(Request[HardwareReply], frozen=True):
    owner: ClassVar[str] = "boxd"


class Identify(Request[Done], frozen=True):
    """Let the box's identify light blink for so long; 0: no more. Refused: it has none."""

    owner: ClassVar[str] = "boxd"
    for_s: float = 60.0


class FitnessReason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a box is not well. Texts by language: en, zh."""

    code: str                                     # of appliance/box/fitness_rules.py
    about: str                                    # which daemon, span, sensor; "": the box
    state: State                                  # what it makes of the box
    since: float                                  # Unix time it began
    detail: str = ""                              # figures, the error's words
    text: dict[str, str] = msgspec.field(default_factory=dict)
    action: dict[str, str] = msgspec.field(default_factory=dict)     # what to do


class Fitness(Event, frozen=True):
    """How the box is as a whole. Said on change and every 10 s."""

    owner: ClassVar[str] = "boxd"
    at: float
    state: State
    since: float                                  # Unix time
    fit: bool                                     # the line is the box's; else the relay joins it to the PBX
    reasons: list[FitnessReason]                  # worst first
    powering_off: bool = False                    # the battery is nearly empty: the box stops by itself


class FitnessReply(Reply, frozen=True):
    fitness: Fitness


class GetFitness(Request[FitnessReply], frozen=True):
    owner: ClassVar[str] = "boxd"
