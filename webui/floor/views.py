"""The board -> what the floor's pages show, within somebody's range and filter. Pure; equal views make equal
fragments."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from appliance.bus.messages import (
    AgentInfo,
    Board,
    ContactInfo,
    ContactOffer,
    FigureValue,
    QueueInfo,
    SegmentInfo,
    SupervisorInfo,
)
from webui.mirror import Floor
from webui.views import in_state_since

GONE = "logged-out"
Crew = Mapping[str, tuple[str, ...]]              # agent -> queues
Values = Mapping[str, Mapping[str, FigureValue]]  # queue, "" all -> figure -> value


@dataclass(frozen=True, slots=True)
class Filter:
    """Of a queue, a group of agents, one agent, a trunk; "": of all. Several: what is of each of them."""

    queue: str = ""
    group: str = ""
    agent: str = ""
    trunk: str = ""

    def arguments(self, **changed: str) -> dict[str, str]:
        """Of a link to this filter with something else about it."""
        own = {"queue": self.queue, "group": self.group, "agent": self.agent, "trunk": self.trunk} | changed
        return {name: value for name, value in own.items() if value}


@dataclass(frozen=True, slots=True)
class Strip:
    waiting: int
    oldest_since: float                           # 0: nobody waits
    talking_in: int
    talking_out: int
    ready: int
    not_ready: int
    here: int
    busy: int                                     # channels
    channels: int
    stale: bool


@dataclass(frozen=True, slots=True)
class Leaf:
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Branch:
    """A queue of the tree and the agents who serve it, or a group and its agents."""

    name: str
    waiting: int
    ready: int
    agents: tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class TrunkLoad:
    name: str
    busy: int
    channels: int


@dataclass(frozen=True, slots=True)
class Tree:
    queues: tuple[Branch, ...]
    groups: tuple[Branch, ...]
    trunks: tuple[TrunkLoad, ...]
    chosen: Filter


@dataclass(frozen=True, slots=True)
class QueueRow:
    info: QueueInfo
    ready: int
    here: int
    talking: int
    values: Mapping[str, FigureValue]             # of today


@dataclass(frozen=True, slots=True)
class CallRow:
    info: ContactInfo
    since: float                                  # in its state
    supervisors: tuple[SupervisorInfo, ...]


@dataclass(frozen=True, slots=True)
class AgentRow:
    info: AgentInfo
    party: str                                    # whom the agent has; "": nobody, or not known
    withheld: bool
    talks: bool                                   # with a customer: can be listened to
    supervisors: tuple[SupervisorInfo, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of a call's path. `why`: this agent, for a ring."""

    segment: SegmentInfo
    why: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The board of somebody's range through a filter."""

    board: Board
    crew: Crew
    groups: Mapping[str, frozenset[str]]          # of agents
    queues: tuple[QueueInfo, ...]
    agents: tuple[AgentInfo, ...]
    contacts: tuple[ContactInfo, ...]


def seen(board: Board, crew: Crew, groups: Mapping[str, frozenset[str]], chosen: Filter,
         on_trunk: frozenset[str]) -> Seen:
    """`on_trunk`: contacts with a call on the filter's trunk."""
    people = groups.get(chosen.group, frozenset())
    agents = [one for one in board.agents
              if chosen.agent in ("", one.name)
              and (not chosen.group or one.name in people)
              and (not chosen.queue or chosen.queue in crew.get(one.name, ()))
              and (not chosen.trunk or one.contact in on_trunk)]
    contacts = [one for one in board.contacts
                if one.state != "ended"
                and chosen.queue in ("", one.queue)
                and chosen.agent in ("", one.agent)
                and (not chosen.group or one.agent in people)
                and (not chosen.trunk or one.contact in on_trunk)]
    served = {queue for one in agents for queue in crew.get(one.name, ())}
    queues = [one for one in board.queues if chosen.queue in ("", one.name)
              and (not (chosen.agent or chosen.group) or one.name in served)]
    return Seen(board, crew, groups, tuple(queues), tuple(agents),
                tuple(sorted(contacts, key=lambda one: (one.began_at, one.contact))))


def strip(floor: Floor, seen: Seen, trunk: str) -> Strip:
    cells = [cell for span in floor.channels.values() if trunk in ("", span.trunk) for cell in span.channels]
    talking = [one for one in seen.contacts if one.state == "talking"]
    waiting = [one for one in seen.contacts if one.state in ("queue", "ringing")] if trunk else []
    waits = [one.oldest_since for one in seen.queues if one.oldest_since]
    return Strip(
        waiting=len(waiting) if trunk else sum(len(one.waiting) for one in seen.queues),
        oldest_since=min(map(in_state_since, waiting), default=0.0) if trunk else min(waits, default=0.0),
        talking_in=sum(one.direction == "in" for one in talking),
        talking_out=sum(one.direction != "in" for one in talking),
        ready=sum(one.state == "ready" for one in seen.agents),
        not_ready=sum(one.state in ("not-ready", "unreachable") for one in seen.agents),
        here=sum(one.state != GONE for one in seen.agents),
        busy=sum(cell.state == "busy" for cell in cells), channels=len(cells), stale="acdd" in floor.away)


def tree(floor: Floor, seen: Seen, chosen: Filter) -> Tree:
    """All of the range, whatever the filter."""
    def branch(name: str, waiting: int, agents: Iterable[AgentInfo]) -> Branch:
        crew = tuple(leaves[one.name] for one in sorted(agents, key=lambda one: one.name))
        return Branch(name, waiting, sum(one.state == "ready" for one in crew), crew)

    serving, leaves = _serving(seen), {one.name: Leaf(one.name, one.state) for one in seen.board.agents}
    return Tree(
        tuple(branch(queue.name, len(queue.waiting), serving[queue.name]) for queue in seen.board.queues),
        tuple(branch(name, 0, (one for one in seen.board.agents if one.name in agents))
              for name, agents in sorted(seen.groups.items())),
        tuple(_load(floor, name) for name in trunk_names(floor)), chosen)


def _serving(seen: Seen) -> Mapping[str, list[AgentInfo]]:
    """Queue -> the agents of the range who serve it."""
    found: dict[str, list[AgentInfo]] = defaultdict(list)
    for agent in seen.board.agents:
        for queue in seen.crew.get(agent.name, ()):
            found[queue].append(agent)
    return found


def trunk_names(floor: Floor) -> list[str]:
    return sorted({span.trunk for span in floor.channels.values()})


def legs_on(floor: Floor, trunk: str) -> frozenset[str]:
    """Of calls on its channels."""
    return frozenset(cell.leg for span in floor.channels.values() if span.trunk == trunk
                     for cell in span.channels if cell.leg)


def _load(floor: Floor, trunk: str) -> TrunkLoad:
    cells = [cell for span in floor.channels.values() if span.trunk == trunk for cell in span.channels]
    return TrunkLoad(trunk, sum(cell.state == "busy" for cell in cells), len(cells))


def queue_rows(seen: Seen, today: Values) -> tuple[QueueRow, ...]:
    rows, serving = [], _serving(seen)
    talking = Counter(one.queue for one in seen.contacts if one.state == "talking")
    for queue in seen.queues:
        crew = serving[queue.name]
        rows.append(QueueRow(
            queue, sum(one.state == "ready" for one in crew), sum(one.state != GONE for one in crew),
            talking[queue.name], today.get(queue.name, {})))
    return tuple(rows)


def call_rows(seen: Seen) -> tuple[CallRow, ...]:
    """Longest running first."""
    return tuple(CallRow(one, in_state_since(one), supervisors(seen.board, one.contact))
                 for one in seen.contacts)


def agent_rows(seen: Seen) -> tuple[AgentRow, ...]:
    """By name, those who are not here last."""
    contacts = {one.contact: one for one in seen.board.contacts}
    return tuple(_agent_row(seen.board, one, contacts.get(one.contact))
                 for one in sorted(seen.agents, key=lambda one: (one.state == GONE, one.name)))


def agent_row(board: Board, agent: AgentInfo) -> AgentRow:
    contact = next((one for one in board.contacts if one.contact == agent.contact), None)
    return _agent_row(board, agent, contact)


def _agent_row(board: Board, agent: AgentInfo, contact: ContactInfo | None) -> AgentRow:
    party = "" if contact is None else contact.calling if contact.direction == "in" else contact.called
    talks = contact is not None and contact.state == "talking" and contact.agent == agent.name
    return AgentRow(agent, party, contact is not None and contact.withheld, talks,
                    supervisors(board, agent.contact) if talks else ())


def supervisors(board: Board, contact: str) -> tuple[SupervisorInfo, ...]:
    return tuple(one for one in board.supervisors if one.contact == contact)


def path(contact: ContactInfo, offers: Iterable[ContactOffer]) -> tuple[Step, ...]:
    """In the order of time; each ring with why this agent was chosen."""
    given = list(offers)
    steps = []
    for segment in contact.segments:
        why = ""
        if segment.kind == "ring":
            ring = next((one for one in given if one.agent == segment.agent), None)
            if ring is not None:
                given.remove(ring)
                why = ring.why
        steps.append(Step(segment, why))
    return tuple(steps)
