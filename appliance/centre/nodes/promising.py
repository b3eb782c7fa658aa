"""Nodes at which the box promises to see to it later: a callback, a message; and the survey."""

from appliance.centre import events
from appliance.centre.callbacks import booking
from appliance.centre.flow import CallbackNode
from appliance.centre.nodes import keys
from appliance.centre.nodes.base import Doing, Go, filled, play
from appliance.centre.state import Contact
from appliance.centre.turn import Turn
from appliance.errors import StateError

THIS_NUMBER, ANOTHER = "1", "2"


class Promising(Doing[CallbackNode]):
    def enter(self, turn: Turn, contact: Contact, node: CallbackNode) -> Go | None:
        if node.prompt is None:
            return self._book(turn, contact, node, filled(contact, node.number))
        if turn.setup.callbacks.allows(filled(contact, node.number)):
            play(turn, contact, node.prompt)
        elif node.entry is not None:
            keys.begin(turn, contact, node.entry, "number")
        else:
            return Go(node.failed, "no number")
        return None

    def play_over(self, turn: Turn, contact: Contact, node: CallbackNode) -> Go | None:
        if contact.entry and node.entry is not None:
            keys.prompt_over(turn, contact, node.entry)
        else:
            turn.log(events.DigitAwaited(until=turn.now + node.timeout_s), contact)
        return None

    def digit(self, turn: Turn, contact: Contact, node: CallbackNode, digit: str) -> Go | None:
        if contact.entry and node.entry is not None:
            return self._judge(turn, contact, node, keys.key(turn, contact, node.entry, digit))
        turn.log(events.Pressed(digit=digit), contact)
        if digit == THIS_NUMBER:
            return self._book(turn, contact, node, filled(contact, node.number))
        if digit == ANOTHER and node.entry is not None:
            keys.begin(turn, contact, node.entry, "number")
            return None
        return Go(node.failed, f"digit {digit}")

    def no_digit(self, turn: Turn, contact: Contact, node: CallbackNode) -> Go | None:
        if contact.entry and node.entry is not None:
            return self._judge(turn, contact, node, keys.silence(turn, contact, node.entry))
        return Go(node.failed, "no digit")

    def _judge(self, turn: Turn, contact: Contact, node: CallbackNode, digits: str | None) -> Go | None:
        if digits is None or node.entry is None:
            return None
        if digits and turn.setup.callbacks.allows(digits):
            return self._book(turn, contact, node, digits)
        if contact.tries == node.retries:
            return Go(node.failed, "no number")
        turn.log(events.Retried(), contact)
        keys.begin(turn, contact, node.entry, "number")
        return None

    def _book(self, turn: Turn, contact: Contact, node: CallbackNode, number: str) -> Go:
        try:
            booking.promise(turn, contact, node.queue, number)
        except StateError as error:
            turn.log(events.NotComputed(what=str(error)), contact)
            return Go(node.failed, "failed")
        return Go(node.next)
