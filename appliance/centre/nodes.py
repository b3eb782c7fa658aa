"""What each kind of node does with a contact. A new kind: its class in flow.py, a class and a row here."""

from typing import Any, Generic, TypeVar

from appliance.centre import acd, events
from appliance.centre.flow import HangupNode, MenuNode, Node, PlayNode, QueueNode, fragment
from appliance.centre.state import Contact
from appliance.centre.turn import Turn

N = TypeVar("N", bound=Node)


class Doing(Generic[N]):
    """The moments of a contact at a node; a kind writes those that matter to it."""

    def enter(self, turn: Turn, contact: Contact, node: N) -> None: ...

    def play_over(self, turn: Turn, contact: Contact, node: N) -> None: ...

    def digit(self, turn: Turn, contact: Contact, node: N, digit: str) -> None: ...

    def no_digit(self, turn: Turn, contact: Contact, node: N) -> None: ...

    def overflow(self, turn: Turn, contact: Contact, node: N) -> None: ...


class Playing(Doing[PlayNode]):
    def enter(self, turn: Turn, contact: Contact, node: PlayNode) -> None:
        turn.connect(contact)
        turn.play(contact, prompts(contact, node.prompt))

    def play_over(self, turn: Turn, contact: Contact, node: PlayNode) -> None:
        enter(turn, contact, node.next)

    def digit(self, turn: Turn, contact: Contact, node: PlayNode, digit: str) -> None:
        enter(turn, contact, node.next)
        press(turn, contact, digit)


class Choosing(Doing[MenuNode]):
    def enter(self, turn: Turn, contact: Contact, node: MenuNode) -> None:
        turn.connect(contact)
        turn.play(contact, prompts(contact, node.prompt))

    def play_over(self, turn: Turn, contact: Contact, node: MenuNode) -> None:
        turn.log(events.DigitAwaited(until=turn.now + node.timeout_s), contact)

    def digit(self, turn: Turn, contact: Contact, node: MenuNode, digit: str) -> None:
        turn.log(events.Pressed(digit=digit), contact)
        option = node.digits.get(digit)
        if option is not None:
            enter(turn, contact, option.next, option.language)
        else:
            self._again(turn, contact, node, node.invalid or [])

    def no_digit(self, turn: Turn, contact: Contact, node: MenuNode) -> None:
        self._again(turn, contact, node, [])

    def _again(self, turn: Turn, contact: Contact, node: MenuNode, first: list[str]) -> None:
        if contact.tries == node.retries:
            enter(turn, contact, node.default)
        else:
            turn.log(events.Retried(), contact)
            turn.play(contact, prompts(contact, [*first, *node.prompt]))


class Queueing(Doing[QueueNode]):
    def enter(self, turn: Turn, contact: Contact, node: QueueNode) -> None:
        turn.connect(contact)
        acd.join(turn, contact, node.queue, turn.now + node.overflow_s if node.overflow_s else 0.0)

    def play_over(self, turn: Turn, contact: Contact, node: QueueNode) -> None:
        acd.play_music(turn, contact)

    def overflow(self, turn: Turn, contact: Contact, node: QueueNode) -> None:
        if node.next is not None:
            enter(turn, contact, node.next)


class HangingUp(Doing[HangupNode]):
    def enter(self, turn: Turn, contact: Contact, node: HangupNode) -> None:
        turn.end(contact, "answered" if contact.connected else "rejected", "box", node.cause)


NODES: dict[type[Node], Doing[Any]] = {
    PlayNode: Playing(),
    MenuNode: Choosing(),
    QueueNode: Queueing(),
    HangupNode: HangingUp(),
}


def start(turn: Turn, contact: Contact, flow: str) -> None:
    """The contact enters `flow` at its beginning."""
    begun = turn.setup.flows[flow]
    turn.log(events.NodeEntered(flow=flow, node=begun.start, language=begun.language), contact)
    NODES[type(begun.nodes[begun.start])].enter(turn, contact, begun.nodes[begun.start])


def enter(turn: Turn, contact: Contact, name: str, language: str | None = None) -> None:
    """The contact goes on at another node of its flow."""
    node = turn.setup.flows[contact.flow].nodes[name]
    turn.log(events.NodeEntered(flow=contact.flow, node=name, language=language or contact.language), contact)
    NODES[type(node)].enter(turn, contact, node)


def press(turn: Turn, contact: Contact, digit: str) -> None:
    if contact.record.state == "flow" and contact.node:
        doing, node = _at(turn, contact)
        doing.digit(turn, contact, node, digit)


def play_over(turn: Turn, contact: Contact) -> None:
    doing, node = _at(turn, contact)
    doing.play_over(turn, contact, node)


def no_digit(turn: Turn, contact: Contact) -> None:
    turn.log(events.DigitAwaited(until=0.0), contact)
    doing, node = _at(turn, contact)
    doing.no_digit(turn, contact, node)


def overflow(turn: Turn, contact: Contact) -> None:
    doing, node = _at(turn, contact)
    doing.overflow(turn, contact, node)


def known(turn: Turn, contact: Contact) -> bool:
    """The configuration still has the place where the contact is."""
    flow = turn.setup.flows.get(contact.flow)
    return (flow is not None and contact.node in flow.nodes
            and (not contact.record.queue or contact.record.queue in turn.setup.queues))


def prompts(contact: Contact, names: list[str]) -> list[str]:
    return [fragment(name, contact.language) for name in names]


def _at(turn: Turn, contact: Contact) -> tuple[Doing[Any], Node]:
    node = turn.setup.flows[contact.flow].nodes[contact.node]
    return NODES[type(node)], node
