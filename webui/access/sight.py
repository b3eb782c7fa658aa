"""The floor as somebody sees it whose range has limits. Pure."""

from dataclasses import replace

from msgspec.structs import replace as altered

from appliance.bus.messages import Board, ContactInfo
from webui.access.ranges import Range, Subject
from webui.mirror import Floor


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


def _board(board: Board, within: Range) -> Board:
    contacts = [one for one in board.contacts if within.holds(of_contact(one))]
    seen = {one.contact for one in contacts}
    return altered(
        board, contacts=contacts, messages={},
        queues=[altered(queue, unreachable=[one for one in queue.unreachable if one in seen])
                for queue in board.queues if within.names("queues", queue.name)],
        agents=[altered(agent, contact=agent.contact if agent.contact in seen else "")
                for agent in board.agents if within.names("agents", agent.name)])
