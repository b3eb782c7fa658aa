"""Nodes that play and await digits."""

from hashlib import blake2b

from appliance.bus.messages import KeepAsPrompt, LendRecording, StartRecording, StopRecording
from appliance.centre import events
from appliance.centre.effects import Ask, EffectDone, Lookup, Say
from appliance.centre.flow import (
    AuthenticateNode,
    CollectNode,
    Entry,
    MenuNode,
    PlayNode,
    RecordNode,
    SayNode,
    fragments,
)
from appliance.centre.flow.results import AnswerError, take
from appliance.centre.nodes import keys
from appliance.centre.nodes.base import (
    Doing,
    Go,
    by_digit,
    compute,
    filled,
    mask,
    play,
    press,
    scope,
    stop_play,
)
from appliance.centre.state import HIDDEN, WRONG_S, Contact
from appliance.centre.turn import Turn

BEEP = "tone:confirmation"
WRITTEN, CONFIRM = "written", "confirm"           # a prompt is awaited of recordd; is heard again
UNTIL_WRITTEN = "silence:1500"                    # recordd has all of it
CONFIRM_S, LEND_S, LENT_S = 5.0, 10.0, 900.0
WRONG_AN_HOUR = 10                                # PINs of one customer, in whatever calls
WRONG_MOST = 6                                    # PINs of a call, whichever way it goes round


class Playing(Doing[PlayNode]):
    def enter(self, turn: Turn, contact: Contact, node: PlayNode) -> Go | None:
        if not play(turn, contact, node.prompt) and node.error is not None:
            return Go(node.error, "error")
        return None if contact.play else Go(node.next)

    def play_over(self, turn: Turn, contact: Contact, node: PlayNode) -> Go | None:
        return Go(node.next)

    def digit(self, turn: Turn, contact: Contact, node: PlayNode, digit: str) -> Go | None:
        return Go(node.next, digit=digit) if node.barge_in else None


class Saying(Doing[SayNode]):
    def enter(self, turn: Turn, contact: Contact, node: SayNode) -> Go | None:
        turn.connect(contact)
        texts = {str(one): text for one, text in node.text.items()}
        language = contact.language if contact.language in texts else next(iter(texts))
        turn.ask(contact, Say(order=turn.order(contact), text=filled(contact, texts[language]),
                              language=language, timeout_s=node.timeout_s))
        return None

    def done(self, turn: Turn, contact: Contact, node: SayNode, given: EffectDone) -> Go | None:
        if given.error or not given.fragment:
            return Go(node.error or node.next, "error")
        turn.play(contact, [given.fragment])
        return None

    def resume(self, turn: Turn, contact: Contact, node: SayNode) -> Go | None:
        return self.enter(turn, contact, node)

    def play_over(self, turn: Turn, contact: Contact, node: SayNode) -> Go | None:
        return Go(node.next)

    def digit(self, turn: Turn, contact: Contact, node: SayNode, digit: str) -> Go | None:
        return Go(node.next, digit=digit) if node.barge_in and contact.play else None


class Choosing(Doing[MenuNode]):
    def enter(self, turn: Turn, contact: Contact, node: MenuNode) -> Go | None:
        play(turn, contact, node.prompt)
        return None

    def play_over(self, turn: Turn, contact: Contact, node: MenuNode) -> Go | None:
        turn.log(events.DigitAwaited(until=turn.now + node.timeout_s), contact)
        return None

    def digit(self, turn: Turn, contact: Contact, node: MenuNode, digit: str) -> Go | None:
        if contact.play and not node.barge_in:
            return None
        press(turn, contact, digit)
        option = node.digits.get(digit)
        if option is not None:
            return Go(option.next, by_digit(contact, digit), option.language or "")
        return self._again(turn, contact, node, node.invalid or [])

    def no_digit(self, turn: Turn, contact: Contact, node: MenuNode) -> Go | None:
        return self._again(turn, contact, node, [])

    def _again(self, turn: Turn, contact: Contact, node: MenuNode, first: list[str]) -> Go | None:
        if contact.tries == node.retries:
            return Go(node.default, "default")
        turn.log(events.Retried(), contact)
        play(turn, contact, [*first, *node.prompt])
        return None


class Collecting(Doing[CollectNode]):
    def enter(self, turn: Turn, contact: Contact, node: CollectNode) -> Go | None:
        keys.begin(turn, contact, node)
        return None

    def play_over(self, turn: Turn, contact: Contact, node: CollectNode) -> Go | None:
        keys.prompt_over(turn, contact, node)
        return None

    def digit(self, turn: Turn, contact: Contact, node: CollectNode, digit: str) -> Go | None:
        return self._judge(turn, contact, node, keys.key(turn, contact, node, digit))

    def no_digit(self, turn: Turn, contact: Contact, node: CollectNode) -> Go | None:
        nothing = not contact.entered
        return self._judge(turn, contact, node, keys.silence(turn, contact, node), silent=nothing)

    def _judge(self, turn: Turn, contact: Contact, node: CollectNode, digits: str | None,
               silent: bool = False) -> Go | None:
        if digits is None:
            return None
        if digits and keys.secret(contact, node):
            keys.remember(turn, contact, node.to, digits)
            turn.log(events.VariablesSet(values={node.to: HIDDEN}), contact)
            return Go(node.next)
        if digits:
            turn.log(events.VariablesSet(values={node.to: keys.shown(digits)}), contact)
            if node.valid is None or compute(turn, contact, node.valid):
                return Go(node.next)
        if contact.tries == node.retries:
            return Go(node.default, "default")
        turn.log(events.Retried(), contact)
        keys.begin(turn, contact, node, first=[] if silent else node.invalid)
        return None


class Authenticating(Doing[AuthenticateNode]):
    def enter(self, turn: Turn, contact: Contact, node: AuthenticateNode) -> Go | None:
        if contact.wrong_proofs >= WRONG_MOST:
            return Go(node.failed, "failed")
        keys.begin(turn, contact, *self._first(node))
        return None

    def play_over(self, turn: Turn, contact: Contact, node: AuthenticateNode) -> Go | None:
        if not contact.order:
            keys.prompt_over(turn, contact, self._entry(contact, node))
        return None

    def digit(self, turn: Turn, contact: Contact, node: AuthenticateNode, digit: str) -> Go | None:
        if contact.order:
            return None
        return self._judge(turn, contact, node, keys.key(turn, contact, self._entry(contact, node), digit))

    def no_digit(self, turn: Turn, contact: Contact, node: AuthenticateNode) -> Go | None:
        return self._judge(turn, contact, node, keys.silence(turn, contact, self._entry(contact, node)))

    def done(self, turn: Turn, contact: Contact, node: AuthenticateNode, given: EffectDone) -> Go | None:
        if given.error:
            return Go(node.error, "error")
        if given.answer is None:
            turn.log(events.ProofWrong(of=_whose(node, self._customer(turn, contact, node))), contact)
            return self._again(turn, contact, node)
        try:
            results = take(node.results, given.answer)
        except AnswerError as error:
            turn.log(events.NotComputed(what=str(error)), contact)
            return Go(node.error, "error")
        if results:
            turn.log(events.VariablesSet(values=results), contact)
        return Go(node.next)

    def resume(self, turn: Turn, contact: Contact, node: AuthenticateNode) -> Go | None:
        """The PIN is forgotten: it is asked for once more, and that counts as no try."""
        keys.begin(turn, contact, node.pin, "pin")
        return None

    def _first(self, node: AuthenticateNode) -> tuple[Entry, str]:
        return (node.pin, "pin") if node.customer is None else (node.customer, "customer")

    def _entry(self, contact: Contact, node: AuthenticateNode) -> Entry:
        return node.customer if contact.entry == "customer" and node.customer is not None else node.pin

    def _judge(self, turn: Turn, contact: Contact, node: AuthenticateNode, digits: str | None) -> Go | None:
        if digits is None:
            return None
        if not digits:
            return self._again(turn, contact, node)
        if contact.entry == "customer":
            hidden = keys.secret(contact, self._entry(contact, node))
            if hidden:
                keys.remember(turn, contact, node.to, digits)
            turn.log(events.VariablesSet(values={node.to: HIDDEN if hidden else keys.shown(digits)}), contact)
            keys.begin(turn, contact, node.pin, "pin")
            return None
        customer = self._customer(turn, contact, node)
        wrong = turn.state.wrong_proofs.get(_whose(node, customer), [])
        if sum(at > turn.now - WRONG_S for at in wrong) >= WRONG_AN_HOUR:
            return Go(node.failed, "locked")
        turn.ask(contact, Lookup(order=turn.order(contact), source=node.source, timeout_s=node.timeout_s,
                                 send={"customer": customer, "pin": digits}))
        return None

    def _customer(self, turn: Turn, contact: Contact, node: AuthenticateNode) -> str:
        return keys.recall(turn, contact).get(node.to) or filled(contact, f"{{{node.to}}}")

    def _again(self, turn: Turn, contact: Contact, node: AuthenticateNode) -> Go | None:
        if contact.tries == node.retries or contact.wrong_proofs >= WRONG_MOST:
            return Go(node.failed, "failed")
        turn.log(events.Retried(), contact)
        keys.begin(turn, contact, *self._first(node), first=node.wrong)
        return None


def _whose(node: AuthenticateNode, customer: str) -> str:
    """Whose PIN is tried, of which source."""
    return blake2b(f"{node.source} {customer}".encode(), digest_size=16).hexdigest()


class Recording(Doing[RecordNode]):
    """What becomes a prompt is heard again first: 1 keep it, 2 again, 3 record it anew."""

    def enter(self, turn: Turn, contact: Contact, node: RecordNode) -> Go | None:
        turn.log(events.EntryBegun(what=""), contact)
        mask(turn, contact, node.keep_as is not None)            # the last key is not of the prompt
        play(turn, contact, [*node.prompt, BEEP])
        return None

    def play_over(self, turn: Turn, contact: Contact, node: RecordNode) -> Go | None:
        if contact.entry == WRITTEN:
            self._lend(turn, contact, node)
        elif contact.entry == CONFIRM:
            turn.log(events.DigitAwaited(until=turn.now + CONFIRM_S), contact)
        else:
            begin_message(turn, contact, node.most_s)
        return None

    def digit(self, turn: Turn, contact: Contact, node: RecordNode, digit: str) -> Go | None:
        if contact.entry == CONFIRM and not contact.order:
            return self._confirmed(turn, contact, node, digit)
        if not contact.recording:
            return None
        return self.no_digit(turn, contact, node) if digit == node.terminator else None

    def no_digit(self, turn: Turn, contact: Contact, node: RecordNode) -> Go | None:
        if contact.entry == CONFIRM:
            return self._confirmed(turn, contact, node, "2")
        recording = end_message(turn, contact)
        if node.to is not None:
            turn.log(events.VariablesSet(values={node.to: recording}), contact)
        if node.keep_as is None:
            return Go(node.next)
        turn.log(events.EntryBegun(what=WRITTEN), contact)
        turn.play(contact, [UNTIL_WRITTEN])
        return None

    def done(self, turn: Turn, contact: Contact, node: RecordNode, given: EffectDone) -> Go | None:
        if given.error or given.answer is None:
            return Go(node.failed or node.next, "error")
        if "fragment" not in given.answer:
            return Go(node.next, "kept")
        turn.log(events.EntryBegun(what=CONFIRM), contact)
        said, _ = fragments(node.confirm or [], contact.language, scope(contact))
        turn.play(contact, [given.answer["fragment"], *said])
        return None

    def _confirmed(self, turn: Turn, contact: Contact, node: RecordNode, digit: str) -> Go | None:
        stop_play(turn, contact)
        turn.log(events.DigitAwaited(until=0.0), contact)
        if digit == "1":
            turn.ask(contact, Ask(order=turn.order(contact), timeout_s=LEND_S, request=KeepAsPrompt(
                recording=contact.stopped, name=f"{contact.language}/{node.keep_as}",
                by=filled(contact, node.by or ""))))
        elif contact.tries == node.retries:
            return Go(node.failed or node.next, "not confirmed")
        else:
            turn.log(events.Retried(), contact)
            if digit == "3":
                return self.enter(turn, contact, node)
            self._lend(turn, contact, node)
        return None

    def _lend(self, turn: Turn, contact: Contact, node: RecordNode) -> None:
        turn.ask(contact, Ask(order=turn.order(contact), timeout_s=LEND_S, request=LendRecording(
            recording=contact.stopped, by=filled(contact, node.by or ""), for_s=LENT_S)))


def begin_message(turn: Turn, contact: Contact, most_s: float) -> None:
    """Record the caller from now on; no_digit comes at the end of the time."""
    turn.log(events.MessageBegun(recording=turn.setup.new_id()), contact)
    turn.log(events.DigitAwaited(until=turn.now + most_s), contact)
    record_message(turn, contact)


def record_message(turn: Turn, contact: Contact) -> None:
    turn.do(StartRecording(recording=contact.recording, caller_leg=contact.arrived_leg, agent_leg=""))


def end_message(turn: Turn, contact: Contact) -> str:
    """The recording's name."""
    recording = contact.recording
    turn.do(StopRecording(recording=recording))
    turn.log(events.MessageOver(), contact)
    return recording
