"""Contacts: the list, newest first, and one contact with its segments and recordings."""

import time
from collections.abc import Iterator

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import (
    ContactFacts,
    ContactInfo,
    ContactList,
    GetContact,
    GetContactFacts,
    GetContacts,
    TraceCaller,
)
from webui import signalling, views
from webui.access.doors import floor, needs, range_of
from webui.access.sight import of_contact
from webui.ladder_view import LadderView
from webui.live import stream
from webui.mirror import Floor
from webui.parts import parts
from webui.rendered import Fragment

bp = Blueprint("contacts", __name__, url_prefix="/contacts")

PAGE = 50
LAST_PAGE = 1_000_000
LIST_GAP_S = 0.5
SIGNALLING_S = 1.0                                # how old the signalling of a live contact may get
CONTACT_TURN_S = 1.0                              # a running segment grows on the page
LONGEST_ID = 64


@bp.get("/")
@needs("find")
def index() -> str:
    page = request.args.get("page", 1, type=int)
    if not 1 <= page <= LAST_PAGE:
        abort(404)
    return render_template("contacts/index.html", rows=_rows(page), page=page)


@bp.get("/events")
@needs("find")
def list_events() -> Response:
    """The first page, live."""
    seen: list[object] = []
    html = ""

    def fragments(sees: Floor) -> Iterator[Fragment]:
        nonlocal html
        facts = [sees.board, "acdd" in sees.away]
        if facts != seen:
            seen[:] = facts
            html = _rows(1)
        yield "rows", html

    return stream(fragments, gap_s=LIST_GAP_S)


@bp.get("/<contact>")
@needs("find")
def show(contact: str) -> str:
    info = find(contact, floor())
    view = signalling.of_contact(contact)
    over = _over(info, view)
    return render_template("contacts/show.html", contact=info, over=over, html=_contact(info),
                           signalling=signalling.contact_fragment(contact, view, over)[1])


@bp.get("/<contact>/trace.pcap")
@needs("find", "line", act="trace-taken")
def trace(contact: str) -> Response:
    """What was said on the D-channels of all its calls, for Wireshark."""
    find(contact, floor())
    return signalling.contact_file(contact)


@bp.get("/<contact>/events")
@needs("find")
def contact_events(contact: str) -> Response:
    """One contact while it goes on; the page stops listening when it and all its calls have ended."""
    info = find(contact, floor())
    asked_at, said = float("-inf"), (signalling.NAME, "")

    def fragments(sees: Floor) -> Iterator[Fragment]:
        nonlocal info, asked_at, said
        if info.state != "ended":
            try:
                info = find(contact, sees)
            except BusError:
                pass                              # what was shown stays; the board says who is away
        if (now := time.monotonic()) >= asked_at + SIGNALLING_S:
            asked_at, view = now, signalling.of_contact(contact)
            said = signalling.contact_fragment(contact, view, _over(info, view))
        yield "contact", _contact(info)
        yield said

    return stream(fragments, turn_s=CONTACT_TURN_S)


@bp.post("/<contact>/trace-caller")
@needs("find", "steer", act="trace-caller")
def trace_caller(contact: str) -> AnyResponse:
    """A malicious call: the page tells what comes of it."""
    info = find(contact, floor())
    try:
        parts().exchange.ask(TraceCaller(name=info.contact, by=current_user.name))
    except Refused:
        abort(409)
    return redirect(url_for("contacts.show", contact=info.contact), 303)


def _rows(page: int) -> str:
    try:
        found: ContactList | None = parts().exchange.ask(GetContacts(
            offset=(page - 1) * PAGE, limit=PAGE, within=range_of(current_user).asked()))
    except BusError:
        found = None
    pages = max(1, -(-found.total // PAGE)) if found else page
    return render_template("contacts/rows.html", found=found, page=page, pages=pages)


def find(contact: str, sees: Floor) -> ContactInfo:
    """From the live board, else from acdd. 404 when there is none within the range of who asks, BusError when
    acdd does not answer."""
    if len(contact) > LONGEST_ID:
        abort(404)
    for live in views.live_contacts(sees):
        if live.contact == contact:
            return live
    found = parts().exchange.ask(GetContact(contact=contact)).contact
    if found is None or not range_of(current_user).holds(of_contact(found)):
        abort(404)
    return found


def _told(contact: str) -> ContactFacts | None:
    """None: acdd does not answer at this moment."""
    try:
        return parts().exchange.ask(GetContactFacts(contact=contact))
    except BusError:
        return None


def _over(info: ContactInfo, view: LadderView | None) -> bool:
    """Nothing will change any more."""
    return info.state == "ended" and (view is None or view.over)


def _contact(info: ContactInfo) -> str:
    now = time.time()
    return render_template(
        "contacts/contact.html", contact=info, told=_told(info.contact), now=now,
        timeline=views.timeline(info, now), waited_s=views.waited_s(info, now))
