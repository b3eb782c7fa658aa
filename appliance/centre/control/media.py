"""Who hears whom in a talk, and what of it is recorded."""

from collections.abc import Iterator
from typing import Any, Literal

from appliance.bus.messages import (
    Bridge,
    JoinConference,
    PauseRecording,
    Play,
    Request,
    ResumeRecording,
    StopRecording,
    Supervise,
    Unbridge,
)
from appliance.centre import recording
from appliance.centre.state import Contact, Party
from appliance.centre.turn import Turn

_MODES: dict[str, Literal["listen", "whisper", "barge"]] = {
    "listen": "listen", "whisper": "whisper", "barge": "barge"}


def wishes(turn: Turn, contact: Contact) -> Iterator[Request[Any]]:
    """All that spand is to do for a contact that talks, also one that was not told what came before."""
    party = consulted(contact)
    if contact.conference:
        for leg in (contact.customer_leg, contact.agent_leg, *(one.leg for one in members(contact))):
            yield JoinConference(conference=contact.record.contact, leg=leg)
    elif contact.held:
        yield Unbridge(leg=contact.customer_leg)
        yield music(turn, contact, contact.customer_leg)
        if party is not None:
            yield Bridge(leg_a=contact.agent_leg, leg_b=party.leg)
    else:
        yield Bridge(leg_a=contact.arrived_leg, leg_b=contact.dialled_leg)
        if party is not None:
            yield music(turn, contact, party.leg)
    for one in contact.parties.values():
        if one.role == "supervisor" and one.talking:
            yield supervise(contact, one)
    if contact.stopped:
        yield StopRecording(recording=contact.stopped)
    if contact.recording:
        yield recording.start(contact)
        if contact.was_paused:
            yield (PauseRecording(recording=contact.recording) if recording.silent(contact)
                   else ResumeRecording(recording=contact.recording))


def connect(turn: Turn, contact: Contact) -> None:
    for wish in wishes(turn, contact):
        turn.do(wish)


def music(turn: Turn, contact: Contact, leg: str) -> Play:
    """For who is on hold."""
    queue = turn.setup.queues.get(contact.record.queue)
    name = turn.setup.control.music if queue is None else queue.music
    return Play(leg=leg, play=f"{contact.record.contact}-hold", fragments=[f"music:{name}"], repeat=True)


def supervise(contact: Contact, party: Party) -> Supervise:
    return Supervise(supervisor=party.leg, agent=contact.agent_leg, mode=_MODES[party.mode])


def consulted(contact: Contact) -> Party | None:
    """Who talks with the agent without the customer."""
    return next((one for one in contact.parties.values() if one.role == "consulted" and one.talking), None)


def members(contact: Contact) -> list[Party]:
    """Of the conference, beside customer and agent."""
    return [one for one in contact.parties.values() if one.role == "member" and one.talking]


def stop_recording(turn: Turn, contact: Contact) -> None:
    if contact.recording:
        turn.do(StopRecording(recording=contact.recording))
