"""Live pages: fragments of HTML over server-sent events, each sent when it differs from what this page has.

A fragment is (id of the element, its whole HTML); who asks for ?lines=1 is sent only new lines of a long one
(delta.py): a page stays open while the box is updated. What many see alike is made once (broadcast.py). The
browser's half is static/live.js.
"""

import time
from collections.abc import Callable, Hashable, Iterable, Iterator

from flask import Response, abort, request, stream_with_context
from flask_babel import get_locale
from flask_login import current_user

from webui.access.doors import keep_sight, range_of, sight
from webui.alerts.tones import Tones
from webui.broadcast import Group, Make, Pace, Version
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
    if not slots.acquire(blocking=False):
        abort(503)
    users, session = parts().users, current_user.get_id()
    narrow, within = parts().narrowed, range_of(current_user)
    keep_sight()
    key: Hashable = object() if alike is None else (
        request.endpoint, alike, sight(), str(get_locale()), gap_s, turn_s, numbers)
    events = stream_with_context(
        _events(mirror, lambda floor: fragments(narrow(floor, within)), key,
                Pace(gap_s, min(turn_s, LOOK_S)), numbers, lambda: users.get(session) is not None,
                request.args.get("lines") == "1"))
    response = Response(events, mimetype="text/event-stream")
    response.call_on_close(slots.release)
    return response


def _events(
    mirror: Mirror, make: Make, key: Hashable, pace: Pace, numbers: bool, signed_in: Callable[[], bool],
    lines: bool,
) -> Iterator[bytes]:
    has: dict[str, str] = {}
    bar, unconfirmed, tones = Bar(), Unconfirmed(), Tones()
    looked_at = said_at = time.monotonic()
    ends_at = looked_at + LIFE_S
    mark, own_until = None, looked_at
    yield b"retry: 1000\n\n"
    with parts().groups.joined(key, lambda: Group(mirror, pace, numbers)) as group:
        version = group.newest(make)
        while not mirror.closed.is_set() and (now := time.monotonic()) < ends_at:
            if now - looked_at >= LOOK_S:
                looked_at = now
                if not signed_in():
                    return
            said = [version.news(has, lines)]
            if now >= own_until or version.mark != mark:
                own_until, mark = now + pace.turn_s, version.mark
                said.append(Version(dict((bar(), unconfirmed(), tones()))).news(has, lines))
            if any(said):
                yield b'data: {"now": %.3f, "fragments": {%b}}\n\n' % (
                    time.time(), b", ".join(filter(None, said)))
                said_at = now
            elif now - said_at >= KEEP_ALIVE_S:
                yield b": still here\n\n"
                said_at = now
            version = group.after(
                version, make, min(own_until, looked_at + LOOK_S, said_at + KEEP_ALIVE_S, ends_at))
