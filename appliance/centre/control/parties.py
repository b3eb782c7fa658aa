"""Others in a talk: rung, there, gone; and who takes the contact over."""

from appliance.bus.messages import Bridge, Dial, Hangup, JoinConference
from appliance.centre import acd, agents, events, recording
from appliance.centre.control import media
from appliance.centre.control.places import Place
from appliance.centre.state import Agent, Contact, Party
from appliance.centre.turn import NORMAL, Turn


def add(turn: Turn, contact: Contact, role: str, to: Place, *, calling: str, mode: str = "",
        by: str = "") -> Party:
    """Ring who is there."""
    leg = turn.setup.new_id()
    turn.log(events.PartyAdded(leg=leg, role=role, number=to.number, agent=to.agent, mode=mode, by=by),
             contact)
    if to.agent:
        agent = turn.state.agents[to.agent]
        agents.back_to_not_ready(turn, agent)
        agents.change(turn, agent, "reserved", leg=leg, contact=contact, idle_since=agent.idle_since,
                      until=turn.now + turn.setup.control.ring_s)
    turn.do(Dial(leg=leg, trunk=to.trunk, called=to.number, calling=to.shows or calling,
                 calling_name=contact.calling_name))
    return contact.parties[leg]


def rings(turn: Turn, contact: Contact, party: Party) -> None:
    agent = _agent(turn, contact, party)
    if agent is not None and agent.state == "reserved":
        agents.change(turn, agent, "ringing", leg=agent.leg, contact=contact, until=agent.until,
                      idle_since=agent.idle_since)


def answered(turn: Turn, contact: Contact, party: Party) -> None:
    if party.talking:
        return
    if party.role == "rung":
        acd.talk_beside(turn, contact, party)
        return
    turn.log(events.PartyAnswered(of_leg=party.leg), contact)
    if (agent := _agent(turn, contact, party)) is not None:
        agents.change(turn, agent, "talking", leg=party.leg, contact=contact, idle_since=agent.idle_since)
    if party.role == "target":
        take_over(turn, contact, party)
    elif party.role == "supervisor":
        turn.do(media.supervise(contact, party))
    elif party.role == "consulted":
        turn.do(Bridge(leg_a=contact.agent_leg, leg_b=party.leg) if contact.held
                else media.music(turn, contact, party.leg))
        recording.hush(turn, contact)
    elif contact.conference:
        turn.do(JoinConference(conference=contact.record.contact, leg=party.leg))
    else:
        confer(turn, contact, "")


def confer(turn: Turn, contact: Contact, by: str) -> None:
    """Customer, agent and who was consulted or invited hear each other."""
    media.stop_recording(turn, contact)
    name, decided = recording.go_on(turn, contact)
    turn.log(events.Conferenced(recording=name, by=by), contact)
    if decided is not None:
        turn.log(decided, contact)
    agent = turn.state.agents.get(contact.record.agent)
    if agent is not None and agent.contact == contact.record.contact and agent.state != "talking":
        agents.change(turn, agent, "talking", leg=agent.leg, contact=contact, idle_since=agent.idle_since)
    media.connect(turn, contact)


def gone(turn: Turn, contact: Contact, party: Party, cause: int, leg: str) -> None:
    """`leg`: its own as long as the telephone still has it, else ""."""
    if party.role == "rung":
        acd.ring_beside_ended(turn, contact, party, cause, leg)
        return
    _leave(turn, contact, party, cause, leg)
    if party.role == "consulted":
        resume(turn, contact)
        recording.hush(turn, contact)
    elif party.role == "member" and contact.conference and not media.members(contact):
        media.stop_recording(turn, contact)
        name, decided = recording.go_on(turn, contact)
        turn.log(events.Paired(recording=name), contact)
        if decided is not None:
            turn.log(decided, contact)
        media.connect(turn, contact)


def drop(turn: Turn, contact: Contact, party: Party) -> None:
    """Hang the party up."""
    turn.do(Hangup(leg=party.leg, cause=NORMAL))
    gone(turn, contact, party, NORMAL, party.leg)


def leave_all(turn: Turn, contact: Contact, keep: Party | None = None) -> None:
    """Nobody but `keep` is left beside customer and agent."""
    for party in [one for one in contact.parties.values() if one is not keep]:
        turn.do(Hangup(leg=party.leg, cause=NORMAL))
        _leave(turn, contact, party, NORMAL, party.leg)


def resume(turn: Turn, contact: Contact) -> None:
    """The agent, who consulted, is alone with a held customer or talks with him."""
    agent = turn.state.agents.get(contact.record.agent)
    if agent is not None and agent.state == "consulting":
        agents.change(turn, agent, "held" if contact.held else "talking", leg=agent.leg, contact=contact,
                      idle_since=agent.idle_since)


def take_over(turn: Turn, contact: Contact, party: Party, gone_leg: str = "") -> None:
    """The party is the contact's agent from now on; the one before, if any, is released."""
    if contact.record.state == "talking":
        media.stop_recording(turn, contact)
        if contact.agent_leg != gone_leg:
            turn.do(Hangup(leg=contact.agent_leg, cause=NORMAL))
        agents.finish(turn, contact, gone_leg)
    name, decided = recording.begin(turn, contact, party.agent)
    turn.log(events.TakenOver(of_leg=party.leg, agent=party.agent, number=party.number, recording=name),
             contact)
    turn.log(decided, contact)
    if contact.conference and not media.members(contact):
        turn.log(events.Paired(recording=contact.recording), contact)
    media.connect(turn, contact)


def refused(turn: Turn, contact: Contact, party: Party, cause: int) -> None:
    """It cannot be rung, or nobody answers."""
    turn.do(Hangup(leg=party.leg, cause=NORMAL))
    gone(turn, contact, party, cause, party.leg)


def _leave(turn: Turn, contact: Contact, party: Party, cause: int, leg: str) -> None:
    if (agent := _agent(turn, contact, party)) is not None:
        agents.release(turn, agent, leg=leg, idle_since=agent.idle_since if not party.talking else None)
    reason = agents.RING_REASONS.get(cause, f"cause {cause}") if not party.talking else ""
    turn.log(events.PartyGone(of_leg=party.leg, cause=cause, reason=reason), contact)


def _agent(turn: Turn, contact: Contact, party: Party) -> Agent | None:
    agent = turn.state.agents.get(party.agent)
    return agent if agent is not None and agent.contact == contact.record.contact else None
