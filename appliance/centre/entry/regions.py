"""Where a caller is, by his number: the longest beginning that a table has.

Ref: china.csv has the area codes of China's fixed lines as they are now (cities that share a code are listed
together), Hong Kong, Macau and Taiwan. Mobile numbers need a table of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from appliance.centre.entry.lists import Beginnings
from appliance.centre.entry.numbers import Numbers
from appliance.centre.entry.tables import read_table
from appliance.config.entry import RegionGroupConfig
from appliance.config.lines import NumbersConfig
from appliance.errors import ConfigError

BUILT_IN = Path(__file__).with_name("china.csv")
_NOWHERE = "the tables have no such region"


@dataclass(frozen=True, slots=True)
class Region:
    """`places`: towns within it, one or those that share a code."""

    name: str
    places: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}/{' '.join(self.places)}" if self.places else self.name

    def is_in(self, wanted: str) -> bool:
        """`wanted`: a region, or REGION/PLACE."""
        name, _, place = wanted.partition("/")
        return name == self.name and (not place or place in self.places)


@dataclass(slots=True)
class Regions:
    """All tables, and the groups of regions that are served alike: names -> members."""

    _groups: dict[str, list[str]] = field(default_factory=dict)
    _known: Beginnings[Region] = field(default_factory=Beginnings)
    _all: dict[Region, Region] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._known)

    def load(self, path: Path, numbers: Numbers) -> None:
        """A CSV file with the columns prefix, region, place. ConfigError: every mistake with its line.

        A table that is loaded first goes before the others."""
        here: dict[str, int] = {}

        def take(values: list[str], line: int) -> None:
            prefix, name, places = values
            if not (prefix.removeprefix("+").isdecimal() and prefix.isascii() and name and "/" not in name):
                raise ValueError("a row is the beginning of a number, a region, and perhaps a place: "
                                 "0755,广东,深圳")
            region = Region(name, tuple(places.split()))
            region = self._all.setdefault(region, region)
            if here.setdefault(prefix, line) != line:
                raise ValueError(f"prefix: {prefix} is there twice, first in line {here[prefix]}")
            for beginning in numbers.beginnings(prefix):
                self._known.add(beginning, region)

        read_table(path, ["prefix", "region"], ["place"], take)

    def find(self, number: str) -> Region | None:
        """Of a canonical number; None: no table has it."""
        return self._known.find(number)

    def group(self, region: Region | None) -> str:
        """The first one that it is in; "": none."""
        if region is None:
            return ""
        return next((name for name, members in self._groups.items() if any(map(region.is_in, members))), "")

    def matches(self, region: Region | None, wanted: str) -> bool:
        """`wanted`: REGION, REGION/PLACE or the name of a group."""
        if region is None:
            return False
        return any(map(region.is_in, self._groups.get(wanted, [wanted])))

    def unknown(self, wanted: str) -> str:
        """Why nobody can be there; "": somebody can."""
        if wanted in self._groups or any(region.is_in(wanted) for region in self._all):
            return ""
        name = wanted.partition("/")[0]
        places = sorted({place for region in self._all if region.name == name for place in region.places})
        if places:
            return f"{wanted!r}: {name} has no such place, it has {', '.join(places)}"
        return f"{wanted!r}: {_NOWHERE}, they have {', '.join(sorted({one.name for one in self._all}))}"

    def check(self) -> None:
        """ConfigError: a group has members that no table has."""
        wrong = [f"centre.regions.groups: {name}: {why}" for name, members in self._groups.items()
                 for member in members if (why := self.unknown(member))]
        if wrong:
            raise ConfigError("\n".join(wrong))


def load_regions(tables: Sequence[Path], groups: Sequence[RegionGroupConfig], numbers: Numbers) -> Regions:
    """The box's own tables go before what is built in. ConfigError: one of them cannot be read."""
    regions = Regions({group.name: group.of for group in groups})
    for table in tables:
        regions.load(table, numbers)
    regions.load(BUILT_IN, Numbers(NumbersConfig(country="CN")))
    regions.check()
    return regions
