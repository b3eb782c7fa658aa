"""Requests of call control: one row each."""

from collections.abc import Callable
from typing import Any

from appliance.bus.messages import (
    CancelConsult,
    Confer,
    Consult,
    ContactNamed,
    DisposeContact,
    DropParty,
    EndTalk,
    Fetch,
    FindTelephone,
    HideTalk,
    Hold,
    Monitor,
    Park,
    ParkedAt,
    PickUp,
    PlaceCall,
    RecordTalk,
    Reply,
    Request,
    Retrieve,
    SendKeys,
    ShowTalk,
    StopMonitor,
    StopRecordingTalk,
    TagContact,
    TakeOver,
    Transfer,
)
from appliance.centre import recording, survey
from appliance.centre.control import notes, originating, supervision, talk, transfer
from appliance.centre.state import Agent, Contact
from appliance.centre.turn import Turn
from appliance.errors import StateError

InTalk = Callable[[Turn, Agent, Contact, Any], object]


def _in_talk(act: InTalk) -> Callable[[Turn, Any], Reply]:
    """For requests about the talk of `agent`."""
    def answer(turn: Turn, asked: Any) -> Reply:
        agent, contact = talk.of(turn, asked.agent)
        act(turn, agent, contact, asked)
        return ContactNamed(contact=contact.record.contact)
    return answer


def _of_agent(act: Callable[[Turn, Agent, Any], Contact]) -> Callable[[Turn, Any], Reply]:
    """For requests that give `agent` a contact."""
    def answer(turn: Turn, asked: Any) -> Reply:
        agent = turn.state.agents.get(asked.agent)
        if agent is None:
            raise StateError(f"{asked.agent}: no agent is called so")
        return ContactNamed(contact=act(turn, agent, asked).record.contact)
    return answer


def _transfer(turn: Turn, agent: Agent, contact: Contact, asked: Transfer) -> None:
    if asked.to.startswith(survey.TO):
        survey.transfer(turn, agent, contact, asked.to, asked.by)
    elif asked.to:
        transfer.blind(turn, agent, contact, asked.to, asked.by)
    else:
        transfer.complete(turn, agent, contact, asked.by)


def _confer(turn: Turn, agent: Agent, contact: Contact, asked: Confer) -> None:
    if asked.to:
        talk.invite(turn, agent, contact, asked.to, asked.by)
    else:
        talk.confer(turn, agent, contact, asked.by)


def _park(turn: Turn, asked: Park) -> ParkedAt:
    agent, contact = talk.of(turn, asked.agent)
    return ParkedAt(contact=contact.record.contact, slot=transfer.park(turn, agent, contact, asked.by))


def _tag(turn: Turn, asked: TagContact) -> ContactNamed:
    notes.tag(turn, asked.contact, asked.tags, asked.by)
    return ContactNamed(contact=asked.contact)


def _dispose(turn: Turn, asked: DisposeContact) -> ContactNamed:
    notes.dispose(turn, asked.contact, asked.code, asked.note, asked.by)
    return ContactNamed(contact=asked.contact)


CONTROL: dict[type[Request[Any]], Callable[[Turn, Any], Reply]] = {
    Hold: _in_talk(lambda turn, agent, contact, asked: talk.hold(turn, agent, contact, asked.by)),
    Retrieve: _in_talk(lambda turn, agent, contact, asked: talk.retrieve(turn, agent, contact, asked.by)),
    Consult: _in_talk(lambda turn, agent, contact, asked: talk.consult(
        turn, agent, contact, asked.to, asked.by)),
    CancelConsult: _in_talk(lambda turn, agent, contact, asked: talk.cancel_consult(
        turn, agent, contact, asked.by)),
    Transfer: _in_talk(_transfer),
    Confer: _in_talk(_confer),
    DropParty: _in_talk(lambda turn, agent, contact, asked: talk.drop(turn, agent, contact, asked.who)),
    SendKeys: _in_talk(lambda turn, agent, contact, asked: talk.send_digits(
        turn, agent, contact, asked.digits)),
    HideTalk: _in_talk(lambda turn, agent, contact, asked: talk.pause_recording(
        turn, agent, contact, asked.for_s, asked.by)),
    ShowTalk: _in_talk(lambda turn, agent, contact, asked: recording.resume(turn, contact, asked.by)),
    RecordTalk: _in_talk(lambda turn, agent, contact, asked: recording.ask(
        turn, agent, contact, asked.by)),
    StopRecordingTalk: _in_talk(lambda turn, agent, contact, asked: recording.stop(
        turn, agent, contact, asked.by)),
    EndTalk: _in_talk(lambda turn, agent, contact, asked: talk.release(turn, agent, contact, asked.by)),
    Monitor: _in_talk(lambda turn, agent, contact, asked: supervision.supervise(
        turn, agent, contact, asked.at, asked.mode, asked.by)),
    StopMonitor: _in_talk(lambda turn, agent, contact, asked: supervision.leave(
        turn, agent, contact, asked.at)),
    TakeOver: _in_talk(lambda turn, agent, contact, asked: supervision.take_over(
        turn, agent, contact, asked.at)),
    FindTelephone: lambda turn, asked: supervision.find(turn, asked.at),
    Park: _park,
    Fetch: _of_agent(lambda turn, agent, asked: transfer.fetch(turn, agent, asked.slot)),
    PickUp: _of_agent(lambda turn, agent, asked: talk.pick_up(turn, agent, asked.of_agent)),
    PlaceCall: _of_agent(lambda turn, agent, asked: originating.call(turn, agent, asked.to, asked.by)),
    TagContact: _tag,
    DisposeContact: _dispose,
}
