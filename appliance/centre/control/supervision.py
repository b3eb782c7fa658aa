"""A supervisor at a talk: hears it, whispers to the agent, is heard by all, takes it over."""

from appliance.bus.messages import TelephoneFound
from appliance.centre import events
from appliance.centre.control import media, parties
from appliance.centre.control.places import Place, place
from appliance.centre.dialplan import ToTrunk
from appliance.centre.state import Agent, Contact, Party
from appliance.centre.turn import Turn
from appliance.config.pattern import NUMBER
from appliance.errors import StateError

MODES = ("listen", "whisper", "barge")


def supervise(turn: Turn, agent: Agent, contact: Contact, at: str, mode: str, by: str) -> Party:
    """`at`: the supervisor, as an agent's name, or the extension that is rung. Again: in this mode now.

    StateError: no such mode, or the telephone cannot be rung.
    """
    if mode not in MODES:
        raise StateError(f"{mode}: is no way to supervise, there are {', '.join(MODES)}")
    there = _there(turn, agent, contact, at)
    if there is None:
        where = place(turn, agent, at)
        if where.queue:
            raise StateError(f"{at}: name a person's telephone")
        return parties.add(turn, contact, "supervisor", where, calling=agent.extension, mode=mode, by=by)
    if there.mode != mode:
        turn.log(events.ModeChanged(of_leg=there.leg, mode=mode, by=by), contact)
        if there.talking:
            turn.do(media.supervise(contact, there))
    return there


def find(turn: Turn, at: str) -> TelephoneFound:
    """Where supervise() would ring, were it asked to. StateError: nowhere."""
    if at in turn.state.agents:
        return TelephoneFound(at=at, agent=at)
    if at and NUMBER.fullmatch(at):
        for trunk in dict.fromkeys(one.trunk for one in turn.state.agents.values() if one.trunk):
            digits = _outside(turn, trunk, at)
            if digits and not turn.setup.plan.emergency.knows(digits):
                return TelephoneFound(at=digits, agent="")
        owner = next((one.name for one in turn.state.agents.values() if one.extension == at), "")
        if owner or turn.setup.control.is_extension(at):
            return TelephoneFound(at=owner or at, agent=owner)
    raise StateError(f"{at}: is no agent and no extension, and no rule of centre.outbound lets it be dialled")


def telephone(turn: Turn, at: str) -> Place:
    """Where somebody is rung who has no talk to hear: an agent's name, an extension, a number outside.

    StateError: nowhere, or he is there for callers.
    """
    trunks = list(dict.fromkeys([*(one.trunk for one in turn.state.agents.values() if one.trunk),
                                 *turn.setup.trunks]))
    there = (one for one in turn.state.agents.values() if one.extension == at and one.state != "logged-out")
    agent = turn.state.agents.get(at) or next(there, None)
    if agent is not None:
        if agent.free:
            raise StateError(f"{agent.name}: is ready for calls: not ready first")
        return place(turn, agent, agent.name)
    if NUMBER.fullmatch(at) and not turn.setup.plan.emergency.knows(at):
        for trunk in trunks:
            way = turn.setup.plan.judge(trunk, at, complete=True)
            if isinstance(way, ToTrunk) and not turn.setup.plan.emergency.knows(way.digits):
                return Place(number=way.digits, trunk=way.route.to, shows=way.route.calling or "")
        if trunks and turn.setup.control.is_extension(at):
            return Place(number=at, trunk=trunks[0])
    raise StateError(f"{at}: is no agent and no extension, and no rule of centre.outbound lets it be dialled")


def leave(turn: Turn, agent: Agent, contact: Contact, at: str) -> None:
    """StateError: nobody supervises from there."""
    parties.drop(turn, contact, _must_be_there(turn, agent, contact, at))


def take_over(turn: Turn, agent: Agent, contact: Contact, at: str) -> None:
    """The supervisor in place of the agent. StateError: has not answered yet, or is not there."""
    party = _must_be_there(turn, agent, contact, at)
    if not party.talking:
        raise StateError(f"{at}: has not answered yet")
    parties.take_over(turn, contact, party)


def _outside(turn: Turn, trunk: str, at: str) -> str:
    """What is dialled outside for `at` by a telephone of the trunk; "": it is not outside."""
    way = turn.setup.plan.judge(trunk, at, complete=True)
    return way.digits if isinstance(way, ToTrunk) else ""


def _there(turn: Turn, agent: Agent, contact: Contact, at: str) -> Party | None:
    names = {at, _outside(turn, agent.trunk, at) or at}
    return next((one for one in contact.parties.values()
                 if one.role == "supervisor" and names & {one.agent, one.number}), None)


def _must_be_there(turn: Turn, agent: Agent, contact: Contact, at: str) -> Party:
    party = _there(turn, agent, contact, at)
    if party is None:
        raise StateError(f"{at}: does not supervise this talk: begin with listening")
    return party
