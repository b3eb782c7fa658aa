"""One try to reach the customer: from the agent whose turn it is to the talk, or to the next try."""

from typing import NamedTuple

from appliance.bus.messages import Detect, Dial, Hangup
from appliance.centre import agents, events
from appliance.centre.callbacks.hours import opens
from appliance.centre.state import Agent, Callback, Contact
from appliance.centre.turn import NORMAL, Turn

NO_ANSWER = 19                                    # Q.850: no answer from user (user alerted)
OUTCOMES = {                                      # Q.850 cause -> what came of the try
    1: "wrong number",
    17: "busy",
    18: "no answer",
    19: "no answer",
    20: "no answer",
    21: "refused",
    22: "wrong number",
    28: "wrong number",
}
FAILED = "failed"                                 # not the customer's doing: does not count as a try


class Spot(NamedTuple):
    line: int
    joined_at: float


def kept_place(turn: Turn, contact: Contact, queue: str) -> Spot | None:
    """Of a caller to whom a callback for this queue is promised: its place."""
    name = turn.state.callbacks.get(turn.setup.entrance.canonical(contact.record.calling, contact.trunk))
    promised = turn.state.contacts.get(name or "")
    if promised is None or promised.callback is None or contact.record.direction != "in":
        return None
    if promised.record.queue != queue or not promised.line or promised.callback.firm:
        return None
    return Spot(promised.line, promised.joined_at)


def claim(turn: Turn, contact: Contact, agent: Agent) -> bool:
    """Customer-first: the agent waits for the customer, who is dialled. False: the agent is to be rung."""
    callback = contact.pending
    if callback is None or callback.mode != "customer-first" or contact.connected:
        return False
    if contact.record.agent:
        return True
    turn.log(events.CallbackClaimed(agent=agent.name), contact)
    agents.change(turn, agent, "reserved", leg="", contact=contact, idle_since=agent.idle_since,
                  until=turn.now + turn.setup.callbacks.ring_s)
    if contact.virtual:
        dial(turn, contact, callback)
    return True


def agent_answered(turn: Turn, contact: Contact, callback: Callback) -> None:
    """Agent-first: now the customer."""
    agent = turn.state.agents[contact.record.agent]
    agents.change(turn, agent, "talking", leg=contact.dialled_leg, contact=contact,
                  idle_since=agent.idle_since)
    dial(turn, contact, callback)


def dial(turn: Turn, contact: Contact, callback: Callback) -> None:
    """The try and its leg are in the log before trunkd is asked."""
    leg = turn.setup.new_id()
    turn.log(events.CallbackTried(until=turn.now + turn.setup.callbacks.ring_s), contact)
    turn.log(events.Dialled(leg=leg, trunk=callback.trunk, number=callback.digits,
                            record=contact.record_talk), contact)
    turn.do(Dial(leg=leg, trunk=callback.trunk, called=callback.digits, calling=contact.record.calling))


def rung(turn: Turn, leg: str) -> Contact | None:
    """The contact whose customer is being dialled by this leg."""
    contact = turn.state.contact_of(leg)
    dialling = contact is not None and contact.pending is not None and contact.record.state == "dialling"
    return contact if dialling and contact is not None and contact.customer_leg == leg else None


def clearing(turn: Turn, contact: Contact, cause: int) -> None:
    """The line says in words that nobody will answer."""
    missed(turn, contact, OUTCOMES.get(cause, FAILED), cause)


def too_long(turn: Turn, contact: Contact) -> None:
    """The customer has been rung for long enough."""
    missed(turn, contact, "no answer", NO_ANSWER)


def leg_gone(turn: Turn, contact: Contact, leg: str, cause: int, by: str) -> None:
    """The customer's or, while the customer is dialled, the agent's."""
    if leg != contact.customer_leg:               # the agent has heard it ring for long enough
        missed(turn, contact, "no answer" if contact.alerted else "stopped", NORMAL, leg)
    elif contact.connected and contact.let_go:
        missed(turn, contact, "hung up" if by == "far" else FAILED, cause, leg)
    else:
        missed(turn, contact, OUTCOMES.get(cause, "no answer" if cause == NORMAL else FAILED), cause, leg)


def stop(turn: Turn, contact: Contact, why: str) -> None:
    """Without a talk; it is no try."""
    missed(turn, contact, why, NORMAL, at=0.0)


def missed(turn: Turn, contact: Contact, outcome: str, cause: int, gone_leg: str = "", *,
           at: float | None = None) -> None:
    """The next try comes `at`, 0: as soon as nothing is in its way; None: after the pause."""
    callback, settings = contact.pending, turn.setup.callbacks
    if callback is None:
        return
    counted = outcome not in (FAILED, "stopped", "called in")
    if outcome == "wrong number" or callback.tries + counted >= settings.tries:
        close(turn, contact, outcome if outcome == "wrong number" else "given up", gone_leg=gone_leg)
        return
    for leg in (contact.arrived_leg, contact.dialled_leg):
        if leg and leg != gone_leg:
            turn.do(Hangup(leg=leg, cause=NORMAL))
    agent = turn.state.agents.get(contact.record.agent)
    pause_s = min(settings.pause_s * settings.growth ** callback.tries, settings.longest_pause_s)
    due_at = opens(turn, turn.now + (pause_s if counted else settings.pause_s)) if at is None else at
    turn.log(events.CallbackMissed(outcome=outcome, cause=cause, due_at=due_at, counted=counted), contact)
    _release(turn, contact, agent, gone_leg)


def close(turn: Turn, contact: Contact, outcome: str, *, by: str = "", other: str = "",
          gone_leg: str = "") -> None:
    """Nobody is called any more, whatever goes on now."""
    agent = turn.state.agents.get(contact.record.agent)
    turn.log(events.CallbackClosed(outcome=outcome, by=by, contact=other), contact)
    _release(turn, contact, agent, gone_leg)
    ended = "failed" if outcome in ("given up", "wrong number") else "withdrawn"
    turn.end(contact, ended, "agent" if by and by in turn.state.agents else "caller" if other else "box",
             NORMAL, gone_leg=gone_leg)


def listen(turn: Turn, contact: Contact) -> None:
    """Whether a machine has answered."""
    if turn.setup.callbacks.machines:
        turn.do(Detect(leg=contact.customer_leg, kinds=["machine"]))


def _release(turn: Turn, contact: Contact, agent: Agent | None, gone_leg: str) -> None:
    if agent is not None and agent.contact == contact.record.contact:
        agents.release(turn, agent, leg="" if agent.leg == gone_leg else agent.leg,
                       idle_since=agent.idle_since)
