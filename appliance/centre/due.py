"""What comes of a timer."""

from collections.abc import Callable

from appliance.centre import acd, agents, assigning, nodes, recording, survey
from appliance.centre.callbacks import reaching
from appliance.centre.control import originating, transfer
from appliance.centre.entry import forward
from appliance.centre.state import Agent, Contact
from appliance.centre.timers import Timer
from appliance.centre.turn import Turn


def expire(turn: Turn, timer: Timer) -> None:
    agent, contact = turn.state.agents.get(timer.whose), turn.state.contacts.get(timer.whose)
    if timer.which in OF_AGENT and agent is not None:
        OF_AGENT[timer.which](turn, agent)
    elif timer.which in OF_CONTACT and contact is not None:
        OF_CONTACT[timer.which](turn, contact)


def _state_ends(turn: Turn, agent: Agent) -> None:
    contact = turn.state.contacts.get(agent.contact)
    if contact is None:
        agents.due(turn, agent)
    elif agent.leg in contact.parties:
        transfer.no_answer(turn, contact, contact.parties[agent.leg])
    elif contact.record.state == "ringing":
        acd.no_answer(turn, contact)
    elif contact.pending is not None:
        reaching.too_long(turn, contact)
    else:
        originating.no_answer(turn, contact)


def _no_digit(turn: Turn, contact: Contact) -> None:
    if contact.record.state == survey.AFTER_TALK:
        survey.after_talk(turn, contact, survey.no_digit(turn, contact))
    else:
        nodes.no_digit(turn, contact)


def _callback(turn: Turn, contact: Contact) -> None:
    """What else is due of it, the end of the turn sees to."""
    if contact.pending is not None and 0 < contact.pending.try_until <= turn.now:
        reaching.too_long(turn, contact)


OF_AGENT: dict[str, Callable[[Turn, Agent], None]] = {
    "agent": _state_ends,
    "not ready": agents.overran,
    "assigned": assigning.over,
}

OF_CONTACT: dict[str, Callable[[Turn, Contact], None]] = {
    "digit": _no_digit,
    "limit": nodes.too_long,
    "order": nodes.no_answer,
    "overflow": nodes.overflow,
    "position": acd.announce_place,
    "forward": forward.due,
    "parked": transfer.parked_too_long,
    "paused": lambda turn, contact: recording.resume(turn, contact, ""),
    "callback": _callback,
}
