"""The box itself: how it is and why, parts, versions, what people did with it; the bundle for who helps."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, send_file, url_for
from flask_babel import get_locale, gettext
from werkzeug.wrappers import Response as AnyResponse

from appliance.bus.client import BusError
from appliance.bus.messages import GetSupport, Identify, IdentifyCard, MakeSupport, Request, SupportReply
from webui import box_views
from webui.access.audit import Asked, Entry
from webui.access.doors import need, needs
from webui.doing import BOX_ACTS, do
from webui.live import stream
from webui.mirror import Floor
from webui.parts import parts
from webui.rendered import Fragment

bp = Blueprint("box", __name__, url_prefix="/box")

SUPPORT_S = 2.0                                   # how old the state of a bundle on an open page may get
ACTS = 20                                         # on the page


@bp.get("/")
@needs("box")
def index() -> str:
    return _index()


@bp.get("/events")
@needs("box")
def events() -> Response:
    return stream(_fragments)


@bp.post("/identify")
@needs("box", by_hand=True)
def identify() -> Any:
    """Lights blink for a minute: of the box, or of one card."""
    by, card = need("box"), request.form.get("card", "")
    asked: Request[Any] = IdentifyCard(card=card) if card else Identify()
    if refused := do("identify", by, asked, card):
        return _index(refused), 409
    return redirect(url_for("box.index"), 303)


@bp.get("/support")
@needs("box")
def support() -> str:
    return _support()


@bp.get("/support/events")
@needs("box")
def support_events() -> Response:
    def fragments(floor: Floor) -> Iterator[Fragment]:
        yield _bundle()
    return stream(fragments, turn_s=SUPPORT_S)


@bp.post("/support")
@needs("box", by_hand=True)
def make_support() -> Any:
    by, numbers = need("box"), "mask" not in request.form
    what = "" if numbers else gettext("numbers masked")
    if refused := do("support", by, MakeSupport(numbers=numbers), what):
        return _support(refused), 409
    return redirect(url_for("box.support"), 303)


@bp.get("/support.zip")
@needs("box", act="support-taken")
def support_file() -> Response:
    """The bundle that boxd made last."""
    path = Path(parts().exchange.ask(GetSupport()).path)
    if path.parent != parts().settings.support or not path.is_file():
        abort(404)
    return send_file(path.resolve(), mimetype="application/zip", as_attachment=True, download_name=path.name)


@bp.get("/identify")
@needs("box")
def back() -> AnyResponse:
    """Who comes back to where a form was sent, by a change of the language, say."""
    return redirect(url_for("box.index"), 303)


def language() -> str:
    locale = get_locale()
    return locale.language if locale else parts().settings.language


def acts(most: int) -> list[Entry] | None:
    """The newest on the box; None: the disk does not say."""
    try:
        return parts().audit.entries(Asked(acts=tuple(BOX_ACTS)), most)
    except sqlite3.Error:
        return None


def _index(wrong: str = "") -> str:
    return render_template(
        "box/index.html", wrong=wrong, acts=acts(ACTS), floor=parts().exchange.mirror.floor,
        fragments=[html for _, html in _fragments(parts().exchange.mirror.floor)])


def _fragments(floor: Floor) -> Iterator[Fragment]:
    show = parts().rendered
    yield show("box/condition.html", "condition", box_views.condition(floor, language()))
    yield show("box/daemons.html", "daemons", box_views.daemons(floor))
    versions = box_views.versions(floor, _release())
    yield show("box/versions.html", "versions", (versions, int(time.time()) // 3600))
    yield show("box/parts.html", "parts", box_views.board(floor))


def _release() -> dict[str, str]:
    """Empty: this is no image of ours."""
    try:
        return box_views.release(parts().settings.release.read_text())
    except OSError:
        return {}


def _support(wrong: str = "") -> str:
    return render_template("box/support.html", wrong=wrong, fragments=[_bundle()[1]])


def _bundle() -> Fragment:
    try:
        found: SupportReply | None = parts().exchange.ask(GetSupport())
    except BusError:
        found = None
    return "bundle", render_template("box/bundle.html", name="bundle", view=found)
