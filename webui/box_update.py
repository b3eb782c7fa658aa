"""The version of the box and its updates: how one stands, what came of the last ones, what people may ask."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from appliance.bus.messages import (
    Beginning,
    CancelUpdate,
    ConfirmUpdate,
    Done,
    GoBack,
    HurryUpdate,
    InstallUpdate,
    Request,
)
from webui import box_views
from webui.access.doors import need, needs
from webui.doing import do, why
from webui.live import stream
from webui.mirror import Floor
from webui.parts import parts
from webui.rendered import Fragment
from webui.uploads import UploadError

bp = Blueprint("box_update", __name__, url_prefix="/box/update")

MOST_ADDRESS = 2000
UPLOADED = "upload:"                              # of a source: appliance.box.update.fetching takes it
BEGINNINGS: dict[str, Beginning] = {"drained": "drained", "quiet": "quiet", "now": "now"}


@bp.get("/")
@needs("box")
def index() -> str:
    return _index()


@bp.get("/events")
@needs("box")
def events() -> Response:
    return stream(_fragments)


@bp.get("/<any(install, cancel, hurry, confirm, back):act>")
@needs("box")
def again(act: str) -> AnyResponse:
    """Who comes back to where a form was sent, by a change of the language, say."""
    return redirect(url_for("box_update.index"), 303)


@bp.post("/install")
@needs("box", by_hand=True)
def install() -> Any:
    by, begin, form = need("box"), _begin(), request.form
    match form.get("from"):
        case "usb":
            source = "usb"
        case "upload":
            source = UPLOADED + form.get("upload", "")
            if not parts().uploads.has(form.get("upload", "")):
                return _index(gettext("The file did not arrive: choose it again.")), 409
        case _:
            source = form.get("address", "").strip()
            if not source.startswith("https://") or len(source) > MOST_ADDRESS:
                return _index(gettext("Write the address of the bundle: it begins with https://")), 409
    return _act("update", by, InstallUpdate(source=source, begin=begin, by=by), f"{_shown(source)}, {begin}")


@bp.post("/pieces")
@needs("box", by_hand=True)
def pieces() -> Any:
    """The next piece of a bundle from a person's computer; says how much is there."""
    place, total = (request.args.get(name, -1, type=int) for name in ("offset", "total"))
    if place < 0:
        abort(400)
    try:
        there = parts().uploads.add(request.args.get("name", ""), place, total, request.get_data())
    except UploadError as error:
        return Response(str(error), 409, mimetype="text/plain")
    return Response(str(there), mimetype="text/plain")


@bp.post("/cancel")
@needs("box", by_hand=True)
def cancel() -> Any:
    by = need("box")
    return _act("cancel", by, CancelUpdate(by=by))


@bp.post("/hurry")
@needs("box", by_hand=True)
def hurry() -> Any:
    by = need("box")
    return _act("hurry", by, HurryUpdate(by=by))


@bp.post("/confirm")
@needs("box", by_hand=True)
def confirm() -> Any:
    by = need("box")
    return _act("confirm", by, ConfirmUpdate(by=by))


@bp.post("/back")
@needs("box", by_hand=True)
def go_back() -> Any:
    by, begin = need("box"), _begin()
    return _act("back", by, GoBack(begin=begin, by=by), begin)


def _shown(source: str) -> str:
    """Without what is secret in an address."""
    found = urlsplit(source)
    return f"{found.scheme}://{found.netloc.rpartition('@')[2]}{found.path}" if found.netloc else source


def _begin() -> Beginning:
    begin = BEGINNINGS.get(request.form.get("begin", "drained"))
    if begin is None:
        abort(400)
    return begin


def _act(act: str, by: str, asked: Request[Done], what: str = "") -> Any:
    reason = why()
    if not reason:
        return _index(gettext("Give a reason: it is kept.")), 409
    if "sure" not in request.form:
        return _index(gettext("Say that you mean it: tick the box above the button.")), 409
    if refused := do(act, by, asked, what, reason):
        return _index(refused), 409
    return redirect(url_for("box_update.index"), 303)


def _index(wrong: str = "") -> str:
    floor = parts().exchange.mirror.floor
    return render_template(
        "box/update.html", wrong=wrong, fragments=[html for _, html in _fragments(floor)])


def _fragments(floor: Floor) -> Iterator[Fragment]:
    """The acts have this person's token: they are rendered for him alone."""
    view = box_views.update(floor)
    yield parts().rendered("box/going.html", "going", view)
    yield "update-acts", render_template(
        "box/update_acts.html", name="update-acts", acts=view.acts, state=view.state, other=view.other)
    yield parts().rendered("box/past.html", "past", (floor.past, bool(floor.update and floor.update.slot)))
