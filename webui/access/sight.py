"""The floor as somebody sees it whose range has limits. Pure."""

from dataclasses import replace

from msgspec.structs import replace as altered

from appliance.bus.messages import Board, ContactInfo
from webui.access.ranges import Range, Subject
from webui.mirror import Floor

MOST_RANGES = 64                                  # that are looked at


def of_contact(contact: ContactInfo) -> Subject:
    """A contact does not keep by which trunk it came."""
    return Subject(queue=contact.queue, agent=contact.agent, call=True)


def narrowed(floor: Floor, within: Range) -> Floor:
    """Queues, agents, spans and contacts within the range. Numbers of a channel's call go: whose it is is not
    known of a channel."""
    if not within.limited:
        return floor
    channels = {name: one for name, one in floor.channels.items() if within.names("trunks", one.trunk)}
    unseen = set(floor.channels) - set(channels)
    return replace(
        floor, board=_board(floor.board, within) if floor.board else None, channels=channels, numbers={},
        spans={name: one for name, one in floor.spans.items()
               if name not in unseen and (name in channels or within.trunks is None)},
        links={name: one for name, one in floor.links.items() if name not in unseen})


class Narrowed:
    """The same, worked out once for all who see the same."""

    def __init__(self) -> None:
        self._kept: dict[Range, tuple[Floor, Floor]] = {}

    def __call__(self, floor: Floor, within: Range) -> Floor:
        if not within.limited:
            return floor
        kept = self._kept.get(within)
        if kept is None or kept[0] is not floor:
            if len(self._kept) >= MOST_RANGES:
                self._kept.clear()
            kept = self._kept[within] = floor, narrowed(floor, within)
        return kept[1]


def _board(board: Board, within: Range) -> Board:
    contacts = [one for one in board.contacts if within.holds(of_contact(one))]
    seen = {one.contact for one in contacts}
    return altered(
        board, contacts=contacts, messages={},
        queues=[altered(queue, unreachable=[one for one in queue.unreachable if one in seen])
                for queue in board.queues if within.names("queues", queue.name)],
        agents=[altered(agent, contact=agent.contact if agent.contact in seen else "")
                for agent in board.agents if within.names("agents", agent.name)])
