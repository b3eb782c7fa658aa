"""Where a call of call control goes: an agent, an extension, a number outside, a queue."""

from dataclasses import dataclass

from appliance.centre.dialplan import ToTrunk
from appliance.centre.state import Agent
from appliance.centre.turn import Turn
from appliance.centre.words import doing
from appliance.errors import StateError

QUEUE = "queue:"
SENIOR = "senior"


@dataclass(frozen=True, slots=True)
class Place:
    number: str = ""                              # to dial
    trunk: str = ""
    agent: str = ""                               # who sits there
    queue: str = ""                               # in place of a telephone
    shows: str = ""                               # the number that this way out shows; "": the caller's own


def place(turn: Turn, agent: Agent, to: str) -> Place:
    """What `to` means for `agent`: an agent's name, a number as its telephone would dial it, queue:NAME,
    senior.

    StateError: it leads nowhere, or whoever is there cannot be rung.
    """
    if to.startswith(QUEUE):
        name = to.removeprefix(QUEUE)
        if name not in turn.setup.queues:
            known = ", ".join(turn.setup.queues) or "none"
            raise StateError(f"{to}: no queue is called so, there are {known}")
        return Place(queue=name)
    if to == SENIOR:
        return _of(_senior(turn, agent))
    if to in turn.state.agents:
        return _of(turn.state.agents[to])
    way = turn.setup.plan.judge(agent.trunk, to, complete=True)
    if isinstance(way, ToTrunk):
        return Place(number=way.digits, trunk=way.route.to, shows=way.route.calling or "")
    there = next((one for one in turn.state.agents.values() if one.state != "logged-out"
                  and (one.extension, one.trunk) == (to, agent.trunk)), None)
    if there is not None:
        return _of(there)
    if turn.setup.control.is_extension(to):
        return Place(number=to, trunk=agent.trunk)
    raise StateError(f"{to}: is no agent and no extension, and no rule of centre.outbound lets {agent.name} "
                     "dial it")


def _senior(turn: Turn, agent: Agent) -> Agent:
    """Of those who are ready and know more of what the agent's contact asks for, the best; of equals who has
    been idle longest."""
    contact = turn.state.contacts.get(agent.contact)
    queue = None if contact is None else turn.setup.queues.get(contact.record.queue)
    asked = {**(queue.preferred if queue else {}), **(queue.skills if queue else {}),
             **(contact.skills if contact else {})}

    def level(name: str) -> int:
        has = turn.floor.skills(name)
        return sum(has.get(skill, 0) for skill in asked)

    better = [one for one in turn.state.agents.values() if one.free and level(one.name) > level(agent.name)]
    if not better:
        what = ", ".join(sorted(asked)) or "this"
        raise StateError(f"{agent.name}: nobody who is ready knows more of {what}")
    return min(better, key=lambda one: (-level(one.name), one.idle_since, one.name))


def _of(agent: Agent) -> Place:
    if agent.state == "logged-out" or not agent.extension:
        raise StateError(f"{agent.name}: is logged out")
    if agent.contact or agent.leg:
        raise StateError(f"{agent.name}: is {doing(agent.state) if agent.contact else 'on the telephone'}")
    return Place(number=agent.extension, trunk=agent.trunk, agent=agent.name)
