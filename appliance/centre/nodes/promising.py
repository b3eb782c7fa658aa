"""Nodes at which the box promises to see to it later: a callback, a message; and the survey."""

from appliance.centre import announce, events, survey, voicemail
from appliance.centre.callbacks import booking
from appliance.centre.flow import CallbackNode, SurveyNode, VoicemailNode
from appliance.centre.nodes import keys
from appliance.centre.nodes.base import Doing, Go, by_digit, filled, play, press
from appliance.centre.state import Contact
from appliance.centre.turn import Turn
from appliance.errors import StateError

THIS_NUMBER, ANOTHER = "1", "2"
BEEP = "tone:confirmation"
FULL = "full"


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
        press(turn, contact, digit)
        if digit == THIS_NUMBER:
            return self._book(turn, contact, node, filled(contact, node.number))
        if digit == ANOTHER and node.entry is not None:
            keys.begin(turn, contact, node.entry, "number")
            return None
        return Go(node.failed, by_digit(contact, digit))

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


class TakingMessage(Doing[VoicemailNode]):
    def enter(self, turn: Turn, contact: Contact, node: VoicemailNode) -> Go | None:
        box = turn.setup.boxes.get(node.box)
        if box is None:                           # a flow of before, in its last calls
            return Go(node.next, "error")
        turn.connect(contact)
        if voicemail.has_room(turn, box):
            self._play(turn, contact, box.greeting, [BEEP])
            return None
        turn.log(events.EntryBegun(what=FULL), contact)
        self._play(turn, contact, box.full, [])
        return None if contact.play else Go(node.next, FULL)

    def play_over(self, turn: Turn, contact: Contact, node: VoicemailNode) -> Go | None:
        box = turn.setup.boxes.get(node.box)
        if box is None or contact.entry == FULL:
            return Go(node.next, contact.entry or "error")
        voicemail.begin(turn, contact, box)
        return None

    def digit(self, turn: Turn, contact: Contact, node: VoicemailNode, digit: str) -> Go | None:
        box = turn.setup.boxes.get(node.box)
        if not contact.message or (box is not None and digit != box.end_key):
            return None
        voicemail.end(turn, contact)
        return Go(node.next, by_digit(contact, digit))

    def no_digit(self, turn: Turn, contact: Contact, node: VoicemailNode) -> Go | None:
        voicemail.end(turn, contact)
        return Go(node.next, "silence")

    def _play(self, turn: Turn, contact: Contact, names: list[str], after: list[str]) -> None:
        said = [one for name in names for one in announce.prompt(contact.language, name)]
        if said or after:
            turn.play(contact, [*said, *after])


class Surveying(Doing[SurveyNode]):
    def enter(self, turn: Turn, contact: Contact, node: SurveyNode) -> Go | None:
        config = turn.setup.surveys.get(node.survey)
        if config is None:
            return Go(node.next, "error")
        turn.connect(contact)
        over = survey.begin(turn, contact, config, contact.transferor, contact.last_queue)
        return Go(node.next) if over else None

    def play_over(self, turn: Turn, contact: Contact, node: SurveyNode) -> Go | None:
        return Go(node.next) if survey.play_over(turn, contact) else None

    def digit(self, turn: Turn, contact: Contact, node: SurveyNode, digit: str) -> Go | None:
        return Go(node.next) if survey.digit(turn, contact, digit) else None

    def no_digit(self, turn: Turn, contact: Contact, node: SurveyNode) -> Go | None:
        return Go(node.next) if survey.no_digit(turn, contact) else None
