"""Agents."""

from appliance.centre import events
from appliance.centre.evolve.base import OfBox
from appliance.centre.state import AT_WORK, WITH_CONTACT, Agent, Assignment, State

RENAMED = {"idle": "ready", "unavailable": "unreachable"}        # states in logs from before 1.0


def renamed(agent: Agent) -> None:
    """An agent out of an older checkpoint."""
    agent.state = RENAMED.get(agent.state, agent.state)
    agent.home_extension = agent.home_extension or agent.extension
    agent.home_trunk = agent.home_trunk or agent.trunk
    if agent.state != "logged-out":
        agent.logged_in_at = agent.logged_in_at or agent.since


def occupy(state: State, agent: Agent, leg: str) -> None:
    """By this leg only; "": by none."""
    if state.busy.get(agent.leg) == agent.name:
        del state.busy[agent.leg]
    agent.leg = leg
    if leg:
        state.busy[leg] = agent.name


def _agent_joined(state: State, name: str, at: float, event: events.AgentJoined) -> None:
    known = state.agents.get(event.agent)
    if known is None:
        known = state.agents[event.agent] = Agent(
            name=event.agent, extension="", trunk="", state=event.state, since=at, idle_since=at,
            logged_in_at=at)
    if (known.extension, known.trunk) == (known.home_extension, known.home_trunk):
        known.extension, known.trunk = event.extension, event.trunk
    known.home_extension, known.home_trunk = event.extension, event.trunk


def _agent_left(state: State, name: str, at: float, event: events.AgentLeft) -> None:
    if (agent := state.agents.pop(event.agent, None)) is not None:
        occupy(state, agent, "")


def _agent_placed(state: State, name: str, at: float, event: events.AgentPlaced) -> None:
    agent = state.agents[event.agent]
    agent.extension, agent.trunk = event.extension, event.trunk


def _agent_changed(state: State, name: str, at: float, event: events.AgentChanged) -> None:
    agent = state.agents[event.agent]
    was, now = agent.state, RENAMED.get(event.state, event.state)
    if was in AT_WORK:
        agent.busy_s += max(0.0, at - agent.since)
        if now not in AT_WORK:
            state.history.over(agent.name, at)
    if was == "logged-out" and now != was:
        agent.logged_in_at, agent.calls, agent.busy_s = at, 0, 0.0
    if now == "talking" and was in ("reserved", "ringing"):
        agent.calls += 1
    if now == "logged-out":
        agent.extension, agent.trunk = agent.home_extension, agent.home_trunk
        if agent.assigned is not None and agent.assigned.until_log_out:
            agent.assigned = None
    if now in ("logged-out", "not-ready", "ready"):
        agent.wish = agent.wish_reason = ""
    if agent.contact and now not in WITH_CONTACT:
        agent.last_contact = agent.contact
    agent.contact = name if now in WITH_CONTACT else ""
    agent.state, agent.since, agent.idle_since = now, at, event.idle_since
    agent.until, agent.reason = event.until, event.reason
    occupy(state, agent, event.leg)
    agent.limit_at, agent.overran = event.limit_at, False


def _agent_wished(state: State, name: str, at: float, event: events.AgentWished) -> None:
    agent = state.agents[event.agent]
    agent.wish, agent.wish_reason = event.state, event.reason


def _wrap_up_extended(state: State, name: str, at: float, event: events.WrapUpExtended) -> None:
    state.agents[event.agent].until = event.until


def _agent_overran(state: State, name: str, at: float, event: events.AgentOverran) -> None:
    agent = state.agents[event.agent]
    agent.limit_at, agent.overran = 0.0, True


def _agent_leg_gone(state: State, name: str, at: float, event: events.AgentLegGone) -> None:
    occupy(state, state.agents[event.agent], "")


def _agent_assigned(state: State, name: str, at: float, event: events.AgentAssigned) -> None:
    state.agents[event.agent].assigned = Assignment(
        skills=event.skills, also=event.also, without=event.without, until=event.until,
        until_log_out=event.until_log_out, by=event.by, at=at)


def _agent_unassigned(state: State, name: str, at: float, event: events.AgentUnassigned) -> None:
    state.agents[event.agent].assigned = None


OF_BOX: OfBox = {
    events.AgentAssigned: _agent_assigned,
    events.AgentUnassigned: _agent_unassigned,
    events.AgentJoined: _agent_joined,
    events.AgentLeft: _agent_left,
    events.AgentPlaced: _agent_placed,
    events.AgentChanged: _agent_changed,
    events.AgentWished: _agent_wished,
    events.WrapUpExtended: _wrap_up_extended,
    events.AgentOverran: _agent_overran,
    events.AgentLegGone: _agent_leg_gone,
}
