"""Live pages: fragments of HTML over server-sent events, each sent when it differs from what this page has.

A fragment is (id of the element, its whole HTML); who asks for ?lines=1 is sent only new lines of a long one
(delta.py): a page stays open while the box is updated. The browser's half is static/live.js.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator

from flask import Response, abort, request, stream_with_context
from flask_login import current_user

from webui import delta
from webui.access.doors import keep_sight, range_of
from webui.access.ranges import Range
from webui.alerts.tones import Tones
from webui.configuration.unconfirmed import Unconfirmed
from webui.mirror import Floor, Mirror
from webui.notices.bar import Bar
from webui.parts import parts
from webui.rendered import Fragment

GAP_S = 0.05                                      # changes within it go together
KEEP_ALIVE_S = 15.0                               # a dead browser is found by then
LOOK_S = 5.0                                      # who signs out elsewhere sees nothing more after it
LIFE_S = 300.0                                    # then the page connects anew


def stream(
    fragments: Callable[[Floor], Iterable[Fragment]], gap_s: float = GAP_S, turn_s: float = KEEP_ALIVE_S,
    numbers: bool = True,
) -> Response:
    """A stream of what `fragments` gives for each new floor, as far as who asks sees it, and every `turn_s`
    when nothing happens; and the notices that are for him. numbers False: those of channels' calls are not
    shown."""
    if request.method == "HEAD":
        return Response(mimetype="text/event-stream")
    slots, mirror = parts().streams, parts().exchange.mirror
    if not slots.acquire(blocking=False):
        abort(503)
    users, session = parts().users, current_user.get_id()
    events = stream_with_context(
        _events(mirror, fragments, gap_s, turn_s, lambda: users.get(session) is not None,
                range_of(current_user), numbers, parts().narrowed, request.args.get("lines") == "1"))
    response = Response(events, mimetype="text/event-stream")
    response.call_on_close(slots.release)
    return response


def _events(
    mirror: Mirror, fragments: Callable[[Floor], Iterable[Fragment]], gap_s: float, turn_s: float,
    signed_in: Callable[[], bool], within: Range, numbers: bool, narrow: Callable[[Floor, Range], Floor],
    lines: bool,
) -> Iterator[str]:
    sent: dict[str, str] = {}
    keep_sight()
    bar, unconfirmed, tones = Bar(), Unconfirmed(), Tones()
    looked_at = said_at = time.monotonic()
    ends_at = looked_at + LIFE_S
    yield "retry: 1000\n\n"
    while not mirror.closed.is_set() and (now := time.monotonic()) < ends_at:
        if now - looked_at >= LOOK_S:
            looked_at = now
            if not signed_in():
                return
        floor = mirror.floor
        all_of_it = (*fragments(narrow(floor, within)), bar(), unconfirmed(), tones())
        changed = {name: html for name, html in all_of_it if sent.get(name) != html}
        if changed:
            said = ", ".join(
                f"{json.dumps(name)}: {delta.said(sent.get(name) if lines else None, html)}"
                for name, html in changed.items())
            sent.update(changed)
            yield f'data: {{"now": {time.time()}, "fragments": {{{said}}}}}\n\n'
            said_at = now
        elif now - said_at >= KEEP_ALIVE_S:
            yield ": still here\n\n"
            said_at = now
        mirror.wait(floor, min(turn_s, LOOK_S), numbers)
        mirror.closed.wait(gap_s)
