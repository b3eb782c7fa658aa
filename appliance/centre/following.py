"""Floor and timers kept in step with the state: of whom an event tells, what is known now."""

from collections.abc import Mapping
from types import MappingProxyType

from appliance.centre.choice import Floor, Rules, Standing, Waiting
from appliance.centre.events import LogEvent
from appliance.centre.state import AT_WORK, Agent, Contact, State
from appliance.centre.timers import Timers, of_agent, of_contact


def floor_of(state: State, rules: Rules, instead: Mapping[str, Standing] = MappingProxyType({})) -> Floor:
    """As it is now, but for agents of whom `instead` says something else."""
    floor = Floor(rules, state.history)
    for agent in state.agents.values():
        floor.agent(instead.get(agent.name) or standing(state, agent))
    for contact in state.contacts.values():
        _follow_contact(floor, contact)
    return floor


def follow(floor: Floor, timers: Timers, state: State, contact: str, event: LogEvent) -> None:
    """After `event` of a contact ("" for none), which the state has in it."""
    if contact in state.contacts:
        _follow_contact(floor, state.contacts[contact])
        timers.put(contact, of_contact(state.contacts[contact]))
    elif contact:
        floor.contact_gone(contact)
        timers.put(contact, ())
    name = getattr(event, "agent", "")
    if name in state.agents:
        floor.agent(standing(state, state.agents[name]))
        timers.put(name, of_agent(state.agents[name]))
    elif name:
        floor.agent_gone(name)
        timers.put(name, ())


def waiting(contact: Contact, queue: str = "") -> Waiting:
    """In its queue, or as it would be in another one."""
    record = contact.record
    return Waiting(
        contact=record.contact, queue=queue or record.queue, line=contact.line, since=contact.waits_since,
        joined_at=contact.joined_at, ringing=contact.waiting and not contact.choosable,
        priority=contact.priority, grade=contact.grade, region=contact.region, language=contact.language,
        skills=tuple(sorted(contact.skills.items())), caller=contact.customer_number)


def standing(state: State, agent: Agent) -> Standing:
    contact = state.contacts.get(agent.contact)
    work = state.history.works.get(agent.name)
    by_hand = agent.assigned
    comes_back = agent.state in (*AT_WORK, "unreachable") and not agent.wish
    return Standing(
        agent=agent.name, free=agent.free, idle_since=agent.idle_since, state=agent.state,
        logged_in=agent.state != "logged-out", logged_in_at=agent.logged_in_at, calls=agent.calls,
        busy_s=agent.busy_s, comes_back=comes_back, back_at=None if agent.contact else agent.until or None,
        since=work.since if work is not None else agent.since,
        queue="" if contact is None else contact.record.queue,
        skills=None if by_hand is None else by_hand.skills, also=() if by_hand is None else by_hand.also,
        without=() if by_hand is None else by_hand.without)


def _follow_contact(floor: Floor, contact: Contact) -> None:
    if contact.waiting and contact.line and contact.record.queue in floor.rules.queues:
        floor.contact(waiting(contact))
    else:
        floor.contact_gone(contact.record.contact)
