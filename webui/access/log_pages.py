"""The log of what people did: found by who, what and when, checked, taken home."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, stream_with_context, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from webui.access.audit import Asked
from webui.access.doors import needs
from webui.access.roles import RIGHTS
from webui.parts import parts

bp = Blueprint("audit", __name__, url_prefix="/log")

PAGE = 50
LONGEST = 100
LAST_NUMBER = 2**63 - 1
FIELDS = ("by", "act", "text", "since", "until")


@bp.get("/")
@needs("audit")
def index() -> Any:
    return _index()


@bp.get("/check")
@needs("audit")
def back() -> AnyResponse:
    """Who comes back to where a form was sent, by a change of the language, say."""
    return redirect(url_for("audit.index"), 303)


@bp.post("/check")
@needs("audit", act="log-checked")
def verify() -> Any:
    """All of it is read, and each entry held against the one before."""
    return _index(verified=parts().audit.verify())


@bp.get("/log.csv")
@needs("audit", act="log-taken")
def take() -> Any:
    """What the search finds, all of it; that it was taken is the newest entry."""
    kept = _kept()
    try:
        lines = parts().audit.csv(_asked(kept))
    except ValueError as error:
        return _index(wrong=str(error))
    answer = Response(stream_with_context(line.encode() for line in lines), mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment",
                       filename=f"log-{datetime.now():%Y%m%d-%H%M%S}.csv")
    return answer


def _index(wrong: str = "", **done: Any) -> Any:
    kept, entries, before = _kept(), [], request.args.get("before", 0, type=int)
    try:
        asked = _asked(kept, min(max(before, 0), LAST_NUMBER))
        entries = parts().audit.entries(asked, PAGE + 1)
    except ValueError as error:
        wrong = str(error)
    people, acts = parts().audit.names()
    page = render_template(
        "access/log.html", kept=kept, chosen={name: value for name, value in kept.items() if value},
        entries=entries[:PAGE], older=entries[PAGE - 1].number if len(entries) > PAGE else 0, before=before,
        people=people, acts=acts, lacking=_lacking, wrong=wrong, days=parts().settings.audit_days, **done)
    return (page, 422) if wrong else page


def _lacking(outcome: str) -> str:
    """Of a door that was closed: in words."""
    right = RIGHTS.get(outcome.removeprefix("lacks "))
    if right is None:
        return str(gettext("It is about the whole box: for people whose range has no limits."))
    return str(gettext("It takes the right to %(right)s.", right=right))


def _kept() -> dict[str, str]:
    return {name: request.args.get(name, "").strip()[:LONGEST] for name in FIELDS}


def _asked(kept: dict[str, str], before: int = 0) -> Asked:
    """ValueError: with a sentence for people."""
    since, until = _day(kept["since"]), _day(kept["until"])
    return Asked(
        by=kept["by"], acts=(kept["act"],) if kept["act"] else (), text=kept["text"], before=before,
        since=since.timestamp() if since else 0.0,
        until=(until + timedelta(days=1)).timestamp() if until else 0.0)


def _day(said: str) -> datetime | None:
    try:
        day = datetime.strptime(said, "%Y-%m-%d") if said else None
        if day is not None:
            (day + timedelta(days=1)).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(gettext("%(said)s is no day: write it as 2026-09-28.", said=said)) from None
    return day
