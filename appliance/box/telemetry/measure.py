"""A row of the table of measures: what is told of the box as a series, to InfluxDB and Prometheus alike."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from appliance.box.telemetry.seen import Seen

PREFIX = "branchline_"

# A counter only grows, and begins again from 0 when its daemon does.
Kind = Literal["counter", "gauge"]
Unit = Literal["", "bool", "seconds", "bytes", "celsius", "volts", "rpm", "decibels", "ratio", "timestamp"]
Readings = Iterable[tuple[tuple[str, ...], float]]                   # labels' values, figure


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure. Its name at Prometheus is its measurement and its field at InfluxDB, joined by `_`.

    `read` gives a figure for each set of labels; one that is not known is not given, never 0.
    """

    group: str
    field: str
    kind: Kind
    unit: Unit                                    # "": a number of what the name says; bool: 0 or 1
    labels: tuple[str, ...]
    en: str
    zh: str
    read: Callable[[Seen], Readings]

    @property
    def measurement(self) -> str:
        return PREFIX + self.group

    @property
    def name(self) -> str:
        return f"{self.measurement}_{self.field}"
