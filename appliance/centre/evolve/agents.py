"""Agents."""

from appliance.centre import events
from appliance.centre.evolve.base import OfBox
from appliance.centre.state import Agent, State


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


OF_BOX: OfBox = {
    events.AgentJoined: _agent_joined,
    events.AgentLeft: _agent_left,
    events.AgentChanged: _agent_changed,
    events.AgentLegGone: _agent_leg_gone,
}
