"""Agents, queues and skills as files: taken home, and brought back after a dry run."""

from typing import Any

from flask import Response, abort, redirect, request, url_for

from webui import pieces
from webui.access.doors import needs
from webui.centre import sheets
from webui.centre.blueprint import bp, now, shown, skills
from webui.centre.forms import text_of, value_of
from webui.centre.held import Held
from webui.centre.kinds import KINDS
from webui.centre.pages import proposed

KINDS_OF_FILE = ("agents", "queues", "matrix")


@bp.get("/csv")
@needs("configure", whole=True)
def csv() -> str:
    return shown("csv", "csv", now(), kind_of_file="agents", rows=(), wrong="")


@bp.get("/csv/<any(agents, queues, matrix):kind>.csv")
@needs("configure", act="centre-exported", whole=True)
def export(kind: str) -> Response:
    columns, rows = _rows(now(), kind)
    answer = Response(sheets.write(columns, rows), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename=branchline-{kind}.csv"
    return answer


def _rows(held: Held, kind: str) -> tuple[list[str], list[dict[str, str]]]:
    centre = held.plain.get("centre") or {}
    if kind == "queues":
        columns = ["name", *sheets.QUEUES]
        fields = {field.key: field for field in KINDS["queues"].fields}
        return columns, [{key: text_of(fields[key], value_of(one, key)) for key in columns}
                         for one in centre.get("queues") or ()]
    agents = centre.get("agents") or ()
    if kind == "matrix":
        known = skills(held)
        return ["name", *known], [
            {"name": one["name"], **{skill: str((one.get("skills") or {}).get(skill, 0)) for skill in known}}
            for one in agents]
    groups = held.config.quality.groups
    fields = {field.key: field for field in KINDS["agents"].fields}
    return ["name", *sheets.AGENTS], [
        {**{key: text_of(field, one.get(key)) for key, field in fields.items()},
         "groups": " ".join(group.name for group in groups if one["name"] in group.agents)} for one in agents]


@bp.get("/csv/try")
@needs("configure", whole=True)
def to_csv() -> Any:
    return redirect(url_for("centre.csv"), 303)


@bp.post("/csv/try")
@needs("commit", by_hand=True, whole=True)
def try_file() -> Any:
    """Row by row what it would do; nothing is written. When all of it can be: on to the preview."""
    kind = request.form.get("kind", "")
    if kind not in KINDS_OF_FILE:
        abort(400)
    held = now()
    octets = _octets()
    try:
        draft, rows = sheets.take(kind, sheets.read(octets), held.plain)
    except sheets.SheetError as error:
        return shown("csv", "csv", held, kind_of_file=kind, rows=(), wrong=str(error)), 422
    if any(row.state == "wrong" for row in rows) or all(row.state == "same" for row in rows):
        return shown("csv", "csv", held, kind_of_file=kind, rows=rows, wrong=""), \
            422 if any(row.state == "wrong" for row in rows) else 200

    def again(refusal: Any) -> str:
        return shown("csv", "csv", held, kind_of_file=kind, rows=rows, wrong="refused",
                     mistakes=[one.what for one in refusal.mistakes])
    return proposed(held, draft, url_for("centre.csv"), again, rows)


def _octets() -> bytes:
    """The file of the form, or the one whose pieces came before."""
    if word := request.form.get("upload"):
        return pieces.taken(word)
    file = request.files.get("file")
    return file.read(sheets.MOST_OCTETS + 1) if file else b""


@bp.post("/csv/pieces", endpoint="pieces")
@needs("commit", by_hand=True, whole=True)
def next_piece() -> Any:
    return pieces.add(sheets.MOST_OCTETS)
