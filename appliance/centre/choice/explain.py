"""Why this agent, why nobody: for people, at any moment."""

from collections.abc import Iterator
from dataclasses import dataclass

from appliance.centre.choice.crew import Demand
from appliance.centre.choice.facts import priority
from appliance.centre.choice.lines import Place
from appliance.centre.choice.outlook import wait_s
from appliance.centre.choice.strategies import ring_of
from appliance.centre.choice.view import View
from appliance.centre.words import doing
from appliance.config.queues import ABOUT_CONTACT, QueueConfig, relaxed

MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class AgentFor:
    """An agent as a contact sees it. `ring`: from this one on it may serve the contact; None: in none."""

    agent: str
    ring: int | None
    now: bool                                     # free, and in the contact's present ring
    words: str


@dataclass(frozen=True, slots=True)
class ContactExplained:
    contact: str
    queue: str
    position: int
    priority: int
    ring: int
    rings: int                                    # that there are, the first included
    widens_at: float | None                       # when it comes to the next one
    before: int                                   # contacts of all queues that are served before it
    estimate_s: float | None
    agents: tuple[AgentFor, ...]                  # all of them
    words: str


@dataclass(frozen=True, slots=True)
class AgentExplained:
    agent: str
    queues: tuple[str, ...]                       # that it serves from a contact's beginning
    contacts: tuple[str, ...]                     # whom it may serve now, in order; the first ten
    waiting: int                                  # so many of them
    words: str


def explain_contact(view: View, place: Place) -> ContactExplained:
    waiting = place.waiting
    agents = tuple(_agent_for(view, place, name) for name in view.rules.agents)
    spot = view.shifted(waiting.queue, place.spot)
    widens = place.ring + 1 < len(place.reaches) and not waiting.ringing
    return ContactExplained(
        waiting.contact, waiting.queue, view.lines.position(waiting.contact), priority(view.rules, waiting),
        place.ring, len(place.reaches), place.ring_at(place.ring + 1) if widens else None,
        sum(count for _, count in view.lines.before(spot, view.shifts)), wait_s(view, waiting), agents,
        _summary(view, place, agents))


def explain_agent(view: View, name: str) -> AgentExplained:
    bit = view.crew.of((name,))
    spots = sorted(view.shifted(row.demand.queue, spot) for row in view.lines.rows.values()
                   if view.agents(row.demand.queue, row.reach) & bit for spot in row.spots)
    queues = tuple(queue for queue in view.rules.queues if view.crew.group(queue) & bit)
    standing, others = view.standings.get(name), sum(map(len, view.lines.arrived.values())) - len(spots)
    if standing is None or not standing.free:
        words = f"is {doing(standing.state) if standing else 'not here'}"
    elif spots:
        words = f"is free and has {spots[0][2]} next"
    else:
        words = "is free; nobody waits whom it may serve" + (f": {others} wait for others" if others else "")
    return AgentExplained(name, queues, tuple(spot[2] for spot in spots[:MOST_SHOWN]), len(spots), words)


def _summary(view: View, place: Place, agents: tuple[AgentFor, ...]) -> str:
    if place.waiting.ringing:
        return "is at an agent's telephone"
    if any(one.now for one in agents):
        return "is served now, unless somebody before it needs the same agents"
    able = [one for one in agents if one.ring is not None and one.ring <= place.ring]
    later = [one for one in agents if one.ring is not None and one.ring > place.ring]
    present = sum(_logged_in(view, one.agent) for one in able)
    if not able and not later:
        return "nobody can serve it, not even later"
    if not able:
        return f"nobody can serve it yet; {len(later)} can from a later ring on"
    if not present:
        return f"none of the {len(able)} who can serve it is logged in"
    return f"none of the {len(able)} who can serve it is free; {present} are logged in"


def _logged_in(view: View, name: str) -> bool:
    return bool(view.logged_in & view.crew.of((name,)))


def _agent_for(view: View, place: Place, name: str) -> AgentFor:
    bit, queue = view.crew.of((name,)), place.waiting.queue
    ring = ring_of(place.reaches, bit)
    reserve = bool(place.reaches[place.ring].reserve & bit) and (ring is None or ring > place.ring)
    if reserve and queue in view.in_need:
        ring = place.ring
    standing = view.standings.get(name)
    state = standing.state if standing else "not here"
    if ring is not None and ring <= place.ring:
        return AgentFor(name, ring, bool(view.free & bit), "reserve: " + state if reserve else state)
    if reserve:
        return AgentFor(name, ring, False, "held back until the queue is in need")
    lacks = ", ".join(_lacks(view, place.demand, name, place.ring))
    if ring is not None:
        in_s = max(0.0, place.ring_at(ring) - view.now)
        words = f"from ring {ring} on, in {in_s:.0f} s"
        return AgentFor(name, ring, False, f"{words}: {lacks}" if lacks else words)
    return AgentFor(name, None, False, lacks or "serves other queues")


def _lacks(view: View, demand: Demand, name: str, ring: int) -> Iterator[str]:
    """What keeps the agent from the contact in this ring."""
    queue, has = view.rules.queues[demand.queue], view.crew.skills[name]
    standing = view.standings.get(name)
    if standing is not None and demand.queue in standing.without:
        yield "was taken out of the queue by hand"
    if queue.agents and name not in queue.agents:
        yield "is not in the queue's list"
    for skill, level in _asked(queue, demand, ring):
        if has.get(skill, 0) < level:
            yield f"{skill} {level} is asked for and it has {has.get(skill, 'none')}"


def _asked(queue: QueueConfig, demand: Demand, ring: int) -> Iterator[tuple[str, int]]:
    asked = {name: level for name, level in queue.skills.items() if name not in ABOUT_CONTACT}
    own = {ask.name: ask.level for ask in demand.required}
    for change in queue.rings[:ring]:
        asked, own = relaxed(asked, change), relaxed(own, change)
    yield from asked.items()
    yield from ((ask.skill, own[ask.name]) for ask in demand.required if ask.name in own)
