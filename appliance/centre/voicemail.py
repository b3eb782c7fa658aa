"""Voice messages: left in a box, heard, done with. Pure."""

from collections.abc import Callable
from typing import Any

from appliance.bus.messages import (
    Detect,
    Done,
    FinishMessage,
    GetMessages,
    Heard,
    HearMessage,
    MessageInfo,
    MessageLeft,
    MessageList,
    Reply,
    Request,
    StartRecording,
    StopRecording,
)
from appliance.centre import events
from appliance.centre.events import decode
from appliance.centre.state import Contact, Message
from appliance.centre.turn import Setup, Turn
from appliance.config.callbacks import BoxConfig
from appliance.errors import StateError
from appliance.store.events import Entry

SPEECH = "speech"


def has_room(turn: Turn, box: BoxConfig) -> bool:
    return sum(message.box == box.name for message in turn.state.messages.values()) < box.most


def begin(turn: Turn, contact: Contact, box: BoxConfig) -> None:
    """What the caller says from now on is the message; no_digit comes when it is over by time or silence."""
    longest_s = min(box.silence_s, box.most_s) if box.silence_s else box.most_s
    turn.log(events.MessageBegun(recording=turn.setup.new_id()), contact)
    turn.log(events.MessageKept(message=contact.recording, box=box.name), contact)
    turn.log(events.DigitAwaited(until=turn.now + longest_s), contact)
    turn.do(StartRecording(recording=contact.recording, caller_leg=contact.arrived_leg, agent_leg=""))
    wish(turn, contact)


def end(turn: Turn, contact: Contact) -> None:
    """By a key, time or silence."""
    message = turn.state.messages[contact.message]
    turn.do(StopRecording(recording=contact.recording))
    turn.log(events.MessageOver(), contact)
    turn.do(Detect(leg=contact.arrived_leg, kinds=[]))
    _over(turn, message)


def heard(turn: Turn, given: Heard) -> None:
    """The caller speaks, or has stopped."""
    contact = turn.state.contact_of(given.leg)
    message = None if contact is None else turn.state.messages.get(contact.message)
    box = None if message is None else turn.setup.boxes.get(message.box)
    if given.kind != SPEECH or contact is None or message is None or box is None:
        return
    until = message.began_at + box.most_s
    if given.what == "quiet":
        until = min(until, turn.now + box.silence_s)
    turn.log(events.DigitAwaited(until=until), contact)


def tend(turn: Turn) -> None:
    """A message whose caller went away in the middle of it is one, too."""
    for message in list(turn.state.messages.values()):
        contact = turn.state.contacts.get(message.contact)
        if not message.ended_at and (contact is None or contact.message != message.message):
            _over(turn, message)


def left_one(turn: Turn, contact: Contact) -> bool:
    """Whoever goes now has told what it is about."""
    return any(one.contact == contact.record.contact and (one.ended_at or _is_kept(turn, one))
               for one in turn.state.messages.values())


def wish(turn: Turn, contact: Contact) -> None:
    """What spand listens for."""
    message = turn.state.messages.get(contact.message)
    box = None if message is None else turn.setup.boxes.get(message.box)
    if box is not None and box.silence_s:
        turn.do(Detect(leg=contact.arrived_leg, kinds=[SPEECH]))


def notice(setup: Setup, entry: Entry) -> MessageLeft | None:
    """What is said on the bus when the log has this."""
    event = decode(entry) if entry.kind == events.MessageEnded.__name__ else None
    if not isinstance(event, events.MessageEnded) or not event.kept:
        return None
    box = setup.boxes.get(event.box)
    return MessageLeft(message=event.message, box=event.box, contact=entry.contact,
                       tell=[] if box is None else box.tell)


def _list(turn: Turn, asked: GetMessages) -> MessageList:
    if asked.box and asked.box not in turn.setup.boxes:
        raise StateError(f"{asked.box}: no box is called so, there are "
                         f"{', '.join(turn.setup.boxes) or 'none'}")
    return MessageList(messages=[_info(turn, one) for one in turn.state.messages.values()
                                 if asked.box in ("", one.box)])


def _hear(turn: Turn, asked: HearMessage) -> Done:
    if asked.by not in _message(turn, asked.message).heard_by:
        turn.log(events.MessageHeard(message=asked.message, by=asked.by))
    return Done()


def _finish(turn: Turn, asked: FinishMessage) -> Done:
    if not _message(turn, asked.message).ended_at:
        raise StateError(f"{asked.message}: is being left just now")
    turn.log(events.MessageDone(message=asked.message, by=asked.by))
    return Done()


def _message(turn: Turn, name: str) -> Message:
    message = turn.state.messages.get(name)
    if message is None:
        raise StateError(f"{name}: no such message, or it is done with")
    return message


def _over(turn: Turn, message: Message) -> None:
    turn.log(events.MessageEnded(message=message.message, box=message.box,
                                 length_s=turn.now - message.began_at, kept=_is_kept(turn, message)),
             message.contact)


def _is_kept(turn: Turn, message: Message) -> bool:
    """If it ends now."""
    box = turn.setup.boxes.get(message.box)
    return turn.now - message.began_at >= (box.least_s if box is not None else 0.0)


def _info(turn: Turn, message: Message) -> MessageInfo:
    number = turn.setup.entrance.canonical(message.number, message.trunk)
    return MessageInfo(
        message=message.message, box=message.box, contact=message.contact, number=message.number,
        began_at=message.began_at, ended_at=message.ended_at, heard_by=message.heard_by,
        callback=turn.state.callbacks.get(number, ""))


MESSAGES: dict[type[Request[Any]], Callable[[Turn, Any], Reply]] = {
    GetMessages: _list,
    HearMessage: _hear,
    FinishMessage: _finish,
}
