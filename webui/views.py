"""Facts of the bus -> what a fragment of a page shows. Pure; equal views make equal fragments."""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.bus.messages import AgentInfo, ContactInfo, DaemonHealth, RecorderWarning, SegmentInfo
from webui.mirror import Floor, Numbers
from webui.seen import Reached

LANES = ("flow", "callback", "queue", "ring", "dial", "talk", "hold", "consult", "conference", "transfer",
         "park", "forward", "outside", "message", "survey")
MARK_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
MOST_MARKS = 8


@dataclass(frozen=True, slots=True)
class Cell:
    """One B-channel."""

    timeslot: int
    state: str
    numbers: Numbers | None
    draining: bool = False                        # taken out of use when its call ends


@dataclass(frozen=True, slots=True)
class SpanView:
    name: str
    trunk: str
    line_up: bool | None                          # None: not told yet
    alarms: tuple[str, ...]
    link_up: bool | None
    link_since: float
    cells: tuple[Cell, ...]
    stale: bool

    @property
    def busy(self) -> int:
        return sum(cell.state == "busy" for cell in self.cells)


def span_view(floor: Floor, name: str) -> SpanView:
    line, channels, link = floor.spans.get(name), floor.channels.get(name), floor.links.get(name)
    link_up = channels.link_up if channels else link.up if link else None
    by_timeslot = sorted(channels.channels, key=lambda one: one.timeslot) if channels else []
    return SpanView(
        name=name, trunk=channels.trunk if channels else "",
        line_up=line.up if line else None, alarms=tuple(sorted(line.alarms)) if line else (),
        link_up=link_up, link_since=link.since if link and link.up == link_up else 0.0,
        cells=tuple(Cell(one.timeslot, one.state, floor.numbers.get(one.leg),
                         one.blocked and one.state == "busy") for one in by_timeslot),
        stale=bool(floor.away & {"spand", "trunkd"}))


@dataclass(frozen=True, slots=True)
class Figures:
    """The row of large numbers."""

    calls: int
    waiting: int
    oldest_since: float                           # 0: nobody waits
    ready: int
    agents: int
    busy: int
    channels: int
    stale: bool


def figures(floor: Floor) -> Figures:
    board = floor.board
    cells = [channel for span in floor.channels.values() for channel in span.channels]
    waits = [queue.oldest_since for queue in board.queues if queue.oldest_since] if board else []
    return Figures(
        calls=len(live_contacts(floor)),
        waiting=sum(len(queue.waiting) for queue in board.queues) if board else 0,
        oldest_since=min(waits, default=0.0),
        ready=sum(agent.state == "ready" for agent in board.agents) if board else 0,
        agents=sum(agent.state != "logged-out" for agent in board.agents) if board else 0,
        busy=sum(cell.state == "busy" for cell in cells), channels=len(cells),
        stale="acdd" in floor.away)


def live_contacts(floor: Floor) -> list[ContactInfo]:
    """Longest running first."""
    live = [one for one in floor.board.contacts if one.state != "ended"] if floor.board else []
    return sorted(live, key=lambda one: (one.began_at, one.contact))


def in_state_since(contact: ContactInfo) -> float:
    """When the contact's present segment began."""
    return contact.segments[-1].began_at if contact.segments else contact.began_at


@dataclass(frozen=True, slots=True)
class Waiting:
    contact: str
    calling: str
    withheld: bool
    since: float                                  # 0: not known


@dataclass(frozen=True, slots=True)
class QueueView:
    name: str
    waiting: tuple[Waiting, ...]
    oldest_since: float
    callbacks: int                                # promised
    unreachable: int                              # of those waiting: no agent may serve them


def queue_views(floor: Floor) -> list[QueueView]:
    if not floor.board:
        return []
    contacts = {one.contact: one for one in floor.board.contacts}
    return [QueueView(queue.name, tuple(_waiting(name, contacts.get(name)) for name in queue.waiting),
                      queue.oldest_since, queue.callbacks, len(queue.unreachable))
            for queue in floor.board.queues]


def _waiting(name: str, contact: ContactInfo | None) -> Waiting:
    if contact is None:
        return Waiting(name, "", False, 0.0)
    began = [segment.began_at for segment in contact.segments if segment.kind == "queue"]
    return Waiting(name, _party(contact), contact.withheld, began[-1] if began else contact.began_at)


@dataclass(frozen=True, slots=True)
class AgentView:
    info: AgentInfo
    party: str                                    # who the agent talks to: "" for nobody


def agent_views(floor: Floor) -> list[AgentView]:
    """By name, those who are not here last."""
    if not floor.board:
        return []
    contacts = {one.contact: one for one in floor.board.contacts}
    return [AgentView(agent, _party(contacts.get(agent.contact)))
            for agent in sorted(floor.board.agents, key=lambda one: (one.state == "logged-out", one.name))]


def _party(contact: ContactInfo | None) -> str:
    if contact is None:
        return ""
    return contact.calling if contact.direction == "in" else contact.called


def daemons(floor: Floor) -> list[DaemonHealth]:
    return list(floor.health.daemons) if floor.health else []


# (daemon, figure of its heartbeat, from how much on): a word of WORDS["trouble"] in texts.py
TROUBLES = (
    ("spand", "realtime_refused", 1), ("spand", "memory_not_locked", 1),
    ("spand", "ring_lacks_octets", 1), ("spand", "ring_refused", 1), ("spand", "failures", 1),
    ("recordd", "lost_s", 0.01),
    ("boxd", "backup_failed", 1), ("boxd", "backup_overdue", 1),
)


# Those that count from the daemon's start on: they stay until somebody has seen them.
COUNTED = frozenset({"ring_refused", "failures", "lost_s"})


@dataclass(frozen=True, slots=True)
class Trouble:
    figure: str
    reached: Reached | None = None                # None: it goes by itself when it is over


def troubles(floor: Floor, seen: Mapping[str, Reached]) -> list[Trouble]:
    """What daemons that are up say is wrong and nobody has seen yet: it grew since, or counts anew."""
    up = {one.daemon: one for one in daemons(floor) if one.state == "up"}
    found = []
    for name, figure, least in TROUBLES:
        daemon = up.get(name)
        if daemon is None or (count := daemon.facts.get(figure, 0)) < least:
            continue
        since, most = seen.get(figure, (0.0, 0.0))
        if figure not in COUNTED:
            found.append(Trouble(figure))
        elif since != daemon.started_at or count > most:
            found.append(Trouble(figure, (daemon.started_at, count)))
    return found


# Of spand's figures, with it on the health line: words of WORDS["timing"].
TIMING = ("late_ticks", "tick_ms_p999", "stall_s_max", "slips")


def warnings(floor: Floor) -> list[RecorderWarning]:
    """What recordd says somebody has to see to, the oldest first."""
    return list(floor.recorder.warnings) if floor.recorder else []


def timing(daemon: DaemonHealth) -> list[tuple[str, float]]:
    """How well audio keeps time, in the order of TIMING."""
    facts = daemon.facts if daemon.daemon == "spand" else {}
    return [(name, facts[name]) for name in TIMING if name in facts]


@dataclass(frozen=True, slots=True)
class Bar:
    """A segment on the time axis, in per cent of the whole."""

    segment: SegmentInfo
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Timeline:
    lanes: tuple[tuple[str, tuple[Bar, ...]], ...]                  # kind, bars
    marks: tuple[tuple[float, int], ...]          # per cent, seconds


def timeline(contact: ContactInfo, now: float) -> Timeline:
    """The contact's segments as lanes of bars, one lane per kind that occurs."""
    began = min([contact.began_at, *(segment.began_at for segment in contact.segments)])
    ends = [contact.ended_at or now, *(segment.ended_at for segment in contact.segments)]
    whole_s = max(max(ends) - began, 0.5)
    kinds = [*LANES, *sorted({segment.kind for segment in contact.segments} - set(LANES))]
    lanes = []
    for kind in kinds:
        bars = tuple(_bar(segment, began, contact.ended_at or now, whole_s)
                     for segment in contact.segments if segment.kind == kind)
        if bars:
            lanes.append((kind, bars))
    step_s = next((step for step in MARK_STEPS_S if whole_s / step <= MOST_MARKS), 86400)
    marks = tuple((round(100 * at / whole_s, 3), at) for at in range(0, int(whole_s) + 1, step_s))
    return Timeline(tuple(lanes), marks)


def _bar(segment: SegmentInfo, began: float, end: float, whole_s: float) -> Bar:
    left = 100 * (segment.began_at - began) / whole_s
    width = 100 * (max(segment.ended_at or end, segment.began_at) - segment.began_at) / whole_s
    width = max(width, 0.4)                       # a segment of no length is still to be seen
    return Bar(segment, round(min(left, 100 - width), 3), round(width, 3))


def waited_s(contact: ContactInfo, now: float) -> float:
    """From joining the first queue to the first talk, ringing at agents included; to the end without one."""
    joined = min((segment.began_at for segment in contact.segments if segment.kind == "queue"), default=0.0)
    talked = min((segment.began_at for segment in contact.segments
                  if segment.kind == "talk" and segment.began_at >= joined), default=contact.ended_at or now)
    return talked - joined if joined else 0.0


def recorded(contact: ContactInfo) -> list[SegmentInfo]:
    """Segments with a recording, each recording once."""
    return list({segment.recording: segment for segment in contact.segments if segment.recording}.values())
