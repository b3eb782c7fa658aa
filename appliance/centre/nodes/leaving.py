"""Nodes at which the flow hands the contact over, or ends."""

from appliance.centre import acd, announce, events, recording
from appliance.centre.choice.facts import MOST_PRIORITY
from appliance.centre.control import parties
from appliance.centre.control.places import Place
from appliance.centre.flow import HangupNode, QueueNode, ReturnNode, SubflowNode, TransferNode
from appliance.centre.flow.expressions import text_of
from appliance.centre.nodes.base import Doing, Go, by_digit, compute, filled, press
from appliance.centre.state import Contact
from appliance.centre.turn import TEMPORARY_FAILURE, Turn
from appliance.config.pattern import NUMBER

RINGBACK = "tone:ringback"
NO_ANSWER = 19                                    # Q.850: no answer from user (user alerted)


class Queueing(Doing[QueueNode]):
    def enter(self, turn: Turn, contact: Contact, node: QueueNode) -> Go | None:
        if node.queue not in turn.setup.queues:   # a flow of before, in its last calls
            if node.next is not None:
                return Go(node.next, "error")
            turn.end(contact, "failed", "box", TEMPORARY_FAILURE)
            return None
        turn.connect(contact)
        if prompt := recording.announcement(turn, contact, node.queue):
            turn.log(events.RecordingAnnounced(prompt=prompt), contact)
            turn.play(contact, announce.prompt(contact.language, prompt))
            return None
        return self._join(turn, contact, node)

    def play_over(self, turn: Turn, contact: Contact, node: QueueNode) -> Go | None:
        """The caller has been told of the recording."""
        return self._join(turn, contact, node)

    def _join(self, turn: Turn, contact: Contact, node: QueueNode) -> Go | None:
        self._attach(turn, contact, node)
        here = contact.record.contact, contact.node
        overflow_at = turn.now + node.overflow_s if node.overflow_s else 0.0
        surely = node.next is None or here in turn.refused           # it has been everywhere
        if acd.join(turn, contact, node.queue, overflow_at, surely=surely) or node.next is None:
            return None
        turn.refused.add(here)
        return Go(node.next, "overflow")

    def digit(self, turn: Turn, contact: Contact, node: QueueNode, digit: str) -> Go | None:
        """While it waits; while it rings the agent has it."""
        option = node.digits.get(digit)
        if option is None or contact.record.state != "queue":
            return None
        press(turn, contact, digit)
        return Go(option.next, by_digit(contact, digit), option.language or "")

    def overflow(self, turn: Turn, contact: Contact, node: QueueNode) -> Go | None:
        return Go(node.next, "overflow") if node.next is not None else None

    def _attach(self, turn: Turn, contact: Contact, node: QueueNode) -> None:
        priority = None if node.priority is None else compute(turn, contact, node.priority)
        grade = None if node.grade is None else compute(turn, contact, node.grade)
        within = min(max(0, round(priority)), MOST_PRIORITY) if isinstance(priority, int | float) else None
        if within is not None or grade is not None or node.skills:
            turn.log(events.Attached(priority=within, grade=None if grade is None else text_of(grade),
                                     skills=node.skills), contact)


class Transferring(Doing[TransferNode]):
    """The caller hears the ring until somebody takes the call, the time is over or the caller goes."""

    def enter(self, turn: Turn, contact: Contact, node: TransferNode) -> Go | None:
        to = self._place(turn, contact, node)
        turn.connect(contact)
        if to is None:
            return Go(node.next, "unreachable")
        turn.log(events.Attached(record=node.record), contact)
        turn.play(contact, [RINGBACK], repeat=True)
        turn.log(events.DigitAwaited(until=turn.now + node.ring_s), contact)
        parties.add(turn, contact, "target", to, calling=contact.record.calling)
        return None

    def no_digit(self, turn: Turn, contact: Contact, node: TransferNode) -> Go | None:
        for party in list(contact.parties.values()):
            parties.refused(turn, contact, party, NO_ANSWER)
        return self.over(turn, contact, node, "no answer")

    def over(self, turn: Turn, contact: Contact, node: TransferNode, outcome: str) -> Go | None:
        return Go(node.next, outcome)

    def _place(self, turn: Turn, contact: Contact, node: TransferNode) -> Place | None:
        """None: that cannot be rung now."""
        if node.agent is None:
            number = filled(contact, node.number or "")
            dialled = number and NUMBER.fullmatch(number)
            return Place(number=number, trunk=node.trunk or "") if dialled else None
        agent = turn.state.agents.get(node.agent)
        if agent is None or agent.state == "logged-out" or not agent.extension or agent.contact or agent.leg:
            return None
        return Place(number=agent.extension, trunk=agent.trunk, agent=agent.name)


class GoingThrough(Doing[SubflowNode]):
    def enter(self, turn: Turn, contact: Contact, node: SubflowNode) -> Go | None:
        return Go(f"{contact.node.rpartition('/')[2]}/{node.start}", "sub-flow")


class Returning(Doing[ReturnNode]):
    def enter(self, turn: Turn, contact: Contact, node: ReturnNode) -> Go | None:
        caller = contact.node.rpartition("/")[0]
        flow = turn.setup.flow_of(contact)
        went_through = flow and flow.nodes.get(caller)
        if not isinstance(went_through, SubflowNode):
            return Go("/" + contact.node)         # no file is read that has this
        above = caller.rpartition("/")[0]
        return Go(f"/{above}/{went_through.next}" if above else f"/{went_through.next}", "return")


class HangingUp(Doing[HangupNode]):
    def enter(self, turn: Turn, contact: Contact, node: HangupNode) -> Go | None:
        turn.end(contact, "answered" if contact.connected else "rejected", "box", node.cause)
        return None
