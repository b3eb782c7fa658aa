"""Flows, and what is played."""

from appliance.centre import events
from appliance.centre.evolve.base import OfContact
from appliance.centre.state import HIDDEN, WRONG_S, Contact, Notice, State


def _flow_begun(state: State, contact: Contact, at: float, event: events.FlowBegun) -> None:
    contact.flow, contact.version, contact.language = event.flow, event.version, event.language
    contact.node, contact.variables = "", {**event.variables, **contact.variables}


def _node_entered(state: State, contact: Contact, at: float, event: events.NodeEntered) -> None:
    contact.flow, contact.node, contact.language = event.flow, event.node, event.language
    contact.steps, contact.limit_at = contact.steps + 1, event.limit_at
    contact.entry, contact.entered, contact.replay = "", "", None
    contact.order, contact.order_until = "", 0.0
    if contact.line:                              # it leaves a queue
        contact.last_line, contact.last_joined_at = contact.line, contact.joined_at
    contact.tries, contact.digit_until, contact.line = 0, 0.0, 0
    contact.joined_at = contact.announce_at = contact.overflow_at = 0.0
    contact.play, contact.fragments, contact.repeat = "", [], False


def _played(state: State, contact: Contact, at: float, event: events.Played) -> None:
    contact.play, contact.fragments, contact.repeat = event.play, event.fragments, event.repeat
    contact.plays += 1


def _play_over(state: State, contact: Contact, at: float, event: events.PlayOver) -> None:
    contact.play, contact.fragments, contact.repeat = "", [], False


def _digit_awaited(state: State, contact: Contact, at: float, event: events.DigitAwaited) -> None:
    contact.digit_until = event.until


def _pressed(state: State, contact: Contact, at: float, event: events.Pressed) -> None:
    contact.entered += event.digit
    contact.digit_until = 0.0


def _hidden_digit(state: State, contact: Contact, at: float, event: events.HiddenDigit) -> None:
    contact.entered += HIDDEN
    contact.digit_until = 0.0


def _retried(state: State, contact: Contact, at: float, event: events.Retried) -> None:
    contact.tries += 1
    contact.digit_until, contact.entered = 0.0, ""


def _proof_wrong(state: State, contact: Contact, at: float, event: events.ProofWrong) -> None:
    contact.wrong_proofs += 1
    if event.of:
        kept = {of: times for of, times in state.wrong_proofs.items() if times[-1] > at - WRONG_S}
        kept[event.of] = [*(one for one in kept.get(event.of, ()) if one > at - WRONG_S), at]
        state.wrong_proofs = kept


def _entry_begun(state: State, contact: Contact, at: float, event: events.EntryBegun) -> None:
    contact.entry, contact.entered, contact.digit_until = event.what, "", 0.0


def _digits_masked(state: State, contact: Contact, at: float, event: events.DigitsMasked) -> None:
    contact.masked, contact.was_masked = event.on, True


def _variables_set(state: State, contact: Contact, at: float, event: events.VariablesSet) -> None:
    contact.variables = {**contact.variables, **event.values}


def _asked(state: State, contact: Contact, at: float, event: events.Asked) -> None:
    contact.order, contact.order_until = event.order, event.until
    contact.orders += 1


def _order_over(state: State, contact: Contact, at: float, event: events.OrderOver) -> None:
    contact.order, contact.order_until = "", 0.0


def _message_begun(state: State, contact: Contact, at: float, event: events.MessageBegun) -> None:
    contact.recording = event.recording


def _message_over(state: State, contact: Contact, at: float, event: events.MessageOver) -> None:
    contact.stopped, contact.recording, contact.digit_until = contact.recording, "", 0.0


def _attached(state: State, contact: Contact, at: float, event: events.Attached) -> None:
    contact.priority = contact.priority if event.priority is None else event.priority
    contact.grade = contact.grade if event.grade is None else event.grade
    contact.region = contact.region if event.region is None else event.region
    contact.skills = {**contact.skills, **event.skills}
    if event.record is not None:
        contact.record_talk, contact.own_by = event.record, ""


def _notice_given(state: State, contact: Contact, at: float, event: events.NoticeGiven) -> None:
    kept = {name: one for name, one in state.notices.items() if max(one.until, one.again_at) > at}
    state.notices = kept | {event.notice: Notice(
        notice=event.notice, node=event.node, text=event.text, urgency=event.urgency, group=event.group,
        at=at, until=event.until, again_at=event.again_at)}


OF_CONTACT: OfContact = {
    events.FlowBegun: _flow_begun,
    events.NodeEntered: _node_entered,
    events.Played: _played,
    events.PlayOver: _play_over,
    events.DigitAwaited: _digit_awaited,
    events.Pressed: _pressed,
    events.HiddenDigit: _hidden_digit,
    events.Retried: _retried,
    events.ProofWrong: _proof_wrong,
    events.EntryBegun: _entry_begun,
    events.DigitsMasked: _digits_masked,
    events.VariablesSet: _variables_set,
    events.Asked: _asked,
    events.OrderOver: _order_over,
    events.MessageBegun: _message_begun,
    events.MessageOver: _message_over,
    events.Attached: _attached,
    events.NoticeGiven: _notice_given,
}
