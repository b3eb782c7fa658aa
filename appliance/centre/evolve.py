"""State after an event of the log. The only file that changes one, while deciding and while replaying."""

from collections.abc import Callable
from typing import Any

from appliance.centre import events
from appliance.centre.events import LogEvent
from appliance.centre.projector import FOLDS, fold
from appliance.centre.state import RECENT_LEGS, Agent, Contact, State


def evolve(state: State, at: float, name: str, event: LogEvent) -> None:
    """Apply `event` of contact `name` ("" for none)."""
    contact = state.contacts.get(name)
    if type(event) in FOLDS and contact is not None:
        contact.record = fold(contact.record, at, name, event)
    if type(event) in OF_CONTACT:
        if contact is not None:
            OF_CONTACT[type(event)](state, contact, at, event)
    elif type(event) in OF_BOX:
        OF_BOX[type(event)](state, name, at, event)


def _checkpoint(state: State, name: str, at: float, event: events.Checkpoint) -> None:
    for field in state.__struct_fields__:
        setattr(state, field, getattr(event.state, field))


def _agent_joined(state: State, name: str, at: float, event: events.AgentJoined) -> None:
    known = state.agents.get(event.agent)
    if known is not None:
        known.extension, known.trunk = event.extension, event.trunk
    else:
        state.agents[event.agent] = Agent(
            name=event.agent, extension=event.extension, trunk=event.trunk,
            state="idle", since=at, idle_since=at)


def _agent_left(state: State, name: str, at: float, event: events.AgentLeft) -> None:
    state.agents.pop(event.agent, None)


def _agent_changed(state: State, name: str, at: float, event: events.AgentChanged) -> None:
    agent = state.agents[event.agent]
    agent.contact = name if event.state in ("ringing", "talking") else ""
    agent.state, agent.since, agent.idle_since = event.state, at, event.idle_since
    agent.until, agent.reason, agent.leg = event.until, event.reason, event.leg


def _agent_leg_gone(state: State, name: str, at: float, event: events.AgentLegGone) -> None:
    state.agents[event.agent].leg = ""


def _began(state: State, name: str, at: float, event: events.Began) -> None:
    state.contacts[name] = Contact(
        record=fold(None, at, name, event), trunk=event.trunk, calling_name=event.calling_name,
        arrived_leg=event.leg, withheld=event.withheld)
    state.legs[event.leg] = name


def _ended(state: State, contact: Contact, at: float, event: events.Ended) -> None:
    del state.contacts[contact.record.contact]
    for leg in (contact.arrived_leg, contact.dialled_leg):
        _drop_leg(state, leg)


def _node_entered(state: State, contact: Contact, at: float, event: events.NodeEntered) -> None:
    contact.flow, contact.node, contact.language = event.flow, event.node, event.language
    contact.tries, contact.digit_until, contact.line = 0, 0.0, 0
    contact.joined_at = contact.announce_at = contact.overflow_at = 0.0
    contact.play, contact.fragments, contact.repeat = "", [], False


def _connected(state: State, contact: Contact, at: float, event: events.Connected) -> None:
    contact.connected = True


def _played(state: State, contact: Contact, at: float, event: events.Played) -> None:
    contact.play, contact.fragments, contact.repeat = event.play, event.fragments, event.repeat
    contact.plays += 1


def _play_over(state: State, contact: Contact, at: float, event: events.PlayOver) -> None:
    contact.play, contact.fragments, contact.repeat = "", [], False


def _digit_awaited(state: State, contact: Contact, at: float, event: events.DigitAwaited) -> None:
    contact.digit_until = event.until


def _retried(state: State, contact: Contact, at: float, event: events.Retried) -> None:
    contact.tries += 1
    contact.digit_until = 0.0


def _joined(state: State, contact: Contact, at: float, event: events.Joined) -> None:
    state.joins += 1
    contact.line, contact.joined_at, contact.overflow_at = state.joins, at, event.overflow_at


def _announced(state: State, contact: Contact, at: float, event: events.Announced) -> None:
    contact.announce_at = event.next_at


def _offered(state: State, contact: Contact, at: float, event: events.Offered) -> None:
    contact.dialled_leg = event.leg
    state.legs[event.leg] = contact.record.contact


def _ring_ended(state: State, contact: Contact, at: float, event: events.RingEnded) -> None:
    _drop_leg(state, contact.dialled_leg)
    contact.dialled_leg = ""


def _dialled(state: State, contact: Contact, at: float, event: events.Dialled) -> None:
    if contact.dialled_leg:                       # whose party had it deflected
        _drop_leg(state, contact.dialled_leg)
        contact.deflections += 1
    contact.dialled_leg, contact.record_talk = event.leg, event.record
    contact.dialled_trunk, contact.bridged = event.trunk, False
    state.legs[event.leg] = contact.record.contact


def _bridged(state: State, contact: Contact, at: float, event: events.Bridged) -> None:
    contact.bridged = True


def _alerted(state: State, contact: Contact, at: float, event: events.Alerted) -> None:
    contact.alerted = True


def _talked(state: State, contact: Contact, at: float, event: events.Talked) -> None:
    contact.recording, contact.bridged, contact.connected = event.recording, True, True
    contact.line, contact.joined_at, contact.announce_at, contact.overflow_at = 0, 0.0, 0.0, 0.0
    contact.play, contact.fragments, contact.repeat = "", [], False


def _trace_asked(state: State, contact: Contact, at: float, event: events.TraceAsked) -> None:
    contact.trace_asked_at = at


def _trace_over(state: State, contact: Contact, at: float, event: events.TraceOver) -> None:
    contact.trace_asked_at = 0.0


def _drop_leg(state: State, leg: str) -> None:
    if name := state.legs.pop(leg, None):
        state.recent_legs = [*state.recent_legs, leg][-RECENT_LEGS:]
        state.was_of[leg] = name
        while len(state.was_of) > RECENT_LEGS:
            del state.was_of[next(iter(state.was_of))]


OF_BOX: dict[type[LogEvent], Callable[[State, str, float, Any], None]] = {
    events.Checkpoint: _checkpoint,
    events.AgentJoined: _agent_joined,
    events.AgentLeft: _agent_left,
    events.AgentChanged: _agent_changed,
    events.AgentLegGone: _agent_leg_gone,
    events.Began: _began,
}

OF_CONTACT: dict[type[LogEvent], Callable[[State, Contact, float, Any], None]] = {
    events.Ended: _ended,
    events.NodeEntered: _node_entered,
    events.Connected: _connected,
    events.Played: _played,
    events.PlayOver: _play_over,
    events.DigitAwaited: _digit_awaited,
    events.Retried: _retried,
    events.Joined: _joined,
    events.Announced: _announced,
    events.Offered: _offered,
    events.RingEnded: _ring_ended,
    events.Dialled: _dialled,
    events.Bridged: _bridged,
    events.Alerted: _alerted,
    events.Talked: _talked,
    events.TraceAsked: _trace_asked,
    events.TraceOver: _trace_over,
}
