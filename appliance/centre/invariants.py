"""What must never be true of the state, as sentences. A room's check is a row of CHECKS."""

from collections.abc import Callable, Iterator

from appliance.centre.state import BY_TIME, WITH_CONTACT, Agent, State


def violations(state: State) -> list[str]:
    """Empty on a healthy box."""
    return [sentence for check in CHECKS for sentence in check(state)]


def _contacts(state: State) -> Iterator[str]:
    for name, contact in state.contacts.items():
        record = contact.record
        if record.state == "ended":
            yield f"contact {name} has ended and is still here"
        if contact.waiting and not (record.queue and contact.line):
            yield f"contact {name} waits in no queue"
        if record.state in ("ringing", "talking") and not contact.dialled_leg:
            yield f"contact {name} is {record.state} without a second leg"


def _legs(state: State) -> Iterator[str]:
    for name, contact in state.contacts.items():
        for leg in filter(None, (contact.arrived_leg, contact.dialled_leg, *contact.parties)):
            if state.legs.get(leg) != name:
                yield f"leg {leg} of contact {name} leads to {state.legs.get(leg, 'nothing')}"
    for leg, name in state.legs.items():
        if name not in state.contacts:
            yield f"leg {leg} is held by contact {name}, which has ended"


def _agents(state: State) -> Iterator[str]:
    held: dict[str, str] = {}
    for name, contact in state.contacts.items():
        of_parties = (party.agent for party in contact.parties.values())
        for agent in filter(None, (contact.record.agent, *of_parties)):
            if agent in held:
                yield f"agent {agent} has contacts {held[agent]} and {name}"
            held[agent] = name
    for one in state.agents.values():
        if (one.state in WITH_CONTACT) != bool(one.contact):
            yield f"agent {one.name} is {one.state} with contact {one.contact or 'none'}"
        if one.contact != held.get(one.name, ""):
            yield f"agent {one.name} and contact {one.contact or held[one.name]} disagree"
        if one.state in BY_TIME and not one.until:
            yield f"agent {one.name} is {one.state} without an end"
        if one.state in ("reserved", "ringing") and not _rings(state, one):
            yield f"agent {one.name} is {one.state} and contact {one.contact} rings nobody"
        if one.leg and state.busy.get(one.leg) != one.name:
            yield f"leg {one.leg} occupies agent {one.name} and {state.busy.get(one.leg, 'nobody')}"
    for leg, name in state.busy.items():
        if name not in state.agents or state.agents[name].leg != leg:
            yield f"leg {leg} occupies agent {name} no more and is still known as such"


def _rings(state: State, agent: Agent) -> bool:
    contact = state.contacts[agent.contact]
    return (contact.record.state == "ringing" or agent.leg in contact.parties
            or (contact.originated and agent.leg == contact.arrived_leg)
            or (contact.pending is not None and contact.pending.try_until > 0))


def _callbacks(state: State) -> Iterator[str]:
    for number, name in state.callbacks.items():
        if name not in state.contacts or state.contacts[name].pending is None:
            yield f"{number} is to be called back by contact {name}, which does not"
    for name, contact in state.contacts.items():
        callback = contact.pending
        if callback is None:
            continue
        if state.callbacks.get(callback.number) != name:
            yield f"contacts {name} and {state.callbacks.get(callback.number)} call {callback.number} back"
        if contact.record.state == "callback" and (contact.arrived_leg or contact.dialled_leg):
            yield f"callback {name} is not due and has a leg"
        if contact.record.state == "dialling" and not callback.try_until:
            yield f"callback {name} rings its customer without an end"
    for message in state.messages.values():
        if not message.ended_at and message.contact not in state.contacts:
            yield f"message {message.message} has no end, and contact {message.contact} has"


def _forwards(state: State) -> Iterator[str]:
    for name, contact in state.contacts.items():
        forward = contact.forward
        if forward is not None and forward.phase in ("asking", "deflected", "dialling") and not forward.until:
            yield f"contact {name} is {forward.phase} to be forwarded without an end"
        if forward is not None and forward.phase == "dialling" and not contact.dialled_leg:
            yield f"contact {name} is forwarded and dials nobody"


def _recordings(state: State) -> Iterator[str]:
    for name, contact in state.contacts.items():
        policy = contact.policy
        if contact.record.state == "talking" and policy is not None and (
                policy.record == "always" and not contact.recording):
            yield f"contact {name} talks, is to be recorded ({policy.why}) and is not"
        if contact.hushed and not (contact.recording and contact.held):
            yield f"contact {name} is silent in its recording for a consultation that there is not"


CHECKS: tuple[Callable[[State], Iterator[str]], ...] = (
    _contacts, _legs, _agents, _callbacks, _forwards, _recordings)
