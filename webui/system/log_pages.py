"""What the programs of the box wrote: found by program, level, time and words, followed live, taken home."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, current_app, render_template, request, stream_with_context
from flask_babel import gettext

from appliance.bus.client import BusError, Refused
from appliance.bus.messages import GetLogs, LogLevel, LogLine, LogLines
from appliance.bus.messages.logs import LOG_LEVELS, MOST_LINES, MOST_SOUGHT
from webui.access.doors import needs
from webui.live import stream
from webui.mirror import Floor
from webui.parts import parts
from webui.rendered import Fragment

bp = Blueprint("box_logs", __name__, url_prefix="/box/logs")

PAGE = 200
ASK_S = 15.0                                      # a search takes its time
FOLLOW_S = 2.0                                    # how old an open page may get
FOLLOWERS = 5                                     # pages that are followed at once
MOST_TAKEN = 50_000                               # lines of a file
AROUND_S = (120.0, 900.0)                         # before and after what is to be explained
FOLLOWING = "branchline-log-followers"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for, as the form has it: times in the box's own time zone, "": no limit."""

    program: tuple[str, ...] = ()
    level: LogLevel = "info"
    text: str = ""
    since: str = ""
    until: str = ""
    before: str = ""

    def request(self, most: int, after: str = "") -> GetLogs:
        """ValueError: with a sentence for people."""
        return GetLogs(programs=list(self.program), level=self.level, text=self.text, since=_at(self.since),
                       until=_at(self.until), before=self.before, after=after, most=most)

    def query(self, **changes: Any) -> str:
        one = replace(self, **changes)
        return urlencode([*(("program", name) for name in one.program),
                          *((name, value) for name in ("level", "text", "since", "until", "before")
                            if (value := getattr(one, name)))])


@bp.record_once
def _begin(state: Any) -> None:
    state.app.extensions[FOLLOWING] = threading.BoundedSemaphore(FOLLOWERS)


@bp.get("/")
@needs("box")
def index() -> Any:
    asked, wrong, found = _asked(), "", None
    try:
        found = parts().exchange.ask(asked.request(PAGE), ASK_S)
    except (ValueError, Refused) as error:
        wrong = str(error)
    page = render_template(
        "system/logs.html", asked=asked, wrong=wrong, found=found, levels=LOG_LEVELS, newest=not asked.before,
        programs=_programs(found, asked), lines=_lines(list(found.lines) if found else []))
    return (page, 422) if wrong else page


@bp.get("/events")
@needs("box")
def events() -> Response:
    """New lines as they come; what is older than a page of them goes."""
    try:
        asked = _asked()
        asked.request(1)
    except ValueError:
        abort(400)
    slots = cast(threading.BoundedSemaphore, current_app.extensions[FOLLOWING])
    if request.method != "HEAD" and not slots.acquire(blocking=False):
        abort(503)
    following = _Following(replace(asked, before=""))
    try:
        answer = stream(following.fragments, turn_s=FOLLOW_S)
    except BaseException:
        slots.release()
        raise
    if request.method != "HEAD":
        answer.call_on_close(slots.release)
    return answer


@bp.get("/log.txt")
@needs("box", act="logs-taken")
def take() -> Any:
    """What the search finds, the oldest last, at most MOST_TAKEN lines."""
    asked = _asked()
    try:
        first = parts().exchange.ask(asked.request(MOST_LINES), ASK_S)
    except (ValueError, Refused) as error:
        return Response(f"{error}\n", 422, mimetype="text/plain")
    answer = Response(stream_with_context(_text(asked, first)), mimetype="text/plain")
    answer.headers.set("Content-Disposition", "attachment",
                       filename=f"branchline-log-{datetime.now():%Y%m%d-%H%M%S}.txt")
    return answer


class _Following:
    """Of one page: what it shows, and where the next look begins."""

    def __init__(self, asked: Asked) -> None:
        self._asked, self._place, self._lines = asked, "", list[LogLine]()
        self._looked_at, self._trouble = -FOLLOW_S, ""

    def fragments(self, floor: Floor) -> Iterator[Fragment]:
        if (now := time.monotonic()) - self._looked_at >= FOLLOW_S:
            self._looked_at = now
            try:
                self._look()
                self._trouble = ""
            except BusError as error:
                self._trouble = str(error)
        yield _lines(self._lines, self._trouble)

    def _look(self) -> None:
        found = parts().exchange.ask(self._asked.request(PAGE, self._place), ASK_S)
        self._place = found.newest or self._place
        self._lines = [*found.lines, *self._lines][:PAGE]


def _lines(lines: list[LogLine], trouble: str = "") -> Fragment:
    return "log-lines", render_template("system/log_lines.html", name="log-lines", lines=lines,
                                        trouble=trouble)


def _text(asked: Asked, found: LogLines) -> Iterator[bytes]:
    """Pages until there are no more; why it stops is its last line."""
    taken = 0
    while True:
        for one in found.lines:
            at = datetime.fromtimestamp(one.at).astimezone()
            said = f"{at.isoformat(timespec='milliseconds')} {one.program:<8} {one.level:<7} {one.text}\n"
            yield said.encode()
        taken += len(found.lines)
        if not found.more or not found.place:
            return
        if taken >= MOST_TAKEN:
            yield b"... and more\n"
            return
        try:
            found = parts().exchange.ask(
                replace(asked, before=found.place).request(MOST_LINES), ASK_S)
        except BusError as error:
            yield f"... {error}\n".encode()
            return


def _asked() -> Asked:
    given = request.args
    level = given.get("level", "info")
    since, until = given.get("since", "")[:25], given.get("until", "")[:25]
    if around := given.get("around", 0.0, type=float):               # a moment that is to be explained
        if not 0 < around < 1e10:
            abort(400)
        since, until = (datetime.fromtimestamp(around + shift).isoformat(timespec="seconds")
                        for shift in (-AROUND_S[0], AROUND_S[1]))
    return Asked(
        tuple(dict.fromkeys(name[:32] for name in given.getlist("program")[:20] if name)),
        level if level in LOG_LEVELS else "info",
        given.get("text", "").strip()[:MOST_SOUGHT], since, until, given.get("before", "")[:300])


def _at(said: str) -> float:
    """Unix time; 0: no limit. ValueError: with a sentence for people."""
    try:
        return datetime.fromisoformat(said).timestamp() if said else 0.0
    except (ValueError, OverflowError, OSError):
        raise ValueError(gettext("%(said)s is no time: write it as 2026-09-28T14:30.", said=said)) from None


def _programs(found: LogLines | None, asked: Asked) -> list[str]:
    known = found.programs if found else []
    others = {one.program for one in found.lines} if found else set()
    return [*known, *sorted((others | set(asked.program)) - set(known))]
