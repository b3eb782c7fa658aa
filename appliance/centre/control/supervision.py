"""A supervisor at a talk: hears it, whispers to the agent, is heard by all, takes it over."""

from appliance.centre import events
from appliance.centre.control import media, parties
from appliance.centre.control.places import place
from appliance.centre.state import Agent, Contact, Party
from appliance.centre.turn import Turn
from appliance.errors import StateError

MODES = ("listen", "whisper", "barge")


def supervise(turn: Turn, agent: Agent, contact: Contact, at: str, mode: str, by: str) -> Party:
    """`at`: the supervisor, as an agent's name, or the extension that is rung. Again: in this mode now.

    StateError: no such mode, or the telephone cannot be rung.
    """
    if mode not in MODES:
        raise StateError(f"{mode}: is no way to supervise, there are {', '.join(MODES)}")
    there = _there(contact, at)
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


def leave(turn: Turn, contact: Contact, at: str) -> None:
    """StateError: nobody supervises from there."""
    parties.drop(turn, contact, _must_be_there(contact, at))


def take_over(turn: Turn, contact: Contact, at: str) -> None:
    """The supervisor in place of the agent. StateError: has not answered yet, or is not there."""
    party = _must_be_there(contact, at)
    if not party.talking:
        raise StateError(f"{at}: has not answered yet")
    parties.take_over(turn, contact, party)


def _there(contact: Contact, at: str) -> Party | None:
    return next((one for one in contact.parties.values()
                 if one.role == "supervisor" and at in (one.agent, one.number)), None)


def _must_be_there(contact: Contact, at: str) -> Party:
    party = _there(contact, at)
    if party is None:
        raise StateError(f"{at}: does not supervise this talk: begin with listening")
    return party
