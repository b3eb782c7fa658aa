"""The floor as far as the person who has signed in sees it, and whom he may steer on it."""

from flask import abort, request
from flask_login import current_user

from appliance.bus.messages import AgentInfo, Board, ContactInfo
from webui.access.doors import Subject, may, need
from webui.access.doors import floor as seen_floor
from webui.access.sight import of_contact
from webui.floor.blueprint import known
from webui.floor.views import Filter, Seen, legs_on, seen, trunk_names
from webui.mirror import Floor
from webui.parts import parts

LONGEST_NAME = 64


def board() -> Board:
    """As far as he sees. 503: acdd was not heard yet."""
    found = seen_floor().board
    if found is None:
        abort(503)
    return found


def read() -> Filter:
    """The filter that the address has, whether there is such a thing or not."""
    return Filter(**{name: request.args.get(name, "")[:LONGEST_NAME]
                     for name in ("queue", "group", "agent", "trunk")})


def gone(floor: Floor, board: Board, chosen: Filter) -> str:
    """What is chosen that is not there, or not for him; "": all of it is."""
    there = ((chosen.queue, {one.name for one in board.queues}),
             (chosen.agent, {one.name for one in board.agents}),
             (chosen.group, groups(board).keys()), (chosen.trunk, set(trunk_names(floor))))
    return next((name for name, names in there if name and name not in names), "")


def asked(floor: Floor) -> Filter:
    """The filter that the address has. 404: there is nothing of that name, or not for him."""
    chosen = read()
    if floor.board is not None and gone(floor, floor.board, chosen):
        abort(404)
    return chosen


def groups(board: Board) -> dict[str, frozenset[str]]:
    """Group -> those of its agents whom he sees; without groups of which that is nobody."""
    names = {one.name for one in board.agents}
    return {group: there for group, agents in parts().crew.groups().items() if (there := agents & names)}


def look(floor: Floor, board: Board, chosen: Filter) -> Seen:
    """`floor` and `board`: as far as he sees."""
    # Asked of all agents, whoever looks: one answer is kept for everybody.
    everybody = parts().exchange.mirror.floor.board or board
    crew = known().crew(tuple(one.name for one in everybody.agents))
    on_trunk = known().contacts_on(legs_on(floor, chosen.trunk)) if chosen.trunk else frozenset[str]()
    return seen(board, crew, groups(board), chosen, on_trunk)


def legs(chosen: Filter) -> object:
    """Another object when what `chosen` takes for a trunk's calls may be others."""
    return known().legs() if chosen.trunk else None


def agent_named(name: str, right: str) -> AgentInfo:
    """403 without the right; 404: there is no such agent, or it is outside his range."""
    need(right, of=Subject(agent=name))
    found = next((one for one in board().agents if one.name == name), None)
    if found is None:
        abort(404)
    return found


def talk_of(name: str) -> AgentInfo:
    """An agent whose talk he may steer: the agent and the talk are both in his range, else 404."""
    found = agent_named(name, "steer")
    whole = parts().exchange.mirror.floor.board   # a talk that he does not see is one, too
    for contact in whole.contacts if whole else ():
        if contact.agent == name and contact.state == "talking":
            need("steer", of=of_contact(contact))
    return found


def contact_of(agent: AgentInfo) -> ContactInfo | None:
    """Whom the agent has."""
    return next((one for one in board().contacts if one.contact == agent.contact), None)


def may_steer(contact: ContactInfo) -> bool:
    return may(current_user, "steer", of_contact(contact))
