"""The live board: what happens on the box now."""

from collections.abc import Iterator

from flask import Blueprint, Response, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from webui import views
from webui.access.doors import floor, needs
from webui.live import stream
from webui.mirror import Floor
from webui.parts import parts
from webui.rendered import Fragment

bp = Blueprint("board", __name__)


@bp.get("/")
@needs("watch")
def index() -> str:
    fragments = dict(_fragments(floor()))
    spans = [html for name, html in fragments.items() if name.startswith("span-")]
    return render_template("board/index.html", fragments=fragments, spans=spans)


@bp.get("/events")
@needs("watch")
def events() -> Response:
    return stream(_fragments, alike=())


@bp.post("/seen/<figure>/<float:since>/<float:count>")
@needs("watch", act="seen")
def seen(figure: str, since: float, count: float) -> AnyResponse:
    """A counter's notice is put away, for everybody, as far as it had come on the page."""
    if figure not in views.COUNTED:
        abort(404)
    parts().seen.remember(figure, (since, count))
    return redirect(url_for("board.index"), 303)


def _fragments(seen: Floor) -> Iterator[Fragment]:
    show, acdd_away = parts().rendered, "acdd" in seen.away
    yield show("board/notice.html", "notice", seen.away)
    yield show("board/figures.html", "figures", views.figures(seen))
    for span in seen.span_names():
        yield show("board/span.html", f"span-{span}", views.span_view(seen, span))
    yield show("board/contacts.html", "contacts", (views.live_contacts(seen), acdd_away))
    yield show("board/queues.html", "queues", (views.queue_views(seen), acdd_away))
    yield show("board/agents.html", "agents", (views.agent_views(seen), acdd_away))
    yield show("board/health.html", "health",
               (views.daemons(seen), views.troubles(seen, parts().seen.reached), views.warnings(seen),
                "boxd" in seen.away))
