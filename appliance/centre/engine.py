"""The call centre as a machine: inputs and `now` go in; log entries, actions and the next deadline come out.

It reads no clock and waits for nothing. All it knows follows from its log entries: replay() of them gives the
same engine.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.bus.messages import (
    Bridge,
    CallAlerting,
    CallAnswered,
    CallCharged,
    CallClearing,
    CallDigits,
    CallIncoming,
    CallParty,
    CallProceeding,
    CallProgress,
    CallReleased,
    CallTable,
    DeflectionWanted,
    Digit,
    GrantDeflection,
    GrantJoin,
    JoinWanted,
    MaliciousCallReported,
    MaliciousCallTraced,
    Play,
    PlayEnded,
    Reply,
    Request,
)
from appliance.centre import acd, agents, ending, events, inbound, nodes, outbound, told
from appliance.centre.commands import COMMANDS
from appliance.centre.events import decode
from appliance.centre.evolve import evolve
from appliance.centre.reconcile import reconcile
from appliance.centre.state import Agent, Contact, State
from appliance.centre.turn import TEMPORARY_FAILURE, Setup, Turn
from appliance.store.events import Entry

CALL_REJECTED = 21                                # Q.850
Timer = tuple[float, str, str]                    # due at, which, whose


@dataclass(frozen=True, slots=True)
class DialRefused:
    """Input: trunkd said no, this call is never placed."""

    leg: str


class Engine:
    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.state = State()
        self._entries: list[Entry] = []
        self._actions: list[Request[Any]] = []

    def replay(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            evolve(self.state, entry.at, entry.contact, decode(entry))

    def start(self, now: float) -> None:
        """After the replay: the configuration may be another one now."""
        self._turn(_start, None, now)

    def lost_with(self, setup: Setup) -> list[str]:
        """Places (flow, node or queue) where contacts are now and that another setup has not."""
        turn = Turn(self.state, setup, now=0.0)
        return sorted({f"{Path(contact.flow).name} {contact.record.queue or contact.node}"
                       for contact in self.state.contacts.values() if _is_lost(turn, contact)})

    def handle(self, given: object, now: float) -> None:
        """One event of trunkd or spand, a CallTable of trunkd, or a DialRefused; others mean nothing."""
        handler = INPUTS.get(type(given))
        if handler is not None:
            self._turn(handler, given, now)

    def expire(self, now: float) -> None:
        self._turn(_expire, None, now)

    def command(self, request: Request[Any], now: float) -> Reply:
        """Do what somebody asks, one of COMMANDS. StateError: it cannot be, and nothing has changed."""
        replies: list[Reply] = []
        self._turn(lambda turn, asked: replies.append(COMMANDS[type(asked)](turn, asked)), request, now)
        return replies[0]

    def checkpoint(self, now: float) -> None:
        """Write everything known into the log, so that a replay may begin here."""
        self._turn(lambda turn, _: turn.log(events.Checkpoint(state=turn.state)), None, now)

    def next_deadline(self) -> float | None:
        return min((at for at, _, _ in _timers(self.state)), default=None)

    def take(self) -> tuple[list[Entry], list[Request[Any]]]:
        """What was decided since the last call: entries for the log, actions for after it is on the disk."""
        taken = self._entries, self._actions
        self._entries, self._actions = [], []
        return taken

    def media_wishes(self) -> list[Request[Any]]:
        """What spand has to do for all live contacts, for one that has forgotten it."""
        turn = Turn(self.state, self.setup, now=0.0)
        for contact in self.state.contacts.values():
            if contact.record.state == "talking":
                acd.bridge(turn, contact)
            elif contact.bridged:
                turn.do(Bridge(leg_a=contact.arrived_leg, leg_b=contact.dialled_leg))
            elif contact.play:
                turn.do(Play(leg=contact.arrived_leg, play=contact.play, fragments=contact.fragments,
                             repeat=contact.repeat))
        return turn.actions

    def _turn(self, decide: Callable[[Turn, Any], None], given: object, now: float) -> None:
        turn = Turn(self.state, self.setup, now, self._entries, self._actions)
        decide(turn, given)
        acd.assign(turn)


def _start(turn: Turn, _: object) -> None:
    known = turn.state.agents
    for name, config in turn.setup.agents.items():
        place = (config.extension or "", config.trunk or "")
        if name not in known or (known[name].home_extension, known[name].home_trunk) != place:
            turn.log(events.AgentJoined(agent=name, extension=place[0], trunk=place[1], state=config.starts))
    for agent in list(known.values()):
        if agent.name not in turn.setup.agents and not agent.contact:
            turn.log(events.AgentLeft(agent=agent.name))
    for contact in list(turn.state.contacts.values()):
        if _is_lost(turn, contact):
            ending.fail(turn, contact)


def _is_lost(turn: Turn, contact: Contact) -> bool:
    return bool(contact.flow) and contact.record.state != "talking" and not nodes.known(turn, contact)


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
    if (contact := _dialled(turn, given.leg, "dialling")) is not None:
        outbound.progress(turn, contact)
    elif (contact := _dialled(turn, given.leg, "ringing")) is not None:
        acd.ring_refused(turn, contact, given.cause)


def _alerting(turn: Turn, given: CallAlerting) -> None:
    if (contact := _dialled(turn, given.leg, "dialling")) is not None:
        outbound.alerting(turn, contact)
    elif (contact := _dialled(turn, given.leg, "ringing")) is not None:
        acd.rings(turn, contact)


def _answered(turn: Turn, given: CallAnswered) -> None:
    if (contact := _dialled(turn, given.leg, "ringing")) is not None:
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
    if (contact := _dialled(turn, given.leg, "dialling")) is not None:
        outbound.deflect(turn, contact, given.to)
    elif turn.state.contact_of(given.leg) is not None:
        turn.do(GrantDeflection(leg=given.leg, granted=False))
        if (contact := _dialled(turn, given.leg, "ringing")) is not None:
            acd.ring_refused(turn, contact, CALL_REJECTED)


def _join_wanted(turn: Turn, given: JoinWanted) -> None:
    """Queue, recording and agent belong to a contact of one caller: the PBX joins its calls itself."""
    turn.do(GrantJoin(leg=given.leg_a, granted=False))


def _digit(turn: Turn, given: Digit) -> None:
    contact = turn.state.contact_of(given.leg)
    if contact is not None and given.leg == contact.arrived_leg:
        nodes.press(turn, contact, given.digit)


def _play_ended(turn: Turn, given: PlayEnded) -> None:
    """One that was stopped is not over: its leg is going, or another play has taken its place."""
    contact = turn.state.contact_of(given.leg)
    over = given.finished or given.error
    if contact is None or not over or not contact.play or given.play != contact.play:
        return
    repeat = contact.repeat
    turn.log(events.PlayOver(error=given.error), contact)
    if not repeat:
        nodes.play_over(turn, contact)


def _table(turn: Turn, given: CallTable) -> None:
    reconcile(turn, given)


INPUTS: dict[type[Any], Callable[[Turn, Any], None]] = {
    CallIncoming: _incoming,
    CallDigits: _digits,
    CallProceeding: _proceeding,
    CallProgress: _progress,
    CallClearing: _clearing,
    CallAlerting: _alerting,
    CallAnswered: _answered,
    CallReleased: _released,
    CallParty: _party,
    CallCharged: _charged,
    DeflectionWanted: _deflection_wanted,
    JoinWanted: _join_wanted,
    MaliciousCallTraced: _traced,
    MaliciousCallReported: _reported,
    CallTable: _table,
    Digit: _digit,
    PlayEnded: _play_ended,
    DialRefused: _refused,
}


def _expire(turn: Turn, _: object) -> None:
    for timer in sorted(one for one in _timers(turn.state) if one[0] <= turn.now):
        _, which, whose = timer
        agent, contact = turn.state.agents.get(whose), turn.state.contacts.get(whose)
        if agent is not None and timer in _of_agent(agent):
            AGENT_TIMERS[which](turn, agent)
        elif contact is not None and timer in _of_contact(contact):
            CONTACT_TIMERS[which](turn, contact)


def _agent_due(turn: Turn, agent: Agent) -> None:
    if agent.contact:
        acd.no_answer(turn, turn.state.contacts[agent.contact])
    else:
        agents.due(turn, agent)


AGENT_TIMERS: dict[str, Callable[[Turn, Agent], None]] = {
    "agent": _agent_due,
    "limit": agents.overran,
}

CONTACT_TIMERS: dict[str, Callable[[Turn, Contact], None]] = {
    "digit": nodes.no_digit,
    "overflow": nodes.overflow,
    "position": acd.tell_position,
}


def _timers(state: State) -> Iterator[Timer]:
    for agent in state.agents.values():
        yield from _of_agent(agent)
    for contact in state.contacts.values():
        yield from _of_contact(contact)


def _of_agent(agent: Agent) -> Iterator[Timer]:
    if agent.until:
        yield agent.until, "agent", agent.name
    if agent.limit_at:
        yield agent.limit_at, "limit", agent.name


def _of_contact(contact: Contact) -> Iterator[Timer]:
    name = contact.record.contact
    if contact.digit_until:
        yield contact.digit_until, "digit", name
    if contact.overflow_at and contact.record.state == "queue":
        yield contact.overflow_at, "overflow", name
    if contact.announce_at:
        yield contact.announce_at, "position", name
