"""What of a talk is recorded: by policy when it begins, by hand while it goes on; what of it is silence.

A pause belongs to the contact: it goes on over transfers until somebody ends it or its time does.
"""

from dataclasses import replace
from typing import Any

from appliance.bus.messages import (
    MaskDigits,
    PauseRecording,
    Request,
    ResumeRecording,
    StartRecording,
    StopRecording,
)
from appliance.centre import events
from appliance.centre.state import Agent, Contact, Policy
from appliance.centre.turn import Turn
from appliance.config.recording import Talk, decide
from appliance.errors import StateError

FLOW = "flow"                                     # in place of a person: a node of it


def begin(turn: Turn, contact: Contact, agent: str, *,
          queue: bool = False) -> tuple[str, events.RecordingDecided]:
    """The recording of a talk that begins, "" for none, and what is to be logged right after its beginning.

    `queue`: it comes out of the contact's queue, whose own setting holds where no rule does.
    """
    talk = talk_of(turn, contact, agent, queue=queue)
    decision = decide(turn.setup.recording, talk)
    consult = decide(turn.setup.recording, _consultation(talk))
    goes_on = decision.record == "on-demand" and contact.asked
    recording = turn.setup.new_id() if decision.runs or goes_on else ""
    return recording, events.RecordingDecided(
        recording=recording, own=talk.own, own_by=talk.own_by, record=decision.record, why=decision.why,
        rule=decision.rule, unless_kept=decision.unless_kept and not contact.asked, format=decision.format,
        pause=list(decision.pause), consults=consult.record == "always")


def go_on(turn: Turn, contact: Contact) -> tuple[str, events.RecordingDecided | None]:
    """Likewise when the same talk goes on with others in it: what was decided holds."""
    recording, policy = turn.setup.new_id() if contact.recording else "", contact.policy
    if policy is None:                            # begun before there were policies
        return recording, None
    return recording, events.RecordingDecided(
        recording=recording, own=contact.record_talk, own_by=contact.own_by, record=policy.record,
        why=policy.why, rule=policy.rule, unless_kept=policy.unless_kept and not contact.asked,
        format=policy.format, pause=policy.pause, consults=policy.consults)


def talk_of(turn: Turn, contact: Contact, agent: str, *, queue: bool) -> Talk:
    """The facts that the policy judges by."""
    config = turn.setup.queues.get(contact.record.queue)
    own, own_by = contact.record_talk, contact.own_by or _own_by(contact)
    if queue:
        own, own_by = config is not None and config.record, f"queue {contact.record.queue}"
    came_in = contact.record.direction == "in"
    number = contact.record.called if came_in else contact.customer_number
    inside = (not came_in and contact.dialled_trunk == contact.trunk
              and turn.setup.control.is_extension(number))
    return Talk(
        contact=contact.record.contact, direction="internal" if inside else "in" if came_in else "out",
        own=own, own_by=own_by, trunk=contact.trunk if came_in else contact.dialled_trunk or contact.trunk,
        called=number, queue=contact.record.queue, flow=contact.flow, node=contact.node, agent=agent)


def forwarded(turn: Turn, contact: Contact, own: bool) -> bool:
    """A talk with somebody outside is recorded, or may be: it has to stay on the box."""
    talk = replace(talk_of(turn, contact, "", queue=False), own=own, own_by="the forward")
    return decide(turn.setup.recording, talk).record != "never"


def announcement(turn: Turn, contact: Contact, queue: str) -> str:
    """The prompt that the caller is to hear before a talk out of this queue, once; "": none."""
    if contact.told:
        return ""
    config = turn.setup.queues.get(queue)
    talk = Talk(contact=contact.record.contact, direction="in", trunk=contact.trunk,
                called=contact.record.called, queue=queue, flow=contact.flow, node=contact.node,
                own=config is not None and config.record, own_by=f"queue {queue}")
    return decide(turn.setup.recording, talk).announce


# --- by hand

def ask(turn: Turn, agent: Agent, contact: Contact, by: str) -> None:
    """Have the talk recorded from now on, or keep what is. StateError: the policy does not let anybody."""
    policy = _policy(turn, contact)
    if contact.recording and (not policy.unless_kept or contact.asked):
        raise StateError(f"{agent.name}: this talk is recorded already")
    if contact.recording:
        for recording in contact.unkept:
            turn.log(events.RecordingKept(recording=recording, by=by), contact)
        return
    if policy.record == "never":
        raise StateError(f"{agent.name}: the talk {policy.why}: a rule with record: on-demand would let you")
    turn.log(events.RecordingAsked(recording=turn.setup.new_id(), by=by), contact)
    turn.do(start(contact))
    hush(turn, contact)


def stop(turn: Turn, agent: Agent, contact: Contact, by: str) -> None:
    """Record it no more. StateError: it is not recorded, or the policy wants it recorded."""
    policy = _policy(turn, contact)
    if not contact.recording:
        raise StateError(f"{agent.name}: this talk is not recorded")
    if policy.record != "on-demand":
        raise StateError(f"{agent.name}: the talk {policy.why}: nobody may stop it; pause it for card data")
    turn.do(StopRecording(recording=contact.recording))
    turn.log(events.RecordingStopped(recording=contact.recording, by=by), contact)


# --- silence

def pause(turn: Turn, contact: Contact, for_s: float, by: str) -> None:
    """Silence is recorded, and nobody hears the customer's keys, for so long at most; again: from now on."""
    paused = bool(contact.paused_until)
    turn.log(events.RecordingPaused(until=turn.now + for_s, by=by), contact)
    if paused:
        return
    if contact.recording and not contact.hushed and contact.record.state == "talking":
        turn.do(PauseRecording(recording=contact.recording))
    if not contact.masked:
        turn.do(MaskDigits(leg=contact.customer_leg, on=True))


def resume(turn: Turn, contact: Contact, by: str) -> None:
    """`by` "": its time is over."""
    if not contact.paused_until:
        return
    turn.log(events.RecordingResumed(by=by), contact)
    if contact.recording and not contact.hushed and contact.record.state == "talking":
        turn.do(ResumeRecording(recording=contact.recording))
    if not contact.masked:
        turn.do(MaskDigits(leg=contact.customer_leg, on=False))


def hush(turn: Turn, contact: Contact) -> None:
    """A consultation begins or ends, which the policy may not want in the recording."""
    consults = contact.held and any(one.role == "consulted" and one.talking
                                    for one in contact.parties.values())
    wanted = consults and contact.policy is not None and not contact.policy.consults
    if contact.recording and wanted != contact.hushed:
        turn.log(events.RecordingHushed(on=wanted), contact)
        if not contact.paused_until:
            turn.do(PauseRecording(recording=contact.recording) if wanted
                    else ResumeRecording(recording=contact.recording))


def mask_wish(turn: Turn, contact: Contact) -> None:
    """For a spand that has forgotten it: before anybody is connected."""
    masked = contact.masked or bool(contact.paused_until)
    if masked or contact.was_masked:
        turn.do(MaskDigits(leg=contact.customer_leg, on=masked))


def silent(contact: Contact) -> bool:
    return bool(contact.paused_until) or contact.hushed


def start(contact: Contact) -> Request[Any]:
    """Of a talk's recording."""
    return StartRecording(recording=contact.recording, caller_leg=contact.customer_leg,
                          agent_leg="" if contact.conference else contact.agent_leg, paused=silent(contact))


def may_pause(turn: Turn, contact: Contact, agent: Agent, by: str) -> bool:
    """`by` the agent's own name: an agent; else the box's user interface, an API or a supervisor."""
    return ("agent" if by == agent.name else "system") in _policy(turn, contact).pause


def _policy(turn: Turn, contact: Contact) -> Policy:
    if contact.policy is not None:
        return contact.policy
    _, decided = begin(turn, contact, contact.record.agent)      # of a talk from before there were policies
    record = "always" if contact.recording else decided.record
    return Policy(record=record, rule=decided.rule, why=decided.why, unless_kept=False,
                  format=decided.format, pause=decided.pause, consults=True)


def _consultation(talk: Talk) -> Talk:
    return Talk(contact=talk.contact, direction="internal", own=True, own_by="the talk", queue=talk.queue,
                agent=talk.agent)


def _own_by(contact: Contact) -> str:
    if contact.callback is not None:
        return f"queue {contact.record.queue}"
    if contact.forward is not None:
        return "the forward"
    return "the outbound route" if contact.record.direction == "out" else f"node {contact.node}"
