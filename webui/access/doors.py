"""What each route asks of who comes: a right, and where it is about something, within whose range that is.

Rights: watch (the live board), find, listen, download, share, export, hold, release, erase, keep (of
recordings), results (of quality), appraise (quality), report, line (spans, counters, ladders), test (tests
that take a line), steer (listen in, whisper, barge, take, release, set states), configure (see the
configuration), commit (change it), people, audit, box (updates, network, reset). Who has them: roles.py.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import Flask, abort, current_app, g, has_request_context, request
from flask_login import current_user
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from webui.access import roles
from webui.access.audit import Did
from webui.access.ranges import NOTHING, Range, Subject
from webui.mirror import Floor
from webui.parts import parts

__all__ = ["Needs", "Subject", "closed", "floor", "may", "need", "needs", "noted", "of_view", "opens",
           "outcome", "range_of", "sight"]

P = ParamSpec("P")
R = TypeVar("R")

OPEN = {"static"}                                 # endpoints of others' making, for everybody
READS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Needs:
    """`act`: a word of WORDS["act"] under which the log has it; `by_hand`: the view notes it; `whole`: only
    for who has no limits of range."""

    rights: tuple[str, ...]
    act: str
    by_hand: bool
    whole: bool


def needs(*rights: str, act: str = "", by_hand: bool = False,
          whole: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Directly under the route: all of these rights, else 403. "open": anybody; "self": who has signed in.

    What is not a mere look goes to the log before the view runs, as `act` or by its endpoint's name, with
    what its address names and the form's reason; what came of it afterwards.
    """
    unknown = set(rights) - set(roles.RIGHTS) - {"open", "self"}
    if unknown or not rights:
        raise ValueError(f"no right is called {', '.join(sorted(unknown)) or 'nothing'}")
    door = Needs(rights, act, by_hand, whole)

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            _pass(door)
            changes = request.method not in READS and "open" not in rights
            if by_hand or not (act or changes):
                return view(*args, **kwargs)
            what = " ".join(str(value) for value in (request.view_args or {}).values())
            with noted(act or str(request.endpoint), what, " ".join(request.form.get("why", "").split())):
                answer = view(*args, **kwargs)
                if (status := _status(answer)) >= 400:
                    outcome(f"refused ({status})")
                return answer
        guarded.needs = door                                          # type: ignore[attr-defined]
        return guarded
    return mark


def may(person: Any, right: str, of: Subject | None = None) -> bool:
    """Whether somebody has the right, and `of` is within his range."""
    if right == "open":
        return True
    if not person.is_authenticated:
        return False
    if right == "self":
        return True
    within = range_of(person)
    return _has(person, right, within) and (of is None or within.covers_subject(of))


def _has(person: Any, right: str, within: Range) -> bool:
    """By his role; a program by the scopes of its token."""
    scopes: frozenset[str] | None = getattr(person, "scopes", None)
    if scopes is None:
        return roles.may(person.role, right, within)
    return right in scopes and not (right in roles.WHOLE and within.limited)


def need(right: str, of: Subject | None = None) -> str:
    """The name of who has signed in; 403 without the right, 404 for what is outside his range."""
    if not may(current_user, right):
        _refuse(right)
    if of is not None and not may(current_user, right, of):
        abort(404)
    return str(getattr(current_user, "name", ""))


def range_of(person: Any) -> Range:
    """With groups resolved; of a role that is for one's own: what he did himself as an agent."""
    if not person.is_authenticated:
        return NOTHING
    kept = g.setdefault("ranges", {}) if has_request_context() else {}
    if person.get_id() not in kept:
        kept[person.get_id()] = _range_of(person)
    return cast(Range, kept[person.get_id()])


def floor() -> Floor:
    """The mirror's, as far as who has signed in sees."""
    return parts().narrowed(parts().exchange.mirror.floor, range_of(current_user))


def sight() -> tuple[str, Range]:
    """What who has signed in has in common with all who see the same."""
    if "sight" in g:
        return cast(tuple[str, Range], g.sight)
    return str(getattr(current_user, "role", "")), range_of(current_user)


def keep_sight() -> None:
    """Until this request's end, which for a live page is long."""
    g.sight = sight()


def of_view(endpoint: str) -> Needs | None:
    """What this endpoint asks; None: it is one of OPEN."""
    if endpoint in OPEN or endpoint.endswith(".static"):
        return None
    return cast(Needs, cast(Any, current_app.view_functions[endpoint]).needs)


def opens(endpoint: str) -> bool:
    """Whether this endpoint's door is open for who has signed in; a link to it is of use."""
    door = of_view(endpoint)
    if door is None:
        return True
    return all(may(current_user, right) for right in door.rights) and not (
        door.whole and range_of(current_user).limited)


def closed(app: Flask) -> list[str]:
    """Routes without a door: an application that has one does not start."""
    def has_none(rule: Rule) -> bool:
        return rule.endpoint not in OPEN and not isinstance(
            getattr(app.view_functions[rule.endpoint], "needs", None), Needs)
    return sorted(f"{rule.endpoint} ({rule.rule})" for rule in app.url_map.iter_rules() if has_none(rule))


def did(act: str, what: str = "", why: str = "", by: str = "") -> Did:
    """The entry of who asks, or of `by`, who has not signed in."""
    return Did(by or str(getattr(current_user, "name", "")), str(getattr(current_user, "role", "")),
               request.remote_addr or "", act, what, why)


@contextmanager
def noted(act: str, what: str = "", why: str = "") -> Iterator[None]:
    """In the log before what is inside begins, and what came of it. sqlite3.Error: nothing began."""
    number = parts().audit.begin(did(act, what, why), time.time())
    g.outcome = ""
    try:
        yield
    except HTTPException as error:
        parts().audit.end(number, g.outcome or f"refused ({error.code})", time.time())
        raise
    except BaseException as error:
        parts().audit.end(number, g.outcome or f"failed: {type(error).__name__}: {error}", time.time())
        raise
    parts().audit.end(number, g.outcome, time.time())


def outcome(said: str) -> None:
    """Why what is going on was not done, for the log; the first that says it is believed."""
    g.outcome = g.get("outcome") or said


def _status(answer: Any) -> int:
    """Of what a view gave back."""
    if isinstance(answer, tuple):
        return next((part for part in answer[1:] if isinstance(part, int)), 200)
    return int(getattr(answer, "status_code", 200))


def _range_of(person: Any) -> Range:
    crew = parts().crew
    if roles.role_of(person.role).own:
        return Range(agents=frozenset({crew.agent_of(person.name)}))
    return cast(Range, person.within).resolved(crew.groups())


def _pass(door: Needs) -> None:
    for right in door.rights:
        need(right)
    if door.whole and range_of(current_user).limited:
        _refuse("whole")


def _refuse(right: str) -> None:
    """403, and an entry: somebody tried."""
    g.missing = right
    if current_user.is_authenticated:
        parts().audit.note(did("refused", f"{request.method} {request.path}"), f"lacks {right}", time.time())
    abort(403)
