"""What all kinds of nodes are made from: the moments of a contact at a node, and where it goes then."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from appliance.bus.messages import MaskDigits, StopPlay
from appliance.centre import events
from appliance.centre.effects import EffectDone
from appliance.centre.flow import Node, fragments
from appliance.centre.flow.expressions import ExpressionError, Value, evaluate, fill
from appliance.centre.state import HIDDEN, Contact
from appliance.centre.turn import Turn

N = TypeVar("N", bound=Node)


@dataclass(frozen=True, slots=True)
class Go:
    """On to another node: of this file, or with / in front of the whole flow. `by` is for the log."""

    to: str
    by: str = "next"
    language: str = ""                            # from here on; "": as before
    digit: str = ""                               # for the node that awaits one


class Doing(Generic[N]):
    """The moments of a contact at a node; a kind writes those that matter to it. None: it stays."""

    def enter(self, turn: Turn, contact: Contact, node: N) -> Go | None:
        return None

    def play_over(self, turn: Turn, contact: Contact, node: N) -> Go | None:
        return None

    def digit(self, turn: Turn, contact: Contact, node: N, digit: str) -> Go | None:
        return None

    def no_digit(self, turn: Turn, contact: Contact, node: N) -> Go | None:
        """The time that DigitAwaited gave is over."""
        return None

    def overflow(self, turn: Turn, contact: Contact, node: N) -> Go | None:
        return None

    def done(self, turn: Turn, contact: Contact, node: N, given: EffectDone) -> Go | None:
        """What was asked for is there, or never will be."""
        return None

    def resume(self, turn: Turn, contact: Contact, node: N) -> Go | None:
        """After a restart: what was asked for before is not going to be answered."""
        return self.done(turn, contact, node, EffectDone(order=contact.order, error="acdd was started anew"))

    def over(self, turn: Turn, contact: Contact, node: N, outcome: str) -> Go | None:
        """What happened elsewhere for this node has this outcome."""
        return None


def place(contact: Contact, to: str) -> str:
    """The whole name of the node that Go.to means."""
    above = contact.node.rpartition("/")[0]
    if to.startswith("/"):
        return to[1:]
    return f"{above}/{to}" if above else to


def scope(contact: Contact) -> Mapping[str, Value]:
    """The variables as expressions and templates see them."""
    return {**contact.variables, "caller": contact.record.calling, "caller_name": contact.calling_name,
            "called": contact.record.called, "language": contact.language,
            "caller_grade": contact.grade, "caller_region": contact.region}


def compute(turn: Turn, contact: Contact, expression: str) -> Value | None:
    """None, and a line in the log: it has no value."""
    try:
        return evaluate(expression, scope(contact))
    except ExpressionError as error:
        turn.log(events.NotComputed(what=str(error)), contact)
        return None


def filled(contact: Contact, template: str) -> str:
    return fill(template, scope(contact))


def play(turn: Turn, contact: Contact, names: list[str]) -> bool:
    """Answer if need be, and play what can be said of these; False: not all of it can."""
    said, wrong = fragments(names, contact.language, scope(contact))
    if wrong:
        turn.log(events.NotComputed(what=wrong), contact)
    turn.connect(contact)
    if said:
        turn.play(contact, said)
    return not wrong


def stop_play(turn: Turn, contact: Contact) -> None:
    if contact.play:
        turn.log(events.PlayOver(), contact)
        turn.do(StopPlay(leg=contact.arrived_leg))


def press(turn: Turn, contact: Contact, digit: str) -> None:
    """Keep the key, unless nothing of the caller is to be kept now."""
    turn.log(events.HiddenDigit() if contact.paused_until else events.Pressed(digit=digit), contact)


def by_digit(contact: Contact, digit: str) -> str:
    """Go.by of a way that a key opened."""
    return f"digit {HIDDEN if contact.paused_until else digit}"


def mask(turn: Turn, contact: Contact, on: bool) -> None:
    """Whether what is keyed in can be heard and recorded."""
    if contact.masked != on:
        turn.log(events.DigitsMasked(on=on), contact)
        if not contact.paused_until:
            turn.do(MaskDigits(leg=contact.arrived_leg, on=on))
