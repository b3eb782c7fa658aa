"""The console's commands on a page: one line, what it says, and the lines before it. No script is needed."""

import time
from dataclasses import dataclass
from typing import Any, Literal

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.bus.client import BusError
from appliance.bus.messages import CommandOffer, CommandRan, OfferCommands, RunCommand
from webui.access.doors import need, needs, noted, outcome
from webui.box import language
from webui.parts import parts

bp = Blueprint("console", __name__, url_prefix="/box/console")

# What commands of the role admin see and do.
RIGHTS = ("watch", "find", "line", "test", "steer", "configure", "commit", "box")
ASK_S = 130.0                                     # a check of the configuration takes its time
MOST_LINE = 4000                                  # characters
MOST_PAST = 20                                    # lines that the page offers again
HELP = "?"                                        # at the end of a line: what fits there
NAMED = 2                                         # words of a line that the log of the pages has: none is
                                                  # secret; the console's own has all of it, those left out


@dataclass(frozen=True, slots=True)
class Screen:
    """What became of a line."""

    line: str
    ran: CommandRan | None = None
    offers: list[CommandOffer] | None = None
    wrong: str = ""                               # boxd is away, or refuses

    @property
    def good(self) -> bool:
        return not self.wrong and (self.ran is None or self.ran.status == 0)

    @property
    def head(self) -> str:
        """The line above its output; of one with a password its command alone."""
        secret = self.ran is not None and self.ran.secret
        return f"{_named(self.line)} …" if secret else self.line


@bp.get("/")
@needs(*RIGHTS)
def index() -> Any:
    return _page(None, "", [])


@bp.get("/run")
@needs(*RIGHTS)
def back() -> AnyResponse:
    """Who comes back to where a form was sent, by a change of the language, say."""
    return redirect(url_for("console.index"), 303)


@bp.post("/run")
@needs(*RIGHTS, act="command", by_hand=True)
def run() -> Any:
    by = need("box")
    line = request.form.get("line", "").strip()[:MOST_LINE]
    past = [one[:MOST_LINE] for one in request.form.getlist("past")[:MOST_PAST] if one]
    if line.endswith(HELP):
        return _page(_fitting(line.removesuffix(HELP)), line.removesuffix(HELP), past)
    if not line:
        return _page(None, "", past)
    with noted("command", _named(line)):
        screen = _run(line, by)
        if not screen.good:
            outcome(screen.wrong or f"status {screen.ran.status if screen.ran else ''}")
    if screen.ran is None or not screen.ran.secret:
        past = [line, *(one for one in past if one != line)][:MOST_PAST]
    return _page(screen, "" if screen.good else line, past)


def _run(line: str, by: str) -> Screen:
    try:
        return Screen(line, parts().exchange.ask(RunCommand(
            line=line, who=by[:64], role="admin", language=_language(), until=time.time() + ASK_S,
            origin=f"web {request.remote_addr or ''}"[:64]), ASK_S))
    except BusError as error:
        return Screen(line, wrong=str(error))


def _fitting(line: str) -> Screen:
    try:
        found = parts().exchange.ask(OfferCommands(line=line, role="admin", language=_language()))
    except BusError as error:
        return Screen(line, wrong=str(error))
    return Screen(line + HELP, offers=found.offers)


def _named(line: str) -> str:
    return " ".join(line.split()[:NAMED])


def _language() -> Literal["en", "zh"]:
    return "zh" if language() == "zh" else "en"


def _page(screen: Screen | None, line: str, past: list[str]) -> Any:
    return render_template("system/console.html", screen=screen, line=line, past=past)
