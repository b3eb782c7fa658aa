"""Figures as tiles: large ones of the wall, small ones at the top of the floor."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from appliance.bus.messages import FigureValue
from webui.access.doors import range_of
from webui.floor import views
from webui.floor.blueprint import bp, known
from webui.floor.views import Filter, Seen, Strip, Values
from webui.mirror import Floor

COUNTS = frozenset({"offered", "answered", "abandoned"})           # figures that are no ratio
LEAST = frozenset({"service_level", "answered_share"})               # whose target is a least
BAD = 2.0                                         # times the target

STATES = ("talking", "ringing", "wrap-up", "ready", "not-ready", "unreachable")
_AS = {"held": "talking", "consulting": "talking", "reserved": "ringing"}     # as the wall counts them


@dataclass(frozen=True, slots=True)
class Tile:
    """`value`: a count, a share of 1, s, or None for what is not known. `tone`: good, warn, bad, ""."""

    name: str
    kind: str                                     # count, share, s, since, agents, queues
    value: float | None = None
    of: float | None = None                       # out of so many
    target: float | None = None
    tone: str = ""
    states: tuple[tuple[str, int], ...] = ()
    queues: tuple[views.QueueRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Sources:
    seen: Seen
    strip: Strip
    today: Values
    half_hour: Values
    queues: tuple[str, ...] | None                # these alone; None: all together
    now: float

    def figure(self, values: Values, name: str) -> FigureValue | None:
        return values.get("", {}).get(name) if self.queues is None else together(values, self.queues, name)


def together(values: Values, queues: tuple[str, ...], name: str) -> FigureValue | None:
    """Of some queues: what is above and below the line of each, added up. The target, when they have one."""
    rows = [found for queue in queues if (found := values.get(queue, {}).get(name)) is not None]
    if len(rows) < 2:
        return rows[0] if rows else None
    top, whole = sum(row.top for row in rows), name in COUNTS
    bottom = 1.0 if whole else sum(row.bottom for row in rows)
    value, targets = top / bottom if bottom else None, {row.target for row in rows}
    target = rows[0].target if len(targets) == 1 else None
    kept = None
    if value is not None and target is not None:
        kept = value >= target if name in LEAST else value <= target
    return FigureValue(value=value, top=top, bottom=bottom, target=target, kept=kept)


def _share(name: str, values: Callable[[Sources], Values], figure: str) -> Callable[[Sources], Tile]:
    def tile(sources: Sources) -> Tile:
        found = sources.figure(values(sources), figure)
        return _of_target(name, "share", found)
    return tile


def _of_target(name: str, kind: str, found: FigureValue | None) -> Tile:
    if found is None or found.value is None:
        return Tile(name, kind, target=found.target if found else None)
    tone = {True: "good", False: "bad", None: ""}[found.kept]
    return Tile(name, kind, found.value, target=found.target, tone=tone)


def _waiting(sources: Sources) -> Tile:
    waiting, ready = sources.strip.waiting, sources.strip.ready
    return Tile("waiting", "count", waiting, tone="good" if not waiting else "warn" if ready else "bad")


def _longest(sources: Sources) -> Tile:
    """Compared with the target of the average speed of answer: late from it on, bad from twice as much on."""
    since, found = sources.strip.oldest_since, sources.figure(sources.today, "asa_s")
    target, tone = found.target if found else None, "" if since else "good"
    if since and target:
        waited_s = sources.now - since
        tone = "good" if waited_s < target else "warn" if waited_s < BAD * target else "bad"
    return Tile("longest", "since", since or None, target=target, tone=tone)


def _ready(sources: Sources) -> Tile:
    strip = sources.strip
    tone = "good" if strip.ready else "bad" if strip.waiting or not strip.here else "warn"
    return Tile("ready", "count", strip.ready, of=strip.here, tone=tone)


def _count(name: str, figure: str) -> Callable[[Sources], Tile]:
    def tile(sources: Sources) -> Tile:
        found = sources.figure(sources.today, figure)
        return Tile(name, "count", found.value if found else 0.0)
    return tile


def _abandoned(sources: Sources) -> Tile:
    found, share = (sources.figure(sources.today, name) for name in ("abandoned", "abandonment"))
    tone = "" if share is None or share.kept is None else "good" if share.kept else "bad"
    return Tile("abandoned", "count", found.value if found else 0.0, tone=tone,
                target=share.target if share else None)


def _agents(sources: Sources) -> Tile:
    counted = Counter(_AS.get(one.state, one.state) for one in sources.seen.agents)
    return Tile("agents", "agents", states=tuple((state, counted[state]) for state in STATES))


TILES: dict[str, tuple[LazyString, Callable[[Sources], Tile]]] = {
    "waiting": (_l("Waiting"), _waiting),
    "longest": (_l("Longest wait"), _longest),
    "level30": (_l("Service level, last 30 min"),
                _share("level30", lambda sources: sources.half_hour, "service_level")),
    "level": (_l("Service level today"), _share("level", lambda sources: sources.today, "service_level")),
    "ready": (_l("Agents ready"), _ready),
    "talking": (_l("Talking"), lambda sources: Tile(
        "talking", "count", sources.strip.talking_in + sources.strip.talking_out)),
    "abandoned": (_l("Abandoned today"), _abandoned),
    "asa": (_l("Average wait today"), lambda sources: _of_target(
        "asa", "s", sources.figure(sources.today, "asa_s"))),
    "queues": (_l("Queues"), lambda sources: Tile(
        "queues", "queues", queues=views.queue_rows(sources.seen, sources.today))),
    "agents": (_l("Agents by state"), _agents),
    "answered": (_l("Answered today"), _count("answered", "answered")),
    "share": (_l("Answer rate today"), _share("share", lambda sources: sources.today, "answered_share")),
    "notready": (_l("Not ready"), lambda sources: Tile("notready", "count", sources.strip.not_ready)),
    "trunks": (_l("Channels busy"), lambda sources: Tile(
        "trunks", "count", sources.strip.busy, of=sources.strip.channels,
        tone="bad" if sources.strip.channels and sources.strip.busy == sources.strip.channels else "")),
}
WIDE = frozenset({"queues", "agents"})             # of the wall alone


@bp.app_template_filter("tile_title")
def _title(name: str) -> str:
    return str(TILES[name][0])


def made(now: Floor, seen: Seen, chosen: Filter, names: Iterable[str]) -> tuple[Tile, ...]:
    """Of what `seen` has of the floor through `chosen`, for whoever has signed in."""
    limited = range_of(current_user).queues is not None
    of = (chosen.queue,) if chosen.queue else tuple(one.name for one in seen.queues) if limited else None
    sources = Sources(seen, views.strip(now, seen, chosen.trunk), known().today(), known().half_hour(), of,
                      time.time())
    return tuple(TILES[name][1](sources) for name in names)
