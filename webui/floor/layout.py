"""How somebody has arranged the floor: which figures at its top, which parts in which column, in which order.

As arguments of an address, so that every arrangement is a link; what is kept is the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import parse_qsl, urlencode

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from webui.floor.tiles import TILES, WIDE

FIGURES = tuple(name for name in TILES if name not in WIDE)
PARTS: Mapping[str, LazyString] = {
    "tree": _l("What is shown"), "lines": _l("Queues"), "calls": _l("Calls"), "agents": _l("Agents")}
COLUMNS = ("left", "middle", "right")


@dataclass(frozen=True, slots=True)
class Layout:
    """Nothing is there twice."""

    figures: tuple[str, ...] = ("waiting", "longest", "talking", "ready", "notready", "trunks")
    left: tuple[str, ...] = ("tree",)
    middle: tuple[str, ...] = ("lines", "calls")
    right: tuple[str, ...] = ("agents",)

    @property
    def columns(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Those where something is: how wide each is (narrow, side, wide), and what is in it."""
        return tuple((_width(parts), parts) for parts in (self.left, self.middle, self.right) if parts)

    @property
    def parts(self) -> frozenset[str]:
        return frozenset((*self.left, *self.middle, *self.right))

    def arguments(self) -> dict[str, str]:
        """Of an address."""
        return {field.name: ",".join(getattr(self, field.name)) for field in fields(self)}

    def text(self) -> str:
        return urlencode(self.arguments())

    def moved(self, name: str, by: int) -> "Layout":
        """So many places on in its list."""
        where = self._where(name)
        names: tuple[str, ...] = getattr(self, where)
        others = [one for one in names if one != name]
        others.insert(max(0, names.index(name) + by), name)
        return replace(self, **{where: tuple(others)})

    def without(self, name: str) -> "Layout":
        where = self._where(name)
        return replace(self, **{where: tuple(one for one in getattr(self, where) if one != name)})

    def put(self, name: str, where: str) -> "Layout":
        """Last in the list `where`, and nowhere else."""
        there = self.without(name) if self._has(name) else self
        return replace(there, **{where: (*getattr(there, where), name)})

    def aside(self, name: str, by: int) -> "Layout | None":
        """In the column so many to the right; None: there is none."""
        place = COLUMNS.index(self._where(name)) + by
        return self.put(name, COLUMNS[place]) if 0 <= place < len(COLUMNS) else None

    def _has(self, name: str) -> bool:
        return name in self.figures or name in self.parts

    def _where(self, name: str) -> str:
        return next(field.name for field in fields(self) if name in getattr(self, field.name))


def _width(parts: tuple[str, ...]) -> str:
    return "narrow" if parts == ("tree",) else "side" if set(parts) <= {"tree", "agents"} else "wide"


def of(arguments: Mapping[str, str]) -> Layout:
    """What it does not know (any more), or has twice, is left out; of nothing at all it is the usual one."""
    seen: set[str] = set()

    def names(key: str, known: Mapping[str, object] | tuple[str, ...]) -> tuple[str, ...]:
        asked = arguments.get(key, "").split(",")
        found = dict.fromkeys(one for one in asked if one in known and one not in seen)
        seen.update(found)
        return tuple(found)

    layout = Layout(names("figures", FIGURES), *(names(key, PARTS) for key in COLUMNS))
    return layout if layout.figures or layout.parts else Layout()


def read(text: str) -> Layout:
    """What text() has written."""
    return of(dict(parse_qsl(text)))
