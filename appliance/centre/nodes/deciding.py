"""Nodes that decide, and pass the contact on at once or when an answer is there."""

from appliance.centre import events
from appliance.centre.effects import EffectDone, Lookup
from appliance.centre.flow import BranchNode, HoursNode, LanguageNode, LookupNode, SetNode
from appliance.centre.flow.expressions import fill, placeholders, text_of
from appliance.centre.flow.prompts import LANGUAGES
from appliance.centre.flow.results import AnswerError, take
from appliance.centre.nodes import keys
from appliance.centre.nodes.base import Doing, Go, compute, scope
from appliance.centre.state import HIDDEN, Contact
from appliance.centre.turn import Turn


class Setting(Doing[SetNode]):
    """One after the other: a value may use those above it."""

    def enter(self, turn: Turn, contact: Contact, node: SetNode) -> Go | None:
        for name, expression in node.values.items():
            value = compute(turn, contact, expression)
            turn.log(events.VariablesSet(values={name: "" if value is None else value}), contact)
        return Go(node.next)


class Branching(Doing[BranchNode]):
    def enter(self, turn: Turn, contact: Contact, node: BranchNode) -> Go | None:
        for place, case in enumerate(node.cases, 1):
            if compute(turn, contact, case.when):
                return Go(case.next, f"case {place}")
        return Go(node.default, "default")


class Opening(Doing[HoursNode]):
    def enter(self, turn: Turn, contact: Contact, node: HoursNode) -> Go | None:
        try:
            opening = turn.setup.entrance.opening(node.calendar, turn.now, turn.state.forced)
        except KeyError:                          # a flow of before, in its last calls
            return Go(node.closed, "closed")
        return Go(node.open, "open") if opening.open else Go(node.closed, "closed")


class LookingUp(Doing[LookupNode]):
    def enter(self, turn: Turn, contact: Contact, node: LookupNode) -> Go | None:
        known = {**scope(contact), **keys.recall(turn, contact)}
        if any(known.get(name) == HIDDEN for text in node.send.values() for name in placeholders(text)):
            return Go(node.error, "error")        # a secret that a restart made us forget
        send = {key: fill(template, known) for key, template in node.send.items()}
        turn.ask(contact, Lookup(order=turn.order(contact), source=node.source, send=send,
                                 timeout_s=node.timeout_s))
        return None

    def done(self, turn: Turn, contact: Contact, node: LookupNode, given: EffectDone) -> Go | None:
        if given.error:
            return Go(node.error, "error")
        if given.answer is None:
            return Go(node.missing or node.error, "missing")
        try:
            results = take(node.results, given.answer)
        except AnswerError as error:
            turn.log(events.NotComputed(what=str(error)), contact)
            return Go(node.error, "error")
        if results:
            turn.log(events.VariablesSet(values=results), contact)
        return Go(node.next)

    def resume(self, turn: Turn, contact: Contact, node: LookupNode) -> Go | None:
        """Asked again where that does no harm: a source that is only read."""
        source = turn.setup.sources.get(node.source)
        if source is not None and source.only_reads:
            return self.enter(turn, contact, node)
        return super().resume(turn, contact, node)


class Speaking(Doing[LanguageNode]):
    def enter(self, turn: Turn, contact: Contact, node: LanguageNode) -> Go | None:
        if node.language is not None:
            return Go(node.next, language=node.language)
        wanted = compute(turn, contact, node.by or "")
        return Go(node.next, language=text_of(wanted) if wanted in LANGUAGES else "")
