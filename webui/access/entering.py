"""What every way in shares: a session begins, where it leads, and how fast may be tried."""

import ipaddress
import math
import time

from flask import redirect, request, session, url_for
from flask_login import login_user
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from webui.access.doors import did
from webui.access.navigation import home
from webui.parts import parts
from webui.throttle import Throttle
from webui.users import User


def enter(who: User, next_page: str) -> Response:
    """Begin the session of who has shown all that is asked, and lead to `next_page`.

    To the sign-in, when the password changed or the account was disabled meanwhile.
    """
    user = who if who.session else parts().users.begin(
        who.name, who.generation, request.remote_addr or "", request.user_agent.string)
    session.clear()                               # nothing of the session before survives (fixation)
    if user is None:
        return redirect(url_for("account.login"), 303)
    session.permanent = True
    login_user(user)
    parts().audit.note(did("sign-in"), "", time.time())
    return redirect(here(next_page), 303)


def here(page: str) -> str:
    """`page` when it is a path of this server, his first page otherwise."""
    inside = page.startswith("/") and not page.startswith(("//", "/\\")) and page.isprintable()
    return page if inside else home()


def address() -> str:
    """Who asks, as far as it costs them to be another: of IPv6 the network, each of its hosts has 2^64."""
    asking = ipaddress.ip_address(request.remote_addr or "::")
    if isinstance(asking, ipaddress.IPv6Address):
        return str(asking.ipv4_mapped or ipaddress.ip_network((asking, 64), strict=False))
    return str(asking)


def slow_down(*tried: tuple[Throttle, str]) -> None:
    """Count an attempt at each key, or answer 429 while one of them has to wait."""
    now = time.monotonic()
    wait_s = max((throttle.wait_s(key, now) for throttle, key in tried), default=0.0)
    if wait_s:
        raise TooManyRequests(retry_after=math.ceil(wait_s))
    for throttle, key in tried:
        throttle.attempt(key, now)
