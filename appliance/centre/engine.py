"""The call centre as a machine: inputs and `now` go in; log entries, actions and the next deadline come out.

It reads no clock and waits for nothing. All it knows follows from its log entries: replay() of them gives the
same engine.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.bus.messages import (
    Bridge,
    CallAlerting,
    CallAnswered,
    CallCharged,
    CallClearing,
    CallDeflected,
    CallDigits,
    CallIncoming,
    CallParty,
    CallProceeding,
    CallProgress,
    CallReleased,
    CallsJoined,
    CallTable,
    DeflectionWanted,
    Digit,
    GrantDeflection,
    GrantJoin,
    Heard,
    JoinWanted,
    MaliciousCallReported,
    MaliciousCallTraced,
    Play,
    PlayEnded,
    Reply,
    Request,
)
from appliance.centre import (
    acd,
    agents,
    assigning,
    due,
    ending,
    events,
    inbound,
    nodes,
    outbound,
    recording,
    survey,
    told,
    voicemail,
)
from appliance.centre.callbacks import meeting, reaching, tending
from appliance.centre.commands import COMMANDS
from appliance.centre.control import media, originating, parties, supervision, transfer
from appliance.centre.control.places import Place
from appliance.centre.effects import Effect, EffectDone
from appliance.centre.entry import forward
from appliance.centre.events import decode
from appliance.centre.evolve import evolve
from appliance.centre.following import floor_of
from appliance.centre.reconcile import reconcile
from appliance.centre.state import Contact, State
from appliance.centre.timers import timers_of
from appliance.centre.turn import NORMAL, TEMPORARY_FAILURE, Memory, Setup, Turn
from appliance.errors import StateError
from appliance.store.events import Entry

CALL_REJECTED = 21                                # Q.850


@dataclass(frozen=True, slots=True)
class DialRefused:
    """Input: trunkd said no, this call is never placed."""

    leg: str


@dataclass(frozen=True, slots=True)
class SilentFrom:
    """Input: spand records silence from this tick on, or no more."""

    recording: str
    on: bool
    tick: int
    at: float


class Engine:
    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.state = State()
        self._entries: list[Entry] = []
        self._actions: list[Request[Any] | Effect] = []
        self._memory = Memory()
        self._floor, self._timers = floor_of(self.state, setup.rules), timers_of(self.state)
        self._turned_at = 0.0

    def replay(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            evolve(self.state, entry.at, entry.contact, decode(entry))

    def start(self, now: float) -> None:
        """After the replay: the configuration may be another one now."""
        self._floor, self._timers = floor_of(self.state, self.setup.rules), timers_of(self.state)
        self._turn(_start, None, now)

    def lost_with(self, setup: Setup) -> list[str]:
        """Places (flow with node or queue, queue, callbacks) where contacts are and that another setup has
        not."""
        turn = Turn(self.state, setup, 0.0, self._floor, self._timers)
        return sorted({_place(contact) for contact in self.state.contacts.values()
                       if _is_lost(turn, contact)})

    def versions_in_use(self) -> set[str]:
        """Of flows, by digest: those that live contacts began with."""
        return {contact.version for contact in self.state.contacts.values() if contact.version}

    def handle(self, given: object, now: float) -> None:
        """One event of trunkd or spand, a CallTable of trunkd, or a DialRefused; others mean nothing."""
        handler = INPUTS.get(type(given))
        if handler is not None:
            self._turn(handler, given, now)

    def expire(self, now: float) -> None:
        """Do whatever is due. ExceptionGroup, after it: what failed, told once and tried again later."""
        failures: list[Exception] = []
        self._turn(_expire, failures, now)
        if failures:
            raise ExceptionGroup("of what is due", failures)

    def command(self, request: Request[Any], now: float) -> Reply:
        """Do what somebody asks, one of COMMANDS. StateError: it cannot be, and nothing has changed."""
        replies: list[Reply] = []
        self._turn(lambda turn, asked: replies.append(COMMANDS[type(asked)](turn, asked)), request, now)
        return replies[0]

    def telephone(self, at: str, now: float) -> Place:
        """Where somebody is rung for no contact. StateError: nowhere, or not now."""
        turn = Turn(self.state, self.setup, now, self._floor, self._timers, memory=self._memory)
        if turn.drains:
            raise StateError("the box is about to be updated: no call is begun until then")
        return supervision.telephone(turn, at)

    def checkpoint(self, now: float) -> None:
        """Write everything known into the log, so that a replay may begin here."""
        self._turn(lambda turn, _: turn.log(events.Checkpoint(state=turn.state)), None, now)

    def next_deadline(self) -> float | None:
        drained = self._memory.drained_until
        times = (self._timers.next(), self._floor.next_change(self._turned_at),
                 drained if drained > self._turned_at else None)
        return min((at for at in times if at is not None), default=None)

    @property
    def waiting(self) -> int:
        """Contacts in line, those that ring somewhere included."""
        return self._floor.waiting

    def line(self, queue: str) -> list[str]:
        """Contacts of the queue in the order of service, those that ring somewhere included."""
        return self._floor.line(queue)

    def unreachable(self) -> list[str]:
        """Contacts in line whom no agent may serve, whoever logs in and however long they wait."""
        return self._floor.unreachable()

    def take(self) -> tuple[list[Entry], list[Request[Any] | Effect]]:
        """What was decided since the last call: entries for the log, actions for after it is on the disk."""
        taken = self._entries, self._actions
        self._entries, self._actions = [], []
        return taken

    def media_wishes(self) -> list[Request[Any]]:
        """What spand has to do for all live contacts, for one that has forgotten it."""
        turn = Turn(self.state, self.setup, 0.0, self._floor, self._timers)
        for contact in self.state.contacts.values():
            recording.mask_wish(turn, contact)
            if contact.record.state == "talking":
                media.connect(turn, contact)
            elif contact.bridged:
                turn.do(Bridge(leg_a=contact.arrived_leg, leg_b=contact.dialled_leg))
            elif contact.play:
                turn.do(Play(leg=contact.arrived_leg, play=contact.play, fragments=contact.fragments,
                             repeat=contact.repeat))
            nodes.media_wishes(turn, contact)
        return [one for one in turn.actions if isinstance(one, Request)]

    def _turn(self, decide: Callable[[Turn, Any], None], given: object, now: float) -> None:
        turn = Turn(self.state, self.setup, now, self._floor, self._timers, self._entries, self._actions,
                    self._memory)
        self._turned_at = now
        decide(turn, given)
        voicemail.tend(turn)
        tending.tend(turn)
        while over := acd.serve(turn):
            for leave in over:
                _wait_over(turn, turn.state.contacts[leave.contact])
        tending.dial_ahead(turn)
        self._memory.keep(self.state.contacts)


def _wait_over(turn: Turn, contact: Contact) -> None:
    """The flow goes on, if it can."""
    name, line = contact.record.contact, contact.line
    if contact.flow and nodes.known(turn, contact):
        nodes.overflow(turn, contact)
    if name in turn.state.contacts and contact.record.state == "queue" and contact.line == line:
        turn.end(contact, "failed", "box", NORMAL)


def _start(turn: Turn, _: object) -> None:
    known = turn.state.agents
    for name, config in turn.setup.agents.items():
        place = (config.extension or "", config.trunk or "")
        if name not in known or (known[name].home_extension, known[name].home_trunk) != place:
            turn.log(events.AgentJoined(agent=name, extension=place[0], trunk=place[1], state=config.starts))
    for agent in list(known.values()):
        if agent.name not in turn.setup.agents and not agent.contact:
            turn.log(events.AgentLeft(agent=agent.name))
        elif agent.state != agents.LOGGED_OUT and agent.trunk and agent.trunk not in turn.setup.trunks:
            agents.displaced(turn, agent)
    assigning.reconfigured(turn)
    for contact in list(turn.state.contacts.values()):
        if _is_lost(turn, contact):
            ending.fail(turn, contact)
        else:
            nodes.resume(turn, contact)


def _place(contact: Contact) -> str:
    """Of one that is lost."""
    if contact.pending is not None:
        return f"callbacks promised for queue {contact.record.queue} (see branchline callbacks cancel)"
    return f"{Path(contact.flow).name or 'queue'} {contact.record.queue or contact.node}"


def _is_lost(turn: Turn, contact: Contact) -> bool:
    """A queue may also be where an agent sent the contact, without any flow."""
    if (contact.pending is not None or contact.waiting) and contact.record.queue not in turn.setup.queues:
        return True
    return bool(contact.flow) and contact.record.state != "talking" and not nodes.known(turn, contact)


def _expire(turn: Turn, failures: list[Exception]) -> None:
    for timer in turn.timers.due(turn.now):
        if turn.timers.runs(timer):
            try:
                due.expire(turn, timer)
            except Exception as error:            # the others have nothing to do with it
                if turn.timers.failed(timer, turn.now):
                    failures.append(error)


def _incoming(turn: Turn, given: CallIncoming) -> None:
    inbound.incoming(turn, leg=given.leg, trunk=given.trunk, called=given.called, calling=given.calling,
                     calling_name=given.calling_name, complete=given.complete, at=given.at,
                     withheld=given.withheld, diversion=given.diversion)


def _digits(turn: Turn, given: CallDigits) -> None:
    contact = turn.state.contact_of(given.leg)
    if contact is not None and given.leg == contact.arrived_leg:
        inbound.digits(turn, contact, given.called, given.complete)


def _proceeding(turn: Turn, given: CallProceeding) -> None:
    contact = _dialled(turn, given.leg, "dialling")
    if contact is not None:
        outbound.proceeding(turn, contact)


def _progress(turn: Turn, given: CallProgress) -> None:
    contact = _dialled(turn, given.leg, "dialling")
    if contact is not None and given.in_band:
        outbound.progress(turn, contact)


def _clearing(turn: Turn, given: CallClearing) -> None:
    """An extension hears the announcement to its end; a caller in a queue need not."""
    if (of_party := turn.state.party(given.leg)) is not None:
        transfer.refused(turn, *of_party, given.cause)
    elif (contact := reaching.rung(turn, given.leg)) is not None:
        reaching.clearing(turn, contact, given.cause)
    elif (contact := _dialled(turn, given.leg, "dialling")) is not None:
        if contact.forward is not None and contact.forward.unanswered:
            forward.unreachable(turn, contact, given.cause)
        else:
            outbound.progress(turn, contact)
    elif (contact := _dialled(turn, given.leg, "ringing")) is not None:
        acd.ring_refused(turn, contact, given.cause)


def _alerting(turn: Turn, given: CallAlerting) -> None:
    if (of_party := turn.state.party(given.leg)) is not None:
        parties.rings(turn, *of_party)
    elif (contact := _dialled(turn, given.leg, "dialling")) is not None:
        outbound.alerting(turn, contact)
    elif (contact := _dialled(turn, given.leg, "ringing")) is not None:
        acd.rings(turn, contact)


def _answered(turn: Turn, given: CallAnswered) -> None:
    if (of_party := turn.state.party(given.leg)) is not None:
        told.answered(turn, given.leg, given.connected)
        parties.answered(turn, *of_party)
    elif (contact := originating.waits(turn, given.leg)) is not None:
        originating.answered(turn, contact)
    elif (contact := reaching.rung(turn, given.leg)) is not None and contact.let_go:
        told.answered(turn, given.leg, given.connected)
        meeting.customer_answered(turn, contact)
    elif (contact := _dialled(turn, given.leg, "ringing")) is not None:
        told.answered(turn, given.leg, given.connected)
        acd.talk(turn, contact)
    elif (contact := _dialled(turn, given.leg, "dialling")) is not None:
        told.answered(turn, given.leg, given.connected)
        outbound.answered(turn, contact, given.connected)


def _dialled(turn: Turn, leg: str, state: str) -> Contact | None:
    contact = turn.state.contact_of(leg)
    return contact if contact and contact.dialled_leg == leg and contact.record.state == state else None


def _released(turn: Turn, given: CallReleased) -> None:
    ending.released(turn, given.leg, given.cause, given.by, given.at)


def _refused(turn: Turn, given: DialRefused) -> None:
    ending.released(turn, given.leg, TEMPORARY_FAILURE, "near", turn.now)


def _party(turn: Turn, given: CallParty) -> None:
    told.party(turn, given)


def _charged(turn: Turn, given: CallCharged) -> None:
    told.charged(turn, given.leg, given.charge)


def _traced(turn: Turn, given: MaliciousCallTraced) -> None:
    told.traced(turn, given)


def _reported(turn: Turn, given: MaliciousCallReported) -> None:
    told.reported(turn, given.leg)


def _deflection_wanted(turn: Turn, given: DeflectionWanted) -> None:
    """A queue's call does not follow an agent's telephone: the next agent is rung."""
    if (contact := _dialled(turn, given.leg, "dialling")) is not None and contact.forward is None:
        outbound.deflect(turn, contact, given.to)
    elif turn.state.contact_of(given.leg) is not None:
        turn.do(GrantDeflection(leg=given.leg, granted=False))
        if (contact := _dialled(turn, given.leg, "ringing")) is not None:
            acd.ring_refused(turn, contact, CALL_REJECTED)


def _deflected(turn: Turn, given: CallDeflected) -> None:
    if (contact := turn.state.contact_of(given.leg)) is not None:
        forward.deflected(turn, contact, given.done, given.why)


def _joined(turn: Turn, given: CallsJoined) -> None:
    if (contact := turn.state.contact_of(given.leg_a)) is not None:
        forward.joined(turn, contact, given.done, given.why)


def _join_wanted(turn: Turn, given: JoinWanted) -> None:
    """Queue, recording and agent belong to a contact of one caller: the PBX joins its calls itself."""
    turn.do(GrantJoin(leg=given.leg_a, granted=False))


def _digit(turn: Turn, given: Digit) -> None:
    contact = turn.state.contact_of(given.leg)
    if contact is None or given.leg != contact.arrived_leg:
        return
    if contact.record.state == survey.AFTER_TALK:
        survey.after_talk(turn, contact, survey.digit(turn, contact, given.digit))
    else:
        nodes.press(turn, contact, given.digit)


def _play_ended(turn: Turn, given: PlayEnded) -> None:
    """One that was stopped is not over: its leg is going, or another play has taken its place."""
    contact = turn.state.contact_of(given.leg)
    over = given.finished or given.error
    if contact is None or not over or not contact.play or given.play != contact.play:
        return
    repeat = contact.repeat
    turn.log(events.PlayOver(error=given.error), contact)
    if contact.record.state == survey.AFTER_TALK:
        survey.after_talk(turn, contact, survey.play_over(turn, contact))
    elif not repeat and contact.record.state in ("queue", "ringing"):
        acd.play_music(turn, contact)
    elif not repeat and contact.node:
        nodes.play_over(turn, contact)


def _effect_done(turn: Turn, given: EffectDone) -> None:
    contact = turn.state.contacts.get(given.order.rpartition("-e")[0])
    if contact is not None:
        nodes.done(turn, contact, given)


def _silent(turn: Turn, given: SilentFrom) -> None:
    """Of one that has ended meanwhile the end says enough."""
    contact = next((one for one in turn.state.contacts.values() if one.recording == given.recording), None)
    if contact is not None:
        turn.log(events.RecordingSilent(recording=given.recording, on=given.on, tick=given.tick,
                                        from_at=given.at), contact)


def _heard(turn: Turn, given: Heard) -> None:
    meeting.heard(turn, given)
    voicemail.heard(turn, given)


def _table(turn: Turn, given: CallTable) -> None:
    reconcile(turn, given)


INPUTS: dict[type[Any], Callable[[Turn, Any], None]] = {
    CallIncoming: _incoming,
    SilentFrom: _silent,
    CallDigits: _digits,
    CallProceeding: _proceeding,
    CallProgress: _progress,
    CallClearing: _clearing,
    CallAlerting: _alerting,
    CallAnswered: _answered,
    CallReleased: _released,
    CallParty: _party,
    CallCharged: _charged,
    CallDeflected: _deflected,
    CallsJoined: _joined,
    DeflectionWanted: _deflection_wanted,
    JoinWanted: _join_wanted,
    MaliciousCallTraced: _traced,
    MaliciousCallReported: _reported,
    CallTable: _table,
    Digit: _digit,
    PlayEnded: _play_ended,
    DialRefused: _refused,
    EffectDone: _effect_done,
    Heard: _heard,
}
