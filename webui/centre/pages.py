"""Lists of parts, and a form for each: queues, groups, recording rules, surveys, voicemail boxes, reasons."""

from collections.abc import Mapping
from typing import Any

from flask import abort, redirect, request, url_for

from webui.access.doors import needs
from webui.centre import effect, targets, week
from webui.centre.blueprint import bp, meanwhile, now, offered, options, placed, present, shown
from webui.centre.forms import Field, Wrong, read
from webui.centre.forms import sent as form_sent
from webui.centre.forms import shown as form_shown
from webui.centre.held import Held, of_version, part_of
from webui.centre.kinds import KINDS, Kind
from webui.centre.labels import sheet
from webui.centre.proposals import Wrong as Refusal
from webui.centre.proposals import propose
from webui.centre.sheets import regroup

KIND = f"/<any({', '.join(KINDS)}):kind>"
GROUPS = Field("groups", "names")                 # of an agent; they stand with the groups


@bp.get("/")
@needs("configure", whole=True)
def index() -> Any:
    return redirect(url_for("centre.agents"), 303)


@bp.get("/<any(groups, people, queues, recording, surveys, voicemail, reasons):kind>/")
@needs("configure", whole=True)
def things(kind: str) -> str:
    held, row = now(), KINDS[kind]
    found = part_of(held.plain, row.path)
    crew: dict[str, effect.QueueEffect] = {}
    if kind == "queues":
        centre = held.config.centre
        crew = {one.queue: one for one in effect.of_queues(centre, centre, present())}
    return shown("things", kind, held, kind=row, found=found, crew=crew)


@bp.get(f"{KIND}/new")
@needs("commit", whole=True)
def new(kind: str) -> str:
    return _form(now(), KINDS[kind], "", None)


@bp.post(f"{KIND}/new")
@needs("commit", by_hand=True, whole=True)
def add(kind: str) -> Any:
    return _save(KINDS[kind], "")


@bp.get(f"{KIND}/of/<name>")
@needs("configure", whole=True)
def edit(kind: str, name: str) -> str:
    return _form(now(), KINDS[kind], name, None)


@bp.post(f"{KIND}/of/<name>")
@needs("commit", by_hand=True, whole=True)
def save(kind: str, name: str) -> Any:
    return _save(KINDS[kind], name)


@bp.post(f"{KIND}/of/<name>/remove")
@needs("commit", by_hand=True, whole=True)
def remove(kind: str, name: str) -> Any:
    held, row = now(), KINDS[kind]
    draft = held.draft()
    parts = part_of(draft, row.path)
    _place(parts, name)
    parts[:] = [one for one in parts if one.get("name") != name]
    if kind == "agents":
        _forget(draft, name)
    if kind == "queues":
        targets.put(draft, name, None, [])
    return proposed(held, draft, _list_of(kind),
                    lambda wrong: _form(held, row, name, None, {"": [one.what for one in wrong.mistakes]}))


@bp.get(f"{KIND}/of/<name>/remove")
@needs("configure", whole=True)
def to_edit(kind: str, name: str) -> Any:
    return redirect(url_for("centre.edit", kind=kind, name=name), 303)


def _forget(draft: dict[str, Any], agent: str) -> None:
    """Groups and queues name the agent no more."""
    lists = [*(one for one in part_of(draft, ("quality", "groups"))),
             *(one for one in part_of(draft, ("centre", "queues")))]
    for one in lists:
        if agent in (one.get("agents") or ()):
            one["agents"] = [name for name in one["agents"] if name != agent]


def proposed(held: Held, draft: dict[str, Any], back: str, again: Any, rows: Any = ()) -> Any:
    """To the preview; back when nothing differs; `again` with what is wrong."""
    try:
        word = propose(held, draft, back, rows)
    except Refusal as wrong:
        return again(wrong), 422
    return redirect(url_for("centre.change", word=word) if word else back, 303)


def _list_of(kind: str) -> str:
    """The address of the list."""
    own = kind in ("agents", "calendars")
    return url_for(f"centre.{kind}") if own else url_for("centre.things", kind=kind)


def _place(parts: list[dict[str, Any]], name: str) -> int:
    """404: there is none of this name."""
    found = next((place for place, one in enumerate(parts) if one.get("name") == name), None)
    if found is None:
        abort(404)
    return found


def _form(held: Held, kind: Kind, name: str, values: Mapping[str, Any] | None,
          wrong: Mapping[str, list[str]] | None = None) -> str:
    """`values`: as they were sent."""
    parts = part_of(held.plain, kind.path)
    place = _place(parts, name) if name else len(parts)
    part = parts[place] if name else {}
    fields = _fields(kind)
    laid_out = kind.laid_out if kind.name != "agents" else [("", fields)]
    if kind.name == "queues":
        common = held.config.centre.targets
        laid_out = [(title, targets.with_common(some, common)) for title, some in laid_out]
    if kind.name == "calendars":
        laid_out = [(title, some) for title, some in laid_out if [one.key for one in some] != ["hours"]]
    if values is None:
        values = _values(held, kind, name, part)
    given = offered(held)
    serves = effect.serves
    agent = next((one for one in held.config.centre.agents if one.name == name), None) \
        if kind.name == "agents" else None
    return shown(
        "form", kind.name, held, kind=kind, name=name, laid_out=laid_out, values=values, wrong=wrong or {},
        offered=given, options=lambda field, prefix="": options(
            kind.name, Field(f"{prefix}{field.key}", field.kind, options=field.options), given),
        place=place, count=len(parts), serves=serves(agent, held.config.centre.queues) if agent else {})


def _values(held: Held, kind: Kind, name: str, part: Mapping[str, Any]) -> dict[str, Any]:
    """Of a form that nobody has sent yet."""
    values = form_shown(_fields(kind), part)
    if kind.name == "agents":
        values["groups"] = " ".join(one.name for one in held.config.quality.groups if name in one.agents)
    if kind.name == "queues":
        values |= form_shown(targets.OF_QUEUE, targets.of_queue(held.plain, name))
    values["week"] = week.shown(part.get("hours") or {}) if kind.name == "calendars" else {}
    return values


def _merged(held: Held, kind: Kind, name: str, sent: Mapping[str, Any]) -> dict[str, Any] | None:
    """What was sent, with what others have changed in this part since the form was made; None: nothing."""
    was = of_version(request.form.get("head", 0, int))
    old = next((one for one in part_of(was.plain, kind.path) or () if one.get("name") == name),
               None) if was is not None else None
    parts = part_of(held.plain, kind.path)
    here = _values(held, kind, name, parts[_place(parts, name)])
    if was is None or old is None:
        return here
    before = _values(was, kind, name, old)
    if here == before:
        return None
    fields = {field.key: field for field in _fields(kind)}
    return {key: both(fields.get(key), here[key], before[key], sent.get(key, before[key])) for key in here}


def both(field: Field | None, here: Any, before: Any, sent: Any) -> Any:
    """Of one field; of rows and names all that one of the two has put there, without what one has removed."""
    if field is not None and field.kind == "names":
        return " ".join(_one_by_one(here.split(), before.split(), sent.split()))
    if isinstance(here, list):
        filled, was, new = ([row for row in rows if any(row.values())] for rows in (here, before, sent))
        return [*_one_by_one(filled, was, new), *(row for row in here if row not in filled)]
    if isinstance(here, dict):                    # the week
        return {day: both(None, here[day], before.get(day, ""), sent.get(day, "")) for day in here}
    usual = field.default_text if field is not None and field.kind == "choice" else ""
    return here if (sent or usual) == (before or usual) else sent


def _one_by_one(here: list[Any], before: list[Any], sent: list[Any]) -> list[Any]:
    return [*(one for one in here if one in sent or one not in before),
            *(one for one in sent if one not in before and one not in here)]


def _fields(kind: Kind) -> list[Field]:
    if kind.name == "queues":
        return [*kind.fields, *targets.OF_QUEUE]
    return [*kind.fields, GROUPS] if kind.name == "agents" else [
        one for one in kind.fields if kind.name != "calendars" or one.key != "hours"]


def _save(kind: Kind, name: str) -> Any:
    held = now()
    draft = held.draft()
    parts = part_of(draft, kind.path, make=True)
    place = _place(parts, name) if name else len(parts)
    old = parts[place] if name else {}
    fields = _fields(kind)
    many = {key: request.form.getlist(key) for key in request.form}
    values = form_sent(fields, request.form, many=many)
    bad: list[Wrong] = []
    own = [one for one in fields if one is not GROUPS and one not in targets.OF_QUEUE]
    part = read(own, values, old, bad)
    if kind.name == "calendars":
        values["week"] = {day: request.form.get(f"week-{day}", "").strip() for day in week.DAYS}
        part["hours"] = week.read(values["week"], old.get("hours") or {})
        for one in part.get("days", ()):
            if "like" not in one:
                one.setdefault("hours", [])       # closed
    if name and request.form.get("head", -1, int) != held.head and (
            merged := _merged(held, kind, name, values)) is not None:
        return _form(held, kind, name, merged, {"": [meanwhile(held)]}), 409
    part = {"name": part.pop("name", ""), **part}
    if kind.name == "queues":
        if name and part["name"] != name:         # they go along
            targets.put(draft, name, None, [])
        targets.put(draft, part["name"], values, bad)
    wrong: dict[str, list[str]] = {}
    for mistake in bad:
        key = mistake.key.partition("[")[0]
        wrong.setdefault(key, []).append(f"{sheet(mistake.why)}: {mistake.about}")
    if not name and any(one.get("name") == part["name"] for one in parts):
        wrong.setdefault("name", []).append(f"{part['name']!r} is there twice")
    if wrong:
        return _form(held, kind, name, values, wrong), 422
    if name:
        parts[place] = part
    else:
        parts.append(part)
    if kind.ordered:
        _move(parts, place, request.form.get("place", type=int))
    if kind.name == "agents":
        regroup(draft, part["name"], [one for one in values["groups"].split()
                                      if one in {group.name for group in held.config.quality.groups}])
    at = parts.index(part)
    return proposed(held, draft, _list_of(kind.name), lambda refusal: _form(
        held, kind, name, values, placed(kind, at, targets.at_queue(refusal.mistakes, part["name"], at))))


def _move(parts: list[dict[str, Any]], place: int, wanted: int | None) -> None:
    """`wanted`: from 1."""
    if wanted is not None and 1 <= wanted <= len(parts):
        parts.insert(wanted - 1, parts.pop(place))
