"""What is remembered of contacts and agents until what they do can be counted. Times: Unix milliseconds."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from typing import NamedTuple

import msgspec

from appliance.store.counts import INTERVAL_MS, Count, quarter_ms

QUEUE, AGENT, TRUNK, NODE = "queue", "agent", "trunk", "node"        # Count.of
MOST_MS = 32 * 86_400_000                         # that nobody does one thing for: a clock was wrong
ALL = ""                                          # in place of a queue's name: a contact counts once
OF_CONTACT, OF_AGENT = "contact ", "agent "       # names of what is remembered begin so


class Leg(msgspec.Struct, kw_only=True):
    """A call on a trunk. `agent`: whose telephone it is."""

    trunk: str
    at_ms: int
    inbound: bool
    agent: str = ""
    answered: bool = False
    blocked: bool = False                         # no channel was free


class Part(msgspec.Struct, kw_only=True):
    """What an agent has of a contact.

    how: queue, transfer, callback, out, internal, consult, conference, supervision.
    """

    how: str
    at_ms: int = 0                                # the talk began; 0: it has not


class Course(msgspec.Struct, kw_only=True):
    """A contact that goes on."""

    trunk: str
    inbound: bool
    calling: str
    began_ms: int
    connected: bool = False                       # we answered
    talked: bool = False
    legs: dict[str, Leg] = {}
    node: str = ""                                # flow and node
    node_ms: int = 0
    agent: str = ""                               # who has it, or is rung for it
    parts: dict[str, Part] = {}                   # by agent
    queue: str = ""                               # that it was in last
    joined_ms: int = 0                            # 0: it is in none
    told_ms: int | None = None                    # wait that was expected at joining
    left_ms: int = 0                              # out of the queue; what comes of it is not known yet
    left_by: str = ""
    first_ms: int = 0                             # it joined a queue for the first time
    waited_ms: int = 0                            # in all queues
    settled: bool = False                         # it counts for all queues together already
    last_left: str = ""                           # how it left the queue before
    forward_trunk: str = ""
    callback: bool = False                        # the box calls, at a place in line that was kept


class Work(msgspec.Struct, kw_only=True):
    """An agent with a contact, from the talk to the end of wrap-up."""

    contact: str
    queue: str
    how: str
    at_ms: int
    since_ms: int                                 # of what is being done
    talked: bool                                  # an outbound one: the far end has answered
    spent_ms: dict[str, int] = {}                 # on talk, hold, dial, wrap-up


class Duty(msgspec.Struct, kw_only=True):
    """An agent."""

    state: str
    since_ms: int
    trunk: str
    home_trunk: str
    reason: str = ""
    contact: str = ""
    rung_ms: int = 0                              # the telephone rings for `contact` since then
    refused: str = ""                             # why that ring ended
    work: Work | None = None


def milliseconds(at: float) -> int:
    return round(at * 1000)


def pieces(whole: Count) -> Iterator[Count]:
    """The same time, cut where quarters of an hour begin. Of more than MOST_MS the last quarter, and no more:
    a clock was set meanwhile, and it would be millions of pieces."""
    at_ms, until_ms = whole.at_ms, whole.at_ms + whole.for_ms
    if whole.for_ms > MOST_MS:
        at_ms = quarter_ms(until_ms)
    while at_ms < until_ms:
        to_ms = min(until_ms, quarter_ms(at_ms) + INTERVAL_MS)
        yield replace(whole, at_ms=at_ms, for_ms=to_ms - at_ms)
        at_ms = to_ms


def spell(agent: str, duty: Duty, until_ms: int) -> Iterator[Count]:
    """What the agent has done in the present state."""
    if duty.state != "logged-out":
        what = "/".join(filter(None, ("state", duty.state, duty.reason)))
        contact = duty.contact or (duty.work.contact if duty.work is not None else "")
        yield from pieces(Count(of=AGENT, name=agent, what=what, contact=contact, at_ms=duty.since_ms,
                                for_ms=max(0, until_ms - duty.since_ms)))


def busy(contact: str, leg: Leg, until_ms: int) -> Iterator[Count]:
    """What the leg has taken of its trunk."""
    yield from pieces(Count(of=TRUNK, name=leg.trunk, what=f"busy/{_way(leg)}", contact=contact,
                            at_ms=leg.at_ms, for_ms=max(0, until_ms - leg.at_ms)))


def call(contact: str, leg: Leg, until_ms: int, outcome: str) -> Iterator[Count]:
    """The leg as a call of its trunk, when it is over."""
    ended = outcome if leg.inbound else "unanswered"
    result = "answered" if leg.answered else "blocked" if leg.blocked else ended
    yield Count(of=TRUNK, name=leg.trunk, what=f"{_way(leg)}/{result}", contact=contact, at_ms=leg.at_ms,
                for_ms=max(0, until_ms - leg.at_ms))
    yield from busy(contact, leg, until_ms)


class Now(NamedTuple):
    """Who does what, as figures see it."""

    agents: dict[str, str]                        # the state of each
    contacts: Set[str]
    waiting: Set[str]                             # of these, in a queue


def going_on(remembered: Mapping[str, str]) -> Now:
    """The same as the engine's own state: whoever tests can compare."""
    agents = {name.removeprefix(OF_AGENT): msgspec.json.decode(data, type=Duty).state
              for name, data in remembered.items() if name.startswith(OF_AGENT)}
    courses = {name.removeprefix(OF_CONTACT): msgspec.json.decode(data, type=Course)
               for name, data in remembered.items() if name.startswith(OF_CONTACT)}
    waiting = {name for name, course in courses.items() if course.joined_ms and not course.left_ms}
    return Now(agents, courses.keys(), waiting)


def so_far(remembered: Mapping[str, str], now_ms: int) -> Iterator[Count]:
    """What goes on now, as it would count: waiting in a queue, at a node, on a trunk, in an agent's state."""
    for name, data in remembered.items():
        if name.startswith(OF_AGENT):
            yield from spell(name.removeprefix(OF_AGENT), msgspec.json.decode(data, type=Duty), now_ms)
        else:
            course = msgspec.json.decode(data, type=Course)
            yield from _of_course(name.removeprefix(OF_CONTACT), course, now_ms)


def _of_course(contact: str, course: Course, now_ms: int) -> Iterator[Count]:
    if course.joined_ms:
        wait_ms = max(0, (course.left_ms or now_ms) - course.joined_ms)
        yield Count(of=QUEUE, name=course.queue, what="waiting", contact=contact, at_ms=course.joined_ms,
                    for_ms=wait_ms)
    if course.first_ms and not course.settled:
        here_ms = max(0, (course.left_ms or now_ms) - course.joined_ms) if course.joined_ms else 0
        yield Count(of=QUEUE, name=ALL, what="waiting", contact=contact, at_ms=course.first_ms,
                    for_ms=course.waited_ms + here_ms)
    if course.node:
        yield Count(of=NODE, name=course.node, what="here", contact=contact, at_ms=course.node_ms,
                    for_ms=max(0, now_ms - course.node_ms))
    for leg in course.legs.values():
        yield Count(of=TRUNK, name=leg.trunk, what=f"{_way(leg)}/going on", contact=contact, at_ms=leg.at_ms,
                    for_ms=max(0, now_ms - leg.at_ms))
        yield from busy(contact, leg, now_ms)


def _way(leg: Leg) -> str:
    return "in" if leg.inbound else "out"
