"""After a gap (a restart of acdd or trunkd, the bus away): trunkd's table is the truth about legs."""

import logging

from appliance.bus.messages import Alert, Answer, CallInfo, CallTable, Dial, Hangup, Proceed
from appliance.centre import acd, ending, events, inbound, outbound, told
from appliance.centre.callbacks import meeting, reaching
from appliance.centre.control import originating, parties, transfer
from appliance.centre.state import Contact, Party
from appliance.centre.turn import NORMAL, TEMPORARY_FAILURE, Turn

NOT_ANSWERED = ("offered", "overlap", "proceeding", "alerting")

log = logging.getLogger(__name__)


def reconcile(turn: Turn, table: CallTable) -> None:
    calls = {call.leg: call for call in table.calls if call.state != "released"}
    ended = {call.leg: call for call in [*table.released, *table.calls] if call.leg not in calls}
    for leg in list(turn.state.legs):
        if leg not in calls and leg in turn.state.legs:
            _gone(turn, leg, ended.get(leg))
    for call in table.released:
        if call.inbound and not call.answered and not turn.state.knows(call.leg):
            _missed(turn, call)
    rung = {action.leg for action in turn.actions if isinstance(action, Dial)}       # by what is gone
    for agent in turn.state.agents.values():
        if agent.leg and agent.leg not in calls and agent.leg not in rung:
            turn.log(events.AgentLegGone(agent=agent.name))
    hung_up = {action.leg for action in turn.actions if isinstance(action, Hangup)}
    for call in table.calls:
        if call.leg in calls and call.leg not in hung_up and call.state != "clearing":
            contact = turn.state.contact_of(call.leg)
            if contact is None:
                _unknown(turn, call)
            elif call.leg in contact.parties:
                _of_party(turn, contact, contact.parties[call.leg], call)
            elif reaching.rung(turn, call.leg) is contact and contact.let_go:
                _called_back(turn, contact, call)
            elif call.leg == contact.arrived_leg and contact.originated and not contact.dialled_leg:
                _originated(turn, contact, call)
            elif call.leg == contact.arrived_leg:
                _arrived(turn, contact, call)
            else:
                _dialled(turn, contact, call)


def _gone(turn: Turn, leg: str, call: CallInfo | None) -> None:
    if call is not None:
        if call.charge is not None and call.charge.total:
            told.charged(turn, leg, call.charge)
        ending.released(turn, leg, call.cause, call.by, call.since)
    else:
        ending.released(turn, leg, TEMPORARY_FAILURE, "line", turn.now)


def _unknown(turn: Turn, call: CallInfo) -> None:
    """A call that began meanwhile starts now; anything else is left over from a contact that has ended."""
    ours = turn.state.knows(call.leg)
    if call.inbound and call.state in NOT_ANSWERED[:2] and not ours:
        inbound.incoming(turn, leg=call.leg, trunk=call.trunk, called=call.called, calling=call.calling,
                         calling_name=call.calling_name, complete=call.complete,
                         at=call.began_at or call.since, withheld=bool(call.withheld),
                         diversion=call.diversion)
    else:
        log.info("leg %s (%s %s) belongs to no contact: hung up", call.leg, call.trunk, call.state)
        turn.do(Hangup(leg=call.leg, cause=NORMAL if ours else TEMPORARY_FAILURE))


def _missed(turn: Turn, call: CallInfo) -> None:
    """A call that came and went unseen has its record all the same."""
    inbound.begin(turn, leg=call.leg, trunk=call.trunk, called=call.called, calling=call.calling,
                  calling_name=call.calling_name, at=call.began_at or call.since,
                  withheld=bool(call.withheld), diversion=call.diversion)
    ending.released(turn, call.leg, call.cause, call.by, call.since)


def _arrived(turn: Turn, contact: Contact, call: CallInfo) -> None:
    """What trunkd was told last, if it did not hear it; and digits that came meanwhile."""
    if call.state not in NOT_ANSWERED:
        return
    if contact.connected:
        if Answer(leg=call.leg) not in turn.actions:             # by what this table has brought about
            turn.do(Answer(leg=call.leg))
    elif contact.alerted and call.state != "alerting":
        turn.do(Alert(leg=call.leg))
    elif contact.dialled_leg and call.state == "overlap":
        turn.do(Proceed(leg=call.leg))
    else:
        inbound.digits(turn, contact, call.called, call.complete)


def _of_party(turn: Turn, contact: Contact, party: Party, call: CallInfo) -> None:
    if call.state == "alerting":
        parties.rings(turn, contact, party)
    elif call.state == "answered" and not party.talking:
        told.answered(turn, call.leg, call.connected)
        parties.answered(turn, contact, party)
    elif call.state == "disconnecting" and not party.talking:
        transfer.refused(turn, contact, party, call.cause)


def _called_back(turn: Turn, contact: Contact, call: CallInfo) -> None:
    if call.state == "answered":
        told.answered(turn, call.leg, call.connected)
        meeting.customer_answered(turn, contact)
    elif call.state == "disconnecting":
        reaching.clearing(turn, contact, call.cause)


def _originated(turn: Turn, contact: Contact, call: CallInfo) -> None:
    if call.state == "answered" and originating.waits(turn, call.leg) is contact:
        originating.answered(turn, contact)


def _dialled(turn: Turn, contact: Contact, call: CallInfo) -> None:
    if contact.record.state in ("ringing", "dialling") and call.state == "answered":
        told.answered(turn, call.leg, call.connected)
    if contact.record.state == "ringing" and call.state == "answered":
        acd.talk(turn, contact)
    elif contact.record.state == "ringing" and call.state == "disconnecting":
        acd.ring_refused(turn, contact, call.cause)
    elif contact.record.state == "dialling":
        if call.state == "proceeding":
            outbound.proceeding(turn, contact)
        elif call.state == "disconnecting" and contact.pending is not None:
            reaching.clearing(turn, contact, call.cause)
        elif call.state == "disconnecting":
            outbound.progress(turn, contact)
        elif call.state == "alerting":
            outbound.alerting(turn, contact)
        elif call.state == "answered":
            outbound.answered(turn, contact, call.connected)
