"""Groups of channels as their page shows them, and what a trunk would do with a call that goes out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.bus.messages import RouteExplained, TrunkInfo
from webui.mirror import Floor


@dataclass(frozen=True, slots=True)
class Member:
    """A span of a trunk."""

    name: str
    line_up: bool | None
    link_up: bool | None
    tested: bool
    counts: tuple[int, int, int, int, int]        # channels: all, idle, busy, out of use, out of service


@dataclass(frozen=True, slots=True)
class GroupView:
    """`info` None: trunkd does not tell its settings."""

    trunk: str
    members: tuple[Member, ...]
    info: TrunkInfo | None
    draining: int                                 # calls on channels that are going out of use
    stale: bool

    def total(self, place: int) -> int:
        return sum(member.counts[place] for member in self.members)

    @property
    def free_out(self) -> int:
        """Channels that a call could go out on, reservations apart."""
        return sum(member.counts[1] for member in self.members if member.link_up)


def group_views(floor: Floor, told: Sequence[TrunkInfo] | None) -> list[GroupView]:
    """By name; of trunks that trunkd told, and of those that spans have."""
    infos = {one.trunk: one for one in told or ()}
    names = sorted({*infos, *(states.trunk for states in floor.channels.values())})
    return [_group(floor, name, infos.get(name)) for name in names]


def _group(floor: Floor, name: str, info: TrunkInfo | None) -> GroupView:
    spans = sorted(span for span, states in floor.channels.items() if states.trunk == name)
    if info is not None:
        spans = [span for span in info.spans if span in floor.channels] or spans
    return GroupView(
        trunk=name, members=tuple(_member(floor, span) for span in spans), info=info,
        draining=sum(one.blocked and one.state == "busy"
                     for span in spans for one in floor.channels[span].channels),
        stale=bool(floor.away & {"trunkd", "spand"}))


def _member(floor: Floor, span: str) -> Member:
    states, line = floor.channels[span], floor.spans.get(span)
    counted = [one.state for one in states.channels]
    return Member(
        span, line.up if line else None, states.link_up, bool(line and line.lent),
        (len(counted), counted.count("idle"), counted.count("busy"), counted.count("blocked"),
         counted.count("out-of-service") + counted.count("restarting")))


@dataclass(frozen=True, slots=True)
class Leaving:
    """A trunk that a call which goes out would try, in its turn. takes: yes, full, down, unknown."""

    trunk: str
    takes: str
    free: int
    emergency: bool                               # the number is one that this trunk knows as such


def leaving(explained: RouteExplained, groups: Sequence[GroupView]) -> tuple[Leaving, ...]:
    """The trunk and those that it overflows to, up to the first that takes the call now."""
    known = {group.trunk: group for group in groups}
    tried: list[Leaving] = []
    if explained.kind != "out":
        return ()
    first = known.get(explained.trunk)
    names = [explained.trunk, *(first.info.overflow if first is not None and first.info else ())]
    for name in dict.fromkeys(names):
        group = known.get(name)
        if group is None:
            tried.append(Leaving(name, "unknown", 0, False))
            continue
        up = any(member.link_up for member in group.members)
        kept = sum(max(0, share.channels - share.used) for share in group.info.reserved) if group.info else 0
        free = max(0, group.free_out - kept)
        takes = "down" if not up else "yes" if free else "full"
        emergency = group.info is not None and explained.digits in group.info.emergency
        tried.append(Leaving(name, takes, free, emergency))
        if takes == "yes":
            break
    return tuple(tried)
