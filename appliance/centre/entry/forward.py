"""A call goes on to somebody outside: the network is asked to do it, else the box dials and bridges the two.

Meanwhile the contact is `dialling`, as one that goes out: outbound.py passes on what the line tells.
"""

from appliance.bus.messages import Deflect, Dial, Diversion, Hangup, JoinOutside, Proceed
from appliance.centre import events, nodes, recording
from appliance.centre.state import Contact, Forward
from appliance.centre.turn import NORMAL, Turn
from appliance.config.entry import ForwardConfig

ASKED_S = 6.0                                     # so long a network may think about a deflection
CLEARED_S = 10.0                                  # and so long it may take to clear the call then
UNCONDITIONAL = 15                                # reason of a diversion, Q.931 4.6.7
NO_ANSWER = 19                                    # Q.850: no answer from user (user alerted)
ROUTING_ERROR = 25                                # Q.850: exchange routing error
SHORTEST = 3                                      # digits by which a number is known again


def begin(turn: Turn, contact: Contact, to: ForwardConfig) -> None:
    """Of a contact that nobody has answered yet."""
    trunk = to.trunk or contact.trunk
    stays = recording.forwarded(turn, contact, to.record)
    asks = to.deflect and trunk == contact.trunk and not stays
    circle = _comes_back(contact)
    forward = Forward(
        number=to.number, trunk=trunk, ring_s=to.ring_s, join=to.join and not stays, record=to.record,
        shows={"caller": contact.record.calling, "called": contact.record.called}.get(to.show, to.show),
        unanswered=to.unanswered or "", phase="asking" if asks else "",
        until=turn.now + ASKED_S if asks else 0.0)
    turn.log(events.ForwardBegun(forward=forward), contact)
    if circle:
        _over(turn, contact, forward, ROUTING_ERROR, "box")
    elif asks:
        turn.do(Deflect(leg=contact.arrived_leg, to=to.number))
    else:
        _dial(turn, contact, forward)


def deflected(turn: Turn, contact: Contact, done: bool, why: str) -> None:
    """What came of asking the network; once it is dialled, that means nothing more."""
    forward = contact.forward
    if forward is None or forward.phase != "asking":
        return
    if done:
        turn.log(events.ForwardDeflected(until=turn.now + CLEARED_S), contact)
    else:
        turn.log(events.ForwardRefused(why=why), contact)
        _dial(turn, contact, forward)


def answered(turn: Turn, contact: Contact) -> None:
    """Both talk. The network may connect them; until it has, and when it will not, they stay bridged."""
    if contact.forward is not None and contact.forward.join:
        turn.log(events.JoinAsked(), contact)
        turn.do(JoinOutside(leg_a=contact.arrived_leg, leg_b=contact.dialled_leg))


def joined(turn: Turn, contact: Contact, done: bool, why: str) -> None:
    if contact.forward is not None and contact.forward.phase == "joining":
        turn.log(events.JoinOver(done=done, why=why), contact)


def due(turn: Turn, contact: Contact) -> None:
    """It has taken long enough."""
    forward = contact.forward
    if forward is None:
        return
    if forward.phase == "asking":
        deflected(turn, contact, False, "no answer in time")
    elif forward.phase == "deflected":
        turn.end(contact, "forwarded", "line", NORMAL)
    else:
        unreachable(turn, contact, NO_ANSWER)


def unreachable(turn: Turn, contact: Contact, cause: int) -> None:
    """Nobody answers there, or the line says in words that nobody will."""
    if contact.forward is not None:
        turn.do(Hangup(leg=contact.dialled_leg, cause=NORMAL))
        _over(turn, contact, contact.forward, cause, "line")


def leg_gone(turn: Turn, contact: Contact, forward: Forward, leg: str, cause: int,
             by: str, at: float) -> None:
    """Before an answer. `by` is far, near or line, as trunkd says it."""
    if leg == contact.dialled_leg:
        _over(turn, contact, forward, cause, "line")
    elif forward.phase == "deflected":
        turn.end(contact, "forwarded", "line", cause, gone_leg=leg, at=at)
    else:
        outcome, ended_by = ("abandoned", "caller") if by == "far" else ("failed", "line")
        turn.end(contact, outcome, ended_by, cause, gone_leg=leg, hangup_cause=NORMAL, at=at)


def _dial(turn: Turn, contact: Contact, forward: Forward) -> None:
    leg = turn.setup.new_id()
    turn.log(events.ForwardDialled(leg=leg, until=turn.now + forward.ring_s), contact)
    turn.do(Proceed(leg=contact.arrived_leg))
    turn.do(Dial(leg=leg, trunk=forward.trunk, called=forward.number, calling=forward.shows,
                 calling_name=contact.calling_name if forward.shows == contact.record.calling else "",
                 withheld=contact.withheld or None,
                 diversion=Diversion(number=contact.record.called, reason=UNCONDITIONAL)))


def _over(turn: Turn, contact: Contact, forward: Forward, cause: int, by: str) -> None:
    """Nobody is reached: the flow for that, or the end."""
    turn.log(events.ForwardOver(cause=cause), contact)
    if forward.unanswered in turn.setup.flows:
        nodes.start(turn, contact, forward.unanswered)
    else:
        turn.end(contact, "failed", by, cause)


def _comes_back(contact: Contact) -> bool:
    """It was diverted to us by the very number that would divert it again."""
    called = contact.record.called
    return len(called) >= SHORTEST and contact.diverted_by.endswith(called)
