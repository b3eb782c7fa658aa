"""Live pages: fragments of HTML over server-sent events, each sent when it differs from what this page has.

A fragment is (id of the element, its whole HTML); who asks for ?lines=1 is sent only new lines of a long one
(delta.py): a page stays open while the box is updated. What many see alike is made once, for all of them
(onlookers.py); a page of its own has a thread of the web server. The browser's half is static/live.js.
"""

import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextvars import copy_context
from typing import Any

from flask import Response, abort, request, stream_with_context
from flask_babel import get_locale
from flask_login import current_user

from webui.access.doors import keep_sight, range_of, sight
from webui.alerts.tones import Tones
from webui.broadcast import Group, Make, Pace
from webui.configuration.unconfirmed import Unconfirmed
from webui.live_page import AGAIN, KEEP_ALIVE_S, LOOK_S, STILL_HERE, Page, event
from webui.mirror import Floor, Mirror
from webui.notices.bar import Bar
from webui.onlookers import Onlooker
from webui.parts import parts
from webui.rendered import Fragment
from webui.server import TAKE

GAP_S = 0.05                                      # changes within it go together


def stream(
    fragments: Callable[[Floor], Iterable[Fragment]], gap_s: float = GAP_S, turn_s: float = KEEP_ALIVE_S,
    numbers: bool = True, alike: Hashable = None,
) -> Response:
    """A stream of what `fragments` gives for each new floor, as far as who asks sees it, and every `turn_s`
    when nothing happens; and the notices that are for him. numbers False: those of channels' calls are not
    shown.

    `alike`: what `fragments` depends on beside the floor, what its reader sees and his language; it is made
    once for all who have the same. None: it depends on more, as on the reader himself.
    """
    if request.method == "HEAD":
        return Response(mimetype="text/event-stream")
    slots, mirror = parts().streams, parts().exchange.mirror
    users, session = parts().users, current_user.get_id()
    narrow, within = parts().narrowed, range_of(current_user)
    keep_sight()
    pace = Pace(gap_s, min(turn_s, LOOK_S))
    page = Page((Bar(), Unconfirmed(), Tones()), pace.turn_s, request.args.get("lines") == "1",
                lambda: users.get(session) is not None, time.monotonic())
    if not slots.acquire(blocking=False):
        abort(503)

    def make(floor: Floor) -> Iterable[Fragment]:
        return fragments(narrow(floor, within))

    take = request.environ.get(TAKE)
    if alike is None or take is None:             # or a server that gives no socket away
        response = Response(stream_with_context(_events(mirror, Group(mirror, pace, numbers), make, page)),
                            mimetype="text/event-stream")
        response.call_on_close(slots.release)
        return response
    key = request.endpoint, alike, sight(), str(get_locale()), pace, numbers
    chunked = request.environ.get("SERVER_PROTOCOL") == "HTTP/1.1"
    context, onlookers = copy_context(), parts().onlookers

    def taken(sock: Any, rest: bytes) -> None:
        onlookers.take(Onlooker(sock, key, lambda: Group(mirror, pace, numbers), page, make, context, chunked,
                                slots.release))
    response = Response(mimetype="text/event-stream")
    response.headers.remove("Content-Length")
    response.automatically_set_content_length = False
    take(taken)
    return response


def _events(mirror: Mirror, group: Group, make: Make, page: Page) -> Iterator[bytes]:
    yield AGAIN
    version = group.make(make, time.monotonic())
    while not mirror.closed.is_set():
        now = time.monotonic()
        if (own := page.own(now)) is None:
            return
        if said := event(page.news(version, now), own):
            yield said
        elif page.silent(now):
            yield STILL_HERE
        version = group.after(make, page.due)
