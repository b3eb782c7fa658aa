"""What an agent does with a talk: hold, consult, invite others, keys, the recording, its end."""

import re

from appliance.bus.messages import (
    Bridge,
    SendDigits,
    Unbridge,
)
from appliance.centre import acd, agents, ending, events, recording, survey
from appliance.centre.control import media, parties, transfer
from appliance.centre.control.places import place
from appliance.centre.state import Agent, Contact, Party
from appliance.centre.turn import NORMAL, Turn
from appliance.centre.words import doing
from appliance.errors import StateError

_DIGITS = re.compile(r"[0-9A-D*#]{1,64}")


def of(turn: Turn, name: str) -> tuple[Agent, Contact]:
    """The agent and the contact that he or she talks in. StateError: none."""
    agent = turn.state.agents.get(name)
    if agent is None:
        raise StateError(f"{name}: no agent is called so")
    contact = turn.state.contacts.get(agent.contact)
    if contact is None or contact.record.state != "talking" or contact.record.agent != name:
        dials = contact is not None and contact.record.state == "dialling"
        raise StateError(f"{name}: talks with no customer, is {'dialling' if dials else doing(agent.state)}")
    return agent, contact


def hold(turn: Turn, agent: Agent, contact: Contact, by: str) -> None:
    """The customer hears music. StateError: in a conference nobody is held."""
    _no_conference(agent, contact)
    if contact.held:
        return
    turn.log(events.Held(by=by), contact)
    party = media.consulted(contact)
    agents.change(turn, agent, "held" if party is None else "consulting", leg=agent.leg, contact=contact,
                  idle_since=agent.idle_since)
    turn.do(Unbridge(leg=contact.customer_leg))
    turn.do(media.music(turn, contact, contact.customer_leg))
    if party is not None:
        turn.do(Bridge(leg_a=contact.agent_leg, leg_b=party.leg))
    recording.hush(turn, contact)


def retrieve(turn: Turn, agent: Agent, contact: Contact, by: str) -> None:
    """Back to the customer; who is consulted waits with music."""
    if not contact.held:
        return
    turn.log(events.Retrieved(by=by), contact)
    agents.change(turn, agent, "talking", leg=agent.leg, contact=contact, idle_since=agent.idle_since)
    party = media.consulted(contact)
    if party is not None:
        turn.do(Unbridge(leg=party.leg))
    turn.do(Bridge(leg_a=contact.arrived_leg, leg_b=contact.dialled_leg))
    if party is not None:
        turn.do(media.music(turn, contact, party.leg))
    recording.hush(turn, contact)


def consult(turn: Turn, agent: Agent, contact: Contact, to: str, by: str) -> Party:
    """Ask somebody while the customer waits. StateError: it leads nowhere, or somebody is asked already."""
    _no_conference(agent, contact)
    if any(one.role in ("consulted", "member") for one in contact.parties.values()):
        raise StateError(f"{agent.name}: consults somebody already: cancel that first")
    where = place(turn, agent, to)
    if where.queue:
        raise StateError(f"{to}: a queue cannot be consulted, name an agent or a number")
    hold(turn, agent, contact, by)
    agents.change(turn, agent, "consulting", leg=agent.leg, contact=contact, idle_since=agent.idle_since)
    return parties.add(turn, contact, "consulted", where, calling=agent.extension, by=by)


def cancel_consult(turn: Turn, agent: Agent, contact: Contact, by: str) -> None:
    """Without whoever was consulted, back to the customer. StateError: nobody is."""
    party = next((one for one in contact.parties.values() if one.role == "consulted"), None)
    if party is None:
        raise StateError(f"{agent.name}: consults nobody")
    parties.drop(turn, contact, party)
    retrieve(turn, agent, contact, by)


def confer(turn: Turn, agent: Agent, contact: Contact, by: str) -> None:
    """All three hear each other. StateError: nobody is consulted, or has not answered yet."""
    if media.consulted(contact) is None:
        raise StateError(f"{agent.name}: nobody who is consulted has answered: consult first, or invite")
    parties.confer(turn, contact, by)


def invite(turn: Turn, agent: Agent, contact: Contact, to: str, by: str) -> Party:
    """Into the talk as soon as it answers; the customer goes on talking meanwhile."""
    if contact.held:
        raise StateError(f"{agent.name}: the customer is on hold: retrieve first")
    where = place(turn, agent, to)
    if where.queue:
        raise StateError(f"{to}: a queue cannot be invited, name an agent or a number")
    return parties.add(turn, contact, "member", where, calling=agent.extension, by=by)


def drop(turn: Turn, agent: Agent, contact: Contact, who: str) -> None:
    """`who`: an agent or number that was consulted or invited. StateError: nobody of that name is there."""
    for party in contact.parties.values():
        if party.role != "supervisor" and who in (party.agent, party.number):
            parties.drop(turn, contact, party)
            return
    raise StateError(f"{who}: is not in this talk")


def send_digits(turn: Turn, agent: Agent, contact: Contact, digits: str) -> None:
    """To whom the agent talks with. StateError: no such keys."""
    if not _DIGITS.fullmatch(digits):
        raise StateError(f"{digits[:70]!r}: write 1 to 64 of 0-9, *, #, A-D")
    party = media.consulted(contact)
    leg = party.leg if party is not None and contact.held else contact.customer_leg
    turn.do(SendDigits(leg=leg, order=turn.setup.new_id(), digits=digits))


def pause_recording(turn: Turn, agent: Agent, contact: Contact, for_s: float, by: str) -> None:
    """Silence is recorded and nobody hears the customer's keys, for so long at most.

    StateError: nothing is or may be recorded, it is not this one's to pause, or not for so long.
    """
    longest_s = turn.setup.control.pause_s
    if not contact.recording and (contact.policy is None or contact.policy.record == "never"):
        raise StateError(f"{agent.name}: this talk is not recorded")
    if not recording.may_pause(turn, contact, agent, by):
        who = "the agent" if by == agent.name else "anybody but the agent"
        raise StateError(f"{agent.name}: the policy does not let {who} pause this recording")
    if not 0 < for_s <= longest_s:
        raise StateError(f"{for_s:g} s: write more than 0 and at most {longest_s:g}")
    recording.pause(turn, contact, for_s, by)


def release(turn: Turn, agent: Agent, contact: Contact, by: str) -> None:
    """Hang up; others in a conference go on with the customer, who else may be asked about the talk."""
    if not transfer.agent_left(turn, contact, "") and not (
            by == agent.name and survey.follows(turn, contact)):
        ending.end_talk(turn, contact, "agent" if by == agent.name else "box", NORMAL)


def pick_up(turn: Turn, agent: Agent, of_agent: str) -> Contact:
    """Have one's own telephone rung for a customer who rings at another; "": the first of one's own queues.

    StateError: nobody rings there, or the agent is busy.
    """
    if agent.state == "logged-out" or agent.contact or agent.leg:
        raise StateError(f"{agent.name}: is {doing(agent.state) if not agent.leg else 'on the telephone'}")
    ringing = sorted((one for one in turn.state.contacts.values() if one.record.state == "ringing"
                      and (one.record.agent == of_agent if of_agent else _serves(turn, agent, one))),
                     key=lambda one: one.line)
    if not ringing:
        raise StateError(f"{of_agent or 'your queues'}: no customer rings there")
    acd.redirect(turn, ringing[0], agent)
    return ringing[0]


def _serves(turn: Turn, agent: Agent, contact: Contact) -> bool:
    queue = turn.setup.queues.get(contact.record.queue)
    return queue is not None and agent.name in queue.agents


def _no_conference(agent: Agent, contact: Contact) -> None:
    if contact.conference:
        raise StateError(f"{agent.name}: is in a conference: in it nobody is held; others can be invited")
