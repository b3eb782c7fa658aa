"""Seeing: the floor live, one call with its explanation, one agent."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from flask import Response, abort, render_template
from flask_babel import get_locale
from flask_login import current_user

from appliance.bus.client import BusError
from appliance.bus.messages import (
    AgentExplained,
    Board,
    ContactExplained,
    ContactFacts,
    ContactInfo,
    ExplainAgent,
    ExplainContact,
    GetContact,
    GetContactFacts,
    GetContactLegs,
    Reply,
    Request,
    SupervisorInfo,
)
from webui.access.doors import Subject, may, needs, sight
from webui.access.doors import floor as seen_floor
from webui.access.sight import of_contact
from webui.floor import ranges, tiles, views
from webui.floor.arranging import own
from webui.floor.blueprint import bp, known, telephones
from webui.floor.layout import Layout
from webui.floor.said import said
from webui.floor.telephones import Telephone
from webui.floor.tiles import Tile
from webui.floor.views import AgentRow, Filter
from webui.live import stream
from webui.mirror import Floor
from webui.parts import parts
from webui.rendered import Fragment

R = TypeVar("R", bound=Reply)

Views = tuple[views.Strip, tuple[Tile, ...], views.Tree, tuple[views.QueueRow, ...],
              tuple[views.CallRow, ...], tuple[views.AgentRow, ...]]

GAP_S = 0.08                                      # acdd says a Board in 0.1 s, each is shown
FIGURES_TURN_S = 3.0                              # figures grow without an event
EXPLAINED_GAP_S = 0.5                             # acdd is asked for each: not with every step of others
EXPLAINED_TURN_S = 2.0                            # so does an estimate
LONGEST_ID = 64


@bp.app_template_filter("said")
def _said(text: str) -> str:
    return said(text)


@dataclass(frozen=True, slots=True)
class Call:
    """All that is told of one call."""

    info: ContactInfo
    facts: ContactFacts | None                    # None: acdd does not answer
    explained: ContactExplained | None            # None: it is not in line
    steps: tuple[views.Step, ...]
    agent: AgentRow | None
    channels: tuple[tuple[str, str, int], ...]    # party, span, timeslot
    mode: str                                     # in which the reader hears it; "": not
    answered: bool                                # the reader's telephone is


@dataclass(frozen=True, slots=True)
class Person:
    """All that is told of one agent."""

    row: AgentRow
    explained: AgentExplained | None
    waiting: tuple[ContactInfo, ...]              # whom the agent may serve, the next one first
    call: ContactInfo | None


@bp.get("/")
@needs("watch")
def index() -> str:
    floor, layout = seen_floor(), own()
    chosen = ranges.asked(floor)
    return render_template("floor/index.html", fragments=dict(_fragments(floor, chosen, layout)),
                           layout=layout, chosen=chosen, telephone=telephones().of(current_user.name))


@bp.get("/events")
@needs("watch")
def events() -> Response:
    chosen, layout = ranges.asked(seen_floor()), own()
    return stream(lambda floor: _fragments(floor, chosen, layout), gap_s=GAP_S, turn_s=FIGURES_TURN_S,
                  numbers=False, alike=(chosen, layout))


@bp.get("/call/<contact>")
@needs("watch")
def call(contact: str) -> str:
    info = _find(contact, seen_floor())
    return render_template("floor/call.html", contact=info, html=_call(info))


@bp.get("/call/<contact>/events")
@needs("watch")
def call_events(contact: str) -> Response:
    """Until the call is over."""
    info = _find(contact, seen_floor())

    def fragments(floor: Floor) -> Iterator[Fragment]:
        nonlocal info
        if info.state != "ended":
            try:
                info = _find(contact, floor)
            except BusError:
                pass                              # what was shown stays
        yield "call", _call(info)

    return stream(fragments, gap_s=EXPLAINED_GAP_S, turn_s=EXPLAINED_TURN_S)


@bp.get("/agent/<agent>")
@needs("watch")
def agent(agent: str) -> str:
    info = ranges.agent_named(agent, "watch")
    return render_template("floor/agent.html", agent=info, html=_agent(agent), reasons=_reasons(agent),
                           steers=may(current_user, "steer", Subject(agent=agent)))


@bp.get("/agent/<agent>/events")
@needs("watch")
def agent_events(agent: str) -> Response:
    ranges.agent_named(agent, "watch")

    def fragments(floor: Floor) -> Iterator[Fragment]:
        yield "agent", _agent(agent)

    return stream(fragments, gap_s=EXPLAINED_GAP_S, turn_s=EXPLAINED_TURN_S)


def _fragments(floor: Floor, chosen: Filter, layout: Layout) -> Iterator[Fragment]:
    board = floor.board
    if board is None:
        yield parts().rendered("board/notice.html", "notice", floor.away)
        return
    yield from known().once(
        (chosen, layout, sight(), str(get_locale())), _made_of(floor, board, chosen),
        lambda: tuple(_rendered(floor, board, chosen, layout)))


def _made_of(floor: Floor, board: Board, chosen: Filter) -> tuple[object, ...]:
    return board, floor.channels, floor.away, known().today(), known().half_hour(), ranges.legs(chosen)


def _rendered(floor: Floor, board: Board, chosen: Filter, layout: Layout) -> Iterator[Fragment]:
    yield parts().rendered("board/notice.html", "notice", floor.away)
    steers, away = may(current_user, "steer"), "acdd" in floor.away
    strip, figures, tree, queues, calls, agents = known().once(
        (chosen, layout.figures, sight()), _made_of(floor, board, chosen),
        lambda: _views(floor, board, chosen, layout.figures))
    key = "/".join((chosen.queue, chosen.group, chosen.agent, chosen.trunk))

    def show(name: str, view: object, key: str = key) -> Fragment:
        return name, parts().rendered(f"floor/{name}.html", f"{name} {key}", view)[1]

    if figures:
        yield show("strip", (strip, figures), f"{key} {layout.figures}")
    shown = {"tree": (tree, away), "lines": (queues, away), "calls": (calls, away),
             "agents": (agents, steers, away)}
    for name, view in shown.items():
        if name in layout.parts:
            yield show(name, view)


def _views(floor: Floor, board: Board, chosen: Filter, figures: tuple[str, ...]) -> Views:
    look = ranges.look(floor, board, chosen)
    return (views.strip(floor, look, chosen.trunk), tiles.made(floor, look, chosen, figures),
            views.tree(floor, look, chosen), views.queue_rows(look, known().today()), views.call_rows(look),
            views.agent_rows(look))


def _find(contact: str, floor: Floor) -> ContactInfo:
    """From the live board, else from acdd. 404: there is none, or it is outside his range. BusError: nobody
    knows."""
    if len(contact) > LONGEST_ID:
        abort(404)
    live = floor.board.contacts if floor.board else []
    found = next((one for one in live if one.contact == contact), None)
    if found is None:
        found = parts().exchange.ask(GetContact(contact=contact)).contact
    if found is None or not may(current_user, "watch", of_contact(found)):
        abort(404)
    return found


def _call(info: ContactInfo) -> str:
    floor = seen_floor()
    facts = _ask(GetContactFacts(contact=info.contact))
    in_line = info.state in ("queue", "ringing", "callback")
    explained = _ask(ExplainContact(contact=info.contact)) if in_line else None
    row, mode, answered = None, "", False
    if floor.board is not None and info.state != "ended":
        agent = next((one for one in floor.board.agents if one.name == info.agent), None)
        row = views.agent_row(floor.board, agent) if agent and agent.contact == info.contact else None
        mode, answered = _own(views.supervisors(floor.board, info.contact))
    told = Call(info, facts, explained, views.path(info, facts.offers if facts else ()), row,
                _channels(info, floor), mode, answered)
    return render_template("floor/call_facts.html", call=told, may_steer=ranges.may_steer(info))


def _own(supervisors: tuple[SupervisorInfo, ...]) -> tuple[str, bool]:
    """In which mode the reader hears the talk, "": not; whether his telephone is answered."""
    own: Telephone | None = telephones().of(current_user.name)
    there = next((one for one in supervisors if own and one.at == own.shown), None)
    return (there.mode, there.talking) if there else ("", False)


def _channels(info: ContactInfo, floor: Floor) -> tuple[tuple[str, str, int], ...]:
    """Where its calls are on the lines at this moment."""
    if info.state == "ended":
        return ()
    legs = _ask(GetContactLegs(contact=info.contact))
    place = {cell.leg: (span.span, cell.timeslot)
             for span in floor.channels.values() for cell in span.channels if cell.leg}
    return tuple((one.agent or one.party, *place[one.leg]) for one in (legs.legs if legs else ())
                 if one.leg in place)


def _agent(name: str) -> str:
    info = ranges.agent_named(name, "watch")
    board = ranges.board()
    explained = _ask(ExplainAgent(agent=name))
    of = {one.contact: one for one in board.contacts}
    waiting = tuple(of[one] for one in (explained.contacts if explained else ()) if one in of)
    row = views.agent_row(board, info)
    mode, answered = _own(row.supervisors)
    person = Person(row, explained, waiting, of.get(info.contact))
    return render_template("floor/agent_facts.html", person=person, mode=mode, answered=answered,
                           may_steer=may(current_user, "steer", Subject(agent=name)))


def _reasons(agent: str) -> list[str] | None:
    """For which the agent may be not ready; None: acdd does not answer."""
    explained = _ask(ExplainAgent(agent=agent))
    return explained.reasons if explained else None


def _ask(request: Request[R]) -> R | None:
    """None: it was refused, or there is no answer."""
    try:
        return parts().exchange.ask(request)
    except BusError:
        return None
