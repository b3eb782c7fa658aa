"""Agents' states: the one place where they are decided.

Whoever is at work keeps working: what is wished meanwhile (a break, the end of the shift) comes true as soon
as the work, wrap-up included, is over.
"""

from appliance.centre import events
from appliance.centre.state import WITH_CONTACT, Agent, Contact
from appliance.centre.turn import Turn
from appliance.centre.words import doing
from appliance.config.pattern import NUMBER
from appliance.errors import StateError

LOGGED_OUT, NOT_READY, READY = "logged-out", "not-ready", "ready"
MOST_EXTENSION_S = 3600.0
NO_TRUNK = "trunk gone"                           # a reason
RING_REASONS = {                                  # Q.850 cause -> why it was not taken
    17: "busy",
    18: "no answer",
    19: "no answer",
    21: "refused",
}


def change(turn: Turn, agent: Agent, state: str, *, leg: str, contact: Contact | None = None,
           until: float = 0.0, reason: str = "", idle_since: float | None = None, by: str = "") -> None:
    """Into `state` from now on; the place among the ready ones is the last unless `idle_since` keeps it."""
    rule = turn.setup.reasons.get(reason) if state == NOT_READY else None
    limit_at = turn.now + rule.limit_s if rule is not None and rule.limit_s else 0.0
    turn.log(events.AgentChanged(
        agent=agent.name, state=state, idle_since=turn.now if idle_since is None else idle_since, until=until,
        reason=reason, leg=leg, limit_at=limit_at, by=by), contact or "")
    if state not in WITH_CONTACT and agent.name not in turn.setup.agents:
        turn.log(events.AgentLeft(agent=agent.name))


def back_to_not_ready(turn: Turn, agent: Agent) -> None:
    """Who is not ready and gets work all the same is not ready again afterwards."""
    if agent.state == NOT_READY:
        turn.log(events.AgentWished(agent=agent.name, state=agent.state, reason=agent.reason))


def release(turn: Turn, agent: Agent, *, leg: str, idle_since: float | None = None) -> None:
    """The work is over: what was wished comes true, else the next one may come."""
    change(turn, agent, agent.wish or READY, leg=leg, reason=agent.wish_reason, idle_since=idle_since)


def finish(turn: Turn, contact: Contact, gone_leg: str) -> None:
    """The talk, or the outbound contact, is over: wrap-up if its queue has one."""
    agent = turn.state.agents.get(contact.record.agent)
    if agent is None or agent.contact != contact.record.contact:
        return
    leg = "" if agent.leg == gone_leg else agent.leg
    queue = turn.setup.queues.get(contact.record.queue)
    if queue is not None and queue.wrap_up_s:
        change(turn, agent, "wrap-up", until=turn.now + queue.wrap_up_s, leg=leg)
    else:
        release(turn, agent, leg=leg)


def due(turn: Turn, agent: Agent) -> None:
    """Wrap-up, or the pause after a telephone that could not be rung, is over."""
    release(turn, agent, leg=agent.leg)


def overran(turn: Turn, agent: Agent) -> None:
    """The limit of the reason has passed."""
    turn.log(events.AgentOverran(agent=agent.name))
    reason = turn.setup.reasons.get(agent.reason)
    if reason is not None and reason.then == "log-out":
        change(turn, agent, LOGGED_OUT, leg=agent.leg, reason="overran")


def log_in(turn: Turn, name: str, extension: str, trunk: str, *, ready: bool, by: str,
           leg: str = "") -> Agent:
    """At this telephone, or at the configured one. `leg`: the call it is done with.

    StateError: no such agent or telephone, somebody else is there, or the agent is in a talk elsewhere.
    """
    agent = _known(turn, name)
    place = (extension, trunk or agent.home_trunk) if extension else (agent.home_extension, agent.home_trunk)
    if not all(place) or not NUMBER.fullmatch(place[0]):
        raise StateError(f"{name}: at which telephone? Give an extension and its trunk")
    if place[1] not in turn.setup.trunks:
        raise StateError(f"{name}: no trunk is called {place[1]}, there are {', '.join(turn.setup.trunks)}")
    for other in turn.state.agents.values():
        if other is not agent and other.state != LOGGED_OUT and (other.extension, other.trunk) == place:
            raise StateError(f"{name}: {other.name} is logged in at {place[0]}: log {other.name} out first")
    elsewhere = (agent.extension, agent.trunk) != place
    if agent.state != LOGGED_OUT and elsewhere and (agent.contact or agent.leg):
        raise StateError(f"{name}: is busy at {agent.extension}: hang up first")
    if elsewhere:
        turn.log(events.AgentPlaced(agent=name, extension=place[0], trunk=place[1], by=by))
    if agent.state == LOGGED_OUT:
        change(turn, agent, READY if ready else NOT_READY, leg=leg, by=by)
    elif ready and agent.state == NOT_READY:
        change(turn, agent, READY, leg=leg or agent.leg, by=by)
    return agent


def log_out(turn: Turn, name: str, by: str, leg: str = "") -> Agent:
    """Now, or after the work. StateError: no such agent."""
    agent = _known(turn, name)
    if agent.contact:
        _wish(turn, agent, LOGGED_OUT, "", by)
    elif agent.state != LOGGED_OUT:
        change(turn, agent, LOGGED_OUT, leg=leg or agent.leg, by=by)
    return agent


def displaced(turn: Turn, agent: Agent) -> None:
    """The trunk of the telephone left the document: the agent is logged out, now or after the work."""
    if agent.contact:
        _wish(turn, agent, LOGGED_OUT, NO_TRUNK, "")
    else:
        change(turn, agent, LOGGED_OUT, leg=agent.leg, reason=NO_TRUNK)


def ready(turn: Turn, name: str, by: str, leg: str = "") -> Agent:
    """For the next contact; wrap-up ends early, and what was wished is forgotten. StateError: logged out."""
    agent = _logged_in(turn, name)
    if agent.contact:
        _wish(turn, agent, "", "", by)
    elif agent.state != READY:
        change(turn, agent, READY, leg=leg or agent.leg, by=by)
    return agent


def not_ready(turn: Turn, name: str, reason: str, by: str, leg: str = "") -> Agent:
    """Now, or after the talk. StateError: logged out, or there is no such reason."""
    agent = _logged_in(turn, name)
    if turn.setup.reasons and reason not in turn.setup.reasons:
        what = f"{reason} is no reason" if reason else "give a reason"
        raise StateError(f"{name}: {what}, there are {', '.join(turn.setup.reasons)}")
    if agent.contact:
        _wish(turn, agent, NOT_READY, reason, by)
    elif (agent.state, agent.reason) != (NOT_READY, reason):
        change(turn, agent, NOT_READY, leg=leg or agent.leg, reason=reason, by=by)
    return agent


def extend_wrap_up(turn: Turn, name: str, for_s: float, by: str) -> Agent:
    """So much longer. StateError: not in wrap-up, or not so long."""
    agent = _logged_in(turn, name)
    if agent.state != "wrap-up":
        raise StateError(f"{name}: is {doing(agent.state)}, not in wrap-up: there is nothing to extend")
    if not 0 < for_s <= MOST_EXTENSION_S:
        raise StateError(f"{name}: {for_s:g} s more: write more than 0 and at most {MOST_EXTENSION_S:g}")
    turn.log(events.WrapUpExtended(agent=name, until=agent.until + for_s, by=by))
    return agent


def at(turn: Turn, extension: str, trunk: str) -> Agent | None:
    """Who is logged in at this telephone."""
    return next((agent for agent in turn.state.agents.values() if agent.state != LOGGED_OUT
                 and (agent.extension, agent.trunk) == (extension, trunk)), None)


def _wish(turn: Turn, agent: Agent, state: str, reason: str, by: str) -> None:
    if (agent.wish, agent.wish_reason) != (state, reason):
        turn.log(events.AgentWished(agent=agent.name, state=state, reason=reason, by=by))


def _known(turn: Turn, name: str) -> Agent:
    agent = turn.state.agents.get(name)
    if agent is None:
        raise StateError(f"{name}: no agent is called so")
    return agent


def _logged_in(turn: Turn, name: str) -> Agent:
    agent = _known(turn, name)
    if agent.state == LOGGED_OUT:
        raise StateError(f"{name}: is logged out: log in first")
    return agent
