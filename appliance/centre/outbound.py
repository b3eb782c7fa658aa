"""An agent's extension dials out: two legs that follow each other."""

from appliance.bus.messages import (
    Alert,
    Answer,
    Bridge,
    Dial,
    Diversion,
    GrantDeflection,
    Proceed,
    Progress,
)
from appliance.centre import acd, events, recording
from appliance.centre.control import media
from appliance.centre.dialplan import ToTrunk
from appliance.centre.entry import forward
from appliance.centre.state import Contact
from appliance.centre.turn import Turn

MOST_DEFLECTIONS = 5                              # of one call: a circle ends
DEFLECTED = 10                                    # reason of a diversion, Q.931 4.6.7


def dial(turn: Turn, contact: Contact, to: ToTrunk) -> None:
    if not contact.record.agent:
        acd.take(turn, contact)
    leg = _dialled(turn, contact, to)
    if not contact.originated:
        turn.do(Proceed(leg=contact.arrived_leg))
    _dial(turn, contact, to, leg, None)


def deflect(turn: Turn, contact: Contact, number: str) -> None:
    """The party that is called wants `number` to be called instead: done when it could dial that itself, and
    only where calls go out, not into a flow."""
    to = turn.setup.plan.judge(contact.dialled_trunk, number, complete=True)
    from_leg = contact.dialled_leg
    if not isinstance(to, ToTrunk) or contact.deflections >= MOST_DEFLECTIONS:
        turn.do(GrantDeflection(leg=from_leg, granted=False))
        return
    deflecting = Diversion(number=contact.record.segments[-1].detail, reason=DEFLECTED)
    leg = _dialled(turn, contact, to)
    turn.do(GrantDeflection(leg=from_leg, granted=True))
    _dial(turn, contact, to, leg, deflecting)


def _dialled(turn: Turn, contact: Contact, to: ToTrunk) -> str:
    leg = turn.setup.new_id()
    turn.log(events.Dialled(leg=leg, trunk=to.route.to, number=to.digits, record=to.route.record), contact)
    return leg


def _dial(turn: Turn, contact: Contact, to: ToTrunk, leg: str, diversion: Diversion | None) -> None:
    turn.do(Dial(leg=leg, trunk=to.route.to, called=to.digits,
                 calling=to.route.calling or contact.record.calling, withheld=contact.withheld or None,
                 diversion=diversion))


def proceeding(turn: Turn, contact: Contact) -> None:
    """From here on the far end may say in-band what becomes of the call: the extension hears it."""
    if not contact.bridged:
        turn.log(events.Bridged(), contact)
        turn.do(Bridge(leg_a=contact.arrived_leg, leg_b=contact.dialled_leg))


def progress(turn: Turn, contact: Contact) -> None:
    """Tones or an announcement are in the channel: a PBX that waits for ringing must be told to listen."""
    proceeding(turn, contact)
    if not contact.alerted and not contact.originated:
        turn.do(Progress(leg=contact.arrived_leg))


def alerting(turn: Turn, contact: Contact) -> None:
    if not contact.alerted:
        turn.log(events.Alerted(), contact)
        if not contact.originated:
            turn.do(Alert(leg=contact.arrived_leg))
    proceeding(turn, contact)


def answered(turn: Turn, contact: Contact, connected: str = "") -> None:
    """`connected`: the number that answered, for the extension's display."""
    name, decided = recording.begin(turn, contact, contact.record.agent)
    turn.log(events.Talked(recording=name), contact)
    turn.log(decided, contact)
    if not contact.originated:
        turn.do(Answer(leg=contact.arrived_leg, connected=connected))
    media.connect(turn, contact)
    forward.answered(turn, contact)
