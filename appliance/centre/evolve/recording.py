"""What is recorded, and what of it is silence."""

from appliance.centre import events
from appliance.centre.evolve.base import OfContact
from appliance.centre.state import Contact, Policy, Replay, State


def change_recording(contact: Contact, recording: str) -> None:
    """This one runs from now on; a pause goes on into it."""
    if recording != contact.recording:
        contact.stopped, contact.recording = contact.recording, recording
        contact.hushed = contact.was_paused = False


def _decided(state: State, contact: Contact, at: float, event: events.RecordingDecided) -> None:
    contact.record_talk, contact.own_by = event.own, event.own_by
    contact.policy = Policy(record=event.record, rule=event.rule, why=event.why,
                            unless_kept=event.unless_kept, format=event.format, pause=event.pause,
                            consults=event.consults)
    if event.unless_kept and event.recording:
        contact.unkept = [*contact.unkept, event.recording]


def _announced(state: State, contact: Contact, at: float, event: events.RecordingAnnounced) -> None:
    contact.told = True


def _asked(state: State, contact: Contact, at: float, event: events.RecordingAsked) -> None:
    change_recording(contact, event.recording)
    contact.asked = True


def _kept(state: State, contact: Contact, at: float, event: events.RecordingKept) -> None:
    contact.asked = True
    contact.unkept = [one for one in contact.unkept if one != event.recording]


def _stopped(state: State, contact: Contact, at: float, event: events.RecordingStopped) -> None:
    change_recording(contact, "")
    contact.asked = False


def _paused(state: State, contact: Contact, at: float, event: events.RecordingPaused) -> None:
    contact.paused_until = event.until
    contact.was_paused = contact.was_masked = True


def _resumed(state: State, contact: Contact, at: float, event: events.RecordingResumed) -> None:
    contact.paused_until, contact.was_paused = 0.0, True


def _hushed(state: State, contact: Contact, at: float, event: events.RecordingHushed) -> None:
    contact.hushed, contact.was_paused = event.on, True


def _found(state: State, contact: Contact, at: float, event: events.ReplayFound) -> None:
    contact.replay = Replay(recordings=event.recordings, by=event.by)


def _begun(state: State, contact: Contact, at: float, event: events.ReplayBegun) -> None:
    if contact.replay is not None:
        contact.replay.fragment, contact.replay.duration_s = event.fragment, event.duration_s
        contact.replay.from_s, contact.replay.since, contact.replay.waits = 0.0, at, False


def _moved(state: State, contact: Contact, at: float, event: events.ReplayMoved) -> None:
    if contact.replay is not None:
        contact.replay.from_s, contact.replay.since, contact.replay.waits = event.from_s, at, event.waits


def _turned(state: State, contact: Contact, at: float, event: events.ReplayTurned) -> None:
    if contact.replay is not None:
        contact.replay.place, contact.replay.fragment = event.place, ""


OF_CONTACT: OfContact = {
    events.RecordingDecided: _decided,
    events.RecordingAnnounced: _announced,
    events.RecordingAsked: _asked,
    events.RecordingKept: _kept,
    events.RecordingStopped: _stopped,
    events.RecordingPaused: _paused,
    events.RecordingResumed: _resumed,
    events.RecordingHushed: _hushed,
    events.ReplayFound: _found,
    events.ReplayBegun: _begun,
    events.ReplayMoved: _moved,
    events.ReplayTurned: _turned,
}
